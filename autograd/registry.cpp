#include <autograd/registry.hpp>

#include <limits>

namespace autograd
{

constinit const Example* Example::first_ = nullptr;
constinit const Trial* Trial::first_ = nullptr;
constinit const NameTable* NameTable::first_ = nullptr;

namespace
{

// Naming a family makes the linker take its file from the static library, and with it what stands there.
void name_families() noexcept
{
    detail::elementwise_family();
    detail::special_family();
    detail::activation_family();
    detail::reduction_family();
    detail::scan_family();
    detail::sorting_family();
    detail::shape_family();
    detail::arrange_family();
    detail::index_family();
    detail::linalg_family();
    detail::decomposition_family();
    detail::softmax_family();
    detail::normalization_family();
    detail::convolution_family();
    detail::pooling_family();
    detail::image_family();
    detail::nn_family();
    detail::distance_family();
    detail::loss_family();
}

}

const Example* registry() noexcept
{
    name_families();
    return Example::first();
}

const Trial* trials() noexcept
{
    name_families();
    return Trial::first_;
}

const NameTable* name_tables() noexcept
{
    name_families();
    return NameTable::first_;
}

// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
std::size_t Arbitrary::below(std::size_t bound) noexcept
{
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((z ^ (z >> 31)) % bound);
}

std::ptrdiff_t Arbitrary::integer() noexcept
{
    if (below(16) == 0)
    {
        return one_of({std::ptrdiff_t{-7}, std::ptrdiff_t{100}, std::ptrdiff_t{1} << 40,
                       std::numeric_limits<std::ptrdiff_t>::max(), std::numeric_limits<std::ptrdiff_t>::min()});
    }
    return static_cast<std::ptrdiff_t>(below(6)) - 1;
}

Axes Arbitrary::axes()
{
    Axes axes;
    for (std::size_t count = below(4); count > 0; --count)
    {
        axes.push_back(axis());
    }
    return axes;
}

double Arbitrary::number() noexcept
{
    using Limits = std::numeric_limits<double>;
    if (below(8) == 0)
    {
        return one_of({0.0, -0.0, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), 1e300, -1e300, 1e-300});
    }
    return static_cast<double>(below(501)) / 100 - 2;
}

Shape Arbitrary::shape()
{
    Shape shape;
    for (std::size_t rank = below(5); rank > 0; --rank)
    {
        shape.push_back(below(8) == 0 ? 0 : 1 + below(4));
    }
    return shape;
}

Indices Arbitrary::indices()
{
    Shape shape;
    for (std::size_t rank = below(4); rank > 0; --rank)
    {
        shape.push_back(below(8) == 0 ? 0 : 1 + below(4));
    }
    Indices indices(shape);
    std::generate_n(indices.data(), indices.size(), [this] { return static_cast<std::int64_t>(below(9)) - 3; });
    return indices;
}

}
