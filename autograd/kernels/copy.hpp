#pragma once

#include <autograd/shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Copies of chosen elements between an array and a sequence. `gather` reads the array; `scatter` writes it, later elements
/// over earlier ones; `scatter_add` adds to it. Results do not depend on the number of threads.
namespace autograd::detail
{

/// A walk over elements of an array in some order: extents, and how far apart neighbours of each axis are in it.
struct Walk
{
    bool operator==(const Walk&) const = default;

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
    std::size_t elements() const noexcept;
};

/// The elements that a walk visits.
/// @{
template <class T>
void gather(const T* in, const Walk& walk, T* out);
template <class T>
void scatter(const T* in, T* out, const Walk& walk);
template <class T>
void scatter_add(const T* in, T* out, const Walk& walk);
/// @}

/// For each place of the outer walk, and each offset from there, the elements that the inner walk visits from there. The
/// outer and the inner walk never meet.
struct Blocks
{
    Walk outer;
    std::span<const std::int64_t> offsets;
    Walk inner;
};
/// @{
template <class T>
void gather(const T* in, const Blocks& blocks, T* out);
template <class T>
void scatter(const T* in, T* out, const Blocks& blocks);
template <class T>
void scatter_add(const T* in, T* out, const Blocks& blocks);
/// @}

/// The i-th element is `index[i] * stride` from the i-th place of the walk, whose stride along that axis is 0.
struct Places
{
    Walk walk;
    const std::int64_t* index;
    std::ptrdiff_t stride;
};
/// @{
template <class T>
void gather(const T* in, const Places& places, T* out);
template <class T>
void scatter(const T* in, T* out, const Places& places);
template <class T>
void scatter_add(const T* in, T* out, const Places& places);
/// @}

}
