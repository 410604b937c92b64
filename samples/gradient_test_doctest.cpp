// Tests of gradients as one writes them with doctest; autograd/testing.md explains them.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <autograd/autograd.hpp>

#include <cmath>
#include <utility>

namespace ag = autograd;

namespace
{

ag::Tensor<double> my_loss(const ag::Tensor<double>& w, const ag::Tensor<double>& x)
{
    return ag::mean(ag::square(ag::tanh(ag::matmul(w, x))));
}

const xt::xarray<double> w{{0.5, -1, 2}, {1, 0.25, -0.75}};
const xt::xarray<double> x{0.3, -0.2, 1.5};

double energy(const xt::xarray<double>& x)
{
    return 0.5 * x(0) * x(0) + std::cos(x(1)) * x(2);
}

xt::xarray<double> energy_gradient(const xt::xarray<double>& x)
{
    return {x(0), -std::sin(x(1)) * x(2), std::cos(x(1))};
}

xt::xarray<double> ratios(const xt::xarray<double>& x)
{
    return {x(0) / x(2), x(1) / x(2)};
}

xt::xarray<double> ratios_pullback(const xt::xarray<double>& x, const xt::xarray<double>& dy)
{
    return {dy(0) / x(2), dy(1) / x(2), -(dy(0) * x(0) + dy(1) * x(1)) / (x(2) * x(2))};
}

}

TEST_CASE("the gradients of the loss are right")
{
    CHECK(ag::testing::check_gradients(my_loss, {w, x}));
}

TEST_CASE("so are the second derivatives")
{
    CHECK(ag::testing::check_gradients(my_loss, {w, x}, {.second_order = true}));
}

TEST_CASE("a large model is checked along one direction")
{
    const xt::xarray<double> features = xt::linspace<double>(-1, 1, 20000);
    const auto model = [](const ag::Tensor<double>& weights, const ag::Tensor<double>& bias)
    { return ag::mean(ag::softplus(weights * weights + bias)); };

    CHECK(ag::testing::check_gradients(model, {features, 0.5}, {.fast = true}));
}

TEST_CASE("every output is checked")
{
    const auto moments = [](const ag::Tensor<double>& x) { return std::pair(ag::mean(x), ag::variance(x)); };

    CHECK(ag::testing::check_gradients(moments, {x}));
}

TEST_CASE("a gradient written by hand is right")
{
    CHECK(ag::testing::check_gradient(energy, energy_gradient, x));
}

TEST_CASE("a product with a Jacobian written by hand is right")
{
    CHECK(ag::testing::check_gradient(ratios, ratios_pullback, x));
}
