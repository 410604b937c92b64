#include <optim/adadelta.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<AdadeltaOptions>;

Adadelta::Adadelta(const std::vector<Parameter>& parameters, AdadeltaOptions options, Location location)
    : OptimizerWith("Adadelta", {.arrays = {"square_avg", "acc_delta"}}, parameters, options, location)
{
}

void Adadelta::update(std::size_t index)
{
    const AdadeltaOptions& options = group(index);
    sweep<0, 1>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
                [&]<class T>(T, Counters&, bool)
                {
                    const auto lr = static_cast<T>(options.lr);
                    const auto keep = static_cast<T>(options.rho);
                    const auto take = static_cast<T>(1 - options.rho);
                    const auto eps = static_cast<T>(options.eps);
                    return [=](T g, T& p, T& v, T& u)
                    {
                        v = keep * v + take * g * g;
                        const T d = std::sqrt(u + eps) / std::sqrt(v + eps) * g;
                        u = keep * u + take * d * d;
                        p -= lr * d;
                    };
                });
}

}
