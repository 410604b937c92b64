// Bundle adjustment: how far from where it was seen each observation shows its point in its camera's picture, and the
// sparse Jacobian of that by cameras, points and weights.

#include "program.hpp"

#include <limits>

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

constexpr std::size_t camera_parameters = 11;

struct Problem
{
    explicit Problem(const gradbench::Input& input)
        : n(input["n"].count()), m(input["m"].count()), p(input["p"].count()),
          cameras(ag::tile(input["cam"].array(), {static_cast<std::ptrdiff_t>(n), 1})),
          points(ag::tile(input["x"].array(), {static_cast<std::ptrdiff_t>(m), 1})),
          weights(xt::ones<double>({p}) * input["w"].number()),
          features(ag::tile(input["feat"].array(), {static_cast<std::ptrdiff_t>(p), 1})),
          camera_of(xt::arange<std::int64_t>(static_cast<std::int64_t>(p)) % static_cast<std::int64_t>(n)),
          point_of(xt::arange<std::int64_t>(static_cast<std::int64_t>(p)) % static_cast<std::int64_t>(m))
    {
    }

    std::size_t n;
    std::size_t m;
    std::size_t p;
    Tensor cameras;
    Tensor points;
    Tensor weights;
    Tensor features;
    ag::Indices camera_of;
    ag::Indices point_of;
};

/// The parameters of each observation: those of its camera, the coordinates of its point, its weight.
std::vector<Tensor> parameters(const Problem& problem)
{
    std::vector<Tensor> result = ag::unbind(ag::index_select(ag::transpose(problem.cameras), 1, problem.camera_of));
    for (const Tensor& coordinate : ag::unbind(ag::index_select(ag::transpose(problem.points), 1, problem.point_of)))
    {
        result.push_back(coordinate);
    }
    result.push_back(problem.weights);
    return result;
}

using Vector = std::array<Tensor, 3>;

Tensor dot(const Vector& a, const Vector& b)
{
    return ag::fma(a[0], b[0], ag::fma(a[1], b[1], a[2] * b[2]));
}

/// By Rodrigues' formula, around the axis `r` by its length.
Vector rotate(const Vector& r, const Vector& x)
{
    // The smallest number in place of 0 gives both factors their limits, and no derivative by the angle, as there.
    const Tensor square = ag::maximum(dot(r, r), std::numeric_limits<double>::min());
    const Tensor angle = ag::sqrt(square);
    const Tensor cosine = ag::cos(angle);
    const Tensor sine = ag::sin(angle) / angle;
    const Tensor along = dot(r, x) * ((1 - cosine) / square);
    Vector result;
    for (std::size_t i = 0; i < 3; ++i)
    {
        const std::size_t j = (i + 1) % 3, k = (i + 2) % 3;
        result[i] = ag::fma(x[i], cosine, ag::fma(r[j] * x[k] - r[k] * x[j], sine, r[i] * along));
    }
    return result;
}

/// How far off both coordinates are.
std::array<Tensor, 2> reprojection(const std::vector<Tensor>& parameters, const Tensor& features)
{
    const auto* camera = parameters.data();
    const auto* point = camera + camera_parameters;
    const Tensor& weight = point[3];
    const Vector seen =
        rotate({camera[0], camera[1], camera[2]}, {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]});
    const Tensor x = seen[0] / seen[2];
    const Tensor y = seen[1] / seen[2];
    const Tensor square = ag::fma(x, x, y * y);
    const Tensor scale = camera[6] * ag::fma(square, ag::fma(square, camera[10], camera[9]), 1);
    const std::vector<Tensor> feature = ag::unbind(features, 1);
    return {weight * (ag::fma(x, scale, camera[7]) - feature[0]), weight * (ag::fma(y, scale, camera[8]) - feature[1])};
}

Tensor weight_error(const Tensor& weights)
{
    return 1 - ag::square(weights);
}

gradbench::Output objective(const Problem& problem)
{
    const auto [x, y] = reprojection(parameters(problem), problem.features);
    const Tensor errors = ag::stack({x, y}, 1);
    const Tensor of_weights = weight_error(problem.weights);
    const auto repeated = static_cast<std::int64_t>(problem.p);
    return std::vector<gradbench::Member>{
        {"reproj_error", std::vector<gradbench::Member>{{"elements", ag::view(errors, 0)}, {"repeated", repeated}}},
        {"w_err", std::vector<gradbench::Member>{{"element", ag::view(of_weights, 0)}, {"repeated", repeated}}}};
}

/// A sparse matrix by rows.
struct Sparse
{
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> columns;
    Tensor values;
};

Sparse jacobian(const Problem& problem)
{
    // Each observation has parameters of its own here: a pass from the sum of all errors gives a row for each.
    const std::vector<Tensor> sources = parameters(problem);
    ag::GradientTape tape({.persistent = true});
    for (const Tensor& source : sources)
    {
        tape.watch(source);
    }
    const auto errors = reprojection(sources, problem.features);
    std::vector<Tensor> entries;
    for (const Tensor& error : errors)
    {
        const std::vector<Tensor> row = tape.gradient(ag::sum(error), sources, {.unconnected = ag::Unconnected::zero});
        entries.insert(entries.end(), row.begin(), row.end());
    }
    const Tensor by_weight = ag::grad([](const Tensor& w) { return ag::sum(weight_error(w)); })(problem.weights);

    Sparse result;
    result.values = ag::concatenate({ag::flatten(ag::transpose(ag::stack(entries))), by_weight});
    const std::size_t in_row = sources.size();
    result.columns.reserve(result.values.size());
    result.rows.reserve(3 * problem.p + 1);
    const auto first_point = static_cast<std::int64_t>(camera_parameters * problem.n);
    const auto first_weight = first_point + static_cast<std::int64_t>(3 * problem.m);
    result.rows.push_back(0);
    for (std::size_t i = 0; i < problem.p; ++i)
    {
        for (int coordinate = 0; coordinate < 2; ++coordinate)
        {
            result.rows.push_back(result.rows.back() + static_cast<std::int64_t>(in_row));
            for (std::size_t k = 0; k < camera_parameters; ++k)
            {
                result.columns.push_back(static_cast<std::int64_t>(camera_parameters) * problem.camera_of[i] +
                                         static_cast<std::int64_t>(k));
            }
            for (std::int64_t k = 0; k < 3; ++k)
            {
                result.columns.push_back(first_point + 3 * problem.point_of[i] + k);
            }
            result.columns.push_back(first_weight + static_cast<std::int64_t>(i));
        }
    }
    for (std::size_t i = 0; i < problem.p; ++i)
    {
        result.rows.push_back(result.rows.back() + 1);
        result.columns.push_back(first_weight + static_cast<std::int64_t>(i));
    }
    return result;
}

/// The first 30 entries of each list, and the last.
gradbench::Output abbreviated(const Sparse& matrix)
{
    const auto ends = [](const std::vector<std::int64_t>& list)
    {
        std::vector<std::int64_t> result(list.begin(), list.begin() + 30);
        result.push_back(list.back());
        return result;
    };
    const Tensor values = ag::concatenate(
        {ag::narrow(matrix.values, 0, 0, 30), ag::view(matrix.values, xt::range(-1, xt::placeholders::_))});
    return std::vector<gradbench::Member>{
        {"rows", ends(matrix.rows)}, {"cols", ends(matrix.columns)}, {"vals", values}};
}

}

int main(int argc, char** argv)
{
    return gradbench::run(argc, argv,
                          {{"objective", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return objective(problem); }; }},
                           {"jacobian", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return abbreviated(jacobian(problem)); }; }}});
}
