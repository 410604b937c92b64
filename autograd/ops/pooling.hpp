#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/ops/spatial.hpp>

#include <optional>
#include <utility>

/// Pooling in one, two and three dimensions. Each takes (batch, channels, spatial...) or the same without batch.
namespace autograd
{

/// The extent of an output axis is floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, or the ceiling in
/// `ceil_mode`, where a window that would begin behind the input is left out.
struct MaxPoolOptions
{
    PerAxis stride{};  ///< the kernel, if not given
    PerAxis padding = 0;
    PerAxis dilation = 1;
    bool ceil_mode = false;
};

/// The same without dilation.
struct AvgPoolOptions
{
    PerAxis stride{};
    PerAxis padding = 0;
    bool ceil_mode = false;
    bool count_include_pad = true;            ///< whether the padding counts in the average
    std::optional<std::ptrdiff_t> divisor{};  ///< of the sum, in place of the number of elements
};

struct UnpoolOptions
{
    PerAxis stride{};  ///< the kernel, if not given
    PerAxis padding = 0;
    PerAxis output_size{};  ///< (input - 1) stride - 2 padding + kernel, if not given
};

/// As an output size of an adaptive pooling: the input's extent.
inline constexpr int input_extent = -1;

/// A maximum, and where it was: the row-major place among the spatial axes of the input.
template <Real T>
using MaximaAndPlaces = std::pair<Tensor<T>, xt::xarray<std::int64_t>>;

/// The largest element of each window; NaN if there is one. Padding never is the largest. The first of equal elements,
/// or the last NaN, gets the gradient.
/// @throws ShapeError for an input of another rank, or one that is smaller than a window; ValueError for a number that is
///         no kernel, stride, padding or dilation, and a padding of more than half of the kernel.
/// @{
template <Real T>
Tensor<T> max_pool1d(const Tensor<T>& x, const PerAxis& kernel, const MaxPoolOptions& options = {},
                     Location location = Location::current());
template <Real T>
Tensor<T> max_pool2d(const Tensor<T>& x, const PerAxis& kernel, const MaxPoolOptions& options = {},
                     Location location = Location::current());
template <Real T>
Tensor<T> max_pool3d(const Tensor<T>& x, const PerAxis& kernel, const MaxPoolOptions& options = {},
                     Location location = Location::current());
/// @}

/// The same, and where the elements were.
/// @{
template <Real T>
MaximaAndPlaces<T> max_pool1d_with_indices(const Tensor<T>& x, const PerAxis& kernel,
                                           const MaxPoolOptions& options = {}, Location location = Location::current());
template <Real T>
MaximaAndPlaces<T> max_pool2d_with_indices(const Tensor<T>& x, const PerAxis& kernel,
                                           const MaxPoolOptions& options = {}, Location location = Location::current());
template <Real T>
MaximaAndPlaces<T> max_pool3d_with_indices(const Tensor<T>& x, const PerAxis& kernel,
                                           const MaxPoolOptions& options = {}, Location location = Location::current());
/// @}

/// The mean of each window.
/// @throws as max_pool2d does; ValueError for a divisor of 0.
/// @{
template <Real T>
Tensor<T> avg_pool1d(const Tensor<T>& x, const PerAxis& kernel, const AvgPoolOptions& options = {},
                     Location location = Location::current());
template <Real T>
Tensor<T> avg_pool2d(const Tensor<T>& x, const PerAxis& kernel, const AvgPoolOptions& options = {},
                     Location location = Location::current());
template <Real T>
Tensor<T> avg_pool3d(const Tensor<T>& x, const PerAxis& kernel, const AvgPoolOptions& options = {},
                     Location location = Location::current());
/// @}

/// The largest elements, or the means, of as many windows as make an output of this size. Window o of an axis is
/// [floor(o input / output), ceil((o + 1) input / output)). `input_extent` leaves an axis as it is.
/// @throws ShapeError for an input of another rank; ValueError for a size that is none.
/// @{
template <Real T>
Tensor<T> adaptive_max_pool1d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
template <Real T>
Tensor<T> adaptive_max_pool2d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
template <Real T>
Tensor<T> adaptive_max_pool3d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
template <Real T>
Tensor<T> adaptive_avg_pool1d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
template <Real T>
Tensor<T> adaptive_avg_pool2d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
template <Real T>
Tensor<T> adaptive_avg_pool3d(const Tensor<T>& x, const PerAxis& output_size, Location location = Location::current());
/// @}

/// The largest elements, and where they were.
/// @{
template <Real T>
MaximaAndPlaces<T> adaptive_max_pool1d_with_indices(const Tensor<T>& x, const PerAxis& output_size,
                                                    Location location = Location::current());
template <Real T>
MaximaAndPlaces<T> adaptive_max_pool2d_with_indices(const Tensor<T>& x, const PerAxis& output_size,
                                                    Location location = Location::current());
template <Real T>
MaximaAndPlaces<T> adaptive_max_pool3d_with_indices(const Tensor<T>& x, const PerAxis& output_size,
                                                    Location location = Location::current());
/// @}

/// Zeros, but for the elements of x at the places that a max pooling gave: `indices` has the shape of x. Of elements for
/// one place the last stays; each gets the gradient of the place.
/// @throws ShapeError if the shapes do not fit; ValueError for an index outside of the output, a number that is no kernel,
///         stride or padding, or an output size that is a stride or more away from the default.
/// @{
template <Real T>
Tensor<T> max_unpool1d(const Tensor<T>& x, const Indices& indices, const PerAxis& kernel,
                       const UnpoolOptions& options = {}, Location location = Location::current());
template <Real T>
Tensor<T> max_unpool2d(const Tensor<T>& x, const Indices& indices, const PerAxis& kernel,
                       const UnpoolOptions& options = {}, Location location = Location::current());
template <Real T>
Tensor<T> max_unpool3d(const Tensor<T>& x, const Indices& indices, const PerAxis& kernel,
                       const UnpoolOptions& options = {}, Location location = Location::current());
/// @}

}
