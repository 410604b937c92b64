#include "../../thrown.hpp"
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

TEST_CASE("every loss is given for each element, or as their mean, their sum, or their sum by samples")
{
    const Tensor x(xt::xarray<double>{{1, 2}, {3, 4}});
    const Tensor zeros(xt::zeros<double>({2, 2}));
    using ag::Reduction;
    CHECK(close(ag::l1_loss(x, zeros, {.reduction = Reduction::none}), {{1, 2}, {3, 4}}));
    CHECK(close(ag::l1_loss(x, zeros), 2.5));
    CHECK(close(ag::l1_loss(x, zeros, {.reduction = Reduction::sum}), 10));
    CHECK(close(ag::l1_loss(x, zeros, {.reduction = Reduction::batch_mean}), 5));
}

TEST_CASE("huber_loss and smooth_l1_loss are square near 0 and straight beyond")
{
    const Tensor x(xt::xarray<double>{0.5, 2, -3});
    const Tensor zeros(xt::zeros<double>({3}));
    const auto huber = [&](const Tensor& t)
    { return ag::huber_loss(t, zeros, {.delta = 2, .reduction = ag::Reduction::none}); };
    CHECK(close(huber(x), {0.125, 2, 4}));
    CHECK(close(gradient(huber, x), {0.5, 2 * 2, 3 * -2}));
    const auto smooth = [&](const Tensor& t, double beta)
    { return ag::smooth_l1_loss(t, zeros, {.beta = beta, .reduction = ag::Reduction::none}); };
    CHECK(close(smooth(x, 2), {0.0625, 1, 2}));
    CHECK(close(smooth(x, 0), {0.5, 2, 3}));
}

TEST_CASE("binary_cross_entropy is finite at probabilities of 0 and 1, and so is its gradient")
{
    const Tensor p(xt::xarray<double>{0, 1, 0, 1});
    const Tensor target(xt::xarray<double>{0, 1, 1, 0});
    const auto f = [&](const Tensor& x)
    { return ag::binary_cross_entropy(x, target, {.reduction = ag::Reduction::none}); };
    CHECK(close(f(p), {0, 0, 100, 100}));
    CHECK(close(gradient(f, p), {0, 0, -3e12, 4e12}));
}

TEST_CASE("cross_entropy takes classes with axes behind them, as many rows in the order of the labels")
{
    const Tensor logits(xt::xarray<double>{{{0, ln2}, {0, 0}, {ln2, 0}}});
    const xt::xarray<int> labels{{2, 0}};
    CHECK(close(ag::cross_entropy(logits, labels, {.reduction = ag::Reduction::none}), {{ln2, ln2}}));
    CHECK(close(ag::cross_entropy(Tensor(xt::xarray<double>{0, 0, ln2}),
                                  ag::Indices(xt::ones<int>(std::vector<std::size_t>{}) + 1)),
                ln2));
}

TEST_CASE("labels that do not count leave no trace, whatever their logits are")
{
    const Tensor logits(xt::xarray<double>{{0, 0}, {not_a_number, inf}, {0, 0}});
    const auto f = [](const Tensor& x) { return ag::cross_entropy(x, {0, -100, 1}); };
    CHECK(close(f(logits), ln2));
    CHECK(close(gradient(f, logits), {{-0.25, 0.25}, {0, 0}, {0.25, -0.25}}));
    const auto nll = [](const Tensor& x) { return ag::nll_loss(x, {0, 7, 1}, {.ignore_index = 7}); };
    CHECK(close(nll(logits), 0.0));
    CHECK(close(gradient(nll, logits), {{-0.5, 0}, {0, 0}, {0, -0.5}}));
}

TEST_CASE("weights of classes weigh the labels, and a mean is of what they weigh")
{
    const Tensor x(xt::xarray<double>{{-1, -2}, {-3, -5}});
    CHECK(close(ag::nll_loss(x, {0, 1}, {.weight = xt::xarray<double>{1, 3}}), (1 * 1 + 3 * 5) / 4.0));
    CHECK(close(ag::nll_loss(x, {0, 1}, {.weight = xt::xarray<double>{1, 3}, .reduction = ag::Reduction::sum}), 16));
}

TEST_CASE("smoothed labels are probabilities that are spelled out")
{
    const Tensor x(xt::xarray<double>{{1, 2, 4}, {0, -1, 3}});
    const xt::xarray<double> probabilities{{0.1, 0.1, 0.8}, {0.8, 0.1, 0.1}};
    CHECK(close(ag::cross_entropy(x, {2, 0}, {.label_smoothing = 0.3}), ag::cross_entropy(x, probabilities).item()));
}

TEST_CASE("a logit of minus infinity is a probability of 0, and cross_entropy's gradient knows it")
{
    const Tensor x(xt::xarray<double>{{-inf, 0, 0}, {-inf, 0, 0}});
    const auto f = [](const Tensor& t) { return ag::cross_entropy(t, {1, 0}, {.reduction = ag::Reduction::none}); };
    CHECK(close(f(x), {ln2, inf}));
    CHECK(close(gradient(f, x), {{0, -0.5, 0.5}, {-2, 1, 1}}));
}

TEST_CASE("kl_div of a target of 0 is 0")
{
    const Tensor x(xt::xarray<double>{std::log(0.5), std::log(0.5)});
    CHECK(close(ag::kl_div(x, xt::xarray<double>{0, 1}, {.reduction = ag::Reduction::sum}), ln2));
}

TEST_CASE("a variance below eps counts as eps, and keeps its gradient")
{
    const Tensor zero(xt::xarray<double>{0});
    const Tensor one(xt::xarray<double>{1});
    const auto f = [&](const Tensor& v) { return ag::gaussian_nll_loss(one, xt::zeros<double>({1}), v, {.eps = 0.5}); };
    CHECK(close(f(zero), 0.5 * (std::log(0.5) + 2)));
    CHECK(close(gradient(f, zero), xt::xarray<double>{0.5 * (2 - 4)}));
}

TEST_CASE("losses say what is wrong with their arguments")
{
    const Tensor x(xt::ones<double>({2, 3}));
    const xt::xarray<double> two{1, 2};
    CHECK(thrown<ag::ValueError>([&] { ag::binary_cross_entropy(x * 2, x); }) ==
          "binary_cross_entropy: a probability is outside of [0, 1]: got 2.000000 as element 0 of shape (2, 3) (HERE). "
          "For logits there is binary_cross_entropy_with_logits.");
    CHECK(thrown<ag::ShapeError>([&] { ag::binary_cross_entropy(x, x, {.weight = two}); }) ==
          "binary_cross_entropy: a weight of shape (2,) does not broadcast to (2, 3) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::huber_loss(x, x, {.delta = 0}); }) ==
          "huber_loss: delta must be positive: got 0.000000 (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::cross_entropy(x, {0, 1}, {.label_smoothing = 2});
              }) == "cross_entropy: label_smoothing must be in [0, 1]: got 2.000000 (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::cross_entropy(x, {0, 1}, {.weight = two});
              }) == "cross_entropy: needs one weight a class: got weights of shape (2,) for 3 classes (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::nll_loss(x, {-100, -100});
              }) == "nll_loss: nothing has no mean: all 2 labels are -100, which does not count (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::multi_margin_loss(x, {0, 1}, {.p = 3});
              }) == "multi_margin_loss: p must be 1 or 2: got 3 (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::gaussian_nll_loss(x, x, xt::ones<double>({3, 2}));
              }) == "gaussian_nll_loss: the variance must have the shape of the prediction, or 1 as its last extent, "
                    "or no last axis: "
                    "got (3, 2) and (2, 3) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::gaussian_nll_loss(x, x, -x); }) ==
          "gaussian_nll_loss: a variance is negative: got -1.000000 (HERE).");
}
