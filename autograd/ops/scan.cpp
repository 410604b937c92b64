#include <autograd/batching.hpp>
#include <autograd/derive.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/kernels/lines.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/scan.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>

namespace autograd
{

namespace
{

using detail::axis_of;
using detail::for_each_tile;
using detail::Lines;
using detail::Reads;
using detail::Tile;

/// The primitives below work on the middle one of three axes.
constexpr std::size_t middle = 1;

template <class T>
Tensor<T> with_three_axes(const Tensor<T>& x, std::size_t axis, Location location)
{
    const Lines lines(x.shape(), axis);
    return reshape(x, Shape{lines.outer, lines.count, lines.inner}, location);
}

/// A scan of x along an axis.
template <class Op, class T>
Tensor<T> scan_along(const Op& op, const Tensor<T>& x, std::ptrdiff_t axis, const char* operation, Location location)
{
    const std::size_t place = axis_of(x.shape(), axis, operation, location);
    return reshape(apply(op, location, with_three_axes(x, place, location)), x.shape(), location);
}

/// The elements but the first, and those but the last.
/// @{
template <class T>
Tensor<T> but_first(const Tensor<T>& x, std::size_t axis, Location location = {})
{
    return slice(x, static_cast<std::ptrdiff_t>(axis), range(1, xt::placeholders::_), location);
}
template <class T>
Tensor<T> but_last(const Tensor<T>& x, std::size_t axis, Location location = {})
{
    return slice(x, static_cast<std::ptrdiff_t>(axis), range(xt::placeholders::_, -1), location);
}
/// @}

enum class Direction
{
    forward,
    backward
};

constexpr Direction opposite(Direction direction)
{
    return direction == Direction::forward ? Direction::backward : Direction::forward;
}

/// In place of each element the one that comes before it in this direction, or `first` where there is none.
template <class T>
Tensor<T> predecessors(const Tensor<T>& x, Direction direction, T first)
{
    if (x.shape(middle) == 0)
    {
        return x;
    }
    const Tensor<T> edge = broadcast_to(Tensor<T>(first), Shape{x.shape(0), 1, x.shape(2)}, Location{});
    return direction == Direction::forward ? concatenate({edge, but_last(x, middle)}, middle, Location{})
                                           : concatenate({but_first(x, middle), edge}, middle, Location{});
}

/// Goes along the lines: state = step(state, place in the array, number along the line), from `initial`. Several lines side
/// by side, so that a step need not wait for the one before it.
template <class State, class Step>
void scan_lines(const Lines& lines, Direction direction, const State& initial, const Step& step)
{
    const auto scan =
        [&](std::size_t first, std::size_t count, std::size_t stride, std::size_t columns, std::size_t distance)
    {
        std::array<State, Tile::most> states;
        std::fill_n(states.begin(), columns, initial);
        for (std::size_t k = 0; k < count; ++k)
        {
            const std::size_t j = direction == Direction::forward ? k : count - 1 - k;
            for (std::size_t c = 0; c < columns; ++c)
            {
                states[c] = step(states[c], first + j * stride + c * distance, j);
            }
        }
    };
    if (lines.inner != 1)
    {
        for_each_tile(lines, [&](const Tile& tile) { scan(tile.first, tile.count, tile.stride, tile.columns, 1); });
        return;
    }
    constexpr std::size_t together = 8;
    detail::parallel_for(lines.outer, {1 + detail::elements_worth_a_thread / (1 + lines.count), together},
                         [&](std::size_t begin, std::size_t end)
                         {
                             for (; begin + together <= end; begin += together)
                             {
                                 scan(begin * lines.count, lines.count, 1, together, lines.count);
                             }
                             for (; begin < end; ++begin)
                             {
                                 scan(begin * lines.count, lines.count, 1, 1, lines.count);
                             }
                         });
}

struct CumSum
{
    static constexpr const char* name = "cumsum";
    bool operator==(const CumSum&) const = default;
    static constexpr bool multilinear = true;
    Direction direction;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        scan_lines(Lines(x.shape(), middle), direction, 0.0,
                   [in = x.data(), out = y.node()->template as<T>()](double sum, std::size_t p, std::size_t)
                   {
                       sum += static_cast<double>(in[p]);
                       out[p] = static_cast<T>(sum);
                       return sum;
                   });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        return apply(CumSum{opposite(direction)}, Location{}, dy);
    }
};

/// y_j = b_j + a_j y_(j-1), where y_(-1) is 0. Its gradients are such recurrences in the opposite direction, so gradients
/// of whatever can be written by it need no division and no difference.
struct Recurrence
{
    static constexpr const char* name = "recurrence";
    bool operator==(const Recurrence&) const = default;
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }
    Direction direction;

    template <class T>
    Tensor<T> value(const Tensor<T>& a, const Tensor<T>& b) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(b.shape()));
        scan_lines(Lines(b.shape(), middle), direction, T(0),
                   [factor = a.data(), term = b.data(), out = y.node()->template as<T>()](
                       T before, std::size_t p, std::size_t) { return out[p] = term[p] + factor[p] * before; });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& a, const Tensor<T>& b) const
    {
        return pullback(Wrt<1>{}, dy, y, a, b) * predecessors(y, direction, T(0));
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>&) const
    {
        const Direction back = opposite(direction);
        return apply(Recurrence{back}, Location{}, predecessors(a, back, T(0)), dy);
    }
};

struct CumProd
{
    static constexpr const char* name = "cumprod";
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        scan_lines(Lines(x.shape(), middle), Direction::forward, T(1),
                   [in = x.data(), out = y.node()->template as<T>()](T product, std::size_t p, std::size_t)
                   { return out[p] = product * in[p]; });
        return y;
    }
    // dx_k = (x_0 ... x_(k-1)) g_k, where g_k = dy_k + x_(k+1) g_(k+1): no division by x, which may be 0.
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        return predecessors(y, Direction::forward, T(1)) *
               apply(Recurrence{Direction::backward}, Location{}, predecessors(x, Direction::backward, T(0)), dy);
    }
};

double log_add_exp(double a, double b)
{
    const double larger = a > b || std::isnan(a) ? a : b;
    const double smaller = larger == a ? b : a;
    return std::isinf(larger) && larger == smaller ? larger : larger + std::log1p(std::exp(smaller - larger));
}

struct LogCumSumExp
{
    static constexpr const char* name = "logcumsumexp";
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        scan_lines(Lines(x.shape(), middle), Direction::forward, -std::numeric_limits<double>::infinity(),
                   [in = x.data(), out = y.node()->template as<T>()](double sum, std::size_t p, std::size_t)
                   {
                       sum = log_add_exp(sum, static_cast<double>(in[p]));
                       out[p] = static_cast<T>(sum);
                       return sum;
                   });
        return y;
    }
    // dx_k = e^(x_k - y_k) g_k, where g_k = dy_k + e^(y_k - y_(k+1)) g_(k+1): no exponent is positive. Where y is still
    // -inf, x weighs nothing.
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        constexpr T infinity = std::numeric_limits<T>::infinity();
        const auto nothing = formula::eq(y, -infinity);
        const auto weight = [&](const Tensor<T>& exponent)
        { return formula::select(nothing, T(0), exp(formula::select(nothing, T(0), exponent), Location{})); };
        const Tensor<T> ratio = weight(y - predecessors(y, Direction::backward, infinity));
        return weight(x - y) * apply(Recurrence{Direction::backward}, Location{}, ratio, dy);
    }
};

constexpr auto scan_on_batch = [](const auto& op, const auto& batch) { return batch.as_stack(op); };
const detail::Batching<CumSum, 1> cumsum_batching(scan_on_batch);
const detail::Batching<Recurrence, 2> recurrence_batching(scan_on_batch);
const detail::Batching<CumProd, 1> cumprod_batching(scan_on_batch);
const detail::Batching<LogCumSumExp, 1> logcumsumexp_batching(scan_on_batch);

/// An element, and where it stands.
template <class T>
struct Candidate
{
    T value;
    std::int64_t index;
};

template <class Better, class T>
Indexed<T> running_extreme(const Tensor<T>& x, std::ptrdiff_t axis, const char* operation, Location location)
{
    const std::size_t place = axis_of(x.shape(), axis, operation, location);
    detail::note_decision(x.node(), operation, location);
    Indices indices(x.shape());
    scan_lines(Lines(x.shape(), place), Direction::forward, Candidate<T>{T(0), -1},
               [in = x.data(), out = indices.data()](Candidate<T> best, std::size_t p, std::size_t j)
               {
                   if (best.index < 0 || std::isnan(in[p]) || Better{}(in[p], best.value))
                   {
                       best = {in[p], static_cast<std::int64_t>(j)};
                   }
                   out[p] = best.index;
                   return best;
               });
    return {gather(x, static_cast<std::ptrdiff_t>(place), indices, location), indices.value()};
}

}

template <Real T>
Tensor<T> cumsum(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return scan_along(CumSum{Direction::forward}, x, axis, "cumsum", location);
}

template <Real T>
Tensor<T> cumsum(const Tensor<T>& x, Location location)
{
    return cumsum(flatten(x, location), 0, location);
}

template <Real T>
Tensor<T> cumprod(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return scan_along(CumProd{}, x, axis, "cumprod", location);
}

template <Real T>
Tensor<T> cumprod(const Tensor<T>& x, Location location)
{
    return cumprod(flatten(x, location), 0, location);
}

template <Real T>
Tensor<T> nancumsum(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return scan_along(CumSum{Direction::forward}, detail::without_nan(x, T(0), location), axis, "nancumsum", location);
}

template <Real T>
Tensor<T> nancumprod(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return scan_along(CumProd{}, detail::without_nan(x, T(1), location), axis, "nancumprod", location);
}

template <Real T>
Tensor<T> logcumsumexp(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return scan_along(LogCumSumExp{}, x, axis, "logcumsumexp", location);
}

template <Real T>
Indexed<T> cummax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return running_extreme<std::greater_equal<T>>(x, axis, "cummax", location);
}

template <Real T>
Indexed<T> cummin(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return running_extreme<std::less_equal<T>>(x, axis, "cummin", location);
}

template <Real T>
Tensor<T> diff(const Tensor<T>& x, std::size_t n, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = detail::normalize_axis(axis, x.dimension(), "diff", location);
    Tensor<T> result = x;
    for (std::size_t k = std::min(n, x.shape(place)); k > 0; --k)
    {
        result = but_first(result, place, location) - Operand<T>(but_last(result, place, location), location);
    }
    return result;
}

namespace
{

/// The areas between neighbouring samples, for unit distances.
template <class T>
Tensor<T> means_of_neighbours(const Tensor<T>& y, std::size_t axis, Location location)
{
    const Tensor<T> sum = but_first(y, axis, location) + Operand<T>(but_last(y, axis, location), location);
    return sum * Operand<T>(0.5, location);
}

/// The areas between neighbouring samples at positions x.
template <class T>
Tensor<T> areas(const Tensor<T>& y, const Tensor<T>& x, std::size_t axis, const char* operation, Location location)
{
    Shape shape;
    const std::size_t rank = y.dimension();
    if (x.dimension() == 1 && rank > 1)
    {
        for (std::size_t k = 0; k < rank; ++k)
        {
            shape.push_back(k == axis ? x.size() : 1);
        }
    }
    else if (x.dimension() <= rank)
    {
        for (std::size_t k = 0; k < rank; ++k)
        {
            const std::size_t lead = rank - x.dimension();
            shape.push_back(k < lead ? 1 : x.shape(k - lead));
        }
    }
    if (shape.rank() != rank || shape[axis] != y.shape(axis) || !broadcasts_to(shape, y.shape()))
    {
        throw ShapeError(operation,
                         "positions of shape " + to_string(x.shape()) + " do not fit samples of shape " +
                             to_string(y.shape()) + " along axis " + std::to_string(axis),
                         location);
    }
    return diff(reshape(x, shape, location), 1, static_cast<std::ptrdiff_t>(axis), location) *
           Operand<T>(means_of_neighbours(y, axis, location), location);
}

}

template <Real T>
Tensor<T> trapz(const Tensor<T>& y, double dx, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = detail::normalize_axis(axis, y.dimension(), "trapz", location);
    return sum(means_of_neighbours(y, place, location), place, {}, location) * Operand<T>(dx, location);
}

template <Real T>
Tensor<T> cumulative_trapezoid(const Tensor<T>& y, double dx, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = detail::normalize_axis(axis, y.dimension(), "cumulative_trapezoid", location);
    return cumsum(means_of_neighbours(y, place, location), static_cast<std::ptrdiff_t>(place), location) *
           Operand<T>(dx, location);
}

template <Real T>
Tensor<T> detail::trapz_at(const Tensor<T>& y, const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place = normalize_axis(axis, y.dimension(), "trapz", location);
    return sum(areas(y, x, place, "trapz", location), place, {}, location);
}

template <Real T>
Tensor<T> detail::cumulative_trapezoid_at(const Tensor<T>& y, const Tensor<T>& x, std::ptrdiff_t axis,
                                          Location location)
{
    const std::size_t place = normalize_axis(axis, y.dimension(), "cumulative_trapezoid", location);
    return cumsum(areas(y, x, place, "cumulative_trapezoid", location), static_cast<std::ptrdiff_t>(place), location);
}

namespace
{

/// The derivative at u of the parabola, or the line where there are only two, through samples at these coordinates, as
/// weights of the samples.
std::vector<double> derivative_weights(std::span<const double> at, double u)
{
    if (at.size() == 2)
    {
        return {1 / (at[0] - at[1]), 1 / (at[1] - at[0])};
    }
    const double left = at[1] - at[0];
    const double right = at[2] - at[1];
    return {(2 * u - at[1] - at[2]) / (left * (left + right)), (at[0] + at[2] - 2 * u) / (left * right),
            (2 * u - at[0] - at[1]) / (right * (left + right))};
}

}

template <Real T>
Tensor<T> central_differences(const Tensor<T>& samples, std::ptrdiff_t axis, const Sampling& sampling,
                              Location location)
{
    constexpr const char* operation = "central_differences";
    const std::size_t place = detail::normalize_axis(axis, samples.dimension(), operation, location);
    const std::size_t count = samples.shape(place);
    std::vector<double> at = sampling.coordinates;
    if (sampling.edge_order != 1 && sampling.edge_order != 2)
    {
        throw ValueError(operation, "edge_order must be 1 or 2: got " + std::to_string(sampling.edge_order), location);
    }
    if (count <= sampling.edge_order)
    {
        throw ValueError(operation,
                         "needs at least " + std::to_string(sampling.edge_order + 1) + " samples: got " +
                             std::to_string(count) + " along axis " + std::to_string(place) + " of shape " +
                             to_string(samples.shape()),
                         location);
    }
    if (!at.empty() && at.size() != count)
    {
        throw ShapeError(operation,
                         std::to_string(at.size()) + " coordinates for " + std::to_string(count) +
                             " samples along axis " + std::to_string(place) + " of shape " + to_string(samples.shape()),
                         location);
    }
    for (std::size_t j = 0; at.size() < count; ++j)
    {
        at.push_back(static_cast<double>(j) * sampling.spacing);
    }
    for (std::size_t j = 1; j < count; ++j)
    {
        if (at[j] == at[j - 1])
        {
            throw ValueError(operation,
                             "samples " + std::to_string(j - 1) + " and " + std::to_string(j) +
                                 " stand at the same place, " + std::to_string(at[j]),
                             location);
        }
    }
    const Tensor<T> x = with_three_axes(samples, place, location);
    const auto stretch = [&](std::size_t start, std::size_t length)
    { return narrow(x, middle, static_cast<std::ptrdiff_t>(start), static_cast<std::ptrdiff_t>(length), location); };
    const auto end = [&](std::size_t start, double u)
    {
        const std::vector<double> weights =
            derivative_weights(std::span(at).subspan(start, sampling.edge_order + 1), u);
        Tensor<T> result = stretch(start, 1) * Operand<T>(weights[0], location);
        for (std::size_t k = 1; k < weights.size(); ++k)
        {
            result = result + Operand<T>(stretch(start + k, 1) * Operand<T>(weights[k], location), location);
        }
        return result;
    };
    std::vector<Tensor<T>> parts{end(0, at.front())};
    if (count > 2)
    {
        xt::xarray<double> weights = xt::zeros<double>({std::size_t{3}, count - 2, std::size_t{1}});
        for (std::size_t j = 0; j + 2 < count; ++j)
        {
            const std::vector<double> three = derivative_weights(std::span(at).subspan(j, 3), at[j + 1]);
            for (std::size_t k = 0; k < 3; ++k)
            {
                weights(k, j, 0) = three[k];
            }
        }
        const Tensor<T> w(weights);
        const auto term = [&](std::size_t k)
        { return stretch(k, count - 2) * Operand<T>(view(w, Slice(k, location)), location); };
        parts.push_back(term(0) + Operand<T>(term(1), location) + Operand<T>(term(2), location));
    }
    parts.push_back(end(count - 1 - sampling.edge_order, at.back()));
    return reshape(concatenate(parts, middle, location), samples.shape(), location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> cumsum(const Tensor<T>&, std::ptrdiff_t, Location);                                             \
    template Tensor<T> cumsum(const Tensor<T>&, Location);                                                             \
    template Tensor<T> cumprod(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Tensor<T> cumprod(const Tensor<T>&, Location);                                                            \
    template Tensor<T> nancumsum(const Tensor<T>&, std::ptrdiff_t, Location);                                          \
    template Tensor<T> nancumprod(const Tensor<T>&, std::ptrdiff_t, Location);                                         \
    template Tensor<T> logcumsumexp(const Tensor<T>&, std::ptrdiff_t, Location);                                       \
    template Indexed<T> cummax(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Indexed<T> cummin(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Tensor<T> diff(const Tensor<T>&, std::size_t, std::ptrdiff_t, Location);                                  \
    template Tensor<T> trapz(const Tensor<T>&, double, std::ptrdiff_t, Location);                                      \
    template Tensor<T> cumulative_trapezoid(const Tensor<T>&, double, std::ptrdiff_t, Location);                       \
    template Tensor<T> detail::trapz_at(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, Location);                 \
    template Tensor<T> detail::cumulative_trapezoid_at(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, Location);  \
    template Tensor<T> central_differences(const Tensor<T>&, std::ptrdiff_t, const Sampling&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define SCAN(function)                                                                                                 \
    EXAMPLE(function, middle, distinct, ({2, 3, 2}), function(x[0], 1))                                                \
    EXAMPLE(function, last, distinct, ({2, 4}), function(x[0], -1))                                                    \
    TRIAL(function, axis, ({2, 3, 2}), function(x[0], any.axis()))
SCAN(cumsum)
SCAN(cumprod)
SCAN(nancumsum)
SCAN(nancumprod)
SCAN(logcumsumexp)
#undef SCAN
EXAMPLE(cumsum, flat, distinct, ({2, 3}), cumsum(x[0]))
EXAMPLE(cumprod, flat, distinct, ({2, 3}), cumprod(x[0]))
EXAMPLE(cummax, middle, distinct, ({2, 4, 2}), cummax(x[0], 1).values)
EXAMPLE(cummin, last, distinct, ({2, 4}), cummin(x[0], -1).values)
EXAMPLE(diff, twice, distinct, ({2, 4, 2}), diff(x[0], 2, 1))
EXAMPLE(trapz, spaced, distinct, ({2, 4}), trapz(x[0], 0.5))
EXAMPLE(trapz, shared_positions, distinct, ({3, 2}, {3}), trapz(x[0], x[1], 0))
EXAMPLE(trapz, own_positions, distinct, ({2, 3}, {2, 3}), trapz(x[0], x[1]))
EXAMPLE(cumulative_trapezoid, spaced, distinct, ({2, 4}), cumulative_trapezoid(x[0], 0.5))
EXAMPLE(cumulative_trapezoid, positions, distinct, ({3, 2}, {3}), cumulative_trapezoid(x[0], x[1], 0))
EXAMPLE(central_differences, spaced, distinct, ({2, 4}),
        central_differences(x[0], -1, {.spacing = 0.5, .edge_order = 2}))
EXAMPLE(central_differences, placed, distinct, ({4, 2}), central_differences(x[0], 0, {.coordinates = {0, 1, 3, 4.5}}))

TRIAL(cummax, axis, ({2, 3}), cummax(x[0], any.axis()).values)
TRIAL(diff, any, ({2, 3}), diff(x[0], static_cast<std::size_t>(any.integer()), any.axis()))
TRIAL(trapz, axis, ({2, 3}, {3}), trapz(x[0], x[1], any.axis()))
static const Trial central_differences_trial{"central_differences",
                                             {{2, 3}},
                                             [](const auto& x, Arbitrary& any)
                                             {
                                                 Sampling sampling{.spacing = any.number(), .edge_order = any.below(4)};
                                                 for (std::size_t k = any.flag() ? 3 : 0; k > 0; --k)
                                                 {
                                                     sampling.coordinates.push_back(any.number());
                                                 }
                                                 return central_differences(x[0], any.axis(), sampling);
                                             }};

static constexpr Names scan_names[] = {
    {"cumsum", "cumsum", "cumsum", "cumsum"},
    {"cumprod", "cumprod", "cumprod", "cumprod"},
    {"nancumsum", "nancumsum", "nancumsum", nullptr},
    {"nancumprod", "nancumprod", "nancumprod", nullptr},
    {"logcumsumexp", nullptr, nullptr, "logcumsumexp"},
    {"cummax", nullptr, "maximum.accumulate", "cummax"},
    {"cummin", nullptr, "minimum.accumulate", "cummin"},
    {"diff", "diff", "diff", "diff"},
    {"trapz", "trapz", "trapezoid", "trapezoid, trapz"},
    {"cumulative_trapezoid", nullptr, "integrate.cumulative_trapezoid", "cumulative_trapezoid"},
    {"central_differences", nullptr, "gradient", "gradient"},
};
static const NameTable scan_table{"Scans, differences, integrals", scan_names};

void detail::scan_family() noexcept {}

}
