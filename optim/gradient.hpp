#pragma once

#include <optim/parameter.hpp>

namespace optim::detail
{

/// Replaces the gradient, if there is one, by f of its elements. Whoever holds the old one keeps it.
template <class F>
void change_gradient(const Parameter& parameter, const F& f)
{
    parameter.visit(
        [&]<class T>(const autograd::Variable<T>& variable)
        {
            if (!variable.has_grad())
            {
                return;
            }
            const autograd::Tensor<T> before = variable.grad();
            const auto after = autograd::Tensor<T>::adopt(autograd::detail::new_node<T>(before.shape()));
            const T* const from = before.data();
            T* const to = after.node()->template as<T>();
            for (std::size_t i = 0; i < before.size(); ++i)
            {
                to[i] = f(from[i]);
            }
            variable.set_grad(after);
        });
}

inline void scale_gradient(const Parameter& parameter, double factor)
{
    change_gradient(parameter, [factor]<class T>(T g) { return g * static_cast<T>(factor); });
}

}
