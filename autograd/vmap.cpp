#include <autograd/axes.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/plan/samples.hpp>
#include <autograd/vmap.hpp>

#include <algorithm>
#include <string>

namespace autograd::detail
{

namespace
{

using BatchAxis = std::optional<std::ptrdiff_t>;

/// One an array.
std::vector<BatchAxis> axes_of(std::span<const std::size_t> counts, const VmapOptions& options, Location location)
{
    const std::size_t given = options.in_axes.size();
    if (given != 0 && given != counts.size())
    {
        throw ValueError("vmap",
                         "in_axes must have an axis for each argument: got " + std::to_string(given) + " for " +
                             std::to_string(counts.size()) + (counts.size() == 1 ? " argument" : " arguments"),
                         location, "Write std::nullopt for one that all samples share.");
    }
    std::vector<BatchAxis> axes;
    for (std::size_t k = 0; k < counts.size(); ++k)
    {
        if (counts[k] != 0)
        {
            axes.insert(axes.end(), counts[k], given != 0 ? options.in_axes[k] : BatchAxis(0));
        }
        else if (given != 0 && options.in_axes[k])
        {
            throw ValueError("vmap",
                             "argument " + std::to_string(k + 1) +
                                 " is no array of floating-point numbers and has no axis for samples",
                             location, "Write std::nullopt for what all samples share.");
        }
    }
    return axes;
}

/// The array with this axis in front.
Held with_samples_in_front(Node* node, std::ptrdiff_t axis, Location location)
{
    if (node->shape.rank() == 0)
    {
        throw ShapeError("vmap", "a 0-d argument has no axis for samples", location,
                         "Write std::nullopt in in_axes for what all samples share.");
    }
    const auto from = static_cast<std::ptrdiff_t>(normalize_axis(axis, node->shape.rank(), "vmap", location));
    if (from == 0)
    {
        return hold(node);
    }
    const auto moved = [&]<class T>(T)
    {
        retain(node);
        return adopt(moveaxis(Tensor<T>::adopt(node), from, 0, location).disown());
    };
    return node->dtype == DType::float32 ? moved(0.F) : moved(0.0);
}

Draws draws_of(Randomness randomness)
{
    return randomness == Randomness::error  ? Draws::refused
           : randomness == Randomness::same ? Draws::shared
                                            : Draws::by_samples;
}

}

void throw_other_results(std::size_t first, std::size_t other, Location location)
{
    throw CompileError("vmap",
                       "the function gives other structures for other samples: " + std::to_string(first) +
                           " tensors and " + std::to_string(other),
                       location);
}

std::vector<Node*> map_samples(std::span<const std::size_t> counts, std::span<Node* const> arrays,
                               const NodeFunction& function, const VmapOptions& options, Location location)
{
    const std::vector<BatchAxis> axes = axes_of(counts, options, location);
    std::vector<Held> held;
    std::vector<Node*> nodes;
    std::vector<SampleArgument> sample;
    std::optional<std::size_t> samples;
    std::string extents;
    bool differ = false;
    for (std::size_t k = 0; k < arrays.size(); ++k)
    {
        held.push_back(axes[k] ? with_samples_in_front(arrays[k], *axes[k], location) : hold(arrays[k]));
        nodes.push_back(held.back().get());
        sample.push_back({nodes.back(), axes[k].has_value()});
        if (axes[k])
        {
            const std::size_t count = nodes.back()->shape[0];
            extents += (extents.empty() ? "" : ", ") + std::to_string(count);
            differ |= samples.value_or(count) != count;
            samples = count;
        }
    }
    if (!samples)
    {
        throw ValueError("vmap", "no argument has an axis for samples", location, "Call the function as it is.");
    }
    if (differ)
    {
        throw ShapeError("vmap", "arguments must have as many samples: got " + extents, location);
    }
    const Asker asker{"vmap", location};
    const SampleProgram program(sample, function, draws_of(options.randomness), asker);
    bool same = program.complete();
    if (same && *samples > 1)
    {
        for (SampleArgument& argument : sample)
        {
            argument.sample = *samples - 1;
        }
        same = program.agrees(SampleProgram(sample, function, draws_of(options.randomness), asker));
    }
    return same ? program.run(nodes, *samples) : program.call(function, nodes, *samples);
}

}
