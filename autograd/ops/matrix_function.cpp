#include <autograd/matrices.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace autograd
{

namespace
{

using detail::identity;
using detail::product;
using detail::require_finite;
using detail::require_matrices;
using detail::require_square;
using detail::Stack;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// a^n for n > 0.
template <class T>
Tensor<T> power(Tensor<T> square, std::size_t exponent, Location location)
{
    while (exponent % 2 == 0)
    {
        square = product(square, square, {}, location);
        exponent /= 2;
    }
    Tensor<T> result = square;
    while ((exponent /= 2) > 0)
    {
        square = product(square, square, {}, location);
        if (exponent % 2 != 0)
        {
            result = product(result, square, {}, location);
        }
    }
    return result;
}

std::string text_of(linalg::NormOrder order)
{
    if (!order.name().empty())
    {
        return "\"" + std::string(order.name()) + "\"";
    }
    std::string text = std::to_string(order.number());
    text.erase(text.find_last_not_of('0') + 1);
    return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

/// The largest or the smallest.
template <class T>
Tensor<T> extreme(bool largest, const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return largest ? amax(x, axis, keep, location) : amin(x, axis, keep, location);
}

/// The norm of matrices whose rows and columns are counted by two axes.
template <class T>
Tensor<T> norm_of_matrices(const char* operation, const Tensor<T>& a, linalg::NormOrder order, const Axes& axes,
                           KeepDims keep, Location location)
{
    const auto place = [&](std::size_t k)
    { return detail::normalize_axis(axes[k], a.dimension(), operation, location); };
    if (axes.size() != 2 || place(0) == place(1))
    {
        throw ShapeError(operation,
                         "needs two axes: got " + std::to_string(axes.size()) + " for shape " + to_string(a.shape()),
                         location);
    }
    const std::size_t rows = place(0);
    const std::size_t columns = place(1);
    const double number = order.number();
    const bool nuclear = order.name() == "nuc";
    if (order.name() == "fro")
    {
        return norm(a, {rows, columns}, keep, location);
    }
    if (!nuclear && std::abs(number) != 1 && std::abs(number) != 2 && std::abs(number) != infinity)
    {
        throw ValueError(operation, "no norm of matrices: got order " + text_of(order), location,
                         "There are 1, 2, infinity, their negatives, \"fro\" and \"nuc\".");
    }
    const bool by_values = nuclear || std::abs(number) == 2;
    const std::size_t extremes =
        by_values ? std::min(a.shape(rows), a.shape(columns)) : a.shape(std::abs(number) == 1 ? columns : rows);
    if (!nuclear && extremes == 0)
    {
        throw ValueError(operation,
                         "nothing has no extreme: got order " + text_of(order) + " for shape " + to_string(a.shape()),
                         location);
    }
    Axes others;
    Shape result;
    for (std::size_t axis = 0; axis < a.dimension(); ++axis)
    {
        const bool reduced = axis == rows || axis == columns;
        if (!reduced)
        {
            others.push_back(static_cast<std::ptrdiff_t>(axis));
        }
        if (!reduced || keep.keep)
        {
            result.push_back(reduced ? 1 : a.shape(axis));
        }
    }
    if (!by_values)
    {
        const auto summed = static_cast<std::ptrdiff_t>(std::abs(number) == 1 ? rows : columns);
        const auto compared = static_cast<std::ptrdiff_t>(std::abs(number) == 1 ? columns : rows);
        const Tensor<T> sums = sum(abs(a, location), summed, keep_dims, location);
        return reshape(extreme(number > 0, sums, compared, keep_dims, location), result, location);
    }
    others.push_back(static_cast<std::ptrdiff_t>(rows));
    others.push_back(static_cast<std::ptrdiff_t>(columns));
    const Tensor<T> matrices = rows + 2 == a.dimension() && columns > rows ? a : transpose(a, others, location);
    const Tensor<T> values = detail::svd<T>(operation, matrices, false, location).s;
    const Tensor<T> norms = nuclear ? sum(values, -1, {}, location) : extreme(number > 0, values, -1, {}, location);
    return reshape(norms, result, location);
}

}

template <Real T>
Tensor<T> linalg::matrix_power(const Tensor<T>& a, std::ptrdiff_t exponent, Location location)
{
    require_square("matrix_power", a.shape(), location);
    if (exponent == 0)
    {
        return identity<T>(a.shape());
    }
    if (exponent > 0)
    {
        return power(a, static_cast<std::size_t>(exponent), location);
    }
    return power(detail::inverse("matrix_power", a, location), std::size_t{0} - static_cast<std::size_t>(exponent),
                 location);
}

// Scaling and squaring (N. Higham, "Functions of Matrices", 2008, chapter 10), with Taylor's polynomial of degree 17, whose
// remainder below a norm of 1 is a rounding error; as one of degree 5 in a^3 (M. Paterson, L. Stockmeyer, 1973).
template <Real T>
Tensor<T> linalg::matrix_exp(const Tensor<T>& a, Location location)
{
    require_square("matrix_exp", a.shape(), location);
    require_finite("matrix_exp", a, location);
    const Stack stack(a.shape());
    double largest = 0;
    for (std::size_t row = 0; row < stack.count * stack.rows; ++row)
    {
        double total = 0;
        for (std::size_t column = 0; column < stack.columns; ++column)
        {
            total += std::abs(static_cast<double>(a.data()[row * stack.columns + column]));
        }
        largest = std::max(largest, total);
    }
    const int squarings = largest > 1 ? std::min(std::ilogb(largest) + 1, 1024) : 0;
    const Tensor<T> scaled = squarings == 0 ? a : a * Operand<T>(std::ldexp(1.0, -squarings), location);
    const Tensor<T> square = product(scaled, scaled, {}, location);
    const Tensor<T> cube = product(square, scaled, {}, location);
    const Tensor<T> one = identity<T>({stack.rows, stack.rows});
    std::array<double, 18> coefficients{1};
    for (std::size_t k = 1; k < coefficients.size(); ++k)
    {
        coefficients[k] = coefficients[k - 1] / static_cast<double>(k);
    }
    Tensor<T> result;
    for (std::size_t k = coefficients.size(); k > 0; k -= 3)
    {
        const auto term = [&](std::size_t of, const Tensor<T>& x) -> Tensor<T>
        { return x * Operand<T>(coefficients[k - 3 + of], location); };
        Tensor<T> block = term(1, scaled) + Operand<T>(term(2, square), location);
        block = block + Operand<T>(term(0, one), location);
        result = result.defined() ? product(result, cube, {}, location) + Operand<T>(block, location) : block;
    }
    for (int k = 0; k < squarings; ++k)
    {
        result = product(result, result, {}, location);
    }
    return result;
}

template <Real T>
Tensor<T> linalg::matrix_norm(const Tensor<T>& a, NormOrder order, Axes axes, KeepDims keep, Location location)
{
    require_matrices("matrix_norm", a.shape(), location);
    return norm_of_matrices("matrix_norm", a, order, axes, keep, location);
}

template <Real T>
Tensor<T> linalg::norm(const Tensor<T>& a, std::optional<NormOrder> order, Axes axes, KeepDims keep, Location location)
{
    if (!order)
    {
        return autograd::norm(a, axes, keep, location);
    }
    const std::size_t count = axes.empty() ? a.dimension() : axes.size();
    if (count == 2)
    {
        return norm_of_matrices("norm", a, *order, axes.empty() ? Axes{0, 1} : axes, keep, location);
    }
    if (count != 1)
    {
        throw ShapeError("norm",
                         "an order needs one axis or two: got " + std::to_string(count) + " of shape " +
                             to_string(a.shape()),
                         location);
    }
    if (!order->name().empty())
    {
        throw ValueError("norm", "no norm of vectors: got order " + text_of(*order), location);
    }
    return detail::norm_of_order("norm", a, order->number(), axes, keep, location);
}

template <Real T>
Tensor<T> linalg::cond(const Tensor<T>& a, NormOrder order, Location location)
{
    require_matrices("cond", a.shape(), location);
    if (std::abs(order.number()) == 2)
    {
        if (Stack(a.shape()).smaller() == 0)
        {
            throw ValueError("cond", "an empty matrix has none: got shape " + to_string(a.shape()), location);
        }
        const Tensor<T> values = detail::svd<T>("cond", a, false, location).s;
        return extreme(order.number() > 0, values, -1, {}, location) /
               Operand<T>(extreme(order.number() < 0, values, -1, {}, location), location);
    }
    const Axes matrices{-2, -1};
    const Tensor<T> inverse = detail::inverse("cond", a, location);
    return norm_of_matrices("cond", a, order, matrices, {}, location) *
           Operand<T>(norm_of_matrices("cond", inverse, order, matrices, {}, location), location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> linalg::matrix_power(const Tensor<T>&, std::ptrdiff_t, Location);                               \
    template Tensor<T> linalg::matrix_exp(const Tensor<T>&, Location);                                                 \
    template Tensor<T> linalg::matrix_norm(const Tensor<T>&, NormOrder, Axes, KeepDims, Location);                     \
    template Tensor<T> linalg::norm(const Tensor<T>&, std::optional<NormOrder>, Axes, KeepDims, Location);             \
    template Tensor<T> linalg::cond(const Tensor<T>&, NormOrder, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
