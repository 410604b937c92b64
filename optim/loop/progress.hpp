#pragma once

#include <optim/loop/figure.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace optim
{

struct ProgressOptions
{
    std::size_t epochs = 1;
    std::size_t steps = 1;  ///< in an epoch: minibatches, samples, or whatever `unit` says
    std::string unit = "steps";
    std::optional<bool> terminal = {};   ///< if not given, what the stream is
    std::optional<double> seconds = {};  ///< between two showings; if not given, 0.1 on a terminal and 5 elsewhere
};

/// How far a training is: a bar that is drawn over itself on a terminal, plain lines where the output goes elsewhere.
///
///     optim::Progress progress({.epochs = 10, .steps = images.size(), .unit = "images"});
///     for (std::size_t epoch = 1; epoch <= 10; ++epoch)
///     {
///         progress.start_epoch(epoch);
///         for (...)
///             progress.update(batches.position(), {{"loss", loss}, {"accuracy", accuracy, optim::Unit::percent}});
///         progress.finish_epoch({{"loss", loss}, {"test loss", test_loss}});
///     }
class Progress
{
public:
    /// Writes to standard output.
    explicit Progress(ProgressOptions options);
    /// The stream must outlive this object.
    Progress(ProgressOptions options, std::ostream& out);

    /// Epochs count from 1. The first steps may have been done already, by a run that this one goes on from.
    void start_epoch(std::size_t epoch, std::size_t done = 0);

    /// Takes note of how many steps of the epoch are done and what they have come to, and shows it unless it did so a moment
    /// ago.
    void update(std::size_t done, const std::vector<Figure>& figures = {});

    /// Shows what the whole epoch has come to.
    void finish_epoch(const std::vector<Figure>& figures = {});

private:
    using Clock = std::chrono::steady_clock;

    std::string start_of_line() const;
    double steps_a_second() const;
    void show(const std::string& line, const char* end);

    ProgressOptions options_;
    std::ostream* out_;
    bool terminal_;
    Clock::duration interval_;
    std::size_t epoch_ = 1;
    std::size_t done_ = 0;
    std::size_t done_before_ = 0;
    Clock::time_point start_ = Clock::now();
    Clock::time_point now_ = start_;
    Clock::time_point shown_;
};

}
