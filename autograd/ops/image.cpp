#include <autograd/ops/image.hpp>
#include <autograd/registry.hpp>

namespace autograd
{

void detail::image_family() noexcept {}

}
