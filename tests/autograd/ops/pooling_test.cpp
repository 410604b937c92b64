#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const Tensor line(xt::xarray<double>{{1, 5, 5, 2, 0, 7, 3}});

}

TEST_CASE("max pooling takes the first of equal elements, and gives it the gradient")
{
    const auto f = [](const Tensor& x) { return ag::max_pool1d(x, 3, {.stride = 2}); };
    CHECK(close(f(line), {{5, 5, 7}}));
    CHECK(close(gradient(f, line), {{0, 1, 2, 0, 0, 3, 0}}));
    const auto [maxima, places] = ag::max_pool1d_with_indices(line, 3, {.stride = 2});
    CHECK(close(maxima, {{5, 5, 7}}));
    CHECK(places == xt::xarray<std::int64_t>{{1, 2, 5}});
}

TEST_CASE_TEMPLATE("hundreds of windows of several sizes find what a plain search finds", T, float, double)
{
    constexpr std::ptrdiff_t height = 41, width = 37, rows = 3, columns = 2, padding = 1, dilation = 2;
    ag::Generator generator(1);
    const auto x = generator.uniform<T>({2, 1, height, width}, -1, 1);
    const auto [maxima, places] = ag::max_pool2d_with_indices(
        x, {rows, columns}, {.stride = {2, 1}, .padding = padding, .dilation = dilation, .ceil_mode = true});
    REQUIRE(maxima.shape() == ag::Shape{2, 1, 20, 37});
    for (std::ptrdiff_t image = 0; image < 2; ++image)
    {
        const T* const plane = x.data() + image * height * width;
        for (std::ptrdiff_t i = 0; i < 20; ++i)
        {
            for (std::ptrdiff_t j = 0; j < 37; ++j)
            {
                std::ptrdiff_t best = -1;
                for (std::ptrdiff_t row = 2 * i - padding; row < 2 * i - padding + rows * dilation; row += dilation)
                {
                    for (std::ptrdiff_t column = j - padding; column < j - padding + columns * dilation;
                         column += dilation)
                    {
                        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
                        const std::ptrdiff_t place = row * width + column;
                        best = inside && (best < 0 || plane[place] > plane[best]) ? place : best;
                    }
                }
                const auto window = static_cast<std::size_t>((image * 20 + i) * 37 + j);
                CHECK(places.data()[window] == best);
                CHECK(maxima.data()[window] == plane[best]);
            }
        }
    }
}

TEST_CASE("in max pooling the last NaN of a window wins, and padding never does")
{
    const Tensor x(xt::xarray<double>{{not_a_number, 9, not_a_number, 1, -inf, -inf}});
    const auto [maxima, places] = ag::max_pool1d_with_indices(x, 3, {.padding = 1});
    CHECK(close(maxima, {{not_a_number, not_a_number}}));
    CHECK(places == xt::xarray<std::int64_t>{{0, 2}});
    CHECK(close(ag::max_pool1d(Tensor(xt::xarray<double>{{-inf, -3}}), 2, {.stride = 1, .padding = 1}),
                {{-inf, -3, -3}}));
    const auto [least, first] = ag::max_pool1d_with_indices(Tensor(xt::xarray<double>{{-inf, -inf}}), 2);
    CHECK(least.item() == -inf);
    CHECK(first(0, 0) == 0);
}

TEST_CASE("ceil_mode adds a last window, unless it would begin in the padding behind the input")
{
    CHECK(close(ag::max_pool1d(line, 2, {.ceil_mode = true}), {{5, 5, 7, 3}}));
    CHECK(ag::max_pool1d(line, 4, {.stride = 3, .padding = 2, .ceil_mode = true}).shape() == ag::Shape{1, 3});
    CHECK(close(ag::avg_pool1d(line, 2, {.ceil_mode = true}), {{3, 3.5, 3.5, 3}}));
}

TEST_CASE("the padding counts in an average, or does not")
{
    const Tensor x(xt::xarray<double>{{3, 6, 9}});
    CHECK(close(ag::avg_pool1d(x, 3, {.stride = 1, .padding = 1}), {{3, 6, 5}}));
    CHECK(close(ag::avg_pool1d(x, 3, {.stride = 1, .padding = 1, .count_include_pad = false}), {{4.5, 6, 7.5}}));
    CHECK(close(ag::avg_pool1d(x, 3, {.stride = 1, .padding = 1, .divisor = -9}), {{-1, -2, -5 / 3.0}}));
}

TEST_CASE("windows of several axes are products of those of each")
{
    const Tensor x = ag::reshape(counting<double>({16}), {1, 4, 4});
    CHECK(close(ag::max_pool2d(x, 2), {{{6, 8}, {14, 16}}}));
    CHECK(close(ag::flatten(ag::avg_pool2d(x, {1, 4})), {2.5, 6.5, 10.5, 14.5}));
    CHECK(close(ag::flatten(ag::avg_pool3d(ag::reshape(x, {1, 4, 2, 2}), {2, 1, 2})), {3.5, 5.5, 11.5, 13.5}));
    CHECK(ag::max_pool2d_with_indices(x, 2, {.stride = 1, .dilation = 2}).second ==
          xt::xarray<std::int64_t>{{{10, 11}, {14, 15}}});
}

TEST_CASE("adaptive windows overlap where the output does not divide the input")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3, 4, 5}});
    CHECK(close(ag::adaptive_avg_pool1d(x, 3), {{1.5, 3, 4.5}}));
    CHECK(close(ag::adaptive_max_pool1d(x, 2), {{3, 5}}));
    CHECK(close(ag::adaptive_avg_pool1d(x, ag::input_extent), x.value()));
}

TEST_CASE("unpooling puts maxima back, and each of several for one place gets its gradient")
{
    const Tensor x(xt::xarray<double>{{5, 5, 7}});
    const auto indices = xt::xarray<int>{{1, 1, 4}};
    const auto unpooled = [&](const Tensor& y) { return ag::max_unpool1d(y, indices, 2, {.output_size = 7}); };
    CHECK(close(unpooled(x), {{0, 5, 0, 0, 7, 0, 0}}));
    CHECK(close(gradient(unpooled, x), {{2, 2, 5}}));
}

TEST_CASE("an empty batch can be pooled")
{
    const Tensor x(xt::xarray<double>(xt::zeros<double>({0, 2, 6})));
    CHECK(ag::max_pool1d(x, 2).shape() == ag::Shape{0, 2, 3});
    CHECK(ag::avg_pool1d(x, 2).shape() == ag::Shape{0, 2, 3});
    CHECK(ag::adaptive_max_pool1d(x, 2).shape() == ag::Shape{0, 2, 2});
}

TEST_CASE("windows that do not fit, and numbers that no pooling can have, are named")
{
    const Tensor x(xt::xarray<double>(xt::zeros<double>({1, 2, 3, 4})));
    const auto shape = [&](auto f) { return thrown<ag::ShapeError>(f); };
    const auto value = [&](auto f) { return thrown<ag::ValueError>(f); };
    CHECK(shape([&] { ag::max_pool1d(x, 2); }).starts_with("max_pool1d: needs an input of shape (batch, channels, 1"));
    CHECK(shape(
              [&] {
                  ag::avg_pool2d(x, 5, {.padding = {0, 1}});
              })
              .starts_with("avg_pool2d: a window of 5 is larger than the input, 3 with 0 of padding: got an input of "
                           "shape (1, 2, 3, 4) (pooling_test.cpp:"));
    CHECK(shape(
              [&] {
                  ag::max_pool2d(x, {1, 2}, {.padding = {0, 1}, .dilation = {1, 5}});
              })
              .starts_with("max_pool2d: a window holds nothing but padding: got an input of shape (1, 2, 3, 4) with a "
                           "dilation of 5 (pooling_test.cpp:"));
    CHECK(value([&] { ag::max_pool2d(x, 2, {.padding = 2}); })
              .starts_with("max_pool2d: padding must be at most half of the kernel: got 2 for a kernel of 2 "));
    CHECK(value([&] { ag::max_pool2d(x, 0); })
              .starts_with("max_pool2d: kernel must be at least 1 and below 2^31: got 0"));
    CHECK(value([&] { ag::avg_pool2d(x, 2, {.divisor = 0}); }).starts_with("avg_pool2d: the divisor is 0 "));
    CHECK(value(
              [&] {
                  ag::adaptive_avg_pool2d(x, {2, 0});
              })
              .starts_with(
                  "adaptive_avg_pool2d: output_size must be at least 1 and below 2^31: got 0 for spatial axis 1"));
    const Tensor pooled(xt::xarray<double>{{1, 2}});
    const xt::xarray<int> indices{{0, 4}};
    CHECK(shape(
              [&] {
                  ag::max_unpool1d(pooled, {0, 4}, 2);
              })
              .starts_with("max_unpool1d: needs an index for each element: got an input of shape (1, 2) and indices of "
                           "shape (2,) "));
    CHECK(value([&] { ag::max_unpool1d(pooled, indices, 2); })
              .starts_with("max_unpool1d: index 4 is outside of an output of 4 places, with shape (1, 4) "));
    CHECK(value([&] { ag::max_unpool1d(pooled, indices, 2, {.output_size = 6}); })
              .starts_with("max_unpool1d: output_size must be less than a stride of 2 away from 4: got 6 for spatial "
                           "axis 0 "));
}
