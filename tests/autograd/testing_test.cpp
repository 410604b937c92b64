#include "../thrown.hpp"
#include "mock_operations.hpp"

#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>

#include <doctest/doctest.h>

#if __has_include(<xtensor/containers/xfixed.hpp>)
#include <xtensor/containers/xfixed.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xfixed.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>

namespace ag = autograd;
using ag::testing::check_gradient;
using ag::testing::check_gradients;
using ag::testing::CheckReport;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

/// a^2 b + a with a pullback for each operand that is right, or wrong in one way.
enum class Fault
{
    none,
    slightly_off,    ///< by 0.05 %
    swapped,         ///< each operand gets the other's
    missing_factor,  ///< the 2 of 2 a b
    missing_term,    ///< the derivative of a alone
    wrong_sign,
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
        return xt::xarray<T>(a.value() * a.value() * b.value() + a.value());
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<0>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>& a,
                           const ag::Tensor<T>& b) const
    {
        switch (fault)
        {
        case Fault::slightly_off:
            return dy * (2 * a * b + 1) * 1.0005;
        case Fault::swapped:
            return dy * a * a;
        case Fault::missing_factor:
            return dy * (a * b + 1);
        case Fault::missing_term:
            return dy * 2 * a * b;
        case Fault::wrong_sign:
            return -(dy * (2 * a * b + 1));
        case Fault::one_element:
        {
            xt::xarray<T> factor = xt::ones<T>({a.size()});
            factor(a.size() - 1) = T(1.01);
            return dy * (2 * a * b + 1) * factor;
        }
        case Fault::second_order:
            return dy * (2 * ag::stop_gradient(a) * b + 1);
        default:
            return dy * (2 * a * b + 1);
        }
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<1>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>& a,
                           const ag::Tensor<T>& b) const
    {
        return fault == Fault::swapped ? dy * (2 * a * b + 1) : dy * a * a;
    }
};

template <Fault fault, ag::Real T = double>
CheckReport check(ag::testing::CheckOptions options = {})
{
    const xt::xarray<T> a{T(0.7), T(-1.3), T(1.9)};
    const xt::xarray<T> b{T(1.1), T(0.4), T(-0.8)};
    const auto f = [](const ag::Tensor<T>& x, const ag::Tensor<T>& y)
    { return apply(Faulty{fault}, ag::Location::current(), x, y); };
    return check_gradients(f, {a, b}, options);
}

/// The transpose of a square matrix, whose gradient forgets to transpose.
struct ForgetfulTranspose
{
    static constexpr const char* name = "forgetful_transpose";

    template <class T>
    ag::Tensor<T> value(const ag::Tensor<T>& x) const
    {
        return xt::xarray<T>(xt::transpose(xt::xarray<T>(x.value())));
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<0>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>&) const
    {
        return dy;
    }
};

/// x with a gradient that is another one each time.
struct Unsteady
{
    static constexpr const char* name = "unsteady";

    template <class T>
    ag::Tensor<T> value(const ag::Tensor<T>& x) const
    {
        return xt::xarray<T>(x.value());
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<0>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>&) const
    {
        static int calls = 0;
        return dy * T(++calls);
    }
};

const xt::xarray<double> numbers{0.5, -1.25, 2};

/// The hints, one a line.
std::string hints_of(const CheckReport& report)
{
    std::string text;
    for (const std::string& hint : report.hints)
    {
        text += (text.empty() ? "" : "\n") + hint;
    }
    return text;
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
    CHECK(report.differing == 3);
    CHECK(report.compared == 6);
    REQUIRE(report.worst.size() == 3);
    for (const ag::testing::CheckedElement& element : report.worst)
    {
        CHECK(element.input == 0);
        CHECK(element.analytic == doctest::Approx(1.0005 * element.numeric).epsilon(1e-9));
        CHECK(element.error > 100 * element.tolerance);
    }
    CHECK(hints_of(report) == "input 0: off by a constant factor of 1.0005: analytic = 1.0005 x numeric everywhere");
    CHECK_FALSE(check<Fault::slightly_off, float>());
    CHECK_FALSE(check<Fault::slightly_off>({.fast = true}));
}

TEST_CASE("swapped operands, a missing factor, a missing term and a wrong sign are caught in both precisions")
{
    CHECK_FALSE(check<Fault::swapped>());
    CHECK_FALSE(check<Fault::missing_factor>());
    CHECK_FALSE(check<Fault::missing_term>());
    CHECK_FALSE(check<Fault::wrong_sign>());
    CHECK_FALSE(check<Fault::swapped, float>());
    CHECK_FALSE(check<Fault::missing_factor, float>());
    CHECK_FALSE(check<Fault::missing_term, float>());
    CHECK_FALSE(check<Fault::wrong_sign, float>());
}

TEST_CASE("mistakes of a known kind are named")
{
    CHECK(hints_of(check<Fault::wrong_sign>()) == "input 0: the sign is wrong: analytic = -numeric everywhere");
    CHECK(hints_of(check<Fault::swapped>()) == "the gradients of inputs 0 and 1 seem to be swapped");
    CHECK(hints_of(check<Fault::missing_term>()) == "");
    CHECK(hints_of(check<Fault::one_element>()) == "");
    CHECK(hints_of(check<Fault::wrong_sign, float>()) == "input 0: the sign is wrong: analytic = -numeric everywhere");

    const auto transposed = [](const Tensor& x) { return apply(ForgetfulTranspose{}, {}, x); };
    CHECK(hints_of(check_gradients(transposed, {xt::xarray<double>{{1, 2}, {3, 4}}})) ==
          "input 0: the gradient seems to be transposed");

    const auto twice = [](const Tensor& x) { return ag::sum(2 * ag::square(x) - ag::stop_gradient(ag::square(x))); };
    CHECK(hints_of(check_gradients(twice, {numbers})) ==
          "input 0: off by a constant factor of 2: analytic = 2 x numeric everywhere");
    CHECK(hints_of(check_gradients(twice, {3.0})) ==
          "input 0: off by a constant factor of 2: analytic = 2 x numeric everywhere");
}

TEST_CASE("a rule that is wrong in one element is caught and the element named")
{
    const CheckReport report = check<Fault::one_element>();
    CHECK_FALSE(report);
    CHECK(report.differing == 1);
    REQUIRE(report.worst.size() == 1);
    CHECK(report.worst[0].input == 0);
    CHECK(report.worst[0].index == std::vector<std::size_t>{2});
}

TEST_CASE("a wrong second derivative is caught where it is asked for")
{
    CHECK(check<Fault::second_order>());
    const CheckReport report = check<Fault::second_order>({.second_order = true});
    CHECK_FALSE(report);
    CHECK(report.order == 2);
    REQUIRE(!report.worst.empty());
    CHECK(report.worst[0].input == 0);
    CHECK(to_string(report).starts_with("second derivatives differ in 3 of 6 elements, all 3 of input 0:\n"));
    CHECK_FALSE(check<Fault::second_order, float>({.second_order = true}));
    CHECK_FALSE(check<Fault::second_order>({.second_order = true, .fast = true}));
}

TEST_CASE("swapped elements are caught where the numbers are equal, for their weights are not")
{
    const auto reversed = [](const Tensor& x)
    {
        const Tensor wrong = ag::view(x, ag::range(1, -3, -1));
        return wrong + ag::stop_gradient(x - wrong);
    };
    CHECK_FALSE(check_gradients(reversed, {xt::xarray<double>{1, 1}}));
}

TEST_CASE("a gradient that is missing is caught, and one that should be missing is not")
{
    const xt::xarray<double> x{1, 2};
    CHECK(check_gradients([](const Tensor& t) { return ag::sign(t) + 3.0; }, {x}));
    CHECK(check_gradients([](const Tensor&) { return Tensor(4.0); }, {x}));
    CHECK(check_gradients([](const Tensor& a, const Tensor&) { return ag::square(a); }, {x, x}));
    CHECK(
        check_gradients([](const Tensor& a, const Tensor&) { return ag::square(a); }, {x, x}, {.second_order = true}));
}

TEST_CASE("an input whose value left the tape is named")
{
    const auto leaves = [](const Tensor& a, const Tensor& b) { return ag::sum(a * xt::xarray<double>(b.value())); };
    const CheckReport report = check_gradients(leaves, {3.0, 1.5});
    CHECK_FALSE(report);
    CHECK(hints_of(report) == "input 1 does not influence the output along the tape, but the numeric derivative is 3: "
                              "was value() used, or stop_gradient?");
    const auto zero = [](const Tensor& a) { return 0 * a + ag::stop_gradient(a); };
    CHECK(hints_of(check_gradients(zero, {2.0})) ==
          "input 0: all of the gradient is 0, but the numeric derivative is 1");
    const auto nowhere = [](const Tensor& a) { return Tensor(xt::xarray<double>(a.value() * 2.0)); };
    CHECK(hints_of(check_gradients(nowhere, {numbers})) ==
          "input 0 does not influence the output along the tape, but the numeric derivative is 2.23607: was value() "
          "used, or stop_gradient?");
}

TEST_CASE("a function that is not deterministic is reported as such")
{
    int calls = 0;
    const auto random = [&calls](const Tensor& t) { return t * xt::xarray<double>{1, static_cast<double>(++calls)}; };
    const CheckReport report = check_gradients(random, {Tensor(xt::xarray<double>{1, 2})});
    CHECK_FALSE(report);
    CHECK(report.compared == 0);
    CHECK(to_string(report) == "gradients not compared: f is not deterministic: element (1) of output 0 was 2 and then "
                               "4 at the same point. Let "
                               "f draw the same random numbers at every call, and change nothing that it reads.");
    CHECK_FALSE(check_gradients(random, {Tensor(xt::xarray<double>{1, 2})}, {.fast = true}));
}

TEST_CASE("a gradient that is not deterministic is reported as such")
{
    const CheckReport report = check_gradients([](const Tensor& t) { return apply(Unsteady{}, {}, t); }, {numbers});
    CHECK_FALSE(report);
    CHECK(report.problem.starts_with(
        "the gradient is not deterministic, though f is: that of element (0) of input 0 was "));
}

TEST_CASE("a function that changes its shape is reported as such")
{
    int calls = 0;
    const auto growing = [&calls](const Tensor& t)
    { return ag::stack<double>(std::vector<Tensor>(static_cast<std::size_t>(++calls), t)); };
    CHECK(check_gradients(growing, {1.0}).problem ==
          "output 0 has shape (1,), and (2,) when called again at the same point");
    const auto hopping = [](const Tensor& t)
    { return ag::stack<double>(std::vector<Tensor>(t.item() > 1.0 ? 2 : 1, t)); };
    CHECK(check_gradients(hopping, {1.0}).problem == "output 0 has shape (1,), and (2,) when moved by a small step");
}

TEST_CASE("a kink is named, with the slopes on its two sides")
{
    const auto distance = [](const Tensor& t) { return ag::sum(ag::relu(t - 1.0) * 2.0 - ag::relu(1.0 - t)); };
    const CheckReport report = check_gradients(distance, {xt::xarray<double>{0.25, 1, 3}});
    CHECK_FALSE(report);
    CHECK(report.differing == 1);
    CHECK(hints_of(report) == "the function seems to have a kink at element (1) of input 0 (slopes 1 and 2 on the two "
                              "sides): move the point, or check it elsewhere");
    const CheckReport in_float =
        check_gradients([](const ag::Tensor<float>& t) { return ag::relu(t); }, {xt::xarray<float>{0, 1, 0}});
    CHECK(in_float.differing == 2);
    CHECK(in_float.hints.size() == 1);
    CHECK(hints_of(in_float).ends_with(", and at 1 more: move the point, or check it elsewhere"));

    const auto smooth_but_wrong = [](const Tensor& t)
    { return 3 * ag::exp(5 * t) - 2 * ag::stop_gradient(ag::exp(5 * t)); };
    CHECK(hints_of(check_gradients(smooth_but_wrong, {numbers})).find("kink") == std::string::npos);
}

TEST_CASE("a kink nearby that a step does not reach is no matter")
{
    const auto hinge = [](const Tensor& t) { return ag::relu(t); };
    CHECK(check_gradients(hinge, {xt::xarray<double>{1e-6, -1e-6, 1e-5, -3e-5}}));
    CHECK(check_gradients([](const ag::Tensor<float>& t) { return ag::relu(t); },
                          {xt::xarray<float>{1e-3F, -1e-3F, 1e-2F, -3e-2F}}));
}

TEST_CASE("a jump is named")
{
    const auto step = [](const Tensor& t) { return ag::where(t > 1.0, 3.0, 0.0 * t); };
    const CheckReport report = check_gradients(step, {1.0});
    CHECK_FALSE(report);
    CHECK(hints_of(report) == "the function seems to jump at input 0, by 3: move the point, or check it elsewhere");
}

TEST_CASE("several outputs are checked one by one, and numbered")
{
    const auto pair = [](const Tensor& a, const Tensor& b)
    { return std::pair(ag::sum(a * b), 2 * ag::exp(a) - ag::stop_gradient(ag::exp(a))); };
    const CheckReport report = check_gradients(pair, {numbers, 3.0});
    CHECK_FALSE(report);
    CHECK(report.outputs == 2);
    CHECK(report.compared == 8);
    CHECK(report.differing == 3);
    for (const ag::testing::CheckedElement& element : report.worst)
    {
        CHECK(element.output == 1);
        CHECK(element.input == 0);
    }
    CHECK(to_string(report).find("\n  output 1, input 0, element (") != std::string::npos);
    CHECK(hints_of(report) == "output 1, input 0: off by a constant factor of 2: analytic = 2 x numeric everywhere");
}

TEST_CASE("outputs may come as a tuple, a pair, an array or a vector")
{
    const auto tuple = [](const Tensor& t) { return std::tuple(ag::exp(t), ag::sum(t), t * t); };
    const auto pair = [](const Tensor& t) { return std::pair(ag::exp(t), ag::sum(t)); };
    const auto array = [](const Tensor& t) { return std::array{ag::exp(t), ag::sum(t)}; };
    const auto vector = [](const Tensor& t) { return std::vector{ag::exp(t), ag::sum(t), t}; };
    for (const bool fast : {false, true})
    {
        CHECK(check_gradients(tuple, {numbers}, {.second_order = true, .fast = fast}).outputs == 3);
        CHECK(check_gradients(pair, {numbers}, {.second_order = true, .fast = fast}).outputs == 2);
        CHECK(check_gradients(array, {numbers}, {.second_order = true, .fast = fast}).outputs == 2);
        CHECK(check_gradients(vector, {numbers}, {.second_order = true, .fast = fast}).outputs == 3);
        CHECK(check_gradients(tuple, {numbers}, {.second_order = true, .fast = fast}));
        CHECK(check_gradients(pair, {numbers}, {.second_order = true, .fast = fast}));
        CHECK(check_gradients(array, {numbers}, {.second_order = true, .fast = fast}));
        CHECK(check_gradients(vector, {numbers}, {.second_order = true, .fast = fast}));
    }
    CHECK(check_gradients([](const Tensor&) { return std::vector<Tensor>{}; }, {numbers}).problem ==
          "f has no outputs");
    CHECK(check_gradients([](const Tensor& t) { return std::pair(t, Tensor{}); }, {numbers}).problem ==
          "output 1 of f is an empty tensor");
}

TEST_CASE("a wrong second derivative of one of several outputs is found there")
{
    const auto f = [](const Tensor& t) { return std::pair(ag::exp(t), apply(Faulty{Fault::second_order}, {}, t, t)); };
    CHECK(check_gradients(f, {numbers}));
    const CheckReport report = check_gradients(f, {numbers}, {.second_order = true});
    CHECK_FALSE(report);
    CHECK(report.order == 2);
    REQUIRE(!report.worst.empty());
    CHECK(report.worst[0].output == 1);
}

TEST_CASE("a function that gives NaN is not right")
{
    const CheckReport report = check_gradients([](const Tensor& t) { return ag::log(t); }, {Tensor(-1.0)});
    CHECK_FALSE(report);
    CHECK(to_string(report) ==
          "gradients not compared: output 0 is NaN at the very point: move it into the domain of f.");
}

TEST_CASE("a gradient of NaN is caught where the function is smooth")
{
    const auto f = [](const Tensor& t) { return ag::where(t > 0, ag::sqrt(t), 0.0); };
    const CheckReport report = check_gradients(f, {xt::xarray<double>{2, -1}});
    CHECK_FALSE(report);
    REQUIRE(report.worst.size() == 1);
    CHECK(report.worst[0].index == std::vector<std::size_t>{1});
    CHECK(std::isnan(report.worst[0].analytic));
    CHECK(report.worst[0].numeric == 0);
    CHECK(hints_of(report) ==
          "input 0: 1 of 2 elements of the gradient is NaN or infinite, where f is smooth: is there a "
          "0/0, or a where() over a branch that is undefined?");
    CHECK_FALSE(check_gradients(f, {xt::xarray<double>{2, -1}}, {.fast = true}));
}

TEST_CASE("the edge of a domain is named")
{
    const auto root = [](const Tensor& t) { return ag::sqrt(t); };
    const CheckReport report = check_gradients(root, {xt::xarray<double>{1, 0}});
    CHECK_FALSE(report);
    CHECK(report.differing == 1);
    const auto edge = [](const Tensor& t) { return t * ag::sqrt(t); };
    CHECK(hints_of(check_gradients(edge, {xt::xarray<double>{1, 0}})).find("NaN") != std::string::npos);
    const auto shifted = [](const Tensor& t) { return ag::where(t < 1.0, std::nan(""), t); };
    CHECK(hints_of(check_gradients(shifted, {1.0})) == "f is not finite, or throws, beside input 0: the point is at "
                                                       "the edge of its domain. Move it, or give a smaller "
                                                       "step");
}

TEST_CASE("points near the edge of a domain are checked with steps that stay inside")
{
    const auto f = [](const Tensor& t) { return ag::log(t) + ag::sqrt(t); };
    CHECK(check_gradients(f, {xt::xarray<double>{1e-3, 1e-5, 1e-8}}, {.second_order = true}));
    const auto throws = [](const Tensor& t)
    {
        if (t.item() <= 0)
        {
            throw std::domain_error("not positive");
        }
        return ag::log(t);
    };
    CHECK(check_gradients(throws, {1e-5}));
}

TEST_CASE("an infinite element of an output that stays infinite is no matter, an infinite input is")
{
    const auto masked = [](const Tensor& t) {
        return ag::exp(t) + xt::xarray<double>{0, -std::numeric_limits<double>::infinity(), 0};
    };
    CHECK(check_gradients([&](const Tensor& t) { return ag::exp(masked(t)); }, {numbers}));
    CHECK(check_gradients(masked, {numbers}).worst.size() == 1);
    const CheckReport report = check_gradients([](const Tensor& t) { return ag::exp(-t); },
                                               {xt::xarray<double>{1, std::numeric_limits<double>::infinity()}});
    CHECK(report.problem == "element (1) of input 0 is not finite: there are no differences to compare with");
}

TEST_CASE("inputs are numbered and elements indexed in any shape")
{
    const xt::xarray<double> x{{1, 2, 3}, {4, 5, 6}};
    const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c)
    {
        xt::xarray<double> wrong = xt::zeros<double>({2, 3});
        wrong(1, 0) = 1;
        return a * b * c + (c - ag::stop_gradient(c)) * wrong;
    };
    const CheckReport report = check_gradients(f, {x, x, x});
    CHECK_FALSE(report);
    REQUIRE(report.worst.size() == 1);
    CHECK(report.worst[0].input == 2);
    CHECK(report.worst[0].index == std::vector<std::size_t>{1, 0});
}

TEST_CASE("inputs may be tensors, variables, arrays and numbers, or a vector of tensors or variables")
{
    std::vector<Tensor> inputs{Tensor(1.5), Tensor(numbers)};
    CHECK(check_gradients([](const std::vector<Tensor>& x) { return x[0] * x[1]; }, inputs));
    CHECK(check_gradients([](const Tensor& a, const Tensor& b) { return a * b; }, inputs));
    Variable w(xt::xarray<double>{1, 2});
    const auto f = [](const Tensor& x, const Tensor& y, const Tensor& z) { return ag::exp(x) * y * z; };
    CHECK(check_gradients(f, {w, Tensor(2.0), 3}));
    CHECK(check_gradients(f, {2.0, numbers + 1.0, xt::view(numbers, xt::range(0, 1))}).compared == 5);
    CHECK(check_gradients([](const std::vector<Tensor>& x) { return ag::sum(x[0]); }, std::vector<Variable>{w}));
    CHECK(w.data()[0] == 1.0);
    CHECK(w.data()[1] == 2.0);
    CHECK_FALSE(w.has_grad());
    CHECK(check_gradients([](auto... x) { return (x * ...); }, {w, 3.0, 4.0}).compared == 4);
}

TEST_CASE("a function of another number of tensors is an error")
{
    const auto f = [](const Tensor& a, const Tensor& b) { return a * b; };
    CHECK(
        thrown<ag::ValueError>([&] { check_gradients(f, {1.0}); }) ==
        "check_gradients: f does not take as many tensors as there are inputs: got 1 input (HERE). More than eight are "
        "taken as a std::vector of tensors.");
}

TEST_CASE("large and small values are measured by their own size")
{
    CHECK(check_gradients([](const Tensor& t) { return ag::square(t); }, {Tensor(1e6)}));
    CHECK(check_gradients([](const Tensor& t) { return 1e8 + ag::square(t); }, {Tensor(1.5)}));
    CHECK(check_gradients([](const Tensor& t) { return 1e-8 * ag::square(t); }, {Tensor(1.5)}));
    const auto wrong = [](const Tensor& t) { return apply(Faulty{Fault::slightly_off}, {}, t, t); };
    CHECK_FALSE(check_gradients([&](const Tensor& t) { return 1e6 * wrong(t); }, {Tensor(1.5)}));
    CHECK_FALSE(check_gradients([&](const Tensor& t) { return 1e-12 * wrong(t); }, {Tensor(1.5)}));
}

TEST_CASE("functions that bend sharply, or round much, are given the benefit of neither")
{
    const auto wave = [](const Tensor& t) { return ag::sin(3000.0 * t); };
    CHECK(check_gradients(wave, {numbers}, {.second_order = true}));
    const auto noisy = [](const Tensor& t) { return (ag::square(t) + 1e7) - 1e7; };
    CHECK(check_gradients(noisy, {numbers}, {.second_order = true}));
    const auto constant = [](const Tensor& t) { return ag::sum(ag::softmax(t, 0)) - 1.0; };
    CHECK(check_gradients(constant, {numbers}, {.second_order = true}));
    const auto noisy_and_wrong = [](const Tensor& t)
    { return (1.01 * t * t - 0.01 * ag::stop_gradient(t * t) + 1e5) - 1e5; };
    CHECK_FALSE(check_gradients(noisy_and_wrong, {numbers}));
}

TEST_CASE("tolerances and the step can be given")
{
    CHECK(check<Fault::slightly_off>({.rtol = 1e-2}));
    CHECK(check<Fault::slightly_off>({.atol = 1e-1}));
    CHECK_FALSE(check<Fault::slightly_off>({.step = 1e-3}));
    CHECK(check<Fault::none>({.step = 1e-3}));
    double farthest = 0;
    const auto f = [&farthest](const Tensor& t)
    {
        farthest = std::max(farthest, std::abs(t.item() - 1));
        return 2 * t - ag::stop_gradient(t);
    };
    CHECK_FALSE(check_gradients(f, {1.0}, {.step = 0.125}));
    CHECK(farthest == 0.125);
}

TEST_CASE("options that make no sense are reported")
{
    CHECK(check<Fault::none>({.step = -1}).problem == "a step must be at least 2.2e-13 and finite, got -1");
    CHECK(check<Fault::none, float>({.step = 1e-9}).problem == "a step must be at least 0.00012 and finite, got 1e-09");
    CHECK(check<Fault::none>({.rtol = -1}).problem == "rtol and atol must be finite and not negative, got -1");
    CHECK_FALSE(check<Fault::none>({.atol = std::numeric_limits<double>::infinity()}));
    CHECK(check<Fault::slightly_off>({.shown = 0}).worst.size() == 1);
}

TEST_CASE("an empty input has nothing to be wrong")
{
    const xt::xarray<double> none = xt::zeros<double>({0, 3});
    const auto f = [](const Tensor& t) { return ag::sum(t); };
    CHECK(check_gradients(f, {none}, {.second_order = true}));
    CHECK(check_gradients(f, {none}, {.fast = true}));
    CHECK(to_string(check_gradients(f, {none})) == "gradients agree: there is nothing to compare");
    CHECK(check_gradients([](const Tensor& t) { return t; }, {none}, {.second_order = true}));
    CHECK(check_gradients([](const Tensor& a, const Tensor& b) { return ag::sum(a) + b; }, {none, 2.0}).compared == 1);
}

TEST_CASE("numbers have no index")
{
    CHECK(check_gradients([](const Tensor& t) { return t * t; }, {3.0}, {.second_order = true}));
    const CheckReport report = check_gradients([](const Tensor& t) { return 2 * t - ag::stop_gradient(t); }, {3.0},
                                               {.rtol = 1e-2, .atol = 1e-2});
    CHECK(to_string(report) == "gradients differ in 1 of 1 element:\n"
                               "           analytic  numeric  error  tolerance\n"
                               "  input 0         2        1      1       0.02\n"
                               "  Hint: input 0: off by a constant factor of 2: analytic = 2 x numeric everywhere.");
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
    CHECK_THROWS_AS(check_gradients(f, {xt::xarray<double>{1, 2}}), ag::ShapeError);
    int calls = 0;
    const auto later = [&calls](const Tensor& t)
    {
        if (++calls > 4)
        {
            throw std::runtime_error("later");
        }
        return t;
    };
    CHECK_THROWS_WITH(check_gradients(later, {1.0}), "later");
}

TEST_CASE("the fast mode takes a few calls, however large the inputs")
{
    const xt::xarray<double> many = xt::linspace<double>(-2, 2, 10000);
    int calls = 0;
    const auto f = [&calls](const Tensor& t)
    {
        ++calls;
        return ag::mean(ag::square(ag::tanh(t)));
    };
    const CheckReport report = check_gradients(f, {many}, {.second_order = true, .fast = true});
    CHECK(report);
    CHECK(report.projected);
    CHECK(calls < 100);
    CHECK(
        to_string(report).starts_with("second derivatives agree in 1 element; the nearest to its tolerance: along the "
                                      "direction: analytic "));
    for (const std::uint64_t seed : {1, 2, 3, 4, 5})
    {
        CHECK(check_gradients(f, {many}, {.fast = true, .seed = seed}));
    }
    const xt::xarray<float> many_floats = many;
    CHECK(check_gradients([](const ag::Tensor<float>& t) { return ag::mean(ag::square(ag::tanh(t))); }, {many_floats},
                          {.second_order = true, .fast = true}));
}

TEST_CASE("a failure of the fast mode is explained by the full one")
{
    const CheckReport report = check<Fault::one_element>({.fast = true});
    CHECK_FALSE(report);
    CHECK_FALSE(report.projected);
    CHECK(report.differing == 1);
    REQUIRE(report.worst.size() == 1);
    CHECK(report.worst[0].index == std::vector<std::size_t>{2});
}

TEST_CASE("the full mode decides where the direction crosses kinks that no element crosses")
{
    const auto f = [](const Tensor& a, const Tensor& b) { return ag::abs(a - b); };
    const Tensor x(xt::xarray<double>{1, 2, 3});
    const CheckReport at_kink = check_gradients([&](const Tensor& a) { return ag::sum(f(a, x)); }, {x}, {.fast = true});
    CHECK(at_kink);
    CHECK(at_kink.hints.size() <= 1);
}

TEST_CASE("the report of a failure names the worst elements and counts all")
{
    const xt::xarray<double> factor{{1, 1, 2}, {3, 3.5, 1}};
    const auto f = [&factor](const Tensor& t)
    { return ag::sum(factor * t * t - (factor - 1.0) * ag::stop_gradient(t * t)); };
    const xt::xarray<double> x{{1, 2, 3}, {4, 5, 6}};
    const CheckReport report = check_gradients(f, {x}, {.rtol = 1e-3, .atol = 1e-3, .shown = 2});
    std::ostringstream out;
    out << report;
    CHECK(out.str() == "gradients differ in 3 of 6 elements; the worst:\n"
                       "                           analytic  numeric  error  tolerance\n"
                       "  input 0, element (1, 1)        35       10     25      0.011\n"
                       "  input 0, element (1, 0)        24        8     16      0.009");
    CHECK(to_string(report) == out.str());
    CHECK(report.worst.size() == 2);
    CHECK(check_gradients(f, {x}).worst.size() == 3);
    CHECK(check_gradients([](const Tensor& t) { return 2 * t - ag::stop_gradient(t); }, {x}).worst.size() == 5);
}

TEST_CASE("reports are readable")
{
    CHECK(
        to_string(CheckReport{
            .compared = 3,
            .worst = {{.input = 1, .index = {2}, .analytic = 1.5, .numeric = 1.5, .error = 0, .tolerance = 0.25}}}) ==
        "gradients agree in 3 elements; the nearest to its tolerance: input 1, element (2): analytic 1.5, numeric 1.5, "
        "error 0, tolerance 0.25");
    CHECK(to_string(CheckReport{
              .passed = false,
              .order = 2,
              .outputs = 2,
              .compared = 9,
              .differing = 4,
              .parts = {{.input = 0, .output = 0, .compared = 4, .differing = 3},
                        {.input = 1, .output = 0, .compared = 1, .differing = 0},
                        {.input = 0, .output = 1, .compared = 4, .differing = 1}},
              .worst = {{.output = 1, .analytic = 1, .numeric = 2, .error = 1, .tolerance = 0.5},
                        {.index = {0, 1}, .output = 0, .analytic = 3, .numeric = 2.5, .error = 0.5, .tolerance = 0.25}},
              .hints = {"look there"}}) == "second derivatives differ in 4 of 9 elements, 3 of 4 of output 0 by input "
                                           "0, 1 of 4 of output 1 by input 0; the worst:\n"
                                           "                                     analytic  numeric  error  tolerance\n"
                                           "  output 1, input 0                         1        2      1        0.5\n"
                                           "  output 0, input 0, element (0, 1)         3      2.5    0.5       0.25\n"
                                           "  Hint: look there.");
    CHECK(to_string(CheckReport{.passed = false, .problem = "there is nothing"}) ==
          "gradients not compared: there is nothing.");
}

TEST_CASE("a gradient written by hand is checked without any tensor")
{
    const auto value = [](const xt::xarray<double>& x) { return xt::sum(x * x * x)(); };
    const auto gradient = [](const xt::xarray<double>& x) { return xt::xarray<double>(3 * x * x); };
    const auto wrong = [](const xt::xarray<double>& x) { return xt::xarray<double>(3 * x); };
    const xt::xarray<double> x{{0.5, -1, 2}, {1, 3, -0.25}};
    CHECK(check_gradient(value, gradient, x));
    CHECK(check_gradient(value, gradient, x, {.fast = true}));
    const CheckReport report = check_gradient(value, wrong, x);
    CHECK_FALSE(report);
    CHECK(report.compared == 6);
    CHECK(report.differing == 5);
    CHECK_FALSE(check_gradient(value, wrong, x, {.fast = true}));
    const auto lazy = [](const auto& point) { return xt::sum(point * point * point); };
    const auto lazy_gradient = [](const auto& point) { return 3 * point * point; };
    CHECK(check_gradient(lazy, lazy_gradient, x));
    CHECK(check_gradient(lazy, lazy_gradient, xt::view(x, 1) + 1));
}

TEST_CASE("a gradient written by hand may be of any container and of either precision")
{
    const auto value = [](const auto& x) { return xt::sum(x * x)(); };
    const auto gradient = [](const auto& x) { return std::decay_t<decltype(x)>(2 * x); };
    const auto slightly_wrong = [](const auto& x) { return std::decay_t<decltype(x)>(2.002 * x); };
    const auto check_all = [&](const auto& x)
    {
        CHECK(check_gradient(value, gradient, x));
        CHECK_FALSE(check_gradient(value, slightly_wrong, x));
    };
    check_all(xt::xtensor<double, 2>{{1, 2}, {3, 4}});
    check_all(xt::xtensor<float, 1>{1, -2, 3});
    check_all(xt::xtensor_fixed<double, xt::xshape<3>>{1, -2, 3});
    check_all(xt::xtensor_fixed<float, xt::xshape<2, 2>>{{1, -2}, {3, 5}});
    check_all(xt::xarray<float>{1, -2, 3});
    check_all(xt::xarray<double, xt::layout_type::column_major>{{1, 2, 3}, {4, 5, 6}});
    CHECK(check_gradient([](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }, 0.3));
    CHECK(check_gradient([](float x) { return std::exp(x); }, [](float x) { return std::exp(x); }, 0.3F));
}

TEST_CASE("a gradient written by hand of a function that gives an array is a product with the gradient of that")
{
    const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
    const auto value = [&a](const xt::xarray<double>& x) { return xt::xarray<double>(xt::sum(a * x, 1)); };
    const auto pullback = [&a](const xt::xarray<double>&, const xt::xarray<double>& dy)
    { return xt::xarray<double>(xt::sum(a * xt::view(dy, xt::all(), xt::newaxis()), 0)); };
    CHECK(check_gradient(value, pullback, numbers));
    const auto forgetful = [&a](const xt::xarray<double>&, const xt::xarray<double>&)
    { return xt::xarray<double>(xt::sum(a, 0)); };
    CHECK_FALSE(check_gradient(value, forgetful, numbers));
    const auto without = [&a](const xt::xarray<double>&) { return xt::xarray<double>(xt::sum(a, 0)); };
    CHECK(check_gradient(value, without, numbers).problem ==
          "gradient(x) is for a value of one number, and the value has shape (2,): let the gradient take (x, dy)");
}

TEST_CASE("what is wrong with a gradient written by hand is told")
{
    const auto value = [](const xt::xarray<double>& x) { return xt::sum(x * x)(); };
    const auto flat = [](const xt::xarray<double>& x)
    {
        xt::xarray<double> result = 2 * x;
        result.reshape({x.size()});
        return result;
    };
    CHECK(
        to_string(check_gradient(value, flat, xt::xarray<double>{{1, 2}, {3, 4}})) ==
        "gradients not compared: a gradient has the shape of what it is with respect to: the gradient has shape (4,), "
        "the point (2, 2).");
    const auto half = [](const xt::xarray<double>& x) { return xt::xarray<double>(x); };
    CHECK(hints_of(check_gradient(value, half, numbers)) ==
          "input 0: off by a constant factor of 0.5: analytic = 0.5 x numeric everywhere");
    const auto nothing = [](const xt::xarray<double>& x) { return xt::xarray<double>(0 * x); };
    CHECK(hints_of(check_gradient(value, nothing, numbers)) ==
          "input 0: all of the gradient is 0, but the numeric derivative is 1");
    CHECK(thrown<ag::ValueError>([&] { check_gradient(value, half, numbers, {.second_order = true}); }) ==
          "check_gradient: second derivatives need a function of tensors, got one of plain arrays (HERE). Check the "
          "gradient's own gradient by another check_gradient.");
}

namespace
{

/// The lines of a file without the spaces before them.
std::vector<std::string> lines_of(std::istream& stream)
{
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
    {
        lines.push_back(line.substr(std::min(line.size(), line.find_first_not_of(' '))));
    }
    return lines;
}

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines)
    {
        text += line + "\n";
    }
    return text;
}

struct Fenced
{
    std::string language;
    std::vector<std::string> lines = {};
};

/// The blocks of code of a page.
std::vector<Fenced> blocks_of(const std::vector<std::string>& lines)
{
    std::vector<Fenced> blocks;
    bool inside = false;
    for (const std::string& line : lines)
    {
        if (!line.starts_with("```"))
        {
            if (inside)
            {
                blocks.back().lines.push_back(line);
            }
            continue;
        }
        inside = !inside;
        if (inside)
        {
            blocks.push_back({line.substr(3)});
        }
    }
    return blocks;
}

}

TEST_CASE("the code of testing.md stands in the samples, and its report is what the checker prints")
{
    std::string samples;
    for (const std::string framework : {"doctest", "googletest", "catch2"})
    {
        std::ifstream sample(TEST_FOLDER "/../samples/gradient_test_" + framework + ".cpp");
        REQUIRE(sample);
        samples += joined(lines_of(sample));
    }
    const auto loss = [](const Tensor& w, const Tensor& b)
    { return ag::mean(ag::square(2 * w - ag::stop_gradient(w) + b)); };
    const xt::xarray<double> w{{0.5, -1, 2}, {1, 3, -0.75}};
    std::istringstream printed(to_string(check_gradients(loss, {w, 0.25})));
    const std::string report = joined(lines_of(printed));
    std::ifstream page(TEST_FOLDER "/../autograd/testing.md");
    REQUIRE(page);
    std::size_t code = 0;
    std::size_t reports = 0;
    for (const Fenced& block : blocks_of(lines_of(page)))
    {
        const std::string text = joined(block.lines);
        CAPTURE(text);
        if (block.language == "cpp")
        {
            ++code;
            CHECK(samples.find(text) != std::string::npos);
        }
        else
        {
            ++reports;
            CHECK(text == report);
        }
    }
    CHECK(code >= 5);
    CHECK(reports == 1);
}

namespace
{

/// x^2, linear as it claims in forward mode only.
struct ClaimsToBeLinear
{
    static constexpr const char* name = "claims_to_be_linear";
    static constexpr bool multilinear = true;
    static constexpr ag::detail::Reads reads(std::size_t) { return {.operand_bits = 1}; }

    template <class T>
    ag::Tensor<T> value(const ag::Tensor<T>& x) const
    {
        return ag::square(ag::stop_gradient(x));
    }
    template <class T>
    ag::Tensor<T> pullback(ag::Wrt<0>, const ag::Tensor<T>& dy, const ag::Tensor<T>&, const ag::Tensor<T>& x) const
    {
        return dy * x * 2;
    }
};

}

TEST_CASE("forward mode is compared with reverse mode where that is asked for")
{
    const auto f = [](const Tensor& x) { return ag::apply(ClaimsToBeLinear{}, ag::Location{}, x); };
    CHECK(ag::testing::check_gradients(f, {3.0}));
    CHECK(ag::testing::check_gradients([](const Tensor& x, const Tensor& y) { return ag::sin(x) * ag::exp(x * y); },
                                       {0.3, 0.7}, {.second_order = true, .forward = true}));
    const auto report = ag::testing::check_gradients(f, {3.0}, {.forward = true});
    CHECK_FALSE(report.passed);
    CHECK(to_string(report).starts_with("forward mode gives other derivatives than reverse mode, whose agree with "
                                        "differences; analytic is forward, numeric reverse:\n"));
}
