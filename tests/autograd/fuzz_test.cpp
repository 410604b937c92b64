#include <autograd/autograd.hpp>
#include <autograd/registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

// Every operation of the registry is called with shapes, values and attributes that mostly do not fit. Each call must give
// a result, whose gradients then come without an exception and in the shapes of the inputs, or throw an Error that names
// the operation and a line.

namespace ag = autograd;

namespace
{

/// A shape near the given one, or any.
ag::Shape changed(const ag::Shape& shape, ag::Arbitrary& any)
{
    std::vector<std::size_t> extents(shape.begin(), shape.end());
    switch (any.below(8))
    {
    case 0:
        return any.shape();
    case 1:
        extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(any.below(extents.size() + 1)), any.below(4));
        break;
    case 2:
        if (!extents.empty())
        {
            extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(any.below(extents.size())));
        }
        break;
    case 3:
    case 4:
        if (!extents.empty())
        {
            extents[any.below(extents.size())] = any.below(6);
        }
        break;
    default:
        break;
    }
    return ag::Shape(extents.begin(), extents.end());
}

template <ag::Real T>
ag::Tensor<T> tensor(const ag::Shape& shape, ag::Arbitrary& any)
{
    using Limits = std::numeric_limits<T>;
    xt::xarray<T> elements(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()));
    const bool wild = any.below(4) == 0;
    for (T& element : elements.storage())
    {
        element = static_cast<T>(any.below(401)) / 100 - 2;
        if (wild && any.below(3) == 0)
        {
            element = any.one_of({T(0), T(-0.0), T(1), T(800), T(-800), Limits::infinity(), -Limits::infinity(),
                                  Limits::quiet_NaN(), Limits::max(), Limits::denorm_min()});
        }
    }
    return ag::Tensor<T>(elements);
}

std::string describe(const char* name, std::uint64_t seed, const std::vector<ag::Shape>& shapes)
{
    std::ostringstream text;
    text << name << ", seed " << seed << ":";
    for (const ag::Shape& shape : shapes)
    {
        text << " " << to_string(shape);
    }
    return text.str();
}

/// The last part of a qualified name.
std::string unqualified(const std::string& name)
{
    const std::size_t colon = name.rfind(':');
    return colon == std::string::npos ? name : name.substr(colon + 1);
}

/// Calls the operation and its pullbacks once. Whether it gave a result.
template <ag::Real T, class Call>
bool survives(const char* name, std::uint64_t seed, std::span<const ag::Shape> fitting, Call call)
{
    ag::Arbitrary any(seed);
    std::vector<ag::Shape> shapes;
    std::vector<ag::Tensor<T>> inputs;
    for (const ag::Shape& shape : fitting)
    {
        shapes.push_back(changed(shape, any));
        inputs.push_back(tensor<T>(shapes.back(), any));
    }
    const std::string description = describe(name, seed, shapes);
    CAPTURE(description);
    ag::GradientTape tape;
    for (const ag::Tensor<T>& input : inputs)
    {
        tape.watch(input);
    }
    ag::Tensor<T> result;
    try
    {
        result = call(inputs, any);
    }
    catch (const ag::Error& error)
    {
        const std::string text = error.what();
        CAPTURE(text);
        CHECK(text.find(unqualified(name)) != std::string::npos);
        CHECK(text.find(".cpp:") != std::string::npos);
        return false;
    }
    try
    {
        const auto gradients = tape.gradient(
            result, inputs, {.unconnected = ag::Unconnected::zero, .output_gradient = tensor<T>(result.shape(), any)});
        for (std::size_t k = 0; k < inputs.size(); ++k)
        {
            CHECK(gradients[k].shape() == inputs[k].shape());
        }
    }
    catch (const std::exception& error)
    {
        FAIL_CHECK("the gradient throws: " << std::string(error.what()));
    }
    return true;
}

/// How often each operation is tried; a sanitizer finds in a few tries what it can find.
constexpr std::uint64_t rounds = 60;

template <ag::Real T>
void try_examples()
{
    for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
    {
        for (std::uint64_t seed = 0; seed < rounds; ++seed)
        {
            survives<T>(example->name, seed, example->shapes(),
                        [&](const std::vector<ag::Tensor<T>>& x, ag::Arbitrary&)
                        {
                            if constexpr (std::is_same_v<T, float>)
                            {
                                return example->call_float(x);
                            }
                            else
                            {
                                return example->call_double(x);
                            }
                        });
        }
    }
}

template <ag::Real T>
void try_trials()
{
    for (const ag::Trial* trial = ag::trials(); trial != nullptr; trial = trial->next())
    {
        int results = 0;
        for (std::uint64_t seed = 0; seed < 4 * rounds; ++seed)
        {
            results += survives<T>(trial->name, seed, trial->shapes(),
                                   [&](const std::vector<ag::Tensor<T>>& x, ag::Arbitrary& any)
                                   {
                                       if constexpr (std::is_same_v<T, float>)
                                       {
                                           return trial->call_float(x, any);
                                       }
                                       else
                                       {
                                           return trial->call_double(x, any);
                                       }
                                   });
        }
        const std::string name = trial->name;
        CAPTURE(name);
        CHECK_MESSAGE(results > 0, "no attribute ever fits: the trial tries nothing but errors");
    }
}

}

TEST_CASE("operations on inputs of arbitrary shapes and values give a result or a clear error")
{
    try_examples<float>();
    try_examples<double>();
}

TEST_CASE("operations with arbitrary attributes give a result or a clear error")
{
    try_trials<float>();
    try_trials<double>();
}
