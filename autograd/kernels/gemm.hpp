#pragma once

#include <cstddef>

namespace autograd::detail
{

/// A row-major matrix in memory, or the transpose of one: element (i, j) is data[i * row_stride + j * column_stride], and
/// one of the strides is 1.
template <class T>
struct Matrix
{
    const T* data;
    std::size_t row_stride;
    std::size_t column_stride;
};

/// Below this many multiplications for each, waking a second thread costs more than it saves: products of a 784-128-10
/// network took 1.4 of the time of one thread at an eighth of it.
inline constexpr std::size_t worth_a_thread = 1 << 23;

/// c = a b, or c += a b: a is (m, k), b (k, n), c (m, n) and row-major without gaps. This is the one place where the
/// implementation of a product is chosen.
template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, bool accumulate = false);

}
