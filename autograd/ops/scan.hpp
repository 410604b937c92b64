#pragma once

#include <autograd/ops/indexed.hpp>
#include <autograd/tensor.hpp>

#include <vector>

/// Running sums and the like along an axis, differences, and integrals of samples. A 0-d tensor takes axis 0 or -1 for its
/// only element; an axis out of range throws ShapeError.
namespace autograd
{

/// Running sums along an axis. In float they are added in double.
template <Real T>
Tensor<T> cumsum(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
/// The same over all elements in one axis.
template <Real T>
Tensor<T> cumsum(const Tensor<T>& x, Location location = Location::current());

/// Running products along an axis. Derivatives of all orders are exact also where elements are 0.
template <Real T>
Tensor<T> cumprod(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
/// The same over all elements in one axis.
template <Real T>
Tensor<T> cumprod(const Tensor<T>& x, Location location = Location::current());

/// Running sums and products that leave out NaN.
/// @{
template <Real T>
Tensor<T> nancumsum(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
template <Real T>
Tensor<T> nancumprod(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
/// @}

/// log(cumsum(exp(x))), which neither overflows nor underflows.
template <Real T>
Tensor<T> logcumsumexp(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());

/// The largest (smallest) element so far, and where it stands: the last of equal ones. From a NaN on it is NaN.
/// @{
template <Real T>
Indexed<T> cummax(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
template <Real T>
Indexed<T> cummin(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());
/// @}

/// Each element's difference from the one before it along an axis, n times.
template <Real T>
Tensor<T> diff(const Tensor<T>& x, std::size_t n = 1, std::ptrdiff_t axis = -1,
               Location location = Location::current());

/// The integral along an axis by the trapezoidal rule, of samples at distances dx.
template <Real T>
Tensor<T> trapz(const Tensor<T>& y, double dx = 1, std::ptrdiff_t axis = -1, Location location = Location::current());

/// The integral up to each sample but the first, likewise.
template <Real T>
Tensor<T> cumulative_trapezoid(const Tensor<T>& y, double dx = 1, std::ptrdiff_t axis = -1,
                               Location location = Location::current());

namespace detail
{

template <Real T>
Tensor<T> trapz_at(const Tensor<T>& y, const Tensor<T>& x, std::ptrdiff_t axis, Location location);
template <Real T>
Tensor<T> cumulative_trapezoid_at(const Tensor<T>& y, const Tensor<T>& x, std::ptrdiff_t axis, Location location);

}

/// The same of samples at positions x: one axis of as many as y has along its axis, or an array that broadcasts to y.
/// @throws ShapeError otherwise.
/// @{
template <OperandLike Y, OperandLike X>
    requires(!Arithmetic<X>)
Tensor<element_t<Y, X>> trapz(const Y& y, const X& x, std::ptrdiff_t axis = -1, Location location = Location::current())
{
    using T = element_t<Y, X>;
    return detail::trapz_at<T>(Operand<T>(y, location), Operand<T>(x, location), axis, location);
}
template <OperandLike Y, OperandLike X>
    requires(!Arithmetic<X>)
Tensor<element_t<Y, X>> cumulative_trapezoid(const Y& y, const X& x, std::ptrdiff_t axis = -1,
                                             Location location = Location::current())
{
    using T = element_t<Y, X>;
    return detail::cumulative_trapezoid_at<T>(Operand<T>(y, location), Operand<T>(x, location), axis, location);
}
/// @}

/// Where samples stand, and how the first and the last are treated.
struct Sampling
{
    double spacing = 1;
    std::vector<double> coordinates = {};  ///< instead of a constant spacing
    std::size_t edge_order = 1;            ///< of the accuracy at both ends, 1 or 2
};

/// The derivative along an axis of a function given by samples: central differences, one-sided ones at both ends. What
/// NumPy and PyTorch call `gradient`.
/// @throws ValueError for fewer samples than edge_order + 1, another edge order, or coordinates of which neighbours are
///         equal; ShapeError for another number of coordinates than of samples.
template <Real T>
Tensor<T> central_differences(const Tensor<T>& samples, std::ptrdiff_t axis = -1, const Sampling& sampling = {},
                              Location location = Location::current());

}
