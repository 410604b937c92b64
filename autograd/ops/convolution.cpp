#include <autograd/ops/convolution.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::convolution_family() noexcept {}

}
