// What the library promises its users' code to look like: each block between the braces stands in the design as it
// stands here.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <cmath>

namespace ag = autograd;

TEST_CASE("as one would in PyTorch")
{
    ag::Variable a(1.0), b(1.0);
    optim::SGD sgd({a, b}, {.lr = 0.1});
    for (int step = 0; step < 50; ++step)
    {
        ag::GradientTape tape;
        auto loss = a * a + b * b;
        sgd.zero_grad();
        loss.backward();
        sgd.step();
    }
    CHECK(a.item() == doctest::Approx(std::pow(0.8, 50)));
    CHECK(b.item() == doctest::Approx(std::pow(0.8, 50)));
}

TEST_CASE("as one would with tf.GradientTape")
{
    const xt::xarray<float> x{0, 1, 2, 3};
    const xt::xarray<float> y{1, 4, 5, 8};
    const float lr = 0.5f;

    ag::Variable<float> a(1.f), b(1.f);
    ag::GradientTape tape({.persistent = true});
    auto loss = ag::mean(ag::square(a * x + b - y));
    a.assign_sub(lr * tape.gradient(loss, a));
    b.assign_sub(lr * tape.gradient(loss, b));
    auto [da, db] = tape.gradient(loss, a, b);

    // The errors at the start are 0, -2, -2, -4: da = 2 mean(error x), db = 2 mean(error).
    CHECK(loss.item() == 6);
    CHECK(da.item() == -9);
    CHECK(db.item() == -4);
    CHECK(a.item() == 5.5);
    CHECK(b.item() == 3);
}

TEST_CASE("as one would in JAX")
{
    const auto rosenbrock = [](const ag::Tensor<double>& p)
    {
        const auto x = ag::view(p, 0);
        const auto y = ag::view(p, 1);
        return ag::square(1 - x) + 100 * ag::square(y - x * x);
    };
    const xt::xarray<double> x{2, 3};

    auto [value, grad] = ag::value_and_grad(rosenbrock)(x);
    auto H = ag::hessian(rosenbrock, x);

    CHECK(value.item() == 101);
    CHECK(grad.value() == xt::xarray<double>{802, -200});
    CHECK(H.value() == xt::xarray<double>{{3602, -800}, {-800, 200}});
}

TEST_CASE("higher order: tapes nest")
{
    ag::Variable x(3.0);

    ag::GradientTape outer;
    ag::Tensor<double> g;
    {
        ag::GradientTape inner;
        auto y = x * x * x;
        g = inner.gradient(y, x);
    }
    auto h = outer.gradient(g, x);

    CHECK(g.item() == 27);
    CHECK(h.item() == 18);
}

TEST_CASE("a gradient in a unit test")
{
    ag::Variable w(xt::xarray<double>{{0.5, -1, 2}, {1, 0.25, -0.75}});
    const ag::Tensor<double> x(xt::xarray<double>{0.3, -0.2, 1.5});
    const auto my_loss = [](const ag::Tensor<double>& w, const ag::Tensor<double>& x)
    { return ag::mean(ag::square(ag::tanh(ag::matmul(w, x)))); };

    CHECK(ag::testing::check_gradients(my_loss, {w, x}));
}
