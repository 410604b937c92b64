#pragma once

#include <autograd/arena.hpp>

namespace autograd::detail
{

/// What an operation makes of a whole array, with the order of additions of `sum_kernel`.
enum class Total
{
    none,
    sum,   ///< one number
    mean,  ///< one number
    rows   ///< the sum over its first axes
};

/// Of an operand of this shape, which has elements.
Total total_of(const Operation& operation, const Attributes* attributes, const Shape& shape);

}
