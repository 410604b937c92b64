#include <autograd/ops/normalization.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::normalization_family() noexcept {}

}
