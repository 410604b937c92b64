#include <optim/schedule_factor.hpp>
#include <optim/schedule_sequence.hpp>

#include <algorithm>

namespace optim
{

using autograd::ValueError;

namespace
{

void check(const std::vector<AnySchedule>& schedules, const Optimizer* optimizer, const char* owner, Location location)
{
    for (std::size_t k = 0; k < schedules.size(); ++k)
    {
        if (&schedules[k]->optimizer() != optimizer)
        {
            throw ValueError(owner, "schedule " + std::to_string(k + 1) + " belongs to another optimizer", location);
        }
    }
}

Optimizer& first_optimizer(const std::vector<AnySchedule>& schedules, Location location)
{
    if (schedules.empty())
    {
        throw ValueError("ChainedScheduler", "needs at least one schedule", location);
    }
    return schedules[0]->optimizer();
}

void visit_all(const std::vector<AnySchedule>& schedules, StateVisitor& visitor, const std::string& prefix)
{
    for (std::size_t k = 0; k < schedules.size(); ++k)
    {
        schedules[k]->visit_state(visitor, prefix + "schedulers." + std::to_string(k) + ".");
    }
}

}

SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<AnySchedule> schedules, std::vector<int> milestones,
                           Location location)
    : Schedule("SequentialLR", optimizer, location), schedules_(std::move(schedules)),
      milestones_(std::move(milestones))
{
    if (schedules_.size() != milestones_.size() + 1)
    {
        throw ValueError("SequentialLR",
                         "got " + std::to_string(schedules_.size()) + " schedules and " +
                             std::to_string(milestones_.size()) + " milestones, but there must be one milestone less",
                         location);
    }
    for (std::size_t k = 0; k < milestones_.size(); ++k)
    {
        if (milestones_[k] <= (k == 0 ? 0 : milestones_[k - 1]))
        {
            throw ValueError("SequentialLR",
                             "milestone " + std::to_string(k + 1) + " is " + std::to_string(milestones_[k]) +
                                 ", but they must increase from at least 1",
                             location);
        }
    }
    check(schedules_, &optimizer, "SequentialLR", location);
    SequentialLR::restart();
}

void SequentialLR::restart()
{
    for (std::size_t group = 0; group < optimizer().group_count(); ++group)
    {
        optimizer().learning_rate(group) = base_lr(group);
    }
    for (const AnySchedule& schedule : schedules_)
    {
        schedule->withdraw();
    }
    last_epoch_ = 0;
    schedules_[0]->advance();
}

void SequentialLR::advance()
{
    ++last_epoch_;
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch_);
    const AnySchedule& schedule = schedules_[static_cast<std::size_t>(next - milestones_.begin())];
    if (next != milestones_.begin() && *(next - 1) == last_epoch_)
    {
        schedule->restart();
    }
    else
    {
        schedule->advance();
    }
}

void SequentialLR::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    Schedule::visit_state(visitor, prefix);
    visit_all(schedules_, visitor, prefix);
}

ChainedScheduler::ChainedScheduler(std::vector<AnySchedule> schedules, Location location)
    : Schedule("ChainedScheduler", first_optimizer(schedules, location), location), schedules_(std::move(schedules))
{
    check(schedules_, &optimizer(), "ChainedScheduler", location);
    last_epoch_ = 0;
}

void ChainedScheduler::advance()
{
    ++last_epoch_;
    for (const AnySchedule& schedule : schedules_)
    {
        schedule->advance();
    }
}

void ChainedScheduler::restart()
{
    withdraw();
    for (std::size_t group = 0; group < optimizer().group_count(); ++group)
    {
        optimizer().learning_rate(group) = base_lr(group);
    }
    advance();
}

void ChainedScheduler::withdraw()
{
    Schedule::withdraw();
    for (const AnySchedule& schedule : schedules_)
    {
        schedule->withdraw();
    }
}

void ChainedScheduler::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    Schedule::visit_state(visitor, prefix);
    visit_all(schedules_, visitor, prefix);
}

SequentialLR warm_up(AnySchedule schedule, int total_iters, double start_factor, Location location)
{
    Optimizer& optimizer = schedule->optimizer();
    LinearLR rise(optimizer, {.start_factor = start_factor, .total_iters = total_iters}, location);
    return SequentialLR(optimizer, {std::move(rise), std::move(schedule)}, {total_iters}, location);
}

}
