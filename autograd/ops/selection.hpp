#pragma once

#include <autograd/elementwise.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/ops/slice.hpp>

#include <algorithm>

/// Chosen elements of an array: three ways to say which, and two operations on each, which are each other's pullbacks, to
/// take them out and to put others in their place. Only for the library's own sources.
namespace autograd::detail
{

/// Elements at regular steps of each axis of an array of shape `from`; the result has shape `to`.
struct Strided
{
    bool operator==(const Strided&) const = default;

    static constexpr const char* taking = "view";
    static constexpr const char* putting = "view_put";
    Walk places;
    Shape from;
    Shape to;

    const Walk& where() const { return places; }
};

/// Blocks of elements at any offsets from regular places.
struct Chosen
{
    bool operator==(const Chosen&) const = default;

    static constexpr const char* taking = "index";
    static constexpr const char* putting = "index_put";
    Walk outer;
    Indices offsets;
    Walk inner;
    Shape from;
    Shape to;

    Blocks where() const { return {outer, {offsets.data(), offsets.size()}, inner}; }
};

/// For each element of the result the index along one axis, and the other coordinates its own.
struct Along
{
    bool operator==(const Along&) const = default;

    static constexpr const char* taking = "gather";
    static constexpr const char* putting = "scatter";
    Walk walk;
    Indices index;
    std::ptrdiff_t stride;
    Shape from;
    Shape to;

    Places where() const { return {walk, index.data(), stride}; }
};

template <class Selection, bool accumulate>
struct Put;

template <class Selection>
struct Take
{
    static constexpr const char* name = Selection::taking;
    bool operator==(const Take&) const = default;
    static constexpr bool multilinear = true;
    Selection selection;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Tensor<T> y = Tensor<T>::adopt(new_node<T>(selection.to));
        gather(x.data(), selection.where(), y.node()->template as<T>());
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        return apply(Put<Selection, true>{selection}, Location{}, Tensor<T>(T(0)), dy);
    }
    template <class T>
    void add_to(Wrt<0>, T* sum, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        scatter_add(dy.data(), sum, selection.where());
    }
};

/// The array `whole`, or one filled with a 0-d `whole`, with the elements of `part` written, or added, where they belong.
/// Written twice, an element is the last one; the gradient goes to both.
template <class Selection, bool accumulate>
struct Put
{
    static constexpr const char* name = Selection::putting;
    bool operator==(const Put&) const = default;
    Selection selection;

    template <class T>
    Tensor<T> value(const Tensor<T>& whole, const Tensor<T>& part) const
    {
        Tensor<T> y = Tensor<T>::adopt(new_node<T>(selection.from));
        T* elements = y.node()->template as<T>();
        if (whole.dimension() == 0)
        {
            std::fill_n(elements, y.size(), *whole.data());
        }
        else
        {
            std::copy_n(whole.data(), y.size(), elements);
        }
        if constexpr (accumulate)
        {
            scatter_add(part.data(), elements, selection.where());
        }
        else
        {
            scatter(part.data(), elements, selection.where());
        }
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& whole, const Tensor<T>&) const
    {
        if constexpr (accumulate)
        {
            return sum_to(dy, selection.from, whole.shape());
        }
        else
        {
            return sum_to(apply(*this, Location{}, dy, zeros<T>(selection.to)), selection.from, whole.shape());
        }
    }
    template <class T>
    Tensor<T> pullback(Wrt<1>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&) const
    {
        return apply(Take<Selection>{selection}, Location{}, dy);
    }
};

template <class Selection, class T>
Tensor<T> take_out(const Selection& selection, const Tensor<T>& x, Location location)
{
    return apply(Take<Selection>{selection}, location, x);
}

/// `whole` may be 0-d: then it fills the array.
template <class Selection, class T>
Tensor<T> put_into(const Selection& selection, const Tensor<T>& whole, const Tensor<T>& part, Location location)
{
    return apply(Put<Selection, false>{selection}, location, whole, part);
}

template <class Selection, class T>
Tensor<T> add_into(const Selection& selection, const Tensor<T>& whole, const Tensor<T>& part, Location location)
{
    return apply(Put<Selection, true>{selection}, location, whole, part);
}

/// Throws ShapeError if an array cannot have so many axes.
void require_axes(std::size_t rank, const char* operation, Location location);

/// Throws ValueError for a range of step 0.
void require_step(const Slice& slice, const char* operation, Location location);

/// The source, stretched to what it is put into. Throws ShapeError if it does not broadcast.
template <class T>
Tensor<T> stretched_to(const Tensor<T>& source, const Shape& shape, const char* operation, Location location)
{
    if (!broadcasts_to(source.shape(), shape))
    {
        throw ShapeError(operation,
                         "the source does not broadcast to where it goes: got " + to_string(source.shape()) + " for " +
                             to_string(shape),
                         location);
    }
    return source.shape() == shape ? source : broadcast_to(source, shape, location);
}

/// Reads slices one after another, and knows which elements of an array they take.
class SliceReader
{
public:
    SliceReader(const Shape& shape, const char* operation, Location location)
        : shape_(shape), whole_(shape), operation_(operation), location_(location)
    {
    }

    /// An index, a range or a new axis.
    void read(const Slice& slice);
    /// The next axes as they are.
    void keep(std::size_t axes);
    /// Passes over the next axes, which somebody else reads; their strides.
    void skip(std::size_t axes) { axis_ += axes; }

    std::size_t axis() const noexcept { return axis_; }
    std::ptrdiff_t stride(std::size_t axis) const noexcept { return whole_.strides[axis]; }
    /// What was read so far.
    const Walk& walk() const noexcept { return walk_; }
    Strided selection() const
    {
        return {walk_, shape_, Shape(walk_.extents.begin(), walk_.extents.begin() + walk_.rank)};
    }

private:
    void push_back(std::size_t extent, std::ptrdiff_t stride);

    const Shape& shape_;
    Walk whole_;
    const char* operation_;
    Location location_;
    std::size_t axis_ = 0;
    Walk walk_;
};

/// Counted from the first element. Throws ValueError for an index that an axis of this extent does not have.
Indices normalized(const Indices& indices, std::size_t extent, const char* operation, Location location);

/// Blocks along one axis, which the axes of the indices replace. A 0-d array has one element along its only axis.
Chosen along_axis(const Shape& shape, std::size_t axis, const Indices& indices, const char* operation,
                  Location location);

}
