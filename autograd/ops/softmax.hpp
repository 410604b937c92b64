#pragma once

#include <autograd/axes.hpp>
#include <autograd/tensor.hpp>

/// The softmax and its relatives, along an axis. A 0-d tensor takes axis 0 or -1 for its only element.
namespace autograd
{

/// log(sum(exp(x))) over one axis or several, or over all if none are given, which neither overflows nor underflows.
/// @throws ValueError for no elements.
template <Real T>
Tensor<T> logsumexp(const Tensor<T>& x, Axes axes = -1, KeepDims keep = {}, Location location = Location::current());

/// exp(x) / sum(exp(x)) along an axis.
template <Real T>
Tensor<T> softmax(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

/// The logarithm of the softmax along an axis.
template <Real T>
Tensor<T> log_softmax(const Tensor<T>& x, std::ptrdiff_t axis = -1, Location location = Location::current());

}
