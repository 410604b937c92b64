#pragma once

#include <autograd/arguments.hpp>

#include <memory>
#include <optional>
#include <utility>

/// Derivatives of functions: what takes a function of tensors and gives another.
///
/// A function takes one argument or several. Each is a tree of tensors (tree.hpp): a tensor, a struct of parameters, a vector of
/// such. Numbers and arrays, by themselves or in a std::vector, array, pair or tuple, are given to the function as tensors, and
/// so are variables. A struct is given as it is: those of its members that are variables are differentiated wherever they are
/// read. Arguments that hold no tensors, such as labels, are passed on; what is to have no derivative although it is a tensor,
/// the function captures.
///
/// Derivatives have the structure of what they are taken by: a gradient is a tensor, a struct, a vector; for several arguments
/// a std::tuple of one each, without those that hold no tensors. A struct that holds variables, which a derivative is not, is a
/// std::tuple in it.
///
/// Where a function of several arguments is followed by its arguments, they are a std::tuple: `jvp(f, std::tuple(a, b),
/// std::tuple(va, vb))`.
namespace autograd
{

namespace detail
{

/// What is differentiated of the result of a function: all of it, or the first of a pair.
template <class R>
const auto& loss_of(const R& result)
{
    if constexpr (is_pair<R>)
    {
        return loss_of(result.first);
    }
    else
    {
        static_assert(AnyTensor<R>, "the function must give a tensor, or a std::pair of one and anything else");
        return result;
    }
}

template <class F, class... A>
auto value_and_gradient(const F& f, const Arguments<A...>& point, Demand demand, Location location)
{
    GradientTape tape({}, location);
    point.watch(tape, location);
    auto value = point.call(f);
    const auto sources = point.nodes();
    auto gradients = room_for(sources);
    Node* const target = loss_of(value).node();
    const auto names = point.names("Ask for Unconnected::zero, after the function, if zeros are meant.");
    TapeAccess::gradient(tape, {&target, 1}, {}, sources, gradients.all(), {"gradient", demand, location, names});
    return std::pair(std::move(value), point.like(gradients));
}

template <class F>
struct ValueAndGrad
{
    F f;
    Demand demand;
    Location location;

    template <class... X>
    auto operator()(const X&... x) const
    {
        return value_and_gradient(f, arguments_of(f, location, x...), demand, location);
    }
};

template <class F>
struct Grad
{
    ValueAndGrad<F> both;

    template <class... X>
    auto operator()(const X&... x) const
    {
        return both(x...).second;
    }
};

/// The sum over all elements of the sources of the derivatives of their gradients by them.
Node* laplacian(GradientTape& tape, std::span<Node* const> gradients, std::span<Node* const> sources,
                Location location);

}

/// A function that gives f(x) and its gradient at x: `auto [value, gradient] = value_and_grad(f)(x)`; of several arguments,
/// `auto [value, gradients] = value_and_grad(f)(a, b)`. f returns a tensor that holds one element; or a std::pair of that and
/// anything else, which is given back with it. Gradients of gradients work. Errors name the line of `value_and_grad`.
/// @throws UnconnectedError if f(x) does not depend on x, or not on some tensor of it, unless zeros are asked for; ValueError
///         if structs hold one variable twice.
template <class F>
auto value_and_grad(F f, Unconnected unconnected = Unconnected::error, Location location = Location::current())
{
    return detail::ValueAndGrad<F>{std::move(f), detail::demand(unconnected), location};
}

/// A function that gives the gradient of f: `auto [da, db] = grad(f)(a, b)`.
/// @throws as `value_and_grad`.
template <class F>
auto grad(F f, Unconnected unconnected = Unconnected::error, Location location = Location::current())
{
    return detail::Grad<F>{value_and_grad(std::move(f), unconnected, location)};
}

/// f(x), and a function that gives the gradient of x for a gradient of f(x): `auto [y, pullback] = vjp(f, x)`, then
/// `pullback(dy)` any number of times. f(x) may be a tree of tensors, and dy then is one, too. It keeps the records of f(x)
/// while it lives, and belongs to the calling thread.
/// @throws UnconnectedError, when called, as `grad`; ShapeError if dy has not the shape of f(x).
template <class F, class X>
auto vjp(const F& f, const X& x, Unconnected unconnected = Unconnected::error, Location location = Location::current())
{
    struct Recording
    {
        explicit Recording(Location location) : tape({.persistent = true}, location) {}
        GradientTape tape;
        std::optional<GradientTape::StopRecording> stopped;
    };
    const auto point = detail::arguments_of(f, location, x);
    const auto recording = std::make_shared<Recording>(location);
    point.watch(recording->tape, location);
    auto value = point.call(f);
    static_assert(Tree<decltype(value)>, "the function must give a tensor, or a tree of tensors");
    recording->stopped.emplace(recording->tape.stop_recording(location));
    auto pullback =
        [recording, point, value, unconnected](const auto& output_gradient, Location asked = Location::current())
    {
        auto given = detail::nodes_like(value, output_gradient, "vjp", asked);
        const auto sources = point.nodes();
        auto gradients = detail::room_for(sources);
        const auto names = point.names("Ask for Unconnected::zero, after the arguments of vjp, if zeros are meant.");
        detail::TapeAccess::gradient(recording->tape, detail::leaf_nodes(value), given.all(), sources, gradients.all(),
                                     {"gradient", detail::demand(unconnected), asked, names});
        return point.like(gradients);
    };
    return std::pair(std::move(value), std::move(pullback));
}

/// f(x), and how it changes where x changes by `tangent`, which has the structure and shapes of x: `auto [y, dy] = jvp(f, x,
/// v)`; the Jacobian times v, at the cost of a few evaluations of f, whatever the numbers of elements. f(x) may be a tree of
/// tensors, and dy then is one, too.
/// @throws UnconnectedError if f(x) does not depend on x, of several arguments on none; ShapeError if the tangent has not the
///         shape of x.
template <class F, class X, class V>
auto jvp(const F& f, const X& x, const V& tangent, Location location = Location::current())
{
    const auto point = detail::arguments_of(f, location, x);
    GradientTape tape({}, location);
    point.watch(tape, location);
    auto value = point.call(f);
    static_assert(Tree<decltype(value)>, "the function must give a tensor, or a tree of tensors");
    auto tangents = point.tangents(tangent, "jvp", location);
    const auto targets = detail::leaf_nodes(value);
    auto changes = detail::room_for(targets);
    detail::TapeAccess::jvp(tape, targets, point.nodes(), tangents.all(), changes.all(),
                            {"jvp", detail::Demand::any, location, point.names()});
    auto change = detail::next_leaves(value, changes);
    return std::pair(std::move(value), std::move(change));
}

/// The second derivatives of f, which gives one element, times a vector, which has the structure and shapes of x, and so has
/// the result: forward over reverse, at the cost of a few gradients and without the matrix.
/// @throws as `jvp`.
template <class F, class X, class V>
auto hvp(const F& f, const X& x, const V& vector, Location location = Location::current())
{
    const auto point = detail::arguments_of(f, location, x);
    GradientTape tape({}, location);
    point.watch(tape, location);
    const auto gradient = detail::value_and_gradient(f, point, detail::Demand::any, location).second;
    auto tangents = point.tangents(vector, "hvp", location);
    const auto targets = detail::leaf_nodes(gradient);
    auto changes = detail::room_for(targets);
    detail::TapeAccess::jvp(tape, targets, point.nodes(), tangents.all(), changes.all(),
                            {"hvp", detail::Demand::none, location, point.names()});
    return point.like(changes);
}

/// The derivative of each element of f(x) by each element of x: of the shape of f(x) followed by that of x; 0 where f(x) does not
/// depend on x. If f(x) is a tree, then a tree of that structure; in the place of each of its tensors stands the Jacobian by
/// each tensor of x, in the structure of x. `auto [by_a, by_b] = jacobian(f, std::tuple(a, b))`.
/// @throws ValueError if there are tensors of float and of double.
template <class F, class X>
auto jacobian(const F& f, const X& x, Mode mode = Mode::automatic, Location location = Location::current())
{
    const auto point = detail::arguments_of(f, location, x);
    GradientTape tape({}, location);
    point.watch(tape, location);
    const auto value = point.call(f);
    static_assert(Tree<decltype(value)>, "the function must give a tensor, or a tree of tensors");
    detail::OwnedNodes<detail::any_number> blocks(detail::TapeAccess::jacobian(
        tape, detail::leaf_nodes(value), point.nodes(), mode, false, "jacobian", location));
    const auto row = [&](const auto&) { return point.like(blocks); };
    return detail::TreeWalk{}.map(row, value);
}

/// The sum of the second derivatives of f by each element of x.
/// @throws ValueError if there are tensors of float and of double.
template <class F, class X>
auto laplacian(const F& f, const X& x, Location location = Location::current())
{
    const auto point = detail::arguments_of(f, location, x);
    GradientTape tape({.persistent = true}, location);
    point.watch(tape, location);
    const auto [value, gradient] = detail::value_and_gradient(f, point, detail::Demand::any, location);
    using Result = Tensor<typename std::remove_cvref_t<decltype(detail::loss_of(value))>::value_type>;
    return Result::adopt(detail::laplacian(tape, detail::leaf_nodes(gradient), point.nodes(), location));
}

/// The matrix of second derivatives of f at x, one row for each element of x: of shape (n, n) for n elements. If x holds several
/// tensors, the blocks of it: in the structure of x, for each tensor, the block of shape (its elements, elements of the
/// other) by each other, again in the structure of x. `std::get<1>(std::get<0>(hessian(f, std::tuple(a, b))))` has the
/// derivatives by a and b.
/// @throws UnconnectedError if f(x) does not depend on x; ValueError if there are tensors of float and of double.
template <class F, class X>
auto hessian(const F& f, const X& x, Location location = Location::current())
{
    const auto point = detail::arguments_of(f, location, x);
    GradientTape outer({}, location);
    point.watch(outer, location);
    const auto gradient = detail::value_and_gradient(f, point, detail::Demand::any, location).second;
    detail::OwnedNodes<detail::any_number> blocks(detail::TapeAccess::jacobian(
        outer, detail::leaf_nodes(gradient), point.nodes(), Mode::reverse, true, "hessian", location));
    const auto row = [&](const auto&) { return point.like(blocks); };
    return point.for_each([&](const auto& argument) { return detail::TreeWalk{}.map(row, argument); });
}

}
