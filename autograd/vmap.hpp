#pragma once

#include <autograd/compile.hpp>
#include <autograd/transforms.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

/// Functions of one sample, as functions of a batch.
namespace autograd
{

/// What becomes of random numbers that a function of one sample draws.
enum class Randomness
{
    error,     ///< they are refused
    same,      ///< one draw, which all samples share
    different  ///< each sample has its own, array by array: not in the order of a loop if there are several
};

struct VmapOptions
{
    /// For each argument which of its axes counts samples; `std::nullopt` for one that all samples share. If none is
    /// given, the first of every array.
    std::vector<std::optional<std::ptrdiff_t>> in_axes = {};
    Randomness randomness = Randomness::error;
};

namespace detail
{

/// New references to the results, with samples along their first axes. Of the arguments those that are arrays are given as
/// nodes.
std::vector<Node*> map_samples(std::span<const bool> are_arrays, std::span<Node* const> arrays,
                               const std::function<std::vector<Node*>(std::span<Node* const>)>& function,
                               const VmapOptions& options, Location location);

template <class A>
concept SampleArray = AnyTensor<A> ||(XExpression<A>&& Real<typename A::value_type>);

/// Arrays as tensors, and anything else as it is.
template <class A>
decltype(auto) sample_argument(const A& argument)
{
    if constexpr (SampleArray<A>)
    {
        return as_tensor(argument);
    }
    else
    {
        return (argument);
    }
}

/// What the function is given in the place of an argument: the next of the nodes if it is an array.
template <class A>
decltype(auto) take_argument(const A& argument, std::span<Node* const>& nodes)
{
    if constexpr (AnyTensor<A>)
    {
        Node* const node = nodes.front();
        nodes = nodes.subspan(1);
        retain(node);
        return A::adopt(node);
    }
    else
    {
        return (argument);
    }
}

template <class F, class... A>
auto map_over_samples(const F& function, const VmapOptions& options, Location location, const A&... arguments)
{
    using Result = std::remove_cvref_t<decltype(function(arguments...))>;
    static_assert((AnyTensor<A> || ...), "vmap needs an array among the arguments, whose axis counts samples");
    const std::array<bool, sizeof...(A)> are_arrays{AnyTensor<A>...};
    std::vector<Node*> arrays;
    const auto add = [&]([[maybe_unused]] const auto& argument)
    {
        if constexpr (AnyTensor<std::remove_cvref_t<decltype(argument)>>)
        {
            arrays.push_back(argument.node());
        }
    };
    (add(arguments), ...);
    const auto call = [&](std::span<Node* const> nodes)
    {
        // In braces, so that they are taken in order.
        const std::tuple<decltype(take_argument(arguments, nodes))...> own{take_argument(arguments, nodes)...};
        return Results<Result>::nodes(std::apply(function, own));
    };
    return Results<Result>::from(map_samples(are_arrays, arrays, call, options, location));
}

}

/// A function of a batch from a function of one sample: `vmap(f)(x, y)` has f(x[i], y[i]) at place i of its first axis,
/// computed for all samples at once. f takes tensors, and anything else, which all samples share, as they do what it
/// captures; it gives a tensor, or a pair, tuple, array or vector of them. `vmap(grad(f))` gives the gradient of each
/// sample by itself, `vmap(vmap(f))` maps over two axes, and gradients of what it gives work.
///
/// f is called with the first sample, and with the last, and what it does is then executed on the batch. So it must do the
/// same for all samples, and have no effects: where it reads numbers of a sample to decide (value(), item(), a comparison),
/// that is refused. An operation that has no form for batches is executed for each sample. If f does what cannot be taken out
/// of it (max pooling, sorting, decompositions, a function with a gradient of its own, an array made anew), it is called for
/// each sample: `constant(array)` says of an array that it is the same for all.
/// @throws ShapeError if an argument has no such axis, or the numbers of samples differ; ValueError for in_axes that do not
///         fit; CompileError, with the line, for a function that cannot be mapped; whatever f throws.
template <class F>
auto vmap(F f, VmapOptions options = {}, Location location = Location::current())
{
    return [f = std::move(f), options = std::move(options), location](const auto&... arguments)
    { return detail::map_over_samples(f, options, location, detail::sample_argument(arguments)...); };
}

}
