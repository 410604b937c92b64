#pragma once

#include <autograd/tensor.hpp>

/// Products of matrices and vectors. Their gradients read operands as transposed, without copies.
namespace autograd
{

namespace detail
{

template <Real T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> dot(const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>* bias, Location location);

}

/// The matrix product by NumPy's rules: (n, k) by (k, m); a vector counts as a row on the left and as a column on the
/// right, and its axis is dropped; axes before the last two are batches and broadcast.
/// @throws ShapeError if the inner extents differ, an operand is 0-d, or the batches do not broadcast.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> matmul(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::matmul<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// The scalar product of two vectors of equal length.
/// @throws ShapeError otherwise.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> dot(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::dot<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// x weight^T + bias, as one operation: x is (..., in), weight (out, in), bias (out), the result (..., out).
/// @throws ShapeError if they do not fit.
template <OperandLike X, OperandLike W, OperandLike B>
Tensor<element_t<X, W, B>> linear(const X& x, const W& weight, const B& bias, Location location = Location::current())
{
    using T = element_t<X, W, B>;
    const Tensor<T> b = Operand<T>(bias, location);
    return detail::linear<T>(Operand<T>(x, location), Operand<T>(weight, location), &b, location);
}

/// The same without a bias.
template <OperandLike X, OperandLike W>
Tensor<element_t<X, W>> linear(const X& x, const W& weight, Location location = Location::current())
{
    using T = element_t<X, W>;
    return detail::linear<T>(Operand<T>(x, location), Operand<T>(weight, location), nullptr, location);
}

}
