#pragma once

#include <autograd/memory.hpp>
#include <autograd/pool_vector.hpp>

#include <xsimd/xsimd.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

/// The innermost loop of products: a tile of the result is held in registers while rows of the right side run past.
namespace autograd::detail
{

inline constexpr std::size_t register_bytes = xsimd::batch<float>::size * sizeof(float);

/// The tile that is held in registers: rows, and registers a row.
inline constexpr std::size_t tile_rows = register_bytes == 64 ? 12 : register_bytes == 32 ? 6 : 4;
inline constexpr std::size_t tile_registers = 2;
template <class T>
inline constexpr std::size_t tile_columns = tile_registers* xsimd::batch<T>::size;

/// Working memory from the thread's pool, uninitialised.
template <class T>
class Panel
{
public:
    explicit Panel(std::size_t elements) : size_(elements), buffer_(allocate_buffer(elements * sizeof(T))) {}
    /// As much of `most` as is free, and `least` if nothing is. To be gone before another is made that lives longer.
    Panel(std::size_t least, std::size_t most)
        : size_(most * sizeof(T)), buffer_(borrow_buffer(least * sizeof(T), size_))
    {
        size_ /= sizeof(T);
    }
    ~Panel() { release_buffer(buffer_); }
    Panel(const Panel&) = delete;
    Panel& operator=(const Panel&) = delete;
    T* data() const noexcept { return static_cast<T*>(buffer_->data()); }
    std::size_t size() const noexcept { return size_; }

private:
    std::size_t size_;
    Buffer* buffer_;
};

template <class T, std::size_t rows, std::size_t registers>
using Tile = std::array<std::array<xsimd::batch<T>, registers>, rows>;

/// The sum over p < depth of left(i, p) times the `registers` registers from right(p) on, for each row i.
template <class T, std::size_t rows, std::size_t registers, class Left, class Right>
[[gnu::always_inline]] inline Tile<T, rows, registers> multiply_tile(std::size_t depth, const Left& left,
                                                                     const Right& right)
{
    using B = xsimd::batch<T>;
    Tile<T, rows, registers> sums;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i)
    {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < registers; ++r)
        {
            sums[i][r] = B(T(0));
        }
    }
    for (std::size_t p = 0; p < depth; ++p)
    {
        const T* const from = right(p);
        std::array<B, registers> row;
#pragma GCC unroll 8
        for (std::size_t r = 0; r < registers; ++r)
        {
            row[r] = B::load_unaligned(from + r * B::size);
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < rows; ++i)
        {
            const B factor(left(i, p));
#pragma GCC unroll 8
            for (std::size_t r = 0; r < registers; ++r)
            {
                sums[i][r] = xsimd::fma(factor, row[r], sums[i][r]);
            }
        }
    }
    return sums;
}

/// c = tile, or c += tile, for its first `columns`.
template <class T, std::size_t rows, std::size_t registers>
[[gnu::always_inline]] inline void store_tile(const Tile<T, rows, registers>& sums, T* c, std::size_t c_row,
                                              std::size_t columns, bool accumulate)
{
    using B = xsimd::batch<T>;
    constexpr std::size_t width = registers * B::size;
    if (columns == width)
    {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < rows; ++i)
        {
#pragma GCC unroll 8
            for (std::size_t r = 0; r < registers; ++r)
            {
                T* place = c + i * c_row + r * B::size;
                (accumulate ? sums[i][r] + B::load_unaligned(place) : sums[i][r]).store_unaligned(place);
            }
        }
        return;
    }
    alignas(buffer_alignment) T tile[rows * width];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < rows; ++i)
    {
#pragma GCC unroll 8
        for (std::size_t r = 0; r < registers; ++r)
        {
            sums[i][r].store_aligned(tile + i * width + r * B::size);
        }
    }
    for (std::size_t i = 0; i < rows; ++i)
    {
        for (std::size_t j = 0; j < columns; ++j)
        {
            const T old = accumulate ? c[i * c_row + j] : T(0);
            c[i * c_row + j] = old + tile[i * width + j];
        }
    }
}

}
