#include <optim/optimizer.hpp>

#include <algorithm>
#include <string>

namespace optim
{

using autograd::ValueError;

bool Parameter::is(const Parameter& other) const
{
    const auto node = [](const auto& variable) { return variable.node(); };
    return visit(node) == other.visit(node);
}

void GradientAndVariable::check(const char* operation, Location location) const
{
    const auto shape = [](const auto& variable) { return variable.shape(); };
    if (gradient_.visit(shape) != parameter_.visit(shape))
    {
        throw autograd::ShapeError(operation,
                                   "a gradient has the shape of its variable: the variable is " +
                                       to_string(parameter_.visit(shape)) + ", the gradient " +
                                       to_string(gradient_.visit(shape)),
                                   location);
    }
}

void GradientAndVariable::give()
{
    parameter_.visit(
        [this]<class T>(autograd::Variable<T>& variable)
        {
            gradient_.visit(
                [&]<class U>(const autograd::Variable<U>& gradient)
                {
                    if constexpr (std::is_same_v<T, U>)
                    {
                        variable.set_grad(gradient);
                    }
                });
        });
}

void Optimizer::add_group(const std::vector<Parameter>& parameters, const char* optimizer, Location location)
{
    if (parameters.empty())
    {
        throw ValueError(optimizer, "a group without parameters", location);
    }
    const std::size_t group = groups_.empty() ? 0 : groups_.back() + 1;
    for (const Parameter& parameter : parameters)
    {
        const auto same = [&](const Parameter& other) { return other.is(parameter); };
        const auto there = std::find_if(parameters_.begin(), parameters_.end(), same);
        if (there != parameters_.end())
        {
            throw ValueError(optimizer,
                             "parameter " + std::to_string(parameters_.size() + 1) + " is the same as parameter " +
                                 std::to_string(there - parameters_.begin() + 1),
                             location, "Give each variable once.");
        }
        parameters_.push_back(parameter);
        groups_.push_back(group);
    }
}

void Optimizer::step()
{
    check_options();
    for (std::size_t index = 0; index < parameters_.size(); ++index)
    {
        parameters_[index].visit(
            [&](auto& variable)
            {
                if (variable.has_grad())
                {
                    update(index, variable);
                }
            });
    }
}

void Optimizer::zero_grad()
{
    for (Parameter& parameter : parameters_)
    {
        parameter.visit([](auto& variable) { variable.zero_grad(); });
    }
}

void Optimizer::apply_gradients(std::vector<GradientAndVariable> gradients, Location location)
{
    for (std::size_t k = 0; k < gradients.size(); ++k)
    {
        const auto same = [&](const Parameter& parameter) { return parameter.is(gradients[k].parameter()); };
        if (std::none_of(parameters_.begin(), parameters_.end(), same))
        {
            throw ValueError("apply_gradients",
                             "variable " + std::to_string(k + 1) + " is not a parameter of this optimizer", location);
        }
        gradients[k].check("apply_gradients", location);
    }
    zero_grad();
    for (GradientAndVariable& gradient : gradients)
    {
        gradient.give();
    }
    step();
}

}
