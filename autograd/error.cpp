#include <autograd/error.hpp>

namespace autograd
{

namespace
{

std::string compose(std::string_view operation, std::string_view problem, Location location, std::string_view fix)
{
    std::string text;
    text.append(operation).append(": ").append(problem);
    if (location.line != 0)
    {
        text.append(" (").append(to_string(location)).append(")");
    }
    text.append(".");
    if (!fix.empty())
    {
        text.append(" ").append(fix);
    }
    return text;
}

}

Error::Error(std::string_view operation, std::string_view problem, Location location, std::string_view fix)
    : std::runtime_error(compose(operation, problem, location, fix)), location_(location)
{
}

std::string to_string(Location location)
{
    const std::string_view path = location.file;
    const std::size_t slash = path.find_last_of('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return std::string(name) + ":" + std::to_string(location.line);
}

}
