#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct AdagradOptions
{
    double lr = 1e-2;                      ///< learning rate, at least 0
    double lr_decay = 0;                   ///< at least 0
    double weight_decay = 0;               ///< L2 penalty, at least 0
    double initial_accumulator_value = 0;  ///< at least 0
    double eps = 1e-10;                    ///< added to denominators, at least 0
    bool maximize = false;                 ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("lr_decay", self.lr_decay, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("initial_accumulator_value", self.initial_accumulator_value, at_least_0);
        visit("eps", self.eps, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<AdagradOptions>;

/// Adagrad, by Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization" (2011).
/// With t the number of the step:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     s += g^2                                                       from initial_accumulator_value
///     p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)
///
/// s is kept as `sum`.
class Adagrad final : public OptimizerWith<AdagradOptions>
{
public:
    explicit Adagrad(const std::vector<Parameter>& parameters, AdagradOptions options = {},
                     Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
