#include <autograd/ops/shape.hpp>
#include <autograd/ops/spatial.hpp>

namespace autograd::detail
{

std::size_t number_for(const PerAxis& numbers, std::size_t k, std::size_t axes, std::ptrdiff_t least, const char* what,
                       const char* operation, Location location)
{
    if (numbers.size() != 1 && numbers.size() != axes)
    {
        throw ValueError(operation,
                         std::string(what) + " needs one number, or one for each of the " + std::to_string(axes) +
                             " spatial axes: got " + std::to_string(numbers.size()),
                         location);
    }
    if (numbers[k] < least || numbers[k] >= largest_extent)
    {
        throw ValueError(operation,
                         std::string(what) + " must be at least " + std::to_string(least) + " and below 2^31: got " +
                             std::to_string(numbers[k]) + " for spatial axis " + std::to_string(k),
                         location);
    }
    return static_cast<std::size_t>(numbers[k]);
}

void require_image(const Shape& x, std::size_t axes, bool may_lack_batch, const char* operation, Location location)
{
    const bool batched = x.rank() == axes + 2;
    if (!batched && !(may_lack_batch && x.rank() == axes + 1))
    {
        throw ShapeError(operation,
                         "needs an input of shape (batch, channels, " + std::to_string(axes) + " spatial axes)" +
                             (may_lack_batch ? " or the same without batch" : "") + ": got " + to_string(x),
                         location);
    }
    if (std::find(x.begin() + (batched ? 1 : 0), x.end(), std::size_t{0}) != x.end())
    {
        throw ShapeError(operation, "only the batch may be empty: got an input of shape " + to_string(x), location);
    }
}

template <Real T>
Tensor<T> with_batch(const Tensor<T>& x, std::size_t axes, Location location)
{
    return x.dimension() == axes + 2 ? x : expand_dims(x, 0, location);
}

template <Real T>
Tensor<T> without_batch(const Tensor<T>& y, const Tensor<T>& x, std::size_t axes, Location location)
{
    return x.dimension() == axes + 2 ? y : squeeze(y, 0, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> with_batch(const Tensor<T>&, std::size_t, Location);                                            \
    template Tensor<T> without_batch(const Tensor<T>&, const Tensor<T>&, std::size_t, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
