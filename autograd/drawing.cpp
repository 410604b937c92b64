#include <autograd/drawing.hpp>
#include <autograd/error.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace autograd::detail
{

std::string table(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
    {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column)
        {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    std::string text;
    for (const auto& row : rows)
    {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column)
        {
            line += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string type_and_shape(DType dtype, const Shape& shape)
{
    return (dtype == DType::float32 ? "float " : "double ") + to_string(shape);
}

namespace
{

void write_file(const std::string& path, const std::string& text, Location location)
{
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush())
    {
        throw FileError("draw", "cannot write " + path, location);
    }
}

/// Runs Graphviz. Whether it was found and succeeded.
bool run_dot(const std::string& format, const std::string& from, const std::string& to)
{
    const std::string arguments[] = {"dot", "-T" + format, "-o", to, from};
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
    {
        pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    return posix_spawnp(&child, "dot", nullptr, nullptr, pointers.data(), environ) == 0 &&
           waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}

void draw_graph(const std::string& graph, const std::string& path, Location location)
{
    const std::size_t point = path.rfind('.');
    const std::string format = point == std::string::npos ? "" : path.substr(point + 1);
    if (format == "dot")
    {
        write_file(path, graph, location);
        return;
    }
    if (format != "svg" && format != "png" && format != "pdf")
    {
        throw FileError("draw", "draws .dot, .svg, .png or .pdf files: got " + path, location);
    }
    const std::string source = path + ".dot";
    write_file(source, graph, location);
    const bool drawn = run_dot(format, source, path);
    std::remove(source.c_str());
    if (!drawn)
    {
        throw FileError("draw", "Graphviz's program dot is not there, or could not write " + path, location,
                        "Install Graphviz (Debian: graphviz), or draw to a .dot file.");
    }
}

}
