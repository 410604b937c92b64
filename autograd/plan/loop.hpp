#pragma once

#include <autograd/elementwise.hpp>
#include <autograd/kernels/broadcast.hpp>
#include <autograd/plan/recording.hpp>
#include <autograd/plan/total.hpp>

#include <span>
#include <vector>

/// What a plan makes of element-wise operations of one shape: one loop over all elements, block by block, so that what lies
/// between them stays in the first-level cache; and for 0-d values a list of calls.
namespace autograd::detail
{

/// The values of a plan while it runs.
struct PlanValues
{
    std::vector<Node*> nodes;       ///< a reference each; null for what is not there, or is a number in a list
    std::vector<const void*> data;  ///< where the elements are

    void set(ValueId id, Node* node)
    {
        nodes[index(id)] = node;
        data[index(id)] = node->data;
    }
    Node* node(ValueId id) const { return nodes[index(id)]; }
};

/// A new reference to a 0-d array of this value: to `last`, if nobody else has that any more, or to a new one, which `last`
/// then is.
template <class T>
Node* renew(Held& last, T value)
{
    if (last != nullptr && last->values.unique() && last->holders.unique())
    {
        *last->template as<T>() = value;
    }
    else
    {
        last = adopt(new_scalar(value));
    }
    retain(last.get());
    return last.get();
}

/// An element-wise operation, or a pullback of one; or, as the last that happens to an array, its sum or mean.
struct ElementwiseStep
{
    const Instruction* instruction;
    bool escapes;  ///< whether somebody outside of the loop needs the output
    Total total = Total::none;
};

/// A loop, or a list, that a plan runs.
class ElementwiseProgram
{
public:
    virtual ~ElementwiseProgram() = default;
    virtual void run(PlanValues& values) = 0;
    /// Lets results take the memory of these values, which nobody needs after it.
    virtual void reuse(std::span<const ValueId> /*dead*/, std::span<const RecordedValue>) {}
};

/// A loop over this shape.
template <class T>
std::unique_ptr<ElementwiseProgram> make_loop(const Shape& shape, std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values);

/// A list of 0-d operations. `numbers` has a place for each value of the plan, those of constants filled; it must not
/// move.
template <class T>
std::unique_ptr<ElementwiseProgram> make_list(std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values, T* numbers);

}
