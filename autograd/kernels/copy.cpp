#include <autograd/kernels/copy.hpp>

#include <algorithm>

namespace autograd::detail
{

Walk::Walk(const Shape& shape) : rank(shape.rank())
{
    std::ptrdiff_t stride = 1;
    for (std::size_t axis = rank; axis-- > 0;)
    {
        extents[axis] = shape[axis];
        strides[axis] = stride;
        stride *= static_cast<std::ptrdiff_t>(shape[axis]);
    }
}

namespace
{

/// The same walk with axes of extent 1 left out and those merged that are walked as one.
Walk merged(const Walk& walk)
{
    Walk result;
    result.offset = walk.offset;
    for (std::size_t axis = 0; axis < walk.rank; ++axis)
    {
        const std::size_t extent = walk.extents[axis];
        const std::ptrdiff_t stride = walk.strides[axis];
        if (extent == 1)
        {
            continue;
        }
        if (result.rank > 0 && result.strides[result.rank - 1] == stride * static_cast<std::ptrdiff_t>(extent))
        {
            result.extents[result.rank - 1] *= extent;
            result.strides[result.rank - 1] = stride;
        }
        else
        {
            result.push_back(extent, stride);
        }
    }
    if (result.rank == 0)
    {
        result.push_back(1, 1);
    }
    return result;
}

/// Calls row(offset in the array, position in the sequence) for each innermost row, or `rows` of them together, where
/// `inner` axes are left to the callee.
template <class Visit>
void for_each_row(const Walk& walk, std::size_t inner, Visit visit)
{
    const std::size_t outer = walk.rank - inner;
    std::size_t length = 1;
    for (std::size_t axis = outer; axis < walk.rank; ++axis)
    {
        length *= walk.extents[axis];
    }
    std::array<std::size_t, max_rank> index{};
    std::ptrdiff_t offset = walk.offset;
    std::size_t position = 0;
    while (true)
    {
        visit(offset, position);
        position += length;
        std::size_t axis = outer;
        while (axis-- > 0)
        {
            offset += walk.strides[axis];
            if (++index[axis] < walk.extents[axis])
            {
                break;
            }
            offset -= static_cast<std::ptrdiff_t>(walk.extents[axis]) * walk.strides[axis];
            index[axis] = 0;
        }
        if (axis == static_cast<std::size_t>(-1))
        {
            return;
        }
    }
}

bool is_empty(const Walk& walk)
{
    return std::find(walk.extents.begin(), walk.extents.begin() + walk.rank, std::size_t{0}) !=
           walk.extents.begin() + walk.rank;
}

/// A matrix whose columns are contiguous, in tiles of cache lines: out(i, j) = in[i + j * stride].
template <class T>
void transpose_matrix(const T* in, std::ptrdiff_t stride, std::size_t rows, std::size_t columns, T* out)
{
    constexpr std::size_t tile = 16;
    for (std::size_t i0 = 0; i0 < rows; i0 += tile)
    {
        const std::size_t i1 = std::min(rows, i0 + tile);
        for (std::size_t j0 = 0; j0 < columns; j0 += tile)
        {
            const std::size_t j1 = std::min(columns, j0 + tile);
            for (std::size_t i = i0; i < i1; ++i)
            {
                for (std::size_t j = j0; j < j1; ++j)
                {
                    out[i * columns + j] = in[static_cast<std::ptrdiff_t>(i) + static_cast<std::ptrdiff_t>(j) * stride];
                }
            }
        }
    }
}

}

template <class T>
void gather(const T* in, const Walk& whole, T* out)
{
    if (is_empty(whole))
    {
        return;
    }
    const Walk walk = merged(whole);
    const std::size_t columns = walk.extents[walk.rank - 1];
    const std::ptrdiff_t stride = walk.strides[walk.rank - 1];
    if (walk.rank >= 2 && walk.strides[walk.rank - 2] == 1)
    {
        for_each_row(walk, 2,
                     [&](std::ptrdiff_t offset, std::size_t position)
                     { transpose_matrix(in + offset, stride, walk.extents[walk.rank - 2], columns, out + position); });
        return;
    }
    for_each_row(walk, 1,
                 [&](std::ptrdiff_t offset, std::size_t position)
                 {
                     if (stride == 1)
                     {
                         std::copy_n(in + offset, columns, out + position);
                     }
                     else if (stride == 0)
                     {
                         std::fill_n(out + position, columns, in[offset]);
                     }
                     else
                     {
                         for (std::size_t j = 0; j < columns; ++j)
                         {
                             out[position + j] = in[offset + static_cast<std::ptrdiff_t>(j) * stride];
                         }
                     }
                 });
}

template <class T>
void scatter(const T* in, T* out, const Walk& whole)
{
    if (is_empty(whole))
    {
        return;
    }
    const Walk walk = merged(whole);
    const std::size_t columns = walk.extents[walk.rank - 1];
    const std::ptrdiff_t stride = walk.strides[walk.rank - 1];
    for_each_row(walk, 1,
                 [&](std::ptrdiff_t offset, std::size_t position)
                 {
                     for (std::size_t j = 0; j < columns; ++j)
                     {
                         out[offset + static_cast<std::ptrdiff_t>(j) * stride] = in[position + j];
                     }
                 });
}

template void gather(const float*, const Walk&, float*);
template void gather(const double*, const Walk&, double*);
template void scatter(const float*, float*, const Walk&);
template void scatter(const double*, double*, const Walk&);

}
