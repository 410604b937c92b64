#include <autograd/elementwise.hpp>
#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/nn.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/registry.hpp>

#include <string>

namespace autograd
{

namespace
{

using detail::Reads;

constexpr std::size_t parallel_elements = std::size_t{1} << 15;

/// out = exp(row - shift), and the sum of it.
template <class T>
T exp_row(const T* row, T shift, std::size_t count, T* out)
{
    using B = xsimd::batch<T>;
    std::size_t i = 0;
    B sums(T(0));
    for (; i + B::size <= count; i += B::size)
    {
        const B e = xsimd::exp(B::load_unaligned(row + i) - B(shift));
        sums += e;
        e.store_unaligned(out + i);
    }
    T sum = detail::sum_of_lanes(sums);
    if (i < count)
    {
        T rest[B::size] = {};
        std::copy(row + i, row + count, rest);
        const B e = xsimd::exp(B::load_unaligned(rest) - B(shift));
        e.store_unaligned(rest);
        for (std::size_t j = 0; i < count; ++i, ++j)
        {
            out[i] = rest[j];
            sum += rest[j];
        }
    }
    return sum;
}

/// Calls visit(number of the row, its first element, its largest element) for all rows of the last axis.
template <class T, class Visit>
void for_each_row(const Tensor<T>& x, Visit visit)
{
    const std::size_t width = x.shape(x.dimension() - 1);
    const std::size_t rows = width == 0 ? 0 : x.size() / width;
    const T* data = x.data();
    detail::parallel_for(rows, std::max<std::size_t>(1, parallel_elements / std::max<std::size_t>(1, width)),
                         [&](std::size_t begin, std::size_t end)
                         {
                             for (std::size_t r = begin; r < end; ++r)
                             {
                                 T largest;
                                 detail::max_kernel(data + r * width, &largest, 1, width, 1);
                                 visit(r, data + r * width, largest);
                             }
                         });
}

/// The operations below work on the last axis.
struct Softmax
{
    static constexpr const char* name = "softmax";
    static constexpr Reads reads(std::size_t) { return {.output = true}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = y.node()->template as<T>();
        const std::size_t width = x.shape(x.dimension() - 1);
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T sum = exp_row(row, largest, width, out + r * width);
                         for (std::size_t i = r * width; i < (r + 1) * width; ++i)
                         {
                             out[i] /= sum;
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return y * (dy - sum(dy * y, -1, keep_dims, Location{}));
    }
};

struct LogSoftmax
{
    static constexpr const char* name = "log_softmax";
    static constexpr Reads reads(std::size_t) { return {.output = true}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = y.node()->template as<T>();
        const std::size_t width = x.shape(x.dimension() - 1);
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T log_sum = std::log(exp_row(row, largest, width, out + r * width));
                         for (std::size_t i = 0; i < width; ++i)
                         {
                             out[r * width + i] = (row[i] - largest) - log_sum;
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return dy - exp(y, Location{}) * sum(dy, -1, keep_dims, Location{});
    }
};

/// Keeps the axis, with extent 1.
struct LogSumExp
{
    static constexpr const char* name = "logsumexp";
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Shape shape = x.shape();
        const std::size_t width = std::exchange(shape[shape.rank() - 1], 1);
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        T* out = y.node()->template as<T>();
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T shift = std::isinf(largest) ? T(0) : largest;
                         detail::Buffer* scratch = detail::allocate_buffer(width * sizeof(T));
                         out[r] = shift + std::log(exp_row(row, shift, width, static_cast<T*>(scratch->data())));
                         detail::release_buffer(scratch);
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        return dy * exp(x - y, Location{});
    }
};

/// The mean over the rows of -log softmax(x)[label].
struct CrossEntropy
{
    static constexpr const char* name = "cross_entropy";
    static constexpr Reads reads(std::size_t) { return {.operand_bits = 1}; }
    detail::Labels labels;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Tensor<T> log_sums = LogSumExp{}.value(x);
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

/// Applies an operation that works on the last axis to another one.
template <class Op, class T>
Tensor<T> along(const Op& op, const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t rank = x.dimension();
    const std::size_t place = detail::normalize_axis(axis, rank, Op::name, location);
    if (place + 1 == rank)
    {
        return apply(op, location, x);
    }
    Axes swapped;
    for (std::size_t k = 0; k < rank; ++k)
    {
        swapped.push_back(static_cast<std::ptrdiff_t>(k == place ? rank - 1 : k + 1 == rank ? place : k));
    }
    return transpose(apply(op, location, transpose(x, swapped, location)), swapped, location);
}

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
Tensor<T> softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return along(Softmax{}, x, axis, location);
}

template <Real T>
Tensor<T> log_softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return along(LogSoftmax{}, x, axis, location);
}

template <Real T>
Tensor<T> logsumexp(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = detail::normalize_axis(axis, x.dimension(), "logsumexp", location);
    if (x.shape(place) == 0)
    {
        throw ValueError("logsumexp", "of nothing: got shape " + to_string(x.shape()), location);
    }
    return squeeze(along(LogSumExp{}, x, axis, location), axis, location);
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
Tensor<T> detail::cross_entropy(const Tensor<T>& logits, const Labels& labels, Location location)
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
    template Tensor<T> softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Tensor<T> log_softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                        \
    template Tensor<T> logsumexp(const Tensor<T>&, std::ptrdiff_t, Location);                                          \
    template Tensor<T> detail::mse_loss<T>(const Tensor<T>&, const Tensor<T>&, Location);                              \
    template Tensor<T> detail::binary_cross_entropy_with_logits<T>(const Tensor<T>&, const Tensor<T>&, Location);      \
    template Tensor<T> detail::cross_entropy<T>(const Tensor<T>&, const Labels&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define EXAMPLES(function)                                                                                             \
    static const Example function##_last{                                                                              \
        #function, Domain::real, {{2, 5}}, [](const auto& x) { return function(x[0]); }};                              \
    static const Example function##_first{                                                                             \
        #function, Domain::real, {{3, 2, 2}}, [](const auto& x) { return function(x[0], 0); }};
EXAMPLES(softmax)
EXAMPLES(log_softmax)
EXAMPLES(logsumexp)
#undef EXAMPLES
static const Example mse_example{
    "mse_loss", Domain::real, {{2, 3}, {2, 3}}, [](const auto& x) { return mse_loss(x[0], x[1]); }};
static const Example bce_example{"binary_cross_entropy_with_logits", Domain::unit, {{2, 3}, {2, 3}}, [](const auto& x) {
                                     return binary_cross_entropy_with_logits(x[0], x[1]);
                                 }};
static const Example cross_entropy_example{"cross_entropy", Domain::real, {{3, 4}}, [](const auto& x) {
                                               return cross_entropy(x[0], xt::xarray<int>{2, 0, 3});
                                           }};

void detail::nn_family() noexcept {}

}
