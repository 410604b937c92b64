#pragma once

#include <autograd/tape.hpp>
#include <autograd/variable.hpp>

#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

/// Optimizers update variables from their gradients. Names, formulas and defaults are PyTorch's.
namespace optim
{

using autograd::Location;

/// A variable of either precision.
class Parameter
{
public:
    Parameter(const autograd::Variable<float>& variable) : variable_(variable) {}
    Parameter(const autograd::Variable<double>& variable) : variable_(variable) {}

    /// The variable, if it is of this precision; throws std::bad_variant_access otherwise.
    template <autograd::Real T>
    autograd::Variable<T>& get()
    {
        return std::get<autograd::Variable<T>>(variable_);
    }

    /// Calls f with the variable in its own type.
    template <class F>
    decltype(auto) visit(F&& f)
    {
        return std::visit(std::forward<F>(f), variable_);
    }
    template <class F>
    decltype(auto) visit(F&& f) const
    {
        return std::visit(std::forward<F>(f), variable_);
    }

    /// Whether both are the same variable, not only equal.
    bool is(const Parameter& other) const;

private:
    std::variant<autograd::Variable<float>, autograd::Variable<double>> variable_;
};

/// A gradient and the variable that it is for.
class GradientAndVariable
{
public:
    template <autograd::Real T>
    GradientAndVariable(const autograd::Tensor<T>& gradient, const autograd::Variable<T>& variable)
        : parameter_(variable), gradient_(autograd::Variable<T>(gradient))
    {
    }

    const Parameter& parameter() const noexcept { return parameter_; }
    /// Throws ShapeError, in the name of `operation`, if the gradient has not the variable's shape.
    void check(const char* operation, Location location) const;
    /// Makes the gradient the variable's `grad()`.
    void give();

private:
    Parameter parameter_;
    Parameter gradient_;
};

/// What optimizers have in common: the parameters in their groups, the loop over those that have a gradient, and
/// forgetting gradients. An optimizer says how one parameter is updated.
class Optimizer
{
public:
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer() = default;

    /// Updates every parameter that has a gradient; the others stay as they are.
    /// @throws autograd::ValueError if the options were changed to something that is not allowed.
    void step();

    /// Forgets the gradients of all parameters.
    void zero_grad();

    /// Steps with these gradients, as in Keras: `sgd.apply_gradients({{da, a}, {db, b}})`. Other parameters stay.
    /// @throws autograd::ValueError for a variable that is not the optimizer's; ShapeError for a gradient that does not
    ///         have the shape of its variable.
    void apply_gradients(std::vector<GradientAndVariable> gradients, Location location = Location::current());

    /// One whole step, as in Keras: calls `loss()` under a tape, computes the gradients anew and updates. Returns the
    /// loss from before the update.
    template <class Loss>
    auto minimize(const Loss& loss, Location location = Location::current())
    {
        zero_grad();
        autograd::GradientTape tape({}, location);
        auto value = loss();
        value.backward(location);
        step();
        return value;
    }

    /// All parameters, group by group.
    const std::vector<Parameter>& parameters() const noexcept { return parameters_; }

protected:
    Optimizer() = default;

    /// Adds a group. Throws ValueError if it is empty or holds a parameter that is there already.
    void add_group(const std::vector<Parameter>& parameters, const char* optimizer, Location location);

    std::size_t group_of(std::size_t parameter) const noexcept { return groups_[parameter]; }

private:
    /// Throws ValueError if the options are not allowed.
    virtual void check_options() const = 0;
    /// Updates parameter number `index` from its gradient.
    /// @{
    virtual void update(std::size_t index, autograd::Variable<float>& parameter) = 0;
    virtual void update(std::size_t index, autograd::Variable<double>& parameter) = 0;
    /// @}

    std::vector<Parameter> parameters_;
    std::vector<std::size_t> groups_;
};

}
