#pragma once

#include <autograd/ops/shape.hpp>
#include <autograd/tape.hpp>

#include <memory>
#include <optional>
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

/// Zeros, and a 1 at element i.
template <Real T>
Tensor<T> unit_vector(const Shape& shape, std::size_t i)
{
    xt::xarray<T> elements(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()), T(0));
    elements.storage()[i] = 1;
    return Tensor<T>(elements);
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

/// f(x), and a function that gives the gradient of x for a gradient of f(x): `auto [y, pullback] = vjp(f, x)`, then
/// `pullback(dy)` any number of times. It keeps the records of f(x) while it lives, and belongs to the calling thread.
/// @throws UnconnectedError, when called, if f(x) does not depend on x.
template <class F, class X>
auto vjp(const F& f, const X& x, Location location = Location::current())
{
    struct Recording
    {
        explicit Recording(Location location) : tape({.persistent = true}, location) {}
        GradientTape tape;
        std::optional<GradientTape::StopRecording> stopped;
    };
    const auto point = detail::as_tensor(x);
    const auto recording = std::make_shared<Recording>(location);
    recording->tape.watch(point, location);
    auto value = f(point);
    recording->stopped.emplace(recording->tape.stop_recording(location));
    auto pullback = [recording, point, value](const auto& output_gradient, Location asked = Location::current())
    {
        using T = typename decltype(value)::value_type;
        return recording->tape.gradient(value, point, {.output_gradient = Tensor<T>(output_gradient)}, asked);
    };
    return std::pair(std::move(value), std::move(pullback));
}

/// f(x), and how it changes where x changes by `tangent`: `auto [y, dy] = jvp(f, x, v)`; the Jacobian times v, at the cost
/// of a few evaluations of f, whatever the numbers of elements.
/// @throws UnconnectedError if f(x) does not depend on x; ShapeError if the tangent has not the shape of x.
template <class F, class X, class V>
auto jvp(const F& f, const X& x, const V& tangent, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    GradientTape tape({}, location);
    tape.watch(point, location);
    auto value = f(point);
    auto change = tape.jvp(value, point, detail::as_tensor(tangent), Unconnected::error, location);
    return std::pair(std::move(value), std::move(change));
}

/// The second derivatives of f, which gives one element, times a vector: forward over reverse, at the cost of a few
/// gradients and without the matrix.
/// @throws as `jvp`.
template <class F, class X, class V>
auto hvp(const F& f, const X& x, const V& vector, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    GradientTape tape({}, location);
    tape.watch(point, location);
    const auto gradient = grad(f)(point, location);
    return tape.jvp(gradient, point, detail::as_tensor(vector), Unconnected::zero, location);
}

/// The derivative of each element of f(x) by each element of x: of the shape of f(x) followed by that of x; 0 where f(x) does not
/// depend on x.
template <class F, class X>
auto jacobian(const F& f, const X& x, Mode mode = Mode::automatic, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    GradientTape tape({}, location);
    tape.watch(point, location);
    const auto value = f(point);
    return tape.jacobian(value, point, {.mode = mode, .unconnected = Unconnected::zero}, location);
}

/// The sum of the second derivatives of f by each element of x.
template <class F, class X>
auto laplacian(const F& f, const X& x, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    using T = typename decltype(point)::value_type;
    GradientTape tape({.persistent = true}, location);
    tape.watch(point, location);
    const Tensor<T> gradient = grad(f)(point, location);
    Tensor<T> total(0);
    for (std::size_t i = 0; i < point.size(); ++i)
    {
        const Tensor<T> column =
            tape.jvp(gradient, point, detail::unit_vector<T>(point.shape(), i), Unconnected::zero, location);
        total += view(flatten(column, location), i);
    }
    return total;
}

/// The matrix of second derivatives of f at x, one row for each element of x: of shape (n, n) for n elements.
template <class F, class X>
auto hessian(const F& f, const X& x, Location location = Location::current())
{
    const auto point = detail::as_tensor(x);
    using T = typename decltype(point)::value_type;
    GradientTape outer({}, location);
    outer.watch(point, location);
    const Tensor<T> gradient = grad(f)(point, location);
    const Tensor<T> whole =
        outer.jacobian(gradient, point, {.mode = Mode::reverse, .unconnected = Unconnected::zero}, location);
    return reshape(whole, Shape{point.size(), point.size()}, location);
}

}
