#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("nn.functional.linear", "input weight bias=null",
              call.has("bias") ? linear(call.tensor("input"), call.tensor("weight"), call.tensor("bias"))
                               : linear(call.tensor("input"), call.tensor("weight"))),
};
// clang-format on

}

Family nn_mappings()
{
    return {mappings, {}};
}
