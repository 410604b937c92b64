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
    // The right side is linear in x: times the step, it is that of x times the step.
    const Tensor step = h * x;
    const Tensor half_step = h / 2 * x;
    const Tensor sixth_step = h / 6 * x;
    const auto previous = [](const Tensor& y) { return ag::pad(y, {{1, -1}}, ag::PadMode::constant, 1); };
    Tensor y = xt::zeros<double>({x.size()});
    for (std::size_t i = 0; i < s; ++i)
    {
        const Tensor a = ag::fma(half_step, previous(y), y);
        const Tensor b = ag::fma(half_step, previous(a), y);
        const Tensor k3 = step * previous(b);
        // y + (k1 + 2 k2 + 2 k3 + k4) / 6, where k1 = 2 (a - y) and k2 = 2 (b - y).
        y = ag::fma(sixth_step, previous(y + k3), ag::lerp(a + k3, b, 2.0 / 3));
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
