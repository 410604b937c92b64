#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/indexed.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <optional>
#include <type_traits>

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

/// The largest (smallest) element along an axis, and where it stands: the first of equal ones, which gets the gradient; the
/// first NaN if there is one. Throws ValueError for none.
/// @{
template <Real T>
Indexed<T> max(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Indexed<T> min(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep = {}, Location location = Location::current());
/// @}

/// Where the largest (smallest) element stands along an axis: the first of equal ones, the first NaN if there is one.
/// Throws ValueError for none.
/// @{
template <Real T>
xt::xarray<std::int64_t> argmax(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep = {},
                                Location location = Location::current());
template <Real T>
xt::xarray<std::int64_t> argmin(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep = {},
                                Location location = Location::current());
/// @}
/// The same among all elements, row-major.
/// @{
template <Real T>
xt::xarray<std::int64_t> argmax(const Tensor<T>& x, Location location = Location::current());
template <Real T>
xt::xarray<std::int64_t> argmin(const Tensor<T>& x, Location location = Location::current());
/// @}

/// The mean squared distance from the mean, divided by n - `ddof`: 0, as in NumPy and xtensor, or 1 for an unbiased
/// estimate. Throws ValueError unless n > ddof.
template <Real T>
Tensor<T> variance(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                   Location location = Location::current());

/// The square root of the variance.
template <Real T>
Tensor<T> stddev(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                 Location location = Location::current());

/// The same without the elements that are NaN, which get no gradient. The mean of none, and the variance of no more than
/// `ddof`, are NaN.
/// @{
template <Real T>
Tensor<T> nansum(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> nanprod(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> nanmean(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> nanvar(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                 Location location = Location::current());
template <Real T>
Tensor<T> nanstd(const Tensor<T>& x, Axes axes = {}, std::size_t ddof = 0, KeepDims keep = {},
                 Location location = Location::current());
/// @}

namespace detail
{

template <Real T>
Tensor<T> average(const Tensor<T>& x, const Tensor<T>& weights, const Axes& axes, KeepDims keep, Location location);

/// `norm_lp` under the name of what asked for it.
template <Real T>
Tensor<T> norm_of_order(const char* operation, const Tensor<T>& x, double p, const Axes& axes, KeepDims keep,
                        Location location);

/// With this number in place of NaN, which gets no gradient.
template <Real T>
Tensor<T> without_nan(const Tensor<T>& x, T replacement, Location location);

}

/// The mean weighted by `weights`, which broadcast to x: sum(x w) / sum(w). Differentiable by both.
/// @throws ShapeError if the weights do not broadcast to x.
template <OperandLike X, OperandLike W>
Tensor<element_t<X, W>> average(const X& x, const W& weights, Axes axes = {}, KeepDims keep = {},
                                Location location = Location::current())
{
    using T = element_t<X, W>;
    return detail::average<T>(Operand<T>(x, location), Operand<T>(weights, location), axes, keep, location);
}

/// The Euclidean norm. Its derivative where it is 0 is 0, and its second derivative, which does not exist, NaN.
template <Real T>
Tensor<T> norm(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());

/// (sum |x|^p)^(1/p) for any p: the Euclidean norm for 2, the largest absolute value for infinity and the smallest for
/// -infinity, of which equal ones share the gradient equally, and for 0 how many elements are not 0. An element that is 0
/// has derivative 0. Throws ValueError for p that is NaN, and for the largest or smallest of none.
template <Real T>
Tensor<T> norm_lp(const Tensor<T>& x, double p, Axes axes = {}, KeepDims keep = {},
                  Location location = Location::current());

/// xtensor's names of some: of p = 0, 1, 2, infinity, and the square of the Euclidean norm.
/// @{
template <Real T>
Tensor<T> norm_l0(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> norm_l1(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> norm_l2(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> norm_linf(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
template <Real T>
Tensor<T> norm_sq(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {}, Location location = Location::current());
/// @}

/// Each slice of x across an axis, scaled down where its p-norm exceeds `most`: to most / (norm + 1e-7) of it.
/// @throws ValueError unless p > 0 and most >= 0.
template <Real T>
Tensor<T> renorm(const Tensor<T>& x, double p, std::ptrdiff_t axis, double most,
                 Location location = Location::current());

/// How a covariance is estimated from observations.
template <Real T>
struct CovOptions
{
    std::size_t ddof = 1;                                         ///< what the weight of all observations is reduced by
    std::optional<Indices> frequencies = {};                      ///< how often each observation counts
    std::optional<std::type_identity_t<Tensor<T>>> weights = {};  ///< how much each counts; differentiable
};

/// The covariances of variables, the rows of x, of which each column is an observation; a vector is one variable, whose
/// covariance is 0-d. ddof is 1, as in xtensor, NumPy and PyTorch.
/// @throws ShapeError unless x is a matrix or vector, and weights and frequencies are one for each observation; ValueError
///         for negative ones, and unless there are more than ddof observations.
template <Real T>
Tensor<T> cov(const Tensor<T>& x, const CovOptions<T>& options = {}, Location location = Location::current());

/// The coefficients of correlation of variables, likewise. That of a variable with itself is 1, or NaN if it is constant.
template <Real T>
Tensor<T> corrcoef(const Tensor<T>& x, Location location = Location::current());

/// How many elements are not 0; NaN is not.
template <Real T>
xt::xarray<std::int64_t> count_nonzero(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {},
                                       Location location = Location::current());

/// Whether no element is 0 (whether one is not).
/// @{
template <Real T>
xt::xarray<bool> all_nonzero(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {},
                             Location location = Location::current());
template <Real T>
xt::xarray<bool> any_nonzero(const Tensor<T>& x, Axes axes = {}, KeepDims keep = {},
                             Location location = Location::current());
/// @}

/// What a segment is reduced to.
enum class SegmentReduction
{
    sum,
    mean,
    max,
    min,
    prod
};

/// Consecutive runs of elements along an axis, each reduced to one: `lengths` of the runs are given for the whole array, or,
/// with the axes of x before that axis, for each of its slices. A reduction starts from `initial`: the neutral
/// element if it is not given, so that an empty run is 0, 1, infinite, or NaN for a mean. Equal extremes share the gradient
/// equally.
/// Elements after the last run are left out.
/// @throws ShapeError if axes before that axis differ; ValueError for a negative length, or runs longer than the axis.
template <Real T>
Tensor<T> segment_reduce(const Tensor<T>& x, SegmentReduction reduction, const Indices& lengths,
                         std::ptrdiff_t axis = 0, std::optional<double> initial = {},
                         Location location = Location::current());

}
