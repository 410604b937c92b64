#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// What a line of reference trajectories asks for and is not offered here, and why.
class Unsupported : public std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// Runs a line, and says where its numbers differ from PyTorch's; nothing if they agree.
/// @{
std::string run_optimizer(const nlohmann::json& line);
std::string run_schedule(const nlohmann::json& line);
std::string run_clip(const nlohmann::json& line);
/// @}

/// Options under PyTorch's names, each of which must be asked for: what is left over is not offered.
class GivenOptions
{
public:
    explicit GivenOptions(nlohmann::json options);

    /// The option, if it is given and not None.
    std::optional<nlohmann::json> take(const std::string& name);

    /// Replaces `value` by the option, if it is given.
    template <class T>
    void read(const std::string& name, T& value)
    {
        if (const auto given = take(name))
        {
            value = given->template get<T>();
        }
    }
    template <class T>
    void read(const std::string& name, std::optional<T>& value)
    {
        if (const auto given = take(name))
        {
            value = given->template get<T>();
        }
    }
    void read(const std::string& name, double& value);

    /// Replaces `value` by the one of `values` whose name is given.
    template <class E>
    void read(const std::string& name, E& value, const std::vector<std::pair<const char*, E>>& values)
    {
        const auto given = take(name);
        if (!given)
        {
            return;
        }
        for (const auto& [text, meaning] : values)
        {
            if (*given == text)
            {
                value = meaning;
                return;
            }
        }
        throw Unsupported(name + "=" + given->dump() + " is not offered");
    }

    /// Throws Unsupported if an option is left.
    void finish() const;

private:
    nlohmann::json options_;
};

/// Says where numbers differ by more than a share of `rtol`; nothing if they do not.
std::string difference(const std::vector<double>& found, const nlohmann::json& expected, double rtol = 1e-9);
