#pragma once

#include <autograd/primitive.hpp>

#include <array>
#include <span>
#include <utility>
#include <vector>

/// How operations are executed on a batch of samples at once, for `vmap`. Beside an operation's definition stands what it
/// is for operands of which some have a further axis, the first, that counts samples:
///
///     const detail::Batching<Transpose, 1> transpose_batching([](const Transpose& op, const auto& batch)
///                                                             { return batch.behind_axis(shifted(op)); });
///
/// Element-wise operations need nothing. What has no such rule, or one that gives an empty tensor, is executed sample by
/// sample.
namespace autograd::detail
{

struct BatchedNode
{
    Node* node;
    bool batched;
};

/// An operand: a batch of samples, or what all samples share.
template <class T>
struct BatchOperand
{
    Tensor<T> tensor;
    bool batched;

    /// Of one sample.
    /// @{
    std::size_t rank() const { return tensor.dimension() - (batched ? 1 : 0); }
    Shape shape() const { return Shape(tensor.shape().begin() + (batched ? 1 : 0), tensor.shape().end()); }
    /// @}

    /// A batch whose samples have so many axes, ones in front; what is shared as it is.
    Tensor<T> aligned(std::size_t wanted, Location location) const
    {
        return batched ? aligned_batch(wanted, location) : tensor;
    }

    /// A batch in any case.
    Tensor<T> full(std::size_t samples, Location location) const
    {
        return batched ? tensor : broadcast_to(tensor, in_front(samples, tensor.shape()), location);
    }

    static Shape in_front(std::size_t samples, const Shape& shape)
    {
        Shape result{samples};
        for (const std::size_t extent : shape)
        {
            result.push_back(extent);
        }
        return result;
    }

private:
    Tensor<T> aligned_batch(std::size_t wanted, Location location) const
    {
        if (rank() >= wanted)
        {
            return tensor;
        }
        Shape extents{tensor.shape(0)};
        for (std::size_t axis = 0; axis < wanted; ++axis)
        {
            const std::size_t lead = wanted - rank();
            extents.push_back(axis < lead ? 1 : tensor.shape(1 + axis - lead));
        }
        return reshape(tensor, extents, location);
    }
};

/// The operands of one call of an operation.
template <class T, std::size_t N>
struct Batch
{
    using value_type = T;
    static constexpr std::size_t count = N;

    std::array<BatchOperand<T>, N> operands;
    std::size_t samples;
    const Shape& result;  ///< of one sample
    Location location;

    const BatchOperand<T>& operator[](std::size_t k) const { return operands[k]; }

    /// The operation on whole batches.
    template <class Op>
    Tensor<T> behind_axis(const Op& op) const
    {
        return call([&](const auto&... operand) { return apply(op, location, operand.full(samples, location)...); });
    }

    /// The operation on stacks: for one that treats what stands along the first axis each by itself.
    template <class Op>
    Tensor<T> as_stack(const Op& op) const
    {
        return call([&](const auto&... operand) { return unstacked(apply(op, location, stacked(operand)...)); });
    }

    /// The samples' first axes one after another.
    Tensor<T> stacked(const BatchOperand<T>& operand) const
    {
        const Shape one = operand.shape();
        Shape shape{samples * one[0]};
        for (std::size_t axis = 1; axis < one.rank(); ++axis)
        {
            shape.push_back(one[axis]);
        }
        return reshape(operand.full(samples, location), shape, location);
    }
    Tensor<T> unstacked(const Tensor<T>& y) const
    {
        return reshape(y, BatchOperand<T>::in_front(samples, result), location);
    }

private:
    template <class Call>
    Tensor<T> call(const Call& call) const
    {
        return [&]<std::size_t... K>(std::index_sequence<K...>)
        {
            return call(operands[K]...);
        }
        (std::make_index_sequence<N>{});
    }
};

/// The same for an operation of any number of operands.
template <class T>
struct BatchOfList
{
    std::vector<BatchOperand<T>> operands;
    std::size_t samples;
    Location location;

    std::vector<Tensor<T>> full() const
    {
        std::vector<Tensor<T>> tensors;
        for (const BatchOperand<T>& operand : operands)
        {
            tensors.push_back(operand.full(samples, location));
        }
        return tensors;
    }
};

/// What an operation is on a batch. It joins a list when it is constructed, and is a static object.
class BatchingRule
{
public:
    /// Gives a new reference, or null where the samples must be executed one by one. `result` is the shape of one sample's.
    using Execute = Node* (*)(const Attributes*, std::span<const BatchedNode>, std::size_t samples, const Shape& result,
                              Location);

    BatchingRule(const Operation& operation, Execute execute);
    BatchingRule(const BatchingRule&) = delete;
    BatchingRule& operator=(const BatchingRule&) = delete;

    /// Null if there is none.
    static const BatchingRule* find(const Operation& operation) noexcept;

    const Execute execute;

private:
    static constinit const BatchingRule* first_;

    const Operation& operation_;
    const BatchingRule* next_;
};

template <class T>
BatchOperand<T> batch_operand(const BatchedNode& operand)
{
    retain(operand.node);
    return {Tensor<T>::adopt(operand.node), operand.batched};
}

/// The rule of an operation of N operands, for both types of elements: a stateless generic lambda from the operation and a
/// Batch to a tensor.
template <class Op, std::size_t N>
class Batching
{
public:
    template <class Rule>
    explicit Batching(Rule)
        : float_(operation_of<Op, float, float, N>, &execute<Rule, float>),
          double_(operation_of<Op, double, double, N>, &execute<Rule, double>)
    {
    }

private:
    template <class Rule, class T>
    static Node* execute(const Attributes* attributes, std::span<const BatchedNode> nodes, std::size_t samples,
                         const Shape& result, Location location)
    {
        return [&]<std::size_t... K>(std::index_sequence<K...>)
        {
            const Batch<T, N> batch{{batch_operand<T>(nodes[K])...}, samples, result, location};
            return Rule{}(attributes_of<Op>(attributes), batch).disown();
        }
        (std::make_index_sequence<N>{});
    }

    BatchingRule float_;
    BatchingRule double_;
};

/// The same for an operation of any number of operands, from a BatchOfList.
template <class Op>
class BatchingOfList
{
public:
    template <class Rule>
    explicit BatchingOfList(Rule)
        : float_(list_operation_of<Op, float>, &execute<Rule, float>),
          double_(list_operation_of<Op, double>, &execute<Rule, double>)
    {
    }

private:
    template <class Rule, class T>
    static Node* execute(const Attributes* attributes, std::span<const BatchedNode> nodes, std::size_t samples,
                         const Shape&, Location location)
    {
        BatchOfList<T> batch{{}, samples, location};
        for (const BatchedNode& node : nodes)
        {
            batch.operands.push_back(batch_operand<T>(node));
        }
        return Rule{}(attributes_of<Op>(attributes), batch).disown();
    }

    BatchingRule float_;
    BatchingRule double_;
};

}
