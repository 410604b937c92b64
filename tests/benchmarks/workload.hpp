#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

/// What is measured, each written twice: with xtensor-autograd and with LibTorch. Plain C++, because the two do not share
/// a language standard.
namespace benchmarks
{

/// A workload, set up by one of the libraries.
struct Workload
{
    /// What is timed: a whole training step, or a gradient.
    std::function<void()> step;
    /// The same on data that are not random; returns a number that depends on the loss and, in the next call at the
    /// latest, on every gradient.
    std::function<double()> check;
};

/// All workloads in one library, in the order of `names`.
struct Library
{
    const char* name;
    std::string (*describe)();
    Workload (*make)(std::size_t workload);
    void (*set_num_threads)(int count);
};
extern const Library ours;
extern const Library libtorch;

inline constexpr const char* names[] = {
    "scalar_sgd",        "line",    "small_network", "fashion_network", "scalar_chain", "elementwise_double",
    "elementwise_float", "softmax",
};
inline constexpr const char* descriptions[] = {
    "a^2 + b^2, double scalars, SGD",
    "mean((a x + b - y)^2), float, 10 of 100 samples drawn in the step, SGD",
    "MLP 2-16-16-1 tanh, batch 32, MSE, float, SGD",
    "MLP 784-128-10 relu, batch 64, cross entropy, float, SGD",
    "10,000 sequential scalar operations, double, gradient",
    "sum(tanh(sin(x) exp(-x^2)) + sigmoid(x) x), 1e6 doubles, gradient",
    "the same, 1e6 floats, gradient",
    "mean(pow(softmax(x + b) - t, 2)), x (512, 1024), float, gradient",
};
inline constexpr std::size_t workload_count = std::size(names);

inline constexpr std::size_t line_points = 100;
inline constexpr std::size_t line_batch = 10;
inline constexpr std::size_t chain_length = 10'000;

/// The same pseudo-random numbers in [low, high) on both sides.
template <class T>
std::vector<T> uniform(std::size_t count, unsigned seed, double low, double high)
{
    std::mt19937 generator(seed);
    std::vector<T> numbers(count);
    for (T& number : numbers)
    {
        number = static_cast<T>(low + (high - low) * (generator() / 4294967296.0));
    }
    return numbers;
}

/// Weights as both libraries would start from: spread over +-1/sqrt(inputs).
inline std::vector<float> weights(std::size_t outputs, std::size_t inputs, unsigned seed)
{
    const double bound = 1 / std::sqrt(static_cast<double>(inputs));
    return uniform<float>(outputs * inputs, seed, -bound, bound);
}

}
