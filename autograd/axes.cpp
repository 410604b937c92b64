#include <autograd/axes.hpp>
#include <autograd/error.hpp>

#include <algorithm>
#include <string>

namespace autograd
{

void Axes::push_back(std::ptrdiff_t axis)
{
    if (size_ == max_rank)
    {
        throw ShapeError("axes", "more than " + std::to_string(max_rank) + " axes given", {});
    }
    axes_[size_++] = axis;
}

namespace detail
{

std::size_t normalize_axis(std::ptrdiff_t axis, std::size_t rank, const char* operation, Location location)
{
    const auto signed_rank = static_cast<std::ptrdiff_t>(rank);
    if (axis < -signed_rank || axis >= signed_rank)
    {
        throw ShapeError(operation,
                         "axis " + std::to_string(axis) + " is out of range for an array of " + std::to_string(rank) +
                             (rank == 1 ? " axis" : " axes"),
                         location);
    }
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

unsigned axis_set(const Axes& axes, std::size_t rank, const char* operation, Location location)
{
    if (axes.empty())
    {
        return (1U << rank) - 1;
    }
    unsigned set = 0;
    for (std::ptrdiff_t axis : axes)
    {
        const unsigned bit = 1U << normalize_axis(axis, std::max<std::size_t>(1, rank), operation, location);
        if ((set & bit) != 0)
        {
            throw ShapeError(operation, "axis " + std::to_string(axis) + " is given twice", location);
        }
        set |= bit;
    }
    return rank == 0 ? 0 : set;
}

}

}
