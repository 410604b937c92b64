#include <autograd/batching.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/plan/samples.hpp>
#include <autograd/variable.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

namespace autograd::detail
{

namespace
{

using Kind = Instruction::Kind;

/// Calls with a handle to the node, whatever its type of elements.
template <class Call>
auto with_tensor(Node* node, const Call& call)
{
    retain(node);
    return node->dtype == DType::float32 ? call(Tensor<float>::adopt(node)) : call(Tensor<double>::adopt(node));
}

Held sample_of(Node* batch, std::size_t i, Location location)
{
    return with_tensor(batch, [&](const auto& x) { return adopt(slice(x, 0, i, location).disown()); });
}

/// One behind the other along a new first axis; `shape` is that of each.
Held stacked(const std::vector<Held>& samples, DType dtype, const Shape& shape, Location location)
{
    const auto stack_as = [&]<class T>(T)
    {
        if (samples.empty())
        {
            return adopt(zeros<T>(BatchOperand<T>::in_front(0, shape)).disown());
        }
        std::vector<Tensor<T>> tensors;
        for (const Held& sample : samples)
        {
            retain(sample.get());
            tensors.push_back(Tensor<T>::adopt(sample.get()));
        }
        return adopt(stack(tensors, 0, location).disown());
    };
    return dtype == DType::float32 ? stack_as(0.F) : stack_as(0.0);
}

/// New ones.
std::vector<Node*> references(const std::vector<Held>& held)
{
    std::vector<Node*> nodes;
    for (const Held& each : held)
    {
        retain(each.get());
        nodes.push_back(each.get());
    }
    return nodes;
}

Node* stop(Node* node, Location location)
{
    return with_tensor(node, [location](const auto& x) { return stop_gradient(x, location).disown(); });
}

/// What stop_gradient is in a program: elsewhere it leaves no trace.
constexpr Operation stop_operation{.name = "stop_gradient",
                                   .pull = nullptr,
                                   .execute = [](const Attributes*, std::span<Node* const> operands, Location location)
                                   { return stop(operands[0], location); }};

const BatchingRule stop_batching(stop_operation,
                                 [](const Attributes*, std::span<const BatchedNode> operands, std::size_t, const Shape&,
                                    Location location) { return stop(operands[0].node, location); });

/// One sample, of ones if there is none; a node that nobody knows.
Node* one_sample(const SampleArgument& argument)
{
    Node* const node = argument.node;
    if (!argument.varies)
    {
        return new_view(node, node->shape);
    }
    const auto copy = [&]<class T>(T one)
    {
        Node* const sample = new_node<T>(Shape(node->shape.begin() + 1, node->shape.end()));
        if (node->shape[0] == 0)
        {
            std::fill_n(sample->as<T>(), sample->elements, one);
        }
        else
        {
            std::copy_n(node->as<const T>() + argument.sample * sample->elements, sample->elements, sample->as<T>());
        }
        return sample;
    };
    return node->dtype == DType::float32 ? copy(1.F) : copy(1.0);
}

/// Whether it is the function itself that reads elements, and not an operation that it calls.
bool is_of_the_function(std::string_view how)
{
    return how == "value()" || how == "item()" || how == "a comparison";
}

}

/// A value while a program runs.
struct SampleProgram::Value
{
    Held node = {};
    bool batched = false;
};

/// Records, refuses what can't be meant for each sample, and keeps an account of what varies from sample to sample.
class SampleProgram::Watcher final : public Recorder
{
public:
    Watcher(SampleProgram& program, std::span<Node* const> nodes, std::span<const SampleArgument> arguments)
        : Recorder(nodes, false, program.asker_.location), program_(program)
    {
        for (std::size_t k = 0; k < arguments.size(); ++k)
        {
            program_.varies_.push_back(arguments[k].varies);
            note_buffer(nodes[k], arguments[k].varies);
        }
    }

    void require_no_effect() const
    {
        if (effect_ != nullptr)
        {
            throw CompileError(program_.asker_.operation,
                               std::string(effect_) + " in the function would be done once, and not for each sample",
                               place_.line != 0 ? place_ : program_.asker_.location,
                               "Give the values that it takes as results, and do it outside.");
        }
    }
    bool is_dead(const Generator* generator) const
    {
        return std::find(dead_.begin(), dead_.end(), generator) != dead_.end();
    }

    /// To be called when the function has returned. What it cut from the tape is a view that is not on it; one that came to
    /// be on it is the value of a function with a gradient of its own.
    void find_custom_gradients() const
    {
        program_.complete_ &= std::all_of(stopped_.begin(), stopped_.end(),
                                          [](const Held& view) { return Arena::current().slot_of(*view) == no_slot; });
    }

    void executed(const Step& step) override
    {
        program_.complete_ &= step.kind == Step::Kind::value;
        Recorder::executed(step);
        note_output();
        note_buffer(step.output, varies(known(step.output)));
    }
    void viewed(Node* node, Node* view) override
    {
        Recorder::viewed(node, view);
        const ValueId id = known(view);
        if (id == no_value || Arena::current().slot_of(*view) != no_slot)
        {
            return;
        }
        Instruction& instruction = add(Kind::value, {}, new_ids(1));
        instruction.inputs[0] = id;
        instruction.operation = &stop_operation;
        instruction.output = new_value(RecordedValue::Origin::computed, view);
        know(view, instruction.output);
        note_output();
        stopped_.push_back(hold(view));
    }
    void left(Node* node, const char* how, Location location) override
    {
        const ValueId id = known(node);
        if (id == no_value || !varies(id))
        {
            program_.complete_ &= !comes_from_numbers(id);
            return;
        }
        program_.complete_ = false;
        if (is_of_the_function(how))
        {
            throw CompileError(program_.asker_.operation,
                               std::string(how) + " reads one sample's numbers, and is to be the same for all",
                               location.line != 0 ? location : program_.asker_.location,
                               how == std::string_view("a comparison")
                                   ? "Choose without it, by maximum, minimum or clip, or by a product with "
                                     "heaviside(x, 0), which is 1 where x > 0, else 0."
                                   : "Return the tensor and read it outside.");
        }
    }
    void drawn(Node* array, std::function<Node*()> draw, const void* generator, Location location) override
    {
        require_draws(location);
        program_.draws_.push_back({draw, generator});
        Recorder::drawn(array, std::move(draw), generator, location);
        set_varies(known(array), program_.random_ == Draws::by_samples);
    }
    void ended(const void* generator) override { dead_.push_back(generator); }
    void constant(Node* array, bool live) override
    {
        Recorder::constant(array, live);
        // A sample that is called constant is that sample only.
        program_.complete_ &= !live && !is_a_sample(*array);
    }
    void derived(std::span<Node* const>, std::function<void(std::span<Node* const>)>, const char*, Location) override
    {
        program_.complete_ = false;
    }
    void accumulated(VariableNode*, Node*) override { note_effect("backward()", {}); }
    void replaced(VariableNode*, Node* gradient) override
    {
        note_effect(gradient != nullptr ? "set_grad" : "zero_grad", {});
    }
    void assigned(Node* variable, Node*) override
    {
        note_effect("assign", static_cast<const VariableNode*>(variable)->assigned);
    }
    void changed(Node* variable, Node*, int sign) override
    {
        note_effect(sign > 0 ? "assign_add" : "assign_sub", static_cast<const VariableNode*>(variable)->assigned);
    }
    void acted(std::function<void()>, const char* name, Location location,
               std::optional<std::span<Node* const>>) override
    {
        note_effect(name, location);
    }
    void updated(Node*, std::function<void()>, const char* name, Location location) override
    {
        note_effect(name, location);
    }
    void refused(const char*, Location) override { program_.complete_ = false; }

    void require_draws(Location location) const
    {
        if (program_.random_ == Draws::refused)
        {
            throw CompileError(
                program_.asker_.operation,
                "the function draws random numbers, and nobody has said whether they are the same for all "
                "samples",
                location.line != 0 ? location : program_.asker_.location,
                "Ask for {.randomness = Randomness::same} or Randomness::different, or draw outside and "
                "make them an argument.");
        }
    }

protected:
    // What the function captures, all samples share.
    void meet(Node* array, const char*, Location) override { program_.met_.push_back(hold(array)); }

private:
    /// Whether it was made of numbers from nowhere, which an operation like isnan may have found unseen.
    bool comes_from_numbers(ValueId id) const
    {
        if (id == no_value || recording().instructions.empty() || recording().instructions.back().output != id)
        {
            return false;
        }
        const std::span<const ValueId> inputs = recording().instructions.back().inputs;
        return std::all_of(inputs.begin(), inputs.end(),
                           [this](ValueId input)
                           {
                               const RecordedValue& value = recording().values[index(input)];
                               return value.origin == RecordedValue::Origin::constant && value.shape.rank() == 0;
                           });
    }
    bool varies(ValueId id) const { return index(id) < program_.varies_.size() && program_.varies_[index(id)]; }
    void set_varies(ValueId id, bool varies)
    {
        program_.varies_.resize(std::max(program_.varies_.size(), index(id) + 1));
        program_.varies_[index(id)] = varies;
    }
    void note_output()
    {
        const Instruction& instruction = recording().instructions.back();
        set_varies(instruction.output, std::any_of(instruction.inputs.begin(), instruction.inputs.end(),
                                                   [this](ValueId id) { return id != no_value && varies(id); }));
    }
    bool is_a_sample(const Node& array) const
    {
        return array.buffer != nullptr && !array.buffer->references.unique() && buffers_.contains(array.buffer);
    }
    void note_buffer(const Node* node, bool varies)
    {
        if (varies && node->buffer != nullptr)
        {
            buffers_.insert(node->buffer);
        }
    }
    void note_effect(const char* what, Location place)
    {
        place_ = effect_ == nullptr ? place : place_;
        effect_ = effect_ == nullptr ? what : effect_;
    }

    SampleProgram& program_;
    const char* effect_ = nullptr;
    Location place_;
    std::vector<const void*> dead_;
    std::unordered_set<const Buffer*> buffers_;  ///< of what varies, now or before
    std::vector<Held> stopped_;                  ///< views
};

SampleProgram::SampleProgram(std::span<const SampleArgument> sample, const NodeFunction& function, Draws draws,
                             Asker asker)
    : random_(draws), asker_(asker)
{
    std::vector<Held> own;
    std::vector<Node*> nodes;
    for (const SampleArgument& argument : sample)
    {
        own.push_back(adopt(one_sample(argument)));
        nodes.push_back(own.back().get());
    }
    {
        DrawLog log;
        // Something records, so that gradients are made of operations.
        const Rehearsal rehearsal;
        Watcher watcher(*this, nodes, sample);
        for (Node* const node : nodes)
        {
            Arena::current().watch(node, asker.location);
        }
        std::vector<Held> results;
        std::vector<Node*> result_nodes = function(nodes);
        for (Node* const result : result_nodes)
        {
            results.push_back(adopt(result));
        }
        watcher.require_no_effect();
        watcher.find_custom_gradients();
        for (const auto& [generator, before] : log.drawn())
        {
            watcher.require_draws({});
            if (watcher.is_dead(generator))
            {
                complete_ = false;
                continue;
            }
            *generator = before;
            before_.emplace_back(generator, before);
        }
        recording_ = watcher.finish(result_nodes);
    }
    varies_.resize(recording_.values.size());
    remove_unused(recording_);
}

bool SampleProgram::agrees(const SampleProgram& other) const
{
    // An array that was captured is the same one again. One that the function has made may be made of a sample's numbers,
    // whatever is in it.
    return complete_ && other.complete_ && met_ == other.met_ && !difference(other.recording_, recording_);
}

bool SampleProgram::vectorised() const
{
    return complete_ && std::all_of(recording_.instructions.begin(), recording_.instructions.end(),
                                    [this](const Instruction& instruction)
                                    {
                                        return instruction.kind != Kind::value || !varies_[index(instruction.output)] ||
                                               instruction.operation->elementwise ||
                                               BatchingRule::find(*instruction.operation) != nullptr;
                                    });
}

std::size_t SampleProgram::largest() const
{
    std::size_t most = 1;
    for (std::size_t id = 0; id < recording_.values.size(); ++id)
    {
        most = std::max(most, varies_[id] ? recording_.values[id].shape.elements() : 1);
    }
    return most;
}

SampleProgram::Value SampleProgram::execute(const Instruction& instruction, std::span<const Value> operands,
                                            std::size_t samples) const
{
    const Operation& operation = *instruction.operation;
    const Attributes* const attributes = instruction.attributes.get();
    const RecordedValue& output = recording_.values[index(instruction.output)];
    const Location location = instruction.location;
    std::vector<BatchedNode> batch;
    std::vector<Node*> nodes;
    for (const Value& operand : operands)
    {
        batch.push_back({operand.node.get(), operand.batched});
        nodes.push_back(operand.node.get());
    }
    if (std::none_of(operands.begin(), operands.end(), [](const Value& operand) { return operand.batched; }))
    {
        return {adopt(operation.execute(attributes, nodes, location)), false};
    }
    if (operation.elementwise)
    {
        std::vector<Held> aligned;
        for (const BatchedNode& operand : batch)
        {
            const auto align = [&]<class T>(const Tensor<T>& x) {
                return BatchOperand<T>{x, operand.batched}.aligned(output.shape.rank(), location).disown();
            };
            aligned.push_back(adopt(with_tensor(operand.node, align)));
        }
        std::transform(aligned.begin(), aligned.end(), nodes.begin(), [](const Held& held) { return held.get(); });
        return {adopt(operation.execute(attributes, nodes, location)), true};
    }
    if (const BatchingRule* const rule = BatchingRule::find(operation))
    {
        if (Node* const result = rule->execute(attributes, batch, samples, output.shape, location))
        {
            return {adopt(result), true};
        }
    }
    std::vector<Held> results;
    for (std::size_t i = 0; i < samples; ++i)
    {
        std::vector<Held> slices;
        for (std::size_t k = 0; k < operands.size(); ++k)
        {
            slices.push_back(batch[k].batched ? sample_of(batch[k].node, i, location) : operands[k].node);
            nodes[k] = slices.back().get();
        }
        results.push_back(adopt(operation.execute(attributes, nodes, location)));
    }
    return {stacked(results, output.dtype, output.shape, location), true};
}

SampleProgram::Value SampleProgram::draw(const Draw& draw, std::size_t samples) const
{
    const auto one = [&]
    {
        Node* array = nullptr;
        {
            const Unseen unseen;
            array = draw.draw();
            if (unseen.tracer() != nullptr)
            {
                unseen.tracer()->drawn(array, draw.draw, draw.generator, asker_.location);
            }
        }
        return adopt(array);
    };
    Held first = one();
    if (random_ == Draws::shared)
    {
        return {first, false};
    }
    const DType dtype = first->dtype;
    const Shape shape = first->shape;
    std::vector<Held> arrays;
    for (std::size_t i = 0; i < samples; ++i)
    {
        arrays.push_back(i == 0 ? first : one());
    }
    return {stacked(arrays, dtype, shape, asker_.location), true};
}

std::vector<Node*> SampleProgram::run(std::span<Node* const> arguments, std::size_t samples) const
{
    std::vector<std::size_t> last_use(recording_.values.size(), recording_.instructions.size());
    for (std::size_t k = recording_.instructions.size(); k-- > 0;)
    {
        for (const ValueId input : recording_.instructions[k].inputs)
        {
            std::size_t& last = last_use[index(input)];
            last = last == recording_.instructions.size() ? k : last;
        }
    }
    for (const ValueId result : recording_.results)
    {
        last_use[index(result)] = recording_.instructions.size();
    }
    std::vector<Value> values(recording_.values.size());
    for (std::size_t k = 0; k < arguments.size(); ++k)
    {
        values[k] = {hold(arguments[k]), varies_[k]};
    }
    for (std::size_t id = arguments.size(); id < values.size(); ++id)
    {
        values[id].node = recording_.values[id].constant;
    }
    std::size_t drawn = 0;
    for (std::size_t k = 0; k < recording_.instructions.size(); ++k)
    {
        const Instruction& instruction = recording_.instructions[k];
        Value& output = values[index(instruction.output)];
        if (instruction.kind == Kind::load)
        {
            output = {adopt(snapshot(instruction.variable())), false};
            continue;
        }
        if (instruction.kind == Kind::draw)
        {
            output = draw(draws_[drawn++], samples);
            continue;
        }
        std::vector<Value> operands;
        for (const ValueId input : instruction.inputs)
        {
            operands.push_back(values[index(input)]);
        }
        output = execute(instruction, operands, samples);
        for (const ValueId input : instruction.inputs)
        {
            if (last_use[index(input)] == k)
            {
                values[index(input)].node.reset();
            }
        }
    }
    std::vector<Held> results;
    for (const ValueId id : recording_.results)
    {
        const Value& value = values[index(id)];
        const auto full = [&]<class T>(const Tensor<T>& x) {
            return BatchOperand<T>{x, value.batched}.full(samples, asker_.location).disown();
        };
        results.push_back(adopt(with_tensor(value.node.get(), full)));
    }
    return references(results);
}

std::vector<Node*> SampleProgram::call(const NodeFunction& function, std::span<Node* const> arguments,
                                       std::size_t samples) const
{
    std::vector<std::vector<Held>> results(recording_.results.size());
    for (std::size_t i = 0; i < samples; ++i)
    {
        std::vector<Held> slices;
        std::vector<Node*> nodes;
        for (std::size_t k = 0; k < arguments.size(); ++k)
        {
            slices.push_back(varies_[k] ? sample_of(arguments[k], i, asker_.location) : hold(arguments[k]));
            nodes.push_back(slices.back().get());
        }
        for (const auto& [generator, before] : before_)
        {
            if (random_ == Draws::shared)
            {
                *generator = before;
            }
        }
        const std::vector<Node*> sample = function(nodes);
        results.resize(std::max(results.size(), sample.size()));
        for (std::size_t k = 0; k < sample.size(); ++k)
        {
            results[k].push_back(adopt(sample[k]));
        }
    }
    std::vector<Held> batches;
    for (std::size_t k = 0; k < results.size(); ++k)
    {
        const RecordedValue& value = recording_.values[index(recording_.results[k])];
        batches.push_back(stacked(results[k], value.dtype, value.shape, asker_.location));
    }
    return references(batches);
}

}
