#pragma once

#include <autograd/arena.hpp>
#include <autograd/tape.hpp>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
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
/// there is none for.
using NodePullback = std::function<std::vector<Node*>(Node*, Node*)>;

/// The pullback and pushforward of all such records.
/// @{
void pull_custom(Pull& p);
void push_custom(Push& p);
/// @}

/// What the pullback reads beside the output, it holds itself.
/// @{
inline constexpr Reads reads_nothing[1];
inline constexpr Reads reads_output[1] = {{.output = true}};
/// @}

constexpr Operation custom_operation(const char* name, std::span<const Reads> reads = reads_nothing)
{
    return {name, &pull_custom, reads, &push_custom};
}

/// What records of functions with a pullback of their own are called.
/// @{
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

/// Whether a pullback takes the output, too.
template <class Pullback, class T>
inline constexpr bool takes_output = std::is_invocable_v<Pullback&, const Tensor<T>&, const Tensor<T>&>;

/// The same on tensors. The pullback takes the gradient of the output, and the output if it can.
template <Real T, class Pullback>
Tensor<T> with_gradient(const Operation& operation, const Tensor<T>& output, const std::vector<Tensor<T>>& inputs,
                        Pullback pullback, Location location)
{
    std::vector<Node*> nodes;
    for (const Tensor<T>& input : inputs)
    {
        nodes.push_back(input.node());
    }
    const auto on_nodes = [pullback = std::move(pullback)](Node* dy, Node* y) mutable
    {
        retain(dy);
        const Tensor<T> gradient = Tensor<T>::adopt(dy);
        std::vector<Tensor<T>> gradients;
        if constexpr (takes_output<Pullback, T>)
        {
            retain(y);
            gradients = as_list<T>(pullback(gradient, static_cast<const Tensor<T>&>(Tensor<T>::adopt(y))));
        }
        else
        {
            gradients = as_list<T>(pullback(gradient));
        }
        std::vector<Node*> result;
        for (Tensor<T>& part : gradients)
        {
            result.push_back(part.disown());
        }
        return result;
    };
    return Tensor<T>::adopt(with_gradient(operation, output.node(), nodes, on_nodes, location));
}

/// Whether F computes a value by `forward` and gradients by `backward`.
template <class F, class... Inputs>
concept HasForward = requires(F f, const Inputs&... inputs)
{
    f.forward(inputs...);
};

/// What f computes, and its pullback.
template <class F, class... Inputs>
auto value_and_pullback(const F& f, const Inputs&... inputs)
{
    if constexpr (HasForward<F, Inputs...>)
    {
        const auto state = std::make_shared<F>(f);
        auto value = state->forward(inputs...);
        return std::pair(
            std::move(value),
            [state](const auto&... gradient_and_output) -> decltype(state->backward(gradient_and_output...))
            { return state->backward(gradient_and_output...); });
    }
    else
    {
        return f(inputs...);
    }
}

/// What records of F are called.
template <class F>
constexpr const char* name_of_function()
{
    if constexpr (requires { std::string_view(F::name); })
    {
        return F::name;
    }
    else
    {
        return "custom_gradient";
    }
}

template <class F, bool with_output>
inline constexpr Operation custom_operation_of = custom_operation(name_of_function<F>(),
                                                                  with_output ? reads_output : reads_nothing);

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
/// Or f is an object with `forward` and `backward`, of which each call has a copy of its own to save in it what it wants. Its
/// records bear its `name`, if it has one:
///
///     struct Log1pExp {
///         static constexpr const char* name = "log1pexp";
///         ag::Tensor<double> e;
///         ag::Tensor<double> forward(const ag::Tensor<double>& x) { e = ag::exp(x); return ag::log(1 + e); }
///         ag::Tensor<double> backward(const ag::Tensor<double>& dy) const { return dy * (1 - 1 / (1 + e)); }
///     };
///     auto y = ag::custom_gradient(Log1pExp())(x);
///
/// The pullback may use whatever was computed forward, and may take the value as well, `(dy, y)`. Higher derivatives are those
/// of the pullback, in which inputs and y have this function's own derivatives. What is saved in a Tensor is what it
/// was; a Variable has the value that it has when the pullback runs.
/// @throws ShapeError, from the backward pass and with the line of `custom_gradient`, unless the pullback gives one
///         gradient an input, of its shape.
template <class F>
auto custom_gradient(F f, Location location = Location::current())
{
    return [ f = std::move(f), location ]<Real T, AnyTensor... Rest>(const Tensor<T>& first, const Rest&... rest)
    {
        auto [value, pullback] = detail::value_and_pullback(f, first, static_cast<const Tensor<T>&>(rest)...);
        constexpr bool with_output = detail::takes_output<decltype(pullback), T>;
        return detail::with_gradient<T>(detail::custom_operation_of<F, with_output>, value, {first, rest...},
                                        std::move(pullback), location);
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
