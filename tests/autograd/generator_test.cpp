#include <autograd/generator.hpp>
#include <autograd/parallel.hpp>

#include "../thrown.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace ag = autograd;

static_assert(std::uniform_random_bit_generator<ag::Generator>);

namespace
{

template <class T>
std::vector<T> elements(const ag::Tensor<T>& tensor)
{
    return {tensor.data(), tensor.data() + tensor.size()};
}

}

TEST_CASE("the numbers are those that the authors of Philox published")
{
    using Pair = std::array<std::uint64_t, 2>;
    constexpr std::uint64_t ones = ~std::uint64_t{0};
    CHECK_EQ(ag::detail::philox(0, 0, 0), Pair{0xe169c58d6627e8d5, 0x9b00dbd8bc57ac4c});
    CHECK_EQ(ag::detail::philox(ones, ones, ones), Pair{0x41c83b0e408f276d, 0x6d5451fda20bc7c6});
    CHECK_EQ(ag::detail::philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
             Pair{0x94fdccebd16cfe09, 0x24126ea15001e420});
}

TEST_CASE("a generator goes on from any place, and streams are independent")
{
    ag::Generator generator;
    CHECK_EQ(generator(), 0xe169c58d6627e8d5);
    CHECK_EQ(generator(), 0x9b00dbd8bc57ac4c);
    const std::uint64_t third = generator();
    generator.uniform<float>({5});
    CHECK_EQ(generator.position(), 10);
    generator.seek(2);
    CHECK_EQ(generator(), third);
    CHECK(generator ==
          [&]
          {
              ag::Generator other;
              other.seek(3);
              return other;
          }());

    CHECK_NE(ag::Generator(0, 1)(), ag::Generator(0, 0)());
    CHECK_NE(ag::Generator(1, 0)(), ag::Generator(0, 1)());
}

TEST_CASE("numbers below a bound are all there, equally often")
{
    ag::Generator generator(1);
    std::array<int, 6> counts{};
    for (int k = 0; k < 60'000; ++k)
    {
        ++counts.at(generator.below(6));
    }
    double chi_squared = 0;
    for (const int count : counts)
    {
        chi_squared += (count - 10'000.) * (count - 10'000.) / 10'000.;
    }
    CHECK_LT(chi_squared, 20.5);  // 0.999 of 5 degrees of freedom
    CHECK_EQ(generator.below(1), 0);

    // Without rejection, two thirds of the words would give the lower third of these.
    constexpr std::uint64_t bound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
    int low = 0;
    for (int k = 0; k < 3000; ++k)
    {
        low += generator.below(bound) < bound / 3 ? 1 : 0;
    }
    CHECK_LT(std::abs(low - 1000), 110);
}

TEST_CASE("arrays of even numbers are multiples of their rounding within the bounds")
{
    ag::Generator generator(0);
    const auto drawn = elements(generator.uniform<double>({3}));
    CHECK_EQ(drawn[0], static_cast<double>(0xe169c58d6627e8d5 >> 11) * 0x1p-53);
    CHECK_EQ(drawn[1], static_cast<double>(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
    CHECK_EQ(ag::Generator(0).uniform(), drawn[0]);
    CHECK_EQ(elements(ag::Generator(0).uniform<float>({1}))[0],
             static_cast<float>(0xe169c58d6627e8d5 >> 40) * 0x1p-24f);

    const auto many = elements(generator.uniform<float>({1000, 100}, -3, 5));
    const auto [low, high] = std::minmax_element(many.begin(), many.end());
    CHECK_GE(*low, -3);
    CHECK_LT(*high, 5);
    double sum = 0;
    for (const float x : many)
    {
        sum += x;
    }
    CHECK_LT(std::abs(sum / 100'000 - 1), 0.03);

    for (const float x : elements(generator.uniform<float>({1000}, 1, 1 + 0x1p-23)))
    {
        CHECK_EQ(x, 1);
    }
    CHECK_EQ(generator.uniform<float>({0, 3}).size(), 0);
}

TEST_CASE("normal numbers have the moments that were asked for, and a tail")
{
    ag::Generator generator(7);
    const auto many = elements(generator.normal<double>({100'001}, 2, 3));
    double mean = 0, square = 0, fourth = 0;
    for (const double x : many)
    {
        const double z = (x - 2) / 3;
        mean += z / 100'001;
        square += z * z / 100'001;
        fourth += z * z * z * z / 100'001;
    }
    CHECK_LT(std::abs(mean), 0.012);
    CHECK_LT(std::abs(square - 1), 0.018);
    CHECK_LT(std::abs(fourth - 3), 0.12);
    CHECK_EQ(ag::Generator(7).normal(), doctest::Approx((many[0] - 2) / 3).epsilon(1e-12));
}

TEST_CASE("an array does not depend on the number of threads")
{
    const std::size_t threads = ag::num_threads();
    ag::set_num_threads(1);
    const auto one = elements(ag::Generator(3).normal<float>({100'003}));
    ag::set_num_threads(4);
    const auto four = elements(ag::Generator(3).normal<float>({100'003}));
    ag::set_num_threads(threads);
    CHECK(one == four);
}

TEST_CASE("a permutation holds each number once, and is the same everywhere")
{
    ag::Generator generator(5);
    const ag::Indices order = generator.permutation(1000);
    std::vector<std::int64_t> sorted(order.begin(), order.end());
    CHECK_FALSE(std::is_sorted(sorted.begin(), sorted.end()));
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t k = 0; k < 1000; ++k)
    {
        CHECK_EQ(sorted[k], k);
    }
    const ag::Indices few = ag::Generator(5).permutation(6);
    CHECK_EQ(std::vector<std::int64_t>(few.begin(), few.end()), std::vector<std::int64_t>{2, 4, 5, 0, 3, 1});
    std::vector<std::string> words{"a", "b", "c"};
    ag::Generator(1).shuffle(words);
    CHECK(std::is_permutation(words.begin(), words.end(), std::vector<std::string>{"a", "b", "c"}.begin()));
    CHECK_EQ(generator.permutation(0).size(), 0);
}

TEST_CASE("a generator refuses bounds that make no sense")
{
    ag::Generator generator;
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     generator.below(0, {"user.cpp", 7});
                 }),
             "below: there is no number below 0 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     generator.uniform<float>({2}, 1, 1, {"user.cpp", 7});
                 }),
             "uniform: the bounds must be finite, the first less than the second: got 1 and 1 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     generator.uniform<float>({2}, -3e38, 3e38, {"user.cpp", 7});
                 }),
             "uniform: the bounds must be finite, the first less than the second: got -3e+38 and 3e+38 (user.cpp:7).");
    CHECK_EQ(
        thrown<ag::ValueError>(
            [&] {
                generator.normal<double>({2}, 0, -1, {"user.cpp", 7});
            }),
        "normal: the mean must be finite, the standard deviation finite and at least 0: got 0 and -1 (user.cpp:7).");
    CHECK_EQ(generator.position(), 0);
}
