#pragma once

#include <autograd/arena.hpp>
#include <autograd/rehearsal.hpp>

#include <span>
#include <vector>

/// The two passes over a tape: backward for gradients, forward for tangents.
namespace autograd::detail
{

/// Where the gradients go that a backward pass was run for.
struct Wanted
{
    std::span<Node* const> sources;  ///< none: every variable
    std::span<Node*> results;        ///< one a source, null at first

    bool everything() const noexcept { return results.empty(); }
};

/// Where a backward pass starts, and with which gradient, which it takes.
struct Seed
{
    Slot target = no_slot;
    Held gradient = {};
};

class Pass;

/// The loop of reverse mode: from the record of the last target down to the tape's first.
void run_backward(Pass& pass, std::span<Seed> seeds, const Wanted& goal);

/// The loop of forward mode: from the sources up to the record of the last target. Gives a new reference to the tangent of
/// each, or null if it does not depend on the sources, or is nowhere. The tangents have the shapes of the sources.
void run_forward(Pass& pass, std::span<const Slot> targets, std::span<Node* const> sources,
                 std::span<Node* const> tangents, std::span<Node*> results);

/// The array in this shape, stretched if it is smaller. Takes the reference and gives one.
Node* full(Node* array, const Shape& shape);
/// The same, as one that nobody else sees, so that it may be added to.
Node* full_of_its_own(Node* array, const Shape& shape);

/// A new array.
Node* filled(DType dtype, const Shape& shape, double value);

/// Adds to the gradient that a variable holds. Takes over a reference.
void accumulate_gradient(VariableNode* variable, Node* gradient);

/// The variable whose leaf the record at this slot is for this tape; null if it is no such.
Node* variable_of(const TapeState& tape, const Record& record, Slot slot);

/// Which of the sources a record's output is, by the slot or the variable; the number of sources if none.
std::size_t source_of(const TapeState& tape, const Record& record, Slot slot, std::span<const Slot> slots,
                      std::span<Node* const> sources);

/// Whether nobody else sees the array's memory.
inline bool writable_in_place(const Node* node)
{
    return node->values.unique() && (node->buffer == nullptr || node->buffer->references.unique());
}

/// One pass over a tape, which does not record it. It uses up a one-shot tape, however it ends; until then the records
/// stay.
class Pass
{
public:
    Pass(Arena& arena, TapeState& tape) : arena(arena), tape(tape), pause_(&tape)
    {
        std::swap(gradients, arena.gradients);
        std::swap(wanted, arena.wanted);
        if (!tape.persistent)
        {
            tape.end = std::min(tape.end, arena.size());
            forgets_ = std::none_of(arena.tapes().begin(), arena.tapes().end(),
                                    [&](const TapeState* other) { return other != &tape && !other->used; });
        }
    }
    ~Pass()
    {
        for (Node* gradient : gradients)
        {
            if (gradient != nullptr)
            {
                release(gradient);
            }
        }
        gradients.clear();
        std::swap(gradients, arena.gradients);
        std::swap(wanted, arena.wanted);
        arena.pullback_location = outer_location_;
        tape.used = !tape.persistent;
    }

    /// Whether a record's values are dead once its pullback has run.
    bool forgets() const noexcept { return forgets_; }

    Arena& arena;
    TapeState& tape;
    std::vector<Node*> gradients;  ///< or tangents
    std::vector<std::uint8_t> wanted;

private:
    Location outer_location_ = arena.pullback_location;
    bool forgets_ = false;
    Pause pause_;
};

}
