#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct ASGDOptions
{
    double lr = 1e-2;         ///< learning rate, at least 0
    double lambd = 1e-4;      ///< of the decay of steps and weights, at least 0
    double alpha = 0.75;      ///< power of the decay of steps
    double t0 = 1e6;          ///< the step at which averaging starts
    double weight_decay = 0;  ///< L2 penalty, at least 0
    bool maximize = false;    ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("lambd", self.lambd, at_least_0);
        visit("alpha", self.alpha, any_number);
        visit("t0", self.t0, any_number);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<ASGDOptions>;

/// Averaged stochastic gradient descent, by Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992).
/// With t the number of the step, and eta = lr, mu = 1 before the first:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     p = (1 - lambd * eta) * p - eta * g
///     ax += mu * (p - ax)
///     eta = lr / (1 + lambd * lr * t)^alpha
///     mu = 1 / max(1, t - t0)
///
/// The average ax, which is the result, is kept as `ax`; eta and mu as `eta` and `mu`.
class ASGD final : public OptimizerWith<ASGDOptions>
{
public:
    explicit ASGD(const std::vector<Parameter>& parameters, ASGDOptions options = {},
                  Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
