#include <autograd/derive.hpp>
#include <autograd/drawing.hpp>
#include <autograd/pass.hpp>
#include <autograd/plan/plan.hpp>
#include <autograd/variable.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

namespace autograd::detail
{

namespace
{

using Kind = Instruction::Kind;
using Origin = RecordedValue::Origin;

Total total_of(const Instruction& instruction, std::span<const RecordedValue> values)
{
    if (instruction.kind != Kind::value || instruction.operation->elementwise)
    {
        return Total::none;
    }
    const Shape& shape = values[index(instruction.inputs[0])].shape;
    return shape.rank() != 0 && shape.elements() != 0
               ? total_of(*instruction.operation, instruction.attributes.get(), shape)
               : Total::none;
}

/// Whether the attributes are, and will always be, the same.
bool same_attributes(const Instruction& a, const Instruction& b)
{
    take_live_comparison();
    const bool equal = a.attributes == nullptr || a.attributes->equals(*b.attributes);
    return equal && !take_live_comparison();
}

/// Whether both give the same, products apart.
bool same_step(const Instruction& a, const Instruction& b)
{
    return a.kind == b.kind && a.operation == b.operation && a.operand == b.operand &&
           std::ranges::equal(a.inputs, b.inputs) && same_attributes(a, b);
}

/// What it computes if that is simple, for all elements alike.
Simple simple_step(const Instruction& instruction, std::span<const RecordedValue> values)
{
    const bool elementwise =
        (instruction.kind == Kind::value || instruction.kind == Kind::pullback) && instruction.operation->elementwise;
    const Simple simple = elementwise ? simple_of(instruction, values[index(instruction.output)].dtype) : Simple{};
    return simple.a != no_value && simple.b != no_value ? simple : Simple{};
}

/// Whether both are the product of the same, values and gradients alike: x x has two, both dy x.
bool same_product(const Instruction& a, const Instruction& b, std::span<const RecordedValue> values)
{
    const Simple first = simple_step(a, values);
    const Simple second = simple_step(b, values);
    return first.form == formula::Form::product && second.form == formula::Form::product &&
           std::minmax(first.a, first.b) == std::minmax(second.a, second.b) &&
           values[index(a.output)].shape == values[index(b.output)].shape;
}

bool is_one(const RecordedValue& value)
{
    return value.origin == Origin::constant && !value.live && value.shape.elements() == 1 &&
           (value.dtype == DType::float32 ? *value.constant->as<float>() == 1 : *value.constant->as<double>() == 1);
}

/// The input that it gives on as it is, since it only does that or multiplies by one of `ones`; else `no_value`.
ValueId given_on(const Simple& simple, ValueId output, std::span<const RecordedValue> values, const Flags& ones)
{
    const auto may_be = [&](ValueId input)
    { return !values[index(input)].live && values[index(input)].shape == values[index(output)].shape; };
    const bool argument = simple.form == formula::Form::argument;
    const bool product = simple.form == formula::Form::product;
    if ((argument || (product && ones[index(simple.b)])) && may_be(simple.a))
    {
        return simple.a;
    }
    return product && ones[index(simple.a)] && may_be(simple.b) ? simple.b : no_value;
}

/// Whether it concerns one variable only, and is done as early as it may be.
bool may_hasten(const Instruction& instruction)
{
    return instruction.kind == Kind::update || (instruction.kind == Kind::replace && instruction.inputs.empty());
}

/// Whether it has effects that are not known; or may refuse integers, so that nothing is to be done that comes after.
bool may_touch_anything(const Instruction& instruction)
{
    return instruction.kind == Kind::derive || (instruction.kind == Kind::act && !instruction.effect->touched);
}

/// A step of a plan: one instruction, or those of a loop or list.
struct Place
{
    PoolVector<const Instruction*> instructions;
    bool loop = false;
    DType dtype = DType::float32;
    const Shape* shape = nullptr;
    Divisions divisions = {};
};

/// The instructions of a recording in the order of a plan.
class Arrangement
{
public:
    explicit Arrangement(const Recording& recording)
        : recording_(recording), made_(recording.values.size(), before_all), escapes_(recording.values.size())
    {
        // Variables are read before anything changes them, so that later operations may join an early loop.
        const std::span<const Instruction> all(recording.instructions);
        const auto change = std::find_if(all.begin(), all.end(),
                                         [](const Instruction& instruction)
                                         { return !is_pure(instruction) && instruction.kind != Kind::load; });
        const auto unchanged = all.first(static_cast<std::size_t>(change - all.begin()));
        const auto is_load = [](const Instruction& instruction) { return instruction.kind == Kind::load; };
        for (const Instruction& instruction : unchanged)
        {
            if (is_load(instruction))
            {
                add(instruction);
            }
        }
        for (const Instruction& instruction : unchanged)
        {
            if (!is_load(instruction))
            {
                add(instruction);
            }
        }
        for (const Instruction& instruction : all.subspan(unchanged.size()))
        {
            add(instruction);
        }
        find_escapes();
        hastens_ = std::ranges::any_of(all, may_hasten);
        if (hastens_)
        {
            hasten();
        }
    }

    std::vector<Place>& places() noexcept { return places_; }
    /// Of each value, whether somebody outside of the step that makes it needs it as an array.
    const Flags& escapes() const noexcept { return escapes_; }
    /// Whether there are effects that may be done earlier than they were recorded.
    bool hastens() const noexcept { return hastens_; }

private:
    /// When a value is there: at step k at 2 k, for the loop itself, or after it at 2 k + 1; before all steps, if it is an
    /// argument or constant.
    using Moment = std::ptrdiff_t;
    static constexpr Moment before_all = -1;

    void add(const Instruction& instruction)
    {
        if (const std::size_t unit = unit_of(instruction, recording_.values); unit != 0)
        {
            join_loop(instruction, unit);
        }
        else if (!end_loop(instruction))
        {
            add_alone(instruction);
        }
    }

    void add_alone(const Instruction& instruction)
    {
        const Moment after = 2 * static_cast<Moment>(places_.size()) + 1;
        if (instruction.output != no_value)
        {
            made_[index(instruction.output)] = after;
        }
        if (instruction.effect != nullptr)
        {
            for (const ValueId written : instruction.effect->writes)
            {
                made_[index(written)] = after;
            }
        }
        places_.push_back({.instructions = {&instruction}});
    }

    /// Whether it is a total of an array that a loop makes; the loop then takes it.
    bool end_loop(const Instruction& instruction)
    {
        const Total total = total_of(instruction, recording_.values);
        const Moment summand = total != Total::none ? made_[index(instruction.inputs[0])] : before_all;
        if (summand < 0 || summand % 2 != 0)
        {
            return false;
        }
        Place& loop = places_[static_cast<std::size_t>(summand / 2)];
        Divisions divisions = loop.divisions;
        divisions.add(total, recording_.values[index(instruction.output)].shape);
        if (!divisions.suit(*loop.shape, loop.dtype))
        {
            return false;
        }
        loop.divisions = divisions;
        loop.instructions.push_back(&instruction);
        made_[index(instruction.output)] = summand + 1;
        return true;
    }

    /// Puts it into the first loop of its shape that runs when its operands are there, or into a new one.
    void join_loop(const Instruction& instruction, std::size_t unit)
    {
        const RecordedValue& output = recording_.values[index(instruction.output)];
        std::vector<std::size_t>& loops = loops_[{&output.shape, output.dtype}];
        const auto earliest = static_cast<std::size_t>((ready(instruction) + 1) / 2);
        const auto takes = [&](std::size_t place)
        {
            Divisions divisions = places_[place].divisions;
            return !divisions.add(unit) || divisions.suit(output.shape, output.dtype);
        };
        auto loop = std::lower_bound(loops.begin(), loops.end(), earliest);
        loop = unit == 1 ? loop : std::find_if(loop, loops.end(), takes);
        if (loop == loops.end())
        {
            loop = loops.insert(loop, places_.size());
            places_.push_back({{}, true, output.dtype, &output.shape});
        }
        if (unit != 1)
        {
            places_[*loop].divisions.add(unit);
        }
        places_[*loop].instructions.push_back(&instruction);
        made_[index(instruction.output)] = 2 * static_cast<Moment>(*loop);
    }

    Moment ready(const Instruction& instruction) const
    {
        Moment last = before_all;
        for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
        {
            if (instruction.inputs[i] != no_value && reads(instruction, i))
            {
                last = std::max(last, made_[index(instruction.inputs[i])]);
            }
        }
        return last;
    }

    // A number in a list has a place that others read, but who takes an array needs one. What is added to a gradient is
    // read, and a list reads nothing but numbers.
    void find_escapes()
    {
        for (const ValueId result : recording_.results)
        {
            escapes_[index(result)] = true;
        }
        for (std::size_t k = 0; k < places_.size(); ++k)
        {
            const bool list = places_[k].loop && places_[k].shape->rank() == 0;
            if (list)
            {
                continue;
            }
            for (const Instruction* const instruction : places_[k].instructions)
            {
                for (std::size_t i = 0; i < instruction->inputs.size(); ++i)
                {
                    const ValueId input = instruction->inputs[i];
                    if (input == no_value || !reads(*instruction, i))
                    {
                        continue;
                    }
                    const Moment made = made_[index(input)];
                    const bool here = made == 2 * static_cast<Moment>(k) || made == 2 * static_cast<Moment>(k) + 1;
                    const bool reads_number = places_[k].loop || instruction->kind == Kind::accumulate;
                    if (!here && !(reads_number && recording_.values[index(input)].shape.rank() == 0))
                    {
                        escapes_[index(input)] = true;
                    }
                }
            }
        }
    }

    /// When each variable was touched last, by the number of the place; and where that is kept of the variable that a value
    /// may share its memory with.
    struct Touched
    {
        std::unordered_map<const Node*, std::ptrdiff_t> variables;
        PoolVector<std::ptrdiff_t*> values;
    };

    // Behind what reads the variable, too: as long as somebody holds what may share its memory, an update would copy it.
    void hasten()
    {
        std::ptrdiff_t anything = -1;
        Touched touched{{}, PoolVector<std::ptrdiff_t*>(recording_.values.size())};
        std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;
        for (std::size_t k = 0; k < places_.size(); ++k)
        {
            const Instruction& first = *places_[k].instructions[0];
            auto after = static_cast<std::ptrdiff_t>(k);
            if (may_hasten(first))
            {
                std::ptrdiff_t& last = touched.variables.try_emplace(first.variable(), anything).first->second;
                after = last = std::max(last, anything);
            }
            else
            {
                for (const Instruction* const instruction : places_[k].instructions)
                {
                    anything = may_touch_anything(*instruction) ? after : anything;
                    touch(*instruction, after, touched);
                }
            }
            order.emplace_back(after, k);
        }
        std::ranges::sort(order);
        std::vector<Place> sorted;
        sorted.reserve(places_.size());
        for (const auto& [after, k] : order)
        {
            sorted.push_back(std::move(places_[k]));
        }
        places_ = std::move(sorted);
    }

    /// Notes each variable that is read or changed, or that shares its memory with a value that is read.
    void touch(const Instruction& instruction, std::ptrdiff_t when, Touched& touched) const
    {
        const auto elements = [&](ValueId id) { return recording_.values[index(id)].shape.elements(); };
        for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
        {
            const ValueId input = instruction.inputs[i];
            std::ptrdiff_t* const last = input != no_value ? touched.values[index(input)] : nullptr;
            if (last != nullptr && reads(instruction, i))
            {
                *last = when;
                if (instruction.kind == Kind::value && !instruction.operation->elementwise &&
                    elements(instruction.output) == elements(input))
                {
                    std::ptrdiff_t*& output = touched.values[index(instruction.output)];
                    output = output != nullptr ? output : last;
                }
            }
        }
        if (const Node* const variable = instruction.variable())
        {
            std::ptrdiff_t& last = touched.variables[variable];
            last = when;
            if (instruction.kind == Kind::load || instruction.kind == Kind::assign)
            {
                touched.values[index(instruction.kind == Kind::load ? instruction.output : instruction.inputs[0])] =
                    &last;
            }
        }
        if (instruction.kind == Kind::act && instruction.effect->touched)
        {
            for (const Node* const variable : *instruction.effect->touched)
            {
                touched.variables[variable] = when;
            }
        }
    }

    const Recording& recording_;
    bool hastens_;
    std::vector<Place> places_;
    PoolVector<Moment> made_;
    Flags escapes_;
    std::map<std::pair<const Shape*, DType>, std::vector<std::size_t>> loops_;  ///< numbers of places, in order
};

}

Plan::Plan(Recording&& recording) : recording_(std::move(recording))
{
    fold_constants();
    remove_repetitions();
    remove_unused(recording_);
    fill_numbers();
    arrange();
    find_lifetimes();
}

Plan::~Plan()
{
    release_values();
}

void Plan::remove_repetitions()
{
    PoolVector<ValueId> same(recording_.values.size());
    Flags ones(same.size());
    std::unordered_multimap<std::size_t, ValueId> constants;
    for (std::size_t id = 0; id < same.size(); ++id)
    {
        same[id] = static_cast<ValueId>(id);
        const RecordedValue& value = recording_.values[id];
        ones[id] = is_one(value);
        if (value.origin != Origin::constant || value.live || value.shape.rank() != 0)
        {
            continue;
        }
        std::size_t bits = 0;
        std::memcpy(&bits, value.constant->data, size_of(value.dtype));
        const auto [first, last] = constants.equal_range(bits);
        const auto known = std::find_if(first, last,
                                        [&](const auto& entry)
                                        { return recording_.values[index(entry.second)].dtype == value.dtype; });
        known != last ? void(same[id] = known->second) : void(constants.emplace(bits, same[id]));
    }
    // Those of one hash are linked, from the last to the first. Attributes are not in it: slices of one array have all the
    // same, so that only some are compared.
    constexpr int most_compared = 64;
    struct Link
    {
        std::uint32_t hash;
        std::uint32_t number;
    };
    constexpr Link none{0, ~std::uint32_t{0}};
    PoolVector<Instruction>& all = recording_.instructions;
    PoolVector<Link> last(std::bit_ceil(all.size() + 1), none);
    PoolVector<Link> before(all.size());
    for (Instruction& instruction : all)
    {
        ValueId newest = 0;
        for (ValueId& input : instruction.inputs)
        {
            input = input == no_value ? no_value : same[index(input)];
            newest = std::max(newest, input);
        }
        if (!is_pure(instruction))
        {
            continue;
        }
        const Simple simple = simple_step(instruction, recording_.values);
        ValueId& output = same[index(instruction.output)];
        if (const ValueId input = given_on(simple, output, recording_.values, ones); input != no_value)
        {
            output = input;
            continue;
        }
        std::uint64_t hash = 0;
        const auto add = [&](std::uint64_t part) { hash = (hash ^ part) * 0x9E3779B97F4A7C15; };
        const bool product = simple.form == formula::Form::product;
        if (product)
        {
            add(static_cast<std::uint64_t>(std::min(simple.a, simple.b)));
            add(static_cast<std::uint64_t>(std::max(simple.a, simple.b)));
        }
        else
        {
            hash = std::hash<const void*>{}(instruction.operation) + instruction.operand;
            std::ranges::for_each(instruction.inputs,
                                  [&](ValueId input) { add(static_cast<std::uint64_t>(input + 1)); });
        }
        const auto is_same = [&](const Instruction& other)
        { return product ? same_product(instruction, other, recording_.values) : same_step(instruction, other); };
        const Link mine{static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(&instruction - all.data())};
        // Not far from where those of the steps before are, which are in a fast cache.
        Link& latest = last[(index(newest) + mine.hash % 1024) & (last.size() - 1)];
        Link known = latest;
        for (int compared = 1; known.number != none.number && (known.hash != mine.hash || !is_same(all[known.number]));
             ++compared)
        {
            known = compared < most_compared ? before[known.number] : none;
        }
        if (known.number != none.number)
        {
            output = all[known.number].output;
        }
        else
        {
            before[mine.number] = std::exchange(latest, mine);
        }
    }
    for (ValueId& result : recording_.results)
    {
        result = same[index(result)];
    }
}

// Gradients begin with a 1, and those of means and sums do not read elements.
void Plan::fold_constants()
{
    std::vector<Node*> operands;
    for (Instruction& instruction : recording_.instructions)
    {
        const bool callable = instruction.kind == Kind::value ||
                              (instruction.kind == Kind::pullback && !instruction.operation->elementwise);
        bool constant = callable;
        operands.clear();
        for (std::size_t i = 0; constant && i < instruction.inputs.size(); ++i)
        {
            const ValueId input = instruction.inputs[i];
            if (input == no_value)
            {
                operands.push_back(nullptr);
                continue;
            }
            const RecordedValue& value = recording_.values[index(input)];
            const bool read = reads(instruction, i);
            constant = !read || (value.origin == Origin::constant && !value.live);
            operands.push_back(read ? value.constant.get() : shape_of(input));
        }
        if (!constant || !same_attributes(instruction, instruction))
        {
            continue;
        }
        Node* const node =
            instruction.kind == Kind::value
                ? instruction.operation->execute(instruction.attributes.get(), operands, instruction.location)
                : instruction.operation->pull_one(instruction.attributes.get(), instruction.operand, operands);
        RecordedValue& output = recording_.values[index(instruction.output)];
        output.origin = Origin::constant;
        output.constant = adopt(node);
    }
}

Node* Plan::shape_of(ValueId id)
{
    const RecordedValue& value = recording_.values[index(id)];
    Held& shape = shapes_[{&value.shape, value.dtype}];
    if (shape == nullptr)
    {
        auto* const node = new Node;
        node->dtype = value.dtype;
        node->shape = value.shape;
        node->elements = value.shape.elements();
        shape = adopt(node);
    }
    return shape.get();
}

void Plan::fill_numbers()
{
    const std::size_t count = recording_.values.size();
    floats_.resize(count);
    doubles_.resize(count);
    values_.nodes.resize(count);
    values_.data.resize(count);
    for (std::size_t id = 0; id < count; ++id)
    {
        const RecordedValue& value = recording_.values[id];
        const bool is_float = value.dtype == DType::float32;
        if (value.origin == Origin::constant)
        {
            values_.nodes[id] = value.constant.get();
            values_.data[id] = value.constant->data;
            if (value.shape.rank() == 0)
            {
                is_float ? void(floats_[id] = *value.constant->as<float>())
                         : void(doubles_[id] = *value.constant->as<double>());
            }
        }
        else if (value.shape.rank() == 0)
        {
            values_.data[id] = number(static_cast<ValueId>(id));
        }
    }
}

void* Plan::number(ValueId id)
{
    return recording_.values[index(id)].dtype == DType::float32 ? static_cast<void*>(&floats_[index(id)])
                                                                : static_cast<void*>(&doubles_[index(id)]);
}

void Plan::arrange()
{
    Arrangement arrangement(recording_);
    const Flags& escapes = arrangement.escapes();
    if (!arrangement.hastens())
    {
        recording_.conditions.clear();
    }
    nodes_.resize(recording_.values.size());
    for (std::size_t id = 0; id < nodes_.size(); ++id)
    {
        nodes_[id] = recording_.values[id].origin == Origin::argument;
    }
    for (Place& place : arrangement.places())
    {
        const Instruction& first = *place.instructions[0];
        if (first.kind == Kind::load && recording_.values[index(first.output)].shape.rank() == 0 &&
            !escapes[index(first.output)])
        {
            if (steps_.empty() || steps_.back().numbers.empty())
            {
                steps_.emplace_back();
            }
            steps_.back().instructions.push_back(&first);
            steps_.back().numbers.emplace_back(first.variable(), number(first.output));
            continue;
        }
        Step& step = steps_.emplace_back();
        step.instructions = std::move(place.instructions);
        if (!place.loop)
        {
            if (first.output != no_value)
            {
                nodes_[index(first.output)] = true;
            }
            continue;
        }
        const bool is_float = place.dtype == DType::float32;
        if (place.shape->rank() == 0)
        {
            for (const Instruction* const instruction : step.instructions)
            {
                nodes_[index(instruction->output)] = escapes[index(instruction->output)];
            }
            step.program = is_float ? make_list<float>(step.instructions, escapes, recording_.values, floats_.data())
                                    : make_list<double>(step.instructions, escapes, recording_.values, doubles_.data());
            continue;
        }
        const auto next = static_cast<ValueId>(recording_.values.size());
        step.slopes =
            is_float ? find_slopes<float>(step.instructions, next) : find_slopes<double>(step.instructions, next);
        std::vector<ElementwiseStep> elementwise;
        elementwise.reserve(step.instructions.size());
        for (const Instruction* const instruction : step.instructions)
        {
            const bool needed = escapes[index(instruction->output)];
            const Total total = total_of(*instruction, recording_.values);
            elementwise.push_back({instruction, needed, total, step.slopes[elementwise.size()]});
            nodes_[index(instruction->output)] = needed || total != Total::none;
        }
        step.program = is_float ? make_loop<float>(*place.shape, place.divisions, elementwise, recording_.values)
                                : make_loop<double>(*place.shape, place.divisions, elementwise, recording_.values);
    }
}

void Plan::find_lifetimes()
{
    Flags alive(recording_.values.size());
    for (const ValueId result : recording_.results)
    {
        alive[index(result)] = true;
    }
    results_.resize(recording_.results.size());
    for (std::size_t k = results_.size(); k-- > 0;)
    {
        const ValueId id = recording_.results[k];
        const auto later = results_.begin() + static_cast<std::ptrdiff_t>(k) + 1;
        const bool last = std::none_of(later, results_.end(), [id](const Result& other) { return other.id == id; });
        results_[k] = {id, last && recording_.values[index(id)].origin != Origin::constant};
    }
    for (std::size_t k = steps_.size(); k-- > 0;)
    {
        Step& step = steps_[k];
        const auto dies = [&](ValueId id)
        {
            if (id != no_value && !alive[index(id)])
            {
                alive[index(id)] = true;
                if (nodes_[index(id)])
                {
                    step.dead.push_back(id);
                }
            }
        };
        for (const Instruction* const instruction : step.instructions)
        {
            for (std::size_t i = 0; i < instruction->inputs.size(); ++i)
            {
                if (instruction->inputs[i] != no_value && reads(*instruction, i))
                {
                    dies(instruction->inputs[i]);
                }
            }
        }
        for (const Instruction* const instruction : step.instructions)
        {
            step.gives_output = instruction->output != no_value && alive[index(instruction->output)];
            if (instruction->kind != Kind::accumulate || step.gives_output)
            {
                dies(instruction->output);
            }
        }
        if (step.program != nullptr)
        {
            step.program->reuse(step.dead, recording_.values);
            continue;
        }
        const Instruction& instruction = *step.instructions[0];
        // A sum may begin with dy itself, which the pullback still reads.
        if ((instruction.kind == Kind::accumulate || instruction.kind == Kind::sum) &&
            std::ranges::count(instruction.inputs, instruction.inputs[0]) == 1)
        {
            const auto taken = std::find(step.dead.begin(), step.dead.end(), instruction.inputs[0]);
            step.takes_input = taken != step.dead.end() && recording_.values[index(*taken)].origin == Origin::computed;
            if (step.takes_input)
            {
                step.dead.erase(taken);
            }
        }
        step.operands.resize(instruction.inputs.size());
        for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
        {
            const ValueId input = instruction.inputs[i];
            if (input != no_value && reads(instruction, i))
            {
                step.reads.emplace_back(i, input);
            }
            else if (input != no_value)
            {
                step.operands[i] = shape_of(input);
            }
        }
    }
    for (std::size_t id = 0; id < alive.size(); ++id)
    {
        if (!alive[id] && recording_.values[id].origin == Origin::argument)
        {
            unread_.push_back(static_cast<ValueId>(id));
        }
    }
}

void Plan::take(std::size_t k, Node* argument)
{
    const auto id = static_cast<ValueId>(k);
    release_value(id);
    retain(argument);
    values_.set(id, argument);
}

void Plan::run(std::span<Node*> results)
{
    try
    {
        for (Step& step : steps_)
        {
            if (timed) [[unlikely]]
            {
                const auto start = std::chrono::steady_clock::now();
                execute(step);
                step.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            }
            else
            {
                execute(step);
            }
            for (const ValueId id : step.dead)
            {
                release_value(id);
            }
        }
    }
    catch (...)
    {
        release_values();
        throw;
    }
    timed_runs += timed;
    for (std::size_t k = 0; k < results.size(); ++k)
    {
        Node*& node = values_.nodes[index(results_[k].id)];
        results[k] = node;
        results_[k].leaves ? void(node = nullptr) : retain(node);
    }
    for (const ValueId id : unread_)
    {
        release_value(id);
    }
}

void Plan::release_value(ValueId id) noexcept
{
    if (Node* const node = std::exchange(values_.nodes[index(id)], nullptr))
    {
        release(node);
    }
}

void Plan::release_values() noexcept
{
    for (std::size_t id = 0; id < values_.nodes.size(); ++id)
    {
        if (recording_.values[id].origin != Origin::constant)
        {
            release_value(static_cast<ValueId>(id));
        }
    }
}

namespace
{

void load_number(const Node& variable, void* to)
{
    variable.dtype == DType::float32 ? void(*static_cast<float*>(to) = *variable.as<float>())
                                     : void(*static_cast<double*>(to) = *variable.as<double>());
}

template <class T>
void accumulate_number(Node*& sum, T number, Held& last)
{
    if (sum != nullptr)
    {
        // So that it may be added to in its place. Not `= {}`, which clang 14 lets leak in a template.
        last.reset();
        Pull::accumulate(sum, new_scalar(number));
        return;
    }
    sum = renew(last, number);
}

/// Adds a number of a list to a gradient.
void accumulate_number(Node*& sum, const void* number, DType dtype, Held& last)
{
    dtype == DType::float32 ? accumulate_number(sum, *static_cast<const float*>(number), last)
                            : accumulate_number(sum, *static_cast<const double*>(number), last);
}

}

// Nothing but calls at its end: what a step needs on the stack is its own.
void Plan::execute(Step& step)
{
    if (step.program != nullptr)
    {
        return step.program->run(values_);
    }
    const Instruction& instruction = *step.instructions[0];
    switch (instruction.kind)
    {
    case Kind::load:
        return execute_load(step, instruction);
    case Kind::accumulate:
        return execute_accumulate(step, instruction);
    case Kind::update:
    case Kind::act:
        return instruction.effect->act();
    default:
        return execute_operation(step, instruction);
    }
}

void Plan::execute_load(const Step& step, const Instruction& instruction)
{
    if (step.numbers.empty())
    {
        Node* const variable = instruction.effect->variable.get();
        values_.set(instruction.output, new_view(variable, variable->shape));
    }
    for (const auto& [variable, place] : step.numbers)
    {
        load_number(*variable, place);
    }
}

void Plan::execute_accumulate(Step& step, const Instruction& instruction)
{
    auto* const variable = static_cast<VariableNode*>(instruction.effect->variable.get());
    Node*& sum = variable->gradient;
    Node*& given = values_.nodes[index(instruction.inputs[0])];
    if (given == nullptr)
    {
        accumulate_number(sum, values_.data[index(instruction.inputs[0])], variable->dtype, step.last);
    }
    else if (step.takes_input)
    {
        Pull::accumulate(sum, std::exchange(given, nullptr));
    }
    else
    {
        retain(given);
        Pull::accumulate(sum, given);
    }
    if (step.gives_output)
    {
        retain(sum);
        values_.set(instruction.output, sum);
    }
}

void Plan::execute_operation(Step& step, const Instruction& instruction)
{
    for (const auto& [i, input] : step.reads)
    {
        step.operands[i] = values_.node(input);
    }
    const std::span<Node* const> operands(step.operands);
    const auto variable = [&] { return instruction.effect->variable.get(); };
    const auto give = [&](Node* node) { values_.set(instruction.output, node); };
    switch (instruction.kind)
    {
    case Kind::value:
        give(instruction.operation->execute(instruction.attributes.get(), operands, instruction.location));
        break;
    case Kind::pullback:
        give(instruction.operation->pull_one(instruction.attributes.get(), instruction.operand, operands));
        break;
    case Kind::sum:
        execute_sum(step, instruction);
        break;
    case Kind::draw:
        give(instruction.effect->draw());
        break;
    case Kind::derive:
        instruction.effect->derive(operands);
        break;
    case Kind::replace:
        if (!operands.empty())
        {
            retain(operands[0]);
        }
        replace_gradient(variable(), operands.empty() ? nullptr : operands[0]);
        break;
    case Kind::assign:
        assign(variable(), operands[0], instruction.location);
        break;
    case Kind::change:
        assign_add(variable(), operands[0], instruction.effect->sign, instruction.location);
        break;
    case Kind::load:
    case Kind::accumulate:
    case Kind::update:
    case Kind::act:
        break;
    }
}

void Plan::execute_sum(const Step& step, const Instruction& instruction)
{
    const RecordedValue& value = recording_.values[index(instruction.output)];
    Node* sum = step.operands[0];
    step.takes_input ? void(values_.nodes[index(instruction.inputs[0])] = nullptr) : retain(sum);
    sum = full_of_its_own(sum, value.shape);
    values_.set(instruction.output, sum);
    const std::span<Node* const> operands(step.operands);
    instruction.operation->add_one(instruction.attributes.get(), instruction.operand, sum, operands.subspan(1));
}

std::vector<PlanStep> Plan::steps() const
{
    const auto runs = static_cast<double>(std::max<std::size_t>(1, timed_runs));
    std::vector<PlanStep> result;
    std::unordered_map<ValueId, std::size_t> makers;
    for (const Step& step : steps_)
    {
        PlanStep line{{}, {}, {}, {}, step.seconds / runs};
        for (std::size_t k = 0; k < step.instructions.size(); ++k)
        {
            const Instruction* const instruction = step.instructions[k];
            const bool gradient = instruction->kind == Kind::pullback || instruction->kind == Kind::sum;
            const bool with_slope =
                instruction->kind == Kind::value && !step.slopes.empty() && step.slopes[k] != no_value;
            line.what += (line.what.empty() ? "" : ", ") + (gradient ? "gradient of " : std::string()) +
                         instruction->name() + (with_slope ? " and slope" : "") +
                         (instruction->kind == Kind::update ? " of a variable" : "");
            line.location = line.location.line == 0 ? instruction->location : line.location;
            for (std::size_t i = 0; i < instruction->inputs.size(); ++i)
            {
                const auto maker = makers.find(instruction->inputs[i]);
                if (maker != makers.end() && reads(*instruction, i) && maker->second != result.size() &&
                    std::find(line.reads.begin(), line.reads.end(), maker->second) == line.reads.end())
                {
                    line.reads.push_back(maker->second);
                }
            }
            makers.emplace(instruction->output, result.size());
        }
        makers.erase(no_value);
        const Instruction& last = *step.instructions.back();
        if (last.output != no_value)
        {
            const RecordedValue& value = recording_.values[index(last.output)];
            line.result = type_and_shape(value.dtype, value.shape);
        }
        else if (const Node* const variable = last.variable())
        {
            line.result = type_and_shape(variable->dtype, variable->shape);
        }
        result.push_back(std::move(line));
    }
    return result;
}

}
