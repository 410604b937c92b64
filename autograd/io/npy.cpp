#include <autograd/io/npy.hpp>

#include <autograd/io.hpp>
#include <autograd/io/scanner.hpp>

#include <optional>

namespace autograd
{

namespace detail
{

namespace
{

constexpr std::string_view magic("\x93NUMPY", 6);

std::string_view quoted(Scanner& scanner)
{
    const char quote = scanner.accept('"') ? '"' : '\'';
    if (quote == '\'')
    {
        scanner.expect('\'');
    }
    return scanner.until(quote);
}

bool boolean(Scanner& scanner)
{
    const bool value = scanner.accept("True");
    if (!value && !scanner.accept("False"))
    {
        scanner.fail("True or False was expected");
    }
    return value;
}

/// The Python dictionary that describes an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
NpyContent parse_dictionary(Scanner scanner)
{
    std::optional<std::string_view> type;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    scanner.list('{', '}', Comma::may_trail,
                 [&]
                 {
                     const std::size_t place = scanner.place();
                     const std::string_view key = quoted(scanner);
                     scanner.expect(':');
                     if (key == "descr")
                     {
                         type = quoted(scanner);
                     }
                     else if (key == "fortran_order")
                     {
                         fortran_order = boolean(scanner);
                     }
                     else if (key == "shape")
                     {
                         shape = scanner.shape('(', ')', Comma::may_trail);
                     }
                     else
                     {
                         scanner.fail_at(place, "'" + std::string(key) + "' is not known");
                     }
                 });
    scanner.expect_end();
    if (!type || !fortran_order || !shape)
    {
        scanner.fail("'descr', 'fortran_order' or 'shape' is missing");
    }
    return {std::string(*type), *fortran_order, *shape, {}};
}

}

std::string npy_header(const Array& array)
{
    std::string header = std::string("{'descr': '").append(file_type(array.type()).npy) +
                         "', 'fortran_order': False, 'shape': " + to_string(array.shape()) + ", }";
    // The format wants the elements to start at a multiple of 64.
    header.resize((magic.size() + 4 + header.size() + 64) / 64 * 64 - magic.size() - 4, ' ');
    header.back() = '\n';
    return std::string(magic) + '\x01' + '\x00' + to_little_endian(header.size(), 2) + header;
}

NpyContent parse_npy(std::string_view content, const File& file)
{
    if (!content.starts_with(magic.substr(0, content.size())))
    {
        file.fail("is not a .npy file");
    }
    const auto version = static_cast<unsigned char>(content.size() > magic.size() ? content[magic.size()] : 1);
    if (version < 1 || version > 3)
    {
        file.fail("has version " + std::to_string(version) + " of the .npy format: 1 to 3 are understood");
    }
    const std::size_t start = magic.size() + 2 + (version == 1 ? 2 : 4);
    const std::size_t length =
        content.size() < start ? 0 : little_endian(content.substr(magic.size() + 2, start - magic.size() - 2));
    if (content.size() < start || length > content.size() - start)
    {
        file.fail("is truncated: it ends within its header");
    }
    const std::string_view header = content.substr(start, length);
    NpyContent npy = parse_dictionary(Scanner(header, start, ".npy file of numbers", file));
    npy.elements = content.substr(start + length);
    return npy;
}

void check_elements(const NpyContent& npy, std::size_t element, const File& file)
{
    if (npy.fortran_order)
    {
        file.fail("is in column-major (Fortran) order", "Save it from numpy.ascontiguousarray(array).");
    }
    const std::optional<std::size_t> bytes = bytes_of(npy.shape, element);
    const std::size_t found = npy.elements.size();
    if (!bytes || *bytes > found)
    {
        file.fail("is truncated: its shape " + to_string(npy.shape) + " needs more than the " + std::to_string(found) +
                  " bytes that follow the header");
    }
    if (*bytes < found)
    {
        file.fail("holds " + std::to_string(found - *bytes) + " bytes after its array of shape " +
                  to_string(npy.shape));
    }
}

}

template <Real T>
void save_npy(const std::string& path, const Tensor<T>& tensor, Location location)
{
    const detail::File file{path, "save_npy", location};
    const Array array = tensor;
    detail::Replacement replacement(file);
    replacement.write(detail::npy_header(array));
    replacement.write(array.bytes());
    replacement.commit();
}

template <Real T>
Tensor<T> load_npy(const std::string& path, Location location)
{
    const detail::File file{path, "load_npy", location};
    const std::string content = detail::content_of(file);
    const detail::NpyContent npy = detail::parse_npy(content, file);
    const detail::FileType& type =
        detail::file_type(std::is_same_v<T, float> ? ElementType::float32 : ElementType::float64);
    if (npy.type != type.npy)
    {
        const bool other_precision = npy.type == "<f4" || npy.type == "<f8";
        file.fail("holds elements of type '" + npy.type + "': '" + std::string(type.npy) + "' was asked for",
                  other_precision             ? "Load it with the other of load_npy<float> and load_npy<double>."
                  : npy.type.starts_with('>') ? "Save it little-endian."
                                              : "Save it as an array of float32 or float64.");
    }
    detail::check_elements(npy, type.size, file);
    return type.read(npy.shape, npy.elements)->template tensor<T>();
}

template void save_npy(const std::string&, const Tensor<float>&, Location);
template void save_npy(const std::string&, const Tensor<double>&, Location);
template Tensor<float> load_npy(const std::string&, Location);
template Tensor<double> load_npy(const std::string&, Location);

}
