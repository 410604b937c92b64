#pragma once

#include <autograd/arena.hpp>

namespace autograd::detail
{

/// What an operation makes of a whole array, if its result is one number.
enum class Total
{
    none,
    sum,
    mean
};

/// Whether this is the sum or the mean over neighbouring axes, with the order of additions of `sum_kernel`.
Total total_of(const Operation& operation, const Attributes* attributes);

}
