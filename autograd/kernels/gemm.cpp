#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/tile.hpp>
#include <autograd/kernels/transpose.hpp>
#include <autograd/parallel.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#if AUTOGRAD_HAVE_CBLAS
#include <build_configuration.hpp>
#include <cblas.h>
#include <dlfcn.h>
#endif

// The scheme of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): tiles of c are held in
// registers while a micro-kernel runs through panels of a and b that were packed to fit the caches.
namespace autograd::detail
{

namespace
{

/// Panels: a row of tiles by `depth` stays in the first-level cache, a block of `rows` in the second, `columns` in the
/// third.
constexpr std::size_t block_depth = 320;
constexpr std::size_t block_rows = 20 * tile_rows;
template <class T>
inline constexpr std::size_t most_columns = 64 * tile_columns<T>;
/// How many they are at least, if the pool has nothing free for more. For each block of them a is packed again: the product
/// of (1024, 256) and (256, 1024) floats takes 4 % longer and 0.8 MB less.
template <class T>
inline constexpr std::size_t least_columns = 13 * tile_columns<T>;

/// Below this many multiplications, packing a costs more than it saves.
constexpr std::size_t worth_packing = 1 << 18;

/// Up to so many bytes, all of b stays in a near cache and is read where it is; if it is read by few rows, up to twice as
/// many.
constexpr std::size_t cached_bytes = std::size_t{32} << 10;
constexpr std::size_t few_rows = 64;

/// c[0..rows) += a b for one tile. Column j of b is `b[p * b_row + j]`.
template <class T, std::size_t rows>
void micro_kernel(std::size_t depth, const T* a, std::size_t a_row, std::size_t a_column, const T* b, std::size_t b_row,
                  T* c, std::size_t c_row, std::size_t columns, bool accumulate)
{
    const auto left = [=](std::size_t i, std::size_t p) { return a[i * a_row + p * a_column]; };
    const auto right = [=](std::size_t p) { return b + p * b_row; };
    store_tile<T>(multiply_tile<T, rows, tile_registers>(depth, left, right), c, c_row, columns, accumulate);
}

template <class T>
using MicroKernel = void (*)(std::size_t, const T*, std::size_t, std::size_t, const T*, std::size_t, T*, std::size_t,
                             std::size_t, bool);

/// By the number of rows less one.
template <class T, std::size_t... I>
constexpr std::array<MicroKernel<T>, sizeof...(I)> micro_kernels(std::index_sequence<I...>)
{
    return {&micro_kernel<T, I + 1>...};
}

/// to[p * to_stride + i] = from[i * from_stride + p] for i < rows and p in a register's width. Each line that it writes
/// is a whole register, from the first on.
template <class T, std::size_t rows>
void pack_square(const T* from, std::size_t from_stride, T* to, std::size_t to_stride)
{
    constexpr std::size_t side = xsimd::batch<T>::size;
    Square<T, side> lines;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < side; ++i)
    {
        lines[i] = i < rows ? load_line<T, side>(from + i * from_stride) : Line<T, side>{};
    }
    transpose_square<T, side>(lines);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < side; ++p)
    {
        store_line<T, side>(lines[p], to + p * to_stride);
    }
}

template <class T>
void pack_columns(Matrix<T> b, std::size_t depth, std::size_t columns, T* panel)
{
    constexpr std::size_t width = tile_columns<T>;
    constexpr std::size_t side = xsimd::batch<T>::size;
    for (std::size_t j0 = 0; j0 < columns; j0 += width)
    {
        const std::size_t count = std::min(width, columns - j0);
        const T* from = b.data + j0 * b.column_stride;
        if (b.column_stride == 1)
        {
            for (std::size_t p = 0; p < depth; ++p)
            {
                T* row = panel + p * width;
                if (count == width)
                {
                    std::copy_n(from + p * b.row_stride, width, row);
                }
                else
                {
                    std::fill(std::copy_n(from + p * b.row_stride, count, row), row + width, T(0));
                }
            }
        }
        else
        {
            // Lines may share a set of the cache: those of one square are read to their end first.
            const std::size_t begin = count == width ? depth / side * side : 0;
            for (std::size_t j = 0; j < width; j += side)
            {
                for (std::size_t p = 0; p < begin; p += side)
                {
                    pack_square<T, side>(from + j * b.column_stride + p, b.column_stride, panel + p * width + j, width);
                }
            }
            for (std::size_t p0 = begin; p0 < depth; p0 += 16)
            {
                const std::size_t p1 = std::min(depth, p0 + 16);
                for (std::size_t j = 0; j < count; ++j)
                {
                    for (std::size_t p = p0; p < p1; ++p)
                    {
                        panel[p * width + j] = from[j * b.column_stride + p * b.row_stride];
                    }
                }
                for (std::size_t p = p0; p < p1 && count < width; ++p)
                {
                    std::fill_n(panel + p * width + count, width - count, T(0));
                }
            }
        }
        panel += depth * width;
    }
}

/// `pack_rows` where rows lie side by side: column by column, as columns may share a set of the cache.
template <class T>
void pack_transposed(Matrix<T> a, std::size_t rows, std::size_t depth, T* panel)
{
    constexpr std::size_t side = xsimd::batch<T>::size;
    constexpr std::size_t width = (tile_rows + side - 1) / side * side;
    for (std::size_t p = 0; p < depth; ++p)
    {
        const T* const from = a.data + p * a.column_stride;
        std::size_t i0 = 0;
        // What a register writes past its rows is overwritten by the next column. The processor does not foresee columns that
        // are pages apart.
        for (; p + 1 < depth && i0 + width <= rows; i0 += tile_rows)
        {
            __builtin_prefetch(from + i0 + 4 * a.column_stride);
            for (std::size_t i = 0; i < tile_rows; i += side)
            {
                store_line<T, side>(load_line<T, side>(from + i0 + i), panel + i0 * depth + p * tile_rows + i);
            }
        }
        for (; i0 < rows; i0 += tile_rows)
        {
            const std::size_t count = std::min(tile_rows, rows - i0);
            std::copy_n(from + i0, count, panel + i0 * depth + p * count);
        }
    }
}

template <class T>
void pack_rows(Matrix<T> a, std::size_t rows, std::size_t depth, T* panel)
{
    constexpr std::size_t side = xsimd::batch<T>::size;
    if (a.row_stride == 1)
    {
        return pack_transposed(a, rows, depth, panel);
    }
    for (std::size_t i0 = 0; i0 < rows; i0 += tile_rows)
    {
        const std::size_t count = std::min(tile_rows, rows - i0);
        const T* from = a.data + i0 * a.row_stride;
        if (a.column_stride == 1)
        {
            // From right to left: what a square writes past its rows is overwritten by what follows, or lies in the
            // panel's padding.
            std::size_t begin = 0;
            for (; count == tile_rows && begin + side <= depth; begin += side)
            {
                T* const to = panel + begin * tile_rows;
                if constexpr (tile_rows % side != 0)
                {
                    constexpr std::size_t whole = tile_rows / side * side;
                    pack_square<T, tile_rows - whole>(from + whole * a.row_stride + begin, a.row_stride, to + whole,
                                                      tile_rows);
                }
                for (std::size_t i = tile_rows / side; i-- > 0;)
                {
                    pack_square<T, side>(from + i * side * a.row_stride + begin, a.row_stride, to + i * side,
                                         tile_rows);
                }
            }
            for (std::size_t i = 0; i < count; ++i)
            {
                for (std::size_t p = begin; p < depth; ++p)
                {
                    panel[p * count + i] = from[i * a.row_stride + p];
                }
            }
        }
        else
        {
            for (std::size_t p = 0; p < depth; ++p)
            {
                for (std::size_t i = 0; i < count; ++i)
                {
                    panel[p * count + i] = from[i * a.row_stride + p * a.column_stride];
                }
            }
        }
        panel += depth * count;
    }
}

/// The right side of a block: columns of tiles, in a panel; or where they are, but for the last one, which has not the
/// width of a tile.
template <class T>
struct Right
{
    const T* panel;
    const T* in_place;  ///< or null
    std::size_t row_stride;
};

/// One block of a against one of b.
template <class T>
void multiply_block(std::size_t rows, std::size_t columns, std::size_t depth, Matrix<T> a, bool pack, Right<T> b, T* c,
                    std::size_t c_row, bool accumulate)
{
    static constexpr auto kernels = micro_kernels<T>(std::make_index_sequence<tile_rows>{});
    const std::size_t size = pack ? rows * depth + xsimd::batch<T>::size : 0;
    const Panel<T> packed(size, size);
    if (pack)
    {
        pack_rows(a, rows, depth, packed.data());
    }
    for (std::size_t j0 = 0; j0 < columns; j0 += tile_columns<T>)
    {
        const std::size_t width = std::min(tile_columns<T>, columns - j0);
        const bool in_place = b.in_place != nullptr && width == tile_columns<T>;
        const T* const right = in_place ? b.in_place + j0 : b.panel + (b.in_place != nullptr ? 0 : j0 * depth);
        const std::size_t right_row = in_place ? b.row_stride : tile_columns<T>;
        for (std::size_t i0 = 0; i0 < rows; i0 += tile_rows)
        {
            const std::size_t height = std::min(tile_rows, rows - i0);
            const T* left = pack ? packed.data() + i0 * depth : a.data + i0 * a.row_stride;
            kernels[height - 1](depth, left, pack ? 1 : a.row_stride, pack ? height : a.column_stride, right, right_row,
                                c + i0 * c_row + j0, c_row, width, accumulate);
        }
    }
}

/// c = a b for vectors b and c, where rows of a are contiguous.
template <class T, std::size_t rows>
void multiply_rows(std::size_t depth, const T* a, std::size_t stride, const T* b, T* c, bool accumulate)
{
    using B = xsimd::batch<T>;
    B sums[rows];
    std::fill_n(sums, rows, B(T(0)));
    std::size_t p = 0;
    for (; p + B::size <= depth; p += B::size)
    {
        const B right = B::load_unaligned(b + p);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < rows; ++i)
        {
            sums[i] = xsimd::fma(B::load_unaligned(a + i * stride + p), right, sums[i]);
        }
    }
    for (std::size_t i = 0; i < rows; ++i)
    {
        T sum = sum_of_lanes(sums[i]);
        for (std::size_t rest = p; rest < depth; ++rest)
        {
            sum += a[i * stride + rest] * b[rest];
        }
        c[i] = accumulate ? c[i] + sum : sum;
    }
}

/// The same where columns of a are contiguous, for rows of so many registers.
template <class T, std::size_t registers>
void multiply_columns(std::size_t depth, const T* a, std::size_t stride, const T* b, T* c, bool accumulate)
{
    const auto tile = multiply_tile<T, 1, registers>(
        depth, [b](std::size_t, std::size_t p) { return b[p]; }, [&](std::size_t p) { return a + p * stride; });
    store_tile(tile, c, 0, registers * xsimd::batch<T>::size, accumulate);
}

/// c = a b for vectors b and c, which are contiguous: reads a once, in its order, and packs nothing.
template <class T>
void multiply_vector(std::size_t m, std::size_t k, Matrix<T> a, const T* b, T* c, bool accumulate)
{
    constexpr std::size_t width = xsimd::batch<T>::size;
    const auto by_rows = [&](std::size_t begin, std::size_t end)
    {
        for (; begin + 4 <= end; begin += 4)
        {
            multiply_rows<T, 4>(k, a.data + begin * a.row_stride, a.row_stride, b, c + begin, accumulate);
        }
        for (; begin < end; ++begin)
        {
            multiply_rows<T, 1>(k, a.data + begin * a.row_stride, a.row_stride, b, c + begin, accumulate);
        }
    };
    const auto by_columns = [&](std::size_t begin, std::size_t end)
    {
        for (; begin + 8 * width <= end; begin += 8 * width)
        {
            multiply_columns<T, 8>(k, a.data + begin, a.column_stride, b, c + begin, accumulate);
        }
        for (; begin + width <= end; begin += width)
        {
            multiply_columns<T, 1>(k, a.data + begin, a.column_stride, b, c + begin, accumulate);
        }
        for (; begin < end; ++begin)
        {
            T sum = accumulate ? c[begin] : T(0);
            for (std::size_t p = 0; p < k; ++p)
            {
                sum += a.data[begin + p * a.column_stride] * b[p];
            }
            c[begin] = sum;
        }
    };
    const Grain grain{worth_a_thread / (8 * (k + 1)) + 1, 8 * width};
    if (a.column_stride == 1)
    {
        parallel_for(m, grain, by_rows);
    }
    else
    {
        parallel_for(m, grain, by_columns);
    }
}

/// Columns, and what is missing in their last tile.
template <class T>
std::size_t whole_tiles(std::size_t columns)
{
    return (columns + tile_columns<T> - 1) / tile_columns<T> * tile_columns<T>;
}

/// How many of n columns make a block, if all are to be of one size, and there is room for so many.
template <class T>
std::size_t even_columns(std::size_t n, std::size_t room)
{
    if (whole_tiles<T>(n) <= room)
    {
        return n;
    }
    const std::size_t fit = room / tile_columns<T> * tile_columns<T>;
    const std::size_t blocks = (n + fit - 1) / fit;
    return whole_tiles<T>((n + blocks - 1) / blocks);
}

/// c = a b, where rows of c are `c_row` apart, and are shared among threads by `grain`.
template <class T>
void multiply_panels(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, std::size_t c_row,
                     bool accumulate, Grain grain)
{
    const bool pack = m * n * k >= worth_packing;
    const bool in_place = b.column_stride == 1 && n * k * sizeof(T) <= (m <= few_rows ? 2 : 1) * cached_bytes;
    const std::size_t deepest = std::min(block_depth, k);
    const std::size_t packed = std::min(most_columns<T>, whole_tiles<T>(in_place ? n % tile_columns<T> : n));
    const Panel<T> panel(std::min(least_columns<T>, packed) * deepest, packed * deepest);
    const std::size_t block_columns = in_place ? n : even_columns<T>(n, panel.size() / deepest);
    for (std::size_t j0 = 0; j0 < n; j0 += block_columns)
    {
        const std::size_t columns = std::min(block_columns, n - j0);
        const std::size_t first_packed = in_place ? columns / tile_columns<T> * tile_columns<T> : 0;
        for (std::size_t p0 = 0; p0 < k; p0 += block_depth)
        {
            const std::size_t depth = std::min(block_depth, k - p0);
            const T* const from = b.data + p0 * b.row_stride + j0 * b.column_stride;
            pack_columns(Matrix<T>{from + first_packed * b.column_stride, b.row_stride, b.column_stride}, depth,
                         columns - first_packed, panel.data());
            const Right<T> right{panel.data(), in_place ? from : nullptr, b.row_stride};
            const auto work = [&](std::size_t begin, std::size_t end)
            {
                for (std::size_t i0 = begin; i0 < end; i0 += block_rows)
                {
                    const std::size_t rows = std::min(block_rows, end - i0);
                    multiply_block(
                        rows, columns, depth,
                        Matrix<T>{a.data + i0 * a.row_stride + p0 * a.column_stride, a.row_stride, a.column_stride},
                        pack, right, c + i0 * c_row + j0, c_row, accumulate || p0 > 0);
                }
            };
            parallel_for(m, grain, work);
        }
    }
}

/// Our own kernels.
template <class T>
void own_gemm(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, bool accumulate)
{
    if (n == 1)
    {
        return multiply_vector(m, k, a, b.data, c, accumulate);
    }
    if (m == 1)
    {
        return multiply_vector(n, k, Matrix<T>{b.data, b.column_stride, b.row_stride}, a.data, c, accumulate);
    }
    if (m == 0 || n == 0 || k == 0)
    {
        std::fill_n(c, accumulate ? 0 : m * n, T(0));
        return;
    }
    const auto grain = [k](std::size_t across, std::size_t unit) {
        return Grain{std::max<std::size_t>(1, worth_a_thread / (across * k)), unit};
    };
    if (n < m)
    {
        return multiply_panels(m, n, k, a, b, c, n, accumulate, grain(n, tile_rows));
    }
    constexpr std::size_t whole = std::numeric_limits<std::size_t>::max();
    // Each thread packs the columns that it needs: none waits, or reads what another has in its cache.
    const auto work = [&](std::size_t begin, std::size_t end)
    {
        multiply_panels(m, end - begin, k, a,
                        Matrix<T>{b.data + begin * b.column_stride, b.row_stride, b.column_stride}, c + begin, n,
                        accumulate, Grain{whole});
    };
    parallel_for(n, grain(m, tile_columns<T>), work);
}

#if AUTOGRAD_HAVE_CBLAS

/// From this many multiplications on, a call of the BLAS is worth its overhead.
constexpr std::size_t worth_blas = 1 << 15;

template <class T>
void blas_gemm(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, bool accumulate)
{
    const auto flag = [](const Matrix<T>& x) { return x.column_stride == 1 ? CblasNoTrans : CblasTrans; };
    const auto lead = [](const Matrix<T>& x, std::size_t least)
    { return static_cast<int>(std::max(least, x.column_stride == 1 ? x.row_stride : x.column_stride)); };
    const auto call = [&](auto function)
    {
        function(CblasRowMajor, flag(a), flag(b), static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), T(1),
                 a.data, lead(a, a.column_stride == 1 ? k : m), b.data, lead(b, b.column_stride == 1 ? n : k),
                 accumulate ? T(1) : T(0), c, static_cast<int>(n));
    };
    if constexpr (std::is_same_v<T, float>)
    {
        call(cblas_sgemm);
    }
    else
    {
        call(cblas_dgemm);
    }
}

#endif

}

// Compiled for AVX-512, our kernels take 0.98 to 1.07 of the time of an OpenBLAS that knows the processor for square
// products from 512 on, and a quarter of one that falls back to SSE3, as 0.3.21 does on models that it has never heard
// of; and their results do not depend on the number of threads. Compiled for any x86-64, only the BLAS can use wide
// registers.
template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, bool accumulate)
{
#if AUTOGRAD_HAVE_CBLAS
    if (m * n * k >= worth_blas)
    {
        blas_gemm(m, n, k, a, b, c, accumulate);
        return;
    }
#endif
    own_gemm(m, n, k, a, b, c, accumulate);
}

ProductKernels product_kernels()
{
    const std::string own = "this library's kernels";
#if AUTOGRAD_HAVE_CBLAS
    std::string blas = AUTOGRAD_BLAS;
    // Only OpenBLAS has this function, which may also be behind the name of another.
    if (void* const core = dlsym(RTLD_DEFAULT, "openblas_get_corename"))
    {
        blas.append(" (").append(reinterpret_cast<const char* (*)()>(core)()).append(")");
    }
    return {own, blas, worth_blas};
#else
    return {own, own, 0};
#endif
}

#define AUTOGRAD_INSTANTIATE(T)                                                                                        \
    template void gemm(std::size_t, std::size_t, std::size_t, Matrix<T>, Matrix<T>, T*, bool);
AUTOGRAD_INSTANTIATE(float)
AUTOGRAD_INSTANTIATE(double)
#undef AUTOGRAD_INSTANTIATE

}
