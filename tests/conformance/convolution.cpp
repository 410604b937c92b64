#include "mapping.hpp"

using namespace autograd;

namespace
{

PerAxis per_axis(auto& call, const char* name)
{
    return call.integers(name);
}

ConvolutionOptions options(auto& call)
{
    ConvolutionOptions result{
        .stride = per_axis(call, "stride"), .dilation = per_axis(call, "dilation"), .groups = call.integer("groups")};
    if (!call.is_text("padding"))
    {
        result.padding = call.integers("padding");
    }
    else if (call.text("padding") == "same")
    {
        result.padding = same_padding;
    }
    return result;
}

TransposedConvolutionOptions transposed_options(auto& call)
{
    return {.stride = per_axis(call, "stride"),
            .padding = per_axis(call, "padding"),
            .output_padding = per_axis(call, "output_padding"),
            .groups = call.integer("groups"),
            .dilation = per_axis(call, "dilation")};
}

// clang-format off
#define CONVOLUTION(function)                                                                                          \
    OPERATION("nn.functional." #function, "input weight bias=null stride=1 padding=0 dilation=1 groups=1",             \
              call.has("bias") ? function(call.tensor("input"), call.tensor("weight"), call.tensor("bias"), options(call)) \
                               : function(call.tensor("input"), call.tensor("weight"), options(call)))
#define TRANSPOSED(function)                                                                                           \
    OPERATION("nn.functional." #function,                                                                              \
              "input weight bias=null stride=1 padding=0 output_padding=0 groups=1 dilation=1",                        \
              call.has("bias") ? function(call.tensor("input"), call.tensor("weight"), call.tensor("bias"),            \
                                          transposed_options(call))                                                    \
                               : function(call.tensor("input"), call.tensor("weight"), transposed_options(call)))

constexpr Mapping mappings[] = {
    CONVOLUTION(conv1d),
    CONVOLUTION(conv2d),
    CONVOLUTION(conv3d),
    TRANSPOSED(conv_transpose1d),
    TRANSPOSED(conv_transpose2d),
    TRANSPOSED(conv_transpose3d),
};
// clang-format on

}

Family convolution_mappings()
{
    return {mappings, {}};
}
