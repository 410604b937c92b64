// Which labels of a data set are wrong? After some training, a sample whose label contradicts its neighbours pulls at the
// parameters harder than the others: the norm of its own gradient tells it (Paul, Ganguli, Dziugaite, "Deep learning on a
// data diet", 2021). vmap gives the gradients of all samples, each by itself, in one go.

#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// The logit of the second class for a point, or for points.
struct Network
{
    static constexpr std::size_t width = 32;

    explicit Network(ag::Generator& generator)
        : parameters{Variable(generator.normal<double>({width, 2})), Variable(generator.normal<double>({width})),
                     Variable(generator.normal<double>({1, width}, 0, 0.2)), Variable(xt::xarray<double>{0})}
    {
    }

    Tensor operator()(const Tensor& x) const
    {
        return ag::linear(ag::tanh(ag::linear(x, parameters[0], parameters[1])), parameters[2], parameters[3]);
    }

    std::vector<Variable> parameters;
};

/// Two half-moons, with some labels turned.
struct Moons
{
    Tensor x;                  ///< (count, 2)
    Tensor labels;             ///< (count, 1): 0 or 1
    std::vector<bool> turned;  ///< whose label is wrong
};

Moons moons(std::size_t count, std::size_t wrong, ag::Generator& generator)
{
    xt::xarray<double> x(std::vector<std::size_t>{count, 2}), labels(std::vector<std::size_t>{count, 1});
    std::vector<bool> turned(count);
    for (std::size_t i = 0; i < count; ++i)
    {
        const double angle = std::acos(-1.0) * generator.uniform();
        const bool second = i % 2 == 1;
        x(i, 0) = (second ? 1 - std::cos(angle) : std::cos(angle)) + 0.1 * generator.normal();
        x(i, 1) = (second ? 0.5 - std::sin(angle) : std::sin(angle)) + 0.1 * generator.normal();
        turned[i] = i < wrong;
        labels(i, 0) = second != turned[i] ? 1 : 0;
    }
    return {Tensor(x), Tensor(labels), turned};
}

/// The norm of the gradient of all parameters, for each sample.
Tensor gradient_norms(const Network& network, const Moons& data)
{
    const auto gradients = [&](const Tensor& x, const Tensor& label)
    {
        ag::GradientTape tape;
        return tape.gradient(ag::binary_cross_entropy_with_logits(network(x), label), network.parameters);
    };
    Tensor total(0.0);
    for (const Tensor& gradient : ag::vmap(gradients)(data.x, data.labels))
    {
        total += ag::sum(ag::square(ag::flatten(gradient, 1)), 1);
    }
    return ag::sqrt(total);
}

/// The same, a sample at a time.
Tensor norms_by_loop(const Network& network, const Moons& data)
{
    std::vector<Tensor> norms;
    for (std::size_t i = 0; i < data.x.shape(0); ++i)
    {
        ag::GradientTape tape;
        const Tensor loss =
            ag::binary_cross_entropy_with_logits(network(ag::view(data.x, i)), ag::view(data.labels, i));
        Tensor total(0.0);
        for (const Tensor& gradient : tape.gradient(loss, network.parameters))
        {
            total += ag::sum(ag::square(gradient));
        }
        norms.push_back(ag::sqrt(total));
    }
    return ag::stack(norms);
}

double seconds_of(const auto& call)
{
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void draw(const Moons& data, const std::vector<std::size_t>& order, const Tensor& norms, const std::string& output)
{
    samples::Curve right{"label right", {}}, wrong{"label turned", {}};
    for (std::size_t rank = 0; rank < order.size(); ++rank)
    {
        (data.turned[order[rank]] ? wrong : right)
            .points.push_back({static_cast<double>(rank + 1), norms.data()[order[rank]]});
    }
    samples::draw_curves(output, "norms",
                         {{.title = "the gradient of each sample by itself",
                           .x_label = "rank",
                           .y_label = "norm",
                           .curves = {right, wrong}}});
}

bool search(unsigned seed, std::size_t count, int steps, const std::string& output)
{
    ag::Generator generator(seed);
    const std::size_t wrong = count / 20;
    const Moons data = moons(count, wrong, generator);
    const Network network(generator);
    optim::Adam adam({network.parameters.begin(), network.parameters.end()}, {.lr = 0.02});
    for (int step = 0; step < steps; ++step)
    {
        adam.minimize([&] { return ag::binary_cross_entropy_with_logits(network(data.x), data.labels); });
    }
    Tensor norms, looped;
    const double batched = seconds_of([&] { norms = gradient_norms(network, data); });
    const double one_by_one = seconds_of([&] { looped = norms_by_loop(network, data); });
    const double difference = (ag::amax(ag::abs(norms - looped)) / ag::amax(looped)).item();
    std::printf("gradients of %zu samples: %.2f ms by vmap, %.2f ms one by one; they differ by %.1e\n", count,
                1e3 * batched, 1e3 * one_by_one, difference);

    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return norms.data()[a] > norms.data()[b]; });
    const auto found = std::count_if(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(wrong),
                                     [&](std::size_t i) { return data.turned[i]; });
    std::printf("of the %zu largest gradients, %td belong to the %zu labels that were turned\n", wrong, found, wrong);
    draw(data, order, norms, output);
    return difference < 1e-10 && static_cast<double>(found) >= 0.9 * static_cast<double>(wrong);
}

}

int main(int argc, char** argv)
{
    CLI::App app{"Wrong labels, found by the gradient of each sample."};
    unsigned seed = 1;
    std::size_t count = 1000;
    int steps = 150;
    std::string output = "samples/output/per_sample_gradients";
    app.add_option("--seed", seed, "of everything random")->capture_default_str();
    app.add_option("--count", count, "of samples, one in twenty with a wrong label")->capture_default_str();
    app.add_option("--steps", steps, "of Adam")->capture_default_str();
    app.add_option("--output", output, "folder for the picture")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try
    {
        const bool found = search(seed, count, steps, output);
        std::printf("%s\n", found ? "found" : "NOT FOUND");
        return found ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "per_sample_gradients: %s\n", error.what());
        return 1;
    }
}
