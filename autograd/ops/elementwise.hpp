#pragma once

#include <autograd/tensor.hpp>

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
/// e^x - 1, exact near 0.
AUTOGRAD_UNARY(expm1)
/// The natural logarithm; NaN below 0.
AUTOGRAD_UNARY(log)
/// log(1 + x), exact near 0.
AUTOGRAD_UNARY(log1p)
AUTOGRAD_UNARY(sqrt)
/// x^2.
AUTOGRAD_UNARY(square)
/// The absolute value. Its derivative at 0 is 0.
AUTOGRAD_UNARY(abs)
/// -1, 0 or 1. Its derivative is 0 everywhere.
AUTOGRAD_UNARY(sign)
AUTOGRAD_UNARY(sin)
AUTOGRAD_UNARY(cos)
AUTOGRAD_UNARY(tan)
AUTOGRAD_UNARY(sinh)
AUTOGRAD_UNARY(cosh)
AUTOGRAD_UNARY(tanh)
#undef AUTOGRAD_UNARY
/// @}

namespace detail
{

template <Real T>
Node* pow(Node* base, Node* exponent, Location location);
/// The same, by a cheaper way where the exponent is a constant that has one.
template <Real T>
Node* power(Node* base, Node* exponent, Location location);
template <Real T>
Node* maximum(Node* a, Node* b, Location location);
template <Real T>
Node* minimum(Node* a, Node* b, Location location);
template <Real T>
Node* clip(Node* x, Node* low, Node* high, Location location);

}

/// base^exponent. The derivative by the exponent is 0 where the base is 0 and the exponent is not negative.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> pow(const A& base, const B& exponent, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(
        detail::power<T>(Operand<T>(base, location).node(), Operand<T>(exponent, location).node(), location));
}

/// The larger of the two; NaN if one is. Where both are equal, each gets half of the gradient.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> maximum(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(
        detail::maximum<T>(Operand<T>(a, location).node(), Operand<T>(b, location).node(), location));
}

/// The smaller of the two; NaN if one is. Where both are equal, each gets half of the gradient.
template <OperandLike A, OperandLike B>
Tensor<element_t<A, B>> minimum(const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(
        detail::minimum<T>(Operand<T>(a, location).node(), Operand<T>(b, location).node(), location));
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

/// a where the condition holds, else b. The condition is an xtensor array or expression of bool.
template <XExpression C, OperandLike A, OperandLike B>
Tensor<element_t<A, B>> where(const C& condition, const A& a, const B& b, Location location = Location::current())
{
    using T = element_t<A, B>;
    return Tensor<T>::adopt(detail::where<T>(Operand<T>(condition, location).node(), Operand<T>(a, location).node(),
                                             Operand<T>(b, location).node(), location));
}

/// The same values in the other precision: `cast<float>(t)`.
template <Real To, Real From>
Tensor<To> cast(const Tensor<From>& x, Location location = Location::current());

/// The same values as a constant: no gradient flows through.
template <Real T>
Tensor<T> stop_gradient(const Tensor<T>& x, Location location = Location::current());

}
