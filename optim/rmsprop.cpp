#include <optim/rmsprop.hpp>
#include <optim/sweep.hpp>

#include <cmath>

namespace optim
{

namespace
{

template <class T>
struct Formula
{
    T keep;
    T take;
    T eps;
    T lr;
    T momentum;

    T scaled(T g, T& v) const
    {
        v = keep * v + take * g * g;
        return g / (std::sqrt(v) + eps);
    }
    T scaled(T g, T& v, T& a) const
    {
        v = keep * v + take * g * g;
        a = keep * a + take * g;
        return g / (std::sqrt(v - a * a) + eps);
    }
    T gathered(T d, T& b) const { return b = momentum * b + d; }
};

}

template class OptimizerWith<RMSpropOptions>;

RMSprop::RMSprop(const std::vector<Parameter>& parameters, RMSpropOptions options, Location location)
    : OptimizerWith("RMSprop", {.arrays = {"square_avg", "grad_avg", "momentum_buffer"}}, parameters, options, location)
{
}

void RMSprop::update(std::size_t index)
{
    const RMSpropOptions& options = group(index);
    const Decay decay{.maximize = options.maximize, .l2 = options.weight_decay};
    const auto formula = [&]<class T>(T)
    {
        return Formula<T>{static_cast<T>(options.alpha), static_cast<T>(1 - options.alpha), static_cast<T>(options.eps),
                          static_cast<T>(options.lr), static_cast<T>(options.momentum)};
    };
    if (options.centered && options.momentum != 0)
    {
        sweep<0, 1, 2>(index, decay,
                       [&]<class T>(T, Counters&, bool) {
                           return [f = formula(T())](T g, T& p, T& v, T& a, T& b)
                           { p -= f.lr * f.gathered(f.scaled(g, v, a), b); };
                       });
    }
    else if (options.centered)
    {
        sweep<0, 1>(index, decay,
                    [&]<class T>(T, Counters&, bool)
                    { return [f = formula(T())](T g, T& p, T& v, T& a) { p -= f.lr * f.scaled(g, v, a); }; });
    }
    else if (options.momentum != 0)
    {
        sweep<0, 2>(index, decay,
                    [&]<class T>(T, Counters&, bool) {
                        return [f = formula(T())](T g, T& p, T& v, T& b) { p -= f.lr * f.gathered(f.scaled(g, v), b); };
                    });
    }
    else
    {
        sweep<0>(index, decay,
                 [&]<class T>(T, Counters&, bool)
                 { return [f = formula(T())](T g, T& p, T& v) { p -= f.lr * f.scaled(g, v); }; });
    }
}

}
