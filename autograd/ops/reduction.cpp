#include <autograd/batching.hpp>
#include <autograd/derive.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/kernels/lines.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/scan.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/plan/total.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace autograd
{

namespace
{

using detail::Node;
using detail::Reads;

using detail::Reduced;
using detail::reduced_axes;
using detail::require_more_than;

template <class T>
using ReduceKernel = void (*)(const T*, T*, std::size_t, std::size_t, std::size_t);

/// Neighbouring axes of one kind are taken together; each group of reduced ones is a pass, the last group first.
template <class T>
Tensor<T> reduce(ReduceKernel<T> kernel, const Tensor<T>& x, const Reduced& reduced)
{
    Tensor<T> current = x;
    Shape shape = x.shape();
    bool any = false;
    for (std::size_t axis = shape.rank(); axis-- > 0;)
    {
        if (!reduced.contains(axis))
        {
            continue;
        }
        const std::size_t last = axis;
        while (axis > 0 && reduced.contains(axis - 1))
        {
            --axis;
        }
        std::size_t outer = 1;
        std::size_t count = 1;
        std::size_t inner = 1;
        for (std::size_t k = 0; k < shape.rank(); ++k)
        {
            (k < axis ? outer : k <= last ? count : inner) *= shape[k];
        }
        for (std::size_t k = axis; k <= last; ++k)
        {
            shape[k] = 1;
        }
        Tensor<T> next = Tensor<T>::adopt(detail::new_node<T>(shape));
        kernel(current.data(), next.node()->template as<T>(), outer, count, inner);
        current = std::move(next);
        any = true;
    }
    if (any && reduced.keep)
    {
        return current;
    }
    return Tensor<T>::adopt(detail::new_view(current.node(), reduced.result(x.shape())));
}

struct Sum
{
    static constexpr const char* name = "sum";
    bool operator==(const Sum&) const = default;
    Reduced reduced;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return reduce<T>(&detail::sum_kernel<T>, x, reduced);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return reduced.stretchable(dy, x.shape());
    }
};

struct Mean
{
    static constexpr const char* name = "mean";
    bool operator==(const Mean&) const = default;
    Reduced reduced;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = reduce<T>(&detail::sum_kernel<T>, x, reduced);
        T* elements = y.node()->template as<T>();
        const T count = static_cast<T>(reduced.count(x.shape()));
        for (std::size_t i = 0; i < y.size(); ++i)
        {
            elements[i] /= count;
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return reduced.stretchable(dy / static_cast<T>(reduced.count(x.shape())), x.shape());
    }
};

template <bool larger>
struct Extreme
{
    static constexpr const char* name = larger ? "amax" : "amin";
    bool operator==(const Extreme&) const = default;
    Reduced reduced;

    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return reduce<T>(larger ? &detail::max_kernel<T> : &detail::min_kernel<T>, x, reduced);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        if (reduced.contiguous() && !detail::Arena::current().recording())
        {
            return shares(dy, y, x);
        }
        const Tensor<T> chosen = formula::eq(x, reduced.stretchable(y, x.shape())).ones;
        const Tensor<T> share = chosen / reduce<T>(&detail::sum_kernel<T>, chosen, {reduced.set, true});
        return share * reduced.stretchable(dy, x.shape());
    }

private:
    /// The same in two passes over neighbouring reduced axes.
    template <class T>
    Tensor<T> shares(const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        using B = xsimd::batch<T>;
        Tensor<T> dx = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        const detail::Lines lines(reduced.in_the_middle(x, Location{}).shape(), 1);
        const auto work = [in = x.data(), extreme = y.data(), gradient = dy.data(),
                           out = dx.node()->template as<T>()](const detail::Tile& tile)
        {
            const auto chosen = [&](std::size_t p, std::size_t n, std::size_t c)
            { return detail::load_lanes(in + p, n) == detail::load_line(extreme, tile, n, c); };
            detail::LineNumbers<T> counts;
            detail::fold_lines(
                tile, T(0), counts, [](const B& a, const B& b) { return a + b; },
                [&](std::size_t p, std::size_t n, std::size_t c)
                { return xsimd::select(chosen(p, n, c), B(T(1)), B(T(0))); });
            detail::for_each_register<T>(tile,
                                         [&](std::size_t p, std::size_t n, std::size_t c)
                                         {
                                             const B share = detail::load_line(gradient, tile, n, c) / counts.at(c);
                                             detail::store_lanes(out + p, n,
                                                                 xsimd::select(chosen(p, n, c), share, B(T(0))));
                                         });
        };
        for_each_tile(lines, work);
        return dx;
    }
};

/// Of any order that is neither 0 nor infinite. Where the norm is 0 the gradient is 0, and so are its derivatives.
struct Norm
{
    static constexpr const char* name = "norm";
    bool operator==(const Norm&) const = default;
    Reduced reduced;
    double order = 2;

    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Tensor<T> constant = stop_gradient(x, Location{});
        if (x.size() == 0)
        {
            return reduce<T>(&detail::sum_kernel<T>, constant, reduced);
        }
        if (order == 2)
        {
            using Limits = std::numeric_limits<T>;
            static const T least = std::sqrt(Limits::min()) / Limits::epsilon();
            const Tensor<T> root =
                sqrt(reduce<T>(&detail::sum_kernel<T>, square(constant, Location{}), reduced), Location{});
            if (std::all_of(root.data(), root.data() + root.size(),
                            [](T element) { return element > least && element <= Limits::max(); }))
            {
                return root;
            }
        }
        return scaled(abs(constant, Location{}), static_cast<T>(order));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        // Not while somebody follows the steps, who would take the same ones for other values.
        if (order == 2 && detail::Arena::current().tracer == nullptr &&
            std::count(y.data(), y.data() + y.size(), T(0)) == 0)
        {
            return x * reduced.stretchable(dy / y, x.shape());
        }
        const auto zero = formula::eq(y, T(0));
        if (order == 2)
        {
            const Tensor<T> direction = x / reduced.stretchable(y, x.shape());
            const Tensor<T> nowhere = broadcast_to(reduced.stretchable(zero.ones, x.shape()), x.shape(), Location{});
            return formula::select(formula::Mask<T>{nowhere}, T(0), direction) * reduced.stretchable(dy, x.shape());
        }
        const Tensor<T> divisor = reduced.stretchable(formula::select(zero, T(1), y), x.shape());
        const Tensor<T> gradient = reduced.stretchable(formula::select(zero, T(0), dy), x.shape());
        const auto kink = formula::eq(x, T(0));
        if (order < 1)
        {
            const Tensor<T> powers = formula::power(abs(x, Location{}) / divisor, order - 1);
            return sign(x, Location{}) * formula::select(kink, T(0), powers) * gradient;
        }
        const Tensor<T> ratio = formula::select(kink, T(1), abs(x, Location{})) / divisor;
        return sign(x, Location{}) * formula::power(ratio, order - 1) * gradient;
    }

private:
    /// Divided by the largest, so that powers neither overflow nor vanish.
    template <class T>
    Tensor<T> scaled(const Tensor<T>& magnitude, T p) const
    {
        const Tensor<T> largest = reduce<T>(&detail::max_kernel<T>, magnitude, {reduced.set, true});
        const Tensor<T> infinite = formula::eq(largest, std::numeric_limits<T>::infinity()).ones;
        const Tensor<T> scale =
            formula::select(formula::Mask<T>{formula::eq(largest, T(0)).ones + infinite}, T(1), largest);
        const Tensor<T> powers = formula::power(magnitude / scale, p);
        const Tensor<T> total =
            formula::power(reduce<T>(&detail::sum_kernel<T>, powers, {reduced.set, true}), 1 / p) * scale;
        return Tensor<T>::adopt(detail::new_view(total.node(), reduced.result(magnitude.shape())));
    }
};

constexpr auto reduction_on_batch = [](auto op, const auto& batch)
{
    op.reduced.set <<= 1;
    return batch.behind_axis(op);
};
const detail::Batching<Sum, 1> sum_batching(reduction_on_batch);
const detail::Batching<Mean, 1> mean_batching(reduction_on_batch);
const detail::Batching<Extreme<false>, 1> amin_batching(reduction_on_batch);
const detail::Batching<Extreme<true>, 1> amax_batching(reduction_on_batch);
const detail::Batching<Norm, 1> norm_batching(reduction_on_batch);

template <class T>
Tensor<T> variance_for(const char* operation, const Tensor<T>& x, const Axes& axes, std::size_t ddof, KeepDims keep,
                       Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, operation, location);
    require_more_than(ddof, x.shape(), reduced, operation, location);
    const Tensor<T> distance = x - Operand<T>(mean(x, axes, keep_dims, location), location);
    const Tensor<T> total = sum(square(distance, location), axes, keep, location);
    return total / Operand<T>(reduced.count(x.shape()) - ddof, location);
}

/// How many elements are not NaN.
template <class T>
Tensor<T> numbers_among(const Tensor<T>& x, const Reduced& reduced)
{
    return reduce<T>(&detail::sum_kernel<T>, formula::eq(x, x).ones, reduced);
}

template <class T>
Tensor<T> nan_variance_for(const char* operation, const Tensor<T>& x, const Axes& axes, std::size_t ddof, KeepDims keep,
                           Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, operation, location);
    const Tensor<T> distance = x - Operand<T>(nanmean(x, axes, keep_dims, location), location);
    const Tensor<T> total = nansum(square(distance, location), axes, keep, location);
    const Tensor<T> divisor = numbers_among(x, reduced) - static_cast<T>(ddof);
    return total / Operand<T>(formula::select(formula::gt(divisor, T(0)), divisor, std::numeric_limits<T>::quiet_NaN()),
                              location);
}

/// The first position of the extreme along an axis, or of NaN. The axis stays, with extent 1.
template <class T>
Indices positions_of(ReduceKernel<T> kernel, const Tensor<T>& x, std::size_t axis)
{
    const detail::Lines lines(x.shape(), axis);
    Shape shape = x.shape();
    if (shape.rank() != 0)
    {
        shape[axis] = 1;
    }
    Tensor<T> extremes = Tensor<T>::adopt(detail::new_node<T>(shape));
    kernel(x.data(), extremes.node()->template as<T>(), lines.outer, lines.count, lines.inner);
    Indices positions(shape);
    detail::for_each_tile(lines,
                          [in = x.data(), best = extremes.data(), out = positions.data()](const detail::Tile& tile)
                          {
                              for (std::size_t c = 0; c < tile.columns; ++c)
                              {
                                  const T* line = in + tile.first + c;
                                  const T wanted = best[tile.line + c];
                                  std::size_t j = 0;
                                  while (line[j * tile.stride] != wanted &&
                                         line[j * tile.stride] == line[j * tile.stride])
                                  {
                                      ++j;
                                  }
                                  out[tile.line + c] = static_cast<std::int64_t>(j);
                              }
                          });
    return positions;
}

template <class T>
Indexed<T> extreme_along(ReduceKernel<T> kernel, const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep,
                         const char* operation, Location location)
{
    const std::size_t place = detail::axis_of(x.shape(), axis, operation, location);
    require_more_than(0, x.shape(), reduced_axes(x, axis, keep, operation, location), operation, location);
    detail::note_decision(x.node(), operation, location);
    return detail::indexed(x, positions_of(kernel, x, place), place, keep.keep, location);
}

/// Of each group of elements how many are not 0, and which of the results are wanted.
template <class Result, class T, class Judge>
xt::xarray<Result> judged_by_count(const char* operation, const Tensor<T>& x, const Axes& axes, KeepDims keep,
                                   Location location, Judge judge)
{
    detail::note_decision(x.node(), operation, location);
    const Reduced reduced = reduced_axes(x, axes, keep, operation, location);
    Tensor<double> nonzero = Tensor<double>::adopt(detail::new_node<double>(x.shape()));
    std::transform(x.data(), x.data() + x.size(), nonzero.node()->template as<double>(),
                   [](T element) { return element != 0 ? 1.0 : 0.0; });
    const Tensor<double> counts = reduce<double>(&detail::sum_kernel<double>, nonzero, reduced);
    xt::xarray<Result> result(typename xt::xarray<Result>::shape_type(counts.shape().begin(), counts.shape().end()));
    std::transform(counts.data(), counts.data() + counts.size(), result.storage().begin(), judge);
    return result;
}

}

template <Real T>
Tensor<T> sum(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return apply(Sum{reduced_axes(x, axes, keep, "sum", location)}, location, x);
}

template <Real T>
Tensor<T> mean(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "mean", location);
    require_more_than(0, x.shape(), reduced, "mean", location);
    return apply(Mean{reduced}, location, x);
}

template <Real T>
Tensor<T> prod(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "prod", location);
    if (reduced.count(x.shape()) == 0)
    {
        return sum(x, axes, keep, location) + Operand<T>(1, location);
    }
    const Tensor<T> products = cumprod(reduced.in_the_middle(x, location), 1, location);
    return reshape(view(products, Slice(all(), location), Slice(-1, location)), reduced.result(x.shape()), location);
}

template <Real T>
Tensor<T> amax(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "amax", location);
    require_more_than(0, x.shape(), reduced, "amax", location);
    return apply(Extreme<true>{reduced}, location, x);
}

template <Real T>
Tensor<T> amin(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "amin", location);
    require_more_than(0, x.shape(), reduced, "amin", location);
    return apply(Extreme<false>{reduced}, location, x);
}

template <Real T>
Tensor<T> variance(const Tensor<T>& x, Axes axes, std::size_t ddof, KeepDims keep, Location location)
{
    return variance_for("variance", x, axes, ddof, keep, location);
}

template <Real T>
Tensor<T> stddev(const Tensor<T>& x, Axes axes, std::size_t ddof, KeepDims keep, Location location)
{
    return sqrt(variance_for("stddev", x, axes, ddof, keep, location), location);
}

template <Real T>
Indexed<T> max(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return extreme_along(&detail::max_kernel<T>, x, axis, keep, "max", location);
}

template <Real T>
Indexed<T> min(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return extreme_along(&detail::min_kernel<T>, x, axis, keep, "min", location);
}

template <Real T>
xt::xarray<std::int64_t> argmax(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return extreme_along(&detail::max_kernel<T>, stop_gradient(x, location), axis, keep, "argmax", location).indices;
}

template <Real T>
xt::xarray<std::int64_t> argmin(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return extreme_along(&detail::min_kernel<T>, stop_gradient(x, location), axis, keep, "argmin", location).indices;
}

template <Real T>
xt::xarray<std::int64_t> argmax(const Tensor<T>& x, Location location)
{
    return argmax(flatten(stop_gradient(x, location), location), 0, {}, location);
}

template <Real T>
xt::xarray<std::int64_t> argmin(const Tensor<T>& x, Location location)
{
    return argmin(flatten(stop_gradient(x, location), location), 0, {}, location);
}

template <Real T>
Tensor<T> detail::without_nan(const Tensor<T>& x, T replacement, Location location)
{
    const Tensor<T> number = formula::eq(x, x).ones;
    return Tensor<T>::adopt(where<T>(number.node(), x.node(), Tensor<T>(replacement).node(), location));
}

template <Real T>
Tensor<T> nansum(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "nansum", location);
    return apply(Sum{reduced}, location, detail::without_nan(x, T(0), location));
}

template <Real T>
Tensor<T> nanprod(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    static_cast<void>(reduced_axes(x, axes, keep, "nanprod", location));
    return prod(detail::without_nan(x, T(1), location), axes, keep, location);
}

template <Real T>
Tensor<T> nanmean(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "nanmean", location);
    return nansum(x, axes, keep, location) / Operand<T>(numbers_among(x, reduced), location);
}

template <Real T>
Tensor<T> nanvar(const Tensor<T>& x, Axes axes, std::size_t ddof, KeepDims keep, Location location)
{
    return nan_variance_for("nanvar", x, axes, ddof, keep, location);
}

template <Real T>
Tensor<T> nanstd(const Tensor<T>& x, Axes axes, std::size_t ddof, KeepDims keep, Location location)
{
    return sqrt(nan_variance_for("nanstd", x, axes, ddof, keep, location), location);
}

template <Real T>
Tensor<T> detail::average(const Tensor<T>& x, const Tensor<T>& weights, const Axes& axes, KeepDims keep,
                          Location location)
{
    reduced_axes(x, axes, keep, "average", location);
    if (!broadcasts_to(weights.shape(), x.shape()))
    {
        throw ShapeError("average",
                         "weights of shape " + to_string(weights.shape()) + " do not broadcast to " +
                             to_string(x.shape()),
                         location);
    }
    const Tensor<T> w = broadcast_to(weights, x.shape(), location);
    return sum(x * Operand<T>(w, location), axes, keep, location) / Operand<T>(sum(w, axes, keep, location), location);
}

template <Real T>
Tensor<T> detail::norm_of_order(const char* operation, const Tensor<T>& x, double p, const Axes& axes, KeepDims keep,
                                Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, operation, location);
    if (std::isnan(p))
    {
        throw ValueError(operation, "p is not a number", location);
    }
    if (p == 0)
    {
        return apply(Sum{reduced}, location, abs(sign(x, location), location));
    }
    if (p == 1)
    {
        return apply(Sum{reduced}, location, abs(x, location));
    }
    if (std::isinf(p))
    {
        require_more_than(0, x.shape(), reduced, operation, location);
        const Tensor<T> magnitude = abs(x, location);
        return p > 0 ? apply(Extreme<true>{reduced}, location, magnitude)
                     : apply(Extreme<false>{reduced}, location, magnitude);
    }
    return apply(Norm{reduced, p}, location, x);
}

template <Real T>
Tensor<T> norm_lp(const Tensor<T>& x, double p, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm_lp", x, p, axes, keep, location);
}

template <Real T>
Tensor<T> norm(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm", x, 2, axes, keep, location);
}

template <Real T>
Tensor<T> norm_l0(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm_l0", x, 0, axes, keep, location);
}

template <Real T>
Tensor<T> norm_l1(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm_l1", x, 1, axes, keep, location);
}

template <Real T>
Tensor<T> norm_l2(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm_l2", x, 2, axes, keep, location);
}

template <Real T>
Tensor<T> norm_linf(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return detail::norm_of_order("norm_linf", x, std::numeric_limits<double>::infinity(), axes, keep, location);
}

template <Real T>
Tensor<T> norm_sq(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return apply(Sum{reduced_axes(x, axes, keep, "norm_sq", location)}, location, square(x, location));
}

template <Real T>
Tensor<T> renorm(const Tensor<T>& x, double p, std::ptrdiff_t axis, double most, Location location)
{
    const std::size_t kept = detail::normalize_axis(axis, x.dimension(), "renorm", location);
    if (!(p > 0))
    {
        throw ValueError("renorm", "p must be positive: got " + std::to_string(p), location);
    }
    if (!(most >= 0))
    {
        throw ValueError("renorm", "the largest norm must not be negative: got " + std::to_string(most), location);
    }
    if (x.size() == 0)
    {
        return x;
    }
    Axes others;
    for (std::size_t k = 0; k < x.dimension(); ++k)
    {
        if (k != kept)
        {
            others.push_back(static_cast<std::ptrdiff_t>(k));
        }
    }
    const Tensor<T> norms = others.empty() ? abs(x, location) : norm_lp(x, p, others, keep_dims, location);
    const Tensor<T> scale = Tensor<T>(most) / Operand<T>(norms + Operand<T>(1e-7, location), location);
    const Tensor<T> exceeds = formula::gt(norms, static_cast<T>(most)).ones;
    return x *
           Operand<T>(Tensor<T>::adopt(detail::where<T>(exceeds.node(), scale.node(), Tensor<T>(1).node(), location)),
                      location);
}

namespace
{

template <class T>
void require_one_for_each(std::size_t observations, const T& given, const char* what, Location location)
{
    if (given.shape() != Shape{observations})
    {
        throw ShapeError("cov",
                         std::string(what) + " must be one for each observation: got shape " +
                             to_string(given.shape()) + " for " + std::to_string(observations),
                         location);
    }
    if (std::any_of(given.data(), given.data() + given.size(), [](auto element) { return element < 0; }))
    {
        throw ValueError("cov", std::string(what) + " must not be negative", location);
    }
}

/// The rows of x as variables.
template <class T>
Tensor<T> variables(const Tensor<T>& x, const char* operation, Location location)
{
    if (x.dimension() > 2)
    {
        throw ShapeError(operation, "needs variables as rows of a matrix: got shape " + to_string(x.shape()), location);
    }
    return x.dimension() == 2 ? x : reshape(x, Shape{1, x.size()}, location);
}

}

template <Real T>
Tensor<T> cov(const Tensor<T>& x, const CovOptions<T>& options, Location location)
{
    const Tensor<T> rows = variables(x, "cov", location);
    const std::size_t observations = rows.shape(1);
    Tensor<T> weights = broadcast_to(Tensor<T>(1), Shape{observations}, location);
    if (options.frequencies)
    {
        require_one_for_each(observations, *options.frequencies, "frequencies", location);
        weights = Tensor<T>(options.frequencies->value());
    }
    if (options.weights)
    {
        require_one_for_each(observations, *options.weights, "weights", location);
        weights = *options.weights * Operand<T>(weights, location);
    }
    const Tensor<T> total = sum(weights, {}, {}, location);
    Tensor<T> divisor = total - Operand<T>(options.ddof, location);
    if (options.weights)
    {
        const Tensor<T> squares = sum(weights * Operand<T>(*options.weights, location), {}, {}, location);
        divisor =
            total - Operand<T>(squares * Operand<T>(options.ddof, location) / Operand<T>(total, location), location);
    }
    if (!(divisor.item() > 0))
    {
        throw ValueError("cov",
                         "needs more than ddof = " + std::to_string(options.ddof) + " observations: got " +
                             std::to_string(observations) + " in shape " + to_string(x.shape()),
                         location);
    }
    const Tensor<T> mean =
        sum(rows * Operand<T>(weights, location), 1, keep_dims, location) / Operand<T>(total, location);
    const Tensor<T> distance = rows - Operand<T>(mean, location);
    const Tensor<T> weighted = distance * Operand<T>(weights / Operand<T>(divisor, location), location);
    const Tensor<T> result = matmul(weighted, transpose(distance, {}, location), location);
    return rows.shape(0) == 1 ? reshape(result, Shape{}, location) : result;
}

template <Real T>
Tensor<T> corrcoef(const Tensor<T>& x, Location location)
{
    const Tensor<T> rows = variables(x, "corrcoef", location);
    require_more_than(1, rows.shape(), reduced_axes(rows, 1, {}, "corrcoef", location), "corrcoef", location);
    const Tensor<T> distance = rows - Operand<T>(mean(rows, 1, keep_dims, location), location);
    const Tensor<T> unit = distance / Operand<T>(norm(distance, 1, keep_dims, location), location);
    const Tensor<T> result = clip(matmul(unit, transpose(unit, {}, location), location), -1, 1, location);
    return rows.shape(0) == 1 ? reshape(result, Shape{}, location) : result;
}

template <Real T>
xt::xarray<std::int64_t> count_nonzero(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return judged_by_count<std::int64_t>("count_nonzero", x, axes, keep, location,
                                         [](double count) { return static_cast<std::int64_t>(count); });
}

template <Real T>
xt::xarray<bool> all_nonzero(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const auto all = static_cast<double>(reduced_axes(x, axes, keep, "all_nonzero", location).count(x.shape()));
    return judged_by_count<bool>("all_nonzero", x, axes, keep, location, [all](double count) { return count == all; });
}

template <Real T>
xt::xarray<bool> any_nonzero(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return judged_by_count<bool>("any_nonzero", x, axes, keep, location, [](double count) { return count != 0; });
}

namespace
{

/// Throws unless the lengths fit the axis.
void require_segments(const Indices& lengths, const Shape& shape, std::size_t axis, Location location)
{
    constexpr const char* operation = "segment_reduce";
    const std::size_t rank = lengths.dimension();
    const bool shared = rank == 1;
    if (!shared && (rank != axis + 1 || !std::equal(shape.begin(), shape.begin() + axis, lengths.shape().begin())))
    {
        throw ShapeError(operation,
                         "lengths must be one axis, behind the axes before axis " + std::to_string(axis) +
                             " unless they hold for all: got shape " + to_string(lengths.shape()) + " for " +
                             to_string(shape),
                         location);
    }
    const std::size_t segments = lengths.shape(rank - 1);
    const std::size_t rows = shared ? 1 : Shape(shape.begin(), shape.begin() + axis).elements();
    const std::int64_t* length = lengths.data();
    for (std::size_t row = 0; row < rows; ++row)
    {
        auto left = static_cast<std::int64_t>(shape[axis]);
        for (std::size_t s = 0; s < segments; ++s, ++length)
        {
            if (*length < 0 || *length > left)
            {
                throw ValueError(operation,
                                 "length " + std::to_string(*length) + " where " + std::to_string(left) +
                                     " elements are left along axis " + std::to_string(axis) + " of shape " +
                                     to_string(shape),
                                 location);
            }
            left -= *length;
        }
    }
}

/// Segments of the middle axis of x, filled up to the same length: (outer, segments, length, inner).
template <class T>
Tensor<T> padded_segments(const Tensor<T>& x, const Indices& lengths, T filler, Location location)
{
    const std::size_t outer = x.shape(0);
    const std::size_t inner = x.shape(2);
    const std::size_t segments = lengths.shape(lengths.dimension() - 1);
    // Where all are empty, the filler alone is what each is reduced to.
    const std::int64_t longest = std::max<std::int64_t>(1, *std::max_element(lengths.begin(), lengths.end()));
    const auto length = static_cast<std::size_t>(longest);
    Indices positions(Shape{outer, segments * length, inner});
    Tensor<T> inside = Tensor<T>::adopt(detail::new_node<T>(Shape{outer, segments, length, 1}));
    std::int64_t* position = positions.data();
    T* is_inside = inside.node()->template as<T>();
    for (std::size_t o = 0; o < outer; ++o)
    {
        const std::int64_t* row = lengths.data() + (lengths.dimension() == 1 ? 0 : o * segments);
        std::int64_t start = 0;
        for (std::size_t s = 0; s < segments; ++s)
        {
            for (std::int64_t j = 0; j < longest; ++j)
            {
                *is_inside++ = j < row[s] ? T(1) : T(0);
                position = std::fill_n(position, inner, j < row[s] ? start + j : 0);
            }
            start += row[s];
        }
    }
    const Tensor<T> taken = reshape(gather(x, 1, positions, location), Shape{outer, segments, length, inner}, location);
    return Tensor<T>::adopt(detail::where<T>(inside.node(), taken.node(), Tensor<T>(filler).node(), location));
}

}

template <Real T>
Tensor<T> segment_reduce(const Tensor<T>& x, SegmentReduction reduction, const Indices& lengths, std::ptrdiff_t axis,
                         std::optional<double> initial, Location location)
{
    using Kind = SegmentReduction;
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const std::size_t place = detail::normalize_axis(axis, x.dimension(), "segment_reduce", location);
    require_segments(lengths, x.shape(), place, location);
    Shape shape = x.shape();
    shape[place] = lengths.shape(lengths.dimension() - 1);
    const Tensor<T> lines = detail::Reduced{1U << place, false}.in_the_middle(x, location);
    const T neutral = reduction == Kind::max    ? -infinity
                      : reduction == Kind::min  ? infinity
                      : reduction == Kind::prod ? T(1)
                                                : T(0);
    const T start = initial ? static_cast<T>(*initial) : neutral;
    if (x.size() == 0 || lengths.size() == 0)
    {
        const T empty = reduction == Kind::mean && !initial ? std::numeric_limits<T>::quiet_NaN() : start;
        const Tensor<T> nothing = sum(lines, {}, {}, location);
        return broadcast_to(nothing + Operand<T>(empty, location), shape, location);
    }
    const Tensor<T> segments = padded_segments(lines, lengths, neutral, location);
    Tensor<T> result;
    switch (reduction)
    {
    case Kind::max:
        result = amax(segments, 2, {}, location);
        result = formula::select(formula::lt(result, start), start, result);
        break;
    case Kind::min:
        result = amin(segments, 2, {}, location);
        result = formula::select(formula::gt(result, start), start, result);
        break;
    case Kind::prod:
        result = prod(segments, 2, {}, location) * Operand<T>(start, location);
        break;
    case Kind::sum:
    case Kind::mean:
        result = sum(segments, 2, {}, location) + Operand<T>(start, location);
        break;
    }
    if (reduction == Kind::mean)
    {
        Shape counted = lengths.shape();
        counted.push_back(1);
        const Tensor<T> counts =
            reshape(Tensor<T>(lengths.value()),
                    lengths.dimension() == 1 ? counted : Shape{lines.shape(0), counted[place], 1}, location);
        const auto none = formula::eq(counts, T(0));
        const T empty = initial ? T(1) : T(0);
        result = result / Operand<T>(formula::select(none, empty, counts), location);
    }
    return reshape(result, shape, location);
}

detail::Total detail::total_of(const Operation& operation, const Attributes* attributes, const Shape& shape)
{
    const auto reduced = [&]<class Op>(const Op*) -> const Reduced*
    {
        const bool same =
            &operation == &operation_of<Op, float, float, 1> || &operation == &operation_of<Op, double, double, 1>;
        return same ? &attributes_of<Op>(attributes).reduced : nullptr;
    };
    const Reduced* const mean = reduced(static_cast<const Mean*>(nullptr));
    const Reduced* const sum = reduced(static_cast<const Sum*>(nullptr));
    const Reduced* const axes = mean != nullptr ? mean : sum;
    if (axes == nullptr || !axes->contiguous())
    {
        return Total::none;
    }
    if (axes->count(shape) == shape.elements())
    {
        return mean != nullptr ? Total::mean : Total::sum;
    }
    return sum != nullptr && axes->contains(0) ? Total::rows : Total::none;
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> sum(const Tensor<T>&, Axes, KeepDims, Location);                                                \
    template Tensor<T> mean(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> prod(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> amax(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> amin(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Indexed<T> max(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                                     \
    template Indexed<T> min(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                                     \
    template xt::xarray<std::int64_t> argmax(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                    \
    template xt::xarray<std::int64_t> argmin(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                    \
    template xt::xarray<std::int64_t> argmax(const Tensor<T>&, Location);                                              \
    template xt::xarray<std::int64_t> argmin(const Tensor<T>&, Location);                                              \
    template Tensor<T> variance(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                              \
    template Tensor<T> stddev(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                                \
    template Tensor<T> nansum(const Tensor<T>&, Axes, KeepDims, Location);                                             \
    template Tensor<T> nanprod(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> nanmean(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> nanvar(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                                \
    template Tensor<T> nanstd(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                                \
    template Tensor<T> detail::average(const Tensor<T>&, const Tensor<T>&, const Axes&, KeepDims, Location);           \
    template Tensor<T> detail::without_nan(const Tensor<T>&, T, Location);                                             \
    template Tensor<T> norm(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> detail::norm_of_order(const char*, const Tensor<T>&, double, const Axes&, KeepDims, Location);  \
    template Tensor<T> norm_lp(const Tensor<T>&, double, Axes, KeepDims, Location);                                    \
    template Tensor<T> norm_l0(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> norm_l1(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> norm_l2(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> norm_linf(const Tensor<T>&, Axes, KeepDims, Location);                                          \
    template Tensor<T> norm_sq(const Tensor<T>&, Axes, KeepDims, Location);                                            \
    template Tensor<T> renorm(const Tensor<T>&, double, std::ptrdiff_t, double, Location);                             \
    template Tensor<T> cov(const Tensor<T>&, const CovOptions<T>&, Location);                                          \
    template Tensor<T> corrcoef(const Tensor<T>&, Location);                                                           \
    template xt::xarray<std::int64_t> count_nonzero(const Tensor<T>&, Axes, KeepDims, Location);                       \
    template xt::xarray<bool> all_nonzero(const Tensor<T>&, Axes, KeepDims, Location);                                 \
    template xt::xarray<bool> any_nonzero(const Tensor<T>&, Axes, KeepDims, Location);                                 \
    template Tensor<T> segment_reduce(const Tensor<T>&, SegmentReduction, const Indices&, std::ptrdiff_t,              \
                                      std::optional<double>, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define REDUCTION(function)                                                                                            \
    EXAMPLE(function, all, distinct, ({2, 3, 2}), function(x[0]))                                                      \
    EXAMPLE(function, one, distinct, ({2, 3, 2}), function(x[0], 1))                                                   \
    EXAMPLE(function, last, distinct, ({2, 3}), function(x[0], -1))                                                    \
    EXAMPLE(function, several, distinct, ({2, 3, 2}), (function(x[0], {0, 2})))                                        \
    TRIAL(function, axes, ({2, 3, 2}), function(x[0], any.axes()))
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(prod)
REDUCTION(amax)
REDUCTION(amin)
REDUCTION(variance)
REDUCTION(stddev)
REDUCTION(nansum)
REDUCTION(nanprod)
REDUCTION(nanmean)
REDUCTION(nanvar)
REDUCTION(nanstd)
REDUCTION(norm)
#undef REDUCTION
EXAMPLE(sum, kept, distinct, ({2, 3}), sum(x[0], 0, keep_dims))
EXAMPLE(max, middle, distinct, ({2, 3, 2}), max(x[0], 1).values)
EXAMPLE(min, kept, distinct, ({2, 3}), min(x[0], -1, keep_dims).values)
EXAMPLE(variance, unbiased, distinct, ({2, 3}), variance(x[0], 1, 1, keep_dims))
EXAMPLE(average, own, distinct, ({2, 3}, {2, 3}), average(x[0] + 3, x[1] + 5))
EXAMPLE(average, shared, distinct, ({2, 3}, {3}), average(x[0], x[1] + 5, -1))
EXAMPLE(norm_l0, last, distinct, ({2, 3}), norm_l0(x[0], 1))
EXAMPLE(norm_l1, last, distinct, ({2, 3}), norm_l1(x[0], 1))
EXAMPLE(norm_l2, last, distinct, ({2, 3}), norm_l2(x[0], 1))
EXAMPLE(norm_lp, general, distinct, ({2, 3}), norm_lp(x[0], 3.5, 0, keep_dims))
EXAMPLE(norm_lp, negative, distinct, ({2, 3}), norm_lp(x[0], -1.5, {0, 1}))
EXAMPLE(norm_linf, last, distinct, ({2, 3}), norm_linf(x[0], 1))
EXAMPLE(norm_lp, smallest, distinct, ({2, 3}), norm_lp(x[0], -std::numeric_limits<double>::infinity(), 1))
EXAMPLE(norm_sq, last, distinct, ({2, 3}), norm_sq(x[0], -1))
EXAMPLE(renorm, some, distinct, ({3, 2, 2}), renorm(x[0], 3, 0, 2.4))
EXAMPLE(cov, plain, distinct, ({2, 4}), cov(x[0]))
EXAMPLE(cov, weighted, distinct, ({2, 3}, {3}),
        cov(x[0], {.ddof = 0, .frequencies = Indices{1, 3, 2}, .weights = x[1] + 4}))
EXAMPLE(corrcoef, rows, distinct, ({2, 4}), corrcoef(x[0]))
EXAMPLE(segment_reduce, sum, distinct, ({5, 2}), segment_reduce(x[0], SegmentReduction::sum, {2, 0, 3}))
EXAMPLE(segment_reduce, mean, distinct, ({2, 4}), segment_reduce(x[0], SegmentReduction::mean, {3, 1}, 1))
EXAMPLE(segment_reduce, max, distinct, ({5}), segment_reduce(x[0], SegmentReduction::max, {1, 2, 2}))
EXAMPLE(segment_reduce, min, distinct, ({5}), segment_reduce(x[0], SegmentReduction::min, {5, 0}, 0, 9))
EXAMPLE(segment_reduce, prod, distinct, ({5}), segment_reduce(x[0], SegmentReduction::prod, {2, 3}, 0, 2))

TRIAL(max, any, ({2, 3}), max(x[0], any.axis(), {any.flag()}).values)
TRIAL(average, axes, ({2, 3}, {3}), average(x[0], x[1], any.axes()))
TRIAL(variance, ddof, ({2, 3}), variance(x[0], any.axes(), any.below(4), {any.flag()}))
TRIAL(norm_lp, any, ({2, 3}), norm_lp(x[0], any.number(), any.axes(), {any.flag()}))
TRIAL(renorm, any, ({2, 3}), renorm(x[0], any.number(), any.axis(), any.number()))
static const Trial cov_trial{"cov",
                             {{2, 3}, {3}},
                             [](const auto& x, Arbitrary& any)
                             {
                                 using T = typename std::remove_cvref_t<decltype(x[0])>::value_type;
                                 CovOptions<T> options{.ddof = any.below(4)};
                                 if (any.flag())
                                 {
                                     options.weights = x[1];
                                 }
                                 if (any.flag())
                                 {
                                     options.frequencies = any.indices();
                                 }
                                 return cov(x[0], options);
                             }};
static const Trial segment_trial{
    "segment_reduce",
    {{2, 3}},
    [](const auto& x, Arbitrary& any)
    {
        using enum SegmentReduction;
        const Indices lengths = any.flag() ? any.indices() : Indices{2, 1};
        return segment_reduce(x[0], any.one_of({sum, mean, max, min, prod}), lengths, any.axis(), any.number());
    }};

static constexpr Names reduction_names[] = {
    {"sum", "sum", "sum", "sum"},
    {"mean", "mean", "mean", "mean"},
    {"prod", "prod", "prod", "prod"},
    {"amax", "amax", "amax", "amax, max"},
    {"amin", "amin", "amin", "amin, min"},
    {"max", nullptr, nullptr, "max"},
    {"min", nullptr, nullptr, "min"},
    {"argmax", "argmax", "argmax", "argmax"},
    {"argmin", "argmin", "argmin", "argmin"},
    {"variance", "variance", "var", "var"},
    {"stddev", "stddev", "std", "std"},
    {"nansum", "nansum", "nansum", "nansum"},
    {"nanprod", "nanprod", "nanprod", nullptr},
    {"nanmean", "nanmean", "nanmean", "nanmean"},
    {"nanvar", "nanvar", "nanvar", nullptr},
    {"nanstd", "nanstd", "nanstd", nullptr},
    {"average", "average", "average", nullptr},
    {"norm", "norm_l2", "linalg.norm", "norm, linalg.vector_norm"},
    {"norm_lp", "norm_lp", "linalg.norm", "norm, linalg.vector_norm"},
    {"norm_l0", "norm_l0", "linalg.norm", nullptr},
    {"norm_l1", "norm_l1", "linalg.norm", nullptr},
    {"norm_l2", "norm_l2", "linalg.norm", nullptr},
    {"norm_linf", "norm_linf", "linalg.norm", nullptr},
    {"norm_sq", "norm_sq", nullptr, nullptr},
    {"renorm", nullptr, nullptr, "renorm"},
    {"cov", "cov", "cov", "cov"},
    {"corrcoef", nullptr, "corrcoef", "corrcoef"},
    {"count_nonzero", "count_nonzero", "count_nonzero", "count_nonzero"},
    {"all_nonzero", "all", "all", "all"},
    {"any_nonzero", "any", "any", "any"},
    {"segment_reduce", nullptr, nullptr, "segment_reduce"},
};
static const NameTable reduction_table{"Reductions", reduction_names};

void detail::reduction_family() noexcept {}

}
