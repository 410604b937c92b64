// The loss of l layers of LSTM cells with diagonal weights, b bits wide, which predict each character of a sequence from
// those before it; and its gradient by the layers' parameters and by those of the first input and the last output.

#include "program.hpp"

#include <algorithm>

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

struct Problem
{
    explicit Problem(const gradbench::Input& input)
        : main(input["main_params"].array()), extra(input["extra_params"].array()), state(input["state"].array()),
          sequence(input["sequence"].array()), l(static_cast<std::ptrdiff_t>(main.shape(0) / 2)),
          b(static_cast<std::ptrdiff_t>(extra.shape(1))),
          inputs(ag::unbind(ag::pad(ag::expand_dims(sequence, 1), {{0, 0}, {0, l - 1}, {0, 0}})))
    {
    }

    Tensor main;
    Tensor extra;
    Tensor state;
    Tensor sequence;
    std::ptrdiff_t l;
    std::ptrdiff_t b;
    std::vector<Tensor> inputs;  ///< each character, (l, b): for the first layer, and zeros for the others
};

/// Of all layers, (l, b).
struct Gate
{
    Tensor operator()(const Tensor& x) const { return ag::fma(x, weight, bias); }

    Tensor weight;
    Tensor bias;
};

/// The hidden state of the last layer after each character but the last, (steps, b).
///
/// A layer needs the one below it at the same character, and itself at the one before: so all layers advance together, each
/// one character behind the one below.
Tensor run_layers(const Tensor& main, const Tensor& input_weight, const Problem& problem)
{
    const std::ptrdiff_t l = problem.l;
    const Tensor parameters = ag::reshape(main, {l, std::ptrdiff_t{2}, std::ptrdiff_t{4}, problem.b});
    const auto gate = [&](int i) {
        return Gate{ag::view(parameters, xt::all(), 0, i), ag::view(parameters, xt::all(), 1, i)};
    };
    const Gate forget = gate(0), ingate = gate(1), outgate = gate(2), change = gate(3);
    const Tensor state = ag::reshape(problem.state, {l, std::ptrdiff_t{2}, problem.b});
    Tensor hidden = ag::view(state, xt::all(), 0);
    Tensor cell = ag::view(state, xt::all(), 1);

    const auto steps = static_cast<std::ptrdiff_t>(problem.inputs.size()) - 1;
    std::vector<Tensor> outputs;
    for (std::ptrdiff_t wave = 0; wave < steps + l - 1; ++wave)
    {
        const Tensor& character = problem.inputs[static_cast<std::size_t>(std::min(wave, steps))];
        const Tensor below = ag::fma(character, input_weight, ag::pad(hidden, {{1, -1}, {0, 0}}));
        const Tensor new_cell =
            ag::fma(ag::sigmoid(forget(below)), cell, ag::sigmoid(ingate(hidden)) * ag::tanh(change(hidden)));
        const Tensor new_hidden = ag::sigmoid(outgate(below)) * ag::tanh(new_cell);
        if (const std::ptrdiff_t begun = wave + 1; begun < l)
        {
            const auto advance = [&](const Tensor& old, const Tensor& now) {
                return ag::concatenate({ag::narrow(now, 0, 0, begun), ag::narrow(old, 0, begun, l - begun)});
            };
            cell = advance(cell, new_cell);
            hidden = advance(hidden, new_hidden);
        }
        else
        {
            cell = new_cell;
            hidden = new_hidden;
            outputs.push_back(ag::narrow(hidden, 0, l - 1, 1));
        }
    }
    return ag::concatenate(outputs);
}

Tensor objective(const Tensor& main, const Tensor& extra, const Problem& problem)
{
    const std::vector<Tensor> of_extra = ag::unbind(extra);
    const Tensor output = run_layers(main, of_extra[0], problem);
    const Tensor predicted = ag::fma(output, of_extra[1], of_extra[2]);
    const Tensor normalizer = ag::log(ag::sum(ag::exp(predicted), 1, ag::keep_dims) + 2);
    return -ag::mean(ag::slice(problem.sequence, 0, xt::range(1, xt::placeholders::_)) * (predicted - normalizer));
}

Tensor gradient(const Problem& problem)
{
    ag::GradientTape tape;
    tape.watch(problem.main);
    tape.watch(problem.extra);
    const auto [main, extra] =
        tape.gradient(objective(problem.main, problem.extra, problem), problem.main, problem.extra);
    return ag::concatenate({ag::flatten(main), ag::flatten(extra)});
}

}

int main(int argc, char** argv)
{
    return gradbench::run(
        argc, argv,
        {{"objective", [](const gradbench::Input& input)
          { return [problem = Problem(input)] { return objective(problem.main, problem.extra, problem); }; }},
         {"jacobian",
          [](const gradbench::Input& input) { return [problem = Problem(input)] { return gradient(problem); }; }}});
}
