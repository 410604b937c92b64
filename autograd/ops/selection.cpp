#include <autograd/batching.hpp>
#include <autograd/derive.hpp>
#include <autograd/ops/selection.hpp>
#include <autograd/parallel.hpp>

#include <atomic>
#include <optional>
#include <string>

namespace autograd::detail
{

void require_axes(std::size_t rank, const char* operation, Location location)
{
    if (rank > max_rank)
    {
        throw ShapeError(operation,
                         "the result would have " + std::to_string(rank) + " axes: at most " +
                             std::to_string(max_rank) + " are possible",
                         location);
    }
}

void require_step(const Slice& slice, const char* operation, Location location)
{
    if (slice.kind == Slice::Kind::range && slice.step == 0)
    {
        throw ValueError(operation, "the step of a range is 0", location);
    }
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
    if (distance <= 0)
    {
        return {start, 0};
    }
    // Without negating the lowest of all steps.
    const auto step = forward ? static_cast<std::size_t>(slice.step) : -static_cast<std::size_t>(slice.step);
    return {start, (static_cast<std::size_t>(distance) - 1) / step + 1};
}

}

void SliceReader::push_back(std::size_t extent, std::ptrdiff_t stride)
{
    require_axes(walk_.rank + 1, operation_, location_);
    walk_.push_back(extent, stride);
}

void SliceReader::read(const Slice& slice)
{
    if (slice.kind == Slice::Kind::newaxis)
    {
        push_back(1, 0);
        return;
    }
    const auto extent = static_cast<std::ptrdiff_t>(shape_[axis_]);
    if (slice.kind == Slice::Kind::index)
    {
        if (*slice.start < -extent || *slice.start >= extent)
        {
            throw ShapeError(operation_,
                             "index " + std::to_string(*slice.start) + " is out of range for axis " +
                                 std::to_string(axis_) + " of shape " + to_string(shape_),
                             location_);
        }
        walk_.offset += (*slice.start + (*slice.start < 0 ? extent : 0)) * whole_.strides[axis_];
    }
    else
    {
        const Part part = part_of(slice, extent);
        if (part.count != 0)
        {
            walk_.offset += part.start * whole_.strides[axis_];
        }
        push_back(part.count, part.count > 1 ? slice.step * whole_.strides[axis_] : 0);
    }
    ++axis_;
}

void SliceReader::keep(std::size_t axes)
{
    for (; axes > 0; --axes, ++axis_)
    {
        push_back(shape_[axis_], whole_.strides[axis_]);
    }
}

namespace
{

/// Whether some index counts from the end. Throws ValueError if one is out of range.
bool has_negative(const Indices& indices, std::size_t extent, const char* operation, Location location)
{
    const auto end = static_cast<std::int64_t>(extent);
    std::atomic<bool> negative = false;
    std::atomic<bool> outside = false;
    constexpr std::size_t grain = 2 * elements_worth_a_thread;
    parallel_for(indices.size(), grain,
                 [&](std::size_t first, std::size_t last)
                 {
                     std::int64_t lowest = 0;
                     std::int64_t highest = -1;
                     for (std::size_t i = first; i < last; ++i)
                     {
                         lowest = std::min(lowest, indices[i]);
                         highest = std::max(highest, indices[i]);
                     }
                     if (lowest < 0)
                     {
                         negative = true;
                     }
                     if (lowest < -end || highest >= end)
                     {
                         outside = true;
                     }
                 });
    if (outside)
    {
        const std::int64_t wrong =
            *std::find_if(indices.begin(), indices.end(), [end](std::int64_t i) { return i < -end || i >= end; });
        throw ValueError(operation,
                         "index " + std::to_string(wrong) + " is out of range for an axis of extent " +
                             std::to_string(extent),
                         location);
    }
    return negative;
}

}

Indices normalized(const Indices& indices, std::size_t extent, const char* operation, Location location)
{
    if (!indices.is_live() && !has_negative(indices, extent, operation, location))
    {
        return indices;
    }
    const auto count = [=](const Indices& from, Indices& to)
    {
        has_negative(from, extent, operation, location);
        std::transform(from.begin(), from.end(), to.data(),
                       [end = static_cast<std::int64_t>(extent)](std::int64_t i) { return i < 0 ? i + end : i; });
    };
    return derive_indices(operation, indices.shape(), indices, location, count);
}

Chosen along_axis(const Shape& shape, std::size_t axis, const Indices& indices, const char* operation,
                  Location location)
{
    const Shape extents = shape.rank() == 0 ? Shape{1} : shape;
    require_axes(extents.rank() - 1 + indices.dimension(), operation, location);
    const Walk whole(extents);
    Chosen chosen{{}, normalized(indices, extents[axis], operation, location), {}, shape, {}};
    for (std::size_t k = 0; k < extents.rank(); ++k)
    {
        if (k == axis)
        {
            for (const std::size_t extent : indices.shape())
            {
                chosen.to.push_back(extent);
            }
            continue;
        }
        (k < axis ? chosen.outer : chosen.inner).push_back(whole.extents[k], whole.strides[k]);
        chosen.to.push_back(extents[k]);
    }
    const std::ptrdiff_t stride = whole.strides[axis];
    if (stride != 1)
    {
        chosen.offsets = derive_indices(
            operation, indices.shape(), chosen.offsets, location,
            [stride](const Indices& from, Indices& to)
            { std::transform(from.begin(), from.end(), to.data(), [stride](std::int64_t i) { return i * stride; }); });
    }
    return chosen;
}

namespace
{

/// The walk from sample to sample, `step` elements apart; nothing if it would have too many axes.
std::optional<Walk> from_sample_to_sample(std::size_t samples, std::size_t step, const Walk& walk)
{
    if (walk.rank == max_rank)
    {
        return {};
    }
    Walk result;
    result.offset = walk.offset;
    result.push_back(samples, static_cast<std::ptrdiff_t>(step));
    for (std::size_t axis = 0; axis < walk.rank; ++axis)
    {
        result.push_back(walk.extents[axis], walk.strides[axis]);
    }
    return result;
}

/// The same selection in each of several arrays, one after another.
/// @{
std::optional<Strided> on_batch(Strided one, std::size_t samples, Location)
{
    const auto places = from_sample_to_sample(samples, one.from.elements(), one.places);
    return places ? std::optional(Strided{*places, one.from, one.to}) : std::nullopt;
}
std::optional<Chosen> on_batch(Chosen one, std::size_t samples, Location)
{
    const auto outer = from_sample_to_sample(samples, one.from.elements(), one.outer);
    return outer ? std::optional(Chosen{*outer, one.offsets, one.inner, one.from, one.to}) : std::nullopt;
}
std::optional<Along> on_batch(Along one, std::size_t samples, Location location)
{
    const auto walk = from_sample_to_sample(samples, one.from.elements(), one.walk);
    const auto repeat = [](const Indices& from, Indices& to)
    {
        for (std::size_t i = 0; i < to.size(); i += from.size())
        {
            std::copy(from.begin(), from.end(), to.data() + i);
        }
    };
    return walk ? std::optional(Along{
                      *walk, derive_indices("gather", Shape{samples * one.index.size()}, one.index, location, repeat),
                      one.stride, one.from, one.to})
                : std::nullopt;
}
/// @}

template <class Selection>
std::optional<Selection> in_batch(const Selection& one, std::size_t samples, Location location)
{
    if (one.from.rank() == max_rank || one.to.rank() == max_rank)
    {
        return {};
    }
    std::optional<Selection> all = on_batch(one, samples, location);
    if (all)
    {
        all->from = BatchOperand<float>::in_front(samples, one.from);
        all->to = BatchOperand<float>::in_front(samples, one.to);
    }
    return all;
}

constexpr auto take_on_batch = []<class Selection, class T>(const Take<Selection>& op, const Batch<T, 1>& batch)
{
    const auto all = in_batch(op.selection, batch.samples, batch.location);
    return all ? batch.behind_axis(Take<Selection>{*all}) : Tensor<T>();
};

constexpr auto put_on_batch =
    []<class Selection, bool accumulate, class T>(const Put<Selection, accumulate>& op, const Batch<T, 2>& batch)
{
    const auto all = in_batch(op.selection, batch.samples, batch.location);
    if (!all)
    {
        return Tensor<T>();
    }
    // What fills the arrays is one number for all of them, or an array in front of each.
    Tensor<T> whole = batch[0].tensor;
    if (batch[0].batched || batch[0].rank() != 0)
    {
        whole = broadcast_to(batch[0].aligned(op.selection.from.rank(), batch.location), all->from, batch.location);
    }
    return apply(Put<Selection, accumulate>{*all}, batch.location, whole, batch[1].full(batch.samples, batch.location));
};

template <class Selection>
struct SelectionBatching
{
    Batching<Take<Selection>, 1> take{take_on_batch};
    Batching<Put<Selection, false>, 2> put{put_on_batch};
    Batching<Put<Selection, true>, 2> add{put_on_batch};
};
const SelectionBatching<Strided> strided_batching;
const SelectionBatching<Chosen> chosen_batching;
const SelectionBatching<Along> along_batching;

}

}
