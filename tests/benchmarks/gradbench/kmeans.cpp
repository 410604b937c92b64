// k-means: the sum of the squared distances of points from their nearest centroids; and Newton's direction, the gradient by
// the centroids over the diagonal of the Hessian.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

struct Problem
{
    explicit Problem(const gradbench::Input& input)
        : points(input["points"].array()), centroids(input["centroids"].array())
    {
    }

    Tensor points;
    Tensor centroids;
};

/// |c|^2 - 2 p c, which differs from the squared distance by what all centroids have in common, is least where that is.
ag::Indices nearest(const Tensor& points, const Tensor& centroids)
{
    const Tensor products = ag::matmul(points, 2 * centroids, {.transpose_b = true});
    return ag::argmin(ag::norm_sq(centroids, 1) - products, 1);
}

/// Which centroid is the nearest does not change where centroids change by little: it is no matter of derivatives.
Tensor cost(const Tensor& points, const Tensor& centroids)
{
    const ag::Indices indices = nearest(ag::stop_gradient(points), ag::stop_gradient(centroids));
    return ag::norm_sq(points - ag::index_select(centroids, 0, indices));
}

/// The Hessian is diagonal: its product with ones is the diagonal.
Tensor direction(const Problem& problem)
{
    const Tensor centroids = problem.centroids;
    ag::GradientTape tape;
    tape.watch(centroids);
    const Tensor gradient = ag::grad([&](const Tensor& c) { return cost(problem.points, c); })(centroids);
    const Tensor ones = xt::ones<double>(centroids.value().shape());
    return gradient / tape.jvp(gradient, centroids, ones);
}

}

int main(int argc, char** argv)
{
    return gradbench::run(argc, argv,
                          {{"cost", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return cost(problem.points, problem.centroids); }; }},
                           {"dir", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return direction(problem); }; }}});
}
