#include <autograd/io.hpp>

#include <bit>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace autograd
{

static_assert(std::endian::native == std::endian::little, "arrays are written in the byte order of this machine");

namespace
{

namespace fs = std::filesystem;

constexpr std::string_view magic("\x93NUMPY", 6);

/// The file that an operation is about, for its errors.
struct File
{
    fs::path path;
    const char* operation;
    Location location;

    [[noreturn]] void fail(const std::string& problem, std::string_view fix = {}) const
    {
        throw FileError(operation, "'" + path.string() + "' " + problem, location, fix);
    }
    [[noreturn]] void fail_by_system(const std::string& problem, int error) const
    {
        fail(problem + ": " + std::generic_category().message(error));
    }
};

/// A new file beside the one it is to replace; removed unless it has done so.
class Replacement
{
public:
    explicit Replacement(const File& file) : file_(file)
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
        for (int attempt = 0; descriptor_ < 0; ++attempt)
        {
            temporary_ = target_;
            // Not by operator+, for which GCC 12 warns of an overlap (GCC bug 105651).
            temporary_ += std::string(".")
                              .append(std::to_string(::getpid()))
                              .append("-")
                              .append(std::to_string(attempt))
                              .append(".tmp");
            descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (descriptor_ < 0 && (errno != EEXIST || attempt == 1000))
            {
                file.fail_by_system("cannot be written", errno);
            }
        }
    }
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement()
    {
        if (descriptor_ >= 0)
        {
            ::close(descriptor_);
            ::unlink(temporary_.c_str());
        }
    }

    void write(std::span<const std::byte> bytes)
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

    void commit()
    {
        // Some file systems have no fsync, and say EINVAL.
        if ((::fsync(descriptor_) != 0 && errno != EINVAL) || ::rename(temporary_.c_str(), target_.c_str()) != 0)
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

private:
    const File& file_;
    fs::path target_;
    fs::path temporary_;
    int descriptor_ = -1;
};

template <Real T>
constexpr const char* description_of = std::is_same_v<T, float> ? "<f4" : "<f8";

struct Header
{
    std::string description;
    bool fortran_order = false;
    Shape shape;
};

/// Reads the Python dictionary that describes an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
class HeaderParser
{
public:
    HeaderParser(std::string_view text, const File& file) : rest_(text), file_(file) {}

    Header parse()
    {
        std::optional<std::string_view> description;
        std::optional<bool> fortran_order;
        std::optional<Shape> shape;
        expect('{');
        while (!accept('}'))
        {
            const std::string_view key = quoted();
            expect(':');
            if (key == "descr")
            {
                description = quoted();
            }
            else if (key == "fortran_order")
            {
                fortran_order = boolean();
            }
            else if (key == "shape")
            {
                shape = tuple();
            }
            else
            {
                fail();
            }
            if (!accept(','))
            {
                expect('}');
                break;
            }
        }
        skip_space();
        if (!rest_.empty() || !description || !fortran_order || !shape)
        {
            fail();
        }
        return {std::string(*description), *fortran_order, *shape};
    }

private:
    [[noreturn]] void fail() const { file_.fail("is not a .npy file of numbers: its header cannot be read"); }

    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    bool accept(std::string_view token)
    {
        skip_space();
        if (!rest_.starts_with(token))
        {
            return false;
        }
        rest_.remove_prefix(token.size());
        return true;
    }
    bool accept(char token) { return accept(std::string_view(&token, 1)); }

    void expect(char token)
    {
        if (!accept(token))
        {
            fail();
        }
    }

    std::string_view quoted()
    {
        const char quote = accept('"') ? '"' : '\'';
        if (quote == '\'')
        {
            expect('\'');
        }
        const std::size_t end = rest_.find(quote);
        if (end == std::string_view::npos)
        {
            fail();
        }
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    bool boolean()
    {
        const bool value = accept("True");
        if (!value && !accept("False"))
        {
            fail();
        }
        return value;
    }

    Shape tuple()
    {
        Shape shape;
        expect('(');
        while (!accept(')'))
        {
            if (shape.rank() == max_rank)
            {
                file_.fail("holds an array of more than " + std::to_string(max_rank) + " axes");
            }
            shape.push_back(extent());
            if (!accept(','))
            {
                expect(')');
                break;
            }
        }
        return shape;
    }

    std::size_t extent()
    {
        skip_space();
        std::size_t value = 0;
        const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
        for (const char digit : rest_.substr(0, digits))
        {
            if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit - '0', &value))
            {
                fail();
            }
        }
        if (digits == 0)
        {
            fail();
        }
        rest_.remove_prefix(digits);
        return value;
    }

    std::string_view rest_;
    const File& file_;
};

std::string read_exactly(std::ifstream& stream, std::size_t bytes, const File& file)
{
    std::string text(bytes, '\0');
    if (!stream.read(text.data(), static_cast<std::streamsize>(bytes)))
    {
        file.fail("is truncated: it ends within its header");
    }
    return text;
}

std::size_t little_endian(std::string_view bytes)
{
    std::size_t value = 0;
    for (std::size_t k = bytes.size(); k-- > 0;)
    {
        value = value << 8 | static_cast<unsigned char>(bytes[k]);
    }
    return value;
}

std::ifstream open_regular(const File& file)
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
    if (!stream)
    {
        file.fail_by_system("cannot be read", errno);
    }
    return stream;
}

Header read_header(std::ifstream& stream, std::size_t size, const File& file)
{
    std::string start(std::min(size, magic.size()), '\0');
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (!magic.starts_with(start))
    {
        file.fail("is not a .npy file");
    }
    if (start.size() < magic.size())
    {
        file.fail("is truncated: it ends within its header");
    }
    const std::string version = read_exactly(stream, 2, file);
    if (version[0] < 1 || version[0] > 3)
    {
        file.fail("has version " + std::to_string(static_cast<unsigned char>(version[0])) +
                  " of the .npy format: 1 to 3 are understood");
    }
    const std::size_t length = little_endian(read_exactly(stream, version[0] == 1 ? 2 : 4, file));
    if (length > size)
    {
        file.fail("is truncated: it ends within its header");
    }
    return HeaderParser(read_exactly(stream, length, file), file).parse();
}

template <Real T>
void check_elements(const Header& header, const File& file)
{
    const std::string wanted = description_of<T>;
    const std::string& found = header.description;
    if (found != wanted)
    {
        const bool other_precision = found == "<f4" || found == "<f8";
        file.fail("holds elements of type '" + found + "': '" + wanted + "' was asked for",
                  other_precision   ? "Load it with the other of load_npy<float> and load_npy<double>."
                  : found[0] == '>' ? "Save it little-endian."
                                    : "Save it as an array of float32 or float64.");
    }
    if (header.fortran_order)
    {
        file.fail("is in column-major (Fortran) order", "Save it from numpy.ascontiguousarray(array).");
    }
}

}

template <Real T>
void save_npy(const std::string& path, const Tensor<T>& tensor, Location location)
{
    const File file{path, "save_npy", location};
    std::string header = std::string("{'descr': '") + description_of<T> +
                         "', 'fortran_order': False, 'shape': " + to_string(tensor.shape()) + ", }";
    // The format wants the elements to start at a multiple of 64.
    header.resize((magic.size() + 4 + header.size() + 64) / 64 * 64 - magic.size() - 4, ' ');
    header.back() = '\n';
    const std::string start = std::string(magic) + '\x01' + '\x00' + static_cast<char>(header.size() & 0xff) +
                              static_cast<char>(header.size() >> 8) + header;

    Replacement replacement(file);
    replacement.write(std::as_bytes(std::span(start)));
    replacement.write(std::as_bytes(std::span(tensor.data(), tensor.size())));
    replacement.commit();
}

template <Real T>
Tensor<T> load_npy(const std::string& path, Location location)
{
    const File file{path, "load_npy", location};
    std::ifstream stream = open_regular(file);
    std::error_code error;
    const std::size_t size = fs::file_size(path, error);
    if (error)
    {
        file.fail_by_system("cannot be read", error.value());
    }
    const Header header = read_header(stream, size, file);
    check_elements<T>(header, file);

    std::size_t bytes = sizeof(T);
    bool fits = true;
    for (const std::size_t extent : header.shape)
    {
        fits = fits && !__builtin_mul_overflow(bytes, extent, &bytes);
    }
    const std::size_t found = size - static_cast<std::size_t>(stream.tellg());
    if (!fits || bytes > found)
    {
        file.fail("is truncated: its shape " + to_string(header.shape) + " needs more than the " +
                  std::to_string(found) + " bytes that follow the header");
    }
    if (bytes < found)
    {
        file.fail("holds " + std::to_string(found - bytes) + " bytes after its array of shape " +
                  to_string(header.shape));
    }
    auto tensor = Tensor<T>::adopt(detail::new_node<T>(header.shape));
    if (!stream.read(tensor.node()->template as<char>(), static_cast<std::streamsize>(bytes)))
    {
        file.fail("cannot be read to its end");
    }
    return tensor;
}

void replace_file(const std::string& path, std::string_view content, Location location)
{
    const File file{path, "replace_file", location};
    Replacement replacement(file);
    replacement.write(std::as_bytes(std::span(content)));
    replacement.commit();
}

template void save_npy(const std::string&, const Tensor<float>&, Location);
template void save_npy(const std::string&, const Tensor<double>&, Location);
template Tensor<float> load_npy(const std::string&, Location);
template Tensor<double> load_npy(const std::string&, Location);

}
