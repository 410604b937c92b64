#pragma once

#include <autograd/xtensor.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

/// Reads IDX, the format of the MNIST family: http://yann.lecun.com/exdb/mnist
namespace samples
{

/// The array of unsigned bytes in an IDX file, gzipped or not.
/// @throws autograd::FileError, naming the file, if it is absent, damaged or something else.
xt::xarray<std::uint8_t> read_idx(const std::filesystem::path& path);

/// Images of one size, and their classes.
struct LabelledImages
{
    xt::xarray<std::uint8_t> images;  ///< (count, rows, columns)
    xt::xarray<std::uint8_t> labels;  ///< (count)

    std::size_t size() const { return images.shape(0); }
};

/// Reads `folder/<prefix>-images-idx3-ubyte` and `folder/<prefix>-labels-idx1-ubyte`, each with or without `.gz`; only the
/// first `limit` of them, unless it is 0.
/// @throws autograd::FileError as above, or if the two do not belong together, hold nothing, or a label is not one of the
///         classes.
LabelledImages read_labelled_images(const std::filesystem::path& folder, const std::string& prefix, std::size_t classes,
                                    std::size_t limit = 0);

}
