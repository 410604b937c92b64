#pragma once

#include <string_view>
#include <type_traits>

namespace optim
{

enum class Unit
{
    none,
    percent  ///< of 1: 0.852 is shown as 85.2 %
};

/// A number that a training is judged by, under the name that it is shown and logged with.
struct Figure
{
    template <class N>
        requires std::is_arithmetic_v<N> Figure(std::string_view name, N value, Unit unit = Unit::none)
            : name(name), value(static_cast<double>(value)), unit(unit)
        {
        }

        std::string_view name;
        double value;
        Unit unit;
};

}
