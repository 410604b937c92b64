#pragma once

#include "workload.hpp"

#include <autograd/compile.hpp>
#include <autograd/tensor.hpp>

#include <functional>
#include <memory>
#include <numeric>

namespace benchmarks
{

namespace ag = autograd;

template <class T>
xt::xarray<T> array(const std::vector<T>& numbers, const std::vector<std::size_t>& shape)
{
    xt::xarray<T> result(shape);
    std::copy(numbers.begin(), numbers.end(), result.begin());
    return result;
}

template <class T>
xt::xarray<T> random_array(const std::vector<std::size_t>& shape, unsigned seed, double low = -1, double high = 1)
{
    const std::size_t count = std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
    return array(uniform<T>(count, seed, low, high), shape);
}

/// Training steps of networks, after their names in `steps`.
Workload small_network();
Workload fashion_network();
Workload wide_network();
Workload lenet();
Workload lstm();
Workload lstm_joined();
Workload attention_block();

Workload make_operation(std::size_t operation, std::size_t size);

/// The function compiled, as something that may be copied.
template <class F>
auto compiled(F function)
{
    auto step = std::make_shared<decltype(ag::compile(function))>(ag::compile(function));
    return [step](const auto&... arguments) { return (*step)(arguments...); };
}

}
