#pragma once

#include <optim/parameter.hpp>

#include <optional>
#include <vector>

namespace optim
{

class StateVisitor;

/// Keeps the values that parameters had when they were best, and gives them back at the end.
///
///     optim::BestWeights best({w, b});
///     ...
///     if (stopping.update(validation_loss))
///         best.keep();
///     ...
///     best.restore();
class BestWeights
{
public:
    explicit BestWeights(std::vector<Parameter> parameters);

    /// Keeps the present values, instead of those kept before.
    void keep();
    /// Whether anything is kept.
    bool kept() const noexcept;
    /// Gives the parameters what was kept. Throws autograd::Error if that is nothing.
    void restore(Location location = Location::current()) const;

    void visit_state(StateVisitor& visitor);

private:
    std::vector<Parameter> parameters_;
    std::vector<std::optional<Parameter>> kept_;
};

}
