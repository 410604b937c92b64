#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Positions = xt::xarray<std::int64_t>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}

TEST_CASE("elements are sorted along any axis, equal ones stay in order, and NaN comes last")
{
    const Tensor x(xt::xarray<double>{{3, not_a_number, 1, 3}, {2, -inf, 2, 2}});
    CHECK(close(ag::sort(x), {{1, 3, 3, not_a_number}, {-inf, 2, 2, 2}}));
    CHECK(ag::argsort(x) == Positions{{2, 0, 3, 1}, {1, 0, 2, 3}});
    CHECK(ag::argsort(x, 1, ag::Order::descending) == Positions{{1, 0, 3, 2}, {0, 2, 3, 1}});
    CHECK(close(ag::sort(x, 0), {{2, -inf, 1, 2}, {3, not_a_number, 2, 3}}));
    CHECK(close(ag::sort(Tensor(3.0), 0), 3.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::sort(t); }, x), {{2, 4, 1, 3}, {6, 5, 7, 8}}));
}

TEST_CASE("topk gives values, where they stand, and gradients to where they stood")
{
    const Tensor x(xt::xarray<double>{{3, 5, 1, 5}, {2, 7, 9, 4}});
    const ag::Indexed<double> top = ag::topk(x, 3);
    CHECK(close(top.values, {{5, 5, 3}, {9, 7, 4}}));
    CHECK(top.indices == Positions{{1, 3, 0}, {2, 1, 3}});
    CHECK(close(ag::topk(x, 1, 0, ag::Order::ascending).values, {{2, 5, 1, 4}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::topk(t, 3).values; }, x), {{3, 1, 0, 2}, {0, 5, 4, 6}}));
    CHECK(ag::topk(x, 0).values.shape() == ag::Shape{2, 0});
}

TEST_CASE("one element is chosen by its rank, or by how often it occurs")
{
    const Tensor x(xt::xarray<double>{{3, 1, 3, 1, 2}, {9, 8, 7, 6, 5}});
    CHECK(close(ag::kthvalue(x, 4).values, {3, 8}));
    CHECK(ag::kthvalue(x, 5).indices == Positions{2, 0});
    CHECK(ag::kthvalue(x, 5, -1, ag::keep_dims).values.shape() == ag::Shape{2, 1});
    CHECK(close(ag::mode(x).values, {1, 5}));
    CHECK(ag::mode(x).indices == Positions{3, 4});
    CHECK(close(gradient([](const Tensor& t) { return ag::mode(t).values; }, x), {{0, 0, 0, 1, 0}, {0, 0, 0, 0, 2}}));
}

TEST_CASE("the median is the middle, the mean of two, or the lower one of two")
{
    const Tensor x(xt::xarray<double>{{4, 1, 3, 2}, {8, inf, -inf, 6}});
    CHECK(close(ag::median(x, 1), {2.5, 7}));
    CHECK(close(ag::median(x), 3.5));
    CHECK(close(ag::median_low(x).values, {2, 6}));
    CHECK(ag::median_low(x).indices == Positions{3, 3});
    CHECK(close(gradient([](const Tensor& t) { return ag::median(t, 1); }, x), {{0, 0, 0.5, 0.5}, {1, 0, 0, 1}}));
    CHECK(close(ag::median(Tensor(xt::xarray<double>{inf})), inf));
}

TEST_CASE("NaN makes a median NaN, unless it is left out")
{
    const Tensor x(
        xt::xarray<double>{{4, not_a_number, 3, 2}, {not_a_number, not_a_number, not_a_number, not_a_number}});
    CHECK(close(ag::median(x, 1), {not_a_number, not_a_number}));
    CHECK(close(ag::nanmedian(x, 1), {3, not_a_number}));
    CHECK(close(ag::median_low(x).values, {not_a_number, not_a_number}));
    CHECK(ag::median_low(x).indices == Positions{1, 0});
    CHECK(close(ag::nanmedian_low(x).values, {3, not_a_number}));
}

TEST_CASE("quantiles fall between elements as NumPy's do")
{
    const Tensor x(xt::xarray<double>{7, 1, 4, 2});
    using enum ag::QuantileMethod;
    CHECK(close(ag::quantile(x, 0.4), 2.4));
    CHECK(close(ag::quantile(x, 0.5, {}, lower), 2.0));
    CHECK(close(ag::quantile(x, 0.5, {}, higher), 4.0));
    CHECK(close(ag::quantile(x, 0.5, {}, midpoint), 3.0));
    CHECK(close(ag::quantile(x, 0.5, {}, nearest), 4.0));
    CHECK(close(ag::quantile(x, xt::xarray<double>{0, 1}), {1, 7}));
    CHECK(close(ag::nanquantile(Tensor(xt::xarray<double>{not_a_number, 1, 3}), 0.5), 2.0));
    const Tensor rows(xt::xarray<double>{{1, 2, 3}, {5, 7, 9}});
    CHECK(close(ag::quantile(rows, xt::xarray<double>{0.25, 0.5}, 1), {{1.5, 6}, {2, 7}}));
    CHECK(ag::quantile(rows, xt::xarray<double>{0.25, 0.5}, 0, linear, ag::keep_dims).shape() == ag::Shape{2, 1, 3});
    CHECK(close(gradient([&](const Tensor& q) { return ag::quantile(x, q); }, Tensor(0.5)), 3 * (4 - 2.0)));
}

TEST_CASE_TEMPLATE("both zeros are equal, infinities are numbers, and NaN of either sign is greater", T, float, double)
{
    constexpr T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
    const ag::Tensor<T> x(xt::xarray<T>{T(0), T(-0.0), -nan, infinity, T(-1), -infinity, nan, T(1e-40)});
    CHECK(ag::argsort(x) == Positions{5, 4, 0, 1, 7, 3, 2, 6});
    CHECK(ag::argsort(x, 0, ag::Order::descending) == Positions{2, 6, 3, 7, 0, 1, 4, 5});
}

TEST_CASE("values are put before or behind equal elements of a sorted row")
{
    const Tensor row(xt::xarray<double>{1, 3, 3, 5});
    const Tensor values(xt::xarray<double>{{0, 3}, {5, not_a_number}});
    CHECK(ag::searchsorted(row, values) == Positions{{0, 1}, {3, 4}});
    CHECK(ag::searchsorted(row, values, ag::Side::right) == Positions{{0, 3}, {4, 4}});
    CHECK(ag::searchsorted(row, 4)() == 3);
    CHECK(ag::isin(values, row) == xt::xarray<bool>{{false, true}, {true, false}});
}

TEST_CASE("what cannot be sorted or chosen is named")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const Tensor none(xt::xarray<double>(xt::zeros<double>({2, 0})));
    using ag::ShapeError;
    using ag::ValueError;
    CHECK(thrown<ShapeError>([&] { ag::sort(x, -3); }) ==
          "sort: axis -3 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ValueError>([&] { ag::topk(x, 3, 0); }) ==
          "topk: k = 3 of 2 elements along axis 0 of shape (2, 3) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::kthvalue(x, 0); }) ==
          "kthvalue: k must be from 1 to 3 for axis 1 of shape (2, 3): got 0 (HERE).");
    CHECK(thrown<ValueError>([&] { ag::median(none); }) ==
          "median: needs more than 0 elements to reduce: got 0 in shape (2, 0) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::mode(none); }) ==
          "mode: needs more than 0 elements to reduce: got 0 in shape (2, 0) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::quantile(x, 1.5); }) == "quantile: q must be from 0 to 1: got 1.500000 (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::quantile(x, x); }) ==
          "quantile: q must be a number or a vector: got shape (2, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::searchsorted(x, Tensor(1.0)); }) ==
          "searchsorted: needs one sorted row, or one for each row of values: got (2, 3) for () (HERE).");
}
