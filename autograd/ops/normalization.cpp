#include <autograd/batching.hpp>
#include <autograd/composition.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/channel_norm.hpp>
#include <autograd/ops/distance.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/normalization.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/parallel.hpp>
#include <autograd/primitive.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <cmath>
#include <string>

namespace autograd
{

namespace
{

using detail::Composition;
using detail::map_row;
using detail::Reads;
using detail::sum_row;

constexpr std::size_t parallel_elements = detail::elements_worth_a_thread;

/// What normalizes a row: its mean, and 1 / sqrt(variance + eps).
template <class T>
struct RowStatistics
{
    using B = xsimd::batch<T>;
    B mean;
    B scale;

    RowStatistics(const T* row, std::size_t width, T eps)
    {
        const T count = static_cast<T>(width);
        mean = B(sum_row(
                     width, [](const B& x) { return x; }, row) /
                 count);
        const auto squared_distance = [this](const B& x) { return (x - mean) * (x - mean); };
        scale = B(1 / std::sqrt(sum_row(width, squared_distance, row) / count + eps));
    }

    B operator()(const B& x) const { return (x - mean) * scale; }
};

/// Normalizes rows of `width` elements, one at least; with a weight and a bias for each element of a row, or with neither.
struct LayerNorm
{
    static constexpr const char* name = "layer_norm";
    bool operator==(const LayerNorm&) const = default;
    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b11U : k == 1 ? 0b01U : 0U}; }
    std::size_t width;
    double eps;

    template <class T, class... Affine>
    Tensor<T> value(const Tensor<T>& x, const Affine&... affine) const
    {
        using B = xsimd::batch<T>;
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = y.node()->template as<T>();
        for_each_row(x.size(),
                     [&, this](std::size_t row)
                     {
                         const T* in = x.data() + row * width;
                         const RowStatistics<T> normalized(in, width, static_cast<T>(eps));
                         const auto stretched = [&](const B& e, const auto&... weight_and_bias)
                         {
                             B result = normalized(e);
                             if constexpr (sizeof...(affine) != 0)
                             {
                                 const std::array<B, 2> by{weight_and_bias...};
                                 result = result * by[0] + by[1];
                             }
                             return result;
                         };
                         map_row(width, out + row * width, stretched, in, affine.data()...);
                     });
        return y;
    }

    template <class T, class... Affine>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Affine&... affine) const
    {
        if (!detail::Arena::current().recording())
        {
            return gradient(dy, x, affine...);
        }
        const auto [normalized, scale] = composed(x);
        const Tensor<T> slope = weighted(rows(dy), affine...);
        const auto mean_of = [](const Tensor<T>& a) { return mean(a, -1, keep_dims, Location{}); };
        const Tensor<T> dx = scale * (slope - mean_of(slope) - normalized * mean_of(slope * normalized));
        return detail::in_shape(dx, x.shape(), Location{});
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>& weight,
                       const Tensor<T>&) const
    {
        if (!detail::Arena::current().recording())
        {
            return weight_gradient(dy, x, weight.shape());
        }
        return reshape(sum(rows(dy) * composed(x).first, 0, {}, Location{}), weight.shape(), Location{});
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>& bias) const
    {
        return reshape(sum(rows(dy), 0, {}, Location{}), bias.shape(), Location{});
    }

private:
    template <class Visit>
    void for_each_row(std::size_t elements, const Visit& visit) const
    {
        detail::parallel_for(elements / width, std::max<std::size_t>(1, parallel_elements / width),
                             [&](std::size_t begin, std::size_t end)
                             {
                                 for (std::size_t row = begin; row < end; ++row)
                                 {
                                     visit(row);
                                 }
                             });
    }

    template <class T>
    Tensor<T> rows(const Tensor<T>& x) const
    {
        return reshape(x, Shape{x.size() / width, width}, Location{});
    }

    /// The normalized rows, and what they were scaled by.
    template <class T>
    std::pair<Tensor<T>, Tensor<T>> composed(const Tensor<T>& x) const
    {
        const Tensor<T> given = rows(x);
        const Tensor<T> distance = given - mean(given, -1, keep_dims, Location{});
        const Tensor<T> variance = mean(square(distance, Location{}), -1, keep_dims, Location{});
        const Tensor<T> scale = T(1) / sqrt(variance + static_cast<T>(eps), Location{});
        return {distance * scale, scale};
    }

    template <class T>
    Tensor<T> weighted(const Tensor<T>& dy) const
    {
        return dy;
    }
    template <class T>
    Tensor<T> weighted(const Tensor<T>& dy, const Tensor<T>& weight, const Tensor<T>&) const
    {
        return dy * flatten(weight, Location{});
    }

    // dx = scale (s - mean(s) - n mean(s n)), where n is the normalized row and s = dy weight.
    template <class T, class... Affine>
    Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& x, const Affine&... affine) const
    {
        using B = xsimd::batch<T>;
        const T* weight = nullptr;
        if constexpr (sizeof...(affine) != 0)
        {
            weight = std::get<0>(std::tie(affine...)).data();
        }
        Tensor<T> dx = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = dx.node()->template as<T>();
        const T count = static_cast<T>(width);
        for_each_row(
            x.size(),
            [&, this](std::size_t row)
            {
                const T* in = x.data() + row * width;
                const T* slope = dy.data() + row * width;
                T* place = out + row * width;
                const RowStatistics<T> normalized(in, width, static_cast<T>(eps));
                if (weight != nullptr)
                {
                    map_row(
                        width, place, [](const B& s, const B& w) { return s * w; }, slope, weight);
                    slope = place;
                }
                const B mean(sum_row(
                                 width, [](const B& s) { return s; }, slope) /
                             count);
                const B along(sum_row(
                                  width, [&](const B& s, const B& e) { return s * normalized(e); }, slope, in) /
                              count);
                map_row(
                    width, place,
                    [&](const B& s, const B& e) { return normalized.scale * (s - mean - normalized(e) * along); },
                    slope, in);
            });
        return dx;
    }

    // Added up in blocks of rows, whatever the threads.
    template <class T>
    Tensor<T> weight_gradient(const Tensor<T>& dy, const Tensor<T>& x, const Shape& shape) const
    {
        using B = xsimd::batch<T>;
        constexpr std::size_t block = 64;
        const std::size_t count = x.size() / width;
        const std::size_t blocks = (count + block - 1) / block;
        Tensor<T> partial = detail::zeros<T>({blocks, width});
        T* sums = partial.node()->template as<T>();
        const auto add_block = [&, this](std::size_t begin, std::size_t end)
        {
            for (std::size_t row = begin * block; row < std::min(count, end * block); ++row)
            {
                const T* in = x.data() + row * width;
                T* sum = sums + row / block * width;
                const RowStatistics<T> normalized(in, width, static_cast<T>(eps));
                map_row(
                    width, sum, [&](const B& before, const B& s, const B& e) { return before + s * normalized(e); },
                    static_cast<const T*>(sum), dy.data() + row * width, in);
            }
        };
        detail::parallel_for(blocks, std::max<std::size_t>(1, parallel_elements / (block * width)), add_block);
        Tensor<T> result = Tensor<T>::adopt(detail::new_node<T>(shape));
        detail::sum_kernel(partial.data(), result.node()->template as<T>(), std::size_t{1}, blocks, width);
        return result;
    }
};

constexpr auto layer_norm_on_batch = []<class T, std::size_t N>(const LayerNorm& op, const detail::Batch<T, N>& batch)
{
    if constexpr (N == 1)
    {
        return batch.behind_axis(op);
    }
    else
    {
        const Location location = batch.location;
        if (!batch[1].batched && !batch[2].batched)
        {
            return apply(op, location, batch[0].tensor, batch[1].tensor, batch[2].tensor);
        }
        const std::size_t rank = batch[0].rank();
        return apply(op, location, batch[0].tensor) * batch[1].aligned(rank, location) +
               batch[2].aligned(rank, location);
    }
};
const detail::Batching<LayerNorm, 1> layer_norm_batching(layer_norm_on_batch);
const detail::Batching<LayerNorm, 3> affine_layer_norm_batching(layer_norm_on_batch);

template <class T>
void require_shape(const Tensor<T>& parameter, const Shape& shape, const char* what, const char* operation,
                   Location location)
{
    if (parameter.defined() && parameter.shape() != shape)
    {
        throw ShapeError(operation,
                         std::string("the ") + what + " must have shape " + to_string(shape) + ": got " +
                             to_string(parameter.shape()),
                         location);
    }
}

/// The number of channels, once all parameters fit it. An empty vector is an empty batch, as in PyTorch.
template <class T>
std::size_t channels_of(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, const char* operation,
                        Location location)
{
    if (x.dimension() < 2 && x.shape() != Shape{0})
    {
        throw ShapeError(operation, "needs (batch, channels, ...): got " + to_string(x.shape()), location);
    }
    const std::size_t channels = x.dimension() < 2 ? 0 : x.shape(1);
    require_shape(weight, {channels}, "weight", operation, location);
    require_shape(bias, {channels}, "bias", operation, location);
    return channels;
}

/// One number a channel, in a shape that broadcasts to x.
template <class T>
Tensor<T> by_channel(const Tensor<T>& numbers, const Tensor<T>& x, Location location)
{
    Shape shape{numbers.size()};
    for (std::size_t axis = 2; axis < x.dimension(); ++axis)
    {
        shape.push_back(1);
    }
    return reshape(numbers, shape, location);
}

template <class T>
Tensor<T> affine(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, Location location)
{
    const Tensor<T> scaled = weight.defined() ? x * by_channel(weight, x, location) : x;
    return bias.defined() ? scaled + by_channel(bias, x, location) : scaled;
}

/// Groups of neighbouring channels of a sample, each normalized by itself.
template <class T>
Tensor<T> by_groups(const Tensor<T>& x, std::size_t groups, const Tensor<T>& weight, const Tensor<T>& bias, double eps,
                    Location location)
{
    const std::size_t rows = x.shape(0) * groups;
    return affine(apply(LayerNorm{x.size() == 0 ? 1 : x.size() / rows, eps}, location, x), weight, bias, location);
}

/// How many elements of a sample each channel has.
template <class T>
std::size_t extent_of_channel(const Tensor<T>& x)
{
    return x.dimension() < 2 ? 1 : Shape(x.shape().begin() + 2, x.shape().end()).elements();
}

template <class T>
void require_several(std::size_t count, const Tensor<T>& x, const char* operation, Location location)
{
    if (count == 1)
    {
        throw ValueError(operation,
                         "needs more than one element a channel, whose variance is 0 otherwise: got shape " +
                             to_string(x.shape()),
                         location);
    }
}

/// Mean and variance of each channel over these axes, which stay with extent 1.
template <class T>
std::pair<Tensor<T>, Tensor<T>> statistics(const Tensor<T>& x, const Axes& axes, Location location)
{
    const Tensor<T> average = mean(x, axes, keep_dims, location);
    return {average, mean(square(x - average, location), axes, keep_dims, location)};
}

Axes all_but_channels(std::size_t rank)
{
    Axes axes{0};
    for (std::size_t axis = 2; axis < rank; ++axis)
    {
        axes.push_back(static_cast<std::ptrdiff_t>(axis));
    }
    return axes;
}

/// Each channel normalized over all samples.
template <class T>
Tensor<T> by_batch(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, double eps, Location location)
{
    const bool both = weight.defined() == bias.defined();
    const Tensor<T> channels = reshape(x, Shape{x.shape(0), x.shape(1), extent_of_channel(x)}, location);
    const Tensor<T> y =
        detail::normalize_channels<T>(channels, both ? weight : Tensor<T>(), both ? bias : Tensor<T>(), eps, location);
    const Tensor<T> result = reshape(y, x.shape(), location);
    return both ? result : affine(result, weight, bias, location);
}

/// (x - mean) / sqrt(variance + eps) weight + bias, each one number a channel.
template <class T>
Tensor<T> normalized_by(const Tensor<T>& x, const Tensor<T>& mean, const Tensor<T>& variance, const Tensor<T>& weight,
                        const Tensor<T>& bias, double eps, Location location)
{
    const Tensor<T> deviation = sqrt(variance + static_cast<T>(eps), location);
    const Tensor<T> scale = weight.defined() ? by_channel(weight, x, location) / deviation : T(1) / deviation;
    const Tensor<T> result = (x - mean) * scale;
    return bias.defined() ? result + by_channel(bias, x, location) : result;
}

template <class T>
void require_statistics(const RunningStatistics<T>& running, std::size_t channels, const char* operation,
                        Location location)
{
    require_shape<T>(running.mean, {channels}, "running mean", operation, location);
    require_shape<T>(running.variance, {channels}, "running variance", operation, location);
}

template <class T>
Tensor<T> normalized_by(const Tensor<T>& x, const RunningStatistics<T>& running, const Tensor<T>& weight,
                        const Tensor<T>& bias, double eps, Location location)
{
    return normalized_by(x, by_channel(stop_gradient(running.mean, location), x, location),
                         by_channel(stop_gradient(running.variance, location), x, location), weight, bias, eps,
                         location);
}

/// Moves the running statistics towards these, of which the variance is of `count` elements and not yet unbiased.
template <class T>
void update(const RunningStatistics<T>& running, const Tensor<T>& mean, const Tensor<T>& variance, std::size_t count,
            double momentum, Location location)
{
    const auto move = [&](const Variable<T>& statistic, const Tensor<T>& now)
    {
        const Tensor<T> before = stop_gradient(statistic, location);
        const Tensor<T> target = reshape(stop_gradient(now, location), before.shape(), location);
        statistic.assign(before * static_cast<T>(1 - momentum) + target * static_cast<T>(momentum));
    };
    move(running.mean, mean);
    const T n = static_cast<T>(count);
    move(running.variance, stop_gradient(variance, location) * (n / (n - 1)));
}

}

Shape TrailingAxes::of(const Shape& whole, const char* operation, Location location) const
{
    const auto rank = static_cast<std::ptrdiff_t>(whole.rank());
    if (count_ < 1 || count_ > rank)
    {
        throw ShapeError(operation, std::to_string(count_) + " trailing axes: got shape " + to_string(whole), location);
    }
    const Shape trailing(whole.end() - count_, whole.end());
    if (given_ && trailing != shape_)
    {
        throw ShapeError(operation, to_string(whole) + " does not end with the axes " + to_string(shape_), location);
    }
    return trailing;
}

template <Real T>
Tensor<T> layer_norm(const Tensor<T>& x, const TrailingAxes& axes, const std::type_identity_t<Tensor<T>>& weight,
                     const std::type_identity_t<Tensor<T>>& bias, const NormOptions& options, Location location)
{
    const Shape shape = axes.of(x.shape(), "layer_norm", location);
    require_shape(weight, shape, "weight", "layer_norm", location);
    require_shape(bias, shape, "bias", "layer_norm", location);
    if (shape.elements() == 0)
    {
        throw ShapeError("layer_norm", "there is nothing to normalize in rows of shape " + to_string(shape), location);
    }
    const LayerNorm operation{shape.elements(), options.eps};
    if (weight.defined() && bias.defined())
    {
        return apply(operation, location, x, weight, bias);
    }
    const Composition composition(location);
    Tensor<T> y = apply(operation, location, x);
    y = weight.defined() ? y * weight : y;
    return bias.defined() ? y + bias : y;
}

template <Real T>
Tensor<T> group_norm(const Tensor<T>& x, std::ptrdiff_t groups, const std::type_identity_t<Tensor<T>>& weight,
                     const std::type_identity_t<Tensor<T>>& bias, const NormOptions& options, Location location)
{
    const std::size_t channels = channels_of(x, weight, bias, "group_norm", location);
    if (groups < 1 || channels % static_cast<std::size_t>(groups) != 0)
    {
        throw ValueError("group_norm",
                         std::to_string(groups) + " groups do not divide the " + std::to_string(channels) +
                             " channels of shape " + to_string(x.shape()),
                         location);
    }
    const Composition composition(location);
    return by_groups(x, static_cast<std::size_t>(groups), weight, bias, options.eps, location);
}

template <Real T>
Tensor<T> instance_norm(const Tensor<T>& x, const std::type_identity_t<Tensor<T>>& weight,
                        const std::type_identity_t<Tensor<T>>& bias, const NormOptions& options, Location location)
{
    const std::size_t channels = channels_of(x, weight, bias, "instance_norm", location);
    require_several(extent_of_channel(x), x, "instance_norm", location);
    const Composition composition(location);
    return by_groups(x, channels, weight, bias, options.eps, location);
}

template <Real T>
Tensor<T> instance_norm(const Tensor<T>& x, const RunningStatistics<T>& running,
                        const std::type_identity_t<Tensor<T>>& weight, const std::type_identity_t<Tensor<T>>& bias,
                        const InstanceNormOptions& options, Location location)
{
    const std::size_t channels = channels_of(x, weight, bias, "instance_norm", location);
    require_statistics(running, channels, "instance_norm", location);
    const Composition composition(location);
    if (!options.use_input_stats)
    {
        return normalized_by(x, running, weight, bias, options.eps, location);
    }
    const std::size_t count = extent_of_channel(x);
    require_several(count, x, "instance_norm", location);
    if (x.size() != 0)
    {
        const Tensor<T> samples = reshape(stop_gradient(x, location), Shape{x.shape(0), channels, count}, location);
        const auto [average, variance] = statistics(samples, 2, location);
        update(running, mean(average, 0, {}, location), mean(variance, 0, {}, location), count, options.momentum,
               location);
    }
    return by_groups(x, channels, weight, bias, options.eps, location);
}

template <Real T>
Tensor<T> batch_norm(const Tensor<T>& x, const std::type_identity_t<Tensor<T>>& weight,
                     const std::type_identity_t<Tensor<T>>& bias, const NormOptions& options, Location location)
{
    const std::size_t channels = channels_of(x, weight, bias, "batch_norm", location);
    const Composition composition(location);
    if (x.size() == 0)
    {
        return affine(x, weight, bias, location);
    }
    require_several(x.size() / channels, x, "batch_norm", location);
    if (extent_of_channel(x) >= detail::worth_normalizing)
    {
        return by_batch(x, weight, bias, options.eps, location);
    }
    const auto [average, variance] = statistics(x, all_but_channels(x.dimension()), location);
    return normalized_by(x, average, variance, weight, bias, options.eps, location);
}

template <Real T>
Tensor<T> batch_norm(const Tensor<T>& x, const RunningStatistics<T>& running,
                     const std::type_identity_t<Tensor<T>>& weight, const std::type_identity_t<Tensor<T>>& bias,
                     const BatchNormOptions& options, Location location)
{
    const std::size_t channels = channels_of(x, weight, bias, "batch_norm", location);
    require_statistics(running, channels, "batch_norm", location);
    const Composition composition(location);
    if (x.size() == 0)
    {
        return affine(x, weight, bias, location);
    }
    if (!options.training)
    {
        return normalized_by(x, running, weight, bias, options.eps, location);
    }
    const std::size_t count = x.size() / channels;
    require_several(count, x, "batch_norm", location);
    if (extent_of_channel(x) >= detail::worth_normalizing)
    {
        const auto [average, variance] =
            statistics(stop_gradient(x, location), all_but_channels(x.dimension()), location);
        update(running, average, variance, count, options.momentum, location);
        return by_batch(x, weight, bias, options.eps, location);
    }
    const auto [average, variance] = statistics(x, all_but_channels(x.dimension()), location);
    update(running, average, variance, count, options.momentum, location);
    return normalized_by(x, average, variance, weight, bias, options.eps, location);
}

// The sums over neighbours are the product with a matrix of ones along its diagonal.
template <Real T>
Tensor<T> local_response_norm(const Tensor<T>& x, std::ptrdiff_t size, const LocalResponseOptions& options,
                              Location location)
{
    const char* const name = "local_response_norm";
    const std::size_t channels = channels_of<T>(x, {}, {}, name, location);
    if (size < 1)
    {
        throw ValueError(name, "the number of neighbours must be positive: got " + std::to_string(size), location);
    }
    const Composition composition(location);
    Tensor<T> neighbours = detail::zeros<T>({channels, channels});
    T* ones = neighbours.node()->template as<T>();
    for (std::size_t channel = 0; channel < channels; ++channel)
    {
        const auto before = std::min<std::size_t>(channel, static_cast<std::size_t>(size / 2));
        const auto behind = std::min<std::size_t>(channels - 1 - channel, static_cast<std::size_t>((size - 1) / 2));
        std::fill_n(ones + channel * channels + channel - before, before + 1 + behind, T(1));
    }
    const Tensor<T> rows = reshape(square(x, location), Shape{x.shape(0), channels, extent_of_channel(x)}, location);
    const Tensor<T> sums = reshape(matmul(neighbours, rows, location), x.shape(), location);
    const auto alpha = static_cast<T>(options.alpha / static_cast<double>(size));
    return x / pow(sums * alpha + static_cast<T>(options.k), options.beta, location);
}

template <Real T>
Tensor<T> normalize(const Tensor<T>& x, const NormalizeOptions& options, Location location)
{
    detail::axis_set(options.axis, x.dimension(), "normalize", location);
    const Composition composition(location);
    const Tensor<T> norm = detail::p_norm(x, options.p, options.axis, keep_dims, location);
    return x / clip(norm, options.eps, std::numeric_limits<T>::infinity(), location);
}

#define PARAMETERS(T) const std::type_identity_t<Tensor<T>>&, const std::type_identity_t<Tensor<T>>&
#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> layer_norm(const Tensor<T>&, const TrailingAxes&, PARAMETERS(T), const NormOptions&, Location); \
    template Tensor<T> group_norm(const Tensor<T>&, std::ptrdiff_t, PARAMETERS(T), const NormOptions&, Location);      \
    template Tensor<T> instance_norm(const Tensor<T>&, PARAMETERS(T), const NormOptions&, Location);                   \
    template Tensor<T> instance_norm(const Tensor<T>&, const RunningStatistics<T>&, PARAMETERS(T),                     \
                                     const InstanceNormOptions&, Location);                                            \
    template Tensor<T> batch_norm(const Tensor<T>&, PARAMETERS(T), const NormOptions&, Location);                      \
    template Tensor<T> batch_norm(const Tensor<T>&, const RunningStatistics<T>&, PARAMETERS(T),                        \
                                  const BatchNormOptions&, Location);                                                  \
    template Tensor<T> local_response_norm(const Tensor<T>&, std::ptrdiff_t, const LocalResponseOptions&, Location);   \
    template Tensor<T> normalize(const Tensor<T>&, const NormalizeOptions&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE
#undef PARAMETERS

namespace
{

template <class T>
RunningStatistics<T> some_statistics(const Tensor<T>& mean, const Tensor<T>& variance)
{
    return {Variable<T>(stop_gradient(mean, Location{})),
            Variable<T>(square(stop_gradient(variance, Location{})) + T(0.1))};
}

}

EXAMPLE(layer_norm, row, real, ({2, 5}), layer_norm(x[0], 1))
EXAMPLE(layer_norm, weighted, real, ({2, 2, 3}, {2, 3}, {2, 3}), layer_norm(x[0], {2, 3}, x[1], x[2]))
EXAMPLE(layer_norm, scaled, real, ({2, 5}, {5}), layer_norm(x[0], 1, x[1], {}, {.eps = 0.1}))
EXAMPLE(group_norm, weighted, real, ({2, 4, 3}, {4}, {4}), group_norm(x[0], 2, x[1], x[2]))
EXAMPLE(instance_norm, weighted, real, ({2, 3, 4}, {3}, {3}), instance_norm(x[0], x[1], x[2]))
EXAMPLE(batch_norm, weighted, real, ({4, 3}, {3}, {3}), batch_norm(x[0], x[1], x[2]))
EXAMPLE(batch_norm, training, real, ({2, 3, 2}, {3}, {3}),
        batch_norm(x[0], some_statistics(x[1], x[2]), x[1], x[2], {.training = true}))
EXAMPLE(batch_norm, images, real, ({2, 3, 3, 3}, {3}, {3}), batch_norm(x[0], x[1], x[2]))
EXAMPLE(batch_norm, scaled_images, real, ({2, 3, 10}, {3}), batch_norm(x[0], x[1], {}, {.eps = 0.1}))
EXAMPLE(batch_norm, inference, real, ({2, 3, 2}, {3}, {3}),
        batch_norm(x[0], RunningStatistics<typename std::remove_cvref_t<decltype(x[0])>::value_type>(3), x[1], x[2]))
EXAMPLE(local_response_norm, several, real, ({2, 5, 2}), local_response_norm(x[0], 3, {.alpha = 0.5}))
EXAMPLE(normalize, euclidean, real, ({2, 3}), normalize(x[0]))
EXAMPLE(normalize, cubic, real, ({2, 3}), normalize(x[0], {.p = 3, .axis = 0}))
TRIAL(layer_norm, axes, ({2, 2, 3}, {2, 3}, {2, 3}), layer_norm(x[0], any.integer(), x[1], x[2], {.eps = any.number()}))
TRIAL(layer_norm, shape, ({2, 2, 3}, {3}), layer_norm(x[0], any.flag() ? any.shape() : x[1].shape(), x[1]))
TRIAL(group_norm, groups, ({2, 4, 3}, {4}, {4}), group_norm(x[0], any.integer(), x[1], x[2], {.eps = any.number()}))
TRIAL(instance_norm, running, ({2, 3, 4}, {3}, {3}),
      instance_norm(x[0], some_statistics(x[1], x[2]), x[1], x[2],
                    {.use_input_stats = any.flag(), .momentum = any.number(), .eps = any.number()}))
TRIAL(batch_norm, running, ({2, 3, 4}, {3}, {3}),
      batch_norm(x[0], some_statistics(x[1], x[2]), x[1], x[2],
                 {.training = any.flag(), .momentum = any.number(), .eps = any.number()}))
TRIAL(local_response_norm, size, ({2, 5, 2}),
      local_response_norm(x[0], any.integer(), {.alpha = any.number(), .beta = any.number(), .k = any.number()}))
TRIAL(normalize, axis, ({2, 3}), normalize(x[0], {.p = any.number(), .axis = any.axis(), .eps = any.number()}))

static constexpr Names names[] = {
    {"layer_norm", nullptr, nullptr, "nn.functional.layer_norm"},
    {"group_norm", nullptr, nullptr, "nn.functional.group_norm"},
    {"instance_norm", nullptr, nullptr, "nn.functional.instance_norm"},
    {"batch_norm", nullptr, nullptr, "nn.functional.batch_norm"},
    {"local_response_norm", nullptr, nullptr, "nn.functional.local_response_norm"},
    {"normalize", nullptr, nullptr, "nn.functional.normalize"},
};
static const NameTable name_table("normalization", names);

void detail::normalization_family() noexcept {}

}
