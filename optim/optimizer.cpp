#include <autograd/tracer.hpp>
#include <optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace optim
{

using autograd::size_of;
using autograd::ValueError;
using autograd::detail::Node;

namespace
{

const char* name_of(autograd::DType dtype)
{
    return dtype == autograd::DType::float32 ? "float" : "double";
}

/// From so many bytes on, a plan updates a parameter as soon as its gradient is there.
constexpr std::size_t large_bytes = std::size_t{64} << 10;

Node* node_of(const Parameter& parameter)
{
    return parameter.visit([](const auto& variable) { return variable.node(); });
}

/// Counts in a way that compilers vectorise.
template <class T>
bool is_finite(const T* elements, std::size_t count)
{
    unsigned strange = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        strange |= elements[i] - elements[i] == T(0) ? 0U : 1U;
    }
    return strange == 0;
}

}

Optimizer::Optimizer(const char* name, Description description) : name_(name), description_(std::move(description)) {}

Optimizer::~Optimizer() = default;

void Optimizer::add(const std::vector<Parameter>& parameters, Location location)
{
    if (parameters.empty())
    {
        throw ValueError(name_, "a group without parameters", location);
    }
    std::unordered_map<const void*, std::size_t> places = places_;
    for (const Parameter& parameter : parameters)
    {
        const std::string number = "parameter " + std::to_string(places.size() + 1);
        const auto [place, is_new] = places.emplace(parameter.identity(), places.size());
        if (!is_new)
        {
            throw ValueError(name_, number + " is the same as parameter " + std::to_string(place->second + 1), location,
                             "Give each variable once.");
        }
        if (description_.needs_matrices && parameter.shape().rank() != 2)
        {
            throw ValueError(name_, "is for matrices: " + number + " has shape " + to_string(parameter.shape()),
                             location, "Give the others to another optimizer, such as AdamW.");
        }
    }
    places_ = std::move(places);
    groups_.push_back({{entries_.size(), entries_.size() + parameters.size()}});
    for (const Parameter& parameter : parameters)
    {
        entries_.push_back({parameter});
    }
}

bool Optimizer::step(Location location)
{
    const autograd::detail::Unseen unseen;
    if (unseen.tracer() != nullptr) [[unlikely]]
    {
        trace_step(*unseen.tracer(), location);
    }
    return step_now(location);
}

// If all gradients are looked at before anything changes, nothing can be done before the last is there.
void Optimizer::trace_step(autograd::detail::Tracer& tracer, Location location)
{
    const bool looks_at_all = non_finite_ != NonFinite::pass;
    const std::vector<std::size_t> large = looks_at_all ? std::vector<std::size_t>() : large_entries();
    for (const std::size_t k : large)
    {
        const auto update = [=, this]
        {
            if (non_finite_ != NonFinite::pass)
            {
                throw autograd::Error(name_, "on_non_finite was changed in the course of a compiled step", location,
                                      "Change it outside, or before the first call.");
            }
            location_ = location;
            check_options(location);
            update_some({k, k + 1});
        };
        tracer.updated(node_of(entries_[k].parameter), update, name_, location);
    }
    tracer.acted([=, this] { step_now(location, large); }, name_, location, nodes_except(large));
    tracer.assumed([=, this, count = entries_.size()]
                   { return entries_.size() == count && looks_at_all == (non_finite_ != NonFinite::pass); });
}

bool Optimizer::step_now(Location location, const std::vector<std::size_t>& except)
{
    if (description_.needs_closure)
    {
        throw autograd::Error(name_, "evaluates the loss several times a step", location,
                              "Call step with a closure, or minimize.");
    }
    if (!begin_step(location))
    {
        return false;
    }
    std::size_t begin = 0;
    for (const std::size_t k : except)
    {
        update_some({begin, k});
        begin = k + 1;
    }
    update_some({begin, entries_.size()});
    return true;
}

void Optimizer::update_some(Range entries)
{
    updated_ = entries;
    std::size_t number = 0;
    for (const Group& group : groups_)
    {
        if (group.begin < entries.end && entries.begin < group.end)
        {
            update(number);
        }
        ++number;
    }
}

std::vector<std::size_t> Optimizer::large_entries() const
{
    std::vector<std::size_t> large;
    for (std::size_t k = 0; k < entries_.size(); ++k)
    {
        const Parameter& parameter = entries_[k].parameter;
        if (parameter.size() * size_of(parameter.dtype()) >= large_bytes)
        {
            large.push_back(k);
        }
    }
    return large;
}

std::vector<Node*> Optimizer::nodes_except(const std::vector<std::size_t>& entries) const
{
    std::vector<Node*> nodes;
    auto next = entries.begin();
    for (std::size_t k = 0; k < entries_.size(); ++k)
    {
        if (next != entries.end() && *next == k)
        {
            ++next;
        }
        else
        {
            nodes.push_back(node_of(entries_[k].parameter));
        }
    }
    return nodes;
}

bool Optimizer::begin_step(Location location)
{
    location_ = location;
    check_options(location);
    const bool usable = non_finite_ == NonFinite::pass || has_finite_gradients(location);
    ++steps_;
    return usable;
}

double Optimizer::step_with(const Closure& closure, Location location)
{
    const double loss = closure();
    step(location);
    return loss;
}

bool Optimizer::has_finite_gradients(Location location) const
{
    for (std::size_t k = 0; k < entries_.size(); ++k)
    {
        const bool finite = entries_[k].frozen ||
                            entries_[k].parameter.visit(
                                [](const auto& variable)
                                { return !variable.has_grad() || is_finite(variable.grad().data(), variable.size()); });
        if (!finite && non_finite_ == NonFinite::raise)
        {
            throw ValueError(name_, "the gradient of parameter " + std::to_string(k + 1) + " is not finite", location,
                             "Try a smaller learning rate, or clip_grad_norm.");
        }
        if (!finite)
        {
            return false;
        }
    }
    return true;
}

void Optimizer::zero_grad()
{
    const auto forget = [](Entry& entry) { entry.parameter.visit([](auto& variable) { variable.zero_grad(); }); };
    const auto forget_all = [forget, this] { std::ranges::for_each(entries_, forget); };
    if (autograd::detail::Tracer* const tracer = autograd::detail::Arena::current().tracer) [[unlikely]]
    {
        const std::vector<std::size_t> large = large_entries();
        for (const std::size_t k : large)
        {
            forget(entries_[k]);
        }
        tracer->acted(forget_all, "zero_grad", {}, nodes_except(large));
        tracer->assumed([this, count = entries_.size()] { return entries_.size() == count; });
    }
    const autograd::detail::Unseen unseen;
    forget_all();
}

void Optimizer::apply_gradients(std::vector<GradientAndVariable> gradients, Location location)
{
    for (std::size_t k = 0; k < gradients.size(); ++k)
    {
        if (!find(gradients[k].parameter()))
        {
            throw ValueError("apply_gradients",
                             "variable " + std::to_string(k + 1) + " is not a parameter of this optimizer", location);
        }
        gradients[k].check("apply_gradients", location);
    }
    zero_grad();
    for (GradientAndVariable& gradient : gradients)
    {
        gradient.give();
    }
    step(location);
}

void Optimizer::freeze(const std::vector<Parameter>& parameters, Location location)
{
    set_frozen(parameters, true, "freeze", location);
}

void Optimizer::unfreeze(const std::vector<Parameter>& parameters, Location location)
{
    set_frozen(parameters, false, "unfreeze", location);
}

void Optimizer::set_frozen(const std::vector<Parameter>& parameters, bool frozen, const char* operation,
                           Location location)
{
    std::vector<std::size_t> found;
    for (const Parameter& parameter : parameters)
    {
        const std::optional<std::size_t> place = find(parameter);
        if (!place)
        {
            throw ValueError(operation,
                             "variable " + std::to_string(found.size() + 1) + " is not a parameter of this optimizer",
                             location);
        }
        found.push_back(*place);
    }
    for (const std::size_t place : found)
    {
        entries_[place].frozen = frozen;
    }
}

std::optional<std::size_t> Optimizer::find(const Parameter& parameter) const
{
    const auto place = places_.find(parameter.identity());
    return place == places_.end() ? std::nullopt : std::optional(place->second);
}

std::vector<Parameter> Optimizer::parameters() const
{
    std::vector<Parameter> result;
    for (const Entry& entry : entries_)
    {
        result.push_back(entry.parameter);
    }
    return result;
}

std::size_t Optimizer::slot_of(std::size_t parameter, std::string_view name, Location location) const
{
    if (parameter >= entries_.size())
    {
        throw ValueError("state",
                         "parameter " + std::to_string(parameter) + " of " + std::to_string(entries_.size()) +
                             ": they count from 0",
                         location);
    }
    const auto slot = std::find(description_.arrays.begin(), description_.arrays.end(), name);
    if (slot == description_.arrays.end())
    {
        throw ValueError("state", std::string(name_) + " keeps no " + std::string(name), location);
    }
    return static_cast<std::size_t>(slot - description_.arrays.begin());
}

const std::optional<Parameter>& Optimizer::state(std::size_t parameter, std::string_view name, Location location) const
{
    const std::size_t slot = slot_of(parameter, name, location);
    return entries_[parameter].arrays[slot];
}

void Optimizer::set_state(std::size_t parameter, std::string_view name, const Parameter& value, Location location)
{
    const std::size_t slot = slot_of(parameter, name, location);
    Entry& entry = entries_[parameter];
    if (value.shape() != entry.parameter.shape() || value.dtype() != entry.parameter.dtype())
    {
        throw autograd::ShapeError("set_state",
                                   std::string(name) + " has the shape and precision of its parameter, " +
                                       to_string(entry.parameter.shape()) + " of " + name_of(entry.parameter.dtype()) +
                                       ": got " + to_string(value.shape()) + " of " + name_of(value.dtype()),
                                   location);
    }
    entry.arrays[slot] = value;
}

double& Optimizer::initial_lr(std::size_t group)
{
    std::optional<double>& initial = groups_.at(group).initial_lr;
    if (!initial)
    {
        initial = learning_rate(group);
    }
    return *initial;
}

void Optimizer::visit_state(StateVisitor& visitor)
{
    visitor.kind(name());
    detail::visit_number(visitor, "steps", steps_);
    for (std::size_t group = 0; group < groups_.size(); ++group)
    {
        const std::string prefix = "param_groups." + std::to_string(group) + ".";
        visit_options(group, prefix, visitor);
        if (groups_[group].initial_lr)
        {
            visitor.number(prefix + "initial_lr", *groups_[group].initial_lr);
        }
    }
    for (std::size_t k = 0; k < entries_.size(); ++k)
    {
        Entry& entry = entries_[k];
        const std::string prefix = "state." + std::to_string(k) + ".";
        detail::visit_number(visitor, prefix + "frozen", entry.frozen);
        visitor.number(prefix + "step", entry.counters.step);
        for (std::size_t slot = 0; slot < description_.numbers.size(); ++slot)
        {
            visitor.number(prefix + description_.numbers[slot], entry.counters.more[slot]);
        }
        for (std::size_t slot = 0; slot < description_.arrays.size(); ++slot)
        {
            visitor.array(prefix + description_.arrays[slot], entry.arrays[slot], entry.parameter);
        }
    }
    check_options({});
}

}
