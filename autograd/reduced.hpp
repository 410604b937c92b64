#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/indexed.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/tensor.hpp>

#include <string>

namespace autograd::detail
{

/// reshape to a shape that is known to fit, which takes no memory from the system.
template <class T>
Tensor<T> in_shape(const Tensor<T>& x, const Shape& shape, Location location);

/// Which axes an operation reduces, as bit k for axis k.
struct Reduced
{
    bool operator==(const Reduced&) const = default;

    unsigned set;
    bool keep;

    bool contains(std::size_t axis) const noexcept { return (set >> axis & 1) != 0; }

    /// The shape of the result; with the reduced axes as 1 if `kept`.
    Shape result(const Shape& shape, bool kept) const
    {
        Shape result;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            if (!contains(axis))
            {
                result.push_back(shape[axis]);
            }
            else if (kept)
            {
                result.push_back(1);
            }
        }
        return result;
    }
    Shape result(const Shape& shape) const { return result(shape, keep); }

    /// How many elements become one.
    std::size_t count(const Shape& shape) const
    {
        std::size_t count = 1;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            count *= contains(axis) ? shape[axis] : 1;
        }
        return count;
    }

    /// A gradient of the result, with axes that stretch to `shape`.
    template <class T>
    Tensor<T> stretchable(const Tensor<T>& dy, const Shape& shape) const
    {
        return keep || set == 0 ? dy : in_shape(dy, result(shape, true), Location{});
    }

    /// Whether the reduced axes are neighbours, so that no other axis lies between them.
    bool contiguous() const noexcept
    {
        const unsigned filled = set | (set - 1);
        return (filled & (filled + 1)) == 0;
    }

    /// x with three axes, of which the middle one is reduced, and the others' elements stand in the order of the result.
    template <class T>
    Tensor<T> in_the_middle(const Tensor<T>& x, Location location) const
    {
        if (set == 0)
        {
            return in_shape(x, Shape{x.size(), 1, 1}, location);
        }
        Shape shape{1, count(x.shape()), 1};
        if (!contiguous())
        {
            Axes order;
            for (const bool last : {false, true})
            {
                for (std::size_t axis = 0; axis < x.dimension(); ++axis)
                {
                    if (contains(axis) == last)
                    {
                        order.push_back(static_cast<std::ptrdiff_t>(axis));
                    }
                }
            }
            shape[0] = result(x.shape(), false).elements();
            return in_shape(transpose(x, order, location), shape, location);
        }
        std::size_t group = 0;
        for (std::size_t axis = 0; axis < x.dimension(); ++axis)
        {
            group = contains(axis) ? 2 : group;
            shape[group] *= contains(axis) ? 1 : x.shape(axis);
        }
        return in_shape(x, shape, location);
    }
};

template <class T>
Reduced reduced_axes(const Tensor<T>& x, const Axes& axes, KeepDims keep, const char* operation, Location location)
{
    return {axis_set(axes, x.dimension(), operation, location), keep.keep};
}

/// The axis counted from the first. A 0-d array takes axis 0 or -1 for its only element.
inline std::size_t axis_of(const Shape& shape, std::ptrdiff_t axis, const char* operation, Location location)
{
    return normalize_axis(axis, std::max<std::size_t>(1, shape.rank()), operation, location);
}

/// Throws ValueError unless more than `least` elements become one, or there is no result at all.
inline void require_more_than(std::size_t least, const Shape& shape, const Reduced& reduced, const char* operation,
                              Location location)
{
    const std::size_t count = reduced.count(shape);
    if (count <= least && (count == 0 || reduced.result(shape).elements() != 0))
    {
        throw ValueError(operation,
                         "needs more than " + std::to_string(least) + (least == 1 ? " element" : " elements") +
                             " to reduce: got " + std::to_string(count) + " in shape " + to_string(shape),
                         location);
    }
}

/// The elements at these positions along an axis, which is dropped unless it is to be kept.
template <class T>
Indexed<T> indexed(const Tensor<T>& x, const Indices& positions, std::size_t axis, bool keep, Location location)
{
    Indexed<T> result{gather(x, static_cast<std::ptrdiff_t>(axis), positions, location), positions.value()};
    if (!keep && x.dimension() != 0)
    {
        result.values = squeeze(result.values, axis, location);
        result.indices.reshape(
            xt::xarray<std::int64_t>::shape_type(result.values.shape().begin(), result.values.shape().end()));
    }
    return result;
}

}
