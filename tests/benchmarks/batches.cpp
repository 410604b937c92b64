// What it saves to compute many rows of a Jacobian, or the gradients of many samples, at once: prints two tables.

#include <autograd/autograd.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

namespace ag = autograd;

namespace
{

/// Milliseconds, the least of many.
template <class F>
double least(const F& f)
{
    double best = std::numeric_limits<double>::infinity();
    for (int repetition = 0; repetition < 30; ++repetition)
    {
        const auto start = std::chrono::steady_clock::now();
        f();
        best =
            std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

/// A network with one hidden layer and tanh.
template <class T>
struct Network
{
    Network(std::size_t inputs, std::size_t hidden, std::size_t outputs)
        : inputs(inputs), hidden(hidden), outputs(outputs)
    {
        ag::Generator generator(1);
        for (const ag::Shape& shape :
             {ag::Shape{hidden, inputs}, ag::Shape{hidden}, ag::Shape{outputs, hidden}, ag::Shape{outputs}})
        {
            parameters.emplace_back(generator.normal<T>(shape, 0, 0.06));
        }
    }

    ag::Tensor<T> operator()(const ag::Tensor<T>& x) const
    {
        return ag::linear(ag::tanh(ag::linear(x, parameters[0], parameters[1])), parameters[2], parameters[3]);
    }

    void print() const { std::printf("%zu-%zu-%zu %s", inputs, hidden, outputs, sizeof(T) == 4 ? "float" : "double"); }

    std::size_t inputs, hidden, outputs;
    std::vector<ag::Variable<T>> parameters;
};

template <class T>
ag::Tensor<T> unit_vector(std::size_t size, std::size_t place)
{
    xt::xarray<T> elements = xt::zeros<T>({size});
    elements(place) = 1;
    return ag::Tensor<T>(elements);
}

template <class T>
void jacobian(const Network<T>& network)
{
    ag::Generator generator(2);
    const ag::Tensor<T> x = generator.normal<T>({network.inputs});
    const auto passes = [&](ag::Mode mode)
    {
        ag::GradientTape tape({.persistent = true});
        tape.watch(x);
        const ag::Tensor<T> y = network(x);
        const auto stopped = tape.stop_recording();
        std::vector<ag::Tensor<T>> lines;
        for (std::size_t i = 0; i < (mode == ag::Mode::reverse ? network.outputs : network.inputs); ++i)
        {
            lines.push_back(mode == ag::Mode::reverse
                                ? tape.gradient(y, x, {.output_gradient = unit_vector<T>(network.outputs, i)})
                                : tape.jvp(y, x, unit_vector<T>(network.inputs, i)));
        }
        return ag::stack(lines, mode == ag::Mode::reverse ? 0 : 1);
    };
    for (const ag::Mode mode : {ag::Mode::reverse, ag::Mode::forward})
    {
        network.print();
        const double by_passes = least([&] { passes(mode); });
        const double at_once = least([&] { ag::jacobian(network, x, mode); });
        const double difference = ag::amax(ag::abs(passes(mode) - ag::jacobian(network, x, mode))).item();
        std::printf(", %s: a pass for each row %.3f ms, all in one %.3f ms; they differ by %.0e\n",
                    mode == ag::Mode::reverse ? "reverse" : "forward", by_passes, at_once, difference);
    }
}

template <class T>
void gradients_of_samples(const Network<T>& network, std::size_t samples)
{
    ag::Generator generator(2);
    const ag::Tensor<T> x = generator.normal<T>({samples, network.inputs});
    const ag::Tensor<T> target = ag::softmax(generator.normal<T>({samples, network.outputs}));
    const auto gradient = [&](const ag::Tensor<T>& one, const ag::Tensor<T>& wanted)
    {
        ag::GradientTape tape;
        const ag::Tensor<T> loss = -ag::sum(wanted * ag::log_softmax(network(one)));
        return tape.gradient(loss, network.parameters);
    };
    const auto loop = [&]
    {
        std::vector<std::vector<ag::Tensor<T>>> all(network.parameters.size());
        for (std::size_t i = 0; i < samples; ++i)
        {
            const auto of_one = gradient(ag::view(x, i), ag::view(target, i));
            for (std::size_t k = 0; k < all.size(); ++k)
            {
                all[k].push_back(of_one[k]);
            }
        }
        for (const auto& gradients : all)
        {
            ag::stack(gradients);
        }
    };
    network.print();
    std::printf(", %zu samples: a loop %.3f ms, vmap %.3f ms, the gradient of the sum %.3f ms\n", samples, least(loop),
                least([&] { ag::vmap(gradient)(x, target); }), least([&] { gradient(x, target); }));
}

}

int main()
{
    ag::set_num_threads(1);
    std::printf("Jacobians, one thread\n");
    jacobian(Network<float>(256, 256, 256));
    jacobian(Network<double>(256, 256, 256));
    std::printf("\nThe gradient of each sample, one thread\n");
    gradients_of_samples(Network<float>(2, 8, 2), 4);
    gradients_of_samples(Network<float>(16, 32, 4), 256);
    gradients_of_samples(Network<float>(784, 128, 10), 64);
}
