#pragma once

#include <autograd/derive.hpp>
#include <autograd/elementwise.hpp>
#include <autograd/registry.hpp>

/// The tables of element-wise operations: for each its name, its value, and the gradient of each operand in terms of dy,
/// the gradient of the value y. Formula.hpp has the words; these macros make the scalar code, the SIMD loops, the record
/// and the public function. Only for the library's own sources.

#define FORMULA(function, operands)                                                                                    \
    static constexpr const char* name = #function;                                                                     \
    static constexpr std::size_t arity = operands;

#define PULLBACK(k, result, ...)                                                                                       \
    static constexpr auto pullback([[maybe_unused]] Wrt<k> wrt, [[maybe_unused]] const auto& dy,                       \
                                   [[maybe_unused]] const auto& y, __VA_ARGS__)                                        \
    {                                                                                                                  \
        return result;                                                                                                 \
    }

#define UNARY_FORMULA(function, value_of_x, gradient_of_x)                                                             \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 1)                                                                                           \
        static constexpr auto value(const auto& x) { return value_of_x; }                                              \
        PULLBACK(0, gradient_of_x, [[maybe_unused]] const auto& x)                                                     \
    };

/// The same with its derivative instead of the gradient, for one that has much in common with the value: plans compute both
/// together.
#define SLOPE_FORMULA(function, value_of_x, slope_of_x)                                                                \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 1)                                                                                           \
        static constexpr auto value(const auto& x) { return value_of_x; }                                              \
        static constexpr auto slope(const auto& x) { return slope_of_x; }                                              \
        PULLBACK(0, dy* slope(x), const auto& x)                                                                       \
    };

#define UNARY_FUNCTION(function)                                                                                       \
    template <Real T>                                                                                                  \
    Tensor<T> function(const Tensor<T>& x, Location location)                                                          \
    {                                                                                                                  \
        return Tensor<T>::adopt(detail::Elementwise<function##_formula, T>::apply(location, x.node()));                \
    }                                                                                                                  \
    template Tensor<float> function(const Tensor<float>&, Location);                                                   \
    template Tensor<double> function(const Tensor<double>&, Location);

#define UNARY_EXAMPLE(function, domain)                                                                                \
    static const Example function##_example{#function, domain, {{2, 3}}, [](const auto& x) { return function(x[0]); }};

/// A line of a table for an operation of one tensor: its name, its value, the gradient of x.
#define UNARY_AS(function, value_of_x, gradient_of_x)                                                                  \
    UNARY_FORMULA(function, value_of_x, gradient_of_x)                                                                 \
    UNARY_FUNCTION(function)

/// The same, and where to try it.
#define UNARY(function, domain, value_of_x, gradient_of_x)                                                             \
    UNARY_AS(function, value_of_x, gradient_of_x)                                                                      \
    UNARY_EXAMPLE(function, domain)

/// The same with the derivative.
#define UNARY_SLOPE(function, domain, value_of_x, slope_of_x)                                                          \
    SLOPE_FORMULA(function, value_of_x, slope_of_x)                                                                    \
    UNARY_FUNCTION(function)                                                                                           \
    UNARY_EXAMPLE(function, domain)

/// An operand that has no gradient.
#define CONSTANT(k)                                                                                                    \
    static constexpr auto pullback(Wrt<k>, const auto& dy, const auto&...)                                             \
    {                                                                                                                  \
        return zero(dy);                                                                                               \
    }

/// The formula of an operation of one tensor and of numbers, its attributes: `detail::with_attributes` executes it.
#define UNARY_WITH(function, attribute, value_of_x, gradient_of_x)                                                     \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 2)                                                                                           \
        static constexpr auto value(const auto& x, const auto& attribute) { return value_of_x; }                       \
        PULLBACK(0, gradient_of_x, [[maybe_unused]] const auto& x, [[maybe_unused]] const auto& attribute)             \
        CONSTANT(1)                                                                                                    \
    };
#define UNARY_WITH_2(function, first, second, value_of_x, gradient_of_x)                                               \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 3)                                                                                           \
        static constexpr auto value(const auto& x, const auto& first, [[maybe_unused]] const auto& second)             \
        {                                                                                                              \
            return value_of_x;                                                                                         \
        }                                                                                                              \
        PULLBACK(0, gradient_of_x, const auto& x, [[maybe_unused]] const auto& first,                                  \
                 [[maybe_unused]] const auto& second)                                                                  \
        CONSTANT(1)                                                                                                    \
        CONSTANT(2)                                                                                                    \
    };

/// The same of two operands, as a function of nodes only, which a public function calls.
#define BINARY_AS(function, value_of_ab, gradient_of_a, gradient_of_b)                                                 \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 2)                                                                                           \
        static constexpr auto value(const auto& a, const auto& b) { return value_of_ab; }                              \
        PULLBACK(0, gradient_of_a, [[maybe_unused]] const auto& a, [[maybe_unused]] const auto& b)                     \
        PULLBACK(1, gradient_of_b, [[maybe_unused]] const auto& a, [[maybe_unused]] const auto& b)                     \
    };                                                                                                                 \
    template <Real T>                                                                                                  \
    detail::Node* detail::function(Node* a, Node* b, Location location)                                                \
    {                                                                                                                  \
        return Elementwise<function##_formula, T>::apply(location, a, b);                                              \
    }                                                                                                                  \
    template detail::Node* detail::function<float>(Node*, Node*, Location);                                            \
    template detail::Node* detail::function<double>(Node*, Node*, Location);

/// The same with examples; `call` is how it is written with operands x[0] and x[1].
#define BINARY(function, call, domain, value_of_ab, gradient_of_a, gradient_of_b)                                      \
    BINARY_AS(function, value_of_ab, gradient_of_a, gradient_of_b)                                                     \
    static const Example function##_equal{#function, domain, {{2, 3}, {2, 3}}, [](const auto& x) { return call; }};    \
    static const Example function##_right{#function, domain, {{2, 3}, {3}}, [](const auto& x) { return call; }};       \
    static const Example function##_left{#function, domain, {{1, 3}, {2, 2, 1}}, [](const auto& x) { return call; }};  \
    static const Example function##_scalar{#function, domain, {{}, {2, 2}}, [](const auto& x) { return call; }};

/// Three operands, with names of one's own, likewise as a function of nodes only.
#define TERNARY_AS(function, a, b, c, value_of_abc, gradient_of_a, gradient_of_b, gradient_of_c)                       \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 3)                                                                                           \
        static constexpr auto value(const auto& a, const auto& b, const auto& c) { return value_of_abc; }              \
        PULLBACK(0, gradient_of_a, [[maybe_unused]] const auto& a, [[maybe_unused]] const auto& b,                     \
                 [[maybe_unused]] const auto& c)                                                                       \
        PULLBACK(1, gradient_of_b, [[maybe_unused]] const auto& a, [[maybe_unused]] const auto& b,                     \
                 [[maybe_unused]] const auto& c)                                                                       \
        PULLBACK(2, gradient_of_c, [[maybe_unused]] const auto& a, [[maybe_unused]] const auto& b,                     \
                 [[maybe_unused]] const auto& c)                                                                       \
    };                                                                                                                 \
    template <Real T>                                                                                                  \
    detail::Node* detail::function(Node* a, Node* b, Node* c, Location location)                                       \
    {                                                                                                                  \
        return Elementwise<function##_formula, T>::apply(location, a, b, c);                                           \
    }                                                                                                                  \
    template detail::Node* detail::function<float>(Node*, Node*, Node*, Location);                                     \
    template detail::Node* detail::function<double>(Node*, Node*, Node*, Location);

/// A question about each element of a tensor. The value is 1 for yes, else 0.
#define PREDICATE(function, value_of_x)                                                                                \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 1)                                                                                           \
        static constexpr auto value(const auto& x) { return value_of_x; }                                              \
    };                                                                                                                 \
    template <Real T>                                                                                                  \
    xt::xarray<bool> function(const Tensor<T>& x)                                                                      \
    {                                                                                                                  \
        detail::note_decision(x.node(), #function, {});                                                                \
        return Tensor<T>::adopt(detail::Elementwise<function##_formula, T>::value({}, x.node())) != T(0);              \
    }                                                                                                                  \
    template xt::xarray<bool> function(const Tensor<float>&);                                                          \
    template xt::xarray<bool> function(const Tensor<double>&);

#define COMPARISON(function, value_of_ab)                                                                              \
    struct function##_formula                                                                                          \
    {                                                                                                                  \
        FORMULA(function, 2)                                                                                           \
        static constexpr auto value(const auto& a, const auto& b) { return value_of_ab; }                              \
    };                                                                                                                 \
    template <Real T>                                                                                                  \
    detail::Node* detail::function(Node* a, Node* b, Location location)                                                \
    {                                                                                                                  \
        return Elementwise<function##_formula, T>::constant(location, a, b);                                           \
    }                                                                                                                  \
    template detail::Node* detail::function<float>(Node*, Node*, Location);                                            \
    template detail::Node* detail::function<double>(Node*, Node*, Location);

namespace autograd::formula
{

/// -1, 0, 1 or NaN.
constexpr auto sign_of(const auto& x)
{
    return select(gt(x, 0.0), constant(x, 1), select(lt(x, 0.0), constant(x, -1), x));
}

constexpr auto zero(const auto& x)
{
    return constant(x, 0);
}

/// 1 where the condition holds, else 0.
constexpr auto one_where(const auto& condition, const auto& x)
{
    return select(condition, constant(x, 1), constant(x, 0));
}

/// x where it is below 0, else 0: what keeps e^x finite on the side that is not selected.
constexpr auto negative_part(const auto& x)
{
    return select(lt(x, 0.0), x, zero(x));
}

}

namespace autograd
{
namespace detail
{

/// The value of a formula of one tensor and of numbers, recorded.
template <class Formula, Real T>
Tensor<T> with_attributes(Location location, const Tensor<T>& x, std::same_as<double> auto... attributes)
{
    return Tensor<T>::adopt(Elementwise<Formula, T>::apply(location, x.node(), Operand<T>(attributes).node()...));
}

}
}
