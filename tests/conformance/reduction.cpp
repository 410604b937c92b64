#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("sum", "input dim=null keepdim=false", sum(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("softmax", "input dim dtype=null", softmax(call.tensor("input"), call.integer("dim"))),
    OPERATION("nn.functional.softmin", "input dim dtype=null", softmax(-call.tensor("input"), call.integer("dim"))),
    OPERATION("log_softmax", "input dim dtype=null", log_softmax(call.tensor("input"), call.integer("dim"))),
};
// clang-format on

}

Family reduction_mappings()
{
    return {mappings, {}};
}
