#include <autograd/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/pass.hpp>

#include <algorithm>
#include <numeric>
#include <string>

namespace autograd::detail
{

namespace
{

/// Elements that a kernel is given at a time where an operand has to be stretched: the stretched pieces stay in the
/// first-level cache.
constexpr std::size_t block_elements = 1024;
constexpr std::size_t most_inputs = most_operands + 2;
constexpr std::size_t few_elements = 128;

/// A block, and what a kernel may touch behind it.
constexpr std::size_t scratch_elements = block_elements + buffer_alignment / sizeof(float);

/// Below this number of elements a second thread costs more than it saves.
constexpr std::size_t parallel_elements = elements_worth_a_thread;

/// Reads an operand as if it had been broadcast to the shape of the result. A 0-d value counts as stretched also to one
/// element, because it has no padding that a register could be filled from.
template <class T>
class BroadcastReader
{
public:
    BroadcastReader() = default;

    BroadcastReader(const Node& node, const Shape& result)
        : data_(node.as<T>()), stretched_(node.elements != result.elements() || node.buffer == nullptr)
    {
        if (!stretched_)
        {
            return;
        }
        const std::size_t lead = result.rank() - node.shape.rank();
        std::size_t stride = 1;
        for (std::size_t axis = result.rank(); axis-- > 0;)
        {
            const std::size_t extent = axis >= lead ? node.shape[axis - lead] : 1;
            add_axis(result[axis], extent == 1 ? 0 : stride);
            stride *= extent;
        }
        if (rank_ == 0)
        {
            extents_[rank_] = 1;
            strides_[rank_++] = 0;
        }
    }

    /// The elements from `position` on; those of a stretched operand are written to `scratch` first.
    const T* read(std::size_t position, std::size_t count, T* scratch) const
    {
        if (!stretched_)
        {
            return data_ + position;
        }
        std::size_t index[max_rank];
        std::size_t offset = 0;
        std::size_t rest = position;
        for (std::size_t axis = 0; axis < rank_; ++axis)
        {
            index[axis] = rest % extents_[axis];
            rest /= extents_[axis];
            offset += index[axis] * strides_[axis];
        }
        if (strides_[0] == 1 && index[0] + count <= extents_[0])
        {
            return data_ + offset;
        }
        T* out = scratch;
        while (count > 0)
        {
            const std::size_t run = std::min(count, extents_[0] - index[0]);
            if (strides_[0] == 0)
            {
                std::fill_n(out, run, data_[offset]);
            }
            else
            {
                std::copy_n(data_ + offset, run, out);
            }
            out += run;
            count -= run;
            offset -= index[0] * strides_[0];
            index[0] = 0;
            for (std::size_t axis = 1; axis < rank_; ++axis)
            {
                offset += strides_[axis];
                if (++index[axis] < extents_[axis])
                {
                    break;
                }
                offset -= extents_[axis] * strides_[axis];
                index[axis] = 0;
            }
        }
        // Whole registers are read.
        std::fill_n(out, xsimd::batch<T>::size, T(0));
        return scratch;
    }

    /// A length such that every piece of it, from a multiple of it on, reads the same; 0 if there is none.
    std::size_t period() const
    {
        if (!stretched_ || rank_ == 1)
        {
            return stretched_ && strides_[0] == 0 ? 1 : 0;
        }
        return rank_ == 2 && strides_[0] == 1 && strides_[1] == 0 ? extents_[0] : 0;
    }

    bool stretched() const noexcept { return stretched_; }

private:
    // Innermost first; neighbours that are walked as one are merged.
    void add_axis(std::size_t extent, std::size_t stride)
    {
        if (extent == 1)
        {
            return;
        }
        if (rank_ > 0 && stride == (strides_[rank_ - 1] == 0 ? 0 : strides_[rank_ - 1] * extents_[rank_ - 1]))
        {
            extents_[rank_ - 1] *= extent;
            return;
        }
        extents_[rank_] = extent;
        strides_[rank_] = stride;
        ++rank_;
    }

    const T* data_ = nullptr;
    bool stretched_ = false;
    std::size_t rank_ = 0;
    std::size_t extents_[max_rank];
    std::size_t strides_[max_rank];
};

/// Where a kernel's results go: to their places in an array.
template <class T>
struct Store
{
    Kernel<T> kernel;
    T* out;

    void operator()(std::size_t count, const T* const* in, std::size_t position) const
    {
        kernel(count, in, out + position);
    }
};

/// They are added there, block by block, while they are in the first-level cache.
template <class T>
struct Add
{
    Kernel<T> kernel;
    T* sum;

    void operator()(std::size_t count, const T* const* in, std::size_t position) const
    {
        alignas(buffer_alignment) T results[scratch_elements];
        const T* block[most_inputs];
        for (std::size_t done = 0; done < count; done += block_elements)
        {
            const std::size_t length = std::min(block_elements, count - done);
            std::transform(in, in + most_inputs, block, [&](const T* from) { return from ? from + done : nullptr; });
            kernel(length, block, results);
            add_in_place(sum + position + done, results, length);
        }
    }
};

/// What small models are made of: a few elements, from inputs that are as large or hold one element. False if they are
/// not.
template <class T, class Sink>
bool run_few(const Sink& sink, std::span<Node* const> inputs, std::size_t count)
{
    alignas(buffer_alignment) T scratch[most_inputs][few_elements + buffer_alignment / sizeof(float)];
    const T* in[most_inputs] = {};
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        const Node* input = inputs[k];
        if (input == nullptr)
        {
            continue;
        }
        if (input->elements == count && input->buffer != nullptr)
        {
            in[k] = input->as<T>();
        }
        else if (input->elements == 1)
        {
            // Whole registers are read.
            constexpr std::size_t lanes = xsimd::batch<T>::size;
            std::fill_n(scratch[k], (count + lanes - 1) / lanes * lanes, *input->as<T>());
            in[k] = scratch[k];
        }
        else
        {
            return false;
        }
    }
    sink(count, in, 0);
    return true;
}

/// Runs a kernel over a whole result. Inputs that the kernel does not read are null.
template <class T, class Sink>
void run(const Sink& sink, std::span<Node* const> inputs, const Shape& shape)
{
    const std::size_t count = shape.elements();
    if (count <= few_elements && run_few<T>(sink, inputs, count))
    {
        return;
    }
    std::array<BroadcastReader<T>, most_inputs> readers;
    std::size_t block = block_elements;
    bool stretched = false;
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        if (inputs[k] == nullptr)
        {
            continue;
        }
        readers[k] = BroadcastReader<T>(*inputs[k], shape);
        stretched |= readers[k].stretched();
    }
    if (!stretched)
    {
        parallel_for(count, Grain{parallel_elements, block_elements},
                     [&](std::size_t begin, std::size_t end)
                     {
                         const T* in[most_inputs] = {};
                         for (std::size_t k = 0; k < inputs.size(); ++k)
                         {
                             in[k] = inputs[k] != nullptr ? inputs[k]->as<T>() + begin : nullptr;
                         }
                         sink(end - begin, in, begin);
                     });
        return;
    }
    // Pieces that repeat are stretched once and read again and again, if a block can hold a whole number of them.
    constexpr std::size_t lanes = xsimd::batch<T>::size;
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        const std::size_t period = std::lcm(std::max<std::size_t>(readers[k].period(), 1), lanes);
        if (period <= block_elements)
        {
            block = block_elements / period * period;
        }
    }
    parallel_for(count, Grain{parallel_elements, block},
                 [&](std::size_t begin, std::size_t end)
                 {
                     alignas(buffer_alignment) T scratch[most_inputs][scratch_elements];
                     const T* in[most_inputs] = {};
                     bool repeats[most_inputs] = {};
                     for (std::size_t position = begin; position < end; position += block)
                     {
                         const std::size_t length = std::min(block, end - position);
                         for (std::size_t k = 0; k < inputs.size(); ++k)
                         {
                             if (inputs[k] != nullptr && !repeats[k])
                             {
                                 in[k] = readers[k].read(position, length, scratch[k]);
                                 const std::size_t period = readers[k].period();
                                 repeats[k] = in[k] == scratch[k] && period != 0 && block % period == 0;
                             }
                         }
                         sink(length, in, position);
                     }
                 });
}

}

template <class T>
Node* elementwise_value(const char* name, Kernel<T> kernel, std::span<Node* const> operands, Location location)
{
    Shape shape = operands[0]->shape;
    for (const Node* operand : operands.subspan(1))
    {
        Shape common;
        if (!broadcast_shapes(shape, operand->shape, common))
        {
            std::string shapes;
            for (const Node* each : operands)
            {
                shapes += (shapes.empty() ? "" : " and ") + to_string(each->shape);
            }
            throw ShapeError(name, "shapes do not broadcast: got " + shapes, location,
                             "Axes are compared from the last; each pair must be equal, or one of them 1.");
        }
        shape = common;
    }
    Node* result = new_node<T>(shape);
    run<T>(Store<T>{kernel, result->as<T>()}, operands, shape);
    return result;
}

namespace
{

/// The same for a 0-d result, whose operands then are 0-d, too.
template <class T>
void pull_scalar(Pull& p, const ElementwiseOperation<T>& operation, std::size_t last)
{
    Node*& dy = p.output_gradient();
    const T* in[most_inputs] = {dy->as<T>(), p.output()->as<T>()};
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        Node* operand = p.operand(k);
        in[2 + k] = operand != nullptr ? operand->as<T>() : nullptr;
    }
    for (std::size_t k = 0; k <= last && k < operation.arity; ++k)
    {
        if (!p.wants(k))
        {
            continue;
        }
        const T gradient = operation.pullbacks[k].scalar(in);
        if (k == last && dy->values.unique())
        {
            *dy->as<T>() = gradient;
            p.give(k, std::exchange(dy, nullptr));
        }
        else
        {
            p.give(k, new_scalar(gradient));
        }
    }
}

}

template <class T>
void elementwise_pull(Pull& p, const ElementwiseOperation<T>& operation)
{
    std::size_t last = operation.arity;
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        last = p.wants(k) ? k : last;
    }
    const Shape& shape = p.output()->shape;
    if (shape.rank() == 0)
    {
        pull_scalar(p, operation, last);
        return;
    }
    for (std::size_t k = 0; k <= last && k < operation.arity; ++k)
    {
        if (!p.wants(k))
        {
            continue;
        }
        const ElementwisePullback<T>& pullback = operation.pullbacks[k];
        const Shape& operand_shape = p.operand(k)->shape;
        if (pullback.passes_on && operand_shape == shape)
        {
            retain(p.output_gradient());
            p.give(k, p.output_gradient());
            continue;
        }
        Node* const candidates[most_inputs] = {p.output_gradient(), p.output(), p.operand(0),
                                               operation.arity > 1 ? p.operand(1) : nullptr,
                                               operation.arity > 2 ? p.operand(2) : nullptr};
        Node* inputs[most_inputs];
        for (std::size_t i = 0; i < most_inputs; ++i)
        {
            inputs[i] = (pullback.reads >> i & 1) != 0 ? candidates[i] : nullptr;
        }
        const std::span<Node* const> read(inputs, operation.arity + 2);
        const Node* const sum = p.sum_so_far(k);
        if (sum != nullptr && sum->shape == shape && operand_shape == shape && writable_in_place(sum))
        {
            run<T>(Add<T>{pullback.kernel, p.template sum<T>(k)}, read, shape);
            continue;
        }
        // The gradient of the output is dead after its last use: its memory takes the result.
        Node*& dy = p.output_gradient();
        const bool reuse = k == last && dy->values.unique() && dy->shape == shape && dy->buffer->references.unique();
        Node* gradient = reuse ? dy : new_node<T>(shape);
        run<T>(Store<T>{pullback.kernel, gradient->template as<T>()}, read, shape);
        if (reuse)
        {
            dy = nullptr;
        }
        if (operand_shape != shape)
        {
            gradient = sum_to(Tensor<T>::adopt(gradient), shape, operand_shape).disown();
        }
        p.give(k, gradient);
    }
}

template <class T>
void elementwise_push(Push& p, const ElementwiseOperation<T>& operation)
{
    const Shape& shape = p.output()->shape;
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        Node* const tangent = p.tangent(k);
        if (tangent == nullptr)
        {
            continue;
        }
        const ElementwisePullback<T>& pullback = operation.pullbacks[k];
        if (pullback.passes_on)
        {
            retain(tangent);
            p.give(tangent);
            continue;
        }
        Node* const candidates[most_inputs] = {tangent, p.output(), p.operand(0),
                                               operation.arity > 1 ? p.operand(1) : nullptr,
                                               operation.arity > 2 ? p.operand(2) : nullptr};
        Node* inputs[most_inputs];
        const T* numbers[most_inputs];
        for (std::size_t i = 0; i < most_inputs; ++i)
        {
            inputs[i] = (pullback.reads >> i & 1) != 0 ? candidates[i] : nullptr;
            numbers[i] = inputs[i] != nullptr ? inputs[i]->as<T>() : nullptr;
        }
        if (shape.rank() == 0)
        {
            p.give(new_scalar(pullback.scalar(numbers)));
            continue;
        }
        Node* result = new_node<T>(shape);
        run<T>(Store<T>{pullback.kernel, result->template as<T>()}, {inputs, operation.arity + 2}, shape);
        p.give(result);
    }
}

template <class T>
void add_in_place(T* sum, const T* change, std::size_t count)
{
    parallel_for(count, Grain{parallel_elements, block_elements},
                 [=](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t i = begin; i < end; ++i)
                     {
                         sum[i] += change[i];
                     }
                 });
}

template <class T>
Tensor<T> sum_to(const Tensor<T>& gradient, const Shape& from, const Shape& to)
{
    if (from == to)
    {
        return gradient;
    }
    const Tensor<T> full = gradient.shape() == from ? gradient : broadcast_to(gradient, from);
    Axes axes;
    const std::size_t lead = from.rank() - to.rank();
    for (std::size_t axis = 0; axis < from.rank(); ++axis)
    {
        if (axis < lead || (to[axis - lead] == 1 && from[axis] != 1))
        {
            axes.push_back(static_cast<std::ptrdiff_t>(axis));
        }
    }
    const Tensor<T> total = sum(full, axes);
    return total.shape() == to ? total : reshape(total, to);
}

#define AUTOGRAD_INSTANTIATE(T)                                                                                        \
    template Node* elementwise_value<T>(const char*, Kernel<T>, std::span<Node* const>, Location);                     \
    template void elementwise_pull<T>(Pull&, const ElementwiseOperation<T>&);                                          \
    template void elementwise_push<T>(Push&, const ElementwiseOperation<T>&);                                          \
    template void add_in_place<T>(T*, const T*, std::size_t);                                                          \
    template Tensor<T> sum_to<T>(const Tensor<T>&, const Shape&, const Shape&);
AUTOGRAD_INSTANTIATE(float)
AUTOGRAD_INSTANTIATE(double)
#undef AUTOGRAD_INSTANTIATE

}
