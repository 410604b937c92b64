#include <autograd/elementwise.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/registry.hpp>

#include <string>

namespace autograd
{

namespace
{

using detail::Reads;

[[noreturn]] void throw_misfit(const char* operation, const std::string& problem, const Shape& a, const Shape& b,
                               Location location, const char* fix = "")
{
    throw ShapeError(operation, problem + ": got " + to_string(a) + " and " + to_string(b), location, fix);
}

/// The product of stacks of matrices, each of which is read as its transpose if so flagged. Axes before the last two
/// broadcast.
struct MatMul
{
    static constexpr const char* name = "matmul";
    bool transpose_a = false;
    bool transpose_b = false;

    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : 0b01U}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& a, const Tensor<T>& b) const
    {
        const std::size_t a_rank = a.dimension();
        const std::size_t b_rank = b.dimension();
        const std::size_t m = a.shape(transpose_a ? a_rank - 1 : a_rank - 2);
        const std::size_t k = a.shape(transpose_a ? a_rank - 2 : a_rank - 1);
        const std::size_t n = b.shape(transpose_b ? b_rank - 2 : b_rank - 1);
        const Shape a_batch(a.shape().begin(), a.shape().end() - 2);
        const Shape b_batch(b.shape().begin(), b.shape().end() - 2);
        Shape shape;
        broadcast_shapes(a_batch, b_batch, shape);
        const std::size_t products = shape.elements();
        const Shape batch = shape;
        shape.push_back(m);
        shape.push_back(n);
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        for (std::size_t product = 0; product < products; ++product)
        {
            const detail::Matrix<T> left{a.data() + index_in(a_batch, batch, product) * m * k, k, 1};
            const detail::Matrix<T> right{b.data() + index_in(b_batch, batch, product) * k * n, n, 1};
            const detail::Matrix<T> left_transposed{left.data, 1, m};
            const detail::Matrix<T> right_transposed{right.data, 1, k};
            detail::gemm(m, n, k, transpose_a ? left_transposed : left, transpose_b ? right_transposed : right,
                         y.node()->template as<T>() + product * m * n);
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>& b) const
    {
        return fit(transpose_a ? apply(MatMul{transpose_b, true}, Location{}, b, dy)
                               : apply(MatMul{false, !transpose_b}, Location{}, dy, b),
                   a);
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>& b) const
    {
        return fit(transpose_b ? apply(MatMul{true, transpose_a}, Location{}, dy, a)
                               : apply(MatMul{!transpose_a, false}, Location{}, a, dy),
                   b);
    }

private:
    template <class T>
    static Tensor<T> fit(const Tensor<T>& gradient, const Tensor<T>& operand)
    {
        return detail::sum_to(gradient, gradient.shape(), operand.shape());
    }

    /// The matrix of a stack of shape `own` that product number `product` of a stack of shape `all` reads.
    static std::size_t index_in(const Shape& own, const Shape& all, std::size_t product)
    {
        std::size_t index = 0;
        std::size_t stride = 1;
        for (std::size_t back = 1; back <= own.rank(); ++back)
        {
            const std::size_t extent = own[own.rank() - back];
            const std::size_t place = product % all[all.rank() - back];
            product /= all[all.rank() - back];
            index += extent == 1 ? 0 : place * stride;
            stride *= extent;
        }
        return index;
    }
};

/// x weight^T + bias on the last axis of x; the bias may be missing.
struct Linear
{
    static constexpr const char* name = "linear";

    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : k == 1 ? 0b01U : 0U}; }

    template <class T, class... Bias>
    Tensor<T> value(const Tensor<T>& x, const Tensor<T>& weight, const Bias&... bias) const
    {
        const std::size_t outputs = weight.shape(0);
        const std::size_t inputs = weight.shape(1);
        Shape shape = x.shape();
        shape[shape.rank() - 1] = outputs;
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape));
        T* elements = y.node()->template as<T>();
        const std::size_t rows = outputs == 0 ? 0 : y.size() / outputs;
        for (std::size_t row = 0; row < rows; ++row)
        {
            (std::copy_n(bias.data(), outputs, elements + row * outputs), ...);
        }
        detail::gemm<T>(rows, outputs, inputs, {x.data(), inputs, 1}, {weight.data(), 1, inputs}, elements,
                        sizeof...(bias) != 0);
        return y;
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>& weight,
                       const Bias&...) const
    {
        return reshape(apply(MatMul{}, Location{}, rows_of(dy), weight), x.shape(), Location{});
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>&,
                       const Bias&...) const
    {
        return apply(MatMul{true, false}, Location{}, rows_of(dy), rows_of(x));
    }
    template <class T>
    Tensor<T> pullback(Wrt<2>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,
                       const Tensor<T>&) const
    {
        return sum(rows_of(dy), 0, {}, Location{});
    }

private:
    template <class T>
    static Tensor<T> rows_of(const Tensor<T>& x)
    {
        const std::size_t last = x.dimension() - 1;
        const std::size_t rows = Shape(x.shape().begin(), x.shape().begin() + last).elements();
        return x.dimension() == 2 ? x : reshape(x, Shape{rows, x.shape(last)}, Location{});
    }
};

}

template <Real T>
Tensor<T> detail::matmul(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    const std::size_t a_rank = a.dimension();
    const std::size_t b_rank = b.dimension();
    if (a_rank == 0 || b_rank == 0)
    {
        throw_misfit("matmul", "a 0-d operand", a.shape(), b.shape(), location, "Multiply by a scalar with *.");
    }
    const std::size_t inner = b.shape(b_rank == 1 ? 0 : b_rank - 2);
    if (a.shape(a_rank - 1) != inner)
    {
        throw_misfit("matmul",
                     "the last axis of the first operand, " + std::to_string(a.shape(a_rank - 1)) + ", is not the " +
                         (b_rank == 1 ? "axis" : "last but one") + " of the second, " + std::to_string(inner),
                     a.shape(), b.shape(), location);
    }
    // The rows of a stack on the left are rows of one matrix, if the right is one matrix.
    if (b_rank <= 2 && a_rank != 2)
    {
        const Tensor<T> matrix = b_rank == 2 ? b : reshape(b, Shape{inner, 1}, location);
        const Tensor<T> rows = reshape(
            a, Shape{inner == 0 ? Shape(a.shape().begin(), a.shape().end() - 1).elements() : a.size() / inner, inner},
            location);
        Shape shape(a.shape().begin(), a.shape().end() - 1);
        if (b_rank == 2)
        {
            shape.push_back(b.shape(1));
        }
        return reshape(apply(MatMul{}, location, rows, matrix), shape, location);
    }
    if (b_rank == 1)
    {
        return reshape(apply(MatMul{}, location, a, reshape(b, Shape{inner, 1}, location)), Shape{a.shape(0)},
                       location);
    }
    if (a_rank == 1)
    {
        const Tensor<T> product = matmul<T>(reshape(a, Shape{1, inner}, location), b, location);
        return squeeze(product, -2, location);
    }
    Shape batch;
    if (!broadcast_shapes(Shape(a.shape().begin(), a.shape().end() - 2), Shape(b.shape().begin(), b.shape().end() - 2),
                          batch))
    {
        throw_misfit("matmul", "the axes before the last two do not broadcast", a.shape(), b.shape(), location);
    }
    return apply(MatMul{}, location, a, b);
}

template <Real T>
Tensor<T> detail::dot(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    if (a.dimension() != 1 || b.dimension() != 1 || a.size() != b.size())
    {
        throw_misfit("dot", "needs two vectors of equal length", a.shape(), b.shape(), location,
                     "For matrices there is matmul.");
    }
    return sum(Tensor<T>::adopt(multiply<T>(a.node(), b.node(), location)), {}, {}, location);
}

template <Real T>
Tensor<T> detail::linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>* bias, Location location)
{
    if (x.dimension() == 0 || weight.dimension() != 2 || x.shape(x.dimension() - 1) != weight.shape(1))
    {
        throw_misfit("linear", "needs x as (..., in) and weight as (out, in)", x.shape(), weight.shape(), location);
    }
    if (bias == nullptr)
    {
        return apply(Linear{}, location, x, weight);
    }
    if (bias->shape() != Shape{weight.shape(0)})
    {
        throw_misfit("linear", "needs weight as (out, in) and bias as (out)", weight.shape(), bias->shape(), location);
    }
    return apply(Linear{}, location, x, weight, *bias);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::matmul<T>(const Tensor<T>&, const Tensor<T>&, Location);                                \
    template Tensor<T> detail::dot<T>(const Tensor<T>&, const Tensor<T>&, Location);                                   \
    template Tensor<T> detail::linear<T>(const Tensor<T>&, const Tensor<T>&, const Tensor<T>*, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define UNPACK(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define EXAMPLE(function, variant, shapes, call)                                                                       \
    static const Example function##_##variant{#function, Domain::real, UNPACK shapes,                                  \
                                              [](const auto& x) { return call; }};
EXAMPLE(matmul, matrices, ({2, 3}, {3, 4}), matmul(x[0], x[1]))
EXAMPLE(matmul, row, ({3}, {3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, column, ({2, 3}, {3}), matmul(x[0], x[1]))
EXAMPLE(matmul, vectors, ({3}, {3}), matmul(x[0], x[1]))
EXAMPLE(matmul, stacks, ({2, 1, 2, 3}, {2, 3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, stack_matrix, ({2, 2, 3}, {3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, matrix_stack, ({2, 3}, {2, 3, 2}), matmul(x[0], x[1]))
EXAMPLE(dot, vectors, ({4}, {4}), dot(x[0], x[1]))
EXAMPLE(linear, biased, ({2, 3}, {4, 3}, {4}), linear(x[0], x[1], x[2]))
EXAMPLE(linear, unbiased, ({2, 2, 3}, {2, 3}), linear(x[0], x[1]))
EXAMPLE(linear, vector, ({3}, {2, 3}, {2}), linear(x[0], x[1], x[2]))
#undef EXAMPLE
#undef UNPACK

void detail::linalg_family() noexcept {}

}
