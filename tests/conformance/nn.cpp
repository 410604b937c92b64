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

}

Family nn_mappings()
{
    return {mappings, {}};
}
