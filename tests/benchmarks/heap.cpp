// glibc's malloc, counted: the only measure of memory that is the same for every library of a process. And what ours has from
// the system itself.

#include "heap.hpp"

#include <autograd/region.hpp>

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>

namespace
{

std::atomic<bool> counts = false;
std::atomic<std::int64_t> live = 0;
std::atomic<std::int64_t> peak = 0;

void* taken(void* block) noexcept
{
    if (counts.load(std::memory_order_relaxed) && block != nullptr)
    {
        const std::int64_t now = live += static_cast<std::int64_t>(malloc_usable_size(block));
        std::int64_t most = peak;
        while (most < now && !peak.compare_exchange_weak(most, now))
        {
        }
    }
    return block;
}

void given(void* block) noexcept
{
    if (counts.load(std::memory_order_relaxed) && block != nullptr)
    {
        live -= static_cast<std::int64_t>(malloc_usable_size(block));
    }
}

}

extern "C"
{

    void* __libc_malloc(std::size_t size) noexcept;
    void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
    void* __libc_realloc(void* block, std::size_t size) noexcept;
    void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept;
    void __libc_free(void* block) noexcept;

    void* malloc(std::size_t size) noexcept
    {
        return taken(__libc_malloc(size));
    }

    void* calloc(std::size_t count, std::size_t size) noexcept
    {
        return taken(__libc_calloc(count, size));
    }

    void* realloc(void* block, std::size_t size) noexcept
    {
        given(block);
        return taken(__libc_realloc(block, size));
    }

    void* memalign(std::size_t alignment, std::size_t size) noexcept
    {
        return taken(__libc_memalign(alignment, size));
    }

    void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
    {
        return taken(__libc_memalign(alignment, size));
    }

    int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept
    {
        *block = taken(__libc_memalign(alignment, size));
        return *block != nullptr ? 0 : ENOMEM;
    }

    void free(void* block) noexcept
    {
        given(block);
        __libc_free(block);
    }
}

namespace benchmarks
{

std::int64_t peak_memory(const std::function<void()>& before, const std::function<void()>& measured)
{
    using autograd::detail::Regions;
    const std::int64_t regions = Regions::live();
    live = 0;
    counts = true;
    before();
    peak = live.load();
    measured();
    counts = false;
    // Blocks of regions are kept for reuse: the most of them is what there is at the end.
    return peak + Regions::live() - regions;
}

}
