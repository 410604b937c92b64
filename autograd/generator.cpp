#include <autograd/generator.hpp>

#include <autograd/parallel.hpp>
#include <autograd/tracer.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <sstream>

namespace autograd
{

namespace detail
{

std::array<std::uint64_t, 2> philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept
{
    const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    const auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
    std::uint32_t counter[4] = {low(index), high(index), low(stream), high(stream)};
    std::uint32_t key[2] = {low(seed), high(seed)};
    for (int round = 0; round < 10; ++round)
    {
        const std::uint64_t a = std::uint64_t{0xd2511f53} * counter[0];
        const std::uint64_t b = std::uint64_t{0xcd9e8d57} * counter[2];
        counter[0] = high(b) ^ counter[1] ^ key[0];
        counter[1] = low(b);
        counter[2] = high(a) ^ counter[3] ^ key[1];
        counter[3] = low(a);
        key[0] += 0x9e3779b9;
        key[1] += 0xbb67ae85;
    }
    return {std::uint64_t{counter[1]} << 32 | counter[0], std::uint64_t{counter[3]} << 32 | counter[2]};
}

}

namespace
{

/// As many bits as T has digits, so that no number is rounded.
template <class T>
T to_unit(std::uint64_t word) noexcept
{
    constexpr int digits = std::numeric_limits<T>::digits;
    return static_cast<T>(word >> (64 - digits)) / static_cast<T>(std::uint64_t{1} << digits);
}

/// Two independent normal numbers from two even ones.
std::array<double, 2> box_muller(std::array<std::uint64_t, 2> words) noexcept
{
    const double radius = std::sqrt(-2 * std::log(1 - to_unit<double>(words[0])));
    const double angle = 2 * std::numbers::pi * to_unit<double>(words[1]);
    return {radius * std::cos(angle), radius * std::sin(angle)};
}

[[noreturn]] void refuse(const char* operation, const char* problem, double first, double second, Location location)
{
    std::ostringstream text;
    text << problem << ": got " << first << " and " << second;
    throw ValueError(operation, text.str(), location);
}

/// An array whose elements 2k and 2k + 1 are made(words 2k and 2k + 1 from here).
template <class T, class F>
Tensor<T> fill(Generator& generator, const Shape& shape, const F& made)
{
    // Pairs start at even places.
    const std::uint64_t start = generator.position() + generator.position() % 2;
    auto tensor = Tensor<T>::adopt(detail::new_node<T>(shape));
    T* out = tensor.node()->template as<T>();
    const std::size_t count = tensor.size();
    const std::size_t pairs = count / 2 + count % 2;
    const auto draw = [&](std::size_t begin, std::size_t end)
    {
        for (std::size_t pair = begin; pair < end; ++pair)
        {
            const auto elements = made(detail::philox(generator.seed(), generator.stream(), start / 2 + pair));
            std::copy_n(elements.begin(), std::min<std::size_t>(2, count - 2 * pair), out + 2 * pair);
        }
    };
    detail::parallel_for(pairs, 16384, draw);
    generator.seek(start + 2 * pairs);
    return tensor;
}

/// A number that the function itself draws is nothing that could be drawn anew for it.
void note_draw()
{
    if (detail::Tracer* const tracer = detail::Arena::current().tracer)
    {
        tracer->refused("a random number is drawn, and not an array of them", {});
    }
}

}

constinit thread_local detail::DrawLog* detail::DrawLog::current_ = nullptr;

void detail::DrawLog::add(Generator& generator)
{
    const bool known =
        std::any_of(drawn_.begin(), drawn_.end(), [&](const auto& entry) { return entry.first == &generator; });
    if (!known)
    {
        drawn_.emplace_back(&generator, generator);
    }
}

Generator::~Generator()
{
    if (detail::Tracer* const tracer = detail::Arena::living_tracer())
    {
        tracer->ended(this);
    }
}

void Generator::seek(std::uint64_t position) noexcept
{
    detail::DrawLog::note(*this);
    note_draw();
    position_ = position;
}

std::uint64_t Generator::operator()() noexcept
{
    detail::DrawLog::note(*this);
    note_draw();
    const std::uint64_t position = position_++;
    return detail::philox(seed_, stream_, position / 2)[position % 2];
}

std::uint64_t Generator::below(std::uint64_t bound, Location location)
{
    if (bound == 0)
    {
        throw ValueError("below", "there is no number below 0", location);
    }
    // The first 2^64 mod bound numbers are left out: the others are a whole multiple of bound.
    const std::uint64_t left_out = (0 - bound) % bound;
    std::uint64_t word = 0;
    do
    {
        word = (*this)();
    } while (word < left_out);
    return word % bound;
}

double Generator::uniform() noexcept
{
    return to_unit<double>((*this)());
}

double Generator::normal() noexcept
{
    const std::uint64_t first = (*this)();
    return box_muller({first, (*this)()})[0];
}

template <Real T>
Tensor<T> Generator::uniform(const Shape& shape, double low, double high, Location location)
{
    const T start = static_cast<T>(low);
    const T width = static_cast<T>(high) - start;
    if (!(low < high && width > 0 && std::isfinite(width)))
    {
        refuse("uniform", "the bounds must be finite, the first less than the second", low, high, location);
    }
    // The sum may be rounded up to the bound that is not included.
    const T largest = std::nextafter(static_cast<T>(high), start);
    const auto scaled = [=](std::uint64_t word) { return std::min(start + width * to_unit<T>(word), largest); };
    return detail::draw_array(this, location,
                              [=, this]
                              {
                                  return fill<T>(*this, shape,
                                                 [&](std::array<std::uint64_t, 2> words) {
                                                     return std::array{scaled(words[0]), scaled(words[1])};
                                                 });
                              });
}

template <Real T>
Tensor<T> Generator::normal(const Shape& shape, double mean, double deviation, Location location)
{
    if (!(std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0))
    {
        refuse("normal", "the mean must be finite, the standard deviation finite and at least 0", mean, deviation,
               location);
    }
    return detail::draw_array(this, location,
                              [=, this]
                              {
                                  return fill<T>(*this, shape,
                                                 [=](std::array<std::uint64_t, 2> words)
                                                 {
                                                     const auto [first, second] = box_muller(words);
                                                     return std::array{static_cast<T>(mean + deviation * first),
                                                                       static_cast<T>(mean + deviation * second)};
                                                 });
                              });
}

Indices Generator::permutation(std::size_t count)
{
    Indices order(Shape{count});
    const std::span elements(order.data(), count);
    std::iota(elements.begin(), elements.end(), std::int64_t{0});
    shuffle(elements);
    return order;
}

template Tensor<float> Generator::uniform(const Shape&, double, double, Location);
template Tensor<double> Generator::uniform(const Shape&, double, double, Location);
template Tensor<float> Generator::normal(const Shape&, double, double, Location);
template Tensor<double> Generator::normal(const Shape&, double, double, Location);

}
