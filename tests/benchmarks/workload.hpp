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

/// One way to compute a workload; nothing where it is not computed in this way.
struct Variant
{
    /// What is timed: a whole training step, or a gradient.
    std::function<void()> step;
    /// The same on data that are not random; returns a number that depends on the loss and, in the next call at the
    /// latest, on every gradient.
    std::function<double()> check;
};

/// A workload, set up by one of the libraries.
struct Workload
{
    Variant eager;
    Variant compiled = {};
};

/// What is measured at many sizes: a chain of operations on scalars, sum(sin(x) x) of so many floats, and the sum of
/// squares of a product of square matrices of so many rows.
enum class Growth
{
    operations,
    elements,
    rows
};

/// All workloads in one library, in the order of `description`.
struct Library
{
    const char* name;
    std::string (*describe)();
    Workload (*make)(std::size_t workload);
    Workload (*grow)(Growth growth, std::size_t size);
    void (*set_num_threads)(int count);
    /// Returns what is kept for reuse to the system.
    void (*release_memory)();
};
extern const Library ours;
extern const Library libtorch;

struct Description
{
    const char* name;
    const char* text;
    /// What part of LibTorch's time is aimed at; 0 where no figure is set.
    double target = 0;
    double compiled_target = 0;
};

inline constexpr Description steps[] = {
    {"scalar_sgd", "a^2 + b^2, double scalars, SGD", 0.3 / 21.6, 0.08 / 21.6},
    {"line", "mean((a x + b - y)^2), float, 10 of 100 samples drawn in the step, SGD", 2.5 / 38, 0.6 / 38},
    {"small_network", "MLP 2-16-16-1 tanh, batch 32, MSE, float, SGD", 11. / 88, 5. / 88},
    {"fashion_network", "MLP 784-128-10 relu, batch 64, cross entropy, float, SGD", 320. / 376, 270. / 376},
    {"wide_network", "MLP 784-1024-1024-10 relu, batch 256, cross entropy, float, SGD", 21.5 / 23.5, 20.9 / 23.5},
    {"elementwise_double", "sum(tanh(sin(x) exp(-x^2)) + sigmoid(x) x), 1e6 doubles, gradient", 25 / 47.5, 9.5 / 47.5},
    {"elementwise_float", "the same, 1e6 floats, gradient", 11 / 23.4, 3.3 / 23.4},
    {"lenet", "LeNet-5 on 28x28, batch 64, float, SGD", 4.5 / 5.2, 3.5 / 5.2},
    {"lstm", "LSTM, 32 steps, batch 16, 32-64, a weight for each gate, float, SGD", 2.5 / 8.5, 1.3 / 8.5},
    {"lstm_joined", "the same with one weight for four gates", 2.5 / 4.7, 1.3 / 4.7},
    {"softmax", "mean(pow(softmax(x + b) - t, 2)), x (512, 1024), float, gradient", 2 / 4.65, 0.7 / 4.65},
    {"scalar_chain", "30,000 sequential scalar operations, double, gradient", 4. / 272, 0.6 / 272},
    {"attention_block", "attention block: q, k, v, o 64-64, batch 8, sequence 64, float, SGD", 0.95 / 1.2, 0.75 / 1.2},
    {"hessian_vector", "MLP 32-64-1 tanh, batch 64, MSE, double, Hessian times a vector", 1. / 3},
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
    {{"conv_transpose2d_small", "conv_transpose2d 3x3, stride 2, (8, 8, 8, 8), 3 filters"},
     {"conv_transpose2d_large", "conv_transpose2d 3x3, stride 2, (16, 64, 28, 28), 32 filters"}},
    {{"max_pool2d_small", "max_pool2d 3x3, stride 2, (8, 3, 16, 16)"},
     {"max_pool2d_large", "max_pool2d 3x3, stride 2, (16, 64, 56, 56)"}},
    {{"avg_pool2d_small", "avg_pool2d 2x2, (8, 3, 16, 16)"}, {"avg_pool2d_large", "avg_pool2d 2x2, (16, 64, 56, 56)"}},
    {{"batch_norm_small", "batch_norm, (8, 3, 16, 16)"}, {"batch_norm_large", "batch_norm, (16, 64, 56, 56)"}},
    {{"interpolate_small", "interpolate, bilinear, twice as large, (8, 3, 16, 16)"},
     {"interpolate_large", "interpolate, bilinear, twice as large, (16, 64, 56, 56)"}},
    {{"embedding_small", "embedding, 32 of 100 words of 16"},
     {"embedding_large", "embedding, 8,192 of 30,000 words of 256"}},
    {{"concatenate_small", "concatenate two (32, 64) along axis 1"},
     {"concatenate_large", "concatenate two (2048, 768) along axis 1"}},
    {{"split_small", "split (32, 64) in four along axis 1, their product"},
     {"split_large", "split (2048, 768) in four along axis 1, their product"}},
    {{"cumsum_small", "cumsum of rows, (32, 64)"}, {"cumsum_large", "cumsum of rows, (2048, 768)"}},
    {{"sort_small", "sort rows, (32, 64)"}, {"sort_large", "sort rows, (2048, 768)"}},
    {{"variance_small", "variance of rows, (32, 64)"}, {"variance_large", "variance of rows, (2048, 768)"}},
    {{"largest_small", "largest of rows, (32, 64)"}, {"largest_large", "largest of rows, (2048, 768)"}},
    {{"gelu_small", "gelu (32, 64)"}, {"gelu_large", "gelu (2048, 768)"}},
    {{"where_small", "where(x > 0, x, 0.1 x) (32, 64)"}, {"where_large", "where(x > 0, x, 0.1 x) (2048, 768)"}},
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
inline constexpr std::size_t chain_length = 30'000;

struct LstmSize
{
    std::size_t steps, batch, inputs, hidden;
};
inline constexpr LstmSize lstm_size{32, 16, 32, 64};

struct AttentionBlockSize
{
    std::size_t batch, sequence, width;
};
inline constexpr AttentionBlockSize attention_block_size{8, 64, 64};

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
