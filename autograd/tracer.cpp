#include <autograd/derive.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tracer.hpp>

namespace autograd::detail
{

void trace_pullback(const Record& record, std::size_t k, std::span<Node* const> inputs, Node* gradient)
{
    try
    {
        Arena::current().tracer->executed({Step::Kind::pullback, *record.operation, k, inputs, gradient,
                                           record.attributes, nullptr, record.location});
    }
    catch (...)
    {
        release(gradient);
        throw;
    }
}

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
