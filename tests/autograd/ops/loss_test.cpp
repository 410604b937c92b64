#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
using std::numbers::ln2;

}

TEST_CASE("mse_loss is the mean of the squares")
{
    const Tensor prediction(xt::xarray<double>{{1, 2}, {3, 5}});
    const xt::xarray<double> target{{0, 4}, {3, 1}};
    CHECK(close(ag::mse_loss(prediction, target), (1 + 4 + 0 + 16) / 4.0));
    const auto by =
        gradients([](const Tensor& p, const Tensor& y) { return ag::mse_loss(p, y); }, prediction, Tensor(target));
    CHECK(close(by[0], {{0.5, -1}, {0, 2}}));
    CHECK(close(by[1], {{-0.5, 1}, {0, -2}}));
    CHECK(close(ag::mse_loss(target, prediction), 21 / 4.0));
    CHECK(close(ag::mse_loss(Tensor(3.0), 1.0), 4.0));
}

TEST_CASE("cross_entropy is the mean of -log of the labels' probabilities")
{
    const Tensor logits(xt::xarray<double>{{0, 0, ln2}, {ln2, ln2, 0}});
    const xt::xarray<int> labels{2, 0};
    const auto f = [&](const Tensor& x) { return ag::cross_entropy(x, labels); };
    CHECK(close(f(logits), (ln2 - std::log(0.4)) / 2));
    CHECK(close(gradient(f, logits), {{0.125, 0.125, -0.25}, {-0.3, 0.2, 0.1}}));
    CHECK(close(ag::cross_entropy(logits, xt::xarray<std::uint8_t>{2, 0}), (ln2 - std::log(0.4)) / 2));
    CHECK(close(ag::cross_entropy(ag::Tensor<float>(logits.value()), labels), (ln2 - std::log(0.4)) / 2));
}

TEST_CASE("cross_entropy takes labels as an expression and counts a repeated label each time")
{
    const Tensor logits(xt::xarray<double>{{1, 2}, {1, 2}, {1, 2}});
    const auto f = [](const Tensor& x) { return ag::cross_entropy(x, xt::ones<int>({3})); };
    const double p = 1 / (1 + std::exp(-1.0));
    CHECK(close(f(logits), -std::log(p)));
    CHECK(close(gradient(f, logits),
                {{(1 - p) / 3, (p - 1) / 3}, {(1 - p) / 3, (p - 1) / 3}, {(1 - p) / 3, (p - 1) / 3}}));
}

TEST_CASE("cross_entropy at +-800 is linear in what is wrong, and its gradient saturates")
{
    const Tensor logits(xt::xarray<double>{{-800, 800}, {-800, 800}});
    const auto f = [](const Tensor& x) { return ag::cross_entropy(x, xt::xarray<int>{0, 1}); };
    CHECK(close(f(logits), 800.0));
    CHECK(close(gradient(f, logits), {{-0.5, 0.5}, {0, 0}}));
}

TEST_CASE("binary cross entropy has the values and gradients that are computed by hand")
{
    const Tensor logits(xt::xarray<double>{0, std::log(3.0), -std::log(3.0)});
    const Tensor target(xt::xarray<double>{1, 0, 0.5});
    const auto f = [](const Tensor& x, const Tensor& t) { return ag::binary_cross_entropy_with_logits(x, t); };
    CHECK(close(f(logits, target), (ln2 + std::log(4.0) + std::log(4.0) - 0.5 * std::log(3.0)) / 3));
    const auto by = gradients(f, logits, target);
    CHECK(close(by[0], {-0.5 / 3, 0.75 / 3, -0.25 / 3}));
    CHECK(close(by[1], {0, -std::log(3.0) / 3, std::log(3.0) / 3}));
    CHECK(close(ag::binary_cross_entropy_with_logits(logits, xt::xarray<int>{1, 1, 1}),
                (ln2 + std::log(4 / 3.0) + std::log(4.0)) / 3));
}

TEST_CASE("binary cross entropy at +-800 neither overflows nor loses its gradient")
{
    const Tensor logits(xt::xarray<double>{-800, 800, -800, 800});
    const Tensor target(xt::xarray<double>{0, 1, 1, 0});
    const auto f = [&](const Tensor& x) { return ag::binary_cross_entropy_with_logits(x, target); };
    CHECK(close(f(logits), 400.0));
    CHECK(close(gradient(f, logits), {0, 0, -0.25, 0.25}));
}

TEST_CASE("losses at +-800 have second derivatives that are 0, not NaN")
{
    const auto second = [](auto f, const Tensor& at)
    {
        Variable x(at);
        ag::GradientTape outer;
        ag::GradientTape inner;
        return outer.gradient(ag::sum(inner.gradient(f(x), x) * counting<double>(x.shape())), x);
    };
    const Tensor logits(xt::xarray<double>{-800, 800});
    CHECK(close(second(
                    [](const Tensor& x) {
                        return ag::binary_cross_entropy_with_logits(x, xt::xarray<double>{1, 0});
                    },
                    logits),
                {0, 0}));
    CHECK(close(second(
                    [](const Tensor& x) {
                        return ag::cross_entropy(ag::reshape(x, {1, 2}), xt::xarray<int>{0});
                    },
                    logits),
                {0, 0}));
    CHECK(close(second([](const Tensor& x) { return ag::logsumexp(x); }, logits), {0, 0}));
}

TEST_CASE("a NaN in the data comes out of every loss")
{
    const Tensor x(xt::xarray<double>{{1, not_a_number}, {1, 2}});
    CHECK(close(ag::mse_loss(x, x), not_a_number));
    CHECK(close(ag::cross_entropy(x, xt::xarray<int>{0, 1}), not_a_number));
    CHECK(close(ag::binary_cross_entropy_with_logits(x, xt::zeros<double>({2, 2})), not_a_number));
}
