#include "../thrown.hpp"
#include "closeness.hpp"
#include "mock_operations.hpp"

#include <autograd/autograd.hpp>
#include <autograd/elementwise.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

TEST_CASE("a mock operation has its value and its gradient")
{
    Variable x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    ag::GradientTape tape;
    const Tensor y = doubled(x);
    CHECK(close(y, {{2, 4, 6}, {8, 10, 12}}));
    const Tensor dy(xt::xarray<double>{{1, -1, 2}, {-2, 3, -3}});
    CHECK(close(tape.gradient(y, x, {.output_gradient = dy}), {{2, -2, 4}, {-4, 6, -6}}));
}

TEST_CASE("the operands of an operation get each their own gradient")
{
    Variable a(xt::xarray<double>{2, 3});
    Variable b(xt::xarray<double>{5, 7});
    ag::GradientTape tape({.persistent = true});
    const Tensor y = product(a, b);
    const Tensor dy(xt::xarray<double>{1, 10});
    CHECK(close(tape.gradient(y, a, {.output_gradient = dy}), {5, 70}));
    CHECK(close(tape.gradient(y, b, {.output_gradient = dy}), {2, 30}));
    CHECK(close(tape.gradient(product(a, a), a, {.output_gradient = dy}), {4, 60}));
}

TEST_CASE("an operation of any number of operands gives each its gradient")
{
    std::vector<Variable> x;
    for (int k = 0; k < 5; ++k)
    {
        x.emplace_back(1.0 + k);
    }
    ag::GradientTape tape;
    const Tensor y = counted_sum(std::vector<Tensor>(x.begin(), x.end()));
    CHECK(close(y, 1 + 4 + 9 + 16 + 25));
    const std::vector<Tensor> dx = tape.gradient(y, x);
    REQUIRE(dx.size() == 5);
    for (int k = 0; k < 5; ++k)
    {
        CHECK(close(dx[static_cast<std::size_t>(k)], 1.0 + k));
    }
}

TEST_CASE("gradients of several uses of a value are added up")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor a = doubled(x);
    const Tensor b = doubled(a);
    const Tensor y = counted_sum<double>({a, b, x, a});
    CHECK(close(tape.gradient(y, x), 1 * 2 + 2 * 4 + 3 * 1 + 4 * 2));
}

TEST_CASE("gradients of several uses of an array of any size are added up")
{
    for (const std::size_t columns : {1, 7, 129, 1024, 2600})
    {
        const xt::xarray<double> numbers = xt::reshape_view(xt::arange<double>(3.0 * static_cast<double>(columns)),
                                                            std::vector<std::size_t>{3, columns});
        const xt::xarray<double> a = numbers + 2;
        const xt::xarray<double> b = 5 - 2 * numbers;
        const xt::xarray<double> row = 3 - xt::arange<double>(static_cast<double>(columns));
        Variable x(numbers);
        ag::GradientTape tape;
        const Tensor y = ag::sum((x * a + x * b + x) * a) + ag::sum(x * row) + ag::sum(x * b);
        CHECK(close(tape.gradient(y, x), (a + b + 1) * a + row + b));
    }
}

TEST_CASE("an operand may occur twice in one operation")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    CHECK(close(tape.gradient(product<double>(x, x), x), 6.0));
    CHECK(close(tape.gradient(x + x, x), 2.0));
    CHECK(close(tape.gradient(x - x, x), 0.0));
    CHECK(close(tape.gradient(x / x, x), 0.0));
}

TEST_CASE("an operand of any size may be all operands of one operation, and stretched ones among them")
{
    for (const std::size_t size : {1, 5, 128, 129, 1024, 5000})
    {
        CAPTURE(size);
        const xt::xarray<double> values = xt::arange<double>(static_cast<double>(size)) / 5000 - 0.5;
        const xt::xarray<double> weights = 2 - values * values;
        Variable x(values);
        Variable a(3.0);
        ag::GradientTape tape;
        const Tensor y = ag::fma(x, x, x) + ag::fma(x, a, x) + ag::fma(a, a, x) + x;
        const auto [dx, da] = tape.gradient(ag::sum(weights * y), x, a);
        const xt::xarray<double> by_x = weights * (2 * values + 1 + 3 + 1 + 1 + 1);
        CHECK(close(dx, by_x));
        CHECK(close(da, xt::sum(weights * (values + 6))(), 1e-12));
    }
}

TEST_CASE("nothing is recorded without a tape")
{
    Variable x(3.0);
    const Tensor before = doubled(x);
    ag::GradientTape tape({.persistent = true});
    CHECK_THROWS_AS(tape.gradient(before, x), ag::TapeError);
    CHECK(close(tape.gradient(doubled(x), x), 2.0));
}

TEST_CASE("operations after the end of a tape are not recorded")
{
    Variable x(3.0);
    {
        ag::GradientTape tape;
    }
    const Tensor y = doubled(x);
    CHECK_THROWS_AS(y.backward(), ag::TapeError);
}

TEST_CASE("a one-shot tape gives one gradient")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = doubled(x);
    CHECK(close(tape.gradient(y, x), 2.0));
    CHECK_THROWS_AS(tape.gradient(y, x), ag::TapeError);
    CHECK_THROWS_AS(y.backward(), ag::TapeError);
}

TEST_CASE("a one-shot tape records no more after its gradient")
{
    Variable x(3.0);
    ag::GradientTape tape;
    static_cast<void>(tape.gradient(doubled(x), x));
    const Tensor later = doubled(x);
    CHECK_THROWS_AS(later.backward(), ag::TapeError);
    CHECK(close(later, 6.0));
}

TEST_CASE("a target that is refused does not use up the tape")
{
    Variable x(xt::xarray<double>{1, 2});
    ag::GradientTape tape;
    const Tensor y = doubled(x);
    CHECK_THROWS_AS(tape.gradient(y, x), ag::ShapeError);
    CHECK_THROWS_AS(y.backward(), ag::ShapeError);
    CHECK_THROWS_AS(tape.gradient(y, x, {.output_gradient = Tensor(1.0)}), ag::ShapeError);
    CHECK_THROWS_AS(tape.gradient(Tensor(1.0), x), ag::TapeError);
    CHECK(close(tape.gradient(ag::sum(y), x), {2, 2}));
}

TEST_CASE("a persistent tape gives gradients of several targets and records on")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor y = doubled(x);
    const Tensor z = doubled(y);
    CHECK(close(tape.gradient(y, x), 2.0));
    CHECK(close(tape.gradient(z, x), 4.0));
    CHECK(close(tape.gradient(z, y), 2.0));
    CHECK(close(tape.gradient(z, x), 4.0));
    const Tensor later = doubled(z);
    CHECK(close(tape.gradient(later, x), 8.0));
}

TEST_CASE("a tape does not record the gradients that it computes")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor y = product<double>(x, x);
    const Tensor dx = tape.gradient(y, x);
    CHECK_THROWS_AS(tape.gradient(dx, x), ag::TapeError);
}

TEST_CASE("intermediate values are sources, too")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = doubled(x);
    const Tensor z = product(y, y);
    const auto [dx, dy, dz] = tape.gradient(z, x, y, z);
    CHECK(close(dx, 24.0));
    CHECK(close(dy, 12.0));
    CHECK(close(dz, 1.0));
}

TEST_CASE("the gradient by a source stops at the source only on the ways through it")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = doubled(x);
    const Tensor z = counted_sum<double>({y, x});
    const auto [dy, dx] = tape.gradient(z, y, x);
    CHECK(close(dy, 1.0));
    CHECK(close(dx, 4.0));
}

TEST_CASE("a variable is its own target")
{
    Variable x(3.0);
    ag::GradientTape tape;
    CHECK(close(tape.gradient(x, x), 1.0));
}

TEST_CASE("the same source may be asked for twice")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor y = doubled(x);
    const auto [first, second] = tape.gradient(y, x, x);
    CHECK(close(first, 2.0));
    CHECK(close(second, 2.0));
    const auto [third, fourth] = tape.gradient(doubled(y), y, y);
    CHECK(close(third, 2.0));
    CHECK(close(fourth, 2.0));
}

TEST_CASE("a vector of sources gives a vector of gradients in its order")
{
    std::vector<Variable> x{Variable(2.0), Variable(xt::xarray<double>{3, 4}), Variable(5.0)};
    ag::GradientTape tape({.persistent = true});
    const Tensor y = ag::sum(x[0] * x[1]) * x[2];
    const std::vector<Tensor> dx = tape.gradient(y, x);
    REQUIRE(dx.size() == 3);
    CHECK(close(dx[0], 35.0));
    CHECK(close(dx[1], {10, 10}));
    CHECK(close(dx[2], 14.0));
    CHECK(tape.gradient(y, std::vector<Variable>{}).empty());
}

TEST_CASE("sources of both precisions go together through a cast")
{
    ag::Variable<float> x(3.0F);
    Variable w(5.0);
    ag::GradientTape tape;
    const Tensor y = ag::cast<double>(x * x) * w;
    const auto [dx, dw] = tape.gradient(y, x, w);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(dx)>, ag::Tensor<float>>);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(dw)>, Tensor>);
    CHECK(close(dx, 30.0));
    CHECK(close(dw, 9.0));
}

TEST_CASE("a watched constant is a source")
{
    const Tensor x(xt::xarray<double>{1, 2});
    ag::GradientTape tape;
    tape.watch(x);
    const Tensor y = doubled(x);
    CHECK(close(tape.gradient(y, x, {.output_gradient = Tensor(xt::xarray<double>{3, 4})}), {6, 8}));
}

TEST_CASE("watching counts from then on, and twice is once")
{
    const Tensor x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor before = doubled(x);
    tape.watch(x);
    const Tensor after = doubled(x);
    tape.watch(x);
    const Tensor later = doubled(x);
    CHECK_THROWS_AS(tape.gradient(before, x), ag::TapeError);
    CHECK(close(tape.gradient(counted_sum<double>({after, later}), x), 6.0));
}

TEST_CASE("watching a variable or what is recorded changes nothing")
{
    Variable x(3.0);
    ag::GradientTape tape;
    tape.watch(x);
    const Tensor y = doubled(x);
    tape.watch(y);
    CHECK(close(tape.gradient(doubled(y), x), 4.0));
}

TEST_CASE("copies of a watched tensor are the same source")
{
    const Tensor x(3.0);
    const Tensor same = x;
    ag::GradientTape tape;
    tape.watch(x);
    CHECK(close(tape.gradient(doubled(same), same), 2.0));
}

TEST_CASE("an unconnected source throws or gives zeros of its shape")
{
    Variable x(3.0);
    Variable other(xt::xarray<double>{{1, 2}, {3, 4}});
    ag::GradientTape tape({.persistent = true});
    const Tensor y = doubled(x);
    const Tensor unrelated = doubled(other);
    CHECK_THROWS_AS(tape.gradient(y, other), ag::UnconnectedError);
    CHECK_THROWS_AS(tape.gradient(y, x, other), ag::UnconnectedError);
    CHECK_THROWS_AS(tape.gradient(y, unrelated), ag::UnconnectedError);
    CHECK(close(tape.gradient(y, other, {.unconnected = ag::Unconnected::zero}), {{0, 0}, {0, 0}}));
    CHECK(close(tape.gradient(y, unrelated, {.unconnected = ag::Unconnected::zero}), {{0, 0}, {0, 0}}));
    CHECK(close(tape.gradient(Tensor(7.0), x, {.unconnected = ag::Unconnected::zero}), 0.0));
    const std::vector<Tensor> both =
        tape.gradient(y, std::vector<Tensor>{unrelated, y}, {.unconnected = ag::Unconnected::zero});
    CHECK(close(both[0], {{0, 0}, {0, 0}}));
    CHECK(close(both[1], 1.0));
}

TEST_CASE("a constant that was never watched is unconnected")
{
    const Tensor constant(2.0);
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = product<double>(x, constant);
    CHECK_THROWS_AS(tape.gradient(y, constant), ag::UnconnectedError);
}

TEST_CASE("stop_gradient cuts")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor y = product(ag::stop_gradient(doubled(x)), doubled(x));
    CHECK(close(y, 36.0));
    CHECK(close(tape.gradient(y, x), 12.0));
    CHECK_THROWS_AS(tape.gradient(ag::stop_gradient(doubled(x)), x), ag::TapeError);
}

TEST_CASE("what goes through value() is a constant")
{
    Variable x(xt::xarray<double>{3, 4});
    ag::GradientTape tape;
    const Tensor y = ag::sum(x * x.value());
    CHECK(close(tape.gradient(y, x), {3, 4}));
}

TEST_CASE("gradients of a gradient go through both tapes")
{
    Variable x(3.0);
    ag::GradientTape outer;
    Tensor first;
    {
        ag::GradientTape inner;
        const Tensor y = product<double>(product<double>(x, x), x);
        first = inner.gradient(y, x);
    }
    CHECK(close(first, 27.0));
    CHECK(close(outer.gradient(first, x), 18.0));
}

TEST_CASE("tapes nest to the third order and further")
{
    Variable x(2.0);
    ag::GradientTape t1;
    ag::GradientTape t2;
    ag::GradientTape t3;
    ag::GradientTape t4;
    const Tensor y = x * x * x * x * x;
    const Tensor d1 = t4.gradient(y, x);
    const Tensor d2 = t3.gradient(d1, x);
    const Tensor d3 = t2.gradient(d2, x);
    const Tensor d4 = t1.gradient(d3, x);
    CHECK(close(d1, 80.0));
    CHECK(close(d2, 160.0));
    CHECK(close(d3, 240.0));
    CHECK(close(d4, 240.0));
}

TEST_CASE("a variable first read under the outer tape has derivatives by both")
{
    Variable x(3.0);
    ag::GradientTape outer;
    const Tensor early = product<double>(x, x);
    Tensor first;
    {
        ag::GradientTape inner;
        const Tensor y = product<double>(x, product<double>(x, x));
        first = inner.gradient(y, x);
    }
    const Tensor both = counted_sum<double>({first, early});
    CHECK(close(outer.gradient(both, x), 18 + 2 * 6));
}

TEST_CASE("a variable first read under the inner tape has derivatives by both")
{
    Variable x(3.0);
    ag::GradientTape outer;
    Tensor first;
    Tensor y;
    {
        ag::GradientTape inner;
        y = product<double>(x, x);
        first = inner.gradient(y, x);
    }
    const Tensor later = product<double>(x, first);
    const Tensor all = counted_sum<double>({y, first, later});
    CHECK(close(outer.gradient(all, x), 6 + 2 * 2 + 3 * 12));
}

TEST_CASE("a tensor of the outer tape is a source of the inner one")
{
    Variable x(3.0);
    ag::GradientTape outer;
    const Tensor a = doubled(x);
    Tensor da;
    {
        ag::GradientTape inner;
        inner.watch(a);
        da = inner.gradient(product(a, product(a, a)), a);
    }
    CHECK(close(da, 108.0));
    CHECK(close(outer.gradient(da, x), 6 * 6 * 2));
}

TEST_CASE("what an inner tape recorded belongs to the outer one, too")
{
    Variable x(3.0);
    ag::GradientTape outer;
    Tensor y;
    {
        ag::GradientTape inner;
        y = doubled(x);
        CHECK(close(inner.gradient(y, x), 2.0));
    }
    CHECK(close(outer.gradient(doubled(y), x), 4.0));
}

TEST_CASE("backward works on the innermost tape that recorded the target")
{
    Variable x(3.0);
    ag::GradientTape outer;
    const Tensor y = product<double>(x, x);
    {
        ag::GradientTape inner;
        product<double>(x, doubled(x)).backward();
        CHECK(close(x.grad(), 12.0));
    }
    CHECK(close(outer.gradient(counted_sum<double>({y, x.grad()}), x), 6 + 2 * 4));
}

TEST_CASE("an outer tape can be used while the inner one lives")
{
    Variable x(3.0);
    ag::GradientTape outer;
    const Tensor before = doubled(x);
    ag::GradientTape inner;
    const Tensor y = product(before, doubled(x));
    CHECK(close(outer.gradient(y, x), 24.0));
    CHECK(close(inner.gradient(y, x), 12.0));
}

TEST_CASE("a tape knows nothing of what was recorded before it was opened")
{
    Variable x(3.0);
    ag::GradientTape outer;
    const Tensor y = doubled(x);
    ag::GradientTape inner({.persistent = true});
    CHECK_THROWS_AS(inner.gradient(y, x), ag::TapeError);
    CHECK(close(inner.gradient(doubled(y), y), 2.0));
    CHECK_THROWS_AS(inner.gradient(doubled(y), x), ag::UnconnectedError);
    CHECK(close(outer.gradient(y, x), 2.0));
}

TEST_CASE("a moved tape goes on")
{
    Variable x(3.0);
    ag::GradientTape first;
    const Tensor y = doubled(x);
    ag::GradientTape second(std::move(first));
    const Tensor z = doubled(y);
    CHECK(close(second.gradient(z, x), 4.0));
}

TEST_CASE("a tape that another one is moved into ends")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor old = doubled(x);
    tape = ag::GradientTape({.persistent = true});
    const Tensor y = doubled(x);
    CHECK_THROWS_AS(tape.gradient(old, x), ag::TapeError);
    CHECK(close(tape.gradient(y, x), 2.0));
    CHECK(close(tape.gradient(y, x), 2.0));
}

TEST_CASE("tapes can end in any order")
{
    std::vector<int> order{0, 1, 2};
    do
    {
        Variable x(3.0);
        std::vector<std::optional<ag::GradientTape>> tapes(3);
        std::vector<Tensor> values;
        for (auto& tape : tapes)
        {
            tape.emplace(ag::TapeOptions{.persistent = true});
            values.push_back(doubled(values.empty() ? Tensor(x) : product<double>(values.back(), x)));
        }
        for (const int ended : order)
        {
            tapes[static_cast<std::size_t>(ended)].reset();
            const Tensor y = product<double>(x, x);
            for (auto& tape : tapes)
            {
                if (tape)
                {
                    CHECK(close(tape->gradient(y, x), 6.0));
                }
            }
            if (tapes[0])
            {
                CHECK(close(tapes[0]->gradient(values[2], x), 8 * 27.0));
            }
        }
        CHECK_THROWS_AS(values[2].backward(), ag::TapeError);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a new tape after a used-up one that still lives is a tape of its own")
{
    Variable x(3.0);
    ag::GradientTape used;
    const Tensor old = doubled(x);
    old.backward();
    ag::GradientTape fresh;
    const Tensor y = product<double>(x, x);
    CHECK_THROWS_AS(fresh.gradient(old, x), ag::TapeError);
    CHECK(close(fresh.gradient(y, x), 6.0));
}

TEST_CASE("a tensor may outlive its tape, and its value stays")
{
    Tensor y;
    {
        Variable x(3.0);
        ag::GradientTape tape;
        y = doubled(x);
    }
    CHECK(close(y, 6.0));
    ag::GradientTape tape;
    tape.watch(y);
    CHECK(close(tape.gradient(doubled(y), y), 2.0));
}

TEST_CASE("a variable may go before its tape")
{
    ag::GradientTape tape;
    Tensor y;
    {
        Variable x(3.0);
        y = product<double>(x, x);
    }
    y.backward();
    CHECK(close(y, 9.0));
}

TEST_CASE("handles may go before the gradient is asked for")
{
    Variable x(xt::xarray<double>{3, 4});
    ag::GradientTape tape;
    Tensor loss;
    {
        Tensor y = product<double>(x, x);
        y = product(y, y);
        loss = ag::sum(y);
    }
    CHECK(close(tape.gradient(loss, x), {108, 256}));
}

TEST_CASE("operations keep the value that they read when a variable is assigned")
{
    Variable x(3.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor before = product<double>(x, x);
    x.assign(5.0);
    const Tensor after = product<double>(x, x);
    CHECK(close(before, 9.0));
    CHECK(close(tape.gradient(before, x), 6.0));
    CHECK(close(tape.gradient(after, x), 10.0));
    CHECK(close(tape.gradient(counted_sum<double>({before, after}), x), 6 + 2 * 10));
}

TEST_CASE("operations keep the array that they read when a variable is changed in place")
{
    Variable x(xt::xarray<double>{3, 4});
    ag::GradientTape tape({.persistent = true});
    const Tensor before = product<double>(x, x);
    x.assign_add(1.0);
    const Tensor between = product<double>(x, x);
    x.mutable_data()[0] = 10;
    const Tensor dy(xt::xarray<double>{1, 2});
    CHECK(close(tape.gradient(before, x, {.output_gradient = dy}), {6, 16}));
    CHECK(close(tape.gradient(between, x, {.output_gradient = dy}), {8, 20}));
    CHECK(close(tape.gradient(product<double>(x, x), x, {.output_gradient = dy}), {20, 20}));
    CHECK(close(x, {10, 5}));
}

TEST_CASE("backward adds to the gradients of all variables")
{
    Variable x(3.0);
    Variable y(4.0);
    Variable unused(5.0);
    {
        ag::GradientTape tape;
        product<double>(x, y).backward();
    }
    CHECK(close(x.grad(), 4.0));
    CHECK(close(y.grad(), 3.0));
    CHECK_FALSE(unused.has_grad());
    {
        ag::GradientTape tape;
        doubled(x).backward();
    }
    CHECK(close(x.grad(), 6.0));
    CHECK(close(y.grad(), 3.0));
    x.zero_grad();
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("backward twice on a persistent tape accumulates twice")
{
    Variable x(xt::xarray<double>{1, 2});
    ag::GradientTape tape({.persistent = true});
    const Tensor y = ag::sum(product<double>(x, x));
    y.backward();
    const Tensor once = x.grad();
    y.backward();
    CHECK(close(once, {2, 4}));
    CHECK(close(x.grad(), {4, 8}));
}

TEST_CASE("backward takes the gradient of the output")
{
    Variable x(xt::xarray<double>{1, 2});
    ag::GradientTape tape;
    doubled(x).backward(Tensor(xt::xarray<double>{3, -5}));
    CHECK(close(x.grad(), {6, -10}));
}

TEST_CASE("a gradient does not share its memory with the output gradient it came from")
{
    Variable x(xt::xarray<double>{1, 2});
    Variable z(xt::xarray<double>{1, 2});
    const Tensor dy(xt::xarray<double>{3, -5});
    for (int repeat = 0; repeat < 2; ++repeat)
    {
        ag::GradientTape tape;
        const Tensor y = x + z;
        y.backward(dy);
    }
    CHECK(close(x.grad(), {6, -10}));
    CHECK(close(z.grad(), {6, -10}));
    CHECK(close(dy, {3, -5}));
}

TEST_CASE("gradient leaves the accumulated gradients alone")
{
    Variable x(3.0);
    ag::GradientTape tape;
    static_cast<void>(tape.gradient(doubled(x), x));
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("an output gradient that an outer tape recorded is differentiable")
{
    Variable x(3.0);
    Variable w(5.0);
    ag::GradientTape outer;
    Tensor dx;
    {
        ag::GradientTape inner;
        dx = inner.gradient(product<double>(x, x), x, {.output_gradient = product<double>(w, w)});
    }
    CHECK(close(dx, 150.0));
    const auto [by_w, by_x] = outer.gradient(dx, w, x);
    CHECK(close(by_w, 60.0));
    CHECK(close(by_x, 50.0));
}

namespace
{

/// x^3, by one formula for numbers, registers and tensors.
struct Cube
{
    static constexpr const char* name = "cube";
    static constexpr std::size_t arity = 1;
    static constexpr auto value(const auto& x) { return x * x * x; }
    static constexpr auto pullback(ag::Wrt<0>, const auto& dy, const auto&, const auto& x)
    {
        return dy * (3.0 * x * x);
    }
};

template <ag::Real T>
ag::Tensor<T> third_power(const ag::Tensor<T>& x, ag::Location location = ag::Location::current())
{
    return ag::Tensor<T>::adopt(ag::detail::Elementwise<Cube, T>::apply(location, x.node()));
}

/// a where a > b, else 3 b.
struct Uneven
{
    static constexpr const char* name = "uneven";
    static constexpr std::size_t arity = 2;
    static constexpr auto value(const auto& a, const auto& b)
    {
        return ag::formula::select(ag::formula::gt(a, b), a, 3.0 * b);
    }
    static constexpr auto pullback(ag::Wrt<0>, const auto& dy, const auto&, const auto& a, const auto& b)
    {
        return ag::formula::select(ag::formula::gt(a, b), dy, ag::formula::constant(dy, 0));
    }
    static constexpr auto pullback(ag::Wrt<1>, const auto& dy, const auto&, const auto& a, const auto& b)
    {
        return ag::formula::select(ag::formula::gt(a, b), ag::formula::constant(dy, 0), 3.0 * dy);
    }
};

template <ag::Real T>
ag::Tensor<T> uneven(const ag::Tensor<T>& a, const ag::Tensor<T>& b, ag::Location location = ag::Location::current())
{
    return ag::Tensor<T>::adopt(ag::detail::Elementwise<Uneven, T>::apply(location, a.node(), b.node()));
}

}

TEST_CASE("a user's element-wise formula has values and derivatives of all orders")
{
    xt::xarray<double> points = xt::arange<double>(-9, 10);
    Variable x(points);
    CHECK(close(third_power(x), points * points * points));
    CHECK(close(third_power(Tensor(-2.0)), -8.0));
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor first = inner.gradient(ag::sum(third_power(x)), x);
    CHECK(close(first, 3 * points * points));
    CHECK(close(outer.gradient(ag::sum(first), x), 6 * points));
    const auto f = [](const ag::Tensor<float>& a, const ag::Tensor<float>& b) { return uneven(a, b); };
    CHECK(ag::testing::check_gradients(
        f, {ag::Tensor<float>(column({1, 2})), ag::Tensor<float>(xt::xarray<float>{0.5F, 1.5F, 2.5F})},
        {.second_order = true}));
}

TEST_CASE("a user's element-wise formula broadcasts")
{
    Variable a(column({1, 2}));
    Variable b(xt::xarray<double>{0.5, 1.5, 2.5});
    ag::GradientTape tape;
    const Tensor y = uneven<double>(a, b);
    CHECK(close(y, {{1, 4.5, 7.5}, {2, 2, 7.5}}));
    y.backward(Tensor(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}}));
    CHECK(close(a.grad(), column({1, 9})));
    CHECK(close(b.grad(), {0, 6, 27}));
}

TEST_CASE("a cast carries gradients into the other precision and back")
{
    ag::Variable<float> x(xt::xarray<float>{1.5F, 2.5F});
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor y = ag::cast<double>(x);
    const ag::Tensor<float> dx = inner.gradient(ag::sum(y * y * y), x);
    CHECK(close(dx, {6.75, 18.75}));
    CHECK(close(outer.gradient(ag::sum(dx), x), {9, 15}));
}

TEST_CASE("a tape that does not watch variables by itself watches what it is told to")
{
    const Variable x(2.0), w(3.0);
    ag::GradientTape tape({.persistent = true, .watch_accessed_variables = false});
    const Tensor before = w * w;
    tape.watch(w);
    const Tensor y = x * w;
    CHECK(tape.gradient(y, w).item() == 2);
    CHECK_THROWS_AS(tape.gradient(y, x), ag::UnconnectedError);
    CHECK_THROWS_AS(tape.gradient(before, w), ag::UnconnectedError);
    y.backward();
    CHECK(w.grad().item() == 2);
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("an unwatched variable is a constant with the value that it had when it was read")
{
    const Variable x(xt::xarray<double>{2.0, 5.0}), w(xt::xarray<double>{3.0, 4.0});
    ag::GradientTape tape({.watch_accessed_variables = false});
    tape.watch(w);
    const Tensor y = ag::sum(x * w);
    x.mutable_data()[0] = 100;
    const Tensor copy = x;
    CHECK(tape.gradient(y, w).value() == xt::xarray<double>{2.0, 5.0});
    CHECK(copy.value()(0) == 100);
}

TEST_CASE("tapes that watch and tapes that do not may nest both ways")
{
    const Variable x(2.0), w(3.0);
    {
        ag::GradientTape outer;
        ag::GradientTape inner({.watch_accessed_variables = false});
        inner.watch(w);
        const Tensor y = x * x * w;
        CHECK(inner.gradient(y, w).item() == 4);
        CHECK(outer.gradient(y, x).item() == 12);
    }
    ag::GradientTape outer({.persistent = true, .watch_accessed_variables = false});
    outer.watch(w);
    const Tensor before = x * w;
    {
        ag::GradientTape inner;
        const Tensor y = x * w;
        CHECK(inner.gradient(y, x).item() == 3);
    }
    CHECK(outer.gradient(before, w).item() == 2);
    CHECK_THROWS_AS(outer.gradient(x * w, x), ag::UnconnectedError);
}

TEST_CASE("the variables that a tape has watched, in the order in which they were read")
{
    const Variable x(2.0), w(3.0);
    const ag::Variable<float> f(1.F);
    ag::GradientTape tape;
    CHECK(tape.watched_variables<double>().empty());
    const Tensor y = w * x * w;
    const ag::Tensor<float> g = f * 2;
    const std::vector<Variable> found = tape.watched_variables<double>();
    REQUIRE(found.size() == 2);
    CHECK(found[0].item() == 3);
    found[1].assign(7);
    CHECK(x.item() == 7);
    CHECK(tape.watched_variables<float>().size() == 1);
}

TEST_CASE("a tape that is reset is a new one")
{
    const Variable x(2.0);
    const Tensor constant(1.0);
    ag::GradientTape tape;
    tape.watch(constant);
    const Tensor y = x * x;
    CHECK(tape.gradient(y, x).item() == 4);
    tape.reset();
    CHECK_THROWS_AS(tape.gradient(y, x), ag::TapeError);
    const Tensor z = x * x * x;
    CHECK(tape.gradient(z, x).item() == 12);
    tape.reset();
    {
        ag::GradientTape inner;
        tape.reset();
        const Tensor u = x * 5;
        CHECK(tape.gradient(u, x).item() == 5);
        CHECK(inner.gradient(u, x).item() == 5);
    }
}

TEST_CASE("a tape may end on another thread, and its own goes on")
{
    const Variable x(2.0);
    auto tape = std::make_unique<ag::GradientTape>();
    const Tensor y = x * x;
    std::thread([moved = std::move(tape)]() mutable { moved.reset(); }).join();
    ag::GradientTape next;
    const Tensor z = x * x;
    CHECK(next.gradient(z, x).item() == 4);
    std::unique_ptr<ag::GradientTape> outlives;
    std::thread([&] { outlives = std::make_unique<ag::GradientTape>(); }).join();
    outlives.reset();
}

TEST_CASE("a tape of another thread is refused")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    std::string text;
    std::thread([&] { text = thrown<ag::TapeError>([&] { tape.gradient(y, x); }); }).join();
    CHECK(text.find("belongs to another thread (HERE). Open a tape on each thread; variables may be shared.") !=
          std::string::npos);
    CHECK(tape.gradient(y, x).item() == 4);
}
