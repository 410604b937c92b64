#pragma once

#include <autograd/ops/elementwise.hpp>

/// Special functions, element by element.
namespace autograd
{

#define AUTOGRAD_UNARY(name)                                                                                           \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& x, Location location = Location::current());

/// @name Error functions and the normal distribution
/// @{

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
AUTOGRAD_UNARY(erf)
/// 1 - erf(x), exact for large x.
AUTOGRAD_UNARY(erfc)
/// e^(x^2) erfc(x), which vanishes only as 1 / x.
AUTOGRAD_UNARY(erfcx)
/// The inverse of erf: infinite at -1 and 1, NaN outside.
AUTOGRAD_UNARY(erfinv)
/// The cumulative function of the normal distribution.
AUTOGRAD_UNARY(ndtr)
/// Its logarithm, finite wherever it can be.
AUTOGRAD_UNARY(log_ndtr)
/// Its inverse, the quantile: infinite at 0 and 1, NaN outside.
AUTOGRAD_UNARY(ndtri)
/// @}

/// @name Gamma functions
/// @{

/// Gamma(x).
AUTOGRAD_UNARY(tgamma)
/// log |Gamma(x)|.
AUTOGRAD_UNARY(lgamma)
/// The derivative of lgamma. NaN at negative whole numbers, infinite at 0.
AUTOGRAD_UNARY(digamma)

/// The n-th derivative of digamma.
template <Real T>
Tensor<T> polygamma(std::size_t n, const Tensor<T>& x, Location location = Location::current());

/// log of the multivariate gamma function of dimension p: p (p - 1) / 4 log(pi) + sum of lgamma(x - i / 2), 0 <= i < p.
/// @throws ValueError if p is 0, or an element is not above (p - 1) / 2.
template <Real T>
Tensor<T> mvlgamma(const Tensor<T>& x, std::size_t p, Location location = Location::current());
/// @}

/// @name Bessel functions
/// @{

/// The modified Bessel function of the first kind, of order 0.
AUTOGRAD_UNARY(i0)
/// e^-|x| i0(x).
AUTOGRAD_UNARY(i0e)
/// The same function of order 1.
AUTOGRAD_UNARY(i1)
/// e^-|x| i1(x).
AUTOGRAD_UNARY(i1e)
/// @}

/// @name Of one tensor
/// @{

/// sin(pi x) / (pi x), and 1 at 0, where derivatives of all orders are exact, too.
AUTOGRAD_UNARY(sinc)
/// -x log(x): 0 at 0, -infinity below.
AUTOGRAD_UNARY(entr)
/// log(x / (1 - x)), the inverse of sigmoid; NaN outside [0, 1].
AUTOGRAD_UNARY(logit)
#undef AUTOGRAD_UNARY

/// The same of x limited to [eps, 1 - eps].
template <Real T>
Tensor<T> logit(const Tensor<T>& x, double eps, Location location = Location::current());
/// @}

/// @name Of two operands
/// @{

/// a log(b), and 0 where a is 0, unless b is NaN.
AUTOGRAD_BINARY(xlogy)
/// a log(1 + b) likewise.
AUTOGRAD_BINARY(xlog1py)
/// @}

namespace detail
{

/// Throws TapeError if a tape would be asked for the gradient of an operand that has none.
template <Real T>
void require_constant(const Operand<T>& operand, const char* operation, const char* operand_name);
template <Real T>
Node* zeta(Node* s, Node* q, Location location);
template <Real T>
Node* igamma(Node* a, Node* x, Location location);
template <Real T>
Node* igammac(Node* a, Node* x, Location location);

}

/// @name With a parameter that has no gradient
/// A derivative by the first operand is not known here (nor to PyTorch).
/// @throws TapeError if it is on a tape.
/// @{
#define AUTOGRAD_OF_PARAMETER(name, parameter, x)                                                                      \
    template <OperandLike P, OperandLike X>                                                                            \
    Tensor<element_t<P, X>> name(const P& parameter, const X& x, Location location = Location::current())              \
    {                                                                                                                  \
        using T = element_t<P, X>;                                                                                     \
        const Operand<T> constant(parameter, location);                                                                \
        detail::require_constant(constant, #name, #parameter);                                                         \
        return Tensor<T>::adopt(detail::name<T>(constant.node(), Operand<T>(x, location).node(), location));           \
    }

/// Hurwitz's zeta function, the sum of (q + k)^-s over k = 0, 1, ...; infinite for s = 1, NaN for smaller s.
AUTOGRAD_OF_PARAMETER(zeta, s, q)
/// The regularised lower incomplete gamma function of positive a and x.
AUTOGRAD_OF_PARAMETER(igamma, a, x)
/// 1 - igamma(a, x), exact for large x.
AUTOGRAD_OF_PARAMETER(igammac, a, x)
#undef AUTOGRAD_OF_PARAMETER
/// @}

}
