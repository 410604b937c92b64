#include <optim/adagrad.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<AdagradOptions>;

Adagrad::Adagrad(const std::vector<Parameter>& parameters, AdagradOptions options, Location location)
    : OptimizerWith("Adagrad", {.arrays = {"sum"}}, parameters, options, location)
{
}

void Adagrad::update(std::size_t index)
{
    const AdagradOptions& options = group(index);
    sweep<0>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
             [&]<class T>(T, Counters& counters, bool)
             {
                 const auto lr = static_cast<T>(options.lr / (1 + (counters.step - 1) * options.lr_decay));
                 const auto eps = static_cast<T>(options.eps);
                 return [=](T g, T& p, T& sum)
                 {
                     sum += g * g;
                     p -= lr * g / (std::sqrt(sum) + eps);
                 };
             },
             {options.initial_accumulator_value});
}

}
