#pragma once

#include <autograd/memory.hpp>

#include <vector>

namespace autograd::detail
{

/// A vector whose memory is from the thread's pool: making one in each call asks the system for nothing.
/// @{
template <class T>
struct PoolAllocator
{
    using value_type = T;

    PoolAllocator() = default;
    template <class U>
    PoolAllocator(const PoolAllocator<U>&) noexcept
    {
    }
    T* allocate(std::size_t count) { return static_cast<T*>(allocate_buffer(count * sizeof(T))->data()); }
    void deallocate(T* data, std::size_t) noexcept { release_buffer(reinterpret_cast<Buffer*>(data) - 1); }
    bool operator==(const PoolAllocator&) const = default;
};
template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;
/// @}

}
