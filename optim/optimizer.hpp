#pragma once

#include <autograd/tape.hpp>
#include <optim/options.hpp>
#include <optim/parameter.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace autograd::detail
{

class Tracer;

}

/// Optimizers update variables from their gradients. Names, formulas and defaults are PyTorch's.
namespace optim
{

/// What a step does when a gradient holds NaN or an infinity.
enum class NonFinite
{
    pass,  ///< uses it
    skip,  ///< leaves everything as it is
    raise  ///< throws, and leaves everything as it is
};

/// Computes a loss and its gradients anew, and returns the loss.
using Closure = std::function<double()>;

/// What an optimizer says of itself: the names of the numbers (besides `step`) and arrays that it keeps for each
/// parameter, at most two and three, and what it needs.
struct Description
{
    std::vector<const char*> numbers = {};
    std::vector<const char*> arrays = {};
    bool needs_matrices = false;
    bool needs_closure = false;
};

/// What optimizers have in common: the parameters in their groups, the loop over those that have a gradient, step counts,
/// what is kept for each parameter, weight decay, and forgetting gradients. An optimizer says how one element is updated
/// (`sweep`).
class Optimizer
{
public:
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer();

    /// Updates every parameter that has a gradient and is not frozen; the others stay as they are. Returns whether it
    /// did: false if a gradient is not finite and `on_non_finite` says to skip.
    /// @throws autograd::ValueError if the options were changed to something that is not allowed, or a gradient is not
    ///         finite and `on_non_finite` says to raise.
    bool step(Location location = Location::current());

    /// Calls the closure, as often as the optimizer needs to evaluate the loss (all but LBFGS: once), and updates. Returns
    /// the loss of the first call.
    double step(const Closure& closure, Location location = Location::current())
    {
        return step_with(closure, location);
    }

    /// Forgets the gradients of all parameters.
    void zero_grad();

    /// Steps with these gradients, as in Keras: `sgd.apply_gradients({{da, a}, {db, b}})`. Other parameters stay.
    /// @throws autograd::ValueError for a variable that is not the optimizer's; ShapeError for a gradient that does not
    ///         have the shape of its variable.
    void apply_gradients(std::vector<GradientAndVariable> gradients, Location location = Location::current());

    /// One whole step, as in Keras: calls `loss()` under a tape, computes the gradients anew and updates. Returns the
    /// loss from before the update.
    template <class Loss>
    auto minimize(const Loss& loss, Location location = Location::current())
    {
        std::optional<decltype(loss())> first;
        const auto evaluate = [&]
        {
            zero_grad();
            autograd::GradientTape tape({}, location);
            auto value = loss();
            value.backward(location);
            const auto number = static_cast<double>(value.item());
            if (!first)
            {
                first.emplace(std::move(value));
            }
            return number;
        };
        step_with(std::ref(evaluate), location);  // by reference: a copy would take memory from the system
        return *std::move(first);
    }

    /// Whether a step looks at all gradients first; at the start it does not.
    void on_non_finite(NonFinite what) noexcept { non_finite_ = what; }

    /// A frozen parameter stays as it is, and so does what is kept for it, whatever its gradient.
    /// @throws autograd::ValueError for a variable that is not the optimizer's.
    /// @{
    void freeze(const std::vector<Parameter>& parameters, Location location = Location::current());
    void unfreeze(const std::vector<Parameter>& parameters, Location location = Location::current());
    /// @}

    /// The class, as in `SGD`.
    const char* name() const noexcept { return name_; }
    /// All parameters, group by group.
    std::vector<Parameter> parameters() const;
    std::size_t group_count() const noexcept { return groups_.size(); }
    /// How often `step` was called.
    std::size_t steps() const noexcept { return steps_; }

    /// What is kept for a parameter under PyTorch's name, such as `momentum_buffer`; empty before the first step that
    /// needs it.
    /// @throws autograd::ValueError if there is no such parameter or no such name.
    const std::optional<Parameter>& state(std::size_t parameter, std::string_view name,
                                          Location location = Location::current()) const;
    /// Puts it back. Throws ShapeError if it has not the shape and precision of the parameter, too.
    void set_state(std::size_t parameter, std::string_view name, const Parameter& value,
                   Location location = Location::current());

    /// The options that schedules change; `momentum` is the first of the betas if the optimizer has these, and null if it
    /// has neither. Throws std::out_of_range.
    /// @{
    virtual double& learning_rate(std::size_t group) = 0;
    virtual double* momentum(std::size_t group) = 0;
    /// @}
    /// The learning rate of a group when its first schedule was made. PyTorch's name.
    double& initial_lr(std::size_t group);

    /// Shows the options, step counts and arrays.
    virtual void visit_state(StateVisitor& visitor);
    /// Throws ValueError if the options are not allowed.
    virtual void check_options(Location location = Location::current()) const = 0;

protected:
    /// The numbers that belong to a parameter: how often it was updated, and what `Description::numbers` names.
    struct Counters
    {
        double step = 0;
        std::array<double, 2> more{};
        bool operator==(const Counters&) const = default;
    };

    struct Entry
    {
        Parameter parameter;
        bool frozen = false;
        Counters counters = {};
        std::array<std::optional<Parameter>, 3> arrays = {};
    };

    /// What happens to gradients and parameters before the formula sees them: the gradient is turned round if `maximize`,
    /// then `l2 p` added to it; the parameter is multiplied by 1 - `decoupled`.
    struct Decay
    {
        bool maximize = false;
        double l2 = 0;
        double decoupled = 0;
    };

    Optimizer(const char* name, Description description);

    /// Adds a group. Throws ValueError if it is empty or holds a parameter that is there already.
    void add(const std::vector<Parameter>& parameters, Location location);

    /// Calls f(entry, variable) for each parameter of the group that has a gradient and is not frozen.
    template <class F>
    void for_each_gradient(std::size_t group, const F& f)
    {
        const std::size_t end = std::min(groups_[group].end, updated_.end);
        for (std::size_t k = std::max(groups_[group].begin, updated_.begin); k < end; ++k)
        {
            Entry& entry = entries_[k];
            if (!entry.frozen)
            {
                entry.parameter.visit(
                    [&](auto& variable)
                    {
                        if (variable.has_grad())
                        {
                            f(entry, variable);
                        }
                    });
            }
        }
    }

    /// Updates the parameters of a group in one pass over memory each; see optim/sweep.hpp.
    template <std::size_t... slots, class Rule>
    void sweep(std::size_t group, const Decay& decay, const Rule& rule,
               const std::array<double, sizeof...(slots)>& initial = {});

    /// All parameters with what is kept for them.
    std::vector<Entry>& entries() noexcept { return entries_; }

    /// What a step starts with: checks the options, and the gradients if they must be finite. Returns whether to go on.
    bool begin_step(Location location);
    /// The line that asked for the step which runs: parameters are assigned there.
    Location location() const noexcept { return location_; }
    virtual double step_with(const Closure& closure, Location location);

private:
    /// Entries one after another.
    struct Range
    {
        std::size_t begin;
        std::size_t end;
    };

    struct Group : Range
    {
        std::optional<double> initial_lr = {};
    };

    /// Updates the parameters of a group, each by itself: a plan asks for some at a time, which only `sweep` and
    /// `for_each_gradient` know.
    virtual void update(std::size_t group) = 0;
    virtual void visit_options(std::size_t group, const std::string& prefix, StateVisitor& visitor) = 0;

    /// Throws ValueError if there is no such parameter or no such name.
    std::size_t slot_of(std::size_t parameter, std::string_view name, Location location) const;
    std::optional<std::size_t> find(const Parameter& parameter) const;
    void set_frozen(const std::vector<Parameter>& parameters, bool frozen, const char* operation, Location location);
    bool step_now(Location location, const std::vector<std::size_t>& except = {});
    void update_some(Range entries);
    void trace_step(autograd::detail::Tracer& tracer, Location location);
    /// Those with a gradient whose memory is worth having early.
    std::vector<std::size_t> large_entries() const;
    /// The nodes of all but these.
    std::vector<autograd::detail::Node*> nodes_except(const std::vector<std::size_t>& entries) const;
    bool has_finite_gradients(Location location) const;

    const char* name_;
    Description description_;
    std::vector<Entry> entries_;
    std::unordered_map<const void*, std::size_t> places_;
    std::vector<Group> groups_;
    Range updated_ = {};  ///< what `update` is for
    std::size_t steps_ = 0;
    Location location_ = {};
    NonFinite non_finite_ = NonFinite::pass;
};

/// An optimizer whose groups have these options: an aggregate that lists its members, under PyTorch's names and with what
/// they may be, in `each(options, visit)`.
template <class Options>
class OptimizerWith : public Optimizer
{
public:
    /// The options of a group, to be read or changed: `sgd.group(0).lr = 0.01`. Throws std::out_of_range.
    Options& group(std::size_t index) { return *static_cast<Options*>(options_.at(index).get()); }
    const Options& group(std::size_t index) const { return *static_cast<const Options*>(options_.at(index).get()); }

    /// Adds a group that has the options that the optimizer was made with, until they are changed:
    /// `adam.add_group({bias}).weight_decay = 0`. Returns the options.
    /// @throws autograd::ValueError if there are no parameters, or one that is there already.
    Options& add_group(const std::vector<Parameter>& parameters, Location location = Location::current());
    /// The same with options of its own.
    Options& add_group(const std::vector<Parameter>& parameters, const Options& options,
                       Location location = Location::current());

    double& learning_rate(std::size_t index) final;
    double* momentum(std::size_t index) final;
    void check_options(Location location = Location::current()) const final;

protected:
    OptimizerWith(const char* name, Description description, const std::vector<Parameter>& parameters,
                  const Options& options, Location location);

private:
    void check(const Options& options, Location location) const;
    void visit_options(std::size_t index, const std::string& prefix, StateVisitor& visitor) final;

    Options defaults_;
    std::vector<std::shared_ptr<void>> options_;  ///< of each group; one type for all optimizers compiles faster
};

// Not in the class: what an optimizer's own file instantiates, a user's file then leaves alone.

template <class Options>
OptimizerWith<Options>::OptimizerWith(const char* name, Description description,
                                      const std::vector<Parameter>& parameters, const Options& options,
                                      Location location)
    : Optimizer(name, std::move(description)), defaults_(options)
{
    add_group(parameters, location);
}

template <class Options>
Options& OptimizerWith<Options>::add_group(const std::vector<Parameter>& parameters, Location location)
{
    return add_group(parameters, defaults_, location);
}

template <class Options>
Options& OptimizerWith<Options>::add_group(const std::vector<Parameter>& parameters, const Options& options,
                                           Location location)
{
    check(options, location);
    add(parameters, location);
    options_.push_back(std::make_shared<Options>(options));
    return group(options_.size() - 1);
}

template <class Options>
double& OptimizerWith<Options>::learning_rate(std::size_t index)
{
    return group(index).lr;
}

template <class Options>
double* OptimizerWith<Options>::momentum(std::size_t index)
{
    if constexpr (requires(Options options) { options.momentum; })
    {
        return &group(index).momentum;
    }
    else if constexpr (requires(Options options) { options.betas; })
    {
        return group(index).betas.data();
    }
    else
    {
        return nullptr;
    }
}

template <class Options>
void OptimizerWith<Options>::check_options(Location location) const
{
    for (std::size_t index = 0; index < options_.size(); ++index)
    {
        check(group(index), location);
    }
}

template <class Options>
void OptimizerWith<Options>::check(const Options& options, Location location) const
{
    Options::each(options, [&](const char* option, const auto& value, const Allowed& allowed)
                  { detail::require(allowed, name(), option, value, location); });
}

template <class Options>
void OptimizerWith<Options>::visit_options(std::size_t index, const std::string& prefix, StateVisitor& visitor)
{
    Options::each(group(index), [&](const char* option, auto& value, const Allowed&)
                  { detail::visit_number(visitor, prefix + option, value); });
}

}
