#include "../thrown.hpp"
#include "closeness.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// log(1 + e^x) with a gradient that does not overflow.
const auto log1pexp = ag::custom_gradient(
    [](const Tensor& x)
    {
        const Tensor e = ag::exp(x);
        return std::pair(ag::log(1 + e), [=](const Tensor& dy) { return dy * (1 - 1 / (1 + e)); });
    });

/// x y, with gradients that are wrong on purpose: 10 y and 100 x.
const auto product = ag::custom_gradient(
    [](const Tensor& x, const Tensor& y)
    { return std::pair(x * y, [=](const Tensor& dy) { return std::tuple(10 * dy * y, 100 * dy * x); }); });

}

TEST_CASE("a custom gradient is taken instead of the function's own")
{
    CHECK(ag::grad(log1pexp)(0.0).item() == doctest::Approx(0.5));
    // The function's own is inf / inf there.
    CHECK(ag::grad(log1pexp)(1000.0).item() == 1.0);
    const Variable x(3.0), y(5.0);
    ag::GradientTape tape;
    const auto [dx, dy] = tape.gradient(product(x, y), x, y);
    CHECK(dx.item() == 50.0);
    CHECK(dy.item() == 300.0);
}

TEST_CASE("the derivative of a custom gradient is that of its pullback, through what the function computed")
{
    const double x = 0.7;
    const double p = 1 / (1 + std::exp(-x));
    CHECK(ag::grad(ag::grad(log1pexp))(x).item() == doctest::Approx(p * (1 - p)));
    CHECK(ag::grad(ag::grad(ag::grad(log1pexp)))(x).item() == doctest::Approx(p * (1 - p) * (1 - 2 * p)));
}

TEST_CASE("forward mode transposes a custom pullback")
{
    CHECK(ag::jvp(log1pexp, 0.0, 3.0).second.item() == doctest::Approx(1.5));
}

TEST_CASE("without a tape a custom gradient is only the function")
{
    CHECK(log1pexp(Tensor(0.0)).item() == doctest::Approx(std::log(2.0)));
}

TEST_CASE("a pullback that gives a gradient of another shape, or too few, is refused by number")
{
    const auto misshapen =
        ag::custom_gradient([](const Tensor& x) { return std::pair(ag::sum(x), [](const Tensor& dy) { return dy; }); });
    const auto too_few =
        ag::custom_gradient([](const Tensor& x, const Tensor& y)
                            { return std::pair(x * y, [](const Tensor& dy) { return std::vector<Tensor>{dy}; }); });
    const Variable x(xt::xarray<double>{1, 2, 3}), y(2.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor one = misshapen(x);
    const Tensor other = too_few(x, y);
    CHECK(thrown<ag::ShapeError>([&] { tape.gradient(one, x); })
              .starts_with(
                  "custom_gradient: the gradient of input 1 must have its shape: the input is (3,), the gradient ()"));
    CHECK(thrown<ag::ShapeError>([&] { tape.gradient(ag::sum(other), x); })
              .starts_with("custom_gradient: the pullback must give one gradient an input: it gave 1 for 2 inputs"));
    CHECK(ag::grad([](const Tensor& z) { return z * z; })(2.0).item() == 4.0);
}

namespace
{

/// x^exponent by xt::, whose gradient nothing but `backward` knows; made of numbers and of what it has saved.
struct Power
{
    static constexpr const char* name = "power";
    double exponent;
    Tensor x = {};

    Tensor forward(const Tensor& base)
    {
        x = base;
        return Tensor(xt::pow(base.value(), exponent));
    }

    Tensor backward(const Tensor& dy) const
    {
        return exponent == 1 ? dy : dy * exponent * ag::custom_gradient(Power{exponent - 1})(x);
    }
};

/// e^x by xt::, whose gradient is made of its value.
struct Exponential
{
    Tensor forward(const Tensor& x) const { return Tensor(xt::exp(x.value())); }
    Tensor backward(const Tensor& dy, const Tensor& y) const { return dy * y; }
};

/// Scales, and counts how often it was asked for a gradient.
struct Counted
{
    std::shared_ptr<int> calls = std::make_shared<int>(0);
    double factor = 0;

    Tensor forward(const Tensor& x, const Tensor& by)
    {
        factor = by.item();
        return x * factor;
    }
    std::array<Tensor, 2> backward(const Tensor& dy)
    {
        ++*calls;
        return {dy * factor, Tensor(0.0)};
    }
};

/// Gives the gradient that it is told to.
struct Wrong
{
    static constexpr const char* name = "wrong";
    std::vector<Tensor> gradients;

    Tensor forward(const Tensor& x, const Tensor& y) const { return x * y; }
    std::vector<Tensor> backward(const Tensor&) const { return gradients; }
};

}

TEST_CASE("a class saves in its object what its gradient needs, each call in one of its own")
{
    const Variable x(3.0), y(5.0);
    const auto cube = ag::custom_gradient(Power{3});
    {
        ag::GradientTape tape;
        const Tensor both = cube(x) + 10 * cube(y);
        const auto [dx, dy] = tape.gradient(both, x, y);
        CHECK(both.item() == doctest::Approx(27 + 1250));
        CHECK(dx.item() == doctest::Approx(27));
        CHECK(dy.item() == doctest::Approx(750));
    }
    CHECK(cube(Tensor(2.0)).item() == doctest::Approx(8));
    Counted counted;
    ag::GradientTape tape({.persistent = true});
    const Tensor scaled = ag::custom_gradient(counted)(x, Tensor(7.0));
    CHECK(tape.gradient(scaled, x).item() == 7);
    CHECK(tape.gradient(scaled, x).item() == 7);
    CHECK(*counted.calls == 2);
    CHECK(counted.factor == 0);
}

TEST_CASE("derivatives of higher order of a class are those of its backward, in which the value has its own derivative")
{
    const auto cube = ag::custom_gradient(Power{3});
    CHECK(ag::grad(ag::grad(cube))(2.0).item() == doctest::Approx(12));
    CHECK(ag::grad(ag::grad(ag::grad(cube)))(2.0).item() == doctest::Approx(6));
    const auto exponential = ag::custom_gradient(Exponential());
    const double e = std::exp(0.5);
    CHECK(ag::grad(exponential)(0.5).item() == doctest::Approx(e));
    CHECK(ag::grad(ag::grad(ag::grad(exponential)))(0.5).item() == doctest::Approx(e));
    CHECK(ag::jvp(exponential, 0.5, 2.0).second.item() == doctest::Approx(2 * e));
    CHECK(ag::jvp(ag::grad(exponential), 0.5, 2.0).second.item() == doctest::Approx(2 * e));
    CHECK(ag::testing::check_gradients([&](const Tensor& x) { return ag::sum(exponential(ag::sin(x))); },
                                       {xt::xarray<double>{0.3, -0.7}}, {.second_order = true}));
}

TEST_CASE("a pullback that is a function may take the value, too")
{
    const auto exponential = ag::custom_gradient(
        [](const Tensor& x)
        { return std::pair(Tensor(xt::exp(x.value())), [](const Tensor& dy, const Tensor& y) { return dy * y; }); });
    CHECK(ag::grad(ag::grad(exponential))(0.5).item() == doctest::Approx(std::exp(0.5)));
}

TEST_CASE("what a class saved in a tensor is not changed by an assignment")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = ag::custom_gradient(Power{3})(x);
    x.assign(100.0);
    CHECK(tape.gradient(y, x).item() == doctest::Approx(12));
}

TEST_CASE("a wrong number or shape of gradients of a class is refused by its name")
{
    const Variable x(xt::xarray<double>{1, 2}), y(2.0);
    ag::GradientTape tape({.persistent = true});
    const auto refused = [&](std::vector<Tensor> gradients)
    {
        const Tensor product = ag::custom_gradient(Wrong{std::move(gradients)})(x, y);
        return thrown<ag::ShapeError>([&] { tape.gradient(ag::sum(product), x); });
    };
    CHECK(refused({Tensor(1.0)})
              .starts_with("wrong: the pullback must give one gradient an input: it gave 1 for 2 inputs"));
    CHECK(refused({Tensor(1.0), Tensor(1.0)})
              .starts_with("wrong: the gradient of input 1 must have its shape: the input is (2,), the gradient ()"));
    const Tensor good(xt::xarray<double>{1, 2});
    CHECK(refused({good, good})
              .starts_with("wrong: the gradient of input 2 must have its shape: the input is (), the gradient (2,)"));
}

TEST_CASE("straight_through has the value of one tensor and the gradient of another")
{
    const auto rounded = [](const Tensor& x) { return ag::straight_through(Tensor(xt::round(x.value())), x); };
    const Variable x(xt::xarray<double>{0.2, 1.7});
    ag::GradientTape tape;
    const Tensor y = rounded(x);
    CHECK(close(y, {0, 2}));
    CHECK(close(tape.gradient(ag::sum(ag::square(y)), x), {0, 4}));
    CHECK(thrown<ag::ShapeError>([&] { ag::straight_through(Tensor(1.0), x); }) ==
          "straight_through: value and x must have one shape: got () and (2,) (HERE).");
}

TEST_CASE("a hook on a tensor sees the whole gradient, and may change it")
{
    const Variable x(2.0);
    double seen = 0;
    ag::GradientTape tape({.persistent = true});
    const Tensor looked_at = ag::on_gradient(x * 3, [&](const Tensor& dy) { seen = dy.item(); });
    const Tensor y = looked_at * looked_at + looked_at;
    CHECK(tape.gradient(y, x).item() == 3 * 13);
    CHECK(seen == 13);
    const Tensor doubled = ag::on_gradient(x, [](const Tensor& dy) { return dy * 2; });
    CHECK(tape.gradient(doubled * 5, x).item() == 10);
}

TEST_CASE("a hook's change has derivatives")
{
    const Variable x(3.0);
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor h = ag::on_gradient(x, [](const Tensor& dy) { return dy * dy; });
    const Tensor g = inner.gradient(h * h, x);
    CHECK(g.item() == 36);
    // (2h)^2, whose own gradient by h goes through the hook again.
    CHECK(outer.gradient(g, x).item() == 24.0 * 24.0);
}

TEST_CASE("gradients are scaled and clipped on their way")
{
    const Variable x(xt::xarray<double>{3.0, -4.0});
    ag::GradientTape tape({.persistent = true});
    const auto gradient = [&](const Tensor& h) { return tape.gradient(ag::sum(h * h) / 2, x).value(); };
    CHECK(gradient(ag::scale_gradient(x, -1)) == xt::xarray<double>{-3.0, 4.0});
    CHECK(gradient(ag::clip_gradient_value(x, 3.5)) == xt::xarray<double>{3.0, -3.5});
    CHECK(xt::allclose(gradient(ag::clip_gradient_norm(x, 1)), xt::xarray<double>{0.6, -0.8}));
    CHECK(gradient(ag::clip_gradient_norm(x, 10)) == xt::xarray<double>{3.0, -4.0});
    CHECK(thrown<ag::ValueError>([&] { ag::clip_gradient_norm(x, 0); }) ==
          "clip_gradient_norm: needs a bound above 0: got 0.000000 (HERE).");
}

TEST_CASE("hooks of a variable see its gradient once, in order, and can be removed")
{
    const Variable x(2.0);
    int calls = 0;
    const ag::HookHandle twice = x.register_hook([](const Tensor& g) { return g * 2; });
    x.register_hook([&](const Tensor& g) { calls += g.item() == 2 * 5 ? 1 : 100; });
    const auto run = [&]
    {
        ag::GradientTape tape;
        const Tensor y = x * x + x;
        return tape.gradient(y, x).item();
    };
    CHECK(run() == 10);
    CHECK(calls == 1);
    {
        ag::GradientTape tape;
        (x * x + x).backward();
    }
    CHECK(x.grad().item() == 10);
    CHECK(calls == 2);
    twice.remove();
    twice.remove();
    calls = 0;
    CHECK(run() == 5);
    CHECK(calls == 100);
}

TEST_CASE("a hook that gives another shape is refused")
{
    const Variable x(xt::xarray<double>{1.0, 2.0});
    x.register_hook([](const Tensor& g) { return ag::sum(g); });
    ag::GradientTape tape;
    const Tensor y = ag::sum(x * x);
    CHECK(thrown<ag::ShapeError>([&] { y.backward(); }) ==
          "register_hook: a hook must give a gradient of the shape of its "
          "variable: the variable is (2,), the gradient ().");
}
