#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Arrays of any type of element, by name: what files of several arrays hold.
namespace autograd
{

enum class ElementType : std::uint8_t
{
    float32,
    float64,
    int64,
    uint8,
    boolean
};

/// NumPy's name of it: "float32", ..., "bool".
const char* to_string(ElementType type) noexcept;
std::size_t size_of(ElementType type) noexcept;

/// A constant array of some type of element. A cheap handle, which shares the memory of the tensor that it is made from.
class Array
{
public:
    template <Real T>
    Array(const Tensor<T>& tensor);
    Array(const Indices& indices);
    /// 0-d: of bool, float, double; any integer as int64.
    template <Arithmetic S>
    Array(S number) : Array(from_number(number))
    {
    }
    /// An xtensor array, view or expression, evaluated and copied now: of bool, std::uint8_t, float, double; any other
    /// integer as int64.
    template <XExpression E>
    Array(const E& expression) : Array(from_expression(expression))
    {
    }
    /// Bytes, or truth values as bytes of 0 and 1.
    Array(ElementType type, const Shape& shape, std::vector<std::uint8_t> elements);

    ElementType type() const noexcept { return type_; }
    const Shape& shape() const noexcept { return shape_; }
    std::size_t size() const noexcept { return bytes_.size() / size_of(type_); }
    /// The elements, row-major, as they lie in memory.
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// The elements as what they are. Throws ValueError if they are something else.
    /// @{
    template <Real T>
    const Tensor<T>& tensor(Location location = Location::current()) const;
    const Indices& indices(Location location = Location::current()) const;
    xt::xarray<std::uint8_t> pixels(Location location = Location::current()) const;
    xt::xarray<bool> mask(Location location = Location::current()) const;
    /// @}

private:
    template <class Owner>
    Array(ElementType type, const Owner& owner);

    template <class S>
    static Array from_number(S number)
    {
        if constexpr (std::is_same_v<S, bool>)
        {
            return Array(ElementType::boolean, Shape(), {number});
        }
        else if constexpr (Real<S>)
        {
            return Tensor<S>(number);
        }
        else
        {
            static_assert(std::integral<S>, "an array is of float or double, of integers, or of bool");
            Indices indices{Shape()};
            *indices.data() = static_cast<std::int64_t>(number);
            return indices;
        }
    }

    template <class E>
    static Array from_expression(const E& expression)
    {
        using T = typename E::value_type;
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t>)
        {
            return Array(std::is_same_v<T, bool> ? ElementType::boolean : ElementType::uint8, Shape(expression.shape()),
                         {expression.template begin<xt::layout_type::row_major>(),
                          expression.template end<xt::layout_type::row_major>()});
        }
        else if constexpr (Real<T>)
        {
            return Tensor<T>(expression);
        }
        else
        {
            static_assert(std::integral<T>, "an array is of float or double, of integers, or of bool");
            return Indices(expression);
        }
    }

    void expect(ElementType wanted, Location location) const;

    template <class T>
    xt::xarray<T> copy(ElementType wanted, Location location) const;

    ElementType type_;
    Shape shape_;
    std::span<const std::byte> bytes_;
    std::shared_ptr<const void> owner_;  ///< a Tensor, Indices, or a vector of bytes, as the type says
};

struct NamedArray
{
    std::string name;
    Array array;
};

/// The arrays of a file, by name and in its order, and its texts by name, if it has such.
class Archive
{
public:
    using Texts = std::map<std::string, std::string, std::less<>>;

    Archive(std::string path, std::vector<NamedArray> arrays, Texts texts = {});

    std::size_t size() const noexcept { return arrays_.size(); }
    auto begin() const noexcept { return arrays_.begin(); }
    auto end() const noexcept { return arrays_.end(); }
    /// The array of this name; null if there is none.
    const Array* find(std::string_view name) const noexcept;
    /// What the file says about itself.
    const Texts& texts() const noexcept { return texts_; }
    /// The file that it comes from.
    const std::string& path() const noexcept { return path_; }

    /// The array of this name. Throws FileError, which names the file, if there is none, or it is of something else.
    /// @{
    const Array& at(std::string_view name, Location location = Location::current()) const;
    template <Real T>
    const Tensor<T>& tensor(std::string_view name, Location location = Location::current()) const;
    const Indices& indices(std::string_view name, Location location = Location::current()) const;
    /// @}

private:
    const Array& at(std::string_view name, ElementType type, Location location) const;

    std::string path_;
    std::vector<NamedArray> arrays_;
    std::map<std::string, std::size_t, std::less<>> places_;
    Texts texts_;
};

}
