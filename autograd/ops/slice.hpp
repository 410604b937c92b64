#pragma once

#include <autograd/location.hpp>
#include <autograd/shape.hpp>
#include <autograd/xtensor.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <vector>

namespace autograd
{

using xt::all;
using xt::ellipsis;
using xt::newaxis;
using xt::range;

/// One slice of a `view`: an integer, or what xtensor's `range`, `all`, `newaxis` and `ellipsis` give.
struct Slice
{
    enum class Kind
    {
        none,
        index,
        range,
        newaxis,
        ellipsis
    };

    Slice() noexcept = default;
    template <std::integral I>
    Slice(I index, Location location = Location::current())
        : kind(Kind::index), start(static_cast<std::ptrdiff_t>(index)), location(location)
    {
    }
    template <class Range>
        requires requires(const Range& range)
        {
            range.start();
            range.stop();
            range.step();
        }
    Slice(const Range& range, Location location = Location::current())
        : kind(Kind::range), start(bound(range.start())), stop(bound(range.stop())),
          step(bound(range.step()).value_or(1)), location(location)
    {
    }
    Slice(xt::xall_tag, Location location = Location::current()) : kind(Kind::range), location(location) {}
    Slice(xt::xnewaxis_tag, Location location = Location::current()) : kind(Kind::newaxis), location(location) {}
    Slice(xt::xellipsis_tag, Location location = Location::current()) : kind(Kind::ellipsis), location(location) {}

    Kind kind = Kind::none;
    std::optional<std::ptrdiff_t> start;
    std::optional<std::ptrdiff_t> stop;
    std::ptrdiff_t step = 1;
    Location location;

private:
    template <class B>
    static std::optional<std::ptrdiff_t> bound(const B& value)
    {
        if constexpr (std::integral<B>)
        {
            return static_cast<std::ptrdiff_t>(value);
        }
        else
        {
            return std::nullopt;
        }
    }
};

/// The shape that a reshape asks for; at most one extent may be -1.
class Extents
{
public:
    template <std::integral I>
    Extents(std::initializer_list<I> extents) : extents_(extents.begin(), extents.end())
    {
    }
    Extents(std::initializer_list<int> extents) : extents_(extents.begin(), extents.end()) {}
    Extents(const Shape& shape) : extents_(shape.begin(), shape.end()) {}
    template <std::integral I>
    Extents(const std::vector<I>& extents) : extents_(extents.begin(), extents.end())
    {
    }

    std::size_t size() const noexcept { return extents_.size(); }
    std::ptrdiff_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }

private:
    std::vector<std::ptrdiff_t> extents_;
};

/// Where a split cuts: into so many equal parts, or before each of the given positions, as in NumPy.
class Sections
{
public:
    template <std::integral I>
    Sections(I count) : count_(static_cast<std::ptrdiff_t>(count))
    {
    }
    template <std::integral I>
    Sections(std::initializer_list<I> starts) : starts_(starts.begin(), starts.end())
    {
    }
    template <std::integral I>
    Sections(const std::vector<I>& starts) : starts_(starts.begin(), starts.end())
    {
    }

    /// The number of parts, if that is what was given.
    std::optional<std::ptrdiff_t> count() const noexcept { return count_; }
    const std::vector<std::ptrdiff_t>& starts() const noexcept { return starts_; }

private:
    std::optional<std::ptrdiff_t> count_;
    std::vector<std::ptrdiff_t> starts_;
};

}
