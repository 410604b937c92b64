#include <optim/loop/best_weights.hpp>

#include <optim/state_visitor.hpp>

#include <algorithm>
#include <string>

namespace optim
{

using autograd::Tensor;
using autograd::Variable;

BestWeights::BestWeights(std::vector<Parameter> parameters)
    : parameters_(std::move(parameters)), kept_(parameters_.size())
{
}

bool BestWeights::kept() const noexcept
{
    return !kept_.empty() && kept_.front().has_value();
}

void BestWeights::keep()
{
    std::transform(parameters_.begin(), parameters_.end(), kept_.begin(),
                   [](const Parameter& parameter)
                   {
                       return parameter.visit([]<class T>(const Variable<T>& variable)
                                              { return Parameter(Variable<T>(Tensor<T>(variable))); });
                   });
}

void BestWeights::restore(Location location) const
{
    if (!kept())
    {
        throw autograd::Error("restore", "no weights have been kept", location, "Call keep() when they are best.");
    }
    for (std::size_t k = 0; k < parameters_.size(); ++k)
    {
        Parameter kept = *kept_[k];
        parameters_[k].visit([&]<class T>(const Variable<T>& variable) { variable.assign(kept.get<T>()); });
    }
}

void BestWeights::visit_state(StateVisitor& visitor)
{
    for (std::size_t k = 0; k < parameters_.size(); ++k)
    {
        visitor.array(std::to_string(k), kept_[k], parameters_[k]);
    }
}

}
