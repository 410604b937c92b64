#pragma once

#include <autograd/tensor.hpp>

/// Special functions, element by element.
namespace autograd
{

}
