#pragma once

#include <optim/schedule.hpp>

/// Schedules that multiply the learning rate: in steps, along a line, a power, or as a function says. e is the epoch.
namespace optim
{

struct StepLROptions
{
    int step_size = 0;   ///< epochs, at least 1; must be given
    double gamma = 0.1;  ///< factor, at least 0
};

/// Multiplies by gamma every step_size epochs: lr = base_lr * gamma^floor(e / step_size).
class StepLR final : public Schedule
{
public:
    StepLR(Optimizer& optimizer, StepLROptions options, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    StepLROptions options_;
};

struct MultiStepLROptions
{
    std::vector<int> milestones;  ///< epochs; one that is given twice counts twice
    double gamma = 0.1;           ///< factor, at least 0
};

/// Multiplies by gamma at each milestone.
class MultiStepLR final : public Schedule
{
public:
    MultiStepLR(Optimizer& optimizer, MultiStepLROptions options, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    MultiStepLROptions options_;
};

struct ConstantLROptions
{
    double factor = 1.0 / 3;  ///< more than 0 and at most 1
    int total_iters = 5;      ///< epochs, at least 0
};

/// Multiplies by factor until epoch total_iters, where it takes it back.
class ConstantLR final : public Schedule
{
public:
    explicit ConstantLR(Optimizer& optimizer, ConstantLROptions options = {}, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    ConstantLROptions options_;
};

struct LinearLROptions
{
    double start_factor = 1.0 / 3;  ///< more than 0 and at most 1
    double end_factor = 1;          ///< at least 0 and at most 1
    int total_iters = 5;            ///< epochs, at least 1
};

/// A factor that goes from start_factor at epoch 0 to end_factor at epoch total_iters, and stays: a warm-up, for one.
class LinearLR final : public Schedule
{
public:
    explicit LinearLR(Optimizer& optimizer, LinearLROptions options = {}, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    LinearLROptions options_;
};

struct ExponentialLROptions
{
    double gamma = 0;  ///< factor, more than 0; must be given
};

/// lr = base_lr * gamma^e.
class ExponentialLR final : public Schedule
{
public:
    ExponentialLR(Optimizer& optimizer, ExponentialLROptions options, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    ExponentialLROptions options_;
};

struct PolynomialLROptions
{
    int total_iters = 5;  ///< epochs, at least 1
    double power = 1;     ///< at least 0
};

/// lr = base_lr * (1 - min(e, total_iters) / total_iters)^power.
class PolynomialLR final : public Schedule
{
public:
    explicit PolynomialLR(Optimizer& optimizer, PolynomialLROptions options = {},
                          Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    PolynomialLROptions options_;
};

/// Gives a factor for an epoch.
using LRFunction = std::function<double(int)>;

/// lr = base_lr * f(e).
class LambdaLR final : public Schedule
{
public:
    LambdaLR(Optimizer& optimizer, LRFunction f, Location location = Location::current());
    /// One function for each group.
    LambdaLR(Optimizer& optimizer, std::vector<LRFunction> functions, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    std::vector<LRFunction> functions_;
};

/// lr = base_lr * f(1) * ... * f(e).
class MultiplicativeLR final : public Schedule
{
public:
    MultiplicativeLR(Optimizer& optimizer, LRFunction f, Location location = Location::current());
    /// One function for each group.
    MultiplicativeLR(Optimizer& optimizer, std::vector<LRFunction> functions, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    double lr_at_start(std::size_t group) const override { return lr(group); }
    std::vector<LRFunction> functions_;
};

}
