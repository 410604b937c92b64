#include "mapping.hpp"

#include <limits>

using namespace autograd;

namespace
{

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The argument times alpha.
template <class T>
Tensor<T> scaled(Call<T>& call, const char* name)
{
    return call.number("alpha") == 1 ? call.tensor(name) : call.tensor(name) * call.number("alpha");
}

/// A limit of clamp; the given one if it is null.
template <class T>
Tensor<T> limit(Call<T>& call, const char* name, double otherwise)
{
    return call.has(name) ? call.tensor(name) : Tensor<T>(otherwise);
}

template <class T>
NanToNum replacements(Call<T>& call)
{
    const auto number = [&](const char* name, double otherwise)
    { return call.has(name) ? call.number(name) : otherwise; };
    return {.nan = number("nan", 0), .posinf = number("posinf", infinity), .neginf = number("neginf", -infinity)};
}

template <class T>
Tensor<T> quotient(Call<T>& call)
{
    const Tensor<T> a = call.tensor("input");
    const Tensor<T> b = call.tensor("other");
    if (!call.has("rounding_mode"))
    {
        return a / b;
    }
    const std::string mode = call.text("rounding_mode");
    if (mode != "trunc" && mode != "floor")
    {
        throw Unsupported("there is no rounding mode '" + mode + "'");
    }
    return mode == "floor" ? floor_divide(a, b) : trunc(a / b);
}

template <class T>
Outputs<T> frexp_outputs(const Tensor<T>& x)
{
    const Frexp<T> parts = frexp(x);
    return {parts.mantissa, xt::xarray<std::int64_t>(parts.exponent)};
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("abs", "input", abs(call.tensor("input"))),
    OPERATION("acos", "input", acos(call.tensor("input"))),
    OPERATION("acosh", "input", acosh(call.tensor("input"))),
    OPERATION("asin", "input", asin(call.tensor("input"))),
    OPERATION("asinh", "input", asinh(call.tensor("input"))),
    OPERATION("atan", "input", atan(call.tensor("input"))),
    OPERATION("atanh", "input", atanh(call.tensor("input"))),
    OPERATION("ceil", "input", ceil(call.tensor("input"))),
    OPERATION("cos", "input", cos(call.tensor("input"))),
    OPERATION("cosh", "input", cosh(call.tensor("input"))),
    OPERATION("deg2rad", "input", deg2rad(call.tensor("input"))),
    OPERATION("exp", "input", exp(call.tensor("input"))),
    OPERATION("exp2", "input", exp2(call.tensor("input"))),
    OPERATION("expm1", "input", expm1(call.tensor("input"))),
    OPERATION("floor", "input", floor(call.tensor("input"))),
    OPERATION("frac", "input", frac(call.tensor("input"))),
    OPERATION("log", "input", log(call.tensor("input"))),
    OPERATION("log10", "input", log10(call.tensor("input"))),
    OPERATION("log1p", "input", log1p(call.tensor("input"))),
    OPERATION("log2", "input", log2(call.tensor("input"))),
    OPERATION("rad2deg", "input", rad2deg(call.tensor("input"))),
    OPERATION("reciprocal", "input", reciprocal(call.tensor("input"))),
    OPERATION("rsqrt", "input", rsqrt(call.tensor("input"))),
    OPERATION("sign", "input", sign(call.tensor("input"))),
    OPERATION("sin", "input", sin(call.tensor("input"))),
    OPERATION("sinc", "input", sinc(call.tensor("input"))),
    OPERATION("sinh", "input", sinh(call.tensor("input"))),
    OPERATION("sqrt", "input", sqrt(call.tensor("input"))),
    OPERATION("square", "input", square(call.tensor("input"))),
    OPERATION("tan", "input", tan(call.tensor("input"))),
    OPERATION("tanh", "input", tanh(call.tensor("input"))),
    OPERATION("trunc", "input", trunc(call.tensor("input"))),
    OPERATION("neg", "input", -call.tensor("input")),
    OPERATION("positive", "input", call.tensor("input")),
    OPERATION("isfinite", "input", isfinite(call.tensor("input"))),
    OPERATION("isinf", "input", isinf(call.tensor("input"))),
    OPERATION("isnan", "input", isnan(call.tensor("input"))),
    OPERATION("isneginf", "input", isneginf(call.tensor("input"))),
    OPERATION("isposinf", "input", isposinf(call.tensor("input"))),
    OPERATION("logical_not", "input", logical_not(call.tensor("input"))),
    OPERATION("signbit", "input", signbit(call.tensor("input"))),
    OPERATION("round", "input decimals=0", around(call.tensor("input"), call.integer("decimals"))),
    OPERATION("nan_to_num", "input nan=null posinf=null neginf=null", nan_to_num(call.tensor("input"), replacements(call))),
    OPERATION("frexp", "input", frexp_outputs(call.tensor("input"))),
    OPERATION("atan2", "input other", atan2(call.tensor("input"), call.tensor("other"))),
    OPERATION("copysign", "input other", copysign(call.tensor("input"), call.tensor("other"))),
    OPERATION("floor_divide", "input other", floor_divide(call.tensor("input"), call.tensor("other"))),
    OPERATION("fmax", "input other", fmax(call.tensor("input"), call.tensor("other"))),
    OPERATION("fmin", "input other", fmin(call.tensor("input"), call.tensor("other"))),
    OPERATION("fmod", "input other", fmod(call.tensor("input"), call.tensor("other"))),
    OPERATION("heaviside", "input other", heaviside(call.tensor("input"), call.tensor("other"))),
    OPERATION("hypot", "input other", hypot(call.tensor("input"), call.tensor("other"))),
    OPERATION("ldexp", "input other", ldexp(call.tensor("input"), call.tensor("other"))),
    OPERATION("logaddexp", "input other", logaddexp(call.tensor("input"), call.tensor("other"))),
    OPERATION("logaddexp2", "input other", logaddexp2(call.tensor("input"), call.tensor("other"))),
    OPERATION("maximum", "input other", maximum(call.tensor("input"), call.tensor("other"))),
    OPERATION("minimum", "input other", minimum(call.tensor("input"), call.tensor("other"))),
    OPERATION("remainder", "input other", mod(call.tensor("input"), call.tensor("other"))),
    OPERATION("add", "input other alpha=1", call.tensor("input") + scaled(call, "other")),
    OPERATION("sub", "input other alpha=1", call.tensor("input") - scaled(call, "other")),
    OPERATION("rsub", "input other alpha=1", call.tensor("other") - scaled(call, "input")),
    OPERATION("mul", "input other", call.tensor("input") * call.tensor("other")),
    OPERATION("div", "input other rounding_mode=null", quotient(call)),
    OPERATION("true_divide", "input other", call.tensor("input") / call.tensor("other")),
    OPERATION("pow", "input exponent", pow(call.tensor("input"), call.tensor("exponent"))),
    OPERATION("float_power", "input exponent", pow(call.tensor("input"), call.tensor("exponent"))),
    OPERATION("clamp", "input min=null max=null", clip(call.tensor("input"), limit(call, "min", -infinity), limit(call, "max", infinity))),
    OPERATION("clamp_min", "input min", clip(call.tensor("input"), call.tensor("min"), infinity)),
    OPERATION("clamp_max", "input max", clip(call.tensor("input"), -infinity, call.tensor("max"))),
    OPERATION("addcmul", "input tensor1 tensor2 value=1",
              addcmul(call.tensor("input"), call.tensor("tensor1"), call.tensor("tensor2"), call.number("value"))),
    OPERATION("addcdiv", "input tensor1 tensor2 value=1",
              addcdiv(call.tensor("input"), call.tensor("tensor1"), call.tensor("tensor2"), call.number("value"))),
    OPERATION("lerp", "input end weight", lerp(call.tensor("input"), call.tensor("end"), call.tensor("weight"))),
    OPERATION("where", "input condition other", where(call.mask("condition"), call.tensor("input"), call.tensor("other"))),
    OPERATION("fill", "input value", where(xt::xarray<bool>(true), call.tensor("value"), call.tensor("input"))),
    OPERATION("eq", "input other", call.tensor("input") == call.tensor("other")),
    OPERATION("ne", "input other", call.tensor("input") != call.tensor("other")),
    OPERATION("lt", "input other", call.tensor("input") < call.tensor("other")),
    OPERATION("le", "input other", call.tensor("input") <= call.tensor("other")),
    OPERATION("gt", "input other", call.tensor("input") > call.tensor("other")),
    OPERATION("ge", "input other", call.tensor("input") >= call.tensor("other")),
    OPERATION("logical_and", "input other", logical_and(call.tensor("input"), call.tensor("other"))),
    OPERATION("logical_or", "input other", logical_or(call.tensor("input"), call.tensor("other"))),
    OPERATION("logical_xor", "input other", logical_xor(call.tensor("input"), call.tensor("other"))),
    OPERATION("isclose", "input other rtol=1e-5 atol=1e-8 equal_nan=false",
              isclose(call.tensor("input"), call.tensor("other"), call.number("rtol"), call.number("atol"), call.flag("equal_nan"))),
    OPERATION("erf", "input", erf(call.tensor("input"))),
    OPERATION("erfc", "input", erfc(call.tensor("input"))),
    OPERATION("erfinv", "input", erfinv(call.tensor("input"))),
    OPERATION("lgamma", "input", lgamma(call.tensor("input"))),
    OPERATION("digamma", "input", digamma(call.tensor("input"))),
    OPERATION("i0", "input", i0(call.tensor("input"))),
    OPERATION("special.i0e", "input", i0e(call.tensor("input"))),
    OPERATION("special.i1", "input", i1(call.tensor("input"))),
    OPERATION("special.i1e", "input", i1e(call.tensor("input"))),
    OPERATION("special.ndtr", "input", ndtr(call.tensor("input"))),
    OPERATION("special.ndtri", "input", ndtri(call.tensor("input"))),
    OPERATION("special.log_ndtr", "input", log_ndtr(call.tensor("input"))),
    OPERATION("special.erfcx", "input", erfcx(call.tensor("input"))),
    OPERATION("special.entr", "input", entr(call.tensor("input"))),
    OPERATION("xlogy", "input other", xlogy(call.tensor("input"), call.tensor("other"))),
    OPERATION("special.xlog1py", "input other", xlog1py(call.tensor("input"), call.tensor("other"))),
    OPERATION("special.zeta", "input other", zeta(call.tensor("input"), call.tensor("other"))),
    OPERATION("igamma", "input other", igamma(call.tensor("input"), call.tensor("other"))),
    OPERATION("igammac", "input other", igammac(call.tensor("input"), call.tensor("other"))),
    OPERATION("logit", "input eps=null",
              call.has("eps") ? logit(call.tensor("input"), call.number("eps")) : logit(call.tensor("input"))),
    OPERATION("polygamma", "input n", polygamma(call.count("n"), call.tensor("input"))),
    OPERATION("special.polygamma", "input n", polygamma(call.count("n"), call.tensor("input"))),
    OPERATION("mvlgamma", "input p", mvlgamma(call.tensor("input"), call.count("p"))),
};
// clang-format on

constexpr Declined declined[] = {
    {"nextafter", "has no use in training: std::nextafter on the values does it"},
    {"isreal", "there are no complex numbers here: always true"},
};

}

Family elementwise_mappings()
{
    return {mappings, declined};
}
