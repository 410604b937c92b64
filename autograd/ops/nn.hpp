#pragma once

#include <autograd/tensor.hpp>

#include <algorithm>
#include <cstdint>

/// What neural networks are trained with, under PyTorch's names.
namespace autograd
{

/// log(sum(exp(x))) along an axis, which neither overflows nor underflows.
template <Real T>
Tensor<T> logsumexp(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

/// exp(x) / sum(exp(x)) along an axis.
template <Real T>
Tensor<T> softmax(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

/// The logarithm of the softmax along an axis.
template <Real T>
Tensor<T> log_softmax(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

namespace detail
{

/// Class numbers, one a row, in pooled memory.
class Labels
{
public:
    template <class Array>
    explicit Labels(const Array& labels)
        : buffer_(allocate_buffer(labels.size() * sizeof(std::int64_t))), count_(labels.size()),
          axes_(labels.dimension())
    {
        std::copy(labels.begin(), labels.end(), static_cast<std::int64_t*>(buffer_->data()));
    }
    Labels(const Labels& other) noexcept : buffer_(other.buffer_), count_(other.count_), axes_(other.axes_)
    {
        buffer_->references.retain();
    }
    Labels& operator=(const Labels&) = delete;
    ~Labels() { release_buffer(buffer_); }

    std::size_t size() const noexcept { return count_; }
    std::size_t dimension() const noexcept { return axes_; }
    std::int64_t operator[](std::size_t row) const noexcept
    {
        return static_cast<const std::int64_t*>(buffer_->data())[row];
    }

private:
    Buffer* buffer_;
    std::size_t count_;
    std::size_t axes_;
};

template <Real T>
Tensor<T> mse_loss(const Tensor<T>& prediction, const Tensor<T>& target, Location location);
template <Real T>
Tensor<T> binary_cross_entropy_with_logits(const Tensor<T>& logits, const Tensor<T>& target, Location location);
template <Real T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Labels& labels, Location location);
/// Element-wise: -log of the probability that sigmoid(logit) gives to the target.
template <Real T>
Node* logistic_loss(Node* logit, Node* target, Location location);

}

/// mean((prediction - target)^2).
/// @throws ShapeError unless both have one shape: a column and a row would broadcast to a matrix, silently.
template <OperandLike P, OperandLike Y>
Tensor<element_t<P, Y>> mse_loss(const P& prediction, const Y& target, Location location = Location::current())
{
    using T = element_t<P, Y>;
    return detail::mse_loss<T>(Operand<T>(prediction, location), Operand<T>(target, location), location);
}

/// The mean cross entropy between targets in [0, 1] and sigmoid(logits): mean(softplus(x) - x t).
/// @throws ShapeError unless both have one shape.
template <OperandLike X, OperandLike Y>
Tensor<element_t<X, Y>> binary_cross_entropy_with_logits(const X& logits, const Y& target,
                                                         Location location = Location::current())
{
    using T = element_t<X, Y>;
    return detail::binary_cross_entropy_with_logits<T>(Operand<T>(logits, location), Operand<T>(target, location),
                                                       location);
}

/// The mean over a batch of -log softmax(logits)[label]: `logits` is (batch, classes), `labels` an xtensor array of
/// (batch) integers in [0, classes).
/// @throws ShapeError if they do not fit; ValueError for a label out of range, which it names.
template <Real T, XExpression L>
    requires(std::is_integral_v<typename L::value_type>)
Tensor<T> cross_entropy(const Tensor<T>& logits, const L& labels, Location location = Location::current())
{
    return detail::cross_entropy(logits, detail::Labels(labels), location);
}

}
