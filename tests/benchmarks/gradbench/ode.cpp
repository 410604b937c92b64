// The solution at t = 2 of y_0' = x_0, y_i' = x_i y_(i-1), y(0) = 0, by s steps of the classical Runge-Kutta method; and
// the gradient of its last element by x.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

struct Problem
{
    explicit Problem(const gradbench::Input& input) : x(input["x"].array()), s(input["s"].count()) {}

    Tensor x;
    std::size_t s;
};

Tensor solve(const Tensor& x, std::size_t s)
{
    const double h = 2.0 / static_cast<double>(s);
    const Tensor step = h * x;
    const Tensor half_step = h / 2 * x;
    // The right side is linear in x: times the step, it is that of x times the step.
    const auto change = [](const Tensor& coefficients, const Tensor& y) {
        return coefficients * ag::pad(y, {{1, -1}}, ag::PadMode::constant, 1);
    };
    Tensor y = xt::zeros<double>({x.size()});
    for (std::size_t i = 0; i < s; ++i)
    {
        const Tensor a = change(half_step, y);
        const Tensor b = change(half_step, y + a);
        const Tensor c = change(step, y + b);
        const Tensor d = change(half_step, y + c);
        y = ag::fma(ag::fma(b, 2, a) + (c + d), 1.0 / 3, y);
    }
    return y;
}

}

int main(int argc, char** argv)
{
    return gradbench::run(
        argc, argv,
        {{"primal", [](const gradbench::Input& input)
          { return [problem = Problem(input)] { return solve(problem.x, problem.s); }; }},
         {"gradient", [](const gradbench::Input& input)
          {
              return [problem = Problem(input)]
              { return ag::grad([&](const Tensor& x) { return ag::view(solve(x, problem.s), -1); })(problem.x); };
          }}});
}
