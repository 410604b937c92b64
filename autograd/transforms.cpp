#include <autograd/arena.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/primitive.hpp>
#include <autograd/transforms.hpp>

#include <algorithm>

namespace autograd::detail
{

namespace
{

/// Calls with a handle to the node, whatever its type of elements.
template <class Call>
Node* with_tensor(Node* node, const Call& call)
{
    retain(node);
    return (node->dtype == DType::float32 ? call(Tensor<float>::adopt(node)) : call(Tensor<double>::adopt(node)));
}

/// Zeros, and a 1 at element i.
template <class T>
Tensor<T> unit_vector(const Shape& shape, std::size_t i)
{
    const Tensor<T> result = zeros<T>(shape);
    result.node()->template as<T>()[i] = 1;
    return result;
}

template <class T>
Tensor<T> sum_of_seconds(GradientTape& tape, std::span<Node* const> gradients, std::span<Node* const> sources,
                         Location location)
{
    Tensor<T> total(0);
    for (std::size_t k = 0; k < sources.size(); ++k)
    {
        for (std::size_t i = 0; i < sources[k]->elements; ++i)
        {
            const Tensor<T> unit = unit_vector<T>(sources[k]->shape, i);
            Node* const direction = unit.node();
            Node* change = nullptr;
            TapeAccess::jvp(tape, {&gradients[k], 1}, {&sources[k], 1}, {&direction, 1}, {&change, 1},
                            {"laplacian", Demand::none, location});
            const Tensor<T> column = Tensor<T>::adopt(change);
            total += slice(flatten(column, location), 0, i, location);
        }
    }
    return total;
}

}

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
    return with_tensor(node, [&]<class T>(const Tensor<T>& x) { return reshape(x, x.shape(), location).disown(); });
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

Node* laplacian(GradientTape& tape, std::span<Node* const> gradients, std::span<Node* const> sources, Location location)
{
    const DType dtype = sources.front()->dtype;
    if (std::any_of(sources.begin(), sources.end(), [dtype](const Node* node) { return node->dtype != dtype; }))
    {
        throw ValueError("laplacian", "the arguments must all be of float, or all of double", location,
                         "Convert with autograd::cast.");
    }
    return dtype == DType::float32 ? sum_of_seconds<float>(tape, gradients, sources, location).disown()
                                   : sum_of_seconds<double>(tape, gradients, sources, location).disown();
}

}
