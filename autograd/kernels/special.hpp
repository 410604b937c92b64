#pragma once

/// Special functions of a number, in double precision: a few units in the last place, also far from 0. NaN gives NaN.
namespace autograd::detail::special
{

/// The inverse of the error function.
double erfinv(double x) noexcept;
/// The inverse of the normal distribution's cumulative function.
double ndtri(double p) noexcept;
/// e^(x^2) erfc(x).
double erfcx(double x) noexcept;
/// The derivative of log |Gamma(x)|.
double digamma(double x) noexcept;
/// The n-th derivative of digamma.
double polygamma(double n, double x) noexcept;
/// Hurwitz's zeta function, the sum of (q + k)^-s over k = 0, 1, ...
double zeta(double s, double q) noexcept;
/// The modified Bessel function of the first kind, of a whole order.
double bessel_i(double order, double x) noexcept;
/// The same times e^-|x|.
double bessel_ie(double order, double x) noexcept;
/// The regularised incomplete gamma functions, lower and upper.
double igamma(double a, double x) noexcept;
double igammac(double a, double x) noexcept;
/// The n-th derivative of sin(pi x) / (pi x).
double sinc(double n, double x) noexcept;

}
