#include "../thrown.hpp"
#include "closeness.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

TEST_CASE("a variable starts from a scalar, an array, an expression or a tensor")
{
    const xt::xarray<double> a{1, 2};
    CHECK(close(Variable(3.0), 3.0));
    CHECK(close(Variable(a), {1, 2}));
    CHECK(close(Variable(2 * a), {2, 4}));
    const Tensor t(a);
    Variable x(t);
    x.assign_add(1.0);
    CHECK(close(x, {2, 3}));
    CHECK(close(t, {1, 2}));
}

TEST_CASE("copies of a variable are the same variable")
{
    Variable a(1.0);
    Variable b = a;
    b.assign(2.0);
    CHECK(close(a, 2.0));
    {
        ag::GradientTape tape;
        (a * b).backward();
    }
    CHECK(close(a.grad(), 4.0));
    CHECK(close(b.grad(), 4.0));
    b.zero_grad();
    CHECK_FALSE(a.has_grad());
    Variable c(5.0);
    c = a;
    c.assign(7.0);
    CHECK(close(a, 7.0));
}

TEST_CASE("a variable made from another one is another one")
{
    Variable a(xt::xarray<double>{1, 2});
    Variable b(static_cast<const Tensor&>(a));
    b.assign_add(1.0);
    CHECK(close(a, {1, 2}));
    CHECK(close(b, {2, 3}));
}

TEST_CASE("assignment takes tensors, arrays, expressions and scalars that fit")
{
    Variable x(xt::xarray<double>{1, 2});
    x.assign(Tensor(xt::xarray<double>{3, 4}));
    CHECK(close(x, {3, 4}));
    x.assign(2.0 * xt::xarray<double>{1, 3});
    CHECK(close(x, {2, 6}));
    x.assign_add(xt::xarray<int>{1, 1});
    CHECK(close(x, {3, 7}));
    x.assign_sub(0.5);
    CHECK(close(x, {2.5, 6.5}));
    x.assign_sub(Tensor(xt::xarray<double>{0.5}));
    CHECK(close(x, {2, 6}));
    x.assign(x * 3.0);
    CHECK(close(x, {6, 18}));
    Variable y(1.0);
    y.assign(2);
    y.assign_add(1);
    y.assign_sub(Tensor(0.5));
    CHECK(close(y, 2.5));
}

TEST_CASE("a variable may be assigned from itself")
{
    Variable x(xt::xarray<double>{1, 2});
    x.assign(x);
    CHECK(close(x, {1, 2}));
    x.assign_add(x);
    CHECK(close(x, {2, 4}));
    x.assign_sub(x);
    CHECK(close(x, {0, 0}));
    Variable y(3.0);
    y.assign(y);
    y.assign_add(y);
    CHECK(close(y, 6.0));
}

TEST_CASE("a variable may be assigned from another one")
{
    Variable x(xt::xarray<double>{1, 2});
    const Variable y(xt::xarray<double>{10, 20});
    const Variable scalar(0.5);
    x.assign_add(y);
    CHECK(close(x, {11, 22}));
    x.assign_sub(scalar);
    CHECK(close(x, {10.5, 21.5}));
    x.assign(y);
    CHECK(close(x, {10, 20}));
    CHECK(close(y, {10, 20}));
}

TEST_CASE("a variable cannot be rebound through its base")
{
    Variable x(xt::xarray<double>{1, 2});
    Tensor& base = x;
    CHECK(thrown<ag::Error>([&] { base = Tensor(3.0); }) ==
          "tensor: a variable cannot be rebound through its base. Use Variable::assign.");
    CHECK_THROWS_AS(base += 1.0, ag::Error);
    CHECK(close(x, {1, 2}));
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("tensors that share the memory of a variable keep their value")
{
    Variable x(xt::xarray<double>{1, 2});
    const Tensor copy = x;
    Variable other(copy);
    x.assign_add(10.0);
    other.assign_sub(1.0);
    CHECK(close(copy, {1, 2}));
    CHECK(close(x, {11, 12}));
    CHECK(close(other, {0, 1}));
    Variable s(1.0);
    const Tensor scalar = s;
    s.assign(2.0);
    CHECK(close(scalar, 1.0));
}

TEST_CASE("assigning does not share memory that is later written")
{
    const Tensor source(xt::xarray<double>{1, 2});
    Variable x(xt::xarray<double>{0, 0});
    x.assign(source);
    x.assign_add(5.0);
    x.mutable_data()[0] = 100;
    CHECK(close(source, {1, 2}));
    Variable y(xt::xarray<double>{0, 0});
    y.assign(x);
    x.mutable_data()[1] = -1;
    CHECK(close(y, {100, 7}));
}

TEST_CASE("an update in place without readers moves no memory")
{
    Variable x(xt::xarray<double>{1, 2});
    const double* before = x.data();
    x.assign_add(1.0);
    CHECK(x.data() == before);
    x.mutable_data()[0] = 5;
    CHECK(x.data() == before);
}

TEST_CASE("a gradient that is set replaces the old one and is not shared")
{
    Variable x(xt::xarray<double>{1, 2});
    const Tensor gradient(xt::xarray<double>{3, 4});
    x.set_grad(gradient);
    CHECK(close(x.grad(), {3, 4}));
    x.set_grad(xt::xarray<double>{5, 6});
    CHECK(close(x.grad(), {5, 6}));
    x.set_grad(gradient);
    {
        ag::GradientTape tape;
        ag::sum(x * 10.0).backward();
    }
    CHECK(close(x.grad(), {13, 14}));
    CHECK(close(gradient, {3, 4}));
    x.set_grad(x.grad());
    CHECK(close(x.grad(), {13, 14}));
}

TEST_CASE("a gradient that was read does not change when more is added")
{
    Variable x(xt::xarray<double>{1, 2});
    const auto step = [&]
    {
        ag::GradientTape tape;
        ag::sum(x * x).backward();
    };
    step();
    const Tensor first = x.grad();
    const auto view = x.grad().value();
    step();
    CHECK(close(first, {2, 4}));
    CHECK(view(1) == 4.0);
    CHECK(close(x.grad(), {4, 8}));
}

TEST_CASE("a variable of another one's gradient is independent of it")
{
    Variable x(xt::xarray<double>{1, 2});
    x.set_grad(xt::xarray<double>{3, 4});
    Variable momentum(x.grad());
    momentum.assign_add(1.0);
    CHECK(close(x.grad(), {3, 4}));
    CHECK(close(momentum, {4, 5}));
}

TEST_CASE("a gradient may be a variable's value, which then changes without it")
{
    Variable x(xt::xarray<double>{1, 2});
    Variable y(xt::xarray<double>{3, 4});
    x.set_grad(y);
    y.assign_add(10.0);
    CHECK(close(x.grad(), {3, 4}));
    Variable s(1.0);
    Variable t(2.0);
    s.set_grad(t);
    t.assign(5.0);
    CHECK(close(s.grad(), 2.0));
}

TEST_CASE("gradients have the shape of the variable also where operations broadcast")
{
    Variable x(column({1, 2}));
    Variable y(1.0);
    {
        ag::GradientTape tape;
        ag::sum(x + xt::xarray<double>{1, 2, 3}).backward();
    }
    {
        ag::GradientTape tape;
        ag::sum(y * xt::xarray<double>{1, 2, 3}).backward();
    }
    CHECK(close(x.grad(), column({3, 3})));
    CHECK(close(y.grad(), 6.0));
}

TEST_CASE("a variable without elements trains like any other")
{
    Variable x(xt::xarray<double>(xt::zeros<double>({0})));
    ag::GradientTape tape;
    ag::sum(x * 2.0).backward();
    CHECK(x.grad().shape() == ag::Shape{0});
    x.assign_sub(x.grad());
    CHECK(x.shape() == ag::Shape{0});
}
