#include <autograd/memory.hpp>
#include <autograd/region.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace autograd
{

namespace detail
{

constinit thread_local FreeBlock* free_small_blocks[small_block_lists] = {};
constinit thread_local bool keeps_small_blocks = false;

namespace
{

/// In cache lines: up to here there are 8 classes an octave, and 32 from here on.
constexpr std::size_t coarse_lines = 256;
constexpr std::uint32_t coarse_bins = 48;
constexpr std::size_t bin_count = coarse_bins + 1 + 32 * 52;

/// Blocks above this number are returned to the system when more is cached than the thread itself ever used: a thread
/// that only consumes what others allocate must not hoard it.
constexpr std::int64_t free_cache = std::int64_t{64} << 20;

/// From so many bytes on, a free block of up to three eighths more is taken before the system is asked for another.
constexpr std::size_t worth_sharing = coarse_lines * buffer_alignment;

/// From so many bytes on, blocks are cut from regions; malloc would map each by itself from here on.
constexpr std::size_t large_block = std::size_t{128} << 10;

/// The class of a size in cache lines. At most an eighth is wasted of a small block, and a thirty-second of a large one.
std::uint32_t bin_of(std::size_t lines) noexcept
{
    if (lines <= 8)
    {
        return static_cast<std::uint32_t>(lines);
    }
    const auto width = static_cast<std::uint32_t>(std::bit_width(lines - 1));
    if (lines <= coarse_lines)
    {
        return (width - 3) * 8 + static_cast<std::uint32_t>((lines - 1) >> (width - 4)) - 7;
    }
    return coarse_bins + 1 + (width - 9) * 32 + static_cast<std::uint32_t>((lines - 1) >> (width - 6)) - 32;
}

std::size_t lines_of(std::uint32_t bin) noexcept
{
    if (bin <= 8)
    {
        return bin;
    }
    if (bin <= coarse_bins)
    {
        return std::size_t{(bin - 1) % 8 + 9} << ((bin - 1) / 8 - 1);
    }
    const std::uint32_t fine = bin - coarse_bins - 1;
    return std::size_t{fine % 32 + 33} << (fine / 32 + 3);
}

/// With its header.
std::size_t block_size(std::uint32_t bin) noexcept
{
    return lines_of(bin) * buffer_alignment + sizeof(Buffer);
}

/// Gives a block that came from a pool, or from nobody's if `bin` is 0, back to the system.
void give_back(void* block, std::uint32_t bin) noexcept
{
    if (const std::size_t size = block_size(bin); size >= large_block)
    {
        Regions::give(block, size);
    }
    else
    {
        ::operator delete (block, std::align_val_t{buffer_alignment});
    }
}

class Pool
{
public:
    ~Pool();

    Buffer* take(std::size_t bytes)
    {
        const std::uint32_t bin = bin_of_bytes(bytes);
        if (bins[bin] != nullptr || bytes < worth_sharing)
        {
            return take_from(bin);
        }
        const std::uint32_t larger = first_free(bin + 1, bin_of_bytes(bytes + bytes / 8 * 3) + 1);
        return take_from(larger != 0 ? larger : bin);
    }

    Buffer* borrow(std::size_t least, std::size_t& bytes)
    {
        const std::uint32_t smallest = bin_of_bytes(least);
        const std::uint32_t enough = bin_of_bytes(bytes);
        std::uint32_t bin = first_free(enough, bin_of_bytes(8 * bytes) + 1);
        for (std::uint32_t next = enough; bin == 0 && next > smallest; --next)
        {
            bin = first_free(next - 1, next);
        }
        bin = bin != 0 ? bin : smallest;
        bytes = std::min(bytes, lines_of(bin) * buffer_alignment);
        return take_from(bin);
    }

    void give(Buffer* buffer) noexcept
    {
        const std::uint32_t bin = buffer->bin;
        const auto size = static_cast<std::int64_t>(lines_of(bin) * buffer_alignment);
        statistics.live -= size;
        if (statistics.cached + size > statistics.peak + free_cache)
        {
            give_back(buffer, bin);
            return;
        }
        statistics.cached += size;
        bins[bin] = new (buffer) FreeBlock{bins[bin]};
    }

    void clear() noexcept
    {
        for (std::uint32_t bin = 0; bin < bin_count; ++bin)
        {
            clear(bins[bin], bin);
        }
        for (FreeBlock*& head : free_small_blocks)
        {
            clear(head, 0);
        }
        statistics.cached = 0;
    }

    MemoryStatistics statistics;

private:
    static std::uint32_t bin_of_bytes(std::size_t bytes) noexcept
    {
        return bin_of(std::max<std::size_t>(1, (bytes + buffer_alignment - 1) / buffer_alignment));
    }

    Buffer* take_from(std::uint32_t bin)
    {
        const auto size = static_cast<std::int64_t>(lines_of(bin) * buffer_alignment);
        statistics.live += size;
        statistics.peak = std::max(statistics.peak, statistics.live);
        FreeBlock*& head = bins[bin];
        void* block = head;
        if (block != nullptr)
        {
            head = head->next;
            prefetch(head);
            statistics.cached -= size;
        }
        else
        {
            const std::size_t whole = block_size(bin);
            block = whole >= large_block ? regions_.take(whole)
                                         : ::operator new (whole, std::align_val_t{buffer_alignment});
            ++statistics.system_allocations;
        }
        auto* buffer = new (block) Buffer;
        buffer->bin = bin;
        return buffer;
    }

    /// The first of these classes that has a free block; 0 if none has.
    std::uint32_t first_free(std::size_t begin, std::size_t end) const noexcept
    {
        for (std::size_t bin = begin; bin < std::min(end, bin_count); ++bin)
        {
            if (bins[bin] != nullptr)
            {
                return static_cast<std::uint32_t>(bin);
            }
        }
        return 0;
    }

    static void clear(FreeBlock*& head, std::uint32_t bin) noexcept
    {
        while (head != nullptr)
        {
            give_back(std::exchange(head, head->next), bin);
        }
    }

    std::array<FreeBlock*, bin_count> bins{};
    Regions regions_;
};

/// Set while the thread's pool is alive. Values that outlive their thread's pool (static objects, for one) go straight
/// to the system.
constinit thread_local Pool* current = nullptr;
constinit thread_local bool destroyed = false;

Pool::~Pool()
{
    clear();
    current = nullptr;
    destroyed = true;
    keeps_small_blocks = false;
}

Pool* create_pool()
{
    if (destroyed)
    {
        return nullptr;
    }
    thread_local Pool pool;
    current = &pool;
    keeps_small_blocks = true;
    return current;
}

Pool* pool()
{
    if constexpr (!pools_memory)
    {
        return nullptr;
    }
    return current != nullptr ? current : create_pool();
}

Buffer* unpooled(std::size_t bytes)
{
    void* block = ::operator new (sizeof(Buffer) + (bytes + buffer_alignment) / buffer_alignment * buffer_alignment,
                                  std::align_val_t{buffer_alignment});
    auto* buffer = new (block) Buffer;
    buffer->bin = 0;
    return buffer;
}

}

Buffer* allocate_buffer(std::size_t bytes)
{
    if (Pool* mine = pool())
    {
        return mine->take(bytes);
    }
    return unpooled(bytes);
}

Buffer* borrow_buffer(std::size_t least, std::size_t& bytes)
{
    if (Pool* mine = pool())
    {
        return mine->borrow(least, bytes);
    }
    bytes = least;
    return unpooled(least);
}

void recycle_buffer(Buffer* buffer) noexcept
{
    Pool* mine = buffer->bin == 0 ? nullptr : pool();
    if (mine != nullptr)
    {
        mine->give(buffer);
    }
    else
    {
        give_back(buffer, buffer->bin);
    }
}

// Making sure that the pool exists lets it return the blocks when the thread ends.
void* allocate_new_small_block(std::size_t list)
{
    static_cast<void>(pool());
    return ::operator new ((list + 1) * small_block_size, std::align_val_t{buffer_alignment});
}

void free_small_block(void* block) noexcept
{
    ::operator delete (block, std::align_val_t{buffer_alignment});
}

}

MemoryStatistics memory_statistics() noexcept
{
    detail::Pool* pool = detail::pool();
    return pool != nullptr ? pool->statistics : MemoryStatistics{};
}

void reset_peak_memory() noexcept
{
    if (detail::Pool* pool = detail::pool())
    {
        pool->statistics.peak = pool->statistics.live;
    }
}

void release_cached_memory() noexcept
{
    if (detail::Pool* pool = detail::pool())
    {
        pool->clear();
    }
}

}
