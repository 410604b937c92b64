#pragma once

#include <autograd/tensor.hpp>

#include <limits>

/// Activation functions of neural networks, element by element, under PyTorch's names.
namespace autograd
{

#define AUTOGRAD_UNARY(name)                                                                                           \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& x, Location location = Location::current());

/// 1 / (1 + e^-x).
AUTOGRAD_UNARY(sigmoid)
/// log(sigmoid(x)), which neither overflows nor cancels.
AUTOGRAD_UNARY(logsigmoid)
/// max(x, 0). Its derivative at 0 is 0.
AUTOGRAD_UNARY(relu)
/// x limited to [0, 6]. Its derivative at 0 and 6 is 0.
AUTOGRAD_UNARY(relu6)
/// log(1 + e^x), which neither overflows nor cancels.
AUTOGRAD_UNARY(softplus)
/// x / (1 + |x|).
AUTOGRAD_UNARY(softsign)
/// x - tanh(x).
AUTOGRAD_UNARY(tanhshrink)
/// x sigmoid(x).
AUTOGRAD_UNARY(silu)
/// x tanh(softplus(x)).
AUTOGRAD_UNARY(mish)
/// The elu of alpha = 1.6733 times 1.0507, which keeps means near 0 and variances near 1. G. Klambauer et al.,
/// "Self-normalizing neural networks", 2017.
AUTOGRAD_UNARY(selu)
/// x relu6(x + 3) / 6. Its derivative is 0 below -3, 1 above 3, and (2 x + 3) / 6 from -3 to 3.
AUTOGRAD_UNARY(hardswish)
/// x / 6 + 1 / 2, limited to [0, 1]. Its derivative at -3 and 3 is 0.
AUTOGRAD_UNARY(hardsigmoid)
#undef AUTOGRAD_UNARY

struct Softplus
{
    double beta = 1;
    /// Where beta x is above it, the result is x. PyTorch has 20 here; it is not needed for stability.
    double threshold = std::numeric_limits<double>::infinity();
};

/// log(1 + e^(beta x)) / beta.
template <Real T>
Tensor<T> softplus(const Tensor<T>& x, const Softplus& options, Location location = Location::current());

/// How `gelu` computes the normal distribution.
enum class Approximate
{
    none,
    tanh
};

/// x times the cumulative function of the normal distribution at x; or an approximation of it,
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
template <Real T>
Tensor<T> gelu(const Tensor<T>& x, Approximate approximate = Approximate::none,
               Location location = Location::current());

/// x above 0, else alpha (e^x - 1). Its derivative at 0 is alpha.
template <Real T>
Tensor<T> elu(const Tensor<T>& x, double alpha = 1, Location location = Location::current());

/// x above 0, else alpha (e^(x / alpha) - 1), whose derivative is continuous.
/// @throws ValueError if alpha is 0.
template <Real T>
Tensor<T> celu(const Tensor<T>& x, double alpha = 1, Location location = Location::current());

/// x above 0, else slope x. Its derivative at 0 is the slope.
template <Real T>
Tensor<T> leaky_relu(const Tensor<T>& x, double slope = 0.01, Location location = Location::current());

/// x limited to [low, high]; `high` where they cross. Unlike that of `clip`, its derivative at a limit is 0.
template <Real T>
Tensor<T> hardtanh(const Tensor<T>& x, double low = -1, double high = 1, Location location = Location::current());

/// x where |x| > lambda, else 0. The derivative at the limits is 0.
template <Real T>
Tensor<T> hardshrink(const Tensor<T>& x, double lambda = 0.5, Location location = Location::current());

/// x moved towards 0 by lambda, and 0 between. The derivative at the limits is 0.
/// @throws ValueError for a negative lambda.
template <Real T>
Tensor<T> softshrink(const Tensor<T>& x, double lambda = 0.5, Location location = Location::current());

/// x where it is above the limit, else the value. The derivative at the limit is 0.
template <Real T>
Tensor<T> threshold(const Tensor<T>& x, double limit, double value, Location location = Location::current());

/// The first half of an axis times the sigmoid of the second. Y. Dauphin et al., "Language modeling with gated
/// convolutional networks", 2017.
/// @throws ShapeError if x has no such axis, or its extent is odd.
template <Real T>
Tensor<T> glu(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

namespace detail
{

template <Real T>
Tensor<T> prelu(const Tensor<T>& x, const Tensor<T>& weight, Location location);

}

/// x above 0, else weight x, with one weight, or one for each channel, which is axis 1.
/// @throws ShapeError if the number of weights is neither 1 nor that of the channels.
template <OperandLike X, OperandLike W>
Tensor<element_t<X, W>> prelu(const X& x, const W& weight, Location location = Location::current())
{
    using T = element_t<X, W>;
    return detail::prelu<T>(Operand<T>(x, location), Operand<T>(weight, location), location);
}

}
