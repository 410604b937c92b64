#include "libtorch.hpp"
#include "operations.hpp"

namespace benchmarks
{

namespace
{

using Tensors = std::vector<torch::Tensor>;

/// Computes f of the inputs, and its gradients with respect to them, given that of the result.
template <class F>
Workload forward_and_backward(const Tensors& inputs, F f)
{
    const torch::Tensor cotangent = random_tensor<float>(f(inputs).sizes(), 99);
    const auto step = [=]
    {
        const torch::Tensor y = f(inputs);
        return std::pair(y, torch::autograd::grad({y}, inputs, {cotangent}));
    };
    return {{[=] { step(); },
             [=]
             {
                 const auto result = step();
                 double sum = result.first.square().sum().template item<double>();
                 for (const torch::Tensor& gradient : result.second)
                 {
                     sum += gradient.square().sum().template item<double>();
                 }
                 return sum;
             }}};
}

torch::Tensor variable(std::vector<std::size_t> shape, unsigned seed)
{
    return random_tensor<float>(std::vector<std::int64_t>(shape.begin(), shape.end()), seed).requires_grad_();
}

torch::Tensor indices(std::vector<std::size_t> shape, std::size_t bound, unsigned seed)
{
    return random_tensor<float>(std::vector<std::int64_t>(shape.begin(), shape.end()), seed, 0,
                                static_cast<double>(bound))
        .to(torch::kLong);
}

Workload conv2d(std::size_t size)
{
    const auto [batch, channels, extent, filters] = conv2d_sizes[size];
    return forward_and_backward({variable({batch, channels, extent, extent}, 1), variable({filters, channels, 3, 3}, 2),
                                 variable({filters}, 3)},
                                [](const Tensors& x) { return torch::conv2d(x[0], x[1], x[2], 1, 1); });
}

Workload layer_norm(std::size_t size)
{
    const auto [rows, columns] = layer_norm_sizes[size];
    const auto width = static_cast<std::int64_t>(columns);
    return forward_and_backward({variable({rows, columns}, 1), variable({columns}, 2), variable({columns}, 3)},
                                [=](const Tensors& x) { return torch::layer_norm(x[0], {width}, x[1], x[2]); });
}

Workload cross_entropy(std::size_t size)
{
    const auto [rows, columns] = cross_entropy_sizes[size];
    const torch::Tensor labels = indices({rows}, columns, 2);
    return forward_and_backward({variable({rows, columns}, 1)},
                                [=](const Tensors& x) { return torch::nn::functional::cross_entropy(x[0], labels); });
}

Workload matmul(std::size_t size)
{
    const std::size_t n = matmul_sizes[size];
    return forward_and_backward({variable({n, n}, 1), variable({n, n}, 2)},
                                [](const Tensors& x) { return torch::matmul(x[0], x[1]); });
}

template <int axis>
Workload sum(std::size_t size)
{
    const auto [first, middle, last] = sum_sizes[size];
    return forward_and_backward({variable({first, middle, last}, 1)},
                                [](const Tensors& x) { return torch::sum(x[0], axis); });
}

Workload transpose(std::size_t size)
{
    const auto [rows, columns] = transpose_sizes[size];
    const torch::Tensor other =
        random_tensor<float>({static_cast<std::int64_t>(columns), static_cast<std::int64_t>(rows)}, 2);
    return forward_and_backward({variable({rows, columns}, 1)},
                                [=](const Tensors& x) { return x[0].transpose(0, 1) * other; });
}

Workload gather(std::size_t size)
{
    const auto [rows, columns, gathered] = gather_sizes[size];
    const torch::Tensor chosen = indices({gathered, columns}, rows, 2);
    return forward_and_backward({variable({rows, columns}, 1)},
                                [=](const Tensors& x) { return torch::gather(x[0], 0, chosen); });
}

// Version 1.13 has no such function yet: this is what its documentation gives for it.
Workload attention(std::size_t size)
{
    const auto [batch, heads, length, width] = attention_sizes[size];
    const double scale = 1 / std::sqrt(static_cast<double>(width));
    return forward_and_backward({variable({batch, heads, length, width}, 1), variable({batch, heads, length, width}, 2),
                                 variable({batch, heads, length, width}, 3)},
                                [=](const Tensors& x)
                                {
                                    const torch::Tensor scores = torch::matmul(x[0] * scale, x[1].transpose(-2, -1));
                                    return torch::matmul(torch::softmax(scores, -1), x[2]);
                                });
}

Workload conv_transpose2d(std::size_t size)
{
    const auto [batch, channels, extent, filters] = conv_transpose2d_sizes[size];
    return forward_and_backward(
        {variable({batch, channels, extent, extent}, 1), variable({channels, filters, 3, 3}, 2)},
        [](const Tensors& x) { return torch::conv_transpose2d(x[0], x[1], {}, 2, 1); });
}

template <class F>
Workload of_image(std::size_t size, F f)
{
    const auto [batch, channels, extent] = image_sizes[size];
    return forward_and_backward({variable({batch, channels, extent, extent}, 1)},
                                [=](const Tensors& x) { return f(x[0]); });
}

Workload max_pool2d(std::size_t size)
{
    return of_image(size, [](const torch::Tensor& x) { return torch::max_pool2d(x, 3, 2, 1); });
}

Workload avg_pool2d(std::size_t size)
{
    return of_image(size, [](const torch::Tensor& x) { return torch::avg_pool2d(x, 2); });
}

Workload interpolate(std::size_t size)
{
    return of_image(size,
                    [](const torch::Tensor& x)
                    {
                        return torch::nn::functional::interpolate(x, torch::nn::functional::InterpolateFuncOptions()
                                                                         .scale_factor(std::vector<double>{2, 2})
                                                                         .mode(torch::kBilinear)
                                                                         .align_corners(false));
                    });
}

Workload batch_norm(std::size_t size)
{
    const auto [batch, channels, extent] = image_sizes[size];
    return forward_and_backward(
        {variable({batch, channels, extent, extent}, 1), variable({channels}, 2), variable({channels}, 3)},
        [](const Tensors& x) { return torch::batch_norm(x[0], x[1], x[2], {}, {}, true, 0.1, 1e-5, false); });
}

Workload embedding(std::size_t size)
{
    const auto [words, width, length] = embedding_sizes[size];
    const torch::Tensor chosen = indices({length}, words, 2);
    return forward_and_backward({variable({words, width}, 1)},
                                [=](const Tensors& x) { return torch::embedding(x[0], chosen); });
}

template <class F>
Workload of_rows(std::size_t size, F f)
{
    const auto [rows, columns] = row_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1)}, [=](const Tensors& x) { return f(x[0]); });
}

Workload concatenate(std::size_t size)
{
    const auto [rows, columns] = row_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1), variable({rows, columns}, 2)},
                                [](const Tensors& x) {
                                    return torch::cat({x[0], x[1]}, 1);
                                });
}

Workload split(std::size_t size)
{
    return of_rows(size,
                   [](const torch::Tensor& x)
                   {
                       const auto parts = x.chunk(4, 1);
                       return parts[0] * parts[1] * parts[2] * parts[3];
                   });
}

Workload cumsum(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return torch::cumsum(x, 1); });
}

Workload sort(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return std::get<0>(torch::sort(x, 1)); });
}

Workload variance(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return torch::var(x, 1); });
}

Workload largest(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return torch::amax(x, 1); });
}

Workload gelu(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return torch::gelu(x); });
}

Workload where(std::size_t size)
{
    return of_rows(size, [](const torch::Tensor& x) { return torch::where(x > 0, x, 0.1F * x); });
}

}

Workload make_operation_with_libtorch(std::size_t operation, std::size_t size)
{
    constexpr Workload (*makers[])(std::size_t) = {
        conv2d,      layer_norm, cross_entropy,    matmul,     sum<0>,     sum<1>,     sum<2>,      transpose,
        gather,      attention,  conv_transpose2d, max_pool2d, avg_pool2d, batch_norm, interpolate, embedding,
        concatenate, split,      cumsum,           sort,       variance,   largest,    gelu,        where};
    static_assert(sizeof(makers) / sizeof(makers[0]) == operation_count);
    return makers[operation](size);
}

}
