#pragma once

#include <optim/optim.hpp>

#include <functional>
#include <memory>
#include <vector>

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(const std::vector<optim::Parameter>&)>;

template <class Optimizer, class Options>
MakeOptimizer with(const Options& options)
{
    return [options](const std::vector<optim::Parameter>& parameters)
    { return std::make_unique<Optimizer>(parameters, options); };
}

/// All optimizers, with options that make them keep all that they can keep. For matrices, which Muon needs.
inline std::vector<MakeOptimizer> every_optimizer()
{
    using namespace optim;
    return {
        with<ASGD>(ASGDOptions{.lr = 0.01, .lambd = 0.1, .t0 = 1, .weight_decay = 0.01}),
        with<Adadelta>(AdadeltaOptions{.weight_decay = 0.01}),
        with<Adagrad>(AdagradOptions{.lr_decay = 0.01, .weight_decay = 0.01, .initial_accumulator_value = 0.1}),
        with<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.01, .amsgrad = true}),
        with<AdamW>(AdamWOptions{.lr = 0.01, .amsgrad = true}),
        with<Adamax>(AdamaxOptions{.weight_decay = 0.01}),
        with<LBFGS>(LBFGSOptions{
            .max_iter = 3, .tolerance_change = 0, .history_size = 4, .line_search_fn = LineSearch::strong_wolfe}),
        with<Lion>(LionOptions{.lr = 0.01, .weight_decay = 0.01}),
        with<Muon>(MuonOptions{.lr = 0.01}),
        with<NAdam>(NAdamOptions{.lr = 0.01, .weight_decay = 0.01}),
        with<RAdam>(RAdamOptions{.lr = 0.01, .weight_decay = 0.01}),
        with<RMSprop>(RMSpropOptions{.lr = 0.01, .weight_decay = 0.01, .momentum = 0.5, .centered = true}),
        with<Rprop>(RpropOptions{.lr = 0.01}),
        with<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true}),
    };
}
