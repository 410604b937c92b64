// Linear regression as in TensorFlow: a persistent tape, a gradient for each variable, assign_sub.

#include <samples/line.hpp>
#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

namespace ag = autograd;

namespace
{

constexpr std::size_t point_count = 100;
constexpr std::size_t batch_size = 10;
constexpr int steps = 400;

int fit(unsigned seed, bool compile, const std::string& output)
{
    ag::Generator generator(seed);
    const samples::Points points = samples::scatter({3, 2}, 0.2, point_count, -1, 1, generator);
    const samples::Line best = samples::least_squares(points);
    optim::Sampler batches(point_count, {.batch_size = batch_size, .seed = seed});

    ag::Variable<float> a(1.f), b(1.f);
    const auto learn = [&](const ag::Tensor<float>& x, const ag::Tensor<float>& y, const ag::Tensor<float>& lr)
    {
        ag::GradientTape tape({.persistent = true});
        auto loss = ag::mean(ag::square(a * x + b - y));
        a.assign_sub(lr * tape.gradient(loss, a));
        b.assign_sub(lr * tape.gradient(loss, b));
        return loss;
    };
    auto compiled = ag::compile(learn);

    samples::Curve path{"minibatches of 10", {{a.item(), b.item()}}};
    samples::Curve batch_losses{"of the minibatch", {}};
    samples::Curve losses{"of all points", {}};
    for (int step = 0; step < steps;)
    {
        for (const ag::Indices& batch : batches)
        {
            const auto [x, y] = samples::take(points, batch);
            // Minibatches disagree about where the minimum is; smaller and smaller steps average their opinions.
            const float lr = 0.2f / (1.f + static_cast<float>(step) / 50.f);
            const auto loss = compile ? compiled(x, y, lr) : learn(x, y, lr);

            const double total = samples::mean_squared_error(points, {a.item(), b.item()});
            path.points.push_back({a.item(), b.item()});
            batch_losses.points.push_back({double(step), loss.item()});
            losses.points.push_back({double(step), total});
            if (step % 50 == 0 || step + 1 == steps)
            {
                std::printf("step %3d  a %.4f  b %.4f  loss of the minibatch %.4f  of all points %.4f\n", step,
                            a.item(), b.item(), loss.item(), total);
            }
            ++step;
        }
    }

    samples::draw_surface(output, "surface",
                          {.title = "mean squared error of a x + b",
                           .loss =
                               [&](double a, double b) {
                                   return samples::mean_squared_error(points, {a, b});
                               },
                           .a_range = {0.8, 3.8},
                           .b_range = {0.8, 2.8},
                           .rotation = 128,
                           .descents = {path}});
    samples::draw_curves(output, "loss",
                         {{"loss at each step", "step", "mean squared error", true, {batch_losses, losses}}});

    const double distance = samples::distance({a.item(), b.item()}, best);
    const bool converged = distance < 0.05;
    std::printf("%s: a %.4f, b %.4f; the least-squares line has a %.4f, b %.4f; distance %.4f\n",
                converged ? "converged" : "NOT CONVERGED", a.item(), b.item(), best.a, best.b, distance);
    return converged ? 0 : 1;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"Fits a line to 100 random points by minibatches of 10, with a persistent tape and assign_sub."};
    unsigned seed = 1;
    bool compile = false;
    std::string output = "samples/output/linear_regression";
    app.add_option("--seed", seed, "of the points and the minibatches")->capture_default_str();
    app.add_option("--output", output, "folder for the pictures")->capture_default_str();
    app.add_flag("--compile", compile, "record the training step, and replay it from then on");
    CLI11_PARSE(app, argc, argv);
    try
    {
        return fit(seed, compile, output);
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "linear_regression: %s\n", error.what());
        return 1;
    }
}
