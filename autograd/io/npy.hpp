#pragma once

#include <autograd/io/elements.hpp>
#include <autograd/io/file.hpp>

#include <string>
#include <string_view>

namespace autograd::detail
{

/// What a .npy file begins with; the elements follow.
std::string npy_header(const Array& array);

/// A .npy file, or a part of a file that is one; its elements are there, but have not been looked at.
struct NpyContent
{
    std::string type;
    bool fortran_order = false;
    Shape shape;
    std::string_view elements;
};

NpyContent parse_npy(std::string_view content, const File& file);

/// Refuses elements that are not as many as the shape says, or not row-major.
void check_elements(const NpyContent& npy, std::size_t element, const File& file);

}
