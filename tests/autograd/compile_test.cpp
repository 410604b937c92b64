#include <autograd/autograd.hpp>
#include <autograd/registry.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace ag = autograd;

namespace
{

template <class T>
bool same_bits(const ag::Tensor<T>& a, const ag::Tensor<T>& b)
{
    return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// A small network, for classes.
struct Network
{
    explicit Network(std::uint64_t seed)
    {
        ag::Generator generator(seed);
        w1 = ag::Variable<float>(generator.normal<float>({16, 6}, 0, 0.4));
        b1 = ag::Variable<float>(generator.normal<float>({16}, 0, 0.1));
        w2 = ag::Variable<float>(generator.normal<float>({4, 16}, 0, 0.4));
        b2 = ag::Variable<float>(generator.normal<float>({4}, 0, 0.1));
    }
    ag::Tensor<float> operator()(const ag::Tensor<float>& x) const
    {
        return ag::linear(ag::tanh(ag::linear(x, w1, b1)), w2, b2);
    }

    ag::Variable<float> w1{0.F}, b1{0.F}, w2{0.F}, b2{0.F};
};

}

TEST_CASE("a compiled training step of two numbers does what the function does")
{
    ag::Variable a(1.0), b(-2.0), c(1.0), d(-2.0);
    optim::SGD compiled_sgd({a, b}, {.lr = 0.1});
    optim::SGD eager_sgd({c, d}, {.lr = 0.1});
    const auto make = [](ag::Variable<double> x, ag::Variable<double> y, optim::SGD& sgd)
    {
        return [x, y, &sgd]
        {
            ag::GradientTape tape;
            auto loss = x * x + y * y;
            sgd.zero_grad();
            loss.backward();
            sgd.step();
            return loss;
        };
    };
    auto step = ag::compile(make(a, b, compiled_sgd));
    auto eager = make(c, d, eager_sgd);
    for (int k = 0; k < 20; ++k)
    {
        CHECK(step().item() == eager().item());
        CHECK(a.item() == c.item());
        CHECK(b.item() == d.item());
        CHECK(a.grad().item() == c.grad().item());
    }
    CHECK(step.plans().size() == 1);
}

TEST_CASE("a compiled training step of a network with labels gives the same bits")
{
    Network ours(1), theirs(1);
    optim::Adam adam({ours.w1, ours.b1, ours.w2, ours.b2}, {.lr = 0.05});
    optim::Adam other({theirs.w1, theirs.b1, theirs.w2, theirs.b2}, {.lr = 0.05});
    const auto make = [](const Network& network, optim::Adam& optimizer)
    {
        return [&](const ag::Tensor<float>& x, const ag::Indices& labels)
        {
            ag::GradientTape tape;
            auto loss = ag::cross_entropy(network(x), labels);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            return loss;
        };
    };
    auto step = ag::compile(make(ours, adam));
    auto eager = make(theirs, other);
    ag::Generator generator(3);
    for (int k = 0; k < 12; ++k)
    {
        const std::size_t batch = k % 3 == 2 ? 5 : 8;
        const ag::Tensor<float> x = generator.normal<float>({batch, 6});
        ag::Indices labels(ag::Shape{batch});
        for (std::size_t i = 0; i < batch; ++i)
        {
            labels.data()[i] = static_cast<std::int64_t>(generator.below(4));
        }
        CHECK(same_bits(step(x, labels), eager(x, labels)));
        CHECK(same_bits(ours.w1, theirs.w1));
        CHECK(same_bits(ours.b2, theirs.b2));
    }
    CHECK(step.plans().size() == 2);
}

TEST_CASE("two arguments of labels stay two, whatever they are")
{
    const auto both = [](const ag::Tensor<double>& x, const ag::Indices& a, const ag::Indices& b)
    { return ag::cross_entropy(x, a) + 2.0 * ag::cross_entropy(x, b); };
    auto compiled = ag::compile(both);
    const ag::Tensor<double> x = ag::Generator(1).normal<double>({2, 3});
    for (std::int64_t k = 0; k < 5; ++k)
    {
        const ag::Indices a{k % 3, std::int64_t{0}}, b{std::int64_t{2}, k % 2};
        CHECK(same_bits(compiled(x, a, b), both(x, a, b)));
    }
}

TEST_CASE("labels out of range are refused in a replay, too, and nothing is lost")
{
    Network network(1);
    auto step = ag::compile([&](const ag::Tensor<float>& x, const ag::Indices& labels)
                            { return ag::cross_entropy(network(x), labels); });
    const ag::Tensor<float> x = ag::Generator(2).normal<float>({3, 6});
    for (int k = 0; k < 3; ++k)
    {
        step(x, ag::Indices{0, 1, 3});
    }
    CHECK_THROWS_AS(step(x, ag::Indices{0, 4, 1}), ag::ValueError);
    CHECK(same_bits(step(x, ag::Indices{0, 2, 1}), ag::cross_entropy(network(x), ag::Indices{0, 2, 1})));
}

TEST_CASE("random numbers, schedules and actions stay live")
{
    ag::Variable<double> w(xt::xarray<double>{1, 2, 3, 4}), v(xt::xarray<double>{1, 2, 3, 4});
    optim::SGD sgd({w}, {.lr = 0.5}), other({v}, {.lr = 0.5});
    optim::StepLR schedule(sgd, {.step_size = 2}), other_schedule(other, {.step_size = 2});
    ag::Generator generator(5), other_generator(5);
    int count = 0;
    const auto make =
        [&count](ag::Variable<double> x, optim::SGD& optimizer, optim::Schedule& rates, ag::Generator& random)
    {
        return [&count, x, &optimizer, &rates, &random]
        {
            ag::GradientTape tape;
            const auto noise = random.normal<double>({4});
            auto loss = ag::sum(ag::square(ag::dropout(x * noise, 0.5, random)));
            optimizer.zero_grad();
            loss.backward();
            optim::clip_grad_norm({x}, 1.0);
            optimizer.step();
            rates.step();
            ag::live([&] { ++count; });
            return loss;
        };
    };
    auto step = ag::compile(make(w, sgd, schedule, generator));
    auto eager = make(v, other, other_schedule, other_generator);
    for (int k = 0; k < 9; ++k)
    {
        CHECK(step().item() == eager().item());
        CHECK(same_bits(w, v));
    }
    CHECK(count == 18);
    CHECK(step.plans().size() == 1);
}

TEST_CASE("every optimizer does in a plan what it does without")
{
    const auto check = [](auto make)
    {
        Network ours(1), theirs(1);
        const auto parameters = [](const Network& network) {
            return std::vector<optim::Parameter>{network.w1, network.b1, network.w2, network.b2};
        };
        auto our_optimizer = make(parameters(ours));
        auto their_optimizer = make(parameters(theirs));
        const auto step_of = [](const Network& network, optim::Optimizer& optimizer)
        {
            return [&](const ag::Tensor<float>& x)
            {
                ag::GradientTape tape;
                auto loss = ag::mean(ag::square(network(x)));
                optimizer.zero_grad();
                loss.backward();
                optimizer.step();
                return loss;
            };
        };
        auto compiled = ag::compile(step_of(ours, our_optimizer));
        auto eager = step_of(theirs, their_optimizer);
        ag::Generator generator(3);
        for (int k = 0; k < 6; ++k)
        {
            const auto x = generator.normal<float>({5, 6});
            CAPTURE(our_optimizer.name());
            CHECK(same_bits(compiled(x), eager(x)));
            CHECK(same_bits(ours.w1, theirs.w1));
            CHECK(same_bits(ours.b2, theirs.b2));
        }
    };
    using Parameters = std::vector<optim::Parameter>;
    check([](const Parameters& p) { return optim::SGD(p, {.lr = 0.1, .momentum = 0.9, .nesterov = true}); });
    check([](const Parameters& p) { return optim::Adam(p); });
    check([](const Parameters& p) { return optim::AdamW(p); });
    check([](const Parameters& p) { return optim::Adamax(p); });
    check([](const Parameters& p) { return optim::NAdam(p); });
    check([](const Parameters& p) { return optim::RAdam(p); });
    check([](const Parameters& p) { return optim::RMSprop(p); });
    check([](const Parameters& p) { return optim::Rprop(p); });
    check([](const Parameters& p) { return optim::Adagrad(p); });
    check([](const Parameters& p) { return optim::Adadelta(p); });
    check([](const Parameters& p) { return optim::ASGD(p); });
    check([](const Parameters& p) { return optim::Lion(p); });
}

TEST_CASE("gradients that a function does not forget add up")
{
    ag::Variable<double> w(2.0);
    auto step = ag::compile(
        [&](const ag::Tensor<double>& x)
        {
            ag::GradientTape tape;
            ag::sum(w * x).backward();
        });
    double expected = 0;
    for (double k = 1; k < 7; ++k)
    {
        step(xt::xarray<double>{k, 2 * k});
        expected += 3 * k;
        CHECK(w.grad().item() == expected);
    }
}

TEST_CASE("numbers that a call gave stay as they are for who keeps them")
{
    ag::Variable<double> w(2.0);
    ag::Variable<float> v(3.0F);
    auto step = ag::compile(
        [&](const ag::Tensor<double>& x)
        {
            ag::GradientTape tape;
            auto loss = w * x + ag::cast<double>(v * v);
            w.zero_grad();
            v.zero_grad();
            loss.backward();
            return loss;
        });
    std::vector<ag::Tensor<double>> losses, gradients;
    std::vector<ag::Tensor<float>> of_v;
    for (double k = 0; k < 9; ++k)
    {
        auto loss = step(k);
        // Some are kept, others are not.
        losses.push_back(static_cast<int>(k) % 3 != 0 ? loss : ag::Tensor<double>(loss.item()));
        gradients.push_back(static_cast<int>(k) % 3 != 1 ? w.grad() : ag::Tensor<double>(w.grad().item()));
        of_v.push_back(v.grad());
    }
    for (std::size_t k = 0; k < losses.size(); ++k)
    {
        CHECK(losses[k].item() == 2.0 * static_cast<double>(k) + 9);
        CHECK(gradients[k].item() == static_cast<double>(k));
        CHECK(of_v[k].item() == 6);
    }
}

TEST_CASE("a number is added to the gradient that was there before")
{
    ag::Variable<double> w(2.0);
    auto step = ag::compile(
        [&](const ag::Tensor<double>& x, const ag::Tensor<double>& y)
        {
            for (const auto& by : {x, y})
            {
                ag::GradientTape tape;
                (w * by).backward();
            }
        });
    double expected = 0;
    for (double k = 1; k < 9; ++k)
    {
        if (k == 6)
        {
            w.zero_grad();
            expected = 0;
        }
        const std::optional<ag::Tensor<double>> before = w.has_grad() ? std::optional(w.grad()) : std::nullopt;
        const double number = before ? before->item() : 0;
        step(k, 2 * k);
        expected += 3 * k;
        CHECK(w.grad().item() == expected);
        CHECK((!before || before->item() == number));
    }
}

TEST_CASE("variables that are given one gradient keep sums of their own")
{
    ag::Variable<double> a(xt::xarray<double>{1, 2}), b(xt::xarray<double>{3, 4});
    auto step = ag::compile(
        [&](const ag::Tensor<double>& x)
        {
            ag::GradientTape tape;
            ag::sum((a + b) * x).backward();
        });
    const ag::Tensor<double> x(xt::xarray<double>{1, 2});
    // No gradient at first in the calls that are recorded, one later.
    for (const double expected : {1, 1, 2, 3})
    {
        if (expected == 1)
        {
            a.zero_grad();
            b.zero_grad();
        }
        step(x);
        CHECK(same_bits(a.grad(), x * expected));
        CHECK(same_bits(b.grad(), x * expected));
    }
    auto added = ag::compile(
        [&](const ag::Tensor<double>& by)
        {
            ag::GradientTape tape;
            ag::sum((a + b) * by).backward();
        });
    for (const double expected : {4, 5, 6})
    {
        added(x);
        CHECK(same_bits(b.grad(), x * expected));
    }
}

TEST_CASE("a gradient that is added to itself by a pullback is not changed while that reads it")
{
    // dz is the gradient that x + 1 gives x, and the one that the pullback of flip reads: x gets dz + flip(dz).
    const auto gradient = [](const ag::Tensor<double>& x)
    {
        ag::GradientTape tape;
        tape.watch(x);
        const auto flipped = ag::flip(x, 0);
        return tape.gradient(ag::sum(ag::square(flipped + (x + 1.0)) * ag::constant(xt::xarray<double>{1, 2, 3, 4})),
                             x);
    };
    auto compiled = ag::compile(gradient);
    const ag::Tensor<double> x(xt::xarray<double>{1, 2, 3, 5});
    for (int k = 0; k < 4; ++k)
    {
        CHECK(xt::allclose(compiled(x).value(), xt::xarray<double>{70, 60, 60, 70}));
    }
}

TEST_CASE("what depends on labels is not computed before them")
{
    // The mask of the labels that count stands in a column, as t does, which is computed before.
    const auto loss = [](const ag::Tensor<double>& x, const ag::Indices& labels)
    {
        const auto t = ag::sin(ag::sum(ag::log_softmax(x, -1), -1, ag::keep_dims));
        return ag::sum(t) + ag::cross_entropy(x, labels, {.ignore_index = 9, .label_smoothing = 0.1});
    };
    auto compiled = ag::compile(loss);
    const ag::Tensor<double> x = ag::Generator(1).normal<double>({3, 4});
    for (std::int64_t k = 0; k < 6; ++k)
    {
        const ag::Indices labels{std::int64_t{k % 2 == 0 ? 1 : 9}, std::int64_t{2}, std::int64_t{k % 3 == 0 ? 9 : 0}};
        CHECK(same_bits(compiled(x, labels), loss(x, labels)));
    }
}

TEST_CASE("a gradient is forgotten in each call, also if there was none in the first")
{
    ag::Variable<double> w(2.0);
    auto step = ag::compile(
        [&](const ag::Tensor<double>& x)
        {
            ag::GradientTape tape;
            auto loss = w * x;
            w.zero_grad();
            loss.backward();
        });
    for (double k = 1; k < 5; ++k)
    {
        step(k);
        CHECK(w.grad().item() == k);
    }
}

TEST_CASE("assignments and reads of variables keep their order")
{
    ag::Variable<double> w(1.0), v(1.0);
    const auto make = [](ag::Variable<double> x)
    {
        return [x](const ag::Tensor<double>& by)
        {
            const auto before = x * 1.0;
            x.assign_add(by);
            const auto between = x * 2.0;
            x.assign(between - before);
            return std::tuple(before, between, ag::Tensor<double>(x));
        };
    };
    auto step = ag::compile(make(w));
    auto eager = make(v);
    for (double k = 0; k < 6; ++k)
    {
        const auto [a, b, c] = step(k);
        const auto [d, e, f] = eager(k);
        CHECK(a.item() == d.item());
        CHECK(b.item() == e.item());
        CHECK(c.item() == f.item());
        CHECK(w.item() == v.item());
    }
}

TEST_CASE("what would be frozen is refused with the line")
{
    ag::Variable<double> w(xt::xarray<double>{1, 2});
    const auto message = [](auto& f)
    {
        try
        {
            f();
            f();
            f();
        }
        catch (const ag::CompileError& error)
        {
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    const xt::xarray<double> batch{3, 4};
    auto array = ag::compile([&] { return w * batch; });
    CHECK(message(array).find("multiply reads an array, double (2,), that is no argument") != std::string::npos);
    CHECK(message(array).find("compile_test.cpp:") != std::string::npos);
    auto item = ag::compile([&] { return ag::sum(w).item() > 1 ? w * 2.0 : w * 3.0; });
    CHECK(message(item).find("item() reads elements where the recording does not see it") != std::string::npos);
    auto compared = ag::compile([&] { return xt::any(w > 0.0) ? w * 2.0 : w * 3.0; });
    CHECK(message(compared).find("a comparison reads elements") != std::string::npos);
    auto asked = ag::compile([&] { return ag::isnan(ag::sum(w))() ? w * 2.0 : w * 3.0; });
    CHECK(message(asked).find("isnan reads elements") != std::string::npos);
    double rate = 0.1;
    auto number = ag::compile([&] { return w * (rate *= 0.5); });
    CHECK(message(number).find("a number that multiply reads had changed") != std::string::npos);
    auto returned = ag::compile([&] { return std::pair(w * 2.0, ag::Tensor<double>(rate *= 0.5)); });
    CHECK(message(returned).find("a number that it returns had changed") != std::string::npos);
    auto held = ag::compile([&] { return std::pair(w * 2.0, ag::Tensor<double>(0.5)); });
    CHECK(message(held) == "nothing was thrown");
    ag::Generator generator(1);
    auto drawn = ag::compile([&] { return w * generator.uniform(); });
    CHECK(message(drawn).find("a random number is drawn") != std::string::npos);
    int calls = 0;
    auto branch = ag::compile([&] { return ++calls == 1 ? ag::sin(w) : ag::cos(w); });
    CHECK(message(branch).find("where sin was computed first, cos was computed next") != std::string::npos);
    auto fixed = ag::compile([&] { return w * ag::constant(batch); });
    CHECK(message(fixed) == "nothing was thrown");
    auto frozen = ag::compile([&] { return w * ag::sum(w).item(); }, {.freeze = true});
    CHECK(message(frozen) == "nothing was thrown");
}

namespace
{

struct Affine
{
    ag::Tensor<double> weight, bias;
};

struct Batch
{
    std::array<ag::Tensor<double>, 2> inputs;
    ag::Indices labels;
};

}

TEST_CASE("parameters and results may be structs, and vectors of any length")
{
    const auto step = [](const std::vector<Affine>& layers, const Batch& batch)
    {
        const auto loss = [&](const std::vector<Affine>& parameters)
        {
            ag::Tensor<double> x = batch.inputs[0] + batch.inputs[1];
            for (const Affine& layer : parameters)
            {
                x = ag::tanh(ag::linear(x, layer.weight, layer.bias));
            }
            return ag::cross_entropy(x, batch.labels);
        };
        return ag::value_and_grad(loss)(layers);
    };
    auto compiled = ag::compile(step);
    ag::Generator generator(7);
    for (int k = 0; k < 9; ++k)
    {
        std::vector<Affine> layers;
        for (int layer = 0; layer < 1 + k % 2; ++layer)
        {
            layers.push_back({generator.normal<double>({3, 3}), generator.normal<double>({3})});
        }
        const Batch batch{{generator.normal<double>({2, 3}), generator.normal<double>({2, 3})}, {k % 3, 1}};
        const auto [value, gradient] = compiled(layers, batch);
        const auto [expected, expected_gradient] = step(layers, batch);
        CHECK(same_bits(value, expected));
        REQUIRE(gradient.size() == layers.size());
        for (std::size_t layer = 0; layer < layers.size(); ++layer)
        {
            CHECK(same_bits(gradient[layer].weight, expected_gradient[layer].weight));
            CHECK(same_bits(gradient[layer].bias, expected_gradient[layer].bias));
        }
    }
    CHECK(compiled.plans().size() == 2);
}

TEST_CASE("vectors that have as many tensors together, but another length each, have plans of their own")
{
    using List = std::vector<ag::Tensor<double>>;
    const auto f = [](const List& a, const List& b)
    {
        std::vector<List> result{{}, {}};
        for (const ag::Tensor<double>& x : a)
        {
            result[0].push_back(x * 2.0);
        }
        for (const ag::Tensor<double>& x : b)
        {
            result[1].push_back(x * 3.0);
        }
        return result;
    };
    auto compiled = ag::compile(f);
    const ag::Tensor<double> one(1.0);
    for (int k = 0; k < 4; ++k)
    {
        const std::vector<List> first = compiled({one, one}, {one});
        CHECK(first[0].size() == 2);
        CHECK(first[1].at(0).item() == 3.0);
        const std::vector<List> second = compiled({one}, {one, one});
        CHECK(second[0].size() == 1);
        CHECK(second[1].at(1).item() == 3.0);
    }
}

TEST_CASE("under a tape outside, a compiled function is differentiated as it is")
{
    auto f = ag::compile([](const ag::Tensor<double>& x) { return x * x * x; });
    for (double k = 1; k < 6; ++k)
    {
        const ag::Tensor<double> x(k);
        f(x);
        ag::GradientTape tape;
        tape.watch(x);
        CHECK(tape.gradient(f(x), x).item() == 3 * k * k);
    }
}

TEST_CASE("a product in a loop is rounded before it is added, and a zero keeps its sign")
{
    const auto all = [](const ag::Tensor<float>& x, const ag::Tensor<float>& y, const ag::Tensor<float>& c)
    { return std::tuple(x * x + c, c + y * y, -(x * c), 1.F / -(c * c)); };
    auto compiled = ag::compile(all);
    // The square of 1 + 2^-12 has a last bit more than a float: 2^-24.
    const ag::Tensor<float> x(xt::xarray<float>(xt::ones<float>({1000}) + std::ldexp(1.F, -12)));
    const ag::Tensor<float> c(xt::xarray<float>(xt::ones<float>({1000}) * (-1 - std::ldexp(1.F, -11))));
    const ag::Tensor<float> zero(xt::xarray<float>(xt::zeros<float>({1000})));
    for (int call = 0; call < 4; ++call)
    {
        const auto [left, right, positive, finite] = compiled(x, x, c);
        CHECK(ag::sum(ag::abs(left)).item() == 0);
        CHECK(ag::sum(ag::abs(right)).item() == 0);
        CHECK(ag::amin(positive).item() > 1);
        const auto [sum, other_sum, negative, inverse] = compiled(x, x, zero);
        CHECK(ag::amax(inverse).item() == -std::numeric_limits<float>::infinity());
        CHECK(ag::amax(1.F / negative).item() == -std::numeric_limits<float>::infinity());
    }
}

TEST_CASE("a plan multiplies by no 1, and what it passes on does not change with the variable")
{
    ag::Variable<double> a(xt::xarray<double>{1, 2, 3}), b(xt::xarray<double>{-0.0, 5, 6});
    auto step = ag::compile(
        [=]() mutable
        {
            a.zero_grad();
            b.zero_grad();
            ag::GradientTape tape;
            const auto loss = ag::sum(a * b);
            loss.backward();
            return loss;
        });
    for (double k = 0; k < 5; ++k)
    {
        CHECK(step().item() == 28 + 6 * k);
        const auto of_a = a.grad();
        const auto of_b = b.grad();
        CHECK(same_bits(of_a, k == 0 ? ag::Tensor(xt::xarray<double>{-0.0, 5, 6})
                                     : ag::Tensor(xt::xarray<double>{k, 5 + k, 6 + k})));
        CHECK(same_bits(of_b, ag::Tensor(xt::xarray<double>{1, 2, 3})));
        b.assign_add(ag::Tensor(xt::xarray<double>{1, 1, 1}));
        CHECK(of_a.value()(2) == 6 + k);
        CHECK(b.value()(2) == 7 + k);
    }
    const auto plan = step.plans().at(0);
    for (const auto& line : plan)
    {
        CHECK(line.what.find("gradient of multiply") == std::string::npos);
    }
}

TEST_CASE("both gradients of x x are one product")
{
    ag::Variable<float> x(xt::xarray<float>{1, 2, 3});
    auto step = ag::compile(
        [=]() mutable
        {
            x.zero_grad();
            ag::GradientTape tape;
            ag::sum(ag::exp(x * x)).backward();
        });
    for (int call = 0; call < 4; ++call)
    {
        step();
        CHECK(x.grad().value()(0) == doctest::Approx(2 * std::exp(1.F)));
        CHECK(x.grad().value()(2) == doctest::Approx(6 * std::exp(9.F)));
    }
    std::size_t found = 0;
    const auto plan = step.plans().at(0);
    for (const auto& line : plan)
    {
        for (std::size_t at = 0; (at = line.what.find("gradient of multiply", at)) != std::string::npos; ++at)
        {
            ++found;
        }
    }
    CHECK(found == 1);
}

TEST_CASE("second derivatives and Jacobians may be inside")
{
    const auto f = [](const ag::Tensor<double>& x) { return ag::sum(ag::sin(x) * ag::exp(x * 0.5)); };
    const auto both = [&](const ag::Tensor<double>& x, const ag::Tensor<double>& v)
    { return std::tuple(ag::grad(f)(x), ag::hvp(f, x, v), ag::hessian(f, x)); };
    auto compiled = ag::compile(both);
    ag::Generator generator(1);
    for (int k = 0; k < 4; ++k)
    {
        const auto x = generator.normal<double>({5});
        const auto v = generator.normal<double>({5});
        const auto [a, b, c] = compiled(x, v);
        const auto [d, e, g] = both(x, v);
        CHECK(same_bits(a, d));
        CHECK(same_bits(b, e));
        CHECK(same_bits(c, g));
    }
}

TEST_CASE("a function that is mapped inside reads what was computed before, and is read after")
{
    auto compiled = ag::compile(
        [](const ag::Tensor<double>& x)
        {
            const ag::Tensor<double> twice = 2 * x;
            const ag::Tensor<double> total = ag::sum(twice);
            const auto squares = ag::vmap([&](const ag::Tensor<double>& row) { return total * ag::sum(row * row); });
            return squares(twice) + total * squares(x);
        });
    for (double k = 1; k < 5; ++k)
    {
        const ag::Tensor<double> y = compiled(ag::Tensor<double>(xt::xarray<double>{{k, 2}, {3, 4}}));
        const double total = 2 * (k + 9);
        CHECK(y.value()(0) == (k * k + 4) * (4 * total + total * total));
        CHECK(y.value()(1) == 25 * (4 * total + total * total));
    }
}

TEST_CASE("plans are kept for so many shapes, and the one used longest ago goes")
{
    auto f = ag::compile([](const ag::Tensor<double>& x) { return ag::sum(x * x); }, {.most_plans = 2});
    for (std::size_t n : {1, 2, 3, 1, 2, 3})
    {
        const ag::Tensor<double> x = ag::Generator(1).normal<double>({n});
        for (int k = 0; k < 3; ++k)
        {
            CHECK(f(x).item() == ag::sum(x * x).item());
        }
    }
    CHECK(f.plans().size() == 2);
}

TEST_CASE("what is computed twice or for nothing is not in a plan")
{
    auto f = ag::compile(
        [](const ag::Tensor<double>& x)
        {
            static_cast<void>(ag::exp(x));
            return ag::sin(x) + ag::sin(x);
        });
    const ag::Tensor<double> x(xt::xarray<double>{1, 2, 3});
    for (int k = 0; k < 3; ++k)
    {
        CHECK(same_bits(f(x), ag::sin(x) + ag::sin(x)));
    }
    REQUIRE(f.plans().size() == 1);
    REQUIRE(f.plans()[0].size() == 1);
    CHECK(f.plans()[0][0].what == "sin, add");
    CHECK(f.plans()[0][0].result == "double (3,)");
    CHECK(f.plans()[0][0].location.line != 0);
}

namespace
{

/// The mean of an element-wise function of softmax or log_softmax along an axis, and its gradients.
template <class T>
auto lines_step(std::ptrdiff_t axis, bool log)
{
    return [=](const ag::Tensor<T>& x, const ag::Tensor<T>& b)
    {
        ag::GradientTape tape;
        tape.watch(x);
        tape.watch(b);
        const auto y = ag::tanh(x) + b;
        const auto z = log ? ag::log_softmax(y, axis) : ag::softmax(y, axis);
        const auto loss = ag::mean(ag::square(z - T(0.5)) * x);
        const auto [dx, db] = tape.gradient(loss, x, b);
        return std::vector<ag::Tensor<T>>{loss, z, dx, db};
    };
}

template <class T>
std::vector<ag::PlanStep> require_same_on_lines(const ag::Shape& shape, std::ptrdiff_t axis, bool log)
{
    CAPTURE(ag::to_string(shape));
    CAPTURE(axis);
    ag::Generator generator(5);
    const auto eager = lines_step<T>(axis, log);
    auto compiled = ag::compile(eager);
    for (int call = 0; call < 4; ++call)
    {
        const auto x = generator.uniform<T>(shape, -3, 3);
        const auto b = generator.uniform<T>({shape[shape.rank() - 1]}, -1, 1);
        const auto ours = compiled(x, b), theirs = eager(x, b);
        for (std::size_t k = 0; k < ours.size(); ++k)
        {
            CHECK(same_bits(ours[k], theirs[k]));
        }
    }
    return compiled.plans()[0];
}

}

TEST_CASE("operations on whole lines are part of a loop, with sums of all and of rows at its end")
{
    const auto steps = require_same_on_lines<float>({20, 1000}, -1, false);
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].what.starts_with("tanh, add, softmax, subtract, square"));
    CHECK(steps[0].what.find("mean") != std::string::npos);
    CHECK(steps[0].what.find("gradient of softmax") != std::string::npos);
    CHECK(steps[0].what.find("gradient of softmax, sum") != std::string::npos);
    const auto log_steps = require_same_on_lines<double>({20, 100}, 0, true);
    REQUIRE(log_steps.size() == 1);
    CHECK(log_steps[0].what.find("gradient of log_softmax") != std::string::npos);
}

TEST_CASE("lines of any length along any axis, few or many, give the same bits in plans")
{
    for (const bool log : {false, true})
    {
        for (const ag::Shape& shape :
             {ag::Shape{1}, ag::Shape{7}, ag::Shape{64}, ag::Shape{3, 1}, ag::Shape{1, 3}, ag::Shape{400, 10},
              ag::Shape{33, 101}, ag::Shape{5, 4099}, ag::Shape{2, 40000}, ag::Shape{3, 17, 24}, ag::Shape{2, 300, 5}})
        {
            for (std::size_t axis = 0; axis < shape.rank(); ++axis)
            {
                require_same_on_lines<float>(shape, static_cast<std::ptrdiff_t>(axis), log);
                require_same_on_lines<double>(shape, static_cast<std::ptrdiff_t>(axis), log);
            }
        }
    }
}

TEST_CASE("sums over parts that are no whole lines are the same in plans, on one thread or more")
{
    const std::size_t before = ag::num_threads();
    for (const std::size_t threads : {1, 3})
    {
        ag::set_num_threads(threads);
        for (const ag::Shape& shape : {ag::Shape{150, 1024}, ag::Shape{600, 1000}, ag::Shape{1500, 96},
                                       ag::Shape{301, 1001}, ag::Shape{20000, 10}})
        {
            require_same_on_lines<float>(shape, -1, false);
        }
        require_same_on_lines<double>({600, 500}, -1, true);
    }
    ag::set_num_threads(before);
}

TEST_CASE("loops add up rows as sum does")
{
    const auto f = [](const ag::Tensor<float>& x)
    {
        const auto y = ag::sin(x) * x;
        return std::vector{ag::sum(y, 0), ag::sum(ag::cos(y), {0, 1}, ag::keep_dims), ag::sum(y), ag::sum(y, -1)};
    };
    for (const ag::Shape& shape : {ag::Shape{1, 5, 3}, ag::Shape{31, 1, 7}, ag::Shape{33, 2, 9}, ag::Shape{1000, 3, 20},
                                   ag::Shape{70, 65, 130}, ag::Shape{2, 2, 90000}})
    {
        CAPTURE(ag::to_string(shape));
        const auto x = ag::Generator(3).uniform<float>(shape, -2, 2);
        auto compiled = ag::compile(f);
        for (int call = 0; call < 3; ++call)
        {
            const auto ours = compiled(x), theirs = f(x);
            for (std::size_t k = 0; k < theirs.size(); ++k)
            {
                CHECK(same_bits(ours[k], theirs[k]));
            }
        }
    }
}

TEST_CASE_TEMPLATE("values and slopes that a plan computes together are those that are computed apart", T, float,
                   double)
{
    using Tensor = ag::Tensor<T>;
    // Two gradients of each, which take the same slope.
    const auto f = [](const Tensor& x, const Tensor& weight)
    {
        ag::GradientTape tape({.persistent = true});
        tape.watch(x);
        std::vector<Tensor> results;
        for (const Tensor& y :
             {ag::sin(x), ag::cos(x), ag::silu(x), ag::mish(x), ag::softplus(x), ag::logsigmoid(x), ag::gelu(x),
              ag::gelu(x, ag::Approximate::tanh), ag::sin(ag::cos(x)) * ag::silu(x + weight)})
        {
            results.push_back(y);
            results.push_back(tape.gradient(ag::sum(y), x));
            results.push_back(tape.gradient(ag::sum(y * weight), x));
        }
        return results;
    };
    auto compiled = ag::compile(f);
    ag::Generator generator(4);
    for (const double range : {3.0, 300.0, 1e5, 1e7})
    {
        xt::xarray<T> x = generator.uniform<T>({1500}, static_cast<T>(-range), static_cast<T>(range)).value();
        x(7) = T(-0.0);
        x(1400) = std::numeric_limits<T>::infinity();
        x(1450) = std::numeric_limits<T>::quiet_NaN();
        const Tensor weight = generator.uniform<T>({1500}, -1, 1);
        const auto ours = compiled(x, weight), theirs = f(x, weight);
        for (std::size_t k = 0; k < theirs.size(); ++k)
        {
            CAPTURE(k);
            // NaN may have any sign.
            CHECK(same_bits(ag::nan_to_num(ours[k]), ag::nan_to_num(theirs[k])));
        }
    }
    const auto steps = compiled.plans()[0];
    REQUIRE(steps.size() == 1);
    INFO(steps[0].what);
    for (const char* const name : {"sin", "cos", "silu", "mish", "softplus", "logsigmoid", "gelu", "gelu_tanh"})
    {
        CHECK(steps[0].what.find(std::string(name) + " and slope") != std::string::npos);
    }
}

TEST_CASE("lines of arrays without elements are planned")
{
    for (const ag::Shape& shape : {ag::Shape{0, 5}, ag::Shape{5, 0}, ag::Shape{2, 0, 3}})
    {
        auto f = ag::compile([](const ag::Tensor<double>& x) { return ag::softmax(ag::sin(x)) * 2.0; });
        for (int call = 0; call < 3; ++call)
        {
            CHECK(f(ag::Tensor<double>(xt::xarray<double>::from_shape({shape.begin(), shape.end()}))).shape() == shape);
        }
    }
}

// Searches through all steps for each of them took two minutes here.
TEST_CASE("thousands of slices of one array are planned, and have the same gradient")
{
    constexpr std::ptrdiff_t count = 800, width = 6;
    ag::Generator generator(1);
    const ag::Tensor<double> weights = generator.normal<double>({static_cast<std::size_t>(count * width)}, 0, 0.3);
    const ag::Tensor<double> start = generator.normal<double>({static_cast<std::size_t>(width)});
    const auto gradient = [&](const ag::Tensor<double>& w, const ag::Tensor<double>& x)
    {
        ag::GradientTape tape;
        tape.watch(w);
        ag::Tensor<double> y = x;
        for (std::ptrdiff_t k = 0; k < 4 * count; ++k)
        {
            const std::ptrdiff_t begin = k % count * width;
            y = ag::tanh(ag::view(w, ag::range(begin, begin + width)) * y + x);
        }
        return tape.gradient(ag::sum(y), w);
    };
    auto compiled = ag::compile(gradient);
    for (int call = 0; call < 3; ++call)
    {
        CHECK(same_bits(compiled(weights, start), gradient(weights, start)));
    }
    CHECK(compiled.plans().size() == 1);
}

TEST_CASE("a gradient that begins as one number for all elements is added to in plans")
{
    const auto gradient = [](const ag::Tensor<double>& x)
    {
        ag::GradientTape tape;
        tape.watch(x);
        const ag::Tensor<double> part = ag::view(x, ag::range(1, 3));
        return tape.gradient(ag::sum(part * part) + ag::sum(x), x);
    };
    auto compiled = ag::compile(gradient);
    const ag::Tensor<double> x(xt::xarray<double>{0.5, -1, 2, 3});
    for (int call = 0; call < 3; ++call)
    {
        CHECK(compiled(x).value() == xt::xarray<double>{1, -1, 5, 1});
    }
}

TEST_CASE("a million replays keep memory as it is and ask the system for none")
{
    ag::Variable a(1.0), b(1.0);
    optim::SGD sgd({a, b}, {.lr = 1e-7});
    auto step = ag::compile(
        [&]
        {
            ag::GradientTape tape;
            auto loss = a * a + b * b;
            sgd.zero_grad();
            loss.backward();
            sgd.step();
            return loss;
        });
    for (int k = 0; k < 10; ++k)
    {
        step();
    }
    const ag::MemoryStatistics before = ag::memory_statistics();
    for (int k = 0; k < 1000000; ++k)
    {
        step();
    }
    const ag::MemoryStatistics after = ag::memory_statistics();
    CHECK(after.system_allocations == before.system_allocations);
    CHECK(after.live == before.live);
}

namespace
{

std::vector<ag::Tensor<double>> inputs_of(const ag::Example& example, std::uint64_t seed)
{
    ag::Generator generator(seed);
    std::vector<ag::Tensor<double>> inputs;
    for (const ag::Shape& shape : example.shapes())
    {
        const double low = example.domain == ag::Domain::positive ? 0.3 : example.domain == ag::Domain::unit ? 0.1 : -2;
        const double high = example.domain == ag::Domain::positive ? 2.5 : example.domain == ag::Domain::unit ? 0.9 : 2;
        inputs.push_back(generator.uniform<double>(shape, low, high));
    }
    return inputs;
}

bool same_bits_or_nan(const ag::Tensor<double>& a, const ag::Tensor<double>& b)
{
    return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data(),
                                                [](double x, double y) { return x == y || (x != x && y != y); });
}

}

TEST_CASE("every operation and its gradients, compiled, are what they are, or are refused")
{
    std::set<std::string> refused;
    std::set<std::string> wrong;
    std::size_t compiled = 0;
    for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
    {
        std::vector<ag::Variable<double>> variables;
        for (const ag::Tensor<double>& input : inputs_of(*example, 1))
        {
            variables.emplace_back(input);
        }
        const auto function = [&]
        {
            ag::GradientTape tape;
            const std::vector<ag::Tensor<double>> x(variables.begin(), variables.end());
            const ag::Tensor<double> y = example->call_double(x);
            xt::xarray<double> weights(xt::xarray<double>::shape_type(y.shape().begin(), y.shape().end()));
            for (std::size_t i = 0; i < weights.size(); ++i)
            {
                weights.flat(i) = 0.5 + 0.25 * static_cast<double>(i % 7);
            }
            std::vector<ag::Tensor<double>> results = tape.gradient(
                y, variables, {.unconnected = ag::Unconnected::zero, .output_gradient = ag::constant(weights)});
            results.push_back(y);
            return results;
        };
        auto step = ag::compile(function);
        try
        {
            for (std::uint64_t seed = 1; seed < 5; ++seed)
            {
                const std::vector<ag::Tensor<double>> inputs = inputs_of(*example, seed);
                for (std::size_t k = 0; k < inputs.size(); ++k)
                {
                    variables[k].assign(inputs[k]);
                }
                const auto ours = step();
                const auto theirs = function();
                for (std::size_t k = 0; k < ours.size(); ++k)
                {
                    if (!same_bits_or_nan(ours[k], theirs[k]))
                    {
                        wrong.insert(example->name);
                    }
                }
            }
            compiled += step.plans().size();
        }
        catch (const ag::CompileError&)
        {
            refused.insert(example->name);
        }
    }
    std::string names;
    for (const std::string& name : wrong)
    {
        names += name + " ";
    }
    CHECK_MESSAGE(wrong.empty(), "frozen or wrong: " << names);
    CHECK(compiled > 490);
    // Whose example makes an array, a variable or a generator of its own; and those that look at elements: to sort or to
    // count them, for a decomposition, for a mask.
    const std::set<std::string> expected{"alpha_dropout",
                                         "batch_norm",
                                         "central_differences",
                                         "cholesky",
                                         "cond",
                                         "cosine_embedding_loss",
                                         "cov",
                                         "cross_entropy",
                                         "cummax",
                                         "cummin",
                                         "det",
                                         "dropout",
                                         "eigh",
                                         "eigvalsh",
                                         "embedding_bag",
                                         "frexp",
                                         "grid_sample",
                                         "hinge_embedding_loss",
                                         "igamma",
                                         "inv",
                                         "kthvalue",
                                         "logdet",
                                         "lstsq",
                                         "lu",
                                         "lu_factor",
                                         "margin_ranking_loss",
                                         "masked_fill",
                                         "matrix_exp",
                                         "matrix_norm",
                                         "matrix_power",
                                         "max",
                                         "median",
                                         "median_low",
                                         "min",
                                         "mode",
                                         "nan_to_num",
                                         "nanmean",
                                         "nanmedian",
                                         "nanmedian_low",
                                         "nanquantile",
                                         "nanstd",
                                         "nanvar",
                                         "norm",
                                         "pinv",
                                         "qr",
                                         "quantile",
                                         "segment_reduce",
                                         "slogdet",
                                         "solve",
                                         "sort",
                                         "svd",
                                         "svdvals",
                                         "tensorinv",
                                         "tensorsolve",
                                         "topk",
                                         "where"};
    CHECK(refused == expected);
}
