#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

const Tensor table(xt::xarray<double>{{1, 2}, {3, 4}, {5, 6}});

}

TEST_CASE("embedding takes rows, and gives each the gradients of all its places")
{
    const xt::xarray<int> indices{{2, 0}, {2, 2}};
    const auto f = [&](const Tensor& w) { return ag::embedding(indices, w); };
    CHECK(close(f(table), {{{5, 6}, {1, 2}}, {{5, 6}, {5, 6}}}));
    CHECK(close(gradient(f, table), {{3, 4}, {0, 0}, {1 + 5 + 7, 2 + 6 + 8}}));
}

TEST_CASE("embedding keeps the gradient from the padding, and divides it by the frequency")
{
    const auto padded = [&](const Tensor& w) { return ag::embedding({2, 0, 2}, w, {.padding_idx = -1}); };
    CHECK(close(gradient(padded, table), {{3, 4}, {0, 0}, {0, 0}}));
    const auto scaled = [&](const Tensor& w) { return ag::embedding({2, 0, 2}, w, {.scale_grad_by_freq = true}); };
    CHECK(close(scaled(table), {{5, 6}, {1, 2}, {5, 6}}));
    CHECK(close(gradient(scaled, table), {{3, 4}, {0, 0}, {(1 + 5) / 2.0, (2 + 6) / 2.0}}));
}

TEST_CASE("embedding_bag sums, averages or takes the largest, and an empty bag gives 0")
{
    const ag::Indices indices{2, 0, 1};
    const ag::Indices offsets{0, 2, 2};
    using ag::BagMode;
    CHECK(
        close(ag::embedding_bag(indices, table, {.offsets = offsets, .mode = BagMode::sum}), {{6, 8}, {0, 0}, {3, 4}}));
    CHECK(close(ag::embedding_bag(indices, table, {.offsets = offsets}), {{3, 4}, {0, 0}, {3, 4}}));
    CHECK(
        close(ag::embedding_bag(indices, table, {.offsets = offsets, .mode = BagMode::max}), {{5, 6}, {0, 0}, {3, 4}}));
    CHECK(close(ag::embedding_bag(indices, table, {.offsets = ag::Indices{0, 2}, .include_last_offset = true}),
                {{3, 4}}));
    CHECK(close(ag::embedding_bag(indices, table, {.offsets = offsets, .padding_idx = 0}), {{5, 6}, {0, 0}, {3, 4}}));
}

TEST_CASE("of equal rows in a bag the first gets the gradient of the largest")
{
    const Tensor equal(xt::xarray<double>{{1, 5}, {1, 5}, {0, 7}});
    const auto f = [](const Tensor& w) {
        return ag::embedding_bag(xt::xarray<int>{{1, 0, 2}}, w, {.mode = ag::BagMode::max});
    };
    CHECK(close(gradient(f, equal), {{0, 0}, {1, 0}, {0, 2}}));
}

TEST_CASE("one_hot has one 1 an index")
{
    CHECK(ag::one_hot({1, 0}, 3) == xt::xarray<std::int64_t>{{0, 1, 0}, {1, 0, 0}});
    CHECK(ag::one_hot({1, 0}) == xt::xarray<std::int64_t>{{0, 1}, {1, 0}});
}

TEST_CASE("bilinear is a quadratic form an output")
{
    const Tensor a(xt::xarray<double>{1, 2});
    const Tensor b(xt::xarray<double>{3, 4});
    const Tensor weight(xt::xarray<double>{{{1, 0}, {0, 1}}, {{0, 1}, {0, 0}}});
    CHECK(close(ag::bilinear(a, b, weight), {1 * 3 + 2 * 4, 1 * 4}));
    CHECK(close(ag::bilinear(a, b, weight, xt::xarray<double>{10, 20}), {21, 24}));
}

TEST_CASE("dropout keeps the mean, draws what its generator gives, and gives its gradient to what it kept")
{
    ag::Generator generator(3);
    const Tensor ones(xt::ones<double>({100000}));
    const Tensor y = ag::dropout(ones, 0.25, generator);
    CHECK(ag::mean(y).item() == doctest::Approx(1).epsilon(0.01));
    CHECK(ag::amax(y).item() == doctest::Approx(1 / 0.75));
    ag::Generator again(3);
    const auto f = [&](const Tensor& x) { return ag::dropout(x, 0.25, again); };
    CHECK(close(gradient(f, ones), (y * counting<double>(y.shape())).value()));
    CHECK(generator == again);
    CHECK(ag::sum(ag::dropout(ones, 1, generator)).item() == 0);
    CHECK(close(ag::dropout(ones, 0, generator), ones.value()));
}

TEST_CASE("alpha_dropout keeps the mean 0 and the variance 1")
{
    ag::Generator generator(3);
    const Tensor y = ag::alpha_dropout(generator.normal<double>({200000}), 0.3, generator);
    CHECK(std::abs(ag::mean(y).item()) < 0.02);
    CHECK(ag::variance(y).item() == doctest::Approx(1).epsilon(0.02));
}

TEST_CASE("attention weighs the values by how well their keys answer the query")
{
    const Tensor q(xt::xarray<double>{{0, 0}, {800, 0}});
    const Tensor k(xt::xarray<double>{{1, 0}, {-1, 0}, {0, 0}});
    const Tensor v(column({3, 6, 9}));
    CHECK(close(ag::scaled_dot_product_attention(q, k, v), column({6, 3})));
    CHECK(close(ag::scaled_dot_product_attention(q, k, v, {.causal = true}), column({3, 3})));
    const xt::xarray<bool> mask{{false, true, true}, {false, true, true}};
    CHECK(close(ag::scaled_dot_product_attention(q, k, v, {.mask = mask}), column({7.5, 9})));
    const Tensor added(xt::xarray<double>{0, std::log(2.0), 0});
    CHECK(close(ag::scaled_dot_product_attention(q, k, v, {.mask = added, .scale = 0.0}), column({6, 6})));
}

TEST_CASE("layers say what does not fit")
{
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::embedding({0, 3}, table);
              }) == "embedding: index 3, element 1 of shape (2,), is not in [0, 3) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::embedding({0}, table, {.padding_idx = 3}); }) ==
          "embedding: padding_idx 3 is out of range: the weight has 3 rows (HERE).");
    CHECK(
        thrown<ag::ShapeError>(
            [&] {
                ag::embedding_bag({0, 1}, table);
            }) ==
        "embedding_bag: needs indices of (bags, extent), or of one axis with offsets of one: got indices of shape (2,) "
        "and no offsets (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::embedding_bag({0, 1}, table, {.offsets = ag::Indices{0, 3}});
              }) ==
          "embedding_bag: offsets must begin with 0, not decrease, and not exceed the number of indices, 2 (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  ag::one_hot({0, 3}, 3);
              }) == "one_hot: index 3, element 1 of shape (2,), is not in [0, 3) (HERE).");
    ag::Generator generator;
    CHECK(thrown<ag::ValueError>([&] { ag::dropout(table, 1.5, generator); }) ==
          "dropout: p must be in [0, 1]: got 1.500000 (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::bilinear(table, table, table); }) ==
          "bilinear: needs (..., n), (..., m), a weight of (out, n, m) and a bias of (out): got (3, 2), (3, 2), (3, 2) "
          "and "
          "no bias (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::scaled_dot_product_attention(table, table, ag::transpose(table)); }) ==
          "scaled_dot_product_attention: needs (..., queries, extent), (..., keys, extent) and (..., keys, out): got "
          "(3, 2), (3, 2) and (2, 3) (HERE).");
}
