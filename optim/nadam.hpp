#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct NAdamOptions
{
    double lr = 2e-3;                            ///< learning rate, at least 0
    std::array<double, 2> betas = {0.9, 0.999};  ///< of the averages of gradients and of their squares, each in [0, 1)
    double eps = 1e-8;                           ///< added to denominators, at least 0
    double weight_decay = 0;                     ///< L2 penalty, at least 0
    double momentum_decay = 4e-3;                ///< at least 0
    bool maximize = false;                       ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("betas", self.betas, from_0_below_1);
        visit("eps", self.eps, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("momentum_decay", self.momentum_decay, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<NAdamOptions>;

/// Adam with Nesterov's momentum, by Dozat, "Incorporating Nesterov Momentum into Adam" (2016). With t the number of the
/// step:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g^2
///     p -= lr * ((1 - mu_t) / (1 - mu_1 ... mu_t) * g + mu_(t+1) / (1 - mu_1 ... mu_t mu_t mu_(t+1)) * m)
///          / (sqrt(v / (1 - beta2^t)) + eps)
///
/// with mu_t twice, as PyTorch 1.13 has it. m, v and the product of all mu are kept as `exp_avg`, `exp_avg_sq` and `mu_product`.
class NAdam final : public OptimizerWith<NAdamOptions>
{
public:
    explicit NAdam(const std::vector<Parameter>& parameters, NAdamOptions options = {},
                   Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
