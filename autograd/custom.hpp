#pragma once

#include <autograd/tape.hpp>

#include <array>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Gradients that a program gives itself.
namespace autograd
{

namespace detail
{

/// From the gradient of the output to those of the inputs.
template <Real T>
using CustomPullback = std::function<std::vector<Tensor<T>>(const Tensor<T>&)>;

/// The value of `output` as a result that depends on the inputs, with this pullback.
template <Real T>
Tensor<T> with_gradient(const Tensor<T>& output, const std::vector<Tensor<T>>& inputs, CustomPullback<T> pullback,
                        Location location);

template <class T, class Gradients>
std::vector<Tensor<T>> as_list(Gradients gradients)
{
    if constexpr (std::is_convertible_v<Gradients, std::vector<Tensor<T>>>)
    {
        return gradients;
    }
    else if constexpr (AnyTensor<Gradients>)
    {
        return {Tensor<T>(gradients)};
    }
    else
    {
        return std::apply([](const auto&... gradient) { return std::vector<Tensor<T>>{gradient...}; }, gradients);
    }
}

}

/// A function with a gradient of its own. `f` takes tensors, and gives its value and a function from the gradient of the
/// value to the gradients of the inputs: one tensor, or a std::tuple, std::array or std::vector of them.
///
///     const auto log1pexp = ag::custom_gradient([](const ag::Tensor<double>& x) {
///         const auto e = ag::exp(x);
///         return std::pair(ag::log(1 + e), [=](const ag::Tensor<double>& dy) { return dy * (1 - 1 / (1 + e)); });
///     });
///     auto y = log1pexp(x);
///
/// The pullback may use whatever f computed. Higher derivatives are those of the pullback.
/// @throws ShapeError, from the backward pass and with the line of `custom_gradient`, unless the pullback gives one
///         gradient an input, of its shape.
template <class F>
auto custom_gradient(F f, Location location = Location::current())
{
    return [ f = std::move(f), location ]<Real T, AnyTensor... Rest>(const Tensor<T>& first, const Rest&... rest)
    {
        auto [value, pullback] = f(first, static_cast<const Tensor<T>&>(rest)...);
        return detail::with_gradient<T>(
            value, {first, rest...},
            [pullback = std::move(pullback)](const Tensor<T>& dy) { return detail::as_list<T>(pullback(dy)); },
            location);
    };
}

/// `value` forward, the gradient of `x` backward, as if the value were x: for steps such as rounding, whose own gradient is 0
/// (Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013).
/// @throws ShapeError if the shapes differ.
template <Real T>
Tensor<T> straight_through(const Tensor<T>& value, const Tensor<T>& x, Location location = Location::current());

}
