#pragma once

#include <autograd/archive.hpp>
#include <autograd/tensor.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Arrays in files. Every file that cannot be read or written, or is not what it should be, throws a FileError that names
/// it. Paths are strings, to which a std::filesystem::path converts: its header would add a quarter to a user's compile.
///
/// What is saved replaces the file as `replace_file` does.
namespace autograd
{

/// Writes a tensor in NumPy's .npy format: `numpy.load(path)` gives the array.
template <Real T>
void save_npy(const std::string& path, const Tensor<T>& tensor, Location location = Location::current());

/// Reads what `save_npy`, or NumPy's `save`, wrote: a row-major, little-endian array of exactly the element type T.
template <Real T>
Tensor<T> load_npy(const std::string& path, Location location = Location::current());

/// Writes several arrays in NumPy's .npz format, not compressed: `ag::save_npz("data.npz", {{"x", x}, {"labels", labels}})`.
/// @throws ValueError for a name that is there twice or is empty, or more than 4 GiB in all.
void save_npz(const std::string& path, const std::vector<NamedArray>& arrays, Location location = Location::current());

/// Reads what `save_npz`, or NumPy's `savez` and `savez_compressed`, wrote: row-major, little-endian arrays of numbers or
/// truth values. Integers other than uint8 become int64.
Archive load_npz(const std::string& path, Location location = Location::current());

/// Writes several arrays, and what is to be said of them, in the safetensors format
/// (https://github.com/huggingface/safetensors): in Python, `safetensors.numpy.load_file(path)` gives a dictionary.
/// @throws ValueError for a name that is there twice, or a text that is not UTF-8.
void save_safetensors(const std::string& path, const std::vector<NamedArray>& arrays, const Archive::Texts& texts = {},
                      Location location = Location::current());

/// Reads a safetensors file of F32, F64, integers and BOOL; integers other than U8 become int64. A file whose tensors do not
/// exactly fill it is refused, as is whatever the format forbids.
Archive load_safetensors(const std::string& path, Location location = Location::current());

/// Gives a file new content, all or nothing: whoever reads it, also after the program was killed or the power failed, finds
/// the old content or the new. It is written to `<path>.partial` first.
void replace_file(const std::string& path, std::string_view content, Location location = Location::current());

}
