#pragma once

#include <autograd/archive.hpp>
#include <autograd/io/file.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace autograd::detail
{

/// A type of element that a file may have: as NumPy and as safetensors write it.
struct FileType
{
    std::string_view npy;
    std::string_view safetensors;
    std::size_t size;
    /// The elements, of which there are as many as the shape says; nothing where one is not allowed.
    std::optional<Array> (*read)(const Shape& shape, std::string_view elements);
};

/// Null if files of this type of element are not read.
/// @{
const FileType* find_npy_type(std::string_view name) noexcept;
const FileType* find_safetensors_type(std::string_view name) noexcept;
/// @}

/// As which the elements of an array are written.
const FileType& file_type(ElementType type) noexcept;

/// Reads the elements of `name`, as many as the shape says; refuses those that no array can hold.
Array read_elements(const FileType& type, const Shape& shape, std::string_view elements, const std::string& name,
                    const File& file);

/// The number of bytes of such an array, or nothing if it is too large for any machine.
std::optional<std::size_t> bytes_of(const Shape& shape, std::size_t element) noexcept;

}
