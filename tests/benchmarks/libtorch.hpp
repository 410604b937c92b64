#pragma once

#include "workload.hpp"

#include <torch/torch.h>

namespace benchmarks
{

template <class T>
torch::Tensor tensor(const std::vector<T>& numbers, torch::IntArrayRef shape)
{
    return torch::tensor(numbers, torch::CppTypeToScalarType<T>::value).reshape(shape);
}

template <class T>
torch::Tensor random_tensor(torch::IntArrayRef shape, unsigned seed, double low = -1, double high = 1)
{
    return tensor(uniform<T>(static_cast<std::size_t>(c10::multiply_integers(shape)), seed, low, high), shape);
}

namespace with_libtorch
{

/// Training steps of networks, after their names in `steps`.
Workload small_network();
Workload fashion_network();
Workload wide_network();
Workload lenet();
Workload lstm();
Workload lstm_joined();
Workload attention_block();

}

Workload make_operation_with_libtorch(std::size_t operation, std::size_t size);

}
