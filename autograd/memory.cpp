#include <autograd/memory.hpp>

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

constexpr std::size_t bin_count = 8 * 56;

/// Blocks above this number are returned to the system when more is cached than the thread itself ever used: a thread
/// that only consumes what others allocate must not hoard it.
constexpr std::int64_t free_cache = std::int64_t{64} << 20;

/// From so many bytes on, a free block of up to three eighths more is taken before the system is asked for another.
constexpr std::size_t worth_sharing = std::size_t{16} << 10;

/// Sizes in cache lines fall into eight classes an octave, so that at most an eighth is wasted.
std::uint32_t bin_of(std::size_t lines) noexcept
{
    if (lines <= 8)
    {
        return static_cast<std::uint32_t>(lines);
    }
    const auto shift = static_cast<std::uint32_t>(std::bit_width(lines - 1) - 4);
    return (shift + 1) * 8 + static_cast<std::uint32_t>(((lines - 1) >> shift) - 7);
}

std::size_t lines_of(std::uint32_t bin) noexcept
{
    if (bin <= 8)
    {
        return bin;
    }
    const std::uint32_t shift = (bin - 1) / 8 - 1;
    return std::size_t{(bin - 1) % 8 + 9} << shift;
}

class Pool
{
public:
    ~Pool();

    Buffer* take(std::size_t bytes)
    {
        std::uint32_t bin = bin_of(std::max<std::size_t>(1, (bytes + buffer_alignment - 1) / buffer_alignment));
        if (bins[bin] == nullptr && bytes >= worth_sharing)
        {
            bin = larger(bin);
        }
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
            block =
                ::operator new (static_cast<std::size_t>(size) + sizeof(Buffer), std::align_val_t{buffer_alignment});
            ++statistics.system_allocations;
        }
        auto* buffer = new (block) Buffer;
        buffer->bin = bin;
        return buffer;
    }

    void give(Buffer* buffer) noexcept
    {
        const std::uint32_t bin = buffer->bin;
        const auto size = static_cast<std::int64_t>(lines_of(bin) * buffer_alignment);
        statistics.live -= size;
        if (statistics.cached + size > statistics.peak + free_cache)
        {
            ::operator delete (buffer, std::align_val_t{buffer_alignment});
            return;
        }
        statistics.cached += size;
        bins[bin] = new (buffer) FreeBlock{bins[bin]};
    }

    void clear() noexcept
    {
        for (FreeBlock*& head : bins)
        {
            clear(head);
        }
        for (FreeBlock*& head : free_small_blocks)
        {
            clear(head);
        }
        statistics.cached = 0;
    }

    MemoryStatistics statistics;

private:
    /// The next class that has a free block, if it is not much larger.
    std::uint32_t larger(std::uint32_t bin) const noexcept
    {
        const auto first = bins.begin() + bin;
        const auto found =
            std::find_if(first, std::min(first + 4, bins.end()), [](const FreeBlock* head) { return head != nullptr; });
        return found != bins.end() && *found != nullptr ? static_cast<std::uint32_t>(found - bins.begin()) : bin;
    }

    static void clear(FreeBlock*& head) noexcept
    {
        while (head != nullptr)
        {
            ::operator delete (std::exchange(head, head->next), std::align_val_t{buffer_alignment});
        }
    }

    std::array<FreeBlock*, bin_count> bins{};
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

}

Buffer* allocate_buffer(std::size_t bytes)
{
    if (Pool* mine = pool())
    {
        return mine->take(bytes);
    }
    void* block = ::operator new (sizeof(Buffer) + (bytes + buffer_alignment) / buffer_alignment * buffer_alignment,
                                  std::align_val_t{buffer_alignment});
    auto* buffer = new (block) Buffer;
    buffer->bin = 0;
    return buffer;
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
        ::operator delete (buffer, std::align_val_t{buffer_alignment});
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
