#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// 1, 2, 3, ...
Tensor numbers(const ag::Shape& shape)
{
    return counting<double>(shape);
}

Tensor empty(std::vector<std::size_t> shape)
{
    return Tensor(xt::xarray<double>(xt::zeros<double>(shape)));
}

}

TEST_CASE("reshape keeps the elements in row-major order and finds the extent given as -1")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::reshape(x, {3, 2}), {{1, 2}, {3, 4}, {5, 6}}));
    CHECK(close(ag::reshape(x, {-1}), {1, 2, 3, 4, 5, 6}));
    CHECK(close(ag::reshape(x, {3, -1}), {{1, 2}, {3, 4}, {5, 6}}));
    CHECK(ag::reshape(x, {1, -1, 2, 1}).shape() == ag::Shape{1, 3, 2, 1});
    CHECK(ag::reshape(x, ag::Shape{6}).shape() == ag::Shape{6});
    CHECK(ag::reshape(x, std::vector<std::size_t>{3, 2}).shape() == ag::Shape{3, 2});
    CHECK(close(gradient([](const Tensor& t) { return ag::reshape(t, {3, 2}); }, x), {{1, 2, 3}, {4, 5, 6}}));
}

TEST_CASE("reshape goes between 0-d and one element, and between empty shapes")
{
    CHECK(close(ag::reshape(Tensor(3.0), {1, 1}), column({3})));
    CHECK(close(ag::reshape(Tensor(column({3})), ag::Shape{}), 3.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::reshape(t, {1, 1}); }, Tensor(3.0)), 1.0));
    CHECK(ag::reshape(empty({2, 0}), {0, 7}).shape() == ag::Shape{0, 7});
    CHECK(ag::reshape(empty({2, 0}), {2, -1}).shape() == ag::Shape{2, 0});
    CHECK(gradient([](const Tensor& t) { return ag::reshape(t, {0}); }, empty({2, 0})).shape() == ag::Shape{2, 0});
}

TEST_CASE("flatten, expand_dims and squeeze give the shapes of xtensor")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::flatten(x), {1, 2, 3, 4, 5, 6}));
    CHECK(ag::flatten(Tensor(1.0)).shape() == ag::Shape{1});
    CHECK(ag::flatten(empty({2, 0})).shape() == ag::Shape{0});
    CHECK(ag::expand_dims(x, 0).shape() == ag::Shape{1, 2, 3});
    CHECK(ag::expand_dims(x, 1).shape() == ag::Shape{2, 1, 3});
    CHECK(ag::expand_dims(x, -1).shape() == ag::Shape{2, 3, 1});
    CHECK(ag::expand_dims(Tensor(1.0), 0).shape() == ag::Shape{1});
    const Tensor y = ag::reshape(x, {1, 2, 1, 3, 1});
    CHECK(ag::squeeze(y).shape() == ag::Shape{2, 3});
    CHECK(ag::squeeze(y, 0).shape() == ag::Shape{2, 1, 3, 1});
    CHECK(ag::squeeze(y, {0, -1}).shape() == ag::Shape{2, 1, 3});
    CHECK(ag::squeeze(Tensor(column({3}))).shape() == ag::Shape{});
    CHECK(ag::squeeze(Tensor(3.0)).shape() == ag::Shape{});
    CHECK(
        close(gradient([](const Tensor& t) { return ag::squeeze(ag::expand_dims(t, 1)); }, x), {{1, 2, 3}, {4, 5, 6}}));
}

TEST_CASE("transpose permutes axes as xtensor does")
{
    const Tensor x = numbers({2, 3, 4});
    const xt::xarray<double> a = x.value();
    CHECK(close(ag::transpose(x), xt::transpose(a)));
    std::vector<std::ptrdiff_t> axes{0, 1, 2};
    do
    {
        CHECK(close(ag::transpose(x, {axes[0], axes[1], axes[2]}), xt::transpose(a, axes)));
        CHECK(close(ag::transpose(x, {axes[0] - 3, axes[1], axes[2] - 3}), xt::transpose(a, axes)));
    } while (std::next_permutation(axes.begin(), axes.end()));
    CHECK(close(gradient([](const Tensor& t) { return ag::transpose(t); }, numbers({2, 3})), {{1, 3, 5}, {2, 4, 6}}));
    CHECK(close(ag::transpose(Tensor(3.0)), 3.0));
    CHECK(ag::transpose(empty({2, 0, 3})).shape() == ag::Shape{3, 0, 2});
}

TEST_CASE("large transposes are right to the last element")
{
    const Tensor x = numbers({67, 129});
    CHECK(close(ag::transpose(x), xt::transpose(xt::xarray<double>(x.value()))));
    const ag::Tensor<float> y = counting<float>({70, 3, 65});
    CHECK(close(ag::transpose(y, {2, 0, 1}), xt::transpose(xt::xarray<double>(y.value()), {2, 0, 1})));
}

TEST_CASE("broadcast_to stretches, and its gradient adds up")
{
    const Tensor x = numbers({3});
    const auto f = [](const Tensor& t) { return ag::broadcast_to(t, {2, 3}); };
    CHECK(close(f(x), {{1, 2, 3}, {1, 2, 3}}));
    CHECK(close(gradient(f, x), {5, 7, 9}));
    const auto tall = [](const Tensor& t) { return ag::broadcast_to(t, {2, 3}); };
    CHECK(close(gradient(tall, Tensor(column({1, 2}))), column({6, 15})));
    CHECK(close(gradient(f, Tensor(1.0)), 21.0));
    CHECK(close(f(numbers({2, 3})), {{1, 2, 3}, {4, 5, 6}}));
    CHECK(ag::broadcast_to(Tensor(column({1})), {1, 0}).shape() == ag::Shape{1, 0});
    CHECK(close(gradient([](const Tensor& t) { return ag::broadcast_to(t, {0}); }, Tensor(1.0)), 0.0));
}

TEST_CASE("concatenate joins along any axis and gives each its part of the gradient")
{
    const Tensor a = numbers({2, 3});
    const Tensor b = 10 * numbers({2, 1});
    CHECK(close(ag::concatenate({a, b}, 1), {{1, 2, 3, 10}, {4, 5, 6, 20}}));
    CHECK(close(ag::concatenate({b, a}, -1), {{10, 1, 2, 3}, {20, 4, 5, 6}}));
    CHECK(close(ag::concatenate({a, a}), {{1, 2, 3}, {4, 5, 6}, {1, 2, 3}, {4, 5, 6}}));
    CHECK(close(ag::concatenate({a}), a.value()));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return ag::concatenate({x, y, x}, 1); }, a, b);
    CHECK(close(by[0], {{1 + 5, 2 + 6, 3 + 7}, {8 + 12, 9 + 13, 10 + 14}}));
    CHECK(close(by[1], column({4, 11})));
    const auto with_nothing = gradients(
        [](const Tensor& x, const Tensor& y) {
            return ag::concatenate({x, y}, 1);
        },
        a, empty({2, 0}));
    CHECK(close(with_nothing[0], {{1, 2, 3}, {4, 5, 6}}));
    CHECK(with_nothing[1].shape() == ag::Shape{2, 0});
}

TEST_CASE("variables can be joined, also in a vector")
{
    Variable a(xt::xarray<double>{1, 2});
    Variable b(xt::xarray<double>{3, 4});
    ag::GradientTape tape({.persistent = true});
    const Tensor y = ag::concatenate<double>({a, b});
    const Tensor z = ag::stack(std::vector<Tensor>{a, b});
    const auto [da, db] = tape.gradient(ag::sum(y * numbers({4})), a, b);
    CHECK(close(da, {1, 2}));
    CHECK(close(db, {3, 4}));
    CHECK(close(tape.gradient(ag::sum(z * numbers({2, 2})), b), {3, 4}));
}

TEST_CASE("stack makes a new axis anywhere")
{
    const Tensor a = numbers({2});
    const Tensor b = 10 * a;
    CHECK(close(ag::stack({a, b}), {{1, 2}, {10, 20}}));
    CHECK(close(ag::stack({a, b}, 1), {{1, 10}, {2, 20}}));
    CHECK(close(ag::stack({a, b}, -1), {{1, 10}, {2, 20}}));
    CHECK(close(ag::stack({Tensor(1.0), Tensor(2.0)}), {1, 2}));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return ag::stack({x, y}, 1); }, a, b);
    CHECK(close(by[0], {1, 3}));
    CHECK(close(by[1], {2, 4}));
}

TEST_CASE("a view takes what xtensor's view takes")
{
    using namespace xt::placeholders;
    const Tensor x = numbers({3, 4});
    CHECK(close(ag::view(x, 1), {5, 6, 7, 8}));
    CHECK(close(ag::view(x, -1), {9, 10, 11, 12}));
    CHECK(close(ag::view(x, 1, 2), 7.0));
    CHECK(close(ag::view(x, std::size_t{2}, -4), 9.0));
    CHECK(close(ag::view(x, xt::all(), 0), {1, 5, 9}));
    CHECK(close(ag::view(x, xt::range(0, 2), xt::range(1, 3)), {{2, 3}, {6, 7}}));
    CHECK(close(ag::view(x, xt::range(1, _)), {{5, 6, 7, 8}, {9, 10, 11, 12}}));
    CHECK(close(ag::view(x, xt::all(), xt::range(_, 2)), {{1, 2}, {5, 6}, {9, 10}}));
    CHECK(close(ag::view(x, xt::all(), xt::range(-2, _)), {{3, 4}, {7, 8}, {11, 12}}));
    CHECK(close(ag::view(x, xt::all(), xt::range(_, -2)), {{1, 2}, {5, 6}, {9, 10}}));
    CHECK(close(ag::view(x, xt::range(0, 3, 2), xt::range(3, 0, -2)), {{4, 2}, {12, 10}}));
    CHECK(close(ag::view(x, xt::range(_, _, -1), 0), {9, 5, 1}));
    CHECK(close(ag::view(x, xt::ellipsis(), 1), {2, 6, 10}));
    CHECK(close(ag::view(x, 0, xt::ellipsis()), {1, 2, 3, 4}));
    CHECK(ag::view(x, xt::newaxis(), 0).shape() == ag::Shape{1, 4});
    CHECK(ag::view(x, 0, xt::newaxis(), xt::all(), xt::newaxis()).shape() == ag::Shape{1, 4, 1});
    CHECK(ag::view(x, xt::all(), xt::range(2, 2)).shape() == ag::Shape{3, 0});
    CHECK(close(ag::view(x, xt::range(1, 100), 3), {8, 12}));
    CHECK(ag::view(Tensor(3.0), xt::ellipsis()).shape() == ag::Shape{});
}

TEST_CASE("the gradient of a view is zero outside of it")
{
    const Tensor x = numbers({3, 4});
    CHECK(close(gradient([](const Tensor& t) { return ag::view(t, xt::range(2, 0, -1), xt::range(0, 4, 3)); }, x),
                {{0, 0, 0, 0}, {3, 0, 0, 4}, {1, 0, 0, 2}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::view(t, 1, 2); }, x),
                {{0, 0, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::view(t, xt::all(), xt::range(2, 2)); }, x),
                {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}));
}

TEST_CASE("views that overlap add up their gradients")
{
    const Tensor x = numbers({4});
    const auto f = [](const Tensor& t) { return ag::view(t, xt::range(0, 3)) * ag::view(t, xt::range(1, 4)); };
    CHECK(close(f(x), {2, 6, 12}));
    CHECK(close(gradient(f, x), {2, 1 + 6, 4 + 12, 9}));
}

TEST_CASE("what was reshaped without a copy keeps its value when its source is assigned")
{
    Variable x(xt::xarray<double>{{1, 2}, {3, 4}});
    const Tensor flat = ag::flatten(x);
    const Tensor same = x;
    x.assign_add(10);
    CHECK(close(flat, {1, 2, 3, 4}));
    CHECK(close(same, {{1, 2}, {3, 4}}));
    CHECK(close(x, {{11, 12}, {13, 14}}));
}

TEST_CASE("flatten, unflatten and atleast change axes in part")
{
    const Tensor x = numbers({2, 3, 4});
    CHECK(ag::flatten(x, 1).shape() == ag::Shape{2, 12});
    CHECK(ag::flatten(x, 0, -2).shape() == ag::Shape{6, 4});
    CHECK(ag::flatten(x, 1, 1).shape() == ag::Shape{2, 3, 4});
    CHECK(ag::flatten(Tensor(1.0), 0).shape() == ag::Shape{1});
    CHECK(ag::unflatten(x, -1, {2, -1}).shape() == ag::Shape{2, 3, 2, 2});
    CHECK(ag::atleast_3d(numbers({3})).shape() == ag::Shape{1, 3, 1});
    CHECK(ag::atleast_3d(numbers({3, 2})).shape() == ag::Shape{3, 2, 1});
    CHECK(ag::atleast_2d(Tensor(1.0)).shape() == ag::Shape{1, 1});
}

TEST_CASE("swapaxes and moveaxis keep the order of the others")
{
    const Tensor x = numbers({2, 3, 4});
    CHECK(ag::swapaxes(x, 0, -1).shape() == ag::Shape{4, 3, 2});
    CHECK(ag::moveaxis(x, 0, -1).shape() == ag::Shape{3, 4, 2});
    CHECK(ag::moveaxis(x, {2, 0}, {0, 1}).shape() == ag::Shape{4, 2, 3});
    CHECK(ag::swapaxes(Tensor(1.0), 0, -1).shape() == ag::Shape{});
}

TEST_CASE("large transposes are right at the borders of tiles and between batches")
{
    const Tensor x = numbers({3, 37, 61});
    const Tensor y = ag::swapaxes(x, 1, 2);
    bool right = true;
    for (std::size_t b = 0; b < 3; ++b)
    {
        for (std::size_t i = 0; i < 61; ++i)
        {
            for (std::size_t j = 0; j < 37; ++j)
            {
                right = right && y.data()[(b * 61 + i) * 37 + j] == x.data()[(b * 37 + j) * 61 + i];
            }
        }
    }
    CHECK(right);
}

TEST_CASE("slice_scatter puts where slice takes")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::slice(x, 1, xt::range(2, 0, -1)), {{3, 2}, {6, 5}}));
    CHECK(close(ag::slice_scatter(x, Tensor(xt::xarray<double>{7, 8}), 1, -1), {{1, 2, 7}, {4, 5, 8}}));
    CHECK(close(ag::slice_scatter(x, Tensor(0.0), 0, 1), {{1, 2, 3}, {0, 0, 0}}));
    CHECK(close(ag::narrow(x, 1, -2, 1), column({2, 5})));
}

TEST_CASE("splits cut evenly, unevenly, before positions and by lengths")
{
    const Tensor x = numbers({5});
    CHECK(close(ag::split(x, {1, -1})[1], {2, 3, 4}));
    CHECK(ag::split(x, {4, 2})[1].shape() == ag::Shape{0});
    CHECK(close(ag::tensor_split(x, 3)[1], {3, 4}));
    CHECK(ag::tensor_split(x, 7)[6].shape() == ag::Shape{0});
    CHECK(close(ag::split_with_sizes(x, {2, 0, 3})[2], {3, 4, 5}));
    CHECK(ag::chunk(x, 4).size() == 3);
    CHECK(ag::chunk(empty({0, 2}), 3).size() == 1);
    CHECK(ag::unbind(numbers({2, 3}), 1).size() == 3);
    CHECK(ag::hsplit(numbers({2, 4}), 2)[1].shape() == ag::Shape{2, 2});
}

TEST_CASE("stacks of vectors and blocks stand as in NumPy")
{
    const Tensor a(xt::xarray<double>{1, 2});
    const Tensor b(xt::xarray<double>{3, 4});
    CHECK(close(ag::hstack({a, b}), {1, 2, 3, 4}));
    CHECK(close(ag::vstack({a, b}), {{1, 2}, {3, 4}}));
    CHECK(close(ag::column_stack({a, b}), {{1, 3}, {2, 4}}));
    CHECK(ag::dstack({a, b}).shape() == ag::Shape{1, 2, 2});
    CHECK(close(ag::block_diag({a, Tensor(5.0)}), {{1, 2, 0}, {0, 0, 5}}));
    CHECK(close(ag::broadcast_tensors({a, Tensor(5.0)})[1], {5, 5}));
}

TEST_CASE("parts and joints that do not fit are named")
{
    const Tensor x = numbers({2, 3});
    CHECK(
        thrown<ag::ShapeError>([&] { ag::split(x, 2, 1); }) ==
        "split: 2 equal parts of axis 1 of shape (2, 3) (HERE). tensor_split and chunk give parts of unequal length.");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::split_with_sizes(x, {1, 1}, 1);
              }) == "split_with_sizes: the lengths add up to 2 for axis 1 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::narrow(x, 1, 2, 2); }) ==
          "narrow: 2 elements from 2 of axis 1 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::unflatten(x, 1, {2, 2});
              }) ==
          "unflatten: the shape does not hold as many elements: got (2, 2) for shape (2, 3) (HERE). The number of "
          "elements must stay the same.");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::hstack({x, numbers({3, 2})});
              }) == "hstack: shapes may differ only along axis 1: got (2, 3) and (3, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::moveaxis(x, {0, 1}, 0);
              }) == "moveaxis: 2 axes are moved to 1 places (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::expand_dims(numbers({1, 1, 1, 1, 1, 1, 1, 1}), 0);
              }) == "expand_dims: the result would have 9 axes: at most 8 are possible (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::vstack(std::vector<Tensor>{}); }) ==
          "vstack: needs at least one tensor (HERE).");
}

TEST_CASE("constants beside which a tensor is concatenated move its gradient")
{
    const Tensor constant = numbers({2});
    const auto f = [&](const Tensor& t) { return ag::concatenate({constant, t, constant, t}); };
    CHECK(close(gradient(f, numbers({3})), {3 + 8, 4 + 9, 5 + 10}));
}
