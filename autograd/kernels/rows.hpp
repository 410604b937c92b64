#pragma once

#include <autograd/kernels/lanes.hpp>

#include <algorithm>

/// Loops over a row of neighbouring elements in registers. The last elements of a row that do not fill a register are
/// computed in one of their own, so that an element's value does not depend on where it stands.
namespace autograd::detail
{

/// The register of elements i, i + 1, ..., with zeros behind the last one.
template <class T>
xsimd::batch<T> rest_of(const T* row, std::size_t i, std::size_t count)
{
    alignas(64) T lanes[xsimd::batch<T>::size] = {};
    std::copy(row + i, row + count, lanes);
    return xsimd::batch<T>::load_aligned(lanes);
}

/// out[i] = f(in[i]...)
template <class T, class F, class... In>
void map_row(std::size_t count, T* out, F f, const In*... in)
{
    using B = xsimd::batch<T>;
    std::size_t i = 0;
    for (; i + B::size <= count; i += B::size)
    {
        f(B::load_unaligned(in + i)...).store_unaligned(out + i);
    }
    if (i < count)
    {
        alignas(64) T lanes[B::size];
        f(rest_of(in, i, count)...).store_aligned(lanes);
        std::copy_n(lanes, count - i, out + i);
    }
}

/// The sum of f(in[i]...).
template <class T, class F, class... In>
T sum_row(std::size_t count, F f, const T* first, const In*... in)
{
    using B = xsimd::batch<T>;
    constexpr std::size_t chains = 4;  // an addition takes as long as four of them overlap
    B sums[chains] = {B(T(0)), B(T(0)), B(T(0)), B(T(0))};
    std::size_t i = 0;
    for (; i + chains * B::size <= count; i += chains * B::size)
    {
        for (std::size_t k = 0; k < chains; ++k)
        {
            const std::size_t at = i + k * B::size;
            sums[k] += f(B::load_unaligned(first + at), B::load_unaligned(in + at)...);
        }
    }
    for (; i + B::size <= count; i += B::size)
    {
        sums[0] += f(B::load_unaligned(first + i), B::load_unaligned(in + i)...);
    }
    if (i < count)
    {
        alignas(64) T lanes[B::size];
        f(rest_of(first, i, count), rest_of(in, i, count)...).store_aligned(lanes);
        sums[1] += rest_of<T>(lanes, 0, count - i);
    }
    return sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}
