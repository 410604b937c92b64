#pragma once

#include <optim/schedule.hpp>

/// Schedules up and down between two learning rates, with the momentum the other way round.
namespace optim
{

enum class CyclicMode
{
    triangular,   ///< every cycle as high
    triangular2,  ///< every cycle half as high as the one before
    exp_range     ///< the height at epoch e is gamma^e
};

struct CyclicLROptions
{
    PerGroup base_lr = 0;                    ///< the lower learning rate, at least 0; must be given
    PerGroup max_lr = 0;                     ///< the upper one, more than 0; must be given
    int step_size_up = 2000;                 ///< epochs up, at least 1
    std::optional<int> step_size_down = {};  ///< epochs down; if not given, as many
    CyclicMode mode = CyclicMode::triangular;
    double gamma = 1;                             ///< for exp_range, at least 0
    std::function<double(double)> scale_fn = {};  ///< the height of a cycle, in place of `mode`
    bool scale_by_iterations = false;  ///< whether scale_fn is given the epoch, or the number of the cycle from 1
    bool cycle_momentum = true;
    PerGroup base_momentum = 0.8;  ///< at the upper learning rate
    PerGroup max_momentum = 0.9;   ///< at the lower one
};

/// Along straight lines, by Smith, "Cyclical Learning Rates for Training Neural Networks" (2015).
class CyclicLR final : public Schedule
{
public:
    CyclicLR(Optimizer& optimizer, CyclicLROptions options, Location location = Location::current());

private:
    double next_lr(std::size_t group) const override;
    std::optional<double> next_momentum(std::size_t group) const override;
    /// From 0 at the lower learning rate to 1 at the upper one in its full height.
    double height() const;
    CyclicLROptions options_;
};

enum class Anneal
{
    cos,    ///< along half a cosine
    linear  ///< along a line
};

struct OneCycleLROptions
{
    PerGroup max_lr = 0;                  ///< more than 0; must be given
    std::optional<int> total_steps = {};  ///< steps of the cycle; if not given, epochs * steps_per_epoch
    std::optional<int> epochs = {};
    std::optional<int> steps_per_epoch = {};
    double pct_start = 0.3;  ///< the share of the steps up, at least 0 and at most 1
    Anneal anneal_strategy = Anneal::cos;
    bool cycle_momentum = true;
    PerGroup base_momentum = 0.85;  ///< at the upper learning rate
    PerGroup max_momentum = 0.95;   ///< at the lower one
    double div_factor = 25;         ///< the first learning rate is max_lr / div_factor; more than 0
    double final_div_factor = 1e4;  ///< the last is the first / final_div_factor; more than 0
    bool three_phase = false;       ///< back to the first before going to the last
};

/// One cycle for the whole training, stepped after every batch: Smith and Topin, "Super-Convergence: Very Fast Training of
/// Neural Networks Using Large Learning Rates" (2017). Stepping further than total_steps throws ValueError.
class OneCycleLR final : public Schedule
{
public:
    OneCycleLR(Optimizer& optimizer, OneCycleLROptions options, Location location = Location::current());

    void advance() override;

private:
    double next_lr(std::size_t group) const override;
    std::optional<double> next_momentum(std::size_t group) const override;

    /// A part of the cycle: the learning rate goes from one end to the other until `end`.
    struct Phase
    {
        double end;
        double lr_from;  ///< in units of the first, as `lr_to`
        double lr_to;
        bool momentum_from_max;
        bool momentum_to_max;
    };
    /// The present phase, and how much of it is over.
    std::pair<Phase, double> phase() const;
    double between(double from, double to, double share) const;

    OneCycleLROptions options_;
    std::vector<Phase> phases_;
    int total_ = 0;
};

}
