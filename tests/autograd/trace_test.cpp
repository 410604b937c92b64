#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// What a traced program throws.
template <class F>
std::string found(const F& f, ag::Location caller = ag::Location::current())
{
    const auto trace = ag::trace_nonfinite();
    return thrown<ag::NonfiniteError>(f, caller);
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}

// Each program stands on the line of its `found`, which then is the line that the text must name as HERE.
// clang-format off

TEST_CASE("the logarithm of 0")
{
    const Variable x(xt::xarray<double>{{1.0, 2.0}, {0.0, 3.0}});
    ag::GradientTape tape;
    CHECK(found([&] { return ag::log(x); }) == "log: the result is -inf at (1, 0) of (2, 2); operand is 0 there (HERE).");
}

TEST_CASE("0 / 0")
{
    const Variable x(0.0), y(0.0);
    ag::GradientTape tape;
    CHECK(found([&] { return x / y; }) == "divide: the result is NaN; operand 1 is 0; operand 2 is 0 (HERE).");
}

TEST_CASE("an overflow of exp")
{
    const Variable x(xt::xarray<double>{1.0, 1000.0});
    ag::GradientTape tape;
    CHECK(found([&] { return ag::sum(ag::exp(x)); }) == "exp: the result is inf at (1) of (2,); operand is 1000 there (HERE).");
}

TEST_CASE("an overflow of exp in float, which double would survive")
{
    const ag::Variable<float> x(100.F);
    ag::GradientTape tape;
    CHECK(found([&] { return ag::exp(x); }) == "exp: the result is inf; operand is 100 (HERE).");
}

TEST_CASE("the root of a negative number")
{
    const Variable x(-1.0);
    ag::GradientTape tape;
    CHECK(found([&] { return ag::sqrt(x); }) == "sqrt: the result is NaN; operand is -1 (HERE).");
}

TEST_CASE("data that held NaN before")
{
    const Variable w(xt::xarray<double>(xt::ones<double>({2, 1})));
    const Tensor data(xt::xarray<double>{{1.0, std::nan("")}, {1.0, 2.0}});
    ag::GradientTape tape;
    CHECK(found([&] { return ag::matmul(data, w); }) == "matmul: the result is NaN at (0, 0) of (2, 1); operand 1 holds NaN at (0, 1) of (2, 2) already; operand 2 is 1 there (HERE).");
}

TEST_CASE("a product that overflows with a broadcast operand")
{
    const Variable x(xt::xarray<double>{1e300, 1.0});
    ag::GradientTape tape;
    CHECK(found([&] { return x * 1e10; }) == "multiply: the result is inf at (0) of (2,); operand 1 is 1e+300 there; operand 2 is 1e+10 (HERE).");
}

TEST_CASE("infinity minus infinity in a sum")
{
    const Variable x(xt::xarray<double>{infinity, -infinity});
    ag::GradientTape tape;
    CHECK(found([&] { return ag::sum(x); }) == "sum: the result is NaN; operand holds inf at (0) of (2,) already (HERE).");
}

TEST_CASE("the gradient of a root at 0, where the value is fine")
{
    const Variable x(xt::xarray<double>{4.0, 0.0});
    CHECK(found([&] { ag::GradientTape tape; const Tensor y = ag::sqrt(x); (void)tape.gradient(ag::sum(y), x); }) == "sqrt: the gradient of operand 1 is inf at (1) of (2,); the gradient of the result is 1 (HERE).");
}

TEST_CASE("the gradient of 0^p")
{
    const Variable x(0.0);
    CHECK(found([&] { ag::GradientTape tape; const Tensor y = ag::pow(x, 0.5); y.backward(); }).find("the gradient of operand 1 is inf") != std::string::npos);
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("a tangent")
{
    const Variable x(0.0);
    CHECK(found([&] { ag::GradientTape tape; const Tensor y = ag::sqrt(x); tape.jvp(y, x, Tensor(1.0)); }) == "sqrt: the tangent of the result is inf (HERE).");
}

TEST_CASE("the gradient's own gradient, by the line of the operation whose gradient it is")
{
    const Variable x(0.0);
    CHECK(found([&] { ag::GradientTape outer; ag::GradientTape inner; const Tensor y = ag::pow(x, 1.5); const Tensor g = inner.gradient(y, x); (void)outer.gradient(g, x); }).find("inf") != std::string::npos);
}
// clang-format on

TEST_CASE("infinities may be meant, and NaN is still found")
{
    const Variable x(0.0);
    const auto trace = ag::trace_nonfinite({.infinities = false});
    ag::GradientTape tape;
    const Tensor y = ag::log(x);
    CHECK(y.item() == -infinity);
    CHECK(thrown<ag::NonfiniteError>([&] { return y * 0; }) ==
          "multiply: the result is NaN; operand 1 is -inf; operand 2 is 0 (HERE).");
}

TEST_CASE("a scope that has ended traces no more, and the thread goes on after an error")
{
    const Variable x(0.0);
    {
        const auto trace = ag::trace_nonfinite();
        ag::GradientTape tape;
        CHECK_THROWS_AS(ag::log(x), ag::NonfiniteError);
        CHECK(ag::exp(x).item() == 1);
    }
    ag::GradientTape tape;
    const Tensor y = ag::log(x);
    CHECK(y.item() == -infinity);
    CHECK(tape.gradient(y, x).item() == infinity);
}

TEST_CASE("traces may end in any order")
{
    const Variable x(0.0);
    auto first = std::make_unique<ag::NonfiniteTrace>(ag::TraceOptions{});
    const auto second = std::make_unique<ag::NonfiniteTrace>(ag::TraceOptions{});
    first.reset();
    ag::GradientTape tape;
    CHECK_THROWS_AS(ag::log(x), ag::NonfiniteError);
}
