#include <optim/adam_rule.hpp>
#include <optim/adamw.hpp>

namespace optim
{

template class OptimizerWith<AdamWOptions>;

AdamW::AdamW(const std::vector<Parameter>& parameters, AdamWOptions options, Location location)
    : OptimizerWith("AdamW", {.arrays = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}}, parameters, options, location)
{
}

void AdamW::update(std::size_t index)
{
    const AdamWOptions& options = group(index);
    const Decay decay{.maximize = options.maximize, .decoupled = options.lr * options.weight_decay};
    if (options.amsgrad)
    {
        sweep<0, 1, 2>(index, decay, detail::adam_rule(options));
    }
    else
    {
        sweep<0, 1>(index, decay, detail::adam_rule(options));
    }
}

}
