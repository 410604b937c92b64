// What a user outside the tree writes: a training loop, and an operation of their own.
#include <autograd/autograd.hpp>
#include <autograd/elementwise.hpp>
#include <optim/optim.hpp>

#include <cmath>
#include <iostream>

namespace ag = autograd;

struct ThirdPower
{
    static constexpr const char* name = "third_power";
    static constexpr std::size_t arity = 1;
    static constexpr auto value(const auto& x) { return x * x * x; }
    static constexpr auto pullback(ag::Wrt<0>, const auto& dy, const auto&, const auto& x)
    {
        return dy * (x * x * 3.0);
    }
};

template <ag::Real T>
ag::Tensor<T> third_power(const ag::Tensor<T>& x, ag::Location location = ag::Location::current())
{
    return ag::Tensor<T>::adopt(ag::detail::Elementwise<ThirdPower, T>::apply(location, x.node()));
}

int main()
{
    ag::Variable<double> x(xt::xarray<double>{0.5, 2.0, -1.5});
    optim::SGD sgd({x}, {.lr = 0.05});
    for (int step = 0; step < 200; ++step)
    {
        ag::GradientTape tape;
        const auto loss = ag::sum(ag::square(third_power(x) - 1.0));
        sgd.zero_grad();
        loss.backward();
        sgd.step();
    }
    std::cout << x.value()(0) << ' ' << x.value()(1) << ' ' << x.value()(2) << '\n';
    return std::abs(x.value()(0) - 1) < 1e-6 ? 0 : 1;
}
