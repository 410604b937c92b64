#include "case.hpp"
#include "optim_line.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <cmath>
#include <map>
#include <memory>
#include <sstream>

namespace ag = autograd;
using nlohmann::json;
using Variable = ag::Variable<double>;

namespace
{

using Parameters = std::vector<optim::Parameter>;

void read(GivenOptions& given, const char* name, auto& value)
{
    given.read(name, value);
}

void read(GivenOptions& given, const char* name, std::array<double, 2>& values)
{
    if (const auto pair = given.take(name))
    {
        values = {number_of(pair->at(0)), number_of(pair->at(1))};
    }
}

void read(GivenOptions& given, const char* name, optim::LineSearch& value)
{
    given.read(name, value, {{"strong_wolfe", optim::LineSearch::strong_wolfe}});
}

void read(GivenOptions& given, const char* name, optim::AdjustLR& value)
{
    given.read(name, value,
               {{"original", optim::AdjustLR::original}, {"match_rms_adamw", optim::AdjustLR::match_rms_adamw}});
}

template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> make(const Parameters& parameters, GivenOptions given)
{
    Options options;
    if constexpr (requires { options.etas; })
    {
        read(given, "etas", options.etas);
    }
    Options::each(options, [&](const char* name, auto& value, const optim::Allowed&) { read(given, name, value); });
    // How PyTorch computes, not what.
    for (const char* name : {"foreach", "fused", "capturable", "differentiable"})
    {
        given.take(name);
    }
    given.finish();
    return std::make_unique<Optimizer>(parameters, options);
}

using Make = std::unique_ptr<optim::Optimizer> (*)(const Parameters&, GivenOptions);

const std::map<std::string, Make> optimizers{
    {"ASGD", make<optim::ASGD, optim::ASGDOptions>},
    {"Adadelta", make<optim::Adadelta, optim::AdadeltaOptions>},
    {"Adagrad", make<optim::Adagrad, optim::AdagradOptions>},
    {"Adam", make<optim::Adam, optim::AdamOptions>},
    {"AdamW", make<optim::AdamW, optim::AdamWOptions>},
    {"Adamax", make<optim::Adamax, optim::AdamaxOptions>},
    {"LBFGS", make<optim::LBFGS, optim::LBFGSOptions>},
    {"Lion", make<optim::Lion, optim::LionOptions>},
    {"Muon", make<optim::Muon, optim::MuonOptions>},
    {"NAdam", make<optim::NAdam, optim::NAdamOptions>},
    {"RAdam", make<optim::RAdam, optim::RAdamOptions>},
    {"RMSprop", make<optim::RMSprop, optim::RMSpropOptions>},
    {"Rprop", make<optim::Rprop, optim::RpropOptions>},
    {"SGD", make<optim::SGD, optim::SGDOptions>},
};

/// Parameter q at the start: 1.5 cos(1.3 i + q).
Variable start(double q, const std::vector<std::size_t>& shape)
{
    xt::xarray<double> p(shape);
    for (std::size_t i = 0; i < p.size(); ++i)
    {
        p.storage()[i] = 1.5 * std::cos(1.3 * static_cast<double>(i) + q);
    }
    return Variable(p);
}

/// Its gradient at step t: sin(0.37 t + i + q) + 0.1 p.
xt::xarray<double> gradient(const Variable& parameter, double q, double t)
{
    xt::xarray<double> g = parameter.value();
    for (std::size_t i = 0; i < g.size(); ++i)
    {
        double& element = g.storage()[i];
        element = std::sin(0.37 * t + static_cast<double>(i) + q) + 0.1 * element;
    }
    return g;
}

std::vector<double> numbers(const ag::Tensor<double>& variable)
{
    return {variable.data(), variable.data() + variable.size()};
}

/// Compares the parameters with those of the trajectory, making `step(t)` for t = 1, 2, ...
template <class Step>
std::string follow(const json& trajectory, const std::vector<Variable>& parameters, const Step& step)
{
    int t = 0;
    for (const json& point : trajectory)
    {
        while (t < point.at("step").get<int>())
        {
            step(++t);
        }
        for (std::size_t q = 0; q < parameters.size(); ++q)
        {
            const std::string text = difference(numbers(parameters[q]), point.at("params").at(q));
            if (!text.empty())
            {
                return "after step " + std::to_string(t) + ", parameter " + std::to_string(q) + ", " + text;
            }
        }
    }
    return {};
}

/// Where the optimizer is on Rosenbrock's function of three parameters after each of the named steps, from a start that is
/// changed by a share.
std::vector<std::vector<double>> rosenbrock_path(const Make make, const GivenOptions& options, const json& trajectory,
                                                 double change)
{
    const Variable x(xt::xarray<double>{-1.2 * (1 + change), 1, 0.7});
    const auto optimizer = make({x}, options);
    const auto rosenbrock = [&]
    {
        const auto head = ag::view(x, xt::range(0, 2));
        const auto tail = ag::view(x, xt::range(1, 3));
        return ag::sum(100.0 * ag::square(tail - head * head) + ag::square(1.0 - head));
    };
    std::vector<std::vector<double>> path;
    int t = 0;
    for (const json& point : trajectory)
    {
        for (; t < point.at("step").get<int>(); ++t)
        {
            optimizer->minimize(rosenbrock);
        }
        path.push_back(numbers(x));
    }
    return path;
}

}

GivenOptions::GivenOptions(json options) : options_(std::move(options)) {}

std::optional<json> GivenOptions::take(const std::string& name)
{
    const auto found = options_.find(name);
    if (found == options_.end())
    {
        return {};
    }
    json value = std::move(*found);
    options_.erase(found);
    return value.is_null() ? std::nullopt : std::optional(std::move(value));
}

void GivenOptions::read(const std::string& name, double& value)
{
    if (const auto given = take(name))
    {
        value = number_of(*given);
    }
}

void GivenOptions::finish() const
{
    if (!options_.empty())
    {
        throw Unsupported(options_.begin().key() + "= is not offered");
    }
}

std::string difference(const std::vector<double>& found, const json& expected, double rtol)
{
    std::vector<double> wanted;
    for (const json& number : expected)
    {
        wanted.push_back(number_of(number));
    }
    if (found.size() != wanted.size())
    {
        return std::to_string(found.size()) + " numbers instead of " + std::to_string(wanted.size());
    }
    for (std::size_t i = 0; i < found.size(); ++i)
    {
        const bool same = found[i] == wanted[i] || (std::isnan(found[i]) && std::isnan(wanted[i]));
        // Near 0, where what cancelled out has left its roundings, the scale is that of the parameters.
        if (!same && !(std::abs(found[i] - wanted[i]) <= rtol * std::max(std::abs(wanted[i]), 1e-3)))
        {
            std::ostringstream text;
            text.precision(17);
            text << "element " << i << " is " << found[i] << " instead of " << wanted[i];
            return text.str();
        }
    }
    return {};
}

std::string run_optimizer(const json& line)
{
    const auto name = line.at("optimizer").get<std::string>();
    const auto make = optimizers.find(name);
    if (make == optimizers.end())
    {
        throw Unsupported("no such optimizer here");
    }
    const GivenOptions options(line.at("options"));
    if (!line.contains("problem"))
    {
        const std::vector<Variable> p{start(0, {2, 3}), start(1, {4})};
        const auto optimizer = make->second({p[0], p[1]}, options);
        return follow(line.at("trajectory"), p,
                      [&](int t)
                      {
                          for (std::size_t q = 0; q < p.size(); ++q)
                          {
                              p[q].set_grad(gradient(p[q], static_cast<double>(q), t));
                          }
                          optimizer->step();
                      });
    }
    if (line.at("problem") != "rosenbrock3")
    {
        throw Unsupported("no such problem here: " + line.at("problem").dump());
    }
    // Roundings grow on the way: by 1e8 with a line search in a bent valley. How much is measured, not assumed.
    const auto run = [&](double change)
    { return rosenbrock_path(make->second, options, line.at("trajectory"), change); };
    const auto found = run(0);
    std::vector<std::vector<std::vector<double>>> others;
    for (const double change : {-4e-16, -2e-16, 2e-16, 4e-16})
    {
        others.push_back(run(change));
    }
    for (std::size_t k = 0; k < found.size(); ++k)
    {
        double spread = 0;
        for (const auto& other : others)
        {
            for (std::size_t i = 0; i < other[k].size(); ++i)
            {
                spread = std::max(spread, std::abs(other[k][i] - found[k][i]) / std::abs(found[k][i]));
            }
        }
        const std::string text =
            difference(found[k], line.at("trajectory").at(k).at("params").at(0), std::max(1e-9, 10 * spread));
        if (!text.empty())
        {
            return "at point " + std::to_string(k + 1) + ", " + text;
        }
    }
    return {};
}

std::string run_clip(const json& line)
{
    std::vector<Variable> variables;
    Parameters parameters;
    for (const json& expected : line.at("grads"))
    {
        const auto q = static_cast<double>(variables.size());
        xt::xarray<double> g(std::vector<std::size_t>{expected.size()});
        for (std::size_t i = 0; i < g.size(); ++i)
        {
            g.storage()[i] = 3 * std::sin(static_cast<double>(i) + q);
        }
        variables.emplace_back(g);
        variables.back().set_grad(g);
        parameters.emplace_back(variables.back());
    }
    const auto kind = line.at("clip").get<std::string>();
    std::string text;
    if (kind == "norm")
    {
        const double norm = optim::clip_grad_norm(parameters, number_of(line.at("max_norm")),
                                                  {.norm_type = number_of(line.value("norm_type", json(2.0)))});
        text = difference({norm}, json::array({line.at("total_norm")}));
    }
    else if (kind == "value")
    {
        optim::clip_grad_value(parameters, number_of(line.at("clip_value")));
    }
    else
    {
        throw Unsupported("no such way to clip here: " + kind);
    }
    for (std::size_t q = 0; q < variables.size() && text.empty(); ++q)
    {
        text = difference(numbers(variables[q].grad()), line.at("grads").at(q));
    }
    return text;
}
