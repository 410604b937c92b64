#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("sum", "input dim=null keepdim=false", sum(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
};
// clang-format on

}

Family reduction_mappings()
{
    return {mappings, {}};
}
