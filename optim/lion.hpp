#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct LionOptions
{
    double lr = 1e-4;                           ///< learning rate, at least 0
    std::array<double, 2> betas = {0.9, 0.99};  ///< of the direction and of the average, each in [0, 1)
    double weight_decay = 0;                    ///< decoupled from the gradient, at least 0
    bool maximize = false;                      ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("betas", self.betas, from_0_below_1);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<LionOptions>;

/// Lion, by Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023): every element moves by lr.
///
///     g = maximize ? -grad : grad
///     p = (1 - lr * weight_decay) * p - lr * sign(beta1 * m + (1 - beta1) * g)
///     m = beta2 * m + (1 - beta2) * g
///
/// m is kept as `exp_avg`.
class Lion final : public OptimizerWith<LionOptions>
{
public:
    explicit Lion(const std::vector<Parameter>& parameters, LionOptions options = {},
                  Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
