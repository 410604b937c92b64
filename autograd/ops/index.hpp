#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/ops/slice.hpp>
#include <autograd/tensor.hpp>

#include <optional>
#include <vector>

/// Elements chosen by arrays of positions or masks. Negative positions count from the end; one out of range throws
/// ValueError. The gradients of any number of choices from one tensor add up in place. Where an element is chosen several
/// times to be replaced, the last replacement stays, but the gradient goes to each of them, as in PyTorch.
///
/// A 0-d tensor has one element along axis 0. What is put somewhere is a tensor, a number, or an xtensor expression, and
/// broadcasts to where it goes; where it does not, ShapeError is thrown.
namespace autograd
{

/// One entry of an index: a slice as `view` takes it, an array of positions along an axis, or a mask over as many axes as
/// it has itself.
class Index
{
public:
    template <class S>
        requires std::constructible_from<Slice, const S&> Index(const S& slice) : slice_(slice) {}
        Index(const Slice& slice) : slice_(slice) {}
        Index(const Indices& positions) : positions_(positions) {}
        template <std::integral I>
        Index(std::initializer_list<I> positions) : positions_(positions)
        {
        }
        template <XExpression E>
            requires std::integral<typename E::value_type> Index(const E& array)
            {
                if constexpr (std::same_as<typename E::value_type, bool>)
                {
                    mask_.emplace(array);
                }
                else
                {
                    positions_.emplace(array);
                }
            }

        const Slice& slice() const noexcept
        {
            return slice_;
        }
        const std::optional<Indices>& positions() const noexcept
        {
            return positions_;
        }
        const std::optional<xt::xarray<bool>>& mask() const noexcept
        {
            return mask_;
        }
        bool is_array() const noexcept
        {
            return positions_ || mask_;
        }

    private:
        Slice slice_;
        std::optional<Indices> positions_;
        std::optional<xt::xarray<bool>> mask_;
};

/// What a scatter_reduce makes of the elements that meet in one place.
enum class ScatterMode
{
    sum,
    prod,
    mean,
    amax,
    amin
};

struct ScatterOptions
{
    ScatterMode mode = ScatterMode::sum;
    /// Whether the element that is there already counts, too.
    bool include_self = true;
};

/// @name By NumPy's advanced indices
/// @{
/// x[indices...]: slices as in `view`; arrays of positions, which broadcast against each other and whose axes replace
/// theirs, or come first if a slice or a new axis stands between them; and masks, which count as the arrays of the
/// positions where they hold. An integer drops its axis before all that, as in PyTorch.
/// @throws ShapeError for too many entries, a mask of another shape, or arrays that do not broadcast.
template <Real T>
Tensor<T> index(const Tensor<T>& x, const std::vector<Index>& indices, Location location = Location::current());

/// `x` with the source in the place of index(x, indices), or added to it.
template <Real T>
Tensor<T> index_put(const Tensor<T>& x, const std::vector<Index>& indices,
                    const std::type_identity_t<Operand<T>>& source, bool accumulate = false,
                    Location location = Location::current());
/// @}

/// @name By positions along one axis
/// @{
/// The given ones of the elements along an axis; the axes of the indices replace it.
template <Real T>
Tensor<T> index_select(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                       Location location = Location::current());

/// `x` with the source in the place of index_select(x, axis, indices).
template <Real T>
Tensor<T> index_copy(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                     const std::type_identity_t<Operand<T>>& source, Location location = Location::current());

/// The same with `scale` times the source added.
template <Real T>
Tensor<T> index_add(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                    const std::type_identity_t<Operand<T>>& source, double scale = 1,
                    Location location = Location::current());

/// The same with the sources reduced to an element; see ScatterOptions. Equal largest elements share the gradient equally,
/// and that of a product is exact also where elements are 0.
template <Real T>
Tensor<T> index_reduce(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                       const std::type_identity_t<Operand<T>>& source, const ScatterOptions& options,
                       Location location = Location::current());
/// @}

/// @name By one position an element
/// @{
/// The elements at these positions of the flattened tensor, in the shape of the indices.
template <Real T>
Tensor<T> take(const Tensor<T>& x, const Indices& indices, Location location = Location::current());

/// `x` with the elements of the source at these positions of the flattened tensor, or added there.
template <Real T>
Tensor<T> put(const Tensor<T>& x, const Indices& indices, const std::type_identity_t<Operand<T>>& source,
              bool accumulate = false, Location location = Location::current());

/// y(i, j, ...) = x(i, indices(i, j, ...), ...) along the given axis, here 1; the indices have as many axes as `x`, and
/// nowhere else reach further.
/// @throws ShapeError unless they do.
template <Real T>
Tensor<T> gather(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                 Location location = Location::current());

/// The same where x and the indices broadcast along the other axes.
template <Real T>
Tensor<T> take_along_axis(const Tensor<T>& x, const Indices& indices, std::ptrdiff_t axis,
                          Location location = Location::current());

/// `x` with the source's elements in the places of gather(x, axis, indices). The source may reach further than the indices.
template <Real T>
Tensor<T> scatter(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                  const std::type_identity_t<Operand<T>>& source, Location location = Location::current());

/// The same with the source's elements added.
template <Real T>
Tensor<T> scatter_add(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                      const std::type_identity_t<Operand<T>>& source, Location location = Location::current());

/// The same with the elements that meet reduced to one; see index_reduce.
template <Real T>
Tensor<T> scatter_reduce(const Tensor<T>& x, std::ptrdiff_t axis, const Indices& indices,
                         const std::type_identity_t<Operand<T>>& source, const ScatterOptions& options,
                         Location location = Location::current());
/// @}

/// @name By a mask
/// Mask and tensor broadcast against each other.
/// @{
/// The elements where the mask holds, in one axis.
template <Real T>
Tensor<T> filter(const Tensor<T>& x, const xt::xarray<bool>& mask, Location location = Location::current());

/// `x` with a value, which broadcasts with both, where the mask holds.
template <Real T>
Tensor<T> masked_fill(const Tensor<T>& x, const xt::xarray<bool>& mask, const std::type_identity_t<Operand<T>>& value,
                      Location location = Location::current());

/// `x` with the source's first elements, in order, where the mask holds.
/// @throws ValueError if the source has too few.
template <Real T>
Tensor<T> masked_scatter(const Tensor<T>& x, const xt::xarray<bool>& mask, const Tensor<T>& source,
                         Location location = Location::current());
/// @}

}
