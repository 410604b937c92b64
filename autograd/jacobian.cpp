#include <autograd/explain.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/pass.hpp>
#include <autograd/plan/samples.hpp>
#include <autograd/primitive.hpp>

#include <algorithm>
#include <numeric>
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

/// For each source, or target.
template <class T>
using Results = std::vector<Tensor<T>>;

/// What the passes for the unit vectors 0 ... count - 1 of this shape give, with the elements `count` apart; many in one where
/// its operations can do so. Nothing if that can't be done, or gains nothing.
template <class T, class Pass>
std::optional<std::vector<Results<T>>> joint_passes(const Shape& shape, std::size_t count, const Pass& pass,
                                                    const char* operation, Location location)
{
    if (count < least_count || shape.rank() == max_rank)
    {
        return {};
    }
    const auto function = [&](std::span<detail::Node* const> nodes)
    {
        detail::retain(nodes[0]);
        std::vector<detail::Node*> results;
        for (Tensor<T>& result : pass(Tensor<T>::adopt(nodes[0])))
        {
            results.push_back(result.disown());
        }
        return results;
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
        std::vector<Results<T>> lines;
        for (std::size_t begin = 0; begin < count; begin += chunk)
        {
            const std::size_t number = std::min(chunk, count - begin);
            const Tensor<T> all = units_at(number, [&](std::size_t k) { return begin + k; });
            detail::Node* const node = all.node();
            lines.emplace_back();
            for (detail::Node* const result : program.run({&node, 1}, number))
            {
                lines.back().push_back(Tensor<T>::adopt(result));
            }
        }
        return lines;
    }
    // Such as for a pullback that reads numbers, or arrays of too many axes. What is wrong with each, one shows by itself.
    catch (const Error&)
    {
        return {};
    }
}

/// What all passes give, in shape (count, samples, length) for each of its results.
template <class T, class Pass>
Results<T> all_passes(const Shape& shape, std::size_t count, std::size_t samples,
                      const std::vector<std::size_t>& lengths, const Pass& pass, const char* operation,
                      Location location)
{
    Results<T> all;
    if (const auto joint = joint_passes<T>(shape, count, pass, operation, location))
    {
        for (std::size_t k = 0; k < lengths.size(); ++k)
        {
            Results<T> parts;
            for (const Results<T>& part : *joint)
            {
                parts.push_back(part[k]);
            }
            const Tensor<T> whole = parts.size() == 1 ? parts.front() : concatenate(parts, 0, location);
            all.push_back(reshape(whole, Shape{count, samples, lengths[k]}, location));
        }
        return all;
    }
    std::vector<Results<T>> lines(lengths.size());
    for (std::size_t i = 0; i < count; ++i)
    {
        const Results<T> line = pass(units<T>(shape, i, count));
        for (std::size_t k = 0; k < lengths.size(); ++k)
        {
            lines[k].push_back(reshape(line[k], Shape{samples, lengths[k]}, location));
        }
    }
    for (std::size_t k = 0; k < lengths.size(); ++k)
    {
        all.push_back(count == 0 ? detail::zeros<T>(Shape{count, samples, lengths[k]}) : stack(lines[k], 0, location));
    }
    return all;
}

/// From lines in shape (count, samples, length) to matrices in shape (samples, rows, columns).
template <class T>
Tensor<T> as_matrices(const Tensor<T>& lines, bool are_columns, Location location)
{
    const std::size_t count = lines.shape(0);
    const std::size_t length = lines.shape(2);
    if (lines.shape(1) != 1)
    {
        return transpose(lines, are_columns ? Axes{1, 2, 0} : Axes{1, 0, 2}, location);
    }
    if (!are_columns)
    {
        return reshape(lines, Shape{1, count, length}, location);
    }
    const Tensor<T> matrix = reshape(lines, Shape{count, length}, location);
    return reshape(transpose(matrix, {}, location), Shape{1, length, count}, location);
}

/// The Jacobians of `samples` samples by each source, in shape (samples, elements of the target's, elements of the source's).
template <class T>
Results<T> jacobians(GradientTape& tape, const Tensor<T>& target, std::span<detail::Node* const> sources,
                     std::size_t samples, Mode mode, const char* operation, Location location)
{
    const auto elements_of = [samples](std::size_t elements) { return samples == 0 ? 0 : elements / samples; };
    detail::Node* const node = target.node();
    const detail::Question question{operation, detail::Demand::none, location};
    const std::size_t rows = elements_of(target.size());
    std::vector<std::size_t> columns;
    for (detail::Node* const source : sources)
    {
        columns.push_back(elements_of(source->elements));
    }
    Results<T> result;
    if (mode == Mode::forward ||
        (mode == Mode::automatic && std::accumulate(columns.begin(), columns.end(), std::size_t{0}) < rows))
    {
        for (std::size_t k = 0; k < sources.size(); ++k)
        {
            const auto pass = [&](const Tensor<T>& unit)
            {
                detail::Node* const direction = unit.node();
                detail::Node* tangent = nullptr;
                detail::TapeAccess::jvp(tape, {&node, 1}, {&sources[k], 1}, {&direction, 1}, {&tangent, 1}, question);
                return Results<T>{Tensor<T>::adopt(tangent)};
            };
            const Results<T> lines =
                all_passes<T>(sources[k]->shape, columns[k], samples, {rows}, pass, operation, location);
            result.push_back(as_matrices(lines[0], true, location));
        }
        return result;
    }
    const auto pass = [&](const Tensor<T>& unit)
    {
        detail::Node* const dy = unit.node();
        std::vector<detail::Node*> gradients(sources.size());
        detail::TapeAccess::gradient(tape, {&node, 1}, {&dy, 1}, sources, gradients, question);
        Results<T> tensors;
        for (detail::Node* const gradient : gradients)
        {
            tensors.push_back(Tensor<T>::adopt(gradient));
        }
        return tensors;
    };
    for (const Tensor<T>& lines : all_passes<T>(target.shape(), rows, samples, columns, pass, operation, location))
    {
        result.push_back(as_matrices(lines, false, location));
    }
    return result;
}

/// Throws as `gradient` would.
template <class T>
void require_connected(const GradientTape& tape, const Tensor<T>& target, const Tensor<T>& source,
                       Unconnected unconnected, const char* operation, Location location)
{
    detail::TapeState& state = *detail::TapeAccess::state(tape);
    if (unconnected == Unconnected::error && !explain(tape, target, source).connected)
    {
        detail::throw_unconnected(state, target.node(), source.node(), 0, {operation, detail::Demand::each, location});
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
    find(target.node(), detail::demand(options.unconnected), "jacobian", location);
    require_connected(*this, target, source, options.unconnected, "jacobian", location);
    const Repeat repeat(state_);
    Shape shape = target.shape();
    append(shape, source.shape(), 0);
    detail::Node* const node = source.node();
    const Results<T> found = jacobians(*this, target, {&node, 1}, 1, options.mode, "jacobian", location);
    return reshape(found[0], shape, location);
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
    find(target.node(), detail::demand(options.unconnected), "batch_jacobian", location);
    require_connected(*this, target, source, options.unconnected, "batch_jacobian", location);
    const Repeat repeat(state_);
    Shape shape = target.shape();
    append(shape, source.shape(), 1);
    detail::Node* const node = source.node();
    const Results<T> found =
        jacobians(*this, target, {&node, 1}, target.shape(0), options.mode, "batch_jacobian", location);
    return reshape(found[0], shape, location);
}

namespace
{

/// As TapeAccess::jacobian, of elements of one type. Several targets are one after another for the passes.
template <class T>
std::vector<detail::Node*> jacobian_blocks(GradientTape& tape, std::span<detail::Node* const> targets,
                                           std::span<detail::Node* const> sources, Mode mode, bool as_matrices,
                                           const char* operation, Location location)
{
    Results<T> parts;
    std::vector<std::ptrdiff_t> rows;
    for (detail::Node* const target : targets)
    {
        detail::retain(target);
        parts.push_back(Tensor<T>::adopt(target));
        rows.push_back(static_cast<std::ptrdiff_t>(target->elements));
    }
    Tensor<T> whole = parts[0];
    if (parts.size() > 1)
    {
        Results<T> flat;
        for (const Tensor<T>& part : parts)
        {
            flat.push_back(flatten(part, location));
        }
        whole = concatenate(flat, 0, location);
    }
    const Repeat repeat(detail::TapeAccess::state(tape));
    std::vector<Results<T>> by_source;
    for (const Tensor<T>& each : jacobians(tape, whole, sources, 1, mode, operation, location))
    {
        by_source.push_back(parts.size() == 1 ? Results<T>{each} : split_with_sizes(each, rows, 1, location));
    }
    std::vector<detail::Node*> blocks;
    for (std::size_t i = 0; i < targets.size(); ++i)
    {
        for (std::size_t k = 0; k < sources.size(); ++k)
        {
            Shape shape = as_matrices ? Shape{targets[i]->elements, sources[k]->elements} : targets[i]->shape;
            append(shape, as_matrices ? Shape{} : sources[k]->shape, 0);
            blocks.push_back(reshape(by_source[k][i], shape, location).disown());
        }
    }
    return blocks;
}

}

std::vector<detail::Node*> detail::TapeAccess::jacobian(GradientTape& tape, std::span<Node* const> targets,
                                                        std::span<Node* const> sources, Mode mode, bool as_matrices,
                                                        const char* operation, Location location)
{
    const DType dtype = sources.front()->dtype;
    const auto differs = [dtype](const Node* node) { return node->dtype != dtype; };
    if (std::any_of(targets.begin(), targets.end(), differs) || std::any_of(sources.begin(), sources.end(), differs))
    {
        throw ValueError(operation, "the arguments and results must all be of float, or all of double", location,
                         "Convert with autograd::cast.");
    }
    return dtype == DType::float32
               ? jacobian_blocks<float>(tape, targets, sources, mode, as_matrices, operation, location)
               : jacobian_blocks<double>(tape, targets, sources, mode, as_matrices, operation, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> GradientTape::jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);          \
    template Tensor<T> GradientTape::batch_jacobian(const Tensor<T>&, const Tensor<T>&, JacobianOptions, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
