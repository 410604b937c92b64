#pragma once

#include <autograd/tensor.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace samples
{

/// What a training needs to go on: a folder with a .npy file for each array, and `state.json`, which holds the rest and
/// the checksums of the arrays.
struct Checkpoint
{
    std::map<std::string, autograd::Tensor<float>> arrays;
    nlohmann::json state;
};

/// Replaces the folder as a whole. The one before stays beside it, as `<folder>.previous`.
/// @throws autograd::FileError, naming the file that cannot be written.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// @throws autograd::FileError, naming the file that is absent, damaged or does not belong to the others.
Checkpoint load_checkpoint(const std::filesystem::path& folder);

/// Where `save_checkpoint` leaves the checkpoint before.
std::filesystem::path previous_checkpoint(const std::filesystem::path& folder);

}
