#include <autograd/observer.hpp>
#include <autograd/primitive.hpp>

#include <algorithm>

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

[[gnu::noinline]] void notify_observers_of_output(Observer* observer, const Operation& operation, const Node* output,
                                                  std::span<const ResolvedOperand> operands, Location location)
{
    for (; observer != nullptr; observer = observer->outer())
    {
        observer->executed(operation, output, operands, location);
    }
}

}

void record(Arena& arena, const Operation& operation, Node* output, std::span<const ResolvedOperand> operands,
            Attributes* (*copy_attributes)(const void*), const void* op, Location location)
{
    if (arena.observer != nullptr) [[unlikely]]
    {
        notify_observers_of_output(arena.observer, operation, output, operands,
                                   arena.pullback_location.line != 0 ? arena.pullback_location : location);
    }
    Reads reads;
    bool tracked = false;
    for (std::size_t k = 0; k < operands.size(); ++k)
    {
        if (operands[k].slot != no_slot)
        {
            tracked = true;
            const Reads& more = operation.reads[std::min(k, operation.reads.size() - 1)];
            reads.output |= more.output;
            reads.operand_bits |= more.operand_bits;
        }
    }
    if (!tracked)
    {
        return;
    }
    Attributes* attributes = copy_attributes(op);
    Record& record = arena.append(operation, output, operands.size(), location);
    record.attributes = attributes;
    if (reads.output && arena.keeps_values())
    {
        retain(output);
        record.output_kept = true;
    }
    std::span<RecordedOperand> recorded = record.operands();
    for (std::size_t k = 0; k < operands.size(); ++k)
    {
        const auto [node, slot] = operands[k];
        const bool keep = reads.operand(k) && arena.keeps_values();
        if (keep)
        {
            retain(node);
        }
        recorded[k] = {keep || slot != no_slot ? node : nullptr, slot, keep};
    }
}

}
