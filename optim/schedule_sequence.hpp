#pragma once

#include <optim/schedule.hpp>

/// Schedules of schedules.
namespace optim
{

/// One schedule after the other: each starts anew, from the first learning rate, at its milestone.
///
///     optim::SequentialLR schedule(sgd, {optim::LinearLR(sgd), optim::CosineAnnealingLR(sgd, {.T_max = 95})}, {5});
class SequentialLR final : public Schedule
{
public:
    /// @throws autograd::ValueError unless there is one milestone less than schedules, and they increase; or for a schedule
    ///         of another optimizer.
    SequentialLR(Optimizer& optimizer, std::vector<AnySchedule> schedules, std::vector<int> milestones,
                 Location location = Location::current());

    void visit_state(StateVisitor& visitor, const std::string& prefix = "") override;
    void advance() override;
    void restart() override;

private:
    double next_lr(std::size_t group) const override { return lr(group); }

    std::vector<AnySchedule> schedules_;
    std::vector<int> milestones_;
};

/// Several schedules at once: their factors multiply. PyTorch's name.
class ChainedScheduler final : public Schedule
{
public:
    /// @throws autograd::ValueError if there are none, or they belong to different optimizers.
    explicit ChainedScheduler(std::vector<AnySchedule> schedules, Location location = Location::current());

    void visit_state(StateVisitor& visitor, const std::string& prefix = "") override;
    void advance() override;
    void restart() override;
    void withdraw() override;

private:
    double next_lr(std::size_t group) const override { return lr(group); }

    std::vector<AnySchedule> schedules_;
};

/// A schedule after a warm-up: for `total_iters` epochs the learning rate rises along a line, from start_factor of its first
/// value.
SequentialLR warm_up(AnySchedule schedule, int total_iters, double start_factor = 1e-3,
                     Location location = Location::current());

}
