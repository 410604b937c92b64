#include <autograd/custom.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/primitive.hpp>

#include <memory>
#include <string>

namespace autograd
{

namespace
{

using detail::Node;

struct CustomAttributes : detail::Attributes
{
    explicit CustomAttributes(detail::NodePullback pullback) : pullback(std::move(pullback)) {}
    detail::NodePullback pullback;
};

/// What the pullback of a record gave, checked.
class Gradients
{
public:
    Gradients(detail::Record& record, Node* dy, Node* y)
    {
        nodes_ = static_cast<const CustomAttributes*>(record.attributes)->pullback(dy, y);
        try
        {
            check(record.operation->name, record);
        }
        catch (...)
        {
            release_all();
            throw;
        }
    }
    Gradients(const Gradients&) = delete;
    Gradients& operator=(const Gradients&) = delete;
    ~Gradients() { release_all(); }

    /// That of input k, a reference of which becomes the caller's; null if there is none.
    Node* take(std::size_t k) noexcept { return std::exchange(nodes_[k], nullptr); }

private:
    void check(const char* name, detail::Record& record) const
    {
        if (nodes_.size() != record.arity)
        {
            throw ShapeError(name,
                             "the pullback must give one gradient an input: it gave " + std::to_string(nodes_.size()) +
                                 " for " + std::to_string(record.arity) + (record.arity == 1 ? " input" : " inputs"),
                             record.location);
        }
        for (std::size_t k = 0; k < nodes_.size(); ++k)
        {
            const Node* input = record.operands()[k].node;
            if (input != nullptr && nodes_[k] != nullptr && nodes_[k]->shape != input->shape)
            {
                throw ShapeError(name,
                                 "the gradient of input " + std::to_string(k + 1) +
                                     " must have its shape: the input is " + to_string(input->shape) +
                                     ", the gradient " + to_string(nodes_[k]->shape),
                                 record.location);
            }
        }
    }

    void release_all() noexcept
    {
        for (Node* node : nodes_)
        {
            if (node != nullptr)
            {
                detail::release(node);
            }
        }
    }

    std::vector<Node*> nodes_;
};

/// A variable's gradient would be taken for the variable itself: takes the reference, gives one to its value.
Node* immutable(Node* node)
{
    if (!node->is_variable)
    {
        return node;
    }
    Node* const value = detail::snapshot(node);
    detail::release(node);
    return value;
}

}

void detail::pull_custom(Pull& p)
{
    Gradients gradients(p.record(), p.full_output_gradient(), p.output());
    for (std::size_t k = 0; k < p.record().arity; ++k)
    {
        if (Node* const gradient = p.wants(k) ? gradients.take(k) : nullptr)
        {
            p.give(k, immutable(gradient));
        }
    }
}

namespace
{

template <class Out, class In>
Node* push_one(detail::Push& p, std::size_t k)
{
    const detail::Borrowed<In> tangent(p.tangent(k));
    const auto pullback = [&](const Tensor<Out>& dy)
    {
        Node* const gradient = Gradients(p.record(), dy.node(), p.output()).take(k);
        return gradient != nullptr ? Tensor<In>::adopt(immutable(gradient)) : detail::zeros<In>(p.operand(k)->shape);
    };
    return detail::transposed<Out>(pullback, p.output()->shape, static_cast<const Tensor<In>&>(tangent)).disown();
}

}

void detail::push_custom(Push& p)
{
    const bool out_float = p.output()->dtype == DType::float32;
    for (std::size_t k = 0; k < p.record().arity; ++k)
    {
        if (p.tangent(k) == nullptr)
        {
            continue;
        }
        const bool in_float = p.operand(k)->dtype == DType::float32;
        p.give(out_float ? (in_float ? push_one<float, float>(p, k) : push_one<float, double>(p, k))
                         : (in_float ? push_one<double, float>(p, k) : push_one<double, double>(p, k)));
    }
}

constexpr detail::Operation detail::straight_through_operation = custom_operation("straight_through");
constexpr detail::Operation detail::on_gradient_operation = custom_operation("on_gradient");
constexpr detail::Operation detail::recompute_grad_operation = custom_operation("recompute_grad");
constexpr detail::Operation detail::fixed_point_operation = custom_operation("fixed_point", reads_output);
constexpr detail::Operation detail::root_operation = custom_operation("root", reads_output);

Node* detail::with_gradient(const Operation& operation, Node* output, std::span<Node* const> inputs,
                            NodePullback pullback, Location location)
{
    Node* const result = new_view(output, output->shape);
    note_view(output, result);
    Arena& arena = Arena::current();
    if (!arena.recording())
    {
        return result;
    }
    notify_begin(arena.observer);
    std::vector<ResolvedOperand> operands;
    for (Node* const input : inputs)
    {
        ResolvedOperand& operand = operands.emplace_back();
        operand.node = arena.read(input, operand.slot);
    }
    record(
        arena, operation, result, operands,
        [](const void* held) -> Attributes* { return new CustomAttributes(*static_cast<const NodePullback*>(held)); },
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
        detail::straight_through_operation, value, {x}, [](const Tensor<T>& dy) { return std::vector<Tensor<T>>{dy}; },
        location);
}

namespace
{

void require_positive(double most, const char* operation, Location location)
{
    if (!(most > 0))
    {
        throw ValueError(operation, "needs a bound above 0: got " + std::to_string(most), location);
    }
}

}

template <Real T>
Tensor<T> scale_gradient(const Tensor<T>& x, double factor, Location location)
{
    return on_gradient(
        x, [factor](const Tensor<T>& dy) { return dy * factor; }, location);
}

template <Real T>
Tensor<T> clip_gradient_value(const Tensor<T>& x, double most, Location location)
{
    require_positive(most, "clip_gradient_value", location);
    return on_gradient(
        x, [most](const Tensor<T>& dy) { return clip(dy, -most, most); }, location);
}

template <Real T>
Tensor<T> clip_gradient_norm(const Tensor<T>& x, double most, Location location)
{
    require_positive(most, "clip_gradient_norm", location);
    return on_gradient(
        x, [most](const Tensor<T>& dy) { return dy * minimum(most / norm(dy), 1.0); }, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> straight_through(const Tensor<T>&, const Tensor<T>&, Location);                                 \
    template Tensor<T> scale_gradient(const Tensor<T>&, double, Location);                                             \
    template Tensor<T> clip_gradient_value(const Tensor<T>&, double, Location);                                        \
    template Tensor<T> clip_gradient_norm(const Tensor<T>&, double, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
