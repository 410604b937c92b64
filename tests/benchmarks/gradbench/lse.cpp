// log(sum(exp(x))), composed so that it does not overflow.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

Tensor log_sum_exp(const Tensor& x)
{
    const Tensor largest = ag::amax(x);
    return largest + ag::log(ag::sum(ag::exp(x - largest)));
}

}

int main(int argc, char** argv)
{
    return gradbench::run(
        argc, argv,
        {{"primal", [](const gradbench::Input& input) { return [x = input["x"].array()] { return log_sum_exp(x); }; }},
         {"gradient", [](const gradbench::Input& input)
          { return [x = input["x"].array()] { return ag::grad(log_sum_exp)(x); }; }}});
}
