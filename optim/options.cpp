#include <optim/options.hpp>

#include <cmath>
#include <sstream>

namespace optim::detail
{

namespace
{

std::string number_text(double value)
{
    std::ostringstream text;
    text << value;
    return text.str();
}

}

void refuse(const char* owner, const std::string& name, double value, const char* words, Location location)
{
    throw autograd::ValueError(owner, name + " is " + number_text(value) + ", but must be " + words, location);
}

long long integer(const std::string& name, double value, long long low, long long high)
{
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(high) && std::floor(value) == value))
    {
        throw autograd::ValueError("visit_state",
                                   name + " is " + number_text(value) + ", but must be an integer from " +
                                       std::to_string(low) + " to " + std::to_string(high),
                                   {});
    }
    return static_cast<long long>(value);
}

}
