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

namespace
{

/// (x0 x1, sin x0, x1^2)
const auto to_three = [](const Tensor& x)
{
    const Tensor a = ag::view(x, 0);
    const Tensor b = ag::view(x, 1);
    return ag::stack({a * b, ag::sin(a), b * b});
};

const Tensor two(xt::xarray<double>{0.5, 3.0});

}

TEST_CASE("jvp gives the value and the Jacobian times a vector")
{
    const auto [y, dy] = ag::jvp(to_three, two, xt::xarray<double>{1.0, 10.0});
    CHECK(close(y, {1.5, std::sin(0.5), 9.0}));
    CHECK(close(dy, {3.0 + 5.0, std::cos(0.5), 60.0}));
}

TEST_CASE("vjp gives the value and a function from output gradients to input gradients, to be called again")
{
    const auto [y, pullback] = ag::vjp(to_three, two);
    CHECK(close(y, {1.5, std::sin(0.5), 9.0}));
    CHECK(close(pullback(xt::xarray<double>{1, 0, 0}), {3.0, 0.5}));
    CHECK(close(pullback(xt::xarray<double>{0, 1, 1}), {std::cos(0.5), 6.0}));
    CHECK(close(pullback(xt::xarray<double>{1, 0, 0}), {3.0, 0.5}));
}

TEST_CASE("a vjp that is kept does not record what follows")
{
    const auto kept = ag::vjp(to_three, two);
    const Tensor later = two * 2.0;
    ag::GradientTape tape;
    CHECK(thrown<ag::UnconnectedError>([&] { tape.gradient(ag::sum(later), two); }) != "");
}

TEST_CASE("jacobian is the same row by row and column by column, in the shapes of result and argument")
{
    const xt::xarray<double> expected{{3.0, 0.5}, {std::cos(0.5), 0.0}, {0.0, 6.0}};
    for (const ag::Mode mode : {ag::Mode::automatic, ag::Mode::reverse, ag::Mode::forward})
    {
        CHECK(close(ag::jacobian(to_three, two, mode), expected));
    }
    const Tensor matrix(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(ag::jacobian([](const Tensor& x) { return ag::sum(x, 0); }, matrix).shape() == ag::Shape{3, 2, 3});
    CHECK(ag::jacobian([](const Tensor& x) { return ag::sum(x); }, matrix).shape() == ag::Shape{2, 3});
}

TEST_CASE("hvp of Rosenbrock's function in 100 dimensions is its closed Hessian times the vector")
{
    xt::xarray<double> x = xt::xarray<double>::from_shape({100});
    xt::xarray<double> v = xt::xarray<double>::from_shape({100});
    for (std::size_t i = 0; i < 100; ++i)
    {
        x(i) = std::sin(1.3 * static_cast<double>(i));
        v(i) = std::cos(0.7 * static_cast<double>(i));
    }
    const xt::xarray<double> matrix = rosenbrock_hessian(x);
    xt::xarray<double> expected = xt::zeros<double>({100});
    for (std::size_t i = 0; i < 100; ++i)
    {
        for (std::size_t j = 0; j < 100; ++j)
        {
            expected(i) += matrix(i, j) * v(j);
        }
    }
    CHECK(close(ag::hvp(rosenbrock, x, v), expected));
    CHECK(close(ag::hessian(rosenbrock, x), matrix));
    CHECK(ag::laplacian(rosenbrock, x).item() == doctest::Approx(xt::sum(xt::diagonal(matrix))()));
}

TEST_CASE("the sixth derivative of sin(x) exp(x), by nested tapes, in reverse and forward")
{
    // The n-th derivative is sqrt(2)^n exp(x) sin(x + n pi / 4).
    const double expected = 8 * std::exp(0.3) * std::sin(0.3 + 1.5 * 3.141592653589793);
    const auto f = [](const Tensor& x) { return ag::sin(x) * ag::exp(x); };
    const auto reverse = ag::grad(ag::grad(ag::grad(ag::grad(ag::grad(ag::grad(f))))));
    CHECK(std::abs(reverse(0.3).item() / expected - 1) < 1e-9);
    const auto along = [](const auto& g) { return [g](const Tensor& x) { return ag::jvp(g, x, 1.0).second; }; };
    const auto forward = along(along(along(along(along(along(f))))));
    CHECK(std::abs(forward(Tensor(0.3)).item() / expected - 1) < 1e-9);
}

TEST_CASE("a tangent of another shape, or too few of them, is refused")
{
    CHECK(thrown<ag::ShapeError>(
              [] {
                  ag::jvp(to_three, two, xt::xarray<double>{1, 2, 3});
              }) == "jvp: the tangent must have the shape of its source: argument 1 is (2,), the tangent (3,) (HERE).");
    ag::GradientTape tape;
    CHECK(thrown<ag::ValueError>([&] { tape.jvp(two, std::vector{two}, std::vector<Tensor>{}); }) ==
          "jvp: needs one tangent a source, and at least one: got 1 sources and 0 tangents (HERE).");
    CHECK(thrown<ag::UnconnectedError>([] { ag::jvp([](const Tensor&) { return Tensor(1.0); }, two, two); }) ==
          "jvp: no tape recorded the target: it was computed without one, or only from constants (HERE). Compute it "
          "from Variables or watched tensors while this tape lives.");
}

TEST_CASE("stop_recording pauses a tape for a scope")
{
    const Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    Tensor unseen;
    {
        const auto scope = tape.stop_recording();
        unseen = y * 2.0;
    }
    const Tensor z = y + unseen;
    CHECK(tape.gradient(z, x).item() == 6.0);
}

TEST_CASE("what another tape records while one is stopped is a constant for the stopped one")
{
    const Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    Tensor elsewhere;
    {
        const auto scope = tape.stop_recording();
        ag::GradientTape other({.persistent = true});
        elsewhere = y * x;
        CHECK(other.gradient(elsewhere, x).item() == 9.0);
    }
    CHECK(tape.gradient(y * elsewhere, x).item() == 27.0 * 6.0);
}

TEST_CASE("a persistent tape does not differentiate through its own gradients")
{
    const Variable x(3.0);
    ag::GradientTape outer({.persistent = true});
    ag::GradientTape tape({.persistent = true});
    const Tensor y = x * x * x;
    const Tensor slope = tape.gradient(y, x);
    CHECK(tape.gradient(y * slope, x).item() == 27.0 * 27.0);
    CHECK(outer.gradient(y * slope, x).item() == 27.0 * 27.0 + 27.0 * 18.0);
}

TEST_CASE("a tape gives Jacobians, rows or columns, and is used up by one")
{
    const Variable x(xt::xarray<double>{0.5, 2.0, -1.0});
    const auto f = [](const Tensor& a) { return ag::stack<double>({ag::sum(a * a), ag::prod(a)}); };
    for (const ag::Mode mode : {ag::Mode::automatic, ag::Mode::reverse, ag::Mode::forward})
    {
        ag::GradientTape tape;
        const Tensor y = f(x);
        CHECK(xt::allclose(tape.jacobian(y, x, {.mode = mode}).value(),
                           xt::xarray<double>{{1.0, 4.0, -2.0}, {-2.0, -0.5, 1.0}}));
        CHECK_THROWS_AS(tape.jacobian(y, x), ag::TapeError);
    }
    ag::GradientTape tape({.persistent = true});
    const Tensor y = f(x);
    (void)tape.jacobian(y, x);
    CHECK(tape.jacobian(y, x).shape() == ag::Shape{2, 3});
    const Variable other(1.0);
    CHECK_THROWS_AS(tape.jacobian(y, other), ag::UnconnectedError);
    CHECK(tape.jacobian(y, other, {.unconnected = ag::Unconnected::zero}).shape() == ag::Shape{2});
}

TEST_CASE("Jacobians of the samples of a batch, a pass for each element of one sample")
{
    const Variable x(xt::xarray<double>{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    for (const ag::Mode mode : {ag::Mode::automatic, ag::Mode::reverse, ag::Mode::forward})
    {
        ag::GradientTape tape;
        const Tensor y = ag::stack<double>({ag::prod(x, 1), ag::sum(x * x, 1)}, 1);
        CHECK(xt::allclose(
            tape.batch_jacobian(y, x, {.mode = mode}).value(),
            xt::xarray<double>{{{6.0, 3.0, 2.0}, {2.0, 4.0, 6.0}}, {{30.0, 24.0, 20.0}, {8.0, 10.0, 12.0}}}));
    }
    ag::GradientTape tape;
    const Tensor y = ag::sum(x * x, 0);
    CHECK(thrown<ag::ShapeError>([&] { (void)tape.batch_jacobian(y, x); }) ==
          "batch_jacobian: target and source must have as many samples, along their first axes: got (3,) and (2, 3) "
          "(HERE).");
}

TEST_CASE("a Jacobian is recorded by the tape around it")
{
    const Variable x(xt::xarray<double>{0.5, 2.0});
    for (const ag::Mode mode : {ag::Mode::reverse, ag::Mode::forward})
    {
        ag::GradientTape outer;
        ag::GradientTape inner;
        const Tensor y = x * x * x;
        const Tensor jacobian = inner.jacobian(y, x, {.mode = mode});
        CHECK(xt::allclose(outer.gradient(ag::sum(jacobian), x).value(), xt::xarray<double>{3.0, 12.0}));
    }
}
