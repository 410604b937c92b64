#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// One call of an operation of PyTorch, with what PyTorch computed for it.
struct Case
{
    std::string operation;
    std::string variant;
    int number = 0;
    nlohmann::json arguments;   ///< positional ones
    nlohmann::json keywords;    ///< the others, by name
    nlohmann::json outputs;     ///< tensors, in order
    nlohmann::json cotangents;  ///< one an output, null for one without a gradient; null if nothing has a derivative
    nlohmann::json gradients;   ///< one a differentiated input; null stands for zeros
    nlohmann::json seconds;     ///< the same for second derivatives; null if PyTorch has none
};

/// Calls `use` with the object of each line of a file of JSON lines, compressed by gzip or not. Throws std::runtime_error,
/// with the line's number, for a file that cannot be read.
void for_each_line(const std::filesystem::path& file, const std::function<void(const nlohmann::json&)>& use);

/// The cases of a file of JSON lines, compressed by gzip or not. Throws std::runtime_error, with the line's number, for a
/// file that cannot be read.
std::vector<Case> read_cases(const std::filesystem::path& file);

/// Whether a value of a case is a tensor.
bool is_tensor(const nlohmann::json& value);

/// A tensor of a case as plain numbers; NaN and infinities are strings there.
double number_of(const nlohmann::json& value);
std::vector<double> numbers_of(const nlohmann::json& tensor);
std::vector<std::size_t> shape_of(const nlohmann::json& tensor);
