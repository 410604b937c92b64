#include <autograd/batching.hpp>
#include <autograd/matrices.hpp>
#include <autograd/ops/reduction.hpp>

#include <cmath>
#include <limits>
#include <utility>

namespace autograd
{

namespace
{

using detail::elements_of;
using detail::for_each_matrix;
using detail::identity;
using detail::Lapack;
using detail::lower_triangle;
using detail::name_of_matrix;
using detail::product;
using detail::Reads;
using detail::require_finite;
using detail::require_matrices;
using detail::require_square;
using detail::Stack;
using detail::swapped;
using detail::upper_triangle;

int as_int(std::size_t n)
{
    return static_cast<int>(n);
}

/// What LAPACK made of the transposes of matrices, which row-major memory is to it: a^T = p l u.
template <class T>
struct Factored
{
    Tensor<T> lu;
    Indices pivots;
};

/// A zero is left in the diagonal where a matrix is singular.
template <class T>
Factored<T> factored_unchecked(const char* operation, const Tensor<T>& a, Location location)
{
    const Lapack<T>& lapack = Lapack<T>::load(operation, location);
    const Stack stack(a.shape());
    const std::size_t n = stack.rows;
    Factored<T> result{detail::uninitialised<T>(a.shape()), Indices(stack.with({n}))};
    T* lu = elements_of(result.lu);
    std::copy_n(a.data(), a.size(), lu);
    if (a.size() == 0)
    {
        return result;
    }
    for_each_matrix(stack, n * n * n,
                    [&](std::size_t k)
                    {
                        std::vector<int> pivots(n);
                        lapack.getrf(as_int(n), as_int(n), lu + k * n * n, as_int(n), pivots.data());
                        std::copy(pivots.begin(), pivots.end(), result.pivots.data() + k * n);
                    });
    return result;
}

template <class T>
Factored<T> factored(const char* operation, const Tensor<T>& a, Location location)
{
    require_finite(operation, a, location);
    return factored_unchecked(operation, a, location);
}

/// Visits the diagonal of the factors of matrix k.
template <class T, class Visit>
void for_each_pivot(const Tensor<T>& lu, std::size_t k, const Visit& visit)
{
    const std::size_t n = lu.shape(lu.dimension() - 1);
    for (std::size_t i = 0; i < n; ++i)
    {
        visit(lu.data()[(k * n + i) * n + i]);
    }
}

template <class T>
void require_regular(const char* operation, const Tensor<T>& lu, Location location)
{
    const Stack stack(lu.shape());
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        for_each_pivot(lu, k,
                       [&](T pivot)
                       {
                           if (pivot == 0)
                           {
                               throw ValueError(operation,
                                                name_of_matrix(stack, k) + " is singular: got shape " +
                                                    to_string(lu.shape()),
                                                location, "Add a little to the diagonal, or use pinv or lstsq.");
                           }
                       });
    }
}

/// The x with a x = b, or a^T x = b, for stacks of one batch's shape. `lu` are the factors of a: a constant.
struct Solve
{
    static constexpr const char* name = "solve";
    bool operator==(const Solve&) const = default;
    Indices pivots;
    bool transposed = false;

    static constexpr Reads reads(std::size_t k) { return {.output = k == 0, .operand_bits = 0b101}; }

    // In column-major terms x^T (p l u) = b^T.
    template <class T>
    Tensor<T> value(const Tensor<T>&, const Tensor<T>& b, const Tensor<T>& lu) const
    {
        const Stack stack(b.shape());
        const std::size_t n = stack.rows;
        const std::size_t width = stack.columns;
        Tensor<T> x = detail::uninitialised<T>(b.shape());
        T* elements = elements_of(x);
        std::copy_n(b.data(), b.size(), elements);
        if (b.size() == 0)
        {
            return x;
        }
        const Lapack<T>& lapack = Lapack<T>::load(name, Location{});
        const auto triangle = [&](char uplo, char flag, char diagonal, std::size_t k)
        {
            lapack.trsm('R', uplo, flag, diagonal, as_int(width), as_int(n), lu.data() + k * n * n, as_int(n),
                        elements + k * n * width, as_int(width));
        };
        for_each_matrix(stack, n * n * width,
                        [&](std::size_t k)
                        {
                            if (transposed)
                            {
                                swap_rows(k, n, elements + k * n * width, width);
                                triangle('L', 'T', 'U', k);
                                triangle('U', 'T', 'N', k);
                            }
                            else
                            {
                                triangle('U', 'N', 'N', k);
                                triangle('L', 'N', 'U', k);
                                swap_rows(k, n, elements + k * n * width, width);
                            }
                        });
        return x;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a, const Tensor<T>& b,
                       const Tensor<T>& lu) const
    {
        const Tensor<T> db = pullback(Wrt<1>{}, dy, y, a, b, lu);
        return transposed ? -product(y, db, {.transpose_b = true}) : -product(db, y, {.transpose_b = true});
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>&,
                       const Tensor<T>& lu) const
    {
        return apply(Solve{pivots, !transposed}, Location{}, a, dy, lu);
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>& lu) const
    {
        return detail::zeros<T>(lu.shape());
    }

private:
    template <class T>
    void swap_rows(std::size_t k, std::size_t n, T* rows, std::size_t width) const
    {
        for (std::size_t step = 0; step < n; ++step)
        {
            const std::size_t row = transposed ? step : n - 1 - step;
            const auto other = static_cast<std::size_t>(pivots[k * n + row] - 1);
            if (other != row)
            {
                std::swap_ranges(rows + row * width, rows + (row + 1) * width, rows + other * width);
            }
        }
    }
};

/// a^-T, which has infinities and NaN where a is singular.
template <class T>
Tensor<T> inverse_transpose(const Tensor<T>& a, const Tensor<T>& lu, const Indices& pivots)
{
    return apply(Solve{pivots, true}, Location{}, a, identity<T>(a.shape()), lu);
}

/// A number for each matrix, with axes that stretch to it.
template <class T>
Tensor<T> for_matrices(const Tensor<T>& numbers)
{
    return expand_dims(expand_dims(numbers, -1, Location{}), -1, Location{});
}

/// Products over the last axis, each without some elements: those that a row of `left_out` has ones for, in arrays of so
/// many axes before the last.
template <class T>
Tensor<T> products_of_others(const Tensor<T>& s, const Tensor<T>& left_out, std::size_t axes)
{
    Tensor<T> rows = s;
    for (std::size_t axis = 0; axis < axes; ++axis)
    {
        rows = expand_dims(rows, -2, Location{});
    }
    return prod(formula::select(formula::Mask<T>{left_out}, T(1), rows), -1, {}, Location{});
}

/// The matrix of cofactors, det(a) a^-T, also of a singular matrix.
template <class T>
Tensor<T> cofactors(const Tensor<T>& a);

/// The determinant, or the logarithm of its absolute value. `lu` are the factors of a: a constant.
template <bool logarithm>
struct Determinant
{
    static constexpr const char* name = logarithm ? "slogdet" : "det";
    bool operator==(const Determinant&) const = default;
    Indices pivots;
    bool regular;  ///< whether the factors tell the inverse

    static constexpr Reads reads(std::size_t) { return {.output = !logarithm, .operand_bits = 0b11}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& a, const Tensor<T>& lu) const
    {
        const Stack stack(a.shape());
        Tensor<T> y = detail::uninitialised<T>(stack.batch);
        for (std::size_t k = 0; k < stack.count; ++k)
        {
            T result = logarithm ? T(0) : sign_of_swaps<T>(k, stack.rows);
            for_each_pivot(lu, k,
                           [&result](T pivot)
                           { result = logarithm ? result + std::log(std::abs(pivot)) : result * pivot; });
            elements_of(y)[k] = result;
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a, const Tensor<T>& lu) const
    {
        if (logarithm)
        {
            return for_matrices(dy) * inverse_transpose(a, lu, pivots);
        }
        return regular ? for_matrices(dy * y) * inverse_transpose(a, lu, pivots) : for_matrices(dy) * cofactors(a);
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>& lu) const
    {
        return detail::zeros<T>(lu.shape());
    }

    template <class T>
    T sign_of_swaps(std::size_t k, std::size_t n) const
    {
        T sign = 1;
        for (std::size_t row = 0; row < n; ++row)
        {
            sign = pivots[k * n + row] == static_cast<std::int64_t>(row + 1) ? sign : -sign;
        }
        return sign;
    }
};

/// With a = u diag(s) vh it is
/// det(u vh) u diag(g) vh, where g_i is the product of all s but s_i. (N. Higham, "What is the adjugate of a matrix?", 2020.)
struct Cofactors
{
    static constexpr const char* name = "cofactors";

    static constexpr Reads reads(std::size_t) { return {.operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& a) const
    {
        const auto [u, s, vh] = detail::svd<T>(name, stop_gradient(a), false, Location{});
        const std::size_t n = s.shape(s.dimension() - 1);
        const Tensor<T> g =
            products_of_others(s, identity<T>({n, n}), 1) * expand_dims(orientation(u, vh), -1, Location{});
        return product(u * expand_dims(g, -2, Location{}), vh);
    }
    // It is its own adjoint. In the axes of u and vh: of dy_jj come the products of all s but s_i and s_j to element ii,
    // and of dy_ji their negatives to element ij.
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a) const
    {
        const auto [u, s, vh] = detail::svd<T>(name, a, false, Location{});
        const std::size_t n = s.shape(s.dimension() - 1);
        Tensor<T> pairs = detail::zeros<T>({n, n, n});
        for (std::size_t i = 0; i < n; ++i)
        {
            for (std::size_t j = 0; j < n; ++j)
            {
                elements_of(pairs)[(i * n + j) * n + i] = 1;
                elements_of(pairs)[(i * n + j) * n + j] = 1;
            }
        }
        const Tensor<T> all = products_of_others(s, pairs, 2);
        const Tensor<T> g = all - detail::with_diagonals(detail::diagonals(all));
        const Tensor<T> inner = product(product(u, dy, {.transpose_a = true}), vh, {.transpose_b = true});
        const Tensor<T> diagonal = product(g, expand_dims(detail::diagonals(inner), -1, Location{}));
        const Tensor<T> turned = detail::with_diagonals(squeeze(diagonal, -1, Location{})) - g * swapped(inner);
        return product(product(u, turned), vh) * for_matrices(orientation(u, vh));
    }

private:
    /// det(u) det(vh), 1 or -1: a constant.
    template <class T>
    static Tensor<T> orientation(const Tensor<T>& u, const Tensor<T>& vh)
    {
        const auto [u_lu, u_pivots] = factored_unchecked(name, u, Location{});
        const auto [vh_lu, vh_pivots] = factored_unchecked(name, vh, Location{});
        return Determinant<false>{u_pivots, true}.value(u, u_lu) * Determinant<false>{vh_pivots, true}.value(vh, vh_lu);
    }
};

template <class T>
Tensor<T> cofactors(const Tensor<T>& a)
{
    return apply(Cofactors{}, Location{}, a);
}

template <class T>
linalg::SlogDet<T> signed_logarithm(const char* operation, const Tensor<T>& a, Location location)
{
    require_square(operation, a.shape(), location);
    const auto [lu, pivots] = factored(operation, a, location);
    const Determinant<true> determinant{pivots, true};
    const Stack stack(a.shape());
    Tensor<T> sign = detail::uninitialised<T>(stack.batch);
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        T result = determinant.template sign_of_swaps<T>(k, stack.rows);
        for_each_pivot(lu, k, [&result](T pivot) { result *= static_cast<T>((pivot > 0) - (pivot < 0)); });
        elements_of(sign)[k] = result;
    }
    return {sign, apply(determinant, location, a, lu)};
}

/// Whether all matrices are far enough from singular ones for their factors to tell the inverse.
template <class T>
bool all_regular(const Tensor<T>& lu)
{
    const Stack stack(lu.shape());
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        T least = std::numeric_limits<T>::infinity();
        T most = 0;
        for_each_pivot(lu, k,
                       [&](T pivot)
                       {
                           least = std::min(least, std::abs(pivot));
                           most = std::max(most, std::abs(pivot));
                       });
        if (!(least > most * std::numeric_limits<T>::epsilon() * static_cast<T>(stack.rows)))
        {
            return false;
        }
    }
    return true;
}

/// op(a)^-1 b, or b op(a)^-1, of triangles of a.
struct SolveTriangular
{
    static constexpr const char* name = "solve_triangular";
    bool operator==(const SolveTriangular&) const = default;
    detail::TriangularSolve how;

    static constexpr Reads reads(std::size_t k) { return {.output = k == 0, .operand_bits = 1}; }

    // In column-major terms everything is transposed: the other side, the other triangle, the same flag.
    template <class T>
    Tensor<T> value(const Tensor<T>& a, const Tensor<T>& b) const
    {
        const Stack stack(b.shape());
        Tensor<T> x = detail::uninitialised<T>(b.shape());
        T* elements = elements_of(x);
        std::copy_n(b.data(), b.size(), elements);
        if (b.size() == 0)
        {
            return x;
        }
        const Lapack<T>& lapack = Lapack<T>::load(name, Location{});
        const std::size_t n = a.shape(a.dimension() - 1);
        for_each_matrix(stack, n * b.size() / stack.count,
                        [&](std::size_t k)
                        {
                            lapack.trsm(how.left ? 'R' : 'L', how.upper ? 'L' : 'U', how.transposed ? 'T' : 'N',
                                        how.unit ? 'U' : 'N', as_int(stack.columns), as_int(stack.rows),
                                        a.data() + k * n * n, as_int(n), elements + k * stack.rows * stack.columns,
                                        as_int(stack.columns));
                        });
        return x;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a, const Tensor<T>& b) const
    {
        const Tensor<T> db = pullback(Wrt<1>{}, dy, y, a, b);
        const MatmulOptions flags{.transpose_a = !how.left, .transpose_b = how.left};
        const Tensor<T> full = how.left != how.transposed ? product(db, y, flags) : product(y, db, flags);
        if (how.full_gradient)
        {
            return -full;
        }
        const std::ptrdiff_t first = how.unit ? 1 : 0;
        return how.upper ? upper_triangle(-full, first) : lower_triangle(-full, -first);
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>&) const
    {
        return apply(SolveTriangular{{how.upper, how.left, how.unit, !how.transposed, how.full_gradient}}, Location{},
                     a, dy);
    }
};
const detail::Batching<SolveTriangular, 2> solve_triangular_batching([](const SolveTriangular& op, const auto& batch)
                                                                     { return batch.behind_axis(op); });

/// Stretches the batches of two stacks to their common shape; they have the given last extents.
template <class T>
std::pair<Tensor<T>, Tensor<T>> with_common_batch(const char* operation, const Tensor<T>& a, const Tensor<T>& b,
                                                  Location location)
{
    const Stack left(a.shape());
    const Stack right(b.shape());
    Shape batch;
    if (!broadcast_shapes(left.batch, right.batch, batch))
    {
        throw ShapeError(operation,
                         "the axes before the last two do not broadcast: got " + to_string(a.shape()) + " and " +
                             to_string(b.shape()),
                         location);
    }
    const auto stretch = [&](const Tensor<T>& x, const Stack& stack)
    {
        Shape shape = batch;
        shape.push_back(stack.rows);
        shape.push_back(stack.columns);
        return shape == x.shape() ? x : broadcast_to(x, shape, location);
    };
    return {stretch(a, left), stretch(b, right)};
}

[[noreturn]] void throw_misfit(const char* operation, const char* problem, const Shape& a, const Shape& b,
                               Location location)
{
    throw ShapeError(operation, std::string(problem) + ": got " + to_string(a) + " and " + to_string(b), location);
}

/// Whether b is a vector for each matrix of a.
bool is_vector_for(const Shape& a, const Shape& b)
{
    return b.rank() == 1 || (b.rank() + 1 == a.rank() && b == Shape(a.begin(), a.end() - 1));
}

/// Throws ShapeError unless a is square, and the rows of b (or its columns) are as many.
void require_system(const char* operation, const Shape& a, const Shape& b, bool left, Location location)
{
    require_square(operation, a, location);
    if (b.rank() < 2 || b[b.rank() - (left ? 2 : 1)] != a[a.rank() - 1])
    {
        throw_misfit(operation,
                     left ? "the matrix has not as many columns as the right-hand side has rows"
                          : "the matrix has not as many rows as the right-hand side has columns",
                     a, b, location);
    }
}

template <class T>
Tensor<T> checked_triangular_solve(const char* operation, const Tensor<T>& a, const Tensor<T>& b,
                                   detail::TriangularSolve how, Location location)
{
    require_system(operation, a.shape(), b.shape(), how.left, location);
    Lapack<T>::load(operation, location);
    const Stack stack(a.shape());
    for (std::size_t k = 0; k < stack.count && !how.unit; ++k)
    {
        for (std::size_t row = 0; row < stack.rows; ++row)
        {
            if (a.data()[(k * stack.rows + row) * stack.rows + row] == 0)
            {
                throw ValueError(operation,
                                 name_of_matrix(stack, k) + " has a 0 in the diagonal, in row " + std::to_string(row) +
                                     ": got shape " + to_string(a.shape()),
                                 location);
            }
        }
    }
    const auto [matrices, sides] = with_common_batch(operation, a, b, location);
    return detail::triangular_solve(matrices, sides, how, location);
}

/// (l l^T)^-1 b.
template <class T>
Tensor<T> solve_by_factor(const char* operation, const Tensor<T>& factor, const Tensor<T>& b, linalg::Triangle triangle,
                          Location location)
{
    const bool upper = triangle == linalg::Triangle::upper;
    const Tensor<T> half = checked_triangular_solve(
        operation, factor, b, {.upper = upper, .transposed = upper, .full_gradient = true}, location);
    return checked_triangular_solve(operation, factor, half,
                                    {.upper = upper, .transposed = !upper, .full_gradient = true}, location);
}

/// a = u diag(s) vh. By eigenvalues, some s may be negative.
template <class T>
linalg::SVD<T> spectrum(const char* operation, const Tensor<T>& a, bool hermitian, Location location)
{
    if (!hermitian)
    {
        return detail::svd<T>(operation, a, false, location);
    }
    require_square(operation, a.shape(), location);
    const auto [values, vectors] = detail::eigh<T>(operation, a, linalg::Triangle::lower, location);
    return {vectors, values, swapped(vectors)};
}

/// The numbers for each matrix of the stack.
Tensor<double> tolerances(const char* operation, const Tensor<double>& given, const Stack& stack, Location location)
{
    if (!broadcasts_to(given.shape(), stack.batch))
    {
        throw_misfit(operation, "a tolerance does not broadcast to the batch", given.shape(), stack.batch, location);
    }
    return broadcast_to(stop_gradient(given), stack.batch, location);
}

/// Calls visit(k, i, whether it counts as 0) for singular value i of matrix k.
template <class T, class Visit>
void for_each_value(const char* operation, const Tensor<T>& s, const Stack& stack, const linalg::RankOptions& options,
                    Location location, const Visit& visit)
{
    const double precision =
        std::numeric_limits<T>::epsilon() * static_cast<double>(std::max(stack.rows, stack.columns));
    const Tensor<double> atol = tolerances(operation, options.atol.value_or(Tensor<double>(0)), stack, location);
    const Tensor<double> rtol =
        tolerances(operation, options.rtol.value_or(Tensor<double>(precision)), stack, location);
    const std::size_t count = stack.smaller();
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        const T* values = s.data() + k * count;
        double largest = 0;
        for (std::size_t i = 0; i < count; ++i)
        {
            largest = std::max(largest, static_cast<double>(std::abs(values[i])));
        }
        const double relative = !options.rtol && atol.data()[k] > 0 ? 0 : rtol.data()[k];
        const double tolerance = std::max(atol.data()[k], relative * largest);
        for (std::size_t i = 0; i < count; ++i)
        {
            visit(k, i, !(std::abs(values[i]) > tolerance));
        }
    }
}

template <class T>
xt::xarray<std::int64_t> rank_of(const char* operation, const Tensor<T>& s, const Stack& stack,
                                 const linalg::RankOptions& options, Location location)
{
    xt::xarray<std::int64_t> rank =
        xt::zeros<std::int64_t>(xt::xarray<std::int64_t>::shape_type(stack.batch.begin(), stack.batch.end()));
    for_each_value(operation, s, stack, options, location,
                   [&rank](std::size_t k, std::size_t, bool zero) { rank.storage()[k] += zero ? 0 : 1; });
    return rank;
}

/// By G. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
/// separate" (1973): dP = -P dA P + P P^T dA^T (1 - A P) + (1 - P A) dA^T P^T P, here transposed.
struct Pinv : detail::Computed<Pinv>
{
    static constexpr const char* name = "pinv";

    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    static Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a)
    {
        const Tensor<T> through = product(product(y, dy, {.transpose_a = true}), y, {.transpose_b = true});
        const Tensor<T> left = product(dy, y, {.transpose_a = true});
        const Tensor<T> right = product(y, dy, {.transpose_b = true});
        return product(left - product(a, product(y, left)), y, {.transpose_b = true}) +
               product(y, right - product(product(right, y), a), {.transpose_a = true}) - through;
    }
};

template <class T>
Tensor<T> pinv_from(const char* operation, const Tensor<T>& a, const linalg::SVD<T>& parts,
                    const linalg::RankOptions& options, Location location)
{
    const Stack stack(a.shape());
    Tensor<T> inverse = detail::zeros<T>(parts.s.shape());
    T* elements = elements_of(inverse);
    for_each_value(operation, parts.s, stack, options, location,
                   [&](std::size_t k, std::size_t i, bool zero)
                   {
                       const std::size_t place = k * stack.smaller() + i;
                       elements[place] = zero ? 0 : 1 / parts.s.data()[place];
                   });
    const Tensor<T> scaled = parts.vh * expand_dims(inverse, -1, location);
    const Tensor<T> value = product(scaled, parts.u, {.transpose_a = true, .transpose_b = true});
    return apply(Pinv{}, location, a, value);
}

}

template <Real T>
Tensor<T> detail::triangular_solve(const Tensor<T>& a, const Tensor<T>& b, TriangularSolve options, Location location)
{
    return apply(SolveTriangular{options}, location, a, b);
}

template <Real T>
Tensor<T> detail::solve_triangular(const Tensor<T>& a, const Tensor<T>& b, linalg::TriangularOptions options,
                                   Location location)
{
    return checked_triangular_solve(
        "solve_triangular", a, b, {options.triangle == linalg::Triangle::upper, options.left, options.unit}, location);
}

template <Real T>
Tensor<T> detail::cholesky_solve(const Tensor<T>& b, const Tensor<T>& factor, linalg::Triangle triangle,
                                 Location location)
{
    return solve_by_factor("cholesky_solve", factor, b, triangle, location);
}

template <Real T>
Tensor<T> linalg::cholesky_inverse(const Tensor<T>& factor, Triangle triangle, Location location)
{
    require_square("cholesky_inverse", factor.shape(), location);
    return solve_by_factor("cholesky_inverse", factor, identity<T>(factor.shape()), triangle, location);
}

template <Real T>
Tensor<T> detail::solve(const Tensor<T>& a, const Tensor<T>& b, bool left, Location location)
{
    const bool vector = left && is_vector_for(a.shape(), b.shape());
    const Tensor<T> columns = vector ? expand_dims(b, -1, location) : b;
    require_system("solve", a.shape(), columns.shape(), left, location);
    const auto [matrices, sides] = with_common_batch("solve", a, columns, location);
    const auto [lu, pivots] = factored("solve", matrices, location);
    require_regular("solve", lu, location);
    if (!left)
    {
        return swapped(apply(Solve{pivots, true}, location, matrices, swapped(sides, location), lu), location);
    }
    const Tensor<T> x = apply(Solve{pivots}, location, matrices, sides, lu);
    return vector ? squeeze(x, -1, location) : x;
}

template <Real T>
Tensor<T> detail::inverse(const char* operation, const Tensor<T>& a, Location location)
{
    require_square(operation, a.shape(), location);
    const auto [lu, pivots] = factored(operation, a, location);
    require_regular(operation, lu, location);
    return apply(Solve{pivots}, location, a, identity<T>(a.shape()), lu);
}

template <Real T>
Tensor<T> linalg::inv(const Tensor<T>& a, Location location)
{
    return detail::inverse("inv", a, location);
}

template <Real T>
Tensor<T> linalg::tensorinv(const Tensor<T>& a, std::size_t split, Location location)
{
    if (split == 0 || split > a.dimension())
    {
        throw ShapeError("tensorinv",
                         "needs from 1 to all of the axes in front: got " + std::to_string(split) + " for shape " +
                             to_string(a.shape()),
                         location);
    }
    const auto middle = a.shape().begin() + split;
    const Shape first(a.shape().begin(), middle);
    Shape result(middle, a.shape().end());
    if (first.elements() != result.elements())
    {
        throw_misfit("tensorinv", "the first axes have not as many elements as the others", first, result, location);
    }
    const std::size_t n = first.elements();
    const Tensor<T> inverse = detail::inverse("tensorinv", reshape(a, Shape{n, n}, location), location);
    for (const std::size_t extent : first)
    {
        result.push_back(extent);
    }
    return reshape(inverse, result, location);
}

template <Real T>
Tensor<T> detail::tensorsolve(const Tensor<T>& a, const Tensor<T>& b, const Axes& axes, Location location)
{
    unsigned moved = 0;
    for (const std::ptrdiff_t axis : axes)
    {
        moved |= 1U << normalize_axis(axis, a.dimension(), "tensorsolve", location);
    }
    Axes order;
    for (std::size_t axis = 0; axis < a.dimension(); ++axis)
    {
        if ((moved >> axis & 1) == 0)
        {
            order.push_back(static_cast<std::ptrdiff_t>(axis));
        }
    }
    for (const std::ptrdiff_t axis : axes)
    {
        order.push_back(axis);
    }
    if (order.size() != a.dimension())
    {
        throw ShapeError("tensorsolve", "an axis is given twice for shape " + to_string(a.shape()), location);
    }
    const Tensor<T> ordered = axes.empty() ? a : transpose(a, order, location);
    const std::size_t n = b.size();
    const std::size_t rank = std::min(b.dimension(), a.dimension());
    const Shape result(ordered.shape().begin() + rank, ordered.shape().end());
    if (result.elements() != n || a.size() != n * n)
    {
        throw_misfit("tensorsolve",
                     "as many axes as the right-hand side has, and the others, must have as many elements",
                     ordered.shape(), b.shape(), location);
    }
    const Tensor<T> square = reshape(ordered, Shape{n, n}, location);
    const auto [lu, pivots] = factored("tensorsolve", square, location);
    require_regular("tensorsolve", lu, location);
    return reshape(apply(Solve{pivots}, location, square, reshape(b, Shape{n, 1}, location), lu), result, location);
}

template <Real T>
Tensor<T> linalg::det(const Tensor<T>& a, Location location)
{
    require_square("det", a.shape(), location);
    const auto [lu, pivots] = factored("det", a, location);
    return apply(Determinant<false>{pivots, all_regular(lu)}, location, a, lu);
}

template <Real T>
linalg::SlogDet<T> linalg::slogdet(const Tensor<T>& a, Location location)
{
    return signed_logarithm("slogdet", a, location);
}

template <Real T>
Tensor<T> linalg::logdet(const Tensor<T>& a, Location location)
{
    const auto [sign, logabsdet] = signed_logarithm("logdet", a, location);
    const T nan = std::numeric_limits<T>::quiet_NaN();
    return formula::select(formula::lt(sign, T(0)), nan, logabsdet);
}

template <Real T>
Tensor<T> linalg::pinv(const Tensor<T>& a, const RankOptions& options, Location location)
{
    require_matrices("pinv", a.shape(), location);
    const SVD<T> parts = spectrum("pinv", stop_gradient(a), options.hermitian, location);
    return pinv_from("pinv", a, parts, options, location);
}

template <Real T>
xt::xarray<std::int64_t> linalg::matrix_rank(const Tensor<T>& a, const RankOptions& options, Location location)
{
    require_matrices("matrix_rank", a.shape(), location);
    const SVD<T> parts = spectrum("matrix_rank", stop_gradient(a), options.hermitian, location);
    return rank_of("matrix_rank", parts.s, Stack(a.shape()), options, location);
}

template <Real T>
linalg::LeastSquares<T> detail::lstsq(const Tensor<T>& a, const Tensor<T>& b, std::optional<double> rcond,
                                      Location location)
{
    require_matrices("lstsq", a.shape(), location);
    const bool vector = is_vector_for(a.shape(), b.shape());
    const Tensor<T> columns = vector ? expand_dims(b, -1, location) : b;
    const Stack stack(a.shape());
    if (columns.dimension() < 2 || columns.shape(columns.dimension() - 2) != stack.rows)
    {
        throw_misfit("lstsq", "the matrix has not as many rows as the right-hand side", a.shape(), b.shape(), location);
    }
    const auto [matrices, sides] = with_common_batch("lstsq", a, columns, location);
    linalg::RankOptions options;
    if (rcond)
    {
        options.rtol = Tensor<double>(*rcond);
    }
    const linalg::SVD<T> parts = svd<T>("lstsq", stop_gradient(matrices), false, location);
    const Tensor<T> solution = product(pinv_from("lstsq", matrices, parts, options, location), sides, {}, location);
    const Tensor<T> error = product(matrices, solution, {}, location) - Operand<T>(sides, location);
    const Tensor<T> residuals = sum(square(error, location), -2, {}, location);
    return {vector ? squeeze(solution, -1, location) : solution, vector ? squeeze(residuals, -1, location) : residuals,
            rank_of("lstsq", parts.s, Stack(matrices.shape()), options, location), parts.s};
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::triangular_solve(const Tensor<T>&, const Tensor<T>&, TriangularSolve, Location);        \
    template Tensor<T> detail::solve_triangular<T>(const Tensor<T>&, const Tensor<T>&, linalg::TriangularOptions,      \
                                                   Location);                                                          \
    template Tensor<T> detail::cholesky_solve<T>(const Tensor<T>&, const Tensor<T>&, linalg::Triangle, Location);      \
    template Tensor<T> linalg::cholesky_inverse(const Tensor<T>&, Triangle, Location);                                 \
    template Tensor<T> detail::solve<T>(const Tensor<T>&, const Tensor<T>&, bool, Location);                           \
    template Tensor<T> detail::inverse(const char*, const Tensor<T>&, Location);                                       \
    template Tensor<T> linalg::inv(const Tensor<T>&, Location);                                                        \
    template Tensor<T> linalg::tensorinv(const Tensor<T>&, std::size_t, Location);                                     \
    template Tensor<T> detail::tensorsolve<T>(const Tensor<T>&, const Tensor<T>&, const Axes&, Location);              \
    template Tensor<T> linalg::det(const Tensor<T>&, Location);                                                        \
    template linalg::SlogDet<T> linalg::slogdet(const Tensor<T>&, Location);                                           \
    template Tensor<T> linalg::logdet(const Tensor<T>&, Location);                                                     \
    template Tensor<T> linalg::pinv(const Tensor<T>&, const RankOptions&, Location);                                   \
    template xt::xarray<std::int64_t> linalg::matrix_rank(const Tensor<T>&, const RankOptions&, Location);             \
    template linalg::LeastSquares<T> detail::lstsq<T>(const Tensor<T>&, const Tensor<T>&, std::optional<double>,       \
                                                      Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
