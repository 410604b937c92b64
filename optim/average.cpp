#include <autograd/tracer.hpp>
#include <optim/average.hpp>

#include <algorithm>

namespace optim
{

WeightAverage::WeightAverage(const char* name, const std::vector<Parameter>& parameters, Location location)
    : name_(name), parameters_(parameters), averages_(parameters.size())
{
    if (parameters.empty())
    {
        throw autograd::ValueError(name, "needs at least one parameter", location);
    }
}

void WeightAverage::update()
{
    autograd::detail::act(name_, {}, [this] { update_now(); });
}

void WeightAverage::update_now()
{
    const double part = share(n_averaged_);
    for (std::size_t k = 0; k < parameters_.size(); ++k)
    {
        parameters_[k].visit(
            [&]<class T>(const autograd::Variable<T>& variable)
            {
                if (!averages_[k])
                {
                    averages_[k] = autograd::Variable<T>(autograd::Tensor<T>(variable));
                    return;
                }
                T* const average = averages_[k]->template get<T>().mutable_data();
                const T* const weight = variable.data();
                for (std::size_t i = 0; i < variable.size(); ++i)
                {
                    average[i] += static_cast<T>(part) * (weight[i] - average[i]);
                }
            });
    }
    ++n_averaged_;
}

void WeightAverage::swap(Location location)
{
    if (n_averaged_ == 0)
    {
        throw autograd::Error(name_, "swapped before its first update", location);
    }
    for (std::size_t k = 0; k < parameters_.size(); ++k)
    {
        parameters_[k].visit(
            [&]<class T>(const autograd::Variable<T>& variable)
            {
                T* const weight = variable.mutable_data(location);
                std::swap_ranges(weight, weight + variable.size(), averages_[k]->template get<T>().mutable_data());
            });
    }
}

void WeightAverage::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    if (prefix.empty())
    {
        visitor.kind(name_);
    }
    detail::visit_number(visitor, prefix + "n_averaged", n_averaged_);
    for (std::size_t k = 0; k < parameters_.size(); ++k)
    {
        visitor.array(prefix + "averages." + std::to_string(k), averages_[k], parameters_[k]);
    }
}

ExponentialMovingAverage::ExponentialMovingAverage(const std::vector<Parameter>& parameters, double decay,
                                                   Location location)
    : WeightAverage("ExponentialMovingAverage", parameters, location), decay_(decay)
{
    detail::require(from_0_below_1, "ExponentialMovingAverage", "decay", decay, location);
}

StochasticWeightAverage::StochasticWeightAverage(const std::vector<Parameter>& parameters, Location location)
    : WeightAverage("StochasticWeightAverage", parameters, location)
{
}

}
