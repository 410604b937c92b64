#include "mapping.hpp"

using namespace autograd;

namespace
{

template <class T>
Reduction reduction(Call<T>& call)
{
    const std::string name = call.text("reduction");
    if (name != "none" && name != "mean" && name != "sum" && name != "batchmean")
    {
        throw Unsupported("reduction '" + name + "' is not offered");
    }
    return name == "none"   ? Reduction::none
           : name == "mean" ? Reduction::mean
           : name == "sum"  ? Reduction::sum
                            : Reduction::batch_mean;
}

/// Throws Unsupported where PyTorch warns, and broadcasts.
template <class T>
void require_one_shape(Call<T>& call, const std::string& a, const std::string& b)
{
    if (call.tensor(a).shape() != call.tensor(b).shape())
    {
        throw Unsupported("a loss does not broadcast its target");
    }
}

/// A loss of two tensors of one shape.
#define PAIR(name, prediction, target, parameters, function, ...)                                                      \
    mapping("nn.functional." name, prediction " " target parameters " size_average=null reduce=null reduction=mean",   \
            [](auto& call)                                                                                             \
            {                                                                                                          \
                require_one_shape(call, prediction, target);                                                           \
                return function(call.tensor(prediction), call.tensor(target), __VA_ARGS__);                            \
            })

template <class T>
Tensor<T> cross_entropy_of(Call<T>& call)
{
    const CrossEntropyOptions<T> options{.weight = call.optional_tensor("weight"),
                                         .ignore_index = call.integer("ignore_index"),
                                         .label_smoothing = call.number("label_smoothing"),
                                         .reduction = reduction(call)};
    return call.is_tensor_of("target", "float64")
               ? cross_entropy(call.tensor("input"), call.tensor("target"), options)
               : cross_entropy(call.tensor("input"), call.indices("target"), options);
}

// clang-format off
constexpr Mapping mappings[] = {
    PAIR("l1_loss", "input", "target", "", l1_loss, {.reduction = reduction(call)}),
    PAIR("mse_loss", "input", "target", "", mse_loss, {.reduction = reduction(call)}),
    PAIR("soft_margin_loss", "input", "target", "", soft_margin_loss, {.reduction = reduction(call)}),
    mapping("nn.functional.smooth_l1_loss", "input target size_average=null reduce=null reduction=mean beta=1.0", [](auto& call) {
        require_one_shape(call, "input", "target");
        return smooth_l1_loss(call.tensor("input"), call.tensor("target"),
                              {.beta = call.number("beta"), .reduction = reduction(call)});
    }),
    mapping("nn.functional.huber_loss", "input target reduction=mean delta=1.0", [](auto& call) {
        require_one_shape(call, "input", "target");
        return huber_loss(call.tensor("input"), call.tensor("target"),
                          {.delta = call.number("delta"), .reduction = reduction(call)});
    }),
    mapping("nn.functional.kl_div", "input target size_average=null reduce=null reduction=mean log_target=false", [](auto& call) {
        require_one_shape(call, "input", "target");
        return kl_div(call.tensor("input"), call.tensor("target"),
                      {.log_target = call.flag("log_target"), .reduction = reduction(call)});
    }),
    PAIR("hinge_embedding_loss", "input", "target", " margin=1.0", hinge_embedding_loss,
         {.margin = call.number("margin"), .reduction = reduction(call)}),
    PAIR("binary_cross_entropy", "input", "target", " weight=null", binary_cross_entropy,
         {.weight = call.optional_tensor("weight"), .reduction = reduction(call)}),
    PAIR("multilabel_soft_margin_loss", "input", "target", " weight=null", multilabel_soft_margin_loss,
         {.weight = call.optional_tensor("weight"), .reduction = reduction(call)}),
    mapping("nn.functional.binary_cross_entropy_with_logits", "input target weight=null size_average=null reduce=null reduction=mean pos_weight=null", [](auto& call) {
        require_one_shape(call, "input", "target");
        return binary_cross_entropy_with_logits(call.tensor("input"), call.tensor("target"),
                                                {.weight = call.optional_tensor("weight"),
                                                 .pos_weight = call.optional_tensor("pos_weight"),
                                                 .reduction = reduction(call)});
    }),
    mapping("nn.functional.poisson_nll_loss", "input target log_input=true full=false size_average=null eps=1e-8 reduce=null reduction=mean", [](auto& call) {
        require_one_shape(call, "input", "target");
        return poisson_nll_loss(call.tensor("input"), call.tensor("target"),
                                {.log_input = call.flag("log_input"), .full = call.flag("full"),
                                 .eps = call.number("eps"), .reduction = reduction(call)});
    }),
    OPERATION("nn.functional.gaussian_nll_loss", "input target var full=false eps=1e-6 reduction=mean",
              gaussian_nll_loss(call.tensor("input"), call.tensor("target"), call.tensor("var"),
                                {.full = call.flag("full"), .eps = call.number("eps"), .reduction = reduction(call)})),
    mapping("nn.functional.margin_ranking_loss", "input1 input2 target margin=0.0 size_average=null reduce=null reduction=mean", [](auto& call) {
        require_one_shape(call, "input1", "input2");
        require_one_shape(call, "input1", "target");
        return margin_ranking_loss(call.tensor("input1"), call.tensor("input2"), call.tensor("target"),
                                   {.margin = call.number("margin"), .reduction = reduction(call)});
    }),
    mapping("nn.functional.cosine_embedding_loss", "input1 input2 target margin=0.0 size_average=null reduce=null reduction=mean", [](auto& call) {
        require_one_shape(call, "input1", "input2");
        return cosine_embedding_loss(call.tensor("input1"), call.tensor("input2"), call.tensor("target"),
                                     {.margin = call.number("margin"), .reduction = reduction(call)});
    }),
    mapping("nn.functional.triplet_margin_loss", "anchor positive negative margin=1.0 p=2.0 eps=1e-6 swap=false size_average=null reduce=null reduction=mean",
            [](auto& call) {
        require_one_shape(call, "anchor", "positive");
        require_one_shape(call, "anchor", "negative");
        return triplet_margin_loss(call.tensor("anchor"), call.tensor("positive"), call.tensor("negative"),
                                   {.margin = call.number("margin"), .p = call.number("p"), .eps = call.number("eps"),
                                    .swap = call.flag("swap"), .reduction = reduction(call)});
    }),
    OPERATION("nn.functional.cross_entropy", "input target weight=null size_average=null ignore_index=-100 reduce=null reduction=mean label_smoothing=0.0",
              cross_entropy_of(call)),
    OPERATION("nn.functional.nll_loss", "input target weight=null size_average=null ignore_index=-100 reduce=null reduction=mean",
              nll_loss(call.tensor("input"), call.indices("target"),
                       {.weight = call.optional_tensor("weight"), .ignore_index = call.integer("ignore_index"),
                        .reduction = reduction(call)})),
    OPERATION("nn.functional.multi_margin_loss", "input target p=1 margin=1.0 weight=null size_average=null reduce=null reduction=mean",
              multi_margin_loss(call.tensor("input"), call.indices("target"),
                                {.p = static_cast<int>(call.integer("p")), .margin = call.number("margin"),
                                 .weight = call.optional_tensor("weight"), .reduction = reduction(call)})),
    OPERATION("nn.functional.multilabel_margin_loss", "input target size_average=null reduce=null reduction=mean",
              multilabel_margin_loss(call.tensor("input"), call.indices("target"), {.reduction = reduction(call)})),
};
// clang-format on

constexpr Declined declined[] = {
    {"nn.functional.triplet_margin_with_distance_loss",
     "takes a function: in C++, a line with maximum and that function"},
};

}

Family loss_mappings()
{
    return {mappings, declined};
}
