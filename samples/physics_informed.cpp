// Differential equations solved by networks: the loss is what the equation leaves over, with derivatives of the network by its
// own inputs in it. One equation of Poisson and one of heat, both with known solutions.

#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

constexpr double pi = 3.14159265358979323846;

/// A function of points, (count, inputs), with one number for each.
struct Network
{
    Network(std::size_t inputs, ag::Generator& generator)
    {
        constexpr std::size_t hidden = 20;
        for (const auto& [in, out] : {std::pair{inputs, hidden}, std::pair{hidden, hidden}, std::pair{hidden, 1ul}})
        {
            const double deviation = std::sqrt(2.0 / static_cast<double>(in + out));
            weights.emplace_back(generator.normal<double>({out, in}, 0, deviation));
            biases.emplace_back(xt::xarray<double>(xt::zeros<double>({out})));
        }
    }

    Tensor operator()(const Tensor& points) const
    {
        Tensor h = points;
        for (std::size_t k = 0; k < weights.size(); ++k)
        {
            h = ag::linear(k == 0 ? h : ag::tanh(h), weights[k], biases[k]);
        }
        return h;
    }

    std::vector<optim::Parameter> parameters() const
    {
        std::vector<optim::Parameter> all(weights.begin(), weights.end());
        all.insert(all.end(), biases.begin(), biases.end());
        return all;
    }

    std::vector<ag::Variable<double>> weights;
    std::vector<ag::Variable<double>> biases;
};

/// The derivative of u, at all points at once: each u(x) depends on its own x alone.
template <class U>
auto derivative(U u)
{
    return ag::grad([u](const Tensor& x) { return ag::sum(u(x)); });
}

/// Minimizes the loss: Adam finds the valley, L-BFGS its bottom. Gives the loss at each step.
template <class Loss>
samples::Curve train(const Network& network, const char* name, int adam_steps, int lbfgs_steps, bool compile,
                     const Loss& loss)
{
    samples::Curve losses{name, {}};
    const auto run = [&](optim::Optimizer& optimizer, int steps, const auto& learn)
    {
        for (int step = 0; step < steps; ++step)
        {
            losses.points.push_back({static_cast<double>(losses.points.size()), learn().item()});
        }
        std::printf("%s: loss %.1e after %zu steps, %s\n", name, loss().item(), losses.points.size(), optimizer.name());
    };
    optim::Adam adam(network.parameters(), {.lr = 5e-3});
    const auto learn = [&]
    {
        ag::GradientTape tape;
        const Tensor value = loss();
        adam.zero_grad();
        value.backward();
        adam.step();
        return value;
    };
    auto compiled = ag::compile(learn);
    run(adam, adam_steps, [&] { return compile ? compiled() : learn(); });
    optim::LBFGS lbfgs(network.parameters(), {.max_iter = 1,
                                              .max_eval = 25,
                                              .tolerance_grad = 0,
                                              .tolerance_change = 0,
                                              .line_search_fn = optim::LineSearch::strong_wolfe});
    run(lbfgs, lbfgs_steps, [&] { return lbfgs.minimize(loss); });
    return losses;
}

/// Places from 0 to 1 as a column.
Tensor places(std::size_t count)
{
    return ag::expand_dims(Tensor(xt::linspace<double>(0, 1, count)), 1);
}

/// Points of the plane of place and time, as two columns.
struct Points
{
    Tensor x;
    Tensor t;
};

/// Those of a square grid from 0 to 1.
Points grid(std::size_t count)
{
    const Tensor one = ag::flatten(places(count));
    const std::vector<Tensor> pairs = ag::meshgrid<double>({one, one});
    return {ag::expand_dims(ag::flatten(pairs[0]), 1), ag::expand_dims(ag::flatten(pairs[1]), 1)};
}

/// A curve of a function over the places of a column.
samples::Curve curve(const std::string& name, const Tensor& x, const Tensor& y)
{
    samples::Curve result{name, {}};
    for (std::size_t i = 0; i < x.size(); ++i)
    {
        result.points.push_back({x.data()[i], y.data()[i]});
    }
    return result;
}

double largest_difference(const Tensor& a, const Tensor& b)
{
    return ag::amax(ag::abs(a - b)).item();
}

/// -u'' = f on (0, 1), and u = 0 at both ends, with f such that u = sin(pi x) + sin(4 pi x) / 4.
double solve_poisson(bool compile, ag::Generator& generator, std::vector<samples::Panel>& panels,
                     std::vector<samples::Curve>& losses)
{
    const auto exact = [](const Tensor& x) { return ag::sin(pi * x) + ag::sin(4 * pi * x) / 4; };
    const auto f = [](const Tensor& x) { return pi * pi * (ag::sin(pi * x) + 4 * ag::sin(4 * pi * x)); };

    const Network network(1, generator);
    const auto u = [&](const Tensor& x) { return x * (1 - x) * network(x); };
    const Tensor x = places(64);
    const Tensor right = f(x);
    const auto remainder = [&]
    { return ag::mean(ag::square(derivative(derivative(u))(ag::constant(x)) + ag::constant(right))); };
    losses.push_back(train(network, "Poisson", 1000, 300, compile, remainder));

    const Tensor between = places(201), some = places(26);
    panels.push_back({.title = "-u'' = f",
                      .x_label = "x",
                      .y_label = "u",
                      .curves = {curve("network", some, u(some)), curve("exact", between, exact(between))}});
    return largest_difference(u(between), exact(between));
}

/// u_t = a u_xx for x in (0, 1) and t in (0, 1), u = 0 at both ends, and u = sin(pi x) + sin(3 pi x) / 2 at the start.
double solve_heat(bool compile, ag::Generator& generator, std::vector<samples::Panel>& panels,
                  std::vector<samples::Curve>& losses)
{
    constexpr double a = 0.05;
    const auto exact = [](const Tensor& x, const Tensor& t)
    { return ag::exp(-a * pi * pi * t) * ag::sin(pi * x) + ag::exp(-a * 9 * pi * pi * t) * ag::sin(3 * pi * x) / 2; };

    const Network network(2, generator);
    const auto u = [&](const Tensor& x, const Tensor& t) {
        return exact(x, Tensor(0.0)) +
               t * x * (1 - x) * network(ag::concatenate({x, ag::broadcast_to(t, x.shape())}, 1));
    };
    const Points inside = grid(16);
    const auto remainder = [&]
    {
        const Tensor x = ag::constant(inside.x), t = ag::constant(inside.t);
        const Tensor u_t = derivative([&](const Tensor& time) { return u(x, time); })(t);
        const Tensor u_xx = derivative(derivative([&](const Tensor& place) { return u(place, t); }))(x);
        return ag::mean(ag::square(u_t - a * u_xx));
    };
    losses.push_back(train(network, "heat", 500, 200, compile, remainder));

    samples::Panel panel{.title = "u_t = a u_{xx}", .x_label = "x", .y_label = "u"};
    const Tensor between = places(201), some = places(26);
    for (const double time : {0.1, 1.0})
    {
        const std::string at = ", t = " + std::to_string(time).substr(0, 3);
        panel.curves.push_back(curve("network" + at, some, u(some, Tensor(time))));
        panel.curves.push_back(curve("exact" + at, between, exact(between, Tensor(time))));
    }
    panels.push_back(panel);
    const Points fine = grid(64);
    return largest_difference(u(fine.x, fine.t), exact(fine.x, fine.t));
}

bool solve(unsigned seed, bool compile, const std::string& output)
{
    const auto start = std::chrono::steady_clock::now();
    ag::Generator generator(seed);
    std::vector<samples::Panel> panels;
    std::vector<samples::Curve> losses;
    const double poisson = solve_poisson(compile, generator, panels, losses);
    const double heat = solve_heat(compile, generator, panels, losses);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    panels.push_back({.title = "mean square of what the equation leaves",
                      .x_label = "step",
                      .y_label = "loss",
                      .logarithmic = true,
                      .curves = losses});
    samples::draw_curves(output, "solutions", panels);
    std::printf("largest error: Poisson %.1e, heat %.1e; %.1f s\n", poisson, heat, seconds);
    return poisson < 1e-2 && heat < 1e-2;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"The equations of Poisson and of heat, solved by networks whose loss has second derivatives in it."};
    unsigned seed = 1;
    bool compile = false;
    std::string output = "samples/output/physics_informed";
    app.add_option("--seed", seed, "of everything random")->capture_default_str();
    app.add_option("--output", output, "folder for the picture")->capture_default_str();
    app.add_flag("--compile", compile, "record Adam's step, and replay it from then on");
    CLI11_PARSE(app, argc, argv);
    try
    {
        const bool solved = solve(seed, compile, output);
        std::printf("%s\n", solved ? "converged" : "NOT CONVERGED");
        return solved ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "physics_informed: %s\n", error.what());
        return 1;
    }
}
