#pragma once

#include <autograd/location.hpp>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace autograd
{

struct ProfileOptions
{
    /// How many executions are kept one by one, for `write_trace`; the sums count all.
    std::size_t most_events = 1'000'000;
};

/// Sums over all executions of one operation, or of all operations of one line.
struct ProfileRow
{
    std::string name;         ///< of the operation, or the line as file:line
    std::uint64_t calls = 0;  ///< forward
    double forward = 0;       ///< microseconds, without those of operations inside of it
    double backward = 0;      ///< of its pullbacks, likewise; or of its pushforwards
    std::uint64_t bytes = 0;  ///< of its results
};

/// Measures, while it lives, what its thread executes under a tape, forward and backward:
///
///     ag::Profiler profiler;
///     for (...) train_one_step();
///     std::cout << profiler;
///     profiler.write_trace("trace.json");  // for ui.perfetto.dev or chrome://tracing
///
/// It costs about as much as two calls of a clock for each operation.
class Profiler
{
public:
    explicit Profiler(ProfileOptions options = {});
    Profiler(const Profiler&) = delete;
    Profiler& operator=(const Profiler&) = delete;
    ~Profiler();

    /// The most expensive first.
    /// @{
    std::vector<ProfileRow> by_operation() const;
    std::vector<ProfileRow> by_line() const;
    /// @}

    /// Writes every execution in the Trace Event Format of Chrome and Perfetto.
    /// @throws FileError if the file cannot be written.
    void write_trace(const std::string& path, Location location = Location::current()) const;

private:
    class Recorder;
    std::unique_ptr<Recorder> recorder_;
};

/// Two tables: by operation and by line.
std::ostream& operator<<(std::ostream& out, const Profiler& profiler);

}
