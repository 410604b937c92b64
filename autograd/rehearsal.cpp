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

std::vector<Held> Rehearsal::read(std::span<Node* const> arguments) const
{
    std::vector<Held> found;
    const auto add = [&](Node* node)
    {
        const bool known =
            std::find(arguments.begin(), arguments.end(), node) != arguments.end() ||
            std::any_of(found.begin(), found.end(), [node](const Held& held) { return held.get() == node; });
        if (!known)
        {
            found.push_back(hold(node));
        }
    };
    for (Slot slot = tape_->begin; slot < arena_.size(); ++slot)
    {
        Record& record = arena_[slot];
        if (record.operation == &leaf_operation)
        {
            if (record.arity == 1)
            {
                add(record.few_operands[0].node);
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
    return found;
}

}
