#pragma once

#include <autograd/variable.hpp>

#include <functional>
#include <vector>

namespace autograd
{

namespace detail
{

template <Real T>
T accumulate(std::size_t count, const std::function<Tensor<T>(std::size_t)>& loss,
             const std::vector<Variable<T>>& variables, Location location);

}

/// Adds the gradients of loss(0) + ... + loss(count - 1) to those of the variables, and gives the sum. Each loss, a tensor of
/// one element, is computed and differentiated by itself, on as many threads as `set_num_threads` allows, each with a tape
/// of its own; all are added in the order of their numbers, so the result is the same to the last bit for any number of
/// threads. `loss` is called by several threads at once: it may read variables, and must not change what others read.
///
///     const float sum = ag::accumulate(shards, [&](std::size_t i) { return loss_of(shard(i)); }, model.parameters());
///
/// @throws what the loss with the least number throws; the gradients then are as they were.
template <class Loss, Real T>
T accumulate(std::size_t count, const Loss& loss, const std::vector<Variable<T>>& variables,
             Location location = Location::current())
{
    return detail::accumulate<T>(
        count, [&loss](std::size_t i) { return Tensor<T>(loss(i)); }, variables, location);
}

}
