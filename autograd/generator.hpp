#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <array>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

namespace autograd
{

/// Random numbers that are the same on every machine. Number k of a stream is a function of the seed, the stream and k, and of
/// nothing else (Philox4x32-10: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). So the whole state
/// is three numbers, any place can be sought, and arrays are filled by all threads with one result. A standard library's
/// distributions differ from another's; those here do not, except that `normal` is as exact as the machine's logarithm.
///
/// What `<random>` and `<algorithm>` call a uniform random bit generator.
class Generator
{
public:
    using result_type = std::uint64_t;

    /// Streams of one seed have nothing to do with each other: give each user, or each epoch, one of its own.
    explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) noexcept : seed_(seed), stream_(stream) {}
    Generator(const Generator&) = default;
    Generator& operator=(const Generator&) = default;
    ~Generator();

    static constexpr std::uint64_t min() noexcept { return 0; }
    static constexpr std::uint64_t max() noexcept { return std::numeric_limits<std::uint64_t>::max(); }

    /// The next number; 64 random bits.
    std::uint64_t operator()() noexcept;

    /// Each of 0 ... bound - 1 with the same probability. Throws ValueError for 0.
    std::uint64_t below(std::uint64_t bound, Location location = Location::current());
    /// In [0, 1), a multiple of 2^-53.
    double uniform() noexcept;
    /// With mean 0 and standard deviation 1 (Box and Muller, 1958).
    double normal() noexcept;

    /// An array of numbers spread evenly over [low, high): `generator.uniform<float>({128, 784}, -0.1, 0.1)`.
    /// @throws ValueError unless low < high, and both and their difference are finite.
    template <Real T>
    Tensor<T> uniform(const Shape& shape, double low = 0, double high = 1, Location location = Location::current());
    /// An array of normally distributed numbers. Throws ValueError unless both are finite, and the deviation at least 0.
    template <Real T>
    Tensor<T> normal(const Shape& shape, double mean = 0, double deviation = 1,
                     Location location = Location::current());

    /// Puts a range into any order, each with the same probability.
    template <class Range>
    void shuffle(Range&& range)
    {
        using std::swap;
        for (std::size_t left = std::size(range); left > 1; --left)
        {
            swap(std::begin(range)[left - 1], std::begin(range)[below(left)]);
        }
    }
    /// 0 ... count - 1 in any order.
    Indices permutation(std::size_t count);

    std::uint64_t seed() const noexcept { return seed_; }
    std::uint64_t stream() const noexcept { return stream_; }
    /// How many numbers have been taken: what `seek` returns to.
    std::uint64_t position() const noexcept { return position_; }
    void seek(std::uint64_t position) noexcept;

    friend bool operator==(const Generator&, const Generator&) = default;

private:
    std::uint64_t seed_;
    std::uint64_t stream_;
    std::uint64_t position_ = 0;
};

namespace detail
{

/// While it lives, remembers which generators of this thread are drawn from, and how each was before.
class DrawLog
{
public:
    DrawLog() : outer_(std::exchange(current_, this)) {}
    DrawLog(const DrawLog&) = delete;
    DrawLog& operator=(const DrawLog&) = delete;
    ~DrawLog() { current_ = outer_; }

    static void note(Generator& generator)
    {
        for (DrawLog* log = current_; log != nullptr; log = log->outer_)
        {
            log->add(generator);
        }
    }
    const std::vector<std::pair<Generator*, Generator>>& drawn() const noexcept { return drawn_; }

private:
    void add(Generator& generator);

    static constinit thread_local DrawLog* current_;

    DrawLog* outer_;
    std::vector<std::pair<Generator*, Generator>> drawn_;
};

/// Two numbers of a stream: those at 2 * index and 2 * index + 1.
std::array<std::uint64_t, 2> philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept;

}

}
