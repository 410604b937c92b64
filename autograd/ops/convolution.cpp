#include <autograd/batching.hpp>
#include <autograd/kernels/convolution.hpp>
#include <autograd/ops/convolution.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/primitive.hpp>
#include <autograd/registry.hpp>

#include <iterator>
#include <string>

namespace autograd
{

namespace
{

using detail::ConvolutionAxis;
using detail::ConvolutionShape;
using detail::number_for;
using detail::Reads;

/// The attributes of the three maps below, each bilinear: y from x and weight, x from y and weight, weight from x and y.
/// The pullbacks of each are the two others.
struct Geometry
{
    bool operator==(const Geometry&) const = default;

    ConvolutionShape shape;
    std::size_t axes;

    Shape x_shape() const { return image(shape.groups * shape.inputs, &ConvolutionAxis::input); }
    Shape y_shape() const { return image(shape.groups * shape.outputs, &ConvolutionAxis::output); }
    Shape weight_shape() const
    {
        return extended({shape.groups * shape.outputs, shape.inputs}, &ConvolutionAxis::kernel);
    }

private:
    Shape image(std::size_t channels, std::size_t ConvolutionAxis::*extent) const
    {
        return extended({shape.batch, channels}, extent);
    }
    Shape extended(Shape result, std::size_t ConvolutionAxis::*extent) const
    {
        for (std::size_t axis = shape.axes.size() - axes; axis < shape.axes.size(); ++axis)
        {
            result.push_back(shape.axes[axis].*extent);
        }
        return result;
    }
};

template <class T>
Tensor<T> sum_over_places(const Tensor<T>& dy)
{
    Axes axes{0};
    for (std::size_t axis = 2; axis < dy.dimension(); ++axis)
    {
        axes.push_back(static_cast<std::ptrdiff_t>(axis));
    }
    return sum(dy, axes, {}, Location{});
}

template <class T>
T* elements(const Tensor<T>& tensor)
{
    return tensor.node()->template as<T>();
}

template <class T>
Tensor<T> output_of(const Geometry& geometry, const Tensor<T>& x, const Tensor<T>& weight);
template <class T>
Tensor<T> input_of(const Geometry& geometry, const Tensor<T>& y, const Tensor<T>& weight);
template <class T>
Tensor<T> weight_of(const Geometry& geometry, const Tensor<T>& x, const Tensor<T>& y);

template <bool biased>
struct Convolution
{
    static constexpr const char* name = "convolution";
    bool operator==(const Convolution&) const = default;
    static constexpr bool multilinear = !biased;
    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : k == 1 ? 0b01U : 0U}; }
    Geometry geometry;

    template <class T, class... Bias>
    Tensor<T> value(const Tensor<T>& x, const Tensor<T>& weight, const Bias&... bias) const
    {
        const Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(geometry.y_shape()));
        const T* const offsets[]{bias.data()..., nullptr};
        detail::convolve(geometry.shape, x.data(), weight.data(), offsets[0], elements(y));
        return y;
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>& weight,
                       const Bias&...) const
    {
        return input_of(geometry, dy, weight);
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>&,
                       const Bias&...) const
    {
        return weight_of(geometry, x, dy);
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>&) const
    {
        return sum_over_places(dy);
    }
};

template <bool biased>
struct TransposedConvolution
{
    static constexpr const char* name = "transposed_convolution";
    bool operator==(const TransposedConvolution&) const = default;
    static constexpr bool multilinear = !biased;
    static constexpr Reads reads(std::size_t k) { return Convolution<biased>::reads(k); }
    Geometry geometry;

    template <class T, class... Bias>
    Tensor<T> value(const Tensor<T>& y, const Tensor<T>& weight, const Bias&... bias) const
    {
        const Tensor<T> x = Tensor<T>::adopt(detail::new_node<T>(geometry.x_shape()));
        const T* const offsets[]{bias.data()..., nullptr};
        detail::convolve_transposed(geometry.shape, y.data(), weight.data(), offsets[0], elements(x));
        return x;
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dx, const Tensor<T>&, const Tensor<T>&, const Tensor<T>& weight,
                       const Bias&...) const
    {
        return output_of(geometry, dx, weight);
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dx, const Tensor<T>&, const Tensor<T>& y, const Tensor<T>&,
                       const Bias&...) const
    {
        return weight_of(geometry, dx, y);
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>& dx, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>&) const
    {
        return sum_over_places(dx);
    }
};

struct Correlation
{
    static constexpr const char* name = "correlation";
    bool operator==(const Correlation&) const = default;
    static constexpr bool multilinear = true;
    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : 0b01U}; }
    Geometry geometry;

    template <class T>
    Tensor<T> value(const Tensor<T>& x, const Tensor<T>& y) const
    {
        const Tensor<T> weight = Tensor<T>::adopt(detail::new_node<T>(geometry.weight_shape()));
        detail::correlate(geometry.shape, x.data(), y.data(), elements(weight));
        return weight;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dw, const Tensor<T>&, const Tensor<T>&, const Tensor<T>& y) const
    {
        return input_of(geometry, y, dw);
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dw, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>&) const
    {
        return output_of(geometry, x, dw);
    }
};

template <class T>
Tensor<T> output_of(const Geometry& geometry, const Tensor<T>& x, const Tensor<T>& weight)
{
    return apply(Convolution<false>{geometry}, Location{}, x, weight);
}
template <class T>
Tensor<T> input_of(const Geometry& geometry, const Tensor<T>& y, const Tensor<T>& weight)
{
    return apply(TransposedConvolution<false>{geometry}, Location{}, y, weight);
}
template <class T>
Tensor<T> weight_of(const Geometry& geometry, const Tensor<T>& x, const Tensor<T>& y)
{
    return apply(Correlation{geometry}, Location{}, x, y);
}

/// Batches of x, or of y, with the samples among the channels: (images, samples * channels, spatial...).
/// @{
template <class T, std::size_t N>
Tensor<T> into_channels(const detail::Batch<T, N>& batch, std::size_t k)
{
    const Tensor<T> x = batch[k].full(batch.samples, batch.location);
    Shape shape{x.shape(1), x.shape(0) * x.shape(2)};
    for (std::size_t axis = 3; axis < x.dimension(); ++axis)
    {
        shape.push_back(x.shape(axis));
    }
    return reshape(x.shape(1) == 1 ? x : moveaxis(x, 0, 1, batch.location), shape, batch.location);
}
template <class T, std::size_t N>
Tensor<T> out_of_channels(const detail::Batch<T, N>& batch, const Tensor<T>& y)
{
    if (batch.result[0] == 1)
    {
        return batch.unstacked(y);
    }
    Shape shape{batch.result[0], batch.samples};
    for (std::size_t axis = 1; axis < batch.result.rank(); ++axis)
    {
        shape.push_back(batch.result[axis]);
    }
    return moveaxis(reshape(y, shape, batch.location), 0, 1, batch.location);
}
/// @}

// Where samples have a weight each, they are groups of channels.
constexpr auto convolution_on_batch = []<class Op, class T, std::size_t N>(Op op, const detail::Batch<T, N>& batch)
{
    const Location location = batch.location;
    const auto call = [&](const Tensor<T>& images, const auto& parameter)
    {
        if constexpr (N == 3)
        {
            return apply(op, location, images, parameter(1), parameter(2));
        }
        else
        {
            return apply(op, location, images, parameter(1));
        }
    };
    if (!batch[1].batched && !batch[N - 1].batched)
    {
        op.geometry.shape.batch *= batch.samples;
        return batch.unstacked(call(batch.stacked(batch[0]), [&](std::size_t k) { return batch[k].tensor; }));
    }
    op.geometry.shape.groups *= batch.samples;
    return out_of_channels(batch,
                           call(into_channels(batch, 0), [&](std::size_t k) { return batch.stacked(batch[k]); }));
};
const detail::Batching<Convolution<false>, 2> convolution_batching(convolution_on_batch);
const detail::Batching<Convolution<true>, 3> biased_convolution_batching(convolution_on_batch);
const detail::Batching<TransposedConvolution<false>, 2> transposed_convolution_batching(convolution_on_batch);
const detail::Batching<TransposedConvolution<true>, 3> biased_transposed_convolution_batching(convolution_on_batch);
const detail::Batching<Correlation, 2> correlation_batching(
    [](Correlation op, const auto& batch)
    {
        op.geometry.shape.groups *= batch.samples;
        return batch.unstacked(apply(op, batch.location, into_channels(batch, 0), into_channels(batch, 1)));
    });

/// A call of one of the functions, which throws in its name.
struct Caller
{
    const char* operation;
    std::size_t axes;
    Location location;

    [[noreturn]] void fail(const std::string& problem, const char* fix = "") const
    {
        throw ShapeError(operation, problem, location, fix);
    }

    /// Throws unless the operands have as many axes as they should, the weight's channels fit those of x, and the bias is
    /// one number an output channel.
    template <class T>
    void check(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>* bias, std::ptrdiff_t groups,
               bool transposed) const
    {
        detail::require_image(x.shape(), axes, true, operation, location);
        if (groups < 1)
        {
            throw ValueError(operation, "needs at least one group: got " + std::to_string(groups), location);
        }
        const char* const form =
            transposed ? "(channels, outputs / groups, kernel)" : "(outputs, channels / groups, kernel)";
        const std::string got = ": got an input of shape " + to_string(x.shape()) + ", a weight of shape " +
                                to_string(weight.shape()) + " and " + std::to_string(groups) +
                                (groups == 1 ? " group" : " groups");
        if (weight.dimension() != axes + 2 || weight.size() == 0)
        {
            fail("needs a weight of shape " + std::string(form) + " with " + std::to_string(axes) +
                 (axes == 1 ? " kernel axis" : " kernel axes") + ", none of them empty" + got);
        }
        const std::size_t count = static_cast<std::size_t>(groups);
        const std::size_t channels = x.shape(x.dimension() - axes - 1);
        const std::size_t first = transposed ? channels : weight.shape(0);
        if (first % count != 0)
        {
            fail(std::string("the groups must divide the ") + (transposed ? "channels" : "outputs") + got);
        }
        if (transposed ? weight.shape(0) != channels : channels % count != 0 || weight.shape(1) != channels / count)
        {
            fail("the channels of the input do not fit the weight, " + std::string(form) + got);
        }
        const std::size_t outputs = transposed ? weight.shape(1) * count : weight.shape(0);
        if (bias != nullptr && bias->shape() != Shape{outputs})
        {
            fail("needs a bias of shape " + to_string(Shape{outputs}) + ": got " + to_string(bias->shape()) +
                 " with a weight of shape " + to_string(weight.shape()));
        }
    }

    /// The extent of a kernel with its dilation.
    std::size_t reach(std::size_t kernel, std::size_t dilation) const
    {
        const std::size_t limit = static_cast<std::size_t>(detail::largest_extent);
        if (kernel > 1 && dilation > limit / (kernel - 1))
        {
            fail("a kernel of " + std::to_string(kernel) + " with a dilation of " + std::to_string(dilation) +
                 " is absurdly large");
        }
        return (kernel - 1) * dilation + 1;
    }
};

/// A stride and a dilation that cannot matter are 1.
ConvolutionAxis simplified(ConvolutionAxis axis)
{
    axis.stride = axis.output == 1 ? 1 : axis.stride;
    axis.dilation = axis.kernel == 1 ? 1 : axis.dilation;
    return axis;
}

}

template <Real T>
Tensor<T> detail::convolution(const char* operation, std::size_t axes, const Tensor<T>& x, const Tensor<T>& weight,
                              const Tensor<T>* bias, const ConvolutionOptions& options, Location location)
{
    const Caller caller{operation, axes, location};
    caller.check(x, weight, bias, options.groups, false);
    const auto groups = static_cast<std::size_t>(options.groups);
    Geometry geometry{
        {x.dimension() == axes + 2 ? x.shape(0) : 1, groups, weight.shape(1), weight.shape(0) / groups, {}}, axes};
    for (std::size_t k = 0; k < axes; ++k)
    {
        ConvolutionAxis& axis = geometry.shape.axes[geometry.shape.axes.size() - axes + k];
        axis.input = x.shape(x.dimension() - axes + k);
        axis.kernel = weight.shape(2 + k);
        axis.stride = number_for(options.stride, k, axes, 1, "stride", operation, location);
        axis.dilation = number_for(options.dilation, k, axes, 1, "dilation", operation, location);
        axis.before = number_for(options.padding, k, axes, 0, "padding", operation, location);
        const std::size_t reach = caller.reach(axis.kernel, axis.dilation);
        std::size_t padding = 2 * axis.before;
        if (options.padding.same())
        {
            if (axis.stride != 1)
            {
                throw ValueError(operation,
                                 "same_padding needs a stride of 1: got " + std::to_string(axis.stride) +
                                     " for spatial axis " + std::to_string(k),
                                 location);
            }
            padding = reach - 1;
            axis.before = padding / 2;
        }
        if (reach > axis.input + padding)
        {
            caller.fail("the kernel, with its dilation " + std::to_string(reach) + " long, is larger than the input, " +
                            std::to_string(axis.input) + " with " + std::to_string(padding) + " of padding: got " +
                            "an input of shape " + to_string(x.shape()) + " and a weight of shape " +
                            to_string(weight.shape()),
                        "Use more padding or a smaller kernel.");
        }
        axis.output = (axis.input + padding - reach) / axis.stride + 1;
        axis = simplified(axis);
    }
    const Tensor<T> images = with_batch(x, axes, location);
    const Tensor<T> y = bias == nullptr ? apply(Convolution<false>{geometry}, location, images, weight)
                                        : apply(Convolution<true>{geometry}, location, images, weight, *bias);
    return without_batch(y, x, axes, location);
}

template <Real T>
Tensor<T> detail::transposed_convolution(const char* operation, std::size_t axes, const Tensor<T>& x,
                                         const Tensor<T>& weight, const Tensor<T>* bias,
                                         const TransposedConvolutionOptions& options, Location location)
{
    const Caller caller{operation, axes, location};
    caller.check(x, weight, bias, options.groups, true);
    const auto groups = static_cast<std::size_t>(options.groups);
    Geometry geometry{
        {x.dimension() == axes + 2 ? x.shape(0) : 1, groups, weight.shape(1), weight.shape(0) / groups, {}}, axes};
    for (std::size_t k = 0; k < axes; ++k)
    {
        ConvolutionAxis& axis = geometry.shape.axes[geometry.shape.axes.size() - axes + k];
        axis.output = x.shape(x.dimension() - axes + k);
        axis.kernel = weight.shape(2 + k);
        axis.stride = number_for(options.stride, k, axes, 1, "stride", operation, location);
        axis.dilation = number_for(options.dilation, k, axes, 1, "dilation", operation, location);
        axis.before = number_for(options.padding, k, axes, 0, "padding", operation, location);
        const std::size_t after = number_for(options.output_padding, k, axes, 0, "output_padding", operation, location);
        if (after >= std::max(axis.stride, axis.dilation))
        {
            throw ValueError(operation,
                             "output_padding must be smaller than the stride or the dilation: got " +
                                 std::to_string(after) + " with a stride of " + std::to_string(axis.stride) +
                                 " and a dilation of " + std::to_string(axis.dilation),
                             location);
        }
        const std::size_t whole =
            caller.reach(axis.output, axis.stride) + caller.reach(axis.kernel, axis.dilation) - 1 + after;
        if (whole <= 2 * axis.before)
        {
            caller.fail("nothing is left of an output " + std::to_string(whole) + " long without " +
                            std::to_string(2 * axis.before) + " of padding: got an input of shape " +
                            to_string(x.shape()) + " and a weight of shape " + to_string(weight.shape()),
                        "Use less padding.");
        }
        axis.input = whole - 2 * axis.before;
        axis = simplified(axis);
    }
    const Tensor<T> images = with_batch(x, axes, location);
    const Tensor<T> y = bias == nullptr ? apply(TransposedConvolution<false>{geometry}, location, images, weight)
                                        : apply(TransposedConvolution<true>{geometry}, location, images, weight, *bias);
    return without_batch(y, x, axes, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::convolution<T>(const char*, std::size_t, const Tensor<T>&, const Tensor<T>&,            \
                                              const Tensor<T>*, const ConvolutionOptions&, Location);                  \
    template Tensor<T> detail::transposed_convolution<T>(const char*, std::size_t, const Tensor<T>&, const Tensor<T>&, \
                                                         const Tensor<T>*, const TransposedConvolutionOptions&,        \
                                                         Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(conv1d, biased, real, ({2, 2, 5}, {3, 2, 2}, {3}), conv1d(x[0], x[1], x[2]))
EXAMPLE(conv1d, unbatched, real, ({2, 6}, {2, 1, 3}), conv1d(x[0], x[1], {.stride = 2, .padding = 2, .groups = 2}))
EXAMPLE(conv2d, padded, real, ({1, 2, 3, 4}, {2, 2, 2, 3}, {2}), conv2d(x[0], x[1], x[2], {.padding = {1, 0}}))
EXAMPLE(conv2d, strided, real, ({1, 2, 5, 4}, {4, 1, 2, 2}),
        conv2d(x[0], x[1], {.stride = {2, 3}, .padding = 1, .dilation = {2, 1}, .groups = 2}))
EXAMPLE(conv2d, same, real, ({1, 4, 3}, {2, 1, 2, 3}), conv2d(x[0], x[1], {.padding = same_padding}))
EXAMPLE(conv3d, biased, real, ({1, 1, 3, 2, 3}, {2, 1, 2, 2, 2}, {2}), conv3d(x[0], x[1], x[2], {.padding = {1, 0, 0}}))
EXAMPLE(conv_transpose1d, biased, real, ({2, 2, 3}, {2, 2, 2}, {2}), conv_transpose1d(x[0], x[1], x[2]))
EXAMPLE(conv_transpose2d, strided, real, ({1, 2, 2, 3}, {2, 2, 2, 2}, {4}),
        conv_transpose2d(x[0], x[1], x[2], {.stride = {2, 3}, .padding = 1, .output_padding = {1, 0}, .groups = 2}))
EXAMPLE(conv_transpose2d, unbatched, real, ({1, 3, 2}, {1, 2, 3, 1}), conv_transpose2d(x[0], x[1], {.dilation = 2}))
EXAMPLE(conv_transpose3d, strided, real, ({1, 1, 2, 2, 2}, {1, 1, 2, 1, 2}),
        conv_transpose3d(x[0], x[1], {.stride = 2}))

namespace
{

/// Mostly the number that fits.
PerAxis any_number(Arbitrary& any, std::ptrdiff_t fitting)
{
    return any.below(3) != 0   ? PerAxis(fitting)
           : any.below(4) == 0 ? PerAxis({any.integer(), any.integer()})
                               : PerAxis(any.integer());
}

}

#define CONVOLUTION_TRIAL(function, shapes)                                                                            \
    static const Trial function##_trial{                                                                               \
        #function, UNPACK shapes,                                                                                      \
        [](const auto& x, Arbitrary& any)                                                                              \
        {                                                                                                              \
            const Padding padding = any.below(4) == 0 ? Padding(same_padding) : Padding(any.integer());                \
            return function(x[0], x[1], x[2],                                                                          \
                            {.stride = any_number(any, 1),                                                             \
                             .padding = padding,                                                                       \
                             .dilation = any_number(any, 1),                                                           \
                             .groups = any.one_of<std::ptrdiff_t>({1, 2, any.integer()})});                            \
        }};
CONVOLUTION_TRIAL(conv1d, ({2, 2, 5}, {2, 2, 3}, {2}))
CONVOLUTION_TRIAL(conv2d, ({2, 2, 4, 5}, {2, 1, 3, 2}, {2}))
CONVOLUTION_TRIAL(conv3d, ({1, 2, 3, 3, 4}, {2, 2, 2, 1, 2}, {2}))
#undef CONVOLUTION_TRIAL
#define TRANSPOSED_TRIAL(function, shapes)                                                                             \
    static const Trial function##_trial{#function, UNPACK shapes,                                                      \
                                        [](const auto& x, Arbitrary& any)                                              \
                                        {                                                                              \
                                            return function(                                                           \
                                                x[0], x[1],                                                            \
                                                {.stride = any_number(any, 1),                                         \
                                                 .padding = any_number(any, 0),                                        \
                                                 .output_padding = any_number(any, 0),                                 \
                                                 .groups = any.one_of<std::ptrdiff_t>({1, 2, any.integer()}),          \
                                                 .dilation = any_number(any, 1)});                                     \
                                        }};
TRANSPOSED_TRIAL(conv_transpose1d, ({2, 2, 3}, {2, 2, 3}))
TRANSPOSED_TRIAL(conv_transpose2d, ({2, 2, 2, 3}, {2, 1, 3, 2}))
TRANSPOSED_TRIAL(conv_transpose3d, ({1, 2, 2, 2, 3}, {2, 2, 2, 1, 2}))
#undef TRANSPOSED_TRIAL

static constexpr Names names[] = {
    {"conv1d", nullptr, "scipy.signal.correlate", "nn.functional.conv1d"},
    {"conv2d", nullptr, "scipy.signal.correlate2d", "nn.functional.conv2d"},
    {"conv3d", nullptr, "scipy.signal.correlate", "nn.functional.conv3d"},
    {"conv_transpose1d", nullptr, nullptr, "nn.functional.conv_transpose1d"},
    {"conv_transpose2d", nullptr, nullptr, "nn.functional.conv_transpose2d"},
    {"conv_transpose3d", nullptr, nullptr, "nn.functional.conv_transpose3d"},
};
static const NameTable name_table{"convolution", names};

void detail::convolution_family() noexcept {}

}
