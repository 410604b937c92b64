#pragma once

#include <xsimd/xsimd.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

/// Exponentials of registers, to about one unit in the last place (at most 1.15; xsimd's have 1.5 of floats and are infinite
/// a little too early). They have two thirds of the instructions of xsimd's and, what counts more, of their latency: a processor
/// holds only so many registers that are on their way.
namespace autograd::detail
{

/// A sum with it has the nearest integer in its last bits.
template <class T>
inline constexpr T to_integer = std::is_same_v<T, float> ? T(12582912) : T(6755399441055744);

template <class T>
struct ExponentialNumbers
{
    static constexpr bool is_float = std::is_same_v<T, float>;
    using Bits = std::conditional_t<is_float, std::uint32_t, std::uint64_t>;
    static constexpr int mantissa_bits = is_float ? 23 : 52;
    /// The same plus the bias of exponents.
    static constexpr T rounds = to_integer<T> + (is_float ? T(127) : T(1023));
    static constexpr T per_log_2 = T(1.4426950408889634);
    /// log(2), of which the first part has so few bits that its multiples are exact.
    static constexpr T log_2_high = is_float ? T(0.693359375) : T(6.93147180369123816490e-01);
    static constexpr T log_2_low = is_float ? T(-2.12194440e-4) : T(1.90821492927058770002e-10);
    /// Where 2^k is half of the smallest normal number, for which 0 stands; where 2^(k - 1) is; and where e^x is infinite.
    static constexpr T least = is_float ? T(-88) : T(-709);
    static constexpr T least_halved = is_float ? T(-87.6) : T(-708.5);
    static constexpr T most = is_float ? T(88.8) : T(709.9);
};

/// e^x - 1 - x over x^2 for |x| <= log(2) / 2: interpolated at Chebyshev's points.
template <class B>
B exponential_tail(const B& x)
{
    using T = typename B::value_type;
    const auto line = [&](double slope, double start) { return xsimd::fma(B(T(slope)), x, B(T(start))); };
    const B x2 = x * x;
    if constexpr (std::is_same_v<T, float>)
    {
        const B upper = xsimd::fma(B(T(0.0013926183587713494)), x2, line(0.008363179052722578, 0.041666554617204574));
        return xsimd::fma(upper, x2, line(0.16666576989698775, 0.5));
    }
    else
    {
        const B x4 = x2 * x2;
        const B first = xsimd::fma(line(0.008333333333326136, 0.04166666666666667), x2, line(0.1666666666666667, 0.5));
        const B second = xsimd::fma(line(2.7557255400206422e-06, 2.4801587325547743e-05), x2,
                                    line(0.00019841269874820627, 0.0013888888888883748));
        const B third =
            xsimd::fma(B(T(2.0914686968086876e-09)), x2, line(2.5105217004720745e-08, 2.75572736431103e-07));
        return xsimd::fma(xsimd::fma(third, x4, second), x4, first);
    }
}

/// e^x / 2^halvings as (1 + rest) scale, where the scale is a power of 2; for x from `least` to `most`.
template <class B, int halvings = 0>
struct Exponential
{
    using T = typename B::value_type;
    using Numbers = ExponentialNumbers<T>;
    using Bits = xsimd::batch<typename Numbers::Bits, typename B::arch_type>;

    explicit Exponential(const B& x)
    {
        constexpr T rounds = Numbers::rounds - halvings;
        const B rounded = xsimd::fma(x, B(Numbers::per_log_2), B(rounds));
        const B k = rounded - B(rounds);
        const B r = xsimd::fnma(k, B(Numbers::log_2_low), xsimd::fnma(k, B(Numbers::log_2_high), x));
        rest = xsimd::fma(exponential_tail(r), r * r, r);
        scale = std::bit_cast<B>(Bits(std::bit_cast<Bits>(rounded) << Numbers::mantissa_bits));
    }

    B rest;
    B scale;
};

/// e^x; 0 below 2^-125 (float) or 2^-1021.
template <class B>
B exponential(const B& x)
{
    using Numbers = ExponentialNumbers<typename B::value_type>;
    // In this order of operands NaN stays. 2^k may be infinite where e^x is not.
    const Exponential<B, 1> half(xsimd::min(B(Numbers::most), xsimd::max(B(Numbers::least_halved), x)));
    const B y = xsimd::fma(half.rest, half.scale, half.scale);
    return y + y;
}

/// The same for x that is not above 1.
template <class B>
B exponential_of_negative(const B& x)
{
    using Numbers = ExponentialNumbers<typename B::value_type>;
    const Exponential<B> e(xsimd::max(B(Numbers::least), x));
    return xsimd::fma(e.rest, e.scale, e.scale);
}

}
