#include <optim/parameter.hpp>

#include <memory>
#include <variant>

namespace optim
{

using autograd::DType;
using autograd::Variable;

Parameter::Parameter(const Variable<float>& variable) noexcept : single_(variable), dtype_(DType::float32) {}

Parameter::Parameter(const Variable<double>& variable) noexcept : double_(variable), dtype_(DType::float64) {}

Parameter::Parameter(const Parameter& other) noexcept : dtype_(other.dtype_)
{
    if (dtype_ == DType::float32)
    {
        std::construct_at(&single_, other.single_);
    }
    else
    {
        std::construct_at(&double_, other.double_);
    }
}

Parameter& Parameter::operator=(const Parameter& other) noexcept
{
    if (this != &other)
    {
        std::destroy_at(this);
        std::construct_at(this, other);
    }
    return *this;
}

Parameter::~Parameter()
{
    visit([](auto& variable) { std::destroy_at(&variable); });
}

void Parameter::throw_other_precision()
{
    throw std::bad_variant_access();
}

const autograd::Shape& Parameter::shape() const
{
    return visit([](const auto& variable) -> const autograd::Shape& { return variable.shape(); });
}

std::size_t Parameter::size() const
{
    return visit([](const auto& variable) { return variable.size(); });
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
