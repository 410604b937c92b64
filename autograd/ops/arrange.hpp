#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <array>
#include <vector>

/// Elements in other places: mirrored, rolled, repeated, padded, on and off diagonals, combined with each other. An axis
/// out of range throws ShapeError.
namespace autograd
{

/// @name Mirrored and moved
/// @{
/// In reverse order along the given axes, or along all if none is given.
template <Real T>
Tensor<T> flip(const Tensor<T>& x, Axes axes = {}, Location location = Location::current());
/// flip along the second axis.
template <Real T>
Tensor<T> fliplr(const Tensor<T>& x, Location location = Location::current());
/// flip along the first axis.
template <Real T>
Tensor<T> flipud(const Tensor<T>& x, Location location = Location::current());

/// Turned `times` times by a quarter in the plane of two axes, from the first towards the second.
template <Real T>
Tensor<T> rot90(const Tensor<T>& x, std::ptrdiff_t times = 1, std::array<std::ptrdiff_t, 2> axes = {0, 1},
                Location location = Location::current());

/// Every element `shift` places further in the flattened tensor; what falls off the end comes first.
template <Real T>
Tensor<T> roll(const Tensor<T>& x, std::ptrdiff_t shift, Location location = Location::current());
/// The same along each of some axes by a shift of its own.
/// @throws ShapeError for different numbers of shifts and axes.
template <Real T>
Tensor<T> roll(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& shifts, Axes axes,
               Location location = Location::current());
/// @}

/// @name Repeated and padded
/// @{
/// The whole repeated along each axis; repetitions are for the last axes, or for new first ones.
/// @throws ValueError for a negative number.
template <Real T>
Tensor<T> tile(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& repetitions,
               Location location = Location::current());

/// Each element repeated along an axis, all so many times, or each as often as its own number says.
/// @throws ValueError for a negative number; ShapeError for another count of numbers.
/// @{
template <Real T>
Tensor<T> repeat(const Tensor<T>& x, std::ptrdiff_t repeats, std::ptrdiff_t axis,
                 Location location = Location::current());
template <Real T>
Tensor<T> repeat(const Tensor<T>& x, const Indices& repeats, std::ptrdiff_t axis,
                 Location location = Location::current());
/// @}

/// What a pad puts beside the elements a b c d: a constant; `symmetric` b a | a b c d | d c; `reflect` c b | a b c d | c b;
/// `wrap` c d | a b c d | a b, also called periodic or circular; `edge` a a | a b c d | d d, also called replicate.
enum class PadMode
{
    constant,
    symmetric,
    reflect,
    wrap,
    periodic = wrap,
    edge
};

/// How many elements a pad adds before and behind an axis; a negative number takes some away, before all else.
using PadWidth = std::array<std::ptrdiff_t, 2>;

/// With elements added around. There is a width for each axis, from the first. `value` is for PadMode::constant.
/// @throws ShapeError for another number of widths; ValueError for taking away more than there is, or for extending
///         nothing.
template <Real T>
Tensor<T> pad(const Tensor<T>& x, const std::vector<PadWidth>& widths, PadMode mode = PadMode::constant,
              double value = 0, Location location = Location::current());

/// All windows of `size` neighbours along an axis, each `step` from the one before; their elements are a new last axis.
/// @throws ShapeError for a size that is negative or does not fit, or a step that is not positive.
template <Real T>
Tensor<T> sliding_window_view(const Tensor<T>& x, std::ptrdiff_t axis, std::ptrdiff_t size, std::ptrdiff_t step = 1,
                              Location location = Location::current());
/// @}

/// @name Diagonals and triangles
/// Diagonal `offset` is that many places right of the main diagonal; left if negative.
/// @{
/// A diagonal of each matrix in the plane of two axes, as a new last axis.
template <Real T>
Tensor<T> diagonal(const Tensor<T>& x, std::ptrdiff_t offset = 0, std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1,
                   Location location = Location::current());

/// `x` with the source, which broadcasts to it, in the place of diagonal(x, offset, axis1, axis2).
/// @throws ShapeError if it does not.
template <Real T>
Tensor<T> diagonal_scatter(const Tensor<T>& x, const Tensor<T>& source, std::ptrdiff_t offset = 0,
                           std::ptrdiff_t axis1 = 0, std::ptrdiff_t axis2 = 1, Location location = Location::current());

/// The square matrix with a vector on a diagonal and 0 elsewhere; the diagonal of a matrix.
/// @throws ShapeError for other numbers of axes.
template <Real T>
Tensor<T> diag(const Tensor<T>& x, std::ptrdiff_t offset = 0, Location location = Location::current());

/// The same of all elements as one vector.
template <Real T>
Tensor<T> diagflat(const Tensor<T>& x, std::ptrdiff_t offset = 0, Location location = Location::current());

/// Square matrices, in two new axes, with the last axis of `x` on a diagonal and 0 elsewhere.
template <Real T>
Tensor<T> diag_embed(const Tensor<T>& x, std::ptrdiff_t offset = 0, std::ptrdiff_t axis1 = -2,
                     std::ptrdiff_t axis2 = -1, Location location = Location::current());

/// The sum of a diagonal of a matrix.
/// @throws ShapeError unless it is one.
template <Real T>
Tensor<T> trace(const Tensor<T>& x, std::ptrdiff_t offset = 0, Location location = Location::current());

/// Matrices, in the last two axes, with 0 right of a diagonal.
/// @throws ShapeError for fewer axes.
template <Real T>
Tensor<T> tril(const Tensor<T>& x, std::ptrdiff_t offset = 0, Location location = Location::current());
/// The same with 0 left of it.
template <Real T>
Tensor<T> triu(const Tensor<T>& x, std::ptrdiff_t offset = 0, Location location = Location::current());
/// @}

/// @name Combined with each other
/// @{
/// Whether the first vector of a meshgrid runs along the first axis, or along the second.
enum class MeshIndexing
{
    ij,
    xy
};

/// For each vector an array over the grid that they span together. A 0-d tensor is a vector of one element.
/// @throws ShapeError for a tensor of several axes.
template <Real T>
std::vector<Tensor<T>> meshgrid(const std::vector<Tensor<T>>& vectors, MeshIndexing indexing = MeshIndexing::ij,
                                Location location = Location::current());

/// All ways to take an element of each vector, as rows, the last vector's changing fastest. One vector is itself.
/// @throws ShapeError for a tensor of several axes; ValueError for no vector.
template <Real T>
Tensor<T> cartesian_prod(const std::vector<Tensor<T>>& vectors, Location location = Location::current());

/// All ways to take `count` elements of a vector, in order, as rows; each once, or any number of times.
/// @throws ShapeError for other than a vector; ValueError for a negative count.
template <Real T>
Tensor<T> combinations(const Tensor<T>& x, std::ptrdiff_t count = 2, bool with_replacement = false,
                       Location location = Location::current());

/// The powers 1, x, x^2, ..., x^(count - 1), as a new last axis.
/// @throws ValueError for a negative count.
template <Real T>
Tensor<T> vander(const Tensor<T>& x, std::ptrdiff_t count, Location location = Location::current());
/// @}

}
