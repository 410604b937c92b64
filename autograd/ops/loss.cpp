#include <autograd/batching.hpp>
#include <autograd/composition.hpp>
#include <autograd/custom.hpp>
#include <autograd/derive.hpp>
#include <autograd/kernels/exponential.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/distance.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/loss.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/table.hpp>
#include <autograd/parallel.hpp>
#include <autograd/tracer.hpp>

#include <limits>
#include <numbers>
#include <string>

namespace autograd
{

using namespace formula;

namespace
{

/// A logarithm that is -100 at least.
constexpr auto bounded(const auto& logarithm)
{
    return select(lt(logarithm, -100.0), constant(logarithm, -100), logarithm);
}

constexpr auto not_below(const auto& x, double least)
{
    return select(lt(x, least), constant(x, least), x);
}

/// (1 - t) x + log(1 + e^-x), without overflow.
struct LogisticLoss
{
    FORMULA(binary_cross_entropy_with_logits, 2)
    static constexpr auto value(const auto& x, const auto& t)
    {
        return (1.0 - t) * x + select(gt(x, 0.0), zero(x), -x) + log1p(exp(-abs(x)));
    }
    PULLBACK(0, (dy * (sigmoid(x) - t)), const auto& x, const auto& t)
    PULLBACK(1, (-dy * x), const auto& x, const auto&)
};

struct ProbabilityLoss
{
    FORMULA(binary_cross_entropy, 2)
    static constexpr auto value(const auto& p, const auto& t)
    {
        return (t - 1.0) * bounded(log1p(-p)) - t * bounded(log(p));
    }
    PULLBACK(0, (dy * (p - t) / not_below(p * (1.0 - p), 1e-12)), const auto& p, const auto& t)
    PULLBACK(1, (dy * (bounded(log1p(-p)) - bounded(log(p)))), const auto& p, const auto&)
};

template <class F, class T>
Tensor<T> elementwise(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    return Tensor<T>::adopt(detail::Elementwise<F, T>::apply(location, a.node(), b.node()));
}

using detail::Composition;
using detail::Reads;

constexpr std::size_t parallel_elements = detail::elements_worth_a_thread;

/// 1 at the label of each row, 0 elsewhere and in rows whose label is negative.
template <class T>
Tensor<T> chosen(const Indices& labels, std::size_t classes)
{
    const Tensor<T> result = Tensor<T>::adopt(detail::new_node<T>({labels.size(), classes}));
    detail::note_constant(result.node(), labels.is_live());
    const auto choose = [=](std::span<detail::Node* const>)
    {
        T* const elements = result.node()->template as<T>();
        std::fill_n(elements, result.size(), T(0));
        for (std::size_t row = 0; row < labels.size(); ++row)
        {
            if (labels[row] >= 0)
            {
                elements[row * classes + static_cast<std::size_t>(labels[row])] = 1;
            }
        }
    };
    detail::derive("labels", {}, {}, choose);
    return result;
}

/// 1 for each row whose label is not negative, as a column.
template <class T>
Tensor<T> counted(const Indices& labels)
{
    const Tensor<T> result = Tensor<T>::adopt(detail::new_node<T>({labels.size(), 1}));
    detail::note_constant(result.node(), labels.is_live());
    const auto count = [=](std::span<detail::Node* const>)
    {
        std::transform(labels.begin(), labels.end(), result.node()->template as<T>(),
                       [](std::int64_t label) { return T(label >= 0); });
    };
    detail::derive("labels", {}, {}, count);
    return result;
}

/// -log softmax(x)[label] for each row of x, 0 where the label is negative. The second operand is the log-sum-exp of the
/// rows, which the gradient then need not find again; to a tape it is a constant.
struct CrossEntropy
{
    static constexpr const char* name = "cross_entropy";
    bool operator==(const CrossEntropy&) const = default;
    static constexpr Reads reads(std::size_t) { return {.operand_bits = 0b11U}; }
    Indices labels;

    template <class T>
    Tensor<T> value(const Tensor<T>& x, const Tensor<T>& log_sums) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(log_sums.shape()));
        T* losses = y.node()->template as<T>();
        for (std::size_t row = 0; row < labels.size(); ++row)
        {
            losses[row] = labels[row] < 0 ? T(0)
                                          : log_sums.data()[row] -
                                                x.data()[row * x.shape(1) + static_cast<std::size_t>(labels[row])];
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x,
                       const Tensor<T>& log_sums) const
    {
        if (!detail::Arena::current().recording())
        {
            return gradient(dy, x, log_sums);
        }
        const Tensor<T> difference = softmax(x, -1, Location{}) - chosen<T>(labels, x.shape(1));
        return select(Mask<T>{counted<T>(labels)}, difference * expand_dims(dy, 1, Location{}), T(0));
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&) const
    {
        return Tensor<T>(T(0));
    }

private:
    template <class T>
    Tensor<T> gradient(const Tensor<T>& dy, const Tensor<T>& x, const Tensor<T>& log_sums) const
    {
        using B = xsimd::batch<T>;
        Tensor<T> dx = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        const std::size_t width = x.shape(1);
        T* out = dx.node()->template as<T>();
        detail::parallel_for(labels.size(), std::max<std::size_t>(1, parallel_elements / width),
                             [&](std::size_t begin, std::size_t end)
                             {
                                 for (std::size_t row = begin; row < end; ++row)
                                 {
                                     T* place = out + row * width;
                                     if (labels[row] < 0)
                                     {
                                         std::fill_n(place, width, T(0));
                                         continue;
                                     }
                                     const B shift(log_sums.data()[row]);
                                     const B scale(dy.data()[row]);
                                     detail::map_row(
                                         width, place,
                                         [=](const B& e) { return detail::exponential_of_negative(e - shift) * scale; },
                                         x.data() + row * width);
                                     place[labels[row]] -= dy.data()[row];
                                 }
                             });
        return dx;
    }
};

const detail::Batching<CrossEntropy, 2> cross_entropy_batching(
    [](const CrossEntropy& op, const auto& batch)
    {
        const auto repeat = [](const Indices& from, Indices& to)
        {
            for (std::size_t i = 0; i < to.size(); i += from.size())
            {
                std::copy(from.begin(), from.end(), to.data() + i);
            }
        };
        return batch.as_stack(CrossEntropy{detail::derive_indices(
            CrossEntropy::name, Shape{batch.samples * op.labels.size()}, op.labels, batch.location, repeat)});
    });

std::string both(const Shape& a, const Shape& b)
{
    return "got " + to_string(a) + " and " + to_string(b);
}

void require_mean(Reduction reduction, const Shape& losses, const char* operation, Location location)
{
    const bool mean = reduction == Reduction::mean && losses.elements() == 0;
    const bool batch_mean = reduction == Reduction::batch_mean && (losses.rank() == 0 || losses[0] == 0);
    if (mean || batch_mean)
    {
        throw ValueError(operation, "nothing has no mean: got shape " + to_string(losses), location);
    }
}

template <class T>
Tensor<T> reduced(const Tensor<T>& losses, Reduction reduction, Location location)
{
    switch (reduction)
    {
    case Reduction::none:
        return losses;
    case Reduction::mean:
        return mean(losses, {}, {}, location);
    case Reduction::sum:
        return sum(losses, {}, {}, location);
    case Reduction::batch_mean:
        break;
    }
    return sum(losses, {}, {}, location) / static_cast<T>(losses.shape(0));
}

template <class T>
void require_comparable(const Tensor<T>& a, const Tensor<T>& b, Reduction reduction, const char* operation,
                        Location location)
{
    if (a.shape() != b.shape())
    {
        throw ShapeError(operation, "prediction and target must have one shape: " + both(a.shape(), b.shape()),
                         location, "Reshape one of them; a column and a row would otherwise broadcast to a matrix.");
    }
    require_mean(reduction, a.shape(), operation, location);
}

template <class T>
void require_weight(const Tensor<T>& weight, const Shape& shape, const char* operation, Location location)
{
    if (weight.defined() && !broadcasts_to(weight.shape(), shape))
    {
        throw ShapeError(
            operation, "a weight of shape " + to_string(weight.shape()) + " does not broadcast to " + to_string(shape),
            location);
    }
}

template <class T>
Tensor<T> weighted(const Tensor<T>& losses, const Tensor<T>& weight)
{
    return weight.defined() ? losses * weight : losses;
}

/// max(x, 0), whose derivative at 0 is 1.
template <class T>
Tensor<T> positive_part(const Tensor<T>& x)
{
    return clip(x, T(0), std::numeric_limits<T>::infinity());
}

/// d (d / 2) for |d| up to `limit`, limit (|d| - limit / 2) beyond; both divided by `divisor`.
template <class T>
Tensor<T> huber(const Tensor<T>& difference, double limit, double divisor)
{
    const Tensor<T> clipped = clip(difference, -limit, limit);
    return clipped / static_cast<T>(divisor) * (difference - clipped * T(0.5));
}

}

template <Real T>
Tensor<T> detail::l1_loss(const Tensor<T>& prediction, const Tensor<T>& target, const LossOptions& options,
                          Location location)
{
    require_comparable(prediction, target, options.reduction, "l1_loss", location);
    const Composition composition(location);
    return reduced(abs(prediction - target, location), options.reduction, location);
}

template <Real T>
Tensor<T> detail::mse_loss(const Tensor<T>& prediction, const Tensor<T>& target, const LossOptions& options,
                           Location location)
{
    require_comparable(prediction, target, options.reduction, "mse_loss", location);
    const Composition composition(location);
    return reduced(square(prediction - target, location), options.reduction, location);
}

template <Real T>
Tensor<T> detail::huber_loss(const Tensor<T>& prediction, const Tensor<T>& target, const HuberOptions& options,
                             Location location)
{
    require_comparable(prediction, target, options.reduction, "huber_loss", location);
    if (!(options.delta > 0))
    {
        throw ValueError("huber_loss", "delta must be positive: got " + std::to_string(options.delta), location);
    }
    const Composition composition(location);
    return reduced(huber(prediction - target, options.delta, 1), options.reduction, location);
}

template <Real T>
Tensor<T> detail::smooth_l1_loss(const Tensor<T>& prediction, const Tensor<T>& target, const SmoothL1Options& options,
                                 Location location)
{
    require_comparable(prediction, target, options.reduction, "smooth_l1_loss", location);
    if (!(options.beta >= 0))
    {
        throw ValueError("smooth_l1_loss", "beta must not be negative: got " + std::to_string(options.beta), location);
    }
    const Composition composition(location);
    const Tensor<T> difference = prediction - target;
    return reduced(options.beta == 0 ? abs(difference, location) : huber(difference, options.beta, options.beta),
                   options.reduction, location);
}

template <Real T>
Tensor<T> detail::binary_cross_entropy(const Tensor<T>& probabilities, const Tensor<T>& target,
                                       const WeightedLossOptions<T>& options, Location location)
{
    const char* const name = "binary_cross_entropy";
    require_comparable(probabilities, target, options.reduction, name, location);
    require_weight(options.weight, probabilities.shape(), name, location);
    for (std::size_t i = 0; i < probabilities.size(); ++i)
    {
        if (probabilities.data()[i] < 0 || probabilities.data()[i] > 1)
        {
            throw ValueError(name,
                             "a probability is outside of [0, 1]: got " + std::to_string(probabilities.data()[i]) +
                                 " as element " + std::to_string(i) + " of shape " + to_string(probabilities.shape()),
                             location, "For logits there is binary_cross_entropy_with_logits.");
        }
    }
    const Composition composition(location);
    const Tensor<T> losses = elementwise<ProbabilityLoss>(probabilities, target, location);
    return reduced(weighted(losses, options.weight), options.reduction, location);
}

template <Real T>
Tensor<T> detail::binary_cross_entropy_with_logits(const Tensor<T>& logits, const Tensor<T>& target,
                                                   const LogisticLossOptions<T>& options, Location location)
{
    const char* const name = "binary_cross_entropy_with_logits";
    require_comparable(logits, target, options.reduction, name, location);
    require_weight(options.weight, logits.shape(), name, location);
    require_weight(options.pos_weight, logits.shape(), name, location);
    const Composition composition(location);
    const Tensor<T> losses = options.pos_weight.defined() ? target * options.pos_weight * softplus(-logits, location) +
                                                                (T(1) - target) * softplus(logits, location)
                                                          : elementwise<LogisticLoss>(logits, target, location);
    return reduced(weighted(losses, options.weight), options.reduction, location);
}

template <Real T>
Tensor<T> detail::kl_div(const Tensor<T>& log_probabilities, const Tensor<T>& target, const KlDivOptions& options,
                         Location location)
{
    require_comparable(log_probabilities, target, options.reduction, "kl_div", location);
    const Composition composition(location);
    if (options.log_target)
    {
        return reduced(exp(target, location) * (target - log_probabilities), options.reduction, location);
    }
    const Tensor<T> logarithm = log(select(eq(target, T(0)), T(1), target), location);
    return reduced(target * (logarithm - log_probabilities), options.reduction, location);
}

template <Real T>
Tensor<T> detail::poisson_nll_loss(const Tensor<T>& prediction, const Tensor<T>& target, const PoissonOptions& options,
                                   Location location)
{
    require_comparable(prediction, target, options.reduction, "poisson_nll_loss", location);
    const Composition composition(location);
    Tensor<T> losses = options.log_input
                           ? exp(prediction, location) - target * prediction
                           : prediction - target * log(prediction + static_cast<T>(options.eps), location);
    if (options.full)
    {
        const auto large = gt(target, T(1));
        const Tensor<T> t = select(large, target, T(1));
        const Tensor<T> stirling = t * log(t, location) - t + log(t * (2 * std::numbers::pi_v<T>), location) * T(0.5);
        losses += select(large, stirling, T(0));
    }
    return reduced(losses, options.reduction, location);
}

template <Real T>
Tensor<T> detail::soft_margin_loss(const Tensor<T>& prediction, const Tensor<T>& target, const LossOptions& options,
                                   Location location)
{
    require_comparable(prediction, target, options.reduction, "soft_margin_loss", location);
    const Composition composition(location);
    return reduced(softplus(-target * prediction, location), options.reduction, location);
}

template <Real T>
Tensor<T> detail::hinge_embedding_loss(const Tensor<T>& distance, const Tensor<T>& target, const HingeOptions& options,
                                       Location location)
{
    require_comparable(distance, target, options.reduction, "hinge_embedding_loss", location);
    const Composition composition(location);
    const Tensor<T> hinge = positive_part(static_cast<T>(options.margin) - distance);
    return reduced(select(eq(target, T(1)), T(0), hinge) + select(eq(target, T(-1)), T(0), distance), options.reduction,
                   location);
}

template <Real T>
Tensor<T> detail::multilabel_soft_margin_loss(const Tensor<T>& logits, const Tensor<T>& target,
                                              const WeightedLossOptions<T>& options, Location location)
{
    const char* const name = "multilabel_soft_margin_loss";
    if (logits.dimension() == 0)
    {
        throw ShapeError(name, "needs an axis of classes: got shape ()", location);
    }
    require_comparable(logits, target, Reduction::mean, name, location);
    require_weight(options.weight, logits.shape(), name, location);
    const Composition composition(location);
    const Tensor<T> losses = elementwise<LogisticLoss>(logits, target, location);
    return reduced(mean(weighted(losses, options.weight), -1, {}, location), options.reduction, location);
}

template <Real T>
Tensor<T> detail::gaussian_nll_loss(const Tensor<T>& prediction, const Tensor<T>& target, const Tensor<T>& variance,
                                    const GaussianOptions& options, Location location)
{
    const char* const name = "gaussian_nll_loss";
    const Shape& shape = prediction.shape();
    Shape result;
    if (!broadcast_shapes(shape, target.shape(), result))
    {
        throw ShapeError(name, "prediction and target do not broadcast: " + both(shape, target.shape()), location);
    }
    Shape column = shape;
    Shape missing = shape;
    if (shape.rank() != 0)
    {
        column[shape.rank() - 1] = 1;
        missing = Shape(shape.begin(), shape.end() - 1);
    }
    if (variance.shape() != shape && variance.shape() != column && variance.shape() != missing)
    {
        throw ShapeError(
            name,
            "the variance must have the shape of the prediction, or 1 as its last extent, or no last axis: " +
                both(variance.shape(), shape),
            location);
    }
    require_mean(options.reduction, result, name, location);
    const T* negative = std::find_if(variance.data(), variance.data() + variance.size(), [](T v) { return v < 0; });
    if (negative != variance.data() + variance.size())
    {
        throw ValueError(name, "a variance is negative: got " + std::to_string(*negative), location);
    }
    const Composition composition(location);
    const Tensor<T> given = variance.shape() == shape ? variance : reshape(variance, column, location);
    const Tensor<T> v = straight_through(maximum(given, options.eps, location), given, location);
    Tensor<T> losses = (log(v, location) + square(prediction - target, location) / v) * T(0.5);
    if (options.full)
    {
        losses += std::log(2 * std::numbers::pi) / 2;
    }
    return reduced(losses, options.reduction, location);
}

template <Real T>
Tensor<T> detail::margin_ranking_loss(const Tensor<T>& a, const Tensor<T>& b, const Tensor<T>& target,
                                      const MarginOptions& options, Location location)
{
    require_comparable(a, b, options.reduction, "margin_ranking_loss", location);
    require_comparable(a, target, options.reduction, "margin_ranking_loss", location);
    const Composition composition(location);
    return reduced(positive_part(-target * (a - b) + static_cast<T>(options.margin)), options.reduction, location);
}

template <Real T>
Tensor<T> detail::cosine_embedding_loss(const Tensor<T>& a, const Tensor<T>& b, const Tensor<T>& target,
                                        const MarginOptions& options, Location location)
{
    const char* const name = "cosine_embedding_loss";
    const std::size_t rank = a.dimension();
    if (a.shape() != b.shape() || rank == 0 || rank > 2 ||
        target.shape() != Shape(a.shape().begin(), a.shape().end() - 1))
    {
        throw ShapeError(name,
                         "needs vectors as (batch, extent) and targets as (batch), or one pair and a 0-d target: " +
                             both(a.shape(), b.shape()) + ", and " + to_string(target.shape()),
                         location);
    }
    require_mean(options.reduction, target.shape(), name, location);
    const Composition composition(location);
    const auto inner = [&](const Tensor<T>& x, const Tensor<T>& y) { return sum(x * y, -1, {}, location); };
    const T eps = T(1e-12);
    const Tensor<T> cosine = inner(a, b) / sqrt((inner(a, a) + eps) * (inner(b, b) + eps), location);
    const Tensor<T> apart = positive_part(cosine - static_cast<T>(options.margin));
    return reduced(select(eq(target, T(1)), T(1) - cosine, T(0)) + select(eq(target, T(-1)), apart, T(0)),
                   options.reduction, location);
}

template <Real T>
Tensor<T> detail::triplet_margin_loss(const Tensor<T>& anchor, const Tensor<T>& positive, const Tensor<T>& negative,
                                      const TripletOptions& options, Location location)
{
    const char* const name = "triplet_margin_loss";
    if (anchor.dimension() == 0 || anchor.shape() != positive.shape() || anchor.shape() != negative.shape())
    {
        throw ShapeError(name,
                         "needs three tensors of one shape (..., extent): " + both(anchor.shape(), positive.shape()) +
                             ", and " + to_string(negative.shape()),
                         location);
    }
    require_mean(options.reduction, Shape(anchor.shape().begin(), anchor.shape().end() - 1), name, location);
    const Composition composition(location);
    const PairwiseOptions pairwise{.p = options.p, .eps = options.eps};
    const Tensor<T> near = autograd::pairwise_distance(anchor, positive, pairwise, location);
    Tensor<T> far = autograd::pairwise_distance(anchor, negative, pairwise, location);
    if (options.swap)
    {
        far = minimum(far, autograd::pairwise_distance(positive, negative, pairwise, location), location);
    }
    return reduced(positive_part(near - far + static_cast<T>(options.margin)), options.reduction, location);
}

namespace
{

/// Where the classes are: axis 1, or 0 without a batch.
std::size_t class_axis(std::size_t rank)
{
    return rank == 1 ? 0 : 1;
}

/// The classes last, all else as rows, in the order of the labels.
template <class T>
Tensor<T> class_rows(const Tensor<T>& x, Location location)
{
    const std::size_t rank = x.dimension();
    if (rank == 2)
    {
        return x;
    }
    Tensor<T> last = x;
    if (rank > 2)
    {
        Axes order{0};
        for (std::size_t axis = 2; axis < rank; ++axis)
        {
            order.push_back(static_cast<std::ptrdiff_t>(axis));
        }
        order.push_back(1);
        last = transpose(x, order, location);
    }
    const std::size_t classes = x.shape(class_axis(rank));
    return reshape(last, Shape{x.size() / classes, classes}, location);
}

void require_in_range(std::int64_t label, std::size_t row, std::size_t classes, const char* operation,
                      Location location)
{
    if (label < 0 || label >= static_cast<std::int64_t>(classes))
    {
        throw ValueError(operation,
                         "label " + std::to_string(label) + " in row " + std::to_string(row) +
                             " is out of range: there are " + std::to_string(classes) + " classes",
                         location);
    }
}

/// The weights of the classes, if there are any: constants.
template <class T>
Tensor<T> class_weight(const Tensor<T>& weight, std::size_t classes, const char* operation, Location location)
{
    if (!weight.defined())
    {
        return weight;
    }
    if (weight.shape() != Shape{classes})
    {
        throw ShapeError(operation,
                         "needs one weight a class: got weights of shape " + to_string(weight.shape()) + " for " +
                             std::to_string(classes) + " classes",
                         location);
    }
    return stop_gradient(weight, location);
}

/// How labels are counted.
struct Counting
{
    Indices given;
    std::int64_t ignored;
    std::size_t classes;
    bool needs_some;
    const char* operation;
    Location location;

    template <class T>
    void count(Indices& labels, const Tensor<T>& by_class, const Tensor<T>& weights, const Tensor<T>& total) const
    {
        std::size_t counting = 0;
        T sum = 0;
        for (std::size_t row = 0; row < given.size(); ++row)
        {
            const bool counts = given[row] != ignored;
            if (counts)
            {
                require_in_range(given[row], row, classes, operation, location);
            }
            labels.data()[row] = counts ? given[row] : -1;
            counting += counts;
            const T weight = !counts ? T(0) : by_class.defined() ? by_class.data()[given[row]] : T(1);
            sum += weight;
            if (by_class.defined())
            {
                weights.node()->template as<T>()[row] = weight;
            }
        }
        if (counting == 0 && needs_some)
        {
            throw ValueError(operation,
                             "nothing has no mean: all " + std::to_string(given.size()) + " labels are " +
                                 std::to_string(ignored) + ", which does not count",
                             location);
        }
        *total.node()->template as<T>() = sum;
    }
};

/// The labels' weights, of which those that do not count have none.
template <class T>
struct Labelled
{
    static Tensor<T> held(detail::Node* node)
    {
        detail::retain(node);
        return Tensor<T>::adopt(node);
    }

    Indices labels;          ///< -1 for those that do not count
    Tensor<T> by_class;      ///< undefined if all are 1
    Tensor<T> weights;       ///< likewise
    Tensor<T> total = T(0);  ///< of the weights

    Labelled(const Shape& logits, const Indices& given, const Tensor<T>& weight, std::int64_t ignored,
             Reduction reduction, const char* operation, Location location)
        : labels(given.shape())
    {
        const std::size_t rank = logits.rank();
        Shape expected;
        for (std::size_t axis = 0; axis < rank; ++axis)
        {
            if (axis != class_axis(rank))
            {
                expected.push_back(logits[axis]);
            }
        }
        if (rank == 0 || given.shape() != expected)
        {
            throw ShapeError(operation,
                             "needs (batch, classes, ...) and labels as (batch, ...): " + both(logits, given.shape()),
                             location);
        }
        const std::size_t classes = logits[class_axis(rank)];
        if (classes == 0)
        {
            throw ShapeError(operation, "needs a class at least: got " + to_string(logits), location);
        }
        require_mean(reduction, rank == 1 ? Shape{1} : expected, operation, location);
        by_class = class_weight(weight, classes, operation, location);
        if (by_class.defined())
        {
            weights = Tensor<T>::adopt(detail::new_node<T>({given.size()}));
        }
        const Counting counting{given, ignored, classes, reduction == Reduction::mean, operation, location};
        const bool traced = detail::Arena::current().tracer != nullptr;
        if (!traced)
        {
            counting.count(labels, by_class, weights, total);
            return;
        }
        detail::note_constant(total.node(), true);
        if (by_class.defined())
        {
            detail::note_constant(weights.node(), true);
        }
        const auto count = [counting, *this](std::span<detail::Node* const> nodes) mutable
        { counting.count(labels, nodes.empty() ? Tensor<T>() : held(nodes[0]), weights, total); };
        by_class.defined() ? detail::derive(operation, {by_class.node()}, location, count)
                           : detail::derive(operation, {}, location, count);
        labels.make_live();
    }

    /// Of losses one a row, which are 0 where the label does not count, and weighted.
    Tensor<T> reduced(const Tensor<T>& losses, Reduction reduction, Location location) const
    {
        if (reduction == Reduction::mean)
        {
            return sum(losses, {}, {}, location) / total;
        }
        return autograd::reduced(reshape(losses, labels.shape(), location), reduction, location);
    }
};

}

template <Real T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& labels, const CrossEntropyOptions<T>& options,
                        Location location)
{
    const char* const name = "cross_entropy";
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    {
        throw ValueError(name, "label_smoothing must be in [0, 1]: got " + std::to_string(options.label_smoothing),
                         location);
    }
    const Labelled<T> labelled(logits.shape(), labels, options.weight, options.ignore_index, options.reduction, name,
                               location);
    const Composition composition(location);
    const Tensor<T> rows = class_rows(logits, location);
    const Tensor<T> log_sums = logsumexp(stop_gradient(rows, location), -1, {}, location);
    Tensor<T> losses = weighted(apply(CrossEntropy{labelled.labels}, location, rows, log_sums), labelled.weights);
    if (options.label_smoothing > 0)
    {
        const T smoothing = static_cast<T>(options.label_smoothing);
        const Tensor<T> all =
            sum(weighted(log_softmax(rows, -1, location), labelled.by_class), -1, keep_dims, location);
        const Tensor<T> counting = select(Mask<T>{counted<T>(labelled.labels)}, all, T(0));
        losses =
            losses * (1 - smoothing) - squeeze(counting, -1, location) * (smoothing / static_cast<T>(rows.shape(1)));
    }
    return labelled.reduced(losses, options.reduction, location);
}

template <Real T>
Tensor<T> detail::soft_cross_entropy(const Tensor<T>& logits, const Tensor<T>& probabilities,
                                     const CrossEntropyOptions<T>& options, Location location)
{
    const char* const name = "cross_entropy";
    const std::size_t rank = logits.dimension();
    if (rank == 0 || logits.shape() != probabilities.shape() || logits.shape(class_axis(rank)) == 0)
    {
        throw ShapeError(name,
                         "needs logits and probabilities as (batch, classes, ...): " +
                             both(logits.shape(), probabilities.shape()),
                         location);
    }
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    {
        throw ValueError(name, "label_smoothing must be in [0, 1]: got " + std::to_string(options.label_smoothing),
                         location);
    }
    const std::size_t axis = class_axis(rank);
    const std::size_t classes = logits.shape(axis);
    require_mean(options.reduction, logits.shape(), name, location);
    const Tensor<T> weight = class_weight(options.weight, classes, name, location);
    const Composition composition(location);
    Tensor<T> logarithms = log_softmax(logits, static_cast<std::ptrdiff_t>(axis), location);
    if (weight.defined())
    {
        Shape stretched{classes};
        for (std::size_t behind = axis + 1; behind < rank; ++behind)
        {
            stretched.push_back(1);
        }
        logarithms = logarithms * reshape(weight, stretched, location);
    }
    Tensor<T> target = probabilities;
    if (options.label_smoothing > 0)
    {
        const T smoothing = static_cast<T>(options.label_smoothing);
        target = target * (1 - smoothing) + smoothing / static_cast<T>(classes);
    }
    return reduced(-sum(target * logarithms, static_cast<std::ptrdiff_t>(axis), {}, location), options.reduction,
                   location);
}

template <Real T>
Tensor<T> nll_loss(const Tensor<T>& log_probabilities, const Indices& labels, const NllOptions<T>& options,
                   Location location)
{
    const Labelled<T> labelled(log_probabilities.shape(), labels, options.weight, options.ignore_index,
                               options.reduction, "nll_loss", location);
    const Composition composition(location);
    const Tensor<T> rows = class_rows(log_probabilities, location);
    const Mask<T> mask{chosen<T>(labelled.labels, rows.shape(1))};
    const Tensor<T> losses = -sum(select(mask, rows, T(0)), -1, {}, location);
    return labelled.reduced(weighted(losses, labelled.weights), options.reduction, location);
}

namespace
{

/// Scores of (batch, classes), also where they are of one sample, and the shape of the losses of the samples.
template <class T>
struct Scores
{
    Tensor<T> rows;
    Shape samples;
};

template <class T>
Scores<T> scores_of(const Tensor<T>& scores, const Indices& labels, bool labels_fit, Reduction reduction,
                    const char* operation, const char* wanted, Location location)
{
    const std::size_t rank = scores.dimension();
    const std::size_t classes = rank == 0 ? 1 : scores.shape(rank - 1);
    if (rank > 2 || !labels_fit || classes == 0)
    {
        throw ShapeError(operation, wanted + both(scores.shape(), labels.shape()), location);
    }
    const std::size_t batch = rank == 2 ? scores.shape(0) : 1;
    const Shape samples = rank == 2 ? Shape{batch} : Shape{};
    require_mean(reduction, samples, operation, location);
    return {reshape(scores, Shape{batch, classes}, location), samples};
}

}

template <Real T>
Tensor<T> multi_margin_loss(const Tensor<T>& scores, const Indices& labels, const MultiMarginOptions<T>& options,
                            Location location)
{
    const char* const name = "multi_margin_loss";
    const std::size_t rank = scores.dimension();
    const bool fit =
        rank == 2 ? labels.shape() == Shape{scores.shape(0)} : labels.shape() == Shape{} || labels.shape() == Shape{1};
    if (options.p != 1 && options.p != 2)
    {
        throw ValueError(name, "p must be 1 or 2: got " + std::to_string(options.p), location);
    }
    const Composition composition(location);
    const auto [rows, samples] =
        scores_of(scores, labels, fit, options.reduction, name,
                  "needs scores as (batch, classes) and labels as (batch), or one sample and one label: ", location);
    const std::size_t classes = rows.shape(1);
    const Tensor<T> weight = class_weight(options.weight, classes, name, location);
    for (std::size_t row = 0; row < labels.size(); ++row)
    {
        require_in_range(labels[row], row, classes, name, location);
    }
    const Mask<T> mask{chosen<T>(labels, classes)};
    const Tensor<T> right = sum(select(mask, rows, T(0)), -1, keep_dims, location);
    const Tensor<T> behind = relu(rows - right + static_cast<T>(options.margin), location);
    Tensor<T> losses = select(mask, T(0), options.p == 1 ? behind : square(behind, location));
    if (weight.defined())
    {
        losses = losses * sum(mask.ones * weight, -1, keep_dims, location);
    }
    losses = sum(losses, -1, {}, location) / static_cast<T>(classes);
    return reduced(rank == 2 ? losses : reshape(losses, labels.shape(), location), options.reduction, location);
}

template <Real T>
Tensor<T> multilabel_margin_loss(const Tensor<T>& scores, const Indices& labels, const LossOptions& options,
                                 Location location)
{
    const char* const name = "multilabel_margin_loss";
    const Composition composition(location);
    const auto [rows, samples] = scores_of(scores, labels, labels.shape() == scores.shape(), options.reduction, name,
                                           "needs scores and labels as (batch, classes) or (classes): ", location);
    const std::size_t classes = rows.shape(1);
    Tensor<T> counts = detail::zeros<T>(rows.shape());
    T* count = counts.node()->template as<T>();
    for (std::size_t row = 0; row < rows.shape(0); ++row)
    {
        for (std::size_t k = 0; k < classes && labels[row * classes + k] != -1; ++k)
        {
            const std::int64_t label = labels[row * classes + k];
            require_in_range(label, row, classes, name, location);
            count[row * classes + static_cast<std::size_t>(label)] += 1;
        }
    }
    const Tensor<T> others = eq(counts, T(0)).ones;
    const Tensor<T> differences = expand_dims(rows, 1, location) - expand_dims(rows, 2, location);
    const Tensor<T> pairs = expand_dims(others, 1, location) * expand_dims(counts, 2, location);
    const Tensor<T> losses = sum(pairs * relu(differences + T(1), location), {1, 2}, {}, location);
    return reduced(reshape(losses / static_cast<T>(classes), samples, location), options.reduction, location);
}

#define INSTANTIATE_PAIR(T, function, Options)                                                                         \
    template Tensor<T> detail::function<T>(const Tensor<T>&, const Tensor<T>&, const Options&, Location);
#define INSTANTIATE_TRIPLE(T, function, Options)                                                                       \
    template Tensor<T> detail::function<T>(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Options&,       \
                                           Location);
#define INSTANTIATE(T)                                                                                                 \
    INSTANTIATE_PAIR(T, l1_loss, LossOptions)                                                                          \
    INSTANTIATE_PAIR(T, mse_loss, LossOptions)                                                                         \
    INSTANTIATE_PAIR(T, huber_loss, HuberOptions)                                                                      \
    INSTANTIATE_PAIR(T, smooth_l1_loss, SmoothL1Options)                                                               \
    INSTANTIATE_PAIR(T, binary_cross_entropy, WeightedLossOptions<T>)                                                  \
    INSTANTIATE_PAIR(T, binary_cross_entropy_with_logits, LogisticLossOptions<T>)                                      \
    INSTANTIATE_PAIR(T, kl_div, KlDivOptions)                                                                          \
    INSTANTIATE_PAIR(T, poisson_nll_loss, PoissonOptions)                                                              \
    INSTANTIATE_PAIR(T, soft_margin_loss, LossOptions)                                                                 \
    INSTANTIATE_PAIR(T, hinge_embedding_loss, HingeOptions)                                                            \
    INSTANTIATE_PAIR(T, multilabel_soft_margin_loss, WeightedLossOptions<T>)                                           \
    INSTANTIATE_PAIR(T, soft_cross_entropy, CrossEntropyOptions<T>)                                                    \
    INSTANTIATE_TRIPLE(T, gaussian_nll_loss, GaussianOptions)                                                          \
    INSTANTIATE_TRIPLE(T, margin_ranking_loss, MarginOptions)                                                          \
    INSTANTIATE_TRIPLE(T, cosine_embedding_loss, MarginOptions)                                                        \
    INSTANTIATE_TRIPLE(T, triplet_margin_loss, TripletOptions)                                                         \
    template Tensor<T> cross_entropy(const Tensor<T>&, const Indices&, const CrossEntropyOptions<T>&, Location);       \
    template Tensor<T> nll_loss(const Tensor<T>&, const Indices&, const NllOptions<T>&, Location);                     \
    template Tensor<T> multi_margin_loss(const Tensor<T>&, const Indices&, const MultiMarginOptions<T>&, Location);    \
    template Tensor<T> multilabel_margin_loss(const Tensor<T>&, const Indices&, const LossOptions&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE
#undef INSTANTIATE_TRIPLE
#undef INSTANTIATE_PAIR

namespace
{

Reduction any_reduction(Arbitrary& any)
{
    return any.one_of({Reduction::none, Reduction::mean, Reduction::sum, Reduction::batch_mean});
}

/// Often such as fit three samples of four classes.
Indices any_labels(Arbitrary& any)
{
    return any.flag() ? any.indices() : Indices{2, 0, 3};
}

}

EXAMPLE(l1_loss, mean, distinct, ({2, 3}, {2, 3}), l1_loss(x[0], x[1]))
EXAMPLE(mse_loss, mean, real, ({2, 3}, {2, 3}), mse_loss(x[0], x[1]))
EXAMPLE(mse_loss, none, real, ({2, 3}, {2, 3}), mse_loss(x[0], x[1], {.reduction = Reduction::none}))
EXAMPLE(huber_loss, narrow, real, ({2, 3}, {2, 3}), huber_loss(x[0], x[1], {.delta = 0.7}))
EXAMPLE(smooth_l1_loss, narrow, real, ({2, 3}, {2, 3}), smooth_l1_loss(x[0], x[1], {.beta = 0.7}))
EXAMPLE(binary_cross_entropy, weighted, unit, ({2, 3}, {2, 3}, {3}),
        binary_cross_entropy(x[0] / 2 + 0.2, x[1], {.weight = x[2], .reduction = Reduction::sum}))
EXAMPLE(binary_cross_entropy_with_logits, mean, real, ({2, 3}, {2, 3}), binary_cross_entropy_with_logits(x[0], x[1]))
EXAMPLE(binary_cross_entropy_with_logits, weighted, real, ({2, 3}, {2, 3}, {3}, {2, 1}),
        binary_cross_entropy_with_logits(x[0], x[1], {.weight = x[2], .pos_weight = x[3]}))
EXAMPLE(kl_div, plain, positive, ({2, 3}, {2, 3}), kl_div(x[0], x[1], {.reduction = Reduction::batch_mean}))
EXAMPLE(kl_div, logarithms, real, ({2, 3}, {2, 3}), kl_div(x[0], x[1], {.log_target = true}))
EXAMPLE(poisson_nll_loss, logarithms, positive, ({2, 3}, {2, 3}), poisson_nll_loss(x[0], x[1], {.full = true}))
EXAMPLE(poisson_nll_loss, rates, positive, ({2, 3}, {2, 3}), poisson_nll_loss(x[0], x[1], {.log_input = false}))
EXAMPLE(soft_margin_loss, mean, real, ({2, 3}, {2, 3}), soft_margin_loss(x[0], x[1]))
EXAMPLE(hinge_embedding_loss, narrow, real, ({4}),
        hinge_embedding_loss(x[0], xt::xarray<int>{1, -1, 1, -1}, {.margin = 0.03}))
EXAMPLE(multilabel_soft_margin_loss, weighted, real, ({2, 3}, {2, 3}, {3}),
        multilabel_soft_margin_loss(x[0], x[1], {.weight = x[2]}))
EXAMPLE(gaussian_nll_loss, full, positive, ({2, 3}, {2, 1}, {2, 3}),
        gaussian_nll_loss(x[0], x[1], x[2], {.full = true}))
EXAMPLE(gaussian_nll_loss, by_row, positive, ({2, 3}, {2, 3}, {2}), gaussian_nll_loss(x[0], x[1], x[2]))
EXAMPLE(margin_ranking_loss, narrow, distinct, ({4}, {4}),
        margin_ranking_loss(x[0], x[1], xt::xarray<int>{1, -1, 1, -1}, {.margin = 0.01}))
EXAMPLE(cosine_embedding_loss, wide, real, ({3, 4}, {3, 4}),
        cosine_embedding_loss(x[0], x[1], xt::xarray<int>{1, -1, 1}, {.margin = -1}))
EXAMPLE(triplet_margin_loss, wide, real, ({2, 3}, {2, 3}, {2, 3}),
        triplet_margin_loss(x[0], x[1], x[2], {.margin = 10, .swap = true}))
EXAMPLE(cross_entropy, mean, real, ({3, 4}), cross_entropy(x[0], {2, 0, 3}))
EXAMPLE(cross_entropy, all, real, ({3, 4}),
        cross_entropy(x[0], {2, 1, 3},
                      {.weight = xt::xarray<double>{1, 2, 3, 4}, .ignore_index = 1, .label_smoothing = 0.1}))
EXAMPLE(cross_entropy, soft, real, ({2, 3, 2}, {2, 3, 2}), cross_entropy(x[0], x[1], {.label_smoothing = 0.1}))
EXAMPLE(nll_loss, ignoring, real, ({3, 4}), nll_loss(x[0], {2, 1, 3}, {.ignore_index = 1}))
EXAMPLE(multi_margin_loss, wide, real, ({3, 4}), multi_margin_loss(x[0], {2, 0, 3}, {.p = 2, .margin = 10}))
EXAMPLE(multilabel_margin_loss, several, distinct, ({2, 3}),
        multilabel_margin_loss(x[0], xt::xarray<int>{{2, 0, -1}, {1, -1, 0}}))
TRIAL(l1_loss, any, ({2, 3}, {2, 3}), l1_loss(x[0], x[1], {.reduction = any_reduction(any)}))
TRIAL(huber_loss, any, ({2, 3}, {2, 3}),
      huber_loss(x[0], x[1], {.delta = any.number(), .reduction = any_reduction(any)}))
TRIAL(smooth_l1_loss, any, ({2, 3}, {2, 3}),
      smooth_l1_loss(x[0], x[1], {.beta = any.number(), .reduction = any_reduction(any)}))
TRIAL(binary_cross_entropy_with_logits, any, ({2, 3}, {2, 3}, {3}),
      binary_cross_entropy_with_logits(x[0], x[1], {.pos_weight = x[2], .reduction = any_reduction(any)}))
TRIAL(kl_div, any, ({2, 3}, {2, 3}), kl_div(x[0], x[1], {.log_target = any.flag(), .reduction = any_reduction(any)}))
TRIAL(gaussian_nll_loss, any, ({2, 3}, {2, 3}, {2}),
      gaussian_nll_loss(x[0], x[1], abs(x[2]), {.eps = any.number(), .reduction = any_reduction(any)}))
TRIAL(cosine_embedding_loss, any, ({3, 4}, {3, 4}, {3}),
      cosine_embedding_loss(x[0], x[1], x[2], {.margin = any.number(), .reduction = any_reduction(any)}))
TRIAL(triplet_margin_loss, any, ({3, 4}, {3, 4}, {3, 4}),
      triplet_margin_loss(
          x[0], x[1], x[2],
          {.margin = any.number(), .p = any.number(), .swap = any.flag(), .reduction = any_reduction(any)}))
TRIAL(cross_entropy, any, ({3, 4}, {4}),
      cross_entropy(x[0], any_labels(any),
                    {.weight = x[1],
                     .ignore_index = any.integer(),
                     .label_smoothing = any.number(),
                     .reduction = any_reduction(any)}))
TRIAL(nll_loss, any, ({3, 4}, {4}),
      nll_loss(x[0], any_labels(any), {.weight = x[1], .ignore_index = any.integer(), .reduction = any_reduction(any)}))
TRIAL(multi_margin_loss, any, ({3, 4}, {4}),
      multi_margin_loss(x[0], any_labels(any),
                        {.p = static_cast<int>(1 + any.below(3)),
                         .margin = any.number(),
                         .weight = x[1],
                         .reduction = any_reduction(any)}))
TRIAL(multilabel_margin_loss, any, ({3}),
      multilabel_margin_loss(x[0], any_labels(any), {.reduction = any_reduction(any)}))

#define NAMES(function)                                                                                                \
    Names                                                                                                              \
    {                                                                                                                  \
#function, nullptr, nullptr, "nn.functional." #function                                                        \
    }
static constexpr Names names[] = {
    NAMES(l1_loss),
    NAMES(mse_loss),
    NAMES(huber_loss),
    NAMES(smooth_l1_loss),
    NAMES(binary_cross_entropy),
    NAMES(binary_cross_entropy_with_logits),
    NAMES(kl_div),
    NAMES(poisson_nll_loss),
    NAMES(soft_margin_loss),
    NAMES(hinge_embedding_loss),
    NAMES(multilabel_soft_margin_loss),
    NAMES(gaussian_nll_loss),
    NAMES(margin_ranking_loss),
    NAMES(cosine_embedding_loss),
    NAMES(triplet_margin_loss),
    NAMES(cross_entropy),
    NAMES(nll_loss),
    NAMES(multi_margin_loss),
    NAMES(multilabel_margin_loss),
};
static const NameTable name_table("loss", names);
#undef NAMES

void detail::loss_family() noexcept {}

}
