#include <autograd/ops/activation.hpp>
#include <autograd/ops/table.hpp>

namespace autograd
{

using namespace formula;

// clang-format off
UNARY(sigmoid,  Domain::real,     sigmoid(x),              dy * y * (1.0 - y))
UNARY(relu,     Domain::real,     select(le(x, 0.0), zero(x), x), select(le(y, 0.0), zero(dy), dy))
UNARY(softplus, Domain::real,     select(gt(x, 0.0), x, zero(x)) + log1p(exp(-abs(x))), dy * sigmoid(x))
// clang-format on

void detail::activation_family() noexcept {}

}
