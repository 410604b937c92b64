#pragma once

#include <autograd/tensor.hpp>

#include <array>
#include <initializer_list>
#include <span>

/// The list of all operations, each with inputs to try it on: what the tests sweep over.
namespace autograd
{

/// Where sample inputs are drawn from, so that formulas are tried where they are defined and smooth.
enum class Domain
{
    real,      ///< [-2, 2], at least 0.1 from 0
    positive,  ///< [0.3, 2.5]
    unit,      ///< [0.1, 0.9]
    distinct   ///< real, no two elements nearer than 0.05
};

/// One way to call an operation, and the shapes of what it is called with. It joins the registry when it is constructed,
/// and is a static object beside the operation's definition.
class Example
{
public:
    /// `call` is a stateless generic lambda from a span of tensors to a tensor.
    template <class Call>
    Example(const char* name, Domain domain, std::initializer_list<Shape> shapes, Call)
        : name(name), domain(domain), call_float([](std::span<const Tensor<float>> x) { return Call{}(x); }),
          call_double([](std::span<const Tensor<double>> x) { return Call{}(x); }), count_(shapes.size())
    {
        std::copy(shapes.begin(), shapes.end(), shapes_.begin());
        next_ = first_;
        first_ = this;
    }
    Example(const Example&) = delete;
    Example& operator=(const Example&) = delete;

    std::span<const Shape> shapes() const noexcept { return {shapes_.data(), count_}; }
    const Example* next() const noexcept { return next_; }
    static const Example* first() noexcept { return first_; }

    const char* name;
    Domain domain;
    Tensor<float> (*call_float)(std::span<const Tensor<float>>);
    Tensor<double> (*call_double)(std::span<const Tensor<double>>);

private:
    static constinit const Example* first_;

    std::array<Shape, 3> shapes_;
    std::size_t count_;
    const Example* next_;
};

/// All examples of the library's own operations, and of those that a program has added. Never empty.
const Example* registry() noexcept;

namespace detail
{

/// One a file of operations.
/// @{
void elementwise_family() noexcept;
void reduction_family() noexcept;
void shape_family() noexcept;
void linalg_family() noexcept;
void nn_family() noexcept;
/// @}

}

}
