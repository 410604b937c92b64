#include <autograd/custom.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/primitive.hpp>

#include <memory>
#include <string>

namespace autograd
{

namespace
{

template <class T>
struct CustomAttributes : detail::Attributes
{
    explicit CustomAttributes(detail::CustomPullback<T> pullback) : pullback(std::move(pullback)) {}
    detail::CustomPullback<T> pullback;
};

/// What the pullback of a record gives, checked.
template <class T>
std::vector<Tensor<T>> gradients(detail::Record& record, const Tensor<T>& dy)
{
    std::vector<Tensor<T>> result = static_cast<const CustomAttributes<T>*>(record.attributes)->pullback(dy);
    if (result.size() != record.arity)
    {
        throw ShapeError("custom_gradient",
                         "the pullback must give one gradient an input: it gave " + std::to_string(result.size()) +
                             " for " + std::to_string(record.arity) + (record.arity == 1 ? " input" : " inputs"),
                         record.location);
    }
    for (std::size_t k = 0; k < result.size(); ++k)
    {
        const detail::Node* input = record.operands()[k].node;
        if (input != nullptr && result[k].shape() != input->shape)
        {
            throw ShapeError("custom_gradient",
                             "the gradient of input " + std::to_string(k + 1) + " must have its shape: the input is " +
                                 to_string(input->shape) + ", the gradient " + to_string(result[k].shape()),
                             record.location);
        }
    }
    return result;
}

template <class T>
void pull_custom(detail::Pull& p)
{
    const detail::Borrowed<T> dy(p.full_output_gradient());
    std::vector<Tensor<T>> result = gradients<T>(p.record(), static_cast<const Tensor<T>&>(dy));
    for (std::size_t k = 0; k < result.size(); ++k)
    {
        if (p.wants(k))
        {
            p.give(k, Tensor<T>(result[k]).disown());
        }
    }
}

template <class T>
void push_custom(detail::Push& p)
{
    for (std::size_t k = 0; k < p.record().arity; ++k)
    {
        if (p.tangent(k) != nullptr)
        {
            const detail::Borrowed<T> tangent(p.tangent(k));
            const auto pullback = [&](const Tensor<T>& dy) { return gradients<T>(p.record(), dy)[k]; };
            p.give(detail::transposed<T>(pullback, p.output()->shape, static_cast<const Tensor<T>&>(tangent)).disown());
        }
    }
}

// What the pullback reads, it holds itself.
constexpr detail::Reads nothing[1];

template <class T>
constexpr detail::Operation custom_operation{"custom_gradient", &pull_custom<T>, nothing, &push_custom<T>};

}

template <Real T>
Tensor<T> detail::with_gradient(const Tensor<T>& output, const std::vector<Tensor<T>>& inputs,
                                CustomPullback<T> pullback, Location location)
{
    Tensor<T> result = stop_gradient(output, Location{});
    Arena& arena = Arena::current();
    if (!arena.recording())
    {
        return result;
    }
    notify_begin(arena.observer);
    std::vector<ResolvedOperand> operands;
    for (const Tensor<T>& input : inputs)
    {
        ResolvedOperand& operand = operands.emplace_back();
        operand.node = arena.read(input.node(), operand.slot);
    }
    record(
        arena, custom_operation<T>, result.node(), operands,
        [](const void* held) -> Attributes*
        { return new CustomAttributes<T>(*static_cast<const CustomPullback<T>*>(held)); },
        &pullback, location);
    return result;
}

template <Real T>
Tensor<T> straight_through(const Tensor<T>& value, const Tensor<T>& x, Location location)
{
    if (value.shape() != x.shape())
    {
        throw ShapeError("straight_through",
                         "value and x must have one shape: got " + to_string(value.shape()) + " and " +
                             to_string(x.shape()),
                         location);
    }
    return detail::with_gradient<T>(
        value, {x}, [](const Tensor<T>& dy) { return std::vector<Tensor<T>>{dy}; }, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::with_gradient<T>(const Tensor<T>&, const std::vector<Tensor<T>>&, CustomPullback<T>,    \
                                                Location);                                                             \
    template Tensor<T> straight_through(const Tensor<T>&, const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
