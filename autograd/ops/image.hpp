#pragma once

#include <autograd/ops/spatial.hpp>

#include <vector>

/// Images resized, sampled, cut into patches and shuffled. They are (batch, channels, spatial...).
namespace autograd
{

struct UnfoldOptions
{
    PerAxis dilation = 1;
    PerAxis padding = 0;
    PerAxis stride = 1;
};

/// The patches of an image as columns: (batch, channels * height * width of the kernel, number of patches) from (batch,
/// channels, height, width), or both without batch.
/// @throws ShapeError for an input of another rank, or one that is smaller than the kernel; ValueError for a number that is
///         no kernel, dilation, padding or stride.
template <Real T>
Tensor<T> unfold(const Tensor<T>& x, const PerAxis& kernel, const UnfoldOptions& options = {},
                 Location location = Location::current());

/// The transpose of `unfold`, as a map: patches, as columns, are added up in an image of this size.
/// @throws ShapeError if the columns are not as many as an image of this size has patches, or as long as a patch;
///         ValueError as `unfold` does.
template <Real T>
Tensor<T> fold(const Tensor<T>& columns, const PerAxis& output_size, const PerAxis& kernel,
               const UnfoldOptions& options = {}, Location location = Location::current());

/// How the values between elements are found.
enum class Interpolation
{
    nearest,        ///< the element that floor(o input / output) names
    nearest_exact,  ///< the nearest one: floor((o + 1/2) input / output)
    linear,         ///< between two elements of each axis
    cubic,          ///< between four elements of each axis: R. Keys' convolution with a = -3/4
    area            ///< the mean of an adaptive window
};

/// Either a size or a scale is given.
struct InterpolateOptions
{
    PerAxis size{};               ///< the output's extents
    std::vector<double> scale{};  ///< output extent / input extent, rounded down: for all spatial axes, or one each
    Interpolation mode = Interpolation::nearest;
    bool align_corners = false;           ///< linear and cubic: the first and the last element keep their place
    bool recompute_scale_factor = false;  ///< whether places are computed from the extents, also where a scale is given
    bool antialias = false;               ///< linear and cubic: widens the kernel where the image shrinks
};

/// Resized along its one to three spatial axes.
/// @throws ShapeError for an input of another rank; ValueError unless either a size or a scale is given, with as many
///         numbers as there are spatial axes, for an empty result, and for an option that the mode does not know.
template <Real T>
Tensor<T> interpolate(const Tensor<T>& x, const InterpolateOptions& options, Location location = Location::current());

/// What stands for elements outside of an image.
enum class Border
{
    zeros,
    nearest,    ///< the element at the border
    reflection  ///< the image, reflected at its borders
};

struct GridSampleOptions
{
    Interpolation mode = Interpolation::linear;  ///< nearest, linear, or cubic
    Border border = Border::zeros;
    bool align_corners = false;  ///< whether -1 and 1 are the centres of the outermost elements, or their outer edges
};

/// The image at places of a grid: x is (batch, channels, height, width), the grid (batch, rows, columns, 2), the result
/// (batch, channels, rows, columns); or the same with three spatial axes. A place has the coordinate of the last spatial
/// axis first; -1 and 1 are the borders of the image. The gradient is that of both; it is 0 for a place at or outside of the
/// border that takes the nearest element, and for a grid with `nearest`.
/// @throws ShapeError if they do not fit; ValueError for a mode that is not offered.
template <Real T>
Tensor<T> grid_sample(const Tensor<T>& x, const Tensor<T>& grid, const GridSampleOptions& options = {},
                      Location location = Location::current());

/// (..., channels * r^2, height, width) to (..., channels, height * r, width * r): the channels of an element become a
/// square.
/// @throws ShapeError for fewer than three axes, or channels that r^2 does not divide; ValueError for a factor below 1.
template <Real T>
Tensor<T> pixel_shuffle(const Tensor<T>& x, std::ptrdiff_t factor, Location location = Location::current());

/// The inverse of `pixel_shuffle`.
/// @throws ShapeError for fewer than three axes, or a height or width that r does not divide; ValueError for a factor
///         below 1.
template <Real T>
Tensor<T> pixel_unshuffle(const Tensor<T>& x, std::ptrdiff_t factor, Location location = Location::current());

}
