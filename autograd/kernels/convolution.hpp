#pragma once

#include <array>
#include <cstddef>

namespace autograd::detail
{

/// A convolution along one spatial axis: output j sums kernel[k] * input[j * stride + k * dilation - before].
struct ConvolutionAxis
{
    bool operator==(const ConvolutionAxis&) const = default;

    std::size_t input = 1;
    std::size_t kernel = 1;
    std::size_t output = 1;
    std::size_t stride = 1;
    std::size_t dilation = 1;
    std::size_t before = 0;  ///< zeros before the input
};

/// What three arrays, all row-major, have to do with each other: x is (batch, groups * inputs, spatial...), the weight
/// (groups * outputs, inputs, spatial...) and y (batch, groups * outputs, spatial...).
struct ConvolutionShape
{
    bool operator==(const ConvolutionShape&) const = default;

    std::size_t batch;
    std::size_t groups;
    std::size_t inputs;   ///< channels of x in a group
    std::size_t outputs;  ///< channels of y in a group
    std::array<ConvolutionAxis, 3> axes;
};

/// y from x and the weight; `bias`, one an output channel, may be null.
template <class T>
void convolve(const ConvolutionShape& shape, const T* x, const T* weight, const T* bias, T* y);

/// The transpose of that map: x from y and the weight; `bias`, one a channel of x, may be null.
template <class T>
void convolve_transposed(const ConvolutionShape& shape, const T* y, const T* weight, const T* bias, T* x);

/// The weight from x and y: sums over batch and places of y[j] * x[j * stride + k * dilation - before].
template <class T>
void correlate(const ConvolutionShape& shape, const T* x, const T* y, T* weight);

}
