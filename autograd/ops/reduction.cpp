#include <autograd/elementwise.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/registry.hpp>

#include <string>

namespace autograd
{

namespace
{

using detail::Node;
using detail::Reads;

/// Which axes an operation reduces, as bit k for axis k.
struct Reduced
{
    unsigned set;
    bool keep;

    bool contains(std::size_t axis) const noexcept { return (set >> axis & 1) != 0; }

    /// The shape of the result; with the reduced axes as 1 if `kept`.
    Shape result(const Shape& shape, bool kept) const
    {
        Shape result;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            if (!contains(axis))
            {
                result.push_back(shape[axis]);
            }
            else if (kept)
            {
                result.push_back(1);
            }
        }
        return result;
    }
    Shape result(const Shape& shape) const { return result(shape, keep); }

    /// How many elements become one.
    std::size_t count(const Shape& shape) const
    {
        std::size_t count = 1;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis)
        {
            count *= contains(axis) ? shape[axis] : 1;
        }
        return count;
    }

    /// A gradient of the result, with axes that stretch to `shape`.
    template <class T>
    Tensor<T> stretchable(const Tensor<T>& dy, const Shape& shape) const
    {
        return keep || set == 0 ? dy : reshape(dy, result(shape, true), Location{});
    }
};

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
        const Tensor<T> chosen = formula::eq(x, reduced.stretchable(y, x.shape())).ones;
        const Tensor<T> share = chosen / reduce<T>(&detail::sum_kernel<T>, chosen, {reduced.set, true});
        return share * reduced.stretchable(dy, x.shape());
    }
};

/// Where the norm is 0 the gradient is 0, and so are its derivatives.
struct Norm
{
    static constexpr const char* name = "norm";
    Reduced reduced;

    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    // Scaled by the largest element, so that squares neither overflow nor vanish.
    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        if (x.size() == 0)
        {
            return reduce<T>(&detail::sum_kernel<T>, x, reduced);
        }
        const Tensor<T> constant = stop_gradient(x, Location{});
        const Tensor<T> magnitude = abs(constant, Location{});
        const Tensor<T> largest = reduce<T>(&detail::max_kernel<T>, magnitude, {reduced.set, true});
        const Tensor<T> infinite = formula::eq(largest, std::numeric_limits<T>::infinity()).ones;
        const Tensor<T> scale =
            formula::select(formula::Mask<T>{formula::eq(largest, T(0)).ones + infinite}, T(1), largest);
        const Tensor<T> squares = square(magnitude / scale, Location{});
        const Tensor<T> total =
            sqrt(reduce<T>(&detail::sum_kernel<T>, squares, {reduced.set, true}), Location{}) * scale;
        return Tensor<T>::adopt(detail::new_view(total.node(), reduced.result(x.shape())));
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        const auto zero = formula::eq(y, T(0));
        const Tensor<T> ratio = formula::select(zero, T(0), dy / formula::select(zero, T(1), y));
        return x * reduced.stretchable(ratio, x.shape());
    }
};

template <class T>
Reduced reduced_axes(const Tensor<T>& x, const Axes& axes, KeepDims keep, const char* operation, Location location)
{
    return {detail::axis_set(axes, x.dimension(), operation, location), keep.keep};
}

template <class T>
void require_more_than(std::size_t least, const Tensor<T>& x, const Reduced& reduced, const char* operation,
                       Location location)
{
    const std::size_t count = reduced.count(x.shape());
    if (count <= least && (count == 0 || reduced.result(x.shape()).elements() != 0))
    {
        throw ValueError(operation,
                         "needs more than " + std::to_string(least) + (least == 1 ? " element" : " elements") +
                             " to reduce: got " + std::to_string(count) + " in shape " + to_string(x.shape()),
                         location);
    }
}

template <class T>
Tensor<T> variance_for(const char* operation, const Tensor<T>& x, const Axes& axes, std::size_t ddof, KeepDims keep,
                       Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, operation, location);
    require_more_than(ddof, x, reduced, operation, location);
    const Tensor<T> distance = x - Operand<T>(mean(x, axes, keep_dims, location), location);
    const Tensor<T> total = sum(square(distance, location), axes, keep, location);
    return total / Operand<T>(reduced.count(x.shape()) - ddof, location);
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
    require_more_than(0, x, reduced, "mean", location);
    return apply(Mean{reduced}, location, x);
}

// Halves are multiplied with each other until one element is left: no division, so zeros do no harm to any derivative.
template <Real T>
Tensor<T> prod(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "prod", location);
    Axes order;
    for (const bool last : {false, true})
    {
        for (std::size_t axis = 0; axis < x.dimension(); ++axis)
        {
            if (reduced.contains(axis) == last)
            {
                order.push_back(static_cast<std::ptrdiff_t>(axis));
            }
        }
    }
    const Shape result = reduced.result(x.shape());
    const std::size_t outer = reduced.result(x.shape(), false).elements();
    std::size_t count = reduced.count(x.shape());
    if (count == 0)
    {
        return sum(x, axes, keep, location) + Operand<T>(1, location);
    }
    Tensor<T> rest = reshape(x.dimension() > 1 ? transpose(x, order, location) : x, Shape{outer, count}, location);
    while (count > 1)
    {
        const auto half = static_cast<std::ptrdiff_t>(count / 2);
        Tensor<T> product = view(rest, all(), range(0, half)) * view(rest, all(), range(half, 2 * half));
        if (count % 2 != 0)
        {
            product = concatenate({product, view(rest, all(), range(2 * half, 2 * half + 1))}, 1, location);
        }
        rest = product;
        count = (count + 1) / 2;
    }
    return reshape(rest, result, location);
}

template <Real T>
Tensor<T> amax(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "amax", location);
    require_more_than(0, x, reduced, "amax", location);
    return apply(Extreme<true>{reduced}, location, x);
}

template <Real T>
Tensor<T> amin(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    const Reduced reduced = reduced_axes(x, axes, keep, "amin", location);
    require_more_than(0, x, reduced, "amin", location);
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
Tensor<T> norm(const Tensor<T>& x, Axes axes, KeepDims keep, Location location)
{
    return apply(Norm{reduced_axes(x, axes, keep, "norm", location)}, location, x);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> sum(const Tensor<T>&, Axes, KeepDims, Location);                                                \
    template Tensor<T> mean(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> prod(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> amax(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> amin(const Tensor<T>&, Axes, KeepDims, Location);                                               \
    template Tensor<T> variance(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                              \
    template Tensor<T> stddev(const Tensor<T>&, Axes, std::size_t, KeepDims, Location);                                \
    template Tensor<T> norm(const Tensor<T>&, Axes, KeepDims, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define EXAMPLES(function)                                                                                             \
    static const Example function##_all{                                                                               \
        #function, Domain::distinct, {{2, 3, 2}}, [](const auto& x) { return function(x[0]); }};                       \
    static const Example function##_one{                                                                               \
        #function, Domain::distinct, {{2, 3, 2}}, [](const auto& x) { return function(x[0], 1); }};                    \
    static const Example function##_last{                                                                              \
        #function, Domain::distinct, {{2, 3}}, [](const auto& x) { return function(x[0], -1); }};                      \
    static const Example function##_several{#function, Domain::distinct, {{2, 3, 2}}, [](const auto& x) {              \
                                                return function(x[0], {0, 2});                                         \
                                            }};
EXAMPLES(sum)
EXAMPLES(mean)
EXAMPLES(prod)
EXAMPLES(amax)
EXAMPLES(amin)
EXAMPLES(variance)
EXAMPLES(stddev)
EXAMPLES(norm)
#undef EXAMPLES
static const Example sum_kept{"sum", Domain::real, {{2, 3}}, [](const auto& x) { return sum(x[0], 0, keep_dims); }};
static const Example variance_unbiased{
    "variance", Domain::real, {{2, 3}}, [](const auto& x) { return variance(x[0], 1, 1, keep_dims); }};

void detail::reduction_family() noexcept {}

}
