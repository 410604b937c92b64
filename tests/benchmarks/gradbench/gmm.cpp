// The log-likelihood of a mixture of k Gaussians with a Wishart prior: alpha are the weights' logarithms but for their
// sum, mu the means; the inverse of each covariance is Q^T Q, where Q has the diagonal exp(q) and, below it, l by columns.

#include "program.hpp"

#include <cmath>
#include <numbers>

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

struct Parameters
{
    Tensor alpha;
    Tensor mu;
    Tensor q;
    Tensor l;
};

struct Problem
{
    explicit Problem(const gradbench::Input& input)
        : parameters{input["alpha"].array(), input["mu"].array(), input["q"].array(), {}}, x(input["x"].array()),
          m(static_cast<double>(input["m"].count())), gamma(input["gamma"].number())
    {
        const auto k = static_cast<std::ptrdiff_t>(input["k"].count());
        const auto d = static_cast<std::ptrdiff_t>(input["d"].count());
        parameters.l = ag::reshape(input["l"].array(), {k, d * (d - 1) / 2});
    }

    Parameters parameters;
    Tensor x;
    double m;
    double gamma;
};

/// Q of each Gaussian.
Tensor factors(const Tensor& diagonal, const Tensor& below)
{
    const std::size_t k = diagonal.shape(0);
    const std::size_t d = diagonal.shape(1);
    xt::xarray<std::int64_t> places = xt::zeros<std::int64_t>({d * (d + 1) / 2});
    std::size_t next = 0;
    for (std::size_t i = 0; i < d; ++i)
    {
        places(next++) = static_cast<std::int64_t>(i * d + i);
    }
    for (std::size_t column = 0; column < d; ++column)
    {
        for (std::size_t row = column + 1; row < d; ++row)
        {
            places(next++) = static_cast<std::int64_t>(row * d + column);
        }
    }
    const Tensor nothing = xt::zeros<double>({k, d * d});
    return ag::index_copy(nothing, 1, places, ag::concatenate({diagonal, below}, 1));
}

double log_wishart_constant(double d, double m, double gamma)
{
    const double n = d + m + 1;
    double log_gamma = d * (d - 1) / 4 * std::log(std::numbers::pi);
    for (double j = 0; j < d; ++j)
    {
        log_gamma += std::lgamma((n - j) / 2);
    }
    return n * d * std::log(gamma / std::numbers::sqrt2) - log_gamma;
}

Tensor objective(const Parameters& parameters, const Problem& problem)
{
    const auto& [alpha, mu, q, l] = parameters;
    const std::size_t n = problem.x.shape(0);
    const std::size_t k = mu.shape(0);
    const std::size_t d = mu.shape(1);
    const auto [count, extent] = std::pair(static_cast<double>(n), static_cast<double>(d));

    const Tensor diagonal = ag::exp(q);
    const Tensor log_determinant = ag::sum(q, 1);
    const Tensor factor = factors(diagonal, l);
    const Tensor of_points = ag::matmul(problem.x, ag::reshape(factor, ag::Shape{k * d, d}), {.transpose_b = true});
    const Tensor of_means = ag::matmul(ag::reshape(factor, ag::Shape{k, d, d}), ag::expand_dims(mu, -1));
    const Tensor distance = ag::norm_sq(ag::reshape(of_points - ag::flatten(of_means), ag::Shape{n, k, d}), 2);
    const Tensor likelihood = ag::sum(ag::logsumexp(alpha + log_determinant - 0.5 * distance, 1)) -
                              count * ag::logsumexp(alpha) - count * extent / 2 * std::log(2 * std::numbers::pi);

    const Tensor prior = static_cast<double>(k) * log_wishart_constant(extent, problem.m, problem.gamma) +
                         problem.m * ag::sum(q) -
                         0.5 * problem.gamma * problem.gamma * (ag::norm_sq(diagonal) + ag::norm_sq(l));
    return likelihood + prior;
}

gradbench::Output gradient(const Problem& problem)
{
    const Parameters& parameters = problem.parameters;
    ag::GradientTape tape;
    for (const Tensor& parameter : {parameters.alpha, parameters.mu, parameters.q, parameters.l})
    {
        tape.watch(parameter);
    }
    const auto [alpha, mu, q, l] =
        tape.gradient(objective(parameters, problem), parameters.alpha, parameters.mu, parameters.q, parameters.l);
    return std::vector<gradbench::Member>{{"alpha", alpha}, {"mu", mu}, {"q", q}, {"l", l}};
}

}

int main(int argc, char** argv)
{
    return gradbench::run(argc, argv,
                          {{"objective", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return objective(problem.parameters, problem); }; }},
                           {"jacobian", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return gradient(problem); }; }}});
}
