#pragma once

#include <autograd/tensor.hpp>

/// Resampling and rearranging images.
namespace autograd
{

}
