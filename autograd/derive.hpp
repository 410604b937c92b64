#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tracer.hpp>

namespace autograd::detail
{

/// Whether integers that change from call to call have been compared since the last question: attributes that hold some are
/// equal from recording to recording, but do not always hold the same.
bool take_live_comparison() noexcept;

/// Tells the tracer that what is computed next depends on the elements of `node` in a way that it does not see.
inline void note_decision(Node* node, const char* what, Location location)
{
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->left(node, what, location);
    }
}

/// Integers that `compute(from, to)` makes of others. If those change from call to call of a function that is being
/// recorded, so do these.
template <class Compute>
Indices derive_indices(const char* name, const Shape& shape, const Indices& from, Location location, Compute compute)
{
    Indices to(shape);
    if (!from.is_live() || Arena::current().tracer == nullptr) [[likely]]
    {
        compute(from, to);
        return to;
    }
    derive(name, {}, location, [from, to, compute](std::span<Node* const>) mutable { compute(from, to); });
    to.make_live();
    return to;
}

}
