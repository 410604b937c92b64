#include <autograd/derive.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/matrices.hpp>

#include <cmath>

namespace autograd::detail
{

namespace
{

/// "(1, 2)", the place of element k.
std::string place_of(std::size_t k, const Shape& shape)
{
    Shape place = shape;
    for (std::size_t axis = shape.rank(); axis-- > 0;)
    {
        place[axis] = k % shape[axis];
        k /= shape[axis];
    }
    return to_string(place);
}

}

std::string name_of_matrix(const Stack& stack, std::size_t k)
{
    return stack.batch.rank() == 0 ? "the matrix" : "matrix " + place_of(k, stack.batch) + " of the stack";
}

void require_matrices(const char* operation, const Shape& shape, Location location)
{
    if (shape.rank() < 2)
    {
        throw ShapeError(operation, "needs a matrix or a stack of them: got shape " + to_string(shape), location);
    }
}

void require_square(const char* operation, const Shape& shape, Location location)
{
    if (shape.rank() < 2 || shape[shape.rank() - 1] != shape[shape.rank() - 2])
    {
        throw ShapeError(operation, "needs a square matrix or a stack of them: got shape " + to_string(shape),
                         location);
    }
}

template <class T>
void require_finite(const char* operation, const Tensor<T>& a, Location location)
{
    note_decision(a.node(), operation, location);
    const T* end = a.data() + a.size();
    const T* found = std::find_if(a.data(), end, [](T element) { return !std::isfinite(element); });
    if (found != end)
    {
        throw ValueError(operation,
                         "needs finite numbers: got " + std::to_string(*found) + " at " +
                             place_of(static_cast<std::size_t>(found - a.data()), a.shape()) + " of shape " +
                             to_string(a.shape()),
                         location);
    }
}

template <class T>
void copy_transposed(std::size_t rows, std::size_t columns, const T* in, T* out)
{
    Walk walk;
    walk.push_back(columns, 1);
    walk.push_back(rows, static_cast<std::ptrdiff_t>(columns));
    gather(in, walk, out);
}

template <class T>
Tensor<T> identity(const Shape& shape)
{
    const Stack stack(shape);
    Tensor<T> result = zeros<T>(shape);
    T* elements = elements_of(result);
    for (std::size_t k = 0; k < stack.count; ++k)
    {
        for (std::size_t row = 0; row < stack.smaller(); ++row)
        {
            elements[(k * stack.rows + row) * stack.columns + row] = 1;
        }
    }
    return result;
}

template <class T>
Tensor<T> factor(const Tensor<T>& packed, std::size_t offset, std::initializer_list<std::size_t> extents,
                 Location location)
{
    Shape shape(packed.shape().begin(), packed.shape().end() - 1);
    std::size_t size = 1;
    for (const std::size_t extent : extents)
    {
        shape.push_back(extent);
        size *= extent;
    }
    const Tensor<T> part =
        strided_slice(packed, {Slice(ellipsis(), location), Slice(range(offset, offset + size), location)});
    return reshape(part, shape, location);
}

template <class T>
Tensor<T> ratio(const Tensor<T>& num, const Tensor<T>& den)
{
    const formula::Mask<T> both{formula::eq(num, T(0)).ones * formula::eq(den, T(0)).ones};
    return formula::select(both, T(0), num / formula::select(both, T(1), den));
}

#define INSTANTIATE(T)                                                                                                 \
    template void require_finite(const char*, const Tensor<T>&, Location);                                             \
    template void copy_transposed(std::size_t, std::size_t, const T*, T*);                                             \
    template Tensor<T> identity(const Shape&);                                                                         \
    template Tensor<T> factor(const Tensor<T>&, std::size_t, std::initializer_list<std::size_t>, Location);            \
    template Tensor<T> ratio(const Tensor<T>&, const Tensor<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
