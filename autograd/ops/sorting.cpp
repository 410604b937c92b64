#include <autograd/derive.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/kernels/lines.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/ops/sorting.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace autograd
{

namespace
{

using detail::axis_of;
using detail::Lines;
using detail::Reduced;

/// An element of a line as an unsigned number of the same order, and where it stands: equal ones keep their order. NaN
/// counts as greater than all numbers.
template <class T>
struct Candidate
{
    using Key = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
    static constexpr Key nan = ~Key(0);

    Candidate() = default;
    Candidate(T value, std::size_t index, Order order) : index(static_cast<std::int64_t>(index))
    {
        // Added to 0, the negative zero is the other one. Without the sign, negative numbers have the opposite order.
        constexpr Key sign = Key(1) << (8 * sizeof(T) - 1);
        const Key bits = std::bit_cast<Key>(value + T(0));
        const Key ascending = std::isnan(value) ? nan : (bits & sign) != 0 ? ~bits : bits | sign;
        key = order == Order::ascending ? ascending : ~ascending;
    }

    friend bool operator<(const Candidate& a, const Candidate& b) noexcept
    {
        return (a.key < b.key) | ((a.key == b.key) & (a.index < b.index));
    }

    Key key;
    std::int64_t index;
};

/// Which elements are chosen along an axis: choose(line), of candidates in this order, brings them to the front of it. The
/// axis stays, with as many of them as its extent.
template <class T, class Choose>
Indices chosen_along(const Tensor<T>& x, std::size_t axis, std::size_t kept, Order order, const Choose& choose)
{
    Shape shape = x.shape();
    if (shape.rank() != 0)
    {
        shape[axis] = kept;
    }
    Indices positions(shape);
    detail::for_each_tile(Lines(x.shape(), axis),
                          [&choose, kept, order, in = x.data(), out = positions.data()](const detail::Tile& tile)
                          {
                              std::vector<Candidate<T>> line(tile.count);
                              for (std::size_t c = 0; c < tile.columns; ++c)
                              {
                                  for (std::size_t j = 0; j < tile.count; ++j)
                                  {
                                      line[j] = {in[tile.first + j * tile.stride + c], j, order};
                                  }
                                  choose(std::span(line));
                                  const std::size_t number = tile.line + c;
                                  std::int64_t* place =
                                      out + number / tile.stride * tile.stride * kept + number % tile.stride;
                                  for (std::size_t j = 0; j < kept; ++j)
                                  {
                                      place[j * tile.stride] = line[j].index;
                                  }
                              }
                          });
    return positions;
}

template <class T>
Indices order_along(const Tensor<T>& x, std::size_t axis, Order order)
{
    const std::size_t count = x.dimension() == 0 ? 1 : x.shape(axis);
    return chosen_along(x, axis, count, order,
                        [](std::span<Candidate<T>> line) { std::sort(line.begin(), line.end()); });
}

/// Brings the element of this rank, from 0, to the front.
template <class T>
void choose_rank(std::span<Candidate<T>> line, std::size_t rank)
{
    std::nth_element(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(rank), line.end());
    std::swap(line[0], line[rank]);
}

template <class T>
void choose_mode(std::span<Candidate<T>> line)
{
    std::sort(line.begin(), line.end());
    std::size_t best = 0;
    std::size_t most = 0;
    std::size_t run = 0;
    for (std::size_t j = 0; j < line.size(); ++j)
    {
        ++run;
        if (j + 1 == line.size() || line[j].key != line[j + 1].key || line[j].key == Candidate<T>::nan)
        {
            best = run > most ? j : best;
            most = std::max(most, run);
            run = 0;
        }
    }
    std::swap(line[0], line[best]);
}

template <class T>
void choose_median(std::span<Candidate<T>> line, bool skip_nan)
{
    const auto numbers = std::stable_partition(
        line.begin(), line.end(), [](const Candidate<T>& element) { return element.key != Candidate<T>::nan; });
    const auto count = static_cast<std::size_t>(numbers - line.begin());
    if (count == line.size() || (skip_nan && count != 0))
    {
        choose_rank(line.first(count), (count - 1) / 2);
    }
    else
    {
        std::swap(line[0], line[count]);
    }
}

template <class T, class Choose>
Indexed<T> choose_one(const char* operation, const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location,
                      const Choose& choose)
{
    const std::size_t place = axis_of(x.shape(), axis, operation, location);
    detail::require_more_than(0, x.shape(), detail::reduced_axes(x, axis, keep, operation, location), operation,
                              location);
    detail::note_decision(x.node(), operation, location);
    return detail::indexed(x, chosen_along(x, place, 1, Order::ascending, choose), place, keep.keep, location);
}

}

template <Real T>
Tensor<T> sort(const Tensor<T>& x, std::ptrdiff_t axis, Order order, Location location)
{
    const std::size_t place = axis_of(x.shape(), axis, "sort", location);
    detail::note_decision(x.node(), "sort", location);
    return gather(x, static_cast<std::ptrdiff_t>(place), order_along(x, place, order), location);
}

template <Real T>
xt::xarray<std::int64_t> argsort(const Tensor<T>& x, std::ptrdiff_t axis, Order order, Location location)
{
    detail::note_decision(x.node(), "argsort", location);
    return order_along(x, axis_of(x.shape(), axis, "argsort", location), order).value();
}

template <Real T>
Indexed<T> topk(const Tensor<T>& x, std::size_t k, std::ptrdiff_t axis, Order order, Location location)
{
    const std::size_t place = axis_of(x.shape(), axis, "topk", location);
    const std::size_t count = x.dimension() == 0 ? 1 : x.shape(place);
    if (k > count || (x.dimension() == 0 && k == 0))
    {
        throw ValueError("topk",
                         "k = " + std::to_string(k) + " of " + std::to_string(count) + " elements along axis " +
                             std::to_string(place) + " of shape " + to_string(x.shape()),
                         location);
    }
    const Indices positions =
        chosen_along(x, place, k, order,
                     [k](std::span<Candidate<T>> line)
                     { std::partial_sort(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(k), line.end()); });
    detail::note_decision(x.node(), "topk", location);
    return detail::indexed(x, positions, place, true, location);
}

template <Real T>
Indexed<T> kthvalue(const Tensor<T>& x, std::size_t k, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    const std::size_t place = axis_of(x.shape(), axis, "kthvalue", location);
    const std::size_t count = x.dimension() == 0 ? 1 : x.shape(place);
    if (k == 0 || k > count)
    {
        throw ValueError("kthvalue",
                         "k must be from 1 to " + std::to_string(count) + " for axis " + std::to_string(place) +
                             " of shape " + to_string(x.shape()) + ": got " + std::to_string(k),
                         location);
    }
    return choose_one("kthvalue", x, axis, keep, location,
                      [k](std::span<Candidate<T>> line) { choose_rank(line, k - 1); });
}

template <Real T>
Indexed<T> mode(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return choose_one("mode", x, axis, keep, location, [](std::span<Candidate<T>> line) { choose_mode(line); });
}

template <Real T>
Indexed<T> median_low(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return choose_one("median_low", x, axis, keep, location,
                      [](std::span<Candidate<T>> line) { choose_median(line, false); });
}

template <Real T>
Indexed<T> nanmedian_low(const Tensor<T>& x, std::ptrdiff_t axis, KeepDims keep, Location location)
{
    return choose_one("nanmedian_low", x, axis, keep, location,
                      [](std::span<Candidate<T>> line) { choose_median(line, true); });
}

namespace
{

/// The element of this rank of a line, for lines in order along the middle one of three axes.
template <class T>
T ranked(const Tensor<T>& sorted, std::size_t line, std::size_t rank)
{
    const Lines lines(sorted.shape(), 1);
    return sorted.data()[(line / lines.inner * lines.count + rank) * lines.inner + line % lines.inner];
}

/// The highest rank of each line, or of its numbers: (outer, 1, inner).
template <class T>
Tensor<T> highest_ranks(const Tensor<T>& sorted, bool of_numbers)
{
    Tensor<T> ranks = Tensor<T>::adopt(detail::new_node<T>(Shape{sorted.shape(0), 1, sorted.shape(2)}));
    for (std::size_t line = 0; line < ranks.size(); ++line)
    {
        std::size_t rank = sorted.shape(1) - 1;
        while (of_numbers && rank > 0 && std::isnan(ranked(sorted, line, rank)))
        {
            --rank;
        }
        ranks.node()->template as<T>()[line] = static_cast<T>(rank);
    }
    return ranks;
}

template <class T>
Tensor<T> quantile_for(const char* operation, bool skip_nan, const Tensor<T>& x, const Tensor<T>& q, const Axes& axes,
                       QuantileMethod method, KeepDims keep, Location location)
{
    const Reduced reduced = detail::reduced_axes(x, axes, keep, operation, location);
    detail::require_more_than(0, x.shape(), reduced, operation, location);
    if (q.dimension() > 1)
    {
        throw ShapeError(operation, "q must be a number or a vector: got shape " + to_string(q.shape()), location);
    }
    for (const T* part = q.data(); part != q.data() + q.size(); ++part)
    {
        if (!(*part >= 0 && *part <= 1))
        {
            throw ValueError(operation, "q must be from 0 to 1: got " + std::to_string(*part), location);
        }
    }
    const Tensor<T> sorted = sort(reduced.in_the_middle(x, location), 1, Order::ascending, location);
    const Tensor<T> ranks =
        reshape(q, Shape{q.size(), 1}, location) * Operand<T>(highest_ranks(sorted, skip_nan), location);
    Indices below(ranks.shape());
    Indices above(ranks.shape());
    const std::size_t inner = ranks.shape(2);
    const std::size_t last = sorted.shape(1) - 1;
    for (std::size_t k = 0; k < ranks.size(); ++k)
    {
        const std::size_t line = k / (inner * q.size()) * inner + k % inner;
        const bool lost = !skip_nan && std::isnan(ranked(sorted, line, last));
        // A float may have no digit left for the rank.
        const auto position = [&](T rank)
        { return static_cast<std::int64_t>(lost ? last : std::min(last, static_cast<std::size_t>(rank))); };
        const T rank = ranks.data()[k];
        below.data()[k] = position(method == QuantileMethod::nearest ? std::nearbyint(rank) : std::floor(rank));
        above.data()[k] = position(std::ceil(rank));
    }
    const auto at = [&](const Indices& positions) { return gather(sorted, 1, positions, location); };
    Tensor<T> result;
    switch (method)
    {
    case QuantileMethod::lower:
    case QuantileMethod::nearest:
        result = at(below);
        break;
    case QuantileMethod::higher:
        result = at(above);
        break;
    default:
    {
        const Tensor<T> floor = Tensor<T>(below.value());
        const Tensor<T> weight = method == QuantileMethod::midpoint
                                     ? formula::select(formula::eq(ranks, floor), T(0), T(0.5))
                                     : ranks - Operand<T>(floor, location);
        const Tensor<T> low = at(below);
        const Tensor<T> between =
            low * Operand<T>(1 - weight, location) + Operand<T>(at(above) * Operand<T>(weight, location), location);
        // Infinity times a weight of 0 would be NaN.
        result = formula::select(formula::eq(weight, T(0)), low, between);
    }
    }
    Shape shape = reduced.result(x.shape());
    if (q.dimension() == 0)
    {
        return reshape(result, shape, location);
    }
    Shape stacked{q.size()};
    for (const std::size_t extent : shape)
    {
        stacked.push_back(extent);
    }
    return reshape(transpose(result, {1, 0, 2}, location), stacked, location);
}

}

template <Real T>
Tensor<T> detail::quantile(const Tensor<T>& x, const Tensor<T>& q, const Axes& axes, QuantileMethod method,
                           KeepDims keep, Location location)
{
    return quantile_for("quantile", false, x, q, axes, method, keep, location);
}

template <Real T>
Tensor<T> detail::nanquantile(const Tensor<T>& x, const Tensor<T>& q, const Axes& axes, QuantileMethod method,
                              KeepDims keep, Location location)
{
    return quantile_for("nanquantile", true, x, q, axes, method, keep, location);
}

template <Real T>
Tensor<T> median(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return quantile_for("median", false, x, Tensor<T>(0.5), axes, QuantileMethod::midpoint, keep, location);
}

template <Real T>
Tensor<T> nanmedian(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return quantile_for("nanmedian", true, x, Tensor<T>(0.5), axes, QuantileMethod::midpoint, keep, location);
}

template <Real T>
xt::xarray<std::int64_t> detail::searchsorted(const Tensor<T>& sorted, const Tensor<T>& values, Side side,
                                              Location location)
{
    note_decision(values.node(), "searchsorted", location);
    note_decision(sorted.node(), "searchsorted", location);
    const std::size_t rank = sorted.dimension();
    const bool one_row = rank == 1;
    if (rank == 0 ||
        (!one_row && (values.dimension() != rank ||
                      !std::equal(sorted.shape().begin(), sorted.shape().end() - 1, values.shape().begin()))))
    {
        throw ShapeError("searchsorted",
                         "needs one sorted row, or one for each row of values: got " + to_string(sorted.shape()) +
                             " for " + to_string(values.shape()),
                         location);
    }
    const std::size_t length = sorted.shape(rank - 1);
    const std::size_t width = one_row ? values.size() : values.shape(rank - 1);
    xt::xarray<std::int64_t> places(xt::xarray<std::int64_t>::shape_type(values.shape().begin(), values.shape().end()));
    for (std::size_t k = 0; k < values.size(); ++k)
    {
        const T* row = sorted.data() + k / width * length;
        const T value = values.data()[k];
        const T* place = std::partition_point(
            row, row + length,
            [=](T element) { return side == Side::left ? !(element >= value) : !(element > value); });
        places.storage()[k] = place - row;
    }
    return places;
}

template <Real T>
xt::xarray<bool> detail::isin(const Tensor<T>& x, const Tensor<T>& set)
{
    note_decision(x.node(), "isin", {});
    std::vector<T> sorted;
    std::copy_if(set.data(), set.data() + set.size(), std::back_inserter(sorted),
                 [](T element) { return !std::isnan(element); });
    std::sort(sorted.begin(), sorted.end());
    xt::xarray<bool> found(xt::xarray<bool>::shape_type(x.shape().begin(), x.shape().end()));
    std::transform(x.data(), x.data() + x.size(), found.storage().begin(),
                   [&](T element)
                   { return !std::isnan(element) && std::binary_search(sorted.begin(), sorted.end(), element); });
    return found;
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> sort(const Tensor<T>&, std::ptrdiff_t, Order, Location);                                        \
    template xt::xarray<std::int64_t> argsort(const Tensor<T>&, std::ptrdiff_t, Order, Location);                      \
    template Indexed<T> topk(const Tensor<T>&, std::size_t, std::ptrdiff_t, Order, Location);                          \
    template Indexed<T> kthvalue(const Tensor<T>&, std::size_t, std::ptrdiff_t, KeepDims, Location);                   \
    template Indexed<T> mode(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                                    \
    template Indexed<T> median_low(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                              \
    template Indexed<T> nanmedian_low(const Tensor<T>&, std::ptrdiff_t, KeepDims, Location);                           \
    template Tensor<T> detail::quantile(const Tensor<T>&, const Tensor<T>&, const Axes&, QuantileMethod, KeepDims,     \
                                        Location);                                                                     \
    template Tensor<T> detail::nanquantile(const Tensor<T>&, const Tensor<T>&, const Axes&, QuantileMethod, KeepDims,  \
                                           Location);                                                                  \
    template Tensor<T> median(const Tensor<T>&, Axes, KeepDims, Location);                                             \
    template Tensor<T> nanmedian(const Tensor<T>&, Axes, KeepDims, Location);                                          \
    template xt::xarray<std::int64_t> detail::searchsorted(const Tensor<T>&, const Tensor<T>&, Side, Location);        \
    template xt::xarray<bool> detail::isin(const Tensor<T>&, const Tensor<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

EXAMPLE(sort, middle, distinct, ({2, 4, 2}), sort(x[0], 1))
EXAMPLE(sort, down, distinct, ({2, 4}), sort(x[0], -1, Order::descending))
EXAMPLE(topk, last, distinct, ({2, 4}), topk(x[0], 2).values)
EXAMPLE(topk, smallest, distinct, ({4, 2}), topk(x[0], 3, 0, Order::ascending).values)
EXAMPLE(kthvalue, middle, distinct, ({2, 4, 2}), kthvalue(x[0], 2, 1).values)
EXAMPLE(mode, last, distinct, ({2, 4}), mode(x[0]).values)
EXAMPLE(quantile, all, distinct, ({2, 3}), quantile(x[0], 0.3))
EXAMPLE(quantile, several, distinct, ({2, 3, 2}), quantile(x[0], xt::xarray<double>{0.1, 0.8}, {0, 2}))
EXAMPLE(quantile, nearest, distinct, ({2, 4}), quantile(x[0], 0.3, 1, QuantileMethod::nearest, keep_dims))
EXAMPLE(nanquantile, higher, distinct, ({2, 4}), nanquantile(x[0], 0.3, 0, QuantileMethod::higher))
EXAMPLE(median, even, distinct, ({2, 4}), median(x[0], 1))
EXAMPLE(nanmedian, all, distinct, ({5}), nanmedian(x[0]))
EXAMPLE(median_low, last, distinct, ({2, 4}), median_low(x[0]).values)
EXAMPLE(nanmedian_low, first, distinct, ({4, 2}), nanmedian_low(x[0], 0).values)
EXAMPLE(quantile, parts, unit, ({2, 3}, {2}), quantile(x[0], x[1], 1))

TRIAL(sort, any, ({2, 3}), sort(x[0], any.axis()))
static const Trial topk_trial{"topk",
                              {{2, 3}},
                              [](const auto& x, Arbitrary& any)
                              {
                                  const auto order = any.one_of({Order::ascending, Order::descending});
                                  return topk(x[0], static_cast<std::size_t>(any.integer()), any.axis(), order).values;
                              }};
static const Trial kthvalue_trial{"kthvalue",
                                  {{2, 3}},
                                  [](const auto& x, Arbitrary& any)
                                  {
                                      const auto k = static_cast<std::size_t>(any.integer());
                                      return kthvalue(x[0], k, any.axis(), {any.flag()}).values;
                                  }};
TRIAL(mode, any, ({2, 3}), mode(x[0], any.axis(), {any.flag()}).values)
TRIAL(median_low, any, ({2, 3}), median_low(x[0], any.axis()).values)
static const Trial quantile_trial{"quantile",
                                  {{2, 3, 2}, {2}},
                                  [](const auto& x, Arbitrary& any)
                                  {
                                      using enum QuantileMethod;
                                      const auto method = any.one_of({linear, lower, higher, nearest, midpoint});
                                      return quantile(x[0], x[1] * x[1] / 4, any.axes(), method, {any.flag()});
                                  }};

static constexpr Names sorting_names[] = {
    {"sort", "sort", "sort", "sort, msort"},
    {"argsort", "argsort", "argsort", "argsort"},
    {"topk", nullptr, "partition", "topk"},
    {"kthvalue", nullptr, "partition", "kthvalue"},
    {"mode", nullptr, "stats.mode", "mode"},
    {"quantile", "quantile", "quantile", "quantile"},
    {"nanquantile", nullptr, "nanquantile", "nanquantile"},
    {"median", "median", "median", nullptr},
    {"nanmedian", nullptr, "nanmedian", nullptr},
    {"median_low", nullptr, nullptr, "median"},
    {"nanmedian_low", nullptr, nullptr, "nanmedian"},
    {"searchsorted", "searchsorted", "searchsorted", "searchsorted, bucketize"},
    {"isin", "isin", "isin", "isin"},
};
static const NameTable sorting_table{"Sorting", sorting_names};

void detail::sorting_family() noexcept {}

}
