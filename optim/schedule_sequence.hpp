#pragma once

#include <optim/schedule.hpp>

/// Schedules of schedules.
namespace optim
{

/// What schedules that are made of others have in common.
class CompositeSchedule : public Schedule
{
public:
    void visit_state(StateVisitor& visitor, const std::string& prefix = "") override;
    void withdraw() override;

protected:
    /// @throws autograd::ValueError for a schedule of another optimizer.
    CompositeSchedule(const char* name, Optimizer& optimizer, const std::vector<AnySchedule>& schedules,
                      Location location);

    const std::vector<AnySchedule>& schedules() const noexcept { return schedules_; }

private:
    double next_lr(std::size_t group) const override { return lr(group); }

    std::vector<AnySchedule> schedules_;
};

/// One schedule after the other: each starts anew, from the first learning rate, at its milestone; a
/// MultiplicativeLR, as in PyTorch, from the present one.
///
///     optim::SequentialLR schedule(sgd, {optim::LinearLR(sgd), optim::CosineAnnealingLR(sgd, {.T_max = 95})}, {5});
class SequentialLR final : public CompositeSchedule
{
public:
    /// @throws autograd::ValueError unless there is one milestone less than schedules, and they increase; or for a schedule
    ///         of another optimizer.
    SequentialLR(Optimizer& optimizer, const std::vector<AnySchedule>& schedules, std::vector<int> milestones,
                 Location location = Location::current());

    void advance() override;

private:
    std::vector<int> milestones_;
};

/// Several schedules at once: their factors multiply. PyTorch's name.
class ChainedScheduler final : public CompositeSchedule
{
public:
    /// @throws autograd::ValueError if there are none, or they belong to different optimizers.
    explicit ChainedScheduler(const std::vector<AnySchedule>& schedules, Location location = Location::current());

    void advance() override;
};

/// A schedule after a warm-up: for `total_iters` epochs the learning rate rises along a line, from start_factor of its first
/// value.
SequentialLR warm_up(AnySchedule schedule, int total_iters, double start_factor = 1e-3,
                     Location location = Location::current());

}
