#pragma once

#include <autograd/kernels/transpose.hpp>
#include <autograd/parallel.hpp>
#include <autograd/shape.hpp>

#include <xsimd/xsimd.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

/// Loops along one axis of an array, whichever it is.
namespace autograd::detail
{

/// An array seen along an axis: `outer` times `inner` lines of `count` elements each, whose neighbours are `inner` apart.
struct Lines
{
    /// The axis counts from the first. A 0-d array is one line of one element.
    Lines(const Shape& shape, std::size_t axis)
    {
        for (std::size_t k = 0; k < shape.rank(); ++k)
        {
            (k < axis ? outer : k == axis ? count : inner) *= shape[k];
        }
    }
    /// As many of them as make so many elements, a multiple of `count * inner`.
    Lines of(std::size_t elements) const
    {
        Lines some = *this;
        some.outer = elements / (count * inner);
        return some;
    }

    std::size_t outer = 1;
    std::size_t count = 1;
    std::size_t inner = 1;
};

/// Neighbouring lines that are worked on together: element j of line c is at `first + j * stride + c`.
struct Tile
{
    static constexpr std::size_t most = 256;

    std::size_t first;
    std::size_t count;
    std::size_t stride;
    std::size_t columns;  ///< at most `most`; 1 if the stride is 1
    std::size_t line;     ///< the number of its first line
};

/// Calls visit(tile) for tiles that cover all lines, on several threads if there is much to do.
template <class Visit>
void for_each_tile(const Lines& lines, const Visit& visit)
{
    const std::size_t width = std::clamp<std::size_t>(lines.inner, 1, Tile::most);
    const std::size_t tiles = (lines.inner + width - 1) / width;
    const std::size_t grain =
        std::max<std::size_t>(1, elements_worth_a_thread / std::max<std::size_t>(1, lines.count * width));
    parallel_for(lines.outer * tiles, grain,
                 [&](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t t = begin; t < end; ++t)
                     {
                         const std::size_t outer = t / tiles;
                         const std::size_t column = t % tiles * width;
                         visit(Tile{outer * lines.count * lines.inner + column, lines.count, lines.inner,
                                    std::min(width, lines.inner - column), outer * lines.inner + column});
                     }
                 });
}

/// `count` elements, at most as many as fit, in the first lanes of a register.
/// @{
template <class T>
xsimd::batch<T> load_lanes(const T* in, std::size_t count)
{
    using B = xsimd::batch<T>;
    if (count == B::size)
    {
        return B::load_unaligned(in);
    }
    T lanes[B::size] = {};
    std::copy_n(in, count, lanes);
    return B::load_unaligned(lanes);
}
template <class T>
void store_lanes(T* out, std::size_t count, const xsimd::batch<T>& elements)
{
    using B = xsimd::batch<T>;
    if (count == B::size)
    {
        elements.store_unaligned(out);
        return;
    }
    T lanes[B::size];
    elements.store_unaligned(lanes);
    std::copy_n(lanes, count, out);
}
/// @}

/// One number for each line of a tile; for a tile of one line a register full of the same.
template <class T>
struct alignas(64) LineNumbers
{
    T numbers[Tile::most];

    xsimd::batch<T> at(std::size_t column) const noexcept { return xsimd::batch<T>::load_aligned(numbers + column); }
};

/// Of an array of one element a line, those for a register that `for_each_register` visits.
template <class T>
xsimd::batch<T> load_line(const T* in, const Tile& tile, std::size_t count, std::size_t column)
{
    return tile.stride == 1 ? xsimd::batch<T>(in[tile.line]) : load_lanes(in + tile.line + column, count);
}

/// Calls visit(p, n, c) for all elements of the tile, a register at a time: n of them from p on, which belong to what
/// stands at c in arrays of one element a line. Both arguments are copies, which no store of the loop can change: else they
/// are read again after each.
template <class T, class Visit>
void for_each_register(const Tile tile, const Visit visit)
{
    constexpr std::size_t lanes = xsimd::batch<T>::size;
    if (tile.stride == 1)
    {
        std::size_t j = 0;
        for (; j + lanes <= tile.count; j += lanes)
        {
            visit(tile.first + j, lanes, std::size_t{0});
        }
        if (j < tile.count)
        {
            visit(tile.first + j, tile.count - j, std::size_t{0});
        }
        return;
    }
    for (std::size_t j = 0; j < tile.count; ++j)
    {
        for (std::size_t c = 0; c < tile.columns; c += lanes)
        {
            visit(tile.first + j * tile.stride + c, std::min(lanes, tile.columns - c), c);
        }
    }
}

/// x, with its lanes moved on in a circle.
template <std::size_t step, class B, std::size_t... I>
B rotated(const B& x, std::index_sequence<I...>)
{
    const auto line = std::bit_cast<Line<typename B::value_type, B::size>>(x);
    return std::bit_cast<B>(__builtin_shufflevector(line, line, static_cast<int>((I + step) % B::size)...));
}

/// All lanes combined, in each lane: halves first. Through memory it would take as long as a short line: what was stored as
/// one cannot be read from its middle on before it is in the cache.
template <std::size_t step, class B, class Combine>
B combine_lanes(const B& x, const Combine& combine)
{
    const B both = combine(x, rotated<step>(x, std::make_index_sequence<B::size>{}));
    if constexpr (step > 1)
    {
        return combine_lanes<step / 2>(both, combine);
    }
    else
    {
        return both;
    }
}

/// Combines each line's terms, registers that term(p, n, c) gives, to one number. Takes copies likewise.
template <class T, class Combine, class Term>
void fold_lines(const Tile tile, T neutral, LineNumbers<T>& result, const Combine combine, const Term term)
{
    using B = xsimd::batch<T>;
    if (tile.stride != 1)
    {
        std::fill_n(result.numbers, Tile::most, neutral);
        for_each_register<T>(tile, [&](std::size_t p, std::size_t n, std::size_t c)
                             { combine(result.at(c), term(p, n, c)).store_aligned(result.numbers + c); });
        return;
    }
    constexpr std::size_t chains = 4;  // so many registers are combined while the first is on its way
    B totals[chains];
    std::fill_n(totals, chains, B(neutral));
    std::size_t j = 0;
    for (; j + chains * B::size <= tile.count; j += chains * B::size)
    {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < chains; ++k)
        {
            totals[k] = combine(totals[k], term(tile.first + j + k * B::size, B::size, std::size_t{0}));
        }
    }
    for (; j + B::size <= tile.count; j += B::size)
    {
        totals[0] = combine(totals[0], term(tile.first + j, B::size, std::size_t{0}));
    }
    if (j < tile.count)
    {
        T lanes[B::size];
        term(tile.first + j, tile.count - j, std::size_t{0}).store_unaligned(lanes);
        std::fill(lanes + (tile.count - j), lanes + B::size, neutral);
        totals[1] = combine(totals[1], B::load_unaligned(lanes));
    }
    B total = combine(combine(totals[0], totals[1]), combine(totals[2], totals[3]));
    combine_lanes<B::size / 2>(total, combine).store_aligned(result.numbers);
}

/// f of each line's number, a register at a time. The result may be the numbers themselves.
template <class T, class F>
void map_numbers(const Tile& tile, const LineNumbers<T>& numbers, LineNumbers<T>& result, const F& f)
{
    for (std::size_t c = 0; c < tile.columns; c += xsimd::batch<T>::size)
    {
        f(numbers.at(c)).store_aligned(result.numbers + c);
    }
}

/// Calls visit(tile, in, out) for tiles that cover all lines. Those of few neighbouring elements, which would leave gaps in a
/// register or two, become columns of scratch memory, many together.
template <std::size_t inputs, class T, class Visit>
void for_each_tile(const Lines& lines, const T* const* in, T* out, const Visit& visit)
{
    constexpr std::size_t lanes = xsimd::batch<T>::size;
    constexpr std::size_t together = 64;
    const std::size_t count = lines.count;
    const auto for_each_element = [](std::size_t rows, std::size_t columns, const auto& f)
    {
        for (std::size_t i = 0; i < rows; ++i)
        {
            for (std::size_t j = 0; j < columns; ++j)
            {
                f(i, j);
            }
        }
    };
    if (lines.inner != 1 || count >= 2 * lanes)
    {
        for_each_tile(lines, [&](const Tile& tile) { visit(tile, in, out); });
        return;
    }
    parallel_for(
        lines.outer, elements_worth_a_thread / std::max<std::size_t>(1, count),
        [&](std::size_t begin, std::size_t end)
        {
            alignas(64) T scratch[inputs + 1][2 * lanes * together] = {};
            const T* columns[inputs];
            std::copy_n(scratch, inputs, columns);
            for (std::size_t line = begin; line < end; line += together)
            {
                const std::size_t some = std::min(together, end - line);
                for (std::size_t k = 0; k < inputs; ++k)
                {
                    for_each_element(some, count,
                                     [&, from = in[k] + line * count, to = scratch[k]](std::size_t i, std::size_t j)
                                     { to[j * together + i] = from[i * count + j]; });
                }
                // Whole registers: what is behind the last line is of no consequence.
                visit(Tile{0, count, together, (some + lanes - 1) / lanes * lanes, 0}, columns, scratch[inputs]);
                for_each_element(some, count,
                                 [&, from = scratch[inputs], to = out + line * count](std::size_t i, std::size_t j)
                                 { to[i * count + j] = from[j * together + i]; });
            }
        });
}

}
