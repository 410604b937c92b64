#include <optim/schedule_plateau.hpp>

#include <algorithm>

namespace optim
{

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options, Location location)
    : optimizer_(&optimizer), options_(std::move(options)), group_count_(optimizer.group_count()),
      steps_at_start_(optimizer.steps()),
      best_(options_.mode == Better::lower ? std::numeric_limits<double>::infinity()
                                           : -std::numeric_limits<double>::infinity())
{
    const char* const name = "ReduceLROnPlateau";
    detail::require(from_0_below_1, name, "factor", options_.factor, location);
    detail::require(at_least_0, name, "patience", double(options_.patience), location);
    detail::require(at_least_0, name, "threshold", options_.threshold, location);
    detail::require(at_least_0, name, "cooldown", double(options_.cooldown), location);
    options_.min_lr.check(at_least_0, name, "min_lr", optimizer, location);
    detail::require(at_least_0, name, "eps", options_.eps, location);
}

void ReduceLROnPlateau::step(double figure, Location location)
{
    if (last_epoch_ == 0 && optimizer_->steps() == steps_at_start_)
    {
        throw autograd::Error("ReduceLROnPlateau", "stepped before its optimizer", location,
                              "Call step of the optimizer first, then that of the schedule.");
    }
    ++last_epoch_;
    if (is_progress(figure))
    {
        best_ = figure;
        num_bad_epochs_ = 0;
    }
    else
    {
        ++num_bad_epochs_;
    }
    if (cooldown_counter_ > 0)
    {
        --cooldown_counter_;
        num_bad_epochs_ = 0;
    }
    if (num_bad_epochs_ > options_.patience)
    {
        reduce();
        cooldown_counter_ = options_.cooldown;
        num_bad_epochs_ = 0;
    }
}

bool ReduceLROnPlateau::is_progress(double figure) const
{
    const double sign = options_.mode == Better::lower ? -1 : 1;
    const double enough = options_.threshold_mode == Threshold::rel ? best_ * (1 + sign * options_.threshold)
                                                                    : best_ + sign * options_.threshold;
    return sign * figure > sign * enough;
}

void ReduceLROnPlateau::reduce()
{
    for (std::size_t group = 0; group < group_count_; ++group)
    {
        double& lr = optimizer_->learning_rate(group);
        const double reduced = std::max(lr * options_.factor, options_.min_lr[group]);
        if (lr - reduced > options_.eps)
        {
            lr = reduced;
        }
    }
}

std::vector<double> ReduceLROnPlateau::last_lr() const
{
    std::vector<double> rates;
    for (std::size_t group = 0; group < group_count_; ++group)
    {
        rates.push_back(optimizer_->learning_rate(group));
    }
    return rates;
}

void ReduceLROnPlateau::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    if (prefix.empty())
    {
        visitor.kind("ReduceLROnPlateau");
    }
    visitor.number(prefix + "best", best_);
    visitor.number(prefix + "last_epoch", last_epoch_);
    visitor.number(prefix + "num_bad_epochs", num_bad_epochs_);
    visitor.number(prefix + "cooldown_counter", cooldown_counter_);
}

}
