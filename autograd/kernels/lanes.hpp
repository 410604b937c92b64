#pragma once

#include <xsimd/xsimd.hpp>

#include <cstddef>

namespace autograd::detail
{

/// The sum of a register's lanes, halves first. xsimd has it, too, under a name that changes with its version.
template <class B>
typename B::value_type sum_of_lanes(const B& x)
{
    alignas(64) typename B::value_type lanes[B::size];
    x.store_aligned(lanes);
    for (std::size_t half = B::size / 2; half > 0; half /= 2)
    {
        for (std::size_t i = 0; i < half; ++i)
        {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

}
