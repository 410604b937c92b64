#pragma once

#include <autograd/tape.hpp>

#include <array>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Gradients that a program gives itself.
namespace autograd
{

namespace detail
{

/// From the gradient of the output, and the output, to the gradients of the inputs, as new references; null for one that
/// there is none for. Only `fixed_point` and `root` are given the output.
using NodePullback = std::function<std::vector<Node*>(Node*, Node*)>;

struct Operation;

/// What records of functions with a pullback of their own are called.
/// @{
extern const Operation custom_gradient_operation;
extern const Operation straight_through_operation;
extern const Operation on_gradient_operation;
extern const Operation recompute_grad_operation;
extern const Operation fixed_point_operation;
extern const Operation root_operation;
/// @}

/// The value of `output` as a result that depends on the inputs, which may have either precision, with this pullback.
/// What it gives is checked. A new reference.
Node* with_gradient(const Operation& operation, Node* output, std::span<Node* const> inputs, NodePullback pullback,
                    Location location);

/// The same on tensors.
template <Real T, class Pullback>
Tensor<T> with_gradient(const Operation& operation, const Tensor<T>& output, const std::vector<Tensor<T>>& inputs,
                        Pullback pullback, Location location)
{
    std::vector<Node*> nodes;
    for (const Tensor<T>& input : inputs)
    {
        nodes.push_back(input.node());
    }
    const auto on_nodes = [pullback = std::move(pullback)](Node* dy, Node*)
    {
        retain(dy);
        std::vector<Tensor<T>> gradients = pullback(Tensor<T>::adopt(dy));
        std::vector<Node*> result;
        for (Tensor<T>& gradient : gradients)
        {
            result.push_back(gradient.disown());
        }
        return result;
    };
    return Tensor<T>::adopt(with_gradient(operation, output.node(), nodes, on_nodes, location));
}

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
            detail::custom_gradient_operation, value, {first, rest...},
            [pullback = std::move(pullback)](const Tensor<T>& dy) { return detail::as_list<T>(pullback(dy)); },
            location);
    };
}

/// `value` forward, the gradient of `x` backward, as if the value were x: for steps such as rounding, whose own gradient is 0
/// (Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013).
/// @throws ShapeError if the shapes differ.
template <Real T>
Tensor<T> straight_through(const Tensor<T>& value, const Tensor<T>& x, Location location = Location::current());

/// x, whose gradient goes through `hook` on its way back: `auto y = ag::on_gradient(x, hook)` where y then stands for x. The
/// hook takes the gradient of y, summed over all its uses, and gives that of x; or it gives nothing and only looks. For
/// a variable, there is Variable::register_hook.
/// @throws ShapeError, from the backward pass, if the hook gives another shape.
template <Real T, class Hook>
Tensor<T> on_gradient(const Tensor<T>& x, Hook hook, Location location = Location::current())
{
    return detail::with_gradient<T>(
        detail::on_gradient_operation, x, {x},
        [hook = std::move(hook)](const Tensor<T>& dy)
        {
            if constexpr (std::is_void_v<std::invoke_result_t<const Hook&, const Tensor<T>&>>)
            {
                hook(dy);
                return std::vector<Tensor<T>>{dy};
            }
            else
            {
                return std::vector<Tensor<T>>{Tensor<T>(hook(dy))};
            }
        },
        location);
}

/// x, whose gradient is multiplied by `factor`; -1 reverses it (Ganin and Lempitsky, "Unsupervised domain adaptation by
/// backpropagation", 2015).
template <Real T>
Tensor<T> scale_gradient(const Tensor<T>& x, double factor, Location location = Location::current());

/// x, whose gradient's elements are clipped to [-most, most].
/// @throws ValueError unless most > 0.
template <Real T>
Tensor<T> clip_gradient_value(const Tensor<T>& x, double most, Location location = Location::current());

/// x, whose gradient is scaled down, if need be, to the Euclidean norm `most`.
/// @throws ValueError unless most > 0.
template <Real T>
Tensor<T> clip_gradient_norm(const Tensor<T>& x, double most, Location location = Location::current());

}
