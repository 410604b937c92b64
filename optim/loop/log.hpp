#pragma once

#include <optim/loop/figure.hpp>

#include <autograd/location.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Files that grow by a line for each epoch or step.
namespace optim
{

using autograd::Location;

class StateVisitor;

namespace detail
{

/// A file to which lines are appended, from the start or from where a state says.
class Lines
{
public:
    explicit Lines(std::string path) : path_(std::move(path)) {}

    /// Cuts off, the first time, what a run that was ended has written after its last state; without a state, everything.
    /// Returns whether the file is empty.
    bool open(const char* operation, Location location);
    /// Appends a line, which is in the file when this returns.
    void append(const char* operation, const std::string& line, Location location);

    const std::string& path() const noexcept { return path_; }
    void visit_state(StateVisitor& visitor);

private:
    std::string path_;
    std::uint64_t size_ = 0;
    bool opened_ = false;
};

}

/// A table with a column for each figure and a line for each call. Numbers are written so that they are read back
/// exactly. A new log replaces the file; one that is part of a state goes on with it where the state was saved.
///
///     optim::CsvLog log("log.csv");
///     log.write({{"epoch", 1}, {"loss", 0.5}});
class CsvLog
{
public:
    explicit CsvLog(std::string path) : lines_(std::move(path)) {}

    /// @throws autograd::ValueError if the names are not those of the first line; autograd::FileError if it cannot be written.
    void write(const std::vector<Figure>& figures, Location location = Location::current());

    void visit_state(StateVisitor& visitor);

private:
    detail::Lines lines_;
    std::string columns_;
};

/// The same as JSON Lines: each line an object such as {"epoch":1,"loss":0.5}, with any figures. NaN and infinities, for
/// which JSON has no numbers, are null.
class JsonLog
{
public:
    explicit JsonLog(std::string path) : lines_(std::move(path)) {}

    /// @throws autograd::FileError if it cannot be written.
    void write(const std::vector<Figure>& figures, Location location = Location::current());

    void visit_state(StateVisitor& visitor) { lines_.visit_state(visitor); }

private:
    detail::Lines lines_;
};

}
