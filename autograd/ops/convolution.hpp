#pragma once

#include <autograd/tensor.hpp>

/// Convolutions in one, two and three dimensions.
namespace autograd
{

}
