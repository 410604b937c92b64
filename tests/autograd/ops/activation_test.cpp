#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class F>
Tensor second(const F& f, const Tensor& x)
{
    return gradient([&](const Tensor& t) { return gradient(f, t); }, x);
}

#define OF(call) [](const Tensor& x) { return call; }

}

TEST_CASE("activations and two derivatives are finite far from 0")
{
    const Tensor x(xt::xarray<double>{-800, 800});
    const auto check = [&](auto f, xt::xarray<double> value, xt::xarray<double> slope)
    {
        CHECK(close(f(x), value));
        CHECK(close(gradient(f, x), slope * xt::xarray<double>{1, 2}));
        CHECK(close(second(f, x), {0, 0}, 0, 1e-300));
    };
    const double selu = 1.0507009873554804934193349852946;
    check(OF(ag::sigmoid(x)), {0, 1}, {0, 0});
    check(OF(ag::logsigmoid(x)), {-800, 0}, {1, 0});
    check(OF(ag::silu(x)), {0, 800}, {0, 1});
    check(OF(ag::mish(x)), {0, 800}, {0, 1});
    check(OF(ag::gelu(x)), {0, 800}, {0, 1});
    check(OF(ag::gelu(x, ag::Approximate::tanh)), {0, 800}, {0, 1});
    check(OF(ag::elu(x, 2)), {-2, 800}, {0, 1});
    check(OF(ag::celu(x, 0.5)), {-0.5, 800}, {0, 1});
    check(OF(ag::selu(x)), {-selu * 1.6732632423543772848170429916717, selu * 800}, {0, selu});
    check(OF(ag::hardswish(x)), {0, 800}, {0, 1});
    check(OF(ag::hardsigmoid(x)), {0, 1}, {0, 0});
    check(OF(ag::tanhshrink(x)), {-799, 799}, {1, 1});
    check(OF(ag::softplus(x, {.beta = 2})), {0, 800}, {0, 1});
}

TEST_CASE("smooth activations have the values of their formulas")
{
    const Tensor x(1.5);
    CHECK(close(ag::gelu(x), 1.3997891980967129));
    CHECK(close(ag::gelu(x, ag::Approximate::tanh), 1.3995715769802329));
    CHECK(close(ag::mish(x), 1.4033782663958026));
    CHECK(close(ag::silu(x), 1.5 / (1 + std::exp(-1.5))));
    CHECK(close(ag::softsign(x), 0.6));
    CHECK(close(ag::softplus(x, {.beta = 2}), std::log1p(std::exp(3.0)) / 2));
    CHECK(close(ag::softplus(x, {.beta = 2, .threshold = 2.9}), 1.5));
    CHECK(close(ag::celu(Tensor(-1.5), 0.5), 0.5 * std::expm1(-3.0)));
    CHECK(close(ag::gelu(Tensor(-30.0)), -1.4720141781444561e-196, 1e-12));
    CHECK(close(gradient(OF(ag::softplus(x)), Tensor(0.0)), 0.5));
    CHECK(close(second(OF(ag::softplus(x)), Tensor(0.0)), 0.25));
    CHECK(close(second(OF(ag::mish(x)), Tensor(0.0)), 0.64));
}

TEST_CASE("kinks have the values and derivatives that PyTorch gives them")
{
    const auto check = [](auto f, xt::xarray<double> x, xt::xarray<double> value, xt::xarray<double> slope)
    {
        CHECK(close(f(Tensor(x)), value, 1e-14, 1e-15));
        CHECK(close(gradient(f, Tensor(x)), slope * xt::arange<double>(1, 1 + static_cast<double>(x.size()))));
    };
    check(OF(ag::relu6(x)), {-1, 0, 3, 6, 7}, {0, 0, 3, 6, 6}, {0, 0, 1, 0, 0});
    check(OF(ag::hardtanh(x)), {-2, -1, 0, 1, 2}, {-1, -1, 0, 1, 1}, {0, 0, 1, 0, 0});
    check(OF(ag::hardtanh(x, 0.5, -0.5)), {-2, 0, 2}, {-0.5, -0.5, -0.5}, {0, 0, 0});
    check(OF(ag::hardsigmoid(x)), {-3, 0, 3}, {0, 0.5, 1}, {0, 1 / 6.0, 0});
    check(OF(ag::hardswish(x)), {-4, -3, 0, 3, 4}, {0, 0, 0, 3, 4}, {0, -0.5, 0.5, 1.5, 1});
    check(OF(ag::leaky_relu(x, 0.5)), {-1, 0, 2}, {-0.5, 0, 2}, {0.5, 0.5, 1});
    check(OF(ag::elu(x, 2)), {0, 1}, {0, 1}, {2, 1});
    check(OF(ag::hardshrink(x)), {-1, -0.5, 0.5, 0.6}, {-1, 0, 0, 0.6}, {1, 0, 0, 1});
    check(OF(ag::hardshrink(x, -1)), {-1, 0, 0.5}, {-1, 0, 0.5}, {1, 1, 1});
    check(OF(ag::softshrink(x)), {-1, -0.5, 0.5, 0.75}, {-0.5, 0, 0, 0.25}, {1, 0, 0, 1});
    check(OF(ag::threshold(x, 1, -7)), {0, 1, 2}, {-7, -7, 2}, {0, 0, 1});
}

TEST_CASE("NaN stays NaN in all activations")
{
    const Tensor x(not_a_number);
    for (const Tensor& y :
         {ag::relu6(x), ag::hardtanh(x), ag::hardsigmoid(x), ag::hardswish(x), ag::leaky_relu(x), ag::elu(x),
          ag::selu(x), ag::celu(x), ag::hardshrink(x), ag::softshrink(x), ag::threshold(x, 1, 2), ag::gelu(x),
          ag::mish(x), ag::silu(x), ag::softplus(x, {.beta = 2, .threshold = 20}), ag::prelu(x, 0.5)})
    {
        CHECK(close(y, not_a_number));
    }
}

TEST_CASE("prelu has one weight, or one a channel")
{
    const Tensor x(xt::xarray<double>{{{-1, 2}, {-3, -4}}});
    CHECK(close(ag::prelu(x, 0.5), {{{-0.5, 2}, {-1.5, -2}}}));
    const Tensor weights(xt::xarray<double>{0.5, 10});
    const auto f = [](const Tensor& t, const Tensor& w) { return ag::prelu(t, w); };
    CHECK(close(f(x, weights), {{{-0.5, 2}, {-30, -40}}}));
    const auto by = gradients(f, x, weights);
    CHECK(close(by[0], {{{0.5, 2}, {30, 40}}}));
    CHECK(close(by[1], {-1, -9 - 16}));
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::prelu(x, Tensor(xt::xarray<double>{1, 2, 3}));
              }) ==
          "prelu: needs one weight, or one for each of 2 channels: got weights (3,) for shape (1, 2, 2) (HERE).");
}

TEST_CASE("glu gates the first half of an axis by the second")
{
    const Tensor x(xt::xarray<double>{{1, 2, 0, 800}, {3, 4, -800, 0}});
    CHECK(close(ag::glu(x), {{0.5, 2}, {0, 2}}, 1e-14, 1e-300));
    CHECK(ag::glu(x, 0).shape() == ag::Shape{1, 4});
    CHECK(ag::glu(Tensor(xt::xarray<double>(xt::zeros<double>({0, 2})))).shape() == ag::Shape{0, 1});
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::glu(ag::Tensor<double>(xt::xarray<double>{1, 2, 3}));
              }) == "glu: axis 0 must have an even extent: got shape (3,) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::glu(x, 2); }) ==
          "glu: axis 2 is out of range for an array of 2 axes (HERE).");
}

TEST_CASE("attributes that make no sense are refused")
{
    const Tensor x(1.0);
    CHECK(thrown<ag::ValueError>([&] { ag::celu(x, 0); }) == "celu: alpha must not be 0 (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::softshrink(x, -0.5); }) ==
          "softshrink: lambda must not be negative: got -0.500000 (HERE).");
}
