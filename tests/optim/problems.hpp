#pragma once

#include <autograd/autograd.hpp>

#include <functional>
#include <string>
#include <vector>

/// Classical problems of minimisation, each with its known minimum, for the tests and for samples/optimizers.cpp.
namespace problems
{

struct Problem
{
    std::string name;
    std::function<autograd::Tensor<double>(const autograd::Tensor<double>&)> loss;
    xt::xarray<double> start;
    std::vector<xt::xarray<double>> minima;
    double value;  ///< at the minima
};

inline std::vector<Problem> all()
{
    namespace ag = autograd;
    using Tensor = ag::Tensor<double>;
    using ag::square;
    const auto at = [](const Tensor& x, int i) { return ag::view(x, i); };
    const xt::xarray<double> scales{1, 10, 100, 1000};
    // Six points on a line; the weight of decay makes the minimum unique, found by Newton's method to all digits.
    const xt::xarray<double> inputs{-3, -2, -1, 1, 2, 3};
    const xt::xarray<double> signs{-1, -1, 1, -1, 1, 1};
    return {
        {"sphere", [](const Tensor& x) { return ag::sum(square(x)); }, {1, -2, 3}, {{0, 0, 0}}, 0},
        {"Rosenbrock",
         [at](const Tensor& x) { return 100.0 * square(at(x, 1) - square(at(x, 0))) + square(1.0 - at(x, 0)); },
         {-1.2, 1},
         {{1, 1}},
         0},
        {"Booth",
         [at](const Tensor& x)
         { return square(at(x, 0) + 2.0 * at(x, 1) - 7.0) + square(2.0 * at(x, 0) + at(x, 1) - 5.0); },
         {-4, 4},
         {{1, 3}},
         0},
        {"Beale",
         [at](const Tensor& p)
         {
             const Tensor x = at(p, 0);
             const Tensor y = at(p, 1);
             return square(1.5 - x + x * y) + square(2.25 - x + x * y * y) + square(2.625 - x + x * y * y * y);
         },
         {1, 0.2},
         {{3, 0.5}},
         0},
        {"Himmelblau",
         [at](const Tensor& p)
         {
             const Tensor x = at(p, 0);
             const Tensor y = at(p, 1);
             return square(x * x + y - 11.0) + square(x + y * y - 7.0);
         },
         {0, 0},
         {{3, 2},
          {-2.805118086952745, 3.131312518250573},
          {-3.779310253377747, -3.283185991286170},
          {3.584428340330492, -1.848126526964404}},
         0},
        {"ill-conditioned",
         [scales](const Tensor& x) { return 0.5 * ag::sum(scales * square(x)); },
         {1, 1, 1, 1},
         {{0, 0, 0, 0}},
         0},
        {"logistic regression",
         [at, inputs, signs](const Tensor& x)
         { return ag::mean(ag::softplus(-(signs * (at(x, 0) * inputs + at(x, 1))))) + 0.05 * ag::sum(square(x)); },
         {0, 0},
         {{0.6274133986680241, 0.0}},
         0.5022973362294298},
    };
}

}
