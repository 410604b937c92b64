#include <optim/adamax.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<AdamaxOptions>;

Adamax::Adamax(const std::vector<Parameter>& parameters, AdamaxOptions options, Location location)
    : OptimizerWith("Adamax", {.arrays = {"exp_avg", "exp_inf"}}, parameters, options, location)
{
}

void Adamax::update(std::size_t index)
{
    const AdamaxOptions& options = group(index);
    sweep<0, 1>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
                [&]<class T>(T, Counters& counters, bool)
                {
                    const auto [beta1, beta2] = options.betas;
                    const auto b1 = static_cast<T>(beta1);
                    const auto c1 = static_cast<T>(1 - beta1);
                    const auto b2 = static_cast<T>(beta2);
                    const auto eps = static_cast<T>(options.eps);
                    const auto lr = static_cast<T>(options.lr / (1 - std::pow(beta1, counters.step)));
                    return [=](T g, T& p, T& m, T& u)
                    {
                        m = b1 * m + c1 * g;
                        const T decayed = b2 * u;
                        const T size = std::abs(g) + eps;
                        u = decayed > size ? decayed : size;
                        p -= lr * m / u;
                    };
                });
}

}
