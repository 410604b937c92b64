#include <autograd/error.hpp>
#include <autograd/tree.hpp>

#include <string>

namespace autograd::detail
{

void throw_other_structure(const char* operation, std::size_t elements, std::size_t others, Location location)
{
    throw ShapeError(operation,
                     "trees that go together must have the same structure: one has a list of " +
                         std::to_string(elements) + ", the other one of " + std::to_string(others),
                     location);
}

}
