#pragma once

#include <autograd/axes.hpp>
#include <autograd/tensor.hpp>

/// Reductions over some axes, or over all if none are given: `sum(x)`, `sum(x, -1)`, `sum(x, {0, 1}, keep_dims)`. An axis
/// out of range, or given twice, throws ShapeError.
namespace autograd
{

/// The sum; 0 of nothing. Added pairwise, so that long sums stay exact.
template <Real T>
Tensor<T> sum(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The arithmetic mean. Throws ValueError for a mean of nothing.
template <Real T>
Tensor<T> mean(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The product; 1 of nothing. Its gradient is exact also where elements are 0.
template <Real T>
Tensor<T> prod(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The largest element; NaN if one is. Equal ones share the gradient equally. Throws ValueError for none.
template <Real T>
Tensor<T> amax(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The smallest element; NaN if one is. Equal ones share the gradient equally. Throws ValueError for none.
template <Real T>
Tensor<T> amin(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// The mean squared distance from the mean, divided by n - `ddof`: 0, as in NumPy and xtensor, or 1 for an unbiased
/// estimate. Throws ValueError unless n > ddof.
template <Real T>
Tensor<T> variance(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                   Location location = Location::current());

/// The square root of the variance.
template <Real T>
Tensor<T> stddev(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                 Location location = Location::current());

/// The Euclidean norm. Its derivative where it is 0 is 0.
template <Real T>
Tensor<T> norm(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

}
