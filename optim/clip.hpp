#pragma once

#include <optim/parameter.hpp>

/// Limits for gradients, between `backward()` and `step()`.
namespace optim
{

struct ClipGradNormOptions
{
    double norm_type = 2;             ///< the p of the norm, more than 0; may be infinity
    bool error_if_nonfinite = false;  ///< throws where the norm is not finite; otherwise gradients become NaN or 0
};

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where norm is that of all of them together, and returns the
/// norm from before. Parameters without a gradient do not count. PyTorch's `clip_grad_norm_`.
/// @throws autograd::ValueError for a negative max_norm, or as asked.
double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm, ClipGradNormOptions options = {},
                      Location location = Location::current());

/// Brings every element of the gradients into [-clip_value, clip_value]. PyTorch's `clip_grad_value_`.
/// @throws autograd::ValueError for a negative clip_value.
void clip_grad_value(const std::vector<Parameter>& parameters, double clip_value,
                     Location location = Location::current());

}
