#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// sin(1), sin(2), ...
template <ag::Real T>
ag::Tensor<T> waves(const ag::Shape& shape)
{
    return ag::sin(counting<T>(shape));
}

/// (x - mean) / sqrt(variance + eps) weight + bias along the last axis, from operations that others test.
template <ag::Real T>
ag::Tensor<T> spelled_out(const ag::Tensor<T>& x, const ag::Tensor<T>& weight, const ag::Tensor<T>& bias)
{
    const ag::Tensor<T> distance = x - ag::mean(x, -1, ag::keep_dims);
    return distance / ag::sqrt(ag::variance(x, -1, 0, ag::keep_dims) + 1e-5) * weight + bias;
}

template <ag::Real T>
void check_layer_norm(const ag::Shape& shape, double tolerance)
{
    const ag::Tensor<T> x = waves<T>(shape);
    const ag::Tensor<T> weight = waves<T>({shape[1]}) + T(2);
    const ag::Tensor<T> bias = ag::cos(weight);
    using Type = ag::Tensor<T>;
    const auto fused = [](const Type& a, const Type& w, const Type& b) { return ag::layer_norm(a, 1, w, b); };
    const auto expected = [](const Type& a, const Type& w, const Type& b) { return spelled_out(a, w, b); };
    const auto as_double = [](const Type& a) { return xt::xarray<double>(ag::cast<double>(a).value()); };
    CHECK(close(fused(x, weight, bias), as_double(expected(x, weight, bias)), tolerance, tolerance));
    const std::vector<Type> found = gradients(fused, x, weight, bias);
    const std::vector<Type> wanted = gradients(expected, x, weight, bias);
    for (std::size_t k = 0; k < 3; ++k)
    {
        CAPTURE(k);
        const double scale = ag::amax(ag::abs(wanted[k])).item();
        CHECK(close(found[k], as_double(wanted[k]), tolerance, tolerance * scale));
    }
}

}

TEST_CASE("layer_norm has the mean 0 and the variance 1, whatever the extent of a row and the number of rows")
{
    for (const std::size_t width : {5, 7, 16, 33, 200})
    {
        CAPTURE(width);
        check_layer_norm<double>({3, width}, 1e-12);
        check_layer_norm<float>({3, width}, 2e-5);
    }
    check_layer_norm<double>({200, 5}, 1e-12);
    check_layer_norm<float>({200, 5}, 2e-5);
}

TEST_CASE("layer_norm takes the last axes by number or by shape")
{
    const Tensor x = waves<double>({2, 3, 4});
    const Tensor weight = waves<double>({3, 4});
    CHECK(close(ag::layer_norm(x, 2, weight), ag::layer_norm(x, {3, 4}, weight).value()));
    CHECK(close(ag::layer_norm(x, ag::Shape{4}), ag::layer_norm(x, 1).value()));
    CHECK(close(ag::layer_norm(x, 2, {}, weight), (ag::layer_norm(x, 2) + weight).value()));
}

TEST_CASE("layer_norm of far away rows is as exact as of near ones")
{
    const ag::Tensor<float> x(xt::xarray<float>{{8192, 8193, 8194, 8195}});
    const double scale = std::sqrt(1.25 + 1e-5);
    CHECK(close(ag::layer_norm(x, 1), {{-1.5 / scale, -0.5 / scale, 0.5 / scale, 1.5 / scale}}));
}

TEST_CASE("a row of equal elements is normalized to 0, and NaN stays in its row")
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Tensor x(xt::xarray<double>{{3, 3, 3}, {1, nan, 2}, {5, 5, 5}});
    CHECK(close(ag::layer_norm(x, 1), {{0, 0, 0}, {nan, nan, nan}, {0, 0, 0}}));
    CHECK(ag::layer_norm(Tensor(xt::zeros<double>({0, 3})), 1).shape() == ag::Shape{0, 3});
}

TEST_CASE("group_norm normalizes neighbouring channels together, instance_norm each by itself")
{
    const Tensor x = waves<double>({2, 4, 3});
    const Tensor groups = ag::reshape(ag::layer_norm(ag::reshape(x, {2, 2, 6}), 1), {2, 4, 3});
    CHECK(close(ag::group_norm(x, 2), groups.value(), 1e-12));
    CHECK(close(ag::instance_norm(x), ag::layer_norm(x, 1).value(), 1e-12));
    const Tensor weight(xt::xarray<double>{1, 2, 3, 4});
    const Tensor column = ag::reshape(weight, {4, 1});
    CHECK(close(ag::group_norm(x, 2, weight, weight), (groups * column + column).value(), 1e-12));
}

TEST_CASE("batch_norm in training normalizes by the batch, and moves the running statistics")
{
    const Tensor x(xt::xarray<double>{{1, 10}, {3, 20}});
    const ag::RunningStatistics<double> running(2);
    ag::GradientTape tape;
    tape.watch(x);
    const Tensor y = ag::batch_norm(x, running, {}, {}, {.training = true, .momentum = 0.25, .eps = 0});
    CHECK(close(y, {{-1, -1}, {1, 1}}, 1e-12));
    CHECK(close(running.mean, {0.5, 3.75}));
    CHECK(close(running.variance, {0.75 + 0.25 * 2, 0.75 + 0.25 * 50}));
    CHECK(!running.mean.has_grad());
}

TEST_CASE("batch_norm in inference uses the running statistics and leaves them as they are")
{
    const ag::RunningStatistics<double> running(Variable(xt::xarray<double>{1, 2}), Variable(xt::xarray<double>{4, 9}));
    const Tensor x(xt::xarray<double>{{3, 5}});
    const auto f = [&](const Tensor& a) { return ag::batch_norm(a, running, {}, {}, {.eps = 0}); };
    CHECK(close(f(x), {{1, 1}}));
    CHECK(close(gradient(f, x), {{1 / 2.0, 2 / 3.0}}));
    CHECK(close(running.mean, {1, 2}));
    CHECK(close(running.variance, {4, 9}));
}

TEST_CASE("instance_norm moves the running statistics by the mean over the samples")
{
    const Tensor x(xt::xarray<double>{{{1, 3}}, {{10, 20}}});
    const ag::RunningStatistics<double> running(1);
    ag::instance_norm(x, running, {}, {}, {.momentum = 0.5});
    CHECK(close(running.mean, xt::xarray<double>{0.5 * (2 + 15) / 2}));
    CHECK(close(running.variance, xt::xarray<double>{0.5 + 0.5 * (2 + 50) / 2}));
}

TEST_CASE("normalize gives vectors of length 1, and leaves 0 as it is")
{
    const Tensor x(xt::xarray<double>{{3, 4}, {0, 0}});
    CHECK(close(ag::normalize(x), {{0.6, 0.8}, {0, 0}}));
    CHECK(close(ag::normalize(x, {.p = 1, .axis = 0}), {{1, 1}, {0, 0}}));
    CHECK(close(ag::normalize(Tensor(xt::xarray<double>{{1e200, 1e200}})), {{std::sqrt(0.5), std::sqrt(0.5)}}));
}

TEST_CASE("normalizing layers say what does not fit")
{
    const Tensor x = waves<double>({2, 4, 3});
    const Tensor three(xt::ones<double>({3}));
    const Tensor pair = waves<double>({1, 2});
    CHECK(thrown<ag::ShapeError>([&] { ag::layer_norm(x, 4); }) ==
          "layer_norm: 4 trailing axes: got shape (2, 4, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::layer_norm(x, {4, 2});
              }) == "layer_norm: (2, 4, 3) does not end with the axes (4, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::layer_norm(x, 2, three); }) ==
          "layer_norm: the weight must have shape (4, 3): got (3,) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::group_norm(x, 3); }) ==
          "group_norm: 3 groups do not divide the 4 channels of shape (2, 4, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::batch_norm(x, {}, three); }) ==
          "batch_norm: the bias must have shape (4,): got (3,) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::batch_norm(x, ag::RunningStatistics<double>(3)); }) ==
          "batch_norm: the running mean must have shape (4,): got (3,) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::batch_norm(pair); }) ==
          "batch_norm: needs more than one element a channel, whose variance is 0 otherwise: got shape (1, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::instance_norm(three); }) ==
          "instance_norm: needs (batch, channels, ...): got (3,) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::local_response_norm(x, 0); }) ==
          "local_response_norm: the number of neighbours must be positive: got 0 (HERE).");
}
