#include <samples/idx.hpp>

#include <autograd/error.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <zlib.h>

namespace samples
{

namespace fs = std::filesystem;

namespace
{

[[noreturn]] void fail(const fs::path& path, const std::string& problem, const std::string& fix = {})
{
    throw autograd::FileError("read_idx", "'" + path.string() + "' " + problem, {}, fix);
}

std::vector<std::uint8_t> read_content(const fs::path& path)
{
    if (!fs::exists(path))
    {
        fail(path, "does not exist");
    }
    if (!fs::is_regular_file(path))
    {
        fail(path, "is not a regular file");
    }
    const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
    if (file == nullptr)
    {
        fail(path, "cannot be read: " + std::generic_category().message(errno));
    }
    constexpr unsigned chunk = 1 << 20;
    gzbuffer(file.get(), chunk);
    std::vector<std::uint8_t> content;
    int read = 0;
    do
    {
        const std::size_t size = content.size();
        content.resize(size + chunk);
        read = gzread(file.get(), content.data() + size, chunk);
        content.resize(size + static_cast<std::size_t>(std::max(read, 0)));
    } while (read == static_cast<int>(chunk));

    int error = Z_OK;
    const std::string message = gzerror(file.get(), &error);
    if (error == Z_BUF_ERROR)
    {
        fail(path, "is truncated: its compressed data end too early");
    }
    if (error != Z_OK)
    {
        fail(path, "is damaged: " + message);
    }
    return content;
}

std::size_t big_endian(std::span<const std::uint8_t, 4> bytes)
{
    return std::size_t{bytes[0]} << 24 | std::size_t{bytes[1]} << 16 | std::size_t{bytes[2]} << 8 | bytes[3];
}

LabelledImages first(const LabelledImages& data, std::size_t count)
{
    LabelledImages part{xt::xarray<std::uint8_t>::from_shape({count, data.images.shape(1), data.images.shape(2)}),
                        xt::xarray<std::uint8_t>::from_shape({count})};
    std::copy_n(data.images.begin(), part.images.size(), part.images.begin());
    std::copy_n(data.labels.begin(), part.labels.size(), part.labels.begin());
    return part;
}

fs::path existing(const fs::path& folder, const std::string& name)
{
    const fs::path plain = folder / name;
    const fs::path compressed = folder / (name + ".gz");
    if (fs::exists(compressed))
    {
        return compressed;
    }
    if (!fs::exists(plain))
    {
        fail(plain, "does not exist, nor does it with .gz",
             "Name the folder with the data (Debian: apt-get install dataset-fashion-mnist).");
    }
    return plain;
}

}

xt::xarray<std::uint8_t> read_idx(const fs::path& path)
{
    const std::vector<std::uint8_t> content = read_content(path);
    constexpr std::uint8_t unsigned_bytes = 8;
    if (content.size() < 4 || content[0] != 0 || content[1] != 0)
    {
        fail(path, "is not an IDX file");
    }
    if (content[2] != unsigned_bytes)
    {
        fail(path, "holds elements of IDX type " + std::to_string(content[2]) + ": unsigned bytes (8) are understood");
    }
    const std::size_t rank = content[3];
    const std::size_t header = 4 + 4 * rank;
    if (content.size() < header)
    {
        fail(path, "is truncated: it ends within its header");
    }
    xt::xarray<std::uint8_t>::shape_type shape(rank);
    std::size_t elements = 1;
    std::string extents;
    bool fits = true;
    for (std::size_t axis = 0; axis < rank; ++axis)
    {
        shape[axis] = big_endian(std::span(content).subspan(4 + 4 * axis).first<4>());
        fits = fits && !__builtin_mul_overflow(elements, shape[axis], &elements);
        extents += (axis == 0 ? "" : " x ") + std::to_string(shape[axis]);
    }
    if (!fits || content.size() - header != elements)
    {
        const bool truncated = !fits || content.size() - header < elements;
        fail(path, std::string(truncated ? "is truncated" : "is too long") + ": its header announces " + extents +
                       " bytes, " + std::to_string(content.size() - header) + " follow");
    }
    xt::xarray<std::uint8_t> array(shape);
    std::copy(content.begin() + static_cast<std::ptrdiff_t>(header), content.end(), array.storage().begin());
    return array;
}

LabelledImages read_labelled_images(const fs::path& folder, const std::string& prefix, std::size_t classes,
                                    std::size_t limit)
{
    const fs::path images = existing(folder, prefix + "-images-idx3-ubyte");
    const fs::path labels = existing(folder, prefix + "-labels-idx1-ubyte");
    LabelledImages result{read_idx(images), read_idx(labels)};
    if (result.images.dimension() != 3)
    {
        fail(images, "holds an array of " + std::to_string(result.images.dimension()) + " axes: images have 3");
    }
    if (result.labels.dimension() != 1)
    {
        fail(labels, "holds an array of " + std::to_string(result.labels.dimension()) + " axes: labels have 1");
    }
    if (result.images.shape(0) != result.labels.shape(0))
    {
        fail(labels, "holds " + std::to_string(result.labels.shape(0)) + " labels for the " +
                         std::to_string(result.images.shape(0)) + " images of '" + images.string() + "'");
    }
    if (result.size() == 0)
    {
        fail(images, "holds no images");
    }
    const std::size_t largest = *std::max_element(result.labels.begin(), result.labels.end());
    if (largest >= classes)
    {
        fail(labels, "holds a label " + std::to_string(largest) + ": there are " + std::to_string(classes) +
                         " classes, from 0");
    }
    return limit == 0 || limit >= result.size() ? result : first(result, limit);
}

}
