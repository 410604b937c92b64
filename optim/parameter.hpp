#pragma once

#include <autograd/variable.hpp>

#include <utility>
#include <variant>
#include <vector>

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

    template <autograd::Real T>
    const autograd::Variable<T>& get() const
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

    const autograd::Shape& shape() const;
    std::size_t size() const;
    autograd::DType dtype() const;
    bool has_grad() const;

    /// What tells variables apart: the same for two handles of one variable, not for two that are only equal.
    const void* identity() const;

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

}
