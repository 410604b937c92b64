#pragma once

#include <autograd/error.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace autograd::detail
{

/// The file that an operation is about, for its errors.
struct File
{
    std::filesystem::path path;
    const char* operation;
    Location location;

    [[noreturn]] void fail(const std::string& problem, std::string_view fix = {}) const;
    [[noreturn]] void fail_by_system(const std::string& problem, int error) const;
};

/// All that a regular file holds.
std::string content_of(const File& file);

/// New content for a file: `<path>.partial` beside it, which takes its place when it is whole. One that a killed process
/// left is written over by the next. Who would write the same file meanwhile waits.
class Replacement
{
public:
    explicit Replacement(const File& file);
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement();

    void write(std::span<const std::byte> bytes);
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    /// The old content is gone, also after a power failure, when this returns.
    void commit();

private:
    void open_partial();

    const File& file_;
    std::filesystem::path target_;
    std::filesystem::path partial_;
    int descriptor_ = -1;
};

/// An unsigned integer of `bytes.size()` bytes.
std::size_t little_endian(std::string_view bytes) noexcept;
std::string to_little_endian(std::size_t value, std::size_t bytes);

}
