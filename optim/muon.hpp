#pragma once

#include <optim/optimizer.hpp>

namespace optim
{

/// How the learning rate of a matrix depends on its shape, (rows, columns).
enum class AdjustLR
{
    original,         ///< sqrt(max(1, rows / columns))
    match_rms_adamw,  ///< 0.2 sqrt(max(rows, columns)), so that learning rates of AdamW fit
};

struct MuonOptions
{
    double lr = 1e-3;           ///< learning rate, at least 0
    double weight_decay = 0.1;  ///< decoupled from the gradient, at least 0
    double momentum = 0.95;     ///< in [0, 1)
    bool nesterov = true;       ///< looks ahead along the momentum
    double eps = 1e-7;          ///< least norm of a matrix, more than 0
    int ns_steps = 5;           ///< Newton-Schulz iterations
    AdjustLR adjust_lr_fn = AdjustLR::original;

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("weight_decay", self.weight_decay, at_least_0);
        visit("momentum", self.momentum, from_0_below_1);
        visit("nesterov", self.nesterov, any_number);
        visit("eps", self.eps, more_than_0);
        visit("ns_steps", self.ns_steps, at_least_0);
        visit("adjust_lr_fn", self.adjust_lr_fn, zero_or_one);
    }
};

extern template class OptimizerWith<MuonOptions>;

/// Muon, by Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024): momentum whose singular values are
/// all brought near 1. For matrices only; give biases, embeddings and the like to another optimizer.
///
///     b = momentum * b + (1 - momentum) * grad
///     x = nesterov ? (1 - momentum) * grad + momentum * b : b
///     x = x / max(|x|, eps), then ns_steps times x = 3.4445 x - 4.7750 (x x^T) x + 2.0315 (x x^T)^2 x
///     p = (1 - lr * weight_decay) * p - lr * adjustment * x
///
/// b is kept as `momentum_buffer`.
class Muon final : public OptimizerWith<MuonOptions>
{
public:
    /// @throws autograd::ValueError for a parameter that is not a matrix, too.
    explicit Muon(const std::vector<Parameter>& parameters, MuonOptions options = {},
                  Location location = Location::current());

private:
    void update(std::size_t group) override;
};

}
