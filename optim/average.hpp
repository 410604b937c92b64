#pragma once

#include <optim/options.hpp>

namespace optim
{

/// Averages of weights over a training, which often do better than the last weights.
class WeightAverage
{
public:
    virtual ~WeightAverage() = default;

    /// Takes the present weights into the average; the first time they are the average.
    void update();

    /// Exchanges weights and averages: to evaluate with the averages, and once more to go on.
    /// @throws autograd::Error before the first update.
    void swap(Location location = Location::current());

    /// How often it was updated. PyTorch's name.
    std::size_t n_averaged() const noexcept { return n_averaged_; }
    /// The averages, in the order of the parameters; empty ones before the first update.
    const std::vector<std::optional<Parameter>>& averages() const noexcept { return averages_; }

    void visit_state(StateVisitor& visitor, const std::string& prefix = "");

protected:
    /// @throws autograd::ValueError if there are no parameters.
    WeightAverage(const char* name, const std::vector<Parameter>& parameters, Location location);

private:
    void update_now();
    /// What the present weights count for, after `n` updates.
    virtual double share(std::size_t n) const = 0;

    const char* name_;
    std::vector<Parameter> parameters_;
    std::vector<std::optional<Parameter>> averages_;
    std::size_t n_averaged_ = 0;
};

/// average = decay * average + (1 - decay) * weight.
class ExponentialMovingAverage final : public WeightAverage
{
public:
    /// @throws autograd::ValueError for a decay outside [0, 1), too.
    ExponentialMovingAverage(const std::vector<Parameter>& parameters, double decay,
                             Location location = Location::current());

private:
    double share(std::size_t) const override { return 1 - decay_; }
    double decay_;
};

/// The mean of the weights of all updates: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
/// Generalization" (2018). PyTorch's AveragedModel.
class StochasticWeightAverage final : public WeightAverage
{
public:
    explicit StochasticWeightAverage(const std::vector<Parameter>& parameters, Location location = Location::current());

private:
    double share(std::size_t n) const override { return 1 / static_cast<double>(n + 1); }
};

}
