#include "mapping.hpp"

using namespace autograd;

namespace
{

template <class T>
Approximate approximation(Call<T>& call)
{
    const std::string name = call.text("approximate");
    if (name != "none" && name != "tanh")
    {
        throw Unsupported("there is no approximation '" + name + "'");
    }
    return name == "tanh" ? Approximate::tanh : Approximate::none;
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("sigmoid", "input", sigmoid(call.tensor("input"))),
    OPERATION("nn.functional.hardsigmoid", "input inplace=false", hardsigmoid(call.tensor("input"))),
    OPERATION("nn.functional.hardswish", "input inplace=false", hardswish(call.tensor("input"))),
    OPERATION("nn.functional.mish", "input inplace=false", mish(call.tensor("input"))),
    OPERATION("nn.functional.relu", "input inplace=false", relu(call.tensor("input"))),
    OPERATION("nn.functional.relu6", "input inplace=false", relu6(call.tensor("input"))),
    OPERATION("nn.functional.selu", "input inplace=false", selu(call.tensor("input"))),
    OPERATION("nn.functional.silu", "input inplace=false", silu(call.tensor("input"))),
    OPERATION("nn.functional.logsigmoid", "input", logsigmoid(call.tensor("input"))),
    OPERATION("nn.functional.softsign", "input", softsign(call.tensor("input"))),
    OPERATION("nn.functional.tanhshrink", "input", tanhshrink(call.tensor("input"))),
    OPERATION("nn.functional.celu", "input alpha=1 inplace=false", celu(call.tensor("input"), call.number("alpha"))),
    OPERATION("nn.functional.elu", "input alpha=1 inplace=false", elu(call.tensor("input"), call.number("alpha"))),
    OPERATION("nn.functional.gelu", "input approximate=none", gelu(call.tensor("input"), approximation(call))),
    OPERATION("nn.functional.glu", "input dim=-1", glu(call.tensor("input"), call.integer("dim"))),
    OPERATION("nn.functional.hardshrink", "input lambd=0.5", hardshrink(call.tensor("input"), call.number("lambd"))),
    OPERATION("nn.functional.hardtanh", "input min_val=-1 max_val=1 inplace=false", hardtanh(call.tensor("input"), call.number("min_val"), call.number("max_val"))),
    OPERATION("nn.functional.leaky_relu", "input negative_slope=0.01 inplace=false", leaky_relu(call.tensor("input"), call.number("negative_slope"))),
    OPERATION("nn.functional.prelu", "input weight", prelu(call.tensor("input"), call.tensor("weight"))),
    OPERATION("nn.functional.softplus", "input beta=1 threshold=20", softplus(call.tensor("input"), {.beta = call.number("beta"), .threshold = call.number("threshold")})),
    OPERATION("nn.functional.softshrink", "input lambd=0.5", softshrink(call.tensor("input"), call.number("lambd"))),
    OPERATION("nn.functional.threshold", "input threshold value inplace=false", threshold(call.tensor("input"), call.number("threshold"), call.number("value"))),
};
// clang-format on

}

Family activation_mappings()
{
    return {mappings, {}};
}
