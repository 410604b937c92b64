#pragma once

#include <autograd/tensor.hpp>

/// Distances and similarities of vectors.
namespace autograd
{

}
