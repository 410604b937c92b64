#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct AdamWOptions
{
    double lr = 1e-3;                            ///< learning rate, at least 0
    std::array<double, 2> betas = {0.9, 0.999};  ///< of the averages of gradients and of their squares, each in [0, 1)
    double eps = 1e-8;                           ///< added to denominators, at least 0
    double weight_decay = 1e-2;                  ///< decoupled from the gradient, at least 0
    bool amsgrad = false;                        ///< divides by the largest v so far
    bool maximize = false;                       ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("betas", self.betas, from_0_below_1);
        visit("eps", self.eps, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("amsgrad", self.amsgrad, any_number);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<AdamWOptions>;

/// Adam with weight decay that does not pass through the averages, by Loshchilov and Hutter, "Decoupled Weight Decay
/// Regularization" (2017):
///
///     p *= 1 - lr * weight_decay
///
/// and then as `Adam` without weight decay. It keeps what Adam keeps.
class AdamW final : public OptimizerWith<AdamWOptions>
{
public:
    explicit AdamW(const std::vector<Parameter>& parameters, AdamWOptions options = {},
                   Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
