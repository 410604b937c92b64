#include "../thrown.hpp"
#include "mock_operations.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

namespace ag = autograd;
using ag::testing::check_gradients;
using ag::testing::CheckReport;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// a^2 b with a pullback for each operand that is right, or wrong in one way.
enum class Fault
{
    none,
    slightly_off,    ///< by 0.05 %
    swapped,         ///< each operand gets the other's
    missing_factor,  ///< the 2 of 2 a b
    missing_sign,
    one_element,  ///< only the last
    second_order  ///< right, but not as a function of a
};

struct Faulty
{
    static constexpr const char* name = "faulty";
    static constexpr ag::detail::Reads reads(std::size_t) { return {.operand_bits = 0b11U}; }
    Fault fault;

    template <class T>
    ag::Tensor<T> value(const ag::Tensor<T>& a, const ag::Tensor<T>& b) const
    {
        return ag::stop_gradient(a) * ag::stop_gradient(a) * ag::stop_gradient(b);
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<0>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>& a,
                           const ag::Tensor<T>& b) const
    {
        switch (fault)
        {
        case Fault::slightly_off:
            return dy * 2 * a * b * 1.0005;
        case Fault::swapped:
            return dy * a * a;
        case Fault::missing_factor:
            return dy * a * b;
        case Fault::missing_sign:
            return -(dy * 2 * a * b);
        case Fault::one_element:
        {
            xt::xarray<T> factor = xt::ones<T>({a.size()});
            factor(a.size() - 1) = T(1.01);
            return dy * 2 * a * b * factor;
        }
        case Fault::second_order:
            return dy * 2 * ag::stop_gradient(a) * b;
        default:
            return dy * 2 * a * b;
        }
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<1>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>& a,
                           const ag::Tensor<T>& b) const
    {
        return fault == Fault::swapped ? dy * 2 * a * b : dy * a * a;
    }
};

template <Fault fault, ag::Real T = double>
CheckReport check(ag::testing::CheckOptions options = {})
{
    const ag::Tensor<T> a(xt::xarray<T>{T(0.7), T(-1.3), T(1.9)});
    const ag::Tensor<T> b(xt::xarray<T>{T(1.1), T(0.4), T(-0.8)});
    const auto f = [](const ag::Tensor<T>& x, const ag::Tensor<T>& y)
    { return apply(Faulty{fault}, ag::Location::current(), x, y); };
    return check_gradients(f, {a, b}, options);
}

}

TEST_CASE("a right rule passes, in both precisions and orders")
{
    CHECK(check<Fault::none>());
    CHECK(check<Fault::none>({.second_order = true}));
    CHECK(check<Fault::none, float>());
    CHECK(check<Fault::none, float>({.second_order = true}));
}

TEST_CASE("a rule that is off by 0.05 % is caught")
{
    const CheckReport report = check<Fault::slightly_off>();
    CHECK_FALSE(report);
    CHECK(report.order == 1);
    CHECK(report.input == 0);
    CHECK(report.analytic == doctest::Approx(1.0005 * report.numeric).epsilon(1e-6));
    CHECK(report.error > report.tolerance);
}

TEST_CASE("swapped operands, a missing factor and a wrong sign are caught")
{
    CHECK_FALSE(check<Fault::swapped>());
    CHECK_FALSE(check<Fault::missing_factor>());
    CHECK_FALSE(check<Fault::missing_sign>());
    CHECK_FALSE(check<Fault::swapped, float>());
    CHECK_FALSE(check<Fault::missing_factor, float>());
    CHECK_FALSE(check<Fault::missing_sign, float>());
    const CheckReport half = check<Fault::missing_factor>();
    CHECK(half.analytic == doctest::Approx(0.5 * half.numeric).epsilon(1e-6));
}

TEST_CASE("a rule that is wrong in one element is caught and the element named")
{
    const CheckReport report = check<Fault::one_element>();
    CHECK_FALSE(report);
    CHECK(report.input == 0);
    REQUIRE(report.index.size() == 1);
    CHECK(report.index[0] == 2);
}

TEST_CASE("a wrong second derivative is caught where it is asked for")
{
    CHECK(check<Fault::second_order>());
    const CheckReport report = check<Fault::second_order>({.second_order = true});
    CHECK_FALSE(report);
    CHECK(report.order == 2);
    CHECK(report.input == 0);
    CHECK_FALSE(check<Fault::second_order, float>({.second_order = true}));
}

TEST_CASE("swapped operands are caught where the numbers are equal, for their weights are not")
{
    const Tensor ones(xt::xarray<double>{1, 1});
    const auto reversed = [](const Tensor& x)
    {
        const Tensor wrong = ag::view(x, ag::range(1, -3, -1));
        return wrong + ag::stop_gradient(x - wrong);
    };
    CHECK_FALSE(check_gradients(reversed, {ones}));
}

TEST_CASE("a gradient that is missing is caught, and one that should be missing is not")
{
    const Tensor x(xt::xarray<double>{1, 2});
    CHECK_FALSE(check_gradients([](const Tensor& t) { return ag::square(ag::stop_gradient(t)); }, {x}));
    CHECK_FALSE(check_gradients([](const Tensor& t) { return Tensor(xt::xarray<double>(t.value() * 2.0)); }, {x}));
    CHECK(check_gradients([](const Tensor& t) { return ag::sign(t) + 3.0; }, {x}));
    CHECK(check_gradients([](const Tensor&) { return Tensor(4.0); }, {x}));
    CHECK(check_gradients([](const Tensor& a, const Tensor&) { return ag::square(a); }, {x, x}));
}

TEST_CASE("a function that gives NaN is not right")
{
    const CheckReport report =
        check_gradients([](const Tensor& t) { return ag::where(t > 0, ag::log(t), ag::log(t)); }, {Tensor(-1.0)});
    CHECK_FALSE(report);
}

TEST_CASE("a gradient of NaN is caught where the function is smooth")
{
    const auto f = [](const Tensor& t) { return ag::where(t > 0, ag::sqrt(t), 0.0); };
    const CheckReport report = check_gradients(f, {Tensor(xt::xarray<double>{2, -1})});
    CHECK_FALSE(report);
    REQUIRE(report.index.size() == 1);
    CHECK(report.index[0] == 1);
    CHECK(std::isnan(report.analytic));
    CHECK(report.numeric == 0);
}

TEST_CASE("inputs are numbered and elements indexed in any shape")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c)
    {
        xt::xarray<double> wrong = xt::zeros<double>({2, 3});
        wrong(1, 0) = 1;
        return a * b * c + (c - ag::stop_gradient(c)) * wrong;
    };
    const CheckReport report = check_gradients(f, {x, x, x});
    CHECK_FALSE(report);
    CHECK(report.input == 2);
    REQUIRE(report.index.size() == 2);
    CHECK(report.index[0] == 1);
    CHECK(report.index[1] == 0);
}

TEST_CASE("inputs may be a vector, and variables are read and not changed")
{
    std::vector<Tensor> inputs{Tensor(1.5), Tensor(xt::xarray<double>{1, 2})};
    CHECK(check_gradients([](const std::vector<Tensor>& x) { return x[0] * x[1]; }, inputs));
    Variable w(xt::xarray<double>{1, 2});
    CHECK(check_gradients([](const Tensor& x, const Tensor& y) { return ag::exp(x) * y; }, {w, Tensor(2.0)}));
    CHECK(w.data()[0] == 1.0);
    CHECK(w.data()[1] == 2.0);
    CHECK_FALSE(w.has_grad());
}

TEST_CASE("large and small values are measured by their own size")
{
    CHECK(check_gradients([](const Tensor& t) { return ag::square(t); }, {Tensor(1e6)}));
    CHECK(check_gradients([](const Tensor& t) { return 1e8 + ag::square(t); }, {Tensor(1.5)}));
    CHECK(check_gradients([](const Tensor& t) { return 1e-8 * ag::square(t); }, {Tensor(1.5)}));
    CHECK_FALSE(check_gradients([](const Tensor& t) { return 1e6 * apply(Faulty{Fault::slightly_off}, {}, t, t); },
                                {Tensor(1.5)}));
}

TEST_CASE("tolerances and the step can be given")
{
    CHECK(check<Fault::slightly_off>({.rtol = 1e-2}));
    CHECK(check<Fault::slightly_off>({.atol = 1e-1}));
    CHECK_FALSE(check<Fault::slightly_off>({.step = 1e-4}));
    CHECK(check<Fault::none>({.step = 1e-4}));
}

TEST_CASE("an empty input has nothing to be wrong")
{
    const Tensor none(xt::xarray<double>(xt::zeros<double>({0})));
    CHECK(check_gradients([](const Tensor& t) { return ag::sum(t); }, {none}));
}

TEST_CASE("checking works under a living tape")
{
    Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    CHECK(check_gradients([](const Tensor& t) { return ag::exp(t); }, {x}, {.second_order = true}));
    CHECK(tape.gradient(y, x).item() == 4.0);
}

TEST_CASE("what the function throws comes through")
{
    const auto f = [](const Tensor& t) { return t + Tensor(xt::xarray<double>{1, 2, 3}); };
    CHECK_THROWS_AS(check_gradients(f, {Tensor(xt::xarray<double>{1, 2})}), ag::ShapeError);
}

TEST_CASE("the report of a failure shows the worst element")
{
    const Tensor x(xt::xarray<double>{{2, 3}});
    const auto f = [](const Tensor& t) { return 3 * t - ag::stop_gradient(t); };
    const CheckReport report = check_gradients(f, {x}, {.rtol = 1e-3, .atol = 1e-3});
    std::ostringstream out;
    out << report;
    // cos(0.5) is the weight of the first element: 3 cos(0.5), 2 cos(0.5), and 0.001 (1 + 2 cos(0.5)) with the
    // 4.2e-10 that a difference of two rounded values cannot tell.
    CHECK(out.str() ==
          "gradients differ; the worst: input 0, element (0, 0): analytic 2.632747686, numeric 1.755165124, "
          "error 0.8775825619, tolerance 0.002755165541");
    CHECK(to_string(report) == out.str());
}

TEST_CASE("reports are printed in one line")
{
    CHECK(to_string(
              CheckReport{.input = 1, .index = {2}, .analytic = 1.5, .numeric = 1.5, .error = 0, .tolerance = 0.25}) ==
          "gradients agree; the worst: input 1, element (2): analytic 1.5, numeric 1.5, error 0, tolerance 0.25");
    CHECK(to_string(
              CheckReport{.passed = false, .order = 2, .analytic = 1, .numeric = 2, .error = 1, .tolerance = 0.5}) ==
          "gradients differ; the worst: second derivative, input 0, element (): analytic 1, numeric 2, error 1, "
          "tolerance 0.5");
    CHECK(to_string(CheckReport{.passed = false, .problem = "nothing to compare"}) ==
          "gradients differ: nothing to compare");
}
