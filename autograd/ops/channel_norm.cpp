#include <autograd/batching.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/channel_norm.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/primitive.hpp>

#include <array>
#include <cmath>
#include <tuple>

namespace autograd::detail
{

namespace
{

/// The channels of an array (batch, channels, extent): a channel has a row of neighbouring elements in each sample.
struct Channels
{
    explicit Channels(const Shape& shape) : batch(shape[0]), count(shape[1]), extent(shape[2]) {}

    std::size_t batch;
    std::size_t count;
    std::size_t extent;

    template <class Visit>
    void for_each(const Visit& visit) const
    {
        parallel_for(count, 1 + elements_worth_a_thread / (batch * extent),
                     [&](std::size_t begin, std::size_t end)
                     {
                         for (std::size_t channel = begin; channel < end; ++channel)
                         {
                             visit(channel);
                         }
                     });
    }

    /// Calls visit with the place of each row of a channel.
    template <class Visit>
    void for_each_row(std::size_t channel, const Visit& visit) const
    {
        for (std::size_t sample = 0; sample < batch; ++sample)
        {
            visit((sample * count + channel) * extent);
        }
    }

    /// The sum of f over all elements of a channel.
    template <class F, class... In>
    double sum(std::size_t channel, const F& f, const In*... in) const
    {
        double total = 0;
        for_each_row(channel, [&](std::size_t row) { total += static_cast<double>(sum_row(extent, f, in + row...)); });
        return total;
    }
    template <class F, class... In>
    double mean(std::size_t channel, const F& f, const In*... in) const
    {
        return sum(channel, f, in...) / static_cast<double>(batch * extent);
    }
};

constexpr auto itself = [](const auto& e) { return e; };

/// What `of` gives for each channel.
template <class T, class F>
Tensor<T> by_channel(const Shape& shape, const F& of)
{
    const Channels channels(shape);
    const Tensor<T> result = Tensor<T>::adopt(new_node<T>(Shape{channels.count}));
    channels.for_each([&, out = result.node()->template as<T>()](std::size_t channel)
                      { out[channel] = static_cast<T>(of(channels, channel)); });
    return result;
}

/// What normalizes a channel: its mean, and 1 / sqrt(variance + eps).
template <class T>
struct Statistics
{
    using B = xsimd::batch<T>;
    B mean;
    B scale;

    Statistics(const Channels& channels, std::size_t channel, const T* x, double eps)
    {
        mean = B(static_cast<T>(channels.mean(channel, itself, x)));
        const double variance = channels.mean(
            channel, [this](const B& e) { return (e - mean) * (e - mean); }, x);
        scale = B(static_cast<T>(1 / std::sqrt(variance + eps)));
    }

    B operator()(const B& e) const { return (e - mean) * scale; }
};

/// With a weight and a bias for each channel, or with neither.
struct ChannelNorm
{
    static constexpr const char* name = "batch_norm";
    bool operator==(const ChannelNorm&) const = default;
    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b11U : k == 1 ? 0b01U : 0U}; }
    double eps;

    template <class T, class... Affine>
    Tensor<T> value(const Tensor<T>& x, const Affine&... affine) const
    {
        using B = xsimd::batch<T>;
        const Tensor<T> y = Tensor<T>::adopt(new_node<T>(x.shape()));
        const Channels channels(x.shape());
        channels.for_each(
            [&, this, in = x.data(), out = y.node()->template as<T>()](std::size_t channel)
            {
                const Statistics<T> normalized(channels, channel, in, eps);
                const Linear<B> linear(channel, affine...);
                channels.for_each_row(channel,
                                      [&](std::size_t row)
                                      {
                                          map_row(
                                              channels.extent, out + row,
                                              [&](const B& e) { return linear(normalized(e)); }, in + row);
                                      });
            });
        return y;
    }

    // dx = scale weight (dy - mean(dy) - n mean(dy n)), where n is the normalized channel.
    template <class T, class... Affine>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Affine&... affine) const
    {
        using B = xsimd::batch<T>;
        if (Arena::current().recording())
        {
            const auto [normalized, scale] = composed(x);
            const auto mean_of = [](const Tensor<T>& a) { return mean(a, {0, 2}, keep_dims, Location{}); };
            return weighted(scale, affine...) * (dy - mean_of(dy) - normalized * mean_of(dy * normalized));
        }
        const Tensor<T> dx = Tensor<T>::adopt(new_node<T>(x.shape()));
        const Channels channels(x.shape());
        channels.for_each(
            [&, this, in = x.data(), slope = dy.data(), out = dx.node()->template as<T>()](std::size_t channel)
            {
                const Statistics<T> normalized(channels, channel, in, eps);
                const B mean(static_cast<T>(channels.mean(channel, itself, slope)));
                const B along(static_cast<T>(channels.mean(
                    channel, [&](const B& s, const B& e) { return s * normalized(e); }, slope, in)));
                channels.for_each_row(channel,
                                      [&, scale = normalized.scale * weight_of<B>(channel, affine...)](std::size_t row)
                                      {
                                          map_row(
                                              channels.extent, out + row,
                                              [&](const B& s, const B& e)
                                              { return scale * (s - mean - normalized(e) * along); },
                                              slope + row, in + row);
                                      });
            });
        return dx;
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>&,
                       const Tensor<T>&) const
    {
        if (Arena::current().recording())
        {
            return sum(dy * composed(x).first, {0, 2}, {}, Location{});
        }
        return by_channel<T>(x.shape(),
                             [&, this](const Channels& channels, std::size_t channel)
                             {
                                 using B = xsimd::batch<T>;
                                 const Statistics<T> normalized(channels, channel, x.data(), eps);
                                 return channels.sum(
                                     channel, [&](const B& s, const B& e) { return s * normalized(e); }, dy.data(),
                                     x.data());
                             });
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>&) const
    {
        if (Arena::current().recording())
        {
            return sum(dy, {0, 2}, {}, Location{});
        }
        return by_channel<T>(dy.shape(), [&](const Channels& channels, std::size_t channel)
                             { return channels.sum(channel, itself, dy.data()); });
    }

private:
    /// A channel's weight and bias, in registers.
    template <class B>
    struct Linear
    {
        B weight = B(1);
        B bias = B(0);

        explicit Linear(std::size_t) {}
        template <class T>
        Linear(std::size_t channel, const Tensor<T>& weight, const Tensor<T>& bias)
            : weight(weight.data()[channel]), bias(bias.data()[channel])
        {
        }
        B operator()(const B& e) const { return e * weight + bias; }
    };

    // The bias is not read in a gradient, and may not be there.
    template <class B>
    static B weight_of(std::size_t)
    {
        return B(1);
    }
    template <class B, class T>
    static B weight_of(std::size_t channel, const Tensor<T>& weight, const Tensor<T>&)
    {
        return B(weight.data()[channel]);
    }

    template <class T>
    static Tensor<T> weighted(const Tensor<T>& scale)
    {
        return scale;
    }
    template <class T>
    static Tensor<T> weighted(const Tensor<T>& scale, const Tensor<T>& weight, const Tensor<T>&)
    {
        return scale * reshape(weight, Shape{weight.size(), 1}, Location{});
    }

    /// The normalized channels, and what they were scaled by.
    template <class T>
    std::pair<Tensor<T>, Tensor<T>> composed(const Tensor<T>& x) const
    {
        const Tensor<T> distance = x - mean(x, {0, 2}, keep_dims, Location{});
        const Tensor<T> variance = mean(square(distance, Location{}), {0, 2}, keep_dims, Location{});
        const Tensor<T> scale = T(1) / sqrt(variance + static_cast<T>(eps), Location{});
        return {distance * scale, scale};
    }
};

// The samples' channels beside each other.
constexpr auto channel_norm_on_batch =
    []<class T, std::size_t N>(const ChannelNorm& op, const detail::Batch<T, N>& batch)
{
    const Location location = batch.location;
    const auto side_by_side = [&](const BatchOperand<T>& parameter)
    { return flatten(parameter.full(batch.samples, location), location); };
    const Tensor<T> x = swapaxes(batch[0].full(batch.samples, location), 0, 1, location);
    const Tensor<T> wide = reshape(x, Shape{x.shape(0), x.shape(1) * x.shape(2), x.shape(3)}, location);
    Tensor<T> y;
    if constexpr (N == 1)
    {
        y = apply(op, location, wide);
    }
    else
    {
        y = apply(op, location, wide, side_by_side(batch[1]), side_by_side(batch[2]));
    }
    return swapaxes(reshape(y, x.shape(), location), 0, 1, location);
};
const Batching<ChannelNorm, 1> channel_norm_batching(channel_norm_on_batch);
const Batching<ChannelNorm, 3> affine_channel_norm_batching(channel_norm_on_batch);

}

template <Real T>
Tensor<T> normalize_channels(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, double eps,
                             Location location)
{
    return weight.defined() ? apply(ChannelNorm{eps}, location, x, weight, bias) : apply(ChannelNorm{eps}, location, x);
}
template Tensor<float> normalize_channels(const Tensor<float>&, const Tensor<float>&, const Tensor<float>&, double,
                                          Location);
template Tensor<double> normalize_channels(const Tensor<double>&, const Tensor<double>&, const Tensor<double>&, double,
                                           Location);

}
