#pragma once

#include <autograd/transforms.hpp>

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

/// Unit-testing gradients: `CHECK(ag::testing::check_gradients(my_loss, {w, x}))` in doctest, GoogleTest and Catch2.
namespace autograd::testing
{

struct CheckOptions
{
    /// The step of the central difference, relative to max(1, |element|); 0: the cube root of the precision.
    double step = 0;
    /// An element is right if |analytic - numeric| <= atol + rtol |numeric|; 0: what the precision allows.
    double rtol = 0;
    double atol = 0;
    /// Also the second derivatives, by checking the gradient of a projection of the gradient.
    bool second_order = false;
};

/// What a check found. Converts to whether all was right; printed, it shows the worst element.
struct CheckReport
{
    bool passed = true;
    std::size_t order = 1;                ///< 2 if the worst element is one of the second derivative
    std::size_t input = 0;                ///< the number of the input, from 0
    std::vector<std::size_t> index = {};  ///< where in the input
    double analytic = 0;
    double numeric = 0;
    double error = 0;
    double tolerance = 0;
    std::string problem = {};  ///< why nothing could be compared, if so

    explicit operator bool() const noexcept { return passed; }
};

std::string to_string(const CheckReport& report);
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

namespace detail
{

/// f of several inputs, in one form for the checker.
template <class T>
using Function = std::function<Tensor<T>(const std::vector<Tensor<T>>&)>;

template <Real T>
CheckReport check(const Function<T>& f, const std::vector<Tensor<T>>& inputs, const CheckOptions& options);

template <class T, class F, std::size_t... K>
Tensor<T> call(const F& f, const std::vector<Tensor<T>>& x, std::index_sequence<K...>)
{
    return f(x[K]...);
}

/// The number of tensors that f takes: the least one for which the call compiles.
template <class T, class F, std::size_t N = 1>
Function<T> as_function(const F& f)
{
    if constexpr (std::is_invocable_v<const F&, const std::vector<Tensor<T>>&>)
    {
        return f;
    }
    else
    {
        static_assert(N <= 8, "f must take tensors, at most eight, or a std::vector of them, and return a tensor");
        constexpr bool fits = []<std::size_t... K>(std::index_sequence<K...>)
        {
            return std::is_invocable_v<const F&, decltype(static_cast<void>(K), std::declval<const Tensor<T>&>())...>;
        }
        (std::make_index_sequence<N>{});
        if constexpr (fits)
        {
            return [&f](const std::vector<Tensor<T>>& x) { return call<T>(f, x, std::make_index_sequence<N>{}); };
        }
        else
        {
            return as_function<T, F, N + 1>(f);
        }
    }
}

}

/// Compares the gradients of `f`, by a tape, with central differences (f(x + h) - f(x - h)) / 2h at `inputs`, for every
/// element of every input. f takes as many tensors as there are inputs, or a vector of them, and returns a tensor of any
/// shape; its elements are weighted by fixed, unequal cotangents, so that no two can be mistaken for each other. Variables
/// among the inputs are read, never changed. An input that f does not depend on must have a gradient of 0.
template <Real T, class F>
CheckReport check_gradients(const F& f, const std::vector<Tensor<T>>& inputs, CheckOptions options = {})
{
    return detail::check<T>(detail::as_function<T>(f), inputs, options);
}
template <class F>
CheckReport check_gradients(const F& f, std::initializer_list<Tensor<double>> inputs, CheckOptions options = {})
{
    return check_gradients<double>(f, std::vector<Tensor<double>>(inputs), options);
}
template <class F>
CheckReport check_gradients(const F& f, std::initializer_list<Tensor<float>> inputs, CheckOptions options = {})
{
    return check_gradients<float>(f, std::vector<Tensor<float>>(inputs), options);
}

}
