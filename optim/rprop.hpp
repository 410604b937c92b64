#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

struct RpropOptions
{
    double lr = 1e-2;                         ///< the size of the first step, at least 0
    std::array<double, 2> etas = {0.5, 1.2};  ///< factors of the step where signs differ and agree: below and above 1
    std::array<double, 2> step_sizes = {1e-6, 50};  ///< the smallest and the largest step
    bool maximize = false;                          ///< goes up instead of down

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("etas[0]", self.etas[0], between_0_and_1);
        visit("etas[1]", self.etas[1], more_than_1);
        visit("step_sizes", self.step_sizes, at_least_0);
        visit("maximize", self.maximize, any_number);
    }
};

extern template class OptimizerWith<RpropOptions>;

/// Resilient propagation, by Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP
/// Algorithm" (1993): only the sign of the gradient counts. Each element has a step size s, at first lr:
///
///     g = maximize ? -grad : grad
///     s = clip(s * (etas[0] if g * prev < 0, etas[1] if g * prev > 0, else 1), step_sizes[0], step_sizes[1])
///     g = 0                                                          if g * prev < 0
///     p -= sign(g) * s
///     prev = g
///
/// prev and s are kept as `prev` and `step_size`.
class Rprop final : public OptimizerWith<RpropOptions>
{
public:
    explicit Rprop(const std::vector<Parameter>& parameters, RpropOptions options = {},
                   Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
