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
    Reading reading;
    DrawLog draws;
    {
        const Rehearsal rehearsal;
        output = f(inputs);
        reading = rehearsal.read(operands, "recompute_grad", location);
    }
    for (const Held& source : reading.sources())
    {
        operands.push_back(source.get());
    }
    NodePullback pullback = [f, inputs, reading, drawn = draws.drawn(), location](Node* dy, Node*)
    {
        reading.require_unchanged("recompute_grad", "before the backward pass", location);
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
        for (const Held& source : reading.sources())
        {
            nodes.push_back(source.get());
        }
        std::vector<Node*> gradients(nodes.size());
        Node* const target = y.node();
        TapeAccess::gradient(tape, {&target, 1}, {&dy, 1}, nodes, gradients, {"gradient", Demand::none, location});
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
