#include <optim/radam.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<RAdamOptions>;

RAdam::RAdam(const std::vector<Parameter>& parameters, RAdamOptions options, Location location)
    : OptimizerWith("RAdam", {.arrays = {"exp_avg", "exp_avg_sq"}}, parameters, options, location)
{
}

void RAdam::update(std::size_t index)
{
    const RAdamOptions& options = group(index);
    sweep<0, 1>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
                [&]<class T>(T, Counters& counters, bool)
                {
                    const auto [beta1, beta2] = options.betas;
                    const double t = counters.step;
                    const double correction = 1 - std::pow(beta2, t);
                    const double most = 2 / (1 - beta2) - 1;
                    const double rho = most - 2 * t * std::pow(beta2, t) / correction;
                    const double rectified =
                        std::sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho) * correction);
                    const auto b1 = static_cast<T>(beta1);
                    const auto c1 = static_cast<T>(1 - beta1);
                    const auto b2 = static_cast<T>(beta2);
                    const auto c2 = static_cast<T>(1 - beta2);
                    const double lr = options.lr / (1 - std::pow(beta1, t));
                    // Where v is not to be trusted yet, a denominator of 1.
                    const bool adaptive = rho > 5;
                    const auto size = static_cast<T>(adaptive ? lr * rectified : lr);
                    const auto share = static_cast<T>(adaptive ? 1 : 0);
                    const auto rest = static_cast<T>(adaptive ? options.eps : 1);
                    return [=](T g, T& p, T& m, T& v)
                    {
                        m = b1 * m + c1 * g;
                        v = b2 * v + c2 * g * g;
                        p -= size * m / (share * std::sqrt(v) + rest);
                    };
                });
}

}
