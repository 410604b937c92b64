// Scalar steps for callgrind: `instructions WORKLOAD COUNT`.

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <cstdlib>
#include <map>
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

/// The same, compiled.
void replay(int steps)
{
    ag::Variable a(1.0), b(1.0);
    optim::SGD optimizer({a, b}, {.lr = 1});
    auto step = ag::compile(
        [&]
        {
            ag::GradientTape tape;
            auto loss = a * a + b * b;
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            return loss;
        });
    for (int k = 0; k < steps; ++k)
    {
        step();
    }
}

auto chain_of(int length)
{
    return [length, start = ag::Variable(0.5), factor = ag::Variable(0.9999)]
    {
        ag::GradientTape tape;
        ag::Tensor<double> x = start;
        for (int i = 0; i < length; ++i)
        {
            x = x * factor + start;
        }
        return tape.gradient(x, start, factor);
    };
}

void chain(int steps)
{
    const auto step = chain_of(100);
    for (int k = 0; k < steps; ++k)
    {
        (void)step();
    }
}

/// The two calls that record and plan it.
void planning(int plans)
{
    const auto step = chain_of(500);
    for (int k = 0; k < plans; ++k)
    {
        auto compiled = ag::compile(step);
        compiled();
        compiled();
    }
}

const std::map<std::string_view, void (*)(int)> workloads{
    {"sgd", sgd}, {"replay", replay}, {"chain", chain}, {"planning", planning}};

}

int main(int argc, char** argv)
{
    const auto workload = argc > 2 ? workloads.find(argv[1]) : workloads.end();
    if (workload == workloads.end())
    {
        return 2;
    }
    workload->second(std::atoi(argv[2]));
    return 0;
}
