#include <optim/schedule_factor.hpp>

#include <algorithm>
#include <cmath>

namespace optim
{

namespace
{

/// One function for all groups, or one for each.
void check(const std::vector<LRFunction>& functions, const char* owner, const Optimizer& optimizer, Location location)
{
    if (functions.size() != 1 && functions.size() != optimizer.group_count())
    {
        throw autograd::ValueError(owner,
                                   "got " + std::to_string(functions.size()) + " functions for " +
                                       std::to_string(optimizer.group_count()) + " groups",
                                   location, "Give one, or one for each group.");
    }
    if (!std::all_of(functions.begin(), functions.end(), [](const LRFunction& f) { return f != nullptr; }))
    {
        throw autograd::ValueError(owner, "got an empty function", location);
    }
}

double call(const std::vector<LRFunction>& functions, std::size_t group, int epoch)
{
    return functions[functions.size() == 1 ? 0 : group](epoch);
}

constexpr Allowed above_0_to_1{"more than 0 and at most 1", [](double x) { return x > 0 && x <= 1; }};

}

StepLR::StepLR(Optimizer& optimizer, StepLROptions options, Location location)
    : Schedule("StepLR", optimizer, location), options_(options)
{
    require(at_least_1, "step_size", options.step_size);
    require(at_least_0, "gamma", options.gamma);
    StepLR::advance();
}

double StepLR::next_lr(std::size_t group) const
{
    const bool now = last_epoch_ != 0 && last_epoch_ % options_.step_size == 0;
    return now ? lr(group) * options_.gamma : lr(group);
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, MultiStepLROptions options, Location location)
    : Schedule("MultiStepLR", optimizer, location), options_(std::move(options))
{
    for (const int milestone : options_.milestones)
    {
        require(at_least_0, "a milestone", milestone);
    }
    require(at_least_0, "gamma", options_.gamma);
    MultiStepLR::advance();
}

double MultiStepLR::next_lr(std::size_t group) const
{
    const auto times = std::count(options_.milestones.begin(), options_.milestones.end(), last_epoch_);
    return lr(group) * std::pow(options_.gamma, static_cast<double>(times));
}

ConstantLR::ConstantLR(Optimizer& optimizer, ConstantLROptions options, Location location)
    : Schedule("ConstantLR", optimizer, location), options_(options)
{
    require(above_0_to_1, "factor", options.factor);
    require(at_least_0, "total_iters", options.total_iters);
    ConstantLR::advance();
}

double ConstantLR::next_lr(std::size_t group) const
{
    if (last_epoch_ == 0)
    {
        return lr(group) * options_.factor;
    }
    return last_epoch_ == options_.total_iters ? lr(group) / options_.factor : lr(group);
}

LinearLR::LinearLR(Optimizer& optimizer, LinearLROptions options, Location location)
    : Schedule("LinearLR", optimizer, location), options_(options)
{
    require(above_0_to_1, "start_factor", options.start_factor);
    require(from_0_to_1, "end_factor", options.end_factor);
    require(at_least_1, "total_iters", options.total_iters);
    LinearLR::advance();
}

double LinearLR::next_lr(std::size_t group) const
{
    const auto& [start, end, total] = options_;
    if (last_epoch_ == 0)
    {
        return lr(group) * start;
    }
    if (last_epoch_ > total)
    {
        return lr(group);
    }
    return lr(group) * (1 + (end - start) / (total * start + (last_epoch_ - 1) * (end - start)));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, ExponentialLROptions options, Location location)
    : Schedule("ExponentialLR", optimizer, location), options_(options)
{
    require(more_than_0, "gamma", options.gamma);
    ExponentialLR::advance();
}

double ExponentialLR::next_lr(std::size_t group) const
{
    return last_epoch_ == 0 ? lr(group) : lr(group) * options_.gamma;
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, PolynomialLROptions options, Location location)
    : Schedule("PolynomialLR", optimizer, location), options_(options)
{
    require(at_least_1, "total_iters", options.total_iters);
    require(at_least_0, "power", options.power);
    PolynomialLR::advance();
}

double PolynomialLR::next_lr(std::size_t group) const
{
    const double total = options_.total_iters;
    if (last_epoch_ == 0 || last_epoch_ > total)
    {
        return lr(group);
    }
    return lr(group) * std::pow((1 - last_epoch_ / total) / (1 - (last_epoch_ - 1) / total), options_.power);
}

LambdaLR::LambdaLR(Optimizer& optimizer, LRFunction f, Location location)
    : LambdaLR(optimizer, std::vector<LRFunction>{std::move(f)}, location)
{
}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<LRFunction> functions, Location location)
    : Schedule("LambdaLR", optimizer, location), functions_(std::move(functions))
{
    check(functions_, "LambdaLR", optimizer, location);
    LambdaLR::advance();
}

double LambdaLR::next_lr(std::size_t group) const
{
    return base_lr(group) * call(functions_, group, last_epoch_);
}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, LRFunction f, Location location)
    : MultiplicativeLR(optimizer, std::vector<LRFunction>{std::move(f)}, location)
{
}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, std::vector<LRFunction> functions, Location location)
    : Schedule("MultiplicativeLR", optimizer, location), functions_(std::move(functions))
{
    check(functions_, "MultiplicativeLR", optimizer, location);
    MultiplicativeLR::advance();
}

double MultiplicativeLR::next_lr(std::size_t group) const
{
    return last_epoch_ == 0 ? lr(group) : lr(group) * call(functions_, group, last_epoch_);
}

}
