#include <optim/schedule_cycle.hpp>

#include <cmath>
#include <numbers>

namespace optim
{

CyclicLR::CyclicLR(Optimizer& optimizer, CyclicLROptions options, Location location)
    : Schedule("CyclicLR", optimizer, location), options_(std::move(options))
{
    require(at_least_0, "base_lr", options_.base_lr);
    require(more_than_0, "max_lr", options_.max_lr);
    require(at_least_1, "step_size_up", options_.step_size_up);
    require(at_least_1, "step_size_down", options_.step_size_down.value_or(1));
    require(at_least_0, "gamma", options_.gamma);
    if (options_.cycle_momentum)
    {
        require(at_least_0, "base_momentum", options_.base_momentum);
        require(at_least_0, "max_momentum", options_.max_momentum);
        require_momentum();
    }
    CyclicLR::advance();
}

double CyclicLR::height() const
{
    const double up = options_.step_size_up;
    const double down = options_.step_size_down.value_or(options_.step_size_up);
    const double epoch = last_epoch_;
    const double cycle = std::floor(1 + epoch / (up + down));
    const double place = 1 + epoch / (up + down) - cycle;
    const double turn = up / (up + down);
    const double share = place <= turn ? place / turn : (place - 1) / (turn - 1);
    if (options_.scale_fn)
    {
        return share * options_.scale_fn(options_.scale_by_iterations ? epoch : cycle);
    }
    switch (options_.mode)
    {
    case CyclicMode::triangular2:
        return share * std::pow(2, 1 - cycle);
    case CyclicMode::exp_range:
        return share * std::pow(options_.gamma, epoch);
    case CyclicMode::triangular:
        break;
    }
    return share;
}

double CyclicLR::next_lr(std::size_t group) const
{
    return options_.base_lr[group] + (options_.max_lr[group] - options_.base_lr[group]) * height();
}

std::optional<double> CyclicLR::next_momentum(std::size_t group) const
{
    if (!options_.cycle_momentum)
    {
        return {};
    }
    return options_.max_momentum[group] - (options_.max_momentum[group] - options_.base_momentum[group]) * height();
}

OneCycleLR::OneCycleLR(Optimizer& optimizer, OneCycleLROptions options, Location location)
    : Schedule("OneCycleLR", optimizer, location), options_(std::move(options))
{
    if (!options_.total_steps && !(options_.epochs && options_.steps_per_epoch))
    {
        throw autograd::ValueError("OneCycleLR", "needs total_steps, or epochs and steps_per_epoch", location);
    }
    if (!options_.total_steps)
    {
        require(at_least_1, "epochs", *options_.epochs);
        require(at_least_1, "steps_per_epoch", *options_.steps_per_epoch);
    }
    require(at_least_1, "total_steps",
            options_.total_steps ? *options_.total_steps : double(*options_.epochs) * *options_.steps_per_epoch);
    require(more_than_0, "max_lr", options_.max_lr);
    require(from_0_to_1, "pct_start", options_.pct_start);
    require(more_than_0, "div_factor", options_.div_factor);
    require(more_than_0, "final_div_factor", options_.final_div_factor);
    if (options_.cycle_momentum)
    {
        require(at_least_0, "base_momentum", options_.base_momentum);
        require(at_least_0, "max_momentum", options_.max_momentum);
        require_momentum();
    }
    total_ = options_.total_steps ? *options_.total_steps : *options_.epochs * *options_.steps_per_epoch;
    const double most = options_.div_factor;
    const double least = 1 / options_.final_div_factor;
    const double turn = options_.pct_start * total_ - 1;
    const double last = total_ - 1;
    phases_.push_back({turn, 1, most, true, false});
    if (options_.three_phase)
    {
        phases_.push_back({2 * options_.pct_start * total_ - 2, most, 1, false, true});
        phases_.push_back({last, 1, least, true, true});
    }
    else
    {
        phases_.push_back({last, most, least, false, true});
    }
    OneCycleLR::advance();
}

void OneCycleLR::advance()
{
    if (last_epoch_ >= total_)
    {
        throw autograd::ValueError("OneCycleLR", "was stepped more often than total_steps, " + std::to_string(total_),
                                   location());
    }
    Schedule::advance();
}

std::pair<OneCycleLR::Phase, double> OneCycleLR::phase() const
{
    double start = 0;
    std::size_t k = 0;
    for (; k + 1 < phases_.size() && last_epoch_ > phases_[k].end; ++k)
    {
        start = phases_[k].end;
    }
    const double length = phases_[k].end - start;
    const bool none = length < 1e-9;  // but for roundings, as of 0.1 * 10 - 1
    return {phases_[k], none ? 1 : (last_epoch_ - start) / length};
}

double OneCycleLR::between(double from, double to, double share) const
{
    return options_.anneal_strategy == Anneal::linear ? from + (to - from) * share
                                                      : to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double OneCycleLR::next_lr(std::size_t group) const
{
    const auto [now, share] = phase();
    return options_.max_lr[group] / options_.div_factor * between(now.lr_from, now.lr_to, share);
}

std::optional<double> OneCycleLR::next_momentum(std::size_t group) const
{
    if (!options_.cycle_momentum)
    {
        return {};
    }
    const auto [now, share] = phase();
    const double most = options_.max_momentum[group];
    const double least = options_.base_momentum[group];
    return between(now.momentum_from_max ? most : least, now.momentum_to_max ? most : least, share);
}

}
