#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

/// Gradients of several microbatches for one step, as if they had been one batch: for batches that do not fit into memory.
/// `backward()` adds up gradients anyway; this counts, takes their mean, steps and forgets them.
///
///     optim::Accumulation accumulation(sgd, 4);
///     for (const Batch& batch : microbatches)
///     {
///         ag::GradientTape tape;
///         loss_of(batch).backward();
///         accumulation.step();
///     }
///     accumulation.flush();
class Accumulation
{
public:
    /// @throws autograd::ValueError for a count of 0.
    Accumulation(Optimizer& optimizer, std::size_t microbatches, Location location = Location::current());

    /// Counts a microbatch; after the last makes the optimizer's step. Returns whether it did.
    bool step(Location location = Location::current());
    /// Makes the step with the microbatches that there are, if any. Returns whether it did.
    bool flush(Location location = Location::current());

private:
    Optimizer& optimizer_;
    std::size_t microbatches_;
    std::size_t done_ = 0;
};

}
