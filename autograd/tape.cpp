#include <autograd/explain.hpp>
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
        throw TapeError("backward", why_not_recorded(nullptr, *target), location,
                        "Compute it from Variables while a GradientTape lives.");
    }
    if (tape->used)
    {
        throw_used(*tape, "backward", location);
    }
    const Hold start(seed(target, output_gradient, "backward", location));
    tape->last_target = target;
    Pass pass(arena, *tape);
    run_backward(pass, slot, start.node, {});
}

}

using namespace detail;

GradientTape::GradientTape(TapeOptions options, Location location) : state_(new TapeState)
{
    state_->persistent = options.persistent;
    state_->watches_variables = options.watch_accessed_variables;
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
        Arena::end_tape(state_);
    }
}

void GradientTape::require_state(const char* operation, Location location) const
{
    if (state_ == nullptr)
    {
        throw TapeError(operation, "this tape was moved from", location, "Use the tape that it was moved to.");
    }
    if (state_->arena != Arena::current().id())
    {
        throw TapeError(operation, "the tape opened at " + to_string(state_->location) + " belongs to another thread",
                        location, "Open a tape on each thread; variables may be shared.");
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
    state_->stops.push_back(location);
    return StopRecording(state_);
}

void GradientTape::watch(Node* node, Location location)
{
    require_state("watch", location);
    if (node->is_variable && state_->watches_variables)
    {
        return;
    }
    if (!state_->recording())
    {
        throw TapeError("watch", "this tape does not record any more", location, "Watch before the first gradient.");
    }
    if (node->is_variable)
    {
        if (!state_->watches(node))
        {
            state_->watched.push_back(node);
        }
        return;
    }
    Arena::current().watch(node, location);
}

std::vector<Node*> GradientTape::watched(DType dtype, Location location) const
{
    require_state("watched_variables", location);
    Arena& arena = Arena::current();
    std::vector<Node*> variables;
    for (Slot slot = state_->begin; slot < std::min(state_->end, arena.size()); ++slot)
    {
        Node* const variable = variable_of(*state_, arena[slot], slot);
        if (variable != nullptr && variable->dtype == dtype &&
            std::find(variables.begin(), variables.end(), variable) == variables.end())
        {
            variables.push_back(variable);
        }
    }
    return variables;
}

void GradientTape::reset(Location location)
{
    require_state("reset", location);
    Arena::current().restart_tape(state_);
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
        const std::string problem = why_not_recorded(state_, *target);
        const char* fix = "Compute it from Variables or watched tensors while this tape lives.";
        if (target->place.load(std::memory_order_relaxed) == 0)
        {
            throw UnconnectedError(operation, problem, location, fix);
        }
        throw TapeError(operation, problem, location, fix);
    }
    return no_slot;
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
            Pass pass(arena, *state_);
            run_backward(pass, slot, start.node, {sources, results});
            for (std::size_t k = 0; k < sources.size() && unconnected == Unconnected::error; ++k)
            {
                if (results[k] == nullptr)
                {
                    throw_unconnected(*state_, target, sources[k], k + 1, "gradient", location);
                }
            }
        }
        for (std::size_t k = 0; k < sources.size(); ++k)
        {
            if (results[k] == nullptr)
            {
                results[k] = filled(sources[k]->dtype, sources[k]->shape, 0);
            }
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
    Node* tangent = nullptr;
    if (slot != no_slot)
    {
        Pass pass(Arena::current(), *state_);
        tangent = run_forward(pass, slot, sources, tangents);
        if (tangent == nullptr && unconnected == Unconnected::error)
        {
            throw_unconnected(*state_, target, sources[0], 1, "jvp", location);
        }
    }
    return tangent != nullptr ? tangent : filled(target->dtype, target->shape, 0);
}

}
