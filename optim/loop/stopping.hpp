#pragma once

#include <autograd/location.hpp>

#include <chrono>
#include <cstdint>

/// When a loop has gone on for long enough.
namespace optim
{

using autograd::Location;

class StateVisitor;

enum class Better
{
    lower,
    higher
};

struct EarlyStoppingOptions
{
    std::uint64_t patience = 5;     ///< after so many figures in a row that are no better than the best, at least 1
    double min_delta = 0;           ///< by which one must be better than the best to count
    Better better = Better::lower;  ///< such as a loss; an accuracy is better the higher it is
};

/// Stops when a figure of the validation has not become better for a while.
///
///     optim::EarlyStopping stopping({.patience = 5});
///     for (; epoch < 100 && !stopping; ++epoch)
///     {
///         ...
///         if (stopping.update(validation_loss))
///             best.keep();
///     }
class EarlyStopping
{
public:
    /// @throws autograd::ValueError for options out of range.
    explicit EarlyStopping(EarlyStoppingOptions options = {}, Location location = Location::current());

    /// Takes note of a figure; returns whether it is the best so far. NaN never is.
    bool update(double figure);

    /// Whether the loop should end.
    explicit operator bool() const noexcept { return since_best_ >= options_.patience; }

    /// The best figure so far; the worst possible before the first.
    double best() const noexcept { return best_; }
    /// How many figures have followed it.
    std::uint64_t since_best() const noexcept { return since_best_; }

    void visit_state(StateVisitor& visitor);

private:
    EarlyStoppingOptions options_;
    double best_;
    std::uint64_t since_best_ = 0;
};

/// A limit to the time that a program takes, from when it is made: `optim::TimeLimit limit(std::chrono::hours(2))`, then
/// `while (!limit)`.
class TimeLimit
{
public:
    explicit TimeLimit(std::chrono::duration<double> limit) : limit_(limit) {}

    explicit operator bool() const;

    std::chrono::duration<double> elapsed() const;

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::duration<double> limit_;
};

}
