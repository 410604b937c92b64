#pragma once

#include <autograd/location.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace autograd
{

/// The base of everything that this library throws. `what()` reads
/// `operation: what is wrong: what was received (file:line). Likely fix.`
class Error : public std::runtime_error
{
public:
    Error(std::string_view operation, std::string_view problem, Location location, std::string_view fix = {});
    explicit Error(const std::string& message) : std::runtime_error(message) {}

    /// The user's line that asked for the operation; line 0 if there is none.
    Location location() const noexcept { return location_; }

private:
    Location location_;
};

/// Shapes, ranks or axes that do not fit the operation.
class ShapeError : public Error
{
    using Error::Error;
};

/// A value that an operation or an option does not allow: a label out of range, a negative learning rate.
class ValueError : public Error
{
    using Error::Error;
};

/// A tape asked for what it cannot give: used twice, not recording, a target it has never seen.
class TapeError : public Error
{
    using Error::Error;
};

/// A source that the target does not depend on, and nobody asked for zeros.
class UnconnectedError : public TapeError
{
    using TapeError::TapeError;
};

/// A function that `compile` cannot record: it would freeze what changes from call to call.
class CompileError : public Error
{
    using Error::Error;
};

/// A file that cannot be read or written, or whose content is not what it should be.
class FileError : public Error
{
    using Error::Error;
};

/// `file:line`, with the file's last path component only.
std::string to_string(Location location);

}
