#include <autograd/ops/decomposition.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::decomposition_family() noexcept {}

}
