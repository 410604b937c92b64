#pragma once

#include <autograd/recompute.hpp>

/// Solutions of equations, differentiated by the implicit function theorem and not through the iterations that found them
/// (Krantz and Parks, "The Implicit Function Theorem", 2003; Blondel et al., "Efficient and modular implicit differentiation",
/// 2022). Variables and tensors on a tape that the function reads have their gradients, of any order. Memory and time of a
/// gradient do not depend on how many iterations it took. The function is called again in a backward pass, which throws
/// TapeError if a variable that it reads has been assigned since.
namespace autograd
{

struct FixedPointOptions
{
    /// The iteration ends when no element changes by more than this, relative to 1 + |x|.
    double tolerance = 1e-10;
    std::size_t max_iterations = 1000;
};

struct RootOptions
{
    /// The iteration ends when no element of f(x) is larger than this.
    double tolerance = 1e-10;
    std::size_t max_iterations = 100;
};

namespace detail
{

template <Real T>
using FunctionOfTensor = std::function<Tensor<T>(const Tensor<T>&)>;

template <Real T>
Tensor<T> fixed_point(const FunctionOfTensor<T>& f, const Tensor<T>& start, const FixedPointOptions& options,
                      Location location);

template <Real T>
Tensor<T> root(const FunctionOfTensor<T>& f, const Tensor<T>& start, const RootOptions& options, Location location);

}

/// The x for which x = f(x), found by iterating from `start`; f must be a contraction near it. In a gradient, the equation of
/// the adjoint, w = dy + w df/dx, is solved by the same iteration, which then contracts as well.
///
///     const auto x = ag::fixed_point([&](const auto& x) { return ag::tanh(ag::matmul(w, x) + b); }, start);
///
/// @throws ValueError if the iteration has not ended after `max_iterations`, with the change of the last one; ShapeError if
///         f(x) has not the shape of x.
template <class F, Real T>
Tensor<T> fixed_point(const F& f, const Tensor<T>& start, FixedPointOptions options = {},
                      Location location = Location::current())
{
    return detail::fixed_point<T>([f](const Tensor<T>& x) { return Tensor<T>(f(x)); }, start, options, location);
}

/// The x for which f(x) = 0, found by Newton's method from `start`, with the dense Jacobian: for some hundreds of elements. f(x)
/// has as many elements as x. The minimum of a smooth function g is the root of its gradient: `root(grad(g), start)`.
///
/// @throws ValueError if the iteration has not ended after `max_iterations`, or the Jacobian is singular; ShapeError if f(x)
///         has not the shape of x.
template <class F, Real T>
Tensor<T> root(const F& f, const Tensor<T>& start, RootOptions options = {}, Location location = Location::current())
{
    return detail::root<T>([f](const Tensor<T>& x) { return Tensor<T>(f(x)); }, start, options, location);
}

}
