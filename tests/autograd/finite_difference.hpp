#pragma once

#include <autograd/tensor.hpp>

#include <cmath>
#include <span>
#include <vector>

/// An oracle that knows nothing of tapes: derivatives by central differences, in double.

/// An array as plain numbers.
struct Numbers
{
    autograd::Shape shape;
    std::vector<double> elements;

    template <autograd::Real T>
    autograd::Tensor<T> as() const
    {
        xt::xarray<T> array(xt::xarray<double>::shape_type(shape.begin(), shape.end()));
        std::copy(elements.begin(), elements.end(), array.storage().begin());
        return autograd::Tensor<T>(array);
    }

    template <autograd::Real T>
    static Numbers of(const autograd::Tensor<T>& tensor)
    {
        return {tensor.shape(), std::vector<double>(tensor.data(), tensor.data() + tensor.size())};
    }
};

/// The weight of element i in a sum over the elements of array k: no two alike, none near 0.
inline double weight(std::size_t k, std::size_t i)
{
    return 1.3 + std::sin(1.7 * static_cast<double>(i) + 0.9 * static_cast<double>(k));
}

/// The weights as an array.
inline Numbers weights(std::size_t k, const autograd::Shape& shape)
{
    Numbers result{shape, std::vector<double>(shape.elements())};
    for (std::size_t i = 0; i < result.elements.size(); ++i)
    {
        result.elements[i] = weight(k, i);
    }
    return result;
}

inline double weighted_sum(const std::vector<Numbers>& arrays)
{
    double sum = 0;
    for (std::size_t k = 0; k < arrays.size(); ++k)
    {
        for (std::size_t i = 0; i < arrays[k].elements.size(); ++i)
        {
            sum += weight(k, i) * arrays[k].elements[i];
        }
    }
    return sum;
}

/// The gradient of the weighted sum of what f gives, with respect to each of the inputs; f takes and gives arrays as
/// `std::vector<Numbers>`.
template <class F>
std::vector<Numbers> finite_differences(const F& f, std::vector<Numbers> inputs)
{
    constexpr double step = 1e-5;
    std::vector<Numbers> result = inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        for (std::size_t i = 0; i < inputs[k].elements.size(); ++i)
        {
            double& x = inputs[k].elements[i];
            const double before = x;
            x = before + step;
            const double above = weighted_sum(f(inputs));
            x = before - step;
            const double below = weighted_sum(f(inputs));
            x = before;
            result[k].elements[i] = (above - below) / (2 * step);
        }
    }
    return result;
}
