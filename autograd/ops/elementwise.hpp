#pragma once

#include <autograd/tensor.hpp>

#include <limits>

/// Operations on each element, with NumPy's broadcasting where there are several operands. At least one operand is a
/// tensor; the others may be scalars, xtensor arrays or expressions, which are constants.
namespace autograd
{

/// @name Of one tensor
/// @{
#define AUTOGRAD_UNARY(name)                                                                                           \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& x, Location location = Location::current());

/// e^x.
AUTOGRAD_UNARY(exp)
/// 2^x.
AUTOGRAD_UNARY(exp2)
/// e^x - 1, exact near 0.
AUTOGRAD_UNARY(expm1)
/// The natural logarithm; NaN below 0.
AUTOGRAD_UNARY(log)
/// The logarithm to base 2; NaN below 0.
AUTOGRAD_UNARY(log2)
/// The logarithm to base 10; NaN below 0.
AUTOGRAD_UNARY(log10)
/// log(1 + x), exact near 0.
AUTOGRAD_UNARY(log1p)
AUTOGRAD_UNARY(sqrt)
/// 1 / sqrt(x).
AUTOGRAD_UNARY(rsqrt)
/// The cubic root, also of negative numbers.
AUTOGRAD_UNARY(cbrt)
/// x^2.
AUTOGRAD_UNARY(square)
/// x^3.
AUTOGRAD_UNARY(cube)
/// 1 / x.
AUTOGRAD_UNARY(reciprocal)
/// The absolute value. Its derivative at 0 is 0.
/// @{
AUTOGRAD_UNARY(abs)
AUTOGRAD_UNARY(fabs)
/// @}
/// -1, 0 or 1. Its derivative is 0 everywhere.
AUTOGRAD_UNARY(sign)
AUTOGRAD_UNARY(sin)
AUTOGRAD_UNARY(cos)
AUTOGRAD_UNARY(tan)
/// In [-pi/2, pi/2]; NaN outside [-1, 1].
AUTOGRAD_UNARY(asin)
/// In [0, pi]; NaN outside [-1, 1].
AUTOGRAD_UNARY(acos)
/// In (-pi/2, pi/2).
AUTOGRAD_UNARY(atan)
AUTOGRAD_UNARY(sinh)
AUTOGRAD_UNARY(cosh)
AUTOGRAD_UNARY(tanh)
AUTOGRAD_UNARY(asinh)
/// NaN below 1.
AUTOGRAD_UNARY(acosh)
/// NaN outside [-1, 1].
AUTOGRAD_UNARY(atanh)
/// Degrees in radians.
/// @{
AUTOGRAD_UNARY(deg2rad)
AUTOGRAD_UNARY(radians)
/// @}
/// Radians in degrees.
/// @{
AUTOGRAD_UNARY(rad2deg)
AUTOGRAD_UNARY(degrees)
/// @}
/// @}

/// @name Rounding
/// The derivative is 0 everywhere, except that of `frac`.
/// @{

/// The next whole number above.
AUTOGRAD_UNARY(ceil)
/// The next whole number below.
AUTOGRAD_UNARY(floor)
/// The next whole number towards 0.
AUTOGRAD_UNARY(trunc)
/// The nearest whole number, halves away from 0.
AUTOGRAD_UNARY(round)
/// The nearest whole number, halves to the even one.
/// @{
AUTOGRAD_UNARY(rint)
AUTOGRAD_UNARY(nearbyint)
/// @}
/// x - trunc(x). Its derivative is 1 everywhere.
AUTOGRAD_UNARY(frac)
#undef AUTOGRAD_UNARY

/// The nearest number with so many decimal places, halves to the even one; -2 rounds to hundreds.
/// @throws ValueError if 10^|decimals| overflows.
template <Real T>
Tensor<T> around(const Tensor<T>& x, std::ptrdiff_t decimals = 0, Location location = Location::current());
/// @}

/// What takes the place of numbers that are not finite; of infinities the largest and the lowest number if not given.
struct NanToNum
{
    double nan = 0;
    double posinf = std::numeric_limits<double>::infinity();
    double neginf = -std::numeric_limits<double>::infinity();
};

/// x with other numbers in place of NaN and infinities, where the derivative is 0.
template <Real T>
Tensor<T> nan_to_num(const Tensor<T>& x, const NanToNum& replacements = {}, Location location = Location::current());

template <Real T>
struct Frexp
{
    Tensor<T> mantissa;
    xt::xarray<int> exponent;
};

/// x = mantissa 2^exponent, where |mantissa| is in [0.5, 1), or 0; what is not finite is its own mantissa. The exponent
/// counts as a constant: the derivative of the mantissa is 2^-exponent.
template <Real T>
Frexp<T> frexp(const Tensor<T>& x, Location location = Location::current());

/// @name Questions
/// The answers have no derivative and are xtensor arrays.
/// @{
template <Real T>
xt::xarray<bool> isnan(const Tensor<T>& x);
template <Real T>
xt::xarray<bool> isinf(const Tensor<T>& x);
template <Real T>
xt::xarray<bool> isposinf(const Tensor<T>& x);
template <Real T>
xt::xarray<bool> isneginf(const Tensor<T>& x);
template <Real T>
xt::xarray<bool> isfinite(const Tensor<T>& x);
/// Whether the sign is minus, also that of -0 and NaN.
template <Real T>
xt::xarray<bool> signbit(const Tensor<T>& x);
/// Whether x is 0.
template <Real T>
xt::xarray<bool> logical_not(const Tensor<T>& x);
/// @}

namespace detail
{

template <Real T>
Node* pow(Node* base, Node* exponent, Location location);
/// The same, by a cheaper way where the exponent is a constant that has one.
template <Real T>
Node* power(Node* base, Node* exponent, Location location);
template <Real T>
Node* clip(Node* x, Node* low, Node* high, Location location);
template <Real T>
Node* fma(Node* a, Node* b, Node* c, Location location);
template <Real T>
Node* addcmul(Node* x, Node* a, Node* b, Location location);
template <Real T>
Node* addcdiv(Node* x, Node* a, Node* b, Location location);
/// x times a number.
template <Real T>
Tensor<T> scaled(const Operand<T>& x, double factor)
{
    const Tensor<T> tensor = x;
    return factor == 1 ? tensor : tensor * Operand<T>(factor, x.location());
}
template <Real T>
Node* lerp(Node* start, Node* end, Node* weight, Location location);
template <Real T>
Node* logical_and(Node* a, Node* b, Location location);
template <Real T>
Node* logical_or(Node* a, Node* b, Location location);
template <Real T>
Node* logical_xor(Node* a, Node* b, Location location);
template <Real T>
xt::xarray<bool> isclose(const Tensor<T>& a, const Tensor<T>& b, double rtol, double atol, bool equal_nan,
                         Location location);

}

/// @name Of two operands
/// @{
#define AUTOGRAD_BINARY(name)                                                                                          \
    namespace detail                                                                                                   \
    {                                                                                                                  \
    template <Real T>                                                                                                  \
    Node* name(Node* a, Node* b, Location location);                                                                   \
    }                                                                                                                  \
    template <OperandLike A, OperandLike B>                                                                            \
    Tensor<element_t<A, B>> name(const A& a, const B& b, Location location = Location::current())                      \
    {                                                                                                                  \
        using T = element_t<A, B>;                                                                                     \
        return Tensor<T>::adopt(                                                                                       \
            detail::name<T>(Operand<T>(a, location).node(), Operand<T>(b, location).node(), location));                \
    }

/// The larger of the two; NaN if one is. Where both are equal, each gets half of the gradient.
AUTOGRAD_BINARY(maximum)
/// The smaller of the two; NaN if one is. Where both are equal, each gets half of the gradient.
AUTOGRAD_BINARY(minimum)
/// The larger of the two, or the one that is not NaN. Where both are equal, a gets the gradient.
AUTOGRAD_BINARY(fmax)
/// The smaller of the two, or the one that is not NaN. Where both are equal, a gets the gradient.
AUTOGRAD_BINARY(fmin)
/// max(a - b, 0). Where both are equal, the derivatives are 0.
AUTOGRAD_BINARY(fdim)
/// sqrt(a^2 + b^2) without overflow. The derivatives at the origin are NaN.
AUTOGRAD_BINARY(hypot)
/// The angle of the point (b, a) in [-pi, pi]. The derivatives at the origin are NaN.
AUTOGRAD_BINARY(atan2)
/// |a| with the sign of b. The derivative by a is 0 where a is 0, that by b everywhere.
AUTOGRAD_BINARY(copysign)
/// a - n b with n = a / b rounded towards 0: the sign is that of a. n counts as a constant in the derivatives.
AUTOGRAD_BINARY(fmod)
/// a - n b with n = a / b rounded to the nearest whole number, as std::remainder: at most |b| / 2. n counts as a constant
/// in the derivatives. PyTorch's and NumPy's function of this name is `mod`.
AUTOGRAD_BINARY(remainder)
/// a - n b with n = a / b rounded down: the sign is that of b. n counts as a constant in the derivatives.
AUTOGRAD_BINARY(mod)
/// a / b rounded down, consistent with `mod`. Its derivatives are 0 everywhere.
AUTOGRAD_BINARY(floor_divide)
/// a 2^b, where b may be any number.
AUTOGRAD_BINARY(ldexp)
/// log(e^a + e^b), which neither overflows nor cancels.
AUTOGRAD_BINARY(logaddexp)
/// log2(2^a + 2^b) likewise.
AUTOGRAD_BINARY(logaddexp2)
/// 0 for a below 0, 1 above, b at 0 (and 0 at NaN, as PyTorch's). The derivative by a is 0 everywhere.
AUTOGRAD_BINARY(heaviside)
/// @}

/// base^exponent. The derivative by the exponent is 0 where the base is 0 and the exponent is not negative.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> pow(const A& base, const B& exponent, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(
        detail::power<T>(Operand<T>(base, location).node(), Operand<T>(exponent, location).node(), location));
}

/// x limited to [low, high]; `high` where they cross. At a limit the gradient goes to x.
template <OperandLike X, OperandLike Low, OperandLike High>
Tensor<element_t<X, Low, High>> clip(const X& x, const Low& low, const High& high,
                                     Location location = Location::current())
{
    using T = element_t<X, Low, High>;
    return Tensor<T>::adopt(detail::clip<T>(Operand<T>(x, location).node(), Operand<T>(low, location).node(),
                                            Operand<T>(high, location).node(), location));
}

/// a b + c, as one operation.
template <OperandLike A, OperandLike B, OperandLike C>
Tensor<element_t<A, B, C>> fma(const A& a, const B& b, const C& c, Location location = Location::current())
{
    using T = element_t<A, B, C>;
    return Tensor<T>::adopt(detail::fma<T>(Operand<T>(a, location).node(), Operand<T>(b, location).node(),
                                           Operand<T>(c, location).node(), location));
}

/// start + weight (end - start), exactly `end` for a weight of 1.
template <OperandLike A, OperandLike B, OperandLike W>
Tensor<element_t<A, B, W>> lerp(const A& start, const B& end, const W& weight, Location location = Location::current())
{
    using T = element_t<A, B, W>;
    return Tensor<T>::adopt(detail::lerp<T>(Operand<T>(start, location).node(), Operand<T>(end, location).node(),
                                            Operand<T>(weight, location).node(), location));
}

/// x + value a b.
template <OperandLike X, OperandLike A, OperandLike B>
Tensor<element_t<X, A, B>> addcmul(const X& x, const A& a, const B& b, double value = 1,
                                   Location location = Location::current())
{
    using T = element_t<X, A, B>;
    return Tensor<T>::adopt(detail::addcmul<T>(Operand<T>(x, location).node(),
                                               detail::scaled<T>(Operand<T>(a, location), value).node(),
                                               Operand<T>(b, location).node(), location));
}

/// x + value a / b.
template <OperandLike X, OperandLike A, OperandLike B>
Tensor<element_t<X, A, B>> addcdiv(const X& x, const A& a, const B& b, double value = 1,
                                   Location location = Location::current())
{
    using T = element_t<X, A, B>;
    return Tensor<T>::adopt(detail::addcdiv<T>(Operand<T>(x, location).node(),
                                               detail::scaled<T>(Operand<T>(a, location), value).node(),
                                               Operand<T>(b, location).node(), location));
}

/// a where the condition holds, else b. The condition is an xtensor array or expression of bool.
template <XExpression C, OperandLike A, OperandLike B>
Tensor<element_t<A, B>> where(const C& condition, const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(detail::where<T>(Operand<T>(condition, location).node(), Operand<T>(a, location).node(),
                                             Operand<T>(b, location).node(), location));
}

/// @name Questions about two operands
/// What is not 0, NaN included, counts as true. The answers have no derivative and are xtensor arrays.
/// @{
#define AUTOGRAD_LOGICAL(name)                                                                                         \
    template <OperandLike A, OperandLike B, Real T = element_t<A, B>>                                                  \
    xt::xarray<bool> name(const A& a, const B& b, Location location = Location::current())                             \
    {                                                                                                                  \
        return Tensor<T>::adopt(                                                                                       \
                   detail::name<T>(Operand<T>(a, location).node(), Operand<T>(b, location).node(), location)) != T(0); \
    }
AUTOGRAD_LOGICAL(logical_and)
AUTOGRAD_LOGICAL(logical_or)
AUTOGRAD_LOGICAL(logical_xor)
#undef AUTOGRAD_LOGICAL

/// Whether |a - b| <= atol + rtol |b|. Equal infinities are close; NaN is close to NaN only if `equal_nan`.
/// @throws ValueError for a negative tolerance.
template <OperandLike A, OperandLike B, Real T = element_t<A, B>>
xt::xarray<bool> isclose(const A& a, const B& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false,
                         Location location = Location::current())
{
    return detail::isclose<T>(Operand<T>(a, location), Operand<T>(b, location), rtol, atol, equal_nan, location);
}
/// @}

/// The same values in the other precision: `cast<float>(t)`.
template <Real To, Real From>
Tensor<To> cast(const Tensor<From>& x, Location location = Location::current());

/// The same values as a constant: no gradient flows through.
template <Real T>
Tensor<T> stop_gradient(const Tensor<T>& x, Location location = Location::current());

}
