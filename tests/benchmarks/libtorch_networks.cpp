#include "libtorch.hpp"

#include <array>

namespace benchmarks
{

namespace with_libtorch
{

namespace
{

namespace nn = torch::nn;
using Tensors = std::vector<torch::Tensor>;

constexpr double lr = 0.01;

/// A training step of SGD on a loss of the parameters.
template <class Loss>
Workload training(const Tensors& parameters, Loss loss)
{
    auto sgd = std::make_shared<torch::optim::SGD>(parameters, torch::optim::SGDOptions(lr));
    auto step = [=]() mutable
    {
        torch::Tensor value = loss();
        value.backward();
        sgd->step();
        sgd->zero_grad();
        return value;
    };
    const auto check = [=]() mutable
    {
        Tensors before;
        for (const torch::Tensor& parameter : parameters)
        {
            before.push_back(parameter.detach().clone());
        }
        double sum = step().template item<double>();
        for (std::size_t k = 0; k < before.size(); ++k)
        {
            sum += (parameters[k].detach() - before[k]).norm().template item<double>() / lr;
        }
        return sum;
    };
    return {{[=]() mutable { step(); }, check}};
}

/// A layer with given weights.
template <class Module>
Module with_weights(Module layer, unsigned seed)
{
    torch::NoGradGuard no_grad;
    const auto outputs = static_cast<std::size_t>(layer->weight.size(0));
    const auto inputs = static_cast<std::size_t>(layer->weight.numel()) / outputs;
    layer->weight.copy_(tensor(weights(outputs, inputs, seed), layer->weight.sizes()));
    layer->bias.copy_(tensor(weights(outputs, 1, seed + 1), layer->bias.sizes()));
    return layer;
}

nn::Linear linear(std::size_t inputs, std::size_t outputs, unsigned seed)
{
    return with_weights(nn::Linear(static_cast<std::int64_t>(inputs), static_cast<std::int64_t>(outputs)), seed);
}

torch::Tensor digits(std::int64_t count)
{
    return torch::arange(count).remainder(10);
}

/// Layers of given widths with relu between them.
Workload classifier(const std::vector<std::size_t>& widths, std::int64_t batch)
{
    const auto x = random_tensor<float>({batch, static_cast<std::int64_t>(widths[0])}, 1, 0, 1);
    const auto labels = digits(batch);
    nn::Sequential network;
    for (std::size_t k = 0; k + 1 < widths.size(); ++k)
    {
        if (k > 0)
        {
            network->push_back(nn::ReLU());
        }
        network->push_back(linear(widths[k], widths[k + 1], static_cast<unsigned>(3 + 2 * k)));
    }
    return training(network->parameters(),
                    [=]() mutable { return nn::functional::cross_entropy(network->forward(x), labels); });
}

torch::Tensor weight(torch::IntArrayRef shape, std::size_t inputs, unsigned seed)
{
    const auto count = static_cast<std::size_t>(c10::multiply_integers(shape));
    return tensor(weights(count / inputs, inputs, seed), shape).requires_grad_();
}

constexpr auto batch = static_cast<std::int64_t>(lstm_size.batch);
constexpr auto inputs = static_cast<std::int64_t>(lstm_size.inputs);
constexpr auto hidden = static_cast<std::int64_t>(lstm_size.hidden);

struct Gate
{
    explicit Gate(std::int64_t outputs, unsigned seed)
        : input(weight({inputs, outputs}, lstm_size.hidden, seed)),
          hidden(weight({with_libtorch::hidden, outputs}, lstm_size.hidden, seed + 1)),
          bias(weight({outputs}, lstm_size.hidden, seed + 2))
    {
    }

    torch::Tensor operator()(const torch::Tensor& x, const torch::Tensor& h) const
    {
        return torch::matmul(x, input) + torch::matmul(h, hidden) + bias;
    }

    torch::Tensor input, hidden, bias;
};

/// What the gates i, f, o and the candidate g are, before their activations.
using Gates = std::array<torch::Tensor, 4>;

/// The mean square of the last hidden state.
template <class F>
Workload recurrent(const Tensors& parameters, F gates)
{
    Tensors xs;
    for (unsigned step = 0; step < lstm_size.steps; ++step)
    {
        xs.push_back(random_tensor<float>({batch, inputs}, 100 + step));
    }
    const auto zeros = torch::zeros({batch, hidden});
    return training(parameters,
                    [=]
                    {
                        torch::Tensor h = zeros, c = zeros;
                        for (const torch::Tensor& x : xs)
                        {
                            const auto [i, f, o, g] = gates(x, h);
                            c = torch::sigmoid(f) * c + torch::sigmoid(i) * torch::tanh(g);
                            h = torch::sigmoid(o) * torch::tanh(c);
                        }
                        return torch::mean(torch::square(h));
                    });
}

}

Workload small_network()
{
    const auto x = random_tensor<float>({32, 2}, 1);
    const auto y = random_tensor<float>({32, 1}, 2);
    nn::Sequential network(linear(2, 16, 3), nn::Tanh(), linear(16, 16, 5), nn::Tanh(), linear(16, 1, 7));
    return training(network->parameters(), [=]() mutable { return torch::mse_loss(network->forward(x), y); });
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
    const auto x = random_tensor<float>({64, 1, 28, 28}, 1, 0, 1);
    const auto labels = digits(64);
    nn::Sequential network(with_weights(nn::Conv2d(nn::Conv2dOptions(1, 6, 5).padding(2)), 3), nn::ReLU(),
                           nn::MaxPool2d(2), with_weights(nn::Conv2d(nn::Conv2dOptions(6, 16, 5)), 5), nn::ReLU(),
                           nn::MaxPool2d(2), nn::Flatten(), linear(400, 120, 7), nn::ReLU(), linear(120, 84, 9),
                           nn::ReLU(), linear(84, 10, 11));
    return training(network->parameters(),
                    [=]() mutable { return nn::functional::cross_entropy(network->forward(x), labels); });
}

Workload lstm()
{
    std::vector<Gate> gates;
    Tensors parameters;
    for (unsigned k = 0; k < 4; ++k)
    {
        gates.emplace_back(hidden, 3 * k);
        parameters.insert(parameters.end(), {gates[k].input, gates[k].hidden, gates[k].bias});
    }
    return recurrent(parameters,
                     [=](const torch::Tensor& x, const torch::Tensor& h) {
                         return Gates{gates[0](x, h), gates[1](x, h), gates[2](x, h), gates[3](x, h)};
                     });
}

Workload lstm_joined()
{
    const Gate gate(4 * hidden, 0);
    return recurrent({gate.input, gate.hidden, gate.bias},
                     [=](const torch::Tensor& x, const torch::Tensor& h)
                     {
                         const Tensors parts = gate(x, h).chunk(4, 1);
                         return Gates{parts[0], parts[1], parts[2], parts[3]};
                     });
}

Workload attention_block()
{
    const auto [batch, sequence, width] = attention_block_size;
    const std::array<std::int64_t, 3> shape = {static_cast<std::int64_t>(batch), static_cast<std::int64_t>(sequence),
                                               static_cast<std::int64_t>(width)};
    const auto x = random_tensor<float>(shape, 1), t = random_tensor<float>(shape, 2);
    std::vector<nn::Linear> layers;
    Tensors parameters;
    for (unsigned k = 0; k < 4; ++k)
    {
        layers.push_back(linear(width, width, 3 + 2 * k));
        parameters.insert(parameters.end(), {layers[k]->weight, layers[k]->bias});
    }
    const double scale = 1 / std::sqrt(static_cast<double>(width));
    return training(parameters,
                    [=]() mutable
                    {
                        const auto q = layers[0](x), k = layers[1](x), v = layers[2](x);
                        const auto scores = torch::matmul(q * scale, k.transpose(-2, -1));
                        return torch::mse_loss(layers[3](torch::matmul(torch::softmax(scores, -1), v)), t);
                    });
}

}

}
