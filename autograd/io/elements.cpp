#include <autograd/io/elements.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

namespace autograd::detail
{

namespace
{

// memcpy, because the elements may lie anywhere in a file; and not of nothing, which may be null.
void copy(void* to, std::string_view elements)
{
    if (!elements.empty())
    {
        std::memcpy(to, elements.data(), elements.size());
    }
}

template <Real T>
std::optional<Array> read_real(const Shape& shape, std::string_view elements)
{
    auto tensor = Tensor<T>::adopt(new_node<T>(shape));
    copy(tensor.node()->data, elements);
    return tensor;
}

template <std::integral I>
std::optional<Array> read_integer(const Shape& shape, std::string_view elements)
{
    Indices indices(shape);
    for (std::size_t k = 0; k < indices.size(); ++k)
    {
        I element = 0;
        copy(&element, elements.substr(k * sizeof(I), sizeof(I)));
        if (!std::in_range<std::int64_t>(element))
        {
            return std::nullopt;
        }
        indices.data()[k] = static_cast<std::int64_t>(element);
    }
    return indices;
}

template <ElementType type>
std::optional<Array> read_bytes(const Shape& shape, std::string_view elements)
{
    std::vector<std::uint8_t> bytes(elements.begin(), elements.end());
    if (type == ElementType::boolean && std::any_of(bytes.begin(), bytes.end(), [](auto byte) { return byte > 1; }))
    {
        return std::nullopt;
    }
    return Array(type, shape, std::move(bytes));
}

// The first ones in the order of ElementType.
constexpr std::array<FileType, 11> types{{{"<f4", "F32", 4, read_real<float>},
                                          {"<f8", "F64", 8, read_real<double>},
                                          {"<i8", "I64", 8, read_integer<std::int64_t>},
                                          {"|u1", "U8", 1, read_bytes<ElementType::uint8>},
                                          {"|b1", "BOOL", 1, read_bytes<ElementType::boolean>},
                                          {"|i1", "I8", 1, read_integer<std::int8_t>},
                                          {"<i2", "I16", 2, read_integer<std::int16_t>},
                                          {"<i4", "I32", 4, read_integer<std::int32_t>},
                                          {"<u2", "U16", 2, read_integer<std::uint16_t>},
                                          {"<u4", "U32", 4, read_integer<std::uint32_t>},
                                          {"<u8", "U64", 8, read_integer<std::uint64_t>}}};

const FileType* find(std::string_view FileType::*spelling, std::string_view name) noexcept
{
    const auto found =
        std::find_if(types.begin(), types.end(), [&](const FileType& type) { return type.*spelling == name; });
    return found == types.end() ? nullptr : found;
}

}

const FileType* find_npy_type(std::string_view name) noexcept
{
    return find(&FileType::npy, name);
}

const FileType* find_safetensors_type(std::string_view name) noexcept
{
    return find(&FileType::safetensors, name);
}

const FileType& file_type(ElementType type) noexcept
{
    return types[static_cast<std::size_t>(type)];
}

Array read_elements(const FileType& type, const Shape& shape, std::string_view elements, const std::string& name,
                    const File& file)
{
    if (std::optional<Array> array = type.read(shape, elements))
    {
        return *std::move(array);
    }
    file.fail("holds " + name + " with " +
              (type.npy == "|b1" ? "a truth value that is neither 0 nor 1" : "a number that is larger than any int64"));
}

std::optional<std::size_t> bytes_of(const Shape& shape, std::size_t element) noexcept
{
    // An array without elements may have other extents that are too large to be multiplied.
    if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    {
        return 0;
    }
    std::size_t bytes = element;
    for (const std::size_t extent : shape)
    {
        if (__builtin_mul_overflow(bytes, extent, &bytes))
        {
            return std::nullopt;
        }
    }
    return bytes;
}

}
