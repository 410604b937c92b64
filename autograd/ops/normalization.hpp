#pragma once

#include <autograd/tensor.hpp>

/// Normalisation over channels, layers and groups.
namespace autograd
{

}
