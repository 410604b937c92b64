#include <autograd/explain.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/pass.hpp>
#include <autograd/plan/samples.hpp>
#include <autograd/primitive.hpp>

#include <algorithm>
#include <optional>
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

/// Elements of the largest array of a pass for several rows: more would leave the caches, and gain nothing.
constexpr std::size_t most_elements = std::size_t{1} << 21;
/// Fewer passes cost no more than to find out what a pass does.
constexpr std::size_t least_count = 16;

/// The passes for the unit vectors 0 ... count - 1 of this shape, with the elements `count` apart; many in one where its
/// operations can do so. Nothing if that can't be done, or gains nothing.
template <class T, class Pass>
std::optional<std::vector<Tensor<T>>> joint_passes(const Shape& shape, std::size_t count, const Pass& pass,
                                                   const char* operation, Location location)
{
    if (count < least_count || shape.rank() == max_rank)
    {
        return {};
    }
    const auto function = [&](std::span<detail::Node* const> nodes)
    {
        detail::retain(nodes[0]);
        return std::vector<detail::Node*>{pass(Tensor<T>::adopt(nodes[0])).disown()};
    };
    const auto units_at = [&](std::size_t number, const auto& place)
    {
        Shape whole{number};
        for (const std::size_t extent : shape)
        {
            whole.push_back(extent);
        }
        const Tensor<T> result = detail::zeros<T>(whole);
        const std::size_t size = shape.elements();
        for (std::size_t k = 0; k < number; ++k)
        {
            for (std::size_t element = place(k); element < size; element += count)
            {
                result.node()->template as<T>()[k * size + element] = 1;
            }
        }
        return result;
    };
    try
    {
        const Tensor<T> ends = units_at(2, [&](std::size_t k) { return k == 0 ? 0 : count - 1; });
        const detail::SampleArgument first{ends.node(), true, 0};
        const detail::SampleArgument last{ends.node(), true, 1};
        const detail::Asker asker{operation, location};
        const detail::SampleProgram program({&first, 1}, function, detail::Draws::refused, asker);
        if (!program.vectorised() ||
            !program.agrees(detail::SampleProgram({&last, 1}, function, detail::Draws::refused, asker)))
        {
            return {};
        }
        const std::size_t chunk = std::min(count, most_elements / program.largest());
        if (chunk < 2)
        {
            return {};
        }
        std::vector<Tensor<T>> lines;
        for (std::size_t begin = 0; begin < count; begin += chunk)
        {
            const std::size_t number = std::min(chunk, count - begin);
            const Tensor<T> all = units_at(number, [&](std::size_t k) { return begin + k; });
            detail::Node* const node = all.node();
            lines.push_back(Tensor<T>::adopt(program.run({&node, 1}, number)[0]));
        }
        return lines;
    }
    // Such as for a pullback that reads numbers, or arrays of too many axes. What is wrong with each, one shows by itself.
    catch (const Error&)
    {
        return {};
    }
}

/// The Jacobians of `samples` samples, in shape (samples, elements of the target's, elements of the source's).
template <class T>
Tensor<T> jacobians(GradientTape& tape, const Tensor<T>& target, const Tensor<T>& source, std::size_t samples,
                    JacobianOptions options, const char* operation, Location location)
{
    const std::size_t rows = samples == 0 ? 0 : target.size() / samples;
    const std::size_t columns = samples == 0 ? 0 : source.size() / samples;
    const bool forward = options.mode == Mode::forward || (options.mode == Mode::automatic && columns < rows);
    const std::size_t count = forward ? columns : rows;
    const std::size_t length = forward ? rows : columns;
    const Shape& shape = (forward ? source : target).shape();
    const auto pass = [&](const Tensor<T>& unit)
    {
        return forward ? tape.jvp(target, source, unit, Unconnected::zero, location)
                       : tape.gradient(target, source, {.unconnected = Unconnected::zero, .output_gradient = unit},
                                       location);
    };
    if (const auto joint = joint_passes<T>(shape, count, pass, operation, location))
    {
        const Tensor<T> all = joint->size() == 1 ? joint->front() : concatenate(*joint, 0, location);
        const Tensor<T> lines = reshape(all, Shape{count, samples, length}, location);
        if (samples == 1)
        {
            const Tensor<T> matrix = reshape(lines, Shape{count, length}, location);
            return reshape(forward ? transpose(matrix, {}, location) : matrix, Shape{1, rows, columns}, location);
        }
        return transpose(lines, forward ? Axes{1, 2, 0} : Axes{1, 0, 2}, location);
    }
    std::vector<Tensor<T>> lines;
    for (std::size_t i = 0; i < count; ++i)
    {
        lines.push_back(reshape(pass(units<T>(shape, i, count)), Shape{samples, length}, location));
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
    return reshape(jacobians(*this, target, source, 1, options, "jacobian", location), shape, location);
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
    return reshape(jacobians(*this, target, source, target.shape(0), options, "batch_jacobian", location), shape,
                   location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> GradientTape::jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);          \
    template Tensor<T> GradientTape::batch_jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
