#include <autograd/tracer.hpp>
#include <optim/accumulation.hpp>
#include <optim/gradient.hpp>

namespace optim
{

Accumulation::Accumulation(Optimizer& optimizer, std::size_t microbatches, Location location)
    : optimizer_(optimizer), microbatches_(microbatches)
{
    detail::require(at_least_1, "Accumulation", "the number of microbatches", static_cast<double>(microbatches),
                    location);
}

bool Accumulation::step(Location location)
{
    return autograd::detail::act("Accumulation", location,
                                 [=, this] { return ++done_ == microbatches_ && flush(location); });
}

bool Accumulation::flush(Location location)
{
    if (done_ == 0)
    {
        return false;
    }
    for (const Parameter& parameter : optimizer_.parameters())
    {
        detail::scale_gradient(parameter, 1 / static_cast<double>(done_));
    }
    done_ = 0;
    const bool stepped = optimizer_.step(location);
    optimizer_.zero_grad();
    return stepped;
}

}
