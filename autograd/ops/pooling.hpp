#pragma once

#include <autograd/tensor.hpp>

/// Pooling in one, two and three dimensions.
namespace autograd
{

}
