#include <autograd/elementwise.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/registry.hpp>

#include <string>

namespace autograd
{

namespace
{

using detail::Node;
using detail::normalize_axis;
using detail::Walk;

/// The elements of x that the walk visits, in this shape.
template <class T>
Tensor<T> gathered(const Tensor<T>& x, const Walk& walk, const Shape& shape)
{
    Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
    detail::gather(x.data(), walk, y.node()->template as<T>());
    return y;
}

struct Reshape
{
    static constexpr const char* name = "reshape";
    Shape shape;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return Tensor<T>::adopt(detail::new_view(x.node(), shape));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return reshape(dy, x.shape(), Location{});
    }
};

struct Transpose
{
    static constexpr const char* name = "transpose";
    Axes axes;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Walk whole(x.shape());
        Walk walk;
        Shape shape;
        for (std::ptrdiff_t from : axes)
        {
            const auto axis = static_cast<std::size_t>(from);
            walk.push_back(whole.extents[axis], whole.strides[axis]);
            shape.push_back(whole.extents[axis]);
        }
        return gathered(x, walk, shape);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        Axes inverse = axes;
        for (std::size_t to = 0; to < axes.size(); ++to)
        {
            inverse[static_cast<std::size_t>(axes[to])] = static_cast<std::ptrdiff_t>(to);
        }
        return transpose(dy, inverse, Location{});
    }
};

struct BroadcastTo
{
    static constexpr const char* name = "broadcast_to";
    Shape shape;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Walk whole(x.shape());
        Walk walk;
        const std::size_t lead = shape.rank() - x.dimension();
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            const bool stretched = axis < lead || (x.shape(axis - lead) == 1 && shape[axis] != 1);
            walk.push_back(shape[axis], stretched ? 0 : whole.strides[axis - lead]);
        }
        return gathered(x, walk, shape);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return detail::sum_to(dy, shape, x.shape());
    }
};

/// Elements at regular steps. `walk` says where they are in an array of shape `from`; the result has shape `to`.
struct StridedSlice
{
    static constexpr const char* name = "view";
    Walk walk;
    Shape from;
    Shape to;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return gathered(x, walk, to);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const;
};

/// Zeros of shape `from`, but for the elements of a slice.
struct EmbedSlice
{
    static constexpr const char* name = "embed_slice";
    StridedSlice slice;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(slice.from));
        T* elements = y.node()->template as<T>();
        std::fill_n(elements, y.size(), T(0));
        detail::scatter(x.data(), elements, slice.walk);
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        return apply(slice, Location{}, dy);
    }
};

template <class T>
Tensor<T> StridedSlice::pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
{
    return apply(EmbedSlice{*this}, Location{}, dy);
}

struct Concatenate
{
    static constexpr const char* name = "concatenate";
    std::size_t axis;

    /// The elements of tensor k in the result.
    template <class T>
    StridedSlice part(std::span<const Tensor<T>> tensors, std::size_t k, const Shape& whole) const
    {
        std::size_t start = 0;
        for (const Tensor<T>& before : tensors.first(k))
        {
            start += before.shape(axis);
        }
        StridedSlice slice{Walk(whole), whole, tensors[k].shape()};
        slice.walk.offset = static_cast<std::ptrdiff_t>(start) * slice.walk.strides[axis];
        slice.walk.extents[axis] = tensors[k].shape(axis);
        return slice;
    }

    template <class T>
    Tensor<T> value(std::span<const Tensor<T>> tensors) const
    {
        Shape shape = tensors[0].shape();
        for (const Tensor<T>& tensor : tensors.subspan(1))
        {
            shape[axis] += tensor.shape(axis);
        }
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        for (std::size_t k = 0; k < tensors.size(); ++k)
        {
            detail::scatter(tensors[k].data(), y.node()->template as<T>(), part(tensors, k, shape).walk);
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(std::size_t k, const Tensor<T>& dy, const Tensor<T>& y, std::span<const Tensor<T>> tensors) const
    {
        return apply(part(tensors, k, y.shape()), Location{}, dy);
    }
};

}

template <Real T>
Tensor<T> reshape(const Tensor<T>& x, const Extents& extents, Location location)
{
    const auto fail = [&](const char* problem)
    {
        std::string wanted;
        for (std::size_t axis = 0; axis < extents.size(); ++axis)
        {
            wanted += (axis == 0 ? "" : ", ") + std::to_string(extents[axis]);
        }
        throw ShapeError("reshape", std::string(problem) + ": got (" + wanted + ") for shape " + to_string(x.shape()),
                         location, "The number of elements must stay the same.");
    };
    Shape shape;
    std::size_t known = 1;
    std::size_t unknown = extents.size();
    for (std::size_t axis = 0; axis < extents.size(); ++axis)
    {
        if (extents[axis] < -1 || (extents[axis] == -1 && unknown != extents.size()))
        {
            fail("an extent is negative, or more than one is -1");
        }
        if (extents[axis] == -1)
        {
            unknown = axis;
            shape.push_back(1);
            continue;
        }
        shape.push_back(static_cast<std::size_t>(extents[axis]));
        known *= shape[axis];
    }
    if (unknown < extents.size())
    {
        if (known == 0 || x.size() % known != 0)
        {
            fail("the extent given as -1 cannot be found");
        }
        shape[unknown] = x.size() / known;
    }
    if (shape.elements() != x.size())
    {
        fail("the shape does not hold as many elements");
    }
    return apply(Reshape{shape}, location, x);
}

template <Real T>
Tensor<T> flatten(const Tensor<T>& x, Location location)
{
    return apply(Reshape{Shape{x.size()}}, location, x);
}

template <Real T>
Tensor<T> transpose(const Tensor<T>& x, Axes axes, Location location)
{
    const std::size_t rank = x.dimension();
    if (axes.empty())
    {
        for (std::size_t axis = rank; axis-- > 0;)
        {
            axes.push_back(static_cast<std::ptrdiff_t>(axis));
        }
    }
    detail::axis_set(axes, rank, "transpose", location);
    if (axes.size() != rank)
    {
        throw ShapeError("transpose",
                         "needs every axis once: got " + std::to_string(axes.size()) + " for shape " +
                             to_string(x.shape()),
                         location);
    }
    for (std::size_t k = 0; k < rank; ++k)
    {
        axes[k] = static_cast<std::ptrdiff_t>(normalize_axis(axes[k], rank, "transpose", location));
    }
    return apply(Transpose{axes}, location, x);
}

template <Real T>
Tensor<T> expand_dims(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension() + 1, "expand_dims", location);
    Shape shape;
    for (std::size_t k = 0; k <= x.dimension(); ++k)
    {
        shape.push_back(k < place ? x.shape(k) : k == place ? 1 : x.shape(k - 1));
    }
    return apply(Reshape{shape}, location, x);
}

template <Real T>
Tensor<T> squeeze(const Tensor<T>& x, Axes axes, Location location)
{
    const unsigned set = detail::axis_set(axes, x.dimension(), "squeeze", location);
    Shape shape;
    for (std::size_t axis = 0; axis < x.dimension(); ++axis)
    {
        const bool named = !axes.empty() && (set >> axis & 1) != 0;
        if (named && x.shape(axis) != 1)
        {
            throw ShapeError("squeeze",
                             "axis " + std::to_string(axis) + " of shape " + to_string(x.shape()) +
                                 " has not the extent 1",
                             location);
        }
        if (!named && (!axes.empty() || x.shape(axis) != 1))
        {
            shape.push_back(x.shape(axis));
        }
    }
    return apply(Reshape{shape}, location, x);
}

template <Real T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape, Location location)
{
    if (!broadcasts_to(x.shape(), shape))
    {
        throw ShapeError("broadcast_to", to_string(x.shape()) + " does not broadcast to " + to_string(shape), location);
    }
    return apply(BroadcastTo{shape}, location, x);
}

template <Real T>
Tensor<T> concatenate(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis, Location location)
{
    if (tensors.empty())
    {
        throw ValueError("concatenate", "needs at least one tensor", location);
    }
    const Shape& first = tensors[0].shape();
    const std::size_t along = normalize_axis(axis, first.rank(), "concatenate", location);
    for (const Tensor<T>& tensor : tensors)
    {
        Shape shape = tensor.shape();
        if (shape.rank() == first.rank())
        {
            shape[along] = first[along];
        }
        if (shape != first)
        {
            throw ShapeError("concatenate",
                             "shapes may differ only along axis " + std::to_string(along) + ": got " +
                                 to_string(first) + " and " + to_string(tensor.shape()),
                             location);
        }
    }
    return apply(Concatenate{along}, location, tensors);
}

template <Real T>
Tensor<T> stack(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis, Location location)
{
    if (tensors.empty())
    {
        throw ValueError("stack", "needs at least one tensor", location);
    }
    const std::size_t place = normalize_axis(axis, tensors[0].dimension() + 1, "stack", location);
    std::vector<Tensor<T>> expanded;
    for (const Tensor<T>& tensor : tensors)
    {
        if (tensor.shape() != tensors[0].shape())
        {
            throw ShapeError("stack",
                             "shapes must be equal: got " + to_string(tensors[0].shape()) + " and " +
                                 to_string(tensor.shape()),
                             location);
        }
        expanded.push_back(expand_dims(tensor, static_cast<std::ptrdiff_t>(place), location));
    }
    return concatenate(expanded, static_cast<std::ptrdiff_t>(place), location);
}

namespace
{

/// What a range takes of an axis of `extent` elements, by NumPy's rules.
struct Part
{
    std::ptrdiff_t start;
    std::size_t count;
};

Part part_of(const Slice& slice, std::ptrdiff_t extent)
{
    const bool forward = slice.step > 0;
    const std::ptrdiff_t lowest = forward ? 0 : -1;
    const std::ptrdiff_t highest = forward ? extent : extent - 1;
    const auto bound = [&](std::ptrdiff_t value)
    { return std::clamp(value < 0 ? value + extent : value, lowest, highest); };
    const std::ptrdiff_t start = slice.start ? bound(*slice.start) : forward ? lowest : highest;
    const std::ptrdiff_t stop = slice.stop ? bound(*slice.stop) : forward ? highest : lowest;
    const std::ptrdiff_t distance = forward ? stop - start : start - stop;
    const std::ptrdiff_t step = forward ? slice.step : -slice.step;
    return {start, distance > 0 ? static_cast<std::size_t>((distance + step - 1) / step) : 0};
}

}

template <Real T>
Tensor<T> detail::strided_slice(const Tensor<T>& x, std::initializer_list<Slice> slices)
{
    using Kind = Slice::Kind;
    const Location location = slices.begin()->location;
    std::vector<Slice> given;
    std::size_t taken = 0;
    bool ellipsis_seen = false;
    for (const Slice& slice : slices)
    {
        if (slice.kind == Kind::none)
        {
            continue;
        }
        if (slice.kind == Kind::ellipsis && std::exchange(ellipsis_seen, true))
        {
            throw ShapeError("view", "more than one ellipsis", location);
        }
        if (slice.kind == Kind::range && slice.step == 0)
        {
            throw ValueError("view", "the step of a range is 0", location);
        }
        taken += slice.kind == Kind::index || slice.kind == Kind::range;
        given.push_back(slice);
    }
    if (taken > x.dimension())
    {
        throw ShapeError("view",
                         std::to_string(taken) + " slices for shape " + to_string(x.shape()) + ", which has " +
                             std::to_string(x.dimension()) + " axes",
                         location);
    }
    if (!ellipsis_seen)
    {
        given.emplace_back(ellipsis(), location);
    }
    const Walk whole(x.shape());
    StridedSlice result{{}, x.shape(), {}};
    std::size_t axis = 0;
    const auto take = [&](const Slice& slice)
    {
        const Part part = part_of(slice, static_cast<std::ptrdiff_t>(x.shape(axis)));
        result.walk.offset += part.start * whole.strides[axis];
        result.walk.push_back(part.count, slice.step * whole.strides[axis]);
        result.to.push_back(part.count);
        ++axis;
    };
    for (const Slice& slice : given)
    {
        switch (slice.kind)
        {
        case Kind::index:
        {
            const auto extent = static_cast<std::ptrdiff_t>(x.shape(axis));
            if (*slice.start < -extent || *slice.start >= extent)
            {
                throw ShapeError("view",
                                 "index " + std::to_string(*slice.start) + " is out of range for axis " +
                                     std::to_string(axis) + " of shape " + to_string(x.shape()),
                                 location);
            }
            result.walk.offset += (*slice.start + (*slice.start < 0 ? extent : 0)) * whole.strides[axis];
            ++axis;
            break;
        }
        case Kind::range:
            take(slice);
            break;
        case Kind::newaxis:
            result.to.push_back(1);
            break;
        case Kind::ellipsis:
            for (std::size_t rest = x.dimension() - taken; rest > 0; --rest)
            {
                take(Slice(all()));
            }
            break;
        case Kind::none:
            break;
        }
    }
    return apply(result, location, x);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> reshape(const Tensor<T>&, const Extents&, Location);                                            \
    template Tensor<T> flatten(const Tensor<T>&, Location);                                                            \
    template Tensor<T> transpose(const Tensor<T>&, Axes, Location);                                                    \
    template Tensor<T> expand_dims(const Tensor<T>&, std::ptrdiff_t, Location);                                        \
    template Tensor<T> squeeze(const Tensor<T>&, Axes, Location);                                                      \
    template Tensor<T> broadcast_to(const Tensor<T>&, const Shape&, Location);                                         \
    template Tensor<T> concatenate(std::span<const Tensor<T>>, std::ptrdiff_t, Location);                              \
    template Tensor<T> stack(std::span<const Tensor<T>>, std::ptrdiff_t, Location);                                    \
    template Tensor<T> detail::strided_slice(const Tensor<T>&, std::initializer_list<Slice>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define EXAMPLE(function, variant, shapes, call)                                                                       \
    static const Example function##_##variant{#function, Domain::real, UNPACK shapes,                                  \
                                              [](const auto& x) { return call; }};
#define UNPACK(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
EXAMPLE(reshape, found, ({2, 6}), reshape(x[0], {3, -1}))
EXAMPLE(flatten, all, ({2, 3, 2}), flatten(x[0]))
EXAMPLE(transpose, reversed, ({2, 3, 2}), transpose(x[0]))
EXAMPLE(transpose, permuted, ({2, 3, 4}), transpose(x[0], {1, 2, 0}))
EXAMPLE(expand_dims, middle, ({2, 3}), expand_dims(x[0], 1))
EXAMPLE(squeeze, all, ({2, 1, 3, 1}), squeeze(x[0]))
EXAMPLE(squeeze, one, ({2, 1, 3, 1}), squeeze(x[0], -1))
EXAMPLE(broadcast_to, both, ({3, 1}), broadcast_to(x[0], {2, 3, 2}))
EXAMPLE(concatenate, rows, ({2, 3}, {1, 3}), concatenate({x[0], x[1]}))
EXAMPLE(concatenate, columns, ({2, 1}, {2, 3}, {2, 2}), concatenate({x[0], x[1], x[2]}, -1))
EXAMPLE(stack, middle, ({2, 3}, {2, 3}), stack({x[0], x[1]}, 1))
EXAMPLE(view, index, ({3, 4}), view(x[0], -1))
EXAMPLE(view, steps, ({5, 4}), view(x[0], range(4, 0, -2), range(0, 4, 3)))
EXAMPLE(view, mixed, ({2, 3, 4}), view(x[0], 1, newaxis(), ellipsis(), range(1, 3)))
#undef UNPACK
#undef EXAMPLE

void detail::shape_family() noexcept {}

}
