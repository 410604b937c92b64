#include <autograd/node.hpp>

#include <cstring>

namespace autograd::detail
{

VariableNode::~VariableNode()
{
    if (gradient != nullptr)
    {
        release(gradient);
    }
}

void expire(Node* node) noexcept
{
    if (node->buffer != nullptr)
    {
        release_buffer(node->buffer);
        node->buffer = nullptr;
    }
    node->data = nullptr;
    release_holder(node);
}

void destroy(Node* node) noexcept
{
    if (node->is_variable)
    {
        delete static_cast<VariableNode*>(node);
    }
    else
    {
        delete node;
    }
}

template <class T>
Node* new_node(const Shape& shape)
{
    auto* node = new Node;
    node->dtype = dtype_of<T>;
    if (shape.rank() == 0)
    {
        node->data = node->scalar;
        return node;
    }
    node->shape = shape;
    node->elements = shape.elements();
    const std::size_t bytes = node->elements * sizeof(T);
    try
    {
        node->buffer = allocate_buffer(bytes);
    }
    catch (...)
    {
        delete node;
        throw;
    }
    node->data = node->buffer->data();
    // Kernels read whole registers: the padding must not hold what was never written.
    if (const std::size_t used = bytes % buffer_alignment; used != 0 || bytes == 0)
    {
        std::memset(static_cast<std::byte*>(node->data) + (bytes - used), 0, buffer_alignment);
    }
    return node;
}

Node* new_view(Node* node, const Shape& shape)
{
    if (shape.rank() == 0)
    {
        return node->dtype == DType::float32 ? new_scalar(*node->as<float>()) : new_scalar(*node->as<double>());
    }
    auto* view = new Node;
    view->dtype = node->dtype;
    view->shape = shape;
    view->elements = node->elements;
    if (node->buffer == nullptr)
    {
        view->buffer = allocate_buffer(buffer_alignment);
        view->data = view->buffer->data();
        std::memset(view->data, 0, buffer_alignment);
        std::memcpy(view->data, node->data, size_of(node->dtype));
        return view;
    }
    node->buffer->references.retain();
    view->buffer = node->buffer;
    view->data = node->data;
    return view;
}

Node* new_copy(const Node* node)
{
    Node* const copy = node->dtype == DType::float32 ? new_node<float>(node->shape) : new_node<double>(node->shape);
    std::memcpy(copy->data, node->data, node->elements * size_of(node->dtype));
    return copy;
}

template Node* new_node<float>(const Shape&);
template Node* new_node<double>(const Shape&);

}
