#include <autograd/drawing.hpp>
#include <autograd/plan/recording.hpp>
#include <autograd/tensor.hpp>

#include <algorithm>
#include <cstring>

namespace autograd::detail
{

namespace
{

using Origin = RecordedValue::Origin;
using Kind = Instruction::Kind;

bool same_constant(const Held& a, const Held& b)
{
    return std::memcmp(a->data, b->data, a->elements * size_of(a->dtype)) == 0;
}

bool same_value(const RecordedValue& a, const RecordedValue& b)
{
    return a.origin == b.origin && a.dtype == b.dtype && a.shape == b.shape &&
           (a.origin != Origin::constant || a.live || same_constant(a.constant, b.constant));
}

constinit thread_local NodeIds* innermost = nullptr;

}

NodeIds::NodeIds()
    : outer_(std::exchange(innermost, this)),
      first_(outer_ != nullptr ? outer_->end() : (Arena::current().id() << 20) + 1)
{
}

NodeIds::~NodeIds()
{
    innermost = outer_;
}

Recorder::Recorder(std::span<Node* const> arguments, bool freezes, Location location)
    : freezes_(freezes), location_(location)
{
    for (Node* const argument : arguments)
    {
        know(argument, new_value(Origin::argument, argument));
    }
}

void Recorder::expect(const Recording& like)
{
    recording_.values.reserve(like.values.size());
    recording_.instructions.reserve(like.instructions.size());
    ids_.reserve(like.values.size());
}

ValueId Recorder::new_value(Origin origin, Node* node)
{
    const PoolVector<RecordedValue>& all = recording_.values;
    const Shape& shape = !all.empty() && all.back().shape == node->shape ? all.back().shape
                                                                         : *recording_.shapes.insert(node->shape).first;
    recording_.values.push_back({shape, node->dtype, origin});
    return static_cast<ValueId>(recording_.values.size() - 1);
}

Instruction& Recorder::add(Kind kind, Location location, std::span<ValueId> inputs)
{
    Instruction& instruction = recording_.instructions.emplace_back();
    instruction.kind = kind;
    instruction.location = location;
    instruction.inputs = inputs;
    return instruction;
}

Instruction& Recorder::add(Kind kind, Instruction::Effect effect, Location location, std::span<ValueId> inputs)
{
    Instruction& instruction = add(kind, location, inputs);
    instruction.effect = std::make_unique<Instruction::Effect>(std::move(effect));
    return instruction;
}

ValueId Recorder::load(Node* variable, Location location)
{
    if (const auto known = loaded_.find(variable); known != loaded_.end())
    {
        return known->second;
    }
    Instruction& instruction = add(Kind::load, {.name = "variable", .variable = hold(variable)}, location);
    instruction.output = new_value(Origin::computed, variable);
    loaded_.emplace(variable, instruction.output);
    return instruction.output;
}

ValueId Recorder::id_from_outside(Node* node, const char* reader, Location location)
{
    if (node->is_variable)
    {
        return load(node, location);
    }
    if (node->shape.rank() != 0)
    {
        meet(node, reader, location);
    }
    const ValueId id = new_value(Origin::constant, node);
    recording_.values.back().constant = hold(node);
    met_.emplace(node, id);
    return id;
}

void Recorder::meet(Node* array, const char* reader, Location location)
{
    throw CompileError("compile",
                       std::string(reader) + " reads an array, " + type_and_shape(array->dtype, array->shape) +
                           ", that is no argument, no variable and nothing computed from them, so that it would be "
                           "frozen",
                       location.line != 0 ? location : location_,
                       "Make it an argument, or say that it never changes: autograd::constant(array).");
}

void Recorder::allocate_ids(std::size_t count)
{
    count = std::max<std::size_t>(count, 512);
    void* const memory = recording_.memory->allocate(count * sizeof(ValueId), alignof(ValueId));
    free_ids_ = {static_cast<ValueId*>(memory), count};
}

std::span<ValueId> Recorder::ids_of(std::span<Node* const> nodes, const char* reader, Location location)
{
    const std::span<ValueId> ids = new_ids(nodes.size());
    std::transform(nodes.begin(), nodes.end(), ids.begin(),
                   [&](Node* node) { return node != nullptr ? id_of(node, reader, location) : no_value; });
    return ids;
}

void Recorder::executed(const Step& step)
{
    static constexpr Kind kinds[] = {Kind::value, Kind::pullback, Kind::sum};
    Instruction& instruction =
        add(kinds[static_cast<int>(step.kind)], step.location, ids_of(step.inputs, step.operation.name, step.location));
    instruction.operation = &step.operation;
    instruction.operand = static_cast<std::uint32_t>(step.operand);
    if (step.copy_attributes != nullptr)
    {
        instruction.attributes.reset(step.copy_attributes(step.attributes));
    }
    else if (step.attributes != nullptr)
    {
        instruction.attributes.reset(static_cast<const Attributes*>(step.attributes)->clone());
    }
    instruction.output = new_value(Origin::computed, step.output);
    know(step.output, instruction.output);
}

void Recorder::viewed(Node* node, Node* view)
{
    if (node->is_variable)
    {
        know(view, load(node, {}));
    }
    else if (const ValueId id = known(node); id != no_value)
    {
        know(view, id);
    }
}

void Recorder::left(Node* node, const char* how, Location location)
{
    const ValueId id = known(node);
    const bool changes =
        node->is_variable || (id != no_value && recording_.values[index(id)].origin != Origin::constant);
    if (changes && !freezes_)
    {
        throw CompileError(
            "compile",
            std::string(how) + " reads elements where the recording does not see it, which would freeze what it finds",
            location.line != 0 ? location : location_,
            "Return the tensor and read it outside, or compile with {.freeze = true} if it never changes.");
    }
}

void Recorder::drawn(Node* array, std::function<Node*()> draw, const void* generator, Location location)
{
    generators_.push_back(generator);
    Instruction& instruction = add(Kind::draw, {.name = "random", .draw = std::move(draw)}, location);
    instruction.output = new_value(Origin::computed, array);
    know(array, instruction.output);
}

void Recorder::ended(const void* generator)
{
    if (std::find(generators_.begin(), generators_.end(), generator) != generators_.end())
    {
        refused("numbers are drawn from a generator that lives in the function itself, and starts anew each time", {});
    }
}

void Recorder::constant(Node* array, bool live)
{
    const ValueId id = new_value(Origin::constant, array);
    recording_.values.back().constant = hold(array);
    recording_.values.back().live = live;
    if (live)
    {
        unwritten_.push_back(id);
    }
    know(array, id);
}

void Recorder::derived(std::span<Node* const> nodes, std::function<void(std::span<Node* const>)> action,
                       const char* name, Location location)
{
    const std::span<ValueId> inputs = ids_of(nodes, name, location);
    add(Kind::derive, {.name = name, .derive = std::move(action), .writes = std::exchange(unwritten_, {})}, location,
        inputs);
}

void Recorder::accumulated(VariableNode* variable, Node* gradient)
{
    Instruction& instruction = add(Kind::accumulate, {.name = "accumulate", .variable = hold(variable)}, {},
                                   ids_of({&gradient, 1}, "backward", {}));
    instruction.output = new_value(Origin::computed, variable->gradient);
    know(variable->gradient, instruction.output);
}

void Recorder::replaced(VariableNode* variable, Node* gradient)
{
    const std::size_t count = gradient != nullptr ? 1 : 0;
    const char* const name = gradient != nullptr ? "set_grad" : "zero_grad";
    add(Kind::replace, {.name = name, .variable = hold(variable)}, {}, ids_of({&gradient, count}, name, {}));
}

void Recorder::assigned(Node* variable, Node* value)
{
    const std::span<ValueId> inputs = ids_of({&value, 1}, "assign", {});
    add(Kind::assign, {.name = "assign", .variable = hold(variable)}, {}, inputs);
    loaded_.insert_or_assign(variable, inputs[0]);
}

void Recorder::changed(Node* variable, Node* change, int sign)
{
    const char* const name = sign > 0 ? "assign_add" : "assign_sub";
    add(Kind::change, {.name = name, .variable = hold(variable), .sign = sign}, {}, ids_of({&change, 1}, name, {}));
    loaded_.erase(variable);
}

void Recorder::acted(std::function<void()> action, const char* name, Location location,
                     std::optional<std::span<Node* const>> touched)
{
    const Instruction& instruction = add(Kind::act, {.name = name, .act = std::move(action)}, location);
    if (!touched)
    {
        loaded_.clear();
        return;
    }
    instruction.effect->touched.emplace(touched->begin(), touched->end());
    for (Node* const variable : *touched)
    {
        loaded_.erase(variable);
    }
}

void Recorder::updated(Node* variable, std::function<void()> action, const char* name, Location location)
{
    add(Kind::update, {.name = name, .variable = hold(variable), .act = std::move(action)}, location);
    loaded_.erase(variable);
}

void Recorder::assumed(std::function<bool()> condition)
{
    recording_.conditions.push_back(std::move(condition));
}

void Recorder::refused(const char* what, Location location)
{
    if (!refused_ && !freezes_)
    {
        refused_ = what;
        location_ = location.line != 0 ? location : location_;
    }
}

Recording Recorder::finish(std::span<Node* const> nodes)
{
    if (refused_)
    {
        throw CompileError("compile", *refused_ + ", which would be frozen", location_);
    }
    const std::span<ValueId> results = ids_of(nodes, "the result", location_);
    recording_.results.assign(results.begin(), results.end());
    return std::move(recording_);
}

bool is_pure(const Instruction& instruction)
{
    return instruction.kind == Kind::value || instruction.kind == Kind::pullback || instruction.kind == Kind::sum;
}

bool pullback_reads(const Instruction& instruction, std::size_t i)
{
    const std::size_t first = instruction.kind == Kind::sum ? 1 : 0;
    if (i <= first)
    {
        return true;
    }
    const auto& all = instruction.operation->reads;
    if (all.empty())
    {
        return false;
    }
    const Reads& needed = all[std::min<std::size_t>(instruction.operand, all.size() - 1)];
    return i == first + 1 ? needed.output : needed.operand(i - first - 2);
}

void remove_unused(Recording& recording)
{
    Flags used(recording.values.size());
    for (const ValueId result : recording.results)
    {
        used[index(result)] = true;
    }
    PoolVector<Instruction>& all = recording.instructions;
    Flags needed(all.size());
    for (std::size_t k = all.size(); k-- > 0;)
    {
        const Instruction& instruction = all[k];
        needed[k] =
            !(is_pure(instruction) || instruction.kind == Kind::load) ||
            (used[index(instruction.output)] && recording.values[index(instruction.output)].origin == Origin::computed);
        for (std::size_t i = 0; needed[k] && i < instruction.inputs.size(); ++i)
        {
            if (instruction.inputs[i] != no_value && reads(instruction, i))
            {
                used[index(instruction.inputs[i])] = true;
            }
        }
    }
    std::size_t k = 0;
    std::erase_if(all, [&](const Instruction&) { return !needed[k++]; });
}

std::optional<Difference> difference(const Recording& recording, const Recording& before)
{
    const bool same_values = std::ranges::equal(recording.values, before.values, same_value);
    for (std::size_t k = 0; k < std::min(recording.instructions.size(), before.instructions.size()); ++k)
    {
        const Instruction& mine = recording.instructions[k];
        const Instruction& theirs = before.instructions[k];
        if (mine.kind != theirs.kind || mine.operation != theirs.operation || mine.operand != theirs.operand ||
            (mine.operation == nullptr &&
             (mine.variable() != theirs.variable() || std::strcmp(mine.name(), theirs.name()) != 0)))
        {
            return Difference{std::string("where ") + theirs.name() + " was computed first, " + mine.name() +
                                  " was computed next",
                              mine.location};
        }
        if (mine.attributes != nullptr && !mine.attributes->equals(*theirs.attributes))
        {
            return Difference{std::string("an attribute of ") + mine.name() +
                                  " (an axis, a position, a shape, a label) "
                                  "was another one",
                              mine.location};
        }
        if (mine.inputs.size() != theirs.inputs.size())
        {
            return Difference{std::string("operands of ") + mine.name() + " differ", mine.location};
        }
        for (std::size_t i = 0; i < mine.inputs.size(); ++i)
        {
            const ValueId input = mine.inputs[i];
            const ValueId other = theirs.inputs[i];
            if (same_values && input == other)
            {
                continue;
            }
            if ((input == no_value) != (other == no_value))
            {
                return Difference{std::string("operands of ") + mine.name() + " differ", mine.location};
            }
            if (input == no_value)
            {
                continue;
            }
            const RecordedValue& value = recording.values[index(input)];
            const RecordedValue& old = before.values[index(other)];
            if (value.origin != old.origin || value.shape != old.shape || value.dtype != old.dtype ||
                (value.origin != Origin::constant && input != other))
            {
                return Difference{std::string("operand ") + std::to_string(i + 1) + " of " + mine.name() +
                                      " was another value",
                                  mine.location};
            }
            if (value.origin == Origin::constant && !value.live && !same_constant(value.constant, old.constant))
            {
                return Difference{std::string("a number that ") + mine.name() + " reads had changed", mine.location};
            }
        }
    }
    if (recording.instructions.size() != before.instructions.size() || recording.results != before.results)
    {
        return Difference{"it took " + std::to_string(before.instructions.size()) + " steps first and " +
                              std::to_string(recording.instructions.size()) + " next",
                          {}};
    }
    for (const ValueId result : recording.results)
    {
        const RecordedValue& value = recording.values[index(result)];
        if (value.origin == Origin::constant && !value.live &&
            !same_constant(value.constant, before.values[index(result)].constant))
        {
            return Difference{"a number that it returns had changed", {}};
        }
    }
    return {};
}

}
