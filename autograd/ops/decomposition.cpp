#include <autograd/matrices.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/registry.hpp>

#include <limits>

namespace autograd
{

namespace
{

using detail::copy_transposed;
using detail::diagonals;
using detail::elements_of;
using detail::factor;
using detail::for_each_matrix;
using detail::identity;
using detail::Lapack;
using detail::lower_triangle;
using detail::name_of_matrix;
using detail::product;
using detail::ratio;
using detail::require_finite;
using detail::require_matrices;
using detail::require_square;
using detail::Stack;
using detail::swapped;
using detail::triangular_solve;
using detail::uninitialised;
using detail::upper_triangle;
using detail::with_diagonals;

int as_int(std::size_t n)
{
    return static_cast<int>(n);
}

/// What LAPACK said of each matrix: 0, or what went wrong.
class Verdicts
{
public:
    explicit Verdicts(const Stack& stack) : stack_(stack), infos_(stack.count) {}

    int& operator[](std::size_t k) noexcept { return infos_[k]; }

    /// Throws ValueError for the first matrix with a verdict, of which `problem(info)` says what is wrong.
    template <class Problem>
    void require_success(const char* operation, const Shape& shape, Location location, const Problem& problem,
                         const char* fix = "") const
    {
        for (std::size_t k = 0; k < stack_.count; ++k)
        {
            if (infos_[k] != 0)
            {
                throw ValueError(operation,
                                 name_of_matrix(stack_, k) + problem(infos_[k]) + ": got shape " + to_string(shape),
                                 location, fix);
            }
        }
    }

private:
    const Stack& stack_;
    std::vector<int> infos_;
};

// The gradients are those of I. Murray, "Differentiation of the Cholesky decomposition" (2016); F. Walter, L. Lehmann,
// "Algorithmic differentiation of linear algebra functions with application in optimum experimental design" (2010); and
// M. Giles, "An extended collection of matrix derivative results for forward and reverse mode AD" (2008).

struct Cholesky : detail::Computed<Cholesky>
{
    static constexpr const char* name = "cholesky";

    template <class T>
    static Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&)
    {
        const Tensor<T> lower = lower_triangle(product(y, dy, {.transpose_a = true}));
        const Tensor<T> symmetric = (lower + swapped(lower_triangle(lower, -1))) / T(2);
        const Tensor<T> left = triangular_solve(y, symmetric, {.upper = false, .transposed = true});
        return triangular_solve(y, left, {.upper = false, .left = false});
    }
};

/// Of at least as many rows as columns: q (m, n) and r (n, n), packed.
struct QRDecomposition : detail::Computed<QRDecomposition>
{
    static constexpr const char* name = "qr";

    template <class T>
    static Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a)
    {
        const Stack stack(a.shape());
        const std::size_t m = stack.rows;
        const std::size_t n = stack.columns;
        const Tensor<T> q = factor(y, 0, {m, n});
        const Tensor<T> r = factor(y, m * n, {n, n});
        const Tensor<T> dq = factor(dy, 0, {m, n});
        const Tensor<T> dr = factor(dy, m * n, {n, n});
        const Tensor<T> inner = product(r, dr, {.transpose_b = true}) - product(dq, q, {.transpose_a = true});
        const Tensor<T> symmetric = lower_triangle(inner) + swapped(lower_triangle(inner, -1));
        return triangular_solve(r, dq + product(q, symmetric), {.upper = true, .left = false, .transposed = true});
    }
};

/// The values and the vectors, packed. The gradient is the symmetric one, whichever triangle was read.
struct EighDecomposition : detail::Computed<EighDecomposition>
{
    static constexpr const char* name = "eigh";

    template <class T>
    static Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a)
    {
        const Stack stack(a.shape());
        const std::size_t n = stack.rows;
        const Tensor<T> values = factor(y, 0, {n});
        const Tensor<T> vectors = factor(y, n, {n, n});
        const Tensor<T> turned = product(vectors, factor(dy, n, {n, n}), {.transpose_a = true});
        const Tensor<T> gaps = expand_dims(values, -2, Location{}) - expand_dims(values, -1, Location{});
        const Tensor<T> inner = ratio((turned - swapped(turned)) / T(2), gaps) + with_diagonals(factor(dy, 0, {n}));
        return product(product(vectors, inner), vectors, {.transpose_b = true});
    }
};

/// u, s and vh, packed. The further columns of u and rows of vh, if they are square, count as constants.
struct SVDecomposition : detail::Computed<SVDecomposition>
{
    static constexpr const char* name = "svd";
    bool operator==(const SVDecomposition&) const = default;
    bool full;

    template <class T>
    Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a) const
    {
        const Stack stack(a.shape());
        const std::size_t k = stack.smaller();
        const auto [u, s, vh] = unpacked(y, stack, Location{});
        const auto [du, ds, dvh] = unpacked(dy, stack, Location{});
        const Tensor<T> row = expand_dims(s, -2, Location{});
        const Tensor<T> column = expand_dims(s, -1, Location{});
        const Tensor<T> gaps = (row - column) * (row + column);
        const Tensor<T> u_turned = product(u, du, {.transpose_a = true});
        const Tensor<T> v_turned = product(vh, dvh, {.transpose_b = true});
        const Tensor<T> inner = ratio(u_turned - swapped(u_turned), gaps) * row +
                                column * ratio(v_turned - swapped(v_turned), gaps) + with_diagonals(ds);
        Tensor<T> result = product(product(u, inner), vh);
        if (stack.rows > k)
        {
            result += product(ratio(du - product(u, u_turned), row), vh);
        }
        if (stack.columns > k)
        {
            result += product(u, ratio(dvh - product(swapped(v_turned), vh), column));
        }
        return result;
    }

    /// The factors of a reduced decomposition.
    template <class T>
    linalg::SVD<T> unpacked(const Tensor<T>& packed, const Stack& stack, Location location) const
    {
        const std::size_t k = stack.smaller();
        const linalg::SVD<T> whole = unpacked_whole(packed, stack, location);
        if (!full)
        {
            return whole;
        }
        return {detail::strided_slice(whole.u, {Slice(ellipsis(), location), Slice(range(0, k), location)}), whole.s,
                detail::strided_slice(
                    whole.vh, {Slice(ellipsis(), location), Slice(range(0, k), location), Slice(all(), location)})};
    }
    template <class T>
    linalg::SVD<T> unpacked_whole(const Tensor<T>& packed, const Stack& stack, Location location) const
    {
        const std::size_t k = stack.smaller();
        const std::size_t width = full ? stack.rows : k;
        const std::size_t height = full ? stack.columns : k;
        return {factor(packed, 0, {stack.rows, width}, location), factor(packed, stack.rows * width, {k}, location),
                factor(packed, stack.rows * width + k, {height, stack.columns}, location)};
    }
};

/// Both triangles of square matrices without row swaps, in one.
struct LUDecomposition : detail::Computed<LUDecomposition>
{
    static constexpr const char* name = "lu";

    template <class T>
    static Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&)
    {
        const Tensor<T> by_l =
            product(lower_triangle(y, -1) + identity<T>(y.shape()), lower_triangle(dy, -1), {.transpose_a = true});
        const Tensor<T> by_u = product(upper_triangle(dy), upper_triangle(y), {.transpose_b = true});
        const Tensor<T> inner = lower_triangle(by_l, -1) + upper_triangle(by_u);
        const Tensor<T> left = triangular_solve(y, inner, {.upper = false, .unit = true, .transposed = true});
        return triangular_solve(y, left, {.upper = true, .left = false, .transposed = true});
    }
};

/// What LAPACK reads and writes, in double also for floats: signs agree in both precisions, and vectors are right to the
/// last digit. One row-major, the other column-major.
/// @{
template <class T>
std::vector<double> columns_of(std::size_t rows, std::size_t columns, const T* in)
{
    std::vector<double> result(rows * columns);
    for (std::size_t row = 0; row < rows; ++row)
    {
        for (std::size_t column = 0; column < columns; ++column)
        {
            result[column * rows + row] = static_cast<double>(*in++);
        }
    }
    return result;
}
template <class T>
void copy_rows(std::size_t rows, std::size_t columns, const std::vector<double>& in, T* out)
{
    for (std::size_t row = 0; row < rows; ++row)
    {
        for (std::size_t column = 0; column < columns; ++column)
        {
            *out++ = static_cast<T>(in[column * rows + row]);
        }
    }
}
/// @}

/// q and r of matrices with at least as many rows as columns, packed: columns of q up to `width`. The reflectors of
/// a = q r are those of a^T = r^T q^T, and row-major memory is the transpose in LAPACK's eyes.
template <class T>
Tensor<T> computed_qr(const Tensor<T>& a, std::size_t width, Location location)
{
    require_finite("qr", a, location);
    const Lapack<T>& lapack = Lapack<T>::load("qr", location);
    const Stack stack(a.shape());
    const std::size_t m = stack.rows;
    const std::size_t n = stack.columns;
    const std::size_t k = stack.smaller();
    const std::size_t size = m * width + width * n;
    Tensor<T> packed = detail::zeros<T>(stack.with({size}));
    for_each_matrix(stack, m * m * n,
                    [&](std::size_t index)
                    {
                        T* q = elements_of(packed) + index * size;
                        T* r = q + m * width;
                        std::vector<T> reflectors(a.data() + index * m * n, a.data() + (index + 1) * m * n);
                        std::vector<T> scales(k);
                        if (k > 0)
                        {
                            lapack.gelqf(as_int(n), as_int(m), reflectors.data(), as_int(n), scales.data());
                        }
                        for (std::size_t row = 0; row < k; ++row)
                        {
                            std::copy_n(reflectors.data() + row * n + row, n - row, r + row * n + row);
                        }
                        for (std::size_t row = 0; row < m; ++row)
                        {
                            std::copy_n(reflectors.data() + row * n, std::min(k, width), q + row * width);
                        }
                        if (m > 0 && width > 0)
                        {
                            lapack.orglq(as_int(width), as_int(m), as_int(k), q, as_int(width), scales.data());
                        }
                    });
    return packed;
}

/// A matrix P for each row of pivots, with P^T a in the order of the swaps.
template <class T>
Tensor<T> permutations(const Indices& pivots, const Shape& shape)
{
    const Stack stack(shape);
    const std::size_t m = stack.rows;
    Tensor<T> p = detail::zeros<T>(shape);
    std::vector<std::size_t> row_of(m);
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        for (std::size_t row = 0; row < m; ++row)
        {
            row_of[row] = row;
        }
        const std::size_t swaps = pivots.size() / stack.count;
        for (std::size_t row = 0; row < swaps; ++row)
        {
            std::swap(row_of[row], row_of[static_cast<std::size_t>(pivots[k * swaps + row] - 1)]);
        }
        for (std::size_t row = 0; row < m; ++row)
        {
            elements_of(p)[(k * m + row_of[row]) * m + row] = 1;
        }
    }
    return p;
}

/// A part of each matrix.
template <class T>
Tensor<T> block(const Tensor<T>& a, std::size_t first_row, std::size_t last_row, std::size_t first_column,
                std::size_t last_column, Location location)
{
    return detail::strided_slice(a, {Slice(ellipsis(), location), Slice(range(first_row, last_row), location),
                                     Slice(range(first_column, last_column), location)});
}

template <class T>
struct Swapped
{
    linalg::LUFactors<T> factors;
    Tensor<T> p;
};

// The square in front has a derivative of its own; what is beside or below it follows by triangular systems.
template <class T>
Swapped<T> lu_for(const char* operation, const Tensor<T>& a, Location location)
{
    require_matrices(operation, a.shape(), location);
    require_finite(operation, a, location);
    const Lapack<T>& lapack = Lapack<T>::load(operation, location);
    const Stack stack(a.shape());
    const std::size_t m = stack.rows;
    const std::size_t n = stack.columns;
    const std::size_t k = stack.smaller();
    Tensor<T> computed = uninitialised<T>(a.shape());
    Indices pivots(stack.with({k}));
    if (a.size() > 0)
    {
        for_each_matrix(stack, m * n * k,
                        [&](std::size_t index)
                        {
                            std::vector<T> columns(m * n);
                            std::vector<int> swaps(k);
                            copy_transposed(m, n, a.data() + index * m * n, columns.data());
                            lapack.getrf(as_int(m), as_int(n), columns.data(), as_int(m), swaps.data());
                            copy_transposed(n, m, columns.data(), elements_of(computed) + index * m * n);
                            std::copy(swaps.begin(), swaps.end(), pivots.data() + index * k);
                        });
    }
    const Tensor<T> p = permutations<T>(pivots, stack.with({m, m}));
    const Tensor<T> rows = product(p, a, {.transpose_a = true}, location);
    const Tensor<T> square =
        apply(LUDecomposition{}, location, block(rows, 0, k, 0, k, location), block(computed, 0, k, 0, k, location));
    if (m > k)
    {
        const Tensor<T> below =
            triangular_solve(square, block(rows, k, m, 0, k, location), {.upper = true, .left = false}, location);
        return {{concatenate({square, below}, -2, location), pivots}, p};
    }
    if (n > k)
    {
        const Tensor<T> beside =
            triangular_solve(square, block(rows, 0, k, k, n, location), {.upper = false, .unit = true}, location);
        return {{concatenate({square, beside}, -1, location), pivots}, p};
    }
    return {{square, pivots}, p};
}

}

template <Real T>
Tensor<T> linalg::cholesky(const Tensor<T>& a, Triangle triangle, Location location)
{
    require_square("cholesky", a.shape(), location);
    if (triangle == Triangle::upper)
    {
        return swapped(cholesky(swapped(a, location), Triangle::lower, location), location);
    }
    require_finite("cholesky", a, location);
    const Lapack<T>& lapack = Lapack<T>::load("cholesky", location);
    const Stack stack(a.shape());
    const std::size_t n = stack.rows;
    Tensor<T> l = lower_triangle(stop_gradient(a, Location{}));
    Verdicts verdicts(stack);
    if (a.size() > 0)
    {
        T* elements = elements_of(l);
        for_each_matrix(stack, n * n * n,
                        [&](std::size_t k)
                        { verdicts[k] = lapack.potrf('U', as_int(n), elements + k * n * n, as_int(n)); });
    }
    verdicts.require_success(
        "cholesky", a.shape(), location,
        [](int info)
        { return " is not positive definite: its leading minor of order " + std::to_string(info) + " is not"; },
        "Add a little to the diagonal.");
    return apply(Cholesky{}, location, a, l);
}

template <Real T>
linalg::QR<T> linalg::qr(const Tensor<T>& a, QRMode mode, Location location)
{
    require_matrices("qr", a.shape(), location);
    const Stack stack(a.shape());
    const std::size_t m = stack.rows;
    const std::size_t n = stack.columns;
    const std::size_t k = stack.smaller();
    if (mode == QRMode::complete && m > n)
    {
        detail::Slot slot = detail::no_slot;
        detail::Arena& arena = detail::Arena::current();
        if (arena.recording())
        {
            arena.read(a.node(), slot);
        }
        if (slot != detail::no_slot)
        {
            throw ValueError("qr",
                             "the complete mode has no derivative for more rows than columns: got shape " +
                                 to_string(a.shape()),
                             location, "Use the reduced mode, or stop_gradient.");
        }
        const Tensor<T> packed = computed_qr(a, m, location);
        return {factor(packed, 0, {m, m}, location), factor(packed, m * m, {m, n}, location)};
    }
    const Tensor<T> front = m < n ? block(a, 0, m, 0, m, location) : a;
    const Tensor<T> packed = apply(QRDecomposition{}, location, front, computed_qr(front, k, location));
    const Tensor<T> q = factor(packed, 0, {m, k}, location);
    Tensor<T> r = factor(packed, m * k, {k, k}, location);
    if (m < n)
    {
        const Tensor<T> beside = product(q, block(a, 0, m, m, n, location), {.transpose_a = true}, location);
        r = concatenate({r, beside}, -1, location);
    }
    return {mode == QRMode::r ? Tensor<T>() : q, r};
}

template <Real T>
linalg::SVD<T> detail::svd(const char* operation, const Tensor<T>& a, bool full_matrices, Location location)
{
    require_matrices(operation, a.shape(), location);
    require_finite(operation, a, location);
    const Lapack<double>& lapack = Lapack<double>::load(operation, location);
    const Stack stack(a.shape());
    const std::size_t m = stack.rows;
    const std::size_t n = stack.columns;
    const std::size_t k = stack.smaller();
    const std::size_t width = full_matrices ? m : k;
    const std::size_t height = full_matrices ? n : k;
    const std::size_t size = m * width + k + height * n;
    Tensor<T> packed = zeros<T>(stack.with({size}));
    T* elements = elements_of(packed);
    Verdicts verdicts(stack);
    for_each_matrix(stack, m * n * (m + n),
                    [&](std::size_t index)
                    {
                        T* u = elements + index * size;
                        T* s = u + m * width;
                        T* vh = s + k;
                        if (k == 0)
                        {
                            for (std::size_t row = 0; row < std::min(m, width); ++row)
                            {
                                u[row * width + row] = 1;
                            }
                            for (std::size_t row = 0; row < std::min(n, height); ++row)
                            {
                                vh[row * n + row] = 1;
                            }
                            return;
                        }
                        std::vector<double> columns = columns_of(m, n, a.data() + index * m * n);
                        std::vector<double> u_columns(m * width);
                        std::vector<double> values(k);
                        std::vector<double> vh_columns(height * n);
                        verdicts[index] =
                            lapack.gesdd(full_matrices ? 'A' : 'S', as_int(m), as_int(n), columns.data(), as_int(m),
                                         values.data(), u_columns.data(), as_int(m), vh_columns.data(), as_int(height));
                        copy_rows(m, width, u_columns, u);
                        copy_rows(k, 1, values, s);
                        copy_rows(height, n, vh_columns, vh);
                    });
    verdicts.require_success(operation, a.shape(), location,
                             [](int) { return std::string(": its singular values do not converge"); });
    const SVDecomposition decomposition{{}, full_matrices};
    return decomposition.unpacked_whole(apply(decomposition, location, a, packed), stack, location);
}

template <Real T>
linalg::SVD<T> linalg::svd(const Tensor<T>& a, bool full_matrices, Location location)
{
    return detail::svd<T>("svd", a, full_matrices, location);
}

template <Real T>
Tensor<T> linalg::svdvals(const Tensor<T>& a, Location location)
{
    return detail::svd<T>("svdvals", a, false, location).s;
}

template <Real T>
linalg::Eigh<T> detail::eigh(const char* operation, const Tensor<T>& a, linalg::Triangle triangle, Location location)
{
    require_square(operation, a.shape(), location);
    require_finite(operation, a, location);
    const Lapack<double>& lapack = Lapack<double>::load(operation, location);
    const Stack stack(a.shape());
    const std::size_t n = stack.rows;
    const std::size_t size = n + n * n;
    Tensor<T> packed = uninitialised<T>(stack.with({size}));
    T* elements = elements_of(packed);
    Verdicts verdicts(stack);
    if (a.size() > 0)
    {
        for_each_matrix(stack, n * n * n,
                        [&](std::size_t k)
                        {
                            std::vector<double> columns = columns_of(n, n, a.data() + k * n * n);
                            std::vector<double> values(n);
                            verdicts[k] = lapack.syevd(triangle == linalg::Triangle::upper ? 'U' : 'L', as_int(n),
                                                       columns.data(), as_int(n), values.data());
                            copy_rows(n, 1, values, elements + k * size);
                            copy_rows(n, n, columns, elements + k * size + n);
                        });
    }
    verdicts.require_success(operation, a.shape(), location,
                             [](int) { return std::string(": its eigenvalues do not converge"); });
    const Tensor<T> recorded = apply(EighDecomposition{}, location, a, packed);
    return {factor(recorded, 0, {n}, location), factor(recorded, n, {n, n}, location)};
}

template <Real T>
linalg::Eigh<T> linalg::eigh(const Tensor<T>& a, Triangle triangle, Location location)
{
    return detail::eigh<T>("eigh", a, triangle, location);
}

template <Real T>
Tensor<T> linalg::eigvalsh(const Tensor<T>& a, Triangle triangle, Location location)
{
    return detail::eigh<T>("eigvalsh", a, triangle, location).values;
}

template <Real T>
linalg::LUFactors<T> linalg::lu_factor(const Tensor<T>& a, Location location)
{
    return lu_for("lu_factor", a, location).factors;
}

template <Real T>
linalg::LU<T> linalg::lu(const Tensor<T>& a, Location location)
{
    const auto [factors, p] = lu_for("lu", a, location);
    const Stack stack(a.shape());
    const std::size_t k = stack.smaller();
    const Tensor<T> l = lower_triangle(block(factors.lu, 0, stack.rows, 0, k, location), -1);
    const Tensor<T> ones = identity<T>(l.shape());
    return {p, l + Operand<T>(ones, location), upper_triangle(block(factors.lu, 0, k, 0, stack.columns, location))};
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> linalg::cholesky(const Tensor<T>&, Triangle, Location);                                         \
    template linalg::QR<T> linalg::qr(const Tensor<T>&, QRMode, Location);                                             \
    template linalg::SVD<T> detail::svd(const char*, const Tensor<T>&, bool, Location);                                \
    template linalg::SVD<T> linalg::svd(const Tensor<T>&, bool, Location);                                             \
    template Tensor<T> linalg::svdvals(const Tensor<T>&, Location);                                                    \
    template linalg::Eigh<T> detail::eigh(const char*, const Tensor<T>&, linalg::Triangle, Location);                  \
    template linalg::Eigh<T> linalg::eigh(const Tensor<T>&, Triangle, Location);                                       \
    template Tensor<T> linalg::eigvalsh(const Tensor<T>&, Triangle, Location);                                         \
    template linalg::LUFactors<T> linalg::lu_factor(const Tensor<T>&, Location);                                       \
    template linalg::LU<T> linalg::lu(const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

namespace
{

/// A matrix whose singular values are near 2, 4, 6, ... and far from each other; what is no matrix stays as it is.
template <class T>
Tensor<T> spread(const Tensor<T>& x)
{
    if (x.dimension() < 2)
    {
        return x;
    }
    Tensor<T> diagonal = identity<T>({x.shape(x.dimension() - 2), x.shape(x.dimension() - 1)});
    for (std::size_t row = 0; row < Stack(diagonal.shape()).smaller(); ++row)
    {
        elements_of(diagonal)[row * diagonal.shape(1) + row] = static_cast<T>(2 * row + 2);
    }
    return x / T(4) + diagonal;
}

/// The same of a map between arrays of four elements.
template <class T>
Tensor<T> spread_map(const Tensor<T>& x)
{
    return x.size() == 16 ? reshape(spread(reshape(x, {4, 4})), x.shape()) : x;
}

/// The same, symmetric, so that its eigenvalues are positive.
template <class T>
Tensor<T> positive(const Tensor<T>& x)
{
    const bool square = x.dimension() >= 2 && x.shape(x.dimension() - 2) == x.shape(x.dimension() - 1);
    return square ? (spread(x) + swapped(spread(x))) / T(2) : x;
}

/// A triangle of the same.
template <class T>
Tensor<T> triangle(const Tensor<T>& x, bool upper)
{
    return x.dimension() < 2 ? x : upper ? upper_triangle(spread(x)) : lower_triangle(spread(x));
}

/// All elements of several results.
template <class T>
Tensor<T> joined(std::initializer_list<Tensor<T>> results)
{
    std::vector<Tensor<T>> flat;
    for (const Tensor<T>& result : results)
    {
        flat.push_back(flatten(result));
    }
    return concatenate(flat);
}

template <class T>
Tensor<T> joined(const linalg::QR<T>& qr)
{
    return qr.q.defined() ? joined({qr.q, qr.r}) : qr.r;
}
template <class T>
Tensor<T> joined(const linalg::SVD<T>& svd)
{
    return joined({svd.u, svd.s, svd.vh});
}
template <class T>
Tensor<T> joined(const linalg::Eigh<T>& eigh)
{
    return joined({eigh.values, eigh.vectors});
}

linalg::Triangle any_triangle(Arbitrary& any)
{
    return any.flag() ? linalg::Triangle::upper : linalg::Triangle::lower;
}

linalg::RankOptions any_rank_options(Arbitrary& any)
{
    linalg::RankOptions options{.hermitian = any.flag()};
    if (any.flag())
    {
        options.rtol = Tensor<double>(any.number());
    }
    if (any.flag())
    {
        options.atol = detail::zeros<double>(any.shape());
    }
    return options;
}

linalg::NormOrder any_order(Arbitrary& any)
{
    return any.one_of<linalg::NormOrder>(
        {1, -1, 2, -2, std::numeric_limits<double>::infinity(), "fro", "nuc", "max", 3});
}

}

EXAMPLE(solve, columns, real, ({3, 3}, {3, 2}), linalg::solve(spread(x[0]), x[1]))
EXAMPLE(solve, vectors, real, ({2, 2, 2}, {2, 2}), linalg::solve(spread(x[0]), x[1]))
EXAMPLE(solve, right, real, ({2, 2}, {2, 3, 2}), linalg::solve(spread(x[0]), x[1], {.left = false}))
EXAMPLE(solve_triangular, lower, real, ({3, 3}, {3, 2}), linalg::solve_triangular(spread(x[0]), x[1]))
EXAMPLE(solve_triangular, upper, real, ({2, 2}, {2, 3, 2}),
        linalg::solve_triangular(spread(x[0]), x[1], {.triangle = linalg::Triangle::upper, .left = false}))
EXAMPLE(solve_triangular, unit, real, ({2, 2, 2}, {2, 1}), linalg::solve_triangular(x[0], x[1], {.unit = true}))
EXAMPLE(cholesky_solve, lower, real, ({2, 1}, {2, 2}), linalg::cholesky_solve(x[0], triangle(x[1], false)))
EXAMPLE(cholesky_solve, upper, real, ({2, 1}, {2, 2}),
        linalg::cholesky_solve(x[0], triangle(x[1], true), linalg::Triangle::upper))
EXAMPLE(cholesky_inverse, lower, real, ({3, 3}), linalg::cholesky_inverse(triangle(x[0], false)))
EXAMPLE(inv, matrices, real, ({2, 2, 2}), linalg::inv(spread(x[0])))
EXAMPLE(tensorsolve, square, real, ({2, 2, 4}, {2, 2}), linalg::tensorsolve(spread_map(x[0]), x[1]))
EXAMPLE(tensorinv, square, real, ({4, 2, 2}), linalg::tensorinv(spread_map(x[0]), 1))
EXAMPLE(pinv, tall, real, ({3, 2}), linalg::pinv(spread(x[0])))
EXAMPLE(pinv, wide, real, ({2, 2, 3}), linalg::pinv(spread(x[0])))
EXAMPLE(lstsq, tall, real, ({3, 2}, {3, 2}), linalg::lstsq(spread(x[0]), x[1]).solution)
EXAMPLE(det, matrix, real, ({3, 3}), linalg::det(x[0]))
EXAMPLE(det, matrices, real, ({2, 2, 2}), linalg::det(x[0]))
EXAMPLE(slogdet, matrices, real, ({2, 2, 2}), linalg::slogdet(spread(x[0])).logabsdet)
EXAMPLE(logdet, matrix, real, ({3, 3}), linalg::logdet(spread(x[0])))
EXAMPLE(cholesky, lower, real, ({3, 3}), linalg::cholesky(positive(x[0])))
EXAMPLE(cholesky, upper, real, ({2, 2, 2}), linalg::cholesky(positive(x[0]), linalg::Triangle::upper))
EXAMPLE(qr, tall, real, ({3, 2}), joined(linalg::qr(spread(x[0]))))
EXAMPLE(qr, wide, real, ({2, 2, 3}), joined(linalg::qr(spread(x[0]))))
EXAMPLE(svd, tall, real, ({3, 2}), joined(linalg::svd(spread(x[0]), false)))
EXAMPLE(svd, wide, real, ({2, 2, 3}), joined(linalg::svd(spread(x[0]), false)))
EXAMPLE(svdvals, square, real, ({3, 3}), linalg::svdvals(spread(x[0])))
EXAMPLE(eigh, lower, real, ({3, 3}), joined(linalg::eigh(positive(x[0]))))
EXAMPLE(eigh, stack, real, ({2, 2, 2}), joined(linalg::eigh(positive(x[0]))))
EXAMPLE(eigvalsh, upper, real, ({3, 3}), linalg::eigvalsh(positive(x[0]), linalg::Triangle::upper))
EXAMPLE(lu_factor, square, real, ({3, 3}), linalg::lu_factor(spread(x[0])).lu)
EXAMPLE(lu_factor, tall, real, ({3, 2}), linalg::lu_factor(spread(x[0])).lu)
EXAMPLE(lu, wide, real, ({2, 3}), linalg::lu(spread(x[0])).u)
EXAMPLE(matrix_power, positive, real, ({2, 2}), linalg::matrix_power(x[0], 3))
EXAMPLE(matrix_power, negative, real, ({2, 2, 2}), linalg::matrix_power(spread(x[0]), -2))
EXAMPLE(matrix_exp, matrices, real, ({2, 2, 2}), linalg::matrix_exp(x[0]))
EXAMPLE(matrix_norm, fro, real, ({2, 3}), linalg::matrix_norm(x[0]))
EXAMPLE(matrix_norm, nuc, real, ({3, 2}), linalg::matrix_norm(spread(x[0]), "nuc"))
EXAMPLE(matrix_norm, two, real, ({2, 2, 3}), linalg::matrix_norm(spread(x[0]), 2, {2, 0}, keep_dims))
EXAMPLE(matrix_norm, one, real, ({2, 3}), linalg::matrix_norm(spread(x[0]), 1))
EXAMPLE(norm, vectors, real, ({2, 3}), linalg::norm(x[0], 3, 1))
EXAMPLE(norm, matrices, real, ({2, 3}), linalg::norm(spread(x[0]), "nuc"))
EXAMPLE(norm, elements, real, ({2, 3, 2}), linalg::norm(x[0]))
EXAMPLE(cond, two, real, ({3, 2}), linalg::cond(spread(x[0])))
EXAMPLE(cond, one, real, ({2, 2}), linalg::cond(spread(x[0]), -1))
TRIAL(solve, any, ({2, 2}, {2, 2}), linalg::solve(x[0], x[1], {.left = any.flag()}))
TRIAL(solve_triangular, any, ({2, 2}, {2, 2}),
      linalg::solve_triangular(x[0], x[1], {any_triangle(any), any.flag(), any.flag()}))
TRIAL(cholesky, any, ({3, 3}), linalg::cholesky(positive(x[0]), any_triangle(any)))
TRIAL(qr, any, ({3, 2}),
      joined(linalg::qr(x[0], any.one_of({linalg::QRMode::reduced, linalg::QRMode::complete, linalg::QRMode::r}))))
TRIAL(svd, any, ({3, 2}), joined(linalg::svd(x[0], any.flag())))
TRIAL(eigh, any, ({3, 3}), joined(linalg::eigh(x[0], any_triangle(any))))
TRIAL(pinv, any, ({3, 3}), linalg::pinv(x[0], any_rank_options(any)))
TRIAL(lstsq, any, ({3, 2}, {3}), linalg::lstsq(x[0], x[1], any.number()).residuals)
TRIAL(tensorsolve, any, ({4, 2, 2}, {4}), linalg::tensorsolve(x[0], x[1], any.axes()))
TRIAL(tensorinv, any, ({2, 2, 4}), linalg::tensorinv(x[0], any.below(6)))
TRIAL(matrix_power, any, ({2, 2}), linalg::matrix_power(x[0], any.integer()))
TRIAL(matrix_norm, any, ({2, 3}),
      linalg::matrix_norm(x[0], any_order(any), {any.axis(), any.axis()}, KeepDims{any.flag()}))
TRIAL(norm, any, ({2, 3}), linalg::norm(x[0], any_order(any), any.axes(), KeepDims{any.flag()}))
TRIAL(cond, any, ({3, 3}), linalg::cond(x[0], any_order(any)))

static constexpr Names names[] = {
    {"linalg::solve", "linalg::solve", "linalg.solve", "linalg.solve"},
    {"linalg::solve_triangular", "linalg::solve_triangular", "scipy.linalg.solve_triangular",
     "linalg.solve_triangular"},
    {"linalg::cholesky_solve", "linalg::solve_cholesky", "scipy.linalg.cho_solve", "cholesky_solve"},
    {"linalg::cholesky_inverse", nullptr, nullptr, "cholesky_inverse"},
    {"linalg::inv", "linalg::inv", "linalg.inv", "linalg.inv"},
    {"linalg::tensorsolve", nullptr, "linalg.tensorsolve", "linalg.tensorsolve"},
    {"linalg::tensorinv", nullptr, "linalg.tensorinv", "linalg.tensorinv"},
    {"linalg::pinv", "linalg::pinv", "linalg.pinv", "linalg.pinv"},
    {"linalg::matrix_rank", "linalg::matrix_rank", "linalg.matrix_rank", "linalg.matrix_rank"},
    {"linalg::lstsq", "linalg::lstsq", "linalg.lstsq", "linalg.lstsq"},
    {"linalg::det", "linalg::det", "linalg.det", "linalg.det"},
    {"linalg::slogdet", "linalg::slogdet", "linalg.slogdet", "linalg.slogdet"},
    {"linalg::logdet", nullptr, nullptr, "logdet"},
    {"linalg::cholesky", "linalg::cholesky", "linalg.cholesky", "linalg.cholesky"},
    {"linalg::qr", "linalg::qr", "linalg.qr", "linalg.qr"},
    {"linalg::svd", "linalg::svd", "linalg.svd", "linalg.svd"},
    {"linalg::svdvals", nullptr, "linalg.svdvals", "linalg.svdvals"},
    {"linalg::eigh", "linalg::eigh", "linalg.eigh", "linalg.eigh"},
    {"linalg::eigvalsh", "linalg::eigvalsh", "linalg.eigvalsh", "linalg.eigvalsh"},
    {"linalg::lu_factor", nullptr, "scipy.linalg.lu_factor", "linalg.lu_factor"},
    {"linalg::lu", nullptr, "scipy.linalg.lu", "linalg.lu"},
    {"linalg::matrix_power", "linalg::matrix_power", "linalg.matrix_power", "linalg.matrix_power"},
    {"linalg::matrix_exp", nullptr, "scipy.linalg.expm", "matrix_exp"},
    {"linalg::matrix_norm", nullptr, "linalg.matrix_norm", "linalg.matrix_norm"},
    {"linalg::norm", "linalg::norm", "linalg.norm", "linalg.norm"},
    {"linalg::cond", "linalg::cond", "linalg.cond", "linalg.cond"},
};
static const NameTable name_table("Decompositions", names);

void detail::decomposition_family() noexcept {}

}
