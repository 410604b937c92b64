#pragma once

#include <autograd/kernels/exponential.hpp>
#include <autograd/kernels/lanes.hpp>

#include <cmath>
#include <limits>
#include <numbers>

/// Logarithms and relatives of the exponential of registers, with the standard library's values at zeros, infinities and NaN:
/// logarithms to within one unit in the last place, tanh 1.3, expm1 2. xsimd 8's take up to twice as long.
///
/// Polynomials without another source are minimax approximations by Remez's algorithm, with errors below 2^-57 (double) and
/// 2^-27 (float).
namespace autograd::detail
{

/// y, which is not negative, with the sign of x.
template <class B>
B with_sign(const B& y, const B& x)
{
    return y | (x & B(typename B::value_type(-0.0)));
}

/// The coefficients from `first` on, every `step`-th, that of the lowest power first. Two sums of half as many terms take
/// half as long as one, of which every term waits for the one before; not if they are so few that the square takes as long.
template <std::size_t first = 0, std::size_t step = 1, class B, class T, std::size_t N>
B polynomial(const T (&coefficients)[N], const B& x)
{
    constexpr std::size_t count = (N - first + step - 1) / step;
    if constexpr (count == 1)
    {
        return B(coefficients[first]);
    }
    else if constexpr (count == 2)
    {
        return xsimd::fma(B(coefficients[first + step]), x, B(coefficients[first]));
    }
    else if constexpr (count == 3)
    {
        return xsimd::fma(xsimd::fma(B(coefficients[first + 2 * step]), x, B(coefficients[first + step])), x,
                          B(coefficients[first]));
    }
    else
    {
        const B square = x * x;
        return xsimd::fma(polynomial<first + step, 2 * step>(coefficients, square), x,
                          polynomial<first, 2 * step>(coefficients, square));
    }
}

/// e^x - 1.
template <class B>
B exponential_minus_1(const B& x)
{
    using Numbers = ExponentialNumbers<typename B::value_type>;
    const Exponential<B, 1> half(xsimd::min(B(Numbers::most), xsimd::max(B(Numbers::least_halved), x)));
    const B y = xsimd::fma(half.scale, half.rest, half.scale - B(0.5));
    // Where x^2 / 2 is less than its last digit, x is the value, subnormal or not.
    const B tiny(std::numeric_limits<typename B::value_type>::epsilon() / 4);
    return xsimd::select(xsimd::abs(x) < tiny, x, y + y);
}

/// (tanh(x) - x) / x^3 in x^2 for |x| <= 0.625; that of doubles as a quotient, from S. L. Moshier, Cephes, 1995. From `end` on
/// tanh is 1.
template <class T>
struct HyperbolicTangent;
template <>
struct HyperbolicTangent<double>
{
    static constexpr double above[] = {-1.61468768441708447952e3, -9.92877231001918586564e1,
                                       -9.64399179425052238628e-1};
    static constexpr double below[] = {4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1};
    static constexpr double end = 20;
};
template <>
struct HyperbolicTangent<float>
{
    static constexpr float above[] = {-0.333332896F, 0.133316055F, -0.0537511669F, 0.0206717458F, -0.00573768606F};
    static constexpr float end = 10;
};

/// For small x as x + x^3 a, or x + x^3 a / b, else as 1 - 2 / (e^2x + 1): one division.
template <class B>
B hyperbolic_tangent(const B& x)
{
    using T = typename B::value_type;
    using Tangent = HyperbolicTangent<T>;
    const B size = xsimd::abs(x);
    const auto small = size < B(0.625);
    const B square = size * size;
    const B cube = size * square;
    const Exponential<B> e(xsimd::min(B(Tangent::end), size) * B(2));
    const B above = polynomial(Tangent::above, square);
    const B below = xsimd::fma(e.scale, e.rest, e.scale + B(1));
    if constexpr (std::is_same_v<T, float>)
    {
        return with_sign(xsimd::select(small, xsimd::fma(cube, above, size), B(1) - B(2) / below), x);
    }
    else
    {
        const B quotient =
            xsimd::select(small, cube * above, B(-2)) / xsimd::select(small, polynomial(Tangent::below, square), below);
        return with_sign(xsimd::select(small, size, B(1)) + quotient, x);
    }
}

/// (log((1 + s) / (1 - s)) - 2 s) / s^3 in s^2, for (1 + s) / (1 - s) from sqrt(1/2) to sqrt(2).
template <class T>
inline constexpr double logarithm_tail[] = {0.66666666666666829, 0.39999999999688851, 0.28571428690373762,
                                            0.22222203299552976, 0.18183341602113348, 0.15319302157047907,
                                            0.14746947263848406};
template <>
inline constexpr float logarithm_tail<float>[] = {0.666667581F, 0.399792254F, 0.298341691F};

/// log x + low of positive normal numbers.
template <class B>
B logarithm_of_normal(const B& x, const B& low)
{
    using T = typename B::value_type;
    using Numbers = ExponentialNumbers<T>;
    using Bits = typename Exponential<B>::Bits;
    constexpr T bias = Numbers::is_float ? 127 : 1023;
    constexpr T two_to_mantissa_bits = Numbers::is_float ? T(8388608) : T(4503599627370496);
    // x = 2^k (1 + f), where 1 + f is from sqrt(1/2) to sqrt(2); `biased` is k + bias.
    const auto bits = std::bit_cast<Bits>(x);
    const auto one = std::bit_cast<Bits>(B(1));
    const Bits biased = (bits - std::bit_cast<Bits>(B(std::numbers::sqrt2_v<T> / 2)) + one) >> Numbers::mantissa_bits;
    const B f = std::bit_cast<B>(bits - (biased << Numbers::mantissa_bits) + one) - B(1);
    const B k =
        std::bit_cast<B>(biased | std::bit_cast<Bits>(B(two_to_mantissa_bits))) - B(two_to_mantissa_bits + bias);
    // log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + s^2 p(s^2)), as in fdlibm's __ieee754_log.
    const B s = f / (B(2) + f);
    const B square = s * s;
    const B half = B(0.5) * f * f;
    const B rest = xsimd::fma(s, xsimd::fma(polynomial(logarithm_tail<T>, square), square, half),
                              xsimd::fma(k, B(Numbers::log_2_low), low));
    return xsimd::fma(k, B(Numbers::log_2_high), f - (half - rest));
}

/// `usual`, or f lane by lane where it does not hold for lanes, which are rare. What the others get does not depend on them.
template <class B, class F>
B replace_unusual(const typename B::batch_bool_type& is_usual, const B& usual, F f, const B& x)
{
    if (!xsimd::all(is_usual)) [[unlikely]]
    {
        return xsimd::select(is_usual, usual, lane_by_lane(f, x));
    }
    return usual;
}

template <class B>
B logarithm(const B& x)
{
    using T = typename B::value_type;
    using Limits = std::numeric_limits<T>;
    return replace_unusual((x >= B(Limits::min())) & (x <= B(Limits::max())), logarithm_of_normal(x, B(0)),
                           [](T lane) { return std::log(lane); }, x);
}

/// log(1 + x).
template <class B>
B logarithm_of_1_plus(const B& x)
{
    using T = typename B::value_type;
    // What the sum has lost of the smaller summand, divided by it, is what its logarithm has lost.
    const B sum = B(1) + x;
    const B lost = xsimd::select(x < B(1), x - (sum - B(1)), B(1) - (sum - x));
    const B usual = xsimd::select(x == B(0), x, logarithm_of_normal(sum, lost / sum));
    return replace_unusual((x > B(-1)) & (x <= B(std::numeric_limits<T>::max())), usual,
                           [](T lane) { return std::log1p(lane); }, x);
}

}
