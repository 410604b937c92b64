#include <autograd/ops/shape.hpp>
#include <autograd/primitive.hpp>
#include <autograd/transforms.hpp>

#include <algorithm>

namespace autograd::detail
{

namespace
{

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
