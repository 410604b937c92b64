#pragma once

#include <autograd/compile.hpp>
#include <autograd/plan/loop.hpp>
#include <autograd/plan/recording.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace autograd::detail
{

/// A recording made ready to be executed again and again.
///
/// What nobody reads is gone, what is computed twice is computed once, and element-wise operations of one shape are
/// gathered in loops: an operation moves to the earliest loop of its shape that runs after all its operands are there.
///
/// Effects keep their order, but for two that concern one variable only: its update by an optimizer, and forgetting its
/// gradient. They are done as early as nobody can tell the difference, so that a gradient may give its memory to the next.
class Plan
{
public:
    explicit Plan(Recording&& recording);
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan();

    /// Takes an argument for the next run, by its number.
    void take(std::size_t k, Node* argument);
    /// Gives a new reference a result. If something is thrown, nothing stays behind but what has taken effect.
    void run(std::span<Node*> results);
    /// Whether the function would still be recorded as it was.
    bool holds() const
    {
        return std::ranges::all_of(recording_.conditions, [](const auto& condition) { return condition(); });
    }

    std::size_t result_count() const noexcept { return recording_.results.size(); }

    /// What a run does, in its order.
    std::vector<PlanStep> steps() const;
    std::shared_ptr<const void> structure;  ///< of the results
    bool timed = false;
    std::size_t timed_runs = 0;

private:
    struct Step
    {
        PoolVector<const Instruction*> instructions;       ///< one, or those of a loop
        std::unique_ptr<ElementwiseProgram> program = {};  ///< of a loop or list
        std::vector<ValueId> slopes = {};                  ///< of the instructions of a loop; see `find_slopes`
        std::vector<Node*> operands = {};                  ///< kept for its memory; fixed where only the shape is read
        std::vector<std::pair<std::size_t, ValueId>> reads = {};  ///< operands that are values, by their number
        std::vector<ValueId> dead = {};                           ///< nodes that nobody needs after it
        std::vector<std::pair<const Node*, void*>> numbers = {};  ///< variables whose numbers it loads, and where to
        bool takes_input = false;  ///< whether it is the last that reads its first input, and takes that
        bool gives_output = true;  ///< whether somebody reads what it adds to
        Held last = {};            ///< the array that it gave a variable for a number that it accumulated
        double seconds = 0;
    };
    struct Result
    {
        ValueId id;
        bool leaves;  ///< whether the plan does not keep it
    };

    void remove_repetitions();
    void fold_constants();
    void arrange();
    void find_lifetimes();
    void fill_numbers();

    /// The place of a 0-d value that lists compute or read.
    void* number(ValueId id);
    /// A node of the value's shape, without elements.
    Node* shape_of(ValueId id);
    void execute(Step& step);
    void execute_load(const Step& step, const Instruction& instruction);
    void execute_accumulate(Step& step, const Instruction& instruction);
    void execute_operation(Step& step, const Instruction& instruction);
    void execute_sum(const Step& step, const Instruction& instruction);
    void release_values() noexcept;
    void release_value(ValueId id) noexcept;

    Recording recording_;
    std::vector<Step> steps_;
    Flags nodes_;  ///< which values are nodes at some time of a run
    std::vector<Result> results_;
    std::vector<ValueId> unread_;  ///< arguments
    PlanValues values_;
    PoolVector<float> floats_;
    PoolVector<double> doubles_;
    std::map<std::pair<const Shape*, DType>, Held> shapes_;  ///< nodes without elements
};

}
