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

/// The kernel as the stride if that is not given, or empty.
PerAxis stride(auto& call)
{
    return call.has("stride") ? per_axis(call, "stride") : PerAxis();
}

MaxPoolOptions max_options(auto& call)
{
    return {.stride = stride(call),
            .padding = per_axis(call, "padding"),
            .dilation = per_axis(call, "dilation"),
            .ceil_mode = call.flag("ceil_mode")};
}

AvgPoolOptions avg_options(auto& call)
{
    AvgPoolOptions result{.stride = stride(call),
                          .padding = per_axis(call, "padding"),
                          .ceil_mode = call.flag("ceil_mode"),
                          .count_include_pad = call.flag("count_include_pad")};
    if (call.has("divisor_override"))
    {
        result.divisor = call.integer("divisor_override");
    }
    return result;
}

/// None in a list leaves an axis as it is.
PerAxis output_size(auto& call)
{
    std::vector<std::ptrdiff_t> sizes;
    if (!call.is_list("output_size"))
    {
        return call.integer("output_size");
    }
    for (const nlohmann::json& size : call.value("output_size"))
    {
        sizes.push_back(size.is_null() ? input_extent : call.integer_of(size));
    }
    return sizes;
}

/// PyTorch also takes the whole shape.
UnpoolOptions unpool_options(auto& call, std::size_t axes)
{
    UnpoolOptions result{.stride = stride(call), .padding = per_axis(call, "padding")};
    if (call.has("output_size"))
    {
        const std::vector<std::ptrdiff_t> sizes = call.integers("output_size");
        result.output_size = std::vector<std::ptrdiff_t>(sizes.end() - std::min(sizes.size(), axes), sizes.end());
    }
    return result;
}

/// The pair of a pooling with indices.
auto both(auto result)
{
    return Outputs<typename decltype(result.first)::value_type>{result.first, result.second};
}

UnfoldOptions unfold_options(auto& call)
{
    return {.dilation = per_axis(call, "dilation"),
            .padding = per_axis(call, "padding"),
            .stride = per_axis(call, "stride")};
}

Interpolation interpolation(const std::string& mode)
{
    if (mode.ends_with("linear"))
    {
        return Interpolation::linear;
    }
    return mode == "nearest-exact" ? Interpolation::nearest_exact
           : mode == "bicubic"     ? Interpolation::cubic
           : mode == "area"        ? Interpolation::area
                                   : Interpolation::nearest;
}

InterpolateOptions sizes(auto& call)
{
    InterpolateOptions result;
    if (call.has("size"))
    {
        result.size = per_axis(call, "size");
    }
    if (call.has("scale_factor"))
    {
        result.scale = call.numbers("scale_factor");
    }
    return result;
}

InterpolateOptions interpolate_options(auto& call)
{
    InterpolateOptions result = sizes(call);
    result.mode = interpolation(call.text("mode"));
    result.align_corners = call.has("align_corners") && call.flag("align_corners");
    result.recompute_scale_factor = call.has("recompute_scale_factor") && call.flag("recompute_scale_factor");
    result.antialias = call.flag("antialias");
    return result;
}

InterpolateOptions aligned(InterpolateOptions options)
{
    options.mode = Interpolation::linear;
    options.align_corners = true;
    return options;
}

GridSampleOptions grid_options(auto& call)
{
    const std::string border = call.text("padding_mode");
    return {.mode = interpolation(call.text("mode")),
            .border = border == "border"       ? Border::nearest
                      : border == "reflection" ? Border::reflection
                                               : Border::zeros,
            .align_corners = call.has("align_corners") && call.flag("align_corners")};
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

#define MAX_POOL(function)                                                                                             \
    OPERATION("nn.functional." #function,                                                                              \
              "input kernel_size stride=null padding=0 dilation=1 ceil_mode=false return_indices=false",               \
              call.flag("return_indices")                                                                              \
                  ? both(function##_with_indices(call.tensor("input"), per_axis(call, "kernel_size"), max_options(call))) \
                  : Outputs<ELEMENT>{function(call.tensor("input"), per_axis(call, "kernel_size"), max_options(call))})
#define AVG_POOL(function)                                                                                             \
    OPERATION("nn.functional." #function,                                                                              \
              "input kernel_size stride=null padding=0 ceil_mode=false count_include_pad=true divisor_override=null",  \
              function(call.tensor("input"), per_axis(call, "kernel_size"), avg_options(call)))
#define ADAPTIVE_MAX_POOL(function)                                                                                    \
    OPERATION("nn.functional." #function, "input output_size return_indices=false",                                    \
              call.flag("return_indices") ? both(function##_with_indices(call.tensor("input"), output_size(call)))     \
                                          : Outputs<ELEMENT>{function(call.tensor("input"), output_size(call))})
#define ADAPTIVE_AVG_POOL(function)                                                                                    \
    OPERATION("nn.functional." #function, "input output_size", function(call.tensor("input"), output_size(call)))
#define UNPOOL(function, axes)                                                                                         \
    OPERATION("nn.functional." #function, "input indices kernel_size stride=null padding=0 output_size=null",          \
              function(call.tensor("input"), call.indices("indices"), per_axis(call, "kernel_size"),                   \
                       unpool_options(call, axes)))

constexpr Mapping mappings[] = {
    CONVOLUTION(conv1d),
    CONVOLUTION(conv2d),
    CONVOLUTION(conv3d),
    TRANSPOSED(conv_transpose1d),
    TRANSPOSED(conv_transpose2d),
    TRANSPOSED(conv_transpose3d),
    MAX_POOL(max_pool1d),
    MAX_POOL(max_pool2d),
    MAX_POOL(max_pool3d),
    AVG_POOL(avg_pool1d),
    AVG_POOL(avg_pool2d),
    AVG_POOL(avg_pool3d),
    ADAPTIVE_MAX_POOL(adaptive_max_pool1d),
    ADAPTIVE_MAX_POOL(adaptive_max_pool2d),
    ADAPTIVE_MAX_POOL(adaptive_max_pool3d),
    ADAPTIVE_AVG_POOL(adaptive_avg_pool1d),
    ADAPTIVE_AVG_POOL(adaptive_avg_pool2d),
    ADAPTIVE_AVG_POOL(adaptive_avg_pool3d),
    UNPOOL(max_unpool1d, 1),
    UNPOOL(max_unpool2d, 2),
    UNPOOL(max_unpool3d, 3),
    OPERATION("nn.functional.unfold", "input kernel_size dilation=1 padding=0 stride=1",
              unfold(call.tensor("input"), per_axis(call, "kernel_size"), unfold_options(call))),
    OPERATION("nn.functional.fold", "input output_size kernel_size dilation=1 padding=0 stride=1",
              fold(call.tensor("input"), per_axis(call, "output_size"), per_axis(call, "kernel_size"), unfold_options(call))),
    OPERATION("nn.functional.interpolate",
              "input size=null scale_factor=null mode=nearest align_corners=null recompute_scale_factor=null antialias=false",
              interpolate(call.tensor("input"), interpolate_options(call))),
    OPERATION("nn.functional.upsample",
              "input size=null scale_factor=null mode=nearest align_corners=null recompute_scale_factor=false antialias=false",
              interpolate(call.tensor("input"), interpolate_options(call))),
    OPERATION("nn.functional.upsample_nearest", "input size=null scale_factor=null",
              interpolate(call.tensor("input"), sizes(call))),
    OPERATION("nn.functional.upsample_bilinear", "input size=null scale_factor=null",
              interpolate(call.tensor("input"), aligned(sizes(call)))),
    OPERATION("nn.functional.grid_sample", "input grid mode=bilinear padding_mode=zeros align_corners=null",
              grid_sample(call.tensor("input"), call.tensor("grid"), grid_options(call))),
    OPERATION("nn.functional.pixel_shuffle", "input upscale_factor",
              pixel_shuffle(call.tensor("input"), call.integer("upscale_factor"))),
    OPERATION("nn.functional.pixel_unshuffle", "input downscale_factor",
              pixel_unshuffle(call.tensor("input"), call.integer("downscale_factor"))),
};
// clang-format on

}

Family convolution_mappings()
{
    return {mappings, {}};
}
