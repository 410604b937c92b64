#include <autograd/batching.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/selection.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <numeric>
#include <string>

namespace autograd
{

namespace
{

using detail::normalize_axis;
using detail::SliceReader;
using detail::Strided;
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
    static constexpr bool multilinear = true;
    static constexpr const char* name = "reshape";
    bool operator==(const Reshape&) const = default;
    Shape shape;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return Tensor<T>::adopt(detail::new_view(x.node(), shape));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return detail::in_shape(dy, x.shape(), Location{});
    }
};

struct Transpose
{
    static constexpr bool multilinear = true;
    static constexpr const char* name = "transpose";
    bool operator==(const Transpose&) const = default;
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
    static constexpr bool multilinear = true;
    static constexpr const char* name = "broadcast_to";
    bool operator==(const BroadcastTo&) const = default;
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

struct Concatenate
{
    static constexpr const char* name = "concatenate";
    bool operator==(const Concatenate&) const = default;
    std::size_t axis;
    std::vector<std::size_t>
        starts;  ///< where each tensor begins: a pullback does not see constants before its operand

    template <class T>
    Concatenate(std::size_t axis, std::span<const Tensor<T>> tensors) : axis(axis)
    {
        std::size_t start = 0;
        for (const Tensor<T>& tensor : tensors)
        {
            starts.push_back(start);
            start += tensor.shape(axis);
        }
    }

    /// The elements of tensor k, of this shape, in the result.
    Strided part(std::size_t k, const Shape& shape, const Shape& whole) const
    {
        Strided part{Walk(whole), whole, shape};
        part.places.offset = static_cast<std::ptrdiff_t>(starts[k]) * part.places.strides[axis];
        part.places.extents[axis] = shape[axis];
        return part;
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
            detail::scatter(tensors[k].data(), y.node()->template as<T>(), part(k, tensors[k].shape(), shape).places);
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(std::size_t k, const Tensor<T>& dy, const Tensor<T>& y, std::span<const Tensor<T>> tensors) const
    {
        return detail::take_out(part(k, tensors[k].shape(), y.shape()), dy, Location{});
    }
};

Shape behind_samples(std::size_t samples, const Shape& shape)
{
    return detail::BatchOperand<float>::in_front(samples, shape);
}

const detail::Batching<Reshape, 1> reshape_batching(
    [](const Reshape& op, const auto& batch)
    { return batch.behind_axis(Reshape{behind_samples(batch.samples, op.shape)}); });

const detail::Batching<Transpose, 1> transpose_batching(
    [](const Transpose& op, const auto& batch)
    {
        Axes axes{0};
        for (const std::ptrdiff_t axis : op.axes)
        {
            axes.push_back(axis + 1);
        }
        return batch.behind_axis(Transpose{axes});
    });

const detail::Batching<BroadcastTo, 1> broadcast_to_batching(
    [](const BroadcastTo& op, const auto& batch)
    {
        return apply(BroadcastTo{behind_samples(batch.samples, op.shape)}, batch.location,
                     batch[0].aligned(op.shape.rank(), batch.location));
    });

const detail::BatchingOfList<Concatenate> concatenate_batching(
    []<class T>(const Concatenate& op, const detail::BatchOfList<T>& batch)
    {
        const std::vector<Tensor<T>> tensors = batch.full();
        const std::span<const Tensor<T>> all(tensors);
        return apply(Concatenate(op.axis + 1, all), batch.location, all);
    });

}

namespace
{

/// The extents of `elements` elements, of an array or an axis of an array of this shape.
Shape found_extents(const Extents& extents, std::size_t elements, const char* operation, const Shape& from,
                    Location location)
{
    const auto fail = [&](const char* problem)
    {
        std::string wanted;
        for (std::size_t axis = 0; axis < extents.size(); ++axis)
        {
            wanted += (axis == 0 ? "" : ", ") + std::to_string(extents[axis]);
        }
        throw ShapeError(operation, std::string(problem) + ": got (" + wanted + ") for shape " + to_string(from),
                         location, "The number of elements must stay the same.");
    };
    detail::require_axes(extents.size(), operation, location);
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
        if (known == 0 || elements % known != 0)
        {
            fail("the extent given as -1 cannot be found");
        }
        shape[unknown] = elements / known;
    }
    if (shape.elements() != elements)
    {
        fail("the shape does not hold as many elements");
    }
    return shape;
}

}

template <Real T>
Tensor<T> reshape(const Tensor<T>& x, const Extents& extents, Location location)
{
    return apply(Reshape{found_extents(extents, x.size(), "reshape", x.shape(), location)}, location, x);
}

template <class T>
Tensor<T> detail::in_shape(const Tensor<T>& x, const Shape& shape, Location location)
{
    return apply(Reshape{shape}, location, x);
}

template <Real T>
Tensor<T> flatten(const Tensor<T>& x, Location location)
{
    return apply(Reshape{Shape{x.size()}}, location, x);
}

template <Real T>
Tensor<T> flatten(const Tensor<T>& x, std::ptrdiff_t start, std::ptrdiff_t end, Location location)
{
    const std::size_t rank = std::max<std::size_t>(1, x.dimension());
    const std::size_t first = normalize_axis(start, rank, "flatten", location);
    const std::size_t last = normalize_axis(end, rank, "flatten", location);
    if (first > last)
    {
        throw ShapeError("flatten",
                         "axis " + std::to_string(start) + " is behind axis " + std::to_string(end) + " of shape " +
                             to_string(x.shape()),
                         location);
    }
    Shape shape(x.shape().begin(), x.shape().begin() + std::min(first, x.dimension()));
    const auto behind = x.shape().begin() + std::min(last + 1, x.dimension());
    shape.push_back(Shape(x.shape().begin() + shape.rank(), behind).elements());
    std::for_each(behind, x.shape().end(), [&](std::size_t extent) { shape.push_back(extent); });
    return apply(Reshape{shape}, location, x);
}

template <Real T>
Tensor<T> ravel(const Tensor<T>& x, Location location)
{
    return flatten(x, location);
}

template <Real T>
Tensor<T> unflatten(const Tensor<T>& x, std::ptrdiff_t axis, const Extents& extents, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), "unflatten", location);
    detail::require_axes(x.dimension() - 1 + extents.size(), "unflatten", location);
    const Shape found = found_extents(extents, x.shape(place), "unflatten", x.shape(), location);
    Shape shape(x.shape().begin(), x.shape().begin() + place);
    std::for_each(found.begin(), found.end(), [&](std::size_t extent) { shape.push_back(extent); });
    std::for_each(x.shape().begin() + place + 1, x.shape().end(), [&](std::size_t extent) { shape.push_back(extent); });
    return apply(Reshape{shape}, location, x);
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
Tensor<T> swapaxes(const Tensor<T>& x, std::ptrdiff_t axis1, std::ptrdiff_t axis2, Location location)
{
    const std::size_t rank = std::max<std::size_t>(1, x.dimension());
    const std::size_t first = normalize_axis(axis1, rank, "swapaxes", location);
    const std::size_t second = normalize_axis(axis2, rank, "swapaxes", location);
    if (first == second)
    {
        return x;
    }
    Axes axes;
    for (std::size_t axis = 0; axis < rank; ++axis)
    {
        axes.push_back(static_cast<std::ptrdiff_t>(axis == first ? second : axis == second ? first : axis));
    }
    return apply(Transpose{axes}, location, x);
}

template <Real T>
Tensor<T> moveaxis(const Tensor<T>& x, Axes sources, Axes destinations, Location location)
{
    const std::size_t rank = x.dimension();
    if (sources.size() != destinations.size())
    {
        throw ShapeError("moveaxis",
                         std::to_string(sources.size()) + " axes are moved to " + std::to_string(destinations.size()) +
                             " places",
                         location);
    }
    if (sources.empty())
    {
        return x;
    }
    const unsigned moved = detail::axis_set(sources, rank, "moveaxis", location);
    detail::axis_set(destinations, rank, "moveaxis", location);
    std::array<std::size_t, max_rank> from;
    from.fill(max_rank);
    for (std::size_t k = 0; k < sources.size() && rank > 0; ++k)
    {
        from[normalize_axis(destinations[k], rank, "moveaxis", location)] =
            normalize_axis(sources[k], rank, "moveaxis", location);
    }
    Axes axes;
    std::size_t next = 0;
    for (std::size_t to = 0; to < rank; ++to)
    {
        if (from[to] == max_rank)
        {
            while ((moved >> next & 1) != 0)
            {
                ++next;
            }
            from[to] = next++;
        }
        axes.push_back(static_cast<std::ptrdiff_t>(from[to]));
    }
    return transpose(x, axes, location);
}

template <Real T>
Tensor<T> expand_dims(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension() + 1, "expand_dims", location);
    detail::require_axes(x.dimension() + 1, "expand_dims", location);
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
Tensor<T> atleast_1d(const Tensor<T>& x, Location location)
{
    return x.dimension() >= 1 ? x : reshape(x, {1}, location);
}

template <Real T>
Tensor<T> atleast_2d(const Tensor<T>& x, Location location)
{
    return x.dimension() >= 2 ? x : reshape(x, Shape{1, x.size()}, location);
}

template <Real T>
Tensor<T> atleast_3d(const Tensor<T>& x, Location location)
{
    return x.dimension() >= 3   ? x
           : x.dimension() == 2 ? expand_dims(x, -1, location)
                                : reshape(x, Shape{1, x.size(), 1}, location);
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
std::vector<Tensor<T>> broadcast_tensors(const std::vector<Tensor<T>>& tensors, Location location)
{
    Shape common;
    for (const Tensor<T>& tensor : tensors)
    {
        const Shape before = common;
        if (!broadcast_shapes(before, tensor.shape(), common))
        {
            throw ShapeError("broadcast_tensors",
                             to_string(before) + " and " + to_string(tensor.shape()) + " do not broadcast", location);
        }
    }
    std::vector<Tensor<T>> stretched;
    for (const Tensor<T>& tensor : tensors)
    {
        stretched.push_back(broadcast_to(tensor, common, location));
    }
    return stretched;
}

template <Real T>
Tensor<T> sum_to_size(const Tensor<T>& x, const Shape& shape, Location location)
{
    if (!broadcasts_to(shape, x.shape()))
    {
        throw ShapeError("sum_to_size", to_string(shape) + " does not broadcast to " + to_string(x.shape()), location);
    }
    return detail::sum_to(x, x.shape(), shape);
}

template <Real T>
Tensor<T> detail::strided_slice(const Tensor<T>& x, std::initializer_list<Slice> slices)
{
    using Kind = Slice::Kind;
    const Location location = slices.begin()->location;
    std::size_t taken = 0;
    bool ellipsis_seen = false;
    for (const Slice& slice : slices)
    {
        if (slice.kind == Kind::ellipsis && std::exchange(ellipsis_seen, true))
        {
            throw ShapeError("view", "more than one ellipsis", location);
        }
        require_step(slice, "view", location);
        taken += slice.kind == Kind::index || slice.kind == Kind::range;
    }
    if (taken > x.dimension())
    {
        throw ShapeError("view",
                         std::to_string(taken) + " slices for shape " + to_string(x.shape()) + ", which has " +
                             std::to_string(x.dimension()) + " axes",
                         location);
    }
    SliceReader reader(x.shape(), "view", location);
    for (const Slice& slice : slices)
    {
        if (slice.kind == Kind::ellipsis)
        {
            reader.keep(x.dimension() - taken);
        }
        else if (slice.kind != Kind::none)
        {
            reader.read(slice);
        }
    }
    reader.keep(x.dimension() - reader.axis());
    return take_out(reader.selection(), x, location);
}

namespace
{

/// Where `slice` takes its elements from.
template <class T>
Strided slice_of(const Tensor<T>& x, std::ptrdiff_t axis, const Slice& part, const char* operation, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), operation, location);
    if (part.kind != Slice::Kind::index && part.kind != Slice::Kind::range)
    {
        throw ShapeError(operation, "takes an index or a range along an axis", location);
    }
    detail::require_step(part, operation, location);
    SliceReader reader(x.shape(), operation, location);
    reader.keep(place);
    reader.read(part);
    reader.keep(x.dimension() - reader.axis());
    return reader.selection();
}

/// The parts of these lengths along an axis, one behind the other.
template <class T>
std::vector<Tensor<T>> parts_of(const Tensor<T>& x, std::size_t axis, const std::vector<std::ptrdiff_t>& starts,
                                Location location)
{
    std::vector<Tensor<T>> parts;
    for (std::size_t k = 0; k + 1 < starts.size(); ++k)
    {
        Slice part(all());
        part.start = starts[k];
        part.stop = std::max(starts[k], starts[k + 1]);
        parts.push_back(
            detail::take_out(slice_of(x, static_cast<std::ptrdiff_t>(axis), part, "split", location), x, location));
    }
    return parts;
}

/// Split along an axis into sections that need not be equal if `uneven`.
template <class T>
std::vector<Tensor<T>> split_for(const char* operation, const Tensor<T>& x, const Sections& sections,
                                 std::ptrdiff_t axis, bool uneven, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), operation, location);
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(place));
    std::vector<std::ptrdiff_t> starts{0};
    if (!sections.count())
    {
        for (const std::ptrdiff_t start : sections.starts())
        {
            starts.push_back(std::clamp<std::ptrdiff_t>(start < 0 ? start + extent : start, 0, extent));
        }
        starts.push_back(extent);
        return parts_of(x, place, starts, location);
    }
    const std::ptrdiff_t count = *sections.count();
    if (count <= 0 || (!uneven && extent % count != 0))
    {
        throw ShapeError(operation,
                         std::to_string(count) + (uneven ? " parts" : " equal parts") + " of axis " +
                             std::to_string(place) + " of shape " + to_string(x.shape()),
                         location, uneven ? "" : "tensor_split and chunk give parts of unequal length.");
    }
    for (std::ptrdiff_t k = 0; k < count; ++k)
    {
        starts.push_back(starts.back() + extent / count + (k < extent % count ? 1 : 0));
    }
    return parts_of(x, place, starts, location);
}

template <class T>
void require_dimension(std::size_t least, const Tensor<T>& x, const char* operation, Location location)
{
    if (x.dimension() < least)
    {
        throw ShapeError(operation,
                         "needs " + std::to_string(least) + (least == 1 ? " axis" : " axes") + ": got shape " +
                             to_string(x.shape()),
                         location);
    }
}

}

template <Real T>
Tensor<T> slice(const Tensor<T>& x, std::ptrdiff_t axis, const Slice& part, Location location)
{
    return detail::take_out(slice_of(x, axis, part, "slice", location), x, location);
}

template <Real T>
Tensor<T> slice_scatter(const Tensor<T>& x, const Tensor<T>& source, std::ptrdiff_t axis, const Slice& part,
                        Location location)
{
    const Strided selection = slice_of(x, axis, part, "slice_scatter", location);
    return detail::put_into(selection, x, detail::stretched_to(source, selection.to, "slice_scatter", location),
                            location);
}

template <Real T>
Tensor<T> narrow(const Tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t start, std::ptrdiff_t length,
                 Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), "narrow", location);
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(place));
    const std::ptrdiff_t first = start < 0 ? start + extent : start;
    if (first < 0 || first > extent || length < 0 || length > extent - first)
    {
        throw ShapeError("narrow",
                         std::to_string(length) + " elements from " + std::to_string(start) + " of axis " +
                             std::to_string(place) + " of shape " + to_string(x.shape()),
                         location);
    }
    return slice(x, axis, range(first, first + length), location);
}

template <Real T>
std::vector<Tensor<T>> unbind(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), "unbind", location);
    std::vector<Tensor<T>> elements;
    for (std::size_t k = 0; k < x.shape(place); ++k)
    {
        elements.push_back(slice(x, axis, k, location));
    }
    return elements;
}

template <Real T>
std::vector<Tensor<T>> split(const Tensor<T>& x, const Sections& sections, std::ptrdiff_t axis, Location location)
{
    return split_for("split", x, sections, axis, false, location);
}

template <Real T>
std::vector<Tensor<T>> tensor_split(const Tensor<T>& x, const Sections& sections, std::ptrdiff_t axis,
                                    Location location)
{
    return split_for("tensor_split", x, sections, axis, true, location);
}

template <Real T>
std::vector<Tensor<T>> split_with_sizes(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& sizes,
                                        std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), "split_with_sizes", location);
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(place));
    std::vector<std::ptrdiff_t> starts{0};
    for (const std::ptrdiff_t size : sizes)
    {
        if (size < 0 || size > extent - starts.back())
        {
            throw ShapeError("split_with_sizes",
                             "a part of length " + std::to_string(size) + " from " + std::to_string(starts.back()) +
                                 " of axis " + std::to_string(place) + " of shape " + to_string(x.shape()),
                             location);
        }
        starts.push_back(starts.back() + size);
    }
    if (starts.back() != extent)
    {
        throw ShapeError("split_with_sizes",
                         "the lengths add up to " + std::to_string(starts.back()) + " for axis " +
                             std::to_string(place) + " of shape " + to_string(x.shape()),
                         location);
    }
    return parts_of(x, place, starts, location);
}

template <Real T>
std::vector<Tensor<T>> chunk(const Tensor<T>& x, std::ptrdiff_t count, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, x.dimension(), "chunk", location);
    if (count <= 0)
    {
        throw ShapeError("chunk", "needs at least one part: got " + std::to_string(count), location);
    }
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(place));
    const std::ptrdiff_t length = extent / count + (extent % count != 0 ? 1 : 0);
    std::vector<std::ptrdiff_t> starts{0};
    do
    {
        starts.push_back(std::min(extent, starts.back() + length));
    } while (starts.back() < extent);
    return parts_of(x, place, starts, location);
}

template <Real T>
std::vector<Tensor<T>> hsplit(const Tensor<T>& x, const Sections& sections, Location location)
{
    require_dimension(1, x, "hsplit", location);
    return split_for("hsplit", x, sections, x.dimension() == 1 ? 0 : 1, false, location);
}

template <Real T>
std::vector<Tensor<T>> vsplit(const Tensor<T>& x, const Sections& sections, Location location)
{
    require_dimension(2, x, "vsplit", location);
    return split_for("vsplit", x, sections, 0, false, location);
}

template <Real T>
std::vector<Tensor<T>> dsplit(const Tensor<T>& x, const Sections& sections, Location location)
{
    require_dimension(3, x, "dsplit", location);
    return split_for("dsplit", x, sections, 2, false, location);
}

namespace
{

/// Throws unless the tensors differ along the axis only.
template <class T>
void require_joinable(std::span<const Tensor<T>> tensors, std::size_t axis, const char* operation, Location location)
{
    if (tensors.empty())
    {
        throw ValueError(operation, "needs at least one tensor", location);
    }
    const Shape& first = tensors[0].shape();
    for (const Tensor<T>& tensor : tensors)
    {
        Shape shape = tensor.shape();
        if (shape.rank() == first.rank() && axis < first.rank())
        {
            shape[axis] = first[axis];
        }
        if (shape != first || axis >= first.rank())
        {
            throw ShapeError(operation,
                             "shapes may differ only along axis " + std::to_string(axis) + ": got " + to_string(first) +
                                 " and " + to_string(tensor.shape()),
                             location);
        }
    }
}

}

template <Real T>
Tensor<T> concatenate(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis, Location location)
{
    if (tensors.empty())
    {
        throw ValueError("concatenate", "needs at least one tensor", location);
    }
    const std::size_t along = normalize_axis(axis, tensors[0].dimension(), "concatenate", location);
    require_joinable(tensors, along, "concatenate", location);
    return apply(Concatenate(along, tensors), location, tensors);
}

template <Real T>
Tensor<T> stack(std::span<const Tensor<T>> tensors, std::ptrdiff_t axis, Location location)
{
    if (tensors.empty())
    {
        throw ValueError("stack", "needs at least one tensor", location);
    }
    const std::size_t place = normalize_axis(axis, tensors[0].dimension() + 1, "stack", location);
    detail::require_axes(tensors[0].dimension() + 1, "stack", location);
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

/// Joined along an axis, in the name of another operation.
template <class T>
Tensor<T> joined(const std::vector<Tensor<T>>& tensors, std::size_t axis, const char* operation, Location location)
{
    require_joinable(std::span<const Tensor<T>>(tensors), axis, operation, location);
    const std::span<const Tensor<T>> all(tensors);
    return apply(Concatenate(axis, all), location, all);
}

/// All after `change`.
template <class T, class Change>
std::vector<Tensor<T>> each(const std::vector<Tensor<T>>& tensors, Change change)
{
    std::vector<Tensor<T>> changed;
    std::transform(tensors.begin(), tensors.end(), std::back_inserter(changed), change);
    return changed;
}

}

template <Real T>
Tensor<T> hstack(const std::vector<Tensor<T>>& tensors, Location location)
{
    const auto arrays = each(tensors, [&](const Tensor<T>& x) { return atleast_1d(x, location); });
    return joined(arrays, !arrays.empty() && arrays[0].dimension() == 1 ? 0 : 1, "hstack", location);
}

template <Real T>
Tensor<T> vstack(const std::vector<Tensor<T>>& tensors, Location location)
{
    return joined(each(tensors, [&](const Tensor<T>& x) { return atleast_2d(x, location); }), 0, "vstack", location);
}

template <Real T>
Tensor<T> dstack(const std::vector<Tensor<T>>& tensors, Location location)
{
    return joined(each(tensors, [&](const Tensor<T>& x) { return atleast_3d(x, location); }), 2, "dstack", location);
}

template <Real T>
Tensor<T> column_stack(const std::vector<Tensor<T>>& tensors, Location location)
{
    const auto as_column = [&](const Tensor<T>& x) {
        return x.dimension() >= 2 ? x : reshape(x, Shape{x.size(), 1}, location);
    };
    return joined(each(tensors, as_column), 1, "column_stack", location);
}

template <Real T>
Tensor<T> block_diag(const std::vector<Tensor<T>>& tensors, Location location)
{
    if (tensors.empty())
    {
        throw ValueError("block_diag", "needs at least one tensor", location);
    }
    Shape whole{0, 0};
    for (const Tensor<T>& tensor : tensors)
    {
        if (tensor.dimension() > 2)
        {
            throw ShapeError("block_diag", "a block has more than two axes: got shape " + to_string(tensor.shape()),
                             location);
        }
        whole[0] += tensor.dimension() == 2 ? tensor.shape(0) : 1;
        whole[1] += tensor.dimension() == 0 ? 1 : tensor.shape(tensor.dimension() - 1);
    }
    std::vector<Tensor<T>> bands;
    std::ptrdiff_t column = 0;
    for (const Tensor<T>& tensor : tensors)
    {
        const Tensor<T> block = atleast_2d(tensor, location);
        Strided place{Walk(Shape{block.shape(0), whole[1]}), {block.shape(0), whole[1]}, block.shape()};
        place.places.offset = column;
        place.places.extents[1] = block.shape(1);
        column += static_cast<std::ptrdiff_t>(block.shape(1));
        bands.push_back(detail::put_into(place, Tensor<T>(T(0)), block, location));
    }
    return concatenate(bands, 0, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> reshape(const Tensor<T>&, const Extents&, Location);                                            \
    template Tensor<T> detail::in_shape(const Tensor<T>&, const Shape&, Location);                                     \
    template Tensor<T> flatten(const Tensor<T>&, Location);                                                            \
    template Tensor<T> flatten(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, Location);                            \
    template Tensor<T> ravel(const Tensor<T>&, Location);                                                              \
    template Tensor<T> unflatten(const Tensor<T>&, std::ptrdiff_t, const Extents&, Location);                          \
    template Tensor<T> expand_dims(const Tensor<T>&, std::ptrdiff_t, Location);                                        \
    template Tensor<T> squeeze(const Tensor<T>&, Axes, Location);                                                      \
    template Tensor<T> atleast_1d(const Tensor<T>&, Location);                                                         \
    template Tensor<T> atleast_2d(const Tensor<T>&, Location);                                                         \
    template Tensor<T> atleast_3d(const Tensor<T>&, Location);                                                         \
    template Tensor<T> broadcast_to(const Tensor<T>&, const Shape&, Location);                                         \
    template std::vector<Tensor<T>> broadcast_tensors(const std::vector<Tensor<T>>&, Location);                        \
    template Tensor<T> sum_to_size(const Tensor<T>&, const Shape&, Location);                                          \
    template Tensor<T> transpose(const Tensor<T>&, Axes, Location);                                                    \
    template Tensor<T> swapaxes(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, Location);                           \
    template Tensor<T> moveaxis(const Tensor<T>&, Axes, Axes, Location);                                               \
    template Tensor<T> detail::strided_slice(const Tensor<T>&, std::initializer_list<Slice>);                          \
    template Tensor<T> slice(const Tensor<T>&, std::ptrdiff_t, const Slice&, Location);                                \
    template Tensor<T> slice_scatter(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, const Slice&, Location);      \
    template Tensor<T> narrow(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, Location);             \
    template std::vector<Tensor<T>> unbind(const Tensor<T>&, std::ptrdiff_t, Location);                                \
    template std::vector<Tensor<T>> split(const Tensor<T>&, const Sections&, std::ptrdiff_t, Location);                \
    template std::vector<Tensor<T>> tensor_split(const Tensor<T>&, const Sections&, std::ptrdiff_t, Location);         \
    template std::vector<Tensor<T>> split_with_sizes(const Tensor<T>&, const std::vector<std::ptrdiff_t>&,             \
                                                     std::ptrdiff_t, Location);                                        \
    template std::vector<Tensor<T>> chunk(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, Location);                 \
    template std::vector<Tensor<T>> hsplit(const Tensor<T>&, const Sections&, Location);                               \
    template std::vector<Tensor<T>> vsplit(const Tensor<T>&, const Sections&, Location);                               \
    template std::vector<Tensor<T>> dsplit(const Tensor<T>&, const Sections&, Location);                               \
    template Tensor<T> concatenate(std::span<const Tensor<T>>, std::ptrdiff_t, Location);                              \
    template Tensor<T> stack(std::span<const Tensor<T>>, std::ptrdiff_t, Location);                                    \
    template Tensor<T> hstack(const std::vector<Tensor<T>>&, Location);                                                \
    template Tensor<T> vstack(const std::vector<Tensor<T>>&, Location);                                                \
    template Tensor<T> dstack(const std::vector<Tensor<T>>&, Location);                                                \
    template Tensor<T> column_stack(const std::vector<Tensor<T>>&, Location);                                          \
    template Tensor<T> block_diag(const std::vector<Tensor<T>>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

namespace
{

/// The last part, or the whole where there is none.
template <class T>
Tensor<T> last_of(const std::vector<Tensor<T>>& parts, const Tensor<T>& whole)
{
    return parts.empty() ? whole : parts.back();
}

}

EXAMPLE(reshape, found, real, ({2, 6}), reshape(x[0], {3, -1}))
EXAMPLE(flatten, all, real, ({2, 3, 2}), flatten(x[0]))
EXAMPLE(flatten, some, real, ({2, 3, 2}), flatten(x[0], 1))
EXAMPLE(ravel, all, real, ({2, 3}), ravel(x[0]))
EXAMPLE(unflatten, found, real, ({2, 6}), unflatten(x[0], -1, {2, -1}))
EXAMPLE(expand_dims, middle, real, ({2, 3}), expand_dims(x[0], 1))
EXAMPLE(squeeze, all, real, ({2, 1, 3, 1}), squeeze(x[0]))
EXAMPLE(squeeze, one, real, ({2, 1, 3, 1}), squeeze(x[0], -1))
EXAMPLE(atleast_1d, scalar, real, ({}), atleast_1d(x[0]))
EXAMPLE(atleast_2d, vector, real, ({3}), atleast_2d(x[0]))
EXAMPLE(atleast_3d, matrix, real, ({2, 3}), atleast_3d(x[0]))
EXAMPLE(broadcast_to, both, real, ({3, 1}), broadcast_to(x[0], {2, 3, 2}))
EXAMPLE(broadcast_tensors, second, real, ({3, 1}, {2}), broadcast_tensors({x[0], x[1]})[1])
EXAMPLE(sum_to_size, both, real, ({2, 3, 2}), sum_to_size(x[0], {3, 1}))
EXAMPLE(transpose, reversed, real, ({2, 3, 2}), transpose(x[0]))
EXAMPLE(transpose, permuted, real, ({2, 3, 4}), transpose(x[0], {1, 2, 0}))
EXAMPLE(swapaxes, ends, real, ({2, 3, 4}), swapaxes(x[0], 0, -1))
EXAMPLE(moveaxis, two, real, ({2, 3, 4}), moveaxis(x[0], {0, 1}, {-1, 0}))
EXAMPLE(view, index, real, ({3, 4}), view(x[0], -1))
EXAMPLE(view, steps, real, ({5, 4}), view(x[0], range(4, 0, -2), range(0, 4, 3)))
EXAMPLE(view, mixed, real, ({2, 3, 4}), view(x[0], 1, newaxis(), ellipsis(), range(1, 3)))
EXAMPLE(slice, steps, real, ({2, 5}), slice(x[0], 1, range(4, 0, -2)))
EXAMPLE(slice_scatter, index, real, ({2, 3}, {2}), slice_scatter(x[0], x[1], 1, -1))
EXAMPLE(slice_scatter, steps, real, ({5, 2}, {3, 1}), slice_scatter(x[0], x[1], 0, range(0, 5, 2)))
EXAMPLE(narrow, middle, real, ({2, 5}), narrow(x[0], -1, 1, 3))
EXAMPLE(unbind, last, real, ({2, 3}), last_of(unbind(x[0], 1), x[0]))
EXAMPLE(split, last, real, ({2, 6}), split(x[0], 3, 1)[2])
EXAMPLE(tensor_split, first, real, ({5, 2}), tensor_split(x[0], 2)[0])
EXAMPLE(split_with_sizes, second, real, ({6}), split_with_sizes(x[0], {1, 3, 2})[1])
EXAMPLE(chunk, last, real, ({5, 2}), chunk(x[0], 2).back())
EXAMPLE(hsplit, middle, real, ({2, 4}), hsplit(x[0], {1, 3})[1])
EXAMPLE(vsplit, last, real, ({4, 2}), vsplit(x[0], 2)[1])
EXAMPLE(dsplit, first, real, ({2, 2, 4}), dsplit(x[0], 2)[0])
EXAMPLE(concatenate, rows, real, ({2, 3}, {1, 3}), concatenate({x[0], x[1]}))
EXAMPLE(concatenate, columns, real, ({2, 1}, {2, 3}, {2, 2}), concatenate({x[0], x[1], x[2]}, -1))
EXAMPLE(stack, middle, real, ({2, 3}, {2, 3}), stack({x[0], x[1]}, 1))
EXAMPLE(hstack, vectors, real, ({2}, {3}), hstack({x[0], x[1]}))
EXAMPLE(vstack, rows, real, ({3}, {2, 3}), vstack({x[0], x[1]}))
EXAMPLE(dstack, matrices, real, ({2, 3}, {2, 3}), dstack({x[0], x[1]}))
EXAMPLE(column_stack, columns, real, ({2}, {2, 3}), column_stack({x[0], x[1]}))
EXAMPLE(block_diag, three, real, ({2, 2}, {}, {3}), block_diag({x[0], x[1], x[2]}))

TRIAL(reshape, any, ({2, 6}), reshape(x[0], std::vector<std::ptrdiff_t>{any.integer(), any.integer()}))
TRIAL(flatten, any, ({2, 3, 2}), flatten(x[0], any.axis(), any.axis()))
TRIAL(unflatten, any, ({2, 6}), unflatten(x[0], any.axis(), std::vector<std::ptrdiff_t>{any.integer(), any.integer()}))
TRIAL(expand_dims, any, ({2, 3}), expand_dims(x[0], any.axis()))
TRIAL(squeeze, any, ({2, 1, 3, 1}), squeeze(x[0], any.axes()))
TRIAL(broadcast_to, any, ({3, 1}), broadcast_to(x[0], any.shape()))
TRIAL(sum_to_size, any, ({3, 2}), sum_to_size(x[0], any.shape()))
TRIAL(transpose, any, ({2, 3}), transpose(x[0], any.axes()))
TRIAL(swapaxes, any, ({2, 3, 4}), swapaxes(x[0], any.axis(), any.axis()))
TRIAL(moveaxis, any, ({2, 3, 4}), moveaxis(x[0], any.axes(), any.axes()))
TRIAL(view, any, ({3, 4, 2}), view(x[0], range(any.integer(), any.integer(), any.integer()), newaxis(), any.integer()))
TRIAL(slice, any, ({3, 4}), slice(x[0], any.axis(), range(any.integer(), any.integer(), any.integer())))
TRIAL(slice_scatter, any, ({3, 4}, {4}), slice_scatter(x[0], x[1], any.axis(), any.integer()))
TRIAL(narrow, any, ({3, 4}), narrow(x[0], any.axis(), any.integer(), any.integer()))
TRIAL(unbind, any, ({3, 4}), last_of(unbind(x[0], any.axis()), x[0]))
TRIAL(split, any, ({4, 6}), concatenate(split(x[0], any.integer(), any.axis())))
TRIAL(tensor_split, any, ({4, 6}), tensor_split(x[0], {any.integer(), any.integer()}, any.axis()).back())
TRIAL(split_with_sizes, any, ({4, 3}), split_with_sizes(x[0], {any.integer(), any.integer()}, any.axis())[0])
TRIAL(chunk, any, ({4, 6}), chunk(x[0], any.integer(), any.axis())[0])
TRIAL(concatenate, any, ({2, 3}, {2, 3}), concatenate({x[0], x[1]}, any.axis()))
TRIAL(stack, any, ({2, 3}, {2, 3}), stack({x[0], x[1]}, any.axis()))

static constexpr Names names[] = {
    {"reshape", "reshape_view", "reshape", "reshape, view"},
    {"flatten", "flatten", "ravel", "flatten"},
    {"ravel", "ravel", "ravel", "ravel"},
    {"unflatten", nullptr, nullptr, "unflatten"},
    {"expand_dims", "expand_dims", "expand_dims", "unsqueeze"},
    {"squeeze", "squeeze", "squeeze", "squeeze"},
    {"atleast_1d", "atleast_1d", "atleast_1d", "atleast_1d"},
    {"atleast_2d", "atleast_2d", "atleast_2d", "atleast_2d"},
    {"atleast_3d", "atleast_3d", "atleast_3d", "atleast_3d"},
    {"broadcast_to", "broadcast", "broadcast_to", "broadcast_to, Tensor.expand"},
    {"broadcast_tensors", nullptr, "broadcast_arrays", "broadcast_tensors"},
    {"sum_to_size", nullptr, nullptr, "Tensor.sum_to_size"},
    {"transpose", "transpose", "transpose", "permute, t, Tensor.T"},
    {"swapaxes", "swapaxes", "swapaxes", "transpose, swapaxes, Tensor.mT"},
    {"moveaxis", "moveaxis", "moveaxis", "movedim, moveaxis"},
    {"view", "view, strided_view", "indexing", "indexing"},
    {"slice", nullptr, nullptr, "select"},
    {"slice_scatter", nullptr, nullptr, "slice_scatter, select_scatter"},
    {"narrow", nullptr, nullptr, "narrow"},
    {"unbind", nullptr, nullptr, "unbind"},
    {"split", "split", "split", "tensor_split"},
    {"tensor_split", nullptr, "array_split", "tensor_split"},
    {"split_with_sizes", nullptr, nullptr, "split"},
    {"chunk", nullptr, nullptr, "chunk"},
    {"hsplit", "hsplit", "hsplit", "hsplit"},
    {"vsplit", "vsplit", "vsplit", "vsplit"},
    {"dsplit", nullptr, "dsplit", "dsplit"},
    {"concatenate", "concatenate", "concatenate", "cat"},
    {"stack", "stack", "stack", "stack"},
    {"hstack", "hstack", "hstack", "hstack"},
    {"vstack", "vstack", "vstack", "vstack"},
    {"dstack", nullptr, "dstack", "dstack"},
    {"column_stack", nullptr, "column_stack", "column_stack"},
    {"block_diag", nullptr, "scipy.linalg.block_diag", "block_diag"},
};
static const NameTable name_table{"shape", names};

void detail::shape_family() noexcept {}

}
