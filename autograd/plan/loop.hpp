#pragma once

#include <autograd/elementwise.hpp>
#include <autograd/kernels/broadcast.hpp>
#include <autograd/plan/recording.hpp>
#include <autograd/plan/total.hpp>

#include <span>
#include <vector>

/// What a plan makes of element-wise operations of one shape, and of those on lines: one loop over all elements, block by
/// block, so that what lies between them stays in the first-level cache; and for 0-d values a list of calls.
namespace autograd::detail
{

/// The values of a plan while it runs.
struct PlanValues
{
    PoolVector<Node*> nodes;       ///< a reference each; null for what is not there, or is a number in a list
    PoolVector<const void*> data;  ///< where the elements are

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

/// An element-wise operation, one on lines, or a pullback of either; or, as the last that happens to an array, a total
/// of it.
struct ElementwiseStep
{
    const Instruction* instruction;
    bool escapes;  ///< whether somebody outside of the loop needs the output
    Total total = Total::none;
    ValueId slope = no_value;  ///< that it gives or takes, in a loop; see `find_slopes`
};

/// What an element-wise step computes of which inputs, if its formula is as simple as that.
struct Simple
{
    formula::Form form = formula::Form::other;
    ValueId a = no_value;
    ValueId b = no_value;  ///< the same as `a`, if there is only one
};
Simple simple_of(const Instruction& instruction, DType dtype);

/// A loop, or a list, that a plan runs.
class ElementwiseProgram
{
public:
    virtual ~ElementwiseProgram() = default;
    virtual void run(PlanValues& values) = 0;
    /// Lets results take the memory of these values, which nobody needs after it.
    virtual void reuse(std::span<const ValueId> /*dead*/, std::span<const RecordedValue>) {}
};

/// How many elements a loop has to compute together for an instruction: one, or whole lines in whole registers; 0 if it
/// cannot be part of a loop.
std::size_t unit_of(const Instruction& instruction, std::span<const RecordedValue> values);

/// Where a loop may be divided.
class Divisions
{
public:
    /// So many elements have to be computed together. Whether that is new.
    bool add(std::size_t unit);
    /// An array is added up, to a result of this shape.
    void add(Total total, const Shape& result);

    /// The places where every sum begins a part, so that a thread may begin there.
    std::vector<std::size_t> places(const Shape& shape, DType dtype) const;
    /// Whether there are as many as the threads need.
    bool suit(const Shape& shape, DType dtype) const;
    std::size_t unit() const noexcept { return unit_; }

private:
    std::size_t unit_ = 1;
    bool to_numbers_ = false;
    std::vector<std::size_t> widths_;  ///< of rows that are added up
};

/// For each instruction of a loop the number of the slope that it gives beside its value, or that it takes instead of
/// computing it again; numbers from `next` on, or `no_value`.
template <class T>
std::vector<ValueId> find_slopes(std::span<const Instruction* const> instructions, ValueId next);

/// A loop over this shape.
template <class T>
std::unique_ptr<ElementwiseProgram> make_loop(const Shape& shape, const Divisions& divisions,
                                              std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values);

/// A list of 0-d operations. `escapes` tells of each value of the plan whether somebody outside of the list needs it as an
/// array; `numbers` has a place for each, those of constants filled, and must not move.
template <class T>
std::unique_ptr<ElementwiseProgram> make_list(std::span<const Instruction* const> instructions, const Flags& escapes,
                                              std::span<const RecordedValue> values, T* numbers);

}
