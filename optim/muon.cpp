#include <optim/muon.hpp>
#include <optim/sweep.hpp>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/shape.hpp>

#include <cmath>

namespace optim
{

using autograd::Tensor;
using autograd::Variable;

namespace
{

/// Brings the singular values of a matrix near 1 by a polynomial of the fifth degree, applied again and again.
template <class T>
Tensor<T> orthogonalized(const Tensor<T>& matrix, int iterations)
{
    const bool tall = matrix.shape(0) > matrix.shape(1);
    Tensor<T> x = tall ? autograd::transpose(matrix) : matrix;
    for (int k = 0; k < iterations; ++k)
    {
        const Tensor<T> square = autograd::matmul(x, autograd::transpose(x));
        const Tensor<T> polynomial = -4.7750 * square + 2.0315 * autograd::matmul(square, square);
        x = 3.4445 * x + autograd::matmul(polynomial, x);
    }
    return tall ? autograd::transpose(x) : x;
}

double adjustment(const autograd::Shape& shape, AdjustLR how)
{
    const auto rows = static_cast<double>(shape[0]);
    const auto columns = static_cast<double>(shape[1]);
    return how == AdjustLR::original ? std::sqrt(std::max(1.0, rows / columns))
                                     : 0.2 * std::sqrt(std::max(rows, columns));
}

}

template class OptimizerWith<MuonOptions>;

Muon::Muon(const std::vector<Parameter>& parameters, MuonOptions options, Location location)
    : OptimizerWith("Muon", {.arrays = {"momentum_buffer"}, .needs_matrices = true}, parameters, options, location)
{
}

void Muon::update(std::size_t index)
{
    const MuonOptions& options = group(index);
    for_each_gradient(index,
                      [&]<class T>(Entry& entry, Variable<T>& parameter)
                      {
                          ++entry.counters.step;
                          detail::ensure(entry.arrays[0], parameter, 0);
                          const std::size_t count = parameter.size();
                          const Tensor<T> gradient = parameter.grad();
                          const T* const g = gradient.data();
                          T* const b = entry.arrays[0]->get<T>().mutable_data();
                          const auto x = Tensor<T>::adopt(autograd::detail::new_node<T>(parameter.shape()));
                          T* const direction = x.node()->template as<T>();

                          const auto keep = static_cast<T>(options.momentum);
                          const T take = 1 - keep;
                          const T along_g = options.nesterov ? take : T(0);
                          const T along_b = options.nesterov ? keep : T(1);
                          T square = 0;
                          for (std::size_t i = 0; i < count; ++i)
                          {
                              b[i] = keep * b[i] + take * g[i];
                              direction[i] = along_g * g[i] + along_b * b[i];
                              square += direction[i] * direction[i];
                          }
                          const T norm = std::max(std::sqrt(square), static_cast<T>(options.eps));
                          const Tensor<T> step = orthogonalized(x / norm, options.ns_steps);
                          const T* const s = step.data();
                          T* const p = parameter.mutable_data(location());
                          const auto shrink = static_cast<T>(1 - options.lr * options.weight_decay);
                          const auto lr =
                              static_cast<T>(options.lr * adjustment(parameter.shape(), options.adjust_lr_fn));
                          for (std::size_t i = 0; i < count; ++i)
                          {
                              p[i] = shrink * p[i] - lr * s[i];
                          }
                      });
}

}
