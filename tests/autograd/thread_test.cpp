#include "closeness.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <barrier>
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
