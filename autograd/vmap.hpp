#pragma once

#include <autograd/arguments.hpp>
#include <autograd/compile.hpp>

#include <algorithm>
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
    /// For each argument which axis of its arrays counts samples; `std::nullopt` for one that all samples share. If none is
    /// given, the first of every array. A struct that holds variables is always shared.
    std::vector<std::optional<std::ptrdiff_t>> in_axes = {};
    Randomness randomness = Randomness::error;
};

namespace detail
{

/// New references to the results, with samples along their first axes. The arrays are those of all arguments, one after
/// another; each argument has so many.
std::vector<Node*> map_samples(std::span<const std::size_t> counts, std::span<Node* const> arrays,
                               const std::function<std::vector<Node*>(std::span<Node* const>)>& function,
                               const VmapOptions& options, Location location);

[[noreturn]] void throw_other_results(std::size_t first, std::size_t other, Location location);

/// Whether samples of an argument are given to the function, or all of it.
template <class A>
inline constexpr bool has_samples = holds_tensors<A> && !holds_variables<A>;

/// What the function is given in the place of an argument: the next of the nodes in the place of its tensors.
template <class A>
decltype(auto) take_argument(const A& argument, Node* const*& node)
{
    if constexpr (has_samples<A>)
    {
        const auto next = [&node]<class T>(const Tensor<T>&)
        {
            retain(*node);
            return Tensor<T>::adopt(*node++);
        };
        return TreeWalk{}.map(next, argument);
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
    static_assert((has_samples<A> || ...), "vmap needs an array among the arguments, whose axis counts samples");
    static_assert(Tree<Result>, "the function must give a tensor, or a tree of tensors (tree.hpp)");
    std::vector<std::size_t> counts;
    std::vector<Node*> arrays;
    const auto add = [&]([[maybe_unused]] const auto& argument)
    {
        const std::size_t before = arrays.size();
        if constexpr (has_samples<std::remove_cvref_t<decltype(argument)>>)
        {
            const auto nodes = leaf_nodes(argument);
            arrays.insert(arrays.end(), nodes.begin(), nodes.end());
        }
        counts.push_back(arrays.size() - before);
    };
    (add(arguments), ...);
    std::optional<Result> structure;
    std::size_t count = 0;
    const auto call = [&](std::span<Node* const> nodes)
    {
        Node* const* node = nodes.data();
        // In braces, so that they are taken in order.
        const std::tuple<decltype(take_argument(arguments, node))...> own{take_argument(arguments, node)...};
        const Result result = std::apply(function, own);
        const auto found = leaf_nodes(result);
        std::for_each(found.begin(), found.end(), [](Node* each) { retain(each); });
        if (!structure)
        {
            structure.emplace(result);
            count = found.size();
            const auto empty = []<class T>(Tensor<T>& leaf) { leaf = Tensor<T>(); };
            if constexpr (!holds_variables<Result>)
            {
                TreeWalk{}.visit(empty, *structure);
            }
        }
        else if (found.size() != count)
        {
            throw_other_results(count, found.size(), location);
        }
        return std::vector<Node*>(found.begin(), found.end());
    };
    OwnedNodes<any_number> results(map_samples(counts, arrays, call, options, location));
    return next_leaves(*structure, results);
}

}

/// A function of a batch from a function of one sample: `vmap(f)(x, y)` has f(x[i], y[i]) at place i of its first axis,
/// computed for all samples at once. f takes tensors, or trees of them (tree.hpp), and anything else, which all samples share,
/// as they do what it captures; it gives a tensor or a tree. `vmap(grad(f))` gives the gradient of each
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
    { return detail::map_over_samples(f, options, location, detail::as_argument<false>(arguments)...); };
}

}
