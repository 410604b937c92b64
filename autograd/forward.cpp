#include <autograd/observer.hpp>
#include <autograd/pass.hpp>

#include <algorithm>
#include <utility>

namespace autograd::detail
{

Node* Push::take()
{
    return sum_ == nullptr ? nullptr : full(std::exchange(sum_, nullptr), record_.output->shape);
}

void run_forward(Pass& pass, std::span<const Slot> targets, std::span<Node* const> sources,
                 std::span<Node* const> tangents, std::span<Node*> results)
{
    Arena& arena = pass.arena;
    const TapeState& tape = pass.tape;
    Slot last = 0;
    for (const Slot target : targets)
    {
        last = target == no_slot ? last : std::max(last, target);
    }
    Slot begin = tape.begin;
    std::vector<Slot> slots;
    for (Node* source : sources)
    {
        slots.push_back(source->is_variable ? no_slot : arena.slot_of(*source));
        begin = std::min(begin, slots.back());
    }
    pass.gradients.assign(last - begin + 1, nullptr);
    for (Slot slot = begin; slot <= last; ++slot)
    {
        Record& record = arena[slot];
        const std::size_t source = source_of(tape, record, slot, slots, sources);
        if (source < sources.size())
        {
            retain(tangents[source]);
            pass.gradients[slot - begin] = tangents[source];
            continue;
        }
        Push push(record, begin, pass.gradients);
        bool reached = false;
        const bool operation = slot >= tape.begin && record.operation != &leaf_operation && !tape.skips(slot);
        for (std::size_t k = 0; k < record.arity && operation; ++k)
        {
            reached |= push.tangent(k) != nullptr;
        }
        if (reached)
        {
            arena.pullback_location = record.location;
            for (Observer* observer = arena.observer; observer != nullptr; observer = observer->outer())
            {
                observer->visit(record);
            }
            record.operation->push(push);
            pass.gradients[slot - begin] = push.take();
            for (Observer* observer = arena.observer; observer != nullptr; observer = observer->outer())
            {
                observer->pushed(push, pass.gradients[slot - begin]);
            }
        }
    }
    for (std::size_t k = 0; k < targets.size(); ++k)
    {
        results[k] = targets[k] == no_slot ? nullptr : pass.gradients[targets[k] - begin];
        if (results[k] != nullptr)
        {
            retain(results[k]);
        }
    }
}

}
