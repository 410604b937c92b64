#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/slice.hpp>
#include <autograd/tensor.hpp>

#include <span>
#include <vector>

/// Other shapes for the same elements, parts of arrays, and arrays joined. An axis out of range throws ShapeError.
namespace autograd
{

/// @name Other shapes
/// @{
/// The same elements, row-major, in another shape. Copies nothing. One extent may be -1: it is found from the others.
/// @throws ShapeError if the number of elements differs.
template <Real T>
Tensor<T> reshape(const Tensor<T>& x, const Extents& shape, Location location = Location::current());

/// All elements in one axis. Copies nothing.
template <Real T>
Tensor<T> flatten(const Tensor<T>& x, Location location = Location::current());
/// The axes from `start` to `end`, both included, as one.
template <Real T>
Tensor<T> flatten(const Tensor<T>& x, std::ptrdiff_t start, std::ptrdiff_t end = -1,
                  Location location = Location::current());

/// The same as flatten(x).
template <Real T>
Tensor<T> ravel(const Tensor<T>& x, Location location = Location::current());

/// One axis as several; one of their extents may be -1. Copies nothing.
/// @throws ShapeError unless the product of the extents is that of the axis.
template <Real T>
Tensor<T> unflatten(const Tensor<T>& x, std::ptrdiff_t axis, const Extents& extents,
                    Location location = Location::current());

/// A new axis of extent 1 before the given one; -1 appends it. Copies nothing.
template <Real T>
Tensor<T> expand_dims(const Tensor<T>& x, std::ptrdiff_t axis, Location location = Location::current());

/// Without the given axes, which have extent 1; without all such axes if none is given. Copies nothing.
/// @throws ShapeError for an axis of another extent.
template <Real T>
Tensor<T> squeeze(const Tensor<T>& x, Axes axes = {}, Location location = Location::current());

/// At least so many axes, where new ones have extent 1: () becomes (1,).
template <Real T>
Tensor<T> atleast_1d(const Tensor<T>& x, Location location = Location::current());
/// (n,) becomes (1, n).
template <Real T>
Tensor<T> atleast_2d(const Tensor<T>& x, Location location = Location::current());
/// (n,) becomes (1, n, 1), and (n, m) becomes (n, m, 1).
template <Real T>
Tensor<T> atleast_3d(const Tensor<T>& x, Location location = Location::current());

/// Stretched by NumPy's rules.
/// @throws ShapeError if `x` does not broadcast to exactly this shape.
template <Real T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape, Location location = Location::current());

/// All stretched to their common shape.
/// @throws ShapeError if there is none.
template <Real T>
std::vector<Tensor<T>> broadcast_tensors(const std::vector<Tensor<T>>& tensors,
                                         Location location = Location::current());

/// Summed over what would be stretched if `shape` were broadcast to the shape of `x`.
/// @throws ShapeError if it does not broadcast.
template <Real T>
Tensor<T> sum_to_size(const Tensor<T>& x, const Shape& shape, Location location = Location::current());
/// @}

/// @name Axes in another order
/// @{
/// The axes in another order; reversed if none is given.
/// @throws ShapeError unless every axis is given once.
template <Real T>
Tensor<T> transpose(const Tensor<T>& x, Axes axes = {}, Location location = Location::current());

/// With two axes exchanged.
template <Real T>
Tensor<T> swapaxes(const Tensor<T>& x, std::ptrdiff_t axis1, std::ptrdiff_t axis2,
                   Location location = Location::current());

/// Axes moved to other places, while the others keep their order.
/// @throws ShapeError for different numbers of sources and destinations, or one given twice.
template <Real T>
Tensor<T> moveaxis(const Tensor<T>& x, Axes sources, Axes destinations, Location location = Location::current());
/// @}

/// @name Parts
/// The gradients of any number of parts of one tensor add up in place.
/// @{
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

/// The same along one axis: an index or a range.
template <Real T>
Tensor<T> slice(const Tensor<T>& x, std::ptrdiff_t axis, const Slice& part, Location location = Location::current());

/// `x` with `source`, which broadcasts to it, in the place of `slice(x, axis, part)`.
/// @throws ShapeError if it does not.
template <Real T>
Tensor<T> slice_scatter(const Tensor<T>& x, const Tensor<T>& source, std::ptrdiff_t axis, const Slice& part,
                        Location location = Location::current());

/// `length` elements of an axis, from `start`.
/// @throws ShapeError if there are not so many.
template <Real T>
Tensor<T> narrow(const Tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t start, std::ptrdiff_t length,
                 Location location = Location::current());

/// Every element of an axis, which is dropped.
template <Real T>
std::vector<Tensor<T>> unbind(const Tensor<T>& x, std::ptrdiff_t axis = 0, Location location = Location::current());

/// Equal parts along an axis, or the parts between the given positions.
/// @throws ShapeError if the extent is no multiple of the number of parts, or that is not positive.
template <Real T>
std::vector<Tensor<T>> split(const Tensor<T>& x, const Sections& sections, std::ptrdiff_t axis = 0,
                             Location location = Location::current());

/// The same where the extent is no multiple: the first parts have one element more.
template <Real T>
std::vector<Tensor<T>> tensor_split(const Tensor<T>& x, const Sections& sections, std::ptrdiff_t axis = 0,
                                    Location location = Location::current());

/// Parts of given lengths along an axis.
/// @throws ShapeError unless they add up to its extent.
template <Real T>
std::vector<Tensor<T>> split_with_sizes(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& sizes,
                                        std::ptrdiff_t axis = 0, Location location = Location::current());

/// At most `count` parts along an axis, all of one length but the last, which may be shorter.
template <Real T>
std::vector<Tensor<T>> chunk(const Tensor<T>& x, std::ptrdiff_t count, std::ptrdiff_t axis = 0,
                             Location location = Location::current());

/// Split along the second axis, or the only one.
template <Real T>
std::vector<Tensor<T>> hsplit(const Tensor<T>& x, const Sections& sections, Location location = Location::current());
/// Split along the first axis of at least two.
template <Real T>
std::vector<Tensor<T>> vsplit(const Tensor<T>& x, const Sections& sections, Location location = Location::current());
/// Split along the third axis.
template <Real T>
std::vector<Tensor<T>> dsplit(const Tensor<T>& x, const Sections& sections, Location location = Location::current());
/// @}

/// @name Joined
/// @{
/// Joined along an existing axis. `concatenate({a, b}, axis)` or a vector of tensors.
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

/// Joined along the second axis, or the only one.
template <Real T>
Tensor<T> hstack(const std::vector<Tensor<T>>& tensors, Location location = Location::current());
/// Joined along the first axis; vectors are rows.
template <Real T>
Tensor<T> vstack(const std::vector<Tensor<T>>& tensors, Location location = Location::current());
/// Joined along the third axis, after atleast_3d.
template <Real T>
Tensor<T> dstack(const std::vector<Tensor<T>>& tensors, Location location = Location::current());
/// Joined along the second axis; vectors are columns.
template <Real T>
Tensor<T> column_stack(const std::vector<Tensor<T>>& tensors, Location location = Location::current());

/// Matrices along the diagonal of a larger one that is 0 elsewhere; vectors are rows.
/// @throws ShapeError for more than two axes; ValueError for no tensor.
template <Real T>
Tensor<T> block_diag(const std::vector<Tensor<T>>& tensors, Location location = Location::current());

#define AUTOGRAD_OF_LIST(function)                                                                                     \
    template <Real T>                                                                                                  \
    auto function(std::initializer_list<Tensor<T>> tensors, Location location = Location::current())                   \
    {                                                                                                                  \
        return function(std::vector<Tensor<T>>(tensors), location);                                                    \
    }
AUTOGRAD_OF_LIST(broadcast_tensors)
AUTOGRAD_OF_LIST(hstack)
AUTOGRAD_OF_LIST(vstack)
AUTOGRAD_OF_LIST(dstack)
AUTOGRAD_OF_LIST(column_stack)
AUTOGRAD_OF_LIST(block_diag)
#undef AUTOGRAD_OF_LIST
/// @}

}
