#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <iostream>

namespace ag = autograd;

int main()
{
    ag::Variable a(1.0), b(1.0);
    optim::SGD sgd({a, b}, {.lr = 0.1});
    for (int step = 0; step < 50; ++step)
    {
        ag::GradientTape tape;
        auto loss = a * a + b * b;
        sgd.zero_grad();
        loss.backward();
        sgd.step();
    }
    std::cout << "a = " << a << ", b = " << b << "\n";
    return a.item() < 2e-5 && b.item() < 2e-5 ? 0 : 1;
}
