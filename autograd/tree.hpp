#pragma once

#include <autograd/members.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/variable.hpp>

#include <string>
#include <string_view>

/// Structures of tensors, such as all the parameters of a model. What takes or gives one tensor takes or gives a tree, too:
/// `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, `vmap`, `compile`.
///
/// A tree is a tensor or a variable; a std::vector, array, pair or tuple of trees; or a struct of trees:
///
///     struct Layer { ag::Tensor<float> weight, bias; };
///     std::vector<Layer> layers;
///
/// The members of an aggregate are found without further ado, up to 16. A class with constructors or private members names
/// them: `auto members() { return std::tie(weight, bias); }`, and the same const. Numbers, enumerations, strings, Indices and
/// arrays of integers in a tree have no derivative and are carried along. Arrays of floating-point numbers are refused in a
/// struct, and so is any other class.
namespace autograd
{

namespace detail
{

template <class X>
inline constexpr bool is_variable = false;
template <class T>
inline constexpr bool is_variable<Variable<T>> = true;

/// What is carried along.
template <class X>
concept Constant = std::is_arithmetic_v<X> || std::is_enum_v<X> || std::is_empty_v<X> || std::is_same_v<X, Indices> ||
    std::is_same_v<X, Shape> || std::is_convertible_v<const X&, std::string_view> ||
    (XExpression<X> && !Real<typename X::value_type>);

template <class X>
struct IsTensor : std::bool_constant<AnyTensor<X>>
{
};
template <class X>
struct IsVariable : std::bool_constant<is_variable<X>>
{
};
/// No tensor that can be replaced by another one.
template <class X>
struct IsNoTensor : std::bool_constant<!AnyTensor<X> || is_variable<X>>
{
};

/// What no tree may hold.
template <class X>
struct IsForeign : std::bool_constant<!AnyTensor<X> && !Constant<X>>
{
};

template <class X>
inline constexpr std::size_t leaf_count = part_count<IsTensor, std::remove_cvref_t<X>>();
template <class X>
inline constexpr bool holds_tensors = leaf_count<X> != 0;
template <class X>
inline constexpr bool is_foreign = part_count<IsForeign, std::remove_cvref_t<X>>() != 0;
template <class X>
inline constexpr bool holds_variables = part_count<IsVariable, std::remove_cvref_t<X>>() != 0;

[[noreturn]] void throw_other_structure(const char* operation, std::size_t elements, std::size_t others,
                                        Location location);

/// What stands at the same place of several trees is visited together. The others may have anything where the first has a
/// leaf or a constant.
struct TreeWalk
{
    const char* operation;
    Location location;

    template <class F, class X, class... More>
    void visit(F& f, X& x, More&... more) const
    {
        if constexpr (AnyTensor<X>)
        {
            f(x, more...);
        }
        else if constexpr (is_list<std::remove_const_t<X>> && holds_tensors<X>)
        {
            require_lists(x, more...);
            for (std::size_t k = 0; k < x.size(); ++k)
            {
                visit(f, x[k], more[k]...);
            }
        }
        else if constexpr (holds_tensors<X>)
        {
            require_members<X, More...>();
            [&]<std::size_t... K>(std::index_sequence<K...>, auto&& first, const auto&... others)
            {
                (visit_member<K>(f, first, others...), ...);
            }
            (std::make_index_sequence<std::tuple_size_v<members_t<X>>>{}, members_of(x), members_of(more)...);
        }
    }

    /// The tree of what f gives. Where that is no longer a tensor of the same kind, a struct becomes a std::tuple.
    template <class F, class X, class... More>
    auto map(F& f, const X& x, const More&... more) const
    {
        if constexpr (AnyTensor<X>)
        {
            return f(x, more...);
        }
        else if constexpr (is_list<std::remove_const_t<X>> && holds_tensors<X>)
        {
            require_lists(x, more...);
            return map_list(f, x, more...);
        }
        else if constexpr (holds_tensors<X>)
        {
            require_members<const X, const More...>();
            return [&]<std::size_t... K>(std::index_sequence<K...>, const auto& first, const auto&... others)
            {
                // In braces, so that they come in order.
                return assembled(x, std::tuple<decltype(map_member<K>(f, first, others...))...>{
                                        map_member<K>(f, first, others...)...});
            }
            (std::make_index_sequence<std::tuple_size_v<members_t<const X>>>{}, members_of(x), members_of(more)...);
        }
        else
        {
            return x;
        }
    }

private:
    template <std::size_t K, class F, class First, class... Others>
    void visit_member(F& f, const First& first, const Others&... others) const
    {
        visit(f, std::get<K>(first), std::get<K>(others)...);
    }
    template <std::size_t K, class F, class First, class... Others>
    auto map_member(F& f, const First& first, const Others&... others) const
    {
        return map(f, std::get<K>(first), std::get<K>(others)...);
    }

    template <class F, class X, class... More>
    auto map_list(F& f, const X& x, const More&... more) const
    {
        using Result = decltype(map(f, x[0], more[0]...));
        if constexpr (is_array<X>)
        {
            return [&]<std::size_t... K>(std::index_sequence<K...>)
            {
                return std::array<Result, sizeof...(K)>{map_element(K, f, x, more...)...};
            }
            (std::make_index_sequence<std::tuple_size_v<X>>{});
        }
        else
        {
            std::vector<Result> result;
            result.reserve(x.size());
            for (std::size_t k = 0; k < x.size(); ++k)
            {
                result.push_back(map_element(k, f, x, more...));
            }
            return result;
        }
    }
    template <class F, class X, class... More>
    auto map_element(std::size_t k, F& f, const X& x, const More&... more) const
    {
        return map(f, x[k], more[k]...);
    }

    template <class X, class... Parts>
    static auto assembled(const X& x, std::tuple<Parts...>&& parts)
    {
        if constexpr (is_pair<X>)
        {
            return std::pair(std::get<0>(std::move(parts)), std::get<1>(std::move(parts)));
        }
        else if constexpr (!is_tuple<X> && std::is_same_v<members_t<X>, std::tuple<Parts&...>>)
        {
            X result(x);
            members_of(result) = std::move(parts);
            return result;
        }
        else
        {
            return std::move(parts);
        }
    }

    template <class X, class... More>
    void require_lists(const X& x, const More&... more) const
    {
        constexpr bool same = (is_list<std::remove_cvref_t<More>> && ...);
        static_assert(same, "trees that go together must have the same structure: one has a list of elements where the "
                            "other has not");
        for (const std::size_t size : {x.size(), more.size()...})
        {
            if (size != x.size())
            {
                throw_other_structure(operation, x.size(), size, location);
            }
        }
    }
    template <class X, class... More>
    static void require_members()
    {
        constexpr bool same = ((std::tuple_size_v<members_t<X>> == std::tuple_size_v<members_t<More>>)&&...);
        static_assert(same, "trees that go together must have the same structure: one has more members than the other");
    }
};

/// The names of parts on the way to the k-th tensor, the last first: "member 2 of [1]". Takes as many off k as there are.
template <class X>
bool name_leaf(const X& x, std::size_t& k, std::string& name)
{
    [[maybe_unused]] const auto found = [&](const auto& part, const char* before, std::size_t number, const char* after)
    {
        if (!name_leaf(part, k, name))
        {
            return false;
        }
        name += (name.empty() ? "" : " of ") + (before + std::to_string(number)) + after;
        return true;
    };
    if constexpr (AnyTensor<X>)
    {
        return k-- == 0;
    }
    else if constexpr (is_list<std::remove_const_t<X>> && holds_tensors<X>)
    {
        for (std::size_t i = 0; i < x.size(); ++i)
        {
            if (found(x[i], "[", i, "]"))
            {
                return true;
            }
        }
        return false;
    }
    else if constexpr (holds_tensors<X>)
    {
        std::size_t number = 0;
        return std::apply([&](const auto&... part) { return (found(part, "member ", ++number, "") || ...); },
                          members_of(x));
    }
    else
    {
        return false;
    }
}

/// The nodes of its tensors, in their order: an array where their number is known.
template <class X>
auto leaf_nodes(const X& x)
{
    constexpr std::size_t count = leaf_count<X>;
    constexpr TreeWalk walk{};
    if constexpr (count == any_number)
    {
        std::vector<Node*> nodes;
        const auto add = [&nodes](const auto& leaf) { nodes.push_back(leaf.node()); };
        walk.visit(add, x);
        return nodes;
    }
    else
    {
        std::array<Node*, count> nodes{};
        Node** next = nodes.data();
        const auto add = [&next](const auto& leaf) { *next++ = leaf.node(); };
        walk.visit(add, x);
        return nodes;
    }
}

/// A tree like x of tensors that adopt these nodes, one after another.
template <class X>
auto with_leaves(const X& x, Node* const*& nodes)
{
    const auto next = [&nodes](const auto& leaf)
    { return Tensor<typename std::remove_cvref_t<decltype(leaf)>::value_type>::adopt(*nodes++); };
    return TreeWalk{}.map(next, x);
}

}

/// A type that may stand where a tree is wanted; see above.
template <class X>
concept Tree = detail::holds_tensors<X> && !detail::is_foreign<X>;

namespace detail
{

template <class F, class X, class... More>
void for_each_leaf(F& f, Location location, X& tree, More&... more)
{
    static_assert(Tree<X>, "this holds no tensors, or what no tree may hold: autograd/tree.hpp tells what a tree is");
    TreeWalk{"tree_for_each", location}.visit(f, tree, more...);
}
template <class F, class X, class... More>
auto map_leaves(F& f, Location location, const X& tree, const More&... more)
{
    static_assert(Tree<X>, "this holds no tensors, or what no tree may hold: autograd/tree.hpp tells what a tree is");
    return TreeWalk{"tree_map", location}.map(f, tree, more...);
}

}

/// Calls f with each tensor of a tree; of several trees of one structure, with those at the same place:
///
///     tree_for_each([&](const auto& w, const auto& g) { w.assign_sub(rate * g); }, variables, gradient);
///
/// The others may have anything where the first has a tensor.
/// @throws ShapeError if vectors have other lengths.
/// @{
template <class F, class X>
void tree_for_each(F f, X&& tree, Location location = Location::current())
{
    detail::for_each_leaf(f, location, tree);
}
template <class F, class X, class Y>
void tree_for_each(F f, X&& tree, Y&& second, Location location = Location::current())
{
    detail::for_each_leaf(f, location, tree, second);
}
template <class F, class X, class Y, class Z>
void tree_for_each(F f, X&& tree, Y&& second, Z&& third, Location location = Location::current())
{
    detail::for_each_leaf(f, location, tree, second, third);
}
/// @}

/// The tree of what f gives for each tensor of a tree; of several trees of one structure, for those at the same place:
///
///     parameters = tree_map([&](const auto& w, const auto& g) { return w - rate * g; }, parameters, gradient);
///
/// A struct stays what it is if its members keep their types, and becomes a std::tuple of them otherwise.
/// @throws ShapeError if vectors have other lengths.
/// @{
template <class F, class X>
auto tree_map(F f, const X& tree, Location location = Location::current())
{
    return detail::map_leaves(f, location, tree);
}
template <class F, class X, class Y>
auto tree_map(F f, const X& tree, const Y& second, Location location = Location::current())
{
    return detail::map_leaves(f, location, tree, second);
}
template <class F, class X, class Y, class Z>
auto tree_map(F f, const X& tree, const Y& second, const Z& third, Location location = Location::current())
{
    return detail::map_leaves(f, location, tree, second, third);
}
/// @}

/// All tensors of a tree in their order, which must be of one type: `tree_leaves<ag::Variable<float>>(model)`.
template <AnyTensor L, class X>
std::vector<L> tree_leaves(const X& tree)
{
    std::vector<L> leaves;
    tree_for_each([&leaves](const auto& leaf) { leaves.push_back(leaf); }, tree);
    return leaves;
}

}
