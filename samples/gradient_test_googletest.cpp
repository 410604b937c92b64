// Tests of gradients as one writes them with GoogleTest; autograd/testing.md explains them.

#include <autograd/autograd.hpp>

#include <gtest/gtest.h>

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

TEST(Loss, HasTheRightGradients)
{
    EXPECT_TRUE(ag::testing::check_gradients(my_loss, {w, x}));
}

TEST(Loss, HasTheRightSecondDerivatives)
{
    EXPECT_TRUE(ag::testing::check_gradients(my_loss, {w, x}, {.second_order = true}));
}

TEST(Energy, HasTheRightGradientByHand)
{
    const auto energy = [](const xt::xarray<double>& x) { return std::cos(x(0)) * x(1); };
    const auto gradient = [](const xt::xarray<double>& x) {
        return xt::xarray<double>{-std::sin(x(0)) * x(1), std::cos(x(0))};
    };

    ASSERT_TRUE(ag::testing::check_gradient(energy, gradient, xt::xarray<double>{0.5, 2}));
}

TEST(Report, IsPrintedWhereATestFails)
{
    const auto wrong = [](const ag::Tensor<double>& x) { return 2 * x - ag::stop_gradient(x); };
    const ::testing::AssertionResult result = ag::testing::check_gradients(wrong, {3.0});

    EXPECT_FALSE(result);
    EXPECT_STREQ(result.message(),
                 "gradients differ in 1 of 1 element:\n"
                 "           analytic  numeric  error  tolerance\n"
                 "  input 0         2        1      1      1e-06\n"
                 "  Hint: input 0: off by a constant factor of 2: analytic = 2 x numeric everywhere.");
}
