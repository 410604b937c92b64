#pragma once

#include <autograd/tensor.hpp>

#include <cmath>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>

/// Comparing tensors with expected numbers: `CHECK(close(t, {{1.0, 2.0}, {3.0, 4.0}}))`.

/// Whether they were close; a failing CHECK prints where they were not.
struct Closeness
{
    std::string difference;

    explicit operator bool() const { return difference.empty(); }
    friend std::ostream& operator<<(std::ostream& out, const Closeness& closeness)
    {
        return out << (closeness ? "close" : closeness.difference);
    }
};

/// A few roundings.
template <class T>
inline constexpr double few_roundings = std::is_same_v<T, float> ? 1e-6 : 1e-14;

/// Whether the shapes are equal and all |actual - expected| <= rtol |expected| + atol. NaN is close to NaN only.
template <autograd::Real T>
Closeness close(const autograd::Tensor<T>& actual, const xt::xarray<double>& expected, double rtol = few_roundings<T>,
                double atol = 0)
{
    std::ostringstream out;
    out.precision(17);
    if (actual.shape() != autograd::Shape(expected.shape()))
    {
        out << "shape " << to_string(actual.shape()) << " instead of " << to_string(autograd::Shape(expected.shape()));
        return {out.str()};
    }
    for (std::size_t i = 0; i < actual.size(); ++i)
    {
        const double a = static_cast<double>(actual.data()[i]);
        const double e = expected.storage()[i];
        const bool same = a == e || (std::isnan(a) && std::isnan(e));
        if (!same && !(std::abs(a - e) <= rtol * std::abs(e) + atol && std::isfinite(e)))
        {
            out << "element " << i << " is " << a << " instead of " << e;
            return {out.str()};
        }
    }
    return {};
}

/// The same for a 0-d tensor.
template <autograd::Real T>
Closeness close(const autograd::Tensor<T>& actual, double expected, double rtol = few_roundings<T>, double atol = 0)
{
    xt::xarray<double> number(xt::xarray<double>::shape_type{});
    number() = expected;
    return close(actual, number, rtol, atol);
}

/// An array of shape (n, 1).
inline xt::xarray<double> column(std::initializer_list<double> elements)
{
    xt::xarray<double> result(xt::xarray<double>::shape_type{elements.size(), 1});
    std::copy(elements.begin(), elements.end(), result.storage().begin());
    return result;
}
