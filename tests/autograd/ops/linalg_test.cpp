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
        const xt::xarray<double> dc = waves({n, m}, 2);
        Variable x(a);
        Variable y(b);
        ag::GradientTape tape;
        ag::matmul(x, y).backward(Tensor(dc));
        CHECK(close(x.grad(), naive_product(dc, xt::transpose(b)), 1e-12, 1e-12));
        CHECK(close(y.grad(), naive_product(xt::transpose(a), dc), 1e-12, 1e-12));
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

TEST_CASE("linear to no outputs has zero gradients of the right shapes")
{
    const Tensor x(xt::xarray<double>(xt::ones<double>({2, 2, 3})));
    const Tensor weight(xt::xarray<double>::from_shape({0, 3}));
    const auto by = gradients([](const Tensor& a, const Tensor& w) { return ag::sum(ag::linear(a, w)); }, x, weight);
    CHECK(by[0].shape() == ag::Shape{2, 2, 3});
    CHECK(xt::sum(xt::abs(by[0].value()))() == 0);
    CHECK(by[1].shape() == ag::Shape{0, 3});
}
