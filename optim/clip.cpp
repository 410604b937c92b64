#include <autograd/tracer.hpp>
#include <optim/clip.hpp>
#include <optim/gradient.hpp>
#include <optim/options.hpp>

#include <algorithm>
#include <cmath>

namespace optim
{

namespace
{

/// The p-th power of the norm, or the norm itself where p is infinite.
template <class T>
double power_sum(const T* elements, std::size_t count, double p)
{
    // In eight sums, which compilers vectorise.
    std::array<double, 8> sums{};
    for (std::size_t i = 0; i < count; ++i)
    {
        const auto size = static_cast<double>(std::abs(elements[i]));
        double& sum = sums[i % 8];
        if (std::isinf(p))
        {
            sum = size > sum || std::isnan(size) ? size : sum;
        }
        else
        {
            sum += p == 2 ? size * size : p == 1 ? size : std::pow(size, p);
        }
    }
    double total = 0;
    for (const double sum : sums)
    {
        total = std::isinf(p) ? (sum > total || std::isnan(sum) ? sum : total) : total + sum;
    }
    return total;
}

double clip_norm(const std::vector<Parameter>& parameters, double max_norm, ClipGradNormOptions options,
                 Location location)
{
    const double p = options.norm_type;
    detail::require(at_least_0, "clip_grad_norm", "max_norm", max_norm, location);
    detail::require(more_than_0, "clip_grad_norm", "norm_type", p, location);
    double total = 0;
    for (const Parameter& parameter : parameters)
    {
        parameter.visit(
            [&](const auto& variable)
            {
                if (variable.has_grad())
                {
                    const double part = power_sum(variable.grad().data(), variable.size(), p);
                    total = std::isinf(p) ? (part > total || std::isnan(part) ? part : total) : total + part;
                }
            });
    }
    const double norm = std::isinf(p) ? total : p == 2 ? std::sqrt(total) : std::pow(total, 1 / p);
    if (options.error_if_nonfinite && !std::isfinite(norm))
    {
        throw autograd::ValueError("clip_grad_norm", "the norm of the gradients is not finite", location);
    }
    const double factor = max_norm / (norm + 1e-6);
    if (!(factor >= 1))
    {
        for (const Parameter& parameter : parameters)
        {
            detail::scale_gradient(parameter, factor);
        }
    }
    return norm;
}

void clip_value_of(const std::vector<Parameter>& parameters, double clip_value, Location location)
{
    detail::require(at_least_0, "clip_grad_value", "clip_value", clip_value, location);
    for (const Parameter& parameter : parameters)
    {
        detail::change_gradient(parameter,
                                [clip_value]<class T>(T g)
                                {
                                    const auto most = static_cast<T>(clip_value);
                                    return g > most ? most : g < -most ? -most : g;
                                });
    }
}

}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm, ClipGradNormOptions options,
                      Location location)
{
    return autograd::detail::act("clip_grad_norm", location,
                                 [=] { return clip_norm(parameters, max_norm, options, location); });
}

void clip_grad_value(const std::vector<Parameter>& parameters, double clip_value, Location location)
{
    autograd::detail::act("clip_grad_value", location, [=] { clip_value_of(parameters, clip_value, location); });
}

}
