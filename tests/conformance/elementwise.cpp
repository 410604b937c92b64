#include "mapping.hpp"

using namespace autograd;

namespace
{

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("exp", "input", exp(call.tensor("input"))),
    OPERATION("add", "input other alpha=1",
              call.number("alpha") == 1 ? call.tensor("input") + call.tensor("other")
                                        : call.tensor("input") + call.tensor("other") * call.number("alpha")),
};
// clang-format on

constexpr Declined declined[] = {
    {"nextafter", "has no use in training: std::nextafter on the values does it"},
};

}

Family elementwise_mappings()
{
    return {mappings, declined};
}
