#pragma once

#include <atomic>
#include <cstdint>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace autograd::detail
{

/// Whether the process has only ever had one thread, so that counts need no locked instruction.
inline bool single_threaded() noexcept
{
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

/// An intrusive count that may be shared between threads. It starts at one.
class ReferenceCount
{
public:
    void retain() noexcept
    {
        if (single_threaded())
        {
            count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
        else
        {
            count_.fetch_add(1, std::memory_order_relaxed);
        }
    }

    /// Returns true to the caller who gave up the last reference.
    bool release() noexcept
    {
        if (unique())
        {
            count_.store(0, std::memory_order_relaxed);
            return true;
        }
        if (single_threaded())
        {
            count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
            return false;
        }
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// Whether the caller, who holds a reference, is the only one: nobody else can then gain one.
    bool unique() const noexcept { return count_.load(std::memory_order_acquire) == 1; }

    bool expired() const noexcept { return count_.load(std::memory_order_acquire) == 0; }

private:
    std::atomic<std::uint32_t> count_{1};
};

}
