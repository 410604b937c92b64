#pragma once

#include <autograd/node.hpp>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace autograd::detail
{

/// What gradients of a variable go through; each takes over a reference and gives one.
struct GradientHooks
{
    std::uint64_t last = 0;  ///< the number of the one that came last
    std::vector<std::pair<std::uint64_t, std::function<Node*(Node*)>>> hooks;
};

}
