#include <autograd/arena.hpp>
#include <autograd/hooks.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/tracer.hpp>
#include <autograd/variable.hpp>

#include <algorithm>
#include <cstring>

namespace autograd
{

void HookHandle::remove() const
{
    if (const auto hooks = hooks_.lock())
    {
        std::erase_if(hooks->hooks, [this](const auto& hook) { return hook.first == number_; });
    }
}

namespace detail
{

namespace
{

/// Lets `node` hold the same elements as `value`: shares the buffer, or copies a 0-d value.
void share_elements(Node* node, const Node* value) noexcept
{
    if (value->buffer == nullptr)
    {
        node->data = node->scalar;
        std::memcpy(node->scalar, value->data, size_of(value->dtype));
        return;
    }
    value->buffer->references.retain();
    if (node->buffer != nullptr)
    {
        release_buffer(node->buffer);
    }
    node->buffer = value->buffer;
    node->data = value->data;
}

template <class T>
void assign_add_typed(Node* variable, Node* change, int sign, Location location)
{
    if (!broadcasts_to(change->shape, variable->shape))
    {
        throw ShapeError(sign > 0 ? "assign_add" : "assign_sub",
                         "the change must broadcast to the shape of the variable: the variable is " +
                             to_string(variable->shape) + ", the change " + to_string(change->shape),
                         location);
    }
    Arena::current().note_cut(Cut::Kind::assignment, sign > 0 ? "assign_add" : "assign_sub", change, variable,
                              location);
    const Unseen unseen;
    Tensor<T> full = Tensor<T>::adopt(new_view(change, change->shape));
    if (change->shape != variable->shape)
    {
        full = broadcast_to(full, variable->shape, location);
    }
    T* elements = static_cast<T*>(writable(variable, location));
    const T* by = full.data();
    for (std::size_t i = 0; i < variable->elements; ++i)
    {
        elements[i] += static_cast<T>(sign) * by[i];
    }
    if (unseen.tracer() != nullptr) [[unlikely]]
    {
        unseen.tracer()->changed(variable, change, sign);
    }
}

}

Node* new_variable(Node* value)
{
    auto* variable = new VariableNode;
    variable->is_variable = true;
    variable->dtype = value->dtype;
    variable->shape = value->shape;
    variable->elements = value->elements;
    share_elements(variable, value);
    return variable;
}

void assign(Node* variable, Node* value, Location location)
{
    Arena::current().note_cut(Cut::Kind::assignment, "assign", value, variable, location);
    if (value->shape != variable->shape)
    {
        throw ShapeError("assign",
                         "a variable keeps its shape: it is " + to_string(variable->shape) + ", the new value " +
                             to_string(value->shape),
                         location);
    }
    share_elements(variable, value);
    static_cast<VariableNode*>(variable)->assigned = location;
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->assigned(variable, value);
    }
}

void replace_gradient(Node* variable, Node* gradient)
{
    auto* const leaf = static_cast<VariableNode*>(variable);
    Node* const old = std::exchange(leaf->gradient, gradient);
    if (Tracer* const tracer = Arena::current().tracer)
    {
        tracer->replaced(leaf, gradient);
    }
    if (old != nullptr)
    {
        release(old);
    }
}

void assign_add(Node* variable, Node* change, int sign, Location location)
{
    if (variable->dtype == DType::float32)
    {
        assign_add_typed<float>(variable, change, sign, location);
    }
    else
    {
        assign_add_typed<double>(variable, change, sign, location);
    }
}

HookHandle register_hook(VariableNode* variable, std::function<Node*(Node*)> hook)
{
    if (variable->hooks == nullptr)
    {
        variable->hooks = std::make_shared<GradientHooks>();
    }
    GradientHooks& hooks = *variable->hooks;
    hooks.hooks.emplace_back(++hooks.last, std::move(hook));
    return {variable->hooks, hooks.last};
}

namespace
{

/// Gives it a buffer of its own.
[[gnu::noinline]] void detach(Node* variable)
{
    Node* const copy = new_copy(variable);
    share_elements(variable, copy);
    release(copy);
}

}

void* writable(Node* variable, Location location)
{
    static_cast<VariableNode*>(variable)->assigned = location;
    if (variable->buffer != nullptr && !variable->buffer->references.unique())
    {
        detach(variable);
    }
    return variable->data;
}

}

}
