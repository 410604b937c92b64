#pragma once

#include <chrono>
#include <cstddef>

namespace samples
{

/// How far a training is: a bar that is drawn over itself on a terminal, plain lines where the output goes elsewhere.
class Progress
{
public:
    Progress(std::size_t epochs, std::size_t samples_per_epoch);

    /// Epochs count from 1.
    void start_epoch(std::size_t epoch);

    /// Takes note of what the epoch has come to, and shows it unless it did so a moment ago.
    void update(std::size_t samples, double loss, double accuracy);

    /// Shows what the whole epoch has come to, and its test.
    void finish_epoch(double test_loss, double test_accuracy);

private:
    using Clock = std::chrono::steady_clock;

    double samples_a_second() const;

    std::size_t epochs_;
    std::size_t samples_per_epoch_;
    bool terminal_;
    std::size_t epoch_ = 0;
    std::size_t samples_ = 0;
    double loss_ = 0;
    double accuracy_ = 0;
    Clock::time_point start_;
    Clock::time_point now_;
    Clock::time_point shown_ = Clock::now();
};

}
