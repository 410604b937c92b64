#include "mapping.hpp"

using namespace autograd;

namespace
{

template <class T>
RunningStatistics<T> running_statistics(Call<T>& call)
{
    return {Variable<T>(call.tensor("running_mean")), Variable<T>(call.tensor("running_var"))};
}

template <class T>
Tensor<T> batch_norm_of(Call<T>& call)
{
    const Tensor<T> weight = call.optional_tensor("weight");
    const Tensor<T> bias = call.optional_tensor("bias");
    const bool training = call.flag("training");
    const double momentum = call.number("momentum");
    if (!call.has("running_mean") && !call.has("running_var"))
    {
        return batch_norm(call.tensor("input"), weight, bias, {.eps = call.number("eps")});
    }
    return batch_norm(call.tensor("input"), running_statistics(call), weight, bias,
                      {.training = training, .momentum = momentum, .eps = call.number("eps")});
}

template <class T>
Tensor<T> instance_norm_of(Call<T>& call)
{
    const Tensor<T> weight = call.optional_tensor("weight");
    const Tensor<T> bias = call.optional_tensor("bias");
    const bool use_input_stats = call.flag("use_input_stats");
    const double momentum = call.number("momentum");
    if (!call.has("running_mean") && !call.has("running_var"))
    {
        return instance_norm(call.tensor("input"), weight, bias, {.eps = call.number("eps")});
    }
    return instance_norm(call.tensor("input"), running_statistics(call), weight, bias,
                         {.use_input_stats = use_input_stats, .momentum = momentum, .eps = call.number("eps")});
}

template <class T>
Shape shape_argument(Call<T>& call, const std::string& name)
{
    const std::vector<std::ptrdiff_t> extents = call.integers(name);
    return Shape(extents.begin(), extents.end());
}

template <class T>
std::optional<std::ptrdiff_t> padding_index(Call<T>& call)
{
    return call.has("padding_idx") ? std::optional(call.integer("padding_idx")) : std::nullopt;
}

/// Throws Unsupported where the weight is to be changed.
template <class T>
void require_no_max_norm(Call<T>& call)
{
    if (call.has("max_norm"))
    {
        throw Unsupported("max_norm would change the weight: renorm it before");
    }
}

/// Indices and weight; in PyTorch's own cases the weight stands first, which is what is differentiated.
template <class T>
std::pair<Indices, Tensor<T>> table_arguments(Call<T>& call)
{
    const bool swapped = call.is_tensor_of("input", "float64");
    return {call.indices(swapped ? "weight" : "input"), call.tensor(swapped ? "input" : "weight")};
}

template <class T>
Tensor<T> embedding_of(Call<T>& call)
{
    require_no_max_norm(call);
    const auto [indices, weight] = table_arguments(call);
    return embedding(indices, weight,
                     {.padding_idx = padding_index(call), .scale_grad_by_freq = call.flag("scale_grad_by_freq")});
}

template <class T>
Tensor<T> embedding_bag_of(Call<T>& call)
{
    require_no_max_norm(call);
    const auto [indices, weight] = table_arguments(call);
    const std::string mode = call.text("mode");
    return embedding_bag(indices, weight,
                         {.offsets = call.has("offsets") ? std::optional(call.indices("offsets")) : std::nullopt,
                          .mode = mode == "sum"    ? BagMode::sum
                                  : mode == "mean" ? BagMode::mean
                                                   : BagMode::max,
                          .per_sample_weights = call.optional_tensor("per_sample_weights"),
                          .include_last_offset = call.flag("include_last_offset"),
                          .padding_idx = padding_index(call),
                          .scale_grad_by_freq = call.flag("scale_grad_by_freq")});
}

template <class T>
Tensor<T> attention_of(Call<T>& call)
{
    if (call.number("dropout_p") != 0)
    {
        throw Unsupported("dropout_p draws random numbers");
    }
    AttentionOptions<T> options{.causal = call.flag("is_causal")};
    if (call.has("scale"))
    {
        options.scale = call.number("scale");
    }
    if (call.is_tensor_of("attn_mask", "bool"))
    {
        options.mask = call.mask("attn_mask");
    }
    else if (call.has("attn_mask"))
    {
        options.mask = call.tensor("attn_mask");
    }
    return scaled_dot_product_attention(call.tensor("query"), call.tensor("key"), call.tensor("value"), options);
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("nn.functional.linear", "input weight bias=null",
              call.has("bias") ? linear(call.tensor("input"), call.tensor("weight"), call.tensor("bias"))
                               : linear(call.tensor("input"), call.tensor("weight"))),
    OPERATION("nn.functional.layer_norm", "input normalized_shape weight=null bias=null eps=1e-5",
              layer_norm(call.tensor("input"), shape_argument(call, "normalized_shape"), call.optional_tensor("weight"),
                         call.optional_tensor("bias"), {.eps = call.number("eps")})),
    OPERATION("nn.functional.group_norm", "input num_groups weight=null bias=null eps=1e-5",
              group_norm(call.tensor("input"), call.integer("num_groups"), call.optional_tensor("weight"),
                         call.optional_tensor("bias"), {.eps = call.number("eps")})),
    OPERATION("nn.functional.batch_norm",
              "input running_mean running_var weight=null bias=null training=false momentum=0.1 eps=1e-5",
              batch_norm_of(call)),
    OPERATION("nn.functional.instance_norm",
              "input running_mean=null running_var=null weight=null bias=null use_input_stats=true momentum=0.1 eps=1e-5",
              instance_norm_of(call)),
    OPERATION("nn.functional.local_response_norm", "input size alpha=1e-4 beta=0.75 k=1.0",
              local_response_norm(call.tensor("input"), call.integer("size"),
                                  {.alpha = call.number("alpha"), .beta = call.number("beta"), .k = call.number("k")})),
    OPERATION("nn.functional.normalize", "input p=2.0 dim=1 eps=1e-12",
              normalize(call.tensor("input"), {.p = call.number("p"), .axis = call.integer("dim"), .eps = call.number("eps")})),
    OPERATION("nn.functional.embedding", "input weight padding_idx=null max_norm=null norm_type=2.0 scale_grad_by_freq=false sparse=false",
              embedding_of(call)),
    OPERATION("nn.functional.embedding_bag",
              "input weight offsets=null max_norm=null norm_type=2.0 scale_grad_by_freq=false mode=mean sparse=false per_sample_weights=null include_last_offset=false padding_idx=null",
              embedding_bag_of(call)),
    OPERATION("nn.functional.bilinear", "input1 input2 weight bias=null",
              bilinear(call.tensor("input1"), call.tensor("input2"), call.tensor("weight"), call.optional_tensor("bias"))),
    OPERATION("nn.functional.one_hot", "tensor num_classes=-1",
              call.integer("num_classes") < 0 ? one_hot(call.indices("tensor"))
                                              : one_hot(call.indices("tensor"), call.count("num_classes"))),
    OPERATION("nn.functional.scaled_dot_product_attention", "query key value attn_mask=null dropout_p=0.0 is_causal=false scale=null",
              attention_of(call)),
    OPERATION("nn.functional.pdist", "input p=2.0", pdist(call.tensor("input"), call.number("p"))),
    OPERATION("cdist", "x1 x2 p=2.0 compute_mode=use_mm_for_euclid_dist_if_necessary",
              (call.value("compute_mode"), cdist(call.tensor("x1"), call.tensor("x2"), call.number("p")))),
    OPERATION("nn.functional.pairwise_distance", "x1 x2 p=2.0 eps=1e-6 keepdim=false",
              pairwise_distance(call.tensor("x1"), call.tensor("x2"),
                                {.p = call.number("p"), .eps = call.number("eps"), .keep = call.keep("keepdim")})),
    OPERATION("nn.functional.cosine_similarity", "x1 x2 dim=1 eps=1e-8",
              cosine_similarity(call.tensor("x1"), call.tensor("x2"),
                                {.axis = call.integer("dim"), .eps = call.number("eps")})),
};
// clang-format on

constexpr Declined declined[] = {
    {"nn.functional.dropout", "draws random numbers, which here come from a Generator"},
    {"nn.functional.alpha_dropout", "draws random numbers, which here come from a Generator"},
};

}

Family nn_mappings()
{
    return {mappings, declined};
}
