#include <optim/nadam.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<NAdamOptions>;

NAdam::NAdam(const std::vector<Parameter>& parameters, NAdamOptions options, Location location)
    : OptimizerWith("NAdam", {.numbers = {"mu_product"}, .arrays = {"exp_avg", "exp_avg_sq"}}, parameters, options,
                    location)
{
}

void NAdam::update(std::size_t index)
{
    const NAdamOptions& options = group(index);
    sweep<0, 1>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
                [&]<class T>(T, Counters& counters, bool)
                {
                    const auto [beta1, beta2] = options.betas;
                    const double t = counters.step;
                    double& product = counters.more[0];
                    const auto mu_at = [&, beta1 = beta1](double step)
                    { return beta1 * (1 - 0.5 * std::pow(0.96, step * options.momentum_decay)); };
                    const double mu = mu_at(t);
                    const double next_mu = mu_at(t + 1);
                    product = detail::to_single(t == 1 ? mu : product * detail::to_single(mu));
                    const auto b1 = static_cast<T>(beta1);
                    const auto c1 = static_cast<T>(1 - beta1);
                    const auto b2 = static_cast<T>(beta2);
                    const auto c2 = static_cast<T>(1 - beta2);
                    const auto eps = static_cast<T>(options.eps);
                    const auto scale = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, t)));
                    const auto along_g = static_cast<T>(options.lr * (1 - mu) / (1 - product));
                    const auto along_m = static_cast<T>(options.lr * next_mu / (1 - product * mu * next_mu));
                    return [=](T g, T& p, T& m, T& v)
                    {
                        m = b1 * m + c1 * g;
                        v = b2 * v + c2 * g * g;
                        p -= (along_g * g + along_m * m) / (std::sqrt(v) * scale + eps);
                    };
                });
}

}
