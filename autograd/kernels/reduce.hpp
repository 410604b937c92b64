#pragma once

#include <xsimd/xsimd.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

/// Reductions of an array of (outer, count, inner) elements to (outer, inner).
namespace autograd::detail
{

/// Pairwise, so that the error grows with the logarithm of `count`.
template <class T>
void sum_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);

/// The parts of a whole array that `sum_kernel` adds one by one before it adds their sums: where each begins, and its
/// length. Who has the elements in parts only gets the same sum, to the last bit.
template <class T>
std::vector<std::pair<std::size_t, std::size_t>> parts_of_sum(std::size_t count);
/// The sum of one part, which is given piece by piece.
template <class T>
class PartSum
{
public:
    void add(const T* in, std::size_t count);
    /// The sum of what was added since the last call, one element at least.
    T take();

private:
    static constexpr std::size_t chains = 4;  ///< an addition takes as long as four of them overlap
    using Register = xsimd::batch<T>;
    static constexpr std::size_t stride = chains * Register::size;

    void add_strides(const T* in, std::size_t strides);

    std::array<Register, chains> sums_{};
    bool begun_ = false;
    std::size_t waiting_ = 0;  ///< elements that fill no stride yet
    std::array<T, stride> rest_{};
};

/// The sum of `count` elements from the sums of all their parts.
template <class T>
T sum_of_parts(const T* parts, std::size_t count);

/// The same of a sum over the first of two axes: parts whose rows are added one by one. `sums` has one for each part, of
/// `width` elements, and is overwritten.
/// @{
std::vector<std::pair<std::size_t, std::size_t>> parts_of_rows(std::size_t rows);
template <class T>
void add_row_parts(T* sums, T* out, std::size_t rows, std::size_t width);
/// @}

/// NaN if an element is. `count` is not 0.
/// @{
template <class T>
void max_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
template <class T>
void min_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
/// @}

}
