#pragma once

#include <autograd/tensor.hpp>

/// Layers of neural networks that have no file of their own, under PyTorch's names.
namespace autograd
{

}
