#pragma once

#include <autograd/elementwise.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/lapack.hpp>
#include <autograd/ops/arrange.hpp>
#include <autograd/ops/decomposition.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/primitive.hpp>

#include <string>

/// What the sources of decompositions share: a tensor as a stack of matrices in its last two axes. Not installed.
namespace autograd::detail
{

/// A tensor's shape as that of a stack of matrices.
struct Stack
{
    explicit Stack(const Shape& shape)
        : batch(shape.begin(), shape.end() - 2), rows(shape[shape.rank() - 2]), columns(shape[shape.rank() - 1]),
          count(batch.elements())
    {
    }

    Shape batch;
    std::size_t rows;
    std::size_t columns;
    std::size_t count;

    std::size_t smaller() const noexcept { return std::min(rows, columns); }
    /// The batch's shape and further axes.
    Shape with(std::initializer_list<std::size_t> extents) const
    {
        Shape shape = batch;
        for (const std::size_t extent : extents)
        {
            shape.push_back(extent);
        }
        return shape;
    }
};

/// Calls f(k) for each matrix of a stack, on several threads if these so many multiplications for each are worth it.
template <class F>
void for_each_matrix(const Stack& stack, std::size_t work, const F& f)
{
    parallel_for(stack.count, worth_a_thread / (work + 1) + 1,
                 [&f](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t k = begin; k < end; ++k)
                     {
                         f(k);
                     }
                 });
}

/// "the matrix", or "matrix (1, 2) of the stack".
std::string name_of_matrix(const Stack& stack, std::size_t k);

/// Throws ShapeError unless it has at least two axes.
void require_matrices(const char* operation, const Shape& shape, Location location);
/// Throws ShapeError unless the last two extents are equal, too.
void require_square(const char* operation, const Shape& shape, Location location);
/// Throws ValueError if an element is NaN or infinite: LAPACK would not end, or give anything.
template <class T>
void require_finite(const char* operation, const Tensor<T>& a, Location location);

/// An array to be filled.
template <class T>
Tensor<T> uninitialised(const Shape& shape)
{
    return Tensor<T>::adopt(new_node<T>(shape));
}
template <class T>
T* elements_of(Tensor<T>& tensor)
{
    return tensor.node()->template as<T>();
}

/// out (columns, rows) = in (rows, columns) transposed, both row-major.
template <class T>
void copy_transposed(std::size_t rows, std::size_t columns, const T* in, T* out);

/// The unit matrix in every place of the stack.
template <class T>
Tensor<T> identity(const Shape& shape);

/// What pullbacks need of matrices, without a user's line.
/// @{
template <class T>
Tensor<T> swapped(const Tensor<T>& a, Location location = {})
{
    return swapaxes(a, -1, -2, location);
}
template <class T>
Tensor<T> lower_triangle(const Tensor<T>& a, std::ptrdiff_t offset = 0)
{
    return tril(a, offset, Location{});
}
template <class T>
Tensor<T> upper_triangle(const Tensor<T>& a, std::ptrdiff_t offset = 0)
{
    return triu(a, offset, Location{});
}
template <class T>
Tensor<T> diagonals(const Tensor<T>& a)
{
    return diagonal(a, 0, -2, -1, Location{});
}
template <class T>
Tensor<T> with_diagonals(const Tensor<T>& d)
{
    return diag_embed(d, 0, -2, -1, Location{});
}
/// @}

/// The product of matrices, some transposed.
template <class T>
Tensor<T> product(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options = {}, Location location = {})
{
    return matmul<T>(a, b, options, location);
}

/// Several factors of each matrix stand in the last axis of one tensor, one behind the other: the one from `offset` on, as
/// an array of this shape behind the batch's axes.
template <class T>
Tensor<T> factor(const Tensor<T>& packed, std::size_t offset, std::initializer_list<std::size_t> extents,
                 Location location = {});

/// num / den, and 0 where both are 0: where values coincide, what depends on none of their vectors has a gradient.
template <class T>
Tensor<T> ratio(const Tensor<T>& num, const Tensor<T>& den);

/// op(a)^-1 b or b op(a)^-1 for triangular matrices; nothing is checked.
struct TriangularSolve
{
    bool operator==(const TriangularSolve&) const = default;

    bool upper;
    bool left = true;
    bool unit = false;
    bool transposed = false;
    bool full_gradient = false;  ///< that of a as a whole, and not of its triangle alone
};
template <Real T>
Tensor<T> triangular_solve(const Tensor<T>& a, const Tensor<T>& b, TriangularSolve options, Location location = {});

/// The factors of each matrix as its singular value decomposition, in the name of `operation`.
template <Real T>
linalg::SVD<T> svd(const char* operation, const Tensor<T>& a, bool full_matrices, Location location);
template <Real T>
linalg::Eigh<T> eigh(const char* operation, const Tensor<T>& a, linalg::Triangle triangle, Location location);

/// a^-1, in the name of `operation`.
template <Real T>
Tensor<T> inverse(const char* operation, const Tensor<T>& a, Location location);

/// An operation whose value somebody has computed: the second operand, a constant. So LAPACK's complaints are errors of
/// the caller's line, which a `value` does not know. The class that derives has a `gradient`, from dy, y and the operand.
template <class Derived>
struct Computed
{
    bool operator==(const Computed&) const = default;

    static constexpr Reads reads(std::size_t) { return {.output = true}; }

    template <class T>
    Tensor<T> value(const Tensor<T>&, const Tensor<T>& computed) const
    {
        return Tensor<T>::adopt(new_view(computed.node(), computed.shape()));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a, const Tensor<T>&) const
    {
        return static_cast<const Derived&>(*this).gradient(dy, y, a);
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>& computed) const
    {
        return zeros<T>(computed.shape());
    }
};

}
