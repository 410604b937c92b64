#include "../autograd/closeness.hpp"
#include "../thrown.hpp"
#include "problems.hpp"

#include <optim/minimize.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace ag = autograd;

namespace
{

bool at_minimum(const xt::xarray<double>& x, const problems::Problem& problem, double distance)
{
    return std::any_of(problem.minima.begin(), problem.minima.end(),
                       [&](const xt::xarray<double>& minimum)
                       { return bool(close(ag::Tensor<double>(x), minimum, distance, distance)); });
}

}

TEST_CASE("L-BFGS finds the known minimum of every problem")
{
    for (const problems::Problem& problem : problems::all())
    {
        CAPTURE(problem.name);
        const optim::Minimum minimum = optim::minimize(
            problem.loss, {problem.start},
            optim::LBFGSOptions{
                .tolerance_grad = 0, .tolerance_change = 1e-15, .line_search_fn = optim::LineSearch::strong_wolfe},
            {.max_steps = 50, .gradient = 1e-6});
        CHECK(minimum.stopped == optim::Stopped::converged);
        CHECK(at_minimum(minimum.x[0], problem, 1e-5));
        CHECK(std::abs(minimum.value - problem.value) < 1e-10);
        CHECK(minimum.gradient <= 1e-6);
    }
}

TEST_CASE("a report tells why it stopped, and the values on the way")
{
    const auto sphere = [](const auto& x, const auto& y) { return ag::square(x - 1.0) + ag::square(y); };
    const optim::Minimum minimum = optim::minimize<2>(sphere, {xt::xarray<double>(3.0), xt::xarray<double>(1.0)},
                                                      optim::SGDOptions{.lr = 0.25}, {.max_steps = 2});
    CHECK(minimum.stopped == optim::Stopped::max_steps);
    CHECK(minimum.steps == 2);
    CHECK(minimum.values == std::vector<double>{5, 1.25, 0.3125});
    CHECK(minimum.x[0]() == 1.5);
    const optim::Minimum lost = optim::minimize<2>(sphere, {xt::xarray<double>(3.0), xt::xarray<double>(1.0)},
                                                   optim::SGDOptions{.lr = 1e200}, {.max_steps = 9});
    CHECK(lost.stopped == optim::Stopped::not_finite);
    CHECK(thrown<ag::ValueError>([&] { optim::minimize(problems::all()[0].loss, {}); }) ==
          "minimize: the function takes 1 arrays, but got 0 (HERE).");
}
