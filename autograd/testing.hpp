#pragma once

#include <autograd/tensor.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

/// Unit-testing gradients: `CHECK(ag::testing::check_gradients(my_loss, {w, x}))` in doctest and Catch2,
/// `EXPECT_TRUE(...)` in GoogleTest. testing.md tells how to read a report and how it works.
namespace autograd::testing
{

struct CheckOptions
{
    /// How far an element is moved at most, relative to max(1, |element|); 0: eight cube roots of the precision, 4.8e-5 in
    /// double and 0.039 in float.
    double step = 0;
    /// An element is right if |analytic - numeric| <= atol + rtol |numeric| + what the differences leave uncertain. 0: of
    /// rtol 1e-6 in double and 2e-4 in float; of atol 1e-9, in float 2e-5, of the input's largest gradient, and eight
    /// roundings of the output.
    double rtol = 0;
    double atol = 0;
    /// Also the second derivatives, by checking the gradients of the weighted sums of all gradients.
    bool second_order = false;
    /// Also forward mode: the tangents along one direction against the gradients, which were compared with differences.
    bool forward = false;
    /// Only the derivative along one random direction of all inputs together: a few calls of f, however large the inputs.
    /// If that is wrong, all elements are checked, and decide.
    bool fast = false;
    /// Of the direction.
    std::uint64_t seed = 0;
    /// How many of the worst elements a report names.
    std::size_t shown = 5;
};

/// One derivative, of an output with respect to one element of an input. An output of several elements is weighted: the
/// derivative is that of a sum of them with fixed, unequal weights.
struct CheckedElement
{
    std::size_t input = 0;                ///< its number, from 0
    std::vector<std::size_t> index = {};  ///< where in the input
    std::size_t output = 0;               ///< its number, from 0
    double analytic = 0;
    double numeric = 0;
    double error = 0;
    double tolerance = 0;
};

/// How many elements of an input were compared for an output, and how many of them are wrong.
struct CheckedPart
{
    std::size_t input = 0;
    std::size_t output = 0;
    std::size_t compared = 0;
    std::size_t differing = 0;
};

/// What a check found. Converts to whether all was right, printed by `<<` it explains itself; GoogleTest's EXPECT_TRUE
/// prints it, too.
struct CheckReport
{
    bool passed = true;
    std::size_t order = 1;      ///< 2 if it is about the second derivatives
    bool projected = false;     ///< if it is about one direction and not about elements
    bool forward = false;       ///< if it is about forward mode, where `numeric` is what the gradients say
    std::size_t outputs = 1;    ///< how many f has
    std::size_t compared = 0;   ///< elements of all inputs, for each output
    std::size_t differing = 0;  ///< of those
    /// The same for every output and input; none if it is about one direction.
    std::vector<CheckedPart> parts = {};
    /// The worst elements first; if all was right, the one nearest to its tolerance.
    std::vector<CheckedElement> worst = {};
    /// What may be behind it: a kink, a constant factor, a tape left.
    std::vector<std::string> hints = {};
    std::string problem = {};  ///< why nothing could be compared, if so

    explicit operator bool() const noexcept { return passed; }

    /// GoogleTest's AssertionResult, whose header is not needed for that.
    template <class Result>
        requires requires(Result& result, const Result& constant, const std::string& text)
        {
            constant.failure_message();
            result << text;
        }
    operator Result() const
    {
        Result result(passed);
        result << explanation();
        return result;
    }

private:
    std::string explanation() const;
};

std::string to_string(const CheckReport& report);
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

namespace detail
{

/// Several outputs of several inputs, in one form for the checker.
template <class T>
using Function = std::function<std::vector<Tensor<T>>(const std::vector<Tensor<T>>&)>;

template <Real T>
CheckReport check(const Function<T>& f, const std::vector<Tensor<T>>& inputs, const CheckOptions& options);

/// What stands between the braces of `{w, x}`: a tensor, an array or a number of the element type T, or an integer.
template <Real T>
struct Input
{
    Input(const Tensor<T>& x) : tensor(x) {}
    template <XExpression X>
        requires(std::is_same_v<typename X::value_type, T>)
    Input(const X& x) : tensor(x) {}
    template <class X>
        requires(std::is_same_v<X, T> || std::is_integral_v<X>)
    Input(X x) : tensor(x) {}

    Tensor<T> tensor;
};

template <class T, class R>
std::vector<Tensor<T>> as_outputs(const R& result)
{
    if constexpr (std::derived_from<R, Tensor<T>>)
    {
        return {result};
    }
    else if constexpr (requires { std::tuple_size<R>::value; })
    {
        return std::apply([](const auto&... outputs) { return std::vector<Tensor<T>>{outputs...}; }, result);
    }
    else
    {
        static_assert(
            requires { std::vector<Tensor<T>>(result.begin(), result.end()); },
            "f must return a tensor of its inputs' type, or a tuple, pair, array or vector of such");
        return std::vector<Tensor<T>>(result.begin(), result.end());
    }
}

inline constexpr std::size_t most_arguments = 8;

template <class T, class F, std::size_t... K>
constexpr bool takes(std::index_sequence<K...>)
{
    return std::is_invocable_v<const F&, decltype(static_cast<void>(K), std::declval<const Tensor<T>&>())...>;
}

/// Calls f with x taken apart, if it takes that many; otherwise the outputs stay as they are.
template <class T, class F, std::size_t... K>
bool call_with(const F& f, const std::vector<Tensor<T>>& x, std::vector<Tensor<T>>& outputs, std::index_sequence<K...>)
{
    if constexpr (takes<T, F>(std::index_sequence<K...>{}))
    {
        if (x.size() == sizeof...(K))
        {
            outputs = as_outputs<T>(f(x[K]...));
            return true;
        }
    }
    return false;
}

[[noreturn]] void throw_wrong_count(std::size_t inputs, Location location);

/// Tensors first: a generic function of one argument could be called with a vector, too.
template <class T, class F>
Function<T> as_function(const F& f, Location location)
{
    constexpr bool takes_tensors = []<std::size_t... N>(std::index_sequence<N...>)
    {
        return (takes<T, F>(std::make_index_sequence<N + 1>{}) || ...);
    }
    (std::make_index_sequence<most_arguments>{});
    if constexpr (takes_tensors)
    {
        return [&f, location](const std::vector<Tensor<T>>& x)
        {
            std::vector<Tensor<T>> outputs;
            const bool called = [&]<std::size_t... N>(std::index_sequence<N...>)
            {
                return (call_with<T>(f, x, outputs, std::make_index_sequence<N + 1>{}) || ...);
            }
            (std::make_index_sequence<most_arguments>{});
            if (!called)
            {
                throw_wrong_count(x.size(), location);
            }
            return outputs;
        };
    }
    else
    {
        static_assert(std::is_invocable_v<const F&, const std::vector<Tensor<T>>&>,
                      "f must take tensors of its inputs' type, at most eight, or a std::vector of them");
        return [&f](const std::vector<Tensor<T>>& x) { return as_outputs<T>(f(x)); };
    }
}

/// An array as plain numbers, row-major.
struct Array
{
    Shape shape;
    std::vector<double> elements;
};

/// A function without tensors, in one form for the checker.
struct PlainFunction
{
    Array point;
    double point_epsilon;
    double value_epsilon;
    bool takes_output_gradient;
    std::function<Array(const std::vector<double>&)> value;
    std::function<Array(const std::vector<double>&, const Array& output_gradient)> gradient;
};

CheckReport check(const PlainFunction& f, const CheckOptions& options, Location location);

template <class X>
concept Writable = requires(X& x)
{
    *x.template begin<xt::layout_type::row_major>() = typename X::value_type();
};

/// The type of an argument or result that can be filled with numbers: the same, or an array in place of an expression.
template <class X>
struct Fillable
{
    using value_type = typename X::value_type;
    using type = std::conditional_t<Writable<X>, X, xt::xarray<value_type>>;
};
template <Arithmetic X>
struct Fillable<X>
{
    using value_type = X;
    using type = X;
};
template <class X>
using fillable_t = typename Fillable<std::remove_cvref_t<X>>::type;
template <class X>
inline constexpr double epsilon_of =
    std::numeric_limits<typename Fillable<std::remove_cvref_t<X>>::value_type>::epsilon();

template <class X>
Array as_array(const X& x)
{
    if constexpr (Arithmetic<X>)
    {
        return {{}, {static_cast<double>(x)}};
    }
    else
    {
        return {Shape(x.shape()), std::vector<double>(x.template begin<xt::layout_type::row_major>(),
                                                      x.template end<xt::layout_type::row_major>())};
    }
}

template <class X>
void fill(X& x, const std::vector<double>& elements)
{
    using T = typename Fillable<X>::value_type;
    if constexpr (Arithmetic<X>)
    {
        x = static_cast<T>(elements.front());
    }
    else
    {
        auto place = x.template begin<xt::layout_type::row_major>();
        for (const double element : elements)
        {
            *place++ = static_cast<T>(element);
        }
    }
}

}

/// Compares the gradients of `f`, by a tape, with central differences at `inputs`, for every element of every input and
/// every output. f takes as many tensors as there are inputs, or a vector of them, and returns a tensor of any shape, or a
/// tuple, pair, array or vector of several. Inputs are tensors, variables, which are read and never changed, xtensor arrays
/// or numbers. An input that f does not depend on must have a gradient of 0. What f throws comes through.
/// @throws ValueError if f takes another number of tensors than there are inputs.
/// @{
template <class F, AnyTensor X>
CheckReport check_gradients(const F& f, const std::vector<X>& inputs, CheckOptions options = {},
                            Location location = Location::current())
{
    using T = typename X::value_type;
    return detail::check<T>(detail::as_function<T>(f, location), std::vector<Tensor<T>>(inputs.begin(), inputs.end()),
                            options);
}
template <class F>
CheckReport check_gradients(const F& f, std::initializer_list<detail::Input<double>> inputs, CheckOptions options = {},
                            Location location = Location::current())
{
    std::vector<Tensor<double>> tensors;
    for (const detail::Input<double>& input : inputs)
    {
        tensors.push_back(input.tensor);
    }
    return check_gradients(f, tensors, options, location);
}
template <class F>
CheckReport check_gradients(const F& f, std::initializer_list<detail::Input<float>> inputs, CheckOptions options = {},
                            Location location = Location::current())
{
    std::vector<Tensor<float>> tensors;
    for (const detail::Input<float>& input : inputs)
    {
        tensors.push_back(input.tensor);
    }
    return check_gradients(f, tensors, options, location);
}
/// @}

/// Compares a gradient written by hand with central differences at `x`, an xtensor array (or a number) of float or double;
/// no tensor and no tape is needed. `value(x)` gives a number and `gradient(x)` an array of the shape of x. Where
/// `value(x)` gives an array, `gradient(x, dy)` takes an array of that type, and gives the gradient of the sum of the
/// products of its elements with those of the value: the vector-Jacobian product.
/// @throws ValueError for second derivatives, which need a function of tensors.
template <class Value, class Gradient, class X>
    requires(XExpression<X> || Arithmetic<X>)
CheckReport check_gradient(const Value& value, const Gradient& gradient, const X& x, CheckOptions options = {},
                           Location location = Location::current())
{
    using Point = detail::fillable_t<X>;
    using Result = std::invoke_result_t<const Value&, const Point&>;
    using OutputGradient = detail::fillable_t<Result>;
    static_assert(Real<typename detail::Fillable<X>::value_type>, "x must hold float or double");
    constexpr bool takes_output_gradient = std::is_invocable_v<const Gradient&, const Point&, const OutputGradient&>;
    static_assert(takes_output_gradient || std::is_invocable_v<const Gradient&, const Point&>,
                  "gradient must take x, or, where value(x) is an array, x and an array of that type");
    const auto at = [&x](const std::vector<double>& elements)
    {
        Point point(x);
        detail::fill(point, elements);
        return point;
    };
    const auto value_at = [&](const std::vector<double>& elements)
    {
        const Point point = at(elements);
        return detail::as_array(value(point));
    };
    const auto gradient_at = [&](const std::vector<double>& elements, const detail::Array& dy)
    {
        const Point point = at(elements);
        if constexpr (takes_output_gradient)
        {
            OutputGradient output_gradient(value(point));
            detail::fill(output_gradient, dy.elements);
            return detail::as_array(gradient(point, output_gradient));
        }
        else
        {
            return detail::as_array(gradient(point));
        }
    };
    return detail::check({detail::as_array(x), detail::epsilon_of<X>, detail::epsilon_of<Result>, takes_output_gradient,
                          value_at, gradient_at},
                         options, location);
}

}
