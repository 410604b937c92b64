#include <autograd/axes.hpp>
#include <autograd/ops/activation.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/ops/special_words.hpp>
#include <autograd/ops/table.hpp>

#include <string>

namespace autograd
{

using namespace formula;

namespace
{

constexpr double selu_alpha = 1.6732632423543772848170429916717;
constexpr double selu_scale = 1.0507009873554804934193349852946;

constexpr auto positive_part(const auto& x)
{
    return select(le(x, 0.0), zero(x), x);
}

/// The derivative of x sigmoid(u), where s is the sigmoid and du the derivative of u.
constexpr auto gate_slope(const auto& x, const auto& s, const auto& du)
{
    return s * (x * (1.0 - s) * du + 1.0);
}

/// What the approximation of gelu takes the sigmoid of, and its derivative.
/// @{
constexpr auto gelu_gate(const auto& x)
{
    return x * (x * x * 0.044715 + 1.0) * (4 * normal_peak);
}
constexpr auto gelu_gate_slope(const auto& x)
{
    return (x * x * (3 * 0.044715) + 1.0) * (4 * normal_peak);
}
/// @}

/// The derivative of x tanh(softplus(x)), where t is the tanh.
constexpr auto mish_slope(const auto& x, const auto& t)
{
    return t + x * sigmoid(x) * (1.0 - t * t);
}

}

// clang-format off
UNARY(sigmoid,     Domain::real,     sigmoid(x),              dy * y * (1.0 - y))
UNARY_SLOPE(logsigmoid, Domain::real, -softplus(-x),          sigmoid(-x))
UNARY(relu,        Domain::real,     positive_part(x),        select(le(y, 0.0), zero(dy), dy))
UNARY(relu6,       Domain::real,
      select(gt(x, 6.0), constant(x, 6), positive_part(x)),
      select(le(y, 0.0), zero(dy), select(ge(y, 6.0), zero(dy), dy)))
UNARY_SLOPE(softplus, Domain::real,  softplus(x),             sigmoid(x))
UNARY(softsign,    Domain::real,     x / (abs(x) + 1.0),      dy / ((abs(x) + 1.0) * (abs(x) + 1.0)))
UNARY(tanhshrink,  Domain::real,     x - tanh(x),             dy * tanh(x) * tanh(x))
UNARY_SLOPE(silu,  Domain::real,     x * sigmoid(x),          gate_slope(x, sigmoid(x), constant(x, 1)))
UNARY_SLOPE(mish,  Domain::real,     x * tanh(softplus(x)),   mish_slope(x, tanh(softplus(x))))
UNARY(selu,        Domain::real,
      (positive_part(x) + expm1(negative_part(x)) * selu_alpha) * selu_scale,
      dy * select(le(x, 0.0), exp(negative_part(x)) * (selu_alpha * selu_scale), constant(x, selu_scale)))
UNARY(hardswish,   Domain::real,
      select(lt(x, -3.0), zero(x), select(le(x, 3.0), x * (x + 3.0) * (1 / 6.0), x)),
      select(lt(x, -3.0), zero(dy), select(le(x, 3.0), dy * (x * (1 / 3.0) + 0.5), dy)))
UNARY(hardsigmoid, Domain::real,
      select(le(x, -3.0), zero(x), select(ge(x, 3.0), constant(x, 1), (x + 3.0) * (1 / 6.0))),
      select(le(x, -3.0), zero(dy), select(ge(x, 3.0), zero(dy), dy * (1 / 6.0))))
SLOPE_FORMULA(gelu,
      x * normal_cumulative(x),
      gelu_slope(x))
SLOPE_FORMULA(gelu_tanh,
      x * sigmoid(gelu_gate(x)),
      gate_slope(x, sigmoid(gelu_gate(x)), gelu_gate_slope(x)))
UNARY_WITH_2(softplus_of, beta, limit,
      select(gt(x * beta, limit), x, softplus(x * beta) / beta),
      dy * select(gt(x * beta, limit), constant(x, 1), sigmoid(x * beta)))
UNARY_WITH_2(elu, alpha, rate,
      positive_part(x) + alpha * expm1(negative_part(x) * rate),
      select(le(x, 0.0), dy * alpha * rate * exp(negative_part(x) * rate), dy))
UNARY_WITH(leaky_relu, slope,
      select(gt(x, 0.0), x, x * slope),
      select(gt(x, 0.0), dy, dy * slope))
UNARY_WITH_2(hardtanh, low, high,
      select(ge(x, high), high, select(lt(x, low), select(gt(low, high), high, low), x)),
      select(le(x, low), zero(dy), select(ge(x, high), zero(dy), dy)))
UNARY_WITH(hardshrink, lambda,
      select(le(abs(x), lambda), zero(x), x),
      select(le(abs(x), lambda), zero(dy), dy))
UNARY_WITH(softshrink, lambda,
      select(le(abs(x), lambda), zero(x), x - sign_of(x) * lambda),
      select(le(abs(x), lambda), zero(dy), dy))
UNARY_WITH_2(threshold, limit, otherwise,
      select(le(x, limit), otherwise, x),
      select(le(x, limit), zero(dy), dy))
// clang-format on

struct prelu_formula
{
    FORMULA(prelu, 2)
    static constexpr auto value(const auto& x, const auto& weight) { return select(gt(x, 0.0), x, x * weight); }
    PULLBACK(0, select(gt(x, 0.0), dy, dy* weight), const auto& x, const auto& weight)
    PULLBACK(1, select(gt(x, 0.0), zero(dy), dy* x), const auto& x, const auto&)
};

template <Real T>
Tensor<T> softplus(const Tensor<T>& x, const Softplus& options, Location location)
{
    return detail::with_attributes<softplus_of_formula>(location, x, options.beta, options.threshold);
}

template <Real T>
Tensor<T> gelu(const Tensor<T>& x, Approximate approximate, Location location)
{
    return approximate == Approximate::none ? detail::with_attributes<gelu_formula>(location, x)
                                            : detail::with_attributes<gelu_tanh_formula>(location, x);
}

template <Real T>
Tensor<T> elu(const Tensor<T>& x, double alpha, Location location)
{
    return detail::with_attributes<elu_formula>(location, x, alpha, 1.0);
}

template <Real T>
Tensor<T> celu(const Tensor<T>& x, double alpha, Location location)
{
    if (alpha == 0)
    {
        throw ValueError("celu", "alpha must not be 0", location);
    }
    return detail::with_attributes<elu_formula>(location, x, alpha, 1 / alpha);
}

template <Real T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope, Location location)
{
    return detail::with_attributes<leaky_relu_formula>(location, x, slope);
}

template <Real T>
Tensor<T> hardtanh(const Tensor<T>& x, double low, double high, Location location)
{
    return detail::with_attributes<hardtanh_formula>(location, x, low, high);
}

template <Real T>
Tensor<T> hardshrink(const Tensor<T>& x, double lambda, Location location)
{
    return detail::with_attributes<hardshrink_formula>(location, x, lambda);
}

template <Real T>
Tensor<T> softshrink(const Tensor<T>& x, double lambda, Location location)
{
    if (!(lambda >= 0))
    {
        throw ValueError("softshrink", "lambda must not be negative: got " + std::to_string(lambda), location);
    }
    return detail::with_attributes<softshrink_formula>(location, x, lambda);
}

template <Real T>
Tensor<T> threshold(const Tensor<T>& x, double limit, double value, Location location)
{
    return detail::with_attributes<threshold_formula>(location, x, limit, value);
}

template <Real T>
Tensor<T> glu(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t along = detail::normalize_axis(axis, x.dimension(), "glu", location);
    const std::size_t extent = x.shape(along);
    if (extent % 2 != 0)
    {
        throw ShapeError(
            "glu", "axis " + std::to_string(along) + " must have an even extent: got shape " + to_string(x.shape()),
            location);
    }
    std::size_t outer = 1;
    std::size_t inner = 1;
    for (std::size_t k = 0; k < x.dimension(); ++k)
    {
        (k < along ? outer : inner) *= k == along ? 1 : x.shape(k);
    }
    Shape shape = x.shape();
    shape[along] = extent / 2;
    const auto half = static_cast<std::ptrdiff_t>(extent / 2);
    const Tensor<T> flat = reshape(x, Shape{outer, extent, inner}, location);
    const Tensor<T> value = view(flat, Slice(all(), location), Slice(range(0, half), location));
    const Tensor<T> gate = view(flat, Slice(all(), location), Slice(range(half, 2 * half), location));
    return reshape(value * Operand<T>(sigmoid(gate, location), location), shape, location);
}

template <Real T>
Tensor<T> detail::prelu(const Tensor<T>& x, const Tensor<T>& weight, Location location)
{
    const std::size_t channels = x.dimension() > 1 ? x.shape(1) : 1;
    if (weight.dimension() > 1 || (weight.size() != 1 && weight.size() != channels))
    {
        throw ShapeError("prelu",
                         "needs one weight, or one for each of " + std::to_string(channels) +
                             " channels: got weights " + to_string(weight.shape()) + " for shape " +
                             to_string(x.shape()),
                         location);
    }
    Shape shape;
    for (std::size_t axis = 1; axis < x.dimension(); ++axis)
    {
        shape.push_back(axis == 1 ? weight.size() : 1);
    }
    const Tensor<T> weights = reshape(weight, shape, location);
    return Tensor<T>::adopt(Elementwise<prelu_formula, T>::apply(location, x.node(), weights.node()));
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> softplus(const Tensor<T>&, const Softplus&, Location);                                          \
    template Tensor<T> gelu(const Tensor<T>&, Approximate, Location);                                                  \
    template Tensor<T> elu(const Tensor<T>&, double, Location);                                                        \
    template Tensor<T> celu(const Tensor<T>&, double, Location);                                                       \
    template Tensor<T> leaky_relu(const Tensor<T>&, double, Location);                                                 \
    template Tensor<T> hardtanh(const Tensor<T>&, double, double, Location);                                           \
    template Tensor<T> hardshrink(const Tensor<T>&, double, Location);                                                 \
    template Tensor<T> softshrink(const Tensor<T>&, double, Location);                                                 \
    template Tensor<T> threshold(const Tensor<T>&, double, double, Location);                                          \
    template Tensor<T> glu(const Tensor<T>&, std::ptrdiff_t, Location);                                                \
    template Tensor<T> detail::prelu(const Tensor<T>&, const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(softplus, of, distinct, ({2, 4}), softplus(x[0], {.beta = 1.5, .threshold = 2.1}))
EXAMPLE(gelu, exact, distinct, ({2, 4}), gelu(x[0]))
EXAMPLE(gelu, tanh, distinct, ({2, 4}), gelu(x[0], Approximate::tanh))
EXAMPLE(elu, alpha, distinct, ({2, 4}), elu(x[0], 1.5))
EXAMPLE(celu, alpha, distinct, ({2, 4}), celu(x[0], 1.5))
EXAMPLE(leaky_relu, slope, distinct, ({2, 4}), leaky_relu(x[0], 0.2))
EXAMPLE(hardtanh, limits, distinct, ({2, 4}), hardtanh(x[0], -0.62, 0.71))
EXAMPLE(hardshrink, limit, distinct, ({2, 4}), hardshrink(x[0], 0.67))
EXAMPLE(softshrink, limit, distinct, ({2, 4}), softshrink(x[0], 0.67))
EXAMPLE(threshold, limit, distinct, ({2, 4}), threshold(x[0], 0.67, -3))
EXAMPLE(glu, last, distinct, ({2, 4}), glu(x[0]))
EXAMPLE(glu, first, distinct, ({2, 4}), glu(x[0], 0))
EXAMPLE(prelu, channels, real, ({2, 3, 2}, {3}), prelu(x[0], x[1]))
EXAMPLE(prelu, one, real, ({5}, {}), prelu(x[0], x[1]))

TRIAL(softplus, any, ({2, 4}), softplus(x[0], {.beta = any.number(), .threshold = any.number()}))
TRIAL(elu, any, ({2, 4}), elu(x[0], any.number()))
TRIAL(celu, any, ({2, 4}), celu(x[0], any.number()))
TRIAL(leaky_relu, any, ({2, 4}), leaky_relu(x[0], any.number()))
TRIAL(hardtanh, any, ({2, 4}), hardtanh(x[0], any.number(), any.number()))
TRIAL(hardshrink, any, ({2, 4}), hardshrink(x[0], any.number()))
TRIAL(softshrink, any, ({2, 4}), softshrink(x[0], any.number()))
TRIAL(threshold, any, ({2, 4}), threshold(x[0], any.number(), any.number()))
TRIAL(glu, any, ({2, 4}), glu(x[0], any.axis()))

static constexpr Names names[] = {
    {"sigmoid", nullptr, "scipy.special.expit", "sigmoid"},
    {"logsigmoid", nullptr, "scipy.special.log_expit", "nn.functional.logsigmoid"},
    {"relu", nullptr, nullptr, "nn.functional.relu"},
    {"relu6", nullptr, nullptr, "nn.functional.relu6"},
    {"softplus", nullptr, nullptr, "nn.functional.softplus"},
    {"softsign", nullptr, nullptr, "nn.functional.softsign"},
    {"tanhshrink", nullptr, nullptr, "nn.functional.tanhshrink"},
    {"silu", nullptr, nullptr, "nn.functional.silu"},
    {"mish", nullptr, nullptr, "nn.functional.mish"},
    {"selu", nullptr, nullptr, "nn.functional.selu"},
    {"hardswish", nullptr, nullptr, "nn.functional.hardswish"},
    {"hardsigmoid", nullptr, nullptr, "nn.functional.hardsigmoid"},
    {"gelu", nullptr, nullptr, "nn.functional.gelu"},
    {"elu", nullptr, nullptr, "nn.functional.elu"},
    {"celu", nullptr, nullptr, "nn.functional.celu"},
    {"leaky_relu", nullptr, nullptr, "nn.functional.leaky_relu"},
    {"hardtanh", nullptr, nullptr, "nn.functional.hardtanh"},
    {"hardshrink", nullptr, nullptr, "nn.functional.hardshrink"},
    {"softshrink", nullptr, nullptr, "nn.functional.softshrink"},
    {"threshold", nullptr, nullptr, "nn.functional.threshold"},
    {"glu", nullptr, nullptr, "nn.functional.glu"},
    {"prelu", nullptr, nullptr, "nn.functional.prelu"},
};
static const NameTable table{"Activations", names};

void detail::activation_family() noexcept {}

}
