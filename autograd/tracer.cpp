#include <autograd/derive.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tracer.hpp>

namespace autograd::detail
{

void note_live_read() noexcept
{
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->refused("integers that are an argument are read by an operation that cannot be recorded with them", {});
    }
}

namespace
{

constinit thread_local bool live_comparison = false;

}

void note_live_comparison() noexcept
{
    live_comparison = true;
}

bool take_live_comparison() noexcept
{
    return std::exchange(live_comparison, false);
}

}
