#pragma once

#include <optim/state_visitor.hpp>

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace optim
{

/// What an option may be: in words, and as a condition that NaN does not meet.
struct Allowed
{
    const char* words;
    bool (*holds)(double);
};

inline constexpr Allowed any_number{"a number", [](double x) { return x == x; }};
inline constexpr Allowed at_least_0{"at least 0", [](double x) { return x >= 0; }};
inline constexpr Allowed at_least_1{"at least 1", [](double x) { return x >= 1; }};
inline constexpr Allowed more_than_0{"more than 0", [](double x) { return x > 0; }};
inline constexpr Allowed more_than_1{"more than 1", [](double x) { return x > 1; }};
inline constexpr Allowed zero_or_one{"0 or 1", [](double x) { return x == 0 || x == 1; }};
inline constexpr Allowed from_0_to_1{"at least 0 and at most 1", [](double x) { return x >= 0 && x <= 1; }};
inline constexpr Allowed from_0_below_1{"at least 0 and less than 1", [](double x) { return x >= 0 && x < 1; }};
inline constexpr Allowed between_0_and_1{"more than 0 and less than 1", [](double x) { return x > 0 && x < 1; }};

namespace detail
{

[[noreturn]] void refuse(const char* owner, const std::string& name, double value, const char* words,
                         Location location);

/// Throws ValueError, in the name of `owner`, if the value is not allowed.
inline void require(const Allowed& allowed, const char* owner, const char* name, double value, Location location)
{
    if (!allowed.holds(value)) [[unlikely]]
    {
        refuse(owner, name, value, allowed.words, location);
    }
}

/// The same for an option of several numbers, or one that may be absent.
/// @{
inline void require(const Allowed& allowed, const char* owner, const char* name, const std::array<double, 2>& values,
                    Location location)
{
    for (std::size_t k = 0; k < values.size(); ++k)
    {
        if (!allowed.holds(values[k])) [[unlikely]]
        {
            refuse(owner, name + ("[" + std::to_string(k) + "]"), values[k], allowed.words, location);
        }
    }
}
template <class T>
void require(const Allowed& allowed, const char* owner, const char* name, const std::optional<T>& value,
             Location location)
{
    if (value)
    {
        require(allowed, owner, name, *value, location);
    }
}
template <class E>
    requires std::is_enum_v<E>
void require(const Allowed& allowed, const char* owner, const char* name, E value, Location location)
{
    require(allowed, owner, name, static_cast<double>(value), location);
}
/// @}

/// A number that a visitor left where an integer from `low` to `high` is needed.
long long integer(const std::string& name, double value, long long low, long long high);

/// Shows an option, a counter or an array of numbers to a visitor.
/// @{
inline void visit_number(StateVisitor& visitor, const std::string& name, double& value)
{
    visitor.number(name, value);
}
template <class I>
    requires(std::integral<I> || std::is_enum_v<I>)
void visit_number(StateVisitor& visitor, const std::string& name, I& value)
{
    auto number = static_cast<double>(value);
    visitor.number(name, number);
    if constexpr (std::is_same_v<I, bool>)
    {
        value = integer(name, number, 0, 1) != 0;
    }
    else
    {
        value = static_cast<I>(integer(name, number, 0, std::numeric_limits<int>::max()));
    }
}
inline void visit_number(StateVisitor& visitor, const std::string& name, std::array<double, 2>& values)
{
    visitor.number(name + "[0]", values[0]);
    visitor.number(name + "[1]", values[1]);
}
/// Absent is -1.
inline void visit_number(StateVisitor& visitor, const std::string& name, std::optional<int>& value)
{
    double number = value.value_or(-1);
    visitor.number(name, number);
    const auto found = static_cast<int>(integer(name, number, -1, 1 << 30));
    value = found < 0 ? std::nullopt : std::optional<int>(found);
}
/// @}

}

}
