#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// Newton's iteration for the square root, whose fixed point is sqrt(a): its derivatives are known.
Tensor square_root(const Tensor& a)
{
    return ag::fixed_point([a](const Tensor& x) { return (x + a / x) / 2; }, Tensor(1.0));
}

/// The iteration x = cos(a x), a contraction for small a; its derivative is -x sin(a x) / (1 + a sin(a x)).
Tensor cosine(const Tensor& a)
{
    return ag::fixed_point([a](const Tensor& x) { return ag::cos(a * x); }, Tensor(0.5), {.tolerance = 1e-14});
}

}

TEST_CASE("a fixed point has the value of its equation")
{
    CHECK(square_root(Tensor(2.0)).item() == doctest::Approx(std::sqrt(2.0)));
    const double x = cosine(Tensor(0.8)).item();
    CHECK(std::cos(0.8 * x) == doctest::Approx(x).epsilon(1e-12));
}

TEST_CASE("its derivatives of the first three orders are those of the implicit function")
{
    CHECK(ag::grad(square_root)(2.0).item() == doctest::Approx(0.5 / std::sqrt(2.0)));
    CHECK(ag::grad(ag::grad(square_root))(2.0).item() == doctest::Approx(-0.25 * std::pow(2.0, -1.5)));
    const double a = 0.8;
    const double x = cosine(Tensor(a)).item();
    CHECK(ag::grad(cosine)(a).item() ==
          doctest::Approx(-x * std::sin(a * x) / (1 + a * std::sin(a * x))).epsilon(1e-10));
    CHECK(ag::testing::check_gradients(cosine, {a}, {.second_order = true}));
}

TEST_CASE("a gradient of a fixed point is as exact where it is small")
{
    const auto tiny = [](const Tensor& a) { return 1e-12 * cosine(a); };
    const double x = cosine(Tensor(0.8)).item();
    const double expected = -x * std::sin(0.8 * x) / (1 + 0.8 * std::sin(0.8 * x));
    CHECK(1e12 * ag::grad(tiny)(0.8).item() == doctest::Approx(expected).epsilon(1e-10));
    const auto gradient = [&](const Tensor& a) { return ag::grad(tiny)(a) * 1e12; };
    CHECK(ag::grad(gradient)(0.8).item() == doctest::Approx(ag::grad(ag::grad(cosine))(0.8).item()).epsilon(1e-8));
}

TEST_CASE("variables and tensors that the function captures have their gradients")
{
    const Variable w(xt::xarray<double>{{0.2, -0.1}, {0.3, 0.1}}), b(xt::xarray<double>{0.5, -0.4});
    const auto layer = [](const Tensor& weight, const Tensor& bias)
    {
        return ag::sum(
            ag::square(ag::fixed_point([&](const Tensor& x) { return ag::tanh(ag::matmul(weight, x) + bias); },
                                       Tensor(xt::xarray<double>{0.0, 0.0}), {.tolerance = 1e-13})));
    };
    CHECK(ag::testing::check_gradients(layer, {w, b}, {.second_order = true}));
    ag::GradientTape tape;
    const Tensor scaled = w * 0.5;
    const Tensor y = ag::fixed_point([&](const Tensor& x) { return ag::tanh(ag::matmul(scaled, x) + b); },
                                     Tensor(xt::xarray<double>{0.0, 0.0}));
    const auto [dw, db] = tape.gradient(ag::sum(y), w, b);
    CHECK(dw.shape() == ag::Shape{2, 2});
    CHECK(db.shape() == ag::Shape{2});
}

TEST_CASE("a variable that was assigned before the gradient is refused with both lines")
{
    const Variable a(2.0);
    const auto equation = [&](const Tensor& x) { return (x + a / x) / 2; };
    const auto difference = [&](const Tensor& x) { return x * x - a; };
    ag::GradientTape tape({.persistent = true});
    const Tensor fixed = ag::fixed_point(equation, Tensor(1.0));
    const std::string fixed_line = line_above();
    const Tensor root = ag::root(difference, Tensor(1.0));
    const std::string root_line = line_above();
    a.assign_add(1.0);
    const std::string rest = ": a variable of shape () that the function has read was assigned at " + line_above() +
                             ", before the backward pass: called again for the gradient, it would read another value (";
    const std::string fix =
        "). Assign it after the gradient, or let the function read a Tensor of it, which keeps the value.";
    CHECK(thrown<ag::TapeError>([&] { (void)tape.gradient(fixed, a); }) == "fixed_point" + rest + fixed_line + fix);
    CHECK(thrown<ag::TapeError>([&] { (void)tape.gradient(root, a); }) == "root" + rest + root_line + fix);
}

TEST_CASE("an iteration that does not end says how far it is")
{
    const std::string text = thrown<ag::ValueError>(
        [] { ag::fixed_point([](const Tensor& x) { return x * 2; }, Tensor(1.0), {.max_iterations = 3}); });
    CHECK(text.find("fixed_point: has not converged after 3 iterations: the largest change is still 0.8") == 0);
    CHECK(thrown<ag::ShapeError>(
              [] { ag::fixed_point([](const Tensor& x) { return ag::expand_dims(x, 0); }, Tensor(1.0)); })
              .find("fixed_point: f(x) must have the shape of x: x is (), f(x) (1,)") == 0);
}

TEST_CASE("a root has the derivatives of the implicit function, of every order")
{
    const auto cube_root = [](const Tensor& a)
    { return ag::root([a](const Tensor& x) { return x * x * x - a; }, Tensor(1.0), {.tolerance = 1e-13}); };
    CHECK(cube_root(Tensor(8.0)).item() == doctest::Approx(2));
    CHECK(ag::grad(cube_root)(8.0).item() == doctest::Approx(1.0 / 12));
    CHECK(ag::grad(ag::grad(cube_root))(8.0).item() == doctest::Approx(-2.0 / 9 / 32));
    CHECK(ag::testing::check_gradients(cube_root, {3.0}, {.second_order = true}));
}

TEST_CASE("the minimum of a function is the root of its gradient")
{
    // The x that minimizes sum (A x - b)^2 + |x|^2 is linear in b.
    const auto ridge = [](const Tensor& a, const Tensor& b)
    {
        const auto loss = [a, b](const Tensor& x)
        { return ag::sum(ag::square(ag::matmul(a, x) - b)) + ag::sum(ag::square(x)); };
        return ag::sum(ag::root(ag::grad(loss), Tensor(xt::xarray<double>{0.0, 0.0})) * xt::xarray<double>{1.0, 2.0});
    };
    const xt::xarray<double> a{{1.0, 0.5}, {-0.3, 2.0}, {0.7, 0.1}};
    const xt::xarray<double> b{1.0, 2.0, 3.0};
    CHECK(ag::testing::check_gradients(ridge, {a, b}, {.second_order = true}));
}

TEST_CASE("Newton's method that does not end says how far it is")
{
    CHECK(thrown<ag::ValueError>(
              [] { ag::root([](const Tensor& x) { return x * x + 1; }, Tensor(0.5), {.max_iterations = 4}); })
              .find("root: has not converged after 4 iterations: the largest element of f(x) is still ") == 0);
}
