#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

/// Squares of elements as wide as a register, transposed in registers.
namespace autograd::detail
{

template <class T, std::size_t side>
struct LineType
{
    typedef T type __attribute__((vector_size(side * sizeof(T))));
};

/// A line of a square.
template <class T, std::size_t side>
using Line = typename LineType<T, side>::type;

template <class T, std::size_t side>
using Square = std::array<Line<T, side>, side>;

/// Where element `i` of a zip comes from: units of so many elements from a and b in turn, from the first or the second
/// half of each chunk; b's elements count from `side` on.
template <std::size_t side, std::size_t chunk, std::size_t unit, bool second>
constexpr int zipped_from(std::size_t i)
{
    const std::size_t within = i % chunk;
    const std::size_t from = i - within + (second ? chunk / 2 : 0) + within / (2 * unit) * unit + within % unit;
    return static_cast<int>(within / unit % 2 == 0 ? from : side + from);
}

template <class T, std::size_t side, std::size_t chunk, std::size_t unit, bool second, std::size_t... I>
[[gnu::always_inline]] inline Line<T, side> zip(Line<T, side> a, Line<T, side> b, std::index_sequence<I...>)
{
    return __builtin_shufflevector(a, b, zipped_from<side, chunk, unit, second>(I)...);
}

/// One of the perfect shuffles that transpose: lines at a distance of `step` from each other, `count` of them, are zipped,
/// the first half with the second.
template <class T, std::size_t side, std::size_t chunk, std::size_t unit, std::size_t count, std::size_t step>
[[gnu::always_inline]] inline void shuffle_lines(Square<T, side>& lines)
{
    constexpr auto all = std::make_index_sequence<side>{};
    for (std::size_t group = 0; group < side / count; ++group)
    {
        const std::size_t first = step == 1 ? group * count : group;
        std::array<Line<T, side>, count> shuffled;
#pragma GCC unroll 16
        for (std::size_t i = 0; i < count / 2; ++i)
        {
            const Line<T, side> a = lines[first + i * step], b = lines[first + (i + count / 2) * step];
            shuffled[2 * i] = zip<T, side, chunk, unit, false>(a, b, all);
            shuffled[2 * i + 1] = zip<T, side, chunk, unit, true>(a, b, all);
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < count; ++i)
        {
            lines[first + i * step] = shuffled[i];
        }
    }
}

/// Elements within lanes of 16 bytes first, then the lanes: x86 has an instruction for each of these zips.
template <class T, std::size_t side>
[[gnu::always_inline]] inline void transpose_square(Square<T, side>& lines)
{
    constexpr std::size_t lane = 16 / sizeof(T);
    static_assert(side % lane == 0);
#pragma GCC unroll 4
    for (std::size_t left = lane; left > 1; left /= 2)
    {
        shuffle_lines<T, side, lane, 1, lane, 1>(lines);
    }
#pragma GCC unroll 4
    for (std::size_t left = side / lane; left > 1; left /= 2)
    {
        shuffle_lines<T, side, side, lane, side / lane, lane>(lines);
    }
}

template <class T, std::size_t side>
[[gnu::always_inline]] inline Line<T, side> load_line(const T* from)
{
    Line<T, side> line;
    std::memcpy(&line, from, sizeof line);
    return line;
}

template <class T, std::size_t side>
[[gnu::always_inline]] inline void store_line(const Line<T, side>& line, T* to)
{
    std::memcpy(to, &line, sizeof line);
}

}
