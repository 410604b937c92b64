#include <autograd/kernels/special.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>

namespace autograd::detail::special
{

namespace
{

using std::numbers::pi;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
/// More terms than any series here needs where it is used.
constexpr int most_terms = 10000;

/// The constant coefficient first.
template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) noexcept
{
    double sum = 0;
    for (std::size_t k = N; k-- > 0;)
    {
        sum = sum * x + coefficients[k];
    }
    return sum;
}

/// The normal quantile of 1/2 + q, where `tail` is 1/2 - |q|, both without error.
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37, 1988.
double quantile(double q, double tail) noexcept
{
    constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                            1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                            3.3430575583588128105e+4, 2.5090809287301226727e+3};
    constexpr double b[] = {1,
                            4.2313330701600911252e+1,
                            6.8718700749205790830e+2,
                            5.3941960214247511077e+3,
                            2.1213794301586595867e+4,
                            3.9307895800092710610e+4,
                            2.8729085735721942674e+4,
                            5.2264952788528545610e+3};
    constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                            3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                            2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr double d[] = {1,
                            2.05319162663775882187e0,
                            1.67638483018380384940e0,
                            6.89767334985100004550e-1,
                            1.48103976427480074590e-1,
                            1.51986665636164571966e-2,
                            5.47593808499534494600e-4,
                            1.05075007164441684324e-9};
    constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                            2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                            2.71155556874348757815e-5, 2.01033439929228813265e-7};
    constexpr double f[] = {1,
                            5.99832206555887937690e-1,
                            1.36929880922735805310e-1,
                            1.48753612908506148525e-2,
                            7.86869131145613259100e-4,
                            1.84631831751005468180e-5,
                            1.42151175831644588870e-7,
                            2.04426310338993978564e-15};
    if (std::abs(q) <= 0.425)
    {
        const double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    if (!(tail > 0))
    {
        return tail == 0 ? std::copysign(infinity, q) : not_a_number;
    }
    const double r = std::sqrt(-std::log(tail));
    const double distance = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)  //
                                   : polynomial(e, r - 5) / polynomial(f, r - 5);
    return std::copysign(distance, q);
}

/// x - log(1 + x), without cancellation near 0.
double minus_log1p(double x) noexcept
{
    if (std::abs(x) > 0.25)
    {
        return x - std::log1p(x);
    }
    // log(1 + x) = 2 (r + r^3/3 + r^5/5 + ...) and x = 2 r + r x, where r = x / (2 + x).
    const double r = x / (2 + x);
    double sum = 0;
    double power = r;
    for (int k = 3; k < 40; k += 2)
    {
        power *= r * r;
        sum += power / k;
    }
    return r * x - 2 * sum;
}

/// log Gamma(a) - ((a - 1/2) log a - a + log(2 pi) / 2), for a of at least 10.
double stirling_rest(double a) noexcept
{
    constexpr double coefficients[] = {1 / 12.0,   -1 / 360.0,      1 / 1260.0, -1 / 1680.0,
                                       1 / 1188.0, -691 / 360360.0, 1 / 156.0};
    return polynomial(coefficients, 1 / (a * a)) / a;
}

/// x^a e^-x / Gamma(a).
double gamma_density(double a, double x) noexcept
{
    if (a < 10)
    {
        return std::exp(a * std::log(x) - x) / std::tgamma(a);
    }
    return std::sqrt(a / (2 * pi)) * std::exp(-a * minus_log1p((x - a) / a) - stirling_rest(a));
}

/// The upper function minus the normal distribution that it tends to for large a, where x is near a.
/// N. M. Temme, "The asymptotic expansion of the incomplete gamma functions", SIAM J. Math. Anal. 10, 1979.
std::pair<double, double> gamma_of_large(double a, double x) noexcept
{
    constexpr double c0[] = {-1 / 3.0, 1 / 12.0, -2 / 135.0, 1 / 864.0, 1 / 2835.0, -139 / 777600.0, 1 / 25515.0};
    constexpr double c1[] = {-1 / 540.0, -1 / 288.0, 25 / 12096.0, -223 / 1088640.0};
    const double mu = (x - a) / a;
    const double half_square = minus_log1p(mu);
    const double eta = std::copysign(std::sqrt(2 * half_square), mu);
    const double rest =
        std::exp(-a * half_square) / std::sqrt(2 * pi * a) * (polynomial(c0, eta) + polynomial(c1, eta) / a);
    const double argument = eta * std::sqrt(a / 2);
    return {std::erfc(-argument) / 2 - rest, std::erfc(argument) / 2 + rest};
}

/// sum of x^k / (a + 1)...(a + k)
double gamma_series(double a, double x) noexcept
{
    double sum = 1;
    double term = 1;
    for (int k = 1; k < most_terms && term > epsilon * sum / 4; ++k)
    {
        term *= x / (a + k);
        sum += term;
    }
    return sum;
}

/// Gamma(a, x) / (x^a e^-x), by Lentz's evaluation of Legendre's continued fraction.
double gamma_fraction(double a, double x) noexcept
{
    constexpr double tiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double value = d;
    for (int k = 1; k < most_terms; ++k)
    {
        const double an = -k * (k - a);
        b += 2;
        d = an * d + b;
        d = 1 / (std::abs(d) < tiny ? tiny : d);
        c = b + an / c;
        c = std::abs(c) < tiny ? tiny : c;
        value *= d * c;
        if (std::abs(d * c - 1) < epsilon)
        {
            break;
        }
    }
    return value;
}

/// The lower and the upper function.
std::pair<double, double> incomplete_gamma(double a, double x) noexcept
{
    constexpr std::pair none{0.0, 1.0};
    constexpr std::pair all{1.0, 0.0};
    if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == infinity && x == infinity))
    {
        return {not_a_number, not_a_number};
    }
    if (a == 0 || x == infinity)
    {
        return all;
    }
    if (x == 0 || a == infinity)
    {
        return none;
    }
    if (a > 1e5 && std::abs(x - a) < 0.1 * a)
    {
        return gamma_of_large(a, x);
    }
    const double density = gamma_density(a, x);
    if (x < 1 || x < a)
    {
        const double lower = density * gamma_series(a, x) / a;
        return {lower, 1 - lower};
    }
    const double upper = density * gamma_fraction(a, x);
    return {1 - upper, upper};
}

/// e^-|x| times the function, for x > 0; `scale` is that factor or 1.
double bessel(double order, double x, bool scaled) noexcept
{
    const double n = std::abs(order);
    const double z = std::abs(x);
    const double sign = x < 0 && std::fmod(n, 2) != 0 ? -1 : 1;
    if (std::isnan(z) || z == infinity)
    {
        return std::isnan(z) ? x : scaled ? 0 : sign * infinity;
    }
    if (z < 20 + n * n)
    {
        double term = std::pow(z / 2, n) / std::tgamma(n + 1);
        double sum = term;
        for (int k = 1; k < most_terms && term > epsilon * sum / 4; ++k)
        {
            term *= z / 2 / k * (z / 2) / (k + n);
            sum += term;
        }
        return sign * sum * (scaled ? std::exp(-z) : 1);
    }
    double term = 1;
    double sum = 1;
    for (int k = 1; k < most_terms && std::abs(term) > epsilon / 4; ++k)
    {
        term *= ((2 * k - 1) * (2 * k - 1) - 4 * n * n) / (8 * k * z);
        sum += term;
    }
    const double half = scaled ? 1 : std::exp(z / 2);
    return sign * half * (half / std::sqrt(2 * pi * z) * sum);
}

}

double erfinv(double x) noexcept
{
    return quantile(x / 2, (1 - std::abs(x)) / 2) / std::numbers::sqrt2;
}

double ndtri(double p) noexcept
{
    return quantile(p - 0.5, std::min(p, 1 - p));
}

double erfcx(double x) noexcept
{
    if (x < -26.7)
    {
        return infinity;
    }
    if (x > 25)
    {
        constexpr double coefficients[] = {1, -0.5, 0.75, -1.875, 6.5625, -29.53125, 162.421875, -1055.7421875};
        return polynomial(coefficients, 1 / x / x) / x * std::numbers::inv_sqrtpi;
    }
    // What x^2 loses by rounding would be multiplied by its size.
    const double square = x * x;
    return std::exp(square) * (1 + std::fma(x, x, -square)) * std::erfc(x);
}

double digamma(double x) noexcept
{
    if (x <= 0)
    {
        if (x == std::floor(x))
        {
            return x == 0 ? std::copysign(infinity, -x) : not_a_number;
        }
        return digamma(1 - x) - pi / std::tan(pi * (x - std::floor(x)));
    }
    double sum = 0;
    for (; x < 10; ++x)
    {
        sum -= 1 / x;
    }
    constexpr double coefficients[] = {1 / 12.0,  -1 / 120.0,     1 / 252.0, -1 / 240.0,
                                       1 / 132.0, -691 / 32760.0, 1 / 12.0};
    const double inverse = 1 / x / x;
    return sum + std::log(x) - 0.5 / x - inverse * polynomial(coefficients, inverse);
}

double polygamma(double n, double x) noexcept
{
    if (n == 0)
    {
        return digamma(x);
    }
    return (std::fmod(n, 2) == 0 ? -1 : 1) * std::tgamma(n + 1) * zeta(n + 1, x);
}

// By the Euler-Maclaurin formula from the tenth term on.
double zeta(double s, double q) noexcept
{
    if (s == 1)
    {
        return infinity;
    }
    if (!(s > 1) || std::isnan(q))
    {
        return not_a_number;
    }
    if (q <= 0)
    {
        if (q == std::floor(q))
        {
            return infinity;
        }
        if (s != std::floor(s))
        {
            return not_a_number;
        }
        const double sign = std::fmod(s, 2) == 0 ? 1 : -1;
        return zeta(s, q - std::floor(q)) + sign * (zeta(s, std::ceil(q) - q) - zeta(s, 1 - q));
    }
    double sum = 0;
    for (int k = 0; k < 10; ++k, ++q)
    {
        const double term = std::pow(q, -s);
        sum += term;
        if (term < epsilon * sum / 4)
        {
            return sum;
        }
    }
    // The even Bernoulli numbers over factorials.
    constexpr double coefficients[] = {
        1 / 12.0,       -1 / 720.0,          1 / 30240.0,       -1 / 1209600.0,
        1 / 47900160.0, -691 / 1307674368e3, 1 / 74724249600.0, -3617 / 10670622842880e3};
    double term = std::pow(q, -s);
    sum += term * (q / (s - 1) + 0.5);
    term *= s / q;
    double next = s;
    for (const double coefficient : coefficients)
    {
        sum += coefficient * term;
        term *= (next + 1) / q * ((next + 2) / q);
        next += 2;
    }
    return sum;
}

double bessel_i(double order, double x) noexcept
{
    return bessel(order, x, false);
}

double bessel_ie(double order, double x) noexcept
{
    return bessel(order, x, true);
}

double igamma(double a, double x) noexcept
{
    return incomplete_gamma(a, x).first;
}

double igammac(double a, double x) noexcept
{
    return incomplete_gamma(a, x).second;
}

double sinc(double n, double x) noexcept
{
    const double z = pi * x;
    const int order = static_cast<int>(n);
    if (std::abs(z) <= n + 1)
    {
        // sum of (-1)^k z^(2k - n) / ((2k + 1) (2k - n)!) over 2k >= n
        const int first = (order + 1) / 2;
        double term = first % 2 == 0 ? 1 : -1;
        term *= 2 * first > order ? z : 1;
        double sum = 0;
        for (int k = first; k < first + 40; ++k)
        {
            sum += term / (2 * k + 1);
            term *= -z * z / ((2 * k - order + 1) * (2 * k - order + 2));
        }
        return sum * std::pow(pi, n);
    }
    const double waves[] = {std::sin(z), std::cos(z), -std::sin(z), -std::cos(z)};
    double value = waves[0] / z;
    for (int k = 1; k <= order; ++k)
    {
        value = (waves[k % 4] - k * value) / z;
    }
    return value * std::pow(pi, n);
}

}
