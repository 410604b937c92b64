#include "../autograd/closeness.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <optim/lbfgs.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace ag = autograd;
using ag::ValueError;
using Variable = ag::Variable<double>;

TEST_CASE("LBFGS finds the minimum of Rosenbrock's function in a few steps, and needs a closure")
{
    const Variable x(-1.2);
    const Variable y(1.0);
    optim::LBFGS lbfgs({x, y}, {.tolerance_change = 1e-15, .line_search_fn = optim::LineSearch::strong_wolfe});
    for (int step = 0; step < 5; ++step)
    {
        lbfgs.minimize([&] { return 100.0 * ag::square(y - x * x) + ag::square(1.0 - x); });
    }
    CHECK(close(x, 1.0, 1e-6));
    CHECK(close(y, 1.0, 1e-6));
    CHECK(thrown<ag::Error>([&] { lbfgs.step(); }) ==
          "LBFGS: evaluates the loss several times a step (HERE). Call step with a closure, or minimize.");
}

TEST_CASE("LBFGS goes along the gradient first, and knows the curvature of a parabola then")
{
    for (const int max_iter : {1, 4})
    {
        const Variable x(2.0);
        optim::LBFGS lbfgs({x}, {.max_iter = max_iter});
        const auto parabola = [&] { return 2.0 * x * x; };
        // The gradient is 8, and the first step 1 / |8| of it.
        CHECK(close(lbfgs.minimize(parabola), 8.0));
        CHECK(close(x, max_iter == 1 ? 1.0 : 0.0));
        CHECK(close(lbfgs.minimize(parabola), max_iter == 1 ? 2.0 : 0.0));
        CHECK(close(x, 0.0));
    }
}

TEST_CASE("LBFGS evaluates the loss as often as it may, and once where it is flat")
{
    const Variable x(-1.2);
    const Variable y(1.0);
    int evaluations = 0;
    const auto rosenbrock = [&]
    {
        ++evaluations;
        return 100.0 * ag::square(y - x * x) + ag::square(1.0 - x);
    };
    optim::LBFGS({x, y}, {.max_eval = 3}).minimize(rosenbrock);
    CHECK(evaluations == 3);
    // Five iterations, the last of which needs no gradient.
    evaluations = 0;
    optim::LBFGS({x, y}, {.lr = 1e-3, .max_iter = 5}).minimize(rosenbrock);
    CHECK(evaluations == 5);
    evaluations = 0;
    x.assign(1.0);
    y.assign(1.0);
    optim::LBFGS({x, y}).minimize(rosenbrock);
    CHECK(evaluations == 1);
    CHECK(close(x, 1.0));
}

TEST_CASE("LBFGS updates float parameters beside double ones, and leaves frozen ones")
{
    ag::Variable<float> x(2.0F);
    const Variable y(2.0);
    const Variable z(2.0);
    optim::LBFGS lbfgs({x, y, z}, {.max_iter = 1});
    lbfgs.freeze({z});
    const auto closure = [&]
    {
        x.set_grad(ag::Tensor<float>(4.0F));
        y.set_grad(-12.0);
        z.set_grad(100.0);
        return 0.0;
    };
    CHECK(lbfgs.step(closure) == 0);
    CHECK(close(x, 1.75));
    CHECK(close(y, 2.75));
    CHECK(close(z, 2.0));
}

TEST_CASE("LBFGS skips or refuses a gradient that is not finite, as asked")
{
    const Variable x(2.0);
    optim::LBFGS lbfgs({x});
    const auto closure = [&]
    {
        x.set_grad(std::numeric_limits<double>::quiet_NaN());
        return 3.0;
    };
    lbfgs.on_non_finite(optim::NonFinite::skip);
    CHECK(lbfgs.step(closure) == 3);
    lbfgs.on_non_finite(optim::NonFinite::raise);
    CHECK(thrown<ValueError>([&] { lbfgs.step(closure); }) ==
          "LBFGS: the gradient of parameter 1 is not finite (HERE). Try a smaller learning rate, or clip_grad_norm.");
    CHECK(close(x, 2.0));
}

TEST_CASE("options of LBFGS out of range are named, with what is allowed")
{
    const Variable x(1.0);
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.max_iter = 0}); }) ==
          "LBFGS: max_iter is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.max_eval = 0}); }) ==
          "LBFGS: max_eval is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.tolerance_grad = -1}); }) ==
          "LBFGS: tolerance_grad is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.tolerance_change = -1}); }) ==
          "LBFGS: tolerance_change is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.history_size = 0}); }) ==
          "LBFGS: history_size is 0, but must be at least 1 (HERE).");
}
