#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/indexed.hpp>
#include <autograd/tensor.hpp>

/// Order along an axis. NaN counts as greater than all numbers, and equal elements keep their order. A 0-d tensor takes axis
/// 0 or -1 for its only element; an axis out of range throws ShapeError. Gradients go to the elements that were chosen.
namespace autograd
{

enum class Order
{
    ascending,
    descending
};

/// The elements in order. `topk` of all of them gives them with their positions.
template <Real T>
Tensor<T> sort(const Tensor<T>& x, std::ptrdiff_t axis = -1, Order order = Order::ascending,
               Location location = Location::current());

/// Where the elements stand that would be first, second, ... in order.
template <Real T>
xt::xarray<std::int64_t> argsort(const Tensor<T>& x, std::ptrdiff_t axis = -1, Order order = Order::ascending,
                                 Location location = Location::current());

/// The k largest elements from the largest down, or the smallest from the smallest up (Order::ascending).
/// @throws ValueError if there are fewer.
template <Real T>
Indexed<T> topk(const Tensor<T>& x, std::size_t k, std::ptrdiff_t axis = -1, Order order = Order::descending,
                Location location = Location::current());

/// The k-th smallest element; k counts from 1.
/// @throws ValueError if there is none such.
template <Real T>
Indexed<T> kthvalue(const Tensor<T>& x, std::size_t k, std::ptrdiff_t axis = -1, KeepDims keep = {},
                    Location location = Location::current());

/// The most frequent element, the smallest of several, at its last place. NaN differs from NaN.
/// @throws ValueError for none.
template <Real T>
Indexed<T> mode(const Tensor<T>& x, std::ptrdiff_t axis = -1, KeepDims keep = {},
                Location location = Location::current());

/// How a quantile that falls between two elements is found.
enum class QuantileMethod
{
    linear,
    lower,
    higher,
    nearest,  ///< the one of even rank if it falls halfway
    midpoint
};

namespace detail
{

template <Real T>
Tensor<T> quantile(const Tensor<T>& x, const Tensor<T>& q, const Axes& axes, QuantileMethod method, KeepDims keep,
                   Location location);
template <Real T>
Tensor<T> nanquantile(const Tensor<T>& x, const Tensor<T>& q, const Axes& axes, QuantileMethod method, KeepDims keep,
                      Location location);

}

/// The value below which the part q of the elements lies, over some axes or all: element q (n - 1) of those in order. q is
/// one number or a vector, whose axis then comes first in the result; a linear method has a derivative by q, too.
/// NaN if an element is.
/// @throws ValueError for q outside [0, 1], and for no elements; ShapeError for q of more than one axis.
template <OperandLike X, OperandLike Q>
Tensor<element_t<X, Q>> quantile(const X& x, const Q& q, Axes axes = {}, QuantileMethod method = QuantileMethod::linear,
                                 KeepDims keep = {}, Location location = Location::current())
{
    using T = element_t<X, Q>;
    return detail::quantile<T>(Operand<T>(x, location), Operand<T>(q, location), axes, method, keep, location);
}

/// The same of the elements that are not NaN; NaN if there is none.
template <OperandLike X, OperandLike Q>
Tensor<element_t<X, Q>> nanquantile(const X& x, const Q& q, Axes axes = {},
                                    QuantileMethod method = QuantileMethod::linear, KeepDims keep = {},
                                    Location location = Location::current())
{
    using T = element_t<X, Q>;
    return detail::nanquantile<T>(Operand<T>(x, location), Operand<T>(q, location), axes, method, keep, location);
}

/// The middle element of those in order, or the mean of both middle ones, over some axes or all. NaN if an element is.
/// @throws ValueError for no elements.
template <Real T>
Tensor<T> median(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The same of the elements that are not NaN.
template <Real T>
Tensor<T> nanmedian(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The lower one of both middle elements, which PyTorch calls the median. The first NaN if there is one.
/// @throws ValueError for no elements.
template <Real T>
Indexed<T> median_low(const Tensor<T>& x, std::ptrdiff_t axis = -1, KeepDims keep = {},
                      Location location = Location::current());

/// The same of the elements that are not NaN.
template <Real T>
Indexed<T> nanmedian_low(const Tensor<T>& x, std::ptrdiff_t axis = -1, KeepDims keep = {},
                         Location location = Location::current());

/// On which side of equal elements a value is put.
enum class Side
{
    left,
    right
};

namespace detail
{

template <Real T>
xt::xarray<std::int64_t> searchsorted(const Tensor<T>& sorted, const Tensor<T>& values, Side side, Location location);
template <Real T>
xt::xarray<bool> isin(const Tensor<T>& x, const Tensor<T>& set);

}

/// Before which elements of the sorted last axis values are to be put to keep the order. `sorted` is one row for all values,
/// or as many rows as the values.
/// @throws ShapeError if the axes before the last differ.
template <OperandLike S, OperandLike V>
xt::xarray<std::int64_t> searchsorted(const S& sorted, const V& values, Side side = Side::left,
                                      Location location = Location::current())
{
    using T = element_t<S, V>;
    return detail::searchsorted<T>(Operand<T>(sorted, location), Operand<T>(values, location), side, location);
}

/// Which elements of x are among those of `set`.
template <OperandLike X, OperandLike S>
xt::xarray<bool> isin(const X& x, const S& set, Location location = Location::current())
{
    using T = element_t<X, S>;
    return detail::isin<T>(Operand<T>(x, location), Operand<T>(set, location));
}

}
