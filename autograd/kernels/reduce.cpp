#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/parallel.hpp>

#include <xsimd/xsimd.hpp>

#include <algorithm>
#include <array>

namespace autograd::detail
{

namespace
{

/// Elements a lane, or rows, that are added one after the other before sums are added pairwise.
constexpr std::size_t leaf = 256;
constexpr std::size_t leaf_rows = 32;
/// What is added up as one, and how much of it is worth a thread: an element takes about 0.1 ns.
constexpr std::size_t parallel_elements = std::size_t{1} << 16;
constexpr std::size_t worth_a_thread = 4 * elements_worth_a_thread;

struct Sum
{
    static auto combine(const auto& a, const auto& b) { return a + b; }
    template <class B>
    static auto across(const B& lanes)
    {
        return sum_of_lanes(lanes);
    }
};

/// The greater one if `larger`, else the smaller; NaN wins.
template <bool larger>
struct Extreme
{
    template <class T>
        requires std::is_floating_point_v<T>
    static T combine(T a, T b) { return (larger ? b > a : b < a) || b != b ? b : a; }
    template <class B>
        requires(!std::is_floating_point_v<B>)
    static B combine(const B& a, const B& b)
    {
        // Not b != b: on registers that is false for NaN.
        const auto better = larger ? b > a : b < a;
        return xsimd::select(better | xsimd::isnan(b), b, a);
    }
    template <class B>
    static auto across(const B& lanes)
    {
        typename B::value_type result = lanes.get(0);
        for (std::size_t lane = 1; lane < B::size; ++lane)
        {
            result = combine(result, lanes.get(lane));
        }
        return result;
    }
};

/// How many elements are reduced apart from the others; 0 if all are taken one after the other.
template <class T>
std::size_t first_half(std::size_t count)
{
    constexpr std::size_t lanes = xsimd::batch<T>::size;
    return count > leaf * lanes ? count / 2 / (4 * lanes) * (4 * lanes) : 0;
}

/// A register, and further elements.
template <class R, class T>
T reduce_rest(xsimd::batch<T> total, const T* in, std::size_t count)
{
    using B = xsimd::batch<T>;
    std::size_t i = 0;
    for (; i + B::size <= count; i += B::size)
    {
        total = R::combine(total, B::load_unaligned(in + i));
    }
    T result = R::across(total);
    for (; i < count; ++i)
    {
        result = R::combine(result, in[i]);
    }
    return result;
}

/// A contiguous run, `count` not 0.
template <class R, class T>
T reduce_run(const T* in, std::size_t count)
{
    using B = xsimd::batch<T>;
    constexpr std::size_t lanes = B::size;
    if (const std::size_t half = first_half<T>(count); half != 0)
    {
        return R::combine(reduce_run<R>(in, half), reduce_run<R>(in + half, count - half));
    }
    if (count < lanes)
    {
        T result = in[0];
        for (std::size_t i = 1; i < count; ++i)
        {
            result = R::combine(result, in[i]);
        }
        return result;
    }
    B total = B::load_unaligned(in);
    std::size_t i = lanes;
    if (count >= 4 * lanes)
    {
        B second = B::load_unaligned(in + lanes);
        B third = B::load_unaligned(in + 2 * lanes);
        B fourth = B::load_unaligned(in + 3 * lanes);
        for (i = 4 * lanes; i + 4 * lanes <= count; i += 4 * lanes)
        {
            total = R::combine(total, B::load_unaligned(in + i));
            second = R::combine(second, B::load_unaligned(in + i + lanes));
            third = R::combine(third, B::load_unaligned(in + i + 2 * lanes));
            fourth = R::combine(fourth, B::load_unaligned(in + i + 3 * lanes));
        }
        total = R::combine(R::combine(total, second), R::combine(third, fourth));
    }
    return reduce_rest<R>(total, in + i, count - i);
}

constexpr std::size_t most_columns = 512;

/// Columns [0, width) of `count` rows that are `stride` apart; no more of them than `most_columns`.
template <class R, class T>
void reduce_columns(const T* in, T* out, std::size_t count, std::size_t width, std::size_t stride)
{
    if (count > leaf_rows)
    {
        std::array<T, most_columns> half;
        reduce_columns<R>(in, out, count / 2, width, stride);
        reduce_columns<R>(in + count / 2 * stride, half.data(), count - count / 2, width, stride);
        for (std::size_t i = 0; i < width; ++i)
        {
            out[i] = R::combine(out[i], half[i]);
        }
        return;
    }
    std::copy_n(in, width, out);
    for (std::size_t row = 1; row < count; ++row)
    {
        const T* elements = in + row * stride;
        for (std::size_t i = 0; i < width; ++i)
        {
            out[i] = R::combine(out[i], elements[i]);
        }
    }
}

/// Whether a whole array is reduced piece by piece, for threads.
constexpr bool in_pieces(std::size_t count)
{
    return count > 2 * parallel_elements;
}

/// Calls f(begin, length) for each part of a run.
template <class T, class F>
void for_each_part(std::size_t begin, std::size_t count, const F& f)
{
    if (const std::size_t half = first_half<T>(count); half != 0)
    {
        for_each_part<T>(begin, half, f);
        for_each_part<T>(begin + half, count - half, f);
    }
    else
    {
        f(begin, count);
    }
}

template <class T>
T add_parts(const T*& next, std::size_t count)
{
    if (const std::size_t half = first_half<T>(count); half != 0)
    {
        const T left = add_parts(next, half);
        return left + add_parts(next, count - half);
    }
    return *next++;
}

template <class R, class T>
void reduce(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner)
{
    if (inner == 1 && outer == 1 && in_pieces(count))
    {
        // Pieces of a fixed size, whatever the number of threads, so that the result is always the same.
        const std::size_t pieces = (count + parallel_elements - 1) / parallel_elements;
        T* partial = new T[pieces];
        parallel_for(pieces, worth_a_thread / parallel_elements,
                     [=](std::size_t begin, std::size_t end)
                     {
                         for (std::size_t piece = begin; piece < end; ++piece)
                         {
                             const std::size_t from = piece * parallel_elements;
                             partial[piece] = reduce_run<R>(in + from, std::min(parallel_elements, count - from));
                         }
                     });
        *out = reduce_run<R>(partial, pieces);
        delete[] partial;
        return;
    }
    const std::size_t width = std::clamp<std::size_t>(inner, 1, most_columns);
    const std::size_t blocks = (inner + width - 1) / width;
    parallel_for(outer * blocks, std::max<std::size_t>(1, worth_a_thread / (count * width)),
                 [=](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t k = begin; k < end; ++k)
                     {
                         if (inner == 1)
                         {
                             out[k] = reduce_run<R>(in + k * count, count);
                             continue;
                         }
                         const std::size_t o = k / blocks;
                         const std::size_t column = k % blocks * width;
                         reduce_columns<R>(in + o * count * inner + column, out + o * inner + column, count,
                                           std::min(width, inner - column), inner);
                     }
                 });
}

}

template <class T>
std::vector<std::pair<std::size_t, std::size_t>> parts_of_sum(std::size_t count)
{
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    const std::size_t piece = in_pieces(count) ? parallel_elements : count;
    for (std::size_t begin = 0; begin < count; begin += piece)
    {
        for_each_part<T>(begin, std::min(piece, count - begin),
                         [&](std::size_t from, std::size_t length) { parts.emplace_back(from, length); });
    }
    return parts;
}

template <class T>
void PartSum<T>::add(const T* in, std::size_t count)
{
    if (waiting_ != 0)
    {
        const std::size_t more = std::min(stride - waiting_, count);
        std::copy_n(in, more, rest_.data() + waiting_);
        waiting_ += more;
        in += more;
        count -= more;
        if (waiting_ < stride)
        {
            return;
        }
        add_strides(rest_.data(), 1);
    }
    add_strides(in, count / stride);
    waiting_ = count % stride;
    std::copy_n(in + (count - waiting_), waiting_, rest_.data());
}

template <class T>
void PartSum<T>::add_strides(const T* in, std::size_t strides)
{
    if (strides == 0)
    {
        return;
    }
    std::array<Register, chains> sums = sums_;
    const T* const end = in + strides * stride;
    if (!begun_)
    {
        for (std::size_t k = 0; k < chains; ++k)
        {
            sums[k] = Register::load_unaligned(in + k * Register::size);
        }
        in += stride;
        begun_ = true;
    }
    for (; in != end; in += stride)
    {
        for (std::size_t k = 0; k < chains; ++k)
        {
            sums[k] += Register::load_unaligned(in + k * Register::size);
        }
    }
    sums_ = sums;
}

template <class T>
T PartSum<T>::take()
{
    const std::size_t count = std::exchange(waiting_, 0);
    if (!std::exchange(begun_, false))
    {
        return reduce_run<Sum>(rest_.data(), count);
    }
    return reduce_rest<Sum>((sums_[0] + sums_[1]) + (sums_[2] + sums_[3]), rest_.data(), count);
}

template <class T>
T sum_of_parts(const T* parts, std::size_t count)
{
    if (!in_pieces(count))
    {
        return add_parts(parts, count);
    }
    std::vector<T> pieces;
    for (std::size_t begin = 0; begin < count; begin += parallel_elements)
    {
        pieces.push_back(add_parts(parts, std::min(parallel_elements, count - begin)));
    }
    return reduce_run<Sum>(pieces.data(), pieces.size());
}

namespace
{

template <class F>
void for_each_part_of_rows(std::size_t begin, std::size_t count, const F& f)
{
    if (count > leaf_rows)
    {
        for_each_part_of_rows(begin, count / 2, f);
        for_each_part_of_rows(begin + count / 2, count - count / 2, f);
    }
    else
    {
        f(begin, count);
    }
}

/// Gives the first of the parts' sums, to which the others have been added.
template <class T>
T* add_row_parts_to_first(T*& next, std::size_t rows, std::size_t width)
{
    if (rows <= leaf_rows)
    {
        return std::exchange(next, next + width);
    }
    T* const first = add_row_parts_to_first(next, rows / 2, width);
    const T* const second = add_row_parts_to_first(next, rows - rows / 2, width);
    for (std::size_t i = 0; i < width; ++i)
    {
        first[i] = Sum::combine(first[i], second[i]);
    }
    return first;
}

}

std::vector<std::pair<std::size_t, std::size_t>> parts_of_rows(std::size_t rows)
{
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    for_each_part_of_rows(0, rows, [&](std::size_t begin, std::size_t count) { parts.emplace_back(begin, count); });
    return parts;
}

template <class T>
void add_row_parts(T* sums, T* out, std::size_t rows, std::size_t width)
{
    std::copy_n(add_row_parts_to_first(sums, rows, width), width, out);
}

template <class T>
void sum_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner)
{
    if (count == 0)
    {
        std::fill_n(out, outer * inner, T(0));
        return;
    }
    reduce<Sum>(in, out, outer, count, inner);
}

template <class T>
void max_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner)
{
    reduce<Extreme<true>>(in, out, outer, count, inner);
}

template <class T>
void min_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner)
{
    reduce<Extreme<false>>(in, out, outer, count, inner);
}

#define AUTOGRAD_INSTANTIATE(T)                                                                                        \
    template std::vector<std::pair<std::size_t, std::size_t>> parts_of_sum<T>(std::size_t);                            \
    template class PartSum<T>;                                                                                         \
    template void add_row_parts(T*, T*, std::size_t, std::size_t);                                                     \
    template T sum_of_parts(const T*, std::size_t);                                                                    \
    template void sum_kernel(const T*, T*, std::size_t, std::size_t, std::size_t);                                     \
    template void max_kernel(const T*, T*, std::size_t, std::size_t, std::size_t);                                     \
    template void min_kernel(const T*, T*, std::size_t, std::size_t, std::size_t);
AUTOGRAD_INSTANTIATE(float)
AUTOGRAD_INSTANTIATE(double)
#undef AUTOGRAD_INSTANTIATE

}
