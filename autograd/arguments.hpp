#pragma once

#include <autograd/tape.hpp>
#include <autograd/tree.hpp>

#include <array>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// What a function that is transformed is called with, and what comes in the structure of that.
namespace autograd::detail
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

}
