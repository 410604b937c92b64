#include <optim/asgd.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

template class OptimizerWith<ASGDOptions>;

ASGD::ASGD(const std::vector<Parameter>& parameters, ASGDOptions options, Location location)
    : OptimizerWith("ASGD", {.numbers = {"eta", "mu"}, .arrays = {"ax"}}, parameters, options, location)
{
}

void ASGD::update(std::size_t index)
{
    const ASGDOptions& options = group(index);
    sweep<0>(index, {.maximize = options.maximize, .l2 = options.weight_decay},
             [&]<class T>(T, Counters& counters, bool)
             {
                 const bool first = counters.step == 1;
                 const double eta = first ? detail::to_single(options.lr) : counters.more[0];
                 const double mu = first ? 1 : counters.more[1];
                 const double decayed =
                     options.lr / std::pow(1 + options.lambd * options.lr * counters.step, options.alpha);
                 counters.more = {detail::to_single(decayed),
                                  detail::to_single(1 / std::max(1.0, counters.step - options.t0))};
                 return [keep = static_cast<T>(1 - options.lambd * eta), lr = static_cast<T>(eta),
                         share = static_cast<T>(mu)](T g, T& p, T& average)
                 {
                     p = keep * p - lr * g;
                     average = share == 1 ? p : average + share * (p - average);
                 };
             });
}

}
