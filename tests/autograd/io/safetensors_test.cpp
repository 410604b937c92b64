#include <autograd/io.hpp>
#include <autograd/variable.hpp>

#include "../../content.hpp"
#include "../../python.hpp"
#include "../../temporary_folder.hpp"
#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

/// A file with this header and so many bytes after it: 1, 0, 0, ...
std::string file(const std::string& header, std::size_t bytes)
{
    std::string text(8, '\0');
    text[0] = static_cast<char>(header.size() & 0xff);
    text[1] = static_cast<char>(header.size() >> 8);
    text += header + std::string(bytes, '\0');
    if (bytes > 0)
    {
        text[8 + header.size()] = 1;
    }
    return text;
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets)
{
    return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}";
}

std::string refusal(const fs::path& path, const std::string& text)
{
    write(path, text);
    const std::string start = "load_safetensors: '" + path.string() + "' ";
    const std::string problem = thrown<ag::FileError>([&] { ag::load_safetensors(path, {"user.cpp", 7}); });
    return problem.starts_with(start) ? problem.substr(start.size()) : problem;
}

std::string in_quotes(const fs::path& path)
{
    return "'" + path.string() + "'";
}

}

TEST_CASE("save_safetensors writes the format to the byte, wide elements first")
{
    const TemporaryFolder folder;
    ag::save_safetensors(folder / "a", {{"b", ag::Tensor<float>(1.f)}, {"a", ag::Indices{1}}}, {{"k", "v\n\"\\"}});
    std::string header = R"({"__metadata__":{"k":"v\u000a\"\\"},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}})";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    std::string expected = file(header, 8) + std::string("\x00\x00\x80\x3f", 4);
    CHECK_EQ(content(folder / "a"), expected);
    CHECK_EQ(folder.entries(), 1);
}

TEST_CASE("arrays and texts come back from a safetensors file as they were, bit by bit")
{
    const TemporaryFolder folder;
    const ag::Variable<float> w(xt::xarray<float>{{1.5f, -0.f}, {std::numeric_limits<float>::infinity(), 1e-45f}});
    const std::vector<ag::NamedArray> arrays{{"w", w},
                                             {"nan", std::numeric_limits<double>::quiet_NaN()},
                                             {"mask", xt::xarray<bool>{true, false, true}},
                                             {"pixels", xt::xarray<std::uint8_t>{{0, 255}}},
                                             {"count", std::numeric_limits<std::int64_t>::min()},
                                             {"empty", ag::Tensor<double>(xt::xarray<double>::from_shape({3, 0}))},
                                             {"\u00e4 \"quoted\"\t", false}};
    const ag::Archive::Texts texts{{"kind", "test"}, {"", "\x01\u20ac\U0001f600"}};
    ag::save_safetensors(folder / "a", arrays, texts);
    const ag::Archive archive = ag::load_safetensors(folder / "a");
    CHECK(archive.texts() == texts);
    CHECK_EQ(archive.size(), arrays.size());
    for (const auto& [name, array] : arrays)
    {
        const ag::Array& loaded = archive.at(name);
        CHECK_EQ(loaded.type(), array.type());
        CHECK_EQ(loaded.shape(), array.shape());
        CHECK(std::equal(loaded.bytes().begin(), loaded.bytes().end(), array.bytes().begin(), array.bytes().end()));
    }
    ag::save_safetensors(folder / "none", {});
    CHECK_EQ(ag::load_safetensors(folder / "none").size(), 0);
}

TEST_CASE("a few lines of Python read the file")
{
    const TemporaryFolder folder;
    ag::save_safetensors(folder / "a.safetensors",
                         {{"w", ag::Tensor<float>(xt::xarray<float>{{1, 2}, {3, 0.5f}})},
                          {"x", ag::Tensor<double>(0.1)},
                          {"labels", ag::Indices{-3, 5}},
                          {"mask", xt::xarray<bool>{{true, false}}},
                          {"pixels", xt::xarray<std::uint8_t>{255}}},
                         {{"name", "\u00e4"}});
    CHECK_EQ(python("autograd/io/safetensors_python.py", "read " + in_quotes(folder / "a.safetensors")),
             "labels I64 [2] [-3, 5]\n"
             "mask BOOL [1, 2] [True, False]\n"
             "pixels U8 [1] [255]\n"
             "w F32 [2, 2] [1.0, 2.0, 3.0, 0.5]\n"
             "x F64 [] [0.1]\n"
             "{'name': '\u00e4'}\n");
}

TEST_CASE("a file that a few lines of Python wrote is read")
{
    const TemporaryFolder folder;
    CHECK_EQ(python("autograd/io/safetensors_python.py", "write " + in_quotes(folder / "a.safetensors")),
             "epoch I64 [] [-7]\n"
             "mask BOOL [3] [True, False, True]\n"
             "w F32 [2, 2] [1.0, 2.0, 3.0, 0.5]\n"
             "{'written by': 'Python \u00e4 \U0001f600'}\n");
    const ag::Archive archive = ag::load_safetensors(folder / "a.safetensors");
    CHECK_EQ(archive.tensor<float>("w").value(), xt::xarray<float>{{1, 2}, {3, 0.5f}});
    CHECK_EQ(archive.at("mask").mask(), xt::xarray<bool>{true, false, true});
    CHECK_EQ(archive.indices("epoch")[0], -7);
    CHECK_EQ(archive.texts().at("written by"), "Python \u00e4 \U0001f600");
}

TEST_CASE("integers of every width are read")
{
    const TemporaryFolder folder;
    for (const auto& [type, size] : {std::pair("I8", 1), {"I16", 2}, {"I32", 4}, {"U16", 2}, {"U32", 4}, {"U64", 8}})
    {
        write(folder / "a", file("{" + entry("a", type, "2", "0," + std::to_string(2 * size)) + "}",
                                 static_cast<std::size_t>(2 * size)));
        CHECK_EQ(ag::load_safetensors(folder / "a").indices("a").value(), xt::xarray<std::int64_t>{1, 0});
    }
    write(folder / "a", file("{" + entry("a", "I16", "1", "0,2") + "}", 0) + "\xfe\xff");
    CHECK_EQ(ag::load_safetensors(folder / "a").indices("a")[0], -2);
    CHECK_EQ(refusal(folder / "a", file("{" + entry("a", "U64", "1", "0,8") + "}", 0) + "1234567\x80"),
             "holds 'a' with a number that is larger than any int64 (user.cpp:7).");
    CHECK_EQ(refusal(folder / "a", file("{" + entry("a", "BOOL", "1", "0,1") + "}", 0) + "\x02"),
             "holds 'a' with a truth value that is neither 0 nor 1 (user.cpp:7).");
}

TEST_CASE("a header with spaces, escapes and members in any order is read")
{
    const TemporaryFolder folder;
    write(folder / "a", file("{ \"\\u00e4\\ud83d\\ude00\\n\\/\" : { \"data_offsets\" : [ 0 , 4 ] ,\n\"shape\":[1],"
                             "\t\"dtype\":\"F\\u00332\"},\"__metadata__\":{}}   ",
                             4));
    CHECK(ag::load_safetensors(folder / "a").find("\u00e4\U0001f600\n/") != nullptr);
}

TEST_CASE("what is no safetensors file is refused, by the byte where it goes wrong")
{
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& text) { return refusal(folder / "a", text); };
    CHECK_EQ(refused("seven!!"),
             "is not a safetensors file: it holds 7 bytes, and 8 are its header's length (user.cpp:7).");
    CHECK_EQ(refused("%PDF-1.4 and more"),
             "is not a safetensors file: its first 8 bytes announce a header of 3759996809423114277 bytes: 100000000 "
             "are the most (user.cpp:7).");
    CHECK_EQ(refused(std::string("\0\0\0\0\0\0\0\2{}", 10)),
             "is not a safetensors file: its first 8 bytes announce a header of 144115188075855872 bytes: 100000000 "
             "are the most (user.cpp:7). They are big-endian: write the file little-endian.");
    CHECK_EQ(refused(std::string("\x10\0\0\0\0\0\0\0{}", 10)),
             "is truncated: its header of 16 bytes ends at byte 24, the file at byte 10 (user.cpp:7).");

    const std::string good = entry("a", "F32", "1", "0,4");
    const std::pair<std::string, const char*> headers[] = {
        {"", "at byte 8: '{' was expected"},
        {" {}", "at byte 8: '{' was expected"},
        {"{\"a\xff\":1}", "at byte 8: it is not UTF-8"},
        {"{\"a\xed\xa0\x80\":1}", "at byte 8: it is not UTF-8"},
        {"{\"a\xc0\x80\":1}", "at byte 8: it is not UTF-8"},
        {"{\"a\xf4\x90\x80\x80\":1}", "at byte 8: it is not UTF-8"},
        {"{\"a\xe2\x82", "at byte 8: it is not UTF-8"},
        {"{", "at byte 9: '\"' was expected"},
        {"{" + good, "at byte 61: ',' was expected"},
        {"{" + good + ",}", "at byte 62: '\"' was expected"},
        {"{" + good + "}x", "at byte 62: something follows its end"},
        {"{" + good + "," + good + "}", "at byte 62: 'a' is there twice"},
        {"{\"a", "at byte 11: it ends too early"},
        {"{\"a\nb\"", "at byte 11: a control character in a string"},
        {"{\"\\x\"", "at byte 11: JSON has no such escape"},
        {"{\"\\u12g4\"", "at byte 14: a hexadecimal digit was expected"},
        {"{\"\\ud83d\"", "at byte 12: half a surrogate pair"},
        {"{\"\\ude00\"", "at byte 12: half a surrogate pair"},
        {"{\"\\ud83d\\u0041\"", "at byte 12: half a surrogate pair"},
        {"{\"a\":1}", "at byte 13: '{' was expected"},
        {"{\"a\":{}}", "at byte 9: 'a' has not all of dtype, shape and data_offsets"},
        {"{\"a\":{\"shape\":[],\"shape\":[]}}", "at byte 25: 'shape' is there twice"},
        {"{\"a\":{\"extra\":1}}", "at byte 14: 'extra' is not known"},
        {"{\"a\":{\"shape\":[1,]}}", "at byte 25: a number was expected, not negative, without a fraction"},
        {"{\"a\":{\"shape\":[01]}}", "at byte 23: a number was expected, not negative, without a fraction"},
        {"{\"a\":{\"shape\":[-1]}}", "at byte 23: a number was expected, not negative, without a fraction"},
        {"{\"a\":{\"shape\":[1.0]}}", "at byte 24: ',' was expected"},
        {"{\"a\":{\"shape\":[18446744073709551616]}}", "at byte 23: a number is too large"},
        {"{\"a\":{\"data_offsets\":[0]}}", "at byte 31: ',' was expected"},
        {"{\"a\":{\"data_offsets\":[0,1,2]}}", "at byte 33: ']' was expected"},
        {"{\"__metadata__\":{\"a\":1}}", "at byte 29: '\"' was expected"},
        {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "at byte 32: 'a' is there twice"}};
    for (const auto& [header, problem] : headers)
    {
        CHECK_EQ(refused(file(header, 4)),
                 std::string("is not a safetensors file: its header is wrong ") + problem + " (user.cpp:7).");
    }
}

TEST_CASE("tensors that do not exactly fill the file are refused by name and offset")
{
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& entries, std::size_t bytes)
    { return refusal(folder / "a", file("{" + entries + "}", bytes)); };
    CHECK_EQ(refused(entry("a", "F8_E4M3", "1", "0,1"), 1),
             "holds 'a' of type 'F8_E4M3', which is not read (user.cpp:7). F32, F64, integers and BOOL are.");
    CHECK_EQ(refused(entry("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4"), 4),
             "holds an array of more than 8 axes (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "2", "0,8"), 7),
             "is truncated or damaged: 'a' is at 0 to 8 of the 7 bytes that follow the header (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "2", "8,0"), 8),
             "is truncated or damaged: 'a' is at 8 to 0 of the 8 bytes that follow the header (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "3", "0,8"), 8),
             "is damaged: 'a' of type F32 and shape (3,) does not take the 8 bytes at byte 62 (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "4294967296,4294967296", "0,0"), 0),
             "is damaged: 'a' of type F32 and shape (4294967296, 4294967296) does not take the 0 bytes at byte 82 "
             "(user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "1", "0,4") + "," + entry("b", "F32", "1", "2,6"), 6),
             "is damaged: 'b' begins at byte 117, what is before it ends at byte 119 (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "1", "0,4") + "," + entry("b", "F32", "1", "6,10"), 10),
             "is damaged: 'b' begins at byte 122, what is before it ends at byte 120 (user.cpp:7).");
    CHECK_EQ(refused(entry("a", "F32", "1", "0,4"), 5),
             "is damaged: its tensors end at byte 66, the file at byte 67 (user.cpp:7).");
    CHECK_EQ(ag::load_safetensors(
                 [&]
                 {
                     write(folder / "a", file("{" + entry("a", "F32", "18446744073709551615,0,3", "0,0") + "}", 0));
                     return folder / "a";
                 }())
                 .at("a")
                 .size(),
             0);
}

TEST_CASE("every way to cut a safetensors file short is refused")
{
    const TemporaryFolder folder;
    ag::save_safetensors(folder / "a", {{"w", ag::Tensor<float>(xt::xarray<float>{1, 2})}, {"n", 3}}, {{"k", "v"}});
    const std::string good = content(folder / "a");
    for (std::size_t length = 0; length < good.size(); ++length)
    {
        write(folder / "cut", good.substr(0, length));
        CHECK_THROWS_AS(ag::load_safetensors(folder / "cut"), ag::FileError);
    }
}

TEST_CASE("names and texts that the format has no place for are refused before anything is written")
{
    const TemporaryFolder folder;
    const auto save = [&](const std::vector<ag::NamedArray>& arrays, const ag::Archive::Texts& texts) {
        return thrown<ag::ValueError>([&] { ag::save_safetensors(folder / "a", arrays, texts, {"user.cpp", 7}); });
    };
    const std::string fix = " (user.cpp:7). Give each array a name of its own.";
    CHECK_EQ(save({{"a", 1}, {"a", 2}}, {}), "save_safetensors: 'a' is there twice" + fix);
    CHECK_EQ(save({{"__metadata__", 1}}, {}), "save_safetensors: '__metadata__' is the format's own name" + fix);
    CHECK_EQ(save({{"\xff", 1}}, {}), "save_safetensors: a name is not UTF-8 (user.cpp:7).");
    CHECK_EQ(save({}, {{"\xff", ""}}), "save_safetensors: the name of a text is not UTF-8 (user.cpp:7).");
    CHECK_EQ(save({}, {{"", "\xff"}}), "save_safetensors: a text is not UTF-8 (user.cpp:7).");
    CHECK_EQ(folder.entries(), 0);
}
