#include <optim/minimize.hpp>

#include <autograd/tape.hpp>

namespace optim::detail
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

Minimum minimize(const Function& f, const std::vector<xt::xarray<double>>& x, const Method& method,
                 const StopOptions& stop, Location location)
{
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
