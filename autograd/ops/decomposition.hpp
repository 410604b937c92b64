#pragma once

#include <autograd/tensor.hpp>

/// Inverses, determinants, solutions and decompositions of matrices, by LAPACK.
namespace autograd
{

}
