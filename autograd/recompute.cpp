#include <autograd/custom.hpp>
#include <autograd/generator.hpp>
#include <autograd/recompute.hpp>
#include <autograd/rehearsal.hpp>

#include <memory>

namespace autograd
{

namespace
{

using detail::Held;
using detail::Node;

/// Lets generators draw what they drew before, and then go on from where they are now.
class Replay
{
public:
    explicit Replay(const std::vector<std::pair<Generator*, Generator>>& drawn)
    {
        for (const auto& [generator, before] : drawn)
        {
            now_.emplace_back(generator, *generator);
            *generator = before;
        }
    }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    ~Replay()
    {
        for (const auto& [generator, state] : now_)
        {
            *generator = state;
        }
    }

private:
    std::vector<std::pair<Generator*, Generator>> now_;
};

/// What a variable was when the function read it first.
struct Snapshot
{
    Held variable;
    Held value;
};

}

template <Real T>
Tensor<T> detail::recompute(const FunctionOfTensors<T>& f, const std::vector<Tensor<T>>& inputs, Location location)
{
    if (!Arena::current().recording())
    {
        return f(inputs);
    }
    Tensor<T> output;
    std::vector<Node*> operands;
    for (const Tensor<T>& input : inputs)
    {
        operands.push_back(input.node());
    }
    std::vector<Held> sources;
    DrawLog draws;
    {
        const Rehearsal rehearsal;
        output = f(inputs);
        sources = rehearsal.read(operands);
    }
    for (const Held& source : sources)
    {
        operands.push_back(source.get());
    }
    std::vector<Snapshot> snapshots;
    for (const Held& source : sources)
    {
        if (source->is_variable)
        {
            snapshots.push_back({source, adopt(snapshot(source.get()))});
        }
    }
    NodePullback pullback = [f, inputs, sources, snapshots, drawn = draws.drawn(), location](Node* dy, Node*)
    {
        for (const Snapshot& snapshot : snapshots)
        {
            if (!has_value_of(snapshot.variable.get(), snapshot.value.get()))
            {
                throw TapeError("recompute_grad",
                                "a variable of shape " + to_string(snapshot.variable->shape) +
                                    " that the function reads was assigned before the backward pass",
                                location, "Assign it after the gradient, or give it to the function as an argument.");
            }
        }
        const OwnLines own_lines;
        const Replay replay(drawn);
        GradientTape tape({}, location);
        for (const Tensor<T>& input : inputs)
        {
            tape.watch(input, location);
        }
        const Tensor<T> y = f(inputs);
        std::vector<Node*> nodes;
        for (const Tensor<T>& input : inputs)
        {
            nodes.push_back(input.node());
        }
        for (const Held& source : sources)
        {
            nodes.push_back(source.get());
        }
        std::vector<Node*> gradients(nodes.size());
        TapeAccess::gradient(tape, y.node(), dy, nodes, gradients, Unconnected::zero, location);
        return gradients;
    };
    return Tensor<T>::adopt(
        with_gradient(recompute_grad_operation, output.node(), operands, std::move(pullback), location));
}

template Tensor<float> detail::recompute<float>(const FunctionOfTensors<float>&, const std::vector<Tensor<float>>&,
                                                Location);
template Tensor<double> detail::recompute<double>(const FunctionOfTensors<double>&, const std::vector<Tensor<double>>&,
                                                  Location);

}
