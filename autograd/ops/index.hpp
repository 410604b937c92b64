#pragma once

#include <autograd/tensor.hpp>

/// Elements chosen by arrays of positions or masks.
namespace autograd
{

}
