#include <optim/adam.hpp>
#include <optim/adam_rule.hpp>

namespace optim
{

template class OptimizerWith<AdamOptions>;

Adam::Adam(const std::vector<Parameter>& parameters, AdamOptions options, Location location)
    : OptimizerWith("Adam", {.arrays = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}}, parameters, options, location)
{
}

void Adam::update(std::size_t index)
{
    const AdamOptions& options = group(index);
    const Decay decay{.maximize = options.maximize, .l2 = options.weight_decay};
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
