#pragma once

#include <autograd/generator.hpp>
#include <autograd/xtensor.hpp>

#include <cstddef>

/// Points to which a line is fitted.
namespace samples
{

struct Points
{
    xt::xarray<float> x;
    xt::xarray<float> y;

    std::size_t size() const { return x.size(); }
};

/// y = a x + b.
struct Line
{
    double a = 0;
    double b = 0;
};

/// Points with x spread evenly at random over [low, high], scattered about a line.
Points scatter(Line line, double deviation, std::size_t count, double low, double high, autograd::Generator& generator);

/// The points with these numbers.
Points take(const Points& points, const autograd::Indices& indices);

/// The line with the least mean squared error, in closed form.
Line least_squares(const Points& points);

double mean_squared_error(const Points& points, Line line);

/// The distance in the plane of a and b.
double distance(Line one, Line other);

}
