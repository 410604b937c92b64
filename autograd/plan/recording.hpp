#pragma once

#include <autograd/pool_vector.hpp>
#include <autograd/rehearsal.hpp>
#include <autograd/tracer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace autograd::detail
{

/// The number of a value in a recording.
using ValueId = std::int32_t;
inline constexpr ValueId no_value = -1;

constexpr std::size_t index(ValueId id) noexcept
{
    return static_cast<std::size_t>(id);
}

/// What is known of a value beforehand.
struct RecordedValue
{
    enum class Origin : std::uint8_t
    {
        argument,
        constant,
        computed
    };

    const Shape& shape;  ///< in the recording
    DType dtype;
    Origin origin;
    bool live = false;  ///< whether a constant is written by a derivation
    Held constant = {};
};

/// One step, as data.
struct Instruction
{
    enum class Kind
    {
        value,       ///< of an operation
        pullback,    ///< of an operand of one: inputs are dy, y, operands
        sum,         ///< the same, added to the first input
        load,        ///< the value that a variable has now
        draw,        ///< random numbers
        derive,      ///< plain data, from values
        accumulate,  ///< adds to the gradient of a variable; gives the sum
        replace,     ///< the gradient of a variable, or forgets it without an input
        assign,      ///< a variable
        change,      ///< a variable, by adding
        update,      ///< a variable, by its optimizer
        act          ///< effects of the function's own
    };

    /// What is not an operation of the library.
    struct Effect
    {
        const char* name;
        Held variable = {};  ///< that it reads or changes
        int sign = 1;
        std::function<void()> act = {};
        std::function<Node*()> draw = {};
        std::function<void(std::span<Node* const>)> derive = {};
        std::vector<ValueId> writes = {};  ///< the live constants that `derive` changes
        std::optional<std::vector<const Node*>> touched =
            {};  ///< the variables that `act` does; anything, if not given
    };

    Kind kind;
    std::uint32_t operand = 0;
    ValueId output = no_value;
    std::span<ValueId> inputs = {};  ///< in the recording's memory
    Location location;
    const Operation* operation = nullptr;  ///< or an effect
    std::unique_ptr<const Attributes> attributes = {};
    std::unique_ptr<Effect> effect = {};

    const char* name() const { return operation != nullptr ? operation->name : effect->name; }
    Node* variable() const { return effect != nullptr ? effect->variable.get() : nullptr; }
};

/// A yes or no for each value or step. Not std::vector<bool>: a bit takes more instructions to find than the rest of a
/// question.
using Flags = PoolVector<std::uint8_t>;

struct HashOfShape
{
    std::size_t operator()(const Shape& shape) const noexcept
    {
        std::size_t hash = 0;
        for (const std::size_t extent : shape)
        {
            hash = hash * 1000003 + extent + 1;
        }
        return hash;
    }
};

/// What a function computed in one call, step by step.
struct Recording
{
    std::unordered_set<Shape, HashOfShape> shapes;  ///< each once: there are many values, and few shapes
    PoolVector<RecordedValue> values;               ///< the arguments first
    PoolVector<Instruction> instructions;
    std::vector<ValueId> results;
    std::vector<std::function<bool()>> conditions;  ///< under which its actions are what they are
    std::unique_ptr<std::pmr::monotonic_buffer_resource> memory =
        std::make_unique<std::pmr::monotonic_buffer_resource>();
};

/// Whether a step has no effect but its output, which is always the same for the same inputs.
bool is_pure(const Instruction& instruction);
/// The same for what a pullback is given.
bool pullback_reads(const Instruction& instruction, std::size_t i);
/// Whether the value at input i is read, and not only its shape. Element-wise pullbacks are only given what they read.
inline bool reads(const Instruction& instruction, std::size_t i)
{
    const bool pullback = instruction.kind == Instruction::Kind::pullback || instruction.kind == Instruction::Kind::sum;
    return !pullback || instruction.operation->elementwise || pullback_reads(instruction, i);
}
/// Removes what nobody reads and has no effect, and what gives a constant.
void remove_unused(Recording& recording);

/// Where a recording parts from the one before, in words and with the line.
struct Difference
{
    std::string text;
    Location location;
};
/// Nothing if the two are the same.
std::optional<Difference> difference(const Recording& recording, const Recording& before);

/// The values of nodes. A node has the number of its entry, and the entry has the node's address: so nodes need not be held,
/// as a new one in the same memory has no number. Nor is one taken for another that somebody else has numbered: within one
/// of these, the next begins behind the numbers given so far, and each thread begins elsewhere.
class NodeIds
{
public:
    NodeIds();
    NodeIds(const NodeIds&) = delete;
    NodeIds& operator=(const NodeIds&) = delete;
    ~NodeIds();

    void reserve(std::size_t count) { entries_.reserve(count); }
    /// `no_value` if it is not there.
    ValueId find(const Node* node) const noexcept
    {
        const std::uint32_t entry = node->number - first_;
        return entry < entries_.size() && entries_[entry].first == node ? entries_[entry].second : no_value;
    }
    /// The node is this thread's own.
    void insert_or_assign(Node* node, ValueId id)
    {
        if (find(node) != no_value)
        {
            entries_[node->number - first_].second = id;
            return;
        }
        node->number = end();
        entries_.emplace_back(node, id);
    }

private:
    std::uint32_t end() const noexcept { return first_ + static_cast<std::uint32_t>(entries_.size()); }

    NodeIds* outer_;
    std::uint32_t first_;
    PoolVector<std::pair<const Node*, ValueId>> entries_;
};

/// Makes a recording of what happens while it lives.
class Recorder : public Tracer
{
public:
    /// `arguments` are nodes that nobody else has; `freezes`: whether decisions are recorded as they are taken.
    Recorder(std::span<Node* const> arguments, bool freezes, Location location);

    /// Makes room for another recording like this one.
    void expect(const Recording& like);
    /// To be called once, when the function has returned these.
    Recording finish(std::span<Node* const> results);

    void executed(const Step& step) override;
    void viewed(Node* node, Node* view) override;
    void left(Node* node, const char* how, Location location) override;
    void drawn(Node* array, std::function<Node*()> draw, const void* generator, Location location) override;
    void ended(const void* generator) override;
    void constant(Node* array, bool live) override;
    void derived(std::span<Node* const> values, std::function<void(std::span<Node* const>)> action, const char* name,
                 Location location) override;
    void accumulated(VariableNode* variable, Node* gradient) override;
    void replaced(VariableNode* variable, Node* gradient) override;
    void assigned(Node* variable, Node* value) override;
    void changed(Node* variable, Node* change, int sign) override;
    void acted(std::function<void()> action, const char* name, Location location,
               std::optional<std::span<Node* const>> touched) override;
    void updated(Node* variable, std::function<void()> action, const char* name, Location location) override;
    void assumed(std::function<bool()> condition) override;
    void refused(const char* what, Location location) override;

protected:
    /// Whether a step may read an array that comes from nowhere, which is then a constant; or throws.
    virtual void meet(Node* array, const char* reader, Location location);

    /// What was recorded so far.
    const Recording& recording() const noexcept { return recording_; }
    /// The number of a node; `no_value` if it has none, or is a variable.
    ValueId known(const Node* node) const
    {
        if (const ValueId id = ids_.find(node); id != no_value || met_.empty()) [[likely]]
        {
            return id;
        }
        const auto found = met_.find(node);
        return found != met_.end() ? found->second : no_value;
    }
    ValueId new_value(RecordedValue::Origin origin, Node* node);
    /// The number of a node that a step reads.
    ValueId id_of(Node* node, const char* reader, Location location)
    {
        const ValueId id = known(node);
        return id != no_value ? id : id_from_outside(node, reader, location);
    }
    void know(Node* node, ValueId id) { ids_.insert_or_assign(node, id); }
    /// Room for the inputs of an instruction.
    std::span<ValueId> new_ids(std::size_t count)
    {
        if (count > free_ids_.size()) [[unlikely]]
        {
            allocate_ids(count);
        }
        const std::span<ValueId> ids = free_ids_.first(count);
        free_ids_ = free_ids_.subspan(count);
        return ids;
    }
    Instruction& add(Instruction::Kind kind, Location location, std::span<ValueId> inputs = {});
    Instruction& add(Instruction::Kind kind, Instruction::Effect effect, Location location,
                     std::span<ValueId> inputs = {});

private:
    /// That of a variable, or of what nobody told of.
    ValueId id_from_outside(Node* node, const char* reader, Location location);
    void allocate_ids(std::size_t count);
    std::span<ValueId> ids_of(std::span<Node* const> nodes, const char* reader, Location location);
    ValueId load(Node* variable, Location location);

    Recording recording_;
    bool freezes_;
    Location location_;
    std::optional<std::string> refused_;
    NodeIds ids_;                                      ///< of what is made while it lives
    std::unordered_map<const Node*, ValueId> met_;     ///< what it met, which may be other threads', too
    std::unordered_map<const Node*, ValueId> loaded_;  ///< variables
    std::span<ValueId> free_ids_;                      ///< in the recording's memory
    std::vector<const void*> generators_;
    std::vector<ValueId> unwritten_;  ///< live constants, which the next derivation writes
};

}
