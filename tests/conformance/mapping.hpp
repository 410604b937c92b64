#pragma once

#include "call.hpp"

#include <span>

/// How an operation of PyTorch is called here.
struct Mapping
{
    const char* name;
    const char* signature;  ///< see Call
    Outputs<float> (*call_float)(Call<float>&);
    Outputs<double> (*call_double)(Call<double>&);
};

/// An operation of PyTorch that is not offered here, and why.
struct Declined
{
    const char* name;
    const char* reason;
};

/// A family's mappings, and what it declines.
struct Family
{
    std::span<const Mapping> mappings;
    std::span<const Declined> declined;
};

/// One a file.
/// @{
Family elementwise_mappings();
Family activation_mappings();
Family reduction_mappings();
Family shape_mappings();
Family index_mappings();
Family linalg_mappings();
Family convolution_mappings();
Family nn_mappings();
Family loss_mappings();
/// @}

/// The result of a call in one form.
template <class T, class Result>
Outputs<T> as_outputs(Result result)
{
    if constexpr (std::is_same_v<Result, Outputs<T>>)
    {
        return result;
    }
    else if constexpr (std::is_same_v<Result, std::vector<autograd::Tensor<T>>>)
    {
        return Outputs<T>(result.begin(), result.end());
    }
    else
    {
        return {Output<T>(std::move(result))};
    }
}

/// A mapping from PyTorch's name and its parameters to a generic lambda: it gets a Call<T>&, and gives a tensor, an
/// array, a vector of tensors, or Outputs<T> for several results of different kinds.
template <class F>
constexpr Mapping mapping(const char* name, const char* signature, F)
{
    return {name, signature, [](Call<float>& call) { return as_outputs<float>(F{}(call)); },
            [](Call<double>& call) { return as_outputs<double>(F{}(call)); }};
}

/// The same where the call is one expression of `call`.
#define OPERATION(name, signature, ...) mapping(name, signature, [](auto& call) { return __VA_ARGS__; })

/// The element type of a call.
#define ELEMENT typename std::remove_cvref_t<decltype(call)>::Element
