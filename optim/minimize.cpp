#include <optim/minimize.hpp>

#include <autograd/tape.hpp>

#include <cmath>
#include <string>

namespace optim
{

#define OPTIM_METHOD(O)                                                                                                \
    Method::Method(O##Options options)                                                                                 \
        : make_([options](const std::vector<Parameter>& parameters, Location location)                                 \
                { return std::make_unique<O>(parameters, options, location); })                                        \
    {                                                                                                                  \
    }
OPTIM_METHOD(ASGD)
OPTIM_METHOD(Adadelta)
OPTIM_METHOD(Adagrad)
OPTIM_METHOD(Adam)
OPTIM_METHOD(AdamW)
OPTIM_METHOD(Adamax)
OPTIM_METHOD(LBFGS)
OPTIM_METHOD(Lion)
OPTIM_METHOD(Muon)
OPTIM_METHOD(NAdam)
OPTIM_METHOD(RAdam)
OPTIM_METHOD(RMSprop)
OPTIM_METHOD(Rprop)
OPTIM_METHOD(SGD)
#undef OPTIM_METHOD

std::unique_ptr<Optimizer> Method::operator()(const std::vector<Parameter>& parameters, Location location) const
{
    return make_(parameters, location);
}

namespace detail
{

using autograd::Variable;

namespace
{

double largest_gradient(const std::vector<Variable<double>>& variables)
{
    double largest = 0;
    for (const Variable<double>& variable : variables)
    {
        const autograd::Tensor<double> gradient = variable.grad();
        for (std::size_t i = 0; i < gradient.size(); ++i)
        {
            const double size = std::abs(gradient.data()[i]);
            largest = size > largest || std::isnan(size) ? size : largest;
        }
    }
    return largest;
}

}

Minimum minimize(const Function& f, std::size_t arguments, const std::vector<xt::xarray<double>>& x,
                 const Method& method, const StopOptions& stop, Location location)
{
    if (x.size() != arguments)
    {
        throw autograd::ValueError("minimize",
                                   "the function takes " + std::to_string(arguments) + " arrays, but got " +
                                       std::to_string(x.size()),
                                   location);
    }
    require(at_least_1, "minimize", "max_steps", double(stop.max_steps), location);
    require(at_least_0, "minimize", "gradient", stop.gradient, location);
    std::vector<Variable<double>> variables;
    std::vector<Parameter> parameters;
    for (const xt::xarray<double>& array : x)
    {
        parameters.emplace_back(variables.emplace_back(array));
    }
    const std::unique_ptr<Optimizer> optimizer = method(parameters, location);
    const auto evaluate = [&]
    {
        optimizer->zero_grad();
        autograd::GradientTape tape({}, location);
        const autograd::Tensor<double> value = f(variables);
        value.backward(location);
        return value.item(location);
    };

    Minimum result;
    while (true)
    {
        result.value = evaluate();
        result.values.push_back(result.value);
        result.gradient = largest_gradient(variables);
        if (!std::isfinite(result.value) || !std::isfinite(result.gradient))
        {
            result.stopped = Stopped::not_finite;
            break;
        }
        if (result.gradient <= stop.gradient)
        {
            result.stopped = Stopped::converged;
            break;
        }
        if (result.steps == stop.max_steps)
        {
            break;
        }
        // The first evaluation of a step is the one that was just made.
        bool evaluated = true;
        const double present = result.value;
        optimizer->step([&] { return std::exchange(evaluated, false) ? present : evaluate(); }, location);
        ++result.steps;
    }
    for (const Variable<double>& variable : variables)
    {
        result.x.emplace_back(variable.value());
    }
    return result;
}

}

}
