// Two spirals told apart by a layer that is not computed but solved: its output is where a recurrent network comes to rest
// (Bai et al., "Deep equilibrium models", 2019). Its gradient is that of the equation, not of the iterations.

#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

constexpr ag::FixedPointOptions precision{.tolerance = 1e-6};

/// The logit of the second class for points (count, 2).
struct Network
{
    static constexpr std::size_t width = 24;

    explicit Network(ag::Generator& generator)
        : weight(generator.normal<double>({width, width}, 0, 0.3)), input(generator.normal<double>({width, 2})),
          bias(generator.normal<double>({width})), output(generator.normal<double>({1, width}, 0, 0.3)),
          output_bias(xt::xarray<double>{0})
    {
    }

    /// One step of the recurrent network: of z for the points x.
    auto step(const Tensor& x) const
    {
        // Rows of absolute sum 0.9 at most: the step is a contraction, whatever is learnt.
        const Tensor sums = ag::sum(ag::abs(weight), 1, ag::keep_dims);
        const Tensor contracting = weight * (0.9 / ag::maximum(sums, 0.9));
        const Tensor injected = ag::linear(x, input, bias);
        return [=](const Tensor& z) { return ag::tanh(ag::linear(z, contracting) + injected); };
    }

    Tensor read_out(const Tensor& z) const { return ag::flatten(ag::linear(z, output, output_bias)); }

    Tensor operator()(const Tensor& x) const
    {
        return read_out(ag::fixed_point(step(x), Tensor(xt::zeros<double>({x.shape()[0], width})), precision));
    }

    std::vector<optim::Parameter> parameters() const { return {weight, input, bias, output, output_bias}; }

    Variable weight, input, bias, output, output_bias;
};

struct Spirals
{
    Tensor x;       ///< (count, 2), first those of one spiral from its inner end, then those of the other
    Tensor labels;  ///< 0 or 1
};

Spirals spirals(std::size_t count, double deviation, ag::Generator& generator)
{
    xt::xarray<double> x(std::vector<std::size_t>{2 * count, 2}), labels(std::vector<std::size_t>{2 * count});
    for (std::size_t i = 0; i < 2 * count; ++i)
    {
        const double turned = 0.5 + 5.5 * static_cast<double>(i % count) / static_cast<double>(count);
        const double sign = i < count ? 1 : -1;
        x(i, 0) = sign * turned / 6 * std::cos(turned) + deviation * generator.normal();
        x(i, 1) = sign * turned / 6 * std::sin(turned) + deviation * generator.normal();
        labels(i) = i < count ? 0 : 1;
    }
    return {Tensor(x), Tensor(labels)};
}

double accuracy(const Network& network, const Spirals& data)
{
    return xt::mean(xt::cast<double>(network(data.x) * (data.labels - 0.5) > 0.0))();
}

/// What a gradient through the layer takes.
struct Cost
{
    Tensor gradient;  ///< of the recurrent weight
    double megabytes;
};

template <class Logits>
Cost cost(const Network& network, const Spirals& data, const Logits& logits)
{
    ag::reset_peak_memory();
    const auto before = ag::memory_statistics().live;
    ag::GradientTape tape;
    const Tensor loss = ag::binary_cross_entropy_with_logits(logits(data.x), data.labels);
    const Tensor gradient = tape.gradient(loss, network.weight);
    return {gradient, static_cast<double>(ag::memory_statistics().peak - before) / 1e6};
}

/// Whether the gradient of the equation is that through many iterations, and what both take.
bool compare_with_iterations(const Network& network, const Spirals& data)
{
    constexpr int iterations = 200;
    const auto unrolled = [&](const Tensor& x)
    {
        const auto step = network.step(x);
        Tensor z(xt::zeros<double>({x.shape()[0], Network::width}));
        for (int k = 0; k < iterations; ++k)
        {
            z = step(z);
        }
        return network.read_out(z);
    };
    const Cost solved = cost(network, data, network);
    const Cost iterated = cost(network, data, unrolled);
    const double difference = (ag::norm(solved.gradient - iterated.gradient) / ag::norm(iterated.gradient)).item();
    std::printf("gradient of the equation: %.1f MB; through %d iterations: %.1f MB; they differ by %.1e\n",
                solved.megabytes, iterations, iterated.megabytes, difference);
    // Under AddressSanitizer nothing is counted.
    return difference < 1e-3 && solved.megabytes <= iterated.megabytes / 10;
}

void draw(const Network& network, const Spirals& data, const std::string& output)
{
    std::vector<samples::Curve> curves{{"one spiral", {}}, {"the other", {}}};
    for (std::size_t i = 0; i < data.labels.size(); ++i)
    {
        curves[data.labels.data()[i] > 0.5].points.push_back({data.x.data()[2 * i], data.x.data()[2 * i + 1]});
    }
    samples::draw_surface(output, "spirals",
                          {.title = "two spirals, told apart by where a network comes to rest",
                           .loss =
                               [&](double a, double b) {
                                   return ag::sigmoid(network(Tensor(xt::xarray<double>{{a, b}}))).data()[0];
                               },
                           .a_range = {-1.1, 1.1},
                           .b_range = {-1.1, 1.1},
                           .a_label = "x",
                           .b_label = "y",
                           .value_label = "probability",
                           .descents = curves});
}

bool learn(unsigned seed, int steps, const std::string& output)
{
    const auto start = std::chrono::steady_clock::now();
    ag::Generator generator(seed);
    const Spirals training = spirals(100, 0.02, generator), test = spirals(500, 0.02, generator);
    const Network network(generator);
    optim::Adam adam(network.parameters(), {.lr = 0.02});
    for (int step = 0; step <= steps; ++step)
    {
        const Tensor loss =
            adam.minimize([&] { return ag::binary_cross_entropy_with_logits(network(training.x), training.labels); });
        if (step % 100 == 0)
        {
            std::printf("step %4d: loss %.4f, accuracy on other points %.3f\n", step, loss.item(),
                        accuracy(network, test));
        }
    }
    const double reached = accuracy(network, test);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("accuracy %.3f after %.1f s\n", reached, seconds);
    const bool same = compare_with_iterations(network, test);
    draw(network, training, output);
    return reached > 0.98 && same;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"A layer whose output solves an equation, trained on two spirals."};
    unsigned seed = 1;
    int steps = 500;
    std::string output = "samples/output/equilibrium";
    app.add_option("--seed", seed, "of everything random")->capture_default_str();
    app.add_option("--steps", steps, "of Adam")->capture_default_str();
    app.add_option("--output", output, "folder for the picture")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try
    {
        const bool converged = learn(seed, steps, output);
        std::printf("%s\n", converged ? "converged" : "NOT CONVERGED");
        return converged ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "equilibrium: %s\n", error.what());
        return 1;
    }
}
