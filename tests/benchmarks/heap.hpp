#pragma once

#include <cstdint>
#include <functional>

namespace benchmarks
{

/// The most bytes that f's caller holds at any time while `measured` runs, counted from before `before` ran: what this
/// program, whatever library of it, has from malloc, and our pool from the system.
std::int64_t peak_memory(const std::function<void()>& before, const std::function<void()>& measured);

}
