#include <autograd/tensor.hpp>

#include <ostream>

namespace autograd
{

namespace
{

/// Like NumPy, long axes are shown by their ends.
constexpr std::size_t shown_at_ends = 3;
constexpr std::size_t most_shown = 1000;

template <class T>
void print_axis(std::ostream& out, const T* data, const Shape& shape, std::size_t axis, bool shorten)
{
    if (axis == shape.rank())
    {
        out << *data;
        return;
    }
    std::size_t stride = 1;
    for (std::size_t inner = axis + 1; inner < shape.rank(); ++inner)
    {
        stride *= shape[inner];
    }
    out << '[';
    for (std::size_t i = 0; i < shape[axis]; ++i)
    {
        if (i > 0)
        {
            if (axis + 1 == shape.rank())
            {
                out << ", ";
            }
            else
            {
                out << ",\n" << std::string(axis + 1, ' ');
            }
        }
        if (shorten && i == shown_at_ends && shape[axis] > 2 * shown_at_ends)
        {
            out << "...";
            i = shape[axis] - shown_at_ends - 1;
            continue;
        }
        print_axis(out, data + i * stride, shape, axis + 1, shorten);
    }
    out << ']';
}

}

template <Real T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& tensor)
{
    print_axis(out, tensor.data(), tensor.shape(), 0, tensor.size() > most_shown);
    return out;
}

template std::ostream& operator<<(std::ostream&, const Tensor<float>&);
template std::ostream& operator<<(std::ostream&, const Tensor<double>&);

}
