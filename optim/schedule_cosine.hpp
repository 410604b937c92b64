#pragma once

#include <optim/schedule.hpp>

/// Schedules along a cosine, by Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016).
namespace optim
{

struct CosineAnnealingLROptions
{
    int T_max = 0;       ///< epochs from the largest to the least learning rate, at least 1; must be given
    double eta_min = 0;  ///< the least, at least 0
};

/// lr = eta_min + (base_lr - eta_min) * (1 + cos(pi e / T_max)) / 2, as a change of the learning rate before.
class CosineAnnealingLR final : public Schedule
{
public:
    CosineAnnealingLR(Optimizer& optimizer, CosineAnnealingLROptions options, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    CosineAnnealingLROptions options_;
};

struct CosineAnnealingWarmRestartsOptions
{
    int T_0 = 0;         ///< epochs until the first restart, at least 1; must be given
    int T_mult = 1;      ///< how many times longer each period is than the one before, at least 1
    double eta_min = 0;  ///< the least learning rate, at least 0
};

/// lr = eta_min + (base_lr - eta_min) * (1 + cos(pi T_cur / T_i)) / 2, with T_cur the epochs since the last restart and T_i
/// those between two.
class CosineAnnealingWarmRestarts final : public Schedule
{
public:
    CosineAnnealingWarmRestarts(Optimizer& optimizer, CosineAnnealingWarmRestartsOptions options,
                                Location location = Location::current());

    /// Goes to an epoch, which may be between two: `schedule.step_to(epoch + batch / batches)`.
    void step_to(double epoch, Location location = Location::current());

    void visit_state(StateVisitor& visitor, const std::string& prefix = "") override;
    void advance() override;
    void withdraw() override;

private:
    double next_lr(std::size_t group) const override;
    CosineAnnealingWarmRestartsOptions options_;
    double t_cur_ = -1;
    double t_i_;
};

}
