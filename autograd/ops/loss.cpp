#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/loss.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/table.hpp>

#include <string>

namespace autograd
{

using namespace formula;

// clang-format off
BINARY_AS(logistic_loss, (1.0 - b) * a + select(gt(a, 0.0), zero(a), -a) + log1p(exp(-abs(a))),
       dy * (sigmoid(a) - b),
       -dy * a)
// clang-format on

namespace
{

using detail::Reads;

/// The mean over the rows of -log softmax(x)[label].
struct CrossEntropy
{
    static constexpr const char* name = "cross_entropy";
    static constexpr Reads reads(std::size_t) { return {.operand_bits = 1}; }
    Indices labels;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Tensor<T> log_sums = logsumexp(stop_gradient(x, Location{}), 1, Location{});
        const std::size_t width = x.shape(1);
        T sum = 0;
        for (std::size_t row = 0; row < labels.size(); ++row)
        {
            sum += log_sums.data()[row] - x.data()[row * width + static_cast<std::size_t>(labels[row])];
        }
        return Tensor<T>(sum / static_cast<T>(labels.size()));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        Tensor<T> chosen = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* elements = chosen.node()->template as<T>();
        std::fill_n(elements, chosen.size(), T(0));
        for (std::size_t row = 0; row < labels.size(); ++row)
        {
            elements[row * x.shape(1) + static_cast<std::size_t>(labels[row])] = 1;
        }
        return (softmax(x, -1, Location{}) - chosen) * (dy / static_cast<T>(labels.size()));
    }
};

template <class T>
void require_comparable(const Tensor<T>& a, const Tensor<T>& b, const char* operation, Location location)
{
    if (a.shape() != b.shape())
    {
        throw ShapeError(operation,
                         "prediction and target must have one shape: got " + to_string(a.shape()) + " and " +
                             to_string(b.shape()),
                         location, "Reshape one of them; a column and a row would otherwise broadcast to a matrix.");
    }
    if (a.size() == 0)
    {
        throw ValueError(operation, "nothing has no mean: got shape " + to_string(a.shape()), location);
    }
}

}

template <Real T>
Tensor<T> detail::mse_loss(const Tensor<T>& prediction, const Tensor<T>& target, Location location)
{
    require_comparable(prediction, target, "mse_loss", location);
    const Tensor<T> difference = Tensor<T>::adopt(subtract<T>(prediction.node(), target.node(), location));
    return mean(square(difference, location), {}, {}, location);
}

template <Real T>
Tensor<T> detail::binary_cross_entropy_with_logits(const Tensor<T>& logits, const Tensor<T>& target, Location location)
{
    require_comparable(logits, target, "binary_cross_entropy_with_logits", location);
    return mean(Tensor<T>::adopt(logistic_loss<T>(logits.node(), target.node(), location)), {}, {}, location);
}

template <Real T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& labels, Location location)
{
    if (logits.dimension() != 2 || labels.dimension() != 1 || labels.size() != logits.shape(0))
    {
        throw ShapeError("cross_entropy",
                         "needs logits as (batch, classes) and labels as (batch): got " + to_string(logits.shape()) +
                             " and " + std::to_string(labels.size()) + " labels in " +
                             std::to_string(labels.dimension()) + (labels.dimension() == 1 ? " axis" : " axes"),
                         location);
    }
    if (labels.size() == 0)
    {
        throw ValueError("cross_entropy",
                         "an empty batch has no mean: got logits of shape " + to_string(logits.shape()), location);
    }
    for (std::size_t row = 0; row < labels.size(); ++row)
    {
        if (labels[row] < 0 || labels[row] >= static_cast<std::int64_t>(logits.shape(1)))
        {
            throw ValueError("cross_entropy",
                             "label " + std::to_string(labels[row]) + " in row " + std::to_string(row) +
                                 " is out of range: there are " + std::to_string(logits.shape(1)) + " classes",
                             location);
        }
    }
    return apply(CrossEntropy{labels}, location, logits);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::mse_loss<T>(const Tensor<T>&, const Tensor<T>&, Location);                              \
    template Tensor<T> detail::binary_cross_entropy_with_logits<T>(const Tensor<T>&, const Tensor<T>&, Location);      \
    template Tensor<T> cross_entropy(const Tensor<T>&, const Indices&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

static const Example mse_example{
    "mse_loss", Domain::real, {{2, 3}, {2, 3}}, [](const auto& x) { return mse_loss(x[0], x[1]); }};
static const Example bce_example{"binary_cross_entropy_with_logits", Domain::unit, {{2, 3}, {2, 3}}, [](const auto& x) {
                                     return binary_cross_entropy_with_logits(x[0], x[1]);
                                 }};
static const Example cross_entropy_example{"cross_entropy", Domain::real, {{3, 4}}, [](const auto& x) {
                                               return cross_entropy(x[0], xt::xarray<int>{2, 0, 3});
                                           }};

void detail::loss_family() noexcept {}

}
