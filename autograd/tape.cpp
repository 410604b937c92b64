#include <autograd/arena.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/tape.hpp>

#include <algorithm>
#include <memory>
#include <string>

namespace autograd
{

namespace detail
{

namespace
{

/// Where the gradients go that a backward pass was run for.
struct Wanted
{
    std::span<Node* const> sources;  ///< none: every variable
    std::span<Node*> results;        ///< one a source, null at first

    bool everything() const noexcept { return results.empty(); }
};

template <class T>
Node* stretched(Node* gradient, const Shape& shape)
{
    return broadcast_to(Tensor<T>::adopt(gradient), shape, Location{}).disown();
}

/// The gradient in the full shape of what it belongs to. Takes the reference and gives one.
Node* full(Node* gradient, const Shape& shape)
{
    if (gradient->shape == shape)
    {
        return gradient;
    }
    return gradient->dtype == DType::float32 ? stretched<float>(gradient, shape) : stretched<double>(gradient, shape);
}

/// One backward pass over a tape, which does not record it. It uses up a one-shot tape, however it ends.
class Pass
{
public:
    Pass(Arena& arena, TapeState& tape) : arena_(arena), tape_(tape), pause_(&tape)
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
        std::swap(gradients, arena_.gradients);
        std::swap(wanted, arena_.wanted);
        arena_.pullback_location = outer_location_;
        tape_.used = !tape_.persistent;
    }

    /// Whether a record's values are dead once its pullback has run.
    bool forgets() const noexcept { return forgets_; }

    std::vector<Node*> gradients;
    std::vector<std::uint8_t> wanted;

private:
    Arena& arena_;
    TapeState& tape_;
    Location outer_location_ = arena_.pullback_location;
    bool forgets_ = false;
    Pause pause_;
};

/// Which of the sources a record's output is, by the slot or the variable; the number of sources if none.
std::size_t source_of(Record& record, Slot slot, std::span<const Slot> slots, std::span<Node* const> sources)
{
    Node* variable = record.operation == &leaf_operation && record.arity == 1 ? record.few_operands[0].node : nullptr;
    std::size_t k = 0;
    while (k < sources.size() && slots[k] != slot && sources[k] != variable)
    {
        ++k;
    }
    return k;
}

void accumulate_variable(VariableNode* variable, Node* gradient)
{
    Pull::accumulate(variable->gradient, full(gradient, variable->shape));
}

/// The loop of reverse mode: from the target's record down to the tape's first.
void run_backward(Arena& arena, TapeState& tape, Slot target, Node* output_gradient, const Wanted& goal)
{
    Slot begin = tape.begin;
    std::vector<Slot> slots;
    for (Node* source : goal.sources)
    {
        slots.push_back(source->is_variable ? no_slot : arena.slot_of(*source));
        begin = std::min(begin, slots.back());
    }
    Pass pass(arena, tape);
    pass.gradients.assign(target - begin + 1, nullptr);
    if (!goal.everything())
    {
        pass.wanted.assign(target - begin + 1, 0);
        for (Slot slot = begin; slot <= target; ++slot)
        {
            Record& record = arena[slot];
            bool wanted = source_of(record, slot, slots, goal.sources) < goal.sources.size();
            if (slot >= tape.begin && !wanted)
            {
                for (const RecordedOperand& operand : record.operands())
                {
                    wanted |=
                        operand.slot != no_slot && operand.slot >= begin && pass.wanted[operand.slot - begin] != 0;
                }
            }
            pass.wanted[slot - begin] = wanted;
        }
    }
    retain(output_gradient);
    pass.gradients[target - begin] = output_gradient;
    for (Slot slot = target + 1; slot-- > begin;)
    {
        Record& record = arena[slot];
        Node* gradient = std::exchange(pass.gradients[slot - begin], nullptr);
        if (gradient == nullptr)
        {
            if (pass.forgets())
            {
                Arena::forget_values(record);
            }
            continue;
        }
        const bool leaf = record.operation == &leaf_operation;
        if (goal.everything())
        {
            if (leaf)
            {
                if (record.arity == 1)
                {
                    accumulate_variable(static_cast<VariableNode*>(record.few_operands[0].node), gradient);
                }
                else
                {
                    release(gradient);
                }
                continue;
            }
        }
        else
        {
            for (std::size_t k = 0; k < goal.sources.size(); ++k)
            {
                const bool variable = leaf && record.arity == 1 && record.few_operands[0].node == goal.sources[k];
                if (slots[k] == slot || variable)
                {
                    retain(gradient);
                    Pull::accumulate(goal.results[k], full(gradient, goal.sources[k]->shape));
                }
            }
            if (leaf || slot < tape.begin)
            {
                release(gradient);
                continue;
            }
        }
        arena.pullback_location = record.location;
        Pull pull(record, gradient, begin, pass.gradients, goal.everything() ? nullptr : &pass.wanted);
        record.operation->pull(pull);
        if (pull.output_gradient() != nullptr)
        {
            release(pull.output_gradient());
        }
        if (pass.forgets())
        {
            Arena::forget_values(record);
        }
    }
}

template <class T>
Node* filled(const Shape& shape, T value)
{
    Node* node = new_node<T>(shape);
    std::fill_n(node->as<T>(), node->elements, value);
    return node;
}

Node* filled(DType dtype, const Shape& shape, double value)
{
    return dtype == DType::float32 ? filled(shape, static_cast<float>(value)) : filled(shape, value);
}

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

Node* Pull::full_output_gradient()
{
    output_gradient_ = full(output_gradient_, record_.output->shape);
    return output_gradient_;
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

namespace
{

bool writable_in_place(const Node* node)
{
    return node->values.unique() && (node->buffer == nullptr || node->buffer->references.unique());
}

template <class T>
void accumulate_typed(Node*& sum, Node* gradient)
{
    Tensor<T> a = Tensor<T>::adopt(std::exchange(sum, nullptr));
    Tensor<T> b = Tensor<T>::adopt(gradient);
    if (!Arena::current().recording() && a.shape() == b.shape())
    {
        if (!writable_in_place(a.node()))
        {
            std::swap(a, b);
        }
        if (writable_in_place(a.node()))
        {
            add_in_place(a.node()->template as<T>(), b.data(), a.size());
            sum = a.disown();
            return;
        }
    }
    sum = (a + b).disown();
}

}

template <class T>
T* Pull::sum(std::size_t k)
{
    Node*& sum = gradients_[record_.first_operand[k].slot - begin_];
    const Shape& shape = operand(k)->shape;
    if (sum == nullptr)
    {
        sum = filled(shape, T(0));
    }
    else
    {
        sum = full(std::exchange(sum, nullptr), shape);
        if (!writable_in_place(sum))
        {
            const Tensor<T> shared = Tensor<T>::adopt(std::exchange(sum, nullptr));
            sum = new_node<T>(shape);
            std::copy_n(shared.data(), shared.size(), sum->as<T>());
        }
    }
    return sum->as<T>();
}
template float* Pull::sum<float>(std::size_t);
template double* Pull::sum<double>(std::size_t);

void Pull::add(Node*& sum, Node* gradient)
{
    if (gradient->dtype == DType::float32)
    {
        accumulate_typed<float>(sum, gradient);
    }
    else
    {
        accumulate_typed<double>(sum, gradient);
    }
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

void GradientTape::gradient(Node* target, Node* output_gradient, std::span<Node* const> sources,
                            std::span<Node*> results, Unconnected unconnected, Location location)
{
    require_state("gradient", location);
    Arena& arena = Arena::current();
    if (state_->used)
    {
        throw_used(*state_, "gradient", location);
    }
    Slot slot = arena.slot_of(*target);
    if (target->is_variable && state_->recording())
    {
        target = arena.read(target, slot);
    }
    const bool recorded = slot != no_slot && state_->begin <= slot && slot < state_->end;
    if (!recorded && unconnected == Unconnected::error)
    {
        const std::string problem = describe_target(arena, *target);
        const char* fix = "Compute it from Variables or watched tensors while this tape lives.";
        if (target->place.load(std::memory_order_relaxed) == 0)
        {
            throw UnconnectedError("gradient", problem, location, fix);
        }
        throw TapeError("gradient", problem, location, fix);
    }
    std::fill(results.begin(), results.end(), nullptr);
    try
    {
        if (recorded)
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
                const bool known = sources[k]->is_variable || arena.slot_of(*sources[k]) != no_slot;
                throw UnconnectedError(
                    "gradient",
                    "the target does not depend on source " + std::to_string(k + 1) + ", of shape " +
                        to_string(sources[k]->shape) +
                        (known
                             ? ": nothing that this tape recorded leads from it to the target"
                             : ": it is a constant that was never watched, or was computed before the tape was opened"),
                    location,
                    known ? "Was it overwritten, cut by stop_gradient, or used only through value()? Ask for "
                            "{.unconnected = Unconnected::zero} if zeros are meant."
                          : "Make it a Variable, or watch it before it is used.");
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

}
