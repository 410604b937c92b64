#include <samples/idx.hpp>

#include <autograd/error.hpp>

#include "../temporary_folder.hpp"
#include "../thrown.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <zlib.h>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

using Bytes = std::vector<unsigned char>;

Bytes idx(const std::vector<unsigned>& shape, const Bytes& elements, unsigned char type = 8)
{
    Bytes bytes{0, 0, type, static_cast<unsigned char>(shape.size())};
    for (const unsigned extent : shape)
    {
        for (const int shift : {24, 16, 8, 0})
        {
            bytes.push_back(static_cast<unsigned char>(extent >> shift));
        }
    }
    bytes.insert(bytes.end(), elements.begin(), elements.end());
    return bytes;
}

void write(const fs::path& path, const Bytes& bytes)
{
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_compressed(const fs::path& path, const Bytes& bytes)
{
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
}

void check_refused(const fs::path& path, const Bytes& bytes, const std::string& problem)
{
    write(path, bytes);
    CHECK_EQ(thrown<ag::FileError>([&] { samples::read_idx(path); }), "read_idx: '" + path.string() + "' " + problem);
}

}

TEST_CASE("an IDX file is read, gzipped or plain")
{
    const TemporaryFolder folder;
    const Bytes bytes = idx({2, 1, 3}, {1, 2, 3, 250, 251, 252});
    write(folder / "plain", bytes);
    write_compressed(folder / "compressed.gz", bytes);
    for (const char* name : {"plain", "compressed.gz"})
    {
        const auto array = samples::read_idx(folder / name);
        CHECK_EQ(array, xt::xarray<std::uint8_t>{{{1, 2, 3}}, {{250, 251, 252}}});
    }
}

TEST_CASE("an IDX file longer than the reader's steps is read to its end")
{
    const TemporaryFolder folder;
    Bytes elements(3 * 1024 * 1024);
    for (std::size_t k = 0; k < elements.size(); ++k)
    {
        elements[k] = static_cast<unsigned char>(k * 7 >> 3);
    }
    write_compressed(folder / "long.gz", idx({static_cast<unsigned>(elements.size())}, elements));
    const auto array = samples::read_idx(folder / "long.gz");
    CHECK(std::equal(elements.begin(), elements.end(), array.begin(), array.end()));
}

TEST_CASE("a file that is no whole IDX file is refused by its name")
{
    const TemporaryFolder folder;
    const fs::path path = folder / "bad";
    CHECK_EQ(thrown<ag::FileError>([&] { samples::read_idx(path); }),
             "read_idx: '" + path.string() + "' does not exist.");
    CHECK_EQ(thrown<ag::FileError>([&] { samples::read_idx(folder.path()); }),
             "read_idx: '" + folder.path().string() + "' is not a regular file.");
    check_refused(path, {}, "is not an IDX file.");
    check_refused(path, {'P', 'K', 3, 4, 0, 0}, "is not an IDX file.");
    check_refused(path, idx({1}, {1, 2, 3, 4}, 13),
                  "holds elements of IDX type 13: unsigned bytes (8) are understood.");
    check_refused(path, {0, 0, 8, 2, 0, 0, 0, 1}, "is truncated: it ends within its header.");
    check_refused(path, idx({2, 2}, {1, 2, 3}), "is truncated: its header announces 2 x 2 bytes, 3 follow.");
    check_refused(path, idx({2}, {1, 2, 3}), "is too long: its header announces 2 bytes, 3 follow.");
    check_refused(path, idx({4294967295, 4294967295, 4294967295}, {1}),
                  "is truncated: its header announces 4294967295 x 4294967295 x 4294967295 bytes, 1 follow.");
}

TEST_CASE("a gzipped file that is cut or damaged is refused by its name")
{
    const TemporaryFolder folder;
    const fs::path whole = folder / "whole.gz";
    const fs::path bad = folder / "bad.gz";
    Bytes elements(5000);
    for (std::size_t k = 0; k < elements.size(); ++k)
    {
        elements[k] = static_cast<unsigned char>(k * k >> 4);
    }
    write_compressed(whole, idx({5000}, elements));

    fs::copy_file(whole, bad);
    fs::resize_file(bad, fs::file_size(whole) / 2);
    CHECK_EQ(thrown<ag::FileError>([&] { samples::read_idx(bad); }),
             "read_idx: '" + bad.string() + "' is truncated: its compressed data end too early.");

    fs::copy_file(whole, bad, fs::copy_options::overwrite_existing);
    std::fstream stream(bad, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(fs::file_size(whole)) - 6);
    stream.put('\x55').put('\x55');
    stream.close();
    CHECK(thrown<ag::FileError>([&] { samples::read_idx(bad); })
              .starts_with("read_idx: '" + bad.string() + "' is damaged: "));
}

TEST_CASE("images and labels are found with and without .gz, and must belong together")
{
    const TemporaryFolder folder;
    const auto images = folder / "train-images-idx3-ubyte";
    const auto labels = folder / "train-labels-idx1-ubyte";
    const auto read = [&] { return samples::read_labelled_images(folder.path(), "train", 10); };
    CHECK_EQ(thrown<ag::FileError>(read),
             "read_idx: '" + images.string() +
                 "' does not exist, nor does it with .gz. Name the folder with the data (Debian: "
                 "apt-get install dataset-fashion-mnist).");

    write(images, idx({2, 1, 2}, {1, 2, 3, 4}));
    write_compressed(folder / "train-labels-idx1-ubyte.gz", idx({2}, {7, 9}));
    CHECK_EQ(read().size(), 2);
    CHECK_EQ(read().labels(1), 9);

    const auto one = samples::read_labelled_images(folder.path(), "train", 10, 1);
    CHECK_EQ(one.images, xt::xarray<std::uint8_t>{{{1, 2}}});
    CHECK_EQ(one.labels, xt::xarray<std::uint8_t>{7});

    write_compressed(folder / "train-labels-idx1-ubyte.gz", idx({2}, {7, 10}));
    CHECK_EQ(thrown<ag::FileError>(read),
             "read_idx: '" + labels.string() + ".gz' holds a label 10: there are 10 classes, from 0.");
    write_compressed(folder / "train-labels-idx1-ubyte.gz", idx({3}, {7, 9, 1}));
    CHECK_EQ(thrown<ag::FileError>(read),
             "read_idx: '" + labels.string() + ".gz' holds 3 labels for the 2 images of '" + images.string() + "'.");
    write_compressed(folder / "train-labels-idx1-ubyte.gz", idx({2, 1}, {7, 9}));
    CHECK_EQ(thrown<ag::FileError>(read),
             "read_idx: '" + labels.string() + ".gz' holds an array of 2 axes: labels have 1.");
    write(images, idx({4}, {1, 2, 3, 4}));
    CHECK_EQ(thrown<ag::FileError>(read),
             "read_idx: '" + images.string() + "' holds an array of 1 axes: images have 3.");
    write(images, idx({0, 1, 2}, {}));
    write_compressed(folder / "train-labels-idx1-ubyte.gz", idx({0}, {}));
    CHECK_EQ(thrown<ag::FileError>(read), "read_idx: '" + images.string() + "' holds no images.");
}
