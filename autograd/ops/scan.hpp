#pragma once

#include <autograd/tensor.hpp>

/// Running sums and the like along an axis.
namespace autograd
{

}
