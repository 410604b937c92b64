#pragma once

#include <autograd/tape.hpp>
#include <autograd/tree.hpp>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

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

template <class X>
concept RealArray = XExpression<X> && Real<typename X::value_type>;

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

/// What a function is given for x.
template <bool numbers_as_tensors, class X>
auto as_argument(const X& x)
{
    if constexpr (AnyTensor<X> || RealArray<X> || (numbers_as_tensors && Real<X>))
    {
        return as_tensor(x);
    }
    else if constexpr (is_vector<X>)
    {
        using Element = decltype(as_argument<numbers_as_tensors>(std::declval<const typename X::value_type&>()));
        if constexpr (std::is_same_v<Element, typename X::value_type>)
        {
            return x;
        }
        else
        {
            std::vector<Element> elements;
            elements.reserve(x.size());
            for (const auto& element : x)
            {
                elements.push_back(as_argument<numbers_as_tensors>(element));
            }
            return elements;
        }
    }
    else if constexpr (is_array<X>)
    {
        return std::apply(
            [](const auto&... element)
            {
                using Element =
                    decltype(as_argument<numbers_as_tensors>(std::declval<const typename X::value_type&>()));
                return std::array<Element, sizeof...(element)>{as_argument<numbers_as_tensors>(element)...};
            },
            x);
    }
    else if constexpr (is_pair<X>)
    {
        return std::pair(as_argument<numbers_as_tensors>(x.first), as_argument<numbers_as_tensors>(x.second));
    }
    else if constexpr (is_tuple<X>)
    {
        return std::apply(
            [](const auto&... part) {
                return std::tuple<decltype(as_argument<numbers_as_tensors>(part))...>{
                    as_argument<numbers_as_tensors>(part)...};
            },
            x);
    }
    else
    {
        return x;
    }
}

/// Releases those that are not null.
void release_all(std::span<Node* const> nodes) noexcept;

/// References to nodes, given away one after another: so many, if their number is known.
template <std::size_t count>
class OwnedNodes
{
public:
    using Nodes = std::conditional_t<count == any_number, std::vector<Node*>, std::array<Node*, count>>;

    OwnedNodes() noexcept : nodes_() {}
    explicit OwnedNodes(Nodes nodes) noexcept : nodes_(std::move(nodes)) {}
    OwnedNodes(OwnedNodes&& other) noexcept : nodes_(std::exchange(other.nodes_, {})), next_(other.next_) {}
    OwnedNodes& operator=(OwnedNodes&&) = delete;
    ~OwnedNodes() { release_all(nodes_); }

    std::span<Node*> all() noexcept { return nodes_; }
    void add(Node* node)
    {
        if constexpr (count == any_number)
        {
            nodes_.push_back(node);
        }
        else
        {
            nodes_[next_++] = node;
        }
    }
    Node* take() noexcept { return std::exchange(nodes_[next_++], nullptr); }

private:
    Nodes nodes_;
    std::size_t next_ = 0;
};

/// Room for one for each of these nodes.
template <std::size_t count>
OwnedNodes<count> room_for(const std::array<Node*, count>&)
{
    return {};
}
inline OwnedNodes<any_number> room_for(const std::vector<Node*>& nodes)
{
    return OwnedNodes<any_number>(std::vector<Node*>(nodes.size()));
}

/// Another tensor, computed from this one, so that nobody else has it.
Node* renewed(Node* node, Location location);
/// Throws if one variable is there twice: its derivative would be counted twice.
void require_different_variables(std::span<Node* const> nodes, const SourceNames& names, Location location);

/// The tree of tensors that adopt the next nodes, one for each of x.
template <class X, class Nodes>
auto next_leaves(const X& x, Nodes& nodes)
{
    const auto next = [&nodes](const auto& leaf)
    { return Tensor<typename std::remove_cvref_t<decltype(leaf)>::value_type>::adopt(nodes.take()); };
    return TreeWalk{}.map(next, x);
}

/// As nodes, the tensors, arrays or numbers that stand where x has tensors.
template <class X, class Y>
auto nodes_like(const X& x, const Y& others, const char* operation, Location location)
{
    OwnedNodes<leaf_count<X>> nodes;
    const auto add = [&](const auto& leaf, const auto& other)
    {
        using T = typename std::remove_cvref_t<decltype(leaf)>::value_type;
        static_assert(OperandLike<decltype(other)>,
                      "trees that go together must have the same structure: one has a tensor where the other has not");
        Tensor<T> tensor = Operand<T>(other, location);
        nodes.add(tensor.disown());
    };
    TreeWalk{operation, location}.visit(add, x, others);
    return nodes;
}

/// What a function is called with and differentiated by. Its tensors are new ones, so that it does not matter where else the
/// function meets those that were given.
template <class... A>
class Arguments
{
public:
    static constexpr std::size_t with_tensors = (std::size_t{0} + ... + std::size_t{holds_tensors<A>});
    static_assert((!is_foreign<A> && ...),
                  "an argument is, or holds, what no tree may hold: autograd/tree.hpp tells what a tree is. Let the "
                  "function capture what has no derivative");
    static_assert(with_tensors > 0, "there is no tensor among the arguments to differentiate by");

    explicit Arguments(Location location, A... values) : values_{std::move(values)...}
    {
        const auto renew = [location](auto& leaf)
        {
            using Leaf = std::remove_reference_t<decltype(leaf)>;
            if constexpr (!is_variable<Leaf>)
            {
                leaf = Leaf::adopt(renewed(leaf.node(), location));
            }
        };
        TreeWalk{}.visit(renew, values_);
        if constexpr ((holds_variables<A> || ...))
        {
            require_different_variables(nodes(), names(), location);
        }
    }

    template <class F>
    auto call(const F& f) const
    {
        static_assert(std::is_invocable_v<const F&, const A&...>,
                      "the function does not take these arguments: it is given numbers, arrays and variables as "
                      "tensors, and structs as they are");
        return std::apply(f, values_);
    }

    void watch(GradientTape& tape, Location location) const
    {
        for (Node* const node : nodes())
        {
            TapeAccess::watch(tape, node, location);
        }
    }

    /// Of all tensors.
    auto nodes() const { return leaf_nodes(values_); }

    /// What errors call them: "argument 2", "member 1 of [3] of argument 1".
    SourceNames names(const char* advice = "") const
    {
        const auto name = [](const void* owner, std::size_t k)
        {
            std::string text;
            std::size_t number = 0;
            const auto found = [&](const auto& argument)
            {
                ++number;
                return name_leaf(argument, k, text);
            };
            std::apply([&](const auto&... argument) { return (found(argument) || ...); },
                       static_cast<const Arguments*>(owner)->values_);
            return text + (text.empty() ? "" : " of ") + "argument " + std::to_string(number);
        };
        return {name, this, advice};
    }

    /// What `make` gives for the argument that holds tensors, or the std::tuple of that for each.
    template <class Make>
    auto for_each(const Make& make) const
    {
        if constexpr (with_tensors == 1)
        {
            return make(std::get<0>(differentiated()));
        }
        else
        {
            // In braces, so that they come in order.
            return std::apply([&make](const auto&... argument)
                              { return std::tuple<decltype(make(argument))...>{make(argument)...}; },
                              differentiated());
        }
    }

    /// Tensors in the structure of the arguments.
    template <class Nodes>
    auto like(Nodes& nodes) const
    {
        return for_each([&nodes](const auto& argument) { return next_leaves(argument, nodes); });
    }

    /// What was given in this structure.
    template <class V>
    auto tangents(const V& given, const char* operation, Location location) const
    {
        if constexpr (with_tensors == 1)
        {
            return nodes_like(differentiated(), std::tie(given), operation, location);
        }
        else
        {
            static_assert(is_tuple<V>, "several arguments need a std::tuple, with something for each");
            return nodes_like(differentiated(), given, operation, location);
        }
    }

private:
    /// References to those that hold tensors.
    auto differentiated() const
    {
        const auto reference = [](const auto& argument)
        {
            if constexpr (holds_tensors<decltype(argument)>)
            {
                return std::tie(argument);
            }
            else
            {
                return std::tuple<>();
            }
        };
        return std::apply([&](const auto&... argument) { return std::tuple_cat(reference(argument)...); }, values_);
    }

    std::tuple<A...> values_;
};

template <class... X>
auto as_arguments(Location location, const X&... x)
{
    return Arguments<decltype(as_argument<true>(x))...>(location, as_argument<true>(x)...);
}

/// The arguments that x is for f: several if it is a std::tuple and f does not take one.
template <class F, class X>
auto arguments_of(const F&, Location location, const X& x)
{
    if constexpr (is_tuple<X> && !std::is_invocable_v<const F&, decltype(as_argument<true>(x))>)
    {
        return std::apply([location](const auto&... each) { return as_arguments(location, each...); }, x);
    }
    else
    {
        return as_arguments(location, x);
    }
}
template <class F, class... X>
    requires(sizeof...(X) > 1)
auto arguments_of(const F&, Location location, const X&... x)
{
    return as_arguments(location, x...);
}

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
