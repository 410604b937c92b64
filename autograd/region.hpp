#pragma once

#include <cstddef>
#include <cstdint>

namespace autograd::detail
{

struct Region;

/// Where one thread takes large blocks from: regions of address space, from which they are cut one behind the other, and
/// which the system fills with huge pages if it can. A processor knows the places of some 2,000 pages: a pass over several
/// arrays of a megabyte spent a tenth of its time looking others up, and an optimizer's over ten of 4 MB up to a fifth.
///
/// Blocks may be given back by any thread. Their memory then goes back to the system, and a region when all of it has.
class Regions
{
public:
    Regions() = default;
    Regions(const Regions&) = delete;
    Regions& operator=(const Regions&) = delete;
    ~Regions();

    /// A block of so many bytes, a multiple of the alignment of buffers.
    /// @throws std::bad_alloc if there is no memory.
    void* take(std::size_t bytes);
    static void give(void* block, std::size_t bytes) noexcept;

    /// What all threads have in such blocks, in bytes: malloc does not know of them.
    static std::int64_t live() noexcept;

private:
    // Where there are no regions, nobody looks at these.
    [[maybe_unused]] Region* current_ = nullptr;
    [[maybe_unused]] std::size_t used_ = 0;   ///< bytes of the current one, from its beginning
    [[maybe_unused]] std::size_t shift_ = 0;  ///< where the next block begins that has a region of its own
};

}
