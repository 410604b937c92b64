#include "mock_operations.hpp"

#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/region.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include <pthread.h>
#include <unistd.h>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

// A sanitizer needs more stack and keeps freed memory; under it, the library does not pool.
constexpr bool sanitized = !ag::detail::pools_memory;

/// Runs f on a thread with a stack of this size.
void run_with_stack(std::size_t bytes, std::function<void()> f)
{
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
    pthread_t thread;
    const auto call = [](void* argument) -> void*
    {
        (*static_cast<std::function<void()>*>(argument))();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, call, &f) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    REQUIRE(pthread_attr_destroy(&attributes) == 0);
}

/// A sanitizer's own frames need more.
constexpr std::size_t tiny_stack = sanitized ? 1024 * 1024 : 64 * 1024;
constexpr int chain_length = 1'000'000;

std::size_t resident_bytes()
{
    std::size_t total = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// A small network and a loss: matrix products, broadcasting, reductions, integer labels.
class Training
{
public:
    double step()
    {
        ag::GradientTape tape;
        const Tensor hidden = ag::tanh(ag::linear(images_, w1_, b1_));
        const Tensor loss = ag::cross_entropy(ag::linear(hidden, w2_, b2_), labels_) + 1e-4 * ag::sum(ag::square(w1_));
        sgd_.zero_grad();
        loss.backward();
        sgd_.step();
        return loss.item();
    }

private:
    static xt::xarray<double> wave(std::size_t rows, std::size_t columns)
    {
        xt::xarray<double> result = xt::sin(xt::arange<double>(1, static_cast<double>(rows * columns + 1)));
        result.reshape({rows, columns});
        return result;
    }

    Tensor images_{wave(8, 5)};
    xt::xarray<int> labels_{0, 1, 2, 0, 1, 2, 1, 0};
    Variable w1_{wave(6, 5)};
    Variable b1_{xt::xarray<double>(xt::zeros<double>({6}))};
    Variable w2_{wave(3, 6)};
    Variable b2_{xt::xarray<double>(xt::zeros<double>({3}))};
    optim::SGD sgd_{{w1_, b1_, w2_, b2_}, {.lr = 0.01, .momentum = 0.9}};
};

}

TEST_CASE("a chain of a million scalar operations goes forward, backward and away on a tiny stack")
{
    double found = 0;
    run_with_stack(tiny_stack,
                   [&]
                   {
                       Variable x(1.0);
                       ag::GradientTape tape;
                       Tensor y = x;
                       for (int i = 0; i < chain_length; ++i)
                       {
                           y = i % 2 == 0 ? y * 2.0 : y * 0.5;
                       }
                       found = tape.gradient(y, x).item();
                   });
    CHECK(found == 1.0);
}

TEST_CASE("a chain of a million operations on arrays is destroyed unused on a tiny stack")
{
    double found = 0;
    run_with_stack(tiny_stack,
                   [&]
                   {
                       Variable x(xt::xarray<double>{1, 2, 3});
                       ag::GradientTape tape;
                       Tensor y = x;
                       for (int i = 0; i < chain_length; ++i)
                       {
                           y = -y;
                       }
                       found = y.data()[2];
                   });
    CHECK(found == 3.0);
}

TEST_CASE("a chain of a million operations goes backward into the variable on a tiny stack")
{
    double found = 0;
    run_with_stack(tiny_stack,
                   [&]
                   {
                       Variable x(xt::xarray<double>{1, 2, 3});
                       ag::GradientTape tape;
                       Tensor y = x;
                       for (int i = 0; i < chain_length; ++i)
                       {
                           y = y + 1.0;
                       }
                       y.backward(Tensor(xt::xarray<double>{5, 6, 7}));
                       found = x.grad().data()[1];
                   });
    CHECK(found == 6.0);
}

TEST_CASE("a chain of a hundred thousand operations has a second derivative on a tiny stack")
{
    double found = 0;
    run_with_stack(tiny_stack,
                   [&]
                   {
                       Variable x(3.0);
                       ag::GradientTape outer;
                       ag::GradientTape inner;
                       Tensor y = ag::square(x);
                       for (int i = 0; i < chain_length / 10; ++i)
                       {
                           y = -y;
                       }
                       found = outer.gradient(inner.gradient(y, x), x).item();
                   });
    CHECK(found == 2.0);
}

TEST_CASE("a large array wastes no more than a thirty-second" * doctest::skip(sanitized))
{
    ag::release_cached_memory();
    for (const std::size_t count : {3'000, 100'000, 100'350, 123'457, 999'999, 1'000'000, 1'050'000})
    {
        const std::int64_t before = ag::memory_statistics().live;
        const Tensor x(xt::xarray<double>(xt::zeros<double>({count})));
        const auto bytes = static_cast<std::int64_t>(8 * count);
        const std::int64_t taken = ag::memory_statistics().live - before;
        CAPTURE(count);
        CHECK(taken >= bytes);
        CHECK(taken <= bytes + bytes / 32 + 64);
    }
}

TEST_CASE("an array takes a free block that is not much larger" * doctest::skip(sanitized))
{
    const auto make = [](std::size_t count) { Tensor x(xt::xarray<double>(xt::zeros<double>({count}))); };
    ag::release_cached_memory();
    make(100'000);
    const std::uint64_t before = ag::memory_statistics().system_allocations;
    make(80'000);
    CHECK(ag::memory_statistics().system_allocations == before);
    make(50'000);
    CHECK(ag::memory_statistics().system_allocations == before + 1);
}

TEST_CASE("large buffers are apart, and all of their memory goes back, whichever thread lets them go" *
          doctest::skip(sanitized))
{
    using ag::detail::Buffer;
    using ag::detail::Regions;
    constexpr std::size_t sizes[] = {160'000, 8'000'000,  131'072,   72'000'000,
                                     560'000, 67'108'800, 2'097'152, 72'000'008};
    constexpr std::size_t threads = 3;
    ag::release_cached_memory();
    const std::int64_t before = Regions::live();
    const std::size_t resident = resident_bytes();
    std::vector<Buffer*> made[threads];
    const auto in_threads = [](auto f)
    {
        std::vector<std::thread> running;
        for (std::size_t k = 0; k < threads; ++k)
        {
            running.emplace_back([f, k] { f(k); });
        }
        for (std::thread& thread : running)
        {
            thread.join();
        }
    };
    const auto value_of = [&](std::size_t k, std::size_t i) { return static_cast<char>(1 + k * std::size(sizes) + i); };
    const auto filled = [](std::size_t bytes, char value)
    {
        Buffer* const buffer = ag::detail::allocate_buffer(bytes);
        std::memset(buffer->data(), value, bytes);
        return buffer;
    };
    in_threads(
        [&](std::size_t k)
        {
            for (std::size_t i = 0; i < std::size(sizes); ++i)
            {
                made[k].push_back(filled(sizes[i], value_of(k, i)));
                ag::detail::release_buffer(filled(sizes[i] / 3, -1));
            }
        });
    std::size_t bytes = 0;
    for (std::size_t k = 0; k < threads; ++k)
    {
        for (std::size_t i = 0; i < std::size(sizes); ++i)
        {
            CAPTURE(k);
            CAPTURE(i);
            const auto* const data = static_cast<const char*>(made[k][i]->data());
            CHECK(reinterpret_cast<std::uintptr_t>(data) % ag::detail::buffer_alignment == 0);
            CHECK(data[0] == value_of(k, i));
            CHECK(std::memcmp(data, data + 1, sizes[i] - 1) == 0);
            bytes += sizes[i];
        }
    }
    CHECK(Regions::live() - before >= static_cast<std::int64_t>(bytes));
    CHECK(Regions::live() - before <= static_cast<std::int64_t>(bytes + bytes / 16));
    CHECK(resident_bytes() >= resident + bytes);
    in_threads(
        [&](std::size_t k)
        {
            for (Buffer* const buffer : made[(k + 1) % threads])
            {
                ag::detail::release_buffer(buffer);
            }
        });
    CHECK(Regions::live() == before);
    CHECK(resident_bytes() < resident + (std::size_t{32} << 20));
}

TEST_CASE("a training step in its steady state asks the system for no memory" * doctest::skip(sanitized))
{
    Training training;
    for (int i = 0; i < 10; ++i)
    {
        training.step();
    }
    const ag::MemoryStatistics before = ag::memory_statistics();
    for (int i = 0; i < 100; ++i)
    {
        training.step();
    }
    const ag::MemoryStatistics after = ag::memory_statistics();
    CHECK(after.system_allocations == before.system_allocations);
    CHECK(after.live == before.live);
    CHECK(after.cached == before.cached);
    CHECK(before.system_allocations > 0);
}

TEST_CASE("a second-order step in its steady state asks the system for no memory" * doctest::skip(sanitized))
{
    Variable x(xt::xarray<double>{1, 2, 3});
    const auto step = [&]
    {
        ag::GradientTape outer;
        ag::GradientTape inner;
        const Tensor gradient = inner.gradient(ag::sum(ag::exp(x) * ag::sin(x)), x);
        x.assign_sub(1e-3 * outer.gradient(ag::sum(ag::square(gradient)), x));
    };
    for (int i = 0; i < 10; ++i)
    {
        step();
    }
    const ag::MemoryStatistics before = ag::memory_statistics();
    for (int i = 0; i < 100; ++i)
    {
        step();
    }
    CHECK(ag::memory_statistics().system_allocations == before.system_allocations);
    CHECK(ag::memory_statistics().live == before.live);
}

TEST_CASE("a hundred thousand training steps keep the resident memory flat" * doctest::skip(sanitized))
{
    Training training;
    const double first = training.step();
    for (int i = 0; i < 1000; ++i)
    {
        training.step();
    }
    const std::size_t before = resident_bytes();
    double last = 0;
    for (int i = 0; i < 100'000; ++i)
    {
        last = training.step();
    }
    CHECK(last < first);
    // Less than three bytes a step.
    CHECK(resident_bytes() < before + 256 * 1024);
}

TEST_CASE("steps that throw leak nothing" * doctest::skip(sanitized))
{
    Variable x(xt::xarray<double>{1, 2, 3});
    const auto step = [&]
    {
        ag::GradientTape tape;
        const Tensor y = ag::exp(x) * x;
        CHECK_THROWS_AS(y + Tensor(xt::xarray<double>{1, 2}), ag::ShapeError);
        CHECK_THROWS_AS(tape.gradient(y, x), ag::ShapeError);
        CHECK_THROWS_AS(tape.gradient(ag::sum(y), Variable(1.0)), ag::UnconnectedError);
    };
    step();
    const ag::MemoryStatistics before = ag::memory_statistics();
    for (int i = 0; i < 100; ++i)
    {
        step();
    }
    CHECK(ag::memory_statistics().live == before.live);
    CHECK(ag::memory_statistics().system_allocations == before.system_allocations);
}

TEST_CASE("a value that no pullback reads is freed while the tape still lives" * doctest::skip(sanitized))
{
    Variable x(xt::xarray<double>(xt::ones<double>({1000})));
    ag::GradientTape tape;
    const std::int64_t before = ag::memory_statistics().live;
    Tensor y = x;
    for (int i = 0; i < 100; ++i)
    {
        y = y + 1.0;
    }
    CHECK(ag::memory_statistics().live - before < 4 * 8000);
}

TEST_CASE("a gradient on a one-shot tape frees the values behind it as it goes" * doctest::skip(sanitized))
{
    constexpr std::int64_t bytes = 8 * 10'000;
    constexpr std::int64_t links = 100;
    Variable x(xt::xarray<double>(xt::ones<double>({10'000})));
    ag::GradientTape tape;
    Tensor y = x;
    for (int i = 0; i < links; ++i)
    {
        y = ag::exp(-y);
    }
    const Tensor loss = ag::sum(y);
    y = Tensor();
    ag::reset_peak_memory();
    loss.backward();
    const ag::MemoryStatistics after = ag::memory_statistics();
    CHECK(after.live < 10 * bytes);
    CHECK(after.peak < (links + 10) * bytes);
}

TEST_CASE("statistics count what lives and its peak" * doctest::skip(sanitized))
{
    const std::int64_t before = ag::memory_statistics().live;
    ag::reset_peak_memory();
    {
        const Tensor a(xt::xarray<double>(xt::zeros<double>({1 << 20})));
        CHECK(ag::memory_statistics().live == before + (8 << 20));
    }
    CHECK(ag::memory_statistics().live == before);
    CHECK(ag::memory_statistics().peak == before + (8 << 20));
    CHECK(ag::memory_statistics().cached >= 8 << 20);
    ag::release_cached_memory();
    CHECK(ag::memory_statistics().cached == 0);
    ag::reset_peak_memory();
    CHECK(ag::memory_statistics().peak == before);
}

TEST_CASE("slices and choices of one tensor make one gradient of its size" * doctest::skip(sanitized))
{
    constexpr std::int64_t bytes = 8 * 100'000;
    Variable x(xt::xarray<double>(xt::ones<double>({1000, 100})));
    const auto peak_of_backward = [&](auto part)
    {
        ag::GradientTape tape;
        Tensor total(0);
        for (int i = 0; i < 1000; ++i)
        {
            total += ag::sum(part(i));
        }
        x.zero_grad();
        const std::int64_t before = ag::memory_statistics().live;
        ag::reset_peak_memory();
        total.backward();
        return ag::memory_statistics().peak - before;
    };
    CHECK(peak_of_backward([&](int i) { return ag::view(x, i); }) < 2 * bytes);
    CHECK(peak_of_backward([&](int i) { return ag::diagonal(x, i % 100); }) < 2 * bytes);
    CHECK(peak_of_backward([&](int i) { return ag::index_select(x, 0, {i, 0}); }) < 2 * bytes);
    const auto column = [](int i)
    {
        ag::Indices index(ag::Shape{1, 1});
        *index.data() = i;
        return index;
    };
    CHECK(peak_of_backward([&](int i) { return ag::gather(x, 1, column(i % 100)); }) < 2 * bytes);
    CHECK(x.grad().data()[0] == 10);
}

TEST_CASE("reshape, flatten, squeeze and expand_dims copy nothing")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(ag::reshape(x, {3, 2}).data() == x.data());
    CHECK(ag::flatten(x).data() == x.data());
    CHECK(ag::expand_dims(x, 0).data() == x.data());
    CHECK(ag::squeeze(ag::expand_dims(x, 1)).data() == x.data());
    CHECK(ag::stop_gradient(x).data() == x.data());
}

TEST_CASE("memory may be freed on another thread than it was taken on")
{
    Tensor kept;
    std::thread(
        [&]
        {
            Variable x(xt::xarray<double>{1, 2, 3});
            ag::GradientTape tape;
            kept = tape.gradient(ag::sum(x * x), x);
        })
        .join();
    CHECK(kept.data()[2] == 6.0);
    kept = Tensor();
    Tensor again(xt::xarray<double>{7, 8, 9});
    std::thread([&] { again = Tensor(); }).join();
    CHECK_FALSE(again.defined());
}
