#include <autograd/io.hpp>
#include <autograd/variable.hpp>

#include "../../content.hpp"
#include "../../temporary_folder.hpp"
#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

/// A file as NumPy would write it, with this dictionary and these elements.
std::string npy(std::string header, const std::string& elements, char version = 1)
{
    header.resize((10 + header.size()) / 64 * 64 + 64 - 10 - 1, ' ');
    header += '\n';
    std::string text("\x93NUMPY", 6);
    text += version;
    text += '\0';
    text += static_cast<char>(header.size());
    text += '\0';
    if (version > 1)
    {
        text += std::string(2, '\0');
    }
    return text + header + elements;
}

std::string elements(std::initializer_list<double> values)
{
    return std::string(reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(double));
}

template <class Array>
std::string_view bytes(const Array& array)
{
    return {reinterpret_cast<const char*>(array.data()), array.size() * sizeof *array.data()};
}

constexpr const char* pair = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";

void check_refused(const fs::path& path, const std::string& text, const std::string& problem)
{
    write(path, text);
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::load_npy<double>(path, {"user.cpp", 7});
                 }),
             "load_npy: '" + path.string() + "' " + problem);
}

}

TEST_CASE("save_npy writes what NumPy writes, to the byte")
{
    const TemporaryFolder folder;
    ag::save_npy(folder / "m.npy", ag::Tensor<double>(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}}));
    CHECK_EQ(content(folder / "m.npy"),
             npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", elements({1, 2, 3, 4, 5, 6})));
    CHECK_EQ(folder.entries(), 1);
}

TEST_CASE("an array comes back from its file as it was, bit by bit")
{
    const TemporaryFolder folder;
    const auto check = [&]<class T>(const xt::xarray<T>& array)
    {
        ag::save_npy(folder / "a.npy", ag::Tensor<T>(array));
        const ag::Tensor<T> loaded = ag::load_npy<T>(folder / "a.npy");
        CHECK_EQ(loaded.shape(), ag::Shape(array.shape()));
        CHECK_EQ(bytes(loaded), bytes(array));
        CHECK_EQ(fs::file_size(folder / "a.npy") % 64, array.size() * sizeof(T) % 64);
    };
    check(xt::xarray<float>{{1.5f, -0.f}, {std::numeric_limits<float>::infinity(), 1e-45f}});
    check(xt::xarray<double>{{0.1, std::numeric_limits<double>::quiet_NaN(), 800}});
    check(xt::xarray<float>(2.f));
    check(xt::xarray<double>::from_shape({3, 0, 2}));
    check(xt::xarray<float>(xt::ones<float>({1, 1, 1, 1, 1, 1, 1, 1})));
}

TEST_CASE("a saved Variable keeps the value that it had")
{
    const TemporaryFolder folder;
    ag::Variable<float> w(xt::xarray<float>{1, 2});
    ag::save_npy(folder / "w.npy", w);
    w.assign(xt::xarray<float>{3, 4});
    CHECK_EQ(ag::load_npy<float>(folder / "w.npy").value()(1), 2);
}

TEST_CASE("load_npy reads every spelling of a header that NumPy has used")
{
    const TemporaryFolder folder;
    for (const std::string header : {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
                                     "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f8\"}",
                                     "{ 'fortran_order' : False , 'descr' : '<f8' , 'shape' : ( 2 , ) } "})
    {
        write(folder / "a.npy", npy(header, elements({7, 8})));
        CHECK_EQ(ag::load_npy<double>(folder / "a.npy").value()(1), 8);
    }
    write(folder / "a.npy", npy(pair, elements({7, 8}), 2));
    CHECK_EQ(ag::load_npy<double>(folder / "a.npy").value()(0), 7);
}

TEST_CASE("a file that is not what was asked for is refused by its name")
{
    const TemporaryFolder folder;
    const fs::path path = folder / "bad.npy";
    const std::string good = npy(pair, elements({1, 2}));
    const auto header = [](const std::string& text) { return npy(text, elements({1, 2})); };

    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::load_npy<double>(path, {"user.cpp", 7});
                 }),
             "load_npy: '" + path.string() + "' does not exist (user.cpp:7).");
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::load_npy<double>(folder / ".", {"user.cpp", 7});
                 }),
             "load_npy: '" + (folder / ".").string() + "' cannot be read: it is not a regular file (user.cpp:7).");
    check_refused(path, "", "is truncated: it ends within its header (user.cpp:7).");
    check_refused(path, "%PDF-1.4 and more", "is not a .npy file (user.cpp:7).");
    check_refused(path, good.substr(0, 4), "is truncated: it ends within its header (user.cpp:7).");
    check_refused(path, good.substr(0, 9), "is truncated: it ends within its header (user.cpp:7).");
    check_refused(path, good.substr(0, 50), "is truncated: it ends within its header (user.cpp:7).");
    check_refused(path, good.substr(0, good.size() - 1),
                  "is truncated: its shape (2,) needs more than the 15 bytes that follow the header (user.cpp:7).");
    check_refused(path, good + "x", "holds 1 bytes after its array of shape (2,) (user.cpp:7).");
    check_refused(path, npy(pair, elements({1, 2}), 9),
                  "has version 9 of the .npy format: 1 to 3 are understood (user.cpp:7).");
    check_refused(path, header("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"),
                  "holds elements of type '<f4': '<f8' was asked for (user.cpp:7). "
                  "Load it with the other of load_npy<float> and load_npy<double>.");
    check_refused(path, header("{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }"),
                  "holds elements of type '>f8': '<f8' was asked for (user.cpp:7). Save it little-endian.");
    check_refused(path, header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"),
                  "holds elements of type '<i8': '<f8' was asked for (user.cpp:7). "
                  "Save it as an array of float32 or float64.");
    check_refused(path, header("{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }"),
                  "is in column-major (Fortran) order (user.cpp:7). Save it from numpy.ascontiguousarray(array).");
    check_refused(path, header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"),
                  "is truncated: its shape (99999999999, 99999999999) needs more than the 16 bytes that follow the "
                  "header (user.cpp:7).");
    check_refused(path, header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }"),
                  "holds an array of more than 8 axes (user.cpp:7).");
}

TEST_CASE("a header that is not the dictionary of an array of numbers is refused")
{
    const TemporaryFolder folder;
    const std::pair<const char*, const char*> headers[] = {
        {"", "at byte 64: '{' was expected"},
        {"{", "at byte 64: ''' was expected"},
        {"{}", "at byte 64: 'descr', 'fortran_order' or 'shape' is missing"},
        {"{'descr': '<f8'}", "at byte 64: 'descr', 'fortran_order' or 'shape' is missing"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } more", "at byte 68: something follows its end"},
        {"{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,), }", "at byte 44: True or False was expected"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': 2, }", "at byte 60: '(' was expected"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }",
         "at byte 61: a number was expected, not negative, without a fraction"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2 2), }", "at byte 63: ',' was expected"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
         "at byte 61: a number is too large"},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", "at byte 20: ''' was expected"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'other': 1}", "at byte 66: 'other' is not known"},
        {"{'descr': '<f8", "at byte 21: ''' is missing"}};
    for (const auto& [header, problem] : headers)
    {
        check_refused(folder / "bad.npy", npy(header, elements({1, 2})),
                      std::string("is not a .npy file of numbers: its header is wrong ") + problem + " (user.cpp:7).");
    }
}

TEST_CASE("every way to cut a file short is refused")
{
    const TemporaryFolder folder;
    const std::string good = npy(pair, elements({1, 2}));
    for (std::size_t length = 0; length < good.size(); ++length)
    {
        write(folder / "cut.npy", good.substr(0, length));
        CHECK_THROWS_AS(ag::load_npy<double>(folder / "cut.npy"), ag::FileError);
    }
}

TEST_CASE("a file that cannot be written is named, with the reason")
{
    const TemporaryFolder folder;
    const ag::Tensor<float> tensor(1.f);
    write(folder / "file", "");
    const fs::path beneath = folder / "file/a.npy";
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::save_npy(beneath, tensor, {"user.cpp", 7});
                 }),
             "save_npy: '" + beneath.string() + "' cannot be written: Not a directory (user.cpp:7).");
    const fs::path absent = folder / "absent/a.npy";
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::save_npy(absent, tensor, {"user.cpp", 7});
                 }),
             "save_npy: '" + absent.string() + "' cannot be written: No such file or directory (user.cpp:7).");
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     ag::save_npy("/dev/null", tensor, {"user.cpp", 7});
                 }),
             "save_npy: '/dev/null' cannot be written: it is not a regular file (user.cpp:7).");
}

TEST_CASE("a write that fails half way leaves the old file, and nothing else")
{
    const TemporaryFolder folder;
    const fs::path path = folder / "a.npy";
    ag::save_npy(path, ag::Tensor<float>(1.f));

    rlimit old_limit{};
    REQUIRE_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    const rlimit limit{1000, old_limit.rlim_max};
    auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const std::string problem = thrown<ag::FileError>(
        [&] {
            ag::save_npy(path, ag::Tensor<double>(xt::zeros<double>({1000})), {"user.cpp", 7});
        });
    ::setrlimit(RLIMIT_FSIZE, &old_limit);
    std::signal(SIGXFSZ, old_handler);

    CHECK_EQ(problem, "save_npy: '" + path.string() + "' cannot be written: File too large (user.cpp:7).");
    CHECK_EQ(ag::load_npy<float>(path).item(), 1);
    CHECK_EQ(folder.entries(), 1);
}

TEST_CASE("replace_file gives new content, through a symbolic link too")
{
    const TemporaryFolder folder;
    ag::replace_file(folder / "a.txt", "one");
    fs::create_symlink("a.txt", folder / "link");
    ag::replace_file(folder / "link", "two");
    CHECK_EQ(content(folder / "a.txt"), "two");
    CHECK(fs::is_symlink(folder / "link"));
    CHECK_EQ(folder.entries(), 2);
}

TEST_CASE("what a killed process left of a file is written over, and the file keeps its permissions")
{
    const TemporaryFolder folder;
    write(folder / "a.txt", "old");
    fs::permissions(folder / "a.txt", fs::perms::owner_read | fs::perms::owner_write);
    write(folder / "a.txt.partial", "much longer than what comes");
    ag::replace_file(folder / "a.txt", "new");
    CHECK_EQ(content(folder / "a.txt"), "new");
    CHECK_EQ(folder.entries(), 1);
    CHECK(fs::status(folder / "a.txt").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("several who write one file at once leave what one of them wrote")
{
    const TemporaryFolder folder;
    const auto repeat = [&](char letter)
    {
        for (int k = 0; k < 50; ++k)
        {
            ag::replace_file(folder / "a.txt", std::string(10'000, letter));
        }
    };
    std::thread a(repeat, 'a'), b(repeat, 'b');
    a.join();
    b.join();
    const std::string text = content(folder / "a.txt");
    CHECK_EQ(text, std::string(10'000, text.front()));
    CHECK_EQ(folder.entries(), 1);
}
