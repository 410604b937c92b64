#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// An operation of one operand, what it should give, and where.
struct Unary
{
    const char* name;
    Tensor (*in_double)(const Tensor&, ag::Location);
    ag::Tensor<float> (*in_float)(const ag::Tensor<float>&, ag::Location);
    double (*value)(double);
    double (*derivative)(double);
    double low;
    double high;
};

double sigmoid(double x)
{
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}

#define UNARY(name, value, derivative, low, high)                                                                      \
    {                                                                                                                  \
#name, &ag::name < double>, &ag::name < float>, [](double x) -> double { return value; },                      \
                                                                                               [](double x) -> double  \
        { return static_cast<void>(x), derivative; }, low, high                                                        \
    }

const Unary unary_operations[] = {
    UNARY(exp, std::exp(x), std::exp(x), -20, 20),
    UNARY(expm1, std::expm1(x), std::exp(x), -20, 20),
    UNARY(log, std::log(x), 1 / x, 0.01, 100),
    UNARY(log1p, std::log1p(x), 1 / (1 + x), -0.9, 100),
    UNARY(sqrt, std::sqrt(x), 0.5 / std::sqrt(x), 0.01, 100),
    UNARY(square, x* x, 2 * x, -9, 9),
    UNARY(abs, std::abs(x), sign(x), -9, 9),
    UNARY(sign, sign(x), 0.0, -9, 9),
    UNARY(sin, std::sin(x), std::cos(x), -20, 20),
    UNARY(cos, std::cos(x), -std::sin(x), -20, 20),
    UNARY(tan, std::tan(x), 1 / (std::cos(x) * std::cos(x)), -1.4, 1.4),
    UNARY(sinh, std::sinh(x), std::cosh(x), -9, 9),
    UNARY(cosh, std::cosh(x), std::sinh(x), -9, 9),
    // The gradient is computed from the value, of which a float near 1 leaves 1 - y^2 few digits.
    UNARY(tanh, std::tanh(x), 1 / (std::cosh(x) * std::cosh(x)), -3, 3),
    UNARY(sigmoid, sigmoid(x), sigmoid(x) * sigmoid(-x), -9, 9),
    UNARY(exp2, std::exp2(x), std::exp2(x) * std::log(2.0), -20, 20),
    UNARY(log2, std::log2(x), 1 / (x * std::log(2.0)), 0.01, 100),
    UNARY(log10, std::log10(x), 1 / (x * std::log(10.0)), 0.01, 100),
    UNARY(rsqrt, 1 / std::sqrt(x), -0.5 / (x * std::sqrt(x)), 0.01, 100),
    UNARY(cbrt, std::cbrt(x), 1 / (3 * std::cbrt(x) * std::cbrt(x)), -9, 10),
    UNARY(cube, x* x* x, 3 * x * x, -9, 9),
    UNARY(reciprocal, 1 / x, -1 / (x * x), 0.01, 100),
    UNARY(fabs, std::abs(x), sign(x), -9, 9),
    UNARY(asin, std::asin(x), 1 / std::sqrt(1 - x * x), -0.9, 0.9),
    UNARY(acos, std::acos(x), -1 / std::sqrt(1 - x * x), -0.9, 0.9),
    UNARY(atan, std::atan(x), 1 / (1 + x * x), -20, 20),
    UNARY(asinh, std::asinh(x), 1 / std::sqrt(1 + x * x), -20, 20),
    UNARY(acosh, std::acosh(x), 1 / std::sqrt(x * x - 1), 1.1, 20),
    UNARY(atanh, std::atanh(x), 1 / (1 - x * x), -0.9, 0.9),
    UNARY(deg2rad, x * 0.017453292519943295, 0.017453292519943295, -360, 360),
    UNARY(radians, x * 0.017453292519943295, 0.017453292519943295, -360, 360),
    UNARY(rad2deg, x * 57.29577951308232, 57.29577951308232, -9, 9),
    UNARY(degrees, x * 57.29577951308232, 57.29577951308232, -9, 9),
    UNARY(ceil, std::ceil(x), 0.0, -9, 9),
    UNARY(floor, std::floor(x), 0.0, -9, 9),
    UNARY(trunc, std::trunc(x), 0.0, -9, 9),
    UNARY(round, std::round(x), 0.0, -9, 9),
    UNARY(rint, std::nearbyint(x), 0.0, -9, 9),
    UNARY(nearbyint, std::nearbyint(x), 0.0, -9, 9),
    UNARY(frac, x - std::trunc(x), 1.0, -9, 9),
    UNARY(relu, std::fmax(x, 0), x > 0 ? 1.0 : 0.0, -9, 9),
    UNARY(softplus, std::log1p(std::exp(x)), sigmoid(x), -20, 20),
};
#undef UNARY

/// Points over [low, high] that a float can hold; as many as run through whole registers and a rest.
xt::xarray<double> points(double low, double high, std::size_t count = 37)
{
    return xt::cast<double>(xt::cast<float>(xt::linspace<double>(low, high, count)));
}

xt::xarray<double> mapped(double (*f)(double), const xt::xarray<double>& x)
{
    xt::xarray<double> y = x;
    for (double& element : y.storage())
    {
        element = f(element);
    }
    return y;
}

}

TEST_CASE("operations of one operand have the values and derivatives of <cmath>, in arrays and as scalars")
{
    for (const Unary& operation : unary_operations)
    {
        const std::string name = operation.name;
        CAPTURE(name);
        const xt::xarray<double> x = points(operation.low, operation.high);
        const xt::xarray<double> y = mapped(operation.value, x);
        const xt::xarray<double> slope = mapped(operation.derivative, x);
        const xt::xarray<double> weighted = slope * xt::arange<double>(1, 38);
        const auto in_double = [&](const Tensor& t) { return operation.in_double(t, {}); };
        const auto in_float = [&](const ag::Tensor<float>& t) { return operation.in_float(t, {}); };
        CHECK(close(in_double(Tensor(x)), y, 1e-14, 1e-15));
        CHECK(close(gradient(in_double, Tensor(x)), weighted, 1e-13, 1e-13));
        CHECK(close(in_float(ag::Tensor<float>(x)), y, 5e-7, 1e-7));
        CHECK(close(gradient(in_float, ag::Tensor<float>(x)), weighted, 2e-5, 2e-6));
        for (std::size_t i = 0; i < x.size(); i += 5)
        {
            CAPTURE(x(i));
            CHECK(close(in_double(Tensor(x(i))), y(i), 1e-15));
            CHECK(close(gradient(in_double, Tensor(x(i))), slope(i), 1e-13, 1e-15));
            CHECK(close(in_float(ag::Tensor<float>(x(i))), y(i), 2e-7));
        }
    }
}

TEST_CASE("operations of one operand keep shapes: 0-d, size-1 axes, empty")
{
    for (const Unary& operation : unary_operations)
    {
        const std::string name = operation.name;
        CAPTURE(name);
        const auto f = [&](const Tensor& t) { return operation.in_double(t, {}); };
        for (const ag::Shape& shape : {ag::Shape{}, ag::Shape{1}, ag::Shape{1, 3, 1}, ag::Shape{0}, ag::Shape{2, 0, 3}})
        {
            CAPTURE(to_string(shape));
            xt::xarray<double> halves(xt::xarray<double>::shape_type(shape.begin(), shape.end()));
            halves.fill(0.5);
            const Tensor x(halves);
            CHECK(f(x).shape() == shape);
            CHECK(gradient(f, x).shape() == shape);
        }
    }
}

TEST_CASE("logarithms and exponentials near 0 keep all digits")
{
    const Tensor tiny(xt::xarray<double>{1e-20, -1e-20, 1e-10});
    CHECK(close(ag::expm1(tiny), {1e-20, -1e-20, std::expm1(1e-10)}));
    CHECK(close(ag::log1p(tiny), {1e-20, -1e-20, std::log1p(1e-10)}));
}

TEST_CASE("kinks have the derivative that PyTorch gives them")
{
    const Tensor x(xt::xarray<double>{-1, -0.0, 0.0, 1});
    CHECK(close(gradient([](const Tensor& t) { return ag::relu(t); }, x), {0, 0, 0, 4}));
    CHECK(close(gradient([](const Tensor& t) { return ag::abs(t); }, x), {-1, 0, 0, 4}));
    CHECK(close(gradient([](const Tensor& t) { return ag::sign(t); }, x), {0, 0, 0, 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::relu(t); }, Tensor(0.0)), 0.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::abs(t); }, Tensor(0.0)), 0.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::sqrt(t); }, Tensor(0.0)), inf));
    CHECK(close(gradient([](const Tensor& t) { return ag::log(t); }, Tensor(0.0)), inf));
}

TEST_CASE("far from 0 nothing overflows that has a finite value, nor its derivative")
{
    const Tensor x(xt::xarray<double>{-800, 800});
    const auto check = [&](auto f, xt::xarray<double> value, xt::xarray<double> slope)
    {
        CHECK(close(f(x), value));
        CHECK(close(gradient(f, x), slope * xt::xarray<double>{1, 2}));
        for (const std::size_t i : {0, 1})
        {
            CHECK(close(f(Tensor(x.data()[i])), value(i)));
            CHECK(close(gradient(f, Tensor(x.data()[i])), slope(i)));
        }
    };
    check([](const Tensor& t) { return ag::exp(t); }, {0, inf}, {0, inf});
    check([](const Tensor& t) { return ag::expm1(t); }, {-1, inf}, {0, inf});
    check([](const Tensor& t) { return ag::sigmoid(t); }, {0, 1}, {0, 0});
    check([](const Tensor& t) { return ag::softplus(t); }, {0, 800}, {0, 1});
    check([](const Tensor& t) { return ag::tanh(t); }, {-1, 1}, {0, 0});
    check([](const Tensor& t) { return ag::relu(t); }, {0, 800}, {0, 1});
    check([](const Tensor& t) { return ag::sinh(t); }, {-inf, inf}, {inf, inf});
    check([](const Tensor& t) { return ag::cosh(t); }, {inf, inf}, {-inf, inf});
}

TEST_CASE("the same holds in float")
{
    const ag::Tensor<float> x(xt::xarray<float>{-800, 800, -90, 90});
    using Float = const ag::Tensor<float>&;
    CHECK(close(ag::sigmoid(x), {0, 1, std::exp(-90.0), 1}, 1e-5, 1e-38));
    CHECK(close(ag::softplus(x), {0, 800, std::exp(-90.0), 90}, 1e-5, 1e-38));
    CHECK(close(ag::tanh(x), {-1, 1, -1, 1}));
    CHECK(close(gradient([](Float t) { return ag::sigmoid(t); }, x), {0, 0, 0, 0}, 0, 1e-38));
    CHECK(close(gradient([](Float t) { return ag::softplus(t); }, x), {0, 2, 0, 4}, 1e-6, 1e-38));
    CHECK(close(gradient([](Float t) { return ag::tanh(t); }, x), {0, 0, 0, 0}));
}

TEST_CASE("second derivatives far from 0 are 0, not NaN")
{
    const auto second = [](auto f, double at)
    {
        Variable x(at);
        ag::GradientTape outer;
        ag::GradientTape inner;
        return outer.gradient(inner.gradient(f(x), x), x);
    };
    for (const double at : {-800.0, 800.0})
    {
        CHECK(close(second([](const Tensor& t) { return ag::sigmoid(t); }, at), 0.0));
        CHECK(close(second([](const Tensor& t) { return ag::softplus(t); }, at), 0.0));
        CHECK(close(second([](const Tensor& t) { return ag::tanh(t); }, at), 0.0));
    }
}

namespace
{

/// A function of numbers with more digits, the operation on arrays that it checks, and how many units in the last place
/// that may be off.
struct Rounded
{
    const char* name;
    long double (*exact)(long double);
    Tensor (*in_double)(const Tensor&, ag::Location);
    ag::Tensor<float> (*in_float)(const ag::Tensor<float>&, ag::Location);
    double most_units;
};

const Rounded rounded_operations[] = {
    {"exp", [](long double x) { return std::exp(x); }, &ag::exp<double>, &ag::exp<float>, 1.15},
    {"expm1", [](long double x) { return std::expm1(x); }, &ag::expm1<double>, &ag::expm1<float>, 2},
    {"log", [](long double x) { return std::log(x); }, &ag::log<double>, &ag::log<float>, 1},
    {"log1p", [](long double x) { return std::log1p(x); }, &ag::log1p<double>, &ag::log1p<float>, 1},
    {"tanh", [](long double x) { return std::tanh(x); }, &ag::tanh<double>, &ag::tanh<float>, 1.3},
    {"sin", [](long double x) { return std::sin(x); }, &ag::sin<double>, &ag::sin<float>, 1.4},
    {"cos", [](long double x) { return std::cos(x); }, &ag::cos<double>, &ag::cos<float>, 1.4},
};

/// How far a number is from an exact one, in the distance of the nearest number to its neighbour; 0 if both are NaN, and
/// infinite if the signs differ, or only one is infinite or NaN.
template <class T>
double units_between(T x, long double exact)
{
    const T nearest = static_cast<T>(exact);
    if (std::isnan(nearest) || std::isinf(nearest) || std::isnan(x) || std::isinf(x) ||
        std::signbit(x) != std::signbit(nearest))
    {
        return (std::isnan(nearest) && std::isnan(x)) || nearest == x ? 0 : inf;
    }
    const T next = std::nextafter(std::abs(nearest), std::numeric_limits<T>::infinity());
    const long double unit = static_cast<long double>(next) - std::abs(nearest);
    return static_cast<double>(std::abs(x - exact) / unit);
}

/// Of every kind: small and large, where results overflow or are subnormal, and those that are no ordinary numbers.
template <class T>
std::vector<T> arguments_of_every_kind()
{
    using Limits = std::numeric_limits<T>;
    std::vector<T> all{0,
                       T(-0.0),
                       1,
                       -1,
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::min(),
                       Limits::denorm_min(),
                       -Limits::denorm_min(),
                       Limits::max(),
                       Limits::lowest(),
                       Limits::min() / 8};
    const T overflow = std::log(Limits::max());
    const T vanish = std::log(Limits::denorm_min());
    for (const T edge : {overflow, vanish, std::log(Limits::min()), T(0.625), T(1) / 2, std::sqrt(T(2)),
                         std::sqrt(T(0.5)), T(20), T(10), T(200), T(3e4), T(1.6e6), std::acos(T(0)), std::acos(T(-1))})
    {
        for (const T x :
             {edge, std::nextafter(edge, T(0)), std::nextafter(edge, 2 * edge), edge * T(0.99), edge * T(1.01)})
        {
            all.insert(all.end(), {x, -x});
        }
    }
    ag::Generator random(1);
    const auto add = [&](double low, double high, auto f)
    {
        for (const double x : random.uniform<double>({2000}, low, high).value())
        {
            all.push_back(static_cast<T>(f(x)));
        }
    };
    const auto as_it_is = [](double x) { return x; };
    add(-1, 1, as_it_is);
    add(-25, 25, as_it_is);
    add(-1000, 1000, as_it_is);
    add(-1e5, 1e5, as_it_is);
    add(-3e6, 3e6, as_it_is);
    add(vanish, overflow, as_it_is);
    add(0, overflow, [](double x) { return std::exp(x); });
    add(vanish, 0, [](double x) { return std::exp(x); });
    add(vanish, 0, [](double x) { return -std::exp(x); });
    add(0.999, 1.001, as_it_is);
    return all;
}

template <class T, class Operation>
void check_rounding(const Rounded& rounded, Operation operation)
{
    const std::vector<T> x = arguments_of_every_kind<T>();
    xt::xarray<T> array = xt::xarray<T>::from_shape({x.size()});
    std::copy(x.begin(), x.end(), array.begin());
    const auto y = operation(array, ag::Location{});
    for (std::size_t i = 0; i < x.size(); ++i)
    {
        CAPTURE(x[i]);
        CAPTURE(y.data()[i]);
        const long double exact = rounded.exact(x[i]);
        // Near the smallest normal number exp is 0.
        CAPTURE(units_between(y.data()[i], exact));
        const bool vanishes = y.data()[i] == 0 && exact > 0 && exact < 2 * std::numeric_limits<T>::min();
        CHECK((vanishes || units_between(y.data()[i], exact) <= rounded.most_units));
    }
}

}

TEST_CASE("exponentials, logarithms and sines of arrays are right to the last digit, at every edge")
{
    for (const Rounded& rounded : rounded_operations)
    {
        CAPTURE(std::string(rounded.name));
        check_rounding<float>(rounded, rounded.in_float);
        check_rounding<double>(rounded, rounded.in_double);
    }
}

TEST_CASE("exponentials of what no float or double can hold are 0 or infinite")
{
    CHECK(close(ag::exp(Tensor(xt::xarray<double>{-1000, -750, 0, 710, 1e300})), {0, 0, 1, inf, inf}));
    constexpr float infinite = std::numeric_limits<float>::infinity();
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    const ag::Tensor<float> x(xt::xarray<float>{-infinite, -1e30F, -104, 0, 89, 1e30F, infinite, none});
    CHECK(close(ag::exp(x), {0, 0, 0, 1, inf, inf, inf, not_a_number}));
}

TEST_CASE("inf and NaN propagate")
{
    const Tensor x(xt::xarray<double>{inf, -inf, not_a_number});
    CHECK(close(ag::exp(x), {inf, 0, not_a_number}));
    CHECK(close(ag::expm1(x), {inf, -1, not_a_number}));
    CHECK(close(ag::log(x), {inf, not_a_number, not_a_number}));
    CHECK(close(ag::log1p(x), {inf, not_a_number, not_a_number}));
    CHECK(close(ag::sqrt(x), {inf, not_a_number, not_a_number}));
    CHECK(close(ag::square(x), {inf, inf, not_a_number}));
    CHECK(close(ag::abs(x), {inf, inf, not_a_number}));
    CHECK(close(ag::sin(x), {not_a_number, not_a_number, not_a_number}));
    CHECK(close(ag::cos(x), {not_a_number, not_a_number, not_a_number}));
    CHECK(close(ag::tan(x), {not_a_number, not_a_number, not_a_number}));
    CHECK(close(ag::tanh(x), {1, -1, not_a_number}));
    CHECK(close(ag::sigmoid(x), {1, 0, not_a_number}));
    CHECK(close(ag::relu(x), {inf, 0, not_a_number}));
    CHECK(close(ag::softplus(x), {inf, 0, not_a_number}));
    CHECK(close(ag::sinh(x), {inf, -inf, not_a_number}));
    CHECK(close(ag::cosh(x), {inf, inf, not_a_number}));
    CHECK(close(ag::log(Tensor(xt::xarray<double>{0, -1})), {-inf, not_a_number}));
    CHECK(close(ag::maximum(x, 1.0), {inf, 1, not_a_number}));
    CHECK(close(ag::maximum(1.0, x), {inf, 1, not_a_number}));
    CHECK(close(ag::minimum(x, 1.0), {1, -inf, not_a_number}));
    CHECK(close(ag::minimum(1.0, x), {1, -inf, not_a_number}));
    CHECK(close(ag::clip(x, -1.0, 1.0), {1, -1, not_a_number}));
    CHECK(close(ag::pow(x, 2.0), {inf, inf, not_a_number}));
    CHECK(close(ag::pow(x, 0.0), {1, 1, 1}));
    CHECK(close(ag::pow(x, 3.0), {inf, -inf, not_a_number}));
    CHECK(close(ag::pow(2.0, x), {inf, 0, not_a_number}));
    CHECK(close(x - x, {not_a_number, not_a_number, not_a_number}));
    CHECK(close(1.0 / Tensor(xt::xarray<double>{0.0, -0.0}), {inf, -inf}));
}

TEST_CASE("a NaN in a gradient stays in its element")
{
    const auto f = [](const Tensor& t) { return ag::exp(t) * t; };
    const Tensor slope = gradient(f, Tensor(xt::xarray<double>{0, not_a_number, 0}));
    CHECK(close(slope, {1, not_a_number, 3}));
}

TEST_CASE("where does not let the branch that was not taken spoil the gradient")
{
    const Tensor x(xt::xarray<double>{0.0, 4.0});
    const auto f = [](const Tensor& t) { return ag::where(t > 1.0, t * 3.0, t * 5.0); };
    CHECK(close(gradient(f, x), {5, 6}));
    const Tensor a(xt::xarray<double>{inf, 1});
    const auto g = [&](const Tensor& t) { return ag::where(xt::xarray<bool>{false, true}, a, t); };
    CHECK(close(g(x), {0, 1}));
    CHECK(close(gradient(g, x), {1, 0}));
}

TEST_CASE("arithmetic broadcasts in both directions as xtensor does")
{
    const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
    const xt::xarray<double> row{10, 20, 30};
    const xt::xarray<double> tall = column({7, 9});
    const Tensor ta(a);
    const Tensor tr(row);
    const Tensor tt(tall);
    CHECK(close(ta + tr, a + row));
    CHECK(close(tr + ta, a + row));
    CHECK(close(ta - tt, a - tall));
    CHECK(close(tt - ta, tall - a));
    CHECK(close(tr * tt, row * tall));
    CHECK(close(tt / tr, tall / row));
    CHECK(close(Tensor(xt::xarray<double>{{{1, 2, 3}}, {{4, 5, 6}}}) * tt,
                xt::xarray<double>{{{7, 14, 21}, {9, 18, 27}}, {{28, 35, 42}, {36, 45, 54}}}));
    CHECK(close(ag::maximum(tr, tt), {{10, 20, 30}, {10, 20, 30}}));
    CHECK(close(ag::pow(tt, Tensor(xt::xarray<double>{0, 1, 2})), {{1, 7, 49}, {1, 9, 81}}));
}

TEST_CASE("gradients are added up over axes that were stretched")
{
    const Tensor a(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const Tensor row(xt::xarray<double>{10, 20, 30});
    const Tensor tall(column({7, 9}));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return x * y; }, a, row);
    CHECK(close(by[0], {{10, 40, 90}, {40, 100, 180}}));
    CHECK(close(by[1], {1 * 1 + 4 * 4, 2 * 2 + 5 * 5, 3 * 3 + 6 * 6}));
    const auto outer = gradients([](const Tensor& x, const Tensor& y) { return x - y; }, tall, row);
    CHECK(close(outer[0], column({6, 15})));
    CHECK(close(outer[1], {-5, -7, -9}));
    const auto scalar = gradients([](const Tensor& x, const Tensor& y) { return x / y; }, a, Tensor(2.0));
    CHECK(close(scalar[0], {{0.5, 1, 1.5}, {2, 2.5, 3}}));
    CHECK(close(scalar[1], -(1 + 4 + 9 + 16 + 25 + 36) / 4.0));
}

TEST_CASE("an axis of one element against none gives none, and a gradient of zeros")
{
    const Tensor one(column({3}));
    const Tensor none(xt::xarray<double>(xt::zeros<double>({1, 0})));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return x * y; }, one, none);
    CHECK((one * none).shape() == ag::Shape{1, 0});
    CHECK(close(by[0], column({0})));
    CHECK(by[1].shape() == ag::Shape{1, 0});
}

TEST_CASE("scalars may stand on either side, of any arithmetic type")
{
    const Tensor x(xt::xarray<double>{1, 2, 4});
    CHECK(close(x + 1, {2, 3, 5}));
    CHECK(close(1 + x, {2, 3, 5}));
    CHECK(close(x - 0.5F, {0.5, 1.5, 3.5}));
    CHECK(close(3L - x, {2, 1, -1}));
    CHECK(close(x * 2U, {2, 4, 8}));
    CHECK(close(2.5 * x, {2.5, 5, 10}));
    CHECK(close(x / 4, {0.25, 0.5, 1}));
    CHECK(close(1 / x, {1, 0.5, 0.25}));
    CHECK(close(-x, {-1, -2, -4}));
    CHECK(close(ag::maximum(x, 2), {2, 2, 4}));
    CHECK(close(ag::minimum(2, x), {1, 2, 2}));
    CHECK(close(ag::pow(2, x), {2, 4, 16}));
    CHECK(close(gradient([](const Tensor& t) { return 3 - t; }, x), {-1, -2, -3}));
    CHECK(close(gradient([](const Tensor& t) { return 8 / t; }, x), {-8, -4, -1.5}));
    CHECK(close(2.0F * ag::Tensor<float>(1.5F), 3.0));
    CHECK(close(2.0 * ag::Tensor<float>(1.5F), 3.0));
}

TEST_CASE("xtensor arrays, views and expressions may stand on either side")
{
    const xt::xarray<double> a{1, 2, 4};
    const xt::xarray<int> whole{1, 2, 4};
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(x + a, {{2, 4, 7}, {5, 7, 10}}));
    CHECK(close(a + x, {{2, 4, 7}, {5, 7, 10}}));
    CHECK(close(x - 2 * a, {{-1, -2, -5}, {2, 1, -2}}));
    CHECK(close(2 * a - x, {{1, 2, 5}, {-2, -1, 2}}));
    CHECK(close(x * ag::Tensor<double>(1.0).value(), {{1, 2, 3}, {4, 5, 6}}));
    CHECK(close(xt::exp(0.0 * a) / x, {{1, 1 / 2.0, 1 / 3.0}, {1 / 4.0, 1 / 5.0, 1 / 6.0}}));
    CHECK(close(x / whole, {{1, 1, 0.75}, {4, 2.5, 1.5}}));
    CHECK(close(whole * x, {{1, 4, 12}, {4, 10, 24}}));
    CHECK(close(x + x.value(), {{2, 4, 6}, {8, 10, 12}}));
    CHECK(close(ag::maximum(3 * a, x), {{3, 6, 12}, {4, 6, 12}}));
    CHECK(close(gradient([&](const Tensor& t) { return 2 * a - t * a; }, x), {{-1, -4, -12}, {-4, -10, -24}}));
    const xt::xarray<double, xt::layout_type::column_major> columns = x.value();
    CHECK(close(x - columns, {{0, 0, 0}, {0, 0, 0}}));
    CHECK(close(xt::transpose(columns) - ag::transpose(x), {{0, 0}, {0, 0}, {0, 0}}));
}

TEST_CASE("comparisons are xtensor's")
{
    const xt::xarray<double> a{{1, 2, 3}, {3, 2, not_a_number}};
    const xt::xarray<double> b{2, 2, 3};
    const Tensor x(a);
    const Tensor y(b);
    CHECK((x < y) == xt::xarray<bool>(a < b));
    CHECK((x <= y) == xt::xarray<bool>(a <= b));
    CHECK((x > y) == xt::xarray<bool>(a > b));
    CHECK((x >= y) == xt::xarray<bool>(a >= b));
    CHECK((x == y) == xt::xarray<bool>(xt::equal(a, b)));
    CHECK((x != y) == xt::xarray<bool>(xt::not_equal(a, b)));
    CHECK((x < 2) == xt::xarray<bool>(a < 2.0));
    CHECK((2 < x) == xt::xarray<bool>(a > 2.0));
    CHECK((2 <= x) == xt::xarray<bool>(a >= 2.0));
    CHECK((2 > x) == xt::xarray<bool>(a < 2.0));
    CHECK((2 >= x) == xt::xarray<bool>(a <= 2.0));
    CHECK((x == 2) == xt::xarray<bool>(xt::equal(a, 2.0)));
    CHECK((2 == x) == xt::xarray<bool>(xt::equal(a, 2.0)));
    CHECK((2 != x) == xt::xarray<bool>(xt::not_equal(a, 2.0)));
    CHECK((x > b) == xt::xarray<bool>(a > b));
    CHECK((b > x) == xt::xarray<bool>(b > a));
    CHECK((b == x) == xt::xarray<bool>(xt::equal(b, a)));
    CHECK((2 * b >= x) == xt::xarray<bool>(2 * b >= a));
    CHECK((Tensor(1.0) < Tensor(2.0))());
    CHECK_FALSE((Tensor(not_a_number) == Tensor(not_a_number))());
    CHECK((Tensor(not_a_number) != Tensor(not_a_number))());
    CHECK((Tensor(1.0) < 2.0).dimension() == 0);
}

TEST_CASE("comparisons of variables are not recorded and make masks for where")
{
    Variable x(xt::xarray<double>{-1, 2, -3});
    ag::GradientTape tape;
    const Tensor y = ag::where(x > 0, x, 0.1 * x);
    CHECK(close(y, {-0.1, 2, -0.3}));
    y.backward(counting<double>({3}));
    CHECK(close(x.grad(), {0.1, 2, 0.3}));
}

TEST_CASE("where takes scalars and arrays on both sides and broadcasts all three")
{
    const xt::xarray<bool> mask{true, false, true};
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(close(ag::where(mask, x, 0), {{1, 0, 3}, {4, 0, 6}}));
    CHECK(close(ag::where(mask, -1.0, x), {{-1, 2, -1}, {-1, 5, -1}}));
    CHECK(close(ag::where(xt::equal(xt::arange<double>(3), 1.0), Tensor(7.0), x), {{1, 7, 3}, {4, 7, 6}}));
    const auto by = gradients([&](const Tensor& a, const Tensor& b) { return ag::where(mask, a, b); }, x, Tensor(0.0));
    CHECK(close(by[0], {{1, 0, 3}, {4, 0, 6}}));
    CHECK(close(by[1], 7.0));
}

TEST_CASE("equal operands of maximum and minimum get half of the gradient each")
{
    const Tensor a(xt::xarray<double>{1, 5, 3});
    const Tensor b(xt::xarray<double>{1, 4, 7});
    const auto larger = gradients([](const Tensor& x, const Tensor& y) { return ag::maximum(x, y); }, a, b);
    CHECK(close(larger[0], {0.5, 2, 0}));
    CHECK(close(larger[1], {0.5, 0, 3}));
    const auto smaller = gradients([](const Tensor& x, const Tensor& y) { return ag::minimum(x, y); }, a, b);
    CHECK(close(smaller[0], {0.5, 0, 3}));
    CHECK(close(smaller[1], {0.5, 2, 0}));
    CHECK(close(gradient([](const Tensor& x) { return ag::maximum(x, 5.0); }, a), {0, 1, 0}));
    CHECK(close(gradient([](const Tensor& x) { return ag::maximum(x, x); }, a), {1, 2, 3}));
}

TEST_CASE("clip passes the gradient inside and at its limits")
{
    const Tensor x(xt::xarray<double>{-3, -1, 0, 2, 5});
    const auto f = [](const Tensor& t) { return ag::clip(t, -1.0, 2.0); };
    CHECK(close(f(x), {-1, -1, 0, 2, 2}));
    CHECK(close(gradient(f, x), {0, 2, 3, 4, 0}));
}

TEST_CASE("limits of clip can be tensors that have gradients; the upper one wins where they cross")
{
    const Tensor x(xt::xarray<double>{-3, 0, 5, 0});
    const Tensor low(xt::xarray<double>{-1, -1, -1, 4});
    const Tensor high(xt::xarray<double>{2, 2, 2, 3});
    const auto f = [](const Tensor& t, const Tensor& a, const Tensor& b) { return ag::clip(t, a, b); };
    CHECK(close(f(x, low, high), {-1, 0, 2, 3}));
    const auto by = gradients(f, x, low, high);
    CHECK(close(by[0], {0, 2, 0, 0}));
    CHECK(close(by[1], {1, 0, 0, 0}));
    CHECK(close(by[2], {0, 0, 3, 4}));
}

TEST_CASE("pow has the values and derivatives of std::pow")
{
    const Tensor base(xt::xarray<double>{0.5, 2, 3, 4});
    const Tensor exponent(xt::xarray<double>{3, -1, 0.5, 0});
    const auto f = [](const Tensor& a, const Tensor& b) { return ag::pow(a, b); };
    CHECK(close(f(base, exponent), {0.125, 0.5, std::sqrt(3.0), 1}));
    const auto by = gradients(f, base, exponent);
    CHECK(close(by[0], {0.75, 2 * -0.25, 3 * 0.5 / std::sqrt(3.0), 0}));
    CHECK(close(by[1],
                {0.125 * std::log(0.5), 2 * 0.5 * std::log(2.0), 3 * std::sqrt(3.0) * std::log(3.0), 4 * std::log(4.0)},
                1e-13));
}

TEST_CASE("pow at the edges is std::pow, in arrays and as scalars")
{
    for (const double exponent : {0.0, -0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 1.0 / 3, inf, -inf, not_a_number})
    {
        CAPTURE(exponent);
        const xt::xarray<double> bases{0.0, -0.0, 1.0, -1.0, 0.5, -2.0, -8.0, inf, -inf, not_a_number, 1e300};
        xt::xarray<double> expected = bases;
        for (std::size_t i = 0; i < bases.size(); ++i)
        {
            expected(i) = std::pow(bases(i), exponent);
            CAPTURE(bases(i));
            CHECK(close(ag::pow(Tensor(bases(i)), exponent), expected(i)));
        }
        // exp(b log a) loses as many digits as b log a has before its point.
        CHECK(close(ag::pow(Tensor(bases), exponent), expected, 1e-13));
        CHECK(
            close(ag::pow(Tensor(bases), Tensor(xt::xarray<double>(xt::full_like(bases, exponent)))), expected, 1e-13));
    }
}

TEST_CASE("powers of 0 and of negative numbers have finite derivatives where PyTorch's are")
{
    const Tensor x(xt::xarray<double>{-2, 0, 2});
    CHECK(close(ag::pow(x, 2), {4, 0, 4}));
    CHECK(close(ag::pow(x, 3), {-8, 0, 8}));
    CHECK(close(ag::pow(x, 0), {1, 1, 1}));
    CHECK(close(ag::pow(x, 1), {-2, 0, 2}));
    CHECK(close(ag::pow(x, 0.5), {not_a_number, 0, std::sqrt(2.0)}));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(t, 2); }, x), {-4, 0, 12}));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(t, 3); }, x), {12, 0, 36}));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(t, 0); }, x), {0, 0, 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(t, 1); }, x), {1, 2, 3}));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(0.0, t); }, Tensor(2.0)), 0.0));
    CHECK(close(gradient([](const Tensor& t) { return ag::pow(0.0, t); }, Tensor(0.0)), 0.0));
    const auto second = [](double at, double exponent)
    {
        Variable v(at);
        ag::GradientTape outer;
        ag::GradientTape inner;
        return outer.gradient(inner.gradient(ag::pow(v, exponent), v), v, {.unconnected = ag::Unconnected::zero});
    };
    CHECK(close(second(0.0, 2), 2.0));
    CHECK(close(second(0.0, 3), 0.0));
    CHECK(close(second(-2.0, 3), -12.0));
    CHECK(close(second(0.0, 1), 0.0));
    CHECK(close(second(2.0, 0), 0.0));
}

TEST_CASE("an exponent that is a variable has a gradient whatever its value")
{
    for (const double exponent : {0.0, 1.0, 2.0, 3.0})
    {
        Variable b(exponent);
        ag::GradientTape tape;
        CHECK(close(tape.gradient(ag::pow(2.0, b), b), std::pow(2.0, exponent) * std::log(2.0)));
    }
}

TEST_CASE("a cast keeps shape and values, rounds once, and passes the gradient back in its own type")
{
    const Tensor x(xt::xarray<double>{{1, 0.1}, {-3, 1e300}});
    const ag::Tensor<float> y = ag::cast<float>(x);
    CHECK(y.shape() == ag::Shape{2, 2});
    CHECK(y.data()[1] == 0.1F);
    CHECK(y.data()[3] == std::numeric_limits<float>::infinity());
    CHECK(close(ag::cast<double>(y), {{1, static_cast<double>(0.1F)}, {-3, inf}}));
    const auto f = [](const Tensor& t) { return ag::cast<double>(ag::cast<float>(t)); };
    CHECK(close(gradient(f, x), {{1, 2}, {3, 4}}));
    const auto same = [](const Tensor& t) { return ag::cast<double>(t); };
    CHECK(close(gradient(same, x), {{1, 2}, {3, 4}}));
}

TEST_CASE("compound assignment rebinds the handle and nothing else")
{
    Tensor x(xt::xarray<double>{1, 2});
    const Tensor old = x;
    x += 1;
    x *= x;
    x -= xt::xarray<double>{1, 1};
    x /= 3.0;
    CHECK(close(x, {1, 8 / 3.0}));
    CHECK(close(old, {1, 2}));
    const auto f = [](Tensor t)
    {
        t *= t;
        t += 2 * t;
        return t;
    };
    CHECK(close(gradient(f, old), {6, 24}));
}

TEST_CASE("long arrays give the same as short ones, also where they are stretched")
{
    const std::size_t rows = 300;
    const std::size_t columns = 257;
    xt::xarray<double> a = xt::linspace<double>(-3, 3, rows * columns);
    a.reshape({rows, columns});
    const xt::xarray<double> row = xt::linspace<double>(1, 2, columns);
    xt::xarray<double> tall = xt::linspace<double>(1, 3, rows);
    tall.reshape({rows, std::size_t{1}});
    CHECK(close(ag::tanh(Tensor(a)), xt::tanh(a), 1e-14, 1e-15));
    CHECK(close(Tensor(a) * Tensor(row) + Tensor(tall), a * row + tall, 1e-14, 1e-14));
    CHECK(close(Tensor(tall) / Tensor(row), tall / row));
    Variable w(row);
    Variable h(tall);
    ag::GradientTape tape;
    ag::sum(Tensor(a) * w * h).backward();
    CHECK(close(w.grad(), xt::sum(a * tall, {0}), 1e-11, 1e-10));
    CHECK(close(h.grad(), xt::sum(a * row, {1}, xt::keep_dims), 1e-11, 1e-10));
}

TEST_CASE("halves round away from 0, to the even number, or to the even place")
{
    const Tensor x(xt::xarray<double>{-2.5, -1.5, -0.5, 0.5, 1.5, 2.5});
    CHECK(close(ag::round(x), {-3, -2, -1, 1, 2, 3}));
    CHECK(close(ag::rint(x), {-2, -2, 0, 0, 2, 2}));
    CHECK(close(ag::around(x), {-2, -2, 0, 0, 2, 2}));
    CHECK(close(ag::around(Tensor(xt::xarray<double>{1.25, 1.35, -0.05}), 1), {1.2, 1.4, 0}));
    CHECK(close(ag::around(Tensor(xt::xarray<double>{1250, 350, 5e20}), -2), {1200, 400, 5e20}));
    CHECK(thrown<ag::ValueError>([&] { ag::around(x, 400); }) ==
          "around: decimals must be from -308 to 308: got 400 (HERE).");
}

TEST_CASE("large numbers and infinities are whole")
{
    const Tensor x(xt::xarray<double>{1e300, -1e18, inf, -inf});
    for (const auto& y : {ag::floor(x), ag::ceil(x), ag::trunc(x), ag::round(x), ag::rint(x)})
    {
        CHECK(close(y, x.value()));
    }
    CHECK(close(ag::frac(x), {0, 0, not_a_number, not_a_number}));
}

TEST_CASE("remainders differ in how the quotient is rounded")
{
    const Tensor a(xt::xarray<double>{7, -7, 7, -7, 5.5, 6});
    const Tensor b(xt::xarray<double>{4, 4, -4, -4, 2, 3});
    CHECK(close(ag::fmod(a, b), {3, -3, 3, -3, 1.5, 0}));
    CHECK(close(ag::mod(a, b), {3, 1, -1, -3, 1.5, 0}));
    CHECK(close(ag::remainder(a, b), {-1, 1, -1, 1, -0.5, 0}));
    CHECK(close(ag::floor_divide(a, b), {1, -2, -2, 1, 2, 2}));
    const auto quotients = [&](auto f) { return gradients(f, a, b)[1]; };
    CHECK(close(quotients([](const Tensor& x, const Tensor& y) { return ag::fmod(x, y); }), {-1, 2, 3, -4, -10, -12}));
    CHECK(close(quotients([](const Tensor& x, const Tensor& y) { return ag::mod(x, y); }), {-1, 4, 6, -4, -10, -12}));
    CHECK(close(quotients([](const Tensor& x, const Tensor& y) { return ag::remainder(x, y); }),
                {-2, 4, 6, -8, -15, -12}));
    CHECK(close(ag::floor_divide(Tensor(xt::xarray<double>{1, -1, 0}), 0), {inf, -inf, not_a_number}));
    CHECK(close(ag::floor_divide(Tensor(xt::xarray<double>{1, -1}), 0.1), {9, -10}));
}

TEST_CASE("fmax and fmin prefer a number to NaN, and the first of two equals")
{
    const Tensor a(xt::xarray<double>{1, not_a_number, 2, not_a_number});
    const Tensor b(xt::xarray<double>{1, 3, not_a_number, not_a_number});
    CHECK(close(ag::fmax(a, b), {1, 3, 2, not_a_number}));
    CHECK(close(ag::fmin(a, b), {1, 3, 2, not_a_number}));
    for (const auto& by : {gradients([](const Tensor&x, const Tensor&y) { return ag::fmax(x, y); }, a, b),
                           gradients([](const Tensor&x, const Tensor&y) { return ag::fmin(x, y); }, a, b)})
    {
        CHECK(close(by[0], {1, 0, 3, 4}));
        CHECK(close(by[1], {0, 2, 0, 0}));
    }
    CHECK(close(ag::fdim(a, 0.5), {0.5, not_a_number, 1.5, not_a_number}));
}

TEST_CASE("logarithms of sums of exponentials are exact far from 0 and at infinities")
{
    const Tensor a(xt::xarray<double>{800, -800, inf, -inf, -inf});
    const Tensor b(xt::xarray<double>{799, -800, inf, -inf, 3});
    const double ln2 = std::log(2.0);
    CHECK(close(ag::logaddexp(a, b), {799 + std::log1p(std::exp(1.0)), -800 + ln2, inf, -inf, 3}));
    CHECK(close(ag::logaddexp2(a, b), {799 + std::log2(3.0), -799, inf, -inf, 3}));
    const auto by = gradients([](const Tensor& x, const Tensor& y) { return ag::logaddexp(x, y); },
                              Tensor(xt::xarray<double>{800, -800}), Tensor(xt::xarray<double>{-800, -800}));
    CHECK(close(by[0], {1, 1}));
    CHECK(close(by[1], {0, 1}));
}

TEST_CASE("hypot does not overflow, and copysign knows -0")
{
    CHECK(
        close(ag::hypot(Tensor(xt::xarray<double>{3e200, 0, -inf}), Tensor(xt::xarray<double>{4e200, 0, not_a_number})),
              {5e200, 0, inf}));
    const Tensor signs(xt::xarray<double>{-0.0, 0.0, -3, 5});
    const auto f = [&](const Tensor& x) { return ag::copysign(x, signs); };
    const Tensor x(xt::xarray<double>{2, -2, 2, 0});
    CHECK(close(f(x), {-2, 2, -2, 0}));
    CHECK(close(gradient(f, x), {-1, -2, -3, 0}));
}

TEST_CASE("the step function takes its value at 0 from its second operand")
{
    const Tensor x(xt::xarray<double>{-1, 0, 2, not_a_number});
    CHECK(close(ag::heaviside(x, 0.5), {0, 0.5, 1, 0}));
    const auto by = gradients([](const Tensor& a, const Tensor& b) { return ag::heaviside(a, b); }, x, Tensor(0.5));
    CHECK(close(by[0], {0, 0, 0, 0}));
    CHECK(close(by[1], 2.0));
}

TEST_CASE("lerp is exact at both ends, and adds up with its operands' gradients")
{
    const Tensor start(xt::xarray<double>{1e16, 1, 2});
    const Tensor end(xt::xarray<double>{1, 3, 6});
    CHECK(close(ag::lerp(start, end, 1), {1, 3, 6}, 0));
    CHECK(close(ag::lerp(start, end, 0), {1e16, 1, 2}, 0));
    const auto by = gradients([](const Tensor& a, const Tensor& b, const Tensor& w) { return ag::lerp(a, b, w); },
                              Tensor(xt::xarray<double>{1, 2}), Tensor(xt::xarray<double>{3, 6}), Tensor(0.25));
    CHECK(close(by[0], {0.75, 1.5}));
    CHECK(close(by[1], {0.25, 0.5}));
    CHECK(close(by[2], 2.0 + 2 * 4));
}

TEST_CASE("products and quotients are added")
{
    const Tensor x(xt::xarray<double>{1, 2});
    const Tensor a(xt::xarray<double>{3, 4});
    CHECK(close(ag::fma(a, a, x), {10, 18}));
    CHECK(close(ag::addcmul(x, a, 2), {7, 10}));
    CHECK(close(ag::addcmul(1.0, a, x, 10), {31, 81}));
    CHECK(close(ag::addcdiv(x, a, x, 2), {7, 6}));
    CHECK(close(gradient([&](const Tensor& t) { return ag::addcmul(x, t, t, 0.5); }, a), {3, 8}));
}

TEST_CASE("numbers that are not finite are replaced, and get no gradient")
{
    const Tensor x(xt::xarray<double>{1, inf, -inf, not_a_number});
    const double most = std::numeric_limits<double>::max();
    CHECK(close(ag::nan_to_num(x), {1, most, -most, 0}));
    CHECK(close(ag::nan_to_num(x, {.nan = 7, .posinf = 8, .neginf = -9}), {1, 8, -9, 7}));
    CHECK(close(ag::nan_to_num(ag::cast<float>(x)),
                {1, std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0}));
    CHECK(close(gradient([](const Tensor& t) { return ag::nan_to_num(t); }, x), {1, 0, 0, 0}));
}

TEST_CASE("frexp takes numbers apart, the smallest and the largest, too")
{
    const Tensor x(xt::xarray<double>{6, -0.125, 0, 1e308, 5e-324, inf});
    const auto [mantissa, exponent] = ag::frexp(x);
    CHECK(close(mantissa, {0.75, -0.5, 0, std::ldexp(1e308, -1024), 0.5, inf}));
    CHECK(exponent == xt::xarray<int>{3, -2, 0, 1024, -1073, 0});
    CHECK(close(gradient([](const Tensor& t) { return ag::frexp(t).mantissa; }, Tensor(6.0)), 0.125));
}

TEST_CASE("questions have masks for answers")
{
    const Tensor x(xt::xarray<double>{0, -0.0, 3, inf, -inf, not_a_number});
    CHECK(ag::isnan(x) == xt::xarray<bool>{false, false, false, false, false, true});
    CHECK(ag::isinf(x) == xt::xarray<bool>{false, false, false, true, true, false});
    CHECK(ag::isposinf(x) == xt::xarray<bool>{false, false, false, true, false, false});
    CHECK(ag::isneginf(x) == xt::xarray<bool>{false, false, false, false, true, false});
    CHECK(ag::isfinite(x) == xt::xarray<bool>{true, true, true, false, false, false});
    CHECK(ag::signbit(x) == xt::xarray<bool>{false, true, false, false, true, false});
    CHECK(ag::logical_not(x) == xt::xarray<bool>{true, true, false, false, false, false});
    const xt::xarray<double> y{0, 5, 0, 1, 0, 0};
    CHECK(ag::logical_and(x, y) == xt::xarray<bool>{false, false, false, true, false, false});
    CHECK(ag::logical_or(y, x) == xt::xarray<bool>{false, true, true, true, true, true});
    CHECK(ag::logical_xor(x, y) == xt::xarray<bool>{false, true, true, false, true, true});
    CHECK(ag::isclose(x, x) == xt::xarray<bool>{true, true, true, true, true, false});
    CHECK(ag::isclose(x, x, 0, 0, true) == xt::xarray<bool>{true, true, true, true, true, true});
    CHECK(ag::isclose(x, 3.00002) == xt::xarray<bool>{false, false, true, false, false, false});
    CHECK(thrown<ag::ValueError>([&] { ag::isclose(x, x, -1); }) ==
          "isclose: tolerances must not be negative: got rtol = -1.000000 and atol = 0.000000 (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  ag::logical_and(x, xt::xarray<double>{1, 2});
              }) == "logical_and: shapes do not broadcast: got (6,) and (2,) (HERE). Axes are compared from the last; "
                    "each pair must "
                    "be equal, or one of them 1.");
}

TEST_CASE("inverse functions are NaN where they are not defined, and infinite at their poles")
{
    const Tensor x(xt::xarray<double>{-2, -1, 1, 2});
    const double half_pi = std::acos(0.0);
    CHECK(close(ag::asin(x), {not_a_number, -half_pi, half_pi, not_a_number}));
    CHECK(close(ag::acos(x), {not_a_number, 2 * half_pi, 0, not_a_number}));
    CHECK(close(ag::atanh(x), {not_a_number, -inf, inf, not_a_number}));
    CHECK(close(ag::acosh(x), {not_a_number, not_a_number, 0, std::acosh(2.0)}));
    CHECK(close(ag::log2(x), {not_a_number, not_a_number, 0, 1}));
    CHECK(close(gradient([](const Tensor& t) { return ag::asin(t); }, Tensor(1.0)), inf));
    CHECK(close(gradient([](const Tensor& t) { return ag::cbrt(t); }, Tensor(0.0)), inf));
    CHECK(close(ag::atan2(Tensor(xt::xarray<double>{0.0, -0.0, 1}), Tensor(xt::xarray<double>{-1.0, -1.0, 0.0})),
                {2 * half_pi, -2 * half_pi, half_pi}));
}
