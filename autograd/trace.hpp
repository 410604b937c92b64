#pragma once

#include <autograd/error.hpp>

#include <memory>

namespace autograd
{

/// A NaN or an infinity that `trace_nonfinite` has found.
class NonfiniteError : public Error
{
    using Error::Error;
};

struct TraceOptions
{
    /// Whether to stop at infinities, too, and not at NaN only.
    bool infinities = true;
};

/// While it lives, the first operation of this thread that a tape sees give a NaN or an infinity throws NonfiniteError:
/// forward, in a gradient, or in a tangent. The text names the operation, the shapes, the element with what it was computed
/// from, and the user's line.
class [[nodiscard]] NonfiniteTrace
{
public:
    explicit NonfiniteTrace(TraceOptions options);
    NonfiniteTrace(const NonfiniteTrace&) = delete;
    NonfiniteTrace& operator=(const NonfiniteTrace&) = delete;
    ~NonfiniteTrace();

private:
    class Check;
    std::unique_ptr<Check> check_;
};

/// `const auto trace = ag::trace_nonfinite();` before the tape is opened, or after. It costs a pass over every result while
/// it lives, and nothing otherwise.
inline NonfiniteTrace trace_nonfinite(TraceOptions options = {})
{
    return NonfiniteTrace(options);
}

}
