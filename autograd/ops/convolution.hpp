#pragma once

#include <autograd/ops/spatial.hpp>

/// Convolutions in one, two and three dimensions. Each takes (batch, channels, spatial...) or the same without batch.
namespace autograd
{

/// As many zeros before and after the input as make the output as long as the input; the odd one, if any, after.
struct SamePadding
{
};
inline constexpr SamePadding same_padding{};

/// Zeros before and after each spatial axis: numbers, or `same_padding`.
class Padding : public PerAxis
{
public:
    using PerAxis::PerAxis;
    Padding(SamePadding) : PerAxis(0), same_(true) {}

    bool same() const noexcept { return same_; }

private:
    bool same_ = false;
};

/// Numbers are for all spatial axes, or one each: `{.stride = 2, .padding = {1, 0}}`.
struct ConvolutionOptions
{
    PerAxis stride = 1;
    Padding padding = 0;
    PerAxis dilation = 1;
    std::ptrdiff_t groups = 1;  ///< channels are convolved in so many groups, each with its own weights
};

struct TransposedConvolutionOptions
{
    PerAxis stride = 1;
    PerAxis padding = 0;
    PerAxis output_padding = 0;  ///< added after the output, whose extent the stride leaves open
    std::ptrdiff_t groups = 1;
    PerAxis dilation = 1;
};

namespace detail
{

/// `bias` may be null.
/// @{
template <Real T>
Tensor<T> convolution(const char* operation, std::size_t axes, const Tensor<T>& x, const Tensor<T>& weight,
                      const Tensor<T>* bias, const ConvolutionOptions& options, Location location);
template <Real T>
Tensor<T> transposed_convolution(const char* operation, std::size_t axes, const Tensor<T>& x, const Tensor<T>& weight,
                                 const Tensor<T>* bias, const TransposedConvolutionOptions& options, Location location);
/// @}

}

#define AUTOGRAD_CONVOLUTION(function, implementation, axes, Options)                                                  \
    template <OperandLike X, OperandLike W, OperandLike B>                                                             \
    Tensor<element_t<X, W, B>> function(const X& x, const W& weight, const B& bias, const Options& options = {},       \
                                        Location location = Location::current())                                       \
    {                                                                                                                  \
        using T = element_t<X, W, B>;                                                                                  \
        const Tensor<T> b = Operand<T>(bias, location);                                                                \
        return detail::implementation<T>(#function, axes, Operand<T>(x, location), Operand<T>(weight, location), &b,   \
                                         options, location);                                                           \
    }                                                                                                                  \
    template <OperandLike X, OperandLike W>                                                                            \
    Tensor<element_t<X, W>> function(const X& x, const W& weight, const Options& options = {},                         \
                                     Location location = Location::current())                                          \
    {                                                                                                                  \
        using T = element_t<X, W>;                                                                                     \
        return detail::implementation<T>(#function, axes, Operand<T>(x, location), Operand<T>(weight, location),       \
                                         nullptr, options, location);                                                  \
    }

/// y[n, o, j...] = bias[o] + sum over c, k... of weight[o, c, k...] x[n, c, (j * stride + k * dilation - padding)...], with
/// zeros outside of x: `conv2d(x, weight, bias, {.padding = 1})`, where the bias may be left out. The weight is (outputs,
/// channels / groups, kernel...), the bias (outputs). The extent of an output axis is
/// floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
/// @throws ShapeError if they do not fit, the groups do not divide the channels, or the kernel is larger than the padded
///         input; ValueError for a number that is no stride, padding, dilation or number of groups, or `same_padding` with
///         a stride.
/// @{
AUTOGRAD_CONVOLUTION(conv1d, convolution, 1, ConvolutionOptions)
AUTOGRAD_CONVOLUTION(conv2d, convolution, 2, ConvolutionOptions)
AUTOGRAD_CONVOLUTION(conv3d, convolution, 3, ConvolutionOptions)
/// @}

/// The transpose of a convolution, as a map: each element of x adds to the output what the convolution would have read for
/// it. The weight is (channels, outputs / groups, kernel...), the bias (outputs). The extent of an output axis is
/// (input - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
/// @throws ShapeError if they do not fit, the groups do not divide the channels, or nothing is left of the output;
///         ValueError for a number that is no stride, padding, dilation or number of groups, or an output padding that
///         is not smaller than the stride or the dilation.
/// @{
AUTOGRAD_CONVOLUTION(conv_transpose1d, transposed_convolution, 1, TransposedConvolutionOptions)
AUTOGRAD_CONVOLUTION(conv_transpose2d, transposed_convolution, 2, TransposedConvolutionOptions)
AUTOGRAD_CONVOLUTION(conv_transpose3d, transposed_convolution, 3, TransposedConvolutionOptions)
/// @}

#undef AUTOGRAD_CONVOLUTION

}
