#pragma once

#include <optim/adadelta.hpp>
#include <optim/adagrad.hpp>
#include <optim/adam.hpp>
#include <optim/adamax.hpp>
#include <optim/adamw.hpp>
#include <optim/asgd.hpp>
#include <optim/lbfgs.hpp>
#include <optim/lion.hpp>
#include <optim/muon.hpp>
#include <optim/nadam.hpp>
#include <optim/radam.hpp>
#include <optim/rmsprop.hpp>
#include <optim/rprop.hpp>
#include <optim/sgd.hpp>

#include <functional>
#include <memory>

namespace optim
{

/// A choice of an optimizer with its options, made of the options alone: `optim::AdamOptions{.lr = 0.1}`.
class Method
{
public:
    Method(ASGDOptions options);
    Method(AdadeltaOptions options);
    Method(AdagradOptions options);
    Method(AdamOptions options);
    Method(AdamWOptions options);
    Method(AdamaxOptions options);
    Method(LBFGSOptions options);
    Method(LionOptions options);
    Method(MuonOptions options);
    Method(NAdamOptions options);
    Method(RAdamOptions options);
    Method(RMSpropOptions options);
    Method(RpropOptions options);
    Method(SGDOptions options);

    std::unique_ptr<Optimizer> operator()(const std::vector<Parameter>& parameters, Location location) const;

private:
    using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Parameter>&, Location)>;
    Make make_;
};

struct StopOptions
{
    int max_steps = 1000;    ///< at least 1
    double gradient = 1e-8;  ///< stops where no element of the gradient is larger, at least 0
};

enum class Stopped
{
    converged,  ///< the gradient is small enough
    max_steps,  ///< as many steps as allowed
    not_finite  ///< the value or its gradient is no longer finite
};

/// What `minimize` found.
struct Minimum
{
    std::vector<xt::xarray<double>> x;  ///< in the order of the arguments
    double value = 0;                   ///< of the function there
    double gradient = 0;                ///< its largest element there
    int steps = 0;
    Stopped stopped = Stopped::max_steps;
    std::vector<double> values = {};  ///< of the function before each step, and at the end
};

namespace detail
{

using Function = std::function<autograd::Tensor<double>(const std::vector<autograd::Variable<double>>&)>;
/// `f` takes so many arguments.
Minimum minimize(const Function& f, std::size_t arguments, const std::vector<xt::xarray<double>>& x,
                 const Method& method, const StopOptions& stop, Location location);

template <class F, std::size_t... k>
Function unpacked(const F& f, std::index_sequence<k...>)
{
    return [&f](const std::vector<autograd::Variable<double>>& x) -> autograd::Tensor<double> { return f(x[k]...); };
}

}

/// Minimises a function of tensors that gives a scalar, from one array for each argument:
///
///     const auto f = [](const auto& x, const auto& y) { return ag::square(x - 1.0) + ag::square(y); };
///     const optim::Minimum minimum = optim::minimize<2>(f, {x, y}, optim::AdamOptions{.lr = 0.1});
///
/// Without options, by L-BFGS with a line search.
/// @throws autograd::ValueError if there are not `arguments` arrays, or options are not allowed; ShapeError if f is no
///         scalar.
template <std::size_t arguments = 1, class F>
Minimum minimize(const F& f, const std::vector<xt::xarray<double>>& x,
                 const Method& method = LBFGSOptions{.tolerance_grad = 0,
                                                     .tolerance_change = 1e-15,
                                                     .line_search_fn = LineSearch::strong_wolfe},
                 StopOptions stop = {}, Location location = Location::current())
{
    return detail::minimize(detail::unpacked(f, std::make_index_sequence<arguments>()), arguments, x, method, stop,
                            location);
}

}
