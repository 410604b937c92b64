#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using ag::Border;
using ag::Interpolation;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const Tensor line(xt::xarray<double>{{{0, 10, 20, 40}}});
const Tensor square = ag::reshape(counting<double>({9}), {1, 1, 3, 3});

/// The square at one place.
Tensor at(double x, double y, const ag::GridSampleOptions& options)
{
    return ag::squeeze(ag::grid_sample(square, Tensor(xt::xarray<double>{{{{x, y}}}}), options));
}

}

TEST_CASE("unfold makes a column of each patch, and fold adds the columns up again")
{
    const Tensor columns = ag::unfold(square, 2);
    CHECK(close(columns, {{{1, 2, 4, 5}, {2, 3, 5, 6}, {4, 5, 7, 8}, {5, 6, 8, 9}}}));
    CHECK(close(ag::fold(columns, 3, 2), {{{{1, 4, 3}, {8, 20, 12}, {7, 16, 9}}}}));
    CHECK(close(ag::unfold(square, {1, 3}, {.padding = {0, 1}, .stride = 2}),
                {{{0, 2, 0, 8}, {1, 3, 7, 9}, {2, 0, 8, 0}}}));
}

TEST_CASE("interpolation takes the nearest elements, or those around a place")
{
    CHECK(close(ag::interpolate(line, {.size = 3}), {{{0, 10, 20}}}));
    CHECK(close(ag::interpolate(line, {.size = 2, .mode = Interpolation::nearest_exact}), {{{10, 40}}}));
    CHECK(close(ag::interpolate(line, {.size = 2, .mode = Interpolation::linear}), {{{5, 30}}}));
    CHECK(close(ag::interpolate(line, {.size = 7, .mode = Interpolation::linear, .align_corners = true}),
                {{{0, 5, 10, 15, 20, 30, 40}}}));
    CHECK(close(ag::interpolate(line, {.scale = {0.5}, .mode = Interpolation::area}), {{{5, 30}}}));
    CHECK(ag::interpolate(line, {.size = 1, .mode = Interpolation::linear, .align_corners = true}).item() == 0);
}

TEST_CASE("cubic interpolation is Keys' convolution with a = -3/4")
{
    const Tensor x = ag::reshape(line, {1, 1, 1, 4});
    const double half = 0.59375;
    const double beyond = -0.09375;
    CHECK(close(ag::interpolate(x, {.size = {1, 7}, .mode = Interpolation::cubic, .align_corners = true}),
                {{{{0, beyond * 0 + half * 10 + beyond * 20, 10, half * 30 + beyond * 40, 20,
                    beyond * 10 + half * 60 + beyond * 40, 40}}}}));
}

TEST_CASE("a scale decides where outputs lie, unless it is to be computed anew")
{
    const auto resized = [](bool recompute) {
        return ag::interpolate(line,
                               {.scale = {1.3}, .mode = Interpolation::linear, .recompute_scale_factor = recompute});
    };
    CHECK(close(resized(false),
                {{{0, (1.5 / 1.3 - 0.5) * 10, (2.5 / 1.3 - 0.5) * 10, (3.5 / 1.3 - 1.5) * 20, (4.5 / 1.3 - 1.5) * 20}}},
                1e-12));
    CHECK(close(resized(true), {{{0, 7, 15, 26, 40}}}, 1e-12));
}

TEST_CASE("linear interpolation leaves an axis as it is whose extent stays, whatever the scale")
{
    CHECK(close(ag::interpolate(line, {.scale = {1.2}, .mode = Interpolation::linear}), line.value()));
}

TEST_CASE("with antialias every element of a shrunken image counts")
{
    CHECK(close(ag::interpolate(line, {.size = 2, .mode = Interpolation::linear, .antialias = true}),
                {{{12.5 / 1.75, 47.5 / 1.75}}}));
}

TEST_CASE("a place of the grid has the last axis first, and -1 and 1 are the borders")
{
    CHECK(close(at(0, 0, {}), 5));
    CHECK(close(at(1, -1, {.align_corners = true}), 3));
    CHECK(close(at(1, -1, {}), 3 / 4.0));
    CHECK(close(at(0.5, 0, {.align_corners = true}), 5.5));
    CHECK(close(at(0.3, 0.8, {.mode = Interpolation::nearest, .align_corners = true}), 8));
}

TEST_CASE("outside of the image are zeros, the border, or the image reflected")
{
    CHECK(close(at(5, 0, {}), 0));
    CHECK(close(at(5, 0, {.border = Border::nearest}), 6));
    CHECK(close(at(1.5, 0, {.border = Border::reflection, .align_corners = true}), 5.5));
    CHECK(close(at(3, 0, {.border = Border::reflection, .align_corners = true}), 4));
    CHECK(close(at(inf, 0, {}), 0));
    CHECK(close(at(-inf, 0, {.border = Border::nearest}), 4));
    CHECK(close(at(not_a_number, 0, {}), not_a_number));
}

TEST_CASE("the gradient of a place is the slope there, and none where the border is taken")
{
    const auto slope = [](double x, Border border)
    {
        const auto f = [&](const Tensor& grid)
        { return ag::grid_sample(square, grid, {.border = border, .align_corners = true}); };
        return ag::flatten(gradient(f, Tensor(xt::xarray<double>{{{{x, 0.25}}}})));
    };
    CHECK(close(slope(0.5, Border::zeros), {1, 3}));
    CHECK(close(slope(2, Border::nearest), {0, 3}));
    CHECK(close(slope(1, Border::nearest), {0, 3}));
    CHECK(close(slope(1.5, Border::reflection), {-1, 3}));
}

TEST_CASE("pixel_shuffle makes squares of channels, and pixel_unshuffle undoes it")
{
    const Tensor x = ag::reshape(counting<double>({8}), {1, 4, 1, 2});
    const Tensor y = ag::pixel_shuffle(x, 2);
    CHECK(close(y, {{{{1, 3, 2, 4}, {5, 7, 6, 8}}}}));
    CHECK(close(ag::pixel_unshuffle(y, 2), x.value()));
}

TEST_CASE("what does not fit an image is named")
{
    const auto shape = [&](auto f) { return thrown<ag::ShapeError>(f); };
    const auto value = [&](auto f) { return thrown<ag::ValueError>(f); };
    CHECK(shape(
              [&] {
                  ag::unfold(square, {2, 4});
              })
              .starts_with("unfold: a patch of 4 is larger than the image, 3 with 0 of padding, in spatial axis 1 "
                           "(image_test.cpp:"));
    CHECK(
        shape([&] { ag::fold(line, 3, 2); })
            .starts_with("fold: an image of 3 by 3 has 4 patches, each a multiple of 4 long: got columns of shape (1, "
                         "1, 4) (image_test.cpp:"));
    CHECK(value([&] { ag::interpolate(square, {}); })
              .starts_with("interpolate: needs either a size or a scale: got neither "));
    CHECK(value([&] { ag::interpolate(square, {.scale = {0.1}}); })
              .starts_with("interpolate: a scale of 0.100000 leaves no output of a reasonable size: got an input of "
                           "shape (1, 1, 3, 3) "));
    CHECK(value(
              [&] {
                  ag::interpolate(square, {.scale = {1, 2, 3}});
              })
              .starts_with("interpolate: scale needs one number, or one for each of the 2 spatial axes: got 3 "));
    CHECK(value([&] { ag::interpolate(square, {.size = 2, .align_corners = true}); })
              .starts_with("interpolate: align_corners and antialias are for linear and cubic interpolation "));
    CHECK(
        shape([&] { ag::grid_sample(square, square); })
            .starts_with("grid_sample: needs a grid of shape (batch, 2 spatial axes, 2), with the batch of the input: "
                         "got an input of shape (1, 1, 3, 3) and a grid of shape (1, 1, 3, 3) "));
    CHECK(shape([&] { ag::pixel_shuffle(square, 2); })
              .starts_with("pixel_shuffle: needs at least three axes, and channels that the factor's square divides: "
                           "got shape (1, 1, 3, 3) and a factor of 2 "));
    CHECK(value([&] { ag::pixel_unshuffle(square, 0); })
              .starts_with("pixel_unshuffle: the factor must be at least 1 and below 2^15: got 0 "));
}
