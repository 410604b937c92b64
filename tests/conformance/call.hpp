#pragma once

#include "case.hpp"

#include <autograd/autograd.hpp>

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

/// Thrown for a case whose arguments are not offered here on purpose; its text is the reason.
struct Unsupported : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// The arguments of a case under their names, as an operation on elements of type T takes them.
///
/// The signature lists PyTorch's parameters in order, separated by spaces: `input dim=-1 keepdim=false`. A value after
/// `=` is the default, as JSON or as plain text; `*tensors` takes all positional arguments from there on.
template <class T>
class Call
{
public:
    using Element = T;
    using Tensor = autograd::Tensor<T>;

    /// `rounded`: with the tensors' elements rounded to float.
    /// Throws Unsupported for an argument that the signature does not name.
    Call(const Case& example, const std::string& signature, bool rounded);

    /// The database's variant of the operation, which may call it in another way than PyTorch's users.
    const std::string& variant() const noexcept { return variant_; }

    /// Whether the argument is given and not null.
    bool has(const std::string& name) { return !value(name).is_null(); }
    bool is_tensor(const std::string& name) { return ::is_tensor(value(name)); }
    bool is_list(const std::string& name) { return value(name).is_array(); }
    bool is_text(const std::string& name) { return value(name).is_string(); }
    bool is_integer(const std::string& name) { return value(name).is_number_integer(); }
    /// Whether it is a tensor of this type: "float64", "int64", "bool".
    bool is_tensor_of(const std::string& name, const std::string& dtype);

    /// A tensor of floating-point numbers; a plain number is a 0-d one.
    Tensor tensor(const std::string& name) { return tensor_of(value(name)); }
    /// The same, or an empty one for null.
    Tensor optional_tensor(const std::string& name) { return has(name) ? tensor(name) : Tensor(); }
    std::vector<Tensor> tensors(const std::string& name);
    /// Integers, from a tensor or from nested lists.
    autograd::Indices indices(const std::string& name) { return indices_of(value(name)); }
    xt::xarray<bool> mask(const std::string& name) { return mask_of(value(name)); }

    std::ptrdiff_t integer(const std::string& name) { return integer_of(value(name)); }
    std::size_t count(const std::string& name) { return static_cast<std::size_t>(integer(name)); }
    double number(const std::string& name);
    bool flag(const std::string& name) { return number(name) != 0; }
    std::string text(const std::string& name) { return value(name).template get<std::string>(); }
    /// A list, a list of one list, or one integer as a list of one.
    std::vector<std::ptrdiff_t> integers(const std::string& name);
    std::vector<double> numbers(const std::string& name);
    /// A list of axes; none for null.
    autograd::Axes axes(const std::string& name);
    autograd::KeepDims keep(const std::string& name) { return {flag(name)}; }

    /// The argument as it stands in the case, for what has no other form. Parts of it are read by the functions below.
    const nlohmann::json& value(const std::string& name);
    Tensor tensor_of(const nlohmann::json& value);
    autograd::Indices indices_of(const nlohmann::json& value);
    xt::xarray<bool> mask_of(const nlohmann::json& value);
    static std::ptrdiff_t integer_of(const nlohmann::json& value);

    /// The inputs to differentiate with respect to, by their numbers.
    std::vector<Tensor> differentiated() const;

    /// Throws Unsupported if an argument was given that nobody has read.
    void require_all_read() const;

private:
    void find_tensors(const nlohmann::json& value);

    std::string variant_;
    bool rounded_;
    nlohmann::json defaults_;
    std::map<std::string, const nlohmann::json*> values_;
    nlohmann::json variadic_;
    std::set<std::string> given_;
    std::set<std::string> read_;
    std::map<const nlohmann::json*, Tensor> tensors_;
    std::map<int, Tensor> differentiated_;
};

extern template class Call<float>;
extern template class Call<double>;

/// A result of an operation: a tensor, or an array without a derivative.
template <class T>
using Output = std::variant<autograd::Tensor<T>, xt::xarray<T>, xt::xarray<std::int64_t>, xt::xarray<bool>>;

template <class T>
using Outputs = std::vector<Output<T>>;
