#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// What a std::vector, array, pair or tuple holds, or a struct, whose members are found by structured bindings.
namespace autograd::detail
{

template <class X>
inline constexpr bool is_vector = false;
template <class E>
inline constexpr bool is_vector<std::vector<E>> = true;
template <class X>
inline constexpr bool is_array = false;
template <class E, std::size_t N>
inline constexpr bool is_array<std::array<E, N>> = true;
template <class X>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;
template <class X>
inline constexpr bool is_tuple = is_pair<X>;
template <class... A>
inline constexpr bool is_tuple<std::tuple<A...>> = true;

/// Converts to anything, to find out how many members an aggregate has.
struct Anything
{
    template <class X>
    operator X() const;
};

inline constexpr std::size_t most_members = 16;

template <class X, std::size_t... K>
constexpr bool takes_members(std::index_sequence<K...>)
{
    return requires
    {
        X{(static_cast<void>(K), Anything{})...};
    };
}

/// 0 if there are too many, or they cannot be found.
template <class X, std::size_t N = most_members + 1>
constexpr std::size_t member_count()
{
    if constexpr (N == 0 || takes_members<X>(std::make_index_sequence<N>{}))
    {
        return N > most_members ? 0 : N;
    }
    else
    {
        return member_count<X, N - 1>();
    }
}

template <class X>
concept NamesMembers = requires(X& x)
{
    x.members();
};

/// References to the members.
template <class X>
auto members_of(X& x)
{
    using Value = std::remove_const_t<X>;
    if constexpr (is_tuple<Value>)
    {
        return std::apply([](auto&... member) { return std::tie(member...); }, x);
    }
    else if constexpr (NamesMembers<X>)
    {
        return x.members();
    }
#define AUTOGRAD_MEMBERS(count, ...)                                                                                   \
    else if constexpr (member_count<Value>() == count)                                                                 \
    {                                                                                                                  \
        auto& [__VA_ARGS__] = x;                                                                                       \
        return std::tie(__VA_ARGS__);                                                                                  \
    }
    AUTOGRAD_MEMBERS(1, a)
    AUTOGRAD_MEMBERS(2, a, b)
    AUTOGRAD_MEMBERS(3, a, b, c)
    AUTOGRAD_MEMBERS(4, a, b, c, d)
    AUTOGRAD_MEMBERS(5, a, b, c, d, e)
    AUTOGRAD_MEMBERS(6, a, b, c, d, e, f)
    AUTOGRAD_MEMBERS(7, a, b, c, d, e, f, g)
    AUTOGRAD_MEMBERS(8, a, b, c, d, e, f, g, h)
    AUTOGRAD_MEMBERS(9, a, b, c, d, e, f, g, h, i)
    AUTOGRAD_MEMBERS(10, a, b, c, d, e, f, g, h, i, j)
    AUTOGRAD_MEMBERS(11, a, b, c, d, e, f, g, h, i, j, k)
    AUTOGRAD_MEMBERS(12, a, b, c, d, e, f, g, h, i, j, k, l)
    AUTOGRAD_MEMBERS(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
    AUTOGRAD_MEMBERS(14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
    AUTOGRAD_MEMBERS(15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
    AUTOGRAD_MEMBERS(16, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
#undef AUTOGRAD_MEMBERS
}

template <class X>
using members_t = decltype(members_of(std::declval<X&>()));

template <class X>
inline constexpr bool is_list = is_vector<X> || is_array<X>;

template <class X>
constexpr bool has_members()
{
    if constexpr (is_tuple<X> || NamesMembers<const X>)
    {
        return true;
    }
    else if constexpr (std::is_aggregate_v<X> && std::is_class_v<X> && !std::is_empty_v<X> && !is_array<X>)
    {
        return member_count<X>() != 0;
    }
    else
    {
        return false;
    }
}

/// Calls f with each part that is no list and has no members. Tells it, if it wants to know, how long each std::vector is.
template <class F, class X>
void visit_parts(F& f, X& x)
{
    using Value = std::remove_const_t<X>;
    if constexpr (is_list<Value>)
    {
        if constexpr (is_vector<Value> && requires { f.vector(x.size()); })
        {
            f.vector(x.size());
        }
        for (auto& element : x)
        {
            visit_parts(f, element);
        }
    }
    else if constexpr (has_members<Value>())
    {
        std::apply([&f](auto&... member) { (visit_parts(f, member), ...); }, members_of(x));
    }
    else
    {
        f(x);
    }
}

inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

/// How many of the parts are such; any_number where vectors decide.
template <template <class> class Such, class X>
constexpr std::size_t part_count();

template <template <class> class Such, class... Parts>
constexpr std::size_t part_count_of(std::tuple<Parts...>*)
{
    std::size_t sum = 0;
    for (const std::size_t count : {std::size_t{0}, part_count<Such, std::remove_cvref_t<Parts>>()...})
    {
        sum = sum == any_number || count == any_number ? any_number : sum + count;
    }
    return sum;
}

template <template <class> class Such, class X>
constexpr std::size_t part_count()
{
    if constexpr (is_list<X>)
    {
        constexpr std::size_t each = part_count<Such, typename X::value_type>();
        if constexpr (is_vector<X> || each == any_number)
        {
            return each == 0 ? 0 : any_number;
        }
        else
        {
            return each * std::tuple_size_v<X>;
        }
    }
    else if constexpr (has_members<X>())
    {
        return part_count_of<Such>(static_cast<members_t<const X>*>(nullptr));
    }
    else
    {
        return Such<X>::value ? 1 : 0;
    }
}

}
