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

/// f of each lane in turn.
/// @{
template <class B, class F>
B lane_by_lane(F f, const B& x)
{
    alignas(64) typename B::value_type lanes[B::size];
    x.store_aligned(lanes);
    for (auto& lane : lanes)
    {
        lane = f(lane);
    }
    return B::load_aligned(lanes);
}
template <class B, class F>
B lane_by_lane(F f, const B& a, const B& b)
{
    alignas(64) typename B::value_type lanes[B::size];
    alignas(64) typename B::value_type others[B::size];
    a.store_aligned(lanes);
    b.store_aligned(others);
    for (std::size_t i = 0; i < B::size; ++i)
    {
        lanes[i] = f(lanes[i], others[i]);
    }
    return B::load_aligned(lanes);
}
/// @}

}
