#include <autograd/custom.hpp>
#include <autograd/implicit.hpp>
#include <autograd/ops/decomposition.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/primitive.hpp>
#include <autograd/rehearsal.hpp>
#include <autograd/transforms.hpp>

#include <cmath>
#include <sstream>

namespace autograd
{

namespace
{

using detail::FunctionOfTensor;
using detail::Held;
using detail::Node;
using detail::Reading;

/// The solution, and what the function read to find it.
template <class T>
struct Solution
{
    Tensor<T> x;
    Reading parameters;
};

/// Runs a solver without recording, and tells what the function read.
template <class T, class Solver>
Solution<T> solution_of(const FunctionOfTensor<T>& f, const Solver& solver, const char* operation, Location location)
{
    const Tensor<T> x = [&]
    {
        const detail::PauseAll pause;
        return solver();
    }();
    const detail::Rehearsal rehearsal;
    f(x);
    Node* const itself[] = {x.node()};
    return {x, rehearsal.read(itself, operation, location)};
}

template <class T>
void require_shape_of(const Tensor<T>& y, const Tensor<T>& x, const char* operation, Location location)
{
    if (y.shape() != x.shape())
    {
        throw ShapeError(
            operation, "f(x) must have the shape of x: x is " + to_string(x.shape()) + ", f(x) " + to_string(y.shape()),
            location);
    }
}

[[noreturn]] void throw_not_converged(const char* operation, std::size_t iterations, const char* what, double last,
                                      Location location)
{
    std::ostringstream text;
    text << "has not converged after " << iterations << (iterations == 1 ? " iteration: " : " iterations: ") << what
         << " is still " << last;
    throw ValueError(operation, text.str(), location,
                     "Start nearer to it, or allow more iterations or a larger tolerance.");
}

/// The largest |a - b| / (1 + |b|); NaN if there is one.
template <class T>
double relative_change(const Tensor<T>& a, const Tensor<T>& b)
{
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        const double change = std::abs(static_cast<double>(a.data()[i]) - b.data()[i]) / (1 + std::abs(b.data()[i]));
        most = change <= most ? most : change;
    }
    return most;
}

/// The largest |a|; NaN if there is one.
template <class T>
double largest(const Tensor<T>& a)
{
    return relative_change(a, detail::zeros<T>(a.shape()));
}

/// Records the solution as a function of the parameters. `adjoint(x, dy)` gives the gradient of f(x) that dy, the gradient of
/// x, stands for; what it is for the parameters is then f's own gradient at x. All are functions of the solution as
/// recorded, so that derivatives of any order take the solution's own into account.
template <class T, class Adjoint>
Tensor<T> with_adjoint(const detail::Operation& operation, const FunctionOfTensor<T>& f, const Solution<T>& solution,
                       Adjoint adjoint, Location location)
{
    std::vector<Node*> inputs;
    for (const Held& parameter : solution.parameters.sources())
    {
        inputs.push_back(parameter.get());
    }
    detail::NodePullback pullback =
        [&operation, f, adjoint, parameters = solution.parameters, location](Node* dy, Node* output)
    {
        parameters.require_unchanged(operation.name, "before the backward pass", location);
        const detail::OwnLines own_lines;
        const detail::Borrowed<T> x(output);
        const detail::Borrowed<T> gradient(dy);
        const Tensor<T> w = adjoint(static_cast<const Tensor<T>&>(x), static_cast<const Tensor<T>&>(gradient));
        GradientTape tape({}, location);
        tape.watch(static_cast<const Tensor<T>&>(x), location);
        const Tensor<T> y = f(x);
        std::vector<Node*> nodes;
        for (const Held& parameter : parameters.sources())
        {
            nodes.push_back(parameter.get());
        }
        std::vector<Node*> gradients(nodes.size());
        Node* const target = y.node();
        Node* const output_gradient = w.node();
        detail::TapeAccess::gradient(tape, {&target, 1}, {&output_gradient, 1}, nodes, gradients,
                                     {"gradient", detail::Demand::none, location});
        return gradients;
    };
    return Tensor<T>::adopt(detail::with_gradient(operation, solution.x.node(), inputs, std::move(pullback), location));
}

template <class T, class F>
Tensor<T> iterate(const F& f, const Tensor<T>& start, const FixedPointOptions& options, Location location)
{
    Tensor<T> x = start;
    double change = 0;
    for (std::size_t iteration = 0; iteration < options.max_iterations; ++iteration)
    {
        const Tensor<T> next = f(x);
        require_shape_of(next, x, "fixed_point", location);
        change = relative_change(next, x);
        x = next;
        if (change <= options.tolerance)
        {
            return x;
        }
    }
    throw_not_converged("fixed_point", options.max_iterations, "the largest change", change, location);
}

}

template <Real T>
Tensor<T> detail::fixed_point(const FunctionOfTensor<T>& f, const Tensor<T>& start, const FixedPointOptions& options,
                              Location location)
{
    const Tensor<T> constant = stop_gradient(start, Location{});
    const auto solver = [&] { return iterate<T>(f, constant, options, location); };
    if (!Arena::current().recording())
    {
        return solver();
    }
    const auto adjoint = [f, options, location](const Tensor<T>& x, const Tensor<T>& gradient)
    {
        // The equation is linear: of a gradient of size 1, it is solved to the same relative precision for all.
        const double size = largest(gradient);
        const double scale = size > 0 && std::isfinite(size) ? size : 1;
        const Tensor<T> dy = gradient / scale;
        if (!Arena::current().recording())
        {
            const auto [y, pullback] = vjp(f, x, Unconnected::error, location);
            return scale * iterate<T>([&pullback = pullback, &dy](const Tensor<T>& w) { return dy + pullback(w); }, dy,
                                      options, location);
        }
        const auto step = [f, x, dy, location](const Tensor<T>& w)
        {
            GradientTape tape({}, location);
            tape.watch(x, location);
            return dy + tape.gradient(f(x), x, {.unconnected = Unconnected::zero, .output_gradient = w}, location);
        };
        return scale * fixed_point<T>(step, dy, options, location);
    };
    return with_adjoint(fixed_point_operation, f, solution_of<T>(f, solver, "fixed_point", location), adjoint,
                        location);
}

namespace
{

/// The Jacobian of f at x as a matrix.
template <class T>
Tensor<T> matrix_of_derivatives(const FunctionOfTensor<T>& f, const Tensor<T>& x, Location location)
{
    return reshape(jacobian(f, x, Mode::automatic, location), Shape{x.size(), x.size()}, location);
}

template <class T>
Tensor<T> newton(const FunctionOfTensor<T>& f, const Tensor<T>& start, const RootOptions& options, Location location)
{
    Tensor<T> x = start;
    double distance = 0;
    for (std::size_t iteration = 0; iteration <= options.max_iterations; ++iteration)
    {
        const Tensor<T> y = f(x);
        require_shape_of(y, x, "root", location);
        distance = largest(y);
        if (distance <= options.tolerance)
        {
            return x;
        }
        const Tensor<T> step = linalg::solve(matrix_of_derivatives(f, x, location), flatten(y, location), {}, location);
        x = x - reshape(step, x.shape(), location);
    }
    throw_not_converged("root", options.max_iterations, "the largest element of f(x)", distance, location);
}

}

template <Real T>
Tensor<T> detail::root(const FunctionOfTensor<T>& f, const Tensor<T>& start, const RootOptions& options,
                       Location location)
{
    const Tensor<T> constant = stop_gradient(start, Location{});
    const auto solver = [&] { return newton<T>(f, constant, options, location); };
    if (!Arena::current().recording())
    {
        return solver();
    }
    const auto adjoint = [f, location](const Tensor<T>& x, const Tensor<T>& dy)
    {
        const Tensor<T> w = linalg::solve(transpose(matrix_of_derivatives(f, x, location), {}, location),
                                          flatten(dy, location), {}, location);
        return -reshape(w, x.shape(), location);
    };
    return with_adjoint(root_operation, f, solution_of<T>(f, solver, "root", location), adjoint, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> detail::fixed_point<T>(const FunctionOfTensor<T>&, const Tensor<T>&, const FixedPointOptions&,  \
                                              Location);                                                               \
    template Tensor<T> detail::root<T>(const FunctionOfTensor<T>&, const Tensor<T>&, const RootOptions&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
