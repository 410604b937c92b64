#include <autograd/ops/index.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::index_family() noexcept {}

}
