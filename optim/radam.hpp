#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct RAdamOptions
{
    double lr = 1e-3;                            ///< learning rate, at least 0
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

extern template class OptimizerWith<RAdamOptions>;

/// Adam with a rectified start, by Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2019). With t the
/// number of the step:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g^2
///     R = 2 / (1 - beta2) - 1
///     r = R - 2 t beta2^t / (1 - beta2^t)
///     a = sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r)) * sqrt(1 - beta2^t) / (sqrt(v) + eps)      1 where r <= 5
///     p -= lr / (1 - beta1^t) * a * m
///
/// m and v are kept as `exp_avg` and `exp_avg_sq`.
class RAdam final : public OptimizerWith<RAdamOptions>
{
public:
    explicit RAdam(const std::vector<Parameter>& parameters, RAdamOptions options = {},
                   Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
