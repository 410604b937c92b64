#include <autograd/ops/examples.hpp>
#include <autograd/ops/pooling.hpp>
#include <autograd/ops/resampling.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/registry.hpp>
#include <autograd/tracer.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace autograd
{

namespace
{

using detail::AdaptiveWindow;
using detail::number_for;
using detail::SparseMatrix;

/// Elements first, first + step, ... of an axis.
struct Window
{
    std::size_t first;
    std::size_t count;
};

/// The windows of one axis. An axis that is not there has one element.
struct Windows
{
    std::size_t input = 1;
    std::size_t step = 1;
    std::vector<Window> windows{{0, 1}};
};

/// A call of one of the functions, which throws in its name.
struct Caller
{
    const char* operation;
    std::size_t axes;
    Location location;

    std::size_t number(const PerAxis& numbers, std::size_t k, std::ptrdiff_t least, const char* what) const
    {
        return number_for(numbers, k, axes, least, what, operation, location);
    }
};

/// The numbers of one axis of a pooling. Window o begins at o * stride - padding.
struct Pooling
{
    std::ptrdiff_t input;
    std::ptrdiff_t kernel;
    std::ptrdiff_t stride;
    std::ptrdiff_t padding;
    std::ptrdiff_t dilation;
    std::ptrdiff_t output;

    Pooling(const Caller& caller, const Shape& x, std::size_t k, const PerAxis& kernels, const MaxPoolOptions& options)
        : input(static_cast<std::ptrdiff_t>(x[x.rank() - caller.axes + k])),
          kernel(signed_number(caller, kernels, k, 1, "kernel")),
          stride(signed_number(caller, options.stride.empty() ? kernels : options.stride, k, 1, "stride")),
          padding(signed_number(caller, options.padding, k, 0, "padding")),
          dilation(signed_number(caller, options.dilation, k, 1, "dilation"))
    {
        if (padding > kernel / 2)
        {
            throw ValueError(caller.operation,
                             "padding must be at most half of the kernel: got " + std::to_string(padding) +
                                 " for a kernel of " + std::to_string(kernel),
                             caller.location);
        }
        const std::ptrdiff_t room = input + 2 * padding - dilation * (kernel - 1) - 1;
        if (room < 0)
        {
            throw ShapeError(caller.operation,
                             "a window of " + std::to_string(dilation * (kernel - 1) + 1) +
                                 " is larger than the input, " + std::to_string(input) + " with " +
                                 std::to_string(2 * padding) + " of padding: got an input of shape " + to_string(x),
                             caller.location, "Use a smaller kernel, or more padding.");
        }
        output = (room + (options.ceil_mode ? stride - 1 : 0)) / stride + 1;
        if (options.ceil_mode && (output - 1) * stride >= input + padding)
        {
            --output;
        }
    }

private:
    static std::ptrdiff_t signed_number(const Caller& caller, const PerAxis& numbers, std::size_t k,
                                        std::ptrdiff_t least, const char* what)
    {
        return static_cast<std::ptrdiff_t>(caller.number(numbers, k, least, what));
    }
};

Windows windows_of(const Pooling& pooling, const Caller& caller, const Shape& x)
{
    Windows result{static_cast<std::size_t>(pooling.input), static_cast<std::size_t>(pooling.dilation), {}};
    for (std::ptrdiff_t o = 0; o < pooling.output; ++o)
    {
        const std::ptrdiff_t start = o * pooling.stride - pooling.padding;
        const std::ptrdiff_t skipped = start < 0 ? (pooling.dilation - 1 - start) / pooling.dilation : 0;
        const std::ptrdiff_t first = start + skipped * pooling.dilation;
        const std::ptrdiff_t fit = first < pooling.input ? (pooling.input - 1 - first) / pooling.dilation + 1 : 0;
        const std::ptrdiff_t count = std::min(pooling.kernel - skipped, fit);
        if (count <= 0)
        {
            throw ShapeError(caller.operation,
                             "a window holds nothing but padding: got an input of shape " + to_string(x) +
                                 " with a dilation of " + std::to_string(pooling.dilation),
                             caller.location, "Use less padding or dilation.");
        }
        result.windows.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(count)});
    }
    return result;
}

SparseMatrix averages(const Pooling& pooling, const AvgPoolOptions& options, double divisor)
{
    SparseMatrix map(static_cast<std::size_t>(pooling.input));
    for (std::ptrdiff_t o = 0; o < pooling.output; ++o)
    {
        const std::ptrdiff_t start = o * pooling.stride - pooling.padding;
        const std::ptrdiff_t end = std::min(start + pooling.kernel, pooling.input + pooling.padding);
        const std::ptrdiff_t first = std::max<std::ptrdiff_t>(start, 0);
        const std::ptrdiff_t last = std::min(end, pooling.input);
        const std::ptrdiff_t count = options.count_include_pad ? end - start : last - first;
        const double weight = options.divisor ? 1 / divisor : 1 / static_cast<double>(count);
        for (std::ptrdiff_t i = first; i < last; ++i)
        {
            map.add(static_cast<std::size_t>(i), weight);
        }
        map.end_row();
    }
    return map;
}

/// Where the largest element of each window of a plane is. Windows of one size are searched side by side, an element of
/// each at a time. `Place` should be as wide as an element, so that both fit in registers side by side.
template <class T, class Place>
class LargestOfPlane
{
public:
    explicit LargestOfPlane(const std::array<Windows, 3>& axes) : axes_(axes)
    {
        std::map<Size, std::size_t> known;
        std::size_t number = 0;
        for (const Window& depth : axes[0].windows)
        {
            for (const Window& height : axes[1].windows)
            {
                for (const Window& width : axes[2].windows)
                {
                    const Size size{depth.count, height.count, width.count};
                    const auto [entry, fresh] = known.emplace(size, groups_.size());
                    if (fresh)
                    {
                        groups_.push_back({size, {}, {}});
                    }
                    Group& group = groups_[entry->second];
                    group.origins.push_back(static_cast<Place>(place(depth.first, height.first, width.first)));
                    group.numbers.push_back(number++);
                }
            }
        }
    }

    void find(const T* plane, std::int64_t* places) const
    {
        for (const Group& group : groups_)
        {
            for (std::size_t begin = 0; begin < group.numbers.size(); begin += most)
            {
                find(plane, group, begin, std::min(most, group.numbers.size() - begin), places);
            }
        }
    }

private:
    using Size = std::array<std::size_t, 3>;
    static constexpr std::size_t most = 64;  ///< windows at a time

    struct Group
    {
        Size size;
        std::vector<Place> origins;        ///< where each window begins
        std::vector<std::size_t> numbers;  ///< which it is
    };

    void find(const T* plane, const Group& group, std::size_t begin, std::size_t count, std::int64_t* places) const
    {
        const Place* const origins = group.origins.data() + begin;
        std::array<T, most> largest;
        std::array<Place, most> best;
        std::fill_n(largest.begin(), count, -std::numeric_limits<T>::infinity());
        std::fill_n(best.begin(), count, Place(0));
        for (std::size_t z = 0; z < group.size[0]; ++z)
        {
            for (std::size_t y = 0; y < group.size[1]; ++y)
            {
                for (std::size_t x = 0; x < group.size[2]; ++x)
                {
                    const auto step =
                        static_cast<Place>(place(z * axes_[0].step, y * axes_[1].step, x * axes_[2].step));
                    for (std::size_t o = 0; o < count; ++o)
                    {
                        const T element = plane[origins[o] + step];
                        const bool better = (element > largest[o]) | (element != element);
                        largest[o] = better ? element : largest[o];
                        best[o] = better ? step : best[o];
                    }
                }
            }
        }
        for (std::size_t o = 0; o < count; ++o)
        {
            places[group.numbers[begin + o]] = origins[o] + best[o];
        }
    }

    std::size_t place(std::size_t z, std::size_t y, std::size_t x) const
    {
        return (z * axes_[1].input + y) * axes_[2].input + x;
    }

    const std::array<Windows, 3>& axes_;
    std::vector<Group> groups_;
};

template <class Place, class T>
void find_largest_places(const T* elements, std::size_t planes, std::size_t size, const std::array<Windows, 3>& axes,
                         Indices& places)
{
    const std::size_t count = places.shape(1);
    std::int64_t* const to = places.data();
    const LargestOfPlane<T, Place> largest(axes);
    detail::parallel_for(planes, 1 + detail::elements_worth_a_thread / size,
                         [&](std::size_t begin, std::size_t end)
                         {
                             for (std::size_t plane = begin; plane < end; ++plane)
                             {
                                 largest.find(elements + plane * size, to + plane * count);
                             }
                         });
}

template <class T>
void find_largest_places(const T* elements, std::size_t planes, const std::array<Windows, 3>& axes, Indices& places)
{
    const std::size_t size = axes[0].input * axes[1].input * axes[2].input;
    if (sizeof(T) == sizeof(std::int32_t) && size <= std::numeric_limits<std::int32_t>::max())
    {
        find_largest_places<std::int32_t>(elements, planes, size, axes, places);
    }
    else
    {
        find_largest_places<std::int64_t>(elements, planes, size, axes, places);
    }
}

/// The places of the largest elements, a row for each image and channel.
template <class T>
Indices largest_places(const Tensor<T>& x, std::size_t count, const std::array<Windows, 3>& axes, Location location)
{
    const std::size_t planes = x.size() / (axes[0].input * axes[1].input * axes[2].input);
    Indices places(Shape{planes, count});
    if (detail::Arena::current().tracer == nullptr) [[likely]]
    {
        find_largest_places(x.data(), planes, axes, places);
        return places;
    }
    detail::derive("max_pool", {x.node()}, location,
                   [=](std::span<detail::Node* const> nodes) mutable
                   { find_largest_places(nodes[0]->as<const T>(), planes, axes, places); });
    places.make_live();
    return places;
}

template <class T>
struct Pooled
{
    Tensor<T> maxima;
    Indices places;

    MaximaAndPlaces<T> with_indices() const
    {
        xt::xarray<std::int64_t> indices(
            xt::xarray<std::int64_t>::shape_type(maxima.shape().begin(), maxima.shape().end()));
        std::copy(places.begin(), places.end(), indices.storage().begin());
        return {maxima, indices};
    }
};

/// x, of which the last axes are pooled by these windows.
template <class T>
Pooled<T> pool(const Tensor<T>& x, std::size_t axes, const std::array<Windows, 3>& windows, Location location)
{
    Shape shape(x.shape().begin(), x.shape().end() - axes);
    std::size_t size = 1;
    std::size_t count = 1;
    for (std::size_t k = windows.size() - axes; k < windows.size(); ++k)
    {
        shape.push_back(windows[k].windows.size());
        size *= windows[k].input;
        count *= windows[k].windows.size();
    }
    const Indices places = largest_places(x, count, windows, location);
    const Tensor<T> rows = reshape(x, Shape{x.size() / size, 1, size}, location);
    return {reshape(detail::take_places(rows, places, location), shape, location), places};
}

template <class T>
Pooled<T> max_pool(const Caller& caller, const Tensor<T>& x, const PerAxis& kernel, const MaxPoolOptions& options)
{
    detail::require_image(x.shape(), caller.axes, true, caller.operation, caller.location);
    std::array<Windows, 3> windows;
    for (std::size_t k = 0; k < caller.axes; ++k)
    {
        windows[windows.size() - caller.axes + k] =
            windows_of(Pooling(caller, x.shape(), k, kernel, options), caller, x.shape());
    }
    return pool(x, caller.axes, windows, caller.location);
}

template <class T>
Tensor<T> avg_pool(const Caller& caller, const Tensor<T>& x, const PerAxis& kernel, const AvgPoolOptions& options)
{
    detail::require_image(x.shape(), caller.axes, true, caller.operation, caller.location);
    if (options.divisor == 0)
    {
        throw ValueError(caller.operation, "the divisor is 0", caller.location);
    }
    const MaxPoolOptions common{
        .stride = options.stride, .padding = options.padding, .dilation = 1, .ceil_mode = options.ceil_mode};
    std::vector<SparseMatrix> maps;
    for (std::size_t k = 0; k < caller.axes; ++k)
    {
        const double divisor = k == 0 ? static_cast<double>(options.divisor.value_or(1)) : 1;
        maps.push_back(averages(Pooling(caller, x.shape(), k, kernel, common), options, divisor));
    }
    return detail::resample(x, maps, caller.location);
}

/// The extent of output axis k of an adaptive pooling.
std::size_t adaptive_extent(const Caller& caller, const Shape& x, const PerAxis& output_size, std::size_t k)
{
    if (caller.number(output_size, k, input_extent, "output_size") == static_cast<std::size_t>(input_extent))
    {
        return x[x.rank() - caller.axes + k];
    }
    return caller.number(output_size, k, 1, "output_size");
}

template <class T>
Pooled<T> adaptive_max_pool(const Caller& caller, const Tensor<T>& x, const PerAxis& output_size)
{
    detail::require_image(x.shape(), caller.axes, true, caller.operation, caller.location);
    std::array<Windows, 3> axes;
    for (std::size_t k = 0; k < caller.axes; ++k)
    {
        Windows& axis = axes[axes.size() - caller.axes + k];
        axis = {x.shape(x.dimension() - caller.axes + k), 1, {}};
        const std::size_t output = adaptive_extent(caller, x.shape(), output_size, k);
        for (std::size_t o = 0; o < output; ++o)
        {
            const AdaptiveWindow window(o, axis.input, output);
            axis.windows.push_back({window.first, window.last - window.first});
        }
    }
    return pool(x, caller.axes, axes, caller.location);
}

template <class T>
Tensor<T> adaptive_avg_pool(const Caller& caller, const Tensor<T>& x, const PerAxis& output_size)
{
    detail::require_image(x.shape(), caller.axes, true, caller.operation, caller.location);
    std::vector<SparseMatrix> maps;
    for (std::size_t k = 0; k < caller.axes; ++k)
    {
        maps.push_back(detail::adaptive_averages(x.shape(x.dimension() - caller.axes + k),
                                                 adaptive_extent(caller, x.shape(), output_size, k)));
    }
    return detail::resample(x, maps, caller.location);
}

/// The extent of output axis k of an unpooling.
std::size_t unpooled_extent(const Caller& caller, std::size_t input, const PerAxis& kernels,
                            const UnpoolOptions& options, std::size_t k)
{
    const auto kernel = static_cast<std::ptrdiff_t>(caller.number(kernels, k, 1, "kernel"));
    const auto stride =
        static_cast<std::ptrdiff_t>(caller.number(options.stride.empty() ? kernels : options.stride, k, 1, "stride"));
    const auto padding = static_cast<std::ptrdiff_t>(caller.number(options.padding, k, 0, "padding"));
    const std::ptrdiff_t standard = (static_cast<std::ptrdiff_t>(input) - 1) * stride - 2 * padding + kernel;
    if (options.output_size.empty())
    {
        return caller.number(standard, 0, 1, "the size of the output");
    }
    const std::size_t size = caller.number(options.output_size, k, 1, "output_size");
    if (std::abs(static_cast<std::ptrdiff_t>(size) - standard) >= stride)
    {
        throw ValueError(caller.operation,
                         "output_size must be less than a stride of " + std::to_string(stride) + " away from " +
                             std::to_string(standard) + ": got " + std::to_string(size) + " for spatial axis " +
                             std::to_string(k),
                         caller.location);
    }
    return size;
}

template <class T>
Tensor<T> max_unpool(const Caller& caller, const Tensor<T>& x, const Indices& indices, const PerAxis& kernel,
                     const UnpoolOptions& options)
{
    detail::require_image(x.shape(), caller.axes, true, caller.operation, caller.location);
    if (indices.shape() != x.shape())
    {
        throw ShapeError(caller.operation,
                         "needs an index for each element: got an input of shape " + to_string(x.shape()) +
                             " and indices of shape " + to_string(indices.shape()),
                         caller.location);
    }
    const std::size_t lead = x.dimension() - caller.axes;
    Shape shape(x.shape().begin(), x.shape().begin() + lead);
    std::size_t count = 1;
    std::size_t size = 1;
    for (std::size_t k = 0; k < caller.axes; ++k)
    {
        shape.push_back(unpooled_extent(caller, x.shape(lead + k), kernel, options, k));
        count *= x.shape(lead + k);
        size *= shape[lead + k];
    }
    Indices places(Shape{x.size() / count, count});
    for (std::size_t i = 0; i < indices.size(); ++i)
    {
        if (indices[i] < 0 || static_cast<std::size_t>(indices[i]) >= size)
        {
            throw ValueError(caller.operation,
                             "index " + std::to_string(indices[i]) + " is outside of an output of " +
                                 std::to_string(size) + " places, with shape " + to_string(shape),
                             caller.location);
        }
        places.data()[i] = indices[i];
    }
    const Tensor<T> rows = reshape(x, Shape{x.size() / count, 1, count}, caller.location);
    return reshape(detail::put_at_places(rows, places, size, caller.location), shape, caller.location);
}

}

#define DEFINE(axes)                                                                                                   \
    template <Real T>                                                                                                  \
    Tensor<T> max_pool##axes##d(const Tensor<T>& x, const PerAxis& kernel, const MaxPoolOptions& options,              \
                                Location location)                                                                     \
    {                                                                                                                  \
        return max_pool({"max_pool" #axes "d", axes, location}, x, kernel, options).maxima;                            \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    MaximaAndPlaces<T> max_pool##axes##d_with_indices(const Tensor<T>& x, const PerAxis& kernel,                       \
                                                      const MaxPoolOptions& options, Location location)                \
    {                                                                                                                  \
        return max_pool({"max_pool" #axes "d_with_indices", axes, location}, x, kernel, options).with_indices();       \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> avg_pool##axes##d(const Tensor<T>& x, const PerAxis& kernel, const AvgPoolOptions& options,              \
                                Location location)                                                                     \
    {                                                                                                                  \
        return avg_pool({"avg_pool" #axes "d", axes, location}, x, kernel, options);                                   \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> adaptive_max_pool##axes##d(const Tensor<T>& x, const PerAxis& output_size, Location location)            \
    {                                                                                                                  \
        return adaptive_max_pool({"adaptive_max_pool" #axes "d", axes, location}, x, output_size).maxima;              \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    MaximaAndPlaces<T> adaptive_max_pool##axes##d_with_indices(const Tensor<T>& x, const PerAxis& output_size,         \
                                                               Location location)                                      \
    {                                                                                                                  \
        return adaptive_max_pool({"adaptive_max_pool" #axes "d_with_indices", axes, location}, x, output_size)         \
            .with_indices();                                                                                           \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> adaptive_avg_pool##axes##d(const Tensor<T>& x, const PerAxis& output_size, Location location)            \
    {                                                                                                                  \
        return adaptive_avg_pool({"adaptive_avg_pool" #axes "d", axes, location}, x, output_size);                     \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> max_unpool##axes##d(const Tensor<T>& x, const Indices& indices, const PerAxis& kernel,                   \
                                  const UnpoolOptions& options, Location location)                                     \
    {                                                                                                                  \
        return max_unpool({"max_unpool" #axes "d", axes, location}, x, indices, kernel, options);                      \
    }
DEFINE(1)
DEFINE(2)
DEFINE(3)
#undef DEFINE

#define INSTANTIATE(T, axes)                                                                                           \
    template Tensor<T> max_pool##axes##d(const Tensor<T>&, const PerAxis&, const MaxPoolOptions&, Location);           \
    template MaximaAndPlaces<T> max_pool##axes##d_with_indices(const Tensor<T>&, const PerAxis&,                       \
                                                               const MaxPoolOptions&, Location);                       \
    template Tensor<T> avg_pool##axes##d(const Tensor<T>&, const PerAxis&, const AvgPoolOptions&, Location);           \
    template Tensor<T> adaptive_max_pool##axes##d(const Tensor<T>&, const PerAxis&, Location);                         \
    template MaximaAndPlaces<T> adaptive_max_pool##axes##d_with_indices(const Tensor<T>&, const PerAxis&, Location);   \
    template Tensor<T> adaptive_avg_pool##axes##d(const Tensor<T>&, const PerAxis&, Location);                         \
    template Tensor<T> max_unpool##axes##d(const Tensor<T>&, const Indices&, const PerAxis&, const UnpoolOptions&,     \
                                           Location);
INSTANTIATE(float, 1)
INSTANTIATE(float, 2)
INSTANTIATE(float, 3)
INSTANTIATE(double, 1)
INSTANTIATE(double, 2)
INSTANTIATE(double, 3)
#undef INSTANTIATE

EXAMPLE(max_pool1d, padded, distinct, ({2, 1, 5}), max_pool1d(x[0], 3, {.stride = 2, .padding = 1}))
EXAMPLE(max_pool2d, overlapping, distinct, ({2, 4, 4}), max_pool2d(x[0], {2, 3}, {.stride = 1}))
EXAMPLE(max_pool2d, dilated, distinct, ({1, 1, 5, 4}),
        max_pool2d(x[0], 2, {.stride = {2, 1}, .dilation = 2, .ceil_mode = true}))
EXAMPLE(max_pool3d, plain, distinct, ({1, 2, 2, 3, 2}), max_pool3d(x[0], {2, 1, 2}))
EXAMPLE(avg_pool1d, padded, distinct, ({2, 2, 5}), avg_pool1d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}))
EXAMPLE(avg_pool2d, own_count, distinct, ({1, 4, 5}),
        avg_pool2d(x[0], {2, 3}, {.stride = 2, .padding = 1, .count_include_pad = false}))
EXAMPLE(avg_pool2d, plain, distinct, ({1, 2, 4, 4}), avg_pool2d(x[0], 2))
EXAMPLE(avg_pool3d, divided, distinct, ({1, 1, 3, 2, 4}), avg_pool3d(x[0], 2, {.stride = {1, 2, 2}, .divisor = 3}))
EXAMPLE(adaptive_max_pool1d, plain, distinct, ({2, 5}), adaptive_max_pool1d(x[0], 3))
EXAMPLE(adaptive_max_pool2d, plain, distinct, ({1, 2, 4, 3}), adaptive_max_pool2d(x[0], {2, input_extent}))
EXAMPLE(adaptive_max_pool3d, plain, distinct, ({1, 1, 3, 2, 4}), adaptive_max_pool3d(x[0], {2, 1, 3}))
EXAMPLE(adaptive_avg_pool1d, grows, distinct, ({2, 3}), adaptive_avg_pool1d(x[0], 5))
EXAMPLE(adaptive_avg_pool2d, plain, distinct, ({1, 2, 4, 3}), adaptive_avg_pool2d(x[0], {3, 2}))
EXAMPLE(adaptive_avg_pool3d, plain, distinct, ({1, 3, 2, 4}), adaptive_avg_pool3d(x[0], {2, input_extent, 1}))
EXAMPLE(max_unpool1d, plain, distinct, ({1, 2, 2}), max_unpool1d(x[0], xt::xarray<int>{{{1, 2}, {0, 3}}}, 2))
EXAMPLE(max_unpool2d, sized, distinct, ({1, 2, 2}),
        max_unpool2d(x[0], xt::xarray<int>{{{0, 3}, {7, 19}}}, 2, {.output_size = {4, 5}}))
EXAMPLE(max_unpool3d, plain, distinct, ({1, 1, 1, 2}),
        max_unpool3d(x[0], xt::xarray<int>{{{{3, 6}}}}, 2, {.padding = 0}))

namespace
{

/// Mostly a number that fits.
PerAxis any_number(Arbitrary& any, std::ptrdiff_t fitting)
{
    return any.flag()          ? PerAxis(fitting)
           : any.below(4) == 0 ? PerAxis({any.integer(), any.integer()})
                               : PerAxis(any.integer());
}

MaxPoolOptions any_max_pool(Arbitrary& any)
{
    return {.stride = any_number(any, 1),
            .padding = any_number(any, 0),
            .dilation = any_number(any, 1),
            .ceil_mode = any.flag()};
}

AvgPoolOptions any_avg_pool(Arbitrary& any)
{
    return {.stride = any_number(any, 1),
            .padding = any_number(any, 0),
            .ceil_mode = any.flag(),
            .count_include_pad = any.flag(),
            .divisor = any.flag() ? std::nullopt : std::optional(any.integer())};
}

}

TRIAL(max_pool1d, any, ({2, 2, 5}), max_pool1d(x[0], any_number(any, 2), any_max_pool(any)))
TRIAL(max_pool2d, any, ({2, 2, 4, 5}), max_pool2d(x[0], any_number(any, 2), any_max_pool(any)))
TRIAL(max_pool3d, any, ({2, 2, 3, 4, 5}), max_pool3d(x[0], any_number(any, 2), any_max_pool(any)))
TRIAL(avg_pool1d, any, ({2, 2, 5}), avg_pool1d(x[0], any_number(any, 2), any_avg_pool(any)))
TRIAL(avg_pool2d, any, ({2, 2, 4, 5}), avg_pool2d(x[0], any_number(any, 2), any_avg_pool(any)))
TRIAL(avg_pool3d, any, ({2, 2, 3, 4, 5}), avg_pool3d(x[0], any_number(any, 2), any_avg_pool(any)))
TRIAL(adaptive_max_pool2d, any, ({2, 2, 4, 5}), adaptive_max_pool2d(x[0], any_number(any, 2)))
TRIAL(adaptive_avg_pool2d, any, ({2, 2, 4, 5}), adaptive_avg_pool2d(x[0], any_number(any, 2)))
TRIAL(max_unpool1d, any, ({1, 2, 2}),
      max_unpool1d(x[0], any.flag() ? Indices(xt::xarray<int>{{{1, 2}, {0, 3}}}) : any.indices(), any_number(any, 2),
                   {.stride = any_number(any, 2), .padding = any_number(any, 0)}))

static constexpr Names names[] = {
    {"max_pool1d", nullptr, nullptr, "nn.functional.max_pool1d"},
    {"max_pool2d", nullptr, nullptr, "nn.functional.max_pool2d"},
    {"max_pool3d", nullptr, nullptr, "nn.functional.max_pool3d"},
    {"max_pool1d_with_indices", nullptr, nullptr, "nn.functional.max_pool1d_with_indices"},
    {"max_pool2d_with_indices", nullptr, nullptr, "nn.functional.max_pool2d_with_indices"},
    {"max_pool3d_with_indices", nullptr, nullptr, "nn.functional.max_pool3d_with_indices"},
    {"avg_pool1d", nullptr, nullptr, "nn.functional.avg_pool1d"},
    {"avg_pool2d", nullptr, nullptr, "nn.functional.avg_pool2d"},
    {"avg_pool3d", nullptr, nullptr, "nn.functional.avg_pool3d"},
    {"adaptive_max_pool1d", nullptr, nullptr, "nn.functional.adaptive_max_pool1d"},
    {"adaptive_max_pool2d", nullptr, nullptr, "nn.functional.adaptive_max_pool2d"},
    {"adaptive_max_pool3d", nullptr, nullptr, "nn.functional.adaptive_max_pool3d"},
    {"adaptive_avg_pool1d", nullptr, nullptr, "nn.functional.adaptive_avg_pool1d"},
    {"adaptive_avg_pool2d", nullptr, nullptr, "nn.functional.adaptive_avg_pool2d"},
    {"adaptive_avg_pool3d", nullptr, nullptr, "nn.functional.adaptive_avg_pool3d"},
    {"adaptive_max_pool1d_with_indices", nullptr, nullptr, "nn.functional.adaptive_max_pool1d_with_indices"},
    {"adaptive_max_pool2d_with_indices", nullptr, nullptr, "nn.functional.adaptive_max_pool2d_with_indices"},
    {"adaptive_max_pool3d_with_indices", nullptr, nullptr, "nn.functional.adaptive_max_pool3d_with_indices"},
    {"max_unpool1d", nullptr, nullptr, "nn.functional.max_unpool1d"},
    {"max_unpool2d", nullptr, nullptr, "nn.functional.max_unpool2d"},
    {"max_unpool3d", nullptr, nullptr, "nn.functional.max_unpool3d"},
};
static const NameTable name_table{"pooling", names};

void detail::pooling_family() noexcept {}

}
