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
          inputs(ag::unbind(ag::pad(ag::expand_dims(sequence, 1), {{0, l - 1}, {0, l - 1}, {0, 0}})))
    {
    }

    Tensor main;
    Tensor extra;
    Tensor state;
    Tensor sequence;
    std::ptrdiff_t l;
    std::ptrdiff_t b;
    /// Each character, (l, b): for the first layer, and zeros for the others; at the end zeros, until the last layer is done.
    std::vector<Tensor> inputs;
};

/// Of all layers, (l, b).
struct Gate
{
    Tensor operator()(const Tensor& x) const { return ag::fma(x, weight, bias); }

    Tensor weight;
    Tensor bias;
};

/// Of all layers, (l, b).
struct State
{
    Tensor hidden;
    Tensor cell;
};

/// A layer needs the one below it at the same character, and itself at the one before: so all layers advance together, each
/// one character behind the one below.
class Layers
{
public:
    Layers(const Tensor& main, const Tensor& first_input, std::ptrdiff_t l, std::ptrdiff_t b)
        : parameters_(ag::reshape(main, {l, std::ptrdiff_t{2}, std::ptrdiff_t{4}, b})),
          input_weight_(ag::pad(ag::expand_dims(first_input, 0), {{0, l - 1}, {0, 0}}))
    {
    }

    State advance(const State& old, const Tensor& character) const
    {
        const Tensor below = ag::fma(character, input_weight_, ag::pad(old.hidden, {{1, -1}, {0, 0}}));
        const Tensor cell = ag::fma(ag::sigmoid(forget_(below)), old.cell,
                                    ag::sigmoid(ingate_(old.hidden)) * ag::tanh(change_(old.hidden)));
        return {ag::sigmoid(outgate_(below)) * ag::tanh(cell), cell};
    }

private:
    Gate gate(int i) const { return {ag::view(parameters_, xt::all(), 0, i), ag::view(parameters_, xt::all(), 1, i)}; }

    Tensor parameters_;
    Tensor input_weight_;  ///< of the first layer, and zeros for the others
    Gate forget_ = gate(0);
    Gate ingate_ = gate(1);
    Gate outgate_ = gate(2);
    Gate change_ = gate(3);
};

/// The hidden state of the last layer after each character but the last, (steps, b).
Tensor run_layers(const Tensor& main, const Tensor& first_input, const Problem& problem)
{
    const std::ptrdiff_t l = problem.l;
    const Layers layers(main, first_input, l, problem.b);
    const Tensor states = ag::reshape(problem.state, {l, std::ptrdiff_t{2}, problem.b});
    State state{ag::view(states, xt::all(), 0), ag::view(states, xt::all(), 1)};

    const auto steps = static_cast<std::ptrdiff_t>(problem.inputs.size()) - l;
    std::ptrdiff_t wave = 0;
    for (; wave < l - 1; ++wave)
    {
        const std::ptrdiff_t begun = wave + 1;
        const State next = layers.advance(state, problem.inputs[static_cast<std::size_t>(wave)]);
        const auto as_far = [&](const Tensor& old, const Tensor& now) {
            return ag::concatenate({ag::narrow(now, 0, 0, begun), ag::narrow(old, 0, begun, l - begun)});
        };
        state = {as_far(state.hidden, next.hidden), as_far(state.cell, next.cell)};
    }

    // The tape of a long sequence does not fit the caches: computing pieces of it a second time takes less time.
    const bool is_long = steps > 2000;
    const std::ptrdiff_t piece = is_long ? 32 : steps;
    std::vector<Tensor> outputs;
    for (const std::ptrdiff_t end = wave + steps; wave < end; wave += piece)
    {
        const std::ptrdiff_t count = std::min(piece, end - wave);
        const auto run = [layers, &problem, wave, count](const Tensor& hidden, const Tensor& cell)
        {
            State now{hidden, cell};
            std::vector<Tensor> rows;
            for (std::ptrdiff_t i = wave; i < wave + count; ++i)
            {
                now = layers.advance(now, problem.inputs[static_cast<std::size_t>(i)]);
                rows.push_back(now.hidden);
            }
            rows.push_back(now.cell);
            return ag::concatenate(rows);
        };
        const Tensor rows = is_long ? ag::recompute_grad(run)(state.hidden, state.cell) : run(state.hidden, state.cell);
        state = {ag::narrow(rows, 0, (count - 1) * l, l), ag::narrow(rows, 0, count * l, l)};
        outputs.push_back(ag::slice(rows, 0, xt::range(l - 1, count * l, l)));
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
