#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();

/// A convolution with three spatial axes.
struct Problem
{
    std::size_t batch;
    std::size_t groups;
    std::size_t inputs;   ///< channels a group
    std::size_t outputs;  ///< channels a group
    std::array<std::size_t, 3> extents;
    std::array<std::size_t, 3> kernel;
    std::array<std::size_t, 3> stride;
    std::array<std::size_t, 3> padding;
    std::array<std::size_t, 3> dilation;

    std::size_t output(std::size_t k) const
    {
        return (extents[k] + 2 * padding[k] - dilation[k] * (kernel[k] - 1) - 1) / stride[k] + 1;
    }
    ag::Shape x() const { return {batch, groups * inputs, extents[0], extents[1], extents[2]}; }
    ag::Shape y() const { return {batch, groups * outputs, output(0), output(1), output(2)}; }
    ag::Shape weight() const { return {groups * outputs, inputs, kernel[0], kernel[1], kernel[2]}; }

    static std::vector<std::ptrdiff_t> list(const std::array<std::size_t, 3>& numbers)
    {
        return {numbers.begin(), numbers.end()};
    }
    ag::ConvolutionOptions options() const
    {
        ag::ConvolutionOptions result{
            .stride = list(stride), .dilation = list(dilation), .groups = static_cast<std::ptrdiff_t>(groups)};
        result.padding = list(padding);
        return result;
    }
    /// Of the transposed convolution from y to x.
    ag::TransposedConvolutionOptions transposed() const
    {
        std::vector<std::ptrdiff_t> rest;
        for (std::size_t k = 0; k < 3; ++k)
        {
            const std::size_t span = (output(k) - 1) * stride[k] + dilation[k] * (kernel[k] - 1) + 1;
            rest.push_back(static_cast<std::ptrdiff_t>(extents[k] + 2 * padding[k] - span));
        }
        return {.stride = list(stride),
                .padding = list(padding),
                .output_padding = rest,
                .groups = static_cast<std::ptrdiff_t>(groups),
                .dilation = list(dilation)};
    }

    /// Calls visit(element of x, of the weight, of y) for each product.
    template <class Visit>
    void for_each_product(Visit visit) const
    {
        const auto decompose = [](std::size_t flat, const std::array<std::size_t, 3>& sizes) {
            return std::array{flat / sizes[2] / sizes[1], flat / sizes[2] % sizes[1], flat % sizes[2]};
        };
        const std::array<std::size_t, 3> outs{output(0), output(1), output(2)};
        const std::size_t places = outs[0] * outs[1] * outs[2];
        const std::size_t taps = kernel[0] * kernel[1] * kernel[2];
        for (std::size_t row = 0; row < batch * groups * outputs * inputs * taps; ++row)
        {
            const std::size_t tap = row % taps;
            const std::size_t c = row / taps % inputs;
            const std::size_t channel = row / taps / inputs % (groups * outputs);
            const std::size_t n = row / taps / inputs / (groups * outputs);
            const auto k = decompose(tap, kernel);
            for (std::size_t place = 0; place < places; ++place)
            {
                const auto j = decompose(place, outs);
                std::size_t from = (n * groups + channel / outputs) * inputs + c;
                bool inside = true;
                for (std::size_t axis = 0; axis < 3; ++axis)
                {
                    const std::size_t i = j[axis] * stride[axis] + k[axis] * dilation[axis];
                    inside = inside && i >= padding[axis] && i - padding[axis] < extents[axis];
                    from = from * extents[axis] + i - padding[axis];
                }
                if (inside)
                {
                    visit(from, (channel * inputs + c) * taps + tap, (n * groups * outputs + channel) * places + place);
                }
            }
        }
    }
};

template <class T>
ag::Tensor<T> numbers(const ag::Shape& shape, double start)
{
    xt::xarray<T> result(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()));
    std::size_t i = 0;
    for (T& element : result.storage())
    {
        element = static_cast<T>(std::sin(start + 1.7 * static_cast<double>(i++)));
    }
    return ag::Tensor<T>(result);
}

xt::xarray<double> zeros(const ag::Shape& shape)
{
    return xt::zeros<double>(std::vector<std::size_t>(shape.begin(), shape.end()));
}

/// Small ones of all kinds, and some that are larger than the tiles and parts that the kernels work in.
const Problem problems[] = {
    {2, 1, 2, 3, {1, 5, 6}, {1, 3, 2}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
    {1, 2, 3, 2, {4, 5, 6}, {2, 3, 1}, {2, 1, 3}, {1, 2, 0}, {1, 2, 1}},
    {2, 1, 1, 5, {1, 7, 9}, {1, 3, 3}, {1, 3, 2}, {0, 0, 3}, {1, 1, 3}},
    {1, 3, 1, 1, {2, 4, 41}, {1, 2, 5}, {1, 1, 1}, {0, 0, 2}, {1, 1, 2}},
    {1, 2, 1, 2, {1, 6, 300}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}},
    {1, 1, 70, 35, {1, 9, 11}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
    {1, 1, 3, 14, {1, 1, 2500}, {1, 1, 3}, {1, 1, 1}, {0, 0, 1}, {1, 1, 1}},
    {1, 1, 2, 4, {1, 1, 9}, {1, 1, 2}, {1, 1, 4}, {0, 0, 0}, {1, 1, 1}},
    {1, 1, 16, 16, {3, 40, 130}, {1, 3, 3}, {2, 1, 2}, {0, 0, 1}, {1, 2, 1}},
    {1, 1, 2, 13, {1, 5, 5}, {1, 5, 5}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
    {3, 1, 1, 4, {5, 4, 3}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
};

}

TEST_CASE("a convolution slides a kernel, unflipped, over its input")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3, 4, 10}});
    const Tensor w(xt::xarray<double>{{{1, 0, -1}}});
    CHECK(close(ag::conv1d(x, w), {{-2, -2, -7}}));
    CHECK(close(ag::conv1d(x, w, xt::xarray<double>{0.5}, {.padding = 1}), {{-1.5, -1.5, -1.5, -6.5, 4.5}}));
    CHECK(close(ag::conv1d(x, w, {.stride = 2}), {{-2, -7}}));
    CHECK(ag::conv1d(x, w, {.dilation = 2}).item() == -9);
}

TEST_CASE("a transposed convolution adds up shifted kernels")
{
    const Tensor x(xt::xarray<double>{{1, 10}});
    const Tensor w(xt::xarray<double>{{{1, 2, 3}}});
    CHECK(close(ag::conv_transpose1d(x, w), {{1, 12, 23, 30}}));
    CHECK(close(ag::conv_transpose1d(x, w, {.stride = 2}), {{1, 2, 13, 20, 30}}));
    CHECK(close(ag::conv_transpose1d(x, w, {.stride = 2, .padding = 1, .output_padding = 1}), {{2, 13, 20, 30}}));
    CHECK(close(ag::conv_transpose1d(x, w, {.stride = 3, .padding = 0, .output_padding = 2}),
                {{1, 2, 3, 10, 20, 30, 0, 0}}));
}

TEST_CASE("same_padding puts the odd zero behind")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}});
    CHECK(close(ag::conv1d(x, xt::xarray<double>{{{1, 10}}}, {.padding = ag::same_padding}), {{21, 32, 3}}));
}

TEST_CASE_TEMPLATE("convolutions and their gradients are the sums over all products", T, float, double)
{
    const double tolerance = std::is_same_v<T, float> ? 1e-4 : 1e-12;
    for (const Problem& problem : problems)
    {
        CAPTURE(&problem - problems);
        const ag::Tensor<T> x = numbers<T>(problem.x(), 0);
        const ag::Tensor<T> w = numbers<T>(problem.weight(), 0.3);
        const ag::Tensor<T> dy = numbers<T>(problem.y(), 0.6);
        xt::xarray<double> y = zeros(problem.y());
        xt::xarray<double> dx = zeros(problem.x());
        xt::xarray<double> dw = zeros(problem.weight());
        problem.for_each_product(
            [&](std::size_t i, std::size_t k, std::size_t j)
            {
                y.storage()[j] += static_cast<double>(x.data()[i]) * static_cast<double>(w.data()[k]);
                dx.storage()[i] += static_cast<double>(dy.data()[j]) * static_cast<double>(w.data()[k]);
                dw.storage()[k] += static_cast<double>(dy.data()[j]) * static_cast<double>(x.data()[i]);
            });
        ag::GradientTape tape({.persistent = true});
        tape.watch(x);
        tape.watch(w);
        tape.watch(dy);
        const ag::Tensor<T> found = ag::conv3d(x, w, problem.options());
        CHECK(close(found, y, tolerance, tolerance));
        const auto by = tape.gradient(found, std::vector{x, w}, {.output_gradient = dy});
        CHECK(close(by[0], dx, tolerance, tolerance));
        CHECK(close(by[1], dw, tolerance, tolerance));
        const ag::Tensor<T> back = ag::conv_transpose3d(dy, w, problem.transposed());
        CHECK(close(back, dx, tolerance, tolerance));
        const auto back_by = tape.gradient(back, std::vector{dy, w}, {.output_gradient = x});
        CHECK(close(back_by[0], y, tolerance, tolerance));
        CHECK(close(back_by[1], dw, tolerance, tolerance));
    }
}

TEST_CASE("an infinite element reaches the outputs and weights that read it, and no others")
{
    Tensor x = numbers<double>({1, 1, 3, 5}, 0);
    const_cast<double*>(x.data())[4] = inf;
    const Tensor w = numbers<double>({4, 1, 1, 2}, 0.5);
    const Tensor y = ag::conv2d(x, w);
    const auto by = gradients([](const Tensor& a, const Tensor& b) { return ag::conv2d(a, b); }, x, w);
    for (std::size_t i = 0; i < y.size(); ++i)
    {
        CHECK(std::isfinite(y.data()[i]) == (i % 12 != 3));
    }
    for (std::size_t i = 0; i < w.size(); ++i)
    {
        CHECK(std::isfinite(by[1].data()[i]) == (i % 2 == 0));
    }
    const auto narrow = gradients([](const Tensor& a, const Tensor& b) { return ag::conv2d(a, b); }, x,
                                  numbers<double>({1, 1, 1, 2}, 0.5));
    CHECK(std::isfinite(narrow[1].data()[0]));
    CHECK(!std::isfinite(narrow[1].data()[1]));
}

TEST_CASE("an empty batch makes an empty output, and weights without a gradient")
{
    const Tensor x = numbers<double>({0, 2, 4, 4}, 0);
    const Tensor w = numbers<double>({3, 2, 3, 3}, 0);
    const auto f = [](const Tensor& a, const Tensor& b) { return ag::conv2d(a, b); };
    CHECK(f(x, w).shape() == ag::Shape{0, 3, 2, 2});
    CHECK(close(gradients(f, x, w)[1], zeros(w.shape())));
}

TEST_CASE("results do not depend on the number of threads")
{
    struct Case
    {
        ag::Shape image;
        ag::Shape kernel;
    };
    // Many planes; one, so that a weight's gradient is split within it; and few outputs.
    for (const Case& shapes : {Case{{3, 40, 33, 35}, {40, 40, 3, 3}}, Case{{64, 1, 28, 28}, {6, 1, 5, 5}},
                               Case{{16, 3, 64, 64}, {3, 3, 5, 5}}})
    {
        CAPTURE(ag::to_string(shapes.image));
        const auto x = numbers<float>(shapes.image, 0);
        const auto w = numbers<float>(shapes.kernel, 0.3);
        const auto f = [](const ag::Tensor<float>& a, const ag::Tensor<float>& b)
        { return ag::conv2d(a, b, {.padding = 1}); };
        const std::size_t before = ag::num_threads();
        ag::set_num_threads(1);
        const auto y = f(x, w);
        const auto by = gradients(f, x, w);
        ag::set_num_threads(3);
        CHECK(close(f(x, w), y.value(), 0));
        CHECK(close(gradients(f, x, w)[0], by[0].value(), 0));
        CHECK(close(gradients(f, x, w)[1], by[1].value(), 0));
        ag::set_num_threads(before);
    }
}

TEST_CASE("a convolution needs little memory beside its operands and results")
{
    const auto x = numbers<float>({2, 16, 128, 128}, 0);
    const auto w = numbers<float>({16, 16, 5, 5}, 0.3);
    const std::size_t threads = ag::num_threads();
    ag::set_num_threads(1);
    ag::GradientTape tape;
    tape.watch(x);
    tape.watch(w);
    const auto live = ag::memory_statistics().live;
    ag::reset_peak_memory();
    const auto y = ag::conv2d(x, w, {.padding = 2});
    const auto by = tape.gradient(y, std::vector{x, w}, {.output_gradient = x});
    const auto arrays = static_cast<std::int64_t>((y.size() + by[0].size() + by[1].size()) * sizeof(float));
    // Unfolded, x would take 50 MB.
    CHECK(ag::memory_statistics().peak - live < arrays + (std::int64_t{2} << 20));
    ag::set_num_threads(threads);
}

TEST_CASE("what does not fit is named")
{
    const Tensor x = numbers<double>({1, 4, 5, 6}, 0);
    const Tensor w = numbers<double>({6, 2, 3, 3}, 0);
    const auto conv = [&](const Tensor& a, const Tensor& b, const ag::ConvolutionOptions& options)
    { return thrown<ag::ShapeError>([&] { ag::conv2d(a, b, options); }); };
    CHECK(conv(numbers<double>({4, 5}, 0), w, {}) ==
          "conv2d: needs an input of shape (batch, channels, 2 spatial axes) or the same without batch: got (4, 5) "
          "(HERE).");
    CHECK(conv(numbers<double>({1, 0, 5, 5}, 0), w, {}) ==
          "conv2d: only the batch may be empty: got an input of shape (1, 0, 5, 5) (HERE).");
    CHECK(
        conv(x, numbers<double>({6, 2, 3}, 0), {}) ==
        "conv2d: needs a weight of shape (outputs, channels / groups, kernel) with 2 kernel axes, none of them empty: "
        "got an input of shape (1, 4, 5, 6), a weight of shape (6, 2, 3) and 1 group (HERE).");
    CHECK(conv(x, w, {}) == "conv2d: the channels of the input do not fit the weight, (outputs, channels / groups, "
                            "kernel): got an input of shape (1, 4, 5, 6), a weight of shape (6, 2, 3, 3) and 1 group "
                            "(HERE).");
    CHECK(conv(x, w, {.groups = 4}) ==
          "conv2d: the groups must divide the outputs: got an input of shape (1, 4, 5, 6), a weight of shape (6, 2, 3, "
          "3) and 4 groups (HERE).");
    CHECK(
        conv(x, w, {.dilation = {2, 3}, .groups = 2}) ==
        "conv2d: the kernel, with its dilation 7 long, is larger than the input, 6 with 0 of padding: got an input of "
        "shape (1, 4, 5, 6) and a weight of shape (6, 2, 3, 3) (HERE). Use more padding or a smaller kernel.");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::conv2d(x, w, xt::xarray<double>{1, 2}, {.groups = 2});
              }) == "conv2d: needs a bias of shape (6,): got (2,) with a weight of shape (6, 2, 3, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::conv_transpose2d(x, numbers<double>({4, 1, 1, 1}, 0), {.padding = 3});
              }) ==
          "conv_transpose2d: nothing is left of an output 5 long without 6 of padding: got an input of shape (1, 4, 5, "
          "6) and a weight of shape (4, 1, 1, 1) (HERE). Use less padding.");
}

TEST_CASE("numbers that no convolution can have are named")
{
    const Tensor x = numbers<double>({1, 4, 5, 6}, 0);
    const Tensor w = numbers<double>({4, 4, 3, 3}, 0);
    const auto conv = [&](const ag::ConvolutionOptions& options)
    { return thrown<ag::ValueError>([&] { ag::conv2d(x, w, options); }); };
    CHECK(conv({.stride = {1, 0}}) ==
          "conv2d: stride must be at least 1 and below 2^31: got 0 for spatial axis 1 (HERE).");
    CHECK(conv({.padding = -1}) ==
          "conv2d: padding must be at least 0 and below 2^31: got -1 for spatial axis 0 (HERE).");
    CHECK(conv({.dilation = {1, 1, 1}}) ==
          "conv2d: dilation needs one number, or one for each of the 2 spatial axes: got 3 (HERE).");
    CHECK(conv({.groups = 0}) == "conv2d: needs at least one group: got 0 (HERE).");
    CHECK(conv({.stride = 2, .padding = ag::same_padding}) ==
          "conv2d: same_padding needs a stride of 1: got 2 for spatial axis 0 (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::conv_transpose2d(x, w, {.stride = 2, .output_padding = 2}); }) ==
          "conv_transpose2d: output_padding must be smaller than the stride or the dilation: got 2 with a stride of 2 "
          "and a dilation of 1 (HERE).");
}
