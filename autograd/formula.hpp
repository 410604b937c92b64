#pragma once

#include <autograd/kernels/trigonometric.hpp>
#include <autograd/ops/activation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor.hpp>

#include <xsimd/xsimd.hpp>

#include <cmath>
#include <cstdint>

/// What the formula of an element-wise operation may use. A formula is written once and instantiated on a number, on a
/// SIMD register of numbers, on a Tensor (where an outer tape records it), and on `Probe`, which finds out what it reads.
/// So it has no `if`, but `select(condition, a, b)`, and compares by `gt`, `ge`, `lt`, `le`, `eq`.
namespace autograd::formula
{

template <class T>
concept Number = std::is_floating_point_v<T>;

template <class B>
concept Register = requires
{
    typename B::batch_bool_type;
};

/// What a formula is, where it is as simple as that: one of its arguments; or the product, sum or negative of such.
enum class Form : std::uint8_t
{
    other,
    argument,
    product,
    sum,
    negative
};

/// Stands for an argument of a formula and remembers what was read: bit 0 for the first argument, and so on.
struct Probe
{
    unsigned read = 0;
    Form form = Form::other;

    constexpr Probe() = default;
    constexpr Probe(double) {}

    /// The argument of this number.
    static constexpr Probe argument(unsigned number)
    {
        Probe result;
        result.read = 1U << number;
        result.form = Form::argument;
        return result;
    }

    static constexpr Probe all(auto... arguments)
    {
        Probe result;
        result.read = (arguments.read | ... | 0U);
        return result;
    }

    /// The same, as a formula of this form if all are arguments.
    static constexpr Probe simple(Form form, auto... arguments)
    {
        Probe result = all(arguments...);
        result.form = ((arguments.form == Form::argument) && ...) ? form : Form::other;
        return result;
    }
};

#define AUTOGRAD_PROBE_OPERATOR(symbol, form)                                                                          \
    constexpr Probe operator symbol(Probe a, Probe b)                                                                  \
    {                                                                                                                  \
        return Probe::simple(Form::form, a, b);                                                                        \
    }
AUTOGRAD_PROBE_OPERATOR(+, sum)
AUTOGRAD_PROBE_OPERATOR(-, other)
AUTOGRAD_PROBE_OPERATOR(*, product)
AUTOGRAD_PROBE_OPERATOR(/, other)
#undef AUTOGRAD_PROBE_OPERATOR
constexpr Probe operator-(Probe a)
{
    return Probe::simple(Form::negative, a);
}

#define AUTOGRAD_VOCABULARY_1(function)                                                                                \
    using std::function;                                                                                               \
    template <Register B>                                                                                              \
    B function(const B& x)                                                                                             \
    {                                                                                                                  \
        return xsimd::function(x);                                                                                     \
    }                                                                                                                  \
    constexpr Probe function(Probe x)                                                                                  \
    {                                                                                                                  \
        return Probe::all(x);                                                                                          \
    }
AUTOGRAD_VOCABULARY_1(sqrt)
AUTOGRAD_VOCABULARY_1(tan)
AUTOGRAD_VOCABULARY_1(sinh)
AUTOGRAD_VOCABULARY_1(cosh)
AUTOGRAD_VOCABULARY_1(abs)
AUTOGRAD_VOCABULARY_1(atan)
AUTOGRAD_VOCABULARY_1(ceil)
AUTOGRAD_VOCABULARY_1(floor)
AUTOGRAD_VOCABULARY_1(log2)
AUTOGRAD_VOCABULARY_1(trunc)
#undef AUTOGRAD_VOCABULARY_1

// Argument-dependent lookup finds xsimd's functions, too: these have their signatures, and a constraint that makes them win.
#define AUTOGRAD_OURS_1(function, ours)                                                                                \
    using std::function;                                                                                               \
    template <class T, class A>                                                                                        \
        requires(Register<xsimd::batch<T, A>>)                                                                         \
    xsimd::batch<T, A> function(const xsimd::batch<T, A>& x)                                                           \
    {                                                                                                                  \
        return ours(x);                                                                                                \
    }                                                                                                                  \
    constexpr Probe function(Probe x)                                                                                  \
    {                                                                                                                  \
        return Probe::all(x);                                                                                          \
    }
AUTOGRAD_OURS_1(exp, detail::exponential)
AUTOGRAD_OURS_1(expm1, detail::exponential_minus_1)
AUTOGRAD_OURS_1(log, detail::logarithm)
AUTOGRAD_OURS_1(log1p, detail::logarithm_of_1_plus)
AUTOGRAD_OURS_1(tanh, detail::hyperbolic_tangent)
AUTOGRAD_OURS_1(sin, detail::sine)
AUTOGRAD_OURS_1(cos, detail::cosine)

// What xsimd lacks or has with fewer digits (erfc, lgamma).
#define AUTOGRAD_LANEWISE_1(function)                                                                                  \
    AUTOGRAD_OURS_1(function, [](const auto& all)                                                                      \
                    { return detail::lane_by_lane([](auto lane) { return std::function(lane); }, all); })
AUTOGRAD_LANEWISE_1(acos)
AUTOGRAD_LANEWISE_1(acosh)
AUTOGRAD_LANEWISE_1(asin)
AUTOGRAD_LANEWISE_1(asinh)
AUTOGRAD_LANEWISE_1(atanh)
AUTOGRAD_LANEWISE_1(cbrt)
AUTOGRAD_LANEWISE_1(erf)
AUTOGRAD_LANEWISE_1(erfc)
AUTOGRAD_LANEWISE_1(exp2)
AUTOGRAD_LANEWISE_1(lgamma)
AUTOGRAD_LANEWISE_1(log10)
AUTOGRAD_LANEWISE_1(nearbyint)
AUTOGRAD_LANEWISE_1(round)
AUTOGRAD_LANEWISE_1(tgamma)
#undef AUTOGRAD_LANEWISE_1
#undef AUTOGRAD_OURS_1

#define AUTOGRAD_LANEWISE_2(function)                                                                                  \
    using std::function;                                                                                               \
    template <class T, class A>                                                                                        \
        requires(Register<xsimd::batch<T, A>>)                                                                         \
    xsimd::batch<T, A> function(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b)                              \
    {                                                                                                                  \
        return detail::lane_by_lane([](auto x, auto y) { return std::function(x, y); }, a, b);                         \
    }                                                                                                                  \
    constexpr Probe function(Probe a, Probe b)                                                                         \
    {                                                                                                                  \
        return Probe::all(a, b);                                                                                       \
    }
AUTOGRAD_LANEWISE_2(atan2)
AUTOGRAD_LANEWISE_2(fmod)
AUTOGRAD_LANEWISE_2(hypot)
AUTOGRAD_LANEWISE_2(remainder)
#undef AUTOGRAD_LANEWISE_2

// On registers it is xsimd's.
using std::copysign;
constexpr Probe copysign(Probe a, Probe b)
{
    return Probe::all(a, b);
}

/// a^b. Not called pow, which on registers would be xsimd's: that one is wrong at 0, infinity and NaN.
/// @{
constexpr auto power(Number auto a, Number auto b)
{
    return std::pow(a, b);
}
/// exp(b log a) where that is as good as std::pow, which does the other elements.
template <Register B>
B power(const B& a, const std::type_identity_t<B>& b)
{
    using T = typename B::value_type;
    constexpr T most = std::is_same_v<T, float> ? T(4) : T(32);
    const auto positive = a > B(T(0));
    const B exponent = b * log(xsimd::select(positive, a, B(T(1))));
    B result = detail::exponential(exponent);
    const auto good = positive & (xsimd::abs(exponent) < B(most));
    if (!xsimd::all(good))
    {
        alignas(detail::buffer_alignment) T bases[B::size];
        alignas(detail::buffer_alignment) T exponents[B::size];
        alignas(detail::buffer_alignment) T results[B::size];
        a.store_aligned(bases);
        b.store_aligned(exponents);
        result.store_aligned(results);
        for (std::size_t lane = 0; lane < B::size; ++lane)
        {
            if (!good.get(lane))
            {
                results[lane] = std::pow(bases[lane], exponents[lane]);
            }
        }
        result = B::load_aligned(results);
    }
    return result;
}
constexpr Probe power(Probe a, Probe b)
{
    return Probe::all(a, b);
}
template <Real T>
Tensor<T> power(const Tensor<T>& a, const std::type_identity_t<Tensor<T>>& b)
{
    return Tensor<T>::adopt(detail::pow<T>(a.node(), b.node(), {}));
}
/// @}

/// 1 / (1 + e^-x). On a Tensor it is the operation, whose derivatives of all orders are finite.
/// @{
template <Number T>
T sigmoid(T x)
{
    return T(1) / (exp(-x) + T(1));
}
template <Register B>
B sigmoid(const B& x)
{
    return 1.0 / (exp(-x) + 1.0);
}
constexpr Probe sigmoid(Probe x)
{
    return Probe::all(x);
}
/// @}

/// A comparison of tensors inside a formula: 1 where it holds, else 0.
template <Real T>
struct Mask
{
    Tensor<T> ones;
};

/// Comparisons. On tensors they have no derivative and are not recorded.
/// @{
#define AUTOGRAD_COMPARISON(name, symbol, function)                                                                    \
    constexpr bool name(Number auto a, Number auto b)                                                                  \
    {                                                                                                                  \
        return a symbol b;                                                                                             \
    }                                                                                                                  \
    template <Register B>                                                                                              \
    auto name(const B& a, const std::type_identity_t<B>& b)                                                            \
    {                                                                                                                  \
        return a symbol b;                                                                                             \
    }                                                                                                                  \
    constexpr Probe name(Probe a, Probe b)                                                                             \
    {                                                                                                                  \
        return Probe::all(a, b);                                                                                       \
    }                                                                                                                  \
    template <Real T>                                                                                                  \
    Mask<T> name(const Tensor<T>& a, const std::type_identity_t<Tensor<T>>& b)                                         \
    {                                                                                                                  \
        return {Tensor<T>::adopt(detail::function<T>(a.node(), b.node(), {}))};                                        \
    }
AUTOGRAD_COMPARISON(gt, >, greater)
AUTOGRAD_COMPARISON(ge, >=, greater_equal)
AUTOGRAD_COMPARISON(lt, <, less)
AUTOGRAD_COMPARISON(le, <=, less_equal)
AUTOGRAD_COMPARISON(eq, ==, equal)
#undef AUTOGRAD_COMPARISON
/// @}

/// a where the condition holds, else b.
/// @{
template <Number A, Number B>
constexpr auto select(bool condition, A a, B b) -> std::common_type_t<A, B>
{
    return condition ? a : b;
}
template <Register B>
B select(const typename B::batch_bool_type& condition, const B& a, const std::type_identity_t<B>& b)
{
    return xsimd::select(condition, a, b);
}
constexpr Probe select(Probe condition, Probe a, Probe b)
{
    return Probe::all(condition, a, b);
}
template <Real T>
Tensor<T> select(const Mask<T>& condition, const std::type_identity_t<Tensor<T>>& a,
                 const std::type_identity_t<Tensor<T>>& b)
{
    return Tensor<T>::adopt(detail::where<T>(condition.ones.node(), a.node(), b.node(), {}));
}
/// @}

/// log(1 + e^x), which neither overflows nor cancels. On a Tensor it is the operation, whose derivative at 0 is right.
/// @{
template <class X>
    requires(Number<X> || Register<X>)
X softplus(const X& x)
{
    return select(gt(x, X(0)), x, X(0)) + log1p(exp(-abs(x)));
}
constexpr Probe softplus(Probe x)
{
    return Probe::all(x);
}
/// @}

/// The constant c as what `x` is: for results that do not depend on their arguments.
template <class X>
constexpr X constant([[maybe_unused]] const X& x, double c)
{
    if constexpr (Register<X>)
    {
        return X(static_cast<typename X::value_type>(c));
    }
    else
    {
        return X(c);
    }
}

}
