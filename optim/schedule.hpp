#pragma once

#include <optim/optimizer.hpp>

#include <functional>
#include <initializer_list>
#include <memory>

namespace optim
{

/// A number for all groups of an optimizer, or one for each.
class PerGroup
{
public:
    PerGroup(double value);
    PerGroup(std::initializer_list<double> values);

    double operator[](std::size_t group) const;
    /// Throws ValueError if a number is not allowed, or there are neither one nor as many as groups.
    void check(const Allowed& allowed, const char* owner, const char* name, const Optimizer& optimizer,
               Location location) const;

private:
    std::vector<double> values_;
};

/// Changes the learning rates of an optimizer from epoch to epoch, or from step to step: whoever calls `step()` decides
/// what an epoch is. Names, options and formulas are PyTorch's. Most schedules are factors on the learning rate that the
/// optimizer has, so that several may act on one optimizer. Groups that are added to it later are left alone.
///
///     optim::SGD sgd({w, b}, {.lr = 0.1});
///     optim::StepLR schedule(sgd, {.step_size = 30});
///     for (int epoch = 0; epoch < 100; ++epoch)
///     {
///         train(sgd);
///         schedule.step();
///     }
class Schedule
{
public:
    virtual ~Schedule() = default;

    /// Goes to the next epoch.
    /// @throws autograd::Error if the optimizer has not made a step since the schedule was made: the first learning rate
    ///         would be left out.
    void step(Location location = Location::current());

    /// The number of the epoch, from 0.
    int last_epoch() const noexcept { return last_epoch_; }
    /// The learning rate of each group.
    std::vector<double> last_lr() const;
    /// The class, as in `StepLR`.
    const char* name() const noexcept { return name_; }
    Optimizer& optimizer() const noexcept { return *optimizer_; }

    /// Shows the counters and the first learning rates; the options are what it was made with.
    virtual void visit_state(StateVisitor& visitor, const std::string& prefix = "");

    /// What a schedule of schedules does with each.
    /// @{
    virtual void advance();                        ///< goes to the next epoch
    virtual void restart();                        ///< goes to epoch 0
    virtual void withdraw() { last_epoch_ = -1; }  ///< goes to before epoch 0, without effect
    /// @}

protected:
    Schedule(const char* name, Optimizer& optimizer, Location location);

    void require(const Allowed& allowed, const char* option, double value) const
    {
        detail::require(allowed, name_, option, value, location_);
    }
    void require(const Allowed& allowed, const char* option, const PerGroup& values) const
    {
        values.check(allowed, name_, option, *optimizer_, location_);
    }
    /// The user's line: where the schedule was made, or stepped last.
    Location location() const noexcept { return location_; }

    /// Checks that there is a momentum to change.
    void require_momentum() const;

    double base_lr(std::size_t group) const { return base_lrs_[group]; }
    double lr(std::size_t group) const { return optimizer_->learning_rate(group); }

    int last_epoch_ = -1;

private:
    void step_now(Location location);
    /// The learning rate of `last_epoch()`, from the one before; or `at_start`, from the first.
    virtual double next_lr(std::size_t group) const = 0;
    virtual double lr_at_start(std::size_t group) const { return base_lr(group); }
    virtual std::optional<double> next_momentum(std::size_t) const { return {}; }

    const char* name_;
    Optimizer* optimizer_;
    Location location_;
    std::size_t steps_at_start_;
    std::vector<double> base_lrs_;
};

/// A schedule of any kind, in a list of schedules.
class AnySchedule
{
public:
    template <std::derived_from<Schedule> S>
    AnySchedule(S schedule) : schedule_(std::make_shared<S>(std::move(schedule)))
    {
    }
    Schedule& operator*() const noexcept { return *schedule_; }
    Schedule* operator->() const noexcept { return schedule_.get(); }

private:
    std::shared_ptr<Schedule> schedule_;
};

}
