#include <autograd/io/file.hpp>

#include <autograd/io.hpp>

#include <bit>
#include <cerrno>
#include <fstream>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace autograd
{

static_assert(std::endian::native == std::endian::little, "arrays are written in the byte order of this machine");

namespace fs = std::filesystem;

namespace detail
{

void File::fail(const std::string& problem, std::string_view fix) const
{
    throw FileError(operation, "'" + path.string() + "' " + problem, location, fix);
}

void File::fail_by_system(const std::string& problem, int error) const
{
    fail(problem + ": " + std::generic_category().message(error));
}

std::string content_of(const File& file)
{
    std::error_code error;
    const fs::file_status status = fs::status(file.path, error);
    if (error && status.type() != fs::file_type::not_found)
    {
        file.fail_by_system("cannot be read", error.value());
    }
    if (!fs::exists(status))
    {
        file.fail("does not exist");
    }
    if (!fs::is_regular_file(status))
    {
        file.fail("cannot be read: it is not a regular file");
    }
    std::ifstream stream(file.path, std::ios::binary);
    const std::uintmax_t size = stream ? fs::file_size(file.path, error) : 0;
    if (!stream || error)
    {
        file.fail_by_system("cannot be read", error ? error.value() : errno);
    }
    try
    {
        std::string content(size, '\0');
        if (!stream.read(content.data(), static_cast<std::streamsize>(size)))
        {
            file.fail("cannot be read to its end");
        }
        return content;
    }
    catch (const std::bad_alloc&)
    {
        file.fail("does not fit into memory: it holds " + std::to_string(size) + " bytes");
    }
}

Replacement::Replacement(const File& file) : file_(file)
{
    std::error_code error;
    const fs::file_status status = fs::status(file.path, error);
    if (fs::exists(status) && !fs::is_regular_file(status))
    {
        file.fail("cannot be written: it is not a regular file");
    }
    // A symbolic link stays one.
    target_ = fs::exists(status) ? fs::canonical(file.path, error) : file.path;
    if (fs::exists(status) && error)
    {
        file.fail_by_system("cannot be written", error.value());
    }
    partial_ = target_;
    partial_ += ".partial";
    open_partial();
    if (::ftruncate(descriptor_, 0) != 0)
    {
        file.fail_by_system("cannot be written", errno);
    }
    if (fs::exists(status))
    {
        ::fchmod(descriptor_, static_cast<mode_t>(status.permissions()));
    }
}

void Replacement::open_partial()
{
    while (true)
    {
        descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
        struct stat opened = {};
        if (descriptor_ < 0 || ::fstat(descriptor_, &opened) != 0)
        {
            file_.fail_by_system("cannot be written", errno);
        }
        // Some file systems have no locks; there, whoever writes last wins.
        while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR)
        {
        }
        // Whoever held the lock has made it the target, or removed it.
        struct stat there = {};
        if (::lstat(partial_.c_str(), &there) == 0 && there.st_ino == opened.st_ino && there.st_dev == opened.st_dev)
        {
            return;
        }
        ::close(std::exchange(descriptor_, -1));
    }
}

Replacement::~Replacement()
{
    if (descriptor_ >= 0)
    {
        ::unlink(partial_.c_str());
        ::close(descriptor_);
    }
}

void Replacement::write(std::span<const std::byte> bytes)
{
    while (!bytes.empty())
    {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
        {
            file_.fail_by_system("cannot be written", errno);
        }
        bytes = bytes.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

void Replacement::commit()
{
    // Some file systems have no fsync, and say EINVAL.
    if ((::fsync(descriptor_) != 0 && errno != EINVAL) || ::rename(partial_.c_str(), target_.c_str()) != 0)
    {
        file_.fail_by_system("cannot be written", errno);
    }
    ::close(std::exchange(descriptor_, -1));
    const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0)
    {
        ::fsync(descriptor);
        ::close(descriptor);
    }
}

std::size_t little_endian(std::string_view bytes) noexcept
{
    std::size_t value = 0;
    for (std::size_t k = bytes.size(); k-- > 0;)
    {
        value = value << 8 | static_cast<unsigned char>(bytes[k]);
    }
    return value;
}

std::string to_little_endian(std::size_t value, std::size_t bytes)
{
    std::string text;
    for (std::size_t k = 0; k < bytes; ++k, value >>= 8)
    {
        text += static_cast<char>(value & 0xff);
    }
    return text;
}

}

void replace_file(const std::string& path, std::string_view content, Location location)
{
    const detail::File file{path, "replace_file", location};
    detail::Replacement replacement(file);
    replacement.write(content);
    replacement.commit();
}

}
