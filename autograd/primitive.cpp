#include <autograd/observer.hpp>
#include <autograd/primitive.hpp>

#include <algorithm>
#include <memory>

namespace autograd::detail
{

void notify_observers_of_begin(Observer* observer)
{
    for (; observer != nullptr; observer = observer->outer())
    {
        observer->begin();
    }
}

namespace
{

void trace_value(Tracer& tracer, const Operation& operation, Node* output, std::span<const ResolvedOperand> operands,
                 Attributes* (*copy_attributes)(const void*), const void* op, Location location)
{
    Node* few[4];
    std::vector<Node*> many(operands.size() > std::size(few) ? operands.size() : 0);
    const std::span<Node*> inputs(many.empty() ? few : many.data(), operands.size());
    std::transform(operands.begin(), operands.end(), inputs.begin(),
                   [](const ResolvedOperand& operand) { return operand.node; });
    tracer.executed({Step::Kind::value, operation, 0, inputs, output, op, copy_attributes, location});
}

/// Tells the tracer and the observers what an operation gave.
[[gnu::noinline]] void tell(const Arena& arena, const Operation& operation, Node* output,
                            std::span<const ResolvedOperand> operands, Attributes* (*copy_attributes)(const void*),
                            const void* op, Location location)
{
    const Location line = arena.pullback_location.line != 0 ? arena.pullback_location : location;
    // Others, such as custom_gradient, only give a value that has been computed another derivative.
    if (arena.tracer != nullptr && operation.execute != nullptr)
    {
        trace_value(*arena.tracer, operation, output, operands, copy_attributes, op, line);
    }
    for (Observer* observer = arena.observer; observer != nullptr; observer = observer->outer())
    {
        observer->executed(operation, output, operands, line);
    }
}

/// What the pullback of a record is given: dy, y and the operands.
std::vector<Node*> inputs_of(Pull& p)
{
    std::vector<Node*> inputs{p.output_gradient(), p.output()};
    for (const RecordedOperand& operand : p.record().operands())
    {
        inputs.push_back(operand.node);
    }
    return inputs;
}

/// What the pullbacks of those operands read that are on the tape; false if none is.
template <std::size_t N>
bool read_by_pullbacks(const Operation& operation, std::span<const ResolvedOperand, N> operands, Reads& reads)
{
    bool tracked = false;
    const std::span<const Reads> declared = operation.reads;
    for (std::size_t k = 0; k < operands.size(); ++k)
    {
        if (operands[k].slot != no_slot)
        {
            tracked = true;
            const Reads& more = declared[std::min(k, declared.size() - 1)];
            reads.output |= more.output;
            reads.operand_bits |= more.operand_bits;
        }
    }
    return tracked;
}

template <std::size_t N>
void append_record(Arena& arena, const Operation& operation, Node* output, std::span<const ResolvedOperand, N> operands,
                   Attributes* (*copy_attributes)(const void*), const void* op, Location location)
{
    Reads reads;
    if (!read_by_pullbacks(operation, operands, reads))
    {
        return;
    }
    Attributes* attributes = copy_attributes(op);
    Record& record = arena.append(operation, output, operands.size(), location);
    record.attributes = attributes;
    if (!arena.keeps_values())
    {
        reads = {};
    }
    record.keeps = reads.output || reads.operand_bits != 0;
    record.output_kept = reads.output;
    if (reads.output)
    {
        retain(output);
    }
    RecordedOperand* recorded = record.first_operand;
    std::uint32_t bits = reads.operand_bits;
    for (const ResolvedOperand& operand : operands)
    {
        const bool keep = (bits & 1) != 0;
        bits >>= 1;
        if (keep)
        {
            retain(operand.node);
        }
        *recorded++ = {keep || operand.slot != no_slot ? operand.node : nullptr, operand.slot, keep};
    }
}

}

void pull_as_step(Pull& p, std::size_t k, const std::function<Node*()>& pullback)
{
    if (Arena::current().recording())
    {
        p.give(k, pullback());
        return;
    }
    const std::vector<Node*> inputs = inputs_of(p);
    Node* gradient = nullptr;
    {
        const Unseen unseen;
        gradient = pullback();
    }
    trace_pullback(p.record(), k, inputs, gradient);
    p.give(k, gradient);
}

void add_as_step(Pull& p, std::size_t k, const std::function<void()>& add)
{
    // Its value may go when another takes its place; the tracer still looks at the node.
    const auto forget = [](Node* node) { release_holder(node); };
    const std::unique_ptr<Node, decltype(forget)> sum(p.sum_so_far(k), forget);
    sum->holders.retain();
    std::vector<Node*> inputs = inputs_of(p);
    inputs.insert(inputs.begin(), sum.get());
    {
        const Unseen unseen;
        add();
    }
    const Record& record = p.record();
    Arena::current().tracer->executed(
        {Step::Kind::sum, *record.operation, k, inputs, p.sum_so_far(k), record.attributes, nullptr, record.location});
}

void record(Arena& arena, const Operation& operation, Node* output, std::span<const ResolvedOperand> operands,
            Attributes* (*copy_attributes)(const void*), const void* op, Location location)
{
    if (arena.tracer != nullptr || arena.observer != nullptr) [[unlikely]]
    {
        tell(arena, operation, output, operands, copy_attributes, op, location);
    }
    // Two operands, as most have, without a loop.
    if (operands.size() == 2)
    {
        append_record(arena, operation, output, operands.first<2>(), copy_attributes, op, location);
    }
    else
    {
        append_record(arena, operation, output, operands, copy_attributes, op, location);
    }
}

}
