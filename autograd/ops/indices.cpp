#include <autograd/ops/indices.hpp>

namespace autograd
{

xt::xarray<std::int64_t> Indices::value() const
{
    xt::xarray<std::int64_t> result(xt::xarray<std::int64_t>::shape_type(shape_.begin(), shape_.end()));
    std::copy(begin(), end(), result.storage().begin());
    return result;
}

}
