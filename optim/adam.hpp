#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct AdamOptions
{
    double lr = 1e-3;                            ///< learning rate, at least 0
    std::array<double, 2> betas = {0.9, 0.999};  ///< of the averages of gradients and of their squares, each in [0, 1)
    double eps = 1e-8;                           ///< added to denominators, at least 0
    double weight_decay = 0;                     ///< L2 penalty, at least 0
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

extern template class OptimizerWith<AdamOptions>;

/// Adam, by Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2014); with `amsgrad`, the variant of Reddi, Kale and
/// Kumar, "On the Convergence of Adam and Beyond" (2018). With t the number of the step:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     m = beta1 * m + (1 - beta1) * g
///     v = beta2 * v + (1 - beta2) * g^2
///     w = amsgrad ? max(w, v) : v
///     p -= lr / (1 - beta1^t) * m / (sqrt(w / (1 - beta2^t)) + eps)
///
/// m, v and w are kept as `exp_avg`, `exp_avg_sq` and `max_exp_avg_sq`.
class Adam final : public OptimizerWith<AdamOptions>
{
public:
    explicit Adam(const std::vector<Parameter>& parameters, AdamOptions options = {},
                  Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
