#include <autograd/explain.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/pass.hpp>
#include <autograd/primitive.hpp>

#include <string>

namespace autograd
{

namespace
{

/// Lets a tape be used several times, and recording stop meanwhile; then a one-shot tape is used up.
class Repeat
{
public:
    explicit Repeat(detail::TapeState* tape)
        : tape_(tape), persistent_(std::exchange(tape->persistent, true)), pause_(tape)
    {
    }
    Repeat(const Repeat&) = delete;
    Repeat& operator=(const Repeat&) = delete;
    ~Repeat()
    {
        tape_->persistent = persistent_;
        tape_->used |= !persistent_;
    }

private:
    detail::TapeState* tape_;
    bool persistent_;
    detail::Pause pause_;
};

/// Zeros, and a 1 at every `stride`-th element from element i on.
template <class T>
Tensor<T> units(const Shape& shape, std::size_t i, std::size_t stride)
{
    const Tensor<T> result = detail::zeros<T>(shape);
    for (std::size_t element = i; element < result.size(); element += stride)
    {
        result.node()->template as<T>()[element] = 1;
    }
    return result;
}

/// The Jacobians of `samples` samples, in shape (samples, elements of the target's, elements of the source's).
template <class T>
Tensor<T> jacobians(GradientTape& tape, const Tensor<T>& target, const Tensor<T>& source, std::size_t samples,
                    JacobianOptions options, Location location)
{
    const std::size_t rows = samples == 0 ? 0 : target.size() / samples;
    const std::size_t columns = samples == 0 ? 0 : source.size() / samples;
    const bool forward = options.mode == Mode::forward || (options.mode == Mode::automatic && columns < rows);
    std::vector<Tensor<T>> lines;
    for (std::size_t i = 0; i < (forward ? columns : rows); ++i)
    {
        const Tensor<T> unit = units<T>((forward ? source : target).shape(), i, forward ? columns : rows);
        const Tensor<T> line =
            forward
                ? tape.jvp(target, source, unit, Unconnected::zero, location)
                : tape.gradient(target, source, {.unconnected = Unconnected::zero, .output_gradient = unit}, location);
        lines.push_back(reshape(line, Shape{samples, forward ? rows : columns}, location));
    }
    return lines.empty() ? detail::zeros<T>(Shape{samples, rows, columns}) : stack(lines, forward ? 2 : 1, location);
}

/// Throws as `gradient` would.
template <class T>
void require_connected(const GradientTape& tape, const Tensor<T>& target, const Tensor<T>& source,
                       Unconnected unconnected, const char* operation, Location location)
{
    detail::TapeState& state = *detail::TapeAccess::state(tape);
    if (unconnected == Unconnected::error && !explain(tape, target, source).connected)
    {
        detail::throw_unconnected(state, target.node(), source.node(), 1, operation, location);
    }
}

void append(Shape& shape, const Shape& more, std::size_t from)
{
    for (std::size_t axis = from; axis < more.rank(); ++axis)
    {
        shape.push_back(more[axis]);
    }
}

}

template <Real T>
Tensor<T> GradientTape::jacobian(const Tensor<T>& target, const Tensor<T>& source, JacobianOptions options,
                                 Location location)
{
    find(target.node(), options.unconnected, "jacobian", location);
    require_connected(*this, target, source, options.unconnected, "jacobian", location);
    const Repeat repeat(state_);
    Shape shape = target.shape();
    append(shape, source.shape(), 0);
    return reshape(jacobians(*this, target, source, 1, options, location), shape, location);
}

template <Real T>
Tensor<T> GradientTape::batch_jacobian(const Tensor<T>& target, const Tensor<T>& source, JacobianOptions options,
                                       Location location)
{
    if (target.dimension() == 0 || source.dimension() == 0 || target.shape(0) != source.shape(0))
    {
        throw ShapeError("batch_jacobian",
                         "target and source must have as many samples, along their first axes: got " +
                             to_string(target.shape()) + " and " + to_string(source.shape()),
                         location);
    }
    find(target.node(), options.unconnected, "batch_jacobian", location);
    require_connected(*this, target, source, options.unconnected, "batch_jacobian", location);
    const Repeat repeat(state_);
    Shape shape = target.shape();
    append(shape, source.shape(), 1);
    return reshape(jacobians(*this, target, source, target.shape(0), options, location), shape, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> GradientTape::jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);          \
    template Tensor<T> GradientTape::batch_jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
