#pragma once

#include <cstddef>

/// The sizes at which single operations are measured, forward and backward: one for small models, one for large.
namespace benchmarks
{

struct ConvolutionSize
{
    std::size_t batch, channels, extent, filters;
};
inline constexpr ConvolutionSize conv2d_sizes[] = {{8, 3, 16, 8}, {16, 64, 56, 64}};

inline constexpr ConvolutionSize conv_transpose2d_sizes[] = {{8, 8, 8, 3}, {16, 64, 28, 32}};

struct ImageSize
{
    std::size_t batch, channels, extent;
};
inline constexpr ImageSize image_sizes[] = {{8, 3, 16}, {16, 64, 56}};

struct MatrixSize
{
    std::size_t rows, columns;
};
inline constexpr MatrixSize layer_norm_sizes[] = {{32, 64}, {2048, 768}};
inline constexpr MatrixSize cross_entropy_sizes[] = {{32, 10}, {2048, 2048}};
inline constexpr MatrixSize transpose_sizes[] = {{16, 16}, {2048, 2048}};

inline constexpr MatrixSize row_sizes[] = {{32, 64}, {2048, 768}};

inline constexpr std::size_t matmul_sizes[] = {16, 512};

struct BoxSize
{
    std::size_t first, middle, last;
};
inline constexpr BoxSize sum_sizes[] = {{4, 8, 8}, {128, 128, 256}};

struct GatherSize
{
    std::size_t rows, columns, gathered;
};
inline constexpr GatherSize gather_sizes[] = {{32, 8, 16}, {4096, 128, 16384}};

struct EmbeddingSize
{
    std::size_t words, width, length;
};
inline constexpr EmbeddingSize embedding_sizes[] = {{100, 16, 32}, {30000, 256, 8192}};

struct AttentionSize
{
    std::size_t batch, heads, length, width;
};
inline constexpr AttentionSize attention_sizes[] = {{2, 2, 16, 16}, {8, 8, 256, 64}};

}
