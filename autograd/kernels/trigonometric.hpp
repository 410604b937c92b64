#pragma once

#include <autograd/kernels/elementary.hpp>

/// Sines and cosines of registers, to within 1.4 units in the last place; the standard library's of what is larger than most
/// numbers are. xsimd 8's take 1 to 1.2 times as long, and share nothing where both are wanted.
namespace autograd::detail
{

template <class T>
struct TrigonometricNumbers;
template <>
struct TrigonometricNumbers<double>
{
    /// pi / 2 in three parts, of which the first two have 33 bits: multiples below 2^20 are exact.
    static constexpr double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};
    /// Up to here multiples of the last part are as small as errors are.
    static constexpr double usual = 3e4;
    static constexpr double most = 1.6e6;
    /// (sin(x) - x) / x^3 and (cos(x) - 1 + x^2 / 2) / x^4 in x^2 for |x| <= pi / 4.
    static constexpr double sine_tail[] = {-0.166666666666666307,  0.0083333333333221185,   -0.000198412698295894633,
                                           2.75573136213580325e-6, -2.50507477583036741e-8, 1.58962298821597705e-10};
    static constexpr double cosine_tail[] = {0.0416666666666665929,    -0.00138888888888730563,
                                             0.0000248015872888516218, -2.75573141792712112e-7,
                                             2.08757008383226676e-9,   -1.13585363241829399e-11};
};
template <>
struct TrigonometricNumbers<float>
{
    /// The first two have 17 bits: multiples below 2^7 are exact.
    static constexpr float half_pi[] = {0x1.921fp+0F, 0x1.6a88p-17F, 0x1.0b4612p-34F};
    static constexpr float usual = 200;
    static constexpr float most = 1.6e6F;
    static constexpr float sine_tail[] = {-0.166666546F, 0.00833216076F, -0.000195152826F};
    static constexpr float cosine_tail[] = {0.0416666457F, -0.00138873162F, 0.0000244331564F};
};

/// high + low = x - k pi / 2, where k is the integer that makes it smallest.
template <class B>
struct Angle
{
    using T = typename B::value_type;
    using Numbers = TrigonometricNumbers<T>;
    using Bits = typename Exponential<B>::Bits;

    B high;
    B low;
    Bits quarters;  ///< its last two bits are those of k

    /// For x from 0 to `usual`.
    static Angle of_usual(const B& x)
    {
        const B rounded = xsimd::fma(x, B(T(2 / std::numbers::pi)), B(to_integer<T>));
        const B k = rounded - B(to_integer<T>);
        const B exact = xsimd::fnma(k, B(Numbers::half_pi[0]), x);
        const B second = k * B(Numbers::half_pi[1]);
        const B high = exact - second;
        const B low = xsimd::fnma(k, B(Numbers::half_pi[2]), exact - high - second);
        return {high, low, std::bit_cast<Bits>(rounded)};
    }

    /// For x from 0 to `most`.
    static Angle of(const B& x)
    {
        if constexpr (std::is_same_v<T, double>)
        {
            const Angle part = of_usual(x);
            const B high = part.high + part.low;
            return {high, part.high - high + part.low, part.quarters};
        }
        else
        {
            using Double = TrigonometricNumbers<double>;
            alignas(64) T xs[B::size], highs[B::size], lows[B::size];
            alignas(64) std::uint32_t quarters[B::size];
            x.store_aligned(xs);
            for (std::size_t i = 0; i < B::size; ++i)
            {
                const double rounded = xs[i] * (2 / std::numbers::pi) + to_integer<double>;
                const double k = rounded - to_integer<double>;
                const double rest = xs[i] - k * Double::half_pi[0] - k * Double::half_pi[1];
                highs[i] = static_cast<T>(rest);
                lows[i] = static_cast<T>(rest - highs[i]);
                quarters[i] = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(rounded));
            }
            return {B::load_aligned(highs), B::load_aligned(lows), Bits::load_aligned(quarters)};
        }
    }
};

/// sin(x + turns pi / 2) of what x is an angle of; turns is 0 or 1.
template <int turns, class B>
B sine_of(const Angle<B>& x)
{
    using T = typename B::value_type;
    using Numbers = TrigonometricNumbers<T>;
    using Bits = typename Angle<B>::Bits;
    const B square = x.high * x.high;
    const B sine = x.high + xsimd::fma(x.high * square, polynomial(Numbers::sine_tail, square), x.low);
    const B bend = xsimd::fma(polynomial(Numbers::cosine_tail, square), square, B(T(-0.5)));
    const B cosine = B(1) + xsimd::fnma(x.high, x.low, square * bend);
    // By bits: multiplications leave no time for comparisons, and whoever wants both sines has most of it in common. Where k is
    // odd, they change places; the second lowest bit of k + turns is the sign.
    constexpr int sign_bit = 8 * sizeof(T) - 1;
    const Bits odd = Bits(0) - (x.quarters & Bits(1));
    const Bits exchanged = (std::bit_cast<Bits>(sine) ^ std::bit_cast<Bits>(cosine)) & odd;
    const Bits sign = ((x.quarters + Bits(turns)) << (sign_bit - 1)) & std::bit_cast<Bits>(B(T(-0.0)));
    return std::bit_cast<B>(std::bit_cast<Bits>(turns == 0 ? sine : cosine) ^ exchanged ^ sign);
}

/// f(x), which is sin(x + turns pi / 2), for x that is not negative.
/// @{
template <int turns, class B, class F>
[[gnu::noinline]] B sine_of_unusual(F f, B x)
{
    return replace_unusual(x <= B(Angle<B>::Numbers::most), sine_of<turns>(Angle<B>::of(x)), f, x);
}

template <int turns, class B, class F>
B sine_of(F f, const B& x)
{
    const B y = sine_of<turns>(Angle<B>::of_usual(x));
    const auto usual = x <= B(Angle<B>::Numbers::usual);
    if (!xsimd::all(usual)) [[unlikely]]
    {
        return xsimd::select(usual, y, sine_of_unusual<turns>(f, x));
    }
    return y;
}
/// @}

template <class B>
B sine(const B& x)
{
    // Of the size, for the sign of a zero.
    return sine_of<0>([](auto lane) { return std::sin(lane); }, xsimd::abs(x)) ^ (x & B(typename B::value_type(-0.0)));
}

template <class B>
B cosine(const B& x)
{
    return sine_of<1>([](auto lane) { return std::cos(lane); }, xsimd::abs(x));
}

}
