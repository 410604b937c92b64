#pragma once

#include <autograd/tensor.hpp>

#include <string>
#include <string_view>

/// Arrays in files. Every file that cannot be read or written, or is not what it should be, throws a FileError that names
/// it. Paths are strings, to which a std::filesystem::path converts: its header would add a quarter to a user's compile.
namespace autograd
{

/// Writes a tensor in NumPy's .npy format: `numpy.load(path)` gives the array. The file is replaced as by `replace_file`.
template <Real T>
void save_npy(const std::string& path, const Tensor<T>& tensor, Location location = Location::current());

/// Reads what `save_npy`, or NumPy's `save`, wrote: a row-major, little-endian array of exactly the element type T.
template <Real T>
Tensor<T> load_npy(const std::string& path, Location location = Location::current());

/// Gives a file new content, all or nothing: whoever reads it, also after a crash, finds the old content or the new.
void replace_file(const std::string& path, std::string_view content, Location location = Location::current());

}
