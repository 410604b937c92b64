#include <autograd/batching.hpp>
#include <autograd/derive.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/selection.hpp>
#include <autograd/registry.hpp>

#include <limits>
#include <numeric>
#include <string>

namespace autograd
{

namespace
{

using detail::Along;
using detail::Chosen;
using detail::Reads;
using detail::stretched_to;
using detail::Strided;
using detail::Walk;

/// A 0-d array has one axis here.
std::size_t axis_of(std::ptrdiff_t axis, const Shape& shape, const char* operation, Location location)
{
    return detail::normalize_axis(axis, std::max<std::size_t>(1, shape.rank()), operation, location);
}

/// The whole array as a list of these elements.
Chosen elements_at(std::size_t size, const Indices& indices, const char* operation, Location location)
{
    return detail::along_axis({size}, 0, indices, operation, location);
}

/// For each index the element of an array of this shape.
Along places_along(const Shape& shape, std::size_t axis, const Indices& indices, const char* operation,
                   Location location)
{
    const Shape extents = shape.rank() == 0 ? Shape{1} : shape;
    const Shape counts = indices.dimension() == 0 ? Shape{1} : indices.shape();
    bool fits = counts.rank() == extents.rank();
    for (std::size_t k = 0; fits && k < counts.rank(); ++k)
    {
        fits = k == axis || counts[k] <= extents[k];
    }
    if (!fits)
    {
        throw ShapeError(operation,
                         "the indices must have the axes of the tensor, and reach no further but along axis " +
                             std::to_string(axis) + ": got " + to_string(indices.shape()) + " for " + to_string(shape),
                         location);
    }
    const Walk whole(extents);
    Walk walk;
    for (std::size_t k = 0; k < counts.rank(); ++k)
    {
        walk.push_back(counts[k], k == axis ? 0 : whole.strides[k]);
    }
    return {walk, detail::normalized(indices, extents[axis], operation, location), whole.strides[axis], shape,
            indices.shape()};
}

/// The source's elements that the indices use.
template <class T>
Tensor<T> source_of(const Operand<T>& operand, const Indices& indices, const char* operation, Location location)
{
    const Tensor<T> source = operand;
    if (source.dimension() == 0)
    {
        return stretched_to(source, indices.shape(), operation, location);
    }
    bool fits = source.dimension() == indices.dimension();
    for (std::size_t k = 0; fits && k < indices.dimension(); ++k)
    {
        fits = indices.shape(k) <= source.shape(k);
    }
    if (!fits)
    {
        throw ShapeError(operation,
                         "the source does not reach as far as the indices: got " + to_string(source.shape()) + " for " +
                             to_string(indices.shape()),
                         location);
    }
    if (source.shape() == indices.shape())
    {
        return source;
    }
    Strided corner{Walk(source.shape()), source.shape(), indices.shape()};
    std::copy(indices.shape().begin(), indices.shape().end(), corner.places.extents.begin());
    return detail::take_out(corner, source, location);
}

Indices broadcast(const Indices& indices, const Shape& shape)
{
    if (indices.shape() == shape)
    {
        return indices;
    }
    const Walk whole(indices.shape());
    const std::size_t lead = shape.rank() - indices.dimension();
    Walk walk;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    {
        const bool stretched = axis < lead || indices.shape(axis - lead) == 1;
        walk.push_back(shape[axis], stretched ? 0 : whole.strides[axis - lead]);
    }
    Indices result(shape);
    detail::gather(indices.data(), walk, result.data());
    return result;
}

/// The positions where a mask of row-major elements holds.
Indices positions_of(const xt::xarray<bool>& mask)
{
    const auto& holds = mask.storage();
    Indices positions(Shape{static_cast<std::size_t>(std::count(holds.begin(), holds.end(), true))});
    std::int64_t* next = positions.data();
    for (std::size_t i = 0; i < holds.size(); ++i)
    {
        if (holds[i])
        {
            *next++ = static_cast<std::int64_t>(i);
        }
    }
    return positions;
}

/// Arrays of an index, each as offsets in the array, added up.
class Offsets
{
public:
    Offsets(const char* operation, Location location) : operation_(operation), location_(location) {}

    void add(const Indices& indices, std::ptrdiff_t stride)
    {
        Shape common;
        if (!broadcast_shapes(sum_.shape(), indices.shape(), common))
        {
            throw ShapeError(operation_,
                             "arrays of positions do not broadcast: got " + to_string(sum_.shape()) + " and " +
                                 to_string(indices.shape()),
                             location_);
        }
        const Indices other = broadcast(indices, common);
        const Indices before = broadcast(sum_, common);
        sum_ = Indices(common);
        std::transform(before.begin(), before.end(), other.begin(), sum_.data(),
                       [stride](std::int64_t a, std::int64_t b) { return a + b * stride; });
    }
    const Indices& sum() const noexcept { return sum_; }

private:
    const char* operation_;
    Location location_;
    Indices sum_ = xt::xarray<std::int64_t>(0);
};

/// Where a mask holds in the axes of an array that it covers, as offsets.
Indices offsets_of(const xt::xarray<bool>& mask, const Walk& covered)
{
    Indices offsets = positions_of(mask);
    for (std::int64_t& offset : std::span(offsets.data(), offsets.size()))
    {
        std::int64_t position = std::exchange(offset, 0);
        for (std::size_t axis = covered.rank; axis-- > 0;)
        {
            const auto extent = static_cast<std::int64_t>(covered.extents[axis]);
            offset += position % extent * covered.strides[axis];
            position /= extent;
        }
    }
    return offsets;
}

/// How many axes of an array an entry of an index is for.
std::size_t axes_of(const Index& entry)
{
    using Kind = Slice::Kind;
    const Kind kind = entry.slice().kind;
    return entry.mask() ? entry.mask()->dimension() : entry.positions() || kind == Kind::index || kind == Kind::range;
}

/// Calls `use` with what an index selects, as the simplest kind of selection that can say it.
template <class Use>
auto with_selection(const Shape& shape, const std::vector<Index>& indices, const char* operation, Location location,
                    Use use)
{
    using Kind = Slice::Kind;
    const auto is_ellipsis = [](const Index& entry)
    { return !entry.is_array() && entry.slice().kind == Kind::ellipsis; };
    std::size_t taken = 0;
    for (const Index& entry : indices)
    {
        taken += axes_of(entry);
        detail::require_step(entry.slice(), operation, location);
    }
    if (taken > shape.rank() || std::count_if(indices.begin(), indices.end(), is_ellipsis) > 1)
    {
        throw ShapeError(operation,
                         "too many entries for shape " + to_string(shape) + ": got some for " + std::to_string(taken) +
                             " axes",
                         location, "At most one ellipsis stands for all other axes.");
    }
    detail::SliceReader reader(shape, operation, location);
    Offsets offsets(operation, location);
    const Walk whole(shape);
    bool any = false;
    bool apart = false;
    std::size_t first = 0;
    std::size_t last = 0;
    for (const Index& entry : indices)
    {
        if (!entry.is_array())
        {
            if (is_ellipsis(entry))
            {
                reader.keep(shape.rank() - taken);
            }
            else if (entry.slice().kind != Kind::none)
            {
                reader.read(entry.slice());
            }
            continue;
        }
        const std::size_t before = reader.walk().rank;
        apart = apart || (any && before != last);
        first = any ? first : before;
        last = before;
        any = true;
        const std::size_t axis = reader.axis();
        if (entry.positions())
        {
            offsets.add(detail::normalized(*entry.positions(), shape[axis], operation, location), whole.strides[axis]);
        }
        else
        {
            Walk covered;
            for (std::size_t k = 0; k < entry.mask()->dimension(); ++k)
            {
                covered.push_back(shape[axis + k], whole.strides[axis + k]);
            }
            if (!std::equal(entry.mask()->shape().begin(), entry.mask()->shape().end(), covered.extents.begin()))
            {
                throw ShapeError(operation,
                                 "a mask of shape " + to_string(Shape(entry.mask()->shape())) + " for axes from " +
                                     std::to_string(axis) + " of shape " + to_string(shape),
                                 location);
            }
            offsets.add(offsets_of(*entry.mask(), covered), 1);
        }
        reader.skip(axes_of(entry));
    }
    reader.keep(shape.rank() - reader.axis());
    if (!any)
    {
        return use(reader.selection());
    }
    const Walk& rest = reader.walk();
    const std::size_t place = apart ? 0 : first;
    detail::require_axes(rest.rank + offsets.sum().dimension(), operation, location);
    Chosen chosen{{}, offsets.sum(), {}, shape, Shape(rest.extents.begin(), rest.extents.begin() + place)};
    chosen.outer.offset = rest.offset;
    for (const std::size_t extent : offsets.sum().shape())
    {
        chosen.to.push_back(extent);
    }
    for (std::size_t k = 0; k < rest.rank; ++k)
    {
        (k < place ? chosen.outer : chosen.inner).push_back(rest.extents[k], rest.strides[k]);
        if (k >= place)
        {
            chosen.to.push_back(rest.extents[k]);
        }
    }
    return use(chosen);
}

/// The largest, or smallest, of the elements that meet in a place.
template <bool larger>
struct ScatterExtreme
{
    static constexpr const char* name = "scatter_reduce";
    bool operator==(const ScatterExtreme&) const = default;
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 3}; }
    Chosen places;

    template <class T>
    Tensor<T> value(const Tensor<T>& x, const Tensor<T>& source) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* elements = y.node()->template as<T>();
        std::copy_n(x.data(), x.size(), elements);
        for (std::size_t i = 0; i < source.size(); ++i)
        {
            T& element = elements[places.offsets[i]];
            const T other = source.data()[i];
            element = other != other || (larger ? other > element : other < element) ? other : element;
        }
        return y;
    }
    /// The gradient for each of those that are equal to the result.
    template <class T>
    Tensor<T> share(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x, const Tensor<T>& source) const
    {
        const Tensor<T> chosen = formula::eq(source, detail::take_out(places, stop_gradient(y), Location{})).ones;
        return dy / detail::add_into(places, formula::eq(x, y).ones, chosen, Location{});
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x,
                       const Tensor<T>& source) const
    {
        return share(dy, y, x, source) * formula::eq(x, y).ones;
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x,
                       const Tensor<T>& source) const
    {
        const Tensor<T> chosen = formula::eq(source, detail::take_out(places, stop_gradient(y), Location{})).ones;
        return detail::take_out(places, share(dy, y, x, source), Location{}) * chosen;
    }
};

// What all samples are flattened to is as many arrays one after another.
constexpr auto scatter_extreme_on_batch =
    []<bool larger, class T>(const ScatterExtreme<larger>& op, const detail::Batch<T, 2>& batch)
{
    const std::size_t size = batch.result.elements();
    const auto in_each = [size](const Indices& from, Indices& to)
    {
        for (std::size_t i = 0; i < to.size(); ++i)
        {
            to.data()[i] = from[i % from.size()] + static_cast<std::int64_t>(i / from.size() * size);
        }
    };
    const Indices& one = op.places.offsets;
    const Indices all =
        detail::derive_indices(op.name, Shape{batch.samples * one.size()}, one, batch.location, in_each);
    return batch.as_stack(ScatterExtreme<larger>{elements_at(batch.samples * size, all, op.name, batch.location)});
};
const detail::Batching<ScatterExtreme<true>, 2> scatter_largest_batching(scatter_extreme_on_batch);
const detail::Batching<ScatterExtreme<false>, 2> scatter_smallest_batching(scatter_extreme_on_batch);

Indices as_indices(const std::vector<std::int64_t>& elements)
{
    Indices indices(Shape{elements.size()});
    std::copy(elements.begin(), elements.end(), indices.data());
    return indices;
}

/// Products of elements that belong together, by multiplying them in pairs until one each is left: no division, so zeros
/// do no harm to any derivative.
template <class T>
class GroupedProduct
{
public:
    GroupedProduct(const Tensor<T>& elements, const Indices& groups, Location location)
        : elements_(elements), slots_(groups.size()), location_(location)
    {
        std::iota(slots_.begin(), slots_.end(), std::int64_t{0});
        const auto group = [&](std::int64_t slot) { return groups[static_cast<std::size_t>(slot)]; };
        std::stable_sort(slots_.begin(), slots_.end(),
                         [&](std::int64_t a, std::int64_t b) { return group(a) < group(b); });
        for (const std::int64_t slot : slots_)
        {
            if (groups_.empty() || groups_.back() != group(slot))
            {
                groups_.push_back(group(slot));
                sizes_.push_back(0);
            }
            ++sizes_.back();
        }
        while (slots_.size() > groups_.size())
        {
            halve();
        }
    }

    Indices groups() const { return as_indices(groups_); }
    Tensor<T> products() const { return index_select(elements_, 0, as_indices(slots_), location_); }

private:
    void halve()
    {
        std::vector<std::int64_t> left;
        std::vector<std::int64_t> right;
        std::vector<std::int64_t> alone;
        std::size_t slot = 0;
        for (const std::size_t size : sizes_)
        {
            for (std::size_t k = 0; k + 1 < size; k += 2)
            {
                left.push_back(slots_[slot++]);
                right.push_back(slots_[slot++]);
            }
            if (size % 2 != 0)
            {
                alone.push_back(slots_[slot++]);
            }
        }
        const auto chosen = [&](const std::vector<std::int64_t>& slots)
        { return index_select(elements_, 0, as_indices(slots), location_); };
        elements_ = concatenate({chosen(left) * chosen(right), chosen(alone)}, 0, location_);
        std::int64_t next_product = 0;
        auto next_alone = static_cast<std::int64_t>(left.size());
        slots_.clear();
        for (std::size_t& size : sizes_)
        {
            for (std::size_t k = 0; k < size / 2; ++k)
            {
                slots_.push_back(next_product++);
            }
            if (size % 2 != 0)
            {
                slots_.push_back(next_alone++);
            }
            size = (size + 1) / 2;
        }
    }

    Tensor<T> elements_;
    std::vector<std::int64_t> slots_;
    std::vector<std::int64_t> groups_;
    std::vector<std::size_t> sizes_;
    Location location_;
};

/// `x` with the source's elements, one a place, reduced into the elements at these places of it, which is flat.
template <class T>
Tensor<T> reduced_into(const Chosen& places, const Tensor<T>& x, const Tensor<T>& source, const ScatterOptions& options,
                       Location location)
{
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const auto starting_with = [&](T neutral)
    {
        return options.include_self
                   ? x
                   : detail::put_into(places, x, stretched_to(Tensor<T>(neutral), places.to, "", location), location);
    };
    switch (options.mode)
    {
    case ScatterMode::sum:
        return detail::add_into(places, starting_with(0), source, location);
    case ScatterMode::mean:
    {
        const Tensor<T> ones = stretched_to(Tensor<T>(T(1)), places.to, "", location);
        const Tensor<T> self =
            options.include_self ? Tensor<T>(T(1)) : detail::put_into(places, Tensor<T>(T(1)), ones - ones, location);
        const Tensor<T> counts = detail::add_into(places, self, ones, location);
        return detail::add_into(places, starting_with(0), source, location) / counts;
    }
    case ScatterMode::amax:
        return apply(ScatterExtreme<true>{places}, location, starting_with(-infinity), source);
    case ScatterMode::amin:
        return apply(ScatterExtreme<false>{places}, location, starting_with(infinity), source);
    case ScatterMode::prod:
        break;
    }
    const GroupedProduct<T> product(source, places.offsets, location);
    const Chosen written = elements_at(x.size(), product.groups(), "", location);
    const Tensor<T> self = options.include_self ? detail::take_out(written, x, location) : Tensor<T>(T(1));
    return detail::put_into(written, x, self * product.products(), location);
}

/// The same for any selection from an array of any shape.
template <class Selection, class T>
Tensor<T> reduced_at(const Selection& selection, const Tensor<T>& x, const Tensor<T>& source,
                     const ScatterOptions& options, Location location)
{
    Indices all(Shape{x.size()});
    std::iota(all.data(), all.data() + all.size(), std::int64_t{0});
    Indices places(Shape{selection.to.elements()});
    detail::gather(all.data(), selection.where(), places.data());
    const Tensor<T> flat = reduced_into(elements_at(x.size(), places, "", location), flatten(x, location),
                                        flatten(source, location), options, location);
    return reshape(flat, x.shape(), location);
}

/// Tensor and mask, stretched to one shape.
template <class T>
struct Masked
{
    Tensor<T> flat;
    Shape shape;
    Indices positions;

    Masked(const Tensor<T>& x, const xt::xarray<bool>& mask, const char* operation, Location location)
        : positions(Shape{0})
    {
        const Shape of_mask(mask.shape());
        if (!broadcast_shapes(x.shape(), of_mask, shape))
        {
            throw ShapeError(operation,
                             "tensor and mask do not broadcast: got " + to_string(x.shape()) + " and " +
                                 to_string(of_mask),
                             location);
        }
        flat = flatten(stretched_to(x, shape, operation, location), location);
        positions = of_mask == shape
                        ? positions_of(mask)
                        : positions_of(xt::broadcast(mask, std::vector<std::size_t>(shape.begin(), shape.end())));
    }
};

}

template <Real T>
Tensor<T> index(const Tensor<T>& x, const std::vector<Index>& indices, Location location)
{
    return with_selection(x.shape(), indices, "index", location,
                          [&](const auto& selection) { return detail::take_out(selection, x, location); });
}

template <Real T>
Tensor<T> index_put(const Tensor<T>& x, const std::vector<Index>& indices,
                    const std::type_identity_t<Operand<T>>& source, bool accumulate, Location location)
{
    return with_selection(x.shape(), indices, "index_put", location,
                          [&](const auto& selection)
                          {
                              const Tensor<T> part =
                                  stretched_to(Tensor<T>(source), selection.to, "index_put", location);
                              return accumulate ? detail::add_into(selection, x, part, location)
                                                : detail::put_into(selection, x, part, location);
                          });
}

template <Real T>
Tensor<T> index_select(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "index_select", location);
    return detail::take_out(detail::along_axis(x.shape(), along, indices, "index_select", location), x, location);
}

template <Real T>
Tensor<T> index_copy(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                     const std::type_identity_t<Operand<T>>& source, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "index_copy", location);
    const Chosen chosen = detail::along_axis(x.shape(), along, indices, "index_copy", location);
    return detail::put_into(chosen, x, stretched_to(Tensor<T>(source), chosen.to, "index_copy", location), location);
}

template <Real T>
Tensor<T> index_add(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                    const std::type_identity_t<Operand<T>>& source, double scale, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "index_add", location);
    const Chosen chosen = detail::along_axis(x.shape(), along, indices, "index_add", location);
    const Tensor<T> part = stretched_to(Tensor<T>(source), chosen.to, "index_add", location);
    return detail::add_into(chosen, x, scale == 1 ? part : part * Operand<T>(scale, location), location);
}

template <Real T>
Tensor<T> index_reduce(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                       const std::type_identity_t<Operand<T>>& source, const ScatterOptions& options, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "index_reduce", location);
    const Chosen chosen = detail::along_axis(x.shape(), along, indices, "index_reduce", location);
    return reduced_at(chosen, x, stretched_to(Tensor<T>(source), chosen.to, "index_reduce", location), options,
                      location);
}

template <Real T>
Tensor<T> take(const Tensor<T>& x, const Indices& indices, Location location)
{
    return detail::take_out(elements_at(x.size(), indices, "take", location), flatten(x, location), location);
}

template <Real T>
Tensor<T> put(const Tensor<T>& x, const Indices& indices, const std::type_identity_t<Operand<T>>& source,
              bool accumulate, Location location)
{
    const Chosen chosen = elements_at(x.size(), indices, "put", location);
    const Tensor<T> given = source;
    const Tensor<T> part = given.size() == indices.size() ? reshape(given, indices.shape(), location)
                                                          : stretched_to(given, indices.shape(), "put", location);
    const Tensor<T> flat = flatten(x, location);
    return reshape(accumulate ? detail::add_into(chosen, flat, part, location)
                              : detail::put_into(chosen, flat, part, location),
                   x.shape(), location);
}

template <Real T>
Tensor<T> gather(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "gather", location);
    return detail::take_out(places_along(x.shape(), along, indices, "gather", location), x, location);
}

template <Real T>
Tensor<T> take_along_axis(const Tensor<T>& x, const Indices& indices, std::ptrdiff_t axis, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "take_along_axis", location);
    Shape others = x.shape();
    Shape wanted = indices.shape();
    Shape common;
    bool fits = others.rank() == wanted.rank() && along < others.rank();
    if (fits)
    {
        others[along] = 1;
        wanted[along] = 1;
        fits = broadcast_shapes(others, wanted, common);
    }
    if (!fits)
    {
        throw ShapeError("take_along_axis",
                         "tensor and indices must broadcast but for axis " + std::to_string(along) + ": got " +
                             to_string(x.shape()) + " and " + to_string(indices.shape()),
                         location);
    }
    others = common;
    others[along] = x.shape(along);
    wanted = common;
    wanted[along] = indices.shape(along);
    const Tensor<T> stretched = stretched_to(x, others, "take_along_axis", location);
    return detail::take_out(places_along(others, along, broadcast(indices, wanted), "take_along_axis", location),
                            stretched, location);
}

template <Real T>
Tensor<T> scatter(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                  const std::type_identity_t<Operand<T>>& source, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "scatter", location);
    const Along places = places_along(x.shape(), along, indices, "scatter", location);
    return detail::put_into(places, x, source_of<T>(source, indices, "scatter", location), location);
}

template <Real T>
Tensor<T> scatter_add(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                      const std::type_identity_t<Operand<T>>& source, Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "scatter_add", location);
    const Along places = places_along(x.shape(), along, indices, "scatter_add", location);
    return detail::add_into(places, x, source_of<T>(source, indices, "scatter_add", location), location);
}

template <Real T>
Tensor<T> scatter_reduce(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                         const std::type_identity_t<Operand<T>>& source, const ScatterOptions& options,
                         Location location)
{
    const std::size_t along = axis_of(axis, x.shape(), "scatter_reduce", location);
    const Along places = places_along(x.shape(), along, indices, "scatter_reduce", location);
    return reduced_at(places, x, source_of<T>(source, indices, "scatter_reduce", location), options, location);
}

template <Real T>
Tensor<T> filter(const Tensor<T>& x, const xt::xarray<bool>& mask, Location location)
{
    const Masked<T> masked(x, mask, "filter", location);
    return take(masked.flat, masked.positions, location);
}

template <Real T>
Tensor<T> masked_fill(const Tensor<T>& x, const xt::xarray<bool>& mask, const std::type_identity_t<Operand<T>>& value,
                      Location location)
{
    const Shape of_mask(mask.shape());
    Shape common;
    if (!broadcast_shapes(x.shape(), of_mask, common) || !broadcasts_to(value.node()->shape, common))
    {
        throw ShapeError("masked_fill",
                         "tensor, mask and value do not broadcast: got " + to_string(x.shape()) + ", " +
                             to_string(of_mask) + " and " + to_string(value.node()->shape),
                         location);
    }
    return where(mask, Tensor<T>(value), x, location);
}

template <Real T>
Tensor<T> masked_scatter(const Tensor<T>& x, const xt::xarray<bool>& mask, const Tensor<T>& source, Location location)
{
    const Masked<T> masked(x, mask, "masked_scatter", location);
    const std::size_t count = masked.positions.size();
    if (source.size() < count)
    {
        throw ValueError("masked_scatter",
                         "the mask holds for " + std::to_string(count) + " elements: got a source of " +
                             std::to_string(source.size()),
                         location);
    }
    const Tensor<T> part = narrow(flatten(source, location), 0, 0, static_cast<std::ptrdiff_t>(count), location);
    return reshape(put(masked.flat, masked.positions, part, false, location), masked.shape, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> index(const Tensor<T>&, const std::vector<Index>&, Location);                                   \
    template Tensor<T> index_put(const Tensor<T>&, const std::vector<Index>&, const Operand<T>&, bool, Location);      \
    template Tensor<T> index_select(const Tensor<T>&, std::ptrdiff_t, const Indices&, Location);                       \
    template Tensor<T> index_copy(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&, Location);      \
    template Tensor<T> index_add(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&, double,          \
                                 Location);                                                                            \
    template Tensor<T> index_reduce(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&,               \
                                    const ScatterOptions&, Location);                                                  \
    template Tensor<T> take(const Tensor<T>&, const Indices&, Location);                                               \
    template Tensor<T> put(const Tensor<T>&, const Indices&, const Operand<T>&, bool, Location);                       \
    template Tensor<T> gather(const Tensor<T>&, std::ptrdiff_t, const Indices&, Location);                             \
    template Tensor<T> take_along_axis(const Tensor<T>&, const Indices&, std::ptrdiff_t, Location);                    \
    template Tensor<T> scatter(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&, Location);         \
    template Tensor<T> scatter_add(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&, Location);     \
    template Tensor<T> scatter_reduce(const Tensor<T>&, std::ptrdiff_t, const Indices&, const Operand<T>&,             \
                                      const ScatterOptions&, Location);                                                \
    template Tensor<T> filter(const Tensor<T>&, const xt::xarray<bool>&, Location);                                    \
    template Tensor<T> masked_fill(const Tensor<T>&, const xt::xarray<bool>&, const Operand<T>&, Location);            \
    template Tensor<T> masked_scatter(const Tensor<T>&, const xt::xarray<bool>&, const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

namespace
{

using Rows = xt::xarray<int>;
const xt::xarray<bool> corner{{true, false, true}, {false, true, false}};

}

EXAMPLE(index, rows, distinct, ({4, 3}), index(x[0], {{2, 0, 2}}))
EXAMPLE(index, points, distinct, ({3, 2, 4}), index(x[0], {all(), {1, 0, 1}, {3, -1, 3}}))
EXAMPLE(index, apart, distinct, ({3, 2, 4}), index(x[0], {{2, 0}, range(1, -3, -1), {1, 3}}))
EXAMPLE(index, masked, distinct, ({2, 3, 2}), index(x[0], {corner, newaxis(), -1}))
EXAMPLE(index_put, rows, distinct, ({4, 3}, {2, 1}), index_put(x[0], {{2, 0}}, x[1]))
EXAMPLE(index_put, added, distinct, ({4, 3}, {3, 2}), index_put(x[0], {{2, 0, 2}, range(0, 3, 2)}, x[1], true))
EXAMPLE(index_put, slice, distinct, ({4, 3}, {4}), index_put(x[0], {all(), 1}, x[1]))
EXAMPLE(index_select, columns, distinct, ({2, 4}), index_select(x[0], 1, {3, 0, 3}))
EXAMPLE(index_select, table, distinct, ({4, 2}), index_select(x[0], 0, Rows{{3, 0}, {1, -1}}))
EXAMPLE(index_copy, rows, distinct, ({4, 2}, {2, 2}), index_copy(x[0], 0, {3, 1}, x[1]))
EXAMPLE(index_add, rows, distinct, ({4, 2}, {3, 2}), index_add(x[0], 0, {3, 1, 3}, x[1], -2))
EXAMPLE(index_reduce, largest, distinct, ({3, 2}, {4, 2}),
        index_reduce(x[0], 0, {2, 0, 2, 2}, x[1], {.mode = ScatterMode::amax}))
EXAMPLE(take, matrix, distinct, ({2, 3}), take(x[0], Rows{{5, 0}, {5, -1}}))
EXAMPLE(put, some, distinct, ({2, 3}, {2}), put(x[0], {5, 0}, x[1]))
EXAMPLE(put, added, distinct, ({2, 3}, {3}), put(x[0], {5, 0, 5}, x[1], true))
EXAMPLE(gather, rows, distinct, ({3, 2}), gather(x[0], 0, Rows{{2, 0}, {2, 1}, {0, 0}, {-1, 1}}))
EXAMPLE(gather, columns, distinct, ({3, 4}), gather(x[0], 1, Rows{{2, 0, 2}, {1, 3, 3}}))
EXAMPLE(take_along_axis, stretched, distinct, ({3, 1}), take_along_axis(x[0], Rows{{2, 0, 2}}, 0))
EXAMPLE(scatter, rows, distinct, ({3, 2}, {2, 2}), scatter(x[0], 0, Rows{{2, 0}, {1, 2}}, x[1]))
EXAMPLE(scatter_add, columns, distinct, ({2, 4}, {3, 3}), scatter_add(x[0], 1, Rows{{2, 0, 2}, {1, 3, 3}}, x[1]))
EXAMPLE(scatter_reduce, product, distinct, ({2, 3}, {2, 4}),
        scatter_reduce(x[0], 1, Rows{{2, 0, 2, 2}, {1, 1, 1, 1}}, x[1], {.mode = ScatterMode::prod}))
EXAMPLE(scatter_reduce, mean, distinct, ({2, 3}, {2, 2}),
        scatter_reduce(x[0], 1, Rows{{2, 2}, {1, 0}}, x[1], {.mode = ScatterMode::mean, .include_self = false}))
EXAMPLE(scatter_reduce, smallest, distinct, ({2, 3}, {2, 2}),
        scatter_reduce(x[0], 1, Rows{{2, 2}, {1, 0}}, x[1], {.mode = ScatterMode::amin, .include_self = false}))
EXAMPLE(filter, stretched, distinct, ({2, 1}), filter(x[0], corner))
EXAMPLE(masked_fill, stretched, distinct, ({3}, {2, 1}), masked_fill(x[0], corner, x[1]))
EXAMPLE(masked_scatter, some, distinct, ({2, 3}, {4}), masked_scatter(x[0], corner, x[1]))

TRIAL(index, any, ({4, 3, 2}), index(x[0], {any.indices(), range(any.integer(), any.integer()), any.indices()}))
TRIAL(index_put, any, ({4, 3}, {3}), index_put(x[0], {any.indices()}, x[1], any.flag()))
TRIAL(index_select, any, ({4, 3}), index_select(x[0], any.axis(), any.indices()))
TRIAL(index_copy, any, ({4, 3}, {3}), index_copy(x[0], any.axis(), any.indices(), x[1]))
TRIAL(index_add, any, ({4, 3}, {3}), index_add(x[0], any.axis(), any.indices(), x[1], any.number()))
TRIAL(index_reduce, any, ({4, 3}, {3}),
      index_reduce(x[0], any.axis(), any.indices(), x[1],
                   {.mode = any.one_of({ScatterMode::prod, ScatterMode::mean, ScatterMode::amax}),
                    .include_self = any.flag()}))
TRIAL(take, any, ({4, 3}), take(x[0], any.indices()))
TRIAL(put, any, ({4, 3}, {}), put(x[0], any.indices(), x[1], any.flag()))
TRIAL(gather, any, ({4, 3}), gather(x[0], any.axis(), any.indices()))
TRIAL(take_along_axis, any, ({4, 1}), take_along_axis(x[0], any.indices(), any.axis()))
TRIAL(scatter, any, ({4, 3}, {4, 4}), scatter(x[0], any.axis(), any.indices(), x[1]))
TRIAL(scatter_add, any, ({4, 3}, {4, 4}), scatter_add(x[0], any.axis(), any.indices(), x[1]))
TRIAL(scatter_reduce, any, ({4, 3}, {4, 4}),
      scatter_reduce(x[0], any.axis(), any.indices(), x[1],
                     {.mode = any.one_of({ScatterMode::sum, ScatterMode::prod, ScatterMode::amin}),
                      .include_self = any.flag()}))

static constexpr Names names[] = {
    {"index", "index_view, view with keep", "advanced indexing", "indexing, Tensor.index"},
    {"index_put", "index_view", "advanced indexing", "index_put"},
    {"index_select", "view with keep", "take", "index_select"},
    {"index_copy", nullptr, nullptr, "index_copy"},
    {"index_add", nullptr, "add.at", "index_add"},
    {"index_reduce", nullptr, "ufunc.at", "index_reduce"},
    {"take", "index_view", "take", "take"},
    {"put", nullptr, "put", "Tensor.put"},
    {"gather", nullptr, "take_along_axis", "gather"},
    {"take_along_axis", nullptr, "take_along_axis", "take_along_dim"},
    {"scatter", nullptr, "put_along_axis", "scatter"},
    {"scatter_add", nullptr, "add.at", "scatter_add"},
    {"scatter_reduce", nullptr, "ufunc.at", "scatter_reduce"},
    {"filter", "filter", "boolean indexing", "masked_select"},
    {"masked_fill", "filtration", "putmask", "masked_fill"},
    {"masked_scatter", nullptr, "place", "masked_scatter"},
};
static const NameTable name_table{"index", names};

void detail::index_family() noexcept {}

}
