#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("softmax", "input dim dtype=null", softmax(call.tensor("input"), call.integer("dim"))),
};
// clang-format on

}

Family loss_mappings()
{
    return {mappings, {}};
}
