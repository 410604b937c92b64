#include "../autograd/closeness.hpp"
#include "../thrown.hpp"
#include "every_optimizer.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

namespace ag = autograd;
using ag::ValueError;
using Variable = ag::Variable<double>;

namespace
{

const double infinity = std::numeric_limits<double>::infinity();

/// The same few for every optimizer, so that their sines are computed once.
const xt::xarray<double>& wave(int phase)
{
    static std::map<int, xt::xarray<double>> waves;
    const auto [place, fresh] = waves.try_emplace(phase, xt::xarray<double>::shape_type{100, 3001});
    if (fresh)
    {
        for (std::size_t i = 0; i < place->second.size(); ++i)
        {
            place->second.storage()[i] = std::sin(0.7 * static_cast<double>(i) + phase);
        }
    }
    return place->second;
}

/// The weights after three steps over many elements.
xt::xarray<double> trained(const MakeOptimizer& make)
{
    const Variable x(wave(0));
    const auto optimizer = make({x});
    int step = 0;
    for (int k = 0; k < 3; ++k)
    {
        optimizer->step(
            [&]
            {
                x.set_grad(wave(++step));
                return static_cast<double>(-step);
            });
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

TEST_CASE("a step of any optimizer does not depend on the number of threads")
{
    const std::size_t threads = ag::num_threads();
    for (const MakeOptimizer& make : every_optimizer())
    {
        const std::string name = make({Variable(xt::xarray<double>{{1, 2}})})->name();
        CAPTURE(name);
        ag::set_num_threads(1);
        const auto alone = trained(make);
        ag::set_num_threads(3);
        const auto together = trained(make);
        CHECK(alone == together);
        CHECK(alone != wave(0));
    }
    ag::set_num_threads(threads);
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

TEST_CASE("options out of range are named, with what is allowed")
{
    const Variable x(1.0);
    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Adam({x}, {.betas = {0.9, 1}});
              }) == "Adam: betas[1] is 1, but must be at least 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Lion({x}, {.betas = {-0.1, 0.9}});
              }) == "Lion: betas[0] is -0.1, but must be at least 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Rprop({x}, {.etas = {1, 1.2}});
              }) == "Rprop: etas[0] is 1, but must be more than 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::Rprop({x}, {.etas = {0.5, 0.9}});
              }) == "Rprop: etas[1] is 0.9, but must be more than 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::Adadelta({x}, {.rho = 1.5}); }) ==
          "Adadelta: rho is 1.5, but must be at least 0 and at most 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::Adagrad({x}, {.initial_accumulator_value = -1}); }) ==
          "Adagrad: initial_accumulator_value is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ASGD({x}, {.alpha = not_a_number}); }) ==
          "ASGD: alpha is nan, but must be a number (HERE).");
    CHECK(thrown<ValueError>([&] { optim::NAdam({x}, {.momentum_decay = -1}); }) ==
          "NAdam: momentum_decay is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::RMSprop({x}, {.momentum = -1}); }) ==
          "RMSprop: momentum is -1, but must be at least 0 (HERE).");
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
