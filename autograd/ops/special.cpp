#include <autograd/ops/special.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::special_family() noexcept {}

}
