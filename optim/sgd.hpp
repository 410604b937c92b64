#pragma once

#include <optim/optimizer.hpp>

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

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        constexpr Allowed more_than_0_with_nesterov{"more than 0 with nesterov", more_than_0.holds};
        constexpr Allowed zero_with_nesterov{"0 with nesterov", [](double x) { return x == 0; }};
        visit("lr", self.lr, at_least_0);
        visit("momentum", self.momentum, self.nesterov ? more_than_0_with_nesterov : at_least_0);
        visit("dampening", self.dampening, self.nesterov ? zero_with_nesterov : any_number);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("nesterov", self.nesterov, any_number);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<SGDOptions>;

/// Stochastic gradient descent, with momentum as in Sutskever et al., "On the importance of initialization and momentum in
/// deep learning" (2013), in PyTorch's form:
///
///     g = (maximize ? -grad : grad) + weight_decay * p
///     b = first step ? g : momentum * b + (1 - dampening) * g          if momentum is not 0
///     p -= lr * (nesterov ? g + momentum * b : b)                      g where momentum is 0
///
/// b is kept as `momentum_buffer`.
class SGD final : public OptimizerWith<SGDOptions>
{
public:
    /// `optim::SGD sgd({w, b}, {.lr = 0.1, .momentum = 0.9})`.
    /// @throws autograd::ValueError for options out of range, no parameters, or one given twice.
    explicit SGD(const std::vector<Parameter>& parameters, SGDOptions options = {},
                 Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
