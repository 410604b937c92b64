#include <optim/sgd.hpp>
#include <optim/sweep.hpp>

namespace optim
{

template class OptimizerWith<SGDOptions>;

SGD::SGD(const std::vector<Parameter>& parameters, SGDOptions options, Location location)
    : OptimizerWith("SGD", {.arrays = {"momentum_buffer"}}, parameters, options, location)
{
}

void SGD::update(std::size_t index)
{
    const SGDOptions& options = group(index);
    const Decay decay{.maximize = options.maximize, .l2 = options.weight_decay};
    if (options.momentum == 0)
    {
        sweep<>(index, decay,
                [&]<class T>(T) { return [lr = static_cast<T>(options.lr)](T g, T& p) { p -= lr * g; }; });
        return;
    }
    sweep<0>(index, decay,
             [&]<class T>(T, Counters&, bool first)
             {
                 const auto lr = static_cast<T>(options.lr);
                 const auto keep = static_cast<T>(first ? 0 : options.momentum);
                 const auto take = static_cast<T>(first ? 1 : 1 - options.dampening);
                 const auto ahead = static_cast<T>(options.nesterov ? 1 : 0);
                 const auto along = static_cast<T>(options.nesterov ? options.momentum : 1);
                 return [=](T g, T& p, T& b)
                 {
                     b = keep * b + take * g;
                     p -= lr * (ahead * g + along * b);
                 };
             });
}

}
