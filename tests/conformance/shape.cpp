#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("reshape", "input shape", reshape(call.tensor("input"), call.integers("shape"))),
};
// clang-format on

}

Family shape_mappings()
{
    return {mappings, {}};
}
