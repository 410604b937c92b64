#pragma once

#include <autograd/shape.hpp>

#include <array>
#include <cstddef>

namespace autograd::detail
{

/// A walk over elements of an array in some order: extents, and how far apart neighbours of each axis are in it.
struct Walk
{
    Walk() = default;
    /// Row-major over a whole array of this shape.
    explicit Walk(const Shape& shape);

    std::size_t rank = 0;
    std::ptrdiff_t offset = 0;
    std::array<std::size_t, max_rank> extents{};
    std::array<std::ptrdiff_t, max_rank> strides{};

    void push_back(std::size_t extent, std::ptrdiff_t stride)
    {
        extents[rank] = extent;
        strides[rank++] = stride;
    }
};

/// Copies the elements that the walk visits to consecutive places of `out`.
template <class T>
void gather(const T* in, const Walk& walk, T* out);

/// Copies consecutive elements of `in` to the places that the walk visits.
template <class T>
void scatter(const T* in, T* out, const Walk& walk);

}
