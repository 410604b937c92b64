#include "operations.hpp"
#include "ours.hpp"

#include <autograd/autograd.hpp>

namespace benchmarks
{

namespace
{

using Tensor = ag::Tensor<float>;
using Variables = std::vector<ag::Variable<float>>;

/// Computes f of the inputs, and its gradients with respect to them, given that of the result.
template <class F>
Workload forward_and_backward(const Variables& inputs, F f)
{
    const ag::Shape shape = f(inputs).shape();
    const Tensor cotangent(random_array<float>({shape.begin(), shape.end()}, 99));
    const auto step = [=]
    {
        ag::GradientTape tape;
        const Tensor y = f(inputs);
        return std::pair(y, tape.gradient(y, inputs, {.output_gradient = cotangent}));
    };
    return {{[=] { step(); },
             [=]
             {
                 const auto [y, gradients] = step();
                 double sum = ag::sum(ag::square(y)).item();
                 for (const Tensor& gradient : gradients)
                 {
                     sum += ag::sum(ag::square(gradient)).item();
                 }
                 return sum;
             }}};
}

ag::Variable<float> variable(const std::vector<std::size_t>& shape, unsigned seed)
{
    return ag::Variable<float>(random_array<float>(shape, seed));
}

xt::xarray<std::int64_t> indices(const std::vector<std::size_t>& shape, std::size_t bound, unsigned seed)
{
    return xt::cast<std::int64_t>(random_array<float>(shape, seed, 0, static_cast<double>(bound)));
}

Workload conv2d(std::size_t size)
{
    const auto [batch, channels, extent, filters] = conv2d_sizes[size];
    return forward_and_backward({variable({batch, channels, extent, extent}, 1), variable({filters, channels, 3, 3}, 2),
                                 variable({filters}, 3)},
                                [](const Variables& x) { return ag::conv2d(x[0], x[1], x[2], {.padding = 1}); });
}

Workload layer_norm(std::size_t size)
{
    const auto [rows, columns] = layer_norm_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1), variable({columns}, 2), variable({columns}, 3)},
                                [](const Variables& x) { return ag::layer_norm(x[0], 1, x[1], x[2]); });
}

Workload cross_entropy(std::size_t size)
{
    const auto [rows, columns] = cross_entropy_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1)},
                                [labels = ag::Indices(indices({rows}, columns, 2))](const Variables& x)
                                { return ag::cross_entropy(x[0], labels); });
}

Workload matmul(std::size_t size)
{
    const std::size_t n = matmul_sizes[size];
    return forward_and_backward({variable({n, n}, 1), variable({n, n}, 2)},
                                [](const Variables& x) { return ag::matmul(x[0], x[1]); });
}

template <int axis>
Workload sum(std::size_t size)
{
    const auto [first, middle, last] = sum_sizes[size];
    return forward_and_backward({variable({first, middle, last}, 1)},
                                [](const Variables& x) { return ag::sum(x[0], axis); });
}

Workload transpose(std::size_t size)
{
    const auto [rows, columns] = transpose_sizes[size];
    const Tensor other(random_array<float>({columns, rows}, 2));
    return forward_and_backward({variable({rows, columns}, 1)},
                                [=](const Variables& x) { return ag::transpose(x[0]) * other; });
}

Workload gather(std::size_t size)
{
    const auto [rows, columns, gathered] = gather_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1)},
                                [chosen = ag::Indices(indices({gathered, columns}, rows, 2))](const Variables& x)
                                { return ag::gather(x[0], 0, chosen); });
}

Workload attention(std::size_t size)
{
    const auto [batch, heads, length, width] = attention_sizes[size];
    const std::vector<std::size_t> shape = {batch, heads, length, width};
    return forward_and_backward({variable(shape, 1), variable(shape, 2), variable(shape, 3)},
                                [](const Variables& x) { return ag::scaled_dot_product_attention(x[0], x[1], x[2]); });
}

Workload conv_transpose2d(std::size_t size)
{
    const auto [batch, channels, extent, filters] = conv_transpose2d_sizes[size];
    return forward_and_backward(
        {variable({batch, channels, extent, extent}, 1), variable({channels, filters, 3, 3}, 2)},
        [](const Variables& x) { return ag::conv_transpose2d(x[0], x[1], {.stride = 2, .padding = 1}); });
}

template <class F>
Workload of_image(std::size_t size, F f)
{
    const auto [batch, channels, extent] = image_sizes[size];
    return forward_and_backward({variable({batch, channels, extent, extent}, 1)},
                                [=](const Variables& x) { return f(x[0]); });
}

Workload max_pool2d(std::size_t size)
{
    return of_image(size, [](const Tensor& x) { return ag::max_pool2d(x, 3, {.stride = 2, .padding = 1}); });
}

Workload avg_pool2d(std::size_t size)
{
    return of_image(size, [](const Tensor& x) { return ag::avg_pool2d(x, 2); });
}

Workload interpolate(std::size_t size)
{
    return of_image(size, [](const Tensor& x)
                    { return ag::interpolate(x, {.scale = {2}, .mode = ag::Interpolation::linear}); });
}

Workload batch_norm(std::size_t size)
{
    const auto [batch, channels, extent] = image_sizes[size];
    return forward_and_backward(
        {variable({batch, channels, extent, extent}, 1), variable({channels}, 2), variable({channels}, 3)},
        [](const Variables& x) { return ag::batch_norm(x[0], x[1], x[2]); });
}

Workload embedding(std::size_t size)
{
    const auto [words, width, length] = embedding_sizes[size];
    return forward_and_backward({variable({words, width}, 1)},
                                [chosen = ag::Indices(indices({length}, words, 2))](const Variables& x)
                                { return ag::embedding(chosen, x[0]); });
}

template <class F>
Workload of_rows(std::size_t size, F f)
{
    const auto [rows, columns] = row_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1)}, [=](const Variables& x) { return f(x[0]); });
}

Workload concatenate(std::size_t size)
{
    const auto [rows, columns] = row_sizes[size];
    return forward_and_backward({variable({rows, columns}, 1), variable({rows, columns}, 2)},
                                [](const Variables& x) {
                                    return ag::concatenate({x[0], x[1]}, 1);
                                });
}

Workload split(std::size_t size)
{
    return of_rows(size,
                   [](const Tensor& x)
                   {
                       const std::vector<Tensor> parts = ag::split(x, 4, 1);
                       return parts[0] * parts[1] * parts[2] * parts[3];
                   });
}

Workload cumsum(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::cumsum(x, 1); });
}

Workload sort(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::sort(x, 1); });
}

Workload variance(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::variance(x, 1, 1); });
}

Workload largest(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::amax(x, 1); });
}

Workload gelu(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::gelu(x); });
}

Workload where(std::size_t size)
{
    return of_rows(size, [](const Tensor& x) { return ag::where(x > 0, x, 0.1F * x); });
}

}

Workload make_operation(std::size_t operation, std::size_t size)
{
    constexpr Workload (*makers[])(std::size_t) = {
        conv2d,      layer_norm, cross_entropy,    matmul,     sum<0>,     sum<1>,     sum<2>,      transpose,
        gather,      attention,  conv_transpose2d, max_pool2d, avg_pool2d, batch_norm, interpolate, embedding,
        concatenate, split,      cumsum,           sort,       variance,   largest,    gelu,        where};
    static_assert(std::size(makers) == operation_count);
    return makers[operation](size);
}

}
