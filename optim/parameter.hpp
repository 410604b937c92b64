#pragma once

#include <autograd/variable.hpp>

#include <utility>
#include <vector>

namespace optim
{

using autograd::Location;

/// A variable of either precision.
class Parameter
{
public:
    Parameter(const autograd::Variable<float>& variable) noexcept;
    Parameter(const autograd::Variable<double>& variable) noexcept;
    Parameter(const Parameter& other) noexcept;
    Parameter& operator=(const Parameter& other) noexcept;
    ~Parameter();

    /// The variable, if it is of this precision; throws std::bad_variant_access otherwise.
    template <autograd::Real T>
    autograd::Variable<T>& get()
    {
        return const_cast<autograd::Variable<T>&>(std::as_const(*this).template get<T>());
    }
    template <autograd::Real T>
    const autograd::Variable<T>& get() const
    {
        if (dtype_ != autograd::dtype_of<T>) [[unlikely]]
        {
            throw_other_precision();
        }
        if constexpr (std::is_same_v<T, float>)
        {
            return single_;
        }
        else
        {
            return double_;
        }
    }

    /// Calls f with the variable in its own type.
    template <class F>
    decltype(auto) visit(F&& f)
    {
        return dtype_ == autograd::DType::float32 ? f(single_) : f(double_);
    }
    template <class F>
    decltype(auto) visit(F&& f) const
    {
        return dtype_ == autograd::DType::float32 ? f(single_) : f(double_);
    }

    const autograd::Shape& shape() const;
    std::size_t size() const;
    autograd::DType dtype() const noexcept { return dtype_; }
    bool has_grad() const;

    /// What tells variables apart: the same for two handles of one variable, not for two that are only equal.
    const void* identity() const;

private:
    [[noreturn]] static void throw_other_precision();

    // A std::variant costs every user's file a tenth of a second to compile.
    union
    {
        autograd::Variable<float> single_;
        autograd::Variable<double> double_;
    };
    autograd::DType dtype_;
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
