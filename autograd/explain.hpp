#pragma once

#include <autograd/tape.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace autograd
{

/// What `explain` finds. Printed, it is a sentence, and under it the way or what broke it, a line each.
struct Explanation
{
    struct Step
    {
        std::string what;   ///< "multiply", "stop_gradient"
        Shape shape;        ///< of its result
        Location location;  ///< line 0 if none is known
    };

    bool connected = false;  ///< whether a gradient flows from the target to the source
    std::string text;        ///< the sentence
    std::vector<Step> way;   ///< from the source to the target, or as far as it leads
    std::vector<Step> cuts;  ///< where what was computed from the source left the tape
    std::string advice;      ///< what may mend it; empty if connected
};

std::ostream& operator<<(std::ostream& out, const Explanation& explanation);

namespace detail
{

struct TapeState;

Explanation explain(TapeState* tape, Node* target, Node* source);

/// Throws UnconnectedError for the source that the question calls the k-th, and says why.
[[noreturn]] void throw_unconnected(TapeState& tape, Node* target, Node* source, std::size_t k,
                                    const Question& question);

/// Why a tape, or any if null, did not record this target.
std::string why_not_recorded(const TapeState* tape, const Node& target);

}

/// Why there is, or is not, a gradient of `target` with respect to `source` on this tape: the way of recorded operations
/// from the one to the other, or where it breaks: never watched, computed without the tape or before it was opened,
/// cut by stop_gradient, used by an operation without a derivative or as a plain array, assigned to a variable. Computes
/// nothing and leaves the tape as it is; ask before a one-shot tape is used up.
template <Real T, AnyTensor S>
Explanation explain(const GradientTape& tape, const Tensor<T>& target, const S& source)
{
    return detail::explain(detail::TapeAccess::state(tape), target.node(), source.node());
}

}
