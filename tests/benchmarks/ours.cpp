#include "ours.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <utility>

namespace benchmarks
{

namespace
{

// With this learning rate the variables only change sign. With a smaller one they would soon be denormal numbers, with which
// the processor alone takes longer than all the rest.
Workload scalar_sgd()
{
    ag::Variable a(1.0), b(1.0);
    auto sgd = std::make_shared<optim::SGD>(std::vector<optim::Parameter>{a, b}, optim::SGDOptions{.lr = 1});
    const auto step = [=]
    {
        ag::GradientTape tape;
        auto loss = a * a + b * b;
        sgd->zero_grad();
        loss.backward();
        sgd->step();
        return loss;
    };
    const auto variant = [=](auto step) {
        return Variant{[=] { step(); }, [=] { return step().item() + a.item() + 2 * b.item(); }};
    };
    return {variant(step), variant(compiled(step))};
}

Workload line()
{
    const xt::xarray<float> xs = random_array<float>({line_points}, 1);
    const xt::xarray<float> ys = 3 * xs + 2 + random_array<float>({line_points}, 2, -0.3, 0.3);
    ag::Variable<float> a(1.f), b(1.f);
    auto sgd = std::make_shared<optim::SGD>(std::vector<optim::Parameter>{a, b}, optim::SGDOptions{.lr = 0.01});
    const auto learn = [=](const ag::Tensor<float>& x, const ag::Tensor<float>& y)
    {
        ag::GradientTape tape;
        auto loss = ag::mean(ag::square(a * x + b - y));
        sgd->zero_grad();
        loss.backward();
        sgd->step();
        return loss;
    };
    std::array<std::size_t, line_points> numbers;
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto variant = [=](auto learn)
    {
        const auto learn_some = [=, numbers = numbers, generator = std::mt19937(3)]() mutable
        {
            xt::xarray<float> x = xt::xarray<float>::from_shape({line_batch});
            xt::xarray<float> y = xt::xarray<float>::from_shape({line_batch});
            for (std::size_t i = 0; i < line_batch; ++i)
            {
                std::uniform_int_distribution<std::size_t> rest(i, line_points - 1);
                std::swap(numbers[i], numbers[rest(generator)]);
                x(i) = xs(numbers[i]);
                y(i) = ys(numbers[i]);
            }
            learn(x, y);
        };
        return Variant{learn_some, [=] { return static_cast<double>(learn(xs, ys).item()); }};
    };
    return {variant(learn), variant(compiled(learn))};
}

/// The gradient of a loss of some leaves.
template <class Loss, class T>
Workload gradient(std::vector<ag::Variable<T>> leaves, Loss loss, double loss_scale = 1, double gradient_scale = 1)
{
    auto step = [=]() mutable
    {
        ag::GradientTape tape;
        auto value = loss();
        for (ag::Variable<T>& leaf : leaves)
        {
            leaf.zero_grad();
        }
        value.backward();
        return value;
    };
    const auto variant = [=](auto step)
    {
        const auto check = [=]() mutable
        {
            double sum = loss_scale * step().item();
            for (const ag::Variable<T>& leaf : leaves)
            {
                sum += gradient_scale * (leaf.dimension() == 0 ? leaf.grad() : ag::sum(ag::square(leaf.grad()))).item();
            }
            return sum;
        };
        return Variant{[=]() mutable { step(); }, check};
    };
    return {variant(step), variant(compiled(step))};
}

Workload scalar_chain_of(std::size_t length)
{
    ag::Variable start(0.5), factor(0.9999);
    return gradient(std::vector{start, factor},
                    [=]
                    {
                        ag::Tensor<double> x = start;
                        for (std::size_t i = 0; i < length / 2; ++i)
                        {
                            x = ag::sin(x * factor);
                        }
                        return x;
                    });
}

Workload scalar_chain()
{
    return scalar_chain_of(chain_length);
}

template <class T>
Workload elementwise()
{
    ag::Variable<T> x(random_array<T>({1'000'000}, 1, -2, 2));
    return gradient(std::vector{x},
                    [=] { return ag::sum(ag::tanh(ag::sin(x) * ag::exp(-(x * x))) + ag::sigmoid(x) * x); });
}

Workload softmax()
{
    const ag::Tensor<float> x(random_array<float>({512, 1024}, 1)), t(random_array<float>({512, 1024}, 2, 0, 0.002));
    ag::Variable<float> b(random_array<float>({1024}, 3));
    return gradient(
        std::vector{b}, [=] { return ag::mean(ag::pow(ag::softmax(ag::constant(x) + b) - ag::constant(t), 2)); }, 1e6,
        1e12);
}

Workload hessian_vector()
{
    const ag::Tensor<double> x(random_array<double>({64, 32}, 1)), y(random_array<double>({64, 1}, 2));
    std::vector<ag::Variable<double>> leaves;
    std::vector<ag::Tensor<double>> vectors;
    for (const std::vector<std::size_t>& shape : {std::vector<std::size_t>{64, 32}, {64}, {1, 64}, {1}})
    {
        const auto seed = static_cast<unsigned>(3 + 2 * leaves.size());
        leaves.emplace_back(random_array<double>(shape, seed, -0.2, 0.2));
        vectors.emplace_back(random_array<double>(shape, seed + 1));
    }
    const auto product = [=]
    {
        ag::GradientTape outer;
        ag::Tensor<double> along(0);
        {
            ag::GradientTape inner;
            const auto hidden = ag::tanh(ag::linear(ag::constant(x), leaves[0], leaves[1]));
            const auto loss = ag::mse_loss(ag::linear(hidden, leaves[2], leaves[3]), ag::constant(y));
            const auto gradients = inner.gradient(loss, leaves);
            for (std::size_t k = 0; k < leaves.size(); ++k)
            {
                along += ag::sum(gradients[k] * ag::constant(vectors[k]));
            }
        }
        return outer.gradient(along, leaves);
    };
    const auto variant = [=](auto product)
    {
        const auto check = [=]
        {
            double sum = 0;
            for (const ag::Tensor<double>& part : product())
            {
                sum += ag::sum(ag::square(part)).item();
            }
            return sum;
        };
        return Variant{[=] { product(); }, check};
    };
    return {variant(product), variant(compiled(product))};
}

template <class Optimizer, class Options>
Workload optimizer_step(ParameterList list, const Options& options)
{
    std::vector<ag::Variable<float>> variables;
    for (unsigned k = 0; k < list.count; ++k)
    {
        variables.emplace_back(random_array<float>({list.elements}, k));
        variables.back().set_grad(random_array<float>({list.elements}, k + 1));
    }
    auto optimizer =
        std::make_shared<Optimizer>(std::vector<optim::Parameter>(variables.begin(), variables.end()), options);
    return {{[=] { optimizer->step(); },
             [=]
             {
                 optimizer->step();
                 return static_cast<double>(ag::sum(ag::square(variables.back())).item());
             }}};
}

template <const ParameterList& list>
Workload sgd_step()
{
    return optimizer_step<optim::SGD>(list, optim::SGDOptions{.lr = 1e-4, .momentum = 0.9});
}

template <const ParameterList& list>
Workload adam_step()
{
    return optimizer_step<optim::Adam>(list, optim::AdamOptions{.lr = 1e-4});
}

Workload make(std::size_t workload)
{
    constexpr Workload (*makers[])() = {scalar_sgd,
                                        line,
                                        small_network,
                                        fashion_network,
                                        wide_network,
                                        elementwise<double>,
                                        elementwise<float>,
                                        lenet,
                                        lstm,
                                        lstm_joined,
                                        softmax,
                                        scalar_chain,
                                        attention_block,
                                        hessian_vector,
                                        sgd_step<many_parameters>,
                                        adam_step<many_parameters>,
                                        sgd_step<large_parameters>,
                                        adam_step<large_parameters>};
    static_assert(std::size(makers) == step_count);
    return workload < step_count ? makers[workload]()
                                 : make_operation((workload - step_count) / 2, (workload - step_count) % 2);
}

Workload grow(Growth growth, std::size_t size)
{
    if (growth == Growth::operations)
    {
        return scalar_chain_of(size);
    }
    if (growth == Growth::elements)
    {
        ag::Variable<float> x(random_array<float>({size}, 1));
        return gradient(std::vector{x}, [=] { return ag::sum(ag::sin(x) * x); });
    }
    ag::Variable<float> a(random_array<float>({size, size}, 1)), b(random_array<float>({size, size}, 2));
    return gradient(std::vector{a, b}, [=] { return ag::sum(ag::square(ag::matmul(a, b))); });
}

std::string describe()
{
    return "this tree";
}

void set_num_threads(int count)
{
    ag::set_num_threads(static_cast<std::size_t>(count));
}

}

const Library ours{"xtensor-autograd", describe, make, grow, set_num_threads, ag::release_cached_memory};

}
