#include "../autograd/closeness.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using ag::ShapeError;
using ag::ValueError;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

}

TEST_CASE("two leaves go down a bowl to 0.8^50 in fifty steps")
{
    Variable a(1.0);
    Variable b(1.0);
    optim::SGD sgd({a, b}, {.lr = 0.1});
    for (int step = 0; step < 50; ++step)
    {
        ag::GradientTape tape;
        const Tensor loss = a * a + b * b;
        sgd.zero_grad();
        loss.backward();
        sgd.step();
    }
    CHECK(close(a, std::pow(0.8, 50), 1e-13));
    CHECK(close(b, std::pow(0.8, 50), 1e-13));
}

TEST_CASE("defaults are PyTorch's")
{
    const optim::SGDOptions options;
    CHECK(options.lr == 1e-3);
    CHECK(options.momentum == 0);
    CHECK(options.dampening == 0);
    CHECK(options.weight_decay == 0);
    CHECK_FALSE(options.nesterov);
    CHECK_FALSE(options.maximize);
}

TEST_CASE("float parameters are updated in float, beside double ones")
{
    ag::Variable<float> x(xt::xarray<float>{1.0F, 2.0F});
    Variable y(3.0);
    optim::SGD sgd({x, y}, {.lr = 0.5, .momentum = 0.5});
    for (int step = 0; step < 2; ++step)
    {
        x.set_grad(ag::Tensor<float>(xt::xarray<float>{1.0F, -2.0F}));
        y.set_grad(4.0);
        sgd.step();
    }
    CHECK(close(x, {1 - 0.5 - 0.75, 2 + 1.0 + 1.5}));
    CHECK(close(y, 3 - 2.0 - 3.0));
}

TEST_CASE("a parameter without gradient stays as it is, and so does its momentum")
{
    Variable x(1.0);
    Variable y(1.0);
    optim::SGD sgd({x, y}, {.lr = 1, .momentum = 0.5, .weight_decay = 0.1});
    x.set_grad(1.0);
    sgd.step();
    CHECK(close(x, 1 - 1.1));
    CHECK(close(y, 1.0));
    CHECK(sgd.state(0, "momentum_buffer").has_value());
    CHECK_FALSE(sgd.state(1, "momentum_buffer").has_value());
    sgd.zero_grad();
    sgd.step();
    CHECK(close(x, 1 - 1.1));
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("a step leaves the gradients, and values that were read before it")
{
    Variable x(xt::xarray<double>{1, 2});
    optim::SGD sgd({x}, {.lr = 1});
    const Tensor before = x;
    const auto view = x.value();
    const Tensor gradient(xt::xarray<double>{3, 4});
    x.set_grad(gradient);
    sgd.step();
    CHECK(close(x, {-2, -2}));
    CHECK(close(before, {1, 2}));
    CHECK(view(1) == 2.0);
    CHECK(close(x.grad(), {3, 4}));
    CHECK(close(gradient, {3, 4}));
}

TEST_CASE("the first momentum buffer is a copy of the gradient")
{
    Variable x(xt::xarray<double>{1, 2});
    optim::SGD sgd({x}, {.lr = 1, .momentum = 0.5});
    const Tensor gradient(xt::xarray<double>{3, 4});
    x.set_grad(gradient);
    sgd.step();
    sgd.step();
    CHECK(close(x, {1 - 3 - 4.5, 2 - 4 - 6.0}));
    CHECK(close(gradient, {3, 4}));
    CHECK(close(x.grad(), {3, 4}));
}

TEST_CASE("a group has the options that the optimizer was made with, until they are changed")
{
    Variable x(1.0);
    Variable y(1.0);
    Variable z(1.0);
    optim::SGD sgd({x}, {.lr = 0.25, .weight_decay = 0.5});
    sgd.group(0).lr = 0.125;
    sgd.add_group({y}).weight_decay = 0;
    sgd.add_group({z}, {.lr = 1, .maximize = true});
    CHECK(sgd.group(1).lr == 0.25);
    CHECK(sgd.parameters().size() == 3);
    CHECK(sgd.group_count() == 3);
    for (Variable* variable : {&x, &y, &z})
    {
        variable->set_grad(2.0);
    }
    sgd.step();
    CHECK(close(x, 1 - 0.125 * 2.5));
    CHECK(close(y, 1 - 0.25 * 2));
    CHECK(close(z, 1 + 2.0));
    CHECK_THROWS_AS(sgd.group(3), std::out_of_range);
}

TEST_CASE("options changed by assignment count from the next step on")
{
    Variable x(1.0);
    optim::SGD sgd({x}, {.lr = 0.5});
    x.set_grad(1.0);
    sgd.step();
    sgd.group(0).lr = 0.125;
    sgd.step();
    CHECK(close(x, 1 - 0.5 - 0.125));
    sgd.group(0).lr = -1;
    CHECK_THROWS_AS(sgd.step(), ValueError);
    CHECK(close(x, 1 - 0.5 - 0.125));
}

TEST_CASE("options out of range are refused")
{
    const Variable x(1.0);
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.lr = -0.1}); }) ==
          "SGD: lr is -0.1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.lr = not_a_number}); }) ==
          "SGD: lr is nan, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.momentum = -1}); }) ==
          "SGD: momentum is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.weight_decay = -1e-3}); }) ==
          "SGD: weight_decay is -0.001, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.momentum = 0.9, .dampening = not_a_number}); }) ==
          "SGD: dampening is nan, but must be a number (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.nesterov = true}); }) ==
          "SGD: momentum is 0, but must be more than 0 with nesterov (HERE).");
    CHECK(thrown<ValueError>([&] { optim::SGD({x}, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); }) ==
          "SGD: dampening is 0.1, but must be 0 with nesterov (HERE).");
    const Variable y(1.0);
    optim::SGD sgd({x});
    CHECK(thrown<ValueError>([&] { sgd.add_group({y}, {.lr = -0.1}); }) ==
          "SGD: lr is -0.1, but must be at least 0 (HERE).");
    CHECK(sgd.parameters().size() == 1);
}

TEST_CASE("no parameters, or one given twice, are refused")
{
    const Variable x(1.0);
    const Variable y(1.0);
    const Variable same = x;
    CHECK(thrown<ValueError>([&] { optim::SGD(std::vector<optim::Parameter>{}); }) ==
          "SGD: a group without parameters (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::SGD({x, y, same});
              }) == "SGD: parameter 3 is the same as parameter 1 (HERE). Give each variable once.");
    optim::SGD sgd({x});
    CHECK(thrown<ValueError>(
              [&] {
                  sgd.add_group({y, x});
              }) == "SGD: parameter 3 is the same as parameter 1 (HERE). Give each variable once.");
    CHECK_NOTHROW(sgd.add_group({y}));
}

TEST_CASE("what is kept can be read and put back by PyTorch's name")
{
    const auto after_two_steps = [](bool restored)
    {
        Variable x(1.0);
        x.set_grad(1.0);
        optim::SGD first({x}, {.lr = 0.5, .momentum = 0.5});
        first.step();
        optim::SGD second({x}, {.lr = 0.5, .momentum = 0.5});
        second.set_state(0, "momentum_buffer", *first.state(0, "momentum_buffer"));
        (restored ? second : first).step();
        return x.item();
    };
    CHECK(after_two_steps(true) == after_two_steps(false));

    optim::SGD sgd({Variable(1.0)});
    CHECK(thrown<ValueError>([&] { sgd.state(1, "momentum_buffer"); }) ==
          "state: parameter 1 of 1: they count from 0 (HERE).");
    CHECK(thrown<ValueError>([&] { sgd.state(0, "exp_avg"); }) == "state: SGD keeps no exp_avg (HERE).");
    CHECK(thrown<ShapeError>([&] { sgd.set_state(0, "momentum_buffer", ag::Variable<float>(1.0F)); }) ==
          "set_state: momentum_buffer has the shape and precision of its parameter, () of double: got () of float "
          "(HERE).");
}

TEST_CASE("apply_gradients steps with the gradients that it is given")
{
    Variable x(1.0);
    Variable y(xt::xarray<double>{1, 2});
    Variable z(5.0);
    ag::Variable<float> w(2.0F);
    optim::SGD sgd({x, y, z, w}, {.lr = 0.5});
    z.set_grad(100.0);
    sgd.apply_gradients({{Tensor(4.0), x}, {Tensor(xt::xarray<double>{6, 8}), y}, {ag::Tensor<float>(2.0F), w}});
    CHECK(close(x, -1.0));
    CHECK(close(y, {-2, -2}));
    CHECK(close(z, 5.0));
    CHECK(close(w, 1.0));
}

TEST_CASE("apply_gradients refuses a stranger and a gradient that does not fit, and changes nothing")
{
    Variable x(xt::xarray<double>{1, 2});
    Variable y(1.0);
    const Variable stranger(1.0);
    optim::SGD sgd({x, y}, {.lr = 0.5});
    x.set_grad(Tensor(xt::xarray<double>{7, 7}));
    CHECK(thrown<ValueError>(
              [&] {
                  sgd.apply_gradients({{Tensor(1.0), y}, {Tensor(1.0), stranger}});
              }) == "apply_gradients: variable 2 is not a parameter of this optimizer (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  sgd.apply_gradients({{Tensor(1.0), y}, {Tensor(1.0), x}});
              }) ==
          "apply_gradients: a gradient has the shape of its variable: the variable is (2,), the gradient () (HERE).");
    CHECK(close(x, {1, 2}));
    CHECK(close(y, 1.0));
    CHECK(x.has_grad());
    CHECK_FALSE(y.has_grad());
}

TEST_CASE("minimize takes one step and returns the loss from before it")
{
    Variable a(1.0);
    Variable b(2.0);
    optim::SGD sgd({a, b}, {.lr = 0.1});
    a.set_grad(1000.0);
    const auto loss = [&] { return a * a + b * b; };
    CHECK(close(sgd.minimize(loss), 5.0));
    CHECK(close(a, 0.8));
    CHECK(close(b, 1.6));
    CHECK(close(sgd.minimize(loss), 0.64 * 5));
}

TEST_CASE("minimize of a constant names the user's line")
{
    Variable a(1.0);
    optim::SGD sgd({a});
    CHECK(thrown<ag::TapeError>([&] { sgd.minimize([] { return Tensor(1.0); }); }) ==
          "backward: no tape recorded the target: it was computed without one, or only from constants (HERE). "
          "Compute it from Variables while a GradientTape lives.");
    CHECK(close(a, 1.0));
}

TEST_CASE("steps under a living tape are not recorded")
{
    Variable x(xt::xarray<double>{1, 2});
    optim::SGD sgd({x}, {.lr = 0.5, .momentum = 0.9});
    ag::GradientTape tape({.persistent = true});
    const Tensor loss = ag::sum(ag::square(x));
    loss.backward();
    sgd.step();
    CHECK(close(x, {0, 0}));
    CHECK(close(tape.gradient(loss, x), {2, 4}));
    CHECK(close(tape.gradient(ag::sum(ag::square(x)), x), {0, 0}));
}
