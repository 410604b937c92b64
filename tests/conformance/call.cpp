#include "call.hpp"

#include <sstream>

using nlohmann::json;

namespace
{

struct Parameter
{
    std::string name;
    std::optional<json> standard;
    bool variadic;
};

json default_of(const std::string& text)
{
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json(text) : value;
}

std::vector<Parameter> parameters_of(const std::string& signature)
{
    std::vector<Parameter> parameters;
    std::istringstream words(signature);
    for (std::string word; words >> word;)
    {
        const std::size_t sign = word.find('=');
        const bool variadic = word.starts_with('*');
        Parameter& parameter = parameters.emplace_back();
        parameter.name = word.substr(variadic ? 1 : 0, variadic ? std::string::npos : sign);
        parameter.variadic = variadic;
        if (sign != std::string::npos)
        {
            parameter.standard = default_of(word.substr(sign + 1));
        }
    }
    return parameters;
}

/// The arguments that a variadic parameter takes may be given as one list.
const json& without_nesting(const json& list)
{
    return list.is_array() && list.size() == 1 && list[0].is_array() ? list[0] : list;
}

void append_integers(const json& value, std::vector<std::int64_t>& integers)
{
    if (!value.is_array())
    {
        integers.push_back(value.get<std::int64_t>());
        return;
    }
    for (const json& element : value)
    {
        append_integers(element, integers);
    }
}

}

template <class T>
Call<T>::Call(const Case& example, const std::string& signature, bool rounded)
    : variant_(example.variant), rounded_(rounded)
{
    const std::vector<Parameter> parameters = parameters_of(signature);
    std::set<std::string> names;
    std::size_t position = 0;
    for (const Parameter& parameter : parameters)
    {
        names.insert(parameter.name);
        if (parameter.standard)
        {
            defaults_[parameter.name] = *parameter.standard;
        }
        if (parameter.variadic)
        {
            variadic_ = json::array();
            for (; position < example.arguments.size(); ++position)
            {
                variadic_.push_back(example.arguments[position]);
                given_.insert(parameter.name);
            }
            values_[parameter.name] = &variadic_;
        }
        else if (position < example.arguments.size())
        {
            values_[parameter.name] = &example.arguments[position++];
            given_.insert(parameter.name);
        }
    }
    if (position < example.arguments.size())
    {
        throw Unsupported("positional argument " + std::to_string(position + 1) + " is not offered");
    }
    for (const auto& [name, value] : example.keywords.items())
    {
        if (!names.contains(name))
        {
            throw Unsupported("argument '" + name + "' is not offered");
        }
        if (!given_.insert(name).second)
        {
            throw Unsupported("argument '" + name + "' is given twice");
        }
        values_[name] = &value;
    }
    for (const auto& [name, value] : defaults_.items())
    {
        if (!given_.contains(name))
        {
            values_[name] = &value;
        }
    }
    for (const auto& [name, value] : values_)
    {
        find_tensors(*value);
    }
}

template <class T>
void Call<T>::find_tensors(const json& value)
{
    if (::is_tensor(value))
    {
        if (value.contains("wrt"))
        {
            differentiated_[value.at("wrt").get<int>()] = tensor_of(value);
        }
    }
    else if (value.is_array())
    {
        for (const json& element : value)
        {
            find_tensors(element);
        }
    }
}

template <class T>
const json& Call<T>::value(const std::string& name)
{
    const auto found = values_.find(name);
    if (found == values_.end())
    {
        throw Unsupported("argument '" + name + "' is missing");
    }
    read_.insert(name);
    return *found->second;
}

template <class T>
bool Call<T>::is_tensor_of(const std::string& name, const std::string& dtype)
{
    const json& argument = value(name);
    return ::is_tensor(argument) && argument.at("dtype") == dtype;
}

template <class T>
autograd::Tensor<T> Call<T>::tensor_of(const json& value)
{
    const auto known = tensors_.find(&value);
    if (known != tensors_.end())
    {
        return known->second;
    }
    const bool array = ::is_tensor(value);
    const std::vector<std::size_t> shape = array ? shape_of(value) : std::vector<std::size_t>{};
    const std::vector<double> numbers = array ? numbers_of(value) : std::vector<double>{number_of(value)};
    xt::xarray<T> elements(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()));
    if (elements.size() != numbers.size())
    {
        throw std::invalid_argument("a tensor's data does not fit its shape");
    }
    for (std::size_t i = 0; i < numbers.size(); ++i)
    {
        elements.storage()[i] = static_cast<T>(rounded_ ? static_cast<float>(numbers[i]) : numbers[i]);
    }
    return tensors_[&value] = Tensor(elements);
}

template <class T>
std::vector<autograd::Tensor<T>> Call<T>::tensors(const std::string& name)
{
    std::vector<Tensor> result;
    for (const json& element : without_nesting(value(name)))
    {
        result.push_back(tensor_of(element));
    }
    return result;
}

template <class T>
autograd::Indices Call<T>::indices_of(const json& value)
{
    std::vector<std::int64_t> integers;
    autograd::Shape shape;
    if (::is_tensor(value))
    {
        const std::vector<std::size_t> extents = shape_of(value);
        shape = autograd::Shape(extents.begin(), extents.end());
        append_integers(value.at("data"), integers);
    }
    else
    {
        for (const json* level = &value; level->is_array(); level = &level->front())
        {
            shape.push_back(level->size());
            if (level->empty())
            {
                break;
            }
        }
        append_integers(value, integers);
    }
    autograd::Indices indices(shape);
    if (indices.size() != integers.size())
    {
        throw std::invalid_argument("a tensor's data does not fit its shape");
    }
    std::copy(integers.begin(), integers.end(), indices.data());
    return indices;
}

template <class T>
xt::xarray<bool> Call<T>::mask_of(const json& value)
{
    const std::vector<std::size_t> shape = shape_of(value);
    const std::vector<double> numbers = numbers_of(value);
    xt::xarray<bool> result(xt::xarray<bool>::shape_type(shape.begin(), shape.end()));
    std::transform(numbers.begin(), numbers.end(), result.storage().begin(), [](double x) { return x != 0; });
    return result;
}

template <class T>
std::ptrdiff_t Call<T>::integer_of(const json& value)
{
    if (::is_tensor(value))
    {
        return static_cast<std::ptrdiff_t>(numbers_of(value).at(0));
    }
    if (!value.is_number_integer() && !value.is_boolean())
    {
        throw Unsupported("an integer was expected: got " + value.dump());
    }
    return value.get<std::ptrdiff_t>();
}

template <class T>
double Call<T>::number(const std::string& name)
{
    const json& argument = value(name);
    if (::is_tensor(argument) && argument.contains("wrt"))
    {
        throw Unsupported("argument '" + name + "' has no derivative here");
    }
    return ::is_tensor(argument) ? numbers_of(argument).at(0) : number_of(argument);
}

template <class T>
std::vector<std::ptrdiff_t> Call<T>::integers(const std::string& name)
{
    const json& argument = without_nesting(value(name));
    if (!argument.is_array())
    {
        return {integer_of(argument)};
    }
    std::vector<std::ptrdiff_t> result;
    for (const json& element : argument)
    {
        result.push_back(integer_of(element));
    }
    return result;
}

template <class T>
std::vector<double> Call<T>::numbers(const std::string& name)
{
    const json& argument = value(name);
    if (::is_tensor(argument))
    {
        return numbers_of(argument);
    }
    if (!argument.is_array())
    {
        return {number_of(argument)};
    }
    std::vector<double> result;
    for (const json& element : argument)
    {
        result.push_back(number_of(element));
    }
    return result;
}

template <class T>
autograd::Axes Call<T>::axes(const std::string& name)
{
    autograd::Axes result;
    if (has(name))
    {
        for (const std::ptrdiff_t axis : integers(name))
        {
            result.push_back(axis);
        }
    }
    return result;
}

template <class T>
std::vector<autograd::Tensor<T>> Call<T>::differentiated() const
{
    std::vector<Tensor> result;
    for (const auto& [number, tensor] : differentiated_)
    {
        if (number != static_cast<int>(result.size()))
        {
            throw std::invalid_argument("the differentiated inputs are not numbered 0, 1, ...");
        }
        result.push_back(tensor);
    }
    return result;
}

template <class T>
void Call<T>::require_all_read() const
{
    for (const std::string& name : given_)
    {
        const auto standard = defaults_.find(name);
        if (!read_.contains(name) && (standard == defaults_.end() || *standard != *values_.at(name)))
        {
            throw Unsupported("argument '" + name + "' is not offered");
        }
    }
}

template class Call<float>;
template class Call<double>;
