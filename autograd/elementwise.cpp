#include <autograd/elementwise.hpp>
#include <autograd/kernels/broadcast.hpp>
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

constexpr std::size_t most_inputs = most_operands + 2;
constexpr std::size_t few_elements = 128;

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

template <class T>
void add(T* sum, const T* change, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
    {
        sum[i] += change[i];
    }
}

/// Where the gradient of one operand goes: the results of a kernel, or dy itself if there is none.
template <class T>
struct Gradient
{
    Kernel<T> kernel;
    T* out;
    bool adds;  ///< to what is there
};

/// Those of all operands, piece by piece: what they read and add to is in the first-level cache then.
template <class T>
struct Gradients
{
    static constexpr std::size_t piece = 2048 / sizeof(T);

    std::array<Gradient<T>, most_operands> each;
    std::size_t size = 0;
    unsigned reads = 0;  ///< as those of a pullback

    void push_back(const ElementwisePullback<T>& pullback, Node* to, bool adds)
    {
        each[size++] = {pullback.passes_on() ? nullptr : pullback.kernel, to->as<T>(), adds};
        reads |= pullback.reads;
    }

    void operator()(std::size_t count, const T* const* in, std::size_t position) const
    {
        alignas(buffer_alignment) T results[piece + buffer_alignment / sizeof(T)];
        const T* block[most_inputs];
        for (std::size_t done = 0; done < count; done += piece)
        {
            const std::size_t length = std::min(piece, count - done);
            std::transform(in, in + most_inputs, block, [&](const T* from) { return from ? from + done : nullptr; });
            for (std::size_t k = 0; k < size; ++k)
            {
                const auto [kernel, out, adds] = each[k];
                T* const result = adds ? results : out + position + done;
                if (kernel != nullptr)
                {
                    kernel(length, block, result);
                }
                if (adds)
                {
                    add(out + position + done, kernel != nullptr ? results : block[0], length);
                }
            }
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

/// Runs kernels over whole results, which are like this one. Inputs that no kernel reads are null.
template <class T, class Sink>
void run(const Sink& sink, std::span<Node* const> inputs, const Node& result)
{
    const Shape& shape = result.shape;
    const std::size_t count = result.elements;
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
        if (operand->shape == shape)
        {
            continue;
        }
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
    run<T>(Store<T>{kernel, result->as<T>()}, operands, *result);
    return result;
}

namespace
{

/// What pullbacks of a record are computed from; null for what is not read.
using Inputs = std::array<Node*, most_inputs>;

Inputs inputs_of(unsigned reads, Node* dy, Record& record)
{
    Inputs inputs{dy, record.output};
    for (std::size_t k = 0; k < record.arity; ++k)
    {
        inputs[2 + k] = record.first_operand[k].node;
    }
    for (std::size_t i = 0; i < most_inputs; ++i)
    {
        inputs[i] = (reads >> i & 1) != 0 ? inputs[i] : nullptr;
    }
    return inputs;
}

/// The gradient of an operand of a 0-d operation.
template <class T>
Node* scalar_gradient(const ElementwisePullback<T>& pullback, const Inputs& inputs)
{
    const T* numbers[most_inputs];
    std::transform(inputs.begin(), inputs.end(), numbers,
                   [](const Node* input) { return input != nullptr ? input->as<T>() : nullptr; });
    return new_scalar(pullback.scalar(numbers));
}

/// Tells the tracer, if there is one, that a pullback of the record gave this.
void trace(const Record& record, std::size_t k, const Inputs& inputs, Node* gradient)
{
    if (Arena::current().tracer != nullptr) [[unlikely]]
    {
        trace_pullback(record, k, std::span(inputs).first(2 + record.arity), gradient);
    }
}

/// The pullback of a 0-d result, whose operands then are 0-d, too.
template <class T>
void pull_scalar(Pull& p, const ElementwiseOperation<T>& operation)
{
    Node*& dy = p.output_gradient();
    // A copy: the first gradient takes its memory.
    const T output_gradient = *dy->as<T>();
    const T* in[most_inputs] = {&output_gradient, p.output()->as<T>()};
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        Node* operand = p.operand(k);
        in[2 + k] = operand != nullptr ? operand->as<T>() : nullptr;
    }
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        Node** const sum = p.place(k);
        if (sum == nullptr)
        {
            continue;
        }
        const T gradient = operation.pullbacks[k].scalar(in);
        if (*sum != nullptr && writable_in_place(*sum))
        {
            *(*sum)->as<T>() += gradient;
        }
        else if (dy != nullptr && dy->values.unique())
        {
            *dy->as<T>() = gradient;
            Pull::accumulate(*sum, std::exchange(dy, nullptr));
        }
        else
        {
            Pull::accumulate(*sum, new_scalar(gradient));
        }
    }
}

/// Gives the gradient of an operand in the shape of the output.
template <class T>
void give_computed(Pull& p, std::size_t k, Node* gradient)
{
    const Shape& shape = p.output()->shape;
    const Shape& operand_shape = p.operand(k)->shape;
    p.give(k, operand_shape == shape ? gradient : sum_to(Tensor<T>::adopt(gradient), shape, operand_shape).disown());
}

/// The same while somebody follows: each gradient is a step of its own, and memory is not used twice.
template <class T>
[[gnu::noinline]] void pull_traced(Pull& p, const ElementwiseOperation<T>& operation)
{
    Node* const dy = p.output_gradient();
    const Shape& shape = p.output()->shape;
    for (std::size_t k = 0; k < operation.arity; ++k)
    {
        if (!p.wants(k))
        {
            continue;
        }
        const ElementwisePullback<T>& pullback = operation.pullbacks[k];
        if (pullback.passes_on() && shape.rank() != 0)
        {
            retain(dy);
            give_computed<T>(p, k, dy);
            continue;
        }
        const Inputs inputs = inputs_of(pullback.reads, dy, p.record());
        Node* gradient = nullptr;
        if (shape.rank() == 0)
        {
            gradient = scalar_gradient(pullback, inputs);
        }
        else
        {
            gradient = new_node<T>(shape);
            Gradients<T> only;
            only.push_back(pullback, gradient, false);
            run<T>(only, {inputs.data(), operation.arity + 2}, *p.output());
        }
        trace(p.record(), k, inputs, gradient);
        give_computed<T>(p, k, gradient);
    }
}

/// That of an array.
template <class T>
[[gnu::noinline]] void pull_array(Pull& p, const ElementwiseOperation<T>& operation)
{
    std::size_t end = operation.arity;
    while (end > 0 && !p.wants(end - 1))
    {
        --end;
    }
    const Shape& shape = p.output()->shape;
    Node*& dy = p.output_gradient();
    Node* const output_gradient = dy;
    Gradients<T> gradients;
    std::array<Tensor<T>, most_operands> later;  // what is given when it is computed
    for (std::size_t k = 0; k < end; ++k)
    {
        if (!p.wants(k))
        {
            continue;
        }
        const ElementwisePullback<T>& pullback = operation.pullbacks[k];
        Node* const sum = p.sum_so_far(k);
        // Then the operand has this shape, too: its node, which may be in a slower cache, is not looked at.
        if (sum != nullptr && sum->shape == shape && writable_in_place(sum))
        {
            gradients.push_back(pullback, sum, true);
            continue;
        }
        Node* gradient = dy;
        if (pullback.passes_on())
        {
            retain(gradient);
        }
        else
        {
            // The gradient of the output is dead after its last use: its memory takes the result.
            const bool reuse = k + 1 == end && dy->shape == shape && writable_in_place(dy);
            gradient = reuse ? std::exchange(dy, nullptr) : new_node<T>(shape);
            gradients.push_back(pullback, gradient, false);
        }
        if (sum == nullptr && p.operand(k)->shape == shape)
        {
            p.give(k, gradient);
        }
        else
        {
            later[k] = Tensor<T>::adopt(gradient);
        }
    }
    if (gradients.size > 0)
    {
        const Inputs inputs = inputs_of(gradients.reads, output_gradient, p.record());
        run<T>(gradients, {inputs.data(), operation.arity + 2}, *p.output());
    }
    for (std::size_t k = 0; k < end; ++k)
    {
        if (later[k].defined())
        {
            give_computed<T>(p, k, later[k].disown());
        }
    }
}

}

template <class T>
void elementwise_pull(Pull& p, const ElementwiseOperation<T>& operation)
{
    if (Arena::current().tracer != nullptr) [[unlikely]]
    {
        pull_traced(p, operation);
    }
    else if (p.output()->shape.rank() == 0)
    {
        pull_scalar(p, operation);
    }
    else
    {
        pull_array(p, operation);
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
        if (pullback.passes_on())
        {
            retain(tangent);
            p.give(tangent);
            continue;
        }
        const Inputs inputs = inputs_of(pullback.reads, tangent, p.record());
        Node* result = nullptr;
        if (shape.rank() == 0)
        {
            result = scalar_gradient(pullback, inputs);
        }
        else
        {
            result = new_node<T>(shape);
            run<T>(Store<T>{pullback.kernel, result->template as<T>()}, {inputs.data(), operation.arity + 2}, *result);
        }
        trace(p.record(), k, inputs, result);
        p.give(result);
    }
}

template <class T>
void add_in_place(T* sum, const T* change, std::size_t count)
{
    parallel_for(count, Grain{parallel_elements, block_elements},
                 [=](std::size_t begin, std::size_t end) { add(sum + begin, change + begin, end - begin); });
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
