#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

// Expected numbers were computed with mpmath in 30 digits.

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double pi = std::acos(-1.0);

/// The derivative of this order at x, by nested tapes.
template <class F>
double derivative(const F& f, int order, double x)
{
    const auto nested = [&f](const auto& self, int rest, const Tensor& at) -> Tensor
    {
        if (rest == 0)
        {
            return f(at);
        }
        ag::GradientTape tape;
        tape.watch(at);
        return tape.gradient(self(self, rest - 1, at), at);
    };
    return nested(nested, order, Tensor(x)).item();
}

}

TEST_CASE("error functions keep their digits far from 0")
{
    const Tensor x(xt::xarray<double>{-800, -1, 0, 0.5, 3, 800});
    CHECK(close(ag::erf(x), {-1, std::erf(-1.0), 0, std::erf(0.5), std::erf(3.0), 1}, 1e-14));
    CHECK(close(ag::erfc(x), {2, std::erfc(-1.0), 1, std::erfc(0.5), std::erfc(3.0), 0}));
    CHECK(close(ag::erfcx(Tensor(xt::xarray<double>{-800, 0, 3, 800, inf})),
                {inf, 1, 0.17900115118138995, 0.00070523642846959662, 0}));
    CHECK(close(ag::erfinv(Tensor(xt::xarray<double>{-1, -0.9, 0, 0.5, 1, 1.5})),
                {-inf, -1.1630871536766741, 0, 0.47693627620446987, inf, not_a_number}));
    CHECK(close(gradient([](const Tensor& t) { return ag::erf(t); }, Tensor(xt::xarray<double>{-800, 0, 800})),
                {0, 4 / std::sqrt(pi), 0}));
}

TEST_CASE("the normal distribution keeps its digits in both tails, and so does the derivative of its logarithm")
{
    CHECK(close(ag::ndtr(Tensor(xt::xarray<double>{-800, -3, 0, 800})), {0, 0.0013498980316300945, 0.5, 1}));
    const Tensor x(xt::xarray<double>{-800, -40, -3, 0, 800});
    const auto log_ndtr = [](const Tensor& t) { return ag::log_ndtr(t); };
    CHECK(close(log_ndtr(x), {-320007.60355182337, -804.60844201375379, -6.6077262215103495, -std::log(2.0), 0}));
    CHECK(derivative(log_ndtr, 1, -800) == doctest::Approx(800.0012499960937744).epsilon(1e-13));
    CHECK(derivative(log_ndtr, 1, 800) == 0);
    CHECK(derivative(log_ndtr, 2, 800) == 0);
    CHECK(derivative(log_ndtr, 2, -800) == doctest::Approx(-1).epsilon(1e-5));
    CHECK(derivative(log_ndtr, 2, 0) == doctest::Approx(-2 / pi));
    CHECK(close(ag::ndtri(ag::ndtr(Tensor(xt::xarray<double>{-30, -3, 0.25, 3}))), {-30, -3, 0.25, 3}, 1e-13));
    CHECK(close(ag::ndtri(Tensor(xt::xarray<double>{0, 1, -0.1})), {-inf, inf, not_a_number}));
}

TEST_CASE("gamma functions and their derivatives of every order")
{
    const auto lgamma = [](const Tensor& t) { return ag::lgamma(t); };
    CHECK(close(lgamma(Tensor(xt::xarray<double>{0.5, 4, -0.5, 0, inf})),
                {std::log(pi) / 2, std::log(6.0), std::log(2 * std::sqrt(pi)), inf, inf}));
    CHECK(close(ag::digamma(Tensor(xt::xarray<double>{0.5, 3, -1.5, 0.0, -0.0, -2, inf})),
                {-1.9635100260214235, 0.92278433509846714, 0.70315664064524319, -inf, inf, not_a_number, inf}));
    CHECK(derivative(lgamma, 2, 1) == doctest::Approx(pi * pi / 6).epsilon(1e-14));
    CHECK(derivative(lgamma, 3, 0.5) == doctest::Approx(-16.82879664423432).epsilon(1e-14));
    CHECK(close(ag::polygamma(3, Tensor(-0.3)), 766.61989041916847, 1e-13));
    CHECK(close(ag::polygamma(1, Tensor(xt::xarray<double>{-1e300, -1e9 - 0.5, not_a_number})),
                {inf, pi * pi, not_a_number}, 1e-8));
    CHECK(derivative([](const Tensor& t) { return ag::tgamma(t); }, 1, 1) == doctest::Approx(-0.5772156649015329));
    CHECK(close(ag::mvlgamma(Tensor(3.0), 3), 2.6949248798069647));
    CHECK(thrown<ag::ValueError>([] { ag::mvlgamma(Tensor(3.0), 0); }) ==
          "mvlgamma: the dimension p must be at least 1: got 0 (HERE).");
    CHECK(thrown<ag::ValueError>([] { ag::mvlgamma(Tensor(1.0), 3); }) ==
          "mvlgamma: elements must be above (p - 1) / 2: got 1.000000 for p = 3 (HERE).");
}

TEST_CASE("Bessel functions, scaled where they would overflow, are smooth at 0")
{
    const Tensor x(xt::xarray<double>{0, 1, -30, 800});
    CHECK(close(ag::i0(x), {1, 1.2660658777520083, 781672297823.97749, inf}));
    CHECK(close(ag::i1(x), {0, 0.56515910399248503, -768532038938.957, inf}));
    CHECK(close(ag::i0e(x),
                {1, 1.2660658777520083 * std::exp(-1.0), 781672297823.97749 * std::exp(-30.0), 0.014106945005869184}));
    CHECK(close(ag::i1e(x),
                {0, 0.56515910399248503 * std::exp(-1.0), -768532038938.957 * std::exp(-30.0), 0.014098125406526997}));
    const auto i1 = [](const Tensor& t) { return ag::i1(t); };
    CHECK(derivative(i1, 1, 0) == 0.5);
    CHECK(derivative(i1, 2, 0) == 0);
    CHECK(derivative(i1, 3, 0) == 0.375);
}

TEST_CASE("sinc is smooth at 0")
{
    const auto sinc = [](const Tensor& t) { return ag::sinc(t); };
    CHECK(close(sinc(Tensor(xt::xarray<double>{0, 0.5, 1.5, 1e-20})), {1, 2 / pi, -2 / (3 * pi), 1}));
    CHECK(derivative(sinc, 1, 0) == 0);
    CHECK(derivative(sinc, 2, 0) == doctest::Approx(-pi * pi / 3));
    CHECK(derivative(sinc, 4, 0) == doctest::Approx(19.481818206800487));
    CHECK(derivative(sinc, 1, 1e-8) == doctest::Approx(-pi * pi / 3 * 1e-8).epsilon(1e-12));
}

TEST_CASE("entropies are 0 at 0")
{
    const Tensor x(xt::xarray<double>{-1, 0, 0.5, 1, inf, not_a_number});
    CHECK(close(ag::entr(x), {-inf, 0, std::log(2.0) / 2, 0, -inf, not_a_number}));
    CHECK(close(ag::xlogy(Tensor(xt::xarray<double>{0, 0, 0, 2}), Tensor(xt::xarray<double>{0, -1, not_a_number, 0})),
                {0, 0, not_a_number, -inf}));
    CHECK(close(ag::xlog1py(Tensor(xt::xarray<double>{0, 2}), Tensor(xt::xarray<double>{-1, 1e-20})), {0, 2e-20}));
    const auto by = [](double a, double b)
    { return gradient([b](const Tensor& t) { return ag::xlogy(t, b); }, Tensor(a)).item(); };
    CHECK(by(0, 0) == 0);
    CHECK(by(0, 2) == std::log(2.0));
    CHECK(by(1, 0) == -inf);
}

TEST_CASE("logit keeps its digits around a half, is infinite at 0 and 1 and NaN outside")
{
    const auto logit = [](const Tensor& t) { return ag::logit(t); };
    const Tensor x(xt::xarray<double>{-1, 0, 1e-300, 0.5 + 1e-12, 1, 2});
    const double distance = 0.5 + 1e-12 - 0.5;
    CHECK(close(logit(x), {not_a_number, -inf, std::log(1e-300), 4 * distance, inf, not_a_number}));
    CHECK(close(gradient(logit, x), {not_a_number, inf, 3e300, 16, inf, not_a_number}));
    CHECK(close(ag::logit(x, 0.25),
                {-std::log(3.0), -std::log(3.0), -std::log(3.0), 4 * distance, std::log(3.0), std::log(3.0)}));
    CHECK(close(gradient([](const Tensor& t) { return ag::logit(t, 0.25); }, x), {0, 0, 0, 16, 0, 0}));
}

TEST_CASE("functions with a parameter that has no gradient")
{
    CHECK(close(ag::zeta(2.0, Tensor(xt::xarray<double>{1, 0, -1})), {pi * pi / 6, inf, inf}));
    CHECK(close(ag::zeta(3.5, Tensor(xt::xarray<double>{0.25, -0.5})), {128.54695896428435, not_a_number}));
    CHECK(close(ag::zeta(xt::xarray<double>{1, 0.5}, Tensor(2.0)), {inf, not_a_number}));
    const Tensor x(xt::xarray<double>{0, 1, 10, inf, -1});
    const auto lower = [](const Tensor& t) { return ag::igamma(2.5, t); };
    CHECK(close(lower(x), {0, 0.15085496391539036, 1 - 0.0012497305630313754, 1, not_a_number}));
    CHECK(close(ag::igammac(2.5, x), {1, 1 - 0.15085496391539036, 0.0012497305630313754, 0, not_a_number}));
    CHECK(close(ag::igamma(100.0, Tensor(95.0)), 0.3173568111698, 1e-12));
    CHECK(derivative(lower, 1, 1) == doctest::Approx(std::exp(-1.0) / std::tgamma(2.5)).epsilon(1e-14));
    CHECK(derivative([](const Tensor& t) { return ag::igammac(1.0, t); }, 1, 0) == -1);

    ag::Variable<double> a(2.5);
    CHECK(close(ag::igamma(a, Tensor(1.0)), 0.15085496391539036));
    ag::GradientTape tape;
    CHECK(
        thrown<ag::TapeError>([&] { ag::igamma(a, Tensor(1.0)); }) ==
        "igamma: has no derivative by a, which is on a tape (HERE). Pass stop_gradient(a) if it counts as a constant.");
    CHECK(thrown<ag::TapeError>([&] { ag::zeta(a + 1, Tensor(1.0)); }) ==
          "zeta: has no derivative by s, which is on a tape (HERE). Pass stop_gradient(s) if it counts as a constant.");
    CHECK(close(ag::igamma(ag::stop_gradient(a), Tensor(1.0)), 0.15085496391539036));
}

TEST_CASE("special functions in float are those in double, rounded")
{
    const xt::xarray<float> x{0.125F, 0.25F, 0.375F, 0.5F, 0.625F, 0.75F, 0.875F};
    const ag::Tensor<float> in_float(x);
    const Tensor in_double(x);
    const auto check = [&](auto f) { CHECK(close(f(in_float), f(in_double).value(), 2e-7)); };
    check([](const auto& t) { return ag::digamma(t); });
    check([](const auto& t) { return ag::erfcx(t); });
    check([](const auto& t) { return ag::erfinv(t); });
    check([](const auto& t) { return ag::i0(t); });
    check([](const auto& t) { return ag::polygamma(4, t); });
    check([](const auto& t) { return ag::sinc(t); });
    check([](const auto& t) { return ag::zeta(1.5, t); });
    check([](const auto& t) { return ag::igamma(1.5, t); });
}
