#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("matmul", "input other", matmul(call.tensor("input"), call.tensor("other"))),
};
// clang-format on

}

Family linalg_mappings()
{
    return {mappings, {}};
}
