#include <autograd/ops/sorting.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::sorting_family() noexcept {}

}
