#include <autograd/io.hpp>

#include "../../content.hpp"
#include "../../python.hpp"
#include "../../temporary_folder.hpp"
#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace ag = autograd;

namespace
{

std::string refusal(const std::filesystem::path& path)
{
    return thrown<ag::FileError>([&] { ag::load_npz(path, {"user.cpp", 7}); });
}

std::string with(std::string text, std::size_t place, const std::string& change)
{
    return text.replace(place, change.size(), change);
}

void save_one(const std::filesystem::path& path)
{
    ag::save_npz(path, {{"a", ag::Tensor<float>(2.f)}});
}

}

TEST_CASE("NumPy reads what save_npz wrote")
{
    const TemporaryFolder folder;
    ag::save_npz(folder / "a.npz", {{"x", ag::Tensor<float>(xt::xarray<float>{{1.5f, 2}, {3, 4}})},
                                    {"labels", ag::Indices{3, -1}},
                                    {"mask", xt::xarray<bool>{true, false}},
                                    {"pixels", xt::xarray<std::uint8_t>{0, 255}},
                                    {"empty", ag::Tensor<double>(xt::xarray<double>::from_shape({0}))}});
    CHECK_EQ(python("autograd/io/npz_python.py", "read '" + (folder / "a.npz").string() + "'"),
             "x.npy labels.npy mask.npy pixels.npy empty.npy\n");
    CHECK_EQ(folder.entries(), 1);
}

TEST_CASE("load_npz reads what NumPy's savez and savez_compressed wrote")
{
    for (const char* name : {"savez.npz", "savez_compressed.npz"})
    {
        CAPTURE(name);
        const ag::Archive archive = ag::load_npz(std::string(TEST_FOLDER "/autograd/io/") + name);
        CHECK_EQ(archive.size(), 7);
        CHECK_EQ(archive.tensor<float>("x").value(), xt::xarray<float>{{1.5f, 2}, {3, 4}});
        CHECK_EQ(archive.indices("labels").value(), xt::xarray<std::int64_t>{3, -1});
        CHECK_EQ(archive.at("mask").mask(), xt::xarray<bool>{true, false});
        CHECK_EQ(archive.at("pixels").pixels(), xt::xarray<std::uint8_t>{0, 255});
        CHECK_EQ(archive.indices("small").value(), xt::xarray<std::int64_t>{-7, 7});
        CHECK_EQ(archive.at("empty").shape(), ag::Shape{0, 3});
        CHECK_EQ(archive.tensor<double>("scalar").item(), 2.5);
    }
}

TEST_CASE("arrays come back from a .npz file as they were")
{
    const TemporaryFolder folder;
    ag::save_npz(folder / "a.npz",
                 {{"w", ag::Tensor<double>(xt::xarray<double>{0.1, -0.0})}, {"done", true}, {"n", 7}});
    const ag::Archive archive = ag::load_npz(folder / "a.npz");
    CHECK_EQ(archive.tensor<double>("w").value(), xt::xarray<double>{0.1, -0.0});
    CHECK_EQ(archive.at("done").mask()(), true);
    CHECK_EQ(archive.indices("n")[0], 7);
    ag::save_npz(folder / "none.npz", {});
    CHECK_EQ(ag::load_npz(folder / "none.npz").size(), 0);
}

TEST_CASE("a .npz file that is damaged, cut short or something else is refused by its name")
{
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.npz";
    const std::string start = "load_npz: '" + path.string();
    save_one(path);
    // 35 bytes before the array's file of 132; then the directory of 51 and the end of 22.
    const std::string good = content(path);
    REQUIRE_EQ(good.size(), 35 + 132 + 51 + 22);
    const auto refused = [&](const std::string& text)
    {
        write(path, text);
        return refusal(path);
    };
    CHECK_EQ(refused(""), start + "' is not a .npz file (user.cpp:7).");
    CHECK_EQ(refused("\x93NUMPY"), start + "' is not a .npz file (user.cpp:7).");
    CHECK_EQ(refused(good.substr(0, 200)), start + "' is truncated: the directory at its end is missing (user.cpp:7).");
    CHECK_EQ(refused(good.substr(0, 239)), start + "' is truncated: the directory at its end is missing (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167, "PQ")), start + "' is damaged: its directory is wrong at byte 167 (user.cpp:7).");
    CHECK_EQ(refused(with(good, 218 + 16, "\xff")),
             start + "' is damaged: its directory is wrong at byte 255 (user.cpp:7).");
    CHECK_EQ(refused(with(good, 166, "\x01")), start + "' is damaged: the checksum of 'a.npy' is wrong (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 10, "\x0c")),
             start + "' holds 'a.npy', packed by method 12: 0 (stored) and 8 (deflate) are understood (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 10, "\x08")),
             start + "' is damaged: 'a.npy' cannot be decompressed (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 24, "\xff\xff\xff\x7f")),
             start + "' is damaged: the checksum of 'a.npy' is wrong (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 24, "\xff\xff\xff\xff")),
             start + "' holds 'a.npy' beyond 4 GiB, which is not read (user.cpp:7). Save it as .npy or safetensors.");
    CHECK_EQ(refused(with(good, 167 + 8, "\x01")), start + "' holds 'a.npy', which is encrypted (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 42, "\x01")), start + "' is damaged: 'a.npy' is not at byte 1 (user.cpp:7).");
    CHECK_EQ(refused(with(good, 167 + 50, "x")), start + "' holds 'a.npx', which is no array (user.cpp:7).");

    for (std::size_t length = 0; length < good.size(); ++length)
    {
        write(path, good.substr(0, length));
        CHECK_THROWS_AS(ag::load_npz(path), ag::FileError);
    }
}

TEST_CASE("an array of a .npz file that is not read is named")
{
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a.npz";
    const auto refused = [&](const std::string& type)
    {
        CHECK_EQ(python("autograd/io/npz_python.py", "write '" + path.string() + "' '" + type + "'"), "");
        return refusal(path);
    };
    CHECK_EQ(refused("<c8"), "load_npz: '" + path.string() +
                                 "/a.npy' holds elements of type '<c8', which is not read (user.cpp:7). "
                                 "Numbers and truth values are.");
    CHECK_EQ(refused(">i4"), "load_npz: '" + path.string() +
                                 "/a.npy' holds elements of type '>i4', which is not read (user.cpp:7). "
                                 "Save it little-endian.");
    CHECK_EQ(refused("<u8"), "load_npz: '" + path.string() +
                                 "/a.npy' holds its array with a number that is larger than any int64 (user.cpp:7).");
    CHECK_EQ(refused("|b1"), "load_npz: '" + path.string() +
                                 "/a.npy' holds its array with a truth value that is neither 0 nor 1 (user.cpp:7).");
}

TEST_CASE("names that make no archive are refused before anything is written")
{
    const TemporaryFolder folder;
    const auto save = [&](const std::vector<ag::NamedArray>& arrays) {
        return thrown<ag::ValueError>([&] { ag::save_npz(folder / "a.npz", arrays, {"user.cpp", 7}); });
    };
    CHECK_EQ(save({{"a", 1}, {"a", 2}}),
             "save_npz: 'a' is there twice (user.cpp:7). Give each array a name of its own.");
    CHECK_EQ(save({{"", 1}}), "save_npz: '' is no name (user.cpp:7). Give each array a name of its own.");
    CHECK_EQ(folder.entries(), 0);
}
