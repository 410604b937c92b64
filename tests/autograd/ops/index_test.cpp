#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Array = xt::xarray<double>;
using Rows = xt::xarray<int>;
using Mask = xt::xarray<bool>;

namespace
{

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// 1, 2, 3, ...
Tensor numbers(const ag::Shape& shape)
{
    return counting<double>(shape);
}

}

TEST_CASE("index_select takes rows or columns, also several times, by negative positions and as a table")
{
    const Tensor x = numbers({3, 2});
    CHECK(close(ag::index_select(x, 0, {2, 0, -1}), {{5, 6}, {1, 2}, {5, 6}}));
    CHECK(close(ag::index_select(x, -1, {1}), column({2, 4, 6})));
    CHECK(ag::index_select(x, 0, Rows{{0, 1}, {2, 0}}).shape() == ag::Shape{2, 2, 2});
    CHECK(ag::index_select(x, 0, ag::Indices(ag::Shape{0})).shape() == ag::Shape{0, 2});
    CHECK(close(gradient(
                    [](const Tensor& t) {
                        return ag::index_select(t, 0, {2, 0, -1});
                    },
                    x),
                {{3, 4}, {0, 0}, {1 + 5, 2 + 6}}));
}

TEST_CASE("gather and take_along_axis follow one index an element")
{
    const Tensor x = numbers({3, 2});
    const Rows rows{{2, 0}, {2, 1}};
    CHECK(close(ag::gather(x, 0, rows), {{5, 2}, {5, 4}}));
    CHECK(close(gradient([&](const Tensor& t) { return ag::gather(t, 0, rows); }, x), {{0, 2}, {0, 4}, {1 + 3, 0}}));
    CHECK(close(ag::gather(x, 1, Rows{{0, 0, -1}}), {{1, 1, 2}}));
    CHECK(close(ag::take_along_axis(x, Rows{{1, 1}}, 0), {{3, 4}}));
    CHECK(close(ag::gather(Tensor(7.0), 0, {0, 0}), {7, 7}));
}

TEST_CASE("large gathers and their gradients do not depend on the number of threads")
{
    const std::size_t threads = ag::num_threads();
    // Just enough elements, rows and columns that each is split.
    const auto repeating = [](const std::vector<std::size_t>& shape, std::size_t count)
    {
        Rows indices = Rows(shape);
        for (std::size_t i = 0; i < indices.size(); ++i)
        {
            indices.storage()[i] = static_cast<int>(i * 7 % count);
        }
        return indices;
    };
    const Tensor x = numbers({1024, 128}) / 1000.0;
    const Rows rows = repeating({2048, 128}, 1021);
    const Rows columns = repeating({1024, 256}, 127);
    const Rows some_rows = repeating({2048}, 1021);
    const Rows some_columns = repeating({256}, 127);
    const auto all = [&]
    {
        return std::vector<Tensor>{gradient([&](const Tensor& t) { return ag::gather(t, 0, rows); }, x),
                                   gradient([&](const Tensor& t) { return ag::gather(t, 1, columns); }, x),
                                   gradient([&](const Tensor& t) { return ag::index_select(t, 0, some_rows); }, x),
                                   gradient([&](const Tensor& t) { return ag::index_select(t, 1, some_columns); }, x),
                                   gradient([&](const Tensor& t) { return ag::take(t, rows); }, x)};
    };
    ag::set_num_threads(1);
    const std::vector<Tensor> alone = all();
    ag::set_num_threads(3);
    const std::vector<Tensor> together = all();
    ag::set_num_threads(threads);
    for (std::size_t k = 0; k < alone.size(); ++k)
    {
        CHECK(std::equal(alone[k].data(), alone[k].data() + alone[k].size(), together[k].data()));
    }
}

TEST_CASE("an index of arrays and slices gives NumPy's shapes and elements")
{
    const Tensor x = numbers({2, 3, 4});
    CHECK(ag::index(x, {1, 2}).shape() == ag::Shape{4});
    CHECK(close(ag::index(x, {{0, 1}, {2, 0}, {3, -4}}), {12, 13}));
    CHECK(ag::index(x, {xt::all(), {0, 2}, xt::all()}).shape() == ag::Shape{2, 2, 4});
    CHECK(ag::index(x, {xt::ellipsis(), {0, 2, 2, 1, 0}}).shape() == ag::Shape{2, 3, 5});
    CHECK(close(ag::index(x, {{1}, xt::range(2, xt::placeholders::_, -2), {0, 3}}), {{21, 13}, {24, 16}}));
    CHECK(ag::index(x, {{0, 1}, xt::newaxis(), {2, 0}}).shape() == ag::Shape{2, 1, 4});
    CHECK(close(ag::index(x, {0, xt::all(), {1, 3}}), {{2, 4}, {6, 8}, {10, 12}}));
    CHECK(ag::index(x, {Rows{{0, 0, 0}, {1, 1, 1}}, {0, 2, 1}}).shape() == ag::Shape{2, 3, 4});
    CHECK(close(ag::index(x, {Mask{false, true}, xt::all(), 0}), {{13, 17, 21}}));
    CHECK(close(ag::index(x, {xt::all(), Mask{true, false, true}, 0}), {{1, 9}, {13, 21}}));
    CHECK(close(ag::index(x, {x > 21}), {22, 23, 24}));
    CHECK(ag::index(x, {x > 100}).shape() == ag::Shape{0});
    CHECK(close(gradient(
                    [](const Tensor& t) {
                        return ag::index(t, {{1, 0, 1}, xt::range(1, 2)});
                    },
                    numbers({2, 3})),
                {{0, 2, 0}, {0, 1 + 3, 0}}));
}

TEST_CASE("index_put writes where index reads, or adds")
{
    const Tensor x = numbers({2, 3});
    CHECK(close(ag::index_put(x, {{1}, {0, 2}}, 9), {{1, 2, 3}, {9, 5, 9}}));
    CHECK(close(ag::index_put(x, {xt::all(), -1}, Array{7, 8}), {{1, 2, 7}, {4, 5, 8}}));
    CHECK(close(ag::index_put(x, {x > 4}, 0), {{1, 2, 3}, {4, 0, 0}}));
    CHECK(close(ag::index_put(x, {{0, 0}, {1, 1}}, Array{10, 100}, true), {{1, 112, 3}, {4, 5, 6}}));
    const auto put = gradients(
        [](const Tensor& t, const Tensor& s) {
            return ag::index_put(t, {{1}, {0, 2}}, s);
        },
        x, Tensor(Array{0, 0}));
    CHECK(close(put[0], {{1, 2, 3}, {0, 5, 0}}));
    CHECK(close(put[1], {4, 6}));
}

TEST_CASE("what is not chosen does not spread NaN")
{
    const Tensor x(Array{not_a_number, 1, 2});
    CHECK(close(ag::index_copy(x, 0, {0}, 5), {5, 1, 2}));
    CHECK(close(ag::masked_fill(x, Mask{true, false, false}, 3), {3, 1, 2}));
    CHECK(close(ag::filter(x, Mask{false, true, true}), {1, 2}));
    CHECK(close(
        ag::scatter_reduce(Tensor(Array{0, 0}), 0, {0, 1}, Array{not_a_number, 1}, {.mode = ag::ScatterMode::amax}),
        {not_a_number, 1}));
}

TEST_CASE("index_add, put and scatter_add count repeated positions each time")
{
    const Tensor x(Array{0, 0, 0});
    CHECK(close(ag::index_add(x, 0, {2, 2, 0}, Array{1, 2, 4}, 10), {40, 0, 30}));
    CHECK(close(ag::put(x, {2, 2, 0}, Array{1, 2, 4}, true), {4, 0, 3}));
    CHECK(close(ag::put(x, {2, 2, 0}, Array{1, 2, 4}), {4, 0, 2}));
    CHECK(close(ag::scatter_add(x, 0, {1, 1}, Array{1, 2, 4}), {0, 3, 0}));
    CHECK(close(ag::scatter(x, 0, {1, -1}, 8), {0, 8, 8}));
}

TEST_CASE("scatter_reduce reduces what meets, with or without what was there")
{
    const Tensor x(Array{2, 3, 5});
    const ag::Indices places{0, 0, 2};
    const Array source{7, 1, 4};
    const auto reduce = [&](ag::ScatterMode mode, bool self)
    { return ag::scatter_reduce(x, 0, places, source, {.mode = mode, .include_self = self}); };
    using enum ag::ScatterMode;
    CHECK(close(reduce(sum, true), {10, 3, 9}));
    CHECK(close(reduce(sum, false), {8, 3, 4}));
    CHECK(close(reduce(prod, true), {14, 3, 20}));
    CHECK(close(reduce(prod, false), {7, 3, 4}));
    CHECK(close(reduce(mean, true), {10.0 / 3, 3, 4.5}));
    CHECK(close(reduce(mean, false), {4, 3, 4}));
    CHECK(close(reduce(amax, true), {7, 3, 5}));
    CHECK(close(reduce(amax, false), {7, 3, 4}));
    CHECK(close(reduce(amin, true), {1, 3, 4}));
    CHECK(close(reduce(amin, false), {1, 3, 4}));
}

TEST_CASE("products that meet have exact gradients where factors are 0, and equal extremes share the gradient")
{
    const auto product = [](const Tensor& x, const Tensor& s) {
        return ag::scatter_reduce(x, 0, {0, 0, 0}, s, {.mode = ag::ScatterMode::prod});
    };
    const auto d = gradients(product, Tensor(Array{2, 5}), Tensor(Array{0, 3, 4}));
    CHECK(close(d[0], {0, 2}));
    CHECK(close(d[1], {24, 0, 0}));
    const auto largest = [](const Tensor& x, const Tensor& s) {
        return ag::scatter_reduce(x, 0, {0, 0, 0}, s, {.mode = ag::ScatterMode::amax});
    };
    const auto e = gradients(largest, Tensor(Array{4.0}), Tensor(Array{4, 3, 4}));
    CHECK(close(e[0], Array{1.0 / 3}));
    CHECK(close(e[1], {1.0 / 3, 0, 1.0 / 3}));
}

TEST_CASE("masks stretch with the tensor")
{
    const Tensor x(Array{1, 2});
    CHECK(close(ag::filter(x, Mask{{true, false}, {true, true}}), {1, 1, 2}));
    CHECK(close(ag::masked_fill(x, Mask{{true, true}, {false, true}}, 0), {{0, 0}, {1, 0}}));
    CHECK(
        close(ag::masked_scatter(x, Mask{{false, true}, {true, true}}, Tensor(Array{7, 8, 9, 10})), {{1, 7}, {8, 9}}));
    CHECK(close(gradient(
                    [](const Tensor& t) {
                        return ag::filter(t, Mask{{true, false}, {true, true}});
                    },
                    x),
                {1 + 2, 3}));
}

TEST_CASE("positions, shapes and masks that do not fit are named")
{
    const Tensor x = numbers({2, 3});
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::index_select(x, 1, {0, 3});
              }) == "index_select: index 3 is out of range for an axis of extent 3 (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::gather(x, 0, {0, 1});
              }) ==
          "gather: the indices must have the axes of the tensor, and reach no further but along axis 0: got (2,) for "
          "(2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::scatter(x, 0, Rows{{0, 1}, {1, 0}}, column({1}));
              }) == "scatter: the source does not reach as far as the indices: got (1, 1) for (2, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::index_add(x, 0, {0}, Array{1, 2});
              }) == "index_add: the source does not broadcast to where it goes: got (2,) for (1, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::index(x, {{0, 1}, {0, 1, 2}});
              }) == "index: arrays of positions do not broadcast: got (2,) and (3,) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::index(x, {0, 1, 2});
              }) ==
          "index: too many entries for shape (2, 3): got some for 3 axes (HERE). At most one ellipsis stands for all "
          "other axes.");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::index(x, {Mask{true, false, true}});
              }) == "index: a mask of shape (3,) for axes from 0 of shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::filter(x, Mask{true, false});
              }) == "filter: tensor and mask do not broadcast: got (2, 3) and (2,) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::masked_fill(x, Mask{true, false}, 0);
              }) == "masked_fill: tensor, mask and value do not broadcast: got (2, 3), (2,) and () (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::masked_scatter(x, x > 2, Tensor(Array{1, 2}));
              }) == "masked_scatter: the mask holds for 4 elements: got a source of 2 (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::take_along_axis(x, {0, 1}, 0);
              }) == "take_along_axis: tensor and indices must broadcast but for axis 0: got (2, 3) and (2,) (HERE).");
}
