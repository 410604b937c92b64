#pragma once

#include <autograd/arena.hpp>

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

namespace autograd::detail
{

/// One step of a computation, as a tracer is told of it.
struct Step
{
    enum class Kind
    {
        value,     ///< of an operation: the inputs are its operands
        pullback,  ///< the gradient of one operand: the inputs are dy, y and the operands, null where they are constants
                   ///< that are not read
        sum        ///< the same, added to what came before: the inputs begin with that
    };

    Kind kind;
    const Operation& operation;
    std::size_t operand;  ///< which the pullback is for
    std::span<Node* const> inputs;
    Node* output;
    /// The attributes: of the call, to be copied by the function, or, if that is null, `Attributes` of a record.
    const void* attributes;
    Attributes* (*copy_attributes)(const void*);
    Location location;
};

/// Follows, while it lives, all that its thread computes, whether a tape records or not. Nodes are told apart by their
/// address, and by the number that a tracer gives them, as memory is used again. What an operation executes inside of it
/// belongs to its step.
class Tracer
{
public:
    Tracer() : arena_(Arena::current()), outer_(std::exchange(arena_.tracer, this)) {}
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;
    virtual ~Tracer() { arena_.tracer = outer_; }

    virtual void executed(const Step& step) = 0;
    /// `view` is a new node with the value of `node`.
    virtual void viewed(Node* node, Node* view) = 0;
    /// A value leaves the sight of this: it becomes an array, a number or a decision.
    virtual void left(Node* node, const char* how, Location location) = 0;
    /// A new array without operands, which `draw` would give again, or the next one like it.
    virtual void drawn(Node* array, std::function<Node*()> draw, const void* generator, Location location) = 0;
    /// The lifetime of a generator ends.
    virtual void ended(const void* generator) = 0;
    /// A new array that will always be the same; or, if `live`, that the next action of `derived` writes.
    virtual void constant(Node* array, bool live) = 0;
    /// Plain data were computed from these values, by an action that would compute them anew into the same memory.
    virtual void derived(std::span<Node* const> values, std::function<void(std::span<Node* const>)> action,
                         const char* name, Location location) = 0;
    /// The gradient of a variable has had something added to it, or been replaced or forgotten (null).
    /// @{
    virtual void accumulated(VariableNode* variable, Node* gradient) = 0;
    virtual void replaced(VariableNode* variable, Node* gradient) = 0;
    /// @}
    /// A variable got this value, or had `sign` times it added.
    /// @{
    virtual void assigned(Node* variable, Node* value) = 0;
    virtual void changed(Node* variable, Node* change, int sign) = 0;
    /// @}
    /// Something was done that has effects of its own, and is to be done each time. It touches these variables, their
    /// gradients and what is kept for them; anything, if they are not given.
    virtual void acted(std::function<void()> action, const char* name, Location location,
                       std::optional<std::span<Node* const>> touched) = 0;
    /// The same for an update of one variable, which may be done as soon as its gradient is there.
    virtual void updated(Node* variable, std::function<void()> action, const char* name, Location location) = 0;
    /// An action was told of as it is as long as this holds.
    virtual void assumed(std::function<bool()> condition) = 0;
    /// Something happened that cannot be done again.
    virtual void refused(const char* what, Location location) = 0;

private:
    Arena& arena_;
    Tracer* outer_;
};

/// While it lives, the thread's tracer, if there is one, does not see what is computed.
class Unseen
{
public:
    Unseen() : arena_(Arena::current()), tracer_(std::exchange(arena_.tracer, nullptr)) {}
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    ~Unseen() { arena_.tracer = tracer_; }

    Tracer* tracer() const noexcept { return tracer_; }

private:
    Arena& arena_;
    Tracer* tracer_;
};

/// Tells the tracer, which there is, that the pullback of operand k of a record gave this from these inputs. If the tracer
/// throws, the gradient is released.
void trace_pullback(const Record& record, std::size_t k, std::span<Node* const> inputs, Node* gradient);

/// Tells the tracer of an array that will always be the same; or, if `live`, that the next `derive` writes.
inline void note_constant(Node* array, bool live = false)
{
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->constant(array, live);
    }
}

/// Tells it of a new node with the value of another one.
inline void note_view(Node* node, Node* view)
{
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->viewed(node, view);
    }
}

/// Draws an array of random numbers, which the tracer will let be drawn each time. `draw` gives a tensor.
template <class Draw>
auto draw_array(const void* generator, Location location, Draw draw)
{
    const Unseen unseen;
    auto array = draw();
    if (unseen.tracer() != nullptr) [[unlikely]]
    {
        unseen.tracer()->drawn(
            array.node(), [draw]() mutable { return draw().disown(); }, generator, location);
    }
    return array;
}

/// Computes plain data (positions, counts, decisions) from values, into memory that `compute` holds; a tracer will let it
/// be computed anew each time. `compute` is given the nodes.
template <class Compute>
void derive(const char* name, std::initializer_list<Node*> values, Location location, Compute compute)
{
    const Unseen unseen;
    const std::span<Node* const> nodes(values.begin(), values.size());
    compute(nodes);
    if (unseen.tracer() != nullptr) [[unlikely]]
    {
        unseen.tracer()->derived(nodes, compute, name, location);
    }
}

/// Does something now, and tells the tracer to do it each time. What it computes belongs to it.
template <class Action>
auto act(const char* name, Location location, Action action)
{
    const Unseen unseen;
    if (unseen.tracer() == nullptr) [[likely]]
    {
        return action();
    }
    unseen.tracer()->acted([action]() mutable { static_cast<void>(action()); }, name, location, {});
    return action();
}

}
