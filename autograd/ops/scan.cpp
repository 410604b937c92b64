#include <autograd/ops/scan.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::scan_family() noexcept {}

}
