#pragma once

#include <autograd/ops/shape.hpp>
#include <autograd/tape.hpp>

#include <utility>
#include <vector>

/// Derivatives of functions: what takes a function of tensors and gives another.
namespace autograd
{

namespace detail
{

template <class X>
auto as_tensor(const X& x)
{
    if constexpr (AnyTensor<X>)
    {
        return Tensor<typename X::value_type>(x);
    }
    else
    {
        return Tensor(x);
    }
}

}

/// A function that gives f(x) and its gradient at x: `auto [value, gradient] = value_and_grad(f)(x)`. f takes a Tensor and
/// returns one that holds one element; x is a tensor, an xtensor array or a scalar. Gradients of gradients work.
/// @throws UnconnectedError if f(x) does not depend on x.
template <class F>
auto value_and_grad(F f)
{
    return [f = std::move(f)](const auto& x, Location location = Location::current())
    {
        const auto argument = detail::as_tensor(x);
        GradientTape tape({}, location);
        tape.watch(argument, location);
        auto value = f(argument);
        auto gradient = tape.gradient(value, argument, {}, location);
        return std::pair(std::move(value), std::move(gradient));
    };
}

/// A function that gives the gradient of f.
template <class F>
auto grad(F f)
{
    return [both = value_and_grad(std::move(f))](const auto& x, Location location = Location::current())
    { return both(x, location).second; };
}

/// The matrix of second derivatives of f at x, one row for each element of x: of shape (n, n) for n elements.
template <class F, class X>
auto hessian(const F& f, const X& x, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    using T = typename decltype(point)::value_type;
    GradientTape outer({.persistent = true}, location);
    outer.watch(point, location);
    const Tensor<T> gradient = flatten(grad(f)(point, location), location);
    std::vector<Tensor<T>> rows;
    for (std::size_t i = 0; i < gradient.size(); ++i)
    {
        rows.push_back(
            flatten(outer.gradient(view(gradient, i), point, {.unconnected = Unconnected::zero}, location), location));
    }
    return stack(rows, 0, location);
}

}
