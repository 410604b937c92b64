// All optimizers over a bank of classical problems: how far each gets from the minimum's value, as a table and a picture.

#include <samples/plot.hpp>
#include <tests/optim/problems.hpp>

#include <optim/minimize.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>

namespace
{

struct Entry
{
    const char* name;
    std::size_t family;  ///< the panel of the picture
    optim::Method method;
};

/// Learning rates that suit the whole bank, not tuned to one problem.
std::vector<Entry> entries()
{
    return {{"ASGD", 0, optim::ASGDOptions{.lr = 1e-3}},
            {"Adadelta", 1, optim::AdadeltaOptions{.lr = 2}},
            {"Adagrad", 1, optim::AdagradOptions{.lr = 0.5}},
            {"Adam", 2, optim::AdamOptions{.lr = 0.05}},
            {"AdamW", 3, optim::AdamWOptions{.lr = 0.05, .weight_decay = 0}},
            {"Adamax", 2, optim::AdamaxOptions{.lr = 0.05}},
            {"LBFGS", 0,
             optim::LBFGSOptions{.max_iter = 1,
                                 .max_eval = 25,
                                 .tolerance_grad = 0,
                                 .tolerance_change = 1e-15,
                                 .line_search_fn = optim::LineSearch::strong_wolfe}},
            {"Lion", 3, optim::LionOptions{.lr = 3e-3}},
            {"NAdam", 2, optim::NAdamOptions{.lr = 0.05}},
            {"RAdam", 2, optim::RAdamOptions{.lr = 1e-3}},
            {"RMSprop", 1, optim::RMSpropOptions{.lr = 3e-3}},
            {"Rprop", 1, optim::RpropOptions{}},
            {"SGD", 0, optim::SGDOptions{.lr = 1e-3}},
            {"SGD, momentum", 0, optim::SGDOptions{.lr = 1e-3, .momentum = 0.9}}};
}

bool compare(int steps, const std::string& output)
{
    const std::vector<problems::Problem> bank = problems::all();
    std::printf("distance of the loss from its minimum after %d steps\n%-15s", steps, "");
    for (const problems::Problem& problem : bank)
    {
        std::printf("%20s", problem.name.c_str());
    }
    std::printf("\n");
    const std::string drawn = "Rosenbrock";
    std::vector<samples::Panel> panels;
    for (const char* family : {"gradient descent", "step sizes of each element", "Adam", "decoupled weight decay"})
    {
        panels.push_back({drawn + ": " + family, "step", "loss", true, {}});
    }
    bool converged = true;
    for (const Entry& entry : entries())
    {
        std::printf("%-15s", entry.name);
        for (const problems::Problem& problem : bank)
        {
            const optim::Minimum found =
                optim::minimize(problem.loss, {problem.start}, entry.method, {.max_steps = steps, .gradient = 1e-12});
            const double distance = std::abs(found.value - problem.value);
            std::printf("%20.1e", distance);
            converged = converged && found.stopped != optim::Stopped::not_finite && found.value < found.values[0];
            if (problem.name == drawn)
            {
                samples::Curve curve{entry.name, {}};
                for (std::size_t step = 0; step < found.values.size(); step += found.values.size() / 200 + 1)
                {
                    curve.points.push_back({static_cast<double>(step), std::max(found.values[step], 1e-16)});
                }
                panels[entry.family].curves.push_back(std::move(curve));
            }
        }
        std::printf("\n");
    }
    samples::draw_curves(output, "optimizers", panels);
    return converged;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"All optimizers over a bank of classical problems."};
    int steps = 2000;
    std::string output = "samples/output/optimizers";
    app.add_option("--steps", steps, "for each optimizer on each problem")->capture_default_str();
    app.add_option("--output", output, "folder for the picture")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try
    {
        const bool converged = compare(steps, output);
        std::printf("%s\n", converged ? "converged" : "NOT CONVERGED");
        return converged ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::fprintf(stderr, "optimizers: %s\n", error.what());
        return 1;
    }
}
