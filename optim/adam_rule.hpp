#pragma once

#include <optim/sweep.hpp>

#include <cmath>

/// The formula that Adam and AdamW share.
namespace optim::detail
{

/// A rule for `Optimizer::sweep` over exp_avg and exp_avg_sq, and max_exp_avg_sq for amsgrad.
template <class Options>
auto adam_rule(const Options& options)
{
    return [&options]<class T>(T, const auto& counters, bool)
    {
        const auto [beta1, beta2] = options.betas;
        const auto b1 = static_cast<T>(beta1);
        const auto c1 = static_cast<T>(1 - beta1);
        const auto b2 = static_cast<T>(beta2);
        const auto c2 = static_cast<T>(1 - beta2);
        const auto eps = static_cast<T>(options.eps);
        const auto size = static_cast<T>(options.lr / (1 - std::pow(beta1, counters.step)));
        const auto scale = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, counters.step)));
        return [=](T g, T& p, T& m, T& v, auto&... largest)
        {
            m = b1 * m + c1 * g;
            v = b2 * v + c2 * g * g;
            T square = v;
            ((square = largest = largest < v ? v : largest), ...);
            p -= size * m / (std::sqrt(square) * scale + eps);
        };
    };
}

}
