#include <autograd/memory.hpp>
#include <autograd/region.hpp>

#include <atomic>
#include <new>
#include <utility>

#if defined(__linux__) && defined(__LP64__)
#define AUTOGRAD_HAVE_REGIONS
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace autograd::detail
{

namespace
{

std::atomic<std::int64_t> live_bytes = 0;

}

std::int64_t Regions::live() noexcept
{
    return live_bytes;
}

#ifdef AUTOGRAD_HAVE_REGIONS

/// Its own beginning; blocks follow.
struct alignas(buffer_alignment) Region
{
    std::size_t size;
    std::atomic<std::size_t> holders;  ///< blocks, and the thread that takes more from it
};

namespace
{

/// Regions begin at multiples of this, and all blocks in the first piece of this size: so they find their region.
constexpr std::size_t region_size = std::size_t{64} << 20;
constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Between blocks. Without it, arrays of one size would begin at the same place of a page, more or less, and share sets of the
/// caches: Adam took a third longer for ten parameters of a million floats.
constexpr std::size_t gap = 4096 + 27 * buffer_alignment;

constexpr std::uintptr_t round_up(std::uintptr_t value, std::size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

/// A region of at least so many bytes, its own header included.
Region* reserve(std::size_t bytes)
{
    const std::size_t size = round_up(bytes, huge_page);
    void* const mapping =
        mmap(nullptr, size + region_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
    {
        throw std::bad_alloc();
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(mapping);
    const std::uintptr_t aligned = round_up(begin, region_size);
    if (aligned != begin)
    {
        munmap(mapping, aligned - begin);
    }
    void* const region = reinterpret_cast<void*>(aligned);
    munmap(reinterpret_cast<void*>(aligned + size), begin + region_size - aligned);
    madvise(region, size, MADV_HUGEPAGE);
    return new (region) Region{size, 1};
}

void drop(Region* region) noexcept
{
    if (region->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
    {
        munmap(region, region->size);
    }
}

}

Regions::~Regions()
{
    if (current_ != nullptr)
    {
        drop(current_);
    }
}

void* Regions::take(std::size_t bytes)
{
    if (bytes + sizeof(Region) > region_size)
    {
        shift_ = (shift_ + gap) % (16 * gap);
        const std::size_t begin = sizeof(Region) + shift_;
        Region* const own = reserve(begin + bytes);
        live_bytes += static_cast<std::int64_t>(bytes);
        return reinterpret_cast<char*>(own) + begin;
    }
    if (current_ == nullptr || used_ + bytes > current_->size)
    {
        Region* const next = reserve(region_size);
        if (current_ != nullptr)
        {
            drop(current_);
        }
        current_ = next;
        used_ = sizeof(Region);
    }
    current_->holders.fetch_add(1, std::memory_order_relaxed);
    live_bytes += static_cast<std::int64_t>(bytes);
    return reinterpret_cast<char*>(current_) + std::exchange(used_, used_ + bytes + gap);
}

void Regions::give(void* block, std::size_t bytes) noexcept
{
    live_bytes -= static_cast<std::int64_t>(bytes);
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    auto* const region = reinterpret_cast<Region*>(begin / region_size * region_size);
    if (region->holders.load(std::memory_order_acquire) > 1)
    {
        static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::uintptr_t first = round_up(begin, page);
        void* const pages = reinterpret_cast<void*>(first);
        const std::size_t size = (begin + bytes) / page * page - first;
        madvise(pages, size, MADV_DONTNEED);
        // Else the system would fill huge pages again of which a part is in use.
        madvise(pages, size, MADV_NOHUGEPAGE);
    }
    drop(region);
}

#else

// Of malloc.
Regions::~Regions() = default;

void* Regions::take(std::size_t bytes)
{
    void* const block = ::operator new (bytes, std::align_val_t{buffer_alignment});
    live_bytes += static_cast<std::int64_t>(bytes);
    return block;
}

void Regions::give(void* block, std::size_t bytes) noexcept
{
    live_bytes -= static_cast<std::int64_t>(bytes);
    ::operator delete (block, std::align_val_t{buffer_alignment});
}

#endif

}
