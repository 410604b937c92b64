#pragma once

#include <cstddef>
#include <string>

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
/// network, with 3.2 million for each, took 0.98 to 1.05 of the time of one thread.
inline constexpr std::size_t worth_a_thread = 7 << 19;

/// c = a b, or c += a b: a is (m, k), b (k, n), c (m, n) and row-major without gaps. Every matrix product comes through
/// here: this is the one seam behind which the implementation is chosen. (Convolutions are no products of matrices in
/// memory, and LAPACK calls the BLAS that it comes with.)
template <class T>
void gemm(std::size_t m, std::size_t n, std::size_t k, Matrix<T> a, Matrix<T> b, T* c, bool accumulate = false);

/// What is behind the seam, in words.
struct ProductKernels
{
    std::string small;
    std::string large;       ///< of at least `large_from` multiplications
    std::size_t large_from;  ///< 0 if there are no large ones
};
ProductKernels product_kernels();

}
