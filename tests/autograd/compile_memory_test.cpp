// Counts every call of operator new in this program, the library's included.

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace ag = autograd;

namespace
{

std::size_t allocations = 0;

void* counted(void* block)
{
    ++allocations;
    if (block == nullptr)
    {
        throw std::bad_alloc();
    }
    return block;
}

}

[[gnu::noinline]] void* operator new(std::size_t size)
{
    return counted(std::malloc(size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment)
{
    const auto boundary = static_cast<std::size_t>(alignment);
    return counted(std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary));
}
[[gnu::noinline]] void operator delete(void* block) noexcept
{
    std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept
{
    std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept
{
    std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept
{
    std::free(block);
}

namespace
{

constexpr bool sanitized = !ag::detail::pools_memory;

using Tensor = ag::Tensor<float>;
using Variable = ag::Variable<float>;

/// In so many replays, once it is recorded and all memory is there.
template <class Step>
std::size_t allocations_of(const Step& step, int replays)
{
    auto compiled = ag::compile(step);
    for (int call = 0; call < 5; ++call)
    {
        compiled();
    }
    const std::size_t before = allocations;
    for (int replay = 0; replay < replays; ++replay)
    {
        compiled();
    }
    return allocations - before;
}

Variable weights(const ag::Shape& shape, ag::Generator& generator)
{
    return Variable(generator.normal<float>(shape, 0, 0.2));
}

}

TEST_CASE("what is not compiled is counted, too")
{
    const std::size_t before = allocations;
    std::vector<int> numbers(10);
    CHECK(allocations == before + 1);
}

TEST_CASE("a replay of scalar operations allocates nothing" * doctest::skip(sanitized))
{
    ag::Variable a(0.9), b(0.8);
    optim::Adam adam({a, b}, {.lr = 1e-3});
    const auto step = [&]
    {
        ag::GradientTape tape;
        ag::Tensor<double> x = a;
        for (int k = 0; k < 500; ++k)
        {
            x = ag::sin(x * b) + 0.5;
        }
        adam.zero_grad();
        x.backward();
        adam.step();
        return x;
    };
    CHECK(allocations_of(step, 100) == 0);
}

TEST_CASE("a replay of a network's training step allocates nothing" * doctest::skip(sanitized))
{
    ag::Generator generator(1);
    const Variable w1 = weights({16, 1, 3, 3}, generator), b1 = weights({16}, generator);
    const Variable w2 = weights({10, 64}, generator), b2 = weights({10}, generator);
    const Tensor images = generator.normal<float>({8, 1, 6, 6});
    const ag::Indices labels{0, 1, 2, 3, 4, 5, 6, 7};
    optim::SGD sgd({w1, b1, w2, b2}, {.lr = 0.01, .momentum = 0.9});
    const auto step = [&]
    {
        ag::GradientTape tape;
        const auto hidden = ag::tanh(ag::conv2d(ag::constant(images), w1, b1));
        const auto pooled = ag::flatten(ag::avg_pool2d(hidden, 2), 1);
        const auto loss = ag::cross_entropy(ag::linear(pooled, w2, b2), labels);
        sgd.zero_grad();
        loss.backward();
        optim::clip_grad_norm({w1, b1, w2, b2}, 1);
        sgd.step();
        return loss;
    };
    CHECK(allocations_of(step, 100) == 0);
}

TEST_CASE("a replay that updates large parameters one by one allocates nothing" * doctest::skip(sanitized))
{
    ag::Generator generator(1);
    const Variable w1 = weights({128, 128}, generator), b1 = weights({128}, generator);
    const Variable w2 = weights({128, 128}, generator), b2 = weights({128}, generator);
    const Tensor x = generator.normal<float>({8, 128});
    optim::Adam adam({w1, b1, w2, b2}, {.lr = 0.01});
    const auto step = [&]
    {
        ag::GradientTape tape;
        const auto hidden = ag::tanh(ag::linear(ag::constant(x), w1, b1));
        const auto loss = ag::mean(ag::square(ag::linear(hidden, w2, b2)));
        loss.backward();
        adam.step();
        adam.zero_grad();
        return loss;
    };
    CHECK(allocations_of(step, 100) == 0);
}
