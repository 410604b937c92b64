#pragma once

#include <autograd/location.hpp>
#include <autograd/shape.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>

namespace autograd
{

/// Axes to reduce over, to insert or to permute. Negative ones count from the last. None given means all, in the order
/// that the operation documents.
class Axes
{
public:
    Axes() noexcept = default;
    template <std::integral I>
    Axes(I axis)
    {
        push_back(static_cast<std::ptrdiff_t>(axis));
    }
    template <std::integral I>
    Axes(std::initializer_list<I> axes)
    {
        for (I axis : axes)
        {
            push_back(static_cast<std::ptrdiff_t>(axis));
        }
    }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    std::ptrdiff_t operator[](std::size_t k) const noexcept { return axes_[k]; }
    std::ptrdiff_t& operator[](std::size_t k) noexcept { return axes_[k]; }
    const std::ptrdiff_t* begin() const noexcept { return axes_.data(); }
    const std::ptrdiff_t* end() const noexcept { return axes_.data() + size_; }
    /// Throws ShapeError beyond `max_rank` axes.
    void push_back(std::ptrdiff_t axis);

    bool operator==(const Axes&) const = default;

private:
    std::array<std::ptrdiff_t, max_rank> axes_{};
    std::size_t size_ = 0;
};

/// Whether a reduced axis stays, with extent 1.
struct KeepDims
{
    bool keep = false;
    bool operator==(const KeepDims&) const = default;
};
inline constexpr KeepDims keep_dims{true};

namespace detail
{

/// The axis counted from the first. Throws ShapeError, in the name of `operation`, if an array of `rank` axes has none
/// such.
std::size_t normalize_axis(std::ptrdiff_t axis, std::size_t rank, const char* operation, Location location);

/// The axes as a set: bit k for axis k, all if none is given. A 0-d array takes axis
/// 0 or -1 for its only element, as in PyTorch. Throws ShapeError for one out of range or given twice.
unsigned axis_set(const Axes& axes, std::size_t rank, const char* operation, Location location);

}

}
