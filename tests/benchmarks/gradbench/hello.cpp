// The square of a number, and its derivative.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

Tensor square(const Tensor& x)
{
    return x * x;
}

}

int main(int argc, char** argv)
{
    return gradbench::run(
        argc, argv,
        {{"square", [](const gradbench::Input& input) { return [x = Tensor(input.number())] { return square(x); }; }},
         {"double",
          [](const gradbench::Input& input) { return [x = Tensor(input.number())] { return ag::grad(square)(x); }; }}});
}
