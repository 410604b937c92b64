#pragma once

#include <autograd/error.hpp>

#include <string>

/// The text of the E that f throws, in which HERE stands for the caller's own `file:line`; why not, if it throws no E.
template <class E, class F>
std::string thrown(const F& f, autograd::Location caller = autograd::Location::current())
{
    try
    {
        f();
    }
    catch (const E& error)
    {
        std::string text = error.what();
        const std::string here = to_string(caller);
        const std::size_t place = text.find("(" + here + ")");
        return place == std::string::npos ? text : text.replace(place + 1, here.size(), "HERE");
    }
    catch (const std::exception& error)
    {
        return std::string("another type: ") + error.what();
    }
    return "nothing was thrown";
}

/// `file:line` of the line before the call's.
inline std::string line_above(autograd::Location location = autograd::Location::current())
{
    return to_string(autograd::Location{location.file, location.line - 1});
}
