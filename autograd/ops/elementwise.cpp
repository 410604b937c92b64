#include <autograd/batching.hpp>
#include <autograd/derive.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/table.hpp>

#include <numbers>
#include <string>

namespace autograd
{

using namespace formula;

namespace
{

using std::numbers::ln10;
using std::numbers::ln2;
using std::numbers::pi;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// a modulo b, with the sign of b.
constexpr auto floor_mod(const auto& a, const auto& b)
{
    const auto rest = fmod(a, b);
    return select(lt(rest * b, 0.0), rest + b, rest);
}

constexpr auto larger(const auto& a, const auto& b)
{
    return select(gt(a, b), a, b);
}

}

// clang-format off
COMPARISON(less,          one_where(lt(a, b), a))
COMPARISON(less_equal,    one_where(le(a, b), a))
COMPARISON(greater,       one_where(gt(a, b), a))
COMPARISON(greater_equal, one_where(ge(a, b), a))
COMPARISON(equal,         one_where(eq(a, b), a))
COMPARISON(not_equal,     1.0 - one_where(eq(a, b), a))
COMPARISON(logical_and,   select(eq(a, 0.0), zero(a), 1.0 - one_where(eq(b, 0.0), a)))
COMPARISON(logical_or,    select(eq(a, 0.0), 1.0 - one_where(eq(b, 0.0), a), constant(a, 1)))
COMPARISON(logical_xor,   abs(one_where(eq(a, 0.0), a) - one_where(eq(b, 0.0), a)))

PREDICATE(isnan,       1.0 - one_where(eq(x, x), x))
PREDICATE(isinf,       one_where(eq(abs(x), infinity), x))
PREDICATE(isposinf,    one_where(eq(x, infinity), x))
PREDICATE(isneginf,    one_where(eq(x, -infinity), x))
PREDICATE(isfinite,    one_where(lt(abs(x), infinity), x))
PREDICATE(signbit,     one_where(lt(copysign(constant(x, 1), x), 0.0), x))
PREDICATE(logical_not, one_where(eq(x, 0.0), x))

UNARY(exp,      Domain::real,     exp(x),                  dy * y)
UNARY(exp2,     Domain::real,     exp2(x),                 dy * y * ln2)
UNARY(expm1,    Domain::real,     expm1(x),                dy * (y + 1.0))
UNARY(log,      Domain::positive, log(x),                  dy / x)
UNARY(log2,     Domain::positive, log2(x),                 dy / (x * ln2))
UNARY(log10,    Domain::positive, log10(x),                dy / (x * ln10))
UNARY(log1p,    Domain::positive, log1p(x),                dy / (x + 1.0))
UNARY(sqrt,     Domain::positive, sqrt(x),                 dy / (y + y))
UNARY(rsqrt,    Domain::positive, 1.0 / sqrt(x),           dy * y * y * y * -0.5)
UNARY(cbrt,     Domain::positive, cbrt(x),                 dy / (y * y * 3.0))
UNARY(square,   Domain::real,     x * x,                   dy * (x + x))
UNARY(cube,     Domain::real,     x * x * x,               dy * x * x * 3.0)
UNARY(reciprocal, Domain::positive, 1.0 / x,               -dy * y * y)
UNARY(abs,      Domain::real,     abs(x),                  dy * sign_of(x))
UNARY(fabs,     Domain::real,     abs(x),                  dy * sign_of(x))
UNARY(sign,     Domain::real,     sign_of(x),              zero(dy))
UNARY_SLOPE(sin, Domain::real,    sin(x),                  cos(x))
UNARY_SLOPE(cos, Domain::real,    cos(x),                  -sin(x))
UNARY(tan,      Domain::unit,     tan(x),                  dy * (y * y + 1.0))
UNARY(asin,     Domain::unit,     asin(x),                 dy / sqrt((1.0 - x) * (x + 1.0)))
UNARY(acos,     Domain::unit,     acos(x),                 -dy / sqrt((1.0 - x) * (x + 1.0)))
UNARY(atan,     Domain::real,     atan(x),                 dy / (x * x + 1.0))
UNARY(sinh,     Domain::real,     sinh(x),                 dy * cosh(x))
UNARY(cosh,     Domain::real,     cosh(x),                 dy * sinh(x))
UNARY(tanh,     Domain::real,     tanh(x),                 dy * (1.0 - y * y))
UNARY(asinh,    Domain::real,     asinh(x),                dy / sqrt(x * x + 1.0))
UNARY_AS(acosh,                   acosh(x),                dy / sqrt((x - 1.0) * (x + 1.0)))
UNARY(atanh,    Domain::unit,     atanh(x),                dy / ((1.0 - x) * (x + 1.0)))
UNARY(deg2rad,  Domain::real,     x * (pi / 180),          dy * (pi / 180))
UNARY(radians,  Domain::real,     x * (pi / 180),          dy * (pi / 180))
UNARY(rad2deg,  Domain::real,     x * (180 / pi),          dy * (180 / pi))
UNARY(degrees,  Domain::real,     x * (180 / pi),          dy * (180 / pi))
UNARY(ceil,     Domain::unit,     ceil(x),                 zero(dy))
UNARY(floor,    Domain::unit,     floor(x),                zero(dy))
UNARY(trunc,    Domain::unit,     trunc(x),                zero(dy))
UNARY_AS(round,                   round(x),                zero(dy))
UNARY_AS(rint,                    nearbyint(x),            zero(dy))
UNARY_AS(nearbyint,               nearbyint(x),            zero(dy))
UNARY(frac,     Domain::unit,     x - trunc(x),            dy)

BINARY(add,      x[0] + x[1],             Domain::real,     a + b, dy,     dy)
BINARY(subtract, x[0] - x[1],             Domain::real,     a - b, dy,     -dy)
BINARY(multiply, x[0] * x[1],             Domain::real,     a * b, dy * b, dy * a)
BINARY(divide,   x[0] / x[1],             Domain::positive, a / b, dy / b, -dy * y / b)
BINARY(maximum,  maximum(x[0], x[1]),     Domain::distinct,
       select(gt(b, a), b, select(ge(a, b), a, a + b)),
       select(lt(a, b), zero(dy), select(eq(a, b), dy * 0.5, dy)),
       select(lt(b, a), zero(dy), select(eq(a, b), dy * 0.5, dy)))
BINARY(minimum,  minimum(x[0], x[1]),     Domain::distinct,
       select(lt(b, a), b, select(le(a, b), a, a + b)),
       select(gt(a, b), zero(dy), select(eq(a, b), dy * 0.5, dy)),
       select(gt(b, a), zero(dy), select(eq(a, b), dy * 0.5, dy)))
BINARY(fmax,     fmax(x[0], x[1]),        Domain::distinct,
       select(ge(a, b), a, select(eq(b, b), b, a)),
       select(ge(a, b), dy, select(eq(b, b), zero(dy), dy)),
       select(ge(a, b), zero(dy), select(eq(b, b), dy, zero(dy))))
BINARY(fmin,     fmin(x[0], x[1]),        Domain::distinct,
       select(le(a, b), a, select(eq(b, b), b, a)),
       select(le(a, b), dy, select(eq(b, b), zero(dy), dy)),
       select(le(a, b), zero(dy), select(eq(b, b), dy, zero(dy))))
BINARY(fdim,     fdim(x[0], x[1]),        Domain::distinct,
       select(gt(a, b), a - b, select(le(a, b), zero(a), a + b)),
       select(gt(a, b), dy, zero(dy)),
       select(gt(a, b), -dy, zero(dy)))
BINARY(hypot,    hypot(x[0], x[1]),       Domain::positive, hypot(a, b), dy * (a / y), dy * (b / y))
BINARY(atan2,    atan2(x[0], x[1]),       Domain::positive, atan2(a, b), dy * b / (a * a + b * b), -dy * a / (a * a + b * b))
BINARY(copysign, copysign(x[0], x[1]),    Domain::real,     copysign(a, b), dy * sign_of(a) * sign_of(y), zero(dy))
BINARY(fmod,     fmod(x[0] * 0.1, x[1]),  Domain::positive, fmod(a, b), dy, -dy * trunc(a / b))
BINARY(remainder, remainder(x[0] * 0.05, x[1]), Domain::positive, remainder(a, b), dy, -dy * nearbyint(a / b))
BINARY(mod,      mod(x[0] * 0.1, x[1]),   Domain::positive, floor_mod(a, b), dy, -dy * floor(a / b))
BINARY(floor_divide, floor_divide(x[0] * 0.1, x[1]), Domain::positive,
       select(eq(b, 0.0), a / b, nearbyint((a - floor_mod(a, b)) / b)), zero(dy), zero(dy))
BINARY(ldexp,    ldexp(x[0], x[1]),       Domain::real,     a * exp2(b), dy * exp2(b), dy * y * ln2)
BINARY(logaddexp, logaddexp(x[0], x[1]),  Domain::real,
       select(eq(a, b), a + ln2, larger(a, b) + log1p(exp(-abs(a - b)))),
       dy * sigmoid(a - b),
       dy * sigmoid(b - a))
BINARY(logaddexp2, logaddexp2(x[0], x[1]), Domain::real,
       select(eq(a, b), a + 1.0, larger(a, b) + log1p(exp2(-abs(a - b))) * (1 / ln2)),
       dy * sigmoid((a - b) * ln2),
       dy * sigmoid((b - a) * ln2))
BINARY(heaviside, heaviside(x[0], x[1]),  Domain::real,
       select(eq(a, 0.0), b, one_where(gt(a, 0.0), a)), zero(dy), select(eq(a, 0.0), dy, zero(dy)))
BINARY_AS(pow, power(a, b),
       select(eq(b, 0.0), zero(dy), dy * b * power(a, b - 1.0)),
       select(eq(a, 0.0), select(ge(b, 0.0), zero(dy), dy * y * log(a)), dy * y * log(a)))

TERNARY_AS(fma, a, b, c, a * b + c, dy * b, dy * a, dy)
TERNARY_AS(addcmul, x, a, b, x + a * b, dy, dy * b, dy * a)
TERNARY_AS(addcdiv, x, a, b, x + a / b, dy, dy / b, -dy * a / (b * b))
TERNARY_AS(where, condition, a, b,
       select(eq(condition, 0.0), b, a),
       zero(dy), select(eq(condition, 0.0), zero(dy), dy), select(eq(condition, 0.0), dy, zero(dy)))
TERNARY_AS(lerp, start, end, weight,
       select(lt(abs(weight), 0.5), start + weight * (end - start), end - (end - start) * (1.0 - weight)),
       dy * (1.0 - weight), dy * weight, dy * (end - start))
// clang-format on

struct negative_formula
{
    FORMULA(negative, 1)
    static constexpr auto value(const auto& x) { return -x; }
    PULLBACK(0, -dy, const auto&)
};
EXAMPLE(negative, plain, real, ({2, 3}), -x[0])

/// x wins at the limits; the upper limit wins where they cross.
struct clip_formula
{
    FORMULA(clip, 3)
    static constexpr auto value(const auto& x, const auto& low, const auto& high)
    {
        const auto raised = select(ge(x, low), x, select(lt(x, low), low, x + low));
        return select(le(raised, high), raised, select(gt(raised, high), high, raised + high));
    }
    PULLBACK(0, select(lt(x, low), zero(dy), select(gt(x, high), zero(dy), dy)), const auto& x, const auto& low,
             const auto& high)
    PULLBACK(1, select(lt(x, low), select(gt(low, high), zero(dy), dy), zero(dy)), const auto& x, const auto& low,
             const auto& high)
    PULLBACK(2, select(gt(select(lt(x, low), low, x), high), dy, zero(dy)), const auto& x, const auto& low,
             const auto& high)
};

template <Real T>
detail::Node* detail::negative(Node* a, Location location)
{
    return Elementwise<negative_formula, T>::apply(location, a);
}

template <Real T>
detail::Node* detail::clip(Node* x, Node* low, Node* high, Location location)
{
    return Elementwise<clip_formula, T>::apply(location, x, low, high);
}

// A square costs a twentieth of a general power.
template <Real T>
detail::Node* detail::power(Node* base, Node* exponent, Location location)
{
    Arena& arena = Arena::current();
    const bool constant = exponent->shape.rank() == 0 && !exponent->is_variable && arena.slot_of(*exponent) == no_slot;
    const T value = constant ? *exponent->as<T>() : T(0);
    if (value == T(1))
    {
        return Elementwise<multiply_formula, T>::apply(location, base, exponent);
    }
    if (value == T(2))
    {
        return Elementwise<square_formula, T>::apply(location, base);
    }
    return pow<T>(base, exponent, location);
}

EXAMPLE(pow, both, positive, ({2, 3}, {3}), autograd::pow(x[0], x[1]))
EXAMPLE(pow, square, real, ({2, 3}), autograd::pow(x[0], 2))
EXAMPLE(pow, cube, real, ({2, 3}), autograd::pow(x[0], 3))
EXAMPLE(pow, base, real, ({2, 3}), autograd::pow(2.5, x[0]))
EXAMPLE(where, plain, real, ({2, 3}, {3}), where(x[1] > 0, x[0], x[1]))
EXAMPLE(clip, plain, distinct, ({2, 4}), clip(x[0], -0.62, 0.71))
EXAMPLE(clip, tensors, distinct, ({2, 4}, {4}, {2, 1}), clip(x[0], x[1], x[2]))

namespace
{

template <Real To>
struct Cast
{
    static constexpr const char* name = "cast";

    template <Real From>
    Tensor<To> value(const Tensor<From>& x) const
    {
        Tensor<To> y = Tensor<To>::adopt(detail::new_node<To>(x.shape()));
        std::transform(x.data(), x.data() + x.size(), y.node()->template as<To>(),
                       [](From element) { return static_cast<To>(element); });
        return y;
    }

    template <Real From>
    Tensor<From> pullback(Wrt<0>, const Tensor<To>& dy, const Tensor<To>&, const Tensor<From>&) const
    {
        return cast<From>(dy);
    }
};

}

template <Real To, Real From>
Tensor<To> cast(const Tensor<From>& x, Location location)
{
    return apply_as<To>(Cast<To>{}, location, x);
}

namespace
{

template <Real To, Real From>
detail::Node* cast_batch(const detail::Attributes*, std::span<const detail::BatchedNode> operands, std::size_t,
                         const Shape&, Location location)
{
    const detail::Borrowed<From> x(operands[0].node);
    return cast<To>(static_cast<const Tensor<From>&>(x), location).disown();
}

const detail::BatchingRule narrowing_batching(detail::operation_of<Cast<float>, float, double, 1>,
                                              &cast_batch<float, double>);
const detail::BatchingRule widening_batching(detail::operation_of<Cast<double>, double, float, 1>,
                                             &cast_batch<double, float>);

}

template <Real T>
Tensor<T> stop_gradient(const Tensor<T>& x, Location location)
{
    detail::Node* const result = detail::new_view(x.node(), x.shape());
    detail::note_view(x.node(), result);
    detail::Arena::current().note_cut(detail::Cut::Kind::stop_gradient, "stop_gradient", x.node(), result, location);
    return Tensor<T>::adopt(result);
}

template <Real T>
Tensor<T> around(const Tensor<T>& x, std::ptrdiff_t decimals, Location location)
{
    constexpr int most = std::numeric_limits<T>::max_exponent10;
    if (decimals < -most || decimals > most)
    {
        throw ValueError("around",
                         "decimals must be from " + std::to_string(-most) + " to " + std::to_string(most) + ": got " +
                             std::to_string(decimals),
                         location);
    }
    const Operand<T> scale(std::pow(10.0, static_cast<double>(std::abs(decimals))), location);
    return decimals == 0  ? rint(x, location)
           : decimals > 0 ? rint(x * scale, location) / scale
                          : rint(x / scale, location) * scale;
}

template <Real T>
Tensor<T> nan_to_num(const Tensor<T>& x, const NanToNum& replacements, Location location)
{
    using Limits = std::numeric_limits<T>;
    const auto finite = [](double number, T otherwise)
    { return std::isinf(number) ? otherwise : static_cast<T>(number); };
    const T highest = finite(replacements.posinf, Limits::max());
    const T lowest = finite(replacements.neginf, Limits::lowest());
    Tensor<T> others = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
    std::transform(x.data(), x.data() + x.size(), others.node()->template as<T>(),
                   [&](T element) {
                       return std::isnan(element) ? static_cast<T>(replacements.nan) : element > 0 ? highest : lowest;
                   });
    return where(isfinite(x), x, others, location);
}

template <Real T>
Frexp<T> frexp(const Tensor<T>& x, Location location)
{
    xt::xarray<int> exponents(xt::xarray<int>::shape_type(x.shape().begin(), x.shape().end()));
    // The power of two may not be a number where its half is.
    Tensor<T> half = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
    Tensor<T> rest = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
    for (std::size_t i = 0; i < x.size(); ++i)
    {
        int exponent = 0;
        if (std::isfinite(x.data()[i]))
        {
            static_cast<void>(std::frexp(x.data()[i], &exponent));
        }
        exponents.storage()[i] = exponent;
        half.node()->template as<T>()[i] = std::ldexp(T(1), -(exponent / 2));
        rest.node()->template as<T>()[i] = std::ldexp(T(1), -(exponent - exponent / 2));
    }
    const Operand<T> first(half, location);
    const Operand<T> second(rest, location);
    return {x * first * second, exponents};
}

template <Real T>
xt::xarray<bool> detail::isclose(const Tensor<T>& a, const Tensor<T>& b, double rtol, double atol, bool equal_nan,
                                 Location location)
{
    note_decision(a.node(), "isclose", location);
    note_decision(b.node(), "isclose", location);
    if (!(rtol >= 0 && atol >= 0))
    {
        throw ValueError("isclose",
                         "tolerances must not be negative: got rtol = " + std::to_string(rtol) +
                             " and atol = " + std::to_string(atol),
                         location);
    }
    const Tensor<T> left = stop_gradient(a, Location{});
    const Tensor<T> right = stop_gradient(b, Location{});
    const Tensor<T> distance = abs(left - Operand<T>(right, location), location);
    const Tensor<T> allowed = abs(right, location) * Operand<T>(rtol) + Operand<T>(atol);
    xt::xarray<bool> close = (left == right) || (isfinite(distance) && distance <= allowed);
    if (equal_nan)
    {
        close = close || (isnan(left) && isnan(right));
    }
    return close;
}

#define INSTANTIATE(T)                                                                                                 \
    template detail::Node* detail::negative<T>(Node*, Location);                                                       \
    template detail::Node* detail::clip<T>(Node*, Node*, Node*, Location);                                             \
    template detail::Node* detail::power<T>(Node*, Node*, Location);                                                   \
    template Tensor<T> around(const Tensor<T>&, std::ptrdiff_t, Location);                                             \
    template Tensor<T> nan_to_num(const Tensor<T>&, const NanToNum&, Location);                                        \
    template Frexp<T> frexp(const Tensor<T>&, Location);                                                               \
    template xt::xarray<bool> detail::isclose(const Tensor<T>&, const Tensor<T>&, double, double, bool, Location);     \
    template Tensor<float> cast<float>(const Tensor<T>&, Location);                                                    \
    template Tensor<double> cast<double>(const Tensor<T>&, Location);                                                  \
    template Tensor<T> stop_gradient(const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)

#undef INSTANTIATE

EXAMPLE(acosh, example, unit, ({2, 3}), acosh(x[0] + 1.2))
EXAMPLE(round, example, unit, ({2, 3}), round(x[0] * 0.5))
EXAMPLE(rint, example, unit, ({2, 3}), rint(x[0] * 0.5))
EXAMPLE(nearbyint, example, unit, ({2, 3}), nearbyint(x[0] * 0.5))
EXAMPLE(around, example, unit, ({2, 3}), around(x[0] * 0.05, 1))
EXAMPLE(nan_to_num, example, unit, ({2, 3}), nan_to_num(x[0]))
EXAMPLE(frexp, example, unit, ({2, 3}), frexp(x[0] * 0.2 + 0.55).mantissa)
EXAMPLE(fma, plain, real, ({2, 3}, {3}, {2, 1}), autograd::fma(x[0], x[1], x[2]))
EXAMPLE(lerp, plain, distinct, ({2, 3}, {3}, {2, 1}), lerp(x[0], x[1], x[2]))
EXAMPLE(addcmul, plain, real, ({2, 3}, {3}, {2, 1}), addcmul(x[0], x[1], x[2], -1.5))
EXAMPLE(addcdiv, plain, positive, ({2, 3}, {3}, {2, 1}), addcdiv(x[0], x[1], x[2], 2))
TRIAL(around, any, ({2, 3}), around(x[0], any.integer()))
TRIAL(nan_to_num, any, ({2, 3}),
      nan_to_num(x[0], {.nan = any.number(), .posinf = any.number(), .neginf = any.number()}))
TRIAL(addcmul, any, ({2, 3}, {3}, {2, 1}), addcmul(x[0], x[1], x[2], any.number()))

static constexpr Names names[] = {
    {"+", "+", "add", "add"},
    {"-", "-", "subtract", "sub"},
    {"*", "*", "multiply", "mul"},
    {"/", "/", "divide", "div"},
    {"-x", "-x", "negative", "neg"},
    {"<", "<", "less", "lt"},
    {"<=", "<=", "less_equal", "le"},
    {">", ">", "greater", "gt"},
    {">=", ">=", "greater_equal", "ge"},
    {"==", "equal", "equal", "eq"},
    {"!=", "not_equal", "not_equal", "ne"},
    {"exp", "exp", "exp", "exp"},
    {"exp2", "exp2", "exp2", "exp2"},
    {"expm1", "expm1", "expm1", "expm1"},
    {"log", "log", "log", "log"},
    {"log2", "log2", "log2", "log2"},
    {"log10", "log10", "log10", "log10"},
    {"log1p", "log1p", "log1p", "log1p"},
    {"sqrt", "sqrt", "sqrt", "sqrt"},
    {"rsqrt", nullptr, nullptr, "rsqrt"},
    {"cbrt", "cbrt", "cbrt", nullptr},
    {"square", "square", "square", "square"},
    {"cube", "cube", nullptr, nullptr},
    {"reciprocal", nullptr, "reciprocal", "reciprocal"},
    {"abs", "abs", "abs", "abs"},
    {"fabs", "fabs", "fabs", nullptr},
    {"sign", "sign", "sign", "sign"},
    {"sin", "sin", "sin", "sin"},
    {"cos", "cos", "cos", "cos"},
    {"tan", "tan", "tan", "tan"},
    {"asin", "asin", "arcsin", "asin"},
    {"acos", "acos", "arccos", "acos"},
    {"atan", "atan", "arctan", "atan"},
    {"sinh", "sinh", "sinh", "sinh"},
    {"cosh", "cosh", "cosh", "cosh"},
    {"tanh", "tanh", "tanh", "tanh"},
    {"asinh", "asinh", "arcsinh", "asinh"},
    {"acosh", "acosh", "arccosh", "acosh"},
    {"atanh", "atanh", "arctanh", "atanh"},
    {"deg2rad", "deg2rad", "deg2rad", "deg2rad"},
    {"radians", "radians", "radians", nullptr},
    {"rad2deg", "rad2deg", "rad2deg", "rad2deg"},
    {"degrees", "degrees", "degrees", nullptr},
    {"ceil", "ceil", "ceil", "ceil"},
    {"floor", "floor", "floor", "floor"},
    {"trunc", "trunc", "trunc", "trunc"},
    {"round", "round", nullptr, nullptr},
    {"rint", "rint", "rint", "round"},
    {"nearbyint", "nearbyint", nullptr, nullptr},
    {"frac", nullptr, nullptr, "frac"},
    {"around", nullptr, "around", "round"},
    {"nan_to_num", "nan_to_num", "nan_to_num", "nan_to_num"},
    {"frexp", nullptr, "frexp", "frexp"},
    {"isnan", "isnan", "isnan", "isnan"},
    {"isinf", "isinf", "isinf", "isinf"},
    {"isposinf", nullptr, "isposinf", "isposinf"},
    {"isneginf", nullptr, "isneginf", "isneginf"},
    {"isfinite", "isfinite", "isfinite", "isfinite"},
    {"signbit", nullptr, "signbit", "signbit"},
    {"logical_not", nullptr, "logical_not", "logical_not"},
    {"maximum", "maximum", "maximum", "maximum"},
    {"minimum", "minimum", "minimum", "minimum"},
    {"fmax", "fmax", "fmax", "fmax"},
    {"fmin", "fmin", "fmin", "fmin"},
    {"fdim", "fdim", nullptr, nullptr},
    {"hypot", "hypot", "hypot", "hypot"},
    {"atan2", "atan2", "arctan2", "atan2"},
    {"copysign", nullptr, "copysign", "copysign"},
    {"fmod", "fmod", "fmod", "fmod"},
    {"remainder", "remainder", nullptr, nullptr},
    {"mod", nullptr, "mod", "remainder"},
    {"floor_divide", nullptr, "floor_divide", "floor_divide"},
    {"ldexp", nullptr, "ldexp", "ldexp"},
    {"logaddexp", nullptr, "logaddexp", "logaddexp"},
    {"logaddexp2", nullptr, "logaddexp2", "logaddexp2"},
    {"heaviside", nullptr, "heaviside", "heaviside"},
    {"pow", "pow", "power", "pow"},
    {"clip", "clip", "clip", "clamp"},
    {"fma", "fma", nullptr, nullptr},
    {"lerp", nullptr, nullptr, "lerp"},
    {"addcmul", nullptr, nullptr, "addcmul"},
    {"addcdiv", nullptr, nullptr, "addcdiv"},
    {"where", "where", "where", "where"},
    {"logical_and", nullptr, "logical_and", "logical_and"},
    {"logical_or", nullptr, "logical_or", "logical_or"},
    {"logical_xor", nullptr, "logical_xor", "logical_xor"},
    {"isclose", "isclose", "isclose", "isclose"},
    {"cast", "cast", "astype", "Tensor.to"},
    {"stop_gradient", nullptr, nullptr, "Tensor.detach"},
};
static const NameTable table{"Element by element", names};

void detail::elementwise_family() noexcept {}

}
