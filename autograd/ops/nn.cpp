#include <autograd/ops/nn.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::nn_family() noexcept {}

}
