// Least squares: the polynomial with coefficients x against the sign of t, at n points t from -1 to 1.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

struct Problem
{
    explicit Problem(const gradbench::Input& input) : x(input["x"].array()), n(input["n"].count()) {}

    Tensor x;
    std::size_t n;
};

Tensor objective(const Tensor& x, std::size_t n)
{
    const Tensor t = -1 + xt::arange<double>(static_cast<double>(n)) * 2 / static_cast<double>(n - 1);
    const Tensor residual = ag::sign(t) - ag::matmul(ag::vander(t, static_cast<std::ptrdiff_t>(x.size())), x);
    return ag::sum(ag::square(residual)) / 2;
}

}

int main(int argc, char** argv)
{
    return gradbench::run(
        argc, argv,
        {{"primal", [](const gradbench::Input& input)
          { return [problem = Problem(input)] { return objective(problem.x, problem.n); }; }},
         {"gradient", [](const gradbench::Input& input)
          {
              return [problem = Problem(input)]
              { return ag::grad([&](const Tensor& x) { return objective(x, problem.n); })(problem.x); };
          }}});
}
