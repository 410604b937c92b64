// Tests of gradients as one writes them with Catch2; autograd/testing.md explains them.

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

#include <autograd/autograd.hpp>

#include <cmath>

namespace ag = autograd;

namespace
{

ag::Tensor<double> my_loss(const ag::Tensor<double>& w, const ag::Tensor<double>& x)
{
    return ag::mean(ag::square(ag::tanh(ag::matmul(w, x))));
}

const xt::xarray<double> w{{0.5, -1, 2}, {1, 0.25, -0.75}};
const xt::xarray<double> x{0.3, -0.2, 1.5};

}

TEST_CASE("the gradients of the loss are right")
{
    CHECK(ag::testing::check_gradients(my_loss, {w, x}));
}

TEST_CASE("so are the second derivatives")
{
    REQUIRE(ag::testing::check_gradients(my_loss, {w, x}, {.second_order = true}));
}

TEST_CASE("a gradient written by hand is right")
{
    const auto energy = [](const xt::xarray<double>& x) { return std::cos(x(0)) * x(1); };
    const auto gradient = [](const xt::xarray<double>& x) {
        return xt::xarray<double>{-std::sin(x(0)) * x(1), std::cos(x(0))};
    };

    CHECK(ag::testing::check_gradient(energy, gradient, xt::xarray<double>{0.5, 2}));
}
