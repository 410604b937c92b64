#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/special_words.hpp>
#include <autograd/ops/table.hpp>

#include <numbers>
#include <string>

namespace autograd
{

using namespace formula;

namespace
{

using std::numbers::inv_sqrtpi;
using std::numbers::pi;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The density of the normal distribution over its cumulative function, of which y is the logarithm.
constexpr auto normal_ratio(const auto& x, const auto& y)
{
    return select(lt(x, 0.0), 2.0 * normal_peak / erfcx(negative_part(x) * -sqrt_half),
                  exp(x * x * -0.5 - y) * normal_peak);
}

/// x where the factor is not 0 or x is above the pole, else a number at which the logarithm is 0.
constexpr auto off_pole(const auto& factor, const auto& x, double pole)
{
    return select(eq(factor, 0.0), select(le(x, pole), constant(x, pole + 1), x), x);
}

/// The derivative of igamma by x.
constexpr auto gamma_density(const auto& a, const auto& x)
{
    return exp(select(eq(a, 1.0), zero(a), (a - 1.0) * log(x)) - x - lgamma(a));
}

}

// clang-format off
UNARY(erf,      Domain::real,     erf(x),                  dy * exp(-x * x) * (2 * inv_sqrtpi))
UNARY(erfc,     Domain::real,     erfc(x),                 dy * exp(-x * x) * (-2 * inv_sqrtpi))
UNARY(erfcx,    Domain::real,     erfcx(x),                dy * (x * y * 2.0 - 2 * inv_sqrtpi))
UNARY(erfinv,   Domain::unit,     erfinv(x),               dy * exp(y * y) * (0.5 / inv_sqrtpi))
UNARY(ndtr,     Domain::real,     normal_cumulative(x),    dy * normal_density(x))
UNARY(ndtri,    Domain::unit,     ndtri(x),                dy * exp(y * y * 0.5) / normal_peak)
UNARY(log_ndtr, Domain::real,
      select(lt(x, -1.0), log(erfcx(x * -sqrt_half) * 0.5) - x * x * 0.5, log1p(erfc(x * sqrt_half) * -0.5)),
      dy * normal_ratio(x, y))
UNARY(tgamma,   Domain::positive, tgamma(x),               dy * y * digamma(x))
UNARY(lgamma,   Domain::positive, lgamma(x),               dy * digamma(x))
UNARY(digamma,  Domain::positive, digamma(x),              dy * polygamma(constant(x, 1), x))
UNARY(entr,     Domain::positive,
      select(gt(x, 0.0), -x * log(x), select(eq(x, 0.0), zero(x), select(lt(x, 0.0), constant(x, -infinity), x))),
      -dy * (log(x) + 1.0))
UNARY_AS(logit,
      select(lt(abs(x - 0.5), 0.25), log1p((x + x - 1.0) / (1.0 - x)), log(x / (1.0 - x))),
      dy * select(lt(x * (1.0 - x), 0.0), constant(x, std::numeric_limits<double>::quiet_NaN()), 1.0 / (x * (1.0 - x))))

BINARY(xlogy,   xlogy(x[0], x[1]),   Domain::positive,
       select(eq(a, 0.0), select(eq(b, b), a, b), a * log(b)),   dy * log(off_pole(a, b, 0)),    dy * a / b)
BINARY(xlog1py, xlog1py(x[0], x[1]), Domain::positive,
       select(eq(a, 0.0), select(eq(b, b), a, b), a * log1p(b)), dy * log1p(off_pole(a, b, -1)), dy * a / (b + 1.0))

BINARY_AS(polygamma, polygamma(a, b), zero(dy), dy * polygamma(a + 1.0, b))
BINARY_AS(bessel_i,  bessel_i(a, b),  zero(dy), dy * 0.5 * (bessel_i(a - 1.0, b) + bessel_i(a + 1.0, b)))
BINARY_AS(bessel_ie, bessel_ie(a, b), zero(dy),
          dy * (0.5 * (bessel_ie(a - 1.0, b) + bessel_ie(a + 1.0, b)) - sign_of(b) * y))
BINARY_AS(sinc,      sinc(a, b),      zero(dy), dy * sinc(a + 1.0, b))
BINARY_AS(zeta,      zeta(a, b),      zero(dy), -dy * a * zeta(a + 1.0, b))
BINARY_AS(igamma,    igamma(a, b),    zero(dy), dy * gamma_density(a, b))
BINARY_AS(igammac,   igammac(a, b),   zero(dy), -dy * gamma_density(a, b))
// clang-format on

namespace
{

/// A member of a family whose first operand is a number.
template <Real T>
Tensor<T> member(detail::Node* (*family)(detail::Node*, detail::Node*, Location), double number, const Tensor<T>& x,
                 Location location)
{
    return Tensor<T>::adopt(family(Operand<T>(number).node(), x.node(), location));
}

}

template <Real T>
Tensor<T> i0(const Tensor<T>& x, Location location)
{
    return member(&detail::bessel_i<T>, 0, x, location);
}

template <Real T>
Tensor<T> i1(const Tensor<T>& x, Location location)
{
    return member(&detail::bessel_i<T>, 1, x, location);
}

template <Real T>
Tensor<T> i0e(const Tensor<T>& x, Location location)
{
    return member(&detail::bessel_ie<T>, 0, x, location);
}

template <Real T>
Tensor<T> i1e(const Tensor<T>& x, Location location)
{
    return member(&detail::bessel_ie<T>, 1, x, location);
}

template <Real T>
Tensor<T> sinc(const Tensor<T>& x, Location location)
{
    return member(&detail::sinc<T>, 0, x, location);
}

template <Real T>
Tensor<T> polygamma(std::size_t n, const Tensor<T>& x, Location location)
{
    return member(&detail::polygamma<T>, static_cast<double>(n), x, location);
}

template <Real T>
Tensor<T> mvlgamma(const Tensor<T>& x, std::size_t p, Location location)
{
    if (p == 0)
    {
        throw ValueError("mvlgamma", "the dimension p must be at least 1: got 0", location);
    }
    const double half = 0.5 * (static_cast<double>(p) - 1);
    for (const T element : std::span(x.data(), x.size()))
    {
        if (static_cast<double>(element) <= half)
        {
            throw ValueError("mvlgamma",
                             "elements must be above (p - 1) / 2: got " + std::to_string(element) +
                                 " for p = " + std::to_string(p),
                             location);
        }
    }
    Tensor<T> sum = lgamma(x, location) + Operand<T>(half * static_cast<double>(p) / 2 * std::log(pi), location);
    for (std::size_t i = 1; i < p; ++i)
    {
        sum += lgamma(x - Operand<T>(0.5 * static_cast<double>(i), location), location);
    }
    return sum;
}

template <Real T>
Tensor<T> logit(const Tensor<T>& x, double eps, Location location)
{
    return logit(clip(x, eps, 1 - eps, location), location);
}

template <Real T>
void detail::require_constant(const Operand<T>& operand, const char* operation, const char* operand_name)
{
    Arena& arena = Arena::current();
    if (arena.recording() && (operand.node()->is_variable || arena.slot_of(*operand.node()) != no_slot))
    {
        const std::string name = operand_name;
        throw TapeError(operation, "has no derivative by " + name + ", which is on a tape", operand.location(),
                        "Pass stop_gradient(" + name + ") if it counts as a constant.");
    }
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> i0(const Tensor<T>&, Location);                                                                 \
    template Tensor<T> i1(const Tensor<T>&, Location);                                                                 \
    template Tensor<T> i0e(const Tensor<T>&, Location);                                                                \
    template Tensor<T> i1e(const Tensor<T>&, Location);                                                                \
    template Tensor<T> sinc(const Tensor<T>&, Location);                                                               \
    template Tensor<T> polygamma(std::size_t, const Tensor<T>&, Location);                                             \
    template Tensor<T> mvlgamma(const Tensor<T>&, std::size_t, Location);                                              \
    template Tensor<T> logit(const Tensor<T>&, double, Location);                                                      \
    template void detail::require_constant(const Operand<T>&, const char*, const char*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(i0, example, real, ({2, 3}), i0(x[0]))
EXAMPLE(i1, example, real, ({2, 3}), i1(x[0]))
EXAMPLE(i0e, example, real, ({2, 3}), i0e(x[0]))
EXAMPLE(i1e, example, real, ({2, 3}), i1e(x[0]))
EXAMPLE(sinc, example, real, ({2, 3}), sinc(x[0]))
EXAMPLE(logit, example, unit, ({2, 3}), logit(x[0] * 0.5 + 0.25))
EXAMPLE(polygamma, example, positive, ({2, 3}), polygamma(2, x[0] + 1.0))
EXAMPLE(mvlgamma, example, positive, ({2, 3}), mvlgamma(x[0] + 1.0, 3))
EXAMPLE(zeta, example, positive, ({2, 3}), zeta(2.5, x[0] + 1.0))
EXAMPLE(igamma, example, positive, ({2, 3}), igamma(xt::xarray<double>{0.6, 1.0, 3.5}, x[0]))
EXAMPLE(igammac, example, positive, ({2, 3}), igammac(1.5, x[0]))
EXAMPLE(logit, limited, distinct, ({2, 3}), logit(x[0], 0.2))
TRIAL(polygamma, any, ({2, 3}), polygamma(any.below(300), x[0]))
TRIAL(mvlgamma, any, ({2, 3}), mvlgamma(x[0] + any.number(), any.below(5)))
TRIAL(logit, any, ({2, 3}), logit(x[0], any.number()))
TRIAL(zeta, any, ({2, 3}), zeta(any.number(), x[0]))
TRIAL(igamma, any, ({2, 3}), igamma(any.number(), x[0]))

static constexpr Names names[] = {
    {"erf", "erf", "scipy.special.erf", "erf"},
    {"erfc", "erfc", "scipy.special.erfc", "erfc"},
    {"erfcx", nullptr, "scipy.special.erfcx", "special.erfcx"},
    {"erfinv", nullptr, "scipy.special.erfinv", "erfinv"},
    {"ndtr", nullptr, "scipy.special.ndtr", "special.ndtr"},
    {"log_ndtr", nullptr, "scipy.special.log_ndtr", "special.log_ndtr"},
    {"ndtri", nullptr, "scipy.special.ndtri", "special.ndtri"},
    {"tgamma", "tgamma", "scipy.special.gamma", nullptr},
    {"lgamma", "lgamma", "scipy.special.gammaln", "lgamma"},
    {"digamma", nullptr, "scipy.special.digamma", "digamma"},
    {"polygamma", nullptr, "scipy.special.polygamma", "polygamma"},
    {"mvlgamma", nullptr, "scipy.special.multigammaln", "mvlgamma"},
    {"i0", nullptr, "i0", "i0"},
    {"i0e", nullptr, "scipy.special.i0e", "special.i0e"},
    {"i1", nullptr, "scipy.special.i1", "special.i1"},
    {"i1e", nullptr, "scipy.special.i1e", "special.i1e"},
    {"sinc", nullptr, "sinc", "sinc"},
    {"entr", nullptr, "scipy.special.entr", "special.entr"},
    {"logit", nullptr, "scipy.special.logit", "logit"},
    {"xlogy", nullptr, "scipy.special.xlogy", "xlogy"},
    {"xlog1py", nullptr, "scipy.special.xlog1py", "special.xlog1py"},
    {"zeta", nullptr, "scipy.special.zeta", "special.zeta"},
    {"igamma", nullptr, "scipy.special.gammainc", "igamma"},
    {"igammac", nullptr, "scipy.special.gammaincc", "igammac"},
};
static const NameTable table{"Special functions", names};

void detail::special_family() noexcept {}

}
