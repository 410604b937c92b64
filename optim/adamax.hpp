#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct AdamaxOptions
{
    double lr = 2e-3;                            ///< learning rate, at least 0
    std::array<double, 2> betas = {0.9, 0.999};  ///< of the averages of gradients and of their squares, each in [0, 1)
    double eps = 1e-8;                           ///< added to denominators, at least 0
    double weight_decay = 0;                     ///< L2 penalty, at least 0
    bool maximize = false;                       ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("betas", self.betas, from_0_below_1);
        visit("eps", self.eps, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<AdamaxOptions>;

/// Adam by the infinity norm: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2014), section 7. With t the
/// number of the step:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     m = beta1 * m + (1 - beta1) * g
///     u = max(beta2 * u, |g| + eps)
///     p -= lr / (1 - beta1^t) * m / u
///
/// m and u are kept as `exp_avg` and `exp_inf`.
class Adamax final : public OptimizerWith<AdamaxOptions>
{
public:
    explicit Adamax(const std::vector<Parameter>& parameters, AdamaxOptions options = {},
                    Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
