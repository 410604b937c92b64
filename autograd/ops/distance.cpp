#include <autograd/ops/distance.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::distance_family() noexcept {}

}
