#pragma once

#include <autograd/reference_count.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace autograd
{

/// What the calling thread's pool of array buffers holds and has done. Sizes are bytes.
struct MemoryStatistics
{
    std::uint64_t system_allocations = 0;  ///< how often the system was asked for memory
    std::int64_t live = 0;                 ///< in buffers taken from this thread's pool less those returned to it
    std::int64_t peak = 0;                 ///< the most that `live` has been since `reset_peak_memory`
    std::int64_t cached = 0;               ///< in buffers kept for reuse
};

MemoryStatistics memory_statistics() noexcept;

/// Starts `peak` anew from `live`.
void reset_peak_memory() noexcept;

/// Returns the calling thread's unused buffers to the system.
void release_cached_memory() noexcept;

namespace detail
{

/// Whether buffers are reused. Not under AddressSanitizer, which must see each come and go.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool pools_memory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool pools_memory = false;
#else
inline constexpr bool pools_memory = true;
#endif
#else
inline constexpr bool pools_memory = true;
#endif

/// The alignment of every buffer, and the multiple to which its size is rounded up: one cache line, and as much as
/// the widest SIMD register. Kernels work in whole registers and may touch this padding.
inline constexpr std::size_t buffer_alignment = 64;

/// The header of a pooled, reference-counted block; its data follows it.
struct alignas(buffer_alignment) Buffer
{
    ReferenceCount references;
    std::uint32_t bin;
    bool live = false;  ///< whether it holds what changes from call to call of a compiled function; see Indices

    void* data() noexcept { return this + 1; }
};

/// A buffer of at least `bytes`; from the thread's pool if it has one of that size class.
Buffer* allocate_buffer(std::size_t bytes);

/// The same for a short while, to be given back before a buffer is taken that stays: with as many of `bytes` as fit into a
/// free block, if these are more than `least`, and `least` otherwise. `bytes` becomes what there is.
Buffer* borrow_buffer(std::size_t least, std::size_t& bytes);

void recycle_buffer(Buffer* buffer) noexcept;

inline void release_buffer(Buffer* buffer) noexcept
{
    if (buffer->references.release())
    {
        recycle_buffer(buffer);
    }
}

/// Blocks of small sizes, a list of the thread for each multiple of `small_block_size`: what nodes and attributes live in.
/// Those of a slice, with its shapes and strides, take three.
inline constexpr std::size_t small_block_size = 128;
inline constexpr std::size_t small_block_lists = 5;
inline constexpr std::size_t largest_small_block = small_block_lists * small_block_size;

struct FreeBlock
{
    FreeBlock* next;
};

/// A block that was free for long is in a slower cache: what is taken next comes while this one is used.
inline void prefetch(const FreeBlock* next) noexcept
{
    __builtin_prefetch(next, 1);
}
extern constinit thread_local FreeBlock* free_small_blocks[small_block_lists];
extern constinit thread_local bool keeps_small_blocks;
void* allocate_new_small_block(std::size_t list);
void free_small_block(void* block) noexcept;

/// `size`, the same for both, is at most `largest_small_block`.
/// @{
inline void* allocate_small_block(std::size_t size = small_block_size)
{
    const std::size_t list = (size - 1) / small_block_size;
    FreeBlock* block = free_small_blocks[list];
    if (block == nullptr) [[unlikely]]
    {
        return allocate_new_small_block(list);
    }
    free_small_blocks[list] = block->next;
    prefetch(block->next);
    return block;
}

inline void recycle_small_block(void* block, std::size_t size = small_block_size) noexcept
{
    if (!keeps_small_blocks) [[unlikely]]
    {
        free_small_block(block);
        return;
    }
    const std::size_t list = (size - 1) / small_block_size;
    free_small_blocks[list] = ::new (block) FreeBlock{free_small_blocks[list]};
}
/// @}

}

}
