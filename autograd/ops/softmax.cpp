#include <autograd/elementwise.hpp>
#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/parallel.hpp>
#include <autograd/registry.hpp>

#include <string>

namespace autograd
{

namespace
{

using detail::Reads;

constexpr std::size_t parallel_elements = std::size_t{1} << 15;

/// out = exp(row - shift), and the sum of it.
template <class T>
T exp_row(const T* row, T shift, std::size_t count, T* out)
{
    using B = xsimd::batch<T>;
    std::size_t i = 0;
    B sums(T(0));
    for (; i + B::size <= count; i += B::size)
    {
        const B e = xsimd::exp(B::load_unaligned(row + i) - B(shift));
        sums += e;
        e.store_unaligned(out + i);
    }
    T sum = detail::sum_of_lanes(sums);
    if (i < count)
    {
        T rest[B::size] = {};
        std::copy(row + i, row + count, rest);
        const B e = xsimd::exp(B::load_unaligned(rest) - B(shift));
        e.store_unaligned(rest);
        for (std::size_t j = 0; i < count; ++i, ++j)
        {
            out[i] = rest[j];
            sum += rest[j];
        }
    }
    return sum;
}

/// Calls visit(number of the row, its first element, its largest element) for all rows of the last axis.
template <class T, class Visit>
void for_each_row(const Tensor<T>& x, Visit visit)
{
    const std::size_t width = x.shape(x.dimension() - 1);
    const std::size_t rows = width == 0 ? 0 : x.size() / width;
    const T* data = x.data();
    detail::parallel_for(rows, std::max<std::size_t>(1, parallel_elements / std::max<std::size_t>(1, width)),
                         [&](std::size_t begin, std::size_t end)
                         {
                             for (std::size_t r = begin; r < end; ++r)
                             {
                                 T largest;
                                 detail::max_kernel(data + r * width, &largest, 1, width, 1);
                                 visit(r, data + r * width, largest);
                             }
                         });
}

/// The operations below work on the last axis.
struct Softmax
{
    static constexpr const char* name = "softmax";
    static constexpr Reads reads(std::size_t) { return {.output = true}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = y.node()->template as<T>();
        const std::size_t width = x.shape(x.dimension() - 1);
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T sum = exp_row(row, largest, width, out + r * width);
                         for (std::size_t i = r * width; i < (r + 1) * width; ++i)
                         {
                             out[i] /= sum;
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return y * (dy - sum(dy * y, -1, keep_dims, Location{}));
    }
};

struct LogSoftmax
{
    static constexpr const char* name = "log_softmax";
    static constexpr Reads reads(std::size_t) { return {.output = true}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(x.shape()));
        T* out = y.node()->template as<T>();
        const std::size_t width = x.shape(x.dimension() - 1);
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T log_sum = std::log(exp_row(row, largest, width, out + r * width));
                         for (std::size_t i = 0; i < width; ++i)
                         {
                             out[r * width + i] = (row[i] - largest) - log_sum;
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>&) const
    {
        return dy - exp(y, Location{}) * sum(dy, -1, keep_dims, Location{});
    }
};

/// Keeps the axis, with extent 1.
struct LogSumExp
{
    static constexpr const char* name = "logsumexp";
    static constexpr Reads reads(std::size_t) { return {.output = true, .operand_bits = 1}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Shape shape = x.shape();
        const std::size_t width = std::exchange(shape[shape.rank() - 1], 1);
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        T* out = y.node()->template as<T>();
        for_each_row(x,
                     [=](std::size_t r, const T* row, T largest)
                     {
                         const T shift = std::isinf(largest) ? T(0) : largest;
                         detail::Buffer* scratch = detail::allocate_buffer(width * sizeof(T));
                         out[r] = shift + std::log(exp_row(row, shift, width, static_cast<T*>(scratch->data())));
                         detail::release_buffer(scratch);
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const
    {
        return dy * exp(x - y, Location{});
    }
};

/// Applies an operation that works on the last axis to another one.
template <class Op, class T>
Tensor<T> along(const Op& op, const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t rank = x.dimension();
    const std::size_t place = detail::normalize_axis(axis, std::max<std::size_t>(1, rank), Op::name, location);
    if (rank == 0)
    {
        return reshape(apply(op, location, reshape(x, Shape{1}, location)), Shape{}, location);
    }
    if (place + 1 == rank)
    {
        return apply(op, location, x);
    }
    Axes swapped;
    for (std::size_t k = 0; k < rank; ++k)
    {
        swapped.push_back(static_cast<std::ptrdiff_t>(k == place ? rank - 1 : k + 1 == rank ? place : k));
    }
    return transpose(apply(op, location, transpose(x, swapped, location)), swapped, location);
}

}

template <Real T>
Tensor<T> softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return along(Softmax{}, x, axis, location);
}

template <Real T>
Tensor<T> log_softmax(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    return along(LogSoftmax{}, x, axis, location);
}

template <Real T>
Tensor<T> logsumexp(const Tensor<T>& x, std::ptrdiff_t axis, Location location)
{
    const std::size_t place =
        detail::normalize_axis(axis, std::max<std::size_t>(1, x.dimension()), "logsumexp", location);
    if (x.dimension() == 0)
    {
        return along(LogSumExp{}, x, axis, location);
    }
    if (x.shape(place) == 0)
    {
        throw ValueError("logsumexp", "of nothing: got shape " + to_string(x.shape()), location);
    }
    return squeeze(along(LogSumExp{}, x, axis, location), axis, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                            \
    template Tensor<T> log_softmax(const Tensor<T>&, std::ptrdiff_t, Location);                                        \
    template Tensor<T> logsumexp(const Tensor<T>&, std::ptrdiff_t, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define EXAMPLES(function)                                                                                             \
    static const Example function##_last{                                                                              \
        #function, Domain::real, {{2, 5}}, [](const auto& x) { return function(x[0]); }};                              \
    static const Example function##_first{                                                                             \
        #function, Domain::real, {{3, 2, 2}}, [](const auto& x) { return function(x[0], 0); }};
EXAMPLES(softmax)
EXAMPLES(log_softmax)
EXAMPLES(logsumexp)
#undef EXAMPLES
void detail::softmax_family() noexcept {}

}
