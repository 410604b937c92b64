#pragma once

#include <autograd/axes.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

/// The list of all operations: what others call them, inputs to try each on, and attributes to try to break it with. The
/// tests sweep over it.
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
    static constexpr std::size_t most_inputs = 5;

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

    std::array<Shape, most_inputs> shapes_;
    std::size_t count_;
    const Example* next_;
};

/// All examples of the library's own operations, and of those that a program has added. Never empty.
const Example* registry() noexcept;

/// A source of arbitrary attributes, many of them wrong for whatever they are given to.
class Arbitrary
{
public:
    explicit Arbitrary(std::uint64_t seed) noexcept : state_(seed) {}

    /// Uniformly distributed, below `bound`.
    std::size_t below(std::size_t bound) noexcept;
    bool flag() noexcept { return below(2) == 0; }
    /// Mostly from -1 to 4; now and then far larger.
    std::ptrdiff_t integer() noexcept;
    /// From -5 to 4.
    std::ptrdiff_t axis() noexcept { return static_cast<std::ptrdiff_t>(below(10)) - 5; }
    /// None to three.
    Axes axes();
    /// Mostly from -2 to 3; now and then 0, infinite, not a number, huge or tiny.
    double number() noexcept;
    /// Of up to four axes.
    Shape shape();
    /// Elements from -3 to 5, in up to three axes.
    Indices indices();
    template <class Choice>
    Choice one_of(std::initializer_list<Choice> choices) noexcept
    {
        return choices.begin()[below(choices.size())];
    }

private:
    std::uint64_t state_;
};

/// One way to call an operation with arbitrary attributes. The shapes are such as may fit; the tests change them.
class Trial
{
public:
    /// `call` is a stateless generic lambda from a span of tensors, and an Arbitrary, to a tensor.
    template <class Call>
    Trial(const char* name, std::initializer_list<Shape> shapes, Call)
        : name(name), call_float([](std::span<const Tensor<float>> x, Arbitrary& any) { return Call{}(x, any); }),
          call_double([](std::span<const Tensor<double>> x, Arbitrary& any) { return Call{}(x, any); }),
          count_(shapes.size())
    {
        std::copy(shapes.begin(), shapes.end(), shapes_.begin());
        next_ = first_;
        first_ = this;
    }
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    std::span<const Shape> shapes() const noexcept { return {shapes_.data(), count_}; }
    const Trial* next() const noexcept { return next_; }

    const char* name;
    Tensor<float> (*call_float)(std::span<const Tensor<float>>, Arbitrary&);
    Tensor<double> (*call_double)(std::span<const Tensor<double>>, Arbitrary&);

private:
    friend const Trial* trials() noexcept;
    static constinit const Trial* first_;

    std::array<Shape, Example::most_inputs> shapes_;
    std::size_t count_;
    const Trial* next_;
};

/// All of them; see `registry`.
const Trial* trials() noexcept;

/// What an operation is called here and elsewhere; null where a library has no such function.
struct Names
{
    const char* ours;
    const char* xtensor;
    const char* numpy;
    const char* pytorch;
};

/// The names of a family of operations, in the order of its header.
class NameTable
{
public:
    NameTable(const char* family, std::span<const Names> names) : family(family), names(names), next_(first_)
    {
        first_ = this;
    }
    NameTable(const NameTable&) = delete;
    NameTable& operator=(const NameTable&) = delete;

    const NameTable* next() const noexcept { return next_; }

    const char* family;
    std::span<const Names> names;

private:
    friend const NameTable* name_tables() noexcept;
    static constinit const NameTable* first_;

    const NameTable* next_;
};

/// All of them; see `registry`.
const NameTable* name_tables() noexcept;

namespace detail
{

/// One a file of operations.
/// @{
void elementwise_family() noexcept;
void special_family() noexcept;
void activation_family() noexcept;
void reduction_family() noexcept;
void scan_family() noexcept;
void sorting_family() noexcept;
void shape_family() noexcept;
void arrange_family() noexcept;
void index_family() noexcept;
void linalg_family() noexcept;
void decomposition_family() noexcept;
void softmax_family() noexcept;
void normalization_family() noexcept;
void convolution_family() noexcept;
void pooling_family() noexcept;
void image_family() noexcept;
void nn_family() noexcept;
void distance_family() noexcept;
void loss_family() noexcept;
/// @}

}

}
