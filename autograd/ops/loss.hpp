#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

/// Losses, under PyTorch's names: `huber_loss(y, target, {.delta = 0.5, .reduction = Reduction::sum})`. A loss compares
/// element with element, and throws ShapeError unless both have one shape: a column and a row would otherwise broadcast to
/// a matrix, silently. A mean of nothing throws ValueError.
namespace autograd
{

/// What becomes of the losses of single elements, or of the samples of a batch.
enum class Reduction
{
    none,       ///< they are the result
    mean,       ///< of all that count
    sum,        ///< of all
    batch_mean  ///< the sum, divided by the extent of the first axis
};

struct LossOptions
{
    Reduction reduction = Reduction::mean;
};

template <Real T>
struct WeightedLossOptions
{
    Tensor<T> weight = {};  ///< broadcasts to the prediction
    Reduction reduction = Reduction::mean;
};

template <Real T>
struct LogisticLossOptions
{
    Tensor<T> weight = {};      ///< broadcasts to the logits
    Tensor<T> pos_weight = {};  ///< of the positive answers; broadcasts to the logits
    Reduction reduction = Reduction::mean;
};

struct HuberOptions
{
    double delta = 1;
    Reduction reduction = Reduction::mean;
};

struct SmoothL1Options
{
    double beta = 1;
    Reduction reduction = Reduction::mean;
};

struct KlDivOptions
{
    bool log_target = false;  ///< whether the target is given as logarithms, too
    Reduction reduction = Reduction::mean;
};

struct PoissonOptions
{
    bool log_input = true;  ///< whether the prediction is the logarithm of the rate
    bool full = false;      ///< whether to add Stirling's approximation of log(target!), for targets above 1
    double eps = 1e-8;      ///< added to a rate before its logarithm is taken
    Reduction reduction = Reduction::mean;
};

struct GaussianOptions
{
    bool full = false;  ///< whether to add log(2 pi) / 2
    double eps = 1e-6;  ///< smaller variances are raised to this; their gradient is that of the raised one
    Reduction reduction = Reduction::mean;
};

struct HingeOptions
{
    double margin = 1;
    Reduction reduction = Reduction::mean;
};

struct MarginOptions
{
    double margin = 0;
    Reduction reduction = Reduction::mean;
};

struct TripletOptions
{
    double margin = 1;
    double p = 2;       ///< of the distance's norm
    double eps = 1e-6;  ///< see `pairwise_distance`
    bool swap = false;  ///< whether the distance from the positive to the negative counts if it is the smaller one
    Reduction reduction = Reduction::mean;
};

template <Real T>
struct NllOptions
{
    Tensor<T> weight = {};             ///< one a class, constants; a mean is divided by those of the labels
    std::int64_t ignore_index = -100;  ///< a label that does not count
    Reduction reduction = Reduction::mean;
};

template <Real T>
struct CrossEntropyOptions
{
    Tensor<T> weight = {};             ///< one a class, constants; a mean is divided by those of the labels
    std::int64_t ignore_index = -100;  ///< a label that does not count
    double label_smoothing = 0;        ///< what share of each label goes to all classes equally
    Reduction reduction = Reduction::mean;
};

template <Real T>
struct MultiMarginOptions
{
    int p = 1;  ///< 1 or 2
    double margin = 1;
    Tensor<T> weight = {};  ///< one a class, constants
    Reduction reduction = Reduction::mean;
};

#define AUTOGRAD_LOSS(name, Options, prediction, target)                                                               \
    namespace detail                                                                                                   \
    {                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& prediction, const Tensor<T>& target, const Options& options, Location location);   \
    }                                                                                                                  \
    template <OperandLike A, OperandLike B, class T = element_t<A, B>>                                                 \
    Tensor<T> name(const A& prediction, const B& target, const Options& options = {},                                  \
                   Location location = Location::current())                                                            \
    {                                                                                                                  \
        return detail::name<T>(Operand<T>(prediction, location), Operand<T>(target, location), options, location);     \
    }

#define AUTOGRAD_LOSS_OF_3(name, Options, first, second, third)                                                        \
    namespace detail                                                                                                   \
    {                                                                                                                  \
    template <Real T>                                                                                                  \
    Tensor<T> name(const Tensor<T>& first, const Tensor<T>& second, const Tensor<T>& third, const Options& options,    \
                   Location location);                                                                                 \
    }                                                                                                                  \
    template <OperandLike A, OperandLike B, OperandLike C, class T = element_t<A, B, C>>                               \
    Tensor<T> name(const A& first, const B& second, const C& third, const Options& options = {},                       \
                   Location location = Location::current())                                                            \
    {                                                                                                                  \
        return detail::name<T>(Operand<T>(first, location), Operand<T>(second, location), Operand<T>(third, location), \
                               options, location);                                                                     \
    }

/// |prediction - target|. Its derivative where both are equal is 0.
AUTOGRAD_LOSS(l1_loss, LossOptions, prediction, target)

/// (prediction - target)^2.
AUTOGRAD_LOSS(mse_loss, LossOptions, prediction, target)

/// d^2 / 2 for distances d up to delta, delta (d - delta / 2) beyond. Throws ValueError unless delta > 0.
AUTOGRAD_LOSS(huber_loss, HuberOptions, prediction, target)

/// d^2 / (2 beta) for distances d up to beta, d - beta / 2 beyond; |d| if beta is 0. Throws ValueError for beta < 0.
AUTOGRAD_LOSS(smooth_l1_loss, SmoothL1Options, prediction, target)

/// -t log(p) - (1 - t) log(1 - p) between probabilities p and targets t in [0, 1]. Logarithms are at least -100, and the
/// derivative by p is divided by at least 1e-12, so that it is finite at 0 and 1.
/// @throws ValueError for a p outside of [0, 1].
AUTOGRAD_LOSS(binary_cross_entropy, WeightedLossOptions<T>, probabilities, target)

/// The same between sigmoid(x) and targets t in [0, 1]: softplus(x) - x t; exact for every x.
AUTOGRAD_LOSS(binary_cross_entropy_with_logits, LogisticLossOptions<T>, logits, target)

/// The Kullback-Leibler divergence t (log(t) - x), where x is the logarithm of the prediction; 0 log(0) = 0. The definition
/// sums it over all classes, and takes the mean over a batch: Reduction::batch_mean.
AUTOGRAD_LOSS(kl_div, KlDivOptions, log_probabilities, target)

/// -log of the probability of the target by Poisson's distribution of rate e^x, without the target's own term: e^x - t x.
AUTOGRAD_LOSS(poisson_nll_loss, PoissonOptions, prediction, target)

/// log(1 + e^(-t x)), for targets t of -1 or 1.
AUTOGRAD_LOSS(soft_margin_loss, LossOptions, prediction, target)

/// x where the target is 1, max(margin - x, 0) where it is -1, for distances x. At the kink the gradient goes to x.
AUTOGRAD_LOSS(hinge_embedding_loss, HingeOptions, distance, target)

/// The mean over the classes, the last axis, of `binary_cross_entropy_with_logits`.
AUTOGRAD_LOSS(multilabel_soft_margin_loss, WeightedLossOptions<T>, logits, target)

/// (log(v) + (prediction - target)^2 / v) / 2 for a normal distribution of variance v, which has the shape of the
/// prediction, or lacks its last axis, or has 1 there. The target broadcasts.
/// @throws ValueError for a negative variance.
AUTOGRAD_LOSS_OF_3(gaussian_nll_loss, GaussianOptions, prediction, target, variance)

/// max(-t (a - b) + margin, 0): a is to be larger where t is 1, b where t is -1. At the kink the gradient passes.
AUTOGRAD_LOSS_OF_3(margin_ranking_loss, MarginOptions, a, b, target)

/// With c = cosine of the angle between vectors along the last axis: 1 - c where t is 1, max(c - margin, 0) where t is -1.
/// Vectors are (batch, extent) and the target (batch), or (extent) and 0-d. At the kink the gradient passes.
AUTOGRAD_LOSS_OF_3(cosine_embedding_loss, MarginOptions, a, b, target)

/// max(d(anchor, positive) - d(anchor, negative) + margin, 0) with `pairwise_distance` along the last axis. At the kink
/// the gradient passes.
AUTOGRAD_LOSS_OF_3(triplet_margin_loss, TripletOptions, anchor, positive, negative)

#undef AUTOGRAD_LOSS
#undef AUTOGRAD_LOSS_OF_3

/// -log softmax(logits)[label]: the logits are (batch, classes), (batch, classes, d1, ...) or (classes), the labels
/// integers in [0, classes), of that shape without the classes.
/// @throws ShapeError if they do not fit; ValueError for a label out of range, which it names.
template <Real T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& labels, const CrossEntropyOptions<T>& options = {},
                        Location location = Location::current());

namespace detail
{

template <Real T>
Tensor<T> soft_cross_entropy(const Tensor<T>& logits, const Tensor<T>& probabilities,
                             const CrossEntropyOptions<T>& options, Location location);

}

/// The same with a probability for each class, of the shape of the logits: -sum(p log softmax(logits)).
template <Real T, class P>
    requires(AnyTensor<P> || (XExpression<P> && std::floating_point<typename P::value_type>))
Tensor<T> cross_entropy(const Tensor<T>& logits, const P& probabilities, const CrossEntropyOptions<T>& options = {},
                        Location location = Location::current())
{
    return detail::soft_cross_entropy<T>(logits, Operand<T>(probabilities, location), options, location);
}

/// -x[label] for logarithms x of probabilities; shapes and errors as in `cross_entropy`.
template <Real T>
Tensor<T> nll_loss(const Tensor<T>& log_probabilities, const Indices& labels, const NllOptions<T>& options = {},
                   Location location = Location::current());

/// The mean over the classes of max(margin - x[label] + x[j], 0)^p, where j is not the label. Scores are (batch, classes)
/// or (classes), labels integers in [0, classes). The derivative at the kink is 0.
/// @throws ShapeError if they do not fit; ValueError for a label out of range, or another p.
template <Real T>
Tensor<T> multi_margin_loss(const Tensor<T>& scores, const Indices& labels, const MultiMarginOptions<T>& options = {},
                            Location location = Location::current());

/// The sum over labels i and all other classes j of max(1 - x[i] + x[j], 0), divided by the number of classes. The labels
/// have the shape of the scores, (batch, classes) or (classes); those of a sample end at the first -1. The derivative
/// at the kink is 0.
/// @throws ShapeError if they do not fit; ValueError for a label out of range.
template <Real T>
Tensor<T> multilabel_margin_loss(const Tensor<T>& scores, const Indices& labels, const LossOptions& options = {},
                                 Location location = Location::current());

}
