#include <optim/lion.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<LionOptions>;

Lion::Lion(const std::vector<Parameter>& parameters, LionOptions options, Location location)
    : OptimizerWith("Lion", {.arrays = {"exp_avg"}}, parameters, options, location)
{
}

void Lion::update(std::size_t index)
{
    const LionOptions& options = group(index);
    sweep<0>(index, {.maximize = options.maximize, .decoupled = options.lr * options.weight_decay},
             [&]<class T>(T, Counters&, bool)
             {
                 const auto [beta1, beta2] = options.betas;
                 const auto b1 = static_cast<T>(beta1);
                 const auto c1 = static_cast<T>(1 - beta1);
                 const auto b2 = static_cast<T>(beta2);
                 const auto c2 = static_cast<T>(1 - beta2);
                 const auto lr = static_cast<T>(options.lr);
                 return [=](T g, T& p, T& m)
                 {
                     const T direction = b1 * m + c1 * g;
                     p -= direction > 0 ? lr : direction < 0 ? -lr : T(0);
                     m = b2 * m + c2 * g;
                 };
             });
}

}
