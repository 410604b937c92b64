#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct RMSpropOptions
{
    double lr = 1e-2;         ///< learning rate, at least 0
    double alpha = 0.99;      ///< of the averages, in [0, 1)
    double eps = 1e-8;        ///< added to denominators, at least 0
    double weight_decay = 0;  ///< L2 penalty, at least 0
    double momentum = 0;      ///< at least 0
    bool centered = false;    ///< divides by the standard deviation
    bool maximize = false;    ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("alpha", self.alpha, from_0_to_1);
        visit("eps", self.eps, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("momentum", self.momentum, at_least_0);
        visit("centered", self.centered, any_number);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<RMSpropOptions>;

/// RMSprop, by Hinton, "Neural Networks for Machine Learning", lecture 6a (2012); with `centered`, the variant of Graves,
/// "Generating Sequences With Recurrent Neural Networks" (2013):
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     v = alpha * v + (1 - alpha) * g^2
///     a = alpha * a + (1 - alpha) * g                                if centered
///     d = g / (sqrt(centered ? v - a^2 : v) + eps)
///     b = momentum * b + d                                           if momentum is not 0
///     p -= lr * (momentum != 0 ? b : d)
///
/// v, a and b are kept as `square_avg`, `grad_avg` and `momentum_buffer`.
class RMSprop final : public OptimizerWith<RMSpropOptions>
{
public:
    explicit RMSprop(const std::vector<Parameter>& parameters, RMSpropOptions options = {},
                     Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
