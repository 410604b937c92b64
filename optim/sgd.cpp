#include <optim/sgd.hpp>

#include <sstream>

namespace optim
{

using autograd::ValueError;
using autograd::Variable;

namespace
{

[[noreturn]] void refuse(const char* name, double value, const char* range, Location location)
{
    std::ostringstream problem;
    problem << name << " is " << value << ", but must be " << range;
    throw ValueError("SGD", problem.str(), location);
}

inline void require(bool allowed, const char* name, double value, const char* range, Location location)
{
    if (!allowed)
    {
        refuse(name, value, range, location);
    }
}

}

SGD::SGD(const std::vector<Parameter>& parameters, SGDOptions options, Location location) : location_(location)
{
    options_.push_back(options);
    check_options();
    add_group(parameters, "SGD", location);
    momentum_buffers_.resize(this->parameters().size());
}

SGD::SGD(const std::vector<SGDGroup>& groups, SGDOptions defaults, Location location) : location_(location)
{
    require(!groups.empty(), "the number of groups", 0, "at least 1", location);
    for (const SGDGroup& group : groups)
    {
        options_.push_back({.lr = group.lr.value_or(defaults.lr),
                            .momentum = group.momentum.value_or(defaults.momentum),
                            .dampening = group.dampening.value_or(defaults.dampening),
                            .weight_decay = group.weight_decay.value_or(defaults.weight_decay),
                            .nesterov = group.nesterov.value_or(defaults.nesterov),
                            .maximize = group.maximize.value_or(defaults.maximize)});
    }
    check_options();
    for (const SGDGroup& group : groups)
    {
        add_group(group.parameters, "SGD", location);
    }
    momentum_buffers_.resize(parameters().size());
}

// Written so that NaN is refused.
void SGD::check_options() const
{
    for (const SGDOptions& group : options_)
    {
        require(group.lr >= 0, "lr", group.lr, "at least 0", location_);
        require(group.momentum >= 0, "momentum", group.momentum, "at least 0", location_);
        require(group.weight_decay >= 0, "weight_decay", group.weight_decay, "at least 0", location_);
        require(group.dampening == group.dampening, "dampening", group.dampening, "a number", location_);
        require(!group.nesterov || group.momentum > 0, "momentum", group.momentum, "more than 0 with nesterov",
                location_);
        require(!group.nesterov || group.dampening == 0, "dampening", group.dampening, "0 with nesterov", location_);
    }
}

void SGD::update(std::size_t index, Variable<float>& parameter)
{
    update_typed(index, parameter);
}

void SGD::update(std::size_t index, Variable<double>& parameter)
{
    update_typed(index, parameter);
}

template <class T>
void SGD::update_typed(std::size_t index, Variable<T>& parameter)
{
    const SGDOptions& options = options_[group_of(index)];
    const autograd::Tensor<T> gradient = parameter.grad();
    const T* g = gradient.data();
    T* p = parameter.mutable_data();
    const std::size_t count = parameter.size();
    const T sign = options.maximize ? T(-1) : T(1);
    const T lr = static_cast<T>(options.lr);
    const T decay = static_cast<T>(options.weight_decay);
    if (options.momentum == 0)
    {
        for (std::size_t i = 0; i < count; ++i)
        {
            p[i] -= lr * (sign * g[i] + decay * p[i]);
        }
        return;
    }
    std::optional<Parameter>& slot = momentum_buffers_[index];
    const bool first = !slot.has_value();
    if (first)
    {
        slot.emplace(Variable<T>(gradient));
    }
    T* b = slot->get<T>().mutable_data();
    const T keep = first ? T(0) : static_cast<T>(options.momentum);
    const T take = first ? T(1) : static_cast<T>(1 - options.dampening);
    const T look_ahead = options.nesterov ? T(1) : T(0);
    const T along = options.nesterov ? static_cast<T>(options.momentum) : T(1);
    for (std::size_t i = 0; i < count; ++i)
    {
        const T d = sign * g[i] + decay * p[i];
        b[i] = keep * b[i] + take * d;
        p[i] -= lr * (look_ahead * d + along * b[i]);
    }
}

}
