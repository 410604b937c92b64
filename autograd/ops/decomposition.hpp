#pragma once

#include <autograd/ops/arrange.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/tensor.hpp>

#include <concepts>
#include <optional>
#include <string_view>

/// Inverses, determinants, solutions and decompositions of matrices, by LAPACK, which is loaded when it is first needed.
///
/// Matrices stand in the last two axes; the axes before them are batches. Elements must be finite. All of them throw
/// ShapeError for operands that are no matrices, or not square where they must be, ValueError for a NaN, an infinity or a
/// matrix that has no result, saying which of a batch, and Error if there is no LAPACK.
namespace autograd
{

namespace linalg
{

/// Which triangle of a matrix is read.
enum class Triangle
{
    lower,
    upper
};

struct TriangularOptions
{
    Triangle triangle = Triangle::lower;
    bool left = true;   ///< a x = b, not x a = b
    bool unit = false;  ///< ones stand in the diagonal, whatever is there
};

/// Whether x stands on the right of the matrix, as in a x = b, or on the left, as in x a = b.
struct SolveOptions
{
    bool left = true;
};

template <Real T>
struct LeastSquares
{
    Tensor<T> solution;
    Tensor<T> residuals;            ///< |a x - b|^2 of each column
    xt::xarray<std::int64_t> rank;  ///< of a
    Tensor<T> singular_values;      ///< of a; a constant
};

}

namespace detail
{

template <Real T>
Tensor<T> solve(const Tensor<T>& a, const Tensor<T>& b, bool left, Location location);
template <Real T>
Tensor<T> solve_triangular(const Tensor<T>& a, const Tensor<T>& b, linalg::TriangularOptions options,
                           Location location);
template <Real T>
Tensor<T> cholesky_solve(const Tensor<T>& b, const Tensor<T>& factor, linalg::Triangle triangle, Location location);
template <Real T>
Tensor<T> tensorsolve(const Tensor<T>& a, const Tensor<T>& b, const Axes& axes, Location location);
template <Real T>
linalg::LeastSquares<T> lstsq(const Tensor<T>& a, const Tensor<T>& b, std::optional<double> rcond, Location location);

}

namespace linalg
{

/// @name Systems of equations
/// @{

/// The x with a x = b, for square a; batches broadcast. b is a vector if it has one axis, or the shape of `a` without its
/// last axis; else a matrix of columns.
/// @throws ValueError for a singular matrix.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> solve(const A& a, const B& b, SolveOptions options = {},
                              Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::solve<T>(Operand<T>(a, location), Operand<T>(b, location), options.left, location);
}

/// The x with a x = b, of which only a triangle of `a` is read; batches broadcast.
/// @throws ValueError for a 0 in the diagonal.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> solve_triangular(const A& a, const B& b, TriangularOptions options = {},
                                         Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::solve_triangular<T>(Operand<T>(a, location), Operand<T>(b, location), options, location);
}

/// The x with a x = b, from Cholesky's factor of `a`: l l^T = a, or u^T u = a. Only that triangle of the factor is read;
/// its gradient is that of l l^T with a full l, as in PyTorch.
/// @throws ValueError for a 0 in the diagonal.
template <OperandLike B, OperandLike L>
Tensor<element_t<B, L>> cholesky_solve(const B& b, const L& factor, Triangle triangle = Triangle::lower,
                                       Location location = Location::current())
{
    using T = element_t<B, L>;
    return detail::cholesky_solve<T>(Operand<T>(b, location), Operand<T>(factor, location), triangle, location);
}

/// a^-1 from Cholesky's factor of `a`; see `cholesky_solve`.
/// @throws ValueError for a 0 in the diagonal.
template <Real T>
Tensor<T> cholesky_inverse(const Tensor<T>& factor, Triangle triangle = Triangle::lower,
                           Location location = Location::current());

/// a^-1.
/// @throws ValueError for a singular matrix.
template <Real T>
Tensor<T> inv(const Tensor<T>& a, Location location = Location::current());

/// The x with tensordot(a, x, x.dimension()) = b, where these axes of `a` are moved to its end first.
/// @throws ShapeError unless the others have as many elements; ValueError for a singular matrix.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> tensorsolve(const A& a, const B& b, const Axes& axes = {},
                                    Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::tensorsolve<T>(Operand<T>(a, location), Operand<T>(b, location), axes, location);
}

/// The inverse of `a` as a map from its last axes to its first `split`.
/// @throws ShapeError unless both have as many elements; ValueError for a singular matrix.
template <Real T>
Tensor<T> tensorinv(const Tensor<T>& a, std::size_t split = 2, Location location = Location::current());

/// Singular values (or, of symmetric matrices, eigenvalues) up to max(atol, rtol s), where s is the largest, count as
/// zeros. rtol is by default the precision of T times the larger extent, or 0 where an atol > 0 is given. Both broadcast
/// over the batch.
struct RankOptions
{
    std::optional<Tensor<double>> atol = {};
    std::optional<Tensor<double>> rtol = {};
    bool hermitian = false;  ///< the matrices are symmetric, and only their lower triangle is read
};

/// The pseudo-inverse of Moore and Penrose. Its derivative exists where the rank does not change.
template <Real T>
Tensor<T> pinv(const Tensor<T>& a, const RankOptions& options = {}, Location location = Location::current());

/// How many singular values do not count as zeros.
template <Real T>
xt::xarray<std::int64_t> matrix_rank(const Tensor<T>& a, const RankOptions& options = {},
                                     Location location = Location::current());

/// The x that makes |a x - b| smallest, of several the one of the smallest norm. `rcond` is what `RankOptions` calls rtol;
/// b is as for `solve`.
template <OperandLike A, OperandLike B>
LeastSquares<element_t<A, B>> lstsq(const A& a, const B& b, std::optional<double> rcond = {},
                                    Location location = Location::current())
{
    using T = element_t<A, B>;
    return detail::lstsq<T>(Operand<T>(a, location), Operand<T>(b, location), rcond, location);
}
/// @}

/// @name Determinants
/// @{

/// The determinant; 1 of an empty matrix. All derivatives exist also for singular matrices.
template <Real T>
Tensor<T> det(const Tensor<T>& a, Location location = Location::current());

template <Real T>
struct SlogDet
{
    Tensor<T> sign;  ///< -1, 0 or 1; a constant
    Tensor<T> logabsdet;
};

/// The determinant as sign and logarithm, which neither overflows nor vanishes; 0 and -inf of a singular matrix.
template <Real T>
SlogDet<T> slogdet(const Tensor<T>& a, Location location = Location::current());

/// The logarithm of the determinant; NaN where that is negative.
template <Real T>
Tensor<T> logdet(const Tensor<T>& a, Location location = Location::current());
/// @}

/// @name Decompositions
/// Where LAPACK's results are not unique, such as the signs of vectors, they are LAPACK's.
/// @{

/// The lower triangular l, with a positive diagonal, for which a = l l^T; or the upper u for which a = u^T u. Only that
/// triangle of `a` is read, and the gradient is symmetric.
/// @throws ValueError for a matrix that is not positive definite, with the order of the first minor that is not.
template <Real T>
Tensor<T> cholesky(const Tensor<T>& a, Triangle triangle = Triangle::lower, Location location = Location::current());

/// For a matrix of m rows and n columns, and k the smaller: q (m, k) and r (k, n), or q (m, m) and r (m, n), or r (k, n)
/// only.
enum class QRMode
{
    reduced,
    complete,
    r
};

template <Real T>
struct QR
{
    Tensor<T> q;  ///< not defined for QRMode::r
    Tensor<T> r;
};

/// a = q r: orthonormal columns, and an upper triangle. The derivative exists where the first k columns of `a` are independent.
/// @throws ValueError if a tape records `a` and the mode is complete for m > n: the further columns of q are not unique,
///         and have no derivative.
template <Real T>
QR<T> qr(const Tensor<T>& a, QRMode mode = QRMode::reduced, Location location = Location::current());

template <Real T>
struct SVD
{
    Tensor<T> u;
    Tensor<T> s;
    Tensor<T> vh;
};

/// a = u diag(s) vh: orthonormal columns of u and rows of vh, and singular values in descending order. Full matrices are
/// square; their further columns and rows are not unique, and count as constants. A gradient that depends on vectors whose
/// singular values coincide is infinite or NaN; one by `s` alone always exists.
template <Real T>
SVD<T> svd(const Tensor<T>& a, bool full_matrices = true, Location location = Location::current());

/// The singular values, in descending order.
template <Real T>
Tensor<T> svdvals(const Tensor<T>& a, Location location = Location::current());

template <Real T>
struct Eigh
{
    Tensor<T> values;
    Tensor<T> vectors;
};

/// a = vectors diag(values) vectors^T of a symmetric matrix: eigenvalues in ascending order, and eigenvectors as columns.
/// Only a triangle is read. A gradient that depends on vectors whose eigenvalues coincide is infinite or NaN; one by the
/// values alone always exists.
template <Real T>
Eigh<T> eigh(const Tensor<T>& a, Triangle triangle = Triangle::lower, Location location = Location::current());

/// The eigenvalues of a symmetric matrix, in ascending order.
template <Real T>
Tensor<T> eigvalsh(const Tensor<T>& a, Triangle triangle = Triangle::lower, Location location = Location::current());

template <Real T>
struct LUFactors
{
    Tensor<T> lu;    ///< u in the upper triangle, and l without its ones below it
    Indices pivots;  ///< rows i and pivots[i], counted from 1, were swapped for i = 0, 1, ...
};

/// a = p l u with rows swapped for the largest pivots: both triangles in one matrix. Singular matrices have factors, but
/// no derivative.
template <Real T>
LUFactors<T> lu_factor(const Tensor<T>& a, Location location = Location::current());

template <Real T>
struct LU
{
    Tensor<T> p;  ///< a permutation; a constant
    Tensor<T> l;
    Tensor<T> u;
};

/// The same as three matrices.
template <Real T>
LU<T> lu(const Tensor<T>& a, Location location = Location::current());
/// @}

/// @name Functions of matrices
/// @{

using autograd::trace;

/// a^n, by repeated squaring; a constant for n = 0.
/// @throws ValueError for a singular matrix and a negative exponent.
template <Real T>
Tensor<T> matrix_power(const Tensor<T>& a, std::ptrdiff_t exponent, Location location = Location::current());

/// The sum of a^k / k!, by Taylor's series of a / 2^s and repeated squaring.
template <Real T>
Tensor<T> matrix_exp(const Tensor<T>& a, Location location = Location::current());

/// The order of a norm: a number (1, 2, infinity, or the negatives, which take the smallest in place of the largest),
/// "fro" or "nuc".
class NormOrder
{
public:
    template <Arithmetic S>
    constexpr NormOrder(S order) : number_(static_cast<double>(order))
    {
    }
    template <std::convertible_to<std::string_view> Text>
    constexpr NormOrder(const Text& name) : name_(name)
    {
    }

    /// Of a number: 0 if it is a name.
    constexpr double number() const noexcept { return number_; }
    /// Empty if it is a number.
    constexpr std::string_view name() const noexcept { return name_; }

private:
    double number_ = 0;
    std::string_view name_;
};

/// The norm of matrices in two axes: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 the largest of
/// them, 1 the largest sum of a column's absolute values, infinity that of a row's. The gradient at ties is shared equally.
/// @throws ValueError for another order, or the extreme of nothing.
template <Real T>
Tensor<T> matrix_norm(const Tensor<T>& a, NormOrder order = "fro", Axes axes = {-2, -1}, KeepDims keep = {},
                      Location location = Location::current());

/// NumPy's norm: without an order, the Euclidean norm of all elements in the axes, or of all there are; else that of vectors
/// in one axis, `norm_lp`, or of matrices in two, `matrix_norm`. No axes mean those of a vector or a matrix.
/// @throws ShapeError for an order and neither one axis nor two.
template <Real T>
Tensor<T> norm(const Tensor<T>& a, std::optional<NormOrder> order = {}, Axes axes = {}, KeepDims keep = {},
               Location location = Location::current());

/// norm(a) norm(a^-1) of square matrices for these norms; for 2 and -2 of any, by singular values.
/// @throws ValueError for a singular matrix and a norm other than 2 and -2.
template <Real T>
Tensor<T> cond(const Tensor<T>& a, NormOrder order = 2, Location location = Location::current());
/// @}

}

}
