#include <autograd/ops/pooling.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::pooling_family() noexcept {}

}
