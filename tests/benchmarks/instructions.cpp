// Scalar steps for callgrind: `instructions WORKLOAD COUNT`.

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <cstdlib>
#include <string_view>

namespace ag = autograd;

namespace
{

void sgd(int steps)
{
    ag::Variable a(1.0), b(1.0);
    optim::SGD optimizer({a, b}, {.lr = 1});
    for (int step = 0; step < steps; ++step)
    {
        ag::GradientTape tape;
        auto loss = a * a + b * b;
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
    }
}

void chain(int steps)
{
    ag::Variable start(0.5), factor(0.9999);
    for (int step = 0; step < steps; ++step)
    {
        ag::GradientTape tape;
        ag::Tensor<double> x = start;
        for (int i = 0; i < 100; ++i)
        {
            x = x * factor + start;
        }
        (void)tape.gradient(x, start, factor);
    }
}

}

int main(int argc, char** argv)
{
    const std::string_view workload = argc > 2 ? argv[1] : "";
    if (workload != "sgd" && workload != "chain")
    {
        return 2;
    }
    (workload == "sgd" ? sgd : chain)(std::atoi(argv[2]));
    return 0;
}
