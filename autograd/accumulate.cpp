#include <autograd/accumulate.hpp>
#include <autograd/parallel.hpp>
#include <autograd/tape.hpp>

#include <algorithm>
#include <exception>

namespace autograd
{

namespace
{

/// So many gradients wait for their turn at most.
constexpr std::size_t at_once = 16;

template <class T>
struct Part
{
    T loss = 0;
    std::vector<Tensor<T>> gradients;
    std::exception_ptr error;
};

}

template <Real T>
T detail::accumulate(std::size_t count, const std::function<Tensor<T>(std::size_t)>& loss,
                     const std::vector<Variable<T>>& variables, Location location)
{
    T sum = 0;
    std::vector<Tensor<T>> totals(variables.size());
    for (std::size_t begin = 0; begin < count; begin += at_once)
    {
        std::vector<Part<T>> parts(std::min(at_once, count - begin));
        const auto compute = [&](std::size_t first, std::size_t last)
        {
            for (std::size_t i = first; i < last; ++i)
            {
                try
                {
                    GradientTape tape({}, location);
                    const Tensor<T> value = loss(begin + i);
                    parts[i].gradients = tape.gradient(value, variables, {.unconnected = Unconnected::zero}, location);
                    parts[i].loss = value.item();
                }
                catch (...)
                {
                    parts[i].error = std::current_exception();
                }
            }
        };
        parallel_for(parts.size(), 1, compute);
        for (Part<T>& part : parts)
        {
            if (part.error != nullptr)
            {
                std::rethrow_exception(part.error);
            }
            sum += part.loss;
            for (std::size_t k = 0; k < variables.size(); ++k)
            {
                totals[k] = totals[k].defined() ? totals[k] + part.gradients[k] : part.gradients[k];
            }
        }
    }
    for (std::size_t k = 0; k < variables.size() && count > 0; ++k)
    {
        variables[k].set_grad(variables[k].has_grad() ? variables[k].grad() + totals[k] : totals[k]);
    }
    return sum;
}

template float detail::accumulate(std::size_t, const std::function<Tensor<float>(std::size_t)>&,
                                  const std::vector<Variable<float>>&, Location);
template double detail::accumulate(std::size_t, const std::function<Tensor<double>(std::size_t)>&,
                                   const std::vector<Variable<double>>&, Location);

}
