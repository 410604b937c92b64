#pragma once

#include <autograd/node.hpp>
#include <autograd/parallel.hpp>

#include <xsimd/xsimd.hpp>

#include <algorithm>
#include <cstddef>

namespace autograd::detail
{

/// Elements that a kernel is given at a time where an operand has to be stretched: the stretched pieces stay in the
/// first-level cache.
inline constexpr std::size_t block_elements = 1024;

/// A block, and what a kernel may touch behind it.
inline constexpr std::size_t scratch_elements = block_elements + buffer_alignment / sizeof(float);

/// Below this number of elements a second thread costs more than it saves.
inline constexpr std::size_t parallel_elements = elements_worth_a_thread;

/// Reads an operand as if it had been broadcast to the shape of the result. A 0-d value counts as stretched also to one
/// element, because it has no padding that a register could be filled from.
template <class T>
class BroadcastReader
{
public:
    BroadcastReader() = default;

    BroadcastReader(const Node& node, const Shape& result) : BroadcastReader(node.shape, node.buffer == nullptr, result)
    {
        data_ = node.as<T>();
    }
    /// The same of a shape; where the elements are is told by `read_from`.
    BroadcastReader(const Shape& shape, bool scalar, const Shape& result)
        : stretched_(scalar || shape.elements() != result.elements())
    {
        if (!stretched_)
        {
            return;
        }
        const std::size_t lead = result.rank() - shape.rank();
        std::size_t stride = 1;
        for (std::size_t axis = result.rank(); axis-- > 0;)
        {
            const std::size_t extent = axis >= lead ? shape[axis - lead] : 1;
            add_axis(result[axis], extent == 1 ? 0 : stride);
            stride *= extent;
        }
        if (rank_ == 0)
        {
            extents_[rank_] = 1;
            strides_[rank_++] = 0;
        }
    }

    /// The elements from `position` on; those of a stretched operand are written to `scratch` first.
    const T* read(std::size_t position, std::size_t count, T* scratch) const
    {
        if (!stretched_)
        {
            return data_ + position;
        }
        std::size_t index[max_rank];
        std::size_t offset = 0;
        std::size_t rest = position;
        for (std::size_t axis = 0; axis < rank_; ++axis)
        {
            index[axis] = rest % extents_[axis];
            rest /= extents_[axis];
            offset += index[axis] * strides_[axis];
        }
        if (strides_[0] == 1 && index[0] + count <= extents_[0])
        {
            return data_ + offset;
        }
        T* out = scratch;
        while (count > 0)
        {
            const std::size_t run = std::min(count, extents_[0] - index[0]);
            if (strides_[0] == 0)
            {
                std::fill_n(out, run, data_[offset]);
            }
            else
            {
                std::copy_n(data_ + offset, run, out);
            }
            out += run;
            count -= run;
            offset -= index[0] * strides_[0];
            index[0] = 0;
            for (std::size_t axis = 1; axis < rank_; ++axis)
            {
                offset += strides_[axis];
                if (++index[axis] < extents_[axis])
                {
                    break;
                }
                offset -= extents_[axis] * strides_[axis];
                index[axis] = 0;
            }
        }
        // Whole registers are read.
        std::fill_n(out, xsimd::batch<T>::size, T(0));
        return scratch;
    }

    /// A length such that every piece of it, from a multiple of it on, reads the same; 0 if there is none.
    std::size_t period() const
    {
        if (!stretched_ || rank_ == 1)
        {
            return stretched_ && strides_[0] == 0 ? 1 : 0;
        }
        return rank_ == 2 && strides_[0] == 1 && strides_[1] == 0 ? extents_[0] : 0;
    }

    bool stretched() const noexcept { return stretched_; }
    void read_from(const T* data) noexcept { data_ = data; }

private:
    // Innermost first; neighbours that are walked as one are merged.
    void add_axis(std::size_t extent, std::size_t stride)
    {
        if (extent == 1)
        {
            return;
        }
        if (rank_ > 0 && stride == (strides_[rank_ - 1] == 0 ? 0 : strides_[rank_ - 1] * extents_[rank_ - 1]))
        {
            extents_[rank_ - 1] *= extent;
            return;
        }
        extents_[rank_] = extent;
        strides_[rank_] = stride;
        ++rank_;
    }

    const T* data_ = nullptr;
    bool stretched_ = false;
    std::size_t rank_ = 0;
    std::size_t extents_[max_rank];
    std::size_t strides_[max_rank];
};

}
