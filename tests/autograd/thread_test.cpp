#include "closeness.hpp"

#include <autograd/autograd.hpp>
#include <autograd/parallel.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

constexpr int repeats = 300;

/// Runs f(0), f(1), ... on a thread each, all started together.
template <class F>
void on_threads(int count, const F& f)
{
    std::barrier start(count);
    std::vector<std::thread> threads;
    for (int k = 0; k < count; ++k)
    {
        threads.emplace_back(
            [&, k]
            {
                start.arrive_and_wait();
                f(k);
            });
    }
    for (std::thread& thread : threads)
    {
        thread.join();
    }
}

}

TEST_CASE("tapes on several threads share variables that they only read")
{
    Variable w(xt::xarray<double>{{1, 2}, {3, 4}});
    Variable b(0.5);
    std::vector<int> wrong(4, 0);
    on_threads(4,
               [&](int k)
               {
                   const double scale = 1.0 + k;
                   for (int i = 0; i < repeats; ++i)
                   {
                       ag::GradientTape tape;
                       const Tensor x(xt::xarray<double>{scale, 1});
                       const Tensor loss = ag::sum(ag::matmul(w, x) * scale + b * b) + ag::sum(ag::square(w));
                       const auto [dw, db] = tape.gradient(loss, w, b);
                       const bool right = close(dw, {{scale * scale + 2, scale + 4}, {scale * scale + 6, scale + 8}}) &&
                                          close(db, 2.0);
                       wrong[static_cast<std::size_t>(k)] += right ? 0 : 1;
                   }
               });
    CHECK(wrong == std::vector<int>(4, 0));
    CHECK(close(w, {{1, 2}, {3, 4}}));
}

TEST_CASE("second derivatives on several threads share a variable")
{
    Variable x(3.0);
    std::vector<int> wrong(3, 0);
    on_threads(3,
               [&](int k)
               {
                   for (int i = 0; i < repeats; ++i)
                   {
                       ag::GradientTape outer;
                       ag::GradientTape inner;
                       const Tensor first = inner.gradient(x * x * x * (1.0 + k), x);
                       const Tensor second = outer.gradient(first, x);
                       wrong[static_cast<std::size_t>(k)] += close(second, 18.0 * (1 + k)) ? 0 : 1;
                   }
               });
    CHECK(wrong == std::vector<int>(3, 0));
}

TEST_CASE("models of their own train on several threads at once as they do alone")
{
    const auto train = []
    {
        Variable w(xt::xarray<double>{1, -1});
        optim::SGD sgd({w}, {.lr = 0.05, .momentum = 0.9});
        for (int i = 0; i < repeats; ++i)
        {
            sgd.minimize([&] { return ag::sum(ag::square(w - xt::xarray<double>{3, 5})); });
        }
        return w;
    };
    const Variable alone = train();
    std::vector<Variable> trained(4, Variable(0.0));
    on_threads(4, [&](int k) { trained[static_cast<std::size_t>(k)] = train(); });
    for (const Variable& w : trained)
    {
        CHECK(w.value() == alone.value());
    }
}

TEST_CASE("a tape records only what its own thread does")
{
    Variable x(3.0);
    ag::GradientTape tape;
    Tensor elsewhere;
    std::thread([&] { elsewhere = x * x; }).join();
    CHECK(close(elsewhere, 9.0));
    CHECK_THROWS_AS(tape.gradient(elsewhere, x), ag::TapeError);
}

TEST_CASE("tensors of one thread are constants on another")
{
    Variable x(3.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    Tensor dx;
    std::thread(
        [&]
        {
            ag::GradientTape other;
            dx = other.gradient(y * x, x);
        })
        .join();
    CHECK(close(dx, 9.0));
    CHECK(close(tape.gradient(y, x), 6.0));
}

TEST_CASE("several threads record functions that read the same number")
{
    const Tensor factor(3.0);
    std::vector<int> wrong(4, 0);
    on_threads(4,
               [&](int k)
               {
                   for (int i = 0; i < repeats; ++i)
                   {
                       auto f = ag::compile([&](const Tensor& x) { return x * factor + factor; });
                       for (int call = 0; call < 3; ++call)
                       {
                           wrong[k] += f(Tensor(1.0 + call)).item() != 3 * (1.0 + call) + 3;
                       }
                   }
               });
    CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("values may be handed from thread to thread and freed anywhere")
{
    std::vector<Tensor> handed(100);
    std::thread(
        [&]
        {
            for (std::size_t i = 0; i < handed.size(); ++i)
            {
                handed[i] = Tensor(xt::xarray<double>(static_cast<double>(i) * xt::ones<double>({i + 1})));
            }
        })
        .join();
    on_threads(4,
               [&](int k)
               {
                   for (std::size_t i = static_cast<std::size_t>(k); i < handed.size(); i += 4)
                   {
                       handed[i] = handed[i] + 1.0;
                   }
               });
    for (std::size_t i = 0; i < handed.size(); ++i)
    {
        CHECK(handed[i].data()[i] == static_cast<double>(i + 1));
    }
}

TEST_CASE("results do not depend on the number of threads")
{
    xt::xarray<double> a = xt::sin(xt::arange<double>(400'000));
    const auto result = [&]
    {
        Variable x(a);
        ag::GradientTape tape;
        const Tensor loss = ag::sum(ag::tanh(x) * ag::exp(-x * x)) + ag::norm(x);
        loss.backward();
        return std::pair(loss.item(), Tensor(x.grad()));
    };
    const std::size_t before = ag::num_threads();
    ag::set_num_threads(1);
    const auto [one, by_one] = result();
    ag::set_num_threads(3);
    const auto [three, by_three] = result();
    ag::set_num_threads(before);
    CHECK(one == three);
    CHECK(by_one.value() == by_three.value());
}

TEST_CASE("a loop is split into even pieces of whole units, and only where each is worth a thread")
{
    using Pieces = std::vector<std::array<std::size_t, 2>>;
    const auto pieces = [](std::size_t count, ag::detail::Grain grain)
    {
        Pieces found;
        std::mutex mutex;
        ag::detail::parallel_for(count, grain,
                                 [&](std::size_t begin, std::size_t end)
                                 {
                                     const std::lock_guard lock(mutex);
                                     found.push_back({begin, end});
                                 });
        std::sort(found.begin(), found.end());
        return found;
    };
    const std::size_t threads = ag::num_threads();
    ag::set_num_threads(3);
    CHECK(pieces(19, {10}) == Pieces{{0, 19}});
    CHECK(pieces(20, {10}) == Pieces{{0, 10}, {10, 20}});
    CHECK(pieces(31, {10}) == Pieces{{0, 11}, {11, 22}, {22, 31}});
    CHECK(pieces(100, {10, 8}) == Pieces{{0, 40}, {40, 80}, {80, 100}});
    CHECK(pieces(0, {10}) == Pieces{{0, 0}});
    ag::set_num_threads(1);
    CHECK(pieces(100, {10}) == Pieces{{0, 100}});
    ag::set_num_threads(threads);
}

TEST_CASE("loops that several threads split at the same time visit every index once")
{
    const auto visit_all = [](std::size_t seed)
    {
        bool once = true;
        std::vector<int> visits;
        for (std::size_t i = 0; i < 2'000; ++i)
        {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            visits.assign((seed >> 33) % 5'000, 0);
            // Many are worth a thread only if it is awake.
            const ag::detail::Grain grain{1 + (seed >> 40) % 2'000, 1 + (seed >> 50) % 7};
            ag::detail::parallel_for(visits.size(), grain,
                                     [&](std::size_t begin, std::size_t end)
                                     {
                                         for (; begin < end; ++begin)
                                         {
                                             ++visits[begin];
                                         }
                                     });
            once = once && std::all_of(visits.begin(), visits.end(), [](int count) { return count == 1; });
        }
        return once;
    };
    const std::size_t threads = ag::num_threads();
    for (const std::size_t count : {2, 3, 8})
    {
        ag::set_num_threads(count);
        std::array<bool, 3> once = {};
        on_threads(3, [&](int k) { once[static_cast<std::size_t>(k)] = visit_all(static_cast<std::size_t>(k)); });
        CHECK(once == std::array{true, true, true});
    }
    ag::set_num_threads(threads);
}

TEST_CASE("accumulated gradients are the same to the last bit for any number of threads")
{
    const Variable w(xt::xarray<double>{0.1, -0.2, 0.3}), b(0.05);
    const auto loss = [&](std::size_t i)
    {
        const double angle = 0.37 * static_cast<double>(i);
        const Tensor x(xt::xarray<double>{std::sin(angle), std::cos(angle), std::sin(3 * angle)});
        return ag::square(ag::tanh(ag::dot(w, x) + b) - std::sin(2 * angle));
    };
    const std::size_t threads = ag::num_threads();
    std::vector<double> sums;
    std::vector<Tensor> gradients;
    for (const std::size_t count : {1, 2, 8})
    {
        ag::set_num_threads(count);
        w.zero_grad();
        b.zero_grad();
        sums.push_back(ag::accumulate(1000, loss, std::vector<Variable>{w, b}));
        gradients.push_back(w.grad());
    }
    ag::set_num_threads(threads);
    double sum = 0;
    for (std::size_t i = 0; i < 1000; ++i)
    {
        sum += loss(i).item();
    }
    for (std::size_t k = 0; k < 3; ++k)
    {
        CHECK(sums[k] == sum);
        CHECK(std::equal(gradients[k].data(), gradients[k].data() + 3, gradients[0].data()));
    }
    ag::accumulate(1000, loss, std::vector<Variable>{w, b});
    CHECK(w.grad().value()(0) == doctest::Approx(2 * gradients[0].value()(0)));
}

TEST_CASE("the first of several exceptions comes through, and changes no gradient")
{
    const Variable w(1.0);
    const auto loss = [&](std::size_t i) -> Tensor
    {
        if (i >= 5)
        {
            throw std::runtime_error(std::to_string(i));
        }
        return w * w;
    };
    CHECK_THROWS_WITH(ag::accumulate(40, loss, std::vector<Variable>{w}), "5");
    CHECK_FALSE(w.has_grad());
}

TEST_CASE("eight threads train a model each for 10,000 steps, while all read the same variable")
{
    const Variable shared(2.0);
    std::vector<double> results(8);
    on_threads(8,
               [&](int k)
               {
                   Variable w(0.0);
                   for (int step = 0; step < 10'000; ++step)
                   {
                       ag::GradientTape tape;
                       const Tensor loss = ag::square(w * shared - (1.0 + k));
                       w.assign_sub(tape.gradient(loss, w) * 0.05);
                   }
                   results[static_cast<std::size_t>(k)] = w.item();
               });
    for (int k = 0; k < 8; ++k)
    {
        CHECK(results[static_cast<std::size_t>(k)] == doctest::Approx((1.0 + k) / 2));
    }
    CHECK_FALSE(shared.has_grad());
}
