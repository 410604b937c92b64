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

TEST_CASE("softmax, log_softmax and logsumexp have the values that are computed by hand")
{
    const Tensor x(xt::xarray<double>{{0, 0, ln2}, {ln2, ln2, 0}});
    CHECK(close(ag::softmax(x), {{0.25, 0.25, 0.5}, {0.4, 0.4, 0.2}}));
    CHECK(close(ag::log_softmax(x), {{-2 * ln2, -2 * ln2, -ln2}, {std::log(0.4), std::log(0.4), std::log(0.2)}}));
    CHECK(close(ag::logsumexp(x), {2 * ln2, std::log(5.0)}));
    CHECK(close(ag::softmax(x, 0), {{1 / 3.0, 1 / 3.0, 2 / 3.0}, {2 / 3.0, 2 / 3.0, 1 / 3.0}}));
    CHECK(close(ag::log_softmax(x, -2), {{-std::log(3.0), -std::log(3.0), std::log(2 / 3.0)},
                                         {std::log(2 / 3.0), std::log(2 / 3.0), -std::log(3.0)}}));
    CHECK(close(ag::logsumexp(x, 0), {std::log(3.0), std::log(3.0), std::log(3.0)}));
}

TEST_CASE("softmax, log_softmax and logsumexp have the gradients that are computed by hand")
{
    const Tensor x(xt::xarray<double>{0, 0, ln2});
    // With y = (1/4, 1/4, 1/2) and dy = (1, 2, 3): <dy, y> = 9/4.
    CHECK(close(gradient([](const Tensor& t) { return ag::softmax(t); }, x), {-1.25 / 4, -0.25 / 4, 0.75 / 2}));
    CHECK(close(gradient([](const Tensor& t) { return ag::log_softmax(t); }, x), {1 - 1.5, 2 - 1.5, 3 - 3.0}, 1e-14,
                1e-15));
    CHECK(close(gradient([](const Tensor& t) { return ag::logsumexp(t); }, x), {0.25, 0.25, 0.5}));
}

TEST_CASE("softmax along an axis between others is the softmax of each line")
{
    xt::xarray<double> x = xt::sin(xt::arange<double>(24));
    x.reshape({2, 3, 4});
    const Tensor y = ag::softmax(Tensor(x), 1);
    const xt::xarray<double> e = xt::exp(x);
    const xt::xarray<double> sums = xt::sum(e, {1}, xt::keep_dims);
    CHECK(close(y, e / sums));
    CHECK(close(ag::exp(ag::log_softmax(Tensor(x), 1)), e / sums));
    CHECK(close(ag::logsumexp(Tensor(x), 1), xt::log(xt::sum(e, {1})), 1e-14, 1e-15));
}

TEST_CASE("softmax of long rows sums to 1, in both precisions")
{
    const xt::xarray<double> x = xt::cos(xt::arange<double>(1003));
    CHECK(close(ag::sum(ag::softmax(Tensor(x))), 1.0, 1e-14));
    CHECK(close(ag::sum(ag::softmax(ag::Tensor<float>(x))), 1.0, 1e-6));
    CHECK(close(ag::logsumexp(Tensor(x)), std::log(xt::sum(xt::exp(x))()), 1e-14));
}

TEST_CASE("at +-800 nothing overflows")
{
    const Tensor x(xt::xarray<double>{-800, 800, 800});
    CHECK(close(ag::softmax(x), {0, 0.5, 0.5}));
    CHECK(close(ag::log_softmax(x), {-1600 - ln2, -ln2, -ln2}));
    CHECK(close(ag::logsumexp(x), 800 + ln2));
    CHECK(close(ag::logsumexp(Tensor(xt::xarray<double>{-800, -800})), -800 + ln2));
    CHECK(close(gradient([](const Tensor& t) { return ag::softmax(t); }, x), {0, -0.25, 0.25}));
    CHECK(close(gradient([](const Tensor& t) { return ag::log_softmax(t); }, x), {1, -1, 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::logsumexp(t); }, x), {0, 0.5, 0.5}, 1e-12));
    const ag::Tensor<float> single(xt::xarray<float>{-800, 800, 800});
    CHECK(close(ag::softmax(single), {0, 0.5, 0.5}));
    CHECK(close(ag::logsumexp(single), 800 + ln2));
}

TEST_CASE("classes of probability 0 are left out")
{
    const Tensor x(xt::xarray<double>{-inf, 0, 0});
    CHECK(close(ag::softmax(x), {0, 0.5, 0.5}));
    CHECK(close(ag::log_softmax(x), {-inf, -ln2, -ln2}));
    CHECK(close(ag::logsumexp(x), ln2));
    CHECK(close(gradient([](const Tensor& t) { return ag::softmax(t); }, x), {0, -0.25, 0.25}));
    CHECK(close(gradient([](const Tensor& t) { return ag::logsumexp(t); }, x), {0, 0.5, 0.5}));
}

TEST_CASE("inf and NaN propagate as in PyTorch")
{
    const auto row = [](double a, double b) { return Tensor(xt::xarray<double>{a, b}); };
    CHECK(close(ag::softmax(row(not_a_number, 0)), {not_a_number, not_a_number}));
    CHECK(close(ag::log_softmax(row(0, not_a_number)), {not_a_number, not_a_number}));
    CHECK(close(ag::logsumexp(row(not_a_number, 0)), not_a_number));
    CHECK(close(ag::logsumexp(row(inf, 0)), inf));
    CHECK(close(ag::logsumexp(row(-inf, -inf)), -inf));
    CHECK(close(ag::softmax(row(-inf, -inf)), {not_a_number, not_a_number}));
    CHECK(close(ag::log_softmax(row(-inf, -inf)), {not_a_number, not_a_number}));
    CHECK(close(ag::softmax(row(inf, 0)), {not_a_number, not_a_number}));
    CHECK(close(ag::log_softmax(row(inf, 0)), {not_a_number, not_a_number}));
}

TEST_CASE("softmax of one class and of no rows")
{
    CHECK(close(ag::softmax(Tensor(column({3, -4}))), column({1, 1})));
    CHECK(close(ag::log_softmax(Tensor(column({3, -4}))), column({0, 0})));
    CHECK(close(ag::logsumexp(Tensor(column({3, -4}))), {3, -4}));
    const Tensor no_rows(xt::xarray<double>(xt::zeros<double>({0, 3})));
    const Tensor no_classes(xt::xarray<double>(xt::zeros<double>({2, 0})));
    CHECK(ag::softmax(no_rows).shape() == ag::Shape{0, 3});
    CHECK(ag::softmax(no_classes).shape() == ag::Shape{2, 0});
    CHECK(ag::log_softmax(no_classes, 0).shape() == ag::Shape{2, 0});
    CHECK(ag::logsumexp(no_rows).shape() == ag::Shape{0});
}

TEST_CASE("softmaxes along a middle axis are those of its slices, for any width")
{
    for (const std::size_t width : {1, 3, 16, 300})
    {
        CAPTURE(width);
        xt::xarray<double> a = xt::sin(1.3 * xt::arange<double>(0, 2.0 * 5 * static_cast<double>(width)));
        a.reshape(std::vector<std::size_t>{2, 5, width});
        const Tensor x(a);
        const Tensor turned = ag::transpose(x, {0, 2, 1});
        const auto same = [&](auto f)
        {
            const auto along_last = [&](const Tensor& t) {
                return ag::transpose(f(ag::transpose(t, {0, 2, 1}), 2), {0, 2, 1});
            };
            const auto along_middle = [&](const Tensor& t) { return f(t, 1); };
            CHECK(close(along_middle(x), along_last(x).value()));
            CHECK(close(gradient(along_middle, x), gradient(along_last, x).value(), 1e-12, 1e-12));
        };
        same([](const Tensor& t, std::ptrdiff_t axis) { return ag::softmax(t, axis); });
        same([](const Tensor& t, std::ptrdiff_t axis) { return ag::log_softmax(t, axis); });
        CHECK(close(ag::logsumexp(x, 1), ag::logsumexp(turned, 2).value()));
    }
}

TEST_CASE("logsumexp takes several axes, neighbours or not")
{
    const Tensor x(xt::xarray<double>{{{0, ln2}, {0, 0}}, {{ln2, ln2}, {0, ln2}}});
    CHECK(close(ag::logsumexp(x, {0, 2}), {std::log(7.0), std::log(5.0)}));
    CHECK(close(ag::logsumexp(x, {1, 2}), {std::log(5.0), std::log(7.0)}));
    CHECK(ag::logsumexp(x, {1, 2}, ag::keep_dims).shape() == ag::Shape{2, 1, 1});
    CHECK(close(ag::logsumexp(x, {}), std::log(12.0)));
    CHECK(close(ag::logsumexp(Tensor(3.0)), 3.0));
}
