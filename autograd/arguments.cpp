#include <autograd/arena.hpp>
#include <autograd/arguments.hpp>
#include <autograd/ops/shape.hpp>

#include <algorithm>

namespace autograd::detail
{

void release_all(std::span<Node* const> nodes) noexcept
{
    for (Node* const node : nodes)
    {
        if (node != nullptr)
        {
            release(node);
        }
    }
}

Node* renewed(Node* node, Location location)
{
    if (!Arena::current().attentive())
    {
        return new_view(node, node->shape);
    }
    const auto reshaped = [&]<class T>(T)
    {
        retain(node);
        return reshape(Tensor<T>::adopt(node), node->shape, location).disown();
    };
    return node->dtype == DType::float32 ? reshaped(0.F) : reshaped(0.0);
}

void require_different_variables(std::span<Node* const> nodes, const SourceNames& names, Location location)
{
    for (std::size_t k = 0; k < nodes.size(); ++k)
    {
        const auto first = std::find(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(k), nodes[k]);
        const auto number = static_cast<std::size_t>(first - nodes.begin());
        if (nodes[k]->is_variable && number < k)
        {
            throw ValueError("grad",
                             names(number) + " and " + names(k) +
                                 " are one variable, whose derivative would be counted twice",
                             location, "Let one of them refer to the other, or be a Tensor.");
        }
    }
}

}
