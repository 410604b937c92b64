#include <autograd/derive.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/image.hpp>
#include <autograd/ops/resampling.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/registry.hpp>

#include <cmath>
#include <string>

namespace autograd
{

namespace
{

using detail::number_for;
using detail::SparseMatrix;

/// Where the elements of patches are in an image of two axes.
struct Patches
{
    Indices places;  ///< (1, elements of a kernel * patches), -1 for padding
    std::size_t kernel;
    std::size_t count;
};

/// The patches of an image of this height and width.
Patches patches_of(const std::array<std::size_t, 2>& image, const PerAxis& kernels, const UnfoldOptions& options,
                   const char* operation, Location location)
{
    std::array<std::ptrdiff_t, 2> kernel;
    std::array<std::ptrdiff_t, 2> dilation;
    std::array<std::ptrdiff_t, 2> padding;
    std::array<std::ptrdiff_t, 2> stride;
    std::array<std::ptrdiff_t, 2> count;
    for (std::size_t k = 0; k < 2; ++k)
    {
        const auto number = [&](const PerAxis& numbers, std::ptrdiff_t least, const char* what)
        { return static_cast<std::ptrdiff_t>(number_for(numbers, k, 2, least, what, operation, location)); };
        kernel[k] = number(kernels, 1, "kernel");
        dilation[k] = number(options.dilation, 1, "dilation");
        padding[k] = number(options.padding, 0, "padding");
        stride[k] = number(options.stride, 1, "stride");
        const std::ptrdiff_t extent = static_cast<std::ptrdiff_t>(image[k]);
        const std::ptrdiff_t room = extent + 2 * padding[k] - dilation[k] * (kernel[k] - 1) - 1;
        if (room < 0)
        {
            throw ShapeError(operation,
                             "a patch of " + std::to_string(dilation[k] * (kernel[k] - 1) + 1) +
                                 " is larger than the image, " + std::to_string(extent) + " with " +
                                 std::to_string(2 * padding[k]) + " of padding, in spatial axis " + std::to_string(k),
                             location);
        }
        count[k] = room / stride[k] + 1;
    }
    Patches result{Indices(Shape{1, static_cast<std::size_t>(kernel[0] * kernel[1] * count[0] * count[1])}),
                   static_cast<std::size_t>(kernel[0] * kernel[1]), static_cast<std::size_t>(count[0] * count[1])};
    std::int64_t* to = result.places.data();
    const auto inside = [&](std::ptrdiff_t place, std::size_t k)
    { return place >= 0 && place < static_cast<std::ptrdiff_t>(image[k]); };
    for (std::ptrdiff_t tap = 0; tap < kernel[0] * kernel[1]; ++tap)
    {
        for (std::ptrdiff_t y = 0; y < count[0]; ++y)
        {
            const std::ptrdiff_t row = y * stride[0] + tap / kernel[1] * dilation[0] - padding[0];
            for (std::ptrdiff_t x = 0; x < count[1]; ++x)
            {
                const std::ptrdiff_t column = x * stride[1] + tap % kernel[1] * dilation[1] - padding[1];
                *to++ = inside(row, 0) && inside(column, 1) ? row * static_cast<std::ptrdiff_t>(image[1]) + column : -1;
            }
        }
    }
    return result;
}

/// A call of `interpolate`.
class Resizing
{
public:
    Resizing(const Shape& x, const InterpolateOptions& options, Location location)
        : x_(x), options_(options), location_(location), axes_(x.rank() - 2)
    {
    }

    /// From the elements of spatial axis k to the outputs.
    SparseMatrix map(std::size_t k) const
    {
        const std::size_t input = x_[2 + k];
        const std::size_t output = extent(k);
        if (options_.mode == Interpolation::area)
        {
            return detail::adaptive_averages(input, output);
        }
        // Linear interpolation leaves an axis as it is whose extent stays, whatever the scale.
        const bool stays = options_.mode == Interpolation::linear && !options_.antialias && input == output;
        const bool scaled = !options_.scale.empty() && !options_.recompute_scale_factor && !stays;
        const double ratio = scaled ? 1 / scale(k) : static_cast<double>(input) / static_cast<double>(output);
        const double aligned = output > 1 ? static_cast<double>(input - 1) / static_cast<double>(output - 1) : 0.0;
        const double step = options_.align_corners ? aligned : ratio;
        SparseMatrix map(input);
        for (std::size_t o = 0; o < output; ++o)
        {
            if (options_.antialias)
            {
                add_wide(map, o, step);
            }
            else
            {
                add(map, o, step);
            }
            map.end_row();
        }
        return map;
    }

private:
    double scale(std::size_t k) const { return options_.scale[options_.scale.size() == 1 ? 0 : k]; }

    std::size_t extent(std::size_t k) const
    {
        if (options_.scale.empty())
        {
            return number_for(options_.size, k, axes_, 1, "size", "interpolate", location_);
        }
        const double result = static_cast<double>(x_[2 + k]) * scale(k);
        if (!(result >= 1 && result < static_cast<double>(detail::largest_extent)))
        {
            throw ValueError("interpolate",
                             "a scale of " + std::to_string(scale(k)) +
                                 " leaves no output of a reasonable size: got an "
                                 "input of shape " +
                                 to_string(x_),
                             location_);
        }
        return static_cast<std::size_t>(result);
    }

    /// The row for output o, whose place among the inputs is step * o, or the same from the outer edges.
    void add(SparseMatrix& map, std::size_t o, double step) const
    {
        const double index = static_cast<double>(o);
        const std::size_t last = map.columns() - 1;
        if (options_.mode == Interpolation::nearest || options_.mode == Interpolation::nearest_exact)
        {
            // In float, as PyTorch: places between two elements are rounded by it.
            const float offset = options_.mode == Interpolation::nearest ? 0.F : 0.5F;
            const float place = std::floor((static_cast<float>(o) + offset) * static_cast<float>(step));
            map.add(std::min(last, static_cast<std::size_t>(place)), 1);
            return;
        }
        const double place = options_.align_corners ? step * index : step * (index + 0.5) - 0.5;
        if (options_.mode == Interpolation::linear)
        {
            const std::size_t first = std::min(last, static_cast<std::size_t>(std::max(0.0, place)));
            const double t = std::clamp(place - static_cast<double>(first), 0.0, 1.0);
            map.add(first, 1 - t);
            map.add(std::min(last, first + 1), t);
            return;
        }
        const double first = std::floor(place);
        for (int tap = -1; tap <= 2; ++tap)
        {
            const double column = std::clamp(first + tap, 0.0, static_cast<double>(last));
            map.add(static_cast<std::size_t>(column), cubic(place - first - tap, -0.75));
        }
    }

    /// The same with a kernel that is as wide as what becomes one output.
    void add_wide(SparseMatrix& map, std::size_t o, double step) const
    {
        const bool is_cubic = options_.mode == Interpolation::cubic;
        const double widening = std::max(1.0, step);
        const double support = (is_cubic ? 2 : 1) * widening;
        const double centre = step * (static_cast<double>(o) + 0.5);
        const double inputs = static_cast<double>(map.columns());
        const auto first = static_cast<std::size_t>(std::max(0.0, centre - support + 0.5));
        const auto end = static_cast<std::size_t>(std::clamp(centre + support + 0.5, 0.0, inputs));
        std::vector<double> weights;
        double sum = 0;
        for (std::size_t i = first; i < end; ++i)
        {
            const double distance = (static_cast<double>(i) - centre + 0.5) / widening;
            weights.push_back(is_cubic ? cubic(distance, -0.5) : std::max(0.0, 1 - std::abs(distance)));
            sum += weights.back();
        }
        for (std::size_t i = first; i < end; ++i)
        {
            map.add(i, weights[i - first] / sum);
        }
    }

    /// R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
    static double cubic(double distance, double a)
    {
        const double x = std::abs(distance);
        return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
    }

    const Shape& x_;
    const InterpolateOptions& options_;
    Location location_;
    std::size_t axes_;
};

/// One coordinate of the places of a grid: elements of an axis that it reads, and how much of each.
template <class T>
struct Reading
{
    std::vector<std::int64_t> elements;  ///< negative outside
    Tensor<T> weight;                    ///< undefined: 1
};

/// The elements that places along one axis read.
template <class T>
class AxisSampler
{
public:
    AxisSampler(std::size_t extent, const GridSampleOptions& options)
        : extent_(static_cast<double>(extent)), options_(options)
    {
    }

    /// `grid` holds places between -1 and 1.
    std::vector<Reading<T>> readings(const Tensor<T>& grid) const
    {
        const double half = (options_.align_corners ? extent_ - 1 : extent_) / 2;
        const Tensor<T> place = grid * half + (extent_ - 1) / 2;
        const bool is_cubic = options_.mode == Interpolation::cubic;
        const Tensor<T> inner = is_cubic ? near(place) : bordered(place);
        const std::size_t count = inner.size();
        detail::note_decision(grid.node(), "grid_sample", {});
        std::vector<T> floors(count);
        const bool nearest = options_.mode == Interpolation::nearest;
        for (std::size_t i = 0; i < count; ++i)
        {
            floors[i] = nearest ? std::nearbyint(inner.data()[i]) : std::floor(inner.data()[i]);
        }
        const auto reading = [&](int tap, const Tensor<T>& weight)
        {
            Reading<T> result{std::vector<std::int64_t>(count), weight};
            for (std::size_t i = 0; i < count; ++i)
            {
                result.elements[i] = element(static_cast<double>(floors[i]) + tap);
            }
            return result;
        };
        if (nearest)
        {
            return {reading(0, {})};
        }
        const Tensor<T> t = inner - constant(inner.shape(), [&](std::size_t i) { return floors[i]; });
        if (!is_cubic)
        {
            return {reading(0, 1 - t), reading(1, t)};
        }
        return {reading(-1, far_weight(t + 1)), reading(0, near_weight(t)), reading(1, near_weight(1 - t)),
                reading(2, far_weight(2 - t))};
    }

private:
    static constexpr double a = -0.75;

    /// The convolution of `Resizing::cubic` on both sides of a distance of 1.
    static Tensor<T> near_weight(const Tensor<T>& x) { return (x * (a + 2) - (a + 3)) * x * x + 1; }
    static Tensor<T> far_weight(const Tensor<T>& x) { return ((x - 5) * x + 8) * x * a - 4 * a; }

    template <class F>
    static Tensor<T> constant(const Shape& shape, const F& f)
    {
        const Tensor<T> result = Tensor<T>::adopt(detail::new_node<T>(shape));
        for (std::size_t i = 0; i < result.size(); ++i)
        {
            result.node()->template as<T>()[i] = static_cast<T>(f(i));
        }
        return result;
    }

    /// The place where `inside(place)`, else a constant.
    template <class Inside, class Else>
    static Tensor<T> where_inside(const Tensor<T>& place, const Inside& inside, const Else& otherwise)
    {
        const T* const x = place.data();
        const formula::Mask<T> mask{constant(place.shape(), [&](std::size_t i) { return inside(x[i]) ? 1 : 0; })};
        return formula::select(
            mask, place, constant(place.shape(), [&](std::size_t i) { return inside(x[i]) ? 0 : otherwise(x[i]); }));
    }

    /// Places that are far outside are made nearer, so that they can be counted. NaN stays.
    Tensor<T> near(const Tensor<T>& place) const
    {
        const double least = -4 * extent_ - 4;
        const double most = 5 * extent_ + 4;
        return where_inside(
            place, [=](double x) { return std::isnan(x) || (x >= least && x <= most); },
            [=](double x) { return std::clamp(x, least, most); });
    }

    Tensor<T> bordered(const Tensor<T>& place) const
    {
        if (options_.border == Border::zeros)
        {
            return near(place);
        }
        const double last = extent_ - 1;
        const auto inside = [=](double x) { return std::isnan(x) || (x > 0 && x < last); };
        const auto clamped = [=](double x) { return std::clamp(x, 0.0, last); };
        if (options_.border == Border::nearest)
        {
            return where_inside(place, inside, clamped);
        }
        const T* const x = place.data();
        const auto sign = [&](std::size_t i) { return reflected(static_cast<double>(x[i])).sign; };
        const auto shift = [&](std::size_t i)
        {
            const Reflection reflection = reflected(static_cast<double>(x[i]));
            return reflection.place - reflection.sign * static_cast<double>(x[i]);
        };
        return where_inside(place * constant(place.shape(), sign) + constant(place.shape(), shift), inside, clamped);
    }

    struct Reflection
    {
        double place;
        double sign;  ///< of its derivative
    };

    /// A place reflected at the centres or the outer edges of the outermost elements.
    Reflection reflected(double place) const
    {
        const double low = options_.align_corners ? 0 : -0.5;
        const double span = options_.align_corners ? extent_ - 1 : extent_;
        if (span == 0)
        {
            return {0, 0};
        }
        const double sign = place < low ? -1 : 1;
        const double distance = std::abs(place - low);
        const double rest = std::fmod(distance, span);
        const bool even = std::fmod(std::floor(distance / span), 2) == 0;
        return even ? Reflection{low + rest, sign} : Reflection{low + span - rest, -sign};
    }

    /// The element at a whole number; negative if there is none.
    std::int64_t element(double index) const
    {
        if (std::isnan(index))
        {
            return 0;
        }
        if (options_.mode == Interpolation::cubic && options_.border != Border::zeros)
        {
            index =
                std::clamp(options_.border == Border::reflection ? reflected(index).place : index, 0.0, extent_ - 1);
        }
        return index >= 0 && index < extent_ ? static_cast<std::int64_t>(index) : -1;
    }

    double extent_;
    const GridSampleOptions& options_;
};

[[noreturn]] void throw_indivisible(const char* operation, const Shape& x, std::ptrdiff_t factor, const char* what,
                                    Location location)
{
    throw ShapeError(operation,
                     "needs at least three axes, and " + std::string(what) + ": got shape " + to_string(x) +
                         " and a factor of " + std::to_string(factor),
                     location);
}

void require_factor(const char* operation, std::ptrdiff_t factor, Location location)
{
    if (factor < 1 || factor >= (std::ptrdiff_t{1} << 15))
    {
        throw ValueError(operation, "the factor must be at least 1 and below 2^15: got " + std::to_string(factor),
                         location);
    }
}

/// x's axes but the last three, and these.
Shape with_last_three(const Shape& x, std::size_t channels, std::size_t height, std::size_t width)
{
    Shape shape(x.begin(), x.end() - 3);
    shape.push_back(channels);
    shape.push_back(height);
    shape.push_back(width);
    return shape;
}

}

template <Real T>
Tensor<T> unfold(const Tensor<T>& x, const PerAxis& kernel, const UnfoldOptions& options, Location location)
{
    detail::require_image(x.shape(), 2, true, "unfold", location);
    const std::size_t lead = x.dimension() - 2;
    const std::size_t height = x.shape(lead);
    const std::size_t width = x.shape(lead + 1);
    const Patches patches = patches_of({height, width}, kernel, options, "unfold", location);
    const Tensor<T> rows = reshape(x, Shape{1, x.size() / (height * width), height * width}, location);
    Shape shape(x.shape().begin(), x.shape().begin() + lead);
    shape[lead - 1] *= patches.kernel;
    shape.push_back(patches.count);
    return reshape(detail::take_places(rows, patches.places, location), shape, location);
}

template <Real T>
Tensor<T> fold(const Tensor<T>& columns, const PerAxis& output_size, const PerAxis& kernel,
               const UnfoldOptions& options, Location location)
{
    detail::require_image(columns.shape(), 1, true, "fold", location);
    const std::size_t height = number_for(output_size, 0, 2, 1, "output_size", "fold", location);
    const std::size_t width = number_for(output_size, 1, 2, 1, "output_size", "fold", location);
    const Patches patches = patches_of({height, width}, kernel, options, "fold", location);
    const std::size_t lead = columns.dimension() - 1;
    if (columns.shape(lead) != patches.count || columns.shape(lead - 1) % patches.kernel != 0)
    {
        throw ShapeError("fold",
                         "an image of " + std::to_string(height) + " by " + std::to_string(width) + " has " +
                             std::to_string(patches.count) + " patches, each a multiple of " +
                             std::to_string(patches.kernel) + " long: got columns of shape " +
                             to_string(columns.shape()),
                         location);
    }
    Shape shape(columns.shape().begin(), columns.shape().begin() + lead);
    shape[lead - 1] /= patches.kernel;
    shape.push_back(height);
    shape.push_back(width);
    const std::size_t rows = Shape(shape.begin(), shape.begin() + lead).elements();
    const Tensor<T> places = reshape(columns, Shape{1, rows, patches.kernel * patches.count}, location);
    return reshape(detail::add_at_places(places, patches.places, height * width, location), shape, location);
}

template <Real T>
Tensor<T> interpolate(const Tensor<T>& x, const InterpolateOptions& options, Location location)
{
    const std::size_t axes = std::clamp<std::size_t>(x.dimension(), 3, 5) - 2;
    detail::require_image(x.shape(), axes, false, "interpolate", location);
    if (options.size.empty() == options.scale.empty())
    {
        throw ValueError("interpolate",
                         std::string("needs either a size or a scale: got ") +
                             (options.size.empty() ? "neither" : "both"),
                         location);
    }
    if (options.scale.size() > 1 && options.scale.size() != axes)
    {
        throw ValueError("interpolate",
                         "scale needs one number, or one for each of the " + std::to_string(axes) +
                             " spatial axes: got " + std::to_string(options.scale.size()),
                         location);
    }
    const bool smooth = options.mode == Interpolation::linear || options.mode == Interpolation::cubic;
    if (!smooth && (options.align_corners || options.antialias))
    {
        throw ValueError("interpolate", "align_corners and antialias are for linear and cubic interpolation", location);
    }
    std::vector<SparseMatrix> maps;
    for (std::size_t k = 0; k < axes; ++k)
    {
        maps.push_back(Resizing(x.shape(), options, location).map(k));
    }
    return detail::resample(x, maps, location);
}

template <Real T>
Tensor<T> grid_sample(const Tensor<T>& x, const Tensor<T>& grid, const GridSampleOptions& options, Location location)
{
    const std::size_t axes = std::clamp<std::size_t>(x.dimension(), 4, 5) - 2;
    detail::require_image(x.shape(), axes, false, "grid_sample", location);
    if (grid.dimension() != axes + 2 || grid.shape(0) != x.shape(0) || grid.shape(axes + 1) != axes)
    {
        throw ShapeError("grid_sample",
                         "needs a grid of shape (batch, " + std::to_string(axes) + " spatial axes, " +
                             std::to_string(axes) + "), with the batch of the input: got an input of shape " +
                             to_string(x.shape()) + " and a grid of shape " + to_string(grid.shape()),
                         location);
    }
    if (options.mode == Interpolation::nearest_exact || options.mode == Interpolation::area ||
        (options.mode == Interpolation::cubic && axes != 2))
    {
        throw ValueError("grid_sample", "samples by nearest, linear or, with two spatial axes, cubic interpolation",
                         location);
    }
    const std::size_t batch = x.shape(0);
    const std::size_t channels = x.shape(1);
    Shape shape{batch, channels};
    std::size_t count = 1;
    std::size_t size = 1;
    for (std::size_t k = 0; k < axes; ++k)
    {
        shape.push_back(grid.shape(1 + k));
        count *= grid.shape(1 + k);
        size *= x.shape(2 + k);
    }
    std::vector<Reading<T>> readings{{std::vector<std::int64_t>(batch * count), {}}};
    for (std::size_t k = 0; k < axes; ++k)
    {
        const Tensor<T> along = reshape(view(grid, Slice(ellipsis(), location), Slice(axes - 1 - k, location)),
                                        Shape{batch, 1, count}, location);
        std::vector<Reading<T>> product;
        for (const Reading<T>& reading : AxisSampler<T>(x.shape(2 + k), options).readings(along))
        {
            for (const Reading<T>& before : readings)
            {
                Reading<T>& both = product.emplace_back(reading);
                for (std::size_t i = 0; i < both.elements.size(); ++i)
                {
                    const bool outside = before.elements[i] < 0 || reading.elements[i] < 0;
                    const auto extent = static_cast<std::int64_t>(x.shape(2 + k));
                    both.elements[i] = outside ? -1 : before.elements[i] * extent + reading.elements[i];
                }
                if (before.weight.defined())
                {
                    both.weight = before.weight * reading.weight;
                }
            }
        }
        readings = std::move(product);
    }
    const Tensor<T> planes = reshape(x, Shape{batch, channels, size}, location);
    Tensor<T> sum;
    for (const Reading<T>& reading : readings)
    {
        Indices places(Shape{batch, count});
        std::copy(reading.elements.begin(), reading.elements.end(), places.data());
        const Tensor<T> values = detail::take_places(planes, places, location);
        const Tensor<T> part = reading.weight.defined() ? values * reading.weight : values;
        sum = sum.defined() ? sum + part : part;
    }
    return reshape(sum, shape, location);
}

template <Real T>
Tensor<T> pixel_shuffle(const Tensor<T>& x, std::ptrdiff_t factor, Location location)
{
    require_factor("pixel_shuffle", factor, location);
    const auto r = static_cast<std::size_t>(factor);
    const std::size_t rank = x.dimension();
    if (rank < 3 || x.shape(rank - 3) % (r * r) != 0)
    {
        throw_indivisible("pixel_shuffle", x.shape(), factor, "channels that the factor's square divides", location);
    }
    const std::size_t lead = Shape(x.shape().begin(), x.shape().end() - 3).elements();
    const std::size_t channels = x.shape(rank - 3) / (r * r);
    const std::size_t height = x.shape(rank - 2);
    const std::size_t width = x.shape(rank - 1);
    const Tensor<T> parts = reshape(x, Shape{lead, channels, r, r, height, width}, location);
    return reshape(transpose(parts, {0, 1, 4, 2, 5, 3}, location),
                   with_last_three(x.shape(), channels, height * r, width * r), location);
}

template <Real T>
Tensor<T> pixel_unshuffle(const Tensor<T>& x, std::ptrdiff_t factor, Location location)
{
    require_factor("pixel_unshuffle", factor, location);
    const auto r = static_cast<std::size_t>(factor);
    const std::size_t rank = x.dimension();
    if (rank < 3 || x.shape(rank - 2) % r != 0 || x.shape(rank - 1) % r != 0)
    {
        throw_indivisible("pixel_unshuffle", x.shape(), factor, "a height and a width that the factor divides",
                          location);
    }
    const std::size_t lead = Shape(x.shape().begin(), x.shape().end() - 3).elements();
    const std::size_t channels = x.shape(rank - 3);
    const std::size_t height = x.shape(rank - 2) / r;
    const std::size_t width = x.shape(rank - 1) / r;
    const Tensor<T> parts = reshape(x, Shape{lead, channels, height, r, width, r}, location);
    return reshape(transpose(parts, {0, 1, 3, 5, 2, 4}, location),
                   with_last_three(x.shape(), channels * r * r, height, width), location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> unfold(const Tensor<T>&, const PerAxis&, const UnfoldOptions&, Location);                       \
    template Tensor<T> fold(const Tensor<T>&, const PerAxis&, const PerAxis&, const UnfoldOptions&, Location);         \
    template Tensor<T> interpolate(const Tensor<T>&, const InterpolateOptions&, Location);                             \
    template Tensor<T> grid_sample(const Tensor<T>&, const Tensor<T>&, const GridSampleOptions&, Location);            \
    template Tensor<T> pixel_shuffle(const Tensor<T>&, std::ptrdiff_t, Location);                                      \
    template Tensor<T> pixel_unshuffle(const Tensor<T>&, std::ptrdiff_t, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(unfold, padded, unit, ({1, 2, 3, 4}),
        unfold(x[0], {2, 3}, {.dilation = {2, 1}, .padding = 1, .stride = {1, 2}}))
EXAMPLE(unfold, unbatched, unit, ({2, 3, 3}), unfold(x[0], 2))
EXAMPLE(fold, strided, unit, ({1, 4, 6}), fold(x[0], {4, 3}, 2, {.dilation = 1, .padding = {1, 0}, .stride = {2, 1}}))
EXAMPLE(interpolate, nearest, unit, ({1, 2, 3}), interpolate(x[0], {.size = 5}))
EXAMPLE(interpolate, nearest_exact, unit, ({1, 1, 5}),
        interpolate(x[0], {.size = 3, .mode = Interpolation::nearest_exact}))
EXAMPLE(interpolate, linear, unit, ({1, 1, 2, 3}), interpolate(x[0], {.scale = {1.5}, .mode = Interpolation::linear}))
EXAMPLE(interpolate, linear_volume, unit, ({1, 1, 2, 3, 2}),
        interpolate(x[0], {.size = {3, 2, 3}, .mode = Interpolation::linear, .align_corners = true}))
EXAMPLE(interpolate, cubic, unit, ({1, 1, 3, 4}), interpolate(x[0], {.size = {4, 2}, .mode = Interpolation::cubic}))
EXAMPLE(interpolate, area, unit, ({1, 1, 5, 3}), interpolate(x[0], {.size = 2, .mode = Interpolation::area}))
EXAMPLE(interpolate, antialias, unit, ({1, 1, 6, 5}),
        interpolate(x[0], {.size = {3, 2}, .mode = Interpolation::linear, .antialias = true}))
EXAMPLE(grid_sample, linear, unit, ({1, 2, 3, 4}, {1, 2, 2, 2}), grid_sample(x[0], x[1]))
EXAMPLE(grid_sample, volume, unit, ({1, 1, 2, 3, 3}, {1, 1, 2, 2, 3}), grid_sample(x[0], x[1], {.align_corners = true}))
EXAMPLE(grid_sample, cubic, unit, ({1, 1, 3, 4}, {1, 1, 2, 2}),
        grid_sample(x[0], x[1], {.mode = Interpolation::cubic, .border = Border::nearest}))
EXAMPLE(grid_sample, reflected, unit, ({1, 1, 3, 4}, {1, 1, 2, 2}),
        grid_sample(x[0], x[1] * 4 + 1, {.border = Border::reflection}))
EXAMPLE(grid_sample, nearest, unit, ({1, 1, 3, 4}, {1, 1, 2, 2}),
        grid_sample(x[0], x[1], {.mode = Interpolation::nearest}))
EXAMPLE(pixel_shuffle, plain, unit, ({1, 8, 2, 1}), pixel_shuffle(x[0], 2))
EXAMPLE(pixel_unshuffle, plain, unit, ({2, 1, 2, 4}), pixel_unshuffle(x[0], 2))

namespace
{

UnfoldOptions any_unfold(Arbitrary& any)
{
    return {.dilation = any.flag() ? 1 : any.integer(),
            .padding = any.flag() ? 0 : any.integer(),
            .stride = any.flag() ? 1 : any.integer()};
}

Interpolation any_mode(Arbitrary& any)
{
    return any.one_of({Interpolation::nearest, Interpolation::nearest_exact, Interpolation::linear,
                       Interpolation::cubic, Interpolation::area});
}

}

TRIAL(unfold, any, ({1, 2, 3, 4}), unfold(x[0], {any.integer(), any.integer()}, any_unfold(any)))
TRIAL(fold, any, ({1, 4, 6}),
      fold(x[0], {4, 3}, any.flag() ? 2 : any.integer(), {.padding = {1, 0}, .stride = {2, any.integer()}}))
static const Trial interpolate_trial{"interpolate",
                                     {{1, 2, 3, 4}},
                                     [](const auto& x, Arbitrary& any)
                                     {
                                         InterpolateOptions options{.mode = any_mode(any),
                                                                    .align_corners = any.below(4) == 0,
                                                                    .recompute_scale_factor = any.flag(),
                                                                    .antialias = any.below(4) == 0};
                                         if (any.flag())
                                         {
                                             options.size = any.integer();
                                         }
                                         else
                                         {
                                             options.scale = {any.number(), any.number()};
                                         }
                                         return interpolate(x[0], options);
                                     }};
TRIAL(grid_sample, any, ({1, 2, 3, 4}, {1, 2, 2, 2}),
      grid_sample(x[0], x[1] * any.number(),
                  {.mode = any_mode(any),
                   .border = any.one_of({Border::zeros, Border::nearest, Border::reflection}),
                   .align_corners = any.flag()}))
TRIAL(pixel_shuffle, any, ({1, 8, 2, 1}), pixel_shuffle(x[0], any.integer()))
TRIAL(pixel_unshuffle, any, ({2, 1, 2, 4}), pixel_unshuffle(x[0], any.integer()))

static constexpr Names names[] = {
    {"unfold", nullptr, nullptr, "nn.functional.unfold"},
    {"fold", nullptr, nullptr, "nn.functional.fold"},
    {"interpolate", nullptr, "scipy.ndimage.zoom", "nn.functional.interpolate"},
    {"grid_sample", nullptr, "scipy.ndimage.map_coordinates", "nn.functional.grid_sample"},
    {"pixel_shuffle", nullptr, nullptr, "nn.functional.pixel_shuffle"},
    {"pixel_unshuffle", nullptr, nullptr, "nn.functional.pixel_unshuffle"},
};
static const NameTable name_table{"image", names};

void detail::image_family() noexcept {}

}
