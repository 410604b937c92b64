#include <autograd/batching.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/reduced.hpp>
#include <autograd/registry.hpp>

#include <limits>
#include <string>
#include <vector>

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
    bool operator==(const MatMul&) const = default;
    static constexpr bool multilinear = true;
    bool transpose_a = false;
    bool transpose_b = false;

    static constexpr Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : 0b01U}; }

    template <class T>
    Tensor<T> value(const Tensor<T>& a, const Tensor<T>& b) const
    {
        Tensor<T> y = Tensor<T>::adopt(detail::new_node<T>(shape_of(a, b)));
        multiply(a, b, y.shape(), y.node()->template as<T>(), false);
        return y;
    }
    template <std::size_t k, class T>
    Tensor<T> pullback(Wrt<k> wrt, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>& b) const
    {
        const auto product = [](const MatMul& op, const Tensor<T>& left, const Tensor<T>& right)
        { return apply(op, Location{}, left, right); };
        return fit(with_gradient(wrt, dy, a, b, product), k == 0 ? a : b);
    }
    template <std::size_t k, class T>
    void add_to(Wrt<k> wrt, T* sum, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& a, const Tensor<T>& b) const
    {
        with_gradient(wrt, dy, a, b,
                      [&](const MatMul& op, const Tensor<T>& left, const Tensor<T>& right)
                      { op.add_product(left, right, k == 0 ? a : b, sum); });
    }

private:
    /// f of the product that the gradient of an operand is: the operation and its two operands.
    /// @{
    template <class T, class F>
    auto with_gradient(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& b, const F& f) const
    {
        return transpose_a ? f(MatMul{transpose_b, true}, b, dy) : f(MatMul{false, !transpose_b}, dy, b);
    }
    template <class T, class F>
    auto with_gradient(Wrt<1>, const Tensor<T>& dy, const Tensor<T>& a, const Tensor<T>&, const F& f) const
    {
        return transpose_b ? f(MatMul{true, transpose_a}, dy, a) : f(MatMul{!transpose_a, false}, a, dy);
    }
    /// @}

    template <class T>
    Shape shape_of(const Tensor<T>& a, const Tensor<T>& b) const
    {
        Shape shape;
        broadcast_shapes(batch_of(a), batch_of(b), shape);
        shape.push_back(a.shape(a.dimension() - (transpose_a ? 1 : 2)));
        shape.push_back(b.shape(b.dimension() - (transpose_b ? 2 : 1)));
        return shape;
    }

    template <class T>
    static Shape batch_of(const Tensor<T>& x)
    {
        return Shape(x.shape().begin(), x.shape().end() - 2);
    }

    /// The product, of this shape; or, if it `accumulates`, what is there plus the product.
    template <class T>
    void multiply(const Tensor<T>& a, const Tensor<T>& b, const Shape& shape, T* out, bool accumulates) const
    {
        const std::size_t m = shape[shape.rank() - 2];
        const std::size_t n = shape[shape.rank() - 1];
        const std::size_t k = a.shape(a.dimension() - (transpose_a ? 2 : 1));
        const Shape a_batch = batch_of(a);
        const Shape b_batch = batch_of(b);
        const Shape batch(shape.begin(), shape.end() - 2);
        const auto some = [&](std::size_t begin, std::size_t end)
        {
            for (std::size_t product = begin; product < end; ++product)
            {
                const detail::Matrix<T> left{a.data() + index_in(a_batch, batch, product) * m * k, k, 1};
                const detail::Matrix<T> right{b.data() + index_in(b_batch, batch, product) * k * n, n, 1};
                const detail::Matrix<T> left_transposed{left.data, 1, m};
                const detail::Matrix<T> right_transposed{right.data, 1, k};
                detail::gemm(m, n, k, transpose_a ? left_transposed : left, transpose_b ? right_transposed : right,
                             out + product * m * n, accumulates);
            }
        };
        detail::parallel_for(batch.elements(), detail::worth_a_thread / (m * n * k + 1) + 1, some);
    }

    /// Adds the product to `sum`, which has the shape of the operand.
    template <class T>
    void add_product(const Tensor<T>& a, const Tensor<T>& b, const Tensor<T>& operand, T* sum) const
    {
        if (const Shape shape = shape_of(a, b); shape == operand.shape())
        {
            multiply(a, b, shape, sum, true);
        }
        else
        {
            const Tensor<T> product = fit(value(a, b), operand);
            detail::add_in_place(sum, product.data(), product.size());
        }
    }

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
        const std::size_t count = rows(x);
        for (std::size_t row = 0; row < count; ++row)
        {
            (std::copy_n(bias.data(), outputs, elements + row * outputs), ...);
        }
        detail::gemm<T>(count, outputs, inputs, {x.data(), inputs, 1}, {weight.data(), 1, inputs}, elements,
                        sizeof...(bias) != 0);
        return y;
    }
    template <class T, class... Bias>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>& weight,
                       const Bias&...) const
    {
        return detail::in_shape(apply(MatMul{}, Location{}, rows_of(dy), weight), x.shape(), Location{});
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
    template <class T, class... Bias>
    void add_to(Wrt<0>, T* sum, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>& weight,
                const Bias&...) const
    {
        const std::size_t outputs = weight.shape(0);
        const std::size_t inputs = weight.shape(1);
        detail::gemm<T>(rows(x), inputs, outputs, {dy.data(), outputs, 1}, {weight.data(), inputs, 1}, sum, true);
    }
    template <class T, class... Bias>
    void add_to(Wrt<1>, T* sum, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x, const Tensor<T>& weight,
                const Bias&...) const
    {
        const std::size_t outputs = weight.shape(0);
        const std::size_t inputs = weight.shape(1);
        detail::gemm<T>(outputs, inputs, rows(x), {dy.data(), 1, outputs}, {x.data(), inputs, 1}, sum, true);
    }

private:
    template <class T>
    static std::size_t rows(const Tensor<T>& x)
    {
        return Shape(x.shape().begin(), x.shape().end() - 1).elements();
    }

    template <class T>
    static Tensor<T> rows_of(const Tensor<T>& x)
    {
        return x.dimension() == 2 ? x : detail::in_shape(x, Shape{rows(x), x.shape(x.dimension() - 1)}, Location{});
    }
};

/// Products of batches. Rows that share a matrix are rows of one product.
template <class T>
Tensor<T> product_on_batch(const MatMul& op, const detail::BatchOperand<T>& a, const detail::BatchOperand<T>& b,
                           Location location)
{
    const Shape left = a.shape();
    const Shape right = b.shape();
    const std::size_t m = left[left.rank() - (op.transpose_a ? 1 : 2)];
    const std::size_t n = right[right.rank() - (op.transpose_b ? 2 : 1)];
    if (!b.batched && right.rank() == 2 && (!op.transpose_a || (left.rank() == 2 && m == 1)))
    {
        Shape shape(a.tensor.shape().begin(), a.tensor.shape().end() - 2);
        shape.push_back(m);
        const std::size_t inner = left[left.rank() - (op.transpose_a ? 2 : 1)];
        const Tensor<T> rows = reshape(a.tensor, Shape{shape.elements(), inner}, location);
        shape.push_back(n);
        return reshape(apply(MatMul{false, op.transpose_b}, location, rows, b.tensor), shape, location);
    }
    if (!a.batched && left.rank() == 2 && right.rank() == 2 && n == 1)
    {
        const std::size_t samples = b.tensor.shape(0);
        const std::size_t inner = right[op.transpose_b ? 1 : 0];
        const Tensor<T> rows = reshape(b.tensor, Shape{samples, inner}, location);
        return reshape(apply(MatMul{false, !op.transpose_a}, location, rows, a.tensor), Shape{samples, m, 1}, location);
    }
    const std::size_t rank = std::max(left.rank(), right.rank());
    return apply(op, location, a.aligned(rank, location), b.aligned(rank, location));
}

const detail::Batching<MatMul, 2> matmul_batching([](const MatMul& op, const auto& batch)
                                                  { return product_on_batch(op, batch[0], batch[1], batch.location); });

constexpr auto linear_on_batch = []<class T, std::size_t N>(const Linear& op, const detail::Batch<T, N>& batch)
{
    const Location location = batch.location;
    const bool biased_by_sample = N == 3 && batch[N - 1].batched;
    if (!batch[1].batched && !biased_by_sample)
    {
        if constexpr (N == 3)
        {
            return apply(op, location, batch[0].tensor, batch[1].tensor, batch[2].tensor);
        }
        else
        {
            return apply(op, location, batch[0].tensor, batch[1].tensor);
        }
    }
    // One sample's rows.
    const Shape one = batch[0].shape();
    const std::size_t rows = Shape(one.begin(), one.end() - 1).elements();
    Shape shape = batch[0].batched ? Shape{batch.samples, rows} : Shape{rows};
    shape.push_back(one[one.rank() - 1]);
    const detail::BatchOperand<T> x{reshape(batch[0].tensor, shape, location), batch[0].batched};
    Tensor<T> y = x.batched || batch[1].batched ? product_on_batch(MatMul{false, true}, x, batch[1], location)
                                                : apply(MatMul{false, true}, location, x.tensor, batch[1].tensor);
    if constexpr (N == 3)
    {
        y = y + Operand<T>(batch[2].aligned(2, location), location);
    }
    return batch.unstacked(y);
};
const detail::Batching<Linear, 2> linear_batching(linear_on_batch);
const detail::Batching<Linear, 3> linear_with_bias_batching(linear_on_batch);

}

template <Real T>
Tensor<T> detail::matmul(const Tensor<T>& a, const Tensor<T>& b, MatmulOptions options, Location location)
{
    const std::size_t a_rank = a.dimension();
    const std::size_t b_rank = b.dimension();
    if (a_rank == 0 || b_rank == 0)
    {
        throw_misfit("matmul", "a 0-d operand", a.shape(), b.shape(), location, "Multiply by a scalar with *.");
    }
    if ((options.transpose_a && a_rank == 1) || (options.transpose_b && b_rank == 1))
    {
        throw_misfit("matmul", "a vector has no transpose", a.shape(), b.shape(), location);
    }
    const std::size_t a_inner = a.shape(options.transpose_a ? a_rank - 2 : a_rank - 1);
    const std::size_t inner = b.shape(options.transpose_b ? b_rank - 1 : b_rank == 1 ? 0 : b_rank - 2);
    if (a_inner != inner)
    {
        throw_misfit("matmul",
                     "the " + std::string(options.transpose_a ? "last but one" : "last") +
                         " axis of the first operand, " + std::to_string(a_inner) + ", is not the " +
                         (b_rank == 1           ? "axis"
                          : options.transpose_b ? "last"
                                                : "last but one") +
                         " of the second, " + std::to_string(inner),
                     a.shape(), b.shape(), location);
    }
    const MatMul product{options.transpose_a, options.transpose_b};
    if (b_rank == 1)
    {
        const Tensor<T> column = reshape(b, Shape{inner, 1}, location);
        return squeeze(matmul<T>(a, column, options, location), -1, location);
    }
    // The rows of a stack on the left are rows of one matrix, if the right is one matrix.
    if (b_rank == 2 && a_rank != 2 && !options.transpose_a)
    {
        Shape shape(a.shape().begin(), a.shape().end() - 1);
        const Tensor<T> rows = reshape(a, Shape{shape.elements(), inner}, location);
        shape.push_back(b.shape(options.transpose_b ? 0 : 1));
        return reshape(apply(product, location, rows, b), shape, location);
    }
    if (a_rank == 1)
    {
        return squeeze(matmul<T>(reshape(a, Shape{1, inner}, location), b, options, location), -2, location);
    }
    Shape batch;
    if (!broadcast_shapes(Shape(a.shape().begin(), a.shape().end() - 2), Shape(b.shape().begin(), b.shape().end() - 2),
                          batch))
    {
        throw_misfit("matmul", "the axes before the last two do not broadcast", a.shape(), b.shape(), location);
    }
    return apply(product, location, a, b);
}

template <Real T>
Tensor<T> detail::dot(const char* operation, const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    if (a.dimension() != 1 || b.dimension() != 1 || a.size() != b.size())
    {
        throw_misfit(operation, "needs two vectors of equal length", a.shape(), b.shape(), location,
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

template <Real T>
Tensor<T> detail::outer(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    if (a.dimension() != 1 || b.dimension() != 1)
    {
        throw_misfit("outer", "needs two vectors", a.shape(), b.shape(), location, "Flatten them first.");
    }
    return apply(MatMul{}, location, reshape(a, Shape{a.size(), 1}, location),
                 reshape(b, Shape{1, b.size()}, location));
}

template <Real T>
Tensor<T> detail::kron(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    const std::size_t rank = std::max(a.dimension(), b.dimension());
    if (2 * rank > max_rank)
    {
        throw_misfit("kron", "needs operands of at most " + std::to_string(max_rank / 2) + " axes", a.shape(),
                     b.shape(), location);
    }
    Shape blocks;
    Shape within;
    Shape result;
    for (std::size_t axis = 0; axis < rank; ++axis)
    {
        const auto extent = [&](const Tensor<T>& x)
        { return axis + x.dimension() < rank ? 1 : x.shape(axis + x.dimension() - rank); };
        blocks.push_back(extent(a));
        blocks.push_back(1);
        within.push_back(1);
        within.push_back(extent(b));
        result.push_back(extent(a) * extent(b));
    }
    const Tensor<T> right = reshape(b, within, location);
    return reshape(reshape(a, blocks, location) * Operand<T>(right, location), result, location);
}

template <Real T>
Tensor<T> detail::cross(const Tensor<T>& a, const Tensor<T>& b, std::ptrdiff_t axis, Location location)
{
    Shape common;
    if (!broadcast_shapes(a.shape(), b.shape(), common))
    {
        throw_misfit("cross", "the shapes do not broadcast", a.shape(), b.shape(), location);
    }
    const std::size_t along = normalize_axis(axis, common.rank(), "cross", location);
    const std::size_t from_end = common.rank() - along;
    const auto extent = [&](const Tensor<T>& x)
    { return x.dimension() < from_end ? 1 : x.shape(x.dimension() - from_end); };
    if (extent(a) != 3 || extent(b) != 3)
    {
        throw_misfit("cross", "needs an extent of 3 in axis " + std::to_string(axis), a.shape(), b.shape(), location);
    }
    const Shape grouped{Shape(common.begin(), common.begin() + along).elements(), 3,
                        Shape(common.begin() + along + 1, common.end()).elements()};
    const auto rolled = [&](const Tensor<T>& x, int by)
    {
        const Tensor<T> whole = reshape(broadcast_to(x, common, location), grouped, location);
        return concatenate({view(whole, all(), range(by, 3)), view(whole, all(), range(0, by))}, 1, location);
    };
    const Tensor<T> positive = rolled(a, 1) * Operand<T>(rolled(b, 2), location);
    const Tensor<T> negative = rolled(a, 2) * Operand<T>(rolled(b, 1), location);
    return reshape(positive - Operand<T>(negative, location), common, location);
}

template <Real T>
Tensor<T> detail::vecdot(const Tensor<T>& a, const Tensor<T>& b, std::ptrdiff_t axis, Location location)
{
    Shape common;
    if (!broadcast_shapes(a.shape(), b.shape(), common))
    {
        throw_misfit("vecdot", "the shapes do not broadcast", a.shape(), b.shape(), location);
    }
    const std::size_t along = normalize_axis(axis, common.rank(), "vecdot", location);
    return sum(a * Operand<T>(b, location), along, {}, location);
}

namespace
{

/// Matrices, or a matrix and a vector, or stacks of as many matrices, that can be multiplied.
void require_factors(const char* operation, const Shape& a, std::size_t a_rank, const Shape& b, std::size_t b_rank,
                     Location location)
{
    if (a.rank() != a_rank || b.rank() != b_rank || a[a_rank - 1] != b[b_rank == 1 ? 0 : b_rank - 2] ||
        (a_rank == 3 && a[0] != b[0]))
    {
        throw_misfit(operation,
                     a_rank == 3   ? "needs stacks (batch, n, k) and (batch, k, m)"
                     : b_rank == 2 ? "needs matrices (n, k) and (k, m)"
                                   : "needs a matrix (n, k) and a vector (k)",
                     a, b, location);
    }
}

/// beta input + alpha product(), which has this shape.
template <class T, class Product>
Tensor<T> add_product(const char* operation, const Tensor<T>& input, const Shape& shape, Product product,
                      AddProductOptions options, Location location)
{
    if (!broadcasts_to(input.shape(), shape))
    {
        throw_misfit(operation, "the input does not broadcast to the product", input.shape(), shape, location);
    }
    const Tensor<T> y = product();
    const Tensor<T> scaled = options.alpha == 1 ? y : y * Operand<T>(options.alpha, location);
    if (options.beta == 0)
    {
        return scaled;
    }
    return scaled + Operand<T>(options.beta == 1 ? input : input * Operand<T>(options.beta, location), location);
}

/// Finds the cheapest order of multiplying a chain of matrices, and multiplies. (Cormen et al., "Introduction to
/// Algorithms", matrix-chain multiplication.)
template <class T>
class Chain
{
public:
    Chain(std::vector<Tensor<T>> matrices, Location location)
        : matrices_(std::move(matrices)), location_(location), count_(matrices_.size()), costs_(count_ * count_),
          splits_(count_ * count_)
    {
        for (std::size_t length = 1; length < count_; ++length)
        {
            for (std::size_t first = 0; first + length < count_; ++first)
            {
                split(first, first + length);
            }
        }
    }

    Tensor<T> product() const { return product(0, count_ - 1); }

private:
    void split(std::size_t first, std::size_t last)
    {
        double& least = costs_[first * count_ + last];
        least = std::numeric_limits<double>::infinity();
        for (std::size_t middle = first; middle < last; ++middle)
        {
            const double own = static_cast<double>(matrices_[first].shape(0)) *
                               static_cast<double>(matrices_[middle].shape(1)) *
                               static_cast<double>(matrices_[last].shape(1));
            const double cost = own + costs_[first * count_ + middle] + costs_[(middle + 1) * count_ + last];
            if (cost < least)
            {
                least = cost;
                splits_[first * count_ + last] = middle;
            }
        }
    }

    Tensor<T> product(std::size_t first, std::size_t last) const
    {
        if (first == last)
        {
            return matrices_[first];
        }
        const std::size_t middle = splits_[first * count_ + last];
        return apply(MatMul{}, location_, product(first, middle), product(middle + 1, last));
    }

    std::vector<Tensor<T>> matrices_;
    Location location_;
    std::size_t count_;
    std::vector<double> costs_;
    std::vector<std::size_t> splits_;
};

}

template <Real T>
Tensor<T> detail::addmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                        Location location)
{
    require_factors("addmm", a.shape(), 2, b.shape(), 2, location);
    const auto product = [&] { return apply(MatMul{}, location, a, b); };
    return add_product("addmm", input, {a.shape(0), b.shape(1)}, product, options, location);
}

template <Real T>
Tensor<T> detail::addmv(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                        Location location)
{
    require_factors("addmv", a.shape(), 2, b.shape(), 1, location);
    const auto product = [&] { return matmul<T>(a, b, {}, location); };
    return add_product("addmv", input, {a.shape(0)}, product, options, location);
}

// The sum over the batch is one product, whose inner extent counts both.
template <Real T>
Tensor<T> detail::addbmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                         Location location)
{
    require_factors("addbmm", a.shape(), 3, b.shape(), 3, location);
    const auto product = [&] { return tensordot<T>(a, b, {0, 2}, {0, 1}, location); };
    return add_product("addbmm", input, {a.shape(1), b.shape(2)}, product, options, location);
}

template <Real T>
Tensor<T> detail::baddbmm(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                          Location location)
{
    require_factors("baddbmm", a.shape(), 3, b.shape(), 3, location);
    const auto product = [&] { return apply(MatMul{}, location, a, b); };
    return add_product("baddbmm", input, {a.shape(0), a.shape(1), b.shape(2)}, product, options, location);
}

template <Real T>
Tensor<T> detail::addr(const Tensor<T>& input, const Tensor<T>& a, const Tensor<T>& b, AddProductOptions options,
                       Location location)
{
    if (a.dimension() != 1 || b.dimension() != 1)
    {
        throw_misfit("addr", "needs two vectors", a.shape(), b.shape(), location);
    }
    const auto product = [&] { return outer<T>(a, b, location); };
    return add_product("addr", input, {a.size(), b.size()}, product, options, location);
}

template <Real T>
Tensor<T> linalg::multi_dot(std::span<const Tensor<T>> matrices, Location location)
{
    if (matrices.size() < 2)
    {
        throw ValueError("multi_dot", "needs at least two matrices: got " + std::to_string(matrices.size()), location);
    }
    std::vector<Tensor<T>> chain(matrices.begin(), matrices.end());
    const bool row = chain.front().dimension() == 1;
    const bool column = chain.back().dimension() == 1;
    if (row)
    {
        chain.front() = expand_dims(chain.front(), 0, location);
    }
    if (column)
    {
        chain.back() = expand_dims(chain.back(), 1, location);
    }
    for (std::size_t k = 0; k < chain.size(); ++k)
    {
        if (chain[k].dimension() != 2)
        {
            throw ShapeError("multi_dot",
                             "operand " + std::to_string(k) + " is no matrix: got shape " +
                                 to_string(matrices[k].shape()),
                             location, "Only the first and the last may be vectors.");
        }
        if (k > 0 && chain[k - 1].shape(1) != chain[k].shape(0))
        {
            throw_misfit("multi_dot", "operands " + std::to_string(k - 1) + " and " + std::to_string(k) + " do not fit",
                         matrices[k - 1].shape(), matrices[k].shape(), location);
        }
    }
    const Tensor<T> product = Chain<T>(std::move(chain), location).product();
    Shape shape;
    if (!row)
    {
        shape.push_back(product.shape(0));
    }
    if (!column)
    {
        shape.push_back(product.shape(1));
    }
    return row || column ? reshape(product, shape, location) : product;
}

#define INSTANTIATE_SUM(function, T)                                                                                   \
    template Tensor<T> detail::function<T>(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, AddProductOptions,    \
                                           Location);
#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::matmul<T>(const Tensor<T>&, const Tensor<T>&, MatmulOptions, Location);                 \
    template Tensor<T> detail::dot<T>(const char*, const Tensor<T>&, const Tensor<T>&, Location);                      \
    template Tensor<T> detail::linear<T>(const Tensor<T>&, const Tensor<T>&, const Tensor<T>*, Location);              \
    template Tensor<T> detail::outer<T>(const Tensor<T>&, const Tensor<T>&, Location);                                 \
    template Tensor<T> detail::kron<T>(const Tensor<T>&, const Tensor<T>&, Location);                                  \
    template Tensor<T> detail::cross<T>(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, Location);                 \
    template Tensor<T> detail::vecdot<T>(const Tensor<T>&, const Tensor<T>&, std::ptrdiff_t, Location);                \
    INSTANTIATE_SUM(addmm, T)                                                                                          \
    INSTANTIATE_SUM(addmv, T)                                                                                          \
    INSTANTIATE_SUM(addbmm, T)                                                                                         \
    INSTANTIATE_SUM(baddbmm, T)                                                                                        \
    INSTANTIATE_SUM(addr, T)                                                                                           \
    template Tensor<T> linalg::multi_dot(std::span<const Tensor<T>>, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE
#undef INSTANTIATE_SUM

EXAMPLE(matmul, matrices, real, ({2, 3}, {3, 4}), matmul(x[0], x[1]))
EXAMPLE(matmul, row, real, ({3}, {3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, column, real, ({2, 3}, {3}), matmul(x[0], x[1]))
EXAMPLE(matmul, vectors, real, ({3}, {3}), matmul(x[0], x[1]))
EXAMPLE(matmul, stacks, real, ({2, 1, 2, 3}, {2, 3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, stack_matrix, real, ({2, 2, 3}, {3, 2}), matmul(x[0], x[1]))
EXAMPLE(matmul, matrix_stack, real, ({2, 3}, {2, 3, 2}), matmul(x[0], x[1]))
EXAMPLE(dot, vectors, real, ({4}, {4}), dot(x[0], x[1]))
EXAMPLE(linear, biased, real, ({2, 3}, {4, 3}, {4}), linear(x[0], x[1], x[2]))
EXAMPLE(linear, unbiased, real, ({2, 2, 3}, {2, 3}), linear(x[0], x[1]))
EXAMPLE(linear, vector, real, ({3}, {2, 3}, {2}), linear(x[0], x[1], x[2]))
EXAMPLE(matmul, flags, real, ({2, 3, 2}, {4, 3}), matmul(x[0], x[1], {.transpose_a = true, .transpose_b = true}))
EXAMPLE(matmul, transposed, real, ({2, 3}, {4, 3}), matmul(x[0], x[1], {.transpose_b = true}))
EXAMPLE(dot, numpy, real, ({2, 3}, {2, 3, 2}), linalg::dot(x[0], x[1]))
EXAMPLE(dot, scalar, real, ({}, {2, 2}), linalg::dot(x[0], x[1]))
EXAMPLE(vdot, vectors, real, ({3}, {3}), linalg::vdot(x[0], x[1]))
EXAMPLE(vecdot, rows, real, ({2, 3}, {3}), linalg::vecdot(x[0], x[1]))
EXAMPLE(inner, arrays, real, ({2, 3}, {4, 3}), inner(x[0], x[1]))
EXAMPLE(inner, vectors, real, ({3}, {3}), inner(x[0], x[1]))
EXAMPLE(outer, vectors, real, ({3}, {2}), outer(x[0], x[1]))
EXAMPLE(kron, matrices, real, ({2, 3}, {2, 2}), kron(x[0], x[1]))
EXAMPLE(kron, vector, real, ({2, 2}, {3}), kron(x[0], x[1]))
EXAMPLE(cross, rows, real, ({2, 3}, {3}), cross(x[0], x[1]))
EXAMPLE(cross, columns, real, ({3, 2}, {3, 1}), cross(x[0], x[1], 0))
EXAMPLE(tensordot, counted, real, ({2, 3, 2}, {3, 2, 2}), tensordot(x[0], x[1]))
EXAMPLE(tensordot, listed, real, ({2, 3, 2}, {2, 2, 3}), tensordot(x[0], x[1], {0, 1}, {1, 2}))
EXAMPLE(einsum, product, real, ({2, 3}, {3, 2}), einsum("ij,jk->ki", x[0], x[1]))
EXAMPLE(einsum, batch, real, ({2, 2, 3}, {2, 3, 2}), einsum("...ij,...jk", x[0], x[1]))
EXAMPLE(einsum, diagonal, real, ({2, 2, 3}), einsum("iij->ji", x[0]))
EXAMPLE(einsum, trace, real, ({3, 3}), einsum("ii", x[0]))
EXAMPLE(einsum, chain, real, ({2, 3}, {3}, {2, 3}), einsum("ij,j,kj->ik", x[0], x[1], x[2]))
EXAMPLE(einsum, elements, real, ({2, 3}, {1, 3}), einsum("ij,ij->ji", x[0], x[1]))
EXAMPLE(addmm, row, real, ({3}, {2, 2}, {2, 3}), addmm(x[0], x[1], x[2], {.beta = 0.5, .alpha = 2}))
EXAMPLE(addmv, vector, real, ({2}, {2, 3}, {3}), addmv(x[0], x[1], x[2], {.alpha = -1}))
EXAMPLE(addbmm, stacks, real, ({2, 2}, {3, 2, 3}, {3, 3, 2}), addbmm(x[0], x[1], x[2]))
EXAMPLE(baddbmm, stacks, real, ({2, 2, 2}, {2, 2, 3}, {2, 3, 2}), baddbmm(x[0], x[1], x[2], {.beta = 0.5}))
EXAMPLE(addr, scalar, real, ({}, {2}, {3}), addr(x[0], x[1], x[2], {.beta = 3}))
EXAMPLE(multi_dot, chain, real, ({2, 3}, {3, 4}, {4, 2}), linalg::multi_dot({x[0], x[1], x[2]}))
EXAMPLE(multi_dot, row, real, ({3}, {3, 2}, {2}), linalg::multi_dot({x[0], x[1], x[2]}))
TRIAL(matmul, flags, ({3, 3}, {3, 3}), matmul(x[0], x[1], {.transpose_a = any.flag(), .transpose_b = any.flag()}))
TRIAL(cross, axis, ({3, 3}, {3, 3}), cross(x[0], x[1], any.axis()))
TRIAL(vecdot, axis, ({2, 3}, {3}), linalg::vecdot(x[0], x[1], any.axis()))
TRIAL(tensordot, count, ({2, 2, 2}, {2, 2, 2}), tensordot(x[0], x[1], any.below(5)))
TRIAL(tensordot, axes, ({2, 2, 2}, {2, 2, 2}), tensordot(x[0], x[1], any.axes(), any.axes()))
TRIAL(einsum, subscripts, ({2, 2, 2}, {2, 2}),
      einsum(any.one_of({Subscripts("ijk,jk"), Subscripts("iij,kj->ik"), Subscripts("...i,ij->j..."), Subscripts("..."),
                         Subscripts("ij,jk->ix"), Subscripts("i j k , k k"), Subscripts("ijk,kl->ii"),
                         Subscripts("i.j,jk"), Subscripts("")}),
             x[0], x[1]))
TRIAL(addmm, numbers, ({2, 2}, {2, 2}, {2, 2}), addmm(x[0], x[1], x[2], {.beta = any.number(), .alpha = any.number()}))

static constexpr Names names[] = {
    {"matmul", nullptr, "matmul", "matmul"},
    {"dot", nullptr, nullptr, "dot"},
    {"linear", nullptr, nullptr, "nn.functional.linear"},
    {"inner", nullptr, "inner", "inner"},
    {"outer", "linalg::outer", "outer", "outer"},
    {"kron", "linalg::kron", "kron", "kron"},
    {"cross", "linalg::cross", "cross", "linalg.cross"},
    {"tensordot", "linalg::tensordot", "tensordot", "tensordot"},
    {"einsum", nullptr, "einsum", "einsum"},
    {"addmm", nullptr, nullptr, "addmm"},
    {"addmv", nullptr, nullptr, "addmv"},
    {"addbmm", nullptr, nullptr, "addbmm"},
    {"baddbmm", nullptr, nullptr, "baddbmm"},
    {"addr", nullptr, nullptr, "addr"},
    {"linalg::dot", "linalg::dot", "dot", nullptr},
    {"linalg::vdot", "linalg::vdot", "vdot", "vdot"},
    {"linalg::vecdot", nullptr, "linalg.vecdot", "linalg.vecdot"},
    {"linalg::multi_dot", nullptr, "linalg.multi_dot", "linalg.multi_dot"},
};
static const NameTable name_table("Products", names);

void detail::linalg_family() noexcept {}

}
