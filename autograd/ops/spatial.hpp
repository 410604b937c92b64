#pragma once

#include <autograd/error.hpp>
#include <autograd/tensor.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

/// What operations on images of one, two or three spatial axes share: (batch, channels, spatial...), where the batch may
/// be missing.
namespace autograd
{

/// A whole number for each spatial axis, or one for all of them; or none, for what has a default.
class PerAxis
{
public:
    PerAxis() = default;
    template <std::integral I>
    PerAxis(I all) : PerAxis({static_cast<std::ptrdiff_t>(all)})
    {
    }
    PerAxis(std::initializer_list<std::ptrdiff_t> numbers) : PerAxis(std::vector<std::ptrdiff_t>(numbers)) {}
    template <std::integral I>
    PerAxis(std::initializer_list<I> numbers) : PerAxis(std::vector<I>(numbers))
    {
    }
    template <std::integral I>
    PerAxis(const std::vector<I>& numbers) : size_(numbers.size())
    {
        for (std::size_t k = 0; k < std::min(most, size_); ++k)
        {
            numbers_[k] = static_cast<std::ptrdiff_t>(numbers[k]);
        }
    }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    std::ptrdiff_t operator[](std::size_t axis) const noexcept { return numbers_[size_ == 1 ? 0 : axis]; }

private:
    static constexpr std::size_t most = 3;

    std::array<std::ptrdiff_t, most> numbers_{};
    std::size_t size_ = 0;
};

namespace detail
{

/// The extents of an axis with its padding stay below this, so that no arithmetic on them overflows.
inline constexpr std::ptrdiff_t largest_extent = std::ptrdiff_t{1} << 31;

/// The number for spatial axis k, which is at least `least`.
/// Throws ValueError, which says what the numbers are, if there is not one for each of the axes, or one is too small or
/// absurdly large.
std::size_t number_for(const PerAxis& numbers, std::size_t k, std::size_t axes, std::ptrdiff_t least, const char* what,
                       const char* operation, Location location);

/// Throws ShapeError unless x is (batch, channels, spatial...) with so many spatial axes or, if `may_lack_batch`, the same
/// without batch, and no extent but the batch's is 0.
void require_image(const Shape& x, std::size_t axes, bool may_lack_batch, const char* operation, Location location);

/// The image with a batch of one, if it has none.
template <Real T>
Tensor<T> with_batch(const Tensor<T>& x, std::size_t axes, Location location);

/// What `with_batch` added is taken away again if `x` had no batch.
template <Real T>
Tensor<T> without_batch(const Tensor<T>& y, const Tensor<T>& x, std::size_t axes, Location location);

}

}
