#include <autograd/error.hpp>
#include <autograd/shape.hpp>

namespace autograd
{

void Shape::throw_too_many_axes()
{
    throw ShapeError("shape", "more than " + std::to_string(max_rank) + " axes", {},
                     "Flatten axes that are always used together.");
}

std::string to_string(const Shape& shape)
{
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    {
        text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
    }
    return text + (shape.rank() == 1 ? ",)" : ")");
}

bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result) noexcept
{
    const Shape& longer = a.rank() >= b.rank() ? a : b;
    const Shape& shorter = a.rank() >= b.rank() ? b : a;
    const std::size_t lead = longer.rank() - shorter.rank();
    result = longer;
    for (std::size_t axis = 0; axis < shorter.rank(); ++axis)
    {
        std::size_t& extent = result[lead + axis];
        if (extent == 1)
        {
            extent = shorter[axis];
        }
        else if (shorter[axis] != 1 && shorter[axis] != extent)
        {
            return false;
        }
    }
    return true;
}

bool broadcasts_to(const Shape& from, const Shape& to) noexcept
{
    Shape common;
    return broadcast_shapes(from, to, common) && common == to;
}

}
