#include <optim/parameter.hpp>

namespace optim
{

const autograd::Shape& Parameter::shape() const
{
    return visit([](const auto& variable) -> const autograd::Shape& { return variable.shape(); });
}

std::size_t Parameter::size() const
{
    return visit([](const auto& variable) { return variable.size(); });
}

autograd::DType Parameter::dtype() const
{
    return visit([]<class T>(const autograd::Variable<T>&) { return autograd::dtype_of<T>; });
}

bool Parameter::has_grad() const
{
    return visit([](const auto& variable) { return variable.has_grad(); });
}

const void* Parameter::identity() const
{
    return visit([](const auto& variable) -> const void* { return variable.node(); });
}

void GradientAndVariable::check(const char* operation, Location location) const
{
    if (gradient_.shape() != parameter_.shape())
    {
        throw autograd::ShapeError(operation,
                                   "a gradient has the shape of its variable: the variable is " +
                                       to_string(parameter_.shape()) + ", the gradient " + to_string(gradient_.shape()),
                                   location);
    }
}

void GradientAndVariable::give()
{
    parameter_.visit([this]<class T>(const autograd::Variable<T>& variable) { variable.set_grad(gradient_.get<T>()); });
}

}
