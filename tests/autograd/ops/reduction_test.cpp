#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

xt::xarray<double> waves(std::vector<std::size_t> shape)
{
    const double count = static_cast<double>(ag::Shape(shape).elements());
    xt::xarray<double> result = xt::sin(1.1 * xt::arange<double>(1, count + 1));
    result.reshape(shape);
    return result;
}

Tensor empty(std::vector<std::size_t> shape)
{
    return Tensor(xt::xarray<double>(xt::zeros<double>(shape)));
}

}

TEST_CASE("reductions over any axes are xtensor's")
{
    const xt::xarray<double> a = waves({3, 4, 5});
    const Tensor x(a);
    const std::vector<std::vector<std::size_t>> sets{{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}};
    for (const std::vector<std::size_t>& set : sets)
    {
        ag::Axes axes;
        for (const std::size_t axis : set)
        {
            axes.push_back(static_cast<std::ptrdiff_t>(axis));
            CAPTURE(axis);
        }
        CHECK(close(ag::sum(x, axes), xt::sum(a, set), 1e-13, 1e-14));
        CHECK(close(ag::mean(x, axes), xt::mean(a, set), 1e-13, 1e-14));
        CHECK(close(ag::prod(x, axes), xt::prod(a, set), 1e-13));
        CHECK(close(ag::amax(x, axes), xt::amax(a, set)));
        CHECK(close(ag::amin(x, axes), xt::amin(a, set)));
        CHECK(close(ag::norm(x, axes), xt::sqrt(xt::sum(a * a, set))));
        const xt::xarray<double> variance = xt::mean(a * a, set) - xt::square(xt::mean(a, set));
        CHECK(close(ag::variance(x, axes), variance, 1e-12));
        CHECK(close(ag::stddev(x, axes), xt::sqrt(variance), 1e-12));
        CHECK(close(ag::sum(x, axes, ag::keep_dims), xt::sum(a, set, xt::keep_dims), 1e-13, 1e-14));
        CHECK(close(ag::amax(x, axes, ag::keep_dims), xt::amax(a, set, xt::keep_dims)));
        CHECK(close(ag::prod(x, axes, ag::keep_dims), xt::prod(a, set, xt::keep_dims), 1e-13));
        CHECK(close(ag::norm(x, axes, ag::keep_dims), xt::sqrt(xt::sum(a * a, set, xt::keep_dims))));
        CHECK(ag::variance(x, axes, 0, ag::keep_dims).shape() == ag::sum(x, axes, ag::keep_dims).shape());
    }
}

TEST_CASE("no axes mean all, negative ones count from the last")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(ag::sum(x), 21.0));
    CHECK(close(ag::mean(x), 3.5));
    CHECK(close(ag::prod(x), 720.0));
    CHECK(close(ag::amax(x), 6.0));
    CHECK(close(ag::amin(x), 1.0));
    CHECK(close(ag::sum(x, {}, ag::keep_dims), xt::xarray<double>(column({21}))));
    CHECK(close(ag::sum(x, -1), {6, 15}));
    CHECK(close(ag::sum(x, -2), {5, 7, 9}));
    CHECK(close(ag::sum(x, {-1, 0}), 21.0));
}

TEST_CASE("variance divides by n, or by n - 1 where asked")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3, 6}, {1, 1, 1, 1}});
    CHECK(close(ag::variance(x, 1), {14 / 4.0, 0}));
    CHECK(close(ag::variance(x, 1, 1), {14 / 3.0, 0}));
    CHECK(close(ag::stddev(x, 1, 1), {std::sqrt(14 / 3.0), 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::variance(t, 1, 1); }, x),
                {{-4 / 3.0, -2 / 3.0, 0, 2}, {0, 0, 0, 0}}, 1e-15, 1e-15));
}

TEST_CASE("the variance of large numbers that differ little keeps its digits")
{
    CHECK(close(ag::variance(Tensor(xt::xarray<double>{1e9, 1e9 + 1, 1e9 + 2})), 2 / 3.0));
}

TEST_CASE("gradients of sums and means are spread over what was reduced")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(gradient([](const Tensor& t) { return ag::sum(t); }, x), {{1, 1, 1}, {1, 1, 1}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::sum(t, 0); }, x), {{1, 2, 3}, {1, 2, 3}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::sum(t, 1); }, x), {{1, 1, 1}, {2, 2, 2}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::sum(t, 1, ag::keep_dims); }, x), {{1, 1, 1}, {2, 2, 2}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::mean(t, 0); }, x), {{0.5, 1, 1.5}, {0.5, 1, 1.5}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::mean(t); }, x * 1.0),
                {{1 / 6.0, 1 / 6.0, 1 / 6.0}, {1 / 6.0, 1 / 6.0, 1 / 6.0}}));
}

TEST_CASE("the gradient of a product is exact where factors are 0")
{
    const auto f = [](const Tensor& t) { return ag::prod(t, 1); };
    CHECK(close(gradient(f, Tensor(xt::xarray<double>{{2, 0, 5}, {0, 0, 7}, {2, 3, 5}})),
                {{0, 10, 0}, {0, 0, 0}, {45, 30, 18}}));
    Variable x(xt::xarray<double>{0, 0, 3, 5});
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor first = inner.gradient(ag::prod(x), x);
    CHECK(close(outer.gradient(ag::sum(first * counting<double>({4})), x), {30, 15, 0, 0}));
}

TEST_CASE("equal extremes share the gradient")
{
    const Tensor x(xt::xarray<double>{{3, 1, 3}, {0, 0, 0}, {1, 2, 5}});
    CHECK(close(gradient([](const Tensor& t) { return ag::amax(t, 1); }, x),
                {{0.5, 0, 0.5}, {2 / 3.0, 2 / 3.0, 2 / 3.0}, {0, 0, 3}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::amin(t, 1); }, x),
                {{0, 1, 0}, {2 / 3.0, 2 / 3.0, 2 / 3.0}, {3, 0, 0}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::amin(t); }, x),
                {{0, 0, 0}, {1 / 3.0, 1 / 3.0, 1 / 3.0}, {0, 0, 0}}));
    CHECK(close(gradient(
                    [](const Tensor& t) {
                        return ag::amax(t, {0, 1}, ag::keep_dims);
                    },
                    x),
                {{0, 0, 0}, {0, 0, 0}, {0, 0, 1}}));
}

TEST_CASE("the norm has derivative 0 where it is 0, and does not overflow")
{
    const auto f = [](const Tensor& t) { return ag::norm(t, 1); };
    CHECK(close(f(Tensor(xt::xarray<double>{{3, 4}, {0, 0}})), {5, 0}));
    CHECK(close(gradient(f, Tensor(xt::xarray<double>{{3, 4}, {0, 0}})), {{0.6, 0.8}, {0, 0}}));
    CHECK(close(ag::norm(Tensor(xt::xarray<double>{3e200, -4e200})), 5e200));
    CHECK(close(ag::norm(Tensor(xt::xarray<double>{3e-200, 4e-200})), 5e-200));
    CHECK(close(ag::norm(Tensor(-3.0)), 3.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::norm(t); }, Tensor(-3.0)), -1.0));
    CHECK(close(ag::norm(ag::Tensor<float>(xt::xarray<float>{3e30F, 4e30F})), 5e30));
    Variable zero(xt::xarray<double>{0, 0});
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor first = inner.gradient(ag::norm(zero), zero);
    CHECK(close(first, {0, 0}));
    CHECK(close(outer.gradient(ag::sum(first), zero), {not_a_number, not_a_number}));
}

TEST_CASE("inf and NaN propagate")
{
    const Tensor x(xt::xarray<double>{{1, inf, 2}, {1, -inf, 2}, {inf, -inf, 2}, {1, not_a_number, 2}});
    CHECK(close(ag::sum(x, 1), {inf, -inf, not_a_number, not_a_number}));
    CHECK(close(ag::mean(x, 1), {inf, -inf, not_a_number, not_a_number}));
    CHECK(close(ag::prod(x, 1), {inf, -inf, -inf, not_a_number}));
    CHECK(close(ag::amax(x, 1), {inf, 2, inf, not_a_number}));
    CHECK(close(ag::amin(x, 1), {1, -inf, -inf, not_a_number}));
    CHECK(close(ag::norm(x, 1), {inf, inf, inf, not_a_number}));
    CHECK(close(ag::variance(x, 1), {not_a_number, not_a_number, not_a_number, not_a_number}));
}

TEST_CASE("a NaN is found by amax and amin wherever it stands")
{
    for (std::size_t length : {1, 2, 5, 8, 17, 64, 300, 5000})
    {
        for (std::size_t place = 0; place < length; place += 1 + length / 7)
        {
            CAPTURE(length);
            CAPTURE(place);
            xt::xarray<double> a = waves({length});
            a(place) = not_a_number;
            CHECK(close(ag::amax(Tensor(a)), not_a_number));
            CHECK(close(ag::amin(Tensor(a)), not_a_number));
            a(place) = 7;
            CHECK(close(ag::amax(Tensor(a)), 7.0));
            a(place) = -7;
            CHECK(close(ag::amin(Tensor(a)), -7.0));
        }
    }
}

TEST_CASE("a reduction of nothing is its neutral element where it has one")
{
    CHECK(close(ag::sum(empty({0})), 0.0));
    CHECK(close(ag::prod(empty({0})), 1.0));
    CHECK(close(ag::norm(empty({0})), 0.0));
    CHECK(close(ag::sum(empty({2, 0}), 1), {0, 0}));
    CHECK(close(ag::prod(empty({2, 0}), 1), {1, 1}));
    CHECK(close(ag::norm(empty({2, 0}), 1), {0, 0}));
    CHECK(ag::sum(empty({2, 0}), 0).shape() == ag::Shape{0});
    CHECK(ag::amax(empty({2, 0}), 0).shape() == ag::Shape{0});
    CHECK(ag::mean(empty({2, 0}), 0, ag::keep_dims).shape() == ag::Shape{1, 0});
    CHECK(ag::variance(empty({2, 0}), 0).shape() == ag::Shape{0});
}

TEST_CASE("the gradient of a reduction of nothing is nothing")
{
    const auto shape_of_gradient = [](auto f)
    {
        Variable x(empty({2, 0}));
        ag::GradientTape tape;
        return tape.gradient(ag::sum(f(x)), x).shape();
    };
    CHECK(shape_of_gradient([](const Tensor& t) { return ag::sum(t); }) == ag::Shape{2, 0});
    CHECK(shape_of_gradient([](const Tensor& t) { return ag::norm(t); }) == ag::Shape{2, 0});
    CHECK(shape_of_gradient([](const Tensor& t) { return ag::amax(t, 0); }) == ag::Shape{2, 0});
    CHECK(shape_of_gradient([](const Tensor& t) { return ag::prod(t); }) == ag::Shape{2, 0});
}

TEST_CASE("0-d tensors and axes of one element reduce to themselves")
{
    const Tensor scalar(3.0);
    const Tensor one(column({3}));
    for (const Tensor& y : {ag::sum(scalar), ag::mean(scalar), ag::prod(scalar), ag::amax(scalar), ag::amin(scalar),
                            ag::norm(scalar), ag::sum(one), ag::mean(one), ag::prod(one), ag::amax(one)})
    {
        CHECK(close(y, 3.0));
    }
    CHECK(close(ag::variance(scalar), 0.0));
    CHECK(close(ag::sum(one, 0), xt::xarray<double>(3.0 * xt::ones<double>({1}))));
    CHECK(close(gradient([](const Tensor& t) { return ag::mean(t) * ag::prod(t); }, scalar), 6.0));
    CHECK(ag::sum(one, 1).shape() == ag::Shape{1});
    CHECK(ag::sum(one, {}, ag::keep_dims).shape() == ag::Shape{1, 1});
    CHECK(ag::sum(scalar, {}, ag::keep_dims).shape() == ag::Shape{});
}

TEST_CASE("a sum does not change its operand")
{
    const Tensor scalar(3.0);
    const Tensor row(xt::xarray<double>(column({3})));
    static_cast<void>(ag::mean(scalar));
    static_cast<void>(ag::mean(ag::stack({scalar, scalar})));
    static_cast<void>(ag::mean(row));
    CHECK(close(scalar, 3.0));
    CHECK(close(row, column({3})));
    const Tensor several(xt::xarray<double>{{1, 2, 4}});
    CHECK(close(ag::mean(several, 0), {1, 2, 4}));
    CHECK(close(several, {{1, 2, 4}}));
}

TEST_CASE("the sum of ten million floats 0.1 is right to a millionth")
{
    const ag::Tensor<float> x(xt::xarray<float>(0.1F * xt::ones<float>({10'000'000})));
    const double exact = 1e7 * static_cast<double>(0.1F);
    CHECK(close(ag::sum(x), exact, 1e-6));
    CHECK(close(ag::mean(x), exact / 1e7, 1e-6));
    const ag::Tensor<float> tall = ag::reshape(x, {5'000'000, 2});
    CHECK(close(ag::sum(tall, 0), {exact / 2, exact / 2}, 1e-6));
    CHECK(close(ag::sum(tall), exact, 1e-6));
}

TEST_CASE("sums over long and short axes agree with a plain loop")
{
    for (const ag::Shape& shape : {ag::Shape{1, 1000}, ag::Shape{1000, 1}, ag::Shape{3, 4099}, ag::Shape{4099, 3},
                                   ag::Shape{700, 900}, ag::Shape{17, 31, 37}})
    {
        CAPTURE(to_string(shape));
        const xt::xarray<double> a = waves(std::vector<std::size_t>(shape.begin(), shape.end()));
        const std::size_t rows = shape[0];
        const std::size_t rest = a.size() / rows;
        xt::xarray<double> by_first(xt::zeros<double>({rest}));
        xt::xarray<double> by_rest(xt::zeros<double>({rows}));
        for (std::size_t i = 0; i < a.size(); ++i)
        {
            by_first(i % rest) += a.storage()[i];
            by_rest(i / rest) += a.storage()[i];
        }
        const Tensor x = ag::reshape(Tensor(a), ag::Shape{rows, rest});
        CHECK(close(ag::sum(x, 0), by_first, 1e-11, 1e-11));
        CHECK(close(ag::sum(x, 1), by_rest, 1e-11, 1e-11));
        CHECK(close(ag::sum(x), std::accumulate(a.storage().begin(), a.storage().end(), 0.0), 1e-11, 1e-11));
    }
}

TEST_CASE("an extreme along an axis is found with its place, which alone gets the gradient")
{
    const Tensor x(xt::xarray<double>{{3, 5, 5}, {not_a_number, 2, not_a_number}});
    CHECK(close(ag::max(x, 1).values, {5, not_a_number}));
    CHECK(ag::max(x, 1).indices == xt::xarray<std::int64_t>{1, 0});
    CHECK(ag::min(x, 0, ag::keep_dims).indices == xt::xarray<std::int64_t>{{1, 1, 1}});
    CHECK(ag::argmin(x, -1) == xt::xarray<std::int64_t>{0, 0});
    CHECK(ag::argmax(x)() == 3);
    CHECK(ag::argmax(Tensor(2.0), 0)() == 0);
    CHECK(close(gradient([](const Tensor& t) { return ag::max(t, 1).values; }, x), {{0, 1, 0}, {2, 0, 0}}));
}

TEST_CASE("equal extremes share the gradient also along a first and a middle axis")
{
    const Tensor x(xt::xarray<double>{{3, 1}, {3, 0}, {2, 1}});
    CHECK(close(gradient([](const Tensor& t) { return ag::amax(t, 0); }, x), {{0.5, 1}, {0.5, 0}, {0, 1}}));
    const Tensor cube = ag::broadcast_to(x, {300, 3, 2});
    const Tensor dx = gradient([](const Tensor& t) { return ag::sum(ag::amax(t, 1)); }, cube);
    CHECK(close(ag::amin(dx, 0), {{0.5, 0.5}, {0.5, 0}, {0, 0.5}}));
    CHECK(close(ag::amax(dx, 0), {{0.5, 0.5}, {0.5, 0}, {0, 0.5}}));
}

TEST_CASE("reductions whose names say so leave out NaN")
{
    const Tensor x(xt::xarray<double>{{1, not_a_number, 5}, {not_a_number, not_a_number, not_a_number}});
    CHECK(close(ag::nansum(x, 1), {6, 0}));
    CHECK(close(ag::nanprod(x, 1), {5, 1}));
    CHECK(close(ag::nanmean(x, 1), {3, not_a_number}));
    CHECK(close(ag::nanvar(x, 1), {4, not_a_number}));
    CHECK(close(ag::nanstd(x, 1, 1), {std::sqrt(8.0), not_a_number}));
    CHECK(close(gradient([](const Tensor& t) { return ag::nansum(t); }, x), {{1, 0, 1}, {0, 0, 0}}));
}

TEST_CASE("norms of any order have the values and subgradients that are computed by hand")
{
    const Tensor x(xt::xarray<double>{-3, 0, 4});
    CHECK(close(ag::norm_l0(x), 2.0));
    CHECK(close(ag::norm_l1(x), 7.0));
    CHECK(close(ag::norm_l2(x), 5.0));
    CHECK(close(ag::norm_sq(x), 25.0));
    CHECK(close(ag::norm_linf(x), 4.0));
    CHECK(close(ag::norm_lp(x, -inf), 0.0));
    CHECK(close(ag::norm_lp(x, 3), std::cbrt(27.0 + 64.0)));
    CHECK(close(ag::norm_lp(x, -1), 0.0));
    CHECK(close(ag::norm_lp(Tensor(xt::xarray<double>{3e200, 4e200}), 3), std::cbrt(91.0) * 1e200));
    CHECK(close(gradient([](const Tensor& t) { return ag::norm_lp(t, 1); }, x), {-1, 0, 1}));
    CHECK(close(gradient([](const Tensor& t) { return ag::norm_lp(t, 0); }, x), {0, 0, 0}));
    const double root = std::cbrt(91.0) * std::cbrt(91.0);
    CHECK(close(gradient([](const Tensor& t) { return ag::norm_lp(t, 3); }, x), {-9 / root, 0, 16 / root}));
    CHECK(
        close(gradient([](const Tensor& t) { return ag::norm_lp(t, 0.5); }, Tensor(xt::xarray<double>{0, 0})), {0, 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::norm_linf(t); }, Tensor(xt::xarray<double>{-2, 2, 1})),
                {-0.5, 0.5, 0}));
}

TEST_CASE("covariances and correlations are those computed by hand")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {1, 0, 2}});
    CHECK(close(ag::cov(x), {{1, 0.5}, {0.5, 1}}));
    CHECK(close(ag::cov(x, {.ddof = 0}), {{2 / 3.0, 1 / 3.0}, {1 / 3.0, 2 / 3.0}}));
    CHECK(close(ag::corrcoef(x), {{1, 0.5}, {0.5, 1}}));
    const Tensor repeated(xt::xarray<double>{{1, 2, 2, 3}, {1, 0, 0, 2}});
    CHECK(close(ag::cov(x, {.frequencies = ag::Indices{1, 2, 1}}), ag::cov(repeated).value()));
    CHECK(close(ag::cov(x, {.ddof = 0, .weights = Tensor(xt::xarray<double>{0.5, 1, 0.5})}),
                ag::cov(repeated, {.ddof = 0}).value()));
    CHECK(close(ag::cov(Tensor(xt::xarray<double>{1, 3})), 2.0));
    CHECK(close(ag::average(x, xt::xarray<double>{1, 0, 3}, 1), {2.5, 1.75}));
}

TEST_CASE("runs of elements are reduced each to one")
{
    const Tensor x(xt::xarray<double>{1, 5, 2, 2, 7});
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::sum, {2, 0, 3}), {6, 0, 11}));
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::mean, {2, 0, 3}), {3, not_a_number, 11 / 3.0}));
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::max, {2, 0, 2}), {5, -inf, 2}));
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::min, {2, 3}, 0, 1.5), {1, 1.5}));
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::prod, {2, 3}, 0, 2), {10, 56}));
    const auto largest = [](const Tensor& t) { return ag::segment_reduce(t, ag::SegmentReduction::max, {2, 2}); };
    CHECK(close(gradient(largest, x), {0, 1, 1, 1, 0}));
    const Tensor rows(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(ag::segment_reduce(rows, ag::SegmentReduction::sum, xt::xarray<int>{{1, 2}, {3, 0}}, 1),
                {{1, 5}, {15, 0}}));
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::segment_reduce(x, ag::SegmentReduction::sum, {4, 2});
              }) == "segment_reduce: length 2 where 1 elements are left along axis 0 of shape (5,) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::segment_reduce(rows, ag::SegmentReduction::sum, xt::xarray<int>{{1, 2}});
              }) ==
          "segment_reduce: lengths must be one axis, behind the axes before axis 0 unless they hold for all: got shape "
          "(1, 2) for (2, 3) (HERE).");
}

TEST_CASE("elements are counted and judged along any axes")
{
    const Tensor x(xt::xarray<double>{{1, 0, not_a_number}, {2, 3, 4}});
    CHECK(ag::count_nonzero(x, 1) == xt::xarray<std::int64_t>{2, 3});
    CHECK(ag::count_nonzero(x)() == 5);
    CHECK(ag::all_nonzero(x, 1) == xt::xarray<bool>{false, true});
    CHECK(ag::any_nonzero(x, 0, ag::keep_dims) == xt::xarray<bool>{{true, true, true}});
    CHECK(ag::all_nonzero(empty({0}))());
    CHECK(!ag::any_nonzero(empty({0}))());
}

TEST_CASE("what cannot be reduced is named")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    using ag::ShapeError;
    using ag::ValueError;
    CHECK(thrown<ValueError>(
              [&] {
                  ag::max(empty({2, 0}), 1);
              }) == "max: needs more than 0 elements to reduce: got 0 in shape (2, 0) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::argmin(x, 2); }) ==
          "argmin: axis 2 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ValueError>([&] { ag::norm_lp(x, not_a_number); }) == "norm_lp: p is not a number (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::norm_l1(x, 2); }) ==
          "norm_l1: axis 2 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ValueError>([&] { ag::renorm(x, 0, 0, 1); }) == "renorm: p must be positive: got 0.000000 (HERE).");
    CHECK(thrown<ValueError>([&] { ag::renorm(x, 2, 0, -1); }) ==
          "renorm: the largest norm must not be negative: got -1.000000 (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::average(x, xt::xarray<double>{1, 2});
              }) == "average: weights of shape (2,) do not broadcast to (2, 3) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::cov(ag::reshape(x, {2, 3, 1}));
              }) == "cov: needs variables as rows of a matrix: got shape (2, 3, 1) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::cov(x, {.frequencies = ag::Indices{1, 2}});
              }) == "cov: frequencies must be one for each observation: got shape (2,) for 3 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  ag::cov(x, {.frequencies = ag::Indices{1, -2, 1}});
              }) == "cov: frequencies must not be negative (HERE).");
    CHECK(thrown<ValueError>([&] { ag::cov(x, {.ddof = 3}); }) ==
          "cov: needs more than ddof = 3 observations: got 3 in shape (2, 3) (HERE).");
}

TEST_CASE("no segment gives nothing, and empty segments what they start from")
{
    const Tensor x(xt::xarray<double>{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    const ag::Indices none(ag::Shape{2, 0});
    CHECK(ag::segment_reduce(x, ag::SegmentReduction::sum, none, 1).shape() == ag::Shape{2, 0});
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::max, {0, 0}, 1, 7), {{7, 7}, {7, 7}}));
    CHECK(close(ag::segment_reduce(x, ag::SegmentReduction::sum, {0, 0}, 1), {{0, 0}, {0, 0}}));
}
