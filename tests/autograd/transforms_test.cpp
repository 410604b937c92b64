#include "../thrown.hpp"
#include "closeness.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2
const auto rosenbrock = []<class T>(const ag::Tensor<T>& x)
{
    using namespace xt::placeholders;
    const ag::Tensor<T> a = ag::view(x, xt::range(0, -1));
    const ag::Tensor<T> b = ag::view(x, xt::range(1, _));
    return ag::sum(100 * ag::square(b - ag::square(a)) + ag::square(1 - a));
};

double rosenbrock_value(const xt::xarray<double>& x)
{
    double sum = 0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
    {
        sum += 100 * std::pow(x(i + 1) - x(i) * x(i), 2) + std::pow(1 - x(i), 2);
    }
    return sum;
}

xt::xarray<double> rosenbrock_gradient(const xt::xarray<double>& x)
{
    xt::xarray<double> gradient = xt::zeros<double>({x.size()});
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
    {
        gradient(i) += -400 * x(i) * (x(i + 1) - x(i) * x(i)) - 2 * (1 - x(i));
        gradient(i + 1) += 200 * (x(i + 1) - x(i) * x(i));
    }
    return gradient;
}

xt::xarray<double> rosenbrock_hessian(const xt::xarray<double>& x)
{
    xt::xarray<double> hessian = xt::zeros<double>({x.size(), x.size()});
    for (std::size_t i = 0; i + 1 < x.size(); ++i)
    {
        hessian(i, i) += 1200 * x(i) * x(i) - 400 * x(i + 1) + 2;
        hessian(i + 1, i + 1) += 200;
        hessian(i, i + 1) -= 400 * x(i);
        hessian(i + 1, i) -= 400 * x(i);
    }
    return hessian;
}

const xt::xarray<double> point{-1.2, 1.0, 0.7, 1.9};

}

TEST_CASE("value_and_grad of Rosenbrock's function is its closed form")
{
    const auto [value, gradient] = ag::value_and_grad(rosenbrock)(point);
    CHECK(close(value, rosenbrock_value(point)));
    CHECK(close(gradient, rosenbrock_gradient(point), 1e-13));
    CHECK(close(ag::grad(rosenbrock)(Tensor(point)), rosenbrock_gradient(point), 1e-13));
}

TEST_CASE("the Hessian of Rosenbrock's function is its closed form")
{
    CHECK(close(ag::hessian(rosenbrock, point), rosenbrock_hessian(point), 1e-13));
    CHECK(close(ag::hessian(rosenbrock, Variable(point)), rosenbrock_hessian(point), 1e-13));
    const xt::xarray<float> single = xt::cast<float>(point);
    CHECK(close(ag::hessian(rosenbrock, single), rosenbrock_hessian(xt::cast<double>(single)), 2e-6));
}

TEST_CASE("transforms take scalars, arrays, expressions, tensors and variables")
{
    const auto cube = [](const auto& x) { return ag::sum(x * x * x); };
    CHECK(close(ag::grad(cube)(2.0), 12.0));
    static_assert(std::is_same_v<decltype(ag::grad(cube)(2.0F)), ag::Tensor<float>>);
    CHECK(close(ag::grad(cube)(xt::xarray<double>{1, 2}), {3, 12}));
    CHECK(close(ag::grad(cube)(2 * xt::xarray<double>{1, 2}), {12, 48}));
    CHECK(close(ag::grad(cube)(Tensor(3.0)), 27.0));
    Variable x(xt::xarray<double>{1, 2});
    CHECK(close(ag::grad(cube)(x), {3, 12}));
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("transforms compose to derivatives of higher order")
{
    const auto f = [](const Tensor& x) { return ag::sin(x) * x; };
    const double x = 0.7;
    CHECK(close(ag::grad(f)(x), std::sin(x) + x * std::cos(x)));
    CHECK(close(ag::grad(ag::grad(f))(x), 2 * std::cos(x) - x * std::sin(x)));
    CHECK(close(ag::grad(ag::grad(ag::grad(f)))(x), -3 * std::sin(x) - x * std::cos(x)));
    CHECK(close(ag::grad(ag::grad(ag::grad(ag::grad(f))))(x), -4 * std::cos(x) + x * std::sin(x)));
    const auto [value, second] = ag::value_and_grad(ag::grad(f))(x);
    CHECK(close(value, std::sin(x) + x * std::cos(x)));
    CHECK(close(second, 2 * std::cos(x) - x * std::sin(x)));
}

TEST_CASE("a Hessian has a row for each element, whatever the shape of x")
{
    const auto f = [](const Tensor& x) { return ag::sum(x * x * x); };
    CHECK(close(ag::hessian(f, 2.0), column({12})));
    CHECK(close(ag::hessian(f, xt::xarray<double>{{1, 2}, {3, 4}}),
                {{6, 0, 0, 0}, {0, 12, 0, 0}, {0, 0, 18, 0}, {0, 0, 0, 24}}));
}

TEST_CASE("the Hessian of a linear function is zero")
{
    const auto f = [](const Tensor& x) { return ag::sum(x * xt::xarray<double>{1, 2}); };
    CHECK(close(ag::hessian(f, xt::xarray<double>{3, 4}), {{0, 0}, {0, 0}}));
}

TEST_CASE("a transform works inside a tape, and other variables keep their derivatives")
{
    Variable w(3.0);
    ag::GradientTape tape;
    const auto f = [&](const Tensor& x) { return w * w * x * x; };
    const Tensor slope = ag::grad(f)(2.0);
    CHECK(close(slope, 36.0));
    CHECK(close(tape.gradient(slope, w), 24.0));
}

TEST_CASE("a variable under a transform can be differentiated by the tape around it")
{
    Variable x(2.0);
    ag::GradientTape tape;
    const auto [value, slope] = ag::value_and_grad([](const Tensor& t) { return t * t * t; })(x);
    CHECK(close(tape.gradient(value + slope, x), 12.0 + 12.0));
}

TEST_CASE("a Hessian can be differentiated again")
{
    Variable x(2.0);
    ag::GradientTape tape;
    const Tensor curvature = ag::hessian([](const Tensor& t) { return t * t * t * t; }, x);
    CHECK(close(curvature, column({48})));
    CHECK(close(tape.gradient(ag::sum(curvature), x), 48.0));
}

TEST_CASE("a function that does not depend on its argument is unconnected")
{
    Variable w(1.0);
    CHECK_THROWS_AS(ag::grad([&](const Tensor&) { return w * 2.0; })(1.0), ag::UnconnectedError);
    CHECK_THROWS_AS(ag::grad([](const Tensor&) { return Tensor(2.0); })(1.0), ag::UnconnectedError);
    CHECK_THROWS_AS(ag::grad([](const Tensor& x) { return ag::stop_gradient(x); })(1.0), ag::UnconnectedError);
}

TEST_CASE("what a function throws comes through a transform and leaves no tape behind")
{
    const auto f = [](const Tensor& x) { return x + Tensor(xt::xarray<double>{1, 2, 3}); };
    CHECK_THROWS_AS(ag::grad(f)(xt::xarray<double>{1, 2}), ag::ShapeError);
    CHECK_THROWS_AS(ag::hessian(f, xt::xarray<double>{1, 2}), ag::ShapeError);
    Variable x(1.0);
    CHECK_THROWS_AS((x * 2.0).backward(), ag::TapeError);
}
