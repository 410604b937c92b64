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

}
