#include <optim/schedule_cosine.hpp>

#include <cmath>
#include <numbers>

namespace optim
{

using std::numbers::pi;

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, CosineAnnealingLROptions options, Location location)
    : Schedule("CosineAnnealingLR", optimizer, location), options_(options)
{
    require(at_least_1, "T_max", options.T_max);
    require(at_least_0, "eta_min", options.eta_min);
    CosineAnnealingLR::advance();
}

double CosineAnnealingLR::next_lr(std::size_t group) const
{
    const double period = options_.T_max;
    const double least = options_.eta_min;
    const double epoch = last_epoch_;
    if (last_epoch_ == 0)
    {
        return lr(group);
    }
    if ((last_epoch_ - 1 - options_.T_max) % (2 * options_.T_max) == 0)
    {
        return lr(group) + (base_lr(group) - least) * (1 - std::cos(pi / period)) / 2;
    }
    return (1 + std::cos(pi * epoch / period)) / (1 + std::cos(pi * (epoch - 1) / period)) * (lr(group) - least) +
           least;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer,
                                                         CosineAnnealingWarmRestartsOptions options, Location location)
    : Schedule("CosineAnnealingWarmRestarts", optimizer, location), options_(options), t_i_(options.T_0)
{
    require(at_least_1, "T_0", options.T_0);
    require(at_least_1, "T_mult", options.T_mult);
    require(at_least_0, "eta_min", options.eta_min);
    CosineAnnealingWarmRestarts::advance();
}

void CosineAnnealingWarmRestarts::advance()
{
    t_cur_ += 1;
    if (t_cur_ >= t_i_)
    {
        t_cur_ -= t_i_;
        t_i_ *= options_.T_mult;
    }
    Schedule::advance();
}

void CosineAnnealingWarmRestarts::withdraw()
{
    Schedule::withdraw();
    t_cur_ = -1;
    t_i_ = options_.T_0;
}

void CosineAnnealingWarmRestarts::step_to(double epoch, Location location)
{
    constexpr Allowed epochs{"at least 0 and at most 1000000000", [](double x) { return x >= 0 && x <= 1e9; }};
    detail::require(epochs, name(), "epoch", epoch, location);
    t_i_ = options_.T_0;
    t_cur_ = options_.T_mult == 1 ? std::fmod(epoch, t_i_) : epoch;
    while (t_cur_ >= t_i_)
    {
        t_cur_ -= t_i_;
        t_i_ *= options_.T_mult;
    }
    last_epoch_ = static_cast<int>(epoch) - 1;
    Schedule::advance();
}

double CosineAnnealingWarmRestarts::next_lr(std::size_t group) const
{
    return options_.eta_min + (base_lr(group) - options_.eta_min) * (1 + std::cos(pi * t_cur_ / t_i_)) / 2;
}

void CosineAnnealingWarmRestarts::visit_state(StateVisitor& visitor, const std::string& prefix)
{
    Schedule::visit_state(visitor, prefix);
    visitor.number(prefix + "T_cur", t_cur_);
    visitor.number(prefix + "T_i", t_i_);
}

}
