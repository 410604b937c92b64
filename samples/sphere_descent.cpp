// Descent on a^2 + b^2 as in PyTorch: two leaves, an optimizer, and zero_grad / backward / step.

#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <utility>

namespace ag = autograd;

namespace
{

int descend(bool compile, const std::string& output)
{
    constexpr int steps = 50;
    ag::Variable a(1.0), b(1.0);
    optim::SGD sgd({a, b}, {.lr = 0.1});
    const auto learn = [&]
    {
        ag::GradientTape tape;
        auto loss = a * a + b * b;
        sgd.zero_grad();
        loss.backward();
        sgd.step();
        return loss;
    };
    auto compiled = ag::compile(learn);

    samples::Curve path{"SGD, lr 0.1", {{a.item(), b.item()}}};
    samples::Curve losses{"loss", {}};

    std::printf("step         a             b             loss\n");
    for (int step = 0; step < steps; ++step)
    {
        const auto [from_a, from_b] = std::pair(a.item(), b.item());
        const double loss = (compile ? compiled() : learn()).item();
        std::printf("%4d  %.6e  %.6e  %.6e\n", step, from_a, from_b, loss);
        losses.points.push_back({static_cast<double>(step), loss});
        path.points.push_back({a.item(), b.item()});
    }

    samples::draw_surface(output, "surface",
                          {.title = "descent on a^2 + b^2",
                           .loss = [](double a, double b) { return a * a + b * b; },
                           .a_range = {-0.5, 1.1},
                           .b_range = {-0.5, 1.1},
                           .rotation = 308,
                           .descents = {path}});
    samples::draw_curves(output, "loss", {{"loss at each step", "step", "a^2 + b^2", true, {losses}}});

    // Each step multiplies both by 1 - 2 lr.
    const double expected = std::pow(0.8, steps);
    const bool converged = std::abs(a.item() / expected - 1) < 1e-12 && std::abs(b.item() / expected - 1) < 1e-12;
    std::printf("%s: after %d steps a = %.6e, b = %.6e; 0.8^%d = %.6e\n", converged ? "converged" : "NOT CONVERGED",
                steps, a.item(), b.item(), steps, expected);
    return converged ? 0 : 1;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"Descent on a^2 + b^2 with optim::SGD, every step printed, with pictures of the way down."};
    bool compile = false;
    std::string output = "samples/output/sphere_descent";
    app.add_option("--output", output, "folder for the pictures")->capture_default_str();
    app.add_flag("--compile", compile, "record the training step, and replay it from then on");
    CLI11_PARSE(app, argc, argv);
    try
    {
        return descend(compile, output);
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "sphere_descent: %s\n", error.what());
        return 1;
    }
}
