#pragma once

#include <autograd/formula.hpp>
#include <autograd/kernels/special.hpp>
#include <autograd/ops/special.hpp>

#include <iterator>
#include <numbers>

/// Words for the formulas of special functions, beside those of formula.hpp. Registers are computed lane by lane, and
/// everything in double precision. On a Tensor they are the operations, so that derivatives of every order follow.
namespace autograd
{

namespace detail
{

/// Families whose derivatives are of the family again; their first operand, a whole number, has no gradient.
/// @{
template <Real T>
Node* polygamma(Node* n, Node* x, Location location);
template <Real T>
Node* bessel_i(Node* order, Node* x, Location location);
template <Real T>
Node* bessel_ie(Node* order, Node* x, Location location);
template <Real T>
Node* sinc(Node* n, Node* x, Location location);
/// @}

}

namespace formula
{

#define SPECIAL_WORD_1(function)                                                                                       \
    template <Number T>                                                                                                \
    T function(T x)                                                                                                    \
    {                                                                                                                  \
        return static_cast<T>(detail::special::function(x));                                                           \
    }                                                                                                                  \
    template <Register B>                                                                                              \
    B function(const B& x)                                                                                             \
    {                                                                                                                  \
        return detail::lane_by_lane([](auto lane) { return function(lane); }, x);                                      \
    }                                                                                                                  \
    constexpr Probe function(Probe x)                                                                                  \
    {                                                                                                                  \
        return Probe::all(x);                                                                                          \
    }
SPECIAL_WORD_1(digamma)
SPECIAL_WORD_1(erfcx)
SPECIAL_WORD_1(erfinv)
SPECIAL_WORD_1(ndtri)
#undef SPECIAL_WORD_1

#define SPECIAL_WORD_2(function)                                                                                       \
    template <Number A, Number B>                                                                                      \
    std::common_type_t<A, B> function(A a, B b)                                                                        \
    {                                                                                                                  \
        return static_cast<std::common_type_t<A, B>>(detail::special::function(a, b));                                 \
    }                                                                                                                  \
    template <Register B>                                                                                              \
    B function(const B& a, const B& b)                                                                                 \
    {                                                                                                                  \
        return detail::lane_by_lane([](auto x, auto y) { return function(x, y); }, a, b);                              \
    }                                                                                                                  \
    constexpr Probe function(Probe a, Probe b)                                                                         \
    {                                                                                                                  \
        return Probe::all(a, b);                                                                                       \
    }
SPECIAL_WORD_2(zeta)
SPECIAL_WORD_2(igamma)
SPECIAL_WORD_2(igammac)

#define SPECIAL_FAMILY(function)                                                                                       \
    SPECIAL_WORD_2(function)                                                                                           \
    template <Real T>                                                                                                  \
    Tensor<T> function(const Tensor<T>& n, const Tensor<T>& x)                                                         \
    {                                                                                                                  \
        return Tensor<T>::adopt(detail::function<T>(n.node(), x.node(), {}));                                          \
    }
SPECIAL_FAMILY(polygamma)
SPECIAL_FAMILY(bessel_i)
SPECIAL_FAMILY(bessel_ie)
SPECIAL_FAMILY(sinc)
#undef SPECIAL_FAMILY
#undef SPECIAL_WORD_2

inline constexpr double sqrt_half = 1 / std::numbers::sqrt2;
/// 1 / sqrt(2 pi), the normal distribution's density at 0.
inline constexpr double normal_peak = std::numbers::inv_sqrtpi * sqrt_half;

/// The normal distribution's cumulative function.
/// @{
constexpr auto normal_cumulative(const auto& x)
{
    return erfc(x * -sqrt_half) * 0.5;
}

/// What e^(-z^2 / 2) 5 / (5 + z) is multiplied by to give the function at -z: a polynomial in (5 - z) / (5 + z), which
/// interpolates at the Chebyshev points of z from 0 to infinity.
template <class T>
inline constexpr T tail_polynomial[] = {
    0.15383860995001258884,     0.13307650057801138166,     0.099061123193996100266,     0.062706631334256278351,
    0.03300407323403903579,     0.01382372774141432385,     0.004159013360646807563,     0.00059867535179569562797,
    -0.00015957388554950592958, -0.00010897979367471258012, -0.000011875117666755533969, 9.9524655849159031086e-6,
    3.3361705439850790766e-6,   -7.9587230276584309213e-7,  -5.5377575673441827104e-7,   6.6708542824621076528e-8,
    8.6695328570275129576e-8,   -7.7142897134515166889e-9,  -1.3483378103647206855e-8,   1.3881694748089733564e-9,
    1.8550164483074684503e-9,   -2.5427518520556464589e-10, -1.5708917166495315266e-10,  2.6624214860214040344e-11};
template <>
inline constexpr float tail_polynomial<float>[] = {
    0.15383860897977774639,     0.13307658563556024373,      0.099061194106817396166,  0.062704914334214921024,
    0.033003228241094304455,    0.013833478223451978792,     0.0041627355947002023601, 0.00057586141285985263058,
    -0.00016714621187122295751, -0.000085075060483855145718, -4.3935654681958328312e-6};

/// e^(-x^2 / 2) and the cumulative function, of x or of +-40 if that is nearer to 0.
template <Register B>
struct Normal
{
    explicit Normal(const B& x)
    {
        using T = typename B::value_type;
        const B last(T(40));
        const B z = select(gt(abs(x), last), last, abs(x));
        const B inverse = B(T(1)) / (z + B(T(5)));
        const B u = (B(T(5)) - z) * inverse;
        // What z^2 loses by rounding would be multiplied by its size.
        const B square = z * z;
        const B rest = xsimd::fma(z, z, -square);
        bell = detail::exponential_of_negative(square * B(T(-0.5))) * (B(T(1)) - rest * B(T(0.5)));
        const B tail = detail::polynomial(tail_polynomial<T>, u) * inverse * B(T(5)) * bell;
        cumulative = select(gt(x, B(T(0))), B(T(1)) - tail, tail);
    }

    B bell;
    B cumulative;
};

// The activation of transformers is made of it: erfc, lane by lane, would take several times as long.
template <Register B>
B normal_cumulative(const B& x)
{
    return Normal<B>(x).cumulative;
}
/// @}

constexpr auto normal_density(const auto& x)
{
    return exp(x * x * -0.5) * normal_peak;
}

/// The derivative of x times the cumulative function.
/// @{
constexpr auto gelu_slope(const auto& x)
{
    return normal_cumulative(x) + x * normal_density(x);
}
template <Register B>
B gelu_slope(const B& x)
{
    const Normal<B> normal(x);
    return normal.cumulative + x * normal.bell * B(static_cast<typename B::value_type>(normal_peak));
}
/// @}

}

}
