#include <autograd/explain.hpp>
#include <autograd/pass.hpp>
#include <autograd/tape.hpp>

#include <array>
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

/// Throws unless the gradients are there that are demanded.
void require_reached(TapeState& tape, std::span<Node* const> targets, std::span<Node* const> sources,
                     std::span<Node* const> gradients, const Question& question)
{
    const auto missing = std::find(gradients.begin(), gradients.end(), nullptr);
    const bool enough = question.demand == Demand::none ||
                        (question.demand == Demand::any &&
                         std::any_of(gradients.begin(), gradients.end(), [](Node* each) { return each != nullptr; }));
    if (missing != gradients.end() && !enough)
    {
        const auto k = static_cast<std::size_t>(missing - gradients.begin());
        throw_unconnected(tape, targets.front(), sources[k], k, question);
    }
}

/// Room for something for each target: for few of them none that has to be asked for.
template <class X>
class Room
{
public:
    explicit Room(std::size_t count) : many_(count > few_.size() ? count : 0), size_(count) {}
    std::span<X> all() noexcept { return {many_.empty() ? few_.data() : many_.data(), size_}; }

private:
    std::array<X, 2> few_{};
    std::vector<X> many_;
    std::size_t size_;
};

/// Where a pass starts from: those targets that the tape has recorded.
class Seeds
{
public:
    explicit Seeds(std::size_t count) : room_(count) {}

    /// Takes over the reference.
    void add(Slot target, Node* gradient) { room_.all()[size_++] = {target, adopt(gradient)}; }
    std::span<Seed> all() noexcept { return room_.all().first(size_); }

private:
    Room<Seed> room_;
    std::size_t size_ = 0;
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
    Seed start{slot, adopt(seed(target, output_gradient, "backward", location))};
    tape->last_target = target;
    Pass pass(arena, *tape);
    run_backward(pass, {&start, 1}, {});
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

Slot GradientTape::find(Node* target, Demand demand, const char* operation, Location location)
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
    if (demand != Demand::none)
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

Slot GradientTape::find(std::span<Node* const> targets, std::span<Slot> slots, const Question& question)
{
    Slot last = no_slot;
    for (std::size_t k = 0; k < targets.size(); ++k)
    {
        slots[k] = find(targets[k], targets.size() == 1 ? question.demand : Demand::none, question.operation,
                        question.location);
        last = last == no_slot || (slots[k] != no_slot && slots[k] > last) ? slots[k] : last;
    }
    return last == no_slot && !targets.empty()
               ? find(targets.front(), question.demand, question.operation, question.location)
               : last;
}

void GradientTape::gradient(std::span<Node* const> targets, std::span<Node* const> output_gradients,
                            std::span<Node* const> sources, std::span<Node*> results, const Question& question)
{
    Room<Slot> room(targets.size());
    const std::span<Slot> slots = room.all();
    const Slot last = find(targets, slots, question);
    Arena& arena = Arena::current();
    std::fill(results.begin(), results.end(), nullptr);
    try
    {
        if (last != no_slot)
        {
            Seeds seeds(targets.size());
            for (std::size_t k = 0; k < targets.size(); ++k)
            {
                if (slots[k] != no_slot)
                {
                    Node* const given = output_gradients.empty() ? nullptr : output_gradients[k];
                    seeds.add(slots[k], seed(targets[k], given, question.operation, question.location));
                }
            }
            Pass pass(arena, *state_);
            run_backward(pass, seeds.all(), {sources, results});
            require_reached(*state_, targets, sources, results, question);
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

void GradientTape::jvp(std::span<Node* const> targets, std::span<Node* const> sources, std::span<Node* const> tangents,
                       std::span<Node*> results, const Question& question)
{
    if (sources.size() != tangents.size() || sources.empty())
    {
        throw ValueError(question.operation,
                         "needs one tangent a source, and at least one: got " + std::to_string(sources.size()) +
                             " sources and " + std::to_string(tangents.size()) + " tangents",
                         question.location);
    }
    for (std::size_t k = 0; k < sources.size(); ++k)
    {
        if (sources[k]->shape != tangents[k]->shape)
        {
            throw ShapeError(question.operation,
                             "the tangent must have the shape of its source: " + question.names(k) + " is " +
                                 to_string(sources[k]->shape) + ", the tangent " + to_string(tangents[k]->shape),
                             question.location);
        }
    }
    std::fill(results.begin(), results.end(), nullptr);
    Room<Slot> room(targets.size());
    const std::span<Slot> slots = room.all();
    if (find(targets, slots, question) != no_slot)
    {
        Pass pass(Arena::current(), *state_);
        run_forward(pass, slots, sources, tangents, results);
        if (question.demand != Demand::none &&
            std::all_of(results.begin(), results.end(), [](Node* result) { return result == nullptr; }))
        {
            throw_unconnected(*state_, targets.front(), sources[0], 0, question);
        }
    }
    for (std::size_t k = 0; k < targets.size(); ++k)
    {
        results[k] = results[k] != nullptr ? results[k] : filled(targets[k]->dtype, targets[k]->shape, 0);
    }
}

}
