#pragma once

#include <autograd/tensor.hpp>

/// The softmax and its relatives, along an axis.
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

}
