#include <optim/schedule_factor.hpp>
#include <optim/schedule_sequence.hpp>

#include <algorithm>

namespace optim
{

using autograd::ValueError;

namespace
{

Optimizer& first_optimizer(const std::vector<AnySchedule>& schedules, Location location)
{
    if (schedules.empty())
    {
        throw ValueError("ChainedScheduler", "needs at least one schedule", location);
    }
    return schedules[0]->optimizer();
}

}

CompositeSchedule::CompositeSchedule(const char* name, Optimizer& optimizer, const std::vector<AnySchedule>& schedules,
                                     Location location)
    : Schedule(name, optimizer, location), schedules_(schedules)
{
    for (std::size_t k = 0; k < schedules_.size(); ++k)
    {
        if (&schedules_[k]->optimizer() != &optimizer)
        {
            throw ValueError(name, "schedule " + std::to_string(k + 1) + " belongs to another optimizer", location);
        }
    }
}

void CompositeSchedule::withdraw()
{
    Schedule::withdraw();
    for (const AnySchedule& schedule : schedules_)
    {
        schedule->withdraw();
    }
}

void CompositeSchedule::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    Schedule::visit_state(visitor, prefix);
    for (std::size_t k = 0; k < schedules_.size(); ++k)
    {
        schedules_[k]->visit_state(visitor, prefix + "schedulers." + std::to_string(k) + ".");
    }
}

SequentialLR::SequentialLR(Optimizer& optimizer, const std::vector<AnySchedule>& schedules, std::vector<int> milestones,
                           Location location)
    : CompositeSchedule("SequentialLR", optimizer, schedules, location), milestones_(std::move(milestones))
{
    if (schedules.size() != milestones_.size() + 1)
    {
        throw ValueError("SequentialLR",
                         "got " + std::to_string(schedules.size()) + " schedules and " +
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
    SequentialLR::restart();
}

void SequentialLR::advance()
{
    ++last_epoch_;
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch_);
    const AnySchedule& schedule = schedules()[static_cast<std::size_t>(next - milestones_.begin())];
    if (next != milestones_.begin() && *(next - 1) == last_epoch_)
    {
        schedule->restart();
    }
    else
    {
        schedule->advance();
    }
}

ChainedScheduler::ChainedScheduler(const std::vector<AnySchedule>& schedules, Location location)
    : CompositeSchedule("ChainedScheduler", first_optimizer(schedules, location), schedules, location)
{
    last_epoch_ = 0;
}

void ChainedScheduler::advance()
{
    ++last_epoch_;
    for (const AnySchedule& schedule : schedules())
    {
        schedule->advance();
    }
}

SequentialLR warm_up(AnySchedule schedule, int total_iters, double start_factor, Location location)
{
    Optimizer& optimizer = schedule->optimizer();
    LinearLR rise(optimizer, {.start_factor = start_factor, .total_iters = total_iters}, location);
    return SequentialLR(optimizer, {std::move(rise), std::move(schedule)}, {total_iters}, location);
}

}
