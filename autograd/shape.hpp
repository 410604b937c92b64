#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace autograd
{

/// The most axes that a tensor can have.
inline constexpr std::size_t max_rank = 8;

/// The extents of a row-major array, held inline: making one never allocates.
class Shape
{
public:
    using value_type = std::size_t;

    Shape() noexcept = default;
    Shape(std::initializer_list<std::size_t> extents) : Shape(extents.begin(), extents.end()) {}

    /// From any range of integers, such as the `shape()` of an xtensor array.
    template <class Range>
        requires requires(const Range& range)
        {
            range.begin();
            range.size();
        }
    explicit Shape(const Range& range) : Shape(range.begin(), range.end()) {}

    template <class Iterator>
    Shape(Iterator first, Iterator last)
    {
        for (; first != last; ++first)
        {
            push_back(static_cast<std::size_t>(*first));
        }
    }

    std::size_t rank() const noexcept { return rank_; }
    std::size_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }
    std::size_t& operator[](std::size_t axis) noexcept { return extents_[axis]; }
    const std::size_t* begin() const noexcept { return extents_.data(); }
    const std::size_t* end() const noexcept { return extents_.data() + rank_; }
    std::size_t size() const noexcept { return rank_; }

    /// The number of elements: the product of all extents, 1 for a 0-d array.
    std::size_t elements() const noexcept
    {
        std::size_t count = 1;
        for (std::size_t extent : *this)
        {
            count *= extent;
        }
        return count;
    }

    /// Appends an axis. Throws ShapeError beyond `max_rank` axes.
    void push_back(std::size_t extent)
    {
        if (rank_ == max_rank)
        {
            throw_too_many_axes();
        }
        extents_[rank_++] = extent;
    }

    friend bool operator==(const Shape& a, const Shape& b) noexcept
    {
        // Of std::equal a call of memcmp is made, which costs more than a few comparisons.
        bool same = a.rank_ == b.rank_;
        for (std::size_t axis = 0; axis < a.rank_ && same; ++axis)
        {
            same = a.extents_[axis] == b.extents_[axis];
        }
        return same;
    }

private:
    [[noreturn]] static void throw_too_many_axes();

    // In this order, the first line of a node tells its shape, unless it has more than two axes.
    std::uint32_t rank_ = 0;
    std::array<std::size_t, max_rank> extents_{};
};

/// As in Python: `()`, `(3,)`, `(2, 3)`.
std::string to_string(const Shape& shape);

/// Whether NumPy's rules broadcast `a` and `b` together; if so, `result` is the common shape.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result) noexcept;

/// Whether an array of shape `from` stretches to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to) noexcept;

}
