#include <autograd/composition.hpp>
#include <autograd/custom.hpp>
#include <autograd/formula.hpp>
#include <autograd/ops/distance.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/registry.hpp>

#include <cmath>
#include <string>

namespace autograd
{

namespace
{

using detail::Composition;

[[noreturn]] void throw_misfit(const char* operation, const char* wanted, const Shape& a, const Shape& b,
                               Location location)
{
    throw ShapeError(operation, std::string(wanted) + ": got " + to_string(a) + " and " + to_string(b), location);
}

void require_order(double p, const char* operation, Location location)
{
    if (!(p >= 0))
    {
        throw ValueError(operation, "p must not be negative: got " + std::to_string(p), location);
    }
}

}

// Divided by the largest element first, so that powers neither overflow nor vanish.
template <Real T>
Tensor<T> detail::p_norm(const Tensor<T>& x, double p, const Axes& axes, KeepDims keep, Location location)
{
    using namespace formula;
    const Composition composition(location);
    if (p == 2)
    {
        return norm(x, axes, keep, location);
    }
    const Tensor<T> magnitudes = abs(x, location);
    if (p == 1 || x.size() == 0)
    {
        return sum(magnitudes, axes, keep, location);
    }
    if (p == 0)
    {
        return sum(gt(magnitudes, T(0)).ones, axes, keep, location);
    }
    if (std::isinf(p))
    {
        return p > 0 ? amax(magnitudes, axes, keep, location) : amin(magnitudes, axes, keep, location);
    }
    const auto order = static_cast<T>(p);
    const Tensor<T> largest = amax(stop_gradient(magnitudes, location), axes, keep_dims, location);
    const Tensor<T> finite = select(lt(largest, std::numeric_limits<T>::infinity()), largest, T(1));
    const Tensor<T> scale = select(eq(finite, T(0)), T(1), finite);
    const auto zero = eq(magnitudes, T(0));
    const Tensor<T> powers = autograd::pow(select(zero, T(1), magnitudes / scale), order, location);
    const Tensor<T> total = sum(select(zero, std::pow(T(0), order), powers), axes, keep_dims, location);
    const auto nothing = eq(total, T(0));
    const Tensor<T> root = autograd::pow(select(nothing, T(1), total), 1 / order, location);
    const Tensor<T> result = scale * select(nothing, T(0), root);
    return keep.keep ? result : squeeze(result, axes, location);
}

template <Real T>
Tensor<T> detail::cdist(const Tensor<T>& a, const Tensor<T>& b, double p, Location location)
{
    const std::size_t a_rank = a.dimension();
    const std::size_t b_rank = b.dimension();
    require_order(p, "cdist", location);
    Shape batch;
    if (a_rank < 2 || b_rank < 2 || a_rank == max_rank || b_rank == max_rank ||
        a.shape(a_rank - 1) != b.shape(b_rank - 1) ||
        !broadcast_shapes(Shape(a.shape().begin(), a.shape().end() - 2), Shape(b.shape().begin(), b.shape().end() - 2),
                          batch))
    {
        throw_misfit("cdist", "needs (..., n, extent) and (..., m, extent)", a.shape(), b.shape(), location);
    }
    const Composition composition(location);
    return p_norm(expand_dims(a, -2, location) - expand_dims(b, -3, location), p, -1, {}, location);
}

template <Real T>
Tensor<T> pdist(const Tensor<T>& x, double p, Location location)
{
    if (x.dimension() != 2)
    {
        throw ShapeError("pdist", "needs (n, extent): got " + to_string(x.shape()), location);
    }
    require_order(p, "pdist", location);
    const std::size_t count = x.shape(0);
    Indices left(Shape{count * (std::max<std::size_t>(1, count) - 1) / 2});
    Indices right(left.shape());
    std::size_t pair = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        for (std::size_t j = i + 1; j < count; ++j, ++pair)
        {
            left.data()[pair] = static_cast<std::int64_t>(i);
            right.data()[pair] = static_cast<std::int64_t>(j);
        }
    }
    const Composition composition(location);
    return detail::p_norm(index_select(x, 0, left, location) - index_select(x, 0, right, location), p, -1, {},
                          location);
}

template <Real T>
Tensor<T> detail::pairwise_distance(const Tensor<T>& a, const Tensor<T>& b, const PairwiseOptions& options,
                                    Location location)
{
    Shape result;
    if (a.dimension() == 0 || b.dimension() == 0 || !broadcast_shapes(a.shape(), b.shape(), result))
    {
        throw_misfit("pairwise_distance", "needs two of (..., extent)", a.shape(), b.shape(), location);
    }
    const Composition composition(location);
    return p_norm(a - b + static_cast<T>(options.eps), options.p, -1, options.keep, location);
}

template <Real T>
Tensor<T> detail::cosine_similarity(const Tensor<T>& a, const Tensor<T>& b, const CosineOptions& options,
                                    Location location)
{
    Shape result;
    if (!broadcast_shapes(a.shape(), b.shape(), result))
    {
        throw_misfit("cosine_similarity", "the shapes must broadcast", a.shape(), b.shape(), location);
    }
    axis_set(options.axis, result.rank(), "cosine_similarity", location);
    const Composition composition(location);
    const auto unit = [&](const Tensor<T>& given)
    {
        const Tensor<T> x = given.shape() == result ? given : broadcast_to(given, result, location);
        const Tensor<T> squared = sum(square(x, location), options.axis, keep_dims, location);
        const Tensor<T> raised =
            straight_through(maximum(squared, options.eps * options.eps, location), squared, location);
        return x / sqrt(raised, location);
    };
    return sum(unit(a) * unit(b), options.axis, {}, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::p_norm(const Tensor<T>&, double, const Axes&, KeepDims, Location);                      \
    template Tensor<T> detail::cdist(const Tensor<T>&, const Tensor<T>&, double, Location);                            \
    template Tensor<T> pdist(const Tensor<T>&, double, Location);                                                      \
    template Tensor<T> detail::pairwise_distance(const Tensor<T>&, const Tensor<T>&, const PairwiseOptions&,           \
                                                 Location);                                                            \
    template Tensor<T> detail::cosine_similarity(const Tensor<T>&, const Tensor<T>&, const CosineOptions&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(cdist, euclidean, distinct, ({2, 3, 2}, {4, 2}), cdist(x[0], x[1]))
EXAMPLE(cdist, taxi, distinct, ({3, 2}, {4, 2}), cdist(x[0], x[1], 1))
EXAMPLE(cdist, largest, distinct, ({3, 2}, {4, 2}), cdist(square(x[0]), x[1], std::numeric_limits<double>::infinity()))
EXAMPLE(cdist, cubic, distinct, ({3, 2}, {4, 2}), cdist(x[0], x[1], 3))
EXAMPLE(pdist, euclidean, distinct, ({4, 3}), pdist(x[0]))
EXAMPLE(pairwise_distance, euclidean, distinct, ({2, 3}, {3}), pairwise_distance(x[0], x[1]))
EXAMPLE(pairwise_distance, kept, distinct, ({2, 3}, {2, 3}),
        pairwise_distance(x[0], x[1], {.p = 2.5, .keep = keep_dims}))
EXAMPLE(cosine_similarity, rows, distinct, ({2, 3}, {2, 3}), cosine_similarity(x[0], x[1]))
EXAMPLE(cosine_similarity, columns, distinct, ({3, 2}, {3, 1}), cosine_similarity(x[0], x[1], {.axis = 0}))
TRIAL(cdist, any, ({3, 2}, {4, 2}), cdist(x[0], x[1], any.number()))
TRIAL(pdist, any, ({4, 3}), pdist(x[0], any.number()))
TRIAL(pairwise_distance, any, ({2, 3}, {2, 3}), pairwise_distance(x[0], x[1], {.p = any.number(), .eps = any.number()}))
TRIAL(cosine_similarity, any, ({2, 3}, {2, 3}),
      cosine_similarity(x[0], x[1], {.axis = any.axis(), .eps = any.number()}))

static constexpr Names names[] = {
    {"cdist", nullptr, "scipy.spatial.distance.cdist", "cdist"},
    {"pdist", nullptr, "scipy.spatial.distance.pdist", "nn.functional.pdist"},
    {"pairwise_distance", nullptr, nullptr, "nn.functional.pairwise_distance"},
    {"cosine_similarity", nullptr, nullptr, "nn.functional.cosine_similarity"},
};
static const NameTable name_table("distance", names);

void detail::distance_family() noexcept {}

}
