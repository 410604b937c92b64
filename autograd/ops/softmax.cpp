#include <autograd/batching.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/kernels/exponential.hpp>
#include <autograd/kernels/lines.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/reduced.hpp>

#include <cmath>
#include <limits>

namespace autograd
{

namespace
{

using detail::exponential;
using detail::exponential_of_negative;
using detail::fold_lines;
using detail::for_each_register;
using detail::for_each_tile;
using detail::LineNumbers;
using detail::Lines;
using detail::load_lanes;
using detail::map_numbers;
using detail::Reads;
using detail::store_lanes;
using detail::Tile;

/// The largest element of each line; any, if one is NaN, which makes the sum of exponentials NaN.
template <class T>
void find_largest(const Tile& tile, const T* x, LineNumbers<T>& largest)
{
    using B = xsimd::batch<T>;
    fold_lines(
        tile, -std::numeric_limits<T>::infinity(), largest, [](const B& a, const B& b) { return xsimd::max(a, b); },
        [x](std::size_t p, std::size_t n, std::size_t) { return load_lanes(x + p, n); });
}

/// The sum of each line's terms.
template <class T, class Term>
void add_up(const Tile& tile, LineNumbers<T>& sums, const Term& term)
{
    using B = xsimd::batch<T>;
    fold_lines(
        tile, T(0), sums, [](const B& a, const B& b) { return a + b; }, term);
}

/// a / b, given 1 / b: where a multiplication and an addition are rounded once, as by a division (unless the result is nearly
/// subnormal), which takes twice as long (P. Markstein, "Computation of elementary functions on the IBM RISC System/6000
/// processor", 1990).
template <class B>
B quotient(const B& a, const B& b, [[maybe_unused]] const B& inverse)
{
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    const B near = a * inverse;
    return xsimd::fma(xsimd::fnma(near, b, a), inverse, near);
#else
    return a / b;
#endif
}

template <class T>
Tensor<T> new_tensor(const Shape& shape)
{
    return Tensor<T>::adopt(detail::new_node<T>(shape));
}

/// What an operation gives for all lines along its axis.
/// @{
template <class Op, class T>
Tensor<T> value_by_lines(const Op& op, const Tensor<T>& x)
{
    Tensor<T> y = new_tensor<T>(x.shape());
    const T* const in[] = {x.data()};
    op.value_of(Lines(x.shape(), op.axis), in, y.node()->template as<T>());
    return y;
}
template <class Op, class T>
Tensor<T> pullback_by_lines(const Op& op, Wrt<0> wrt, const Tensor<T>& dy, const Tensor<T>& y)
{
    Tensor<T> dx = new_tensor<T>(y.shape());
    const T* const in[] = {dy.data(), y.data(), nullptr};
    op.pullback_of(wrt, Lines(y.shape(), op.axis), in, dx.node()->template as<T>());
    return dx;
}
/// @}

bool recording()
{
    return detail::Arena::current().recording();
}

struct Softmax
{
    static constexpr const char* name = "softmax";
    bool operator==(const Softmax&) const = default;
    static constexpr Reads reads(std::size_t) { return {.output = true}; }
    std::size_t axis;

    template <class T>
    void value_of(const Lines& lines, const T* const* in, T* out) const
    {
        for_each_tile<1>(
            lines, in, out,
            [](const Tile& tile, const T* const* in, T* out)
            {
                const T* const x = in[0];
                LineNumbers<T> largest;
                LineNumbers<T> sums;
                find_largest(tile, x, largest);
                add_up(tile, sums,
                       [=, &largest](std::size_t p, std::size_t n, std::size_t c)
                       {
                           const auto e = exponential_of_negative(load_lanes(x + p, n) - largest.at(c));
                           store_lanes(out + p, n, e);
                           return e;
                       });
                LineNumbers<T> inverses;
                map_numbers(tile, sums, inverses, [](const auto& sum) { return T(1) / sum; });
                for_each_register<T>(
                    tile, [=, &sums, &inverses](std::size_t p, std::size_t n, std::size_t c)
                    { store_lanes(out + p, n, quotient(load_lanes(out + p, n), sums.at(c), inverses.at(c))); });
            });
    }
    template <class T>
    void pullback_of(Wrt<0>, const Lines& lines, const T* const* in, T* out) const
    {
        for_each_tile<2>(
            lines, in, out,
            [](const Tile& tile, const T* const* in, T* out)
            {
                const T* const dy = in[0];
                const T* const y = in[1];
                LineNumbers<T> sums;
                add_up(tile, sums,
                       [=](std::size_t p, std::size_t n, std::size_t)
                       { return load_lanes(dy + p, n) * load_lanes(y + p, n); });
                for_each_register<T>(
                    tile, [=, &sums](std::size_t p, std::size_t n, std::size_t c)
                    { store_lanes(out + p, n, load_lanes(y + p, n) * (load_lanes(dy + p, n) - sums.at(c))); });
            });
    }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return value_by_lines(*this, x);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0> wrt, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return recording() ? y * (dy - sum(dy * y, axis, keep_dims, Location{})) : pullback_by_lines(*this, wrt, dy, y);
    }
};

struct LogSoftmax
{
    static constexpr const char* name = "log_softmax";
    bool operator==(const LogSoftmax&) const = default;
    static constexpr Reads reads(std::size_t) { return {.output = true}; }
    std::size_t axis;

    template <class T>
    void value_of(const Lines& lines, const T* const* in, T* out) const
    {
        for_each_tile<1>(lines, in, out,
                         [](const Tile& tile, const T* const* in, T* out)
                         {
                             const T* const x = in[0];
                             LineNumbers<T> largest;
                             LineNumbers<T> sums;
                             const auto shifted = [=, &largest](std::size_t p, std::size_t n, std::size_t c)
                             { return load_lanes(x + p, n) - largest.at(c); };
                             find_largest(tile, x, largest);
                             add_up(tile, sums,
                                    [=](std::size_t p, std::size_t n, std::size_t c)
                                    { return exponential_of_negative(shifted(p, n, c)); });
                             map_numbers(tile, sums, sums, [](const auto& sum) { return detail::logarithm(sum); });
                             for_each_register<T>(tile, [=, &sums](std::size_t p, std::size_t n, std::size_t c)
                                                  { store_lanes(out + p, n, shifted(p, n, c) - sums.at(c)); });
                         });
    }
    template <class T>
    void pullback_of(Wrt<0>, const Lines& lines, const T* const* in, T* out) const
    {
        for_each_tile<2>(lines, in, out,
                         [](const Tile& tile, const T* const* in, T* out)
                         {
                             const T* const dy = in[0];
                             const T* const y = in[1];
                             LineNumbers<T> sums;
                             add_up(tile, sums,
                                    [=](std::size_t p, std::size_t n, std::size_t) { return load_lanes(dy + p, n); });
                             for_each_register<T>(tile,
                                                  [=, &sums](std::size_t p, std::size_t n, std::size_t c)
                                                  {
                                                      const auto e = exponential_of_negative(load_lanes(y + p, n));
                                                      store_lanes(out + p, n, load_lanes(dy + p, n) - e * sums.at(c));
                                                  });
                         });
    }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        return value_by_lines(*this, x);
    }
    template <class T>
    Tensor<T> pullback(Wrt<0> wrt, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return recording() ? dy - exp(y, Location{}) * sum(dy, axis, keep_dims, Location{})
                           : pullback_by_lines(*this, wrt, dy, y);
    }
};

/// Of the middle one of three axes, which stays with extent 1.
struct LogSumExp
{
    static constexpr const char* name = "logsumexp";
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        using B = xsimd::batch<T>;
        Tensor<T> y = new_tensor<T>(Shape{x.shape(0), 1, x.shape(2)});
        for_each_tile(Lines(x.shape(), 1),
                      [in = x.data(), out = y.node()->template as<T>()](const Tile& tile)
                      {
                          LineNumbers<T> shift;
                          LineNumbers<T> sums;
                          find_largest(tile, in, shift);
                          for (T& number : shift.numbers)
                          {
                              number = std::isinf(number) ? T(0) : number;
                          }
                          add_up(tile, sums,
                                 [=, &shift](std::size_t p, std::size_t n, std::size_t c)
                                 { return exponential(load_lanes(in + p, n) - shift.at(c)); });
                          for (std::size_t c = 0; c < tile.columns; c += B::size)
                          {
                              store_lanes(out + tile.line + c, std::min(B::size, tile.columns - c),
                                          shift.at(c) + detail::logarithm(sums.at(c)));
                          }
                      });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        return dy * exp(x - y, Location{});
    }
};

/// A 0-d sample is one of one element.
constexpr auto softmax_on_batch = [](auto op, const auto& batch)
{
    ++op.axis;
    return batch.unstacked(apply(op, batch.location, batch[0].aligned(1, batch.location)));
};
const detail::Batching<Softmax, 1> softmax_batching(softmax_on_batch);
const detail::Batching<LogSoftmax, 1> log_softmax_batching(softmax_on_batch);
const detail::Batching<LogSumExp, 1> logsumexp_batching([](const LogSumExp& op, const auto& batch)
                                                        { return batch.as_stack(op); });

}

template <Real T>
Tensor<T> softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return apply(Softmax{detail::axis_of(x.shape(), axis, "softmax", location)}, location, x);
}

template <Real T>
Tensor<T> log_softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return apply(LogSoftmax{detail::axis_of(x.shape(), axis, "log_softmax", location)}, location, x);
}

template <Real T>
Tensor<T> logsumexp(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const detail::Reduced reduced = detail::reduced_axes(x, axes, keep, "logsumexp", location);
    detail::require_more_than(0, x.shape(), reduced, "logsumexp", location);
    return reshape(apply(LogSumExp{}, location, reduced.in_the_middle(x, location)), reduced.result(x.shape()),
                   location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Tensor<T> log_softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                        \
    template Tensor<T> logsumexp(const Tensor<T>&, Axes, KeepDims, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define EXAMPLES(function)                                                                                             \
    EXAMPLE(function, last, real, ({2, 5}), function(x[0]))                                                            \
    EXAMPLE(function, first, real, ({3, 2, 2}), function(x[0], 0))                                                     \
    TRIAL(function, axis, ({2, 3, 2}), function(x[0], any.axis()))
EXAMPLES(softmax)
EXAMPLES(log_softmax)
EXAMPLES(logsumexp)
#undef EXAMPLES
EXAMPLE(logsumexp, several, real, ({2, 3, 2}), logsumexp(x[0], {0, 2}, keep_dims))

static constexpr Names softmax_names[] = {
    {"logsumexp", nullptr, "special.logsumexp", "logsumexp"},
    {"softmax", nullptr, "special.softmax", "softmax, nn.functional.softmin"},
    {"log_softmax", nullptr, "special.log_softmax", "log_softmax"},
};
static const NameTable softmax_table{"Softmax", softmax_names};

void detail::softmax_family() noexcept {}

}
