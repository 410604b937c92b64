#pragma once

#include <autograd/tensor.hpp>

/// Sorting, and what depends on order: medians, quantiles, the k largest.
namespace autograd
{

}
