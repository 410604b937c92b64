#pragma once

#include <autograd/memory.hpp>
#include <autograd/shape.hpp>
#include <autograd/xtensor.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>

namespace autograd
{

namespace detail
{

/// Tells a tracer that integers which change from call to call are read where it does not see it.
void note_live_read() noexcept;
/// Remembers that such integers have been compared.
void note_live_comparison() noexcept;

}

/// An array of integers that an operation takes: class labels, positions along an axis. Made from any xtensor array or
/// expression of integers, or from `{2, 0, 3}`; a cheap handle to pooled memory.
class Indices
{
public:
    /// An uninitialised array.
    explicit Indices(const Shape& shape)
        : shape_(shape), size_(shape.elements()), buffer_(detail::allocate_buffer(size_ * sizeof(std::int64_t)))
    {
    }
    template <XExpression E>
        requires(std::integral<typename E::value_type> && !std::same_as<typename E::value_type, bool>)
    Indices(const E& array) : Indices(Shape(array.shape().begin(), array.shape().end()))
    {
        std::copy(array.template cbegin<xt::layout_type::row_major>(),
                  array.template cend<xt::layout_type::row_major>(), data());
    }
    template <std::integral I>
    Indices(std::initializer_list<I> elements) : Indices(Shape{elements.size()})
    {
        std::copy(elements.begin(), elements.end(), data());
    }
    Indices(const Indices& other) noexcept : shape_(other.shape_), size_(other.size_), buffer_(other.buffer_)
    {
        buffer_->references.retain();
    }
    Indices& operator=(Indices other) noexcept
    {
        std::swap(shape_, other.shape_);
        std::swap(size_, other.size_);
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    ~Indices() { detail::release_buffer(buffer_); }

    const Shape& shape() const noexcept { return shape_; }
    std::size_t shape(std::size_t axis) const noexcept { return shape_[axis]; }
    std::size_t dimension() const noexcept { return shape_.rank(); }
    std::size_t size() const noexcept { return size_; }
    std::int64_t* data() noexcept { return static_cast<std::int64_t*>(buffer_->data()); }
    const std::int64_t* data() const noexcept
    {
        if (buffer_->live) [[unlikely]]
        {
            detail::note_live_read();
        }
        return static_cast<const std::int64_t*>(buffer_->data());
    }
    const std::int64_t* begin() const noexcept { return data(); }
    const std::int64_t* end() const noexcept { return data() + size_; }
    std::int64_t operator[](std::size_t i) const noexcept { return data()[i]; }

    /// For the engine: lets those that `compile` records know that the elements change from call to call.
    /// @{
    void make_live() noexcept { buffer_->live = true; }
    bool is_live() const noexcept { return buffer_->live; }
    /// @}

    /// Equal elements; or both change from call to call, which is noted.
    friend bool operator==(const Indices& a, const Indices& b) noexcept
    {
        if (a.buffer_->live || b.buffer_->live)
        {
            detail::note_live_comparison();
            return a.shape_ == b.shape_ && a.buffer_->live == b.buffer_->live;
        }
        return a.shape_ == b.shape_ && std::equal(a.begin(), a.end(), b.begin());
    }

    /// The same as an xtensor array.
    xt::xarray<std::int64_t> value() const;

private:
    Shape shape_;
    std::size_t size_;
    detail::Buffer* buffer_;
};

}
