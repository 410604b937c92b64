#pragma once

#include <autograd/tensor.hpp>

/// Activation functions of neural networks, element by element, under PyTorch's names.
namespace autograd
{

#define AUTOGRAD_UNARY(name)                                                                                           \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& x, Location location = Location::current());

/// 1 / (1 + e^-x).
AUTOGRAD_UNARY(sigmoid)
/// max(x, 0). Its derivative at 0 is 0.
AUTOGRAD_UNARY(relu)
/// log(1 + e^x), which neither overflows nor cancels.
AUTOGRAD_UNARY(softplus)
#undef AUTOGRAD_UNARY

}
