#pragma once

#include <autograd/tape.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace autograd
{

namespace detail
{

template <Real T>
using FunctionOfTensors = std::function<Tensor<T>(const std::vector<Tensor<T>>&)>;

template <Real T>
Tensor<T> recompute(const FunctionOfTensors<T>& f, const std::vector<Tensor<T>>& inputs, Location location);

}

/// The same function, which the tape records as one operation: nothing that f computes on the way is kept for its
/// gradient, but computed again (Chen et al., "Training deep nets with sublinear memory cost", 2016). Exact: variables and
/// tensors that f reads beside its arguments have their gradients, too, and random generators draw the same numbers
/// again. f takes tensors and gives one; it is called once more in each backward pass.
///
///     const auto block = ag::recompute_grad([&](const ag::Tensor<float>& x) { return ag::tanh(ag::matmul(x, w)); });
///     y = block(block(x));
///
/// @throws TapeError if f assigns a variable that it has read; from the backward pass, if one has been assigned since.
template <class F>
auto recompute_grad(F f, Location location = Location::current())
{
    return [ f = std::move(f), location ]<Real T, AnyTensor... Rest>(const Tensor<T>& first, const Rest&... rest)
    {
        const detail::FunctionOfTensors<T> on_list = [f](const std::vector<Tensor<T>>& x)
        {
            return [&]<std::size_t... K>(std::index_sequence<K...>)->Tensor<T>
            {
                return f(x[K]...);
            }
            (std::index_sequence_for<Tensor<T>, Rest...>{});
        };
        return detail::recompute<T>(on_list, {first, rest...}, location);
    };
}

}
