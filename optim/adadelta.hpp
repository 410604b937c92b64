#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct AdadeltaOptions
{
    double lr = 1.0;          ///< learning rate, at least 0
    double rho = 0.9;         ///< of the averages, at least 0 and at most 1
    double eps = 1e-6;        ///< added to denominators, at least 0
    double weight_decay = 0;  ///< L2 penalty, at least 0
    bool maximize = false;    ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("rho", self.rho, from_0_to_1);
        visit("eps", self.eps, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<AdadeltaOptions>;

/// Adadelta, by Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012):
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     v = rho * v + (1 - rho) * g^2
///     d = sqrt(u + eps) / sqrt(v + eps) * g
///     u = rho * u + (1 - rho) * d^2
///     p -= lr * d
///
/// v and u are kept as `square_avg` and `acc_delta`.
class Adadelta final : public OptimizerWith<AdadeltaOptions>
{
public:
    explicit Adadelta(const std::vector<Parameter>& parameters, AdadeltaOptions options = {},
                      Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
