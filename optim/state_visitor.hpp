#pragma once

#include <optim/parameter.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace optim
{

/// Meets everything that an optimizer, a schedule or an average carries from step to step, by name: to save it, or to put
/// it back.
///
/// The names are those of PyTorch's `state_dict`, joined by dots: `param_groups.0.lr`, `param_groups.0.betas[1]`,
/// `state.2.step`, `state.2.exp_avg`. Which names there are depends on how the object was made, not on how far it has
/// come, so a visitor that only looks meets the names and shapes that a visitor that writes will meet. Whatever is visited
/// throws autograd::Error if what the visitor left there is not allowed.
class StateVisitor
{
public:
    virtual ~StateVisitor() = default;

    /// What the object is, such as "Adam": the state of something else is refused.
    virtual void kind(const std::string&) {}

    /// An option or a counter; integers and truth values are numbers, too.
    virtual void number(const std::string& name, double& value) = 0;

    /// An integer that a double may not hold.
    virtual void integer(const std::string&, std::uint64_t&) {}

    virtual void text(const std::string&, std::string&) {}

    /// Any number of numbers.
    virtual void numbers(const std::string&, std::vector<double>&) {}

    /// A variable, which stays the one that it is.
    virtual void variable(const std::string&, const Parameter&) {}

    /// An array of the shape and precision of `like`; empty before the first step that needs it.
    virtual void array(const std::string& name, std::optional<Parameter>& value, const Parameter& like) = 0;
};

}
