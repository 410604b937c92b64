#include <optim/rprop.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<RpropOptions>;

Rprop::Rprop(const std::vector<Parameter>& parameters, RpropOptions options, Location location)
    : OptimizerWith("Rprop", {.arrays = {"prev", "step_size"}}, parameters, options, location)
{
}

void Rprop::update(std::size_t index)
{
    const RpropOptions& options = group(index);
    sweep<0, 1>(index, {.maximize = options.maximize},
                [&]<class T>(T, Counters&, bool)
                {
                    const auto smaller = static_cast<T>(options.etas[0]);
                    const auto larger = static_cast<T>(options.etas[1]);
                    const auto least = static_cast<T>(options.step_sizes[0]);
                    const auto most = static_cast<T>(options.step_sizes[1]);
                    return [=](T g, T& p, T& previous, T& size)
                    {
                        const T agreement = g * previous;
                        const T wanted = size * (agreement > 0 ? larger : agreement < 0 ? smaller : T(1));
                        const T enough = wanted < least ? least : wanted;
                        size = enough > most ? most : enough;
                        previous = agreement < 0 ? T(0) : g;
                        p -= previous > 0 ? size : previous < 0 ? -size : T(0);
                    };
                },
                {0, options.lr});
}

}
