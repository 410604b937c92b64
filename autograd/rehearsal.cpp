#include <autograd/error.hpp>
#include <autograd/rehearsal.hpp>

#include <iterator>

namespace autograd::detail
{

PauseAll::PauseAll()
{
    Arena& arena = Arena::current();
    std::copy_if(arena.tapes().begin(), arena.tapes().end(), std::back_inserter(paused_),
                 [](const TapeState* tape) { return tape->recording(); });
    for (TapeState* tape : paused_)
    {
        arena.pause(tape);
    }
}

PauseAll::~PauseAll()
{
    for (TapeState* tape : paused_)
    {
        Arena::current().resume(tape);
    }
}

Rehearsal::Rehearsal() : arena_(Arena::current()), tape_(new TapeState)
{
    tape_->rehearses = true;
    arena_.add_tape(tape_);
}

Rehearsal::~Rehearsal()
{
    Arena::end_tape(tape_);
}

Reading Rehearsal::read(std::span<Node* const> arguments, const char* operation, Location location) const
{
    Reading reading;
    const auto add = [&](Node* node)
    {
        const bool known = std::find(arguments.begin(), arguments.end(), node) != arguments.end() ||
                           std::any_of(reading.sources_.begin(), reading.sources_.end(),
                                       [node](const Held& held) { return held.get() == node; });
        if (!known)
        {
            reading.sources_.push_back(hold(node));
        }
        return !known;
    };
    for (Slot slot = tape_->begin; slot < arena_.size(); ++slot)
    {
        Record& record = arena_[slot];
        if (record.operation == &leaf_operation)
        {
            if (record.arity == 1 && add(record.few_operands[0].node))
            {
                reading.snapshots_.push_back({reading.sources_.back(), hold(record.output)});
            }
            continue;
        }
        for (const RecordedOperand& operand : record.operands())
        {
            if (operand.slot < tape_->begin)
            {
                add(operand.node);
            }
        }
    }
    reading.require_unchanged(operation, "by the function itself", location);
    return reading;
}

void Reading::require_unchanged(const char* operation, const char* when, Location location) const
{
    for (const Snapshot& snapshot : snapshots_)
    {
        if (!has_value_of(snapshot.variable.get(), snapshot.value.get()))
        {
            const auto& variable = static_cast<const VariableNode&>(*snapshot.variable);
            throw TapeError(operation,
                            "a variable of shape " + to_string(variable.shape) +
                                " that the function has read was assigned at " + to_string(variable.assigned) + ", " +
                                when + ": called again for the gradient, it would read another value",
                            location,
                            "Assign it after the gradient, or let the function read a Tensor of it, which keeps the "
                            "value.");
        }
    }
}

}
