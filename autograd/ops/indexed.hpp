#pragma once

#include <autograd/tensor.hpp>

#include <cstdint>

namespace autograd
{

/// Elements that an operation has chosen along an axis, and where along it they stand:
/// `auto [values, indices] = topk(x, 3);`. The gradient of a value goes to the element that was chosen.
template <Real T>
struct Indexed
{
    Tensor<T> values;
    xt::xarray<std::int64_t> indices;
};

}
