#pragma once

#include <cstddef>

/// Reductions of an array of (outer, count, inner) elements to (outer, inner).
namespace autograd::detail
{

/// Pairwise, so that the error grows with the logarithm of `count`.
template <class T>
void sum_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);

/// NaN if an element is. `count` is not 0.
/// @{
template <class T>
void max_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
template <class T>
void min_kernel(const T* in, T* out, std::size_t outer, std::size_t count, std::size_t inner);
/// @}

}
