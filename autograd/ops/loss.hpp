#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

/// Losses, under PyTorch's names.
namespace autograd
{

namespace detail
{

template <Real T>
Tensor<T> mse_loss(const Tensor<T>& prediction, const Tensor<T>& target, Location location);
template <Real T>
Tensor<T> binary_cross_entropy_with_logits(const Tensor<T>& logits, const Tensor<T>& target, Location location);
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
template <Real T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Indices& labels, Location location = Location::current());

}
