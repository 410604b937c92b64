#include <autograd/compile.hpp>
#include <autograd/composition.hpp>
#include <autograd/ops/arrange.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/selection.hpp>
#include <autograd/registry.hpp>

#include <algorithm>
#include <functional>
#include <string>

namespace autograd
{

namespace
{

using detail::normalize_axis;
using detail::stretched_to;
using detail::Strided;
using detail::Walk;

void reverse(Walk& walk, std::size_t axis)
{
    if (walk.extents[axis] != 0)
    {
        walk.offset += (static_cast<std::ptrdiff_t>(walk.extents[axis]) - 1) * walk.strides[axis];
        walk.strides[axis] = -walk.strides[axis];
    }
}

template <class T>
Tensor<T> flipped(const Tensor<T>& x, unsigned axes, Location location)
{
    Strided mirrored{Walk(x.shape()), x.shape(), x.shape()};
    for (std::size_t axis = 0; axis < x.dimension(); ++axis)
    {
        if ((axes >> axis & 1) != 0)
        {
            reverse(mirrored.places, axis);
        }
    }
    return detail::take_out(mirrored, x, location);
}

template <class T>
void require_axis_count(bool fits, const char* needed, const Tensor<T>& x, const char* operation, Location location)
{
    if (!fits)
    {
        throw ShapeError(operation, std::string("needs ") + needed + ": got shape " + to_string(x.shape()), location);
    }
}

template <class T>
Tensor<T> rolled(const Tensor<T>& x, std::size_t axis, std::ptrdiff_t shift, Location location)
{
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(axis));
    const std::ptrdiff_t kept = extent == 0 ? 0 : (extent - shift % extent) % extent;
    if (kept == 0)
    {
        return x;
    }
    const auto along = static_cast<std::ptrdiff_t>(axis);
    return concatenate({slice(x, along, range(kept, extent), location), slice(x, along, range(0, kept), location)},
                       along, location);
}

/// i in [0, n), as if [0, n) went on for ever.
std::ptrdiff_t periodic(std::ptrdiff_t i, std::ptrdiff_t n)
{
    return (i % n + n) % n;
}

/// Which of n elements stands at place i beside them.
std::ptrdiff_t extended(std::ptrdiff_t i, std::ptrdiff_t n, PadMode mode)
{
    if (mode == PadMode::edge || n == 1)
    {
        return std::clamp<std::ptrdiff_t>(i, 0, n - 1);
    }
    if (mode == PadMode::wrap)
    {
        return periodic(i, n);
    }
    const std::ptrdiff_t period = mode == PadMode::symmetric ? 2 * n : 2 * n - 2;
    const std::ptrdiff_t place = periodic(i, period);
    return place < n ? place : mode == PadMode::symmetric ? period - 1 - place : period - place;
}

/// Where the diagonals of the matrices in two axes are.
Strided diagonal_of(const Shape& shape, std::ptrdiff_t offset, std::ptrdiff_t axis1, std::ptrdiff_t axis2,
                    const char* operation, Location location)
{
    const std::size_t rows = normalize_axis(axis1, shape.rank(), operation, location);
    const std::size_t columns = normalize_axis(axis2, shape.rank(), operation, location);
    if (rows == columns)
    {
        throw ShapeError(operation,
                         "needs two different axes: got " + std::to_string(axis1) + " and " + std::to_string(axis2) +
                             " of shape " + to_string(shape),
                         location);
    }
    const Walk whole(shape);
    const auto height = static_cast<std::ptrdiff_t>(shape[rows]);
    const auto width = static_cast<std::ptrdiff_t>(shape[columns]);
    Strided diagonal{{}, shape, {}};
    const auto push_back = [&](std::size_t extent, std::ptrdiff_t stride)
    {
        diagonal.places.push_back(extent, stride);
        diagonal.to.push_back(extent);
    };
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    {
        if (axis != rows && axis != columns)
        {
            push_back(shape[axis], whole.strides[axis]);
        }
    }
    if (offset >= width || offset <= -height)
    {
        push_back(0, 0);
        return diagonal;
    }
    diagonal.places.offset = offset >= 0 ? offset * whole.strides[columns] : -offset * whole.strides[rows];
    push_back(
        static_cast<std::size_t>(offset >= 0 ? std::min(height, width - offset) : std::min(height + offset, width)),
        whole.strides[rows] + whole.strides[columns]);
    return diagonal;
}

/// Matrices with the elements right of a diagonal, or left of it, as 0.
template <class T>
Tensor<T> triangle(const Tensor<T>& x, std::ptrdiff_t offset, bool lower, const char* operation, Location location)
{
    require_axis_count(x.dimension() >= 2, "two axes", x, operation, location);
    const std::size_t height = x.shape(x.dimension() - 2);
    const std::size_t width = x.shape(x.dimension() - 1);
    const Tensor<T> kept = detail::zeros<T>({height, width});
    T* const elements = kept.node()->template as<T>();
    for (std::size_t i = 0; i < height; ++i)
    {
        for (std::size_t j = 0; j < width; ++j)
        {
            const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(j) - static_cast<std::ptrdiff_t>(i);
            elements[i * width + j] = lower ? place <= offset : place >= offset;
        }
    }
    const detail::Composition composition(location);
    return formula::select(formula::Mask<T>{kept}, x, T(0));
}

}

template <Real T>
Tensor<T> flip(const Tensor<T>& x, Axes axes, Location location)
{
    return flipped(x, detail::axis_set(axes, x.dimension(), "flip", location), location);
}

template <Real T>
Tensor<T> fliplr(const Tensor<T>& x, Location location)
{
    require_axis_count(x.dimension() >= 2, "two axes", x, "fliplr", location);
    return flipped(x, 2, location);
}

template <Real T>
Tensor<T> flipud(const Tensor<T>& x, Location location)
{
    require_axis_count(x.dimension() >= 1, "an axis", x, "flipud", location);
    return flipped(x, 1, location);
}

template <Real T>
Tensor<T> rot90(const Tensor<T>& x, std::ptrdiff_t times, std::array<std::ptrdiff_t, 2> axes, Location location)
{
    const std::size_t first = normalize_axis(axes[0], x.dimension(), "rot90", location);
    const std::size_t second = normalize_axis(axes[1], x.dimension(), "rot90", location);
    if (first == second)
    {
        throw ShapeError("rot90", "needs two different axes: got axis " + std::to_string(axes[0]) + " twice", location);
    }
    const std::ptrdiff_t quarters = periodic(times, 4);
    Strided turned{Walk(x.shape()), x.shape(), x.shape()};
    if (quarters % 2 != 0)
    {
        std::swap(turned.places.extents[first], turned.places.extents[second]);
        std::swap(turned.places.strides[first], turned.places.strides[second]);
        std::swap(turned.to[first], turned.to[second]);
    }
    if (quarters == 1 || quarters == 2)
    {
        reverse(turned.places, first);
    }
    if (quarters == 2 || quarters == 3)
    {
        reverse(turned.places, second);
    }
    return detail::take_out(turned, x, location);
}

template <Real T>
Tensor<T> roll(const Tensor<T>& x, std::ptrdiff_t shift, Location location)
{
    return reshape(rolled(flatten(x, location), 0, shift, location), x.shape(), location);
}

template <Real T>
Tensor<T> roll(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& shifts, Axes axes, Location location)
{
    if (shifts.size() != axes.size())
    {
        throw ShapeError("roll",
                         "needs a shift for each axis: got " + std::to_string(shifts.size()) + " shifts and " +
                             std::to_string(axes.size()) + " axes",
                         location);
    }
    Tensor<T> y = x;
    for (std::size_t k = 0; k < shifts.size(); ++k)
    {
        y = rolled(y, normalize_axis(axes[k], x.dimension(), "roll", location), shifts[k], location);
    }
    return y;
}

template <Real T>
Tensor<T> tile(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& repetitions, Location location)
{
    const std::size_t rank = std::max(x.dimension(), repetitions.size());
    detail::require_axes(rank, "tile", location);
    Shape shape;
    for (std::size_t axis = 0; axis < rank; ++axis)
    {
        shape.push_back(axis + x.dimension() < rank ? 1 : x.shape(axis + x.dimension() - rank));
    }
    Tensor<T> y = x;
    for (std::size_t axis = rank; axis-- > rank - repetitions.size();)
    {
        const std::ptrdiff_t count = repetitions[axis + repetitions.size() - rank];
        if (count < 0)
        {
            throw ValueError("tile", "repeats " + std::to_string(count) + " times", location);
        }
        const std::size_t outer = Shape(shape.begin(), shape.begin() + axis).elements();
        const std::size_t inner = Shape(shape.begin() + axis, shape.end()).elements();
        y = broadcast_to(reshape(y, Shape{outer, 1, inner}, location),
                         Shape{outer, static_cast<std::size_t>(count), inner}, location);
        shape[axis] *= static_cast<std::size_t>(count);
    }
    return reshape(y, shape, location);
}

template <Real T>
Tensor<T> repeat(const Tensor<T>& x, std::ptrdiff_t repeats, std::ptrdiff_t axis, Location location)
{
    return repeat(x, Indices{repeats}, axis, location);
}

template <Real T>
Tensor<T> repeat(const Tensor<T>& x, const Indices& repeats, std::ptrdiff_t axis, Location location)
{
    const std::size_t extent = x.shape(normalize_axis(axis, x.dimension(), "repeat", location));
    if (repeats.size() != 1 && (repeats.size() != extent || repeats.dimension() != 1))
    {
        throw ShapeError("repeat",
                         "needs one number, or one for each element: got " + to_string(repeats.shape()) + " for " +
                             std::to_string(extent) + " elements",
                         location);
    }
    std::vector<std::int64_t> positions;
    for (std::size_t i = 0; i < extent; ++i)
    {
        const std::int64_t count = repeats[repeats.size() == 1 ? 0 : i];
        if (count < 0)
        {
            throw ValueError("repeat", "repeats " + std::to_string(count) + " times", location);
        }
        positions.insert(positions.end(), static_cast<std::size_t>(count), static_cast<std::int64_t>(i));
    }
    Indices indices(Shape{positions.size()});
    std::copy(positions.begin(), positions.end(), indices.data());
    return index_select(x, axis, indices, location);
}

namespace
{

/// What is seen of an array through a window that may reach over its edges, where a number stands. Its transpose is the
/// window that the array is to the result.
struct Window
{
    static constexpr const char* name = "pad";
    bool operator==(const Window&) const = default;
    Shape shape = {};
    std::array<std::ptrdiff_t, max_rank> before = {};  ///< how far over the first element of each axis
    double outside = 0;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        T* const out = y.node()->template as<T>();
        const auto [from, to, one_piece, lands_in_one] = seen_of(x.shape());
        const std::size_t seen = to.elements();
        if (seen == 0)
        {
            std::fill_n(out, y.size(), static_cast<T>(outside));
            return y;
        }
        if (seen == y.size())
        {
            detail::gather(x.data(), from, out);
            return y;
        }
        if (one_piece && lands_in_one)
        {
            std::fill_n(out, to.offset, static_cast<T>(outside));
            detail::gather(x.data() + from.offset, Walk(Shape{seen}), out + to.offset);
            std::fill(out + to.offset + seen, out + y.size(), static_cast<T>(outside));
            return y;
        }
        // It takes less time to fill what is then written than to find what is not.
        std::fill_n(out, y.size(), static_cast<T>(outside));
        if (one_piece)
        {
            detail::scatter(x.data() + from.offset, out, to);
            return y;
        }
        const Tensor<T> part = gathered(x, from);
        detail::scatter(part.data(), out, to);
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        Window back{.shape = x.shape()};
        std::transform(before.begin(), before.end(), back.before.begin(), std::negate<>());
        return apply(back, Location{}, dy);
    }
    template <class T>
    void add_to(Wrt<0>, T* sum, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        const auto [from, to, one_piece, lands_in_one] = seen_of(x.shape());
        const Tensor<T> part = lands_in_one ? dy : gathered(dy, to);
        detail::scatter_add(part.data() + (lands_in_one ? to.offset : 0), sum, from);
    }

private:
    /// What of an array is seen: where in it, and where in the window.
    struct Seen
    {
        Walk from;
        Walk to;
        bool one_piece = true;     ///< it lies in one piece there
        bool lands_in_one = true;  ///< and here
    };

    Seen seen_of(const Shape& array) const
    {
        Seen seen{Walk(array), Walk(shape)};
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            const auto extent = static_cast<std::ptrdiff_t>(array[axis]);
            const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, before[axis]);
            const std::ptrdiff_t end = std::min(static_cast<std::ptrdiff_t>(shape[axis]), before[axis] + extent);
            const auto count = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, end - first));
            seen.from.extents[axis] = seen.to.extents[axis] = count;
            seen.from.offset += (first - before[axis]) * seen.from.strides[axis];
            seen.to.offset += first * seen.to.strides[axis];
            seen.one_piece &= axis == 0 || count == array[axis];
            seen.lands_in_one &= axis == 0 || count == shape[axis];
        }
        return seen;
    }

    template <class T>
    static Tensor<T> gathered(const Tensor<T>& x, const Walk& from)
    {
        const Tensor<T> part = Tensor<T>::adopt(detail::new_node<T>(Shape{from.elements()}));
        detail::gather(x.data(), from, part.node()->template as<T>());
        return part;
    }
};

}

template <Real T>
Tensor<T> pad(const Tensor<T>& x, const std::vector<PadWidth>& widths, PadMode mode, double value, Location location)
{
    if (widths.size() != x.dimension())
    {
        throw ShapeError("pad",
                         "needs a width for each axis: got " + std::to_string(widths.size()) + " for shape " +
                             to_string(x.shape()),
                         location);
    }
    Tensor<T> y = x;
    Window window{.outside = value};
    for (std::size_t axis = 0; axis < widths.size(); ++axis)
    {
        const auto [before, behind] = widths[axis];
        const auto extent = static_cast<std::ptrdiff_t>(x.shape(axis));
        const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, -before);
        const std::ptrdiff_t last = extent - std::max<std::ptrdiff_t>(0, -behind);
        if (first > last || (first == last && mode != PadMode::constant && (before > 0 || behind > 0)))
        {
            throw ValueError("pad",
                             std::to_string(before) + " and " + std::to_string(behind) +
                                 " elements cannot be added to axis " + std::to_string(axis) + " of shape " +
                                 to_string(x.shape()),
                             location);
        }
        window.before[axis] = before;
        window.shape.push_back(static_cast<std::size_t>(extent + before + behind));
        if (mode != PadMode::constant)
        {
            const auto along = static_cast<std::ptrdiff_t>(axis);
            y = first == 0 && last == extent ? y : slice(y, along, range(first, last), location);
            if (before > 0 || behind > 0)
            {
                Indices positions(Shape{window.shape[axis]});
                for (std::size_t i = 0; i < window.shape[axis]; ++i)
                {
                    positions.data()[i] = extended(static_cast<std::ptrdiff_t>(i) - std::max<std::ptrdiff_t>(0, before),
                                                   last - first, mode);
                }
                y = index_select(y, along, positions, location);
            }
        }
    }
    const bool moves = std::any_of(widths.begin(), widths.end(), [](PadWidth width) { return width != PadWidth{}; });
    return mode == PadMode::constant && moves ? apply(window, location, x) : y;
}

template <Real T>
Tensor<T> sliding_window_view(const Tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t size, std::ptrdiff_t step,
                              Location location)
{
    const Shape shape = x.dimension() == 0 ? Shape{1} : x.shape();
    const std::size_t along = normalize_axis(axis, shape.rank(), "sliding_window_view", location);
    const auto extent = static_cast<std::ptrdiff_t>(shape[along]);
    if (size < 0 || size > extent || step <= 0)
    {
        throw ShapeError("sliding_window_view",
                         "windows of " + std::to_string(size) + " elements, " + std::to_string(step) +
                             " apart, along axis " + std::to_string(along) + " of shape " + to_string(x.shape()),
                         location);
    }
    detail::require_axes(x.dimension() + 1, "sliding_window_view", location);
    Strided windows{Walk(shape), x.shape(), shape};
    const std::ptrdiff_t stride = windows.places.strides[along];
    windows.to[along] = static_cast<std::size_t>((extent - size) / step + 1);
    windows.places.extents[along] = windows.to[along];
    windows.places.strides[along] = windows.to[along] > 1 ? stride * step : 0;
    if (x.dimension() == 0)
    {
        windows.to = Shape{};
        windows.places = Walk(Shape{});
    }
    windows.places.push_back(static_cast<std::size_t>(size), stride);
    windows.to.push_back(static_cast<std::size_t>(size));
    return detail::take_out(windows, x, location);
}

template <Real T>
Tensor<T> diagonal(const Tensor<T>& x, std::ptrdiff_t offset, std::ptrdiff_t axis1, std::ptrdiff_t axis2,
                   Location location)
{
    return detail::take_out(diagonal_of(x.shape(), offset, axis1, axis2, "diagonal", location), x, location);
}

template <Real T>
Tensor<T> diagonal_scatter(const Tensor<T>& x, const Tensor<T>& source, std::ptrdiff_t offset, std::ptrdiff_t axis1,
                           std::ptrdiff_t axis2, Location location)
{
    const Strided places = diagonal_of(x.shape(), offset, axis1, axis2, "diagonal_scatter", location);
    return detail::put_into(places, x, stretched_to(source, places.to, "diagonal_scatter", location), location);
}

template <Real T>
Tensor<T> diag(const Tensor<T>& x, std::ptrdiff_t offset, Location location)
{
    require_axis_count(x.dimension() == 1 || x.dimension() == 2, "a vector or a matrix", x, "diag", location);
    return x.dimension() == 1 ? diag_embed(x, offset, 0, 1, location) : diagonal(x, offset, 0, 1, location);
}

template <Real T>
Tensor<T> diagflat(const Tensor<T>& x, std::ptrdiff_t offset, Location location)
{
    return diag(flatten(x, location), offset, location);
}

template <Real T>
Tensor<T> diag_embed(const Tensor<T>& x, std::ptrdiff_t offset, std::ptrdiff_t axis1, std::ptrdiff_t axis2,
                     Location location)
{
    require_axis_count(x.dimension() >= 1, "an axis", x, "diag_embed", location);
    const std::size_t rank = x.dimension() + 1;
    detail::require_axes(rank, "diag_embed", location);
    const std::size_t rows = normalize_axis(axis1, rank, "diag_embed", location);
    const std::size_t columns = normalize_axis(axis2, rank, "diag_embed", location);
    const std::size_t extent = x.shape(x.dimension() - 1) + static_cast<std::size_t>(offset < 0 ? -offset : offset);
    Shape shape;
    for (std::size_t axis = 0, next = 0; axis < rank; ++axis)
    {
        shape.push_back(axis == rows || axis == columns ? extent : x.shape(next++));
    }
    return detail::put_into(diagonal_of(shape, offset, axis1, axis2, "diag_embed", location), Tensor<T>(T(0)), x,
                            location);
}

template <Real T>
Tensor<T> trace(const Tensor<T>& x, std::ptrdiff_t offset, Location location)
{
    require_axis_count(x.dimension() == 2, "a matrix", x, "trace", location);
    return sum(diagonal(x, offset, 0, 1, location), {}, {}, location);
}

template <Real T>
Tensor<T> tril(const Tensor<T>& x, std::ptrdiff_t offset, Location location)
{
    return triangle(x, offset, true, "tril", location);
}

template <Real T>
Tensor<T> triu(const Tensor<T>& x, std::ptrdiff_t offset, Location location)
{
    return triangle(x, offset, false, "triu", location);
}

namespace
{

template <class T>
std::vector<Tensor<T>> spanned_by(const std::vector<Tensor<T>>& vectors, MeshIndexing indexing, const char* operation,
                                  Location location)
{
    detail::require_axes(vectors.size(), operation, location);
    const auto axis_of = [&](std::size_t k)
    { return indexing == MeshIndexing::xy && vectors.size() > 1 && k < 2 ? 1 - k : k; };
    Shape grid;
    for (std::size_t k = 0; k < vectors.size(); ++k)
    {
        const Tensor<T>& vector = vectors[axis_of(k)];
        require_axis_count(vector.dimension() <= 1, "vectors", vector, operation, location);
        grid.push_back(vector.size());
    }
    std::vector<Tensor<T>> arrays;
    for (std::size_t k = 0; k < vectors.size(); ++k)
    {
        Shape line = grid;
        for (std::size_t axis = 0; axis < line.rank(); ++axis)
        {
            line[axis] = axis == axis_of(k) ? grid[axis] : 1;
        }
        arrays.push_back(broadcast_to(reshape(vectors[k], line, location), grid, location));
    }
    return arrays;
}

}

template <Real T>
std::vector<Tensor<T>> meshgrid(const std::vector<Tensor<T>>& vectors, MeshIndexing indexing, Location location)
{
    return spanned_by(vectors, indexing, "meshgrid", location);
}

template <Real T>
Tensor<T> cartesian_prod(const std::vector<Tensor<T>>& vectors, Location location)
{
    if (vectors.empty())
    {
        throw ValueError("cartesian_prod", "needs at least one vector", location);
    }
    std::vector<Tensor<T>> columns;
    for (const Tensor<T>& array : spanned_by(vectors, MeshIndexing::ij, "cartesian_prod", location))
    {
        columns.push_back(flatten(array, location));
    }
    return vectors.size() == 1 ? columns[0] : stack(columns, 1, location);
}

template <Real T>
Tensor<T> combinations(const Tensor<T>& x, std::ptrdiff_t count, bool with_replacement, Location location)
{
    require_axis_count(x.dimension() == 1, "a vector", x, "combinations", location);
    if (count < 0)
    {
        throw ValueError("combinations", "takes " + std::to_string(count) + " elements", location);
    }
    const auto width = static_cast<std::size_t>(count);
    const auto step = static_cast<std::int64_t>(!with_replacement);
    const auto end = static_cast<std::int64_t>(x.size());
    // The last place whose position can still grow does, and those behind it start over.
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> chosen(width);
    const auto start_over = [&](std::size_t from, std::int64_t position)
    {
        for (std::size_t k = from; k < width; ++k, position += step)
        {
            chosen[k] = position;
        }
        return width == 0 || chosen.back() < end;
    };
    std::size_t rows = 0;
    for (bool more = start_over(0, 0); more; ++rows)
    {
        positions.insert(positions.end(), chosen.begin(), chosen.end());
        more = false;
        for (std::size_t k = width; k-- > 0 && !more;)
        {
            more = start_over(k, chosen[k] + 1);
        }
    }
    Indices indices(Shape{rows, width});
    std::copy(positions.begin(), positions.end(), indices.data());
    return index_select(x, 0, indices, location);
}

template <Real T>
Tensor<T> vander(const Tensor<T>& x, std::ptrdiff_t count, Location location)
{
    if (count < 0)
    {
        throw ValueError("vander", "gives " + std::to_string(count) + " powers", location);
    }
    detail::require_axes(x.dimension() + 1, "vander", location);
    return pow(expand_dims(x, -1, location), constant(Tensor<T>(xt::arange<double>(static_cast<double>(count)))),
               location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> flip(const Tensor<T>&, Axes, Location);                                                         \
    template Tensor<T> fliplr(const Tensor<T>&, Location);                                                             \
    template Tensor<T> flipud(const Tensor<T>&, Location);                                                             \
    template Tensor<T> rot90(const Tensor<T>&, std::ptrdiff_t, std::array<std::ptrdiff_t, 2>, Location);               \
    template Tensor<T> roll(const Tensor<T>&, std::ptrdiff_t, Location);                                               \
    template Tensor<T> roll(const Tensor<T>&, const std::vector<std::ptrdiff_t>&, Axes, Location);                     \
    template Tensor<T> tile(const Tensor<T>&, const std::vector<std::ptrdiff_t>&, Location);                           \
    template Tensor<T> repeat(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, Location);                             \
    template Tensor<T> repeat(const Tensor<T>&, const Indices&, std::ptrdiff_t, Location);                             \
    template Tensor<T> pad(const Tensor<T>&, const std::vector<PadWidth>&, PadMode, double, Location);                 \
    template Tensor<T> sliding_window_view(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t,           \
                                           Location);                                                                  \
    template Tensor<T> diagonal(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, Location);           \
    template Tensor<T> diagonal_scatter(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t,            \
                                        std::ptrdiff_t, Location);                                                     \
    template Tensor<T> diag(const Tensor<T>&, std::ptrdiff_t, Location);                                               \
    template Tensor<T> diagflat(const Tensor<T>&, std::ptrdiff_t, Location);                                           \
    template Tensor<T> diag_embed(const Tensor<T>&, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, Location);         \
    template Tensor<T> trace(const Tensor<T>&, std::ptrdiff_t, Location);                                              \
    template Tensor<T> tril(const Tensor<T>&, std::ptrdiff_t, Location);                                               \
    template Tensor<T> triu(const Tensor<T>&, std::ptrdiff_t, Location);                                               \
    template std::vector<Tensor<T>> meshgrid(const std::vector<Tensor<T>>&, MeshIndexing, Location);                   \
    template Tensor<T> cartesian_prod(const std::vector<Tensor<T>>&, Location);                                        \
    template Tensor<T> combinations(const Tensor<T>&, std::ptrdiff_t, bool, Location);                                 \
    template Tensor<T> vander(const Tensor<T>&, std::ptrdiff_t, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

namespace
{

/// For an attribute that decides how large the result is.
std::ptrdiff_t few(Arbitrary& any)
{
    return static_cast<std::ptrdiff_t>(any.below(6)) - 2;
}

}

EXAMPLE(flip, all, real, ({2, 3}), flip(x[0]))
EXAMPLE(flip, two, real, ({2, 3, 2}), flip(x[0], {0, -1}))
EXAMPLE(fliplr, matrix, real, ({2, 3}), fliplr(x[0]))
EXAMPLE(flipud, matrix, real, ({2, 3}), flipud(x[0]))
EXAMPLE(rot90, once, real, ({2, 3}), rot90(x[0]))
EXAMPLE(rot90, back, real, ({2, 3, 2}), rot90(x[0], -1, {1, 2}))
EXAMPLE(roll, flat, real, ({2, 3}), roll(x[0], 2))
EXAMPLE(roll, axes, real, ({2, 3}), roll(x[0], {1, -1}, {0, 1}))
EXAMPLE(tile, both, real, ({2, 3}), tile(x[0], {2, 1, 2}))
EXAMPLE(repeat, same, real, ({2, 3}), repeat(x[0], 2, 1))
EXAMPLE(repeat, each, real, ({2, 3}), repeat(x[0], {2, 0, 1}, -1))
EXAMPLE(pad, constant, real, ({2, 3}), pad(x[0], {{1, 0}, {-1, 2}}, PadMode::constant, 0.5))
EXAMPLE(pad, reflect, real, ({2, 3}), pad(x[0], {{0, 1}, {2, 1}}, PadMode::reflect))
EXAMPLE(pad, symmetric, real, ({2, 3}), pad(x[0], {{0, 0}, {2, 1}}, PadMode::symmetric))
EXAMPLE(pad, wrap, real, ({3, 2}), pad(x[0], {{2, -1}, {0, 3}}, PadMode::wrap))
EXAMPLE(pad, edge, real, ({2, 2}), pad(x[0], {{1, 1}, {0, 2}}, PadMode::edge))
EXAMPLE(sliding_window_view, overlapping, real, ({2, 7}), sliding_window_view(x[0], 1, 3, 2))
EXAMPLE(diagonal, upper, real, ({2, 3, 4}), diagonal(x[0], 1, 1, 2))
EXAMPLE(diagonal_scatter, lower, real, ({3, 3}, {2}), diagonal_scatter(x[0], x[1], -1))
EXAMPLE(diag, vector, real, ({3}), diag(x[0], -1))
EXAMPLE(diag, matrix, real, ({2, 3}), diag(x[0], 1))
EXAMPLE(diagflat, matrix, real, ({2, 2}), diagflat(x[0]))
EXAMPLE(diag_embed, first, real, ({2, 3}), diag_embed(x[0], 1, 0, 2))
EXAMPLE(trace, main, real, ({3, 2}), trace(x[0]))
EXAMPLE(tril, below, real, ({2, 3, 3}), tril(x[0], -1))
EXAMPLE(triu, main, real, ({3, 4}), triu(x[0]))
EXAMPLE(meshgrid, second, real, ({2}, {3}), meshgrid(std::vector{x[0], x[1]}, MeshIndexing::xy)[1])
EXAMPLE(cartesian_prod, two, real, ({2}, {3}), cartesian_prod(std::vector{x[0], x[1]}))
EXAMPLE(combinations, pairs, real, ({4}), combinations(x[0]))
EXAMPLE(combinations, repeated, real, ({2}), combinations(x[0], 3, true))
EXAMPLE(vander, cubes, real, ({2, 3}), vander(x[0], 4))

TRIAL(flip, any, ({2, 3}), flip(x[0], any.axes()))
TRIAL(rot90, any, ({2, 3}), rot90(x[0], any.integer(), {any.axis(), any.axis()}))
TRIAL(roll, any, ({2, 3}), roll(x[0], {any.integer(), any.integer()}, {any.axis(), any.axis()}))
TRIAL(tile, any, ({2, 3}), tile(x[0], {few(any), few(any), few(any)}))
TRIAL(repeat, any, ({2, 3}), repeat(x[0], any.indices(), any.axis()))
TRIAL(pad, any, ({2, 3}),
      pad(x[0], {{few(any), few(any)}, {few(any), few(any)}},
          any.one_of({PadMode::constant, PadMode::symmetric, PadMode::reflect, PadMode::wrap, PadMode::edge}),
          any.number()))
TRIAL(sliding_window_view, any, ({2, 5}), sliding_window_view(x[0], any.axis(), any.integer(), any.integer()))
TRIAL(diagonal, any, ({2, 3, 4}), diagonal(x[0], any.integer(), any.axis(), any.axis()))
TRIAL(diagonal_scatter, any, ({3, 3}, {}), diagonal_scatter(x[0], x[1], any.integer(), any.axis(), any.axis()))
TRIAL(diag, any, ({3}), diag(x[0], few(any)))
TRIAL(diag_embed, any, ({2, 3}), diag_embed(x[0], few(any), any.axis(), any.axis()))
TRIAL(trace, any, ({3, 3}), trace(x[0], any.integer()))
TRIAL(tril, any, ({3, 3}), tril(x[0], any.integer()))
TRIAL(triu, any, ({3, 3}), triu(x[0], any.integer()))
TRIAL(combinations, any, ({4}), combinations(x[0], few(any), any.flag()))
TRIAL(vander, any, ({3}), vander(x[0], few(any)))

static constexpr Names names[] = {
    {"flip", "flip", "flip", "flip"},
    {"fliplr", nullptr, "fliplr", "fliplr"},
    {"flipud", nullptr, "flipud", "flipud"},
    {"rot90", "rot90", "rot90", "rot90"},
    {"roll", "roll", "roll", "roll"},
    {"tile", "tile", "tile", "tile, Tensor.repeat"},
    {"repeat", "repeat", "repeat", "repeat_interleave"},
    {"pad", "pad", "pad", "nn.functional.pad"},
    {"sliding_window_view", nullptr, "lib.stride_tricks.sliding_window_view", "Tensor.unfold"},
    {"diagonal", "diagonal", "diagonal", "diagonal"},
    {"diagonal_scatter", nullptr, "fill_diagonal", "diagonal_scatter"},
    {"diag", "diag", "diag", "diag"},
    {"diagflat", nullptr, "diagflat", "diagflat"},
    {"diag_embed", nullptr, nullptr, "diag_embed"},
    {"trace", nullptr, "trace", "trace"},
    {"tril", "tril", "tril", "tril"},
    {"triu", "triu", "triu", "triu"},
    {"meshgrid", "meshgrid", "meshgrid", "meshgrid"},
    {"cartesian_prod", nullptr, nullptr, "cartesian_prod"},
    {"combinations", nullptr, nullptr, "combinations"},
    {"vander", nullptr, "vander", "linalg.vander"},
};
static const NameTable name_table{"arrange", names};

void detail::arrange_family() noexcept {}

}
