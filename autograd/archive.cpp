#include <autograd/archive.hpp>

#include <algorithm>
#include <array>

namespace autograd
{

namespace
{

struct TypeDescription
{
    const char* name;
    std::size_t size;
};

constexpr std::array<TypeDescription, 5> descriptions{
    {{"float32", 4}, {"float64", 8}, {"int64", 8}, {"uint8", 1}, {"bool", 1}}};

const TypeDescription& describe(ElementType type) noexcept
{
    return descriptions[static_cast<std::size_t>(type)];
}

template <class T>
constexpr ElementType type_of = std::is_same_v<T, float> ? ElementType::float32 : ElementType::float64;

}

const char* to_string(ElementType type) noexcept
{
    return describe(type).name;
}

std::size_t size_of(ElementType type) noexcept
{
    return describe(type).size;
}

Array::Array(ElementType type, const Shape& shape, std::vector<std::uint8_t> elements) : type_(type), shape_(shape)
{
    if (size_of(type) != 1 || elements.size() != shape.elements())
    {
        throw ShapeError("Array",
                         std::to_string(elements.size()) + " bytes for an array of " + to_string(type) + " and shape " +
                             to_string(shape),
                         {});
    }
    const auto kept = std::make_shared<const std::vector<std::uint8_t>>(std::move(elements));
    bytes_ = std::as_bytes(std::span(*kept));
    owner_ = kept;
}

template <class Owner>
Array::Array(ElementType type, const Owner& owner) : type_(type), shape_(owner.shape())
{
    const auto kept = std::make_shared<const Owner>(owner);
    bytes_ = std::as_bytes(std::span(kept->data(), kept->size()));
    owner_ = kept;
}

template <Real T>
Array::Array(const Tensor<T>& tensor) : Array(type_of<T>, tensor)
{
}

Array::Array(const Indices& indices) : Array(ElementType::int64, indices) {}

void Array::expect(ElementType wanted, Location location) const
{
    if (type_ != wanted)
    {
        throw ValueError(
            "Array", std::string("the elements are ") + to_string(type_) + ": " + to_string(wanted) + " was asked for",
            location);
    }
}

template <Real T>
const Tensor<T>& Array::tensor(Location location) const
{
    expect(type_of<T>, location);
    return *static_cast<const Tensor<T>*>(owner_.get());
}

const Indices& Array::indices(Location location) const
{
    expect(ElementType::int64, location);
    return *static_cast<const Indices*>(owner_.get());
}

xt::xarray<std::uint8_t> Array::pixels(Location location) const
{
    return copy<std::uint8_t>(ElementType::uint8, location);
}

xt::xarray<bool> Array::mask(Location location) const
{
    return copy<bool>(ElementType::boolean, location);
}

template <class T>
xt::xarray<T> Array::copy(ElementType wanted, Location location) const
{
    expect(wanted, location);
    xt::xarray<T> result(typename xt::xarray<T>::shape_type(shape_.begin(), shape_.end()));
    std::transform(bytes_.begin(), bytes_.end(), result.storage().begin(),
                   [](std::byte element) { return static_cast<T>(element); });
    return result;
}

Archive::Archive(std::string path, std::vector<NamedArray> arrays, Texts texts)
    : path_(std::move(path)), arrays_(std::move(arrays)), texts_(std::move(texts))
{
    for (std::size_t place = 0; place < arrays_.size(); ++place)
    {
        places_.emplace(arrays_[place].name, place);
    }
}

const Array* Archive::find(std::string_view name) const noexcept
{
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &arrays_[found->second].array;
}

const Array& Archive::at(std::string_view name, Location location) const
{
    if (const Array* array = find(name))
    {
        return *array;
    }
    constexpr std::size_t shown = 8;
    std::string names;
    for (std::size_t k = 0; k < std::min(shown, size()); ++k)
    {
        names += (k == 0 ? "'" : ", '") + arrays_[k].name + "'";
    }
    throw FileError("Archive", "'" + path_ + "' holds no array '" + std::string(name) + "'", location,
                    size() == 0 ? "It holds none." : "It holds " + names + (size() > shown ? ", ..." : "") + ".");
}

const Array& Archive::at(std::string_view name, ElementType type, Location location) const
{
    const Array& array = at(name, location);
    if (array.type() != type)
    {
        throw FileError("Archive",
                        "'" + path_ + "' holds '" + std::string(name) + "' as " + to_string(array.type()) + ": " +
                            to_string(type) + " was asked for",
                        location);
    }
    return array;
}

template <Real T>
const Tensor<T>& Archive::tensor(std::string_view name, Location location) const
{
    return at(name, type_of<T>, location).template tensor<T>();
}

const Indices& Archive::indices(std::string_view name, Location location) const
{
    return at(name, ElementType::int64, location).indices();
}

template Array::Array(const Tensor<float>&);
template Array::Array(const Tensor<double>&);
template const Tensor<float>& Array::tensor(Location) const;
template const Tensor<double>& Array::tensor(Location) const;
template const Tensor<float>& Archive::tensor(std::string_view, Location) const;
template const Tensor<double>& Archive::tensor(std::string_view, Location) const;

}
