#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <autograd/generator.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

bool same(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

std::vector<Variable> weights(std::size_t count, std::size_t size)
{
    ag::Generator generator(7);
    std::vector<Variable> result;
    for (std::size_t k = 0; k < count; ++k)
    {
        result.emplace_back(generator.normal<double>({size, size}, 0, 0.3));
    }
    return result;
}

}

TEST_CASE("a function that is computed again has the same value and gradients, those of what it captures included")
{
    const std::vector<Variable> w = weights(2, 3);
    const Variable x(xt::xarray<double>{{0.5, -1.0, 2.0}});
    const auto layer = [&](const Tensor& h) { return ag::tanh(ag::matmul(h, w[0]) * ag::exp(w[1])); };
    const auto again = ag::recompute_grad(layer);
    const auto run = [&](const auto& f)
    {
        ag::GradientTape tape;
        const Tensor scaled = x * 3;
        const Tensor y = ag::sum(f(scaled));
        return tape.gradient(y, std::vector<Variable>{x, w[0], w[1]});
    };
    const std::vector<Tensor> plain = run(layer);
    const std::vector<Tensor> recomputed = run(again);
    for (std::size_t k = 0; k < 3; ++k)
    {
        CHECK(same(plain[k], recomputed[k]));
    }
    CHECK(same(layer(x), again(x)));
}

TEST_CASE("tensors on the tape that the function captures have their gradients, too")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor captured = ag::exp(x);
    const auto f = ag::recompute_grad([&](const Tensor& h) { return h * captured * x; });
    // d/dx x^2 e^x * x
    CHECK(tape.gradient(f(x * x), x).item() == doctest::Approx(std::exp(2.0) * (3 * 4 + 8)));
}

TEST_CASE("several arguments, variables among them, and calls inside of calls")
{
    const Variable x(2.0), y(3.0);
    const auto inner = ag::recompute_grad([](const Tensor& a, const Tensor& b) { return ag::sin(a * b); });
    const auto outer =
        ag::recompute_grad([&](const Tensor& a, const Tensor& b) { return inner(a, b) * inner(b, a) * x; });
    ag::GradientTape tape;
    const auto [dx, dy] = tape.gradient(outer(x, y), x, y);
    // x sin^2(xy)
    CHECK(dx.item() == doctest::Approx(std::pow(std::sin(6.0), 2) + 2 * 2 * std::sin(6.0) * std::cos(6.0) * 3));
    CHECK(dy.item() == doctest::Approx(2 * 2 * std::sin(6.0) * std::cos(6.0) * 2));
}

TEST_CASE("derivatives of higher order go through a function that is computed again")
{
    const Variable x(0.7);
    const auto f = ag::recompute_grad([](const Tensor& a) { return ag::exp(a) * ag::sin(a); });
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor first = inner.gradient(f(x), x);
    CHECK(first.item() == doctest::Approx(std::exp(0.7) * (std::sin(0.7) + std::cos(0.7))));
    CHECK(outer.gradient(first, x).item() == doctest::Approx(2 * std::exp(0.7) * std::cos(0.7)));
}

TEST_CASE("forward mode goes through it, too")
{
    const auto f = ag::recompute_grad([](const Tensor& a) { return ag::exp(a); });
    CHECK(ag::jvp(f, 0.5, 2.0).second.item() == doctest::Approx(2 * std::exp(0.5)));
}

TEST_CASE("random numbers are drawn again as they were, and the generator goes on where it was")
{
    ag::Generator generator(3);
    const Variable x(xt::xarray<double>(xt::ones<double>({50})));
    const auto noisy = [&](const Tensor& a)
    {
        const Tensor mask = generator.uniform<double>({50});
        return a * mask * generator.uniform();
    };
    Tensor value;
    std::uint64_t position = 0;
    Tensor gradient;
    {
        ag::GradientTape tape;
        value = ag::recompute_grad(noisy)(x);
        (void)generator();
        position = generator.position();
        gradient = tape.gradient(ag::sum(value), x);
    }
    // The function is linear: its gradient at ones is its value.
    CHECK(same(gradient, value));
    CHECK(generator.position() == position);
}

TEST_CASE("a variable that was assigned in between is refused with both lines, and not taken with its new value")
{
    const Variable x(2.0), w(xt::xarray<double>{3.0});
    const auto refused = [&](const auto& assign)
    {
        const auto here = ag::Location::current();
        const auto f = ag::recompute_grad([&](const Tensor& a) { return ag::sum(a * w); });
        ag::GradientTape tape;
        const Tensor y = f(x);
        const std::string line = assign();
        const std::string text = thrown<ag::TapeError>([&] { (void)tape.gradient(y, x); });
        CHECK(text == "recompute_grad: a variable of shape (1,) that the function has read was assigned at " + line +
                          ", before the backward pass: called again for the gradient, it would read another value (" +
                          to_string(ag::Location{here.file, here.line + 1}) +
                          "). Assign it after the gradient, or let the function read a Tensor of it, which keeps the "
                          "value.");
    };
    refused(
        [&]
        {
            w.assign(xt::xarray<double>{5.0});
            return line_above();
        });
    refused(
        [&]
        {
            w.assign_sub(1.0);
            return line_above();
        });
    refused(
        [&]
        {
            w.mutable_data()[0] = 7;
            return line_above();
        });
    optim::SGD sgd({w}, {.lr = 0.1});
    w.set_grad(xt::xarray<double>{1.0});
    refused(
        [&]
        {
            sgd.step();
            return line_above();
        });
    optim::LBFGS lbfgs({w});
    refused(
        [&]
        {
            lbfgs.minimize([&] { return ag::sum(ag::square(w)); });
            return line_above();
        });
}

TEST_CASE("arguments, and tensors of variables, keep the values that variables had")
{
    const Variable x(2.0), v(3.0), w(5.0);
    ag::GradientTape tape;
    const Tensor kept(w);
    const Tensor y = ag::recompute_grad([&](const Tensor& a, const Tensor& b) { return a * b * kept; })(x, v);
    v.assign(-1.0);
    w.assign(-1.0);
    const auto [dx, dv, dw] = tape.gradient(y, x, v, w);
    CHECK(dx.item() == 15);
    CHECK(dv.item() == 10);
    CHECK(dw.item() == 6);
}

TEST_CASE("a function that assigns what it has read is refused at once")
{
    const Variable x(2.0), average(3.0);
    ag::GradientTape tape;
    const std::string text = thrown<ag::TapeError>(
        [&]
        {
            ag::recompute_grad(
                [&](const Tensor& a)
                {
                    average.assign(0.9 * average + 0.1 * a);
                    return a * average;
                })(x);
        });
    CHECK(text.find("recompute_grad: a variable of shape () that the function has read was assigned at ") == 0);
    CHECK(text.find(", by the function itself: called again for the gradient, it would read another value (") !=
          std::string::npos);
    CHECK(tape.gradient(x * x, x).item() == 4);
}

TEST_CASE("what a function throws comes through, and the tape goes on")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const auto broken = ag::recompute_grad(
        [](const Tensor& a) -> Tensor
        {
            (void)ag::exp(a);
            throw std::runtime_error("broken");
        });
    CHECK_THROWS_AS(broken(x), std::runtime_error);
    CHECK(tape.gradient(x * x, x).item() == 4);
}

TEST_CASE("a chain of 200 layers in 15 pieces has a fifth of the memory, and the same gradients to the last bit")
{
    constexpr std::size_t layers = 200;
    constexpr std::size_t piece = 14;
    const std::vector<Variable> w = weights(layers, 16);
    const Tensor x = ag::Generator(1).normal<double>({512, 16});
    const auto run = [&](bool recompute, std::int64_t& peak)
    {
        ag::reset_peak_memory();
        const std::int64_t before = ag::memory_statistics().live;
        ag::GradientTape tape;
        Tensor h = x;
        for (std::size_t begin = 0; begin < layers; begin += piece)
        {
            const auto layers_of_piece = [&, begin](const Tensor& input)
            {
                Tensor output = input;
                for (std::size_t k = begin; k < std::min(begin + piece, layers); ++k)
                {
                    output = ag::tanh(ag::matmul(output, w[k]));
                }
                return output;
            };
            h = recompute ? ag::recompute_grad(layers_of_piece)(h) : layers_of_piece(h);
        }
        auto gradients = tape.gradient(ag::sum(h * h), w);
        peak = ag::memory_statistics().peak - before;
        return gradients;
    };
    std::int64_t whole = 0;
    std::int64_t pieces = 0;
    const std::vector<Tensor> plain = run(false, whole);
    const std::vector<Tensor> recomputed = run(true, pieces);
    for (std::size_t k = 0; k < layers; ++k)
    {
        CHECK(same(plain[k], recomputed[k]));
    }
    MESSAGE("peak " << pieces << " bytes instead of " << whole);
    CHECK(pieces * 5 <= whole);
}
