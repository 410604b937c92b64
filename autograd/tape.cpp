#include <autograd/pass.hpp>
#include <autograd/tape.hpp>

#include <string>

namespace autograd
{

namespace detail
{

namespace
{

/// The gradient that a pass starts from. A new reference.
Node* seed(Node* target, Node* output_gradient, const char* operation, Location location)
{
    if (output_gradient != nullptr)
    {
        if (output_gradient->shape != target->shape)
        {
            throw ShapeError(operation,
                             "the output gradient must have the shape of the target: the target is " +
                                 to_string(target->shape) + ", the gradient " + to_string(output_gradient->shape),
                             location);
        }
        if (output_gradient->is_variable)
        {
            return snapshot(output_gradient);
        }
        retain(output_gradient);
        return output_gradient;
    }
    if (target->elements != 1)
    {
        throw ShapeError(operation, "the target must hold one element: it has shape " + to_string(target->shape),
                         location, "Reduce it with sum or mean, or give the output gradient.");
    }
    return filled(target->dtype, target->shape, 1);
}

[[noreturn]] void throw_used(const TapeState& tape, const char* operation, Location location)
{
    throw TapeError(operation, "the tape opened at " + to_string(tape.location) + " is used up by an earlier gradient",
                    location, "Open it with {.persistent = true} to use it more than once.");
}

std::string describe_target(Arena& arena, const Node& target)
{
    const std::uint64_t place = target.place.load(std::memory_order_relaxed);
    if (place == 0)
    {
        return "no tape recorded the target: it was computed without one, or only from constants";
    }
    return arena.slot_of(target) == no_slot ? "the tape that recorded the target is gone, used up, or another thread's"
                                            : "the target was recorded outside of this tape";
}

/// Holds a reference for the length of a scope.
struct Hold
{
    explicit Hold(Node* held) : node(held) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { release(node); }
    Node* node;
};

}

void backward(Node* target, Node* output_gradient, Location location)
{
    Arena& arena = Arena::current();
    if (target->is_variable)
    {
        throw TapeError("backward", "a variable is a leaf: it was not computed from anything", location,
                        "Call backward() on a result.");
    }
    const Slot slot = arena.slot_of(*target);
    TapeState* tape = nullptr;
    for (TapeState* candidate : arena.tapes())
    {
        if (slot != no_slot && candidate->begin <= slot && slot < candidate->end)
        {
            tape = candidate;
        }
    }
    if (tape == nullptr)
    {
        for (const TapeState* used : arena.tapes())
        {
            if (used->used && used->last_target == target)
            {
                throw_used(*used, "backward", location);
            }
        }
        throw TapeError("backward", describe_target(arena, *target), location,
                        "Compute it from Variables while a GradientTape lives.");
    }
    if (tape->used)
    {
        throw_used(*tape, "backward", location);
    }
    const Hold start(seed(target, output_gradient, "backward", location));
    tape->last_target = target;
    run_backward(arena, *tape, slot, start.node, {});
}

}

using namespace detail;

GradientTape::GradientTape(TapeOptions options, Location location) : state_(new TapeState)
{
    state_->persistent = options.persistent;
    state_->location = location;
    Arena::current().add_tape(state_);
}

GradientTape::GradientTape(GradientTape&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}

GradientTape& GradientTape::operator=(GradientTape&& other) noexcept
{
    GradientTape ended(std::move(*this));
    state_ = std::exchange(other.state_, nullptr);
    return *this;
}

GradientTape::~GradientTape()
{
    if (state_ != nullptr)
    {
        Arena::current().remove_tape(state_);
        delete state_;
    }
}

void GradientTape::require_state(const char* operation, Location location) const
{
    if (state_ == nullptr)
    {
        throw TapeError(operation, "this tape was moved from", location, "Use the tape that it was moved to.");
    }
}

GradientTape::StopRecording::StopRecording(TapeState* tape) : tape_(tape)
{
    Arena::current().pause(tape);
}

GradientTape::StopRecording::~StopRecording()
{
    if (tape_ != nullptr)
    {
        Arena::current().resume(tape_);
    }
}

GradientTape::StopRecording GradientTape::stop_recording(Location location)
{
    require_state("stop_recording", location);
    return StopRecording(state_);
}

void GradientTape::watch(Node* node, Location location)
{
    require_state("watch", location);
    if (node->is_variable)
    {
        return;
    }
    if (!state_->recording())
    {
        throw TapeError("watch", "this tape does not record any more", location, "Watch before the first gradient.");
    }
    Arena::current().watch(node, location);
}

Slot GradientTape::find(Node* target, Unconnected unconnected, const char* operation, Location location)
{
    require_state(operation, location);
    if (state_->used)
    {
        throw_used(*state_, operation, location);
    }
    Arena& arena = Arena::current();
    Slot slot = arena.slot_of(*target);
    if (target->is_variable && state_->recording())
    {
        target = arena.read(target, slot);
    }
    if (slot != no_slot && state_->begin <= slot && slot < state_->end)
    {
        return slot;
    }
    if (unconnected == Unconnected::error)
    {
        const std::string problem = describe_target(arena, *target);
        const char* fix = "Compute it from Variables or watched tensors while this tape lives.";
        if (target->place.load(std::memory_order_relaxed) == 0)
        {
            throw UnconnectedError(operation, problem, location, fix);
        }
        throw TapeError(operation, problem, location, fix);
    }
    return no_slot;
}

namespace
{

[[noreturn]] void throw_unconnected(Arena& arena, Node* source, std::size_t number, const char* operation,
                                    Location location)
{
    const bool known = source->is_variable || arena.slot_of(*source) != no_slot;
    throw UnconnectedError(
        operation,
        "the target does not depend on source " + std::to_string(number) + ", of shape " + to_string(source->shape) +
            (known ? ": nothing that this tape recorded leads from it to the target"
                   : ": it is a constant that was never watched, or was computed before the tape was opened"),
        location,
        known ? "Was it overwritten, cut by stop_gradient, or used only through value()? Ask for "
                "{.unconnected = Unconnected::zero} if zeros are meant."
              : "Make it a Variable, or watch it before it is used.");
}

}

void GradientTape::gradient(Node* target, Node* output_gradient, std::span<Node* const> sources,
                            std::span<Node*> results, Unconnected unconnected, Location location)
{
    const Slot slot = find(target, unconnected, "gradient", location);
    Arena& arena = Arena::current();
    std::fill(results.begin(), results.end(), nullptr);
    try
    {
        if (slot != no_slot)
        {
            const Hold start(seed(target, output_gradient, "gradient", location));
            run_backward(arena, *state_, slot, start.node, {sources, results});
        }
        for (std::size_t k = 0; k < sources.size(); ++k)
        {
            if (results[k] != nullptr)
            {
                continue;
            }
            if (unconnected == Unconnected::error)
            {
                throw_unconnected(arena, sources[k], k + 1, "gradient", location);
            }
            results[k] = filled(sources[k]->dtype, sources[k]->shape, 0);
        }
    }
    catch (...)
    {
        for (Node*& result : results)
        {
            if (result != nullptr)
            {
                release(std::exchange(result, nullptr));
            }
        }
        throw;
    }
}

Node* GradientTape::jvp(Node* target, std::span<Node* const> sources, std::span<Node* const> tangents,
                        Unconnected unconnected, Location location)
{
    if (sources.size() != tangents.size() || sources.empty())
    {
        throw ValueError("jvp",
                         "needs one tangent a source, and at least one: got " + std::to_string(sources.size()) +
                             " sources and " + std::to_string(tangents.size()) + " tangents",
                         location);
    }
    for (std::size_t k = 0; k < sources.size(); ++k)
    {
        if (sources[k]->shape != tangents[k]->shape)
        {
            throw ShapeError("jvp",
                             "the tangent must have the shape of its source: source " + std::to_string(k + 1) + " is " +
                                 to_string(sources[k]->shape) + ", the tangent " + to_string(tangents[k]->shape),
                             location);
        }
    }
    const Slot slot = find(target, unconnected, "jvp", location);
    Arena& arena = Arena::current();
    Node* tangent = nullptr;
    if (slot != no_slot)
    {
        tangent = run_forward(arena, *state_, slot, sources, tangents);
    }
    if (tangent == nullptr && unconnected == Unconnected::error)
    {
        throw_unconnected(arena, sources[0], 1, "jvp", location);
    }
    return tangent != nullptr ? tangent : filled(target->dtype, target->shape, 0);
}

}
