#pragma once

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
template <class T>
T sum_of_part(const T* in, std::size_t count);
/// The sum of `count` elements from the sums of all their parts.
template <class T>
T sum_of_parts(const T* parts, std::size_t count);

/// NaN if an element is. `count` is not 0.
/// @{
template <class T>
void max_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
template <class T>
void min_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
/// @}

}
