#include "../autograd/closeness.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using ag::ValueError;
using Variable = ag::Variable<double>;

namespace
{

const double infinity = std::numeric_limits<double>::infinity();

xt::xarray<double> wave(std::size_t size, double phase)
{
    xt::xarray<double> result(xt::xarray<double>::shape_type{size});
    for (std::size_t i = 0; i < size; ++i)
    {
        result.storage()[i] = std::sin(0.7 * static_cast<double>(i) + phase);
    }
    return result;
}

/// The weights after three steps of Adam over many elements.
xt::xarray<double> trained()
{
    const Variable x(wave(300'001, 0));
    optim::Adam adam({x}, {.lr = 0.1, .amsgrad = true});
    for (int step = 0; step < 3; ++step)
    {
        x.set_grad(wave(300'001, step));
        adam.step();
    }
    return x.value();
}

}

TEST_CASE("a frozen parameter stays, and goes on where it was")
{
    const Variable x(1.0);
    const Variable y(1.0);
    optim::SGD sgd({x, y}, {.lr = 1, .momentum = 0.5});
    sgd.freeze({y});
    x.set_grad(1.0);
    y.set_grad(1.0);
    sgd.step();
    CHECK(close(x, 0.0));
    CHECK(close(y, 1.0));
    CHECK_FALSE(sgd.state(1, "momentum_buffer").has_value());
    sgd.unfreeze({y});
    sgd.step();
    CHECK(close(y, 0.0));
    CHECK(thrown<ValueError>([&] { sgd.freeze({Variable(1.0)}); }) ==
          "freeze: variable 1 is not a parameter of this optimizer (HERE).");
}

TEST_CASE("gradients that are not finite are used, skipped or refused, as asked")
{
    const Variable x(1.0);
    const Variable y(1.0);
    optim::SGD sgd({x, y}, {.lr = 1});
    x.set_grad(1.0);
    y.set_grad(infinity);
    sgd.on_non_finite(optim::NonFinite::skip);
    CHECK_FALSE(sgd.step());
    CHECK(close(x, 1.0));
    sgd.on_non_finite(optim::NonFinite::raise);
    CHECK(thrown<ValueError>([&] { sgd.step(); }) ==
          "SGD: the gradient of parameter 2 is not finite (HERE). Try a smaller learning rate, or clip_grad_norm.");
    CHECK(close(x, 1.0));
    sgd.on_non_finite(optim::NonFinite::pass);
    CHECK(sgd.step());
    CHECK(close(x, 0.0));
    CHECK(y.item() == -infinity);
}

TEST_CASE("a step does not depend on the number of threads")
{
    const std::size_t threads = ag::num_threads();
    ag::set_num_threads(1);
    const auto alone = trained();
    ag::set_num_threads(3);
    const auto together = trained();
    ag::set_num_threads(threads);
    CHECK(alone == together);
}

TEST_CASE("Lion moves every element by its learning rate, along the sign")
{
    const Variable x(xt::xarray<double>{1, 2, 3});
    optim::Lion lion({x}, {.lr = 0.5, .betas = {0.5, 0.25}, .weight_decay = 0.5});
    x.set_grad(xt::xarray<double>{0.1, -7, 0});
    lion.step();
    CHECK(close(x, {1 * 0.75 - 0.5, 2 * 0.75 + 0.5, 3 * 0.75}));
    CHECK(close(lion.state(0, "exp_avg")->get<double>(), {0.075, -5.25, 0}));
}

TEST_CASE("Muon brings the singular values of its step near 1, and takes matrices only")
{
    const Variable x(xt::xarray<double>(xt::xarray<double>::shape_type{2, 2}, 0.0));
    optim::Muon muon({x}, {.lr = 1, .weight_decay = 0});
    x.set_grad(xt::xarray<double>{{3, 0}, {0, -0.5}});
    muon.step();
    const auto step = x.value();
    CHECK(std::abs(step(0, 0) + 1) < 0.35);
    CHECK(std::abs(step(1, 1) - 1) < 0.35);
    CHECK(std::abs(step(0, 1)) < 1e-12);
    CHECK(
        thrown<ValueError>([] { optim::Muon({Variable(1.0)}); }) ==
        "Muon: is for matrices: parameter 1 has shape () (HERE). Give the others to another optimizer, such as AdamW.");
}

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

TEST_CASE("options out of range are named, with what is allowed")
{
    const Variable x(1.0);
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Adam({x}, {.betas = {0.9, 1}});
              }) == "Adam: betas[1] is 1, but must be at least 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Rprop({x}, {.etas = {0.5, 0.9}});
              }) == "Rprop: etas[1] is 0.9, but must be more than 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LBFGS({x}, {.history_size = 0}); }) ==
          "LBFGS: history_size is 0, but must be at least 1 (HERE).");
}

TEST_CASE("gradients are clipped by their common norm or by value")
{
    const Variable x(xt::xarray<double>{0, 0});
    const Variable y(0.0);
    x.set_grad(xt::xarray<double>{3, 0});
    y.set_grad(4.0);
    CHECK(optim::clip_grad_norm({x, y}, 100) == doctest::Approx(5));
    CHECK(close(y.grad(), 4.0));
    CHECK(optim::clip_grad_norm({x, y}, 1) == doctest::Approx(5));
    CHECK(close(x.grad(), {0.6, 0}, 1e-6));
    optim::clip_grad_value({x, y}, 0.7);
    CHECK(close(y.grad(), 0.7));
    CHECK(thrown<ValueError>([&] { optim::clip_grad_norm({x}, -1); }) ==
          "clip_grad_norm: max_norm is -1, but must be at least 0 (HERE).");
    y.set_grad(infinity);
    CHECK(thrown<ValueError>([&] { optim::clip_grad_norm({y}, 1, {.error_if_nonfinite = true}); }) ==
          "clip_grad_norm: the norm of the gradients is not finite (HERE).");
}

TEST_CASE("accumulation steps with the mean of the microbatches, also of the last few")
{
    const Variable x(0.0);
    optim::SGD sgd({x}, {.lr = 1});
    optim::Accumulation accumulation(sgd, 2);
    const auto microbatch = [&](double gradient)
    {
        x.set_grad(gradient + (x.has_grad() ? x.grad().item() : 0));
        return accumulation.step();
    };
    CHECK_FALSE(microbatch(1));
    CHECK(microbatch(3));
    CHECK(close(x, -2.0));
    CHECK_FALSE(microbatch(5));
    CHECK(accumulation.flush());
    CHECK(close(x, -7.0));
    CHECK_FALSE(accumulation.flush());
}

TEST_CASE("weights are averaged, and exchanged with their averages")
{
    const Variable x(1.0);
    optim::ExponentialMovingAverage ema({x}, 0.75);
    optim::StochasticWeightAverage swa({x});
    CHECK(thrown<ag::Error>([&] { swa.swap(); }) == "StochasticWeightAverage: swapped before its first update (HERE).");
    for (const double weight : {1.0, 5.0, 3.0})
    {
        x.assign(weight);
        ema.update();
        swa.update();
    }
    CHECK(close(ema.averages()[0]->get<double>(), 0.75 * (0.75 * 1 + 0.25 * 5) + 0.25 * 3));
    swa.swap();
    CHECK(close(x, 3.0));
    swa.swap();
    CHECK(close(x, 3.0));
    CHECK(thrown<ValueError>([&] { optim::ExponentialMovingAverage({x}, 1); }) ==
          "ExponentialMovingAverage: decay is 1, but must be at least 0 and less than 1 (HERE).");
}
