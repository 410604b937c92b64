#include "evaluation.hpp"

#include <cmath>
#include <sstream>

namespace ag = autograd;
using nlohmann::json;

namespace
{

std::string kind_of(const std::string& dtype)
{
    return dtype == "bool" ? "bool" : dtype.starts_with("int") ? "int" : "float";
}

Array array_of(const json& tensor)
{
    return {kind_of(tensor.value("dtype", "float64")), shape_of(tensor), numbers_of(tensor)};
}

template <class T>
Array array_of(const ag::Tensor<T>& tensor)
{
    return {"float", {tensor.shape().begin(), tensor.shape().end()}, {tensor.data(), tensor.data() + tensor.size()}};
}

template <class E>
Array array_of(const xt::xarray<E>& array)
{
    Array result{std::is_same_v<E, bool> ? "bool"
                 : std::is_integral_v<E> ? "int"
                                         : "float",
                 {array.shape().begin(), array.shape().end()},
                 {}};
    for (const E element : array)
    {
        result.elements.push_back(static_cast<double>(element));
    }
    return result;
}

/// A gradient of a case; null stands for zeros.
std::vector<Array> gradients_of(const json& gradients)
{
    std::vector<Array> result;
    for (const json& gradient : gradients)
    {
        result.push_back(gradient.is_null() ? Array{} : array_of(gradient));
    }
    return result;
}

template <class T>
ag::Tensor<T> tensor_of(const json& tensor)
{
    const std::vector<std::size_t> shape = shape_of(tensor);
    const std::vector<double> numbers = numbers_of(tensor);
    xt::xarray<T> elements(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()));
    std::transform(numbers.begin(), numbers.end(), elements.storage().begin(),
                   [](double x) { return static_cast<T>(x); });
    return ag::Tensor<T>(elements);
}

/// u[i] = cos(1 + 0.7 i)
template <class T>
ag::Tensor<T> weights(const ag::Shape& shape)
{
    xt::xarray<T> elements(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()));
    std::size_t i = 0;
    for (T& element : elements.storage())
    {
        element = static_cast<T>(std::cos(1 + 0.7 * static_cast<double>(i++)));
    }
    return ag::Tensor<T>(elements);
}

template <class T>
Outputs<T> call_of(const Mapping& mapping, Call<T>& call)
{
    if constexpr (std::is_same_v<T, float>)
    {
        return mapping.call_float(call);
    }
    else
    {
        return mapping.call_double(call);
    }
}

template <class T>
std::vector<ag::Tensor<T>> gradients(const Mapping& mapping, const Case& example, Call<T>& call)
{
    const std::vector<ag::Tensor<T>> inputs = call.differentiated();
    ag::GradientTape tape;
    for (const ag::Tensor<T>& input : inputs)
    {
        tape.watch(input);
    }
    const Outputs<T> outputs = call_of(mapping, call);
    if (outputs.size() != example.cotangents.size())
    {
        throw std::runtime_error(std::to_string(outputs.size()) + " outputs, but " +
                                 std::to_string(example.cotangents.size()) + " cotangents");
    }
    ag::Tensor<T> total(0);
    for (std::size_t j = 0; j < outputs.size(); ++j)
    {
        const auto* output = std::get_if<ag::Tensor<T>>(&outputs[j]);
        if (output != nullptr && !example.cotangents[j].is_null())
        {
            total += ag::sum(*output * tensor_of<T>(example.cotangents[j]));
        }
    }
    return tape.gradient(total, inputs, {.unconnected = ag::Unconnected::zero});
}

template <class T>
std::vector<ag::Tensor<T>> second_gradients(const Mapping& mapping, const Case& example, Call<T>& call)
{
    const std::vector<ag::Tensor<T>> inputs = call.differentiated();
    ag::GradientTape tape;
    for (const ag::Tensor<T>& input : inputs)
    {
        tape.watch(input);
    }
    ag::Tensor<T> projection(0);
    for (const ag::Tensor<T>& gradient : gradients(mapping, example, call))
    {
        projection += ag::sum(gradient * weights<T>(gradient.shape()));
    }
    return tape.gradient(projection, inputs, {.unconnected = ag::Unconnected::zero});
}

std::string place(std::size_t flat, const std::vector<std::size_t>& shape)
{
    std::string index;
    for (std::size_t axis = shape.size(); axis-- > 0;)
    {
        index = std::to_string(flat % shape[axis]) + (index.empty() ? "" : ", ") + index;
        flat /= shape[axis];
    }
    return "(" + index + ")";
}

std::string compare(const char* what, const std::vector<Array>& found, const std::vector<Array>& expected,
                    const Tolerance& tolerance)
{
    std::ostringstream text;
    text.precision(12);
    if (found.size() != expected.size())
    {
        text << found.size() << " instead of " << expected.size() << " " << what << "s";
        return text.str();
    }
    for (std::size_t k = 0; k < found.size(); ++k)
    {
        const Array& mine = found[k];
        Array theirs = expected[k];
        text << what << " " << k;
        if (theirs.kind.empty())
        {
            theirs = {mine.kind, mine.shape, std::vector<double>(mine.elements.size())};
        }
        if (mine.shape != theirs.shape || mine.kind != theirs.kind)
        {
            text << ": " << mine.kind << to_string(ag::Shape(mine.shape)) << " instead of " << theirs.kind
                 << to_string(ag::Shape(theirs.shape));
            return text.str();
        }
        double scale = 0;
        for (const double element : theirs.elements)
        {
            scale = tolerance.by_array && std::isfinite(element) ? std::max(scale, std::abs(element)) : scale;
        }
        for (std::size_t i = 0; i < mine.elements.size(); ++i)
        {
            const double a = mine.elements[i];
            const double b = theirs.elements[i];
            const double allowed = tolerance.atol + tolerance.rtol * std::max(scale, std::abs(b));
            const bool right =
                a == b || (std::isnan(a) && std::isnan(b)) || (std::isfinite(b) && std::abs(a - b) <= allowed);
            if (!right)
            {
                text << " at " << place(i, mine.shape) << ": " << a << " instead of " << b;
                return text.str();
            }
        }
        text.str("");
    }
    return {};
}

}

Results expected(const Case& example)
{
    Results results;
    for (const json& output : example.outputs)
    {
        results.outputs.push_back(array_of(output));
    }
    results.gradients = gradients_of(example.gradients);
    results.seconds = gradients_of(example.seconds);
    return results;
}

template <class T>
Results evaluate(const Mapping& mapping, const Case& example, bool rounded)
{
    Results results;
    Call<T> call(example, mapping.signature, rounded);
    for (const Output<T>& output : call_of(mapping, call))
    {
        results.outputs.push_back(std::visit([](const auto& array) { return array_of(array); }, output));
    }
    call.require_all_read();
    if (!example.gradients.is_null())
    {
        for (const ag::Tensor<T>& gradient : gradients(mapping, example, call))
        {
            results.gradients.push_back(array_of(gradient));
        }
    }
    if (!example.seconds.is_null())
    {
        for (const ag::Tensor<T>& second : second_gradients(mapping, example, call))
        {
            results.seconds.push_back(array_of(second));
        }
    }
    return results;
}

std::string difference(const Results& found, const Results& expected, const Tolerance& tolerance)
{
    std::string text = compare("output", found.outputs, expected.outputs, tolerance);
    if (text.empty())
    {
        text = compare("gradient", found.gradients, expected.gradients, tolerance);
    }
    if (text.empty())
    {
        text = compare("second derivative", found.seconds, expected.seconds, tolerance);
    }
    return text;
}

template Results evaluate<float>(const Mapping&, const Case&, bool);
template Results evaluate<double>(const Mapping&, const Case&, bool);
