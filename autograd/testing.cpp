#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/testing.hpp>

#include <cmath>
#include <limits>
#include <ostream>
#include <sstream>

namespace autograd::testing
{

namespace
{

/// Fixed weights, no two alike in size.
template <class T>
Tensor<T> cotangent(const Shape& shape, double phase)
{
    xt::xarray<T> weights(xt::xarray<double>::shape_type(shape.begin(), shape.end()));
    std::size_t i = 0;
    for (T& weight : weights.storage())
    {
        weight = static_cast<T>(std::cos(phase + 0.7 * static_cast<double>(i++)));
    }
    return Tensor<T>(weights);
}

template <class T>
Tensor<T> copy(const Tensor<T>& x)
{
    return Tensor<T>(xt::xarray<T>(x.value()));
}

template <class T>
double weighted_sum(const Tensor<T>& y, const Tensor<T>& weights)
{
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
    {
        sum += static_cast<double>(y.data()[i]) * static_cast<double>(weights.data()[i]);
    }
    return sum;
}

std::vector<std::size_t> unravel(std::size_t flat, const Shape& shape)
{
    std::vector<std::size_t> index(shape.rank());
    for (std::size_t axis = shape.rank(); axis-- > 0;)
    {
        index[axis] = flat % shape[axis];
        flat /= shape[axis];
    }
    return index;
}

template <class T>
using Gradients = std::vector<Tensor<T>>;

/// The gradients of <weights, f> by a tape; recorded by an outer one.
template <class T>
Gradients<T> analytic_gradients(const detail::Function<T>& f, const std::vector<Tensor<T>>& inputs)
{
    GradientTape tape;
    for (const Tensor<T>& input : inputs)
    {
        tape.watch(input);
    }
    const Tensor<T> y = f(inputs);
    return tape.gradient(y, inputs,
                         {.unconnected = Unconnected::zero, .output_gradient = cotangent<T>(y.shape(), 0.5)});
}

template <class T>
CheckReport compare(const detail::Function<T>& f, const std::vector<Tensor<T>>& inputs, const CheckOptions& options,
                    std::size_t order)
{
    const double epsilon = std::numeric_limits<T>::epsilon();
    const double relative_step = options.step > 0 ? options.step : std::cbrt(epsilon);
    const double rtol = options.rtol > 0 ? options.rtol : 30 * std::pow(epsilon, 2.0 / 3);
    const double atol = options.atol > 0 ? options.atol : 30 * std::pow(epsilon, 2.0 / 3);
    CheckReport worst{.order = order};
    double worst_excess = -1;
    const Gradients<T> analytic = analytic_gradients(f, inputs);
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        for (std::size_t i = 0; i < inputs[k].size(); ++i)
        {
            std::vector<Tensor<T>> moved = inputs;
            const T x = inputs[k].data()[i];
            const double step = relative_step * std::max(1.0, std::abs(static_cast<double>(x)));
            double values[2];
            double places[2];
            for (const int side : {0, 1})
            {
                moved[k] = copy(inputs[k]);
                T& element = moved[k].node()->template as<T>()[i];
                element = static_cast<T>(static_cast<double>(x) + (side == 0 ? step : -step));
                places[side] = static_cast<double>(element);
                const Tensor<T> y = f(moved);
                values[side] = weighted_sum(y, cotangent<T>(y.shape(), 0.5));
            }
            const double numeric = (values[0] - values[1]) / (places[0] - places[1]);
            const double found = static_cast<double>(analytic[k].data()[i]);
            const double error = std::abs(found - numeric);
            // What a difference of two rounded values can tell at all.
            const double rounding = epsilon * (std::abs(values[0]) + std::abs(values[1])) / relative_step;
            const double tolerance = atol + rtol * std::abs(numeric) + rounding;
            const bool right = error <= tolerance || (std::isnan(found) && std::isnan(numeric));
            const double excess = std::isnan(error) ? std::numeric_limits<double>::infinity() : error / tolerance;
            if (!right || worst.passed)
            {
                if (excess > worst_excess || (!right && worst.passed))
                {
                    worst_excess = excess;
                    worst = {.passed = right,
                             .order = order,
                             .input = k,
                             .index = unravel(i, inputs[k].shape()),
                             .analytic = found,
                             .numeric = numeric,
                             .error = error,
                             .tolerance = tolerance,
                             .problem = {}};
                }
            }
        }
    }
    return worst;
}

}

template <Real T>
CheckReport detail::check(const Function<T>& f, const std::vector<Tensor<T>>& inputs, const CheckOptions& options)
{
    std::vector<Tensor<T>> constants;
    for (const Tensor<T>& input : inputs)
    {
        constants.push_back(copy(input));
    }
    CheckReport report = compare(f, constants, options, 1);
    if (!report.passed || !options.second_order)
    {
        return report;
    }
    const Function<T> projected = [&f](const std::vector<Tensor<T>>& x)
    {
        const Gradients<T> gradients = analytic_gradients(f, x);
        Tensor<T> total(0);
        for (std::size_t k = 0; k < gradients.size(); ++k)
        {
            total += sum(gradients[k] * cotangent<T>(gradients[k].shape(), 1.0 + static_cast<double>(k)));
        }
        return total;
    };
    return compare(projected, constants, options, 2);
}

std::string to_string(const CheckReport& report)
{
    std::ostringstream out;
    out << report;
    return out.str();
}

std::ostream& operator<<(std::ostream& out, const CheckReport& report)
{
    out << (report.passed ? "gradients agree" : "gradients differ");
    if (!report.problem.empty())
    {
        return out << ": " << report.problem;
    }
    out << "; the worst: " << (report.order == 2 ? "second derivative, " : "") << "input " << report.input
        << ", element (";
    for (std::size_t axis = 0; axis < report.index.size(); ++axis)
    {
        out << (axis == 0 ? "" : ", ") << report.index[axis];
    }
    const auto precision = out.precision(10);
    out << "): analytic " << report.analytic << ", numeric " << report.numeric << ", error " << report.error
        << ", tolerance " << report.tolerance;
    out.precision(precision);
    return out;
}

template CheckReport detail::check(const Function<float>&, const std::vector<Tensor<float>>&, const CheckOptions&);
template CheckReport detail::check(const Function<double>&, const std::vector<Tensor<double>>&, const CheckOptions&);

}
