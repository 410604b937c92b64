#pragma once

#include <autograd/axes.hpp>
#include <autograd/tensor.hpp>

#include <concepts>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

/// Products of matrices, vectors and arrays. Their gradients read operands as transposed, without copies.
///
/// Products have their names in `autograd`, as in NumPy and PyTorch. What xtensor-blas keeps in `xt::linalg` is found
/// in `autograd::linalg`, too, and whatever decomposes a matrix only there (decomposition.hpp).
namespace autograd
{

/// How operands of a product of matrices are read, without a copy: as if their last two axes were swapped.
struct MatmulOptions
{
    bool transpose_a = false;
    bool transpose_b = false;
};

/// What `addmm` and its kin compute: beta input + alpha product. Where beta is 0, the input is not read, NaN or not.
struct AddProductOptions
{
    double beta = 1;
    double alpha = 1;
};

/// The first argument of `einsum`: its text, and the line of the caller.
struct Subscripts
{
    template <std::convertible_to<std::string_view> Text>
    Subscripts(const Text& text, Location location = Location::current()) : text(text), location(location)
    {
    }

    std::string_view text;
    Location location;
};

namespace detail
{

template <Real T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options, Location location);
template <Real T>
Tensor<T> dot(const char* operation, const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>* bias, Location location);
template <Real T>
Tensor<T> inner(const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> outer(const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> kron(const Tensor<T>& a, const Tensor<T>& b, Location location);
template <Real T>
Tensor<T> cross(const Tensor<T>& a, const Tensor<T>& b, std::ptrdiff_t axis, Location location);
template <Real T>
Tensor<T> vecdot(const Tensor<T>& a, const Tensor<T>& b, std::ptrdiff_t axis, Location location);
template <Real T>
Tensor<T> tensordot(const Tensor<T>& a, const Tensor<T>& b, std::size_t count, Location location);
template <Real T>
Tensor<T> tensordot(const Tensor<T>& a, const Tensor<T>& b, const Axes& a_axes, const Axes& b_axes, Location location);
template <Real T>
Tensor<T> numpy_dot(const Tensor<T>& a, const Tensor<T>& b, Location location);

template <Real T>
Tensor<T> addmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                Location location);
template <Real T>
Tensor<T> addmv(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                Location location);
template <Real T>
Tensor<T> addbmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                 Location location);
template <Real T>
Tensor<T> baddbmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                  Location location);
template <Real T>
Tensor<T> addr(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
               Location location);

}

/// The matrix product by NumPy's rules: (n, k) by (k, m); a vector counts as a row on the left and as a column on the
/// right, and its axis is dropped; axes before the last two are batches and broadcast.
/// @throws ShapeError if the inner extents differ, an operand is 0-d, or the batches do not broadcast.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> matmul(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::matmul<T>(Operand<T>(a, location), Operand<T>(b, location), {}, location);
}

/// The same with operands read as transposed: `matmul(q, k, {.transpose_b = true})`. They have at least two axes.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> matmul(const A& a, const B& b, MatmulOptions options, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::matmul<T>(Operand<T>(a, location), Operand<T>(b, location), options, location);
}

/// The scalar product of two vectors of equal length.
/// @throws ShapeError otherwise.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> dot(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::dot<T>("dot", Operand<T>(a, location), Operand<T>(b, location), location);
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

/// c[i..., j...] = sum_k a[i..., k] b[j..., k]; the product with a 0-d operand.
/// @throws ShapeError if the last extents differ.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> inner(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::inner<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// c[i, j] = a[i] b[j] of two vectors.
/// @throws ShapeError for anything else.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> outer(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::outer<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// Kronecker's product: every element of `a`, times the whole of `b`. The one with fewer axes gets more in front.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> kron(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::kron<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// The vector product along an axis of extent 3; other axes broadcast.
/// @throws ShapeError for another extent.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> cross(const A& a, const B& b, std::ptrdiff_t axis = -1, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::cross<T>(Operand<T>(a, location), Operand<T>(b, location), axis, location);
}

/// The sum of products over the last `count` axes of `a` and the first of `b`.
/// @throws ShapeError if their extents differ.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> tensordot(const A& a, const B& b, std::size_t count = 2,
                                  Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::tensordot<T>(Operand<T>(a, location), Operand<T>(b, location), count, location);
}

/// The sum of products over these axes of `a` and of `b`, taken in pairs. The others follow each other.
/// @throws ShapeError if their numbers or extents differ.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> tensordot(const A& a, const B& b, const Axes& a_axes, const Axes& b_axes,
                                  Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::tensordot<T>(Operand<T>(a, location), Operand<T>(b, location), a_axes, b_axes, location);
}

/// Einstein's summation: `einsum("bij,bjk->bik", a, b)`. A letter names an axis of each operand. Axes of one letter are
/// multiplied element by element, and summed unless the result names the letter; a letter twice in one operand takes the
/// diagonal. `...` stands for any further axes, which broadcast. Without `->` the result has the ellipsis and then the
/// letters that occur once, in alphabetical order. An axis of extent 1 broadcasts. Several operands are multiplied from
/// left to right, as products of matrices.
/// @throws ValueError for subscripts that cannot be read; ShapeError for operands that do not fit them.
template <Real T>
Tensor<T> einsum(Subscripts subscripts, std::span<const Tensor<T>> operands);
template <Real T>
Tensor<T> einsum(Subscripts subscripts, const std::vector<Tensor<T>>& operands)
{
    return einsum(subscripts, std::span<const Tensor<T>>(operands));
}
template <OperandLike... Operands>
    requires(AnyTensor<Operands> || ...)
Tensor<element_t<Operands...>> einsum(Subscripts subscripts, const Operands&... operands)
{
    using T = element_t<Operands...>;
    const Tensor<T> tensors[] = {Operand<T>(operands, subscripts.location)...};
    return einsum(subscripts, std::span<const Tensor<T>>(tensors));
}

/// beta input + alpha (a b) for matrices; the input broadcasts to the product.
/// @throws ShapeError if they do not fit.
template <OperandLike C, OperandLike A, OperandLike B>
Tensor<element_t<C, A, B>> addmm(const C& input, const A& a, const B& b, AddProductOptions options = {},
                                 Location location = Location::current())
{
    using T = element_t<C, A, B>;
    return detail::addmm<T>(Operand<T>(input, location), Operand<T>(a, location), Operand<T>(b, location), options,
                            location);
}

/// beta input + alpha (a b) for a matrix and a vector.
/// @throws ShapeError if they do not fit.
template <OperandLike C, OperandLike A, OperandLike B>
Tensor<element_t<C, A, B>> addmv(const C& input, const A& a, const B& b, AddProductOptions options = {},
                                 Location location = Location::current())
{
    using T = element_t<C, A, B>;
    return detail::addmv<T>(Operand<T>(input, location), Operand<T>(a, location), Operand<T>(b, location), options,
                            location);
}

/// beta input + alpha sum_i a[i] b[i] for stacks of matrices (batch, n, k) and (batch, k, m).
/// @throws ShapeError if they do not fit.
template <OperandLike C, OperandLike A, OperandLike B>
Tensor<element_t<C, A, B>> addbmm(const C& input, const A& a, const B& b, AddProductOptions options = {},
                                  Location location = Location::current())
{
    using T = element_t<C, A, B>;
    return detail::addbmm<T>(Operand<T>(input, location), Operand<T>(a, location), Operand<T>(b, location), options,
                             location);
}

/// beta input + alpha (a b) for stacks of matrices (batch, n, k) and (batch, k, m).
/// @throws ShapeError if they do not fit.
template <OperandLike C, OperandLike A, OperandLike B>
Tensor<element_t<C, A, B>> baddbmm(const C& input, const A& a, const B& b, AddProductOptions options = {},
                                   Location location = Location::current())
{
    using T = element_t<C, A, B>;
    return detail::baddbmm<T>(Operand<T>(input, location), Operand<T>(a, location), Operand<T>(b, location), options,
                              location);
}

/// beta input + alpha outer(a, b).
/// @throws ShapeError if they do not fit.
template <OperandLike C, OperandLike A, OperandLike B>
Tensor<element_t<C, A, B>> addr(const C& input, const A& a, const B& b, AddProductOptions options = {},
                                Location location = Location::current())
{
    using T = element_t<C, A, B>;
    return detail::addr<T>(Operand<T>(input, location), Operand<T>(a, location), Operand<T>(b, location), options,
                           location);
}

namespace linalg
{

using autograd::cross;
using autograd::kron;
using autograd::outer;
using autograd::tensordot;

/// NumPy's and xtensor-blas' dot: c[i..., j..., n] = sum_k a[i..., k] b[j..., k, n]. So it is the scalar product of
/// vectors and the product of matrices; the product with a 0-d operand.
/// @throws ShapeError if the extents of k differ.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> dot(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::numpy_dot<T>(Operand<T>(a, location), Operand<T>(b, location), location);
}

/// The scalar product of two vectors of equal length.
/// @throws ShapeError otherwise.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> vdot(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::dot<T>("vdot", Operand<T>(a, location), Operand<T>(b, location), location);
}

/// The scalar products of vectors along an axis; the other axes broadcast.
/// @throws ShapeError if the shapes do not broadcast.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> vecdot(const A& a, const B& b, std::ptrdiff_t axis = -1,
                               Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::vecdot<T>(Operand<T>(a, location), Operand<T>(b, location), axis, location);
}

/// The product of a chain of matrices, in the order that multiplies the fewest numbers. The first may be a row and the
/// last a column, as vectors.
/// @throws ValueError for fewer than two; ShapeError if they do not fit.
template <Real T>
Tensor<T> multi_dot(std::span<const Tensor<T>> matrices, Location location = Location::current());
template <Real T>
Tensor<T> multi_dot(const std::vector<Tensor<T>>& matrices, Location location = Location::current())
{
    return multi_dot(std::span<const Tensor<T>>(matrices), location);
}
template <Real T>
Tensor<T> multi_dot(std::initializer_list<Tensor<T>> matrices, Location location = Location::current())
{
    return multi_dot(std::span<const Tensor<T>>(matrices.begin(), matrices.size()), location);
}

}

}
