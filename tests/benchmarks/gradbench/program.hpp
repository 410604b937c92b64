#pragma once

#include <autograd/autograd.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What the evals have in common: GradBench's command line, its input and its output.
namespace gradbench
{

namespace ag = autograd;

using Tensor = ag::Tensor<double>;

/// A value of the input file. Asked for what it is not, it throws std::runtime_error.
class Input
{
public:
    explicit Input(const nlohmann::json& json) : json_(&json) {}

    /// A member of an object.
    Input operator[](const char* name) const;

    double number() const;
    std::size_t count() const;
    bool truth() const;
    /// Numbers in lists, which may be nested.
    Tensor array() const;
    xt::xarray<std::int64_t> integers() const;

private:
    const nlohmann::json* json_;
};

struct Member;

/// A result: numbers in lists as deep as the shape says, an integer or a list of them, or an object.
class Output
{
public:
    Output(Tensor numbers);
    /// One list, not copied: for what is printed before it changes.
    Output(const std::vector<double>& numbers);
    Output(std::int64_t integer);
    Output(std::vector<std::int64_t> integers);
    Output(std::vector<Member> members);

    nlohmann::json json() const;

private:
    std::variant<Tensor, const std::vector<double>*, std::int64_t, std::vector<std::int64_t>, std::vector<Member>>
        value_;
};

struct Member
{
    std::string name;
    Output value;
};

/// What is measured.
using Evaluate = std::function<Output()>;
/// Takes the input apart, once.
using Prepare = std::function<Evaluate(const Input&)>;

/// An eval's main: runs the function that the command line names, on one thread, and prints its output and times.
int run(int argc, char** argv, const std::map<std::string, Prepare>& functions);

}
