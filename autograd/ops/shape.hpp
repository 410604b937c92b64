#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/slice.hpp>
#include <autograd/tensor.hpp>

#include <span>
#include <vector>

/// Operations that rearrange elements.
namespace autograd
{

/// The same elements, row-major, in another shape. Copies nothing. One extent may be -1: it is found from the others.
/// @throws ShapeError if the number of elements differs.
template <Real T>
Tensor<T> reshape(const Tensor<T>& x, const Extents& shape, Location location = Location::current());

/// All elements in one axis. Copies nothing.
template <Real T>
Tensor<T> flatten(const Tensor<T>& x, Location location = Location::current());

/// The axes in another order; reversed if none is given.
/// @throws ShapeError unless every axis is given once.
template <Real T>
Tensor<T> transpose(const Tensor<T>& x, Axes axes = {}, Location location = Location::current());

/// A new axis of extent 1 before the given one; -1 appends it. Copies nothing.
template <Real T>
Tensor<T> expand_dims(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());

/// Without the given axes, which have extent 1; without all such axes if none is given. Copies nothing.
/// @throws ShapeError for an axis of another extent.
template <Real T>
Tensor<T> squeeze(const Tensor<T>& x, Axes axes = {}, Location location = Location::current());

/// Stretched by NumPy's rules.
/// @throws ShapeError if `x` does not broadcast to exactly this shape.
template <Real T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape, Location location = Location::current());

/// Joined along an existing axis. `concatenate<T>({a, b}, axis)` or a vector of tensors.
/// @throws ShapeError if other extents differ; ValueError for no tensor.
template <Real T>
Tensor<T> concatenate(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis = 0,
                      Location location = Location::current());
template <Real T>
Tensor<T> concatenate(const std::vector<Tensor<T>>& tensors, std::ptrdiff_t axis = 0,
                      Location location = Location::current())
{
    return concatenate(std::span<const Tensor<T>>(tensors), axis, location);
}
template <Real T>
Tensor<T> concatenate(std::initializer_list<Tensor<T>> tensors, std::ptrdiff_t axis = 0,
                      Location location = Location::current())
{
    return concatenate(std::span<const Tensor<T>>(tensors.begin(), tensors.size()), axis, location);
}

/// Joined along a new axis.
/// @throws ShapeError if the shapes differ; ValueError for no tensor.
template <Real T>
Tensor<T> stack(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis = 0, Location location = Location::current());
template <Real T>
Tensor<T> stack(const std::vector<Tensor<T>>& tensors, std::ptrdiff_t axis = 0, Location location = Location::current())
{
    return stack(std::span<const Tensor<T>>(tensors), axis, location);
}
template <Real T>
Tensor<T> stack(std::initializer_list<Tensor<T>> tensors, std::ptrdiff_t axis = 0,
                Location location = Location::current())
{
    return stack(std::span<const Tensor<T>>(tensors.begin(), tensors.size()), axis, location);
}

namespace detail
{

/// Elements at regular steps of each axis; see `view`.
template <Real T>
Tensor<T> strided_slice(const Tensor<T>& x, std::initializer_list<Slice> slices);

}

/// A part of `x`, by xtensor's slices: an integer takes one element of an axis and drops it, `xt::all()` keeps the axis,
/// `xt::range(start, stop, step)` takes a part, also with negative bounds and steps, `xt::newaxis()` adds an axis and
/// `xt::ellipsis()` stands for as many `xt::all()` as fit. Axes that are not mentioned are kept.
/// @throws ShapeError for too many slices, or an index out of range.
template <Real T>
Tensor<T> view(const Tensor<T>& x, const Slice& s0, const Slice& s1 = {}, const Slice& s2 = {}, const Slice& s3 = {},
               const Slice& s4 = {}, const Slice& s5 = {}, const Slice& s6 = {}, const Slice& s7 = {})
{
    return detail::strided_slice(x, {s0, s1, s2, s3, s4, s5, s6, s7});
}

}
