#include <optim/loop/log.hpp>

#include <autograd/io/file.hpp>
#include <autograd/io/json.hpp>
#include <optim/state_visitor.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>

namespace optim
{

using autograd::detail::File;
namespace fs = std::filesystem;

namespace
{

std::string exactly(double value)
{
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// A name with a comma, a quote or a line break is quoted: RFC 4180.
std::string to_csv(std::string_view name)
{
    if (name.find_first_of(",\"\r\n") == std::string_view::npos)
    {
        return std::string(name);
    }
    std::string quoted = "\"";
    for (const char c : name)
    {
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    }
    return quoted + '"';
}

template <class F>
std::string joined(const std::vector<Figure>& figures, const F& text)
{
    std::string line;
    for (const Figure& figure : figures)
    {
        line += (&figure == &figures.front() ? "" : ",") + text(figure);
    }
    return line;
}

}

namespace detail
{

bool Lines::open(const char* operation, Location location)
{
    if (!opened_)
    {
        const File file{path_, operation, location};
        std::error_code error;
        const std::uintmax_t found = fs::file_size(file.path, error);
        size_ = error ? 0 : std::min<std::uintmax_t>(size_, found);
        if (!error && found > size_)
        {
            fs::resize_file(file.path, size_, error);
            if (error)
            {
                file.fail_by_system("cannot be written", error.value());
            }
        }
        opened_ = true;
    }
    return size_ == 0;
}

void Lines::append(const char* operation, const std::string& line, Location location)
{
    const File file{path_, operation, location};
    std::ofstream stream(file.path, std::ios::binary | std::ios::app);
    if (!(stream << line << '\n' << std::flush))
    {
        file.fail_by_system("cannot be written", errno);
    }
    size_ += line.size() + 1;
}

void Lines::visit_state(StateVisitor& visitor)
{
    const std::uint64_t before = size_;
    visitor.integer("size", size_);
    opened_ = opened_ && size_ == before;
}

}

void CsvLog::write(const std::vector<Figure>& figures, Location location)
{
    const std::string columns = joined(figures, [](const Figure& figure) { return to_csv(figure.name); });
    if (lines_.open("CsvLog", location))
    {
        lines_.append("CsvLog", columns, location);
        columns_ = columns;
    }
    if (columns != columns_)
    {
        throw autograd::ValueError("CsvLog", "'" + lines_.path() + "' has the columns " + columns_ + ": got " + columns,
                                   location, "Write what changes to a JsonLog.");
    }
    lines_.append("CsvLog", joined(figures, [](const Figure& figure) { return exactly(figure.value); }), location);
}

void CsvLog::visit_state(StateVisitor& visitor)
{
    lines_.visit_state(visitor);
    visitor.text("columns", columns_);
}

void JsonLog::write(const std::vector<Figure>& figures, Location location)
{
    const auto member = [](const Figure& figure)
    {
        return autograd::detail::to_json(figure.name) + ":" +
               (std::isfinite(figure.value) ? exactly(figure.value) : "null");
    };
    lines_.open("JsonLog", location);
    lines_.append("JsonLog", "{" + joined(figures, member) + "}", location);
}

}
