#pragma once

#include <autograd/rehearsal.hpp>
#include <autograd/tracer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
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
    enum class Origin
    {
        argument,
        constant,
        computed
    };

    Origin origin;
    Shape shape;
    DType dtype;
    Held constant = {};
    bool live = false;  ///< whether a constant is written by a derivation
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
        act          ///< effects of the function's own
    };

    Kind kind;
    const char* name;
    Location location;
    std::vector<ValueId> inputs = {};
    ValueId output = no_value;
    const Operation* operation = nullptr;
    std::size_t operand = 0;
    std::shared_ptr<const Attributes> attributes = {};
    Held variable = {};
    int sign = 1;
    std::function<void()> action = {};
    std::function<Node*()> draw = {};
    std::function<void(std::span<Node* const>)> compute = {};
    std::vector<ValueId> writes = {};  ///< the live constants that `compute` changes
};

/// What a function computed in one call, step by step.
struct Recording
{
    std::vector<RecordedValue> values;  ///< the arguments first
    std::vector<Instruction> instructions;
    std::vector<ValueId> results;
};

/// Whether a step has no effect but its output, which is always the same for the same inputs.
bool is_pure(const Instruction& instruction);
/// Whether the value at input i is read, and not only its shape.
bool reads(const Instruction& instruction, std::size_t i);
/// Removes what nobody reads and has no effect.
void remove_unused(Recording& recording);

/// Where a recording parts from the one before, in words and with the line.
struct Difference
{
    std::string text;
    Location location;
};
/// Nothing if the two are the same.
std::optional<Difference> difference(const Recording& recording, const Recording& before);

/// Makes a recording of what happens while it lives.
class Recorder : public Tracer
{
public:
    /// `arguments` are nodes that nobody else has; `freezes`: whether decisions are recorded as they are taken.
    Recorder(std::span<Node* const> arguments, bool freezes, Location location);
    ~Recorder() override;

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
    void acted(std::function<void()> action, const char* name, Location location) override;
    void refused(const char* what, Location location) override;

protected:
    /// Whether a step may read an array that comes from nowhere, which is then a constant; or throws.
    virtual void meet(Node* array, const char* reader, Location location);

    /// What was recorded so far.
    const Recording& recording() const noexcept { return recording_; }
    /// The number of a node; `no_value` if it has none, or is a variable.
    ValueId known(const Node* node) const;
    ValueId new_value(RecordedValue::Origin origin, Node* node);
    /// The number of a node that a step reads.
    ValueId id_of(Node* node, const char* reader, Location location);
    void know(Node* node, ValueId id);
    Instruction& add(Instruction::Kind kind, const char* name, Location location);

private:
    std::vector<ValueId> ids_of(std::span<Node* const> nodes, const char* reader, Location location);
    ValueId load(Node* variable, Location location);

    Recording recording_;
    bool freezes_;
    Location location_;
    std::optional<std::string> refused_;
    std::unordered_map<const Node*, ValueId> ids_;
    std::unordered_map<const Node*, ValueId> loaded_;  ///< variables
    std::vector<Node*> known_;
    std::vector<const void*> generators_;
    std::vector<ValueId> unwritten_;  ///< live constants, which the next derivation writes
};

}
