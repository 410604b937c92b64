#pragma once

#include <autograd/location.hpp>
#include <autograd/node.hpp>

#include <string>
#include <vector>

/// What shows tapes and plans to people.
namespace autograd::detail
{

/// Rows of cells, in columns as wide as their widest.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// As in `float (2, 3)`.
std::string type_and_shape(DType dtype, const Shape& shape);

/// Writes a graph in Graphviz's language to a file: .dot as it is; .svg, .png or .pdf through Graphviz's program `dot`.
/// @throws FileError if the file cannot be written, `dot` is not installed, or the name ends otherwise.
void draw_graph(const std::string& graph, const std::string& path, Location location);

}
