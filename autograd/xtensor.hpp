#pragma once

// The only place that includes xtensor, whose headers moved in 0.26.
#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xbuffer_adaptor.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xbuffer_adaptor.hpp>
#endif

#include <concepts>
#include <type_traits>

namespace autograd
{

/// The common base of every `Tensor<T>`, for recognising one.
struct TensorBase
{
};

template <class E>
concept AnyTensor = std::derived_from<std::remove_cvref_t<E>, TensorBase>;

/// An xtensor array, view or lazy expression.
template <class E>
concept XExpression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

template <class E>
concept Arithmetic = std::is_arithmetic_v<std::remove_cvref_t<E>>;

}

namespace xt::detail
{

/// xtensor's own operators are unconstrained forwarding templates, which would win against ours wherever an operand is
/// an xtensor expression. Where another one is a Tensor, they step aside.
template <class F, class... E>
    requires(autograd::AnyTensor<E> || ...)
struct xfunction_type<F, E...>
{
};

}
