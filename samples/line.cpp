#include <samples/line.hpp>

#include <cmath>

namespace samples
{

Points scatter(Line line, double deviation, std::size_t count, double low, double high, autograd::Generator& generator)
{
    Points points{xt::xarray<float>::from_shape({count}), xt::xarray<float>::from_shape({count})};
    for (std::size_t k = 0; k < count; ++k)
    {
        const double x = std::lerp(low, high, generator.uniform());
        points.x(k) = static_cast<float>(x);
        points.y(k) = static_cast<float>(line.a * x + line.b + deviation * generator.normal());
    }
    return points;
}

Points take(const Points& points, const autograd::Indices& indices)
{
    Points taken{xt::xarray<float>::from_shape({indices.size()}), xt::xarray<float>::from_shape({indices.size()})};
    for (std::size_t k = 0; k < indices.size(); ++k)
    {
        taken.x(k) = points.x(indices[k]);
        taken.y(k) = points.y(indices[k]);
    }
    return taken;
}

Line least_squares(const Points& points)
{
    const auto count = static_cast<double>(points.size());
    double mean_x = 0;
    double mean_y = 0;
    for (std::size_t k = 0; k < points.size(); ++k)
    {
        mean_x += points.x(k) / count;
        mean_y += points.y(k) / count;
    }
    double covariance = 0;
    double variance = 0;
    for (std::size_t k = 0; k < points.size(); ++k)
    {
        covariance += (points.x(k) - mean_x) * (points.y(k) - mean_y);
        variance += (points.x(k) - mean_x) * (points.x(k) - mean_x);
    }
    const double a = covariance / variance;
    return {a, mean_y - a * mean_x};
}

double mean_squared_error(const Points& points, Line line)
{
    double sum = 0;
    for (std::size_t k = 0; k < points.size(); ++k)
    {
        const double error = line.a * points.x(k) + line.b - points.y(k);
        sum += error * error;
    }
    return sum / static_cast<double>(points.size());
}

double distance(Line one, Line other)
{
    return std::hypot(one.a - other.a, one.b - other.b);
}

}
