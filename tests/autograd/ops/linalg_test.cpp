#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>
#include <autograd/testing.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

xt::xarray<double> waves(std::vector<std::size_t> shape, double phase)
{
    const double count = static_cast<double>(ag::Shape(shape).elements());
    xt::xarray<double> result = xt::sin(1.1 * xt::arange<double>(1, count + 1) + phase);
    result.reshape(shape);
    return result;
}

/// The product of two matrices by its definition.
xt::xarray<double> naive_product(const xt::xarray<double>& a, const xt::xarray<double>& b)
{
    xt::xarray<double> c = xt::zeros<double>({a.shape(0), b.shape(1)});
    for (std::size_t i = 0; i < a.shape(0); ++i)
    {
        for (std::size_t j = 0; j < b.shape(1); ++j)
        {
            for (std::size_t k = 0; k < a.shape(1); ++k)
            {
                c(i, j) += a(i, k) * b(k, j);
            }
        }
    }
    return c;
}

Tensor empty(std::vector<std::size_t> shape)
{
    return Tensor(xt::xarray<double>(xt::zeros<double>(shape)));
}

const auto product = [](const auto& a, const auto& b) { return ag::matmul(a, b); };

}

TEST_CASE("a product of matrices has the value and the gradients that are computed by hand")
{
    const Tensor a(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const Tensor b(xt::xarray<double>{{1, 0}, {2, -1}, {0, 3}});
    CHECK(close(ag::matmul(a, b), {{5, 7}, {14, 13}}));
    const auto by = gradients(product, a, b);
    CHECK(close(by[0], {{1, 0, 6}, {3, 2, 12}}));
    CHECK(close(by[1], {{13, 18}, {17, 24}, {21, 30}}));
}

TEST_CASE("vectors are rows on the left and columns on the right")
{
    const Tensor a(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const Tensor row(xt::xarray<double>{1, -1});
    const Tensor tall(xt::xarray<double>{1, 0, 2});
    CHECK(close(ag::matmul(row, a), {-3, -3, -3}));
    CHECK(close(ag::matmul(a, tall), {7, 16}));
    CHECK(close(ag::matmul(tall, tall), 5.0));
    const auto left = gradients(product, row, a);
    CHECK(close(left[0], {14, 32}));
    CHECK(close(left[1], {{1, 2, 3}, {-1, -2, -3}}));
    const auto right = gradients(product, a, tall);
    CHECK(close(right[0], {{1, 0, 2}, {2, 0, 4}}));
    CHECK(close(right[1], {9, 12, 15}));
    const auto both = gradients(product, tall, Tensor(xt::xarray<double>{3, 4, 5}));
    CHECK(close(both[0], {3, 4, 5}));
    CHECK(close(both[1], {1, 0, 2}));
}

TEST_CASE("products of all sizes, small and large, agree with the definition in both precisions")
{
    const std::size_t sizes[][3] = {{1, 1, 1},     {1, 7, 1},     {5, 1, 3},     {3, 4, 5},
                                    {16, 16, 16},  {17, 9, 33},   {32, 16, 16},  {64, 65, 63},
                                    {100, 1, 100}, {1, 300, 200}, {130, 70, 90}, {256, 128, 10}};
    for (const auto& size : sizes)
    {
        const auto& [n, k, m] = size;
        INFO("n = " << size[0] << ", k = " << size[1] << ", m = " << size[2]);
        const xt::xarray<double> a = waves({n, k}, 0);
        const xt::xarray<double> b = waves({k, m}, 1);
        const xt::xarray<double> c = naive_product(a, b);
        CHECK(close(ag::matmul(Tensor(a), Tensor(b)), c, 1e-12, 1e-12));
        CHECK(close(ag::matmul(ag::Tensor<float>(a), ag::Tensor<float>(b)), c, 1e-4, 1e-4));
        const xt::xarray<double> a_transposed = xt::transpose(a), b_transposed = xt::transpose(b);
        const ag::MatmulOptions transposed{.transpose_a = true, .transpose_b = true};
        CHECK(close(ag::matmul(Tensor(a_transposed), Tensor(b_transposed), transposed), c, 1e-12, 1e-12));
        CHECK(close(ag::matmul(ag::Tensor<float>(a_transposed), ag::Tensor<float>(b_transposed), transposed), c, 1e-4,
                    1e-4));
        const xt::xarray<double> dc = waves({n, m}, 2);
        Variable x(a);
        Variable y(b);
        ag::GradientTape tape;
        ag::matmul(x, y).backward(Tensor(dc));
        CHECK(close(x.grad(), naive_product(dc, xt::transpose(b)), 1e-12, 1e-12));
        CHECK(close(y.grad(), naive_product(xt::transpose(a), dc), 1e-12, 1e-12));
    }
}

TEST_CASE("a product is the same to the bit whatever memory is free for it")
{
    const xt::xarray<double> a = waves({50, 330}, 0), b = waves({330, 700}, 1);
    const xt::xarray<double> c = naive_product(a, b);
    const xt::xarray<double> a_transposed = xt::transpose(a), b_transposed = xt::transpose(b);
    for (const bool transpose_a : {false, true})
    {
        for (const bool transpose_b : {false, true})
        {
            const Tensor left(transpose_a ? a_transposed : a), right(transpose_b ? b_transposed : b);
            const ag::MatmulOptions options{.transpose_a = transpose_a, .transpose_b = transpose_b};
            ag::release_cached_memory();
            const Tensor with_little = ag::matmul(left, right, options);
            CHECK(close(with_little, c, 1e-12, 1e-12));
            for (const std::size_t free : {100'000, 160'000, 400'000})
            {
                static_cast<void>(empty({free}));
                const Tensor with_more = ag::matmul(left, right, options);
                CHECK(std::equal(with_more.data(), with_more.data() + with_more.size(), with_little.data()));
            }
        }
    }
}

TEST_CASE("stacks of matrices broadcast")
{
    const xt::xarray<double> a = waves({2, 1, 3, 4}, 0);
    const xt::xarray<double> b = waves({3, 4, 2}, 1);
    const Tensor c = ag::matmul(Tensor(a), Tensor(b));
    REQUIRE(c.shape() == ag::Shape{2, 3, 3, 2});
    for (std::size_t i = 0; i < 2; ++i)
    {
        for (std::size_t j = 0; j < 3; ++j)
        {
            const Tensor left = ag::view(Tensor(a), i, 0);
            const Tensor right = ag::view(Tensor(b), j);
            CHECK(close(ag::view(c, i, j), naive_product(left.value(), right.value()), 1e-13, 1e-14));
        }
    }
}

TEST_CASE("a stack times a matrix or a vector, and the other way round")
{
    const Tensor stack(waves({2, 3, 4}, 0));
    const Tensor matrix(waves({4, 5}, 1));
    const Tensor row(waves({3}, 2));
    const Tensor tall(waves({4}, 3));
    const Tensor by_matrix = ag::matmul(stack, matrix);
    const Tensor by_vector = ag::matmul(stack, tall);
    const Tensor from_vector = ag::matmul(row, stack);
    const Tensor from_matrix = ag::matmul(Tensor(waves({5, 3}, 4)), stack);
    CHECK(by_vector.shape() == ag::Shape{2, 3});
    CHECK(from_vector.shape() == ag::Shape{2, 4});
    for (const std::size_t i : {0, 1})
    {
        const Tensor one = ag::view(stack, i);
        CHECK(close(ag::view(by_matrix, i), ag::matmul(one, matrix).value(), 1e-13, 1e-14));
        CHECK(close(ag::view(by_vector, i), ag::matmul(one, tall).value(), 1e-13, 1e-14));
        CHECK(close(ag::view(from_vector, i), ag::matmul(row, one).value(), 1e-13, 1e-14));
        CHECK(close(ag::view(from_matrix, i), ag::matmul(Tensor(waves({5, 3}, 4)), one).value(), 1e-13, 1e-14));
    }
}

TEST_CASE("products of nothing are empty or zero")
{
    CHECK(ag::matmul(empty({0, 3}), empty({3, 2})).shape() == ag::Shape{0, 2});
    CHECK(ag::matmul(empty({2, 3}), empty({3, 0})).shape() == ag::Shape{2, 0});
    CHECK(close(ag::matmul(empty({2, 0}), empty({0, 3})), {{0, 0, 0}, {0, 0, 0}}));
    CHECK(close(ag::matmul(empty({0}), empty({0})), 0.0));
    CHECK(close(ag::matmul(empty({2, 2, 0}), empty({0})), {{0, 0}, {0, 0}}));
    CHECK(ag::matmul(empty({0, 2, 3}), empty({0, 3, 2})).shape() == ag::Shape{0, 2, 2});
    const auto by = gradients(product, empty({2, 0}), empty({0, 3}));
    CHECK(by[0].shape() == ag::Shape{2, 0});
    CHECK(by[1].shape() == ag::Shape{0, 3});
    CHECK(close(ag::linear(empty({2, 0}), empty({3, 0}), xt::xarray<double>{1, 2, 3}), {{1, 2, 3}, {1, 2, 3}}));
    CHECK(ag::linear(empty({0, 2}), empty({3, 2})).shape() == ag::Shape{0, 3});
}

TEST_CASE("xtensor arrays may be either operand")
{
    const xt::xarray<double> a{{1, 2}, {3, 4}};
    const Tensor x(xt::xarray<double>{{0, 1}, {1, 0}});
    CHECK(close(ag::matmul(a, x), {{2, 1}, {4, 3}}));
    CHECK(close(ag::matmul(x, 2 * a), {{6, 8}, {2, 4}}));
    CHECK(close(ag::matmul(xt::transpose(a), x), {{3, 1}, {4, 2}}));
    CHECK(close(ag::dot(xt::xarray<int>{1, 2, 3}, Tensor(xt::xarray<double>{4, 5, 6})), 32.0));
}

TEST_CASE("dot is the sum of products")
{
    const Tensor a(xt::xarray<double>{1, 2, 3});
    const Tensor b(xt::xarray<double>{4, -5, 6});
    CHECK(close(ag::dot(a, b), 12.0));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return ag::dot(x, y); }, a, b);
    CHECK(close(by[0], {4, -5, 6}));
    CHECK(close(by[1], {1, 2, 3}));
    CHECK(close(ag::dot(empty({0}), empty({0})), 0.0));
    CHECK(close(gradient([](const Tensor& x) { return ag::dot(x, x); }, a), {2, 4, 6}));
}

TEST_CASE("linear is the product with the transposed weight, plus the bias")
{
    const Tensor x(xt::xarray<double>{{1, 2}, {3, 4}});
    const Tensor weight(xt::xarray<double>{{1, 0}, {0, 1}, {1, -1}});
    const Tensor bias(xt::xarray<double>{10, 20, 30});
    const auto f = [](const Tensor& t, const Tensor& w, const Tensor& b) { return ag::linear(t, w, b); };
    CHECK(close(f(x, weight, bias), {{11, 22, 29}, {13, 24, 29}}));
    CHECK(close(ag::linear(x, weight), {{1, 2, -1}, {3, 4, -1}}));
    const auto by = gradients(f, x, weight, bias);
    CHECK(close(by[0], {{4, -1}, {10, -1}}));
    CHECK(close(by[1], {{13, 18}, {17, 24}, {21, 30}}));
    CHECK(close(by[2], {5, 7, 9}));
}

TEST_CASE("linear works on the last axis of what has any number of axes")
{
    const xt::xarray<double> a = waves({2, 3, 4}, 0);
    const Tensor weight(waves({5, 4}, 1));
    const Tensor bias(waves({5}, 2));
    const Tensor y = ag::linear(Tensor(a), weight, bias);
    CHECK(y.shape() == ag::Shape{2, 3, 5});
    CHECK(close(y, (ag::matmul(Tensor(a), ag::transpose(weight)) + bias).value(), 1e-13, 1e-14));
    const Tensor vector(waves({4}, 0));
    CHECK(close(ag::linear(vector, weight, bias), (ag::matmul(weight, vector) + bias).value(), 1e-13, 1e-14));
    CHECK(close(ag::linear(vector, weight), ag::matmul(weight, vector).value(), 1e-13, 1e-14));
}

TEST_CASE("a NaN or inf goes through a product where it is read, and only there")
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double inf = std::numeric_limits<double>::infinity();
    const Tensor a(xt::xarray<double>{{nan, 1}, {2, 1}, {inf, 1}});
    const Tensor b(xt::xarray<double>{{1, 0}, {1, 1}});
    CHECK(close(ag::matmul(a, b), {{nan, nan}, {3, 1}, {inf, nan}}));
}

TEST_CASE("a weight that is used in several products gets the sum of their gradients")
{
    Variable w(xt::xarray<double>{{1, 2}, {3, 4}});
    const Tensor x(xt::xarray<double>{1, -1});
    ag::GradientTape tape;
    ag::sum(ag::matmul(w, ag::matmul(w, x)) * counting<double>({2})).backward();
    // W (W x) with W x = (-1, -1): dW = dy (Wx)^T + W^T dy x^T, dy = (1, 2).
    CHECK(close(w.grad(), {{-1 + 7, -1 - 7}, {-2 + 10, -2 - 10}}));
}

TEST_CASE("gradients of several products of the same operands add up, whichever way they are read")
{
    using Shapes = std::pair<std::vector<std::size_t>, std::vector<std::size_t>>;
    const auto swapped = [](std::vector<std::size_t> shape, bool swap)
    {
        if (swap)
        {
            std::swap(shape[shape.size() - 2], shape[shape.size() - 1]);
        }
        return shape;
    };
    for (const auto& [left, right] : {Shapes{{2, 3}, {3, 4}}, Shapes{{2, 2, 3}, {2, 3, 2}},
                                      Shapes{{2, 1, 2, 3}, {3, 3, 2}}, Shapes{{2, 3}, {2, 3, 1}}})
    {
        for (const int flags : {0, 1, 2, 3})
        {
            const ag::MatmulOptions options{.transpose_a = (flags & 1) != 0, .transpose_b = (flags & 2) != 0};
            const Tensor a(waves(swapped(left, options.transpose_a), 0));
            const Tensor b(waves(swapped(right, options.transpose_b), 1));
            const auto f = [&](const Tensor& x, const Tensor& y) {
                return ag::sum(ag::matmul(x, y, options) * ag::sin(ag::matmul(x, 2.0 * y, options)) +
                               ag::matmul(x, y, options));
            };
            CHECK(ag::testing::check_gradients(f, {a, b}, {.second_order = true}));
        }
    }
    const Tensor x(waves({2, 3, 4}, 0));
    const Tensor weight(waves({2, 4}, 1));
    const Tensor bias(waves({2}, 2));
    const auto layers = [](const Tensor& x, const Tensor& weight, const Tensor& bias)
    { return ag::sum(ag::linear(x, weight, bias) * ag::sin(ag::linear(x, weight)) * ag::linear(x, weight, bias)); };
    CHECK(ag::testing::check_gradients(layers, {x, weight, bias}, {.second_order = true}));
}

TEST_CASE("a weight of many products gets one gradient of its size" * doctest::skip(!ag::detail::pools_memory))
{
    Variable weight(waves({200, 300}, 0));
    const Tensor x(waves({2, 300}, 1));
    const auto peak_of_backward = [&](auto product)
    {
        ag::GradientTape tape;
        Tensor total(0);
        for (int i = 0; i < 10; ++i)
        {
            total += ag::sum(product(std::cos(i) * x));
        }
        const std::int64_t before = ag::memory_statistics().live;
        ag::reset_peak_memory();
        tape.gradient(total, weight);
        return ag::memory_statistics().peak - before;
    };
    constexpr std::int64_t bytes = 8 * 200 * 300;
    CHECK(peak_of_backward([&](const Tensor& x) { return ag::matmul(x, weight, {.transpose_b = true}); }) <
          3 * bytes / 2);
    CHECK(peak_of_backward([&](const Tensor& x) { return ag::linear(x, weight); }) < 3 * bytes / 2);
}

TEST_CASE("linear to no outputs has zero gradients of the right shapes")
{
    const Tensor x(xt::xarray<double>(xt::ones<double>({2, 2, 3})));
    const Tensor weight(xt::xarray<double>::from_shape({0, 3}));
    const auto by = gradients([](const Tensor& a, const Tensor& w) { return ag::sum(ag::linear(a, w)); }, x, weight);
    CHECK(by[0].shape() == ag::Shape{2, 2, 3});
    CHECK(xt::sum(xt::abs(by[0].value()))() == 0);
    CHECK(by[1].shape() == ag::Shape{0, 3});
}

TEST_CASE("flags read operands as transposed, alone and in stacks")
{
    const Tensor a(waves({2, 4, 3}, 0));
    const Tensor b(waves({2, 5, 4}, 1));
    const auto swap = [](const Tensor& x) { return ag::transpose(x, {0, 2, 1}); };
    const auto flagged = [](const Tensor& x, const Tensor& y)
    { return ag::matmul(x, y, {.transpose_a = true, .transpose_b = true}); };
    const auto copied = [&](const Tensor& x, const Tensor& y) { return ag::matmul(swap(x), swap(y)); };
    CHECK(close(flagged(a, b), copied(a, b).value(), 1e-14, 1e-15));
    const auto found = gradients(flagged, a, b);
    const auto expected = gradients(copied, a, b);
    CHECK(close(found[0], expected[0].value(), 1e-13, 1e-14));
    CHECK(close(found[1], expected[1].value(), 1e-13, 1e-14));
    CHECK(close(ag::matmul(ag::view(a, 0), xt::xarray<double>{1, 0, 0, 0}, {.transpose_a = true}),
                ag::view(a, 0, 0).value(), 1e-14));
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  return ag::matmul(xt::xarray<double>{1, 2}, a, {.transpose_a = true});
              }) == "matmul: a vector has no transpose: got (2,) and (2, 4, 3) (HERE).");
}

TEST_CASE("einsum sums over letters that the result does not name")
{
    const Tensor a(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const Tensor b(xt::xarray<double>{{1, 0}, {2, -1}, {0, 3}});
    const Tensor square(xt::xarray<double>{{1, 2}, {3, 4}});
    CHECK(close(ag::einsum("ij,jk", a, b), {{5, 7}, {14, 13}}));
    CHECK(close(ag::einsum("ij,jk->ki", a, b), {{5, 14}, {7, 13}}));
    CHECK(close(ag::einsum("ba", a), {{1, 4}, {2, 5}, {3, 6}}));
    CHECK(close(ag::einsum("ij->", a), 21.0));
    CHECK(close(ag::einsum("ii", square), 5.0));
    CHECK(close(ag::einsum(" i i -> i ", square), {1, 4}));
    CHECK(close(ag::einsum("ij,ij->i", a, xt::xarray<double>{{1, 1, 1}, {0, 1, 2}}), {6, 17}));
    CHECK(close(ag::einsum("ij,kl,jk->il", square, square, square), {{37, 54}, {81, 118}}));
    CHECK(close(ag::einsum(",i", 2.0, Tensor(xt::xarray<double>{1, 2})), {2, 4}));
    CHECK(close(gradient([](const Tensor& x) { return ag::einsum("ii->i", x); }, square), {{1, 0}, {0, 2}}));
}

TEST_CASE("the ellipsis of einsum and axes of extent 1 broadcast")
{
    const Tensor a(waves({2, 1, 3, 4}, 0));
    const Tensor b(waves({5, 4, 2}, 1));
    const Tensor expected = ag::matmul(a, b);
    CHECK(close(ag::einsum("...ij,...jk->...ik", a, b), expected.value(), 1e-13, 1e-14));
    CHECK(close(ag::einsum("...ij,...jk", a, b), expected.value(), 1e-13, 1e-14));
    CHECK(close(ag::einsum("i,i", Tensor(xt::xarray<double>{2}), Tensor(xt::xarray<double>{1, 2, 3})), 12.0));
    CHECK(close(ag::einsum("iijj->", Tensor(waves({3, 3, 2, 2}, 0))),
                std::sin(1.1) + std::sin(4.4) + std::sin(1.1 * 17) + std::sin(1.1 * 20) + std::sin(1.1 * 33) +
                    std::sin(1.1 * 36),
                1e-13));
    CHECK(ag::einsum("ij,jk->ik", empty({2, 0}), empty({0, 3})).shape() == ag::Shape{2, 3});
    CHECK(ag::einsum("bij,bjk->ikb", empty({0, 2, 3}), empty({0, 3, 4})).shape() == ag::Shape{2, 4, 0});
}

TEST_CASE("einsum says what is wrong with its subscripts or its operands")
{
    const Tensor a(waves({2, 3}, 0));
    CHECK(thrown<ag::ValueError>([&] { ag::einsum("ij,jk->ik", a); }) ==
          "einsum: subscripts of 2 for 1 operand: got \"ij,jk->ik\" (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::einsum("i.j", a); }) ==
          "einsum: needs letters, commas, one -> and one ... an operand: got \"i.j\" (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::einsum("ij->ijj", a); }) ==
          "einsum: the result needs letters of operands, each once, not 'j': got \"ij->ijj\" (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::einsum("ijk", a); }) ==
          "einsum: operand 0 of shape (2, 3) has not the axes \"ijk\" (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::einsum("ij,ji", a, a); }) ==
          "einsum: axes 'j' of different extents, in operand 1 of shape (2, 3) for \"ij,ji\" (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::einsum("ii", a); }) ==
          "einsum: axes 'i' of different extents, in operand 0 of shape (2, 3) for \"ii\" (HERE).");
}

TEST_CASE("tensordot, dot and inner sum over the axes that NumPy sums over")
{
    const Tensor a(waves({2, 3, 4}, 0));
    const Tensor b(waves({4, 3, 5}, 1));
    const Tensor by_axes = ag::tensordot(a, b, {1, 2}, {1, 0});
    CHECK(close(by_axes, ag::einsum("ijk,kjl->il", a, b).value(), 1e-13, 1e-14));
    CHECK(close(ag::tensordot(a, ag::transpose(b, {1, 0, 2})), by_axes.value(), 1e-13, 1e-14));
    CHECK(ag::tensordot(a, b, 0).shape() == ag::Shape{2, 3, 4, 4, 3, 5});
    CHECK(ag::linalg::dot(a, Tensor(waves({6, 4, 2}, 1))).shape() == ag::Shape{2, 3, 6, 2});
    CHECK(close(ag::linalg::dot(a, 2.0), (2 * a.value()), 1e-15));
    CHECK(close(ag::inner(a, Tensor(waves({4}, 1))), ag::matmul(a, Tensor(waves({4}, 1))).value(), 1e-13, 1e-14));
    CHECK(thrown<ag::ShapeError>([&] { ag::tensordot(a, b); }) ==
          "tensordot: needs pairs of axes of equal extents: got (2, 3, 4) and (4, 3, 5) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::tensordot(a, b, 4); }) ==
          "tensordot: needs 4 axes of both operands: got (2, 3, 4) and (4, 3, 5) (HERE).");
}

TEST_CASE("outer, kron and cross have the values that are computed by hand")
{
    const Tensor a(xt::xarray<double>{1, 2});
    const Tensor b(xt::xarray<double>{3, 4, 5});
    CHECK(close(ag::outer(a, b), {{3, 4, 5}, {6, 8, 10}}));
    CHECK(close(ag::kron(a, b), {3, 4, 5, 6, 8, 10}));
    CHECK(close(ag::kron(Tensor(xt::xarray<double>{{1, 2}, {0, 1}}), a), {{1, 2, 2, 4}, {0, 0, 1, 2}}));
    CHECK(close(ag::linalg::cross(b, xt::xarray<double>{1, 0, 2}), {8, -1, -4}));
    CHECK(thrown<ag::ShapeError>([&] { ag::cross(a, a); }) ==
          "cross: needs an extent of 3 in axis -1: got (2,) and (2,) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::outer(a, 1.0); }) ==
          "outer: needs two vectors: got (2,) and () (HERE). Flatten them first.");
}

TEST_CASE("addmm does not read what it multiplies by 0")
{
    const Tensor one(xt::xarray<double>{{1, 2}, {3, 4}});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(close(ag::addmm(nan, one, one, {.beta = 0, .alpha = 2}), {{14, 20}, {30, 44}}));
    CHECK(close(ag::addmm(xt::xarray<double>{1, 2}, one, one, {.beta = 10}), {{17, 30}, {25, 42}}));
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::addmm(xt::xarray<double>{1, 2, 3}, one, one);
              }) == "addmm: the input does not broadcast to the product: got (3,) and (2, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::baddbmm(0.0, one, one); }) ==
          "baddbmm: needs stacks (batch, n, k) and (batch, k, m): got (2, 2) and (2, 2) (HERE).");
}

TEST_CASE("a chain of products is multiplied in the cheapest order, whose result is the same")
{
    const Tensor a(waves({2, 30}, 0));
    const Tensor b(waves({30, 3}, 1));
    const Tensor c(waves({3, 20}, 2));
    const Tensor d(waves({20}, 3));
    const Tensor expected = ag::matmul(a, ag::matmul(b, ag::matmul(c, d)));
    CHECK(close(ag::linalg::multi_dot({a, b, c, d}), expected.value(), 1e-12, 1e-12));
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::linalg::multi_dot({a, c});
              }) == "multi_dot: operands 0 and 1 do not fit: got (2, 30) and (3, 20) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::linalg::multi_dot({a, d, d});
              }) ==
          "multi_dot: operand 1 is no matrix: got shape (20,) (HERE). Only the first and the last may be vectors.");
}
