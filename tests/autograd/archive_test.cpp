#include <autograd/archive.hpp>
#include <autograd/variable.hpp>

#include "../thrown.hpp"

#include <doctest/doctest.h>

namespace ag = autograd;

TEST_CASE("an array has the type of what it is made from, and shares a tensor's memory")
{
    const ag::Tensor<float> tensor(xt::xarray<float>{1, 2});
    const ag::Array array = tensor;
    CHECK_EQ(array.bytes().data(), reinterpret_cast<const std::byte*>(tensor.data()));
    CHECK_EQ(array.tensor<float>().data(), tensor.data());
    CHECK_EQ(std::string(to_string(array.type())), "float32");

    CHECK_EQ(ag::Array(0.5).tensor<double>().item(), 0.5);
    CHECK_EQ(ag::Array(std::uint64_t{7}).indices()[0], 7);
    CHECK_EQ(ag::Array(true).mask()(), true);
    CHECK_EQ(ag::Array(xt::xarray<short>{{1, -2}}).indices().value(), xt::xarray<std::int64_t>{{1, -2}});
    CHECK_EQ(ag::Array(xt::xarray<double>{1.5}).tensor<double>().item(), 1.5);
    CHECK_EQ(ag::Array(xt::xarray<std::uint8_t>{1, 255}).pixels(), xt::xarray<std::uint8_t>{1, 255});
}

TEST_CASE("an array of a Variable keeps the value that it had")
{
    const ag::Variable<double> w(xt::xarray<double>{1, 2});
    const ag::Array array = w;
    w.assign(xt::xarray<double>{3, 4});
    CHECK_EQ(array.tensor<double>().value(), xt::xarray<double>{1, 2});
}

TEST_CASE("an array that is something else says what it is")
{
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     ag::Array(0.5f).tensor<double>({"user.cpp", 7});
                 }),
             "Array: the elements are float32: float64 was asked for (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     ag::Array(true).indices({"user.cpp", 7});
                 }),
             "Array: the elements are bool: int64 was asked for (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     ag::Array(1).mask({"user.cpp", 7});
                 }),
             "Array: the elements are int64: bool was asked for (user.cpp:7).");
    CHECK_EQ(thrown<ag::ShapeError>(
                 [] {
                     ag::Array(ag::ElementType::uint8, {3}, {1, 2});
                 }),
             "Array: 2 bytes for an array of uint8 and shape (3,).");
}

TEST_CASE("an archive finds its arrays by name, and says what it holds instead")
{
    const ag::Archive archive("a.npz", {{"b", 1}, {"a", 0.5f}}, {{"k", "v"}});
    CHECK_EQ(archive.begin()->name, "b");
    CHECK_EQ(archive.tensor<float>("a").item(), 0.5f);
    CHECK_EQ(archive.find("c"), nullptr);
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     archive.at("c", {"user.cpp", 7});
                 }),
             "Archive: 'a.npz' holds no array 'c' (user.cpp:7). It holds 'b', 'a'.");
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     archive.tensor<double>("a", {"user.cpp", 7});
                 }),
             "Archive: 'a.npz' holds 'a' as float32: float64 was asked for (user.cpp:7).");
    CHECK_EQ(thrown<ag::FileError>(
                 [] {
                     ag::Archive("a", {}).at("c", {"user.cpp", 7});
                 }),
             "Archive: 'a' holds no array 'c' (user.cpp:7). It holds none.");
}
