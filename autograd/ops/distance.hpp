#pragma once

#include <autograd/axes.hpp>
#include <autograd/tensor.hpp>

/// Distances and angles between vectors, under PyTorch's names.
namespace autograd
{

struct PairwiseOptions
{
    double p = 2;       ///< of the norm
    double eps = 1e-6;  ///< added to each difference, so that few distances are 0
    KeepDims keep = {};
};

struct CosineOptions
{
    std::ptrdiff_t axis = 1;
    double eps = 1e-8;  ///< shorter vectors are taken to be of this length; the gradient by their length is kept
};

namespace detail
{

/// (sum |x|^p)^(1/p) along some axes, for any p; the number of elements that are not 0 for p = 0, the largest or smallest
/// |x| for infinite ones. The gradient is 0 by elements that are 0, and where the norm is 0.
template <Real T>
Tensor<T> p_norm(const Tensor<T>& x, double p, const Axes& axes, KeepDims keep, Location location);

template <Real T>
Tensor<T> cdist(const Tensor<T>& a, const Tensor<T>& b, double p, Location location);
template <Real T>
Tensor<T> pairwise_distance(const Tensor<T>& a, const Tensor<T>& b, const PairwiseOptions& options, Location location);
template <Real T>
Tensor<T> cosine_similarity(const Tensor<T>& a, const Tensor<T>& b, const CosineOptions& options, Location location);

}

/// The distances by the p-norm, p >= 0, between each row of `a` and each of `b`: (..., n, extent) and (..., m, extent)
/// give (..., n, m). The gradient of a distance of 0 is 0.
/// @throws ShapeError if they do not fit; ValueError for p < 0.
template <OperandLike A, OperandLike B, class T = element_t<A, B>>
Tensor<T> cdist(const A& a, const B& b, double p = 2, Location location = Location::current())
{
    return detail::cdist<T>(Operand<T>(a, location), Operand<T>(b, location), p, location);
}

/// The distances by the p-norm, p >= 0, between any two rows of (n, extent): of 0 and 1, 0 and 2, ..., n - 2 and n - 1. The
/// gradient of a distance of 0 is 0.
/// @throws ShapeError for another number of axes; ValueError for p < 0.
template <Real T>
Tensor<T> pdist(const Tensor<T>& x, double p = 2, Location location = Location::current());

/// The p-norm of a - b + eps along the last axis; the others broadcast.
/// @throws ShapeError if they do not fit.
template <OperandLike A, OperandLike B, class T = element_t<A, B>>
Tensor<T> pairwise_distance(const A& a, const B& b, const PairwiseOptions& options = {},
                            Location location = Location::current())
{
    return detail::pairwise_distance<T>(Operand<T>(a, location), Operand<T>(b, location), options, location);
}

/// The cosine of the angle between vectors along an axis; the others broadcast.
/// @throws ShapeError if they do not fit, or an axis is out of range.
template <OperandLike A, OperandLike B, class T = element_t<A, B>>
Tensor<T> cosine_similarity(const A& a, const B& b, const CosineOptions& options = {},
                            Location location = Location::current())
{
    return detail::cosine_similarity<T>(Operand<T>(a, location), Operand<T>(b, location), options, location);
}

}
