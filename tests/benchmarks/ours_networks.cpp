#include "ours.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <memory>
#include <utility>

namespace benchmarks
{

namespace
{

using Tensor = ag::Tensor<float>;
using Variable = ag::Variable<float>;

constexpr double lr = 0.01;

/// A training step of SGD on a loss of the parameters. Gradients are forgotten at its end: a plan then holds one at a time.
template <class Loss>
Workload training(const std::vector<Variable>& parameters, Loss loss)
{
    auto sgd = std::make_shared<optim::SGD>(std::vector<optim::Parameter>(parameters.begin(), parameters.end()),
                                            optim::SGDOptions{.lr = lr});
    const auto step = [=]
    {
        ag::GradientTape tape;
        auto value = loss();
        value.backward();
        sgd->step();
        sgd->zero_grad();
        return value;
    };
    const auto variant = [=](auto step)
    {
        const auto check = [=]
        {
            std::vector<Tensor> before;
            for (const Variable& parameter : parameters)
            {
                before.push_back(1.F * parameter);
            }
            double sum = step().item();
            for (std::size_t k = 0; k < before.size(); ++k)
            {
                sum += std::sqrt(ag::sum(ag::square(parameters[k] - before[k])).item()) / lr;
            }
            return sum;
        };
        return Variant{[=] { step(); }, check};
    };
    return {variant(step), variant(compiled(step))};
}

Variable weight(const std::vector<std::size_t>& shape, std::size_t inputs, unsigned seed)
{
    const std::size_t count = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
    return Variable(array(weights(count / inputs, inputs, seed), shape));
}

struct Layer
{
    Layer(std::size_t inputs, std::size_t outputs, unsigned seed)
        : weight(benchmarks::weight({outputs, inputs}, inputs, seed)), bias(benchmarks::weight({outputs}, 1, seed + 1))
    {
    }

    Tensor operator()(const Tensor& x) const { return ag::linear(x, weight, bias); }

    Variable weight, bias;
};

std::vector<Variable> parameters(const std::vector<Layer>& layers)
{
    std::vector<Variable> all;
    for (const Layer& layer : layers)
    {
        all.insert(all.end(), {layer.weight, layer.bias});
    }
    return all;
}

xt::xarray<int> digits(std::size_t count)
{
    xt::xarray<int> labels = xt::arange<int>(static_cast<int>(count));
    return labels % 10;
}

/// Layers of given widths with relu between them.
Workload classifier(const std::vector<std::size_t>& widths, std::size_t batch)
{
    std::vector<Layer> layers;
    for (std::size_t k = 0; k + 1 < widths.size(); ++k)
    {
        layers.emplace_back(widths[k], widths[k + 1], static_cast<unsigned>(3 + 2 * k));
    }
    return training(parameters(layers),
                    [=, x = Tensor(random_array<float>({batch, widths[0]}, 1, 0, 1)), labels = digits(batch)]
                    {
                        Tensor y = layers.front()(ag::constant(x));
                        for (std::size_t k = 1; k < layers.size(); ++k)
                        {
                            y = layers[k](ag::relu(y));
                        }
                        return ag::cross_entropy(y, labels);
                    });
}

struct Filters
{
    Filters(std::size_t channels, std::size_t filters, unsigned seed)
        : weight(benchmarks::weight({filters, channels, 5, 5}, channels * 25, seed)),
          bias(benchmarks::weight({filters}, 1, seed + 1))
    {
    }

    Variable weight, bias;
};

struct Gate
{
    explicit Gate(std::size_t outputs, unsigned seed)
        : input(weight({lstm_size.inputs, outputs}, lstm_size.hidden, seed)),
          hidden(weight({lstm_size.hidden, outputs}, lstm_size.hidden, seed + 1)),
          bias(weight({outputs}, lstm_size.hidden, seed + 2))
    {
    }

    Tensor operator()(const Tensor& x, const Tensor& h) const
    {
        return ag::matmul(x, input) + ag::matmul(h, hidden) + bias;
    }

    Variable input, hidden, bias;
};

/// What the gates i, f, o and the candidate g are, before their activations.
using Gates = std::array<Tensor, 4>;

/// The mean square of the last hidden state.
template <class F>
Workload recurrent(const std::vector<Variable>& parameters, F gates)
{
    std::vector<Tensor> xs;
    for (unsigned step = 0; step < lstm_size.steps; ++step)
    {
        xs.emplace_back(random_array<float>({lstm_size.batch, lstm_size.inputs}, 100 + step));
    }
    const Tensor zeros(xt::zeros<float>({lstm_size.batch, lstm_size.hidden}));
    return training(parameters,
                    [=]
                    {
                        Tensor h = ag::constant(zeros), c = h;
                        for (const Tensor& x : xs)
                        {
                            const auto [i, f, o, g] = gates(ag::constant(x), h);
                            c = ag::sigmoid(f) * c + ag::sigmoid(i) * ag::tanh(g);
                            h = ag::sigmoid(o) * ag::tanh(c);
                        }
                        return ag::mean(ag::square(h));
                    });
}

}

Workload small_network()
{
    const std::vector<Layer> layers = {{2, 16, 3}, {16, 16, 5}, {16, 1, 7}};
    return training(parameters(layers),
                    [=, x = Tensor(random_array<float>({32, 2}, 1)), y = Tensor(random_array<float>({32, 1}, 2))]
                    {
                        auto h1 = ag::tanh(layers[0](ag::constant(x)));
                        auto h2 = ag::tanh(layers[1](h1));
                        return ag::mse_loss(layers[2](h2), ag::constant(y));
                    });
}

Workload fashion_network()
{
    return classifier({784, 128, 10}, 64);
}

Workload wide_network()
{
    return classifier({784, 1024, 1024, 10}, 256);
}

Workload lenet()
{
    const Filters first(1, 6, 3), second(6, 16, 5);
    const std::vector<Layer> layers = {{400, 120, 7}, {120, 84, 9}, {84, 10, 11}};
    std::vector<Variable> all = parameters(layers);
    all.insert(all.end(), {first.weight, first.bias, second.weight, second.bias});
    return training(all,
                    [=, x = Tensor(random_array<float>({64, 1, 28, 28}, 1, 0, 1)), labels = digits(64)]
                    {
                        Tensor y = ag::max_pool2d(
                            ag::relu(ag::conv2d(ag::constant(x), first.weight, first.bias, {.padding = 2})), 2);
                        y = ag::max_pool2d(ag::relu(ag::conv2d(y, second.weight, second.bias)), 2);
                        y = ag::relu(layers[0](ag::flatten(y, 1)));
                        y = ag::relu(layers[1](y));
                        return ag::cross_entropy(layers[2](y), labels);
                    });
}

Workload lstm()
{
    std::vector<Gate> gates;
    std::vector<Variable> parameters;
    for (unsigned k = 0; k < 4; ++k)
    {
        const Gate& gate = gates.emplace_back(lstm_size.hidden, 3 * k);
        parameters.insert(parameters.end(), {gate.input, gate.hidden, gate.bias});
    }
    return recurrent(parameters,
                     [=](const Tensor& x, const Tensor& h) {
                         return Gates{gates[0](x, h), gates[1](x, h), gates[2](x, h), gates[3](x, h)};
                     });
}

Workload lstm_joined()
{
    const Gate gate(4 * lstm_size.hidden, 0);
    return recurrent(std::vector{gate.input, gate.hidden, gate.bias},
                     [=](const Tensor& x, const Tensor& h)
                     {
                         const std::vector<Tensor> parts = ag::chunk(gate(x, h), 4, 1);
                         return Gates{parts[0], parts[1], parts[2], parts[3]};
                     });
}

Workload attention_block()
{
    const auto [batch, sequence, width] = attention_block_size;
    const std::vector<Layer> layers = {{width, width, 3}, {width, width, 5}, {width, width, 7}, {width, width, 9}};
    const Tensor x(random_array<float>({batch, sequence, width}, 1)),
        t(random_array<float>({batch, sequence, width}, 2));
    return training(parameters(layers),
                    [=]
                    {
                        const Tensor in = ag::constant(x);
                        const auto y = ag::scaled_dot_product_attention(layers[0](in), layers[1](in), layers[2](in));
                        return ag::mse_loss(layers[3](y), ag::constant(t));
                    });
}

}
