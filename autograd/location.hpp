#pragma once

namespace autograd
{

/// A line of the user's program. Every operation takes one as a defaulted last argument (operators: through the
/// conversion of their right-hand operand), so that errors, profiles and drawings can name it.
struct Location
{
    const char* file = "";
    unsigned line = 0;

    /// The line of the caller, when used as a default argument.
    static constexpr Location current(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) noexcept
    {
        return {file, line};
    }
};

}
