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

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
using std::numbers::ln2;

/// The gradient of the weighted sum of the gradient under the cotangent 1, 2, 3, ...
template <class F>
Tensor second(const F& f, const Tensor& x)
{
    return gradient([&](const Tensor& t) { return gradient(f, t); }, x);
}

}

TEST_CASE("scans go along the axis that is named, or over all elements")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(ag::cumsum(x, 0), {{1, 2, 3}, {5, 7, 9}}));
    CHECK(close(ag::cumsum(x, -1), {{1, 3, 6}, {4, 9, 15}}));
    CHECK(close(ag::cumsum(x), {1, 3, 6, 10, 15, 21}));
    CHECK(close(ag::cumprod(x, 1), {{1, 2, 6}, {4, 20, 120}}));
    CHECK(close(ag::cumprod(x), {1, 2, 6, 24, 120, 720}));
    CHECK(close(ag::cumsum(Tensor(3.0), -1), 3.0));
    CHECK(ag::cumprod(Tensor(xt::xarray<double>(xt::zeros<double>({2, 0}))), 1).shape() == ag::Shape{2, 0});
}

TEST_CASE("derivatives of a running product are exact where factors are 0")
{
    const auto f = [](const Tensor& t) { return ag::cumprod(t, 0); };
    const Tensor x(xt::xarray<double>{2, 0, 3, 0});
    // y = (a, ab, abc, abcd), dy = (1, 2, 3, 4).
    CHECK(close(gradient(f, x), {1, 2 * 2 + 3 * 2 * 3, 0, 0}));
    // The gradient is (1 + 2b + 3bc + 4bcd, 2a + 3ac + 4acd, 3ab + 4abd, 4abc), weighted by (1, 2, 3, 4).
    CHECK(close(second(f, x), {2 * (2 + 3 * 3), 2 + 3 * 3 + 3 * 3 * 2 + 4 * 4 * 2 * 3, 2 * 3 * 2, 2 * 4 * 2 * 3}));
}

TEST_CASE("a running sum of many floats keeps its digits")
{
    const ag::Tensor<float> x(xt::xarray<float>(0.1F * xt::ones<float>({3'000'000})));
    const ag::Tensor<float> y = ag::cumsum(x, 0);
    CHECK(static_cast<double>(y.data()[2'999'999]) == doctest::Approx(3e6 * static_cast<double>(0.1F)).epsilon(1e-6));
}

TEST_CASE("NaN is left out where a scan's name says so, and propagates elsewhere")
{
    const Tensor x(xt::xarray<double>{2, not_a_number, 3});
    CHECK(close(ag::nancumsum(x, 0), {2, 2, 5}));
    CHECK(close(ag::nancumprod(x, 0), {2, 2, 6}));
    CHECK(close(gradient([](const Tensor& t) { return ag::nancumsum(t, 0); }, x), {6, 0, 3}));
    CHECK(close(ag::cumsum(x, 0), {2, not_a_number, not_a_number}));
    CHECK(close(ag::cummax(x, 0).values, {2, not_a_number, not_a_number}));
}

TEST_CASE("logcumsumexp overflows nowhere and starts from nothing")
{
    const auto f = [](const Tensor& t) { return ag::logcumsumexp(t, 0); };
    CHECK(close(f(Tensor(xt::xarray<double>{-800, -800, 800, 800})), {-800, -800 + ln2, 800, 800 + ln2}));
    CHECK(close(gradient(f, Tensor(xt::xarray<double>{-800, -800, 800, 800})), {1 + 1, 1, 3 + 2, 2}, 1e-12));
    CHECK(close(f(Tensor(xt::xarray<double>{-inf, 0, -inf, inf})), {-inf, 0, 0, inf}));
    CHECK(close(gradient(f, Tensor(xt::xarray<double>{-inf, 0, 0})), {0, 2 + 1.5, 1.5}));
    CHECK(close(second(f, Tensor(xt::xarray<double>{800, -800})), {0, 0}));
}

TEST_CASE("a running extreme gives its gradient to the last of equal elements")
{
    const Tensor x(xt::xarray<double>{2, 1, 2, 3});
    const ag::Indexed<double> largest = ag::cummax(x, 0);
    CHECK(close(largest.values, {2, 2, 2, 3}));
    CHECK(largest.indices == xt::xarray<std::int64_t>{0, 0, 2, 3});
    CHECK(close(gradient([](const Tensor& t) { return ag::cummax(t, 0).values; }, x), {1 + 2, 0, 3, 4}));
    CHECK(ag::cummin(x, 0).indices == xt::xarray<std::int64_t>{0, 1, 1, 1});
}

TEST_CASE("differences and integrals of samples are those of a parabola")
{
    const xt::xarray<double> at{0, 1, 3, 4.5};
    const Tensor squares(xt::xarray<double>(at * at));
    CHECK(close(ag::diff(squares), {1, 8, 11.25}));
    CHECK(close(ag::diff(squares, 2), {7, 3.25}));
    CHECK(ag::diff(squares, 9).shape() == ag::Shape{0});
    CHECK(close(ag::trapz(squares, at), 0.5 + 10 + 1.5 * 29.25 / 2));
    CHECK(close(ag::trapz(squares, 2), 1 + 10 + 29.25));
    CHECK(close(ag::trapz(Tensor(xt::xarray<double>{5})), 0.0));
    CHECK(close(ag::cumulative_trapezoid(squares, at), {0.5, 10.5, 10.5 + 1.5 * 29.25 / 2}));
    const ag::Sampling placed{.coordinates = {0, 1, 3, 4.5}, .edge_order = 2};
    CHECK(close(ag::central_differences(squares, 0, placed), {0, 2, 6, 9}, 1e-14, 1e-14));
    CHECK(close(ag::central_differences(Tensor(xt::xarray<double>{1, 4}), 0, {.spacing = 0.5}), {6, 6}));
}

TEST_CASE("what does not fit a scan is named")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    using ag::ShapeError;
    using ag::ValueError;
    CHECK(thrown<ShapeError>([&] { ag::cumsum(x, 2); }) ==
          "cumsum: axis 2 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::trapz(x, xt::xarray<double>{1, 2});
              }) == "trapz: positions of shape (2,) do not fit samples of shape (2, 3) along axis 1 (HERE).");
    CHECK(thrown<ValueError>([&] { ag::central_differences(x, 0, {.edge_order = 2}); }) ==
          "central_differences: needs at least 3 samples: got 2 along axis 0 of shape (2, 3) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::central_differences(x, 0, {.edge_order = 3}); }) ==
          "central_differences: edge_order must be 1 or 2: got 3 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  ag::central_differences(x, 1, {.coordinates = {0, 1, 1}});
              }) == "central_differences: samples 1 and 2 stand at the same place, 1.000000 (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::central_differences(x, 1, {.coordinates = {0, 1}});
              }) == "central_differences: 2 coordinates for 3 samples along axis 1 of shape (2, 3) (HERE).");
}
