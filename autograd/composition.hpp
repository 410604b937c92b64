#pragma once

#include <autograd/arena.hpp>

namespace autograd::detail
{

/// While it lives, all that is recorded belongs to one line of the user's: that which called an operation composed of
/// others.
class Composition
{
public:
    explicit Composition(Location location) noexcept
    {
        if (outer_.line == 0)
        {
            arena_.pullback_location = location;
        }
    }
    ~Composition() { arena_.pullback_location = outer_; }
    Composition(const Composition&) = delete;
    Composition& operator=(const Composition&) = delete;

private:
    Arena& arena_ = Arena::current();
    Location outer_ = arena_.pullback_location;
};

}
