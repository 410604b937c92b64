#pragma once

#include <autograd/generator.hpp>
#include <autograd/plan/recording.hpp>

#include <functional>
#include <span>
#include <vector>

namespace autograd::detail
{

/// From one node an argument to new references.
using NodeFunction = std::function<std::vector<Node*>(std::span<Node* const>)>;

/// An argument of a function of one sample, as the function is given it.
struct SampleArgument
{
    Node* node;
    bool varies;             ///< from sample to sample: then the node has a first axis of samples
    std::size_t sample = 0;  ///< the one that the function is called with
};

/// What happens to random numbers that the function draws.
enum class Draws
{
    refused,
    shared,     ///< once, for all samples
    by_samples  ///< for each sample by itself
};

/// Somebody's name, and line, for errors.
struct Asker
{
    const char* operation;
    Location location;
};

/// A function of one sample that was called once, and what it computed, to be executed on batches of samples. A step is one
/// operation on all samples, or one for all where nothing in it varies from sample to sample. What is executed is an
/// ordinary operation, which tapes record.
class SampleProgram
{
public:
    /// Calls the function on one sample. No tape that lives records what it does then.
    /// @throws CompileError if the function reads numbers of a sample, draws although it must not, or has effects.
    SampleProgram(std::span<const SampleArgument> sample, const NodeFunction& function, Draws draws, Asker asker);

    /// Whether the steps are all that the function does. If not, only calling it for each sample by itself is right.
    bool complete() const noexcept { return complete_; }
    /// Whether the function did the same for another sample, as far as that can be seen.
    bool agrees(const SampleProgram& other) const;
    /// Whether every step is executed on all samples at once.
    bool vectorised() const;
    /// Of all that varies from sample to sample: the elements of the largest value of a sample.
    std::size_t largest() const;

    /// New references to the results for arguments of which those that vary have a first axis of so many samples.
    std::vector<Node*> run(std::span<Node* const> arguments, std::size_t samples) const;
    /// The same by calling the function for each sample.
    std::vector<Node*> call(const NodeFunction& function, std::span<Node* const> arguments, std::size_t samples) const;

private:
    struct Draw
    {
        std::function<Node*()> draw;
        const void* generator;
    };
    class Watcher;
    struct Value;

    Value execute(const Instruction& instruction, std::span<const Value> operands, std::size_t samples) const;
    Value draw(const Draw& draw, std::size_t samples) const;

    Recording recording_;
    std::vector<bool> varies_;  ///< one a value
    std::vector<Held> met_;     ///< arrays from nowhere: captured, or made by the function
    std::vector<Draw> draws_;   ///< in their order
    std::vector<std::pair<Generator*, Generator>> before_;
    Draws random_;
    bool complete_ = true;
    Asker asker_;
};

}
