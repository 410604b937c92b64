#include "libtorch.hpp"

#include <ATen/Version.h>
#include <dlfcn.h>

namespace benchmarks
{

namespace
{

Workload scalar_sgd()
{
    auto a = torch::ones({}, torch::kDouble).requires_grad_();
    auto b = torch::ones({}, torch::kDouble).requires_grad_();
    auto sgd = std::make_shared<torch::optim::SGD>(std::vector<torch::Tensor>{a, b}, torch::optim::SGDOptions(1));
    const auto step = [=]
    {
        auto loss = a * a + b * b;
        sgd->zero_grad();
        loss.backward();
        sgd->step();
        return loss;
    };
    return {{[=] { step(); }, [=] { return step().item<double>() + a.item<double>() + 2 * b.item<double>(); }}};
}

Workload line()
{
    const auto xs = random_tensor<float>({line_points}, 1);
    const auto ys = 3 * xs + 2 + random_tensor<float>({line_points}, 2, -0.3, 0.3);
    auto a = torch::ones({}).requires_grad_();
    auto b = torch::ones({}).requires_grad_();
    auto sgd = std::make_shared<torch::optim::SGD>(std::vector<torch::Tensor>{a, b}, torch::optim::SGDOptions(0.01));
    const auto learn = [=](const torch::Tensor& x, const torch::Tensor& y)
    {
        auto loss = torch::mean(torch::square(a * x + b - y));
        sgd->zero_grad();
        loss.backward();
        sgd->step();
        return loss;
    };
    const auto learn_some = [=]
    {
        const auto drawn = torch::randperm(line_points).slice(0, 0, line_batch);
        learn(xs.index_select(0, drawn), ys.index_select(0, drawn));
    };
    return {{learn_some, [=] { return learn(xs, ys).item<double>(); }}};
}

/// A gradient of leaves; it frees the old gradients, which is faster than filling them with zeros.
template <class Loss>
Workload gradient(std::vector<torch::Tensor> leaves, Loss loss, double loss_scale = 1, double gradient_scale = 1)
{
    const auto step = [=]
    {
        auto value = loss();
        for (const torch::Tensor& leaf : leaves)
        {
            leaf.mutable_grad().reset();
        }
        value.backward();
        return value;
    };
    const auto check = [=]
    {
        double sum = loss_scale * step().template item<double>();
        for (const torch::Tensor& leaf : leaves)
        {
            sum += gradient_scale *
                   (leaf.dim() == 0 ? leaf.grad() : torch::sum(leaf.grad().square())).template item<double>();
        }
        return sum;
    };
    return {{[=] { step(); }, check}};
}

Workload scalar_chain_of(std::size_t length)
{
    auto start = torch::tensor(0.5, torch::kDouble).requires_grad_();
    auto factor = torch::tensor(0.9999, torch::kDouble).requires_grad_();
    return gradient({start, factor},
                    [=]
                    {
                        torch::Tensor x = start;
                        for (std::size_t i = 0; i < length / 2; ++i)
                        {
                            x = torch::sin(x * factor);
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
    auto x = random_tensor<T>({1'000'000}, 1, -2, 2).requires_grad_();
    return gradient({x}, [=]
                    { return torch::sum(torch::tanh(torch::sin(x) * torch::exp(-(x * x))) + torch::sigmoid(x) * x); });
}

Workload softmax()
{
    const auto x = random_tensor<float>({512, 1024}, 1), t = random_tensor<float>({512, 1024}, 2, 0, 0.002);
    auto b = random_tensor<float>({1024}, 3).requires_grad_();
    return gradient(
        {b}, [=] { return torch::mean(torch::pow(torch::softmax(x + b, -1) - t, 2)); }, 1e6, 1e12);
}

Workload hessian_vector()
{
    const auto x = random_tensor<double>({64, 32}, 1), y = random_tensor<double>({64, 1}, 2);
    std::vector<torch::Tensor> leaves, vectors;
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{64, 32}, {64}, {1, 64}, {1}})
    {
        const auto seed = static_cast<unsigned>(3 + 2 * leaves.size());
        leaves.push_back(random_tensor<double>(shape, seed, -0.2, 0.2).requires_grad_());
        vectors.push_back(random_tensor<double>(shape, seed + 1));
    }
    const auto product = [=]
    {
        const auto hidden = torch::tanh(torch::nn::functional::linear(x, leaves[0], leaves[1]));
        const auto loss = torch::mse_loss(torch::nn::functional::linear(hidden, leaves[2], leaves[3]), y);
        const auto gradients = torch::autograd::grad({loss}, leaves, {}, true, true);
        return torch::autograd::grad(gradients, leaves, vectors);
    };
    const auto check = [=]
    {
        double sum = 0;
        for (const torch::Tensor& part : product())
        {
            sum += torch::sum(part.square()).item<double>();
        }
        return sum;
    };
    return {[=] { product(); }, check};
}

template <class Optimizer, class Options>
Workload optimizer_step(ParameterList list, const Options& options)
{
    std::vector<torch::Tensor> parameters;
    for (unsigned k = 0; k < list.count; ++k)
    {
        const auto elements = static_cast<std::int64_t>(list.elements);
        parameters.push_back(random_tensor<float>({elements}, k).requires_grad_());
        parameters.back().mutable_grad() = random_tensor<float>({elements}, k + 1);
    }
    auto optimizer = std::make_shared<Optimizer>(parameters, options);
    return {{[=] { optimizer->step(); },
             [=]
             {
                 optimizer->step();
                 torch::NoGradGuard no_grad;
                 return torch::sum(torch::square(parameters.back())).template item<double>();
             }}};
}

template <const ParameterList& list>
Workload sgd_step()
{
    return optimizer_step<torch::optim::SGD>(list, torch::optim::SGDOptions(1e-4).momentum(0.9));
}

template <const ParameterList& list>
Workload adam_step()
{
    return optimizer_step<torch::optim::Adam>(list, torch::optim::AdamOptions(1e-4));
}

Workload make(std::size_t workload)
{
    using namespace with_libtorch;
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
    static_assert(sizeof(makers) / sizeof(makers[0]) == step_count);
    return workload < step_count
               ? makers[workload]()
               : make_operation_with_libtorch((workload - step_count) / 2, (workload - step_count) % 2);
}

Workload grow(Growth growth, std::size_t size)
{
    const auto extent = static_cast<std::int64_t>(size);
    if (growth == Growth::operations)
    {
        return scalar_chain_of(size);
    }
    if (growth == Growth::elements)
    {
        auto x = random_tensor<float>({extent}, 1).requires_grad_();
        return gradient({x}, [=] { return torch::sum(torch::sin(x) * x); });
    }
    auto a = random_tensor<float>({extent, extent}, 1).requires_grad_();
    auto b = random_tensor<float>({extent, extent}, 2).requires_grad_();
    return gradient({a, b}, [=] { return torch::sum(torch::square(torch::matmul(a, b))); });
}

/// A function of OpenBLAS, if that is the BLAS which LibTorch found.
template <class F>
F* openblas(const char* function)
{
    return reinterpret_cast<F*>(dlsym(RTLD_DEFAULT, function));
}

std::string describe()
{
    std::string text = "version " + std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) +
                       "." + std::to_string(TORCH_VERSION_PATCH);
    const std::string config = at::show_config();
    const auto capability = config.find("CPU capability");
    if (capability != std::string::npos)
    {
        text += "; " + config.substr(capability, config.find('\n', capability) - capability);
    }
    const auto corename = openblas<const char*()>("openblas_get_corename");
    return text + "; BLAS: " + (corename != nullptr ? std::string("OpenBLAS for ") + corename() : "not OpenBLAS");
}

// The BLAS has threads of its own, which LibTorch does not set where it was built without MKL, as Debian's is.
void set_num_threads(int count)
{
    // Setting even the number that is set already starts threads, and with them locked instructions everywhere.
    if (at::get_num_threads() != count)
    {
        at::set_num_threads(count);
    }
    if (const auto set_blas_threads = openblas<void(int)>("openblas_set_num_threads"))
    {
        set_blas_threads(count);
    }
}

}

const Library libtorch{"LibTorch", describe, make, grow, set_num_threads, [] {}};

}
