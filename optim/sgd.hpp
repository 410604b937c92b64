#pragma once

#include <optim/optimizer.hpp>

#include <optional>

namespace optim
{

struct SGDOptions
{
    double lr = 1e-3;         ///< learning rate, at least 0
    double momentum = 0;      ///< at least 0
    double dampening = 0;     ///< of the momentum
    double weight_decay = 0;  ///< L2 penalty, at least 0
    bool nesterov = false;    ///< needs momentum and no dampening
    bool maximize = false;    ///< goes up instead of down
};

/// Parameters with options of their own; those that are not given are the optimizer's.
struct SGDGroup
{
    std::vector<Parameter> parameters;
    std::optional<double> lr = {};
    std::optional<double> momentum = {};
    std::optional<double> dampening = {};
    std::optional<double> weight_decay = {};
    std::optional<bool> nesterov = {};
    std::optional<bool> maximize = {};
};

/// Stochastic gradient descent, with momentum as in Sutskever et al., "On the importance of initialization and momentum in
/// deep learning" (2013), in PyTorch's form:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     b = first step ? g : momentum * b + (1 - dampening) * g          if momentum is not 0
///     p -= lr * (nesterov ? g + momentum * b : b)                      g where momentum is 0
class SGD final : public Optimizer
{
public:
    /// `optim::SGD sgd({w, b}, {.lr = 0.1, .momentum = 0.9})`.
    /// @throws autograd::ValueError for options out of range, no parameters, or one given twice.
    explicit SGD(const std::vector<Parameter>& parameters, SGDOptions options = {},
                 Location location = Location::current());
    /// `optim::SGD sgd({{.parameters = {w}, .lr = 0.1}, {.parameters = {b}}}, {.lr = 0.01})`.
    explicit SGD(const std::vector<SGDGroup>& groups, SGDOptions defaults = {},
                 Location location = Location::current());

    /// The options of a group, to be read or changed: `sgd.group(0).lr = 0.01`. Throws std::out_of_range.
    SGDOptions& group(std::size_t index) { return options_.at(index); }
    const SGDOptions& group(std::size_t index) const { return options_.at(index); }

    /// The momentum buffer b of each of the `parameters()`, empty before its first step; to be saved, or put back.
    std::vector<std::optional<Parameter>>& momentum_buffers() noexcept { return momentum_buffers_; }

private:
    void check_options() const override;
    void update(std::size_t index, autograd::Variable<float>& parameter) override;
    void update(std::size_t index, autograd::Variable<double>& parameter) override;
    template <class T>
    void update_typed(std::size_t index, autograd::Variable<T>& parameter);

    std::vector<SGDOptions> options_;
    std::vector<std::optional<Parameter>> momentum_buffers_;
    Location location_;
};

}
