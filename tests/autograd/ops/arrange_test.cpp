#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Array = xt::xarray<double>;

namespace
{

/// 1, 2, 3, ...
Tensor numbers(const ag::Shape& shape)
{
    return counting<double>(shape);
}

}

TEST_CASE("flip and rot90 turn as NumPy does")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::flip(x), {{6, 5, 4}, {3, 2, 1}}));
    CHECK(close(ag::flip(x, -1), {{3, 2, 1}, {6, 5, 4}}));
    CHECK(close(ag::fliplr(x), {{3, 2, 1}, {6, 5, 4}}));
    CHECK(close(ag::flipud(x), {{4, 5, 6}, {1, 2, 3}}));
    CHECK(close(ag::rot90(x), {{3, 6}, {2, 5}, {1, 4}}));
    CHECK(close(ag::rot90(x, 2), {{6, 5, 4}, {3, 2, 1}}));
    CHECK(close(ag::rot90(x, -1), {{4, 1}, {5, 2}, {6, 3}}));
    CHECK(close(ag::rot90(x, 1, {1, 0}), {{4, 1}, {5, 2}, {6, 3}}));
    CHECK(close(ag::rot90(x, 4), {{1, 2, 3}, {4, 5, 6}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::rot90(t); }, x), {{5, 3, 1}, {6, 4, 2}}));
}

TEST_CASE("roll brings back what falls off the end")
{
    CHECK(close(ag::roll(numbers({5}), 2), {4, 5, 1, 2, 3}));
    CHECK(close(ag::roll(numbers({2, 3}), -1), {{2, 3, 4}, {5, 6, 1}}));
    CHECK(close(ag::roll(numbers({2, 3}), {7, 1}, {1, 0}), {{6, 4, 5}, {3, 1, 2}}));
    CHECK(ag::roll(Tensor(Array(Array::shape_type{0, 3})), 5).shape() == ag::Shape{0, 3});
}

TEST_CASE("tile repeats the whole and repeat each element")
{
    const Tensor x(Array{{1, 2}});
    CHECK(close(ag::tile(x, {2, 2}), {{1, 2, 1, 2}, {1, 2, 1, 2}}));
    CHECK(ag::tile(x, {3, 1, 2}).shape() == ag::Shape{3, 1, 4});
    CHECK(ag::tile(x, {0}).shape() == ag::Shape{1, 0});
    CHECK(close(ag::tile(Tensor(7.0), {2}), {7, 7}));
    CHECK(close(gradient([](const Tensor& t) { return ag::tile(t, {2, 2}); }, x), {{1 + 3 + 5 + 7, 2 + 4 + 6 + 8}}));
    CHECK(close(ag::repeat(x, 2, 1), {{1, 1, 2, 2}}));
    CHECK(close(ag::repeat(x, {0, 3}, 1), {{2, 2, 2}}));
    CHECK(close(gradient([](const Tensor& t) { return ag::repeat(t, {1, 2}, 1); }, x), {{1, 2 + 3}}));
}

TEST_CASE("pad extends in five ways, also further than there are elements, and takes away")
{
    using enum ag::PadMode;
    const Tensor x = numbers({3});
    const auto padded = [&](ag::PadMode mode, double value = 0) { return ag::pad(x, {{4, 4}}, mode, value); };
    CHECK(close(padded(constant, 9), {9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9}));
    CHECK(close(padded(symmetric), {3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1}));
    CHECK(close(padded(reflect), {1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3}));
    CHECK(close(padded(wrap), {3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1}));
    CHECK(close(padded(edge), {1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3}));
    CHECK(close(ag::pad(x, {{-1, 1}}), {2, 3, 0}));
    CHECK(close(ag::pad(x, {{1, -1}}, constant, 9), {9, 1, 2}));
    CHECK(close(ag::pad(x, {{-3, 2}}, constant, 9), {9, 9}));
    const Tensor square(xt::xarray<double>{{1, 2}, {3, 4}});
    CHECK(close(ag::pad(square, {{-1, 1}, {1, 0}}), {{0, 3, 4}, {0, 0, 0}}));
    CHECK(close(ag::pad(square, {{1, 0}, {1, -1}}, constant, 9), {{9, 9}, {9, 1}, {9, 3}}));
    CHECK(close(ag::pad(square, {{-1, 1}, {-1, 1}}), {{4, 0}, {0, 0}}));
    CHECK(close(ag::pad(x, {{-1, 2}}, wrap), {2, 3, 2, 3}));
    CHECK(close(ag::pad(Tensor(Array{5.0}), {{1, 2}}, reflect), {5, 5, 5, 5}));
    CHECK(close(gradient([&](const Tensor& t) { return ag::pad(t, {{1, 1}}, reflect); }, x), {2, 1 + 3 + 5, 4}));
    CHECK(close(gradient([&](const Tensor& t) { return ag::pad(t, {{-1, 1}}); }, x), {0, 1, 2}));
}

TEST_CASE("windows that overlap add up their gradients")
{
    const Tensor x = numbers({5});
    const auto windows = [](const Tensor& t) { return ag::sliding_window_view(t, 0, 3, 2); };
    CHECK(close(windows(x), {{1, 2, 3}, {3, 4, 5}}));
    CHECK(close(gradient(windows, x), {1, 2, 3 + 4, 5, 6}));
    CHECK(ag::sliding_window_view(Tensor(1.0), 0, 1).shape() == ag::Shape{1});
}

TEST_CASE("diagonals are taken, put and embedded, also far off the main one")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::diagonal(x), {1, 5}));
    CHECK(close(ag::diagonal(x, 1), {2, 6}));
    CHECK(close(ag::diagonal(x, -1), Array{4.0}));
    CHECK(ag::diagonal(x, 3).shape() == ag::Shape{0});
    CHECK(ag::diagonal(x, -7).shape() == ag::Shape{0});
    CHECK(close(ag::diag(Tensor(Array{1, 2}), 1), {{0, 1, 0}, {0, 0, 2}, {0, 0, 0}}));
    CHECK(close(ag::diagonal_scatter(x, Tensor(0.0), 1), {{1, 0, 3}, {4, 5, 0}}));
    CHECK(ag::diag_embed(x).shape() == ag::Shape{2, 3, 3});
    CHECK(close(ag::diag_embed(Tensor(Array{1, 2}), 1, 1, 0), {{0, 0, 0}, {1, 0, 0}, {0, 2, 0}}));
    CHECK(close(ag::trace(x), 6.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::diagonal(t, 1); }, x), {{0, 1, 0}, {0, 0, 2}}));
}

TEST_CASE("triangles keep one side of a diagonal, and nothing spreads from the other")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::tril(x), {{1, 0, 0}, {4, 5, 0}}));
    CHECK(close(ag::triu(x, 1), {{0, 2, 3}, {0, 0, 6}}));
    CHECK(close(ag::tril(Tensor(Array{{1, NAN}, {2, 3}})), {{1, 0}, {2, 3}}));
}

TEST_CASE("grids, products and combinations come in NumPy's and itertools' order")
{
    const Tensor a(Array{1, 2});
    const Tensor b(Array{3, 4, 5});
    CHECK(close(ag::meshgrid(std::vector{a, b})[0], {{1, 1, 1}, {2, 2, 2}}));
    CHECK(close(ag::meshgrid(std::vector{a, b}, ag::MeshIndexing::xy)[0], {{1, 2}, {1, 2}, {1, 2}}));
    CHECK(close(ag::cartesian_prod(std::vector{a, b}), {{1, 3}, {1, 4}, {1, 5}, {2, 3}, {2, 4}, {2, 5}}));
    CHECK(close(ag::combinations(b), {{3, 4}, {3, 5}, {4, 5}}));
    CHECK(close(ag::combinations(a, 2, true), {{1, 1}, {1, 2}, {2, 2}}));
    CHECK(ag::combinations(a, 3).shape() == ag::Shape{0, 3});
    CHECK(close(ag::vander(Tensor(Array{0, -2}), 3), {{1, 0, 0}, {1, -2, 4}}));
}

TEST_CASE("attributes that do not fit are named")
{
    const Tensor x = numbers({2, 3});
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::rot90(x, 1, {0, 0});
              }) == "rot90: needs two different axes: got axis 0 twice (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::roll(x, {1, 2}, {0});
              }) == "roll: needs a shift for each axis: got 2 shifts and 1 axes (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::tile(x, {-1}); }) == "tile: repeats -1 times (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::repeat(x, {1, 2}, 1);
              }) == "repeat: needs one number, or one for each element: got (2,) for 3 elements (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::pad(x, {{1, 1}});
              }) == "pad: needs a width for each axis: got 1 for shape (2, 3) (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::pad(x, {{0, 0}, {-2, -2}});
              }) == "pad: -2 and -2 elements cannot be added to axis 1 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::sliding_window_view(x, 1, 4); }) ==
          "sliding_window_view: windows of 4 elements, 1 apart, along axis 1 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::diagonal(x, 0, 1, -1); }) ==
          "diagonal: needs two different axes: got 1 and -1 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::trace(Tensor(1.0)); }) == "trace: needs a matrix: got shape () (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::combinations(Tensor(Array{1, 2}), -1);
              }) == "combinations: takes -1 elements (HERE).");
}
