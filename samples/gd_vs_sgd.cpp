// Gradient descent against stochastic gradient descent: what a step costs, and what it brings.

#include <samples/line.hpp>
#include <samples/plot.hpp>

#include <autograd/autograd.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <numeric>
#include <random>
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

bool agrees_with_tape(std::mt19937& generator)
{
    std::uniform_real_distribution<double> anywhere(-2, 2);
    double worst = 0;
    for (int k = 0; k < 1000; ++k)
    {
        const Position p{anywhere(generator), anywhere(generator)};
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
samples::Curve sphere_descent(double deviation, std::mt19937& generator)
{
    constexpr double lr = 0.1;
    std::normal_distribution<double> error(0, 1);
    Position p{1, 1};
    samples::Curve path{deviation == 0 ? "exact gradient" : "gradient at random points nearby", {{p.x, p.y}}};
    for (int step = 0; step < 50; ++step)
    {
        const double x = p.x + deviation * error(generator);
        const double y = p.y + deviation * error(generator);
        const Position gradient = sphere_gradient({x, y});
        p = {p.x - lr * gradient.x, p.y - lr * gradient.y};
        path.points.push_back({p.x, p.y});
    }
    std::printf("x^2 + y^2 from (1, 1), 50 steps, %-33s x %9.2e  y %9.2e\n", (path.name + ":").c_str(), p.x, p.y);
    return path;
}

bool descend_on_sphere(std::mt19937& generator, const std::string& output)
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
    std::size_t batch;
    float lr;
};

struct Fit
{
    samples::Line line;
    samples::Curve path;       ///< (a, b), thinned out
    samples::Curve distances;  ///< from the least-squares line, against the cost
};

/// Which samples each step looks at.
class Draw
{
public:
    Draw(std::size_t samples, std::size_t batch, std::mt19937& generator)
        : batch_(batch), generator_(generator), order_(samples), next_(samples)
    {
        std::iota(order_.begin(), order_.end(), 0);
    }

    /// All; or one, any; or the next minibatch, without replacement until all have had their turn.
    std::span<const std::size_t> operator()()
    {
        if (batch_ == order_.size())
        {
            return order_;
        }
        if (batch_ == 1)
        {
            return {&order_[std::uniform_int_distribution<std::size_t>(0, order_.size() - 1)(generator_)], 1};
        }
        if (next_ + batch_ > order_.size())
        {
            std::shuffle(order_.begin(), order_.end(), generator_);
            next_ = 0;
        }
        next_ += batch_;
        return std::span(order_).subspan(next_ - batch_, batch_);
    }

private:
    std::size_t batch_;
    std::mt19937& generator_;
    std::vector<std::size_t> order_;
    std::size_t next_;
};

Fit fit(const Method& method, const samples::Points& points, std::size_t budget, std::mt19937& generator)
{
    const samples::Line best = samples::least_squares(points);
    const std::size_t steps = budget / method.batch;
    const std::size_t thinning = std::max<std::size_t>(1, steps / 250);
    Draw draw(points.size(), method.batch, generator);
    ag::Variable<float> a(0.f), b(0.f);
    Fit result{{}, {method.name, {{0, 0}}}, {method.name, {}}};
    for (std::size_t step = 1; step <= steps; ++step)
    {
        const auto [x, y] = samples::take(points, draw());
        ag::GradientTape tape;
        const auto [da, db] = tape.gradient(ag::mean(ag::square(a * x + b - y)), a, b);
        a.assign_sub(method.lr * da);
        b.assign_sub(method.lr * db);
        result.line = {a.item(), b.item()};
        if (step % thinning == 0)
        {
            result.path.points.push_back({result.line.a, result.line.b});
            result.distances.points.push_back(
                {static_cast<double>(step * method.batch), samples::distance(result.line, best)});
        }
    }
    return result;
}

bool compare_on_line(std::mt19937& generator, const std::string& output)
{
    constexpr std::size_t count = 1000;
    constexpr std::size_t budget = 10 * count;
    const samples::Points points = samples::scatter({2, 1}, 0.2, count, 0, 1, generator);
    const samples::Line best = samples::least_squares(points);
    std::printf("\na line through %zu points; the best has a %.4f, b %.4f; each method may look at %zu samples\n",
                count, best.a, best.b, budget);
    std::printf("%-22s %12s   %6s   %6s   %8s   %s\n", "method", "samples/step", "steps", "cost", "loss",
                "distance from the best line");

    std::vector<samples::Curve> paths;
    std::vector<samples::Curve> distances;
    std::vector<double> last;
    for (const Method& method :
         {Method{"full batch", count, 0.7f}, Method{"single samples", 1, 0.05f}, Method{"minibatches of 20", 20, 0.2f}})
    {
        Fit result = fit(method, points, budget, generator);
        const std::size_t steps = budget / method.batch;
        last.push_back(samples::distance(result.line, best));
        std::printf("%-22s %12zu x %6zu = %6zu   %8.5f   %.5f\n", method.name, method.batch, steps,
                    method.batch * steps, samples::mean_squared_error(points, result.line), last.back());
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
    std::string output = "samples/output/gd_vs_sgd";
    app.add_option("--seed", seed, "of everything random")->capture_default_str();
    app.add_option("--output", output, "folder for the pictures")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try
    {
        std::mt19937 generator(seed);
        const bool sphere = descend_on_sphere(generator, output);
        const bool line = compare_on_line(generator, output);
        std::printf("%s\n", sphere && line ? "converged" : "NOT CONVERGED");
        return sphere && line ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "gd_vs_sgd: %s\n", error.what());
        return 1;
    }
}
