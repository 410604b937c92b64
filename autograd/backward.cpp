#include <autograd/elementwise.hpp>
#include <autograd/hooks.hpp>
#include <autograd/observer.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/pass.hpp>
#include <autograd/rehearsal.hpp>
#include <autograd/tracer.hpp>

#include <algorithm>

namespace autograd::detail
{

namespace
{

template <class T>
Node* stretched(Node* gradient, const Shape& shape)
{
    return broadcast_to(Tensor<T>::adopt(gradient), shape, Location{}).disown();
}

template <class T>
Node* filled(const Shape& shape, T value)
{
    Node* node = nullptr;
    if (shape.rank() == 0)
    {
        node = new_scalar(value);
    }
    else
    {
        node = new_node<T>(shape);
        std::fill_n(node->as<T>(), node->elements, value);
    }
    note_constant(node);
    return node;
}

// Hooks and observers are kept out of the loop of reverse mode, which took 15 % more instructions with them in it, used or
// not.

/// What the hooks of a variable, which has some, make of its gradient. Takes the reference and gives one.
[[gnu::noinline]] Node* through_hooks(const VariableNode* variable, Node* gradient)
{
    gradient = full(gradient, variable->shape);
    // A hook may remove itself.
    const auto hooks = variable->hooks->hooks;
    for (const auto& [number, hook] : hooks)
    {
        gradient = hook(gradient);
        if (gradient->shape != variable->shape)
        {
            const std::string shape = to_string(gradient->shape);
            release(gradient);
            throw ShapeError("register_hook",
                             "a hook must give a gradient of the shape of its variable: the variable is " +
                                 to_string(variable->shape) + ", the gradient " + shape,
                             {});
        }
    }
    return gradient;
}

[[gnu::noinline]] void pull_observed(const Arena& arena, Record& record, Pull& pull)
{
    for (Observer* observer = arena.observer; observer != nullptr; observer = observer->outer())
    {
        observer->visit(record);
    }
    record.operation->pull(pull);
    for (Observer* observer = arena.observer; observer != nullptr; observer = observer->outer())
    {
        observer->pulled(pull);
    }
}

}

Node* full(Node* gradient, const Shape& shape)
{
    if (gradient->shape == shape)
    {
        return gradient;
    }
    return gradient->dtype == DType::float32 ? stretched<float>(gradient, shape) : stretched<double>(gradient, shape);
}

Node* full_of_its_own(Node* gradient, const Shape& shape)
{
    gradient = full(gradient, shape);
    if (writable_in_place(gradient))
    {
        return gradient;
    }
    const Held shared = adopt(gradient);
    return new_copy(gradient);
}

Node* filled(DType dtype, const Shape& shape, double value)
{
    return dtype == DType::float32 ? filled(shape, static_cast<float>(value)) : filled(shape, value);
}

Node* variable_of(const TapeState& tape, const Record& record, Slot slot)
{
    const bool variable = record.operation == &leaf_operation && record.arity == 1 && slot >= tape.begin;
    return variable && tape.watches(record.few_operands[0].node) ? record.few_operands[0].node : nullptr;
}

std::size_t source_of(const TapeState& tape, const Record& record, Slot slot, std::span<const Slot> slots,
                      std::span<Node* const> sources)
{
    Node* const variable = variable_of(tape, record, slot);
    std::size_t k = 0;
    while (k < sources.size() && slots[k] != slot && sources[k] != variable)
    {
        ++k;
    }
    return k;
}

namespace
{

/// What `Pass::wanted` says of a record whose output depends on a source, and of one whose output is a source.
constexpr std::uint8_t leads_to_source = 1;
constexpr std::uint8_t is_source = 2;

void mark_wanted(Pass& pass, Slot begin, Slot target, std::span<const Slot> slots, std::span<Node* const> sources)
{
    pass.wanted.assign(target - begin + 1, 0);
    for (const Slot slot : slots)
    {
        if (slot <= target)
        {
            pass.wanted[slot - begin] = is_source;
        }
    }
    for (Slot slot = std::max(begin, pass.tape.begin); slot <= target; ++slot)
    {
        Record& record = pass.arena[slot];
        std::uint8_t& wanted = pass.wanted[slot - begin];
        if (record.operation == &leaf_operation)
        {
            Node* const variable = variable_of(pass.tape, record, slot);
            if (variable != nullptr && std::find(sources.begin(), sources.end(), variable) != sources.end())
            {
                wanted = is_source;
            }
        }
        else if (wanted == 0 && !pass.tape.skips(slot))
        {
            for (const RecordedOperand& operand : record.operands())
            {
                if (operand.slot != no_slot && operand.slot >= begin && pass.wanted[operand.slot - begin] != 0)
                {
                    wanted = leads_to_source;
                }
            }
        }
    }
}

/// Adds the gradient of a record to those of the sources that its output is.
void give_sources(const Wanted& goal, std::span<const Slot> slots, Slot slot, const Node* variable, Node* gradient)
{
    for (std::size_t k = 0; k < goal.sources.size(); ++k)
    {
        if (slots[k] == slot || (variable != nullptr && variable == goal.sources[k]))
        {
            retain(gradient);
            Pull::accumulate(goal.results[k], full(gradient, goal.sources[k]->shape));
        }
    }
}

// The arrays of a long tape have left the first caches when their turn comes.
constexpr Slot long_tape = 100;

void prefetch_arrays(Record& record)
{
    for (const RecordedOperand& operand : record.operands())
    {
        if (operand.kept && operand.node->buffer != nullptr)
        {
            __builtin_prefetch(operand.node->data);
            __builtin_prefetch(static_cast<const char*>(operand.node->data) + 64);
            __builtin_prefetch(static_cast<const char*>(operand.node->data) + 128);
        }
    }
}

}

void run_backward(Pass& pass, std::span<Seed> seeds, const Wanted& goal)
{
    Arena& arena = pass.arena;
    const TapeState& tape = pass.tape;
    Slot target = seeds.front().target;
    for (const Seed& seed : seeds.subspan(1))
    {
        target = std::max(target, seed.target);
    }
    Slot begin = tape.begin;
    std::vector<Slot> slots;
    for (Node* source : goal.sources)
    {
        slots.push_back(source->is_variable ? no_slot : arena.slot_of(*source));
        begin = std::min(begin, slots.back());
    }
    pass.gradients.assign(target - begin + 1, nullptr);
    if (!goal.everything())
    {
        mark_wanted(pass, begin, target, slots, goal.sources);
    }
    for (Seed& seed : seeds)
    {
        Pull::accumulate(pass.gradients[seed.target - begin], seed.gradient.disown());
    }
    Node** const gradients = pass.gradients.data();
    const std::uint8_t* const wanted = goal.everything() ? nullptr : pass.wanted.data();
    const Slot prefetched = target - begin > long_tape ? begin + 2 : no_slot;
    for (Slot slot = target + 1; slot-- > begin;)
    {
        if (slot >= prefetched)
        {
            prefetch_arrays(arena[slot - 2]);
        }
        Record& record = arena[slot];
        Node* gradient = std::exchange(gradients[slot - begin], nullptr);
        if (gradient == nullptr)
        {
            if (pass.forgets())
            {
                Arena::forget_values(record);
            }
            continue;
        }
        const bool leaf = record.operation == &leaf_operation;
        if (leaf)
        {
            auto* const variable = static_cast<VariableNode*>(variable_of(tape, record, slot));
            if (variable != nullptr && variable->hooks != nullptr) [[unlikely]]
            {
                gradient = through_hooks(variable, gradient);
            }
            if (goal.everything() && variable != nullptr)
            {
                accumulate_gradient(variable, full(gradient, variable->shape));
                continue;
            }
        }
        if (wanted != nullptr && wanted[slot - begin] == is_source)
        {
            give_sources(goal, slots, slot, variable_of(tape, record, slot), gradient);
        }
        if (leaf || slot < tape.begin || tape.skips(slot))
        {
            release(gradient);
            continue;
        }
        arena.pullback_location = record.location;
        Pull pull(record, gradient, begin, gradients, wanted);
        if (arena.observer != nullptr) [[unlikely]]
        {
            pull_observed(arena, record, pull);
        }
        else
        {
            record.operation->pull(pull);
        }
        if (pass.forgets())
        {
            Arena::forget_values(record);
        }
    }
    pass.gradients.clear();
}

void accumulate_gradient(VariableNode* variable, Node* gradient)
{
    Tracer* const tracer = Arena::current().tracer;
    if (tracer == nullptr) [[likely]]
    {
        Pull::accumulate(variable->gradient, gradient);
        return;
    }
    // Values are told apart by their nodes: what several variables are given is not the sum that one of them has.
    const Held given = adopt(gradient);
    {
        const Unseen unseen;
        Pull::accumulate(variable->gradient, new_view(gradient, gradient->shape));
    }
    tracer->accumulated(variable, gradient);
}

Node* Pull::full_output_gradient()
{
    output_gradient_ = full(std::exchange(output_gradient_, nullptr), record_.output->shape);
    return output_gradient_;
}

namespace
{

template <class T>
void accumulate_typed(Node*& sum, Node* gradient)
{
    Tensor<T> a = Tensor<T>::adopt(std::exchange(sum, nullptr));
    Tensor<T> b = Tensor<T>::adopt(gradient);
    if (!Arena::current().attentive() && a.shape() == b.shape())
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

Node* Pull::sum(std::size_t k)
{
    Node*& sum = gradients_[record_.first_operand[k].slot - begin_];
    sum = full_of_its_own(std::exchange(sum, nullptr), operand(k)->shape);
    return sum;
}

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
