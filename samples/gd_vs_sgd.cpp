// Gradient descent against stochastic gradient descent: what a step costs, and what it brings.

#include <samples/line.hpp>
#include <samples/plot.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

namespace ag = autograd;

namespace
{

struct Position
{
    double x;
    double y;
};

/// The gradient of x^2 + y^2, written by hand.
Position sphere_gradient(Position p)
{
    return {2 * p.x, 2 * p.y};
}

bool agrees_with_tape(ag::Generator& generator)
{
    const auto anywhere = [&] { return std::lerp(-2, 2, generator.uniform()); };
    double worst = 0;
    for (int k = 0; k < 1000; ++k)
    {
        const Position p{anywhere(), anywhere()};
        ag::Variable x(p.x), y(p.y);
        ag::GradientTape tape;
        const auto [dx, dy] = tape.gradient(x * x + y * y, x, y);
        const Position by_hand = sphere_gradient(p);
        worst = std::max({worst, std::abs(dx.item() - by_hand.x), std::abs(dy.item() - by_hand.y)});
    }
    std::printf("hand-written gradient against the tape at 1000 random points: largest difference %.1e\n", worst);
    return worst < 1e-14;
}

/// Plain descent on x^2 + y^2 from (1, 1), with the gradient taken not where we stand but at a random point nearby,
/// as a minibatch would give it: right only on average.
samples::Curve sphere_descent(double deviation, ag::Generator& generator)
{
    constexpr double lr = 0.1;
    Position p{1, 1};
    samples::Curve path{deviation == 0 ? "exact gradient" : "gradient at random points nearby", {{p.x, p.y}}};
    for (int step = 0; step < 50; ++step)
    {
        const double x = p.x + deviation * generator.normal();
        const double y = p.y + deviation * generator.normal();
        const Position gradient = sphere_gradient({x, y});
        p = {p.x - lr * gradient.x, p.y - lr * gradient.y};
        path.points.push_back({p.x, p.y});
    }
    std::printf("x^2 + y^2 from (1, 1), 50 steps, %-33s x %9.2e  y %9.2e\n", (path.name + ":").c_str(), p.x, p.y);
    return path;
}

bool descend_on_sphere(ag::Generator& generator, const std::string& output)
{
    const bool agrees = agrees_with_tape(generator);
    const samples::Curve exact = sphere_descent(0, generator);
    const samples::Curve noisy = sphere_descent(0.3, generator);
    samples::draw_surface(output, "sphere",
                          {.title = "descent on x^2 + y^2",
                           .loss = [](double x, double y) { return x * x + y * y; },
                           .a_range = {-0.5, 1.1},
                           .b_range = {-0.5, 1.1},
                           .a_label = "x",
                           .b_label = "y",
                           .rotation = 308,
                           .descents = {noisy, exact}});
    const auto [x, y] = exact.points.back();
    const auto [noisy_x, noisy_y] = noisy.points.back();
    const double expected = std::pow(0.8, 50);
    return agrees && std::abs(x / expected - 1) < 1e-12 && std::abs(y / expected - 1) < 1e-12 &&
           std::hypot(noisy_x, noisy_y) < 0.5;
}

struct Method
{
    const char* name;
    optim::SamplerOptions draw;
    float lr;
};

struct Fit
{
    samples::Line line;
    samples::Curve path;       ///< (a, b), thinned out
    samples::Curve distances;  ///< from the least-squares line, against the cost
};

Fit fit(const Method& method, const samples::Points& points, std::size_t epochs, bool compile)
{
    const samples::Line best = samples::least_squares(points);
    optim::Sampler sampler(points.size(), method.draw);
    const std::size_t steps = epochs * sampler.batches();
    const std::size_t thinning = std::max<std::size_t>(1, steps / 250);
    ag::Variable<float> a(0.f), b(0.f);
    const auto learn = [&](const ag::Tensor<float>& x, const ag::Tensor<float>& y)
    {
        ag::GradientTape tape;
        const auto [da, db] = tape.gradient(ag::mean(ag::square(a * x + b - y)), a, b);
        a.assign_sub(method.lr * da);
        b.assign_sub(method.lr * db);
    };
    auto compiled = ag::compile(learn);
    Fit result{{}, {method.name, {{0, 0}}}, {method.name, {}}};
    for (std::size_t step = 0; step < steps;)
    {
        for (const ag::Indices& batch : sampler)
        {
            const auto [x, y] = samples::take(points, batch);
            compile ? compiled(x, y) : learn(x, y);
            result.line = {a.item(), b.item()};
            if (++step % thinning == 0)
            {
                result.path.points.push_back({result.line.a, result.line.b});
                result.distances.points.push_back(
                    {static_cast<double>(step * method.draw.batch_size), samples::distance(result.line, best)});
            }
        }
    }
    return result;
}

bool compare_on_line(unsigned seed, bool compile, ag::Generator& generator, const std::string& output)
{
    constexpr std::size_t count = 1000;
    constexpr std::size_t epochs = 10;
    constexpr std::size_t budget = epochs * count;
    const samples::Points points = samples::scatter({2, 1}, 0.2, count, 0, 1, generator);
    const samples::Line best = samples::least_squares(points);
    std::printf("\na line through %zu points; the best has a %.4f, b %.4f; each method may look at %zu samples\n",
                count, best.a, best.b, budget);
    std::printf("%-22s %12s   %6s   %6s   %8s   %s\n", "method", "samples/step", "steps", "cost", "loss",
                "distance from the best line");

    std::vector<samples::Curve> paths;
    std::vector<samples::Curve> distances;
    std::vector<double> last;
    for (const Method& method : {Method{"full batch", {.batch_size = count, .shuffle = false}, 0.7f},
                                 Method{"single samples", {.batch_size = 1, .replacement = true, .seed = seed}, 0.05f},
                                 Method{"minibatches of 20", {.batch_size = 20, .seed = seed}, 0.2f}})
    {
        Fit result = fit(method, points, epochs, compile);
        const std::size_t steps = budget / method.draw.batch_size;
        last.push_back(samples::distance(result.line, best));
        std::printf("%-22s %12zu x %6zu = %6zu   %8.5f   %.5f\n", method.name, method.draw.batch_size, steps,
                    method.draw.batch_size * steps, samples::mean_squared_error(points, result.line), last.back());
        paths.push_back(std::move(result.path));
        distances.push_back(std::move(result.distances));
    }

    samples::draw_surface(output, "line",
                          {.title = "mean squared error of a x + b, the same cost for each method",
                           .loss =
                               [&](double a, double b) {
                                   return samples::mean_squared_error(points, {a, b});
                               },
                           .a_range = {-0.2, 2.6},
                           .b_range = {-0.2, 3},
                           .descents = paths});
    samples::draw_curves(output, "loss",
                         {{"distance from the least-squares line", "samples looked at", "distance", true, distances}});

    const double full_batch = last[0];
    const double single = last[1];
    const double minibatches = last[2];
    std::printf("for the same cost, minibatches get %.0f times as near as the full batch, single samples %.0f times\n",
                full_batch / minibatches, full_batch / single);
    return minibatches < 0.1 && single < full_batch && minibatches < full_batch;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"Gradient descent against stochastic gradient descent, at the same cost."};
    unsigned seed = 1;
    bool compile = false;
    std::string output = "samples/output/gd_vs_sgd";
    app.add_option("--seed", seed, "of everything random")->capture_default_str();
    app.add_option("--output", output, "folder for the pictures")->capture_default_str();
    app.add_flag("--compile", compile, "record the training step, and replay it from then on");
    CLI11_PARSE(app, argc, argv);
    try
    {
        ag::Generator generator(seed);
        const bool sphere = descend_on_sphere(generator, output);
        const bool line = compare_on_line(seed, compile, generator, output);
        std::printf("%s\n", sphere && line ? "converged" : "NOT CONVERGED");
        return sphere && line ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "gd_vs_sgd: %s\n", error.what());
        return 1;
    }
}
