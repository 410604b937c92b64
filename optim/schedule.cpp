#include <autograd/tracer.hpp>
#include <optim/schedule.hpp>

namespace optim
{

PerGroup::PerGroup(double value) : values_{value} {}

PerGroup::PerGroup(std::initializer_list<double> values) : values_(values) {}

double PerGroup::operator[](std::size_t group) const
{
    return values_.size() == 1 ? values_[0] : values_[group];
}

void PerGroup::check(const Allowed& allowed, const char* owner, const char* name, const Optimizer& optimizer,
                     Location location) const
{
    if (values_.size() != 1 && values_.size() != optimizer.group_count())
    {
        throw autograd::ValueError(owner,
                                   std::string(name) + " has " + std::to_string(values_.size()) +
                                       " numbers, but must have one, or one for each of the " +
                                       std::to_string(optimizer.group_count()) + " groups",
                                   location);
    }
    for (const double value : values_)
    {
        detail::require(allowed, owner, name, value, location);
    }
}

Schedule::Schedule(const char* name, Optimizer& optimizer, Location location)
    : name_(name), optimizer_(&optimizer), location_(location), steps_at_start_(optimizer.steps())
{
    for (std::size_t group = 0; group < optimizer.group_count(); ++group)
    {
        base_lrs_.push_back(optimizer.initial_lr(group));
    }
}

void Schedule::step(Location location)
{
    autograd::detail::act(name_, location, [=, this] { step_now(location); });
}

void Schedule::step_now(Location location)
{
    if (last_epoch_ == 0 && optimizer_->steps() == steps_at_start_)
    {
        throw autograd::Error(name_, "stepped before its optimizer, which would leave out the first learning rate",
                              location, "Call step of the optimizer first, then that of the schedule.");
    }
    location_ = location;
    advance();
}

void Schedule::advance()
{
    ++last_epoch_;
    for (std::size_t group = 0; group < base_lrs_.size(); ++group)
    {
        optimizer_->learning_rate(group) = next_lr(group);
        if (const std::optional<double> momentum = next_momentum(group))
        {
            *optimizer_->momentum(group) = *momentum;
        }
    }
}

void Schedule::restart()
{
    for (std::size_t group = 0; group < base_lrs_.size(); ++group)
    {
        optimizer_->learning_rate(group) = lr_at_start(group);
    }
    withdraw();
    advance();
}

std::vector<double> Schedule::last_lr() const
{
    std::vector<double> rates;
    for (std::size_t group = 0; group < base_lrs_.size(); ++group)
    {
        rates.push_back(lr(group));
    }
    return rates;
}

void Schedule::require_momentum() const
{
    for (std::size_t group = 0; group < optimizer_->group_count(); ++group)
    {
        if (optimizer_->momentum(group) == nullptr)
        {
            throw autograd::ValueError(name_, std::string(optimizer_->name()) + " has neither momentum nor betas",
                                       location_, "Set cycle_momentum to false.");
        }
    }
}

void Schedule::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    if (prefix.empty())
    {
        visitor.kind(name_);
    }
    double epoch = last_epoch_;
    visitor.number(prefix + "last_epoch", epoch);
    last_epoch_ = static_cast<int>(detail::integer(prefix + "last_epoch", epoch, -1, 1 << 30));
    for (std::size_t group = 0; group < base_lrs_.size(); ++group)
    {
        visitor.number(prefix + "base_lrs[" + std::to_string(group) + "]", base_lrs_[group]);
    }
}

}
