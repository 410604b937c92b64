#pragma once

#include <autograd/tensor.hpp>

#include <cstddef>

/// What batch_norm is made of where a channel has several elements in each sample.
namespace autograd::detail
{

/// From so many neighbouring elements on, a channel of a sample is worth a loop of its own.
inline constexpr std::size_t worth_normalizing = 8;

/// (x - mean) / sqrt(variance + eps) of each channel of x (batch, channels, extent), times its weight, plus its bias; both
/// are (channels), or both undefined. As one operation.
template <Real T>
Tensor<T> normalize_channels(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, double eps,
                             Location location);

}
