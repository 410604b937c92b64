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

/// All workloads in one library, in the order of `description`.
struct Library
{
    const char* name;
    std::string (*describe)();
    Workload (*make)(std::size_t workload);
    void (*set_num_threads)(int count);
};
extern const Library ours;
extern const Library libtorch;

struct Description
{
    const char* name;
    const char* text;
};

inline constexpr Description steps[] = {
    {"scalar_sgd", "a^2 + b^2, double scalars, SGD"},
    {"line", "mean((a x + b - y)^2), float, 10 of 100 samples drawn in the step, SGD"},
    {"small_network", "MLP 2-16-16-1 tanh, batch 32, MSE, float, SGD"},
    {"fashion_network", "MLP 784-128-10 relu, batch 64, cross entropy, float, SGD"},
    {"scalar_chain", "10,000 sequential scalar operations, double, gradient"},
    {"elementwise_double", "sum(tanh(sin(x) exp(-x^2)) + sigmoid(x) x), 1e6 doubles, gradient"},
    {"elementwise_float", "the same, 1e6 floats, gradient"},
    {"softmax", "mean(pow(softmax(x + b) - t, 2)), x (512, 1024), float, gradient"},
    {"sgd_many", "SGD with momentum, step, 1,000 parameters of 10 floats"},
    {"adam_many", "Adam, step, 1,000 parameters of 10 floats"},
    {"sgd_large", "SGD with momentum, step, 10 parameters of 1e6 floats"},
    {"adam_large", "Adam, step, 10 parameters of 1e6 floats"},
};
inline constexpr std::size_t step_count = std::size(steps);

/// Each at two sizes; see operations.hpp.
inline constexpr Description operations[][2] = {
    {{"conv2d_small", "conv2d 3x3, (8, 3, 16, 16), 8 filters"},
     {"conv2d_large", "conv2d 3x3, (16, 64, 56, 56), 64 filters"}},
    {{"layer_norm_small", "layer_norm (32, 64)"}, {"layer_norm_large", "layer_norm (2048, 768)"}},
    {{"cross_entropy_small", "cross_entropy (32, 10)"}, {"cross_entropy_large", "cross_entropy (2048, 2048)"}},
    {{"matmul_small", "matmul (16, 16)"}, {"matmul_large", "matmul (512, 512)"}},
    {{"sum_first_small", "sum over the first axis, (4, 8, 8)"},
     {"sum_first_large", "sum over the first axis, (128, 128, 256)"}},
    {{"sum_middle_small", "sum over the middle axis, (4, 8, 8)"},
     {"sum_middle_large", "sum over the middle axis, (128, 128, 256)"}},
    {{"sum_last_small", "sum over the last axis, (4, 8, 8)"},
     {"sum_last_large", "sum over the last axis, (128, 128, 256)"}},
    {{"transpose_small", "transpose(x) * y, (16, 16)"}, {"transpose_large", "transpose(x) * y, (2048, 2048)"}},
    {{"gather_small", "gather (16, 8) of (32, 8) along axis 0"},
     {"gather_large", "gather (16384, 128) of (4096, 128) along axis 0"}},
    {{"attention_small", "attention, (2, 2, 16, 16)"}, {"attention_large", "attention, (8, 8, 256, 64)"}},
};
inline constexpr std::size_t operation_count = std::size(operations);

inline constexpr std::size_t workload_count = step_count + 2 * operation_count;

/// Steps first, then operations.
constexpr Description description(std::size_t workload)
{
    return workload < step_count ? steps[workload]
                                 : operations[(workload - step_count) / 2][(workload - step_count) % 2];
}

inline constexpr std::size_t line_points = 100;
inline constexpr std::size_t line_batch = 10;
inline constexpr std::size_t chain_length = 10'000;

/// What an optimizer steps over.
struct ParameterList
{
    std::size_t count;
    std::size_t elements;
};
inline constexpr ParameterList many_parameters{1000, 10};
inline constexpr ParameterList large_parameters{10, 1'000'000};

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
