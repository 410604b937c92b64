#include <autograd/testing/report.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace autograd::testing
{

std::vector<std::size_t> detail::unravel(std::size_t flat, const Shape& shape)
{
    std::vector<std::size_t> index(shape.rank());
    for (std::size_t axis = shape.rank(); axis-- > 0;)
    {
        index[axis] = flat % shape[axis];
        flat /= shape[axis];
    }
    return index;
}

std::string detail::number(double x, int digits)
{
    std::ostringstream out;
    out.precision(digits);
    out << x;
    return out.str();
}

std::string detail::element_text(const std::vector<std::size_t>& index)
{
    std::string text;
    for (const std::size_t i : index)
    {
        text += (text.empty() ? "" : ", ") + std::to_string(i);
    }
    return text.empty() ? text : "element (" + text + ")";
}

std::string detail::place_text(const char* what, std::size_t k, std::size_t flat, const Shape& shape)
{
    const std::string element = element_text(unravel(flat, shape));
    return (element.empty() ? element : element + " of ") + what + std::to_string(k);
}

std::string CheckReport::explanation() const
{
    return to_string(*this);
}

std::string to_string(const CheckReport& report)
{
    std::ostringstream out;
    out << report;
    return out.str();
}

namespace
{

std::string place_of(const CheckReport& report, const CheckedElement& element)
{
    const std::string output = report.outputs > 1 ? "output " + std::to_string(element.output) + ", " : std::string();
    if (report.projected)
    {
        return output + "along the direction";
    }
    const std::string place = detail::element_text(element.index);
    return output + "input " + std::to_string(element.input) + (place.empty() ? place : ", " + place);
}

/// Which inputs and outputs are concerned, if there are several.
std::string parts_text(const CheckReport& report)
{
    std::string text;
    for (const CheckedPart& part : report.parts)
    {
        if (part.differing > 0 && report.parts.size() > 1)
        {
            text += part.differing == part.compared
                        ? ", all " + std::to_string(part.compared)
                        : ", " + std::to_string(part.differing) + " of " + std::to_string(part.compared);
            text += (report.outputs > 1 ? " of output " + std::to_string(part.output) + " by input " : " of input ") +
                    std::to_string(part.input);
        }
    }
    return text;
}

/// A line for each of the worst elements, in columns.
void print_table(std::ostream& out, const CheckReport& report)
{
    std::vector<std::array<std::string, 5>> rows{{"", "analytic", "numeric", "error", "tolerance"}};
    for (const CheckedElement& element : report.worst)
    {
        rows.push_back({place_of(report, element), detail::number(element.analytic, 8),
                        detail::number(element.numeric, 8), detail::number(element.error, 3),
                        detail::number(element.tolerance, 3)});
    }
    std::array<std::size_t, 5> widths{};
    for (const auto& row : rows)
    {
        for (std::size_t column = 0; column < row.size(); ++column)
        {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    for (const auto& row : rows)
    {
        out << "\n  " << row[0] << std::string(widths[0] - row[0].size(), ' ');
        for (std::size_t column = 1; column < row.size(); ++column)
        {
            out << std::string(2 + widths[column] - row[column].size(), ' ') << row[column];
        }
    }
}

}

std::ostream& operator<<(std::ostream& out, const CheckReport& report)
{
    const std::string what = report.order == 2 ? "second derivatives" : "gradients";
    if (!report.problem.empty())
    {
        return out << what << " not compared: " << report.problem << ".";
    }
    if (report.passed)
    {
        out << what << " agree";
        if (report.worst.empty())
        {
            out << ": there is nothing to compare";
        }
        else
        {
            out << " in " << report.compared << (report.compared == 1 ? " element" : " elements")
                << "; the nearest to its tolerance: " << place_of(report, report.worst[0]) << ": analytic "
                << detail::number(report.worst[0].analytic, 8) << ", numeric "
                << detail::number(report.worst[0].numeric, 8) << ", error " << detail::number(report.worst[0].error, 3)
                << ", tolerance " << detail::number(report.worst[0].tolerance, 3);
        }
    }
    else if (report.forward)
    {
        out << "forward mode gives other " << (report.order == 2 ? "second derivatives" : "derivatives")
            << " than reverse mode, whose agree with differences; analytic is forward, numeric reverse:";
        print_table(out, report);
    }
    else
    {
        out << what << " differ in " << report.differing << " of " << report.compared
            << (report.compared == 1 ? " element" : " elements") << parts_text(report)
            << (report.differing > report.worst.size() ? "; the worst:" : ":");
        print_table(out, report);
    }
    for (const std::string& hint : report.hints)
    {
        out << "\n  Hint: " << hint << ".";
    }
    return out;
}

}
