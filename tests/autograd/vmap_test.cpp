#include <autograd/autograd.hpp>
#include <autograd/registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace ag = autograd;

namespace
{

using Tensors = std::vector<ag::Tensor<double>>;

bool close(const ag::Tensor<double>& a, const ag::Tensor<double>& b, double tolerance = 1e-9)
{
    return a.shape() == b.shape() &&
           std::equal(a.data(), a.data() + a.size(), b.data(),
                      [=](double x, double y)
                      { return x == y || (x != x && y != y) || std::abs(x - y) <= tolerance * (1 + std::abs(y)); });
}

ag::Tensor<double> random(ag::Shape shape, std::uint64_t seed)
{
    return ag::Generator(seed).normal<double>(shape);
}

ag::Tensor<double> sample(const ag::Tensor<double>& batch, std::size_t i)
{
    return ag::view(batch, i);
}

/// Fixed and not uniform.
ag::Tensor<double> cotangent(const ag::Shape& shape)
{
    xt::xarray<double> weights(xt::xarray<double>::shape_type(shape.begin(), shape.end()));
    for (std::size_t i = 0; i < weights.size(); ++i)
    {
        weights.flat(i) = 0.5 + 0.25 * static_cast<double>(i % 7);
    }
    return weights;
}

/// vmap of a function of several tensors, of which bit k of `shared` says whether all samples share the k-th.
template <class F>
auto mapped(const F& f, const Tensors& x, unsigned shared)
{
    ag::VmapOptions options;
    for (std::size_t k = 0; k < x.size(); ++k)
    {
        options.in_axes.push_back((shared >> k & 1) != 0 ? std::nullopt : std::optional<std::ptrdiff_t>(0));
    }
    const auto map = ag::vmap([&](const auto&... each) { return f(Tensors{each...}); }, options);
    switch (x.size())
    {
    case 1:
        return map(x[0]);
    case 2:
        return map(x[0], x[1]);
    case 3:
        return map(x[0], x[1], x[2]);
    case 4:
        return map(x[0], x[1], x[2], x[3]);
    default:
        return map(x[0], x[1], x[2], x[3], x[4]);
    }
}

/// The same by a loop.
template <class F>
Tensors looped(const F& f, const Tensors& x, unsigned shared, std::size_t samples)
{
    std::vector<Tensors> results;
    for (std::size_t i = 0; i < samples; ++i)
    {
        Tensors one;
        for (std::size_t k = 0; k < x.size(); ++k)
        {
            one.push_back((shared >> k & 1) != 0 ? x[k] : sample(x[k], i));
        }
        const Tensors y = f(one);
        results.resize(y.size());
        for (std::size_t k = 0; k < y.size(); ++k)
        {
            results[k].push_back(y[k]);
        }
    }
    Tensors stacked;
    for (const Tensors& each : results)
    {
        stacked.push_back(ag::stack(each));
    }
    return stacked;
}

ag::Tensor<double> input_of(const ag::Example& example, const ag::Shape& shape, ag::Generator& generator)
{
    const double low = example.domain == ag::Domain::positive ? 0.3 : example.domain == ag::Domain::unit ? 0.1 : -2;
    const double high = example.domain == ag::Domain::positive ? 2.5 : example.domain == ag::Domain::unit ? 0.9 : 2;
    return generator.uniform<double>(shape, low, high);
}

std::string joined(const std::set<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
    {
        text += name + " ";
    }
    return text;
}

}

TEST_CASE("every operation, its gradients within and its gradients from outside are what a loop gives")
{
    constexpr std::size_t samples = 3;
    std::set<std::string> wrong;
    std::set<std::string> refused;
    for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
    {
        const std::size_t count = example->shapes().size();
        std::set<unsigned> sharings{0};
        if (count > 1)
        {
            sharings.insert({1U, 1U << (count - 1), (1U << count) - 2});
        }
        for (const unsigned shared : count == 0 ? std::set<unsigned>{} : sharings)
        {
            ag::Generator generator(count + shared);
            Tensors x;
            for (std::size_t k = 0; k < count; ++k)
            {
                ag::Shape shape = example->shapes()[k];
                if ((shared >> k & 1) == 0)
                {
                    ag::Shape batch{samples};
                    std::for_each(shape.begin(), shape.end(), [&](std::size_t extent) { batch.push_back(extent); });
                    shape = batch;
                }
                x.push_back(input_of(*example, shape, generator));
            }
            // The value, and the gradients of each sample by itself.
            const auto f = [&](const Tensors& one)
            {
                ag::GradientTape tape;
                for (const ag::Tensor<double>& each : one)
                {
                    tape.watch(each);
                }
                const ag::Tensor<double> y = example->call_double(one);
                Tensors results = tape.gradient(
                    y, one,
                    {.unconnected = ag::Unconnected::zero, .output_gradient = ag::constant(cotangent(y.shape()))});
                results.push_back(y);
                return results;
            };
            const auto with_outer_gradients = [&](const auto& call)
            {
                ag::GradientTape tape;
                for (const ag::Tensor<double>& each : x)
                {
                    tape.watch(each);
                }
                Tensors results = call();
                const ag::Tensor<double> y = results.back();
                for (const ag::Tensor<double>& gradient : tape.gradient(
                         y, x, {.unconnected = ag::Unconnected::zero, .output_gradient = cotangent(y.shape())}))
                {
                    results.push_back(gradient);
                }
                return results;
            };
            const std::string name = std::string(example->name) + "/" + std::to_string(shared);
            Tensors theirs;
            try
            {
                theirs = with_outer_gradients([&] { return looped(f, x, shared, samples); });
            }
            catch (const ag::Error&)
            {
                // Such as a shared operand that is no number.
                continue;
            }
            try
            {
                const Tensors ours = with_outer_gradients([&] { return mapped(f, x, shared); });
                for (std::size_t k = 0; k < theirs.size(); ++k)
                {
                    if (!close(ours[k], theirs[k]))
                    {
                        wrong.insert(name + ":" + std::to_string(k));
                    }
                }
            }
            catch (const ag::CompileError&)
            {
                refused.insert(name);
            }
            catch (const ag::Error& error)
            {
                wrong.insert(name + " " + error.what());
            }
        }
    }
    CHECK_MESSAGE(wrong.empty(), "wrong: " << joined(wrong));
    // Those that draw, assign running statistics, or whose example compares or reads a number.
    const std::set<std::string> expected{"alpha_dropout/0", "batch_norm/0", "batch_norm/1", "batch_norm/4",
                                         "batch_norm/6",    "cov/0",        "cov/1",        "dropout/0",
                                         "where/0",         "where/1"};
    CHECK_MESSAGE(refused == expected, "refused: " << joined(refused));
}

TEST_CASE("per-sample gradients of a least-squares loss are 2 (w x - y) x")
{
    const ag::Variable<double> w(xt::xarray<double>{2, -1});
    const xt::xarray<double> x{{1, 2}, {3, 1}, {0, 4}};
    const xt::xarray<double> y{1, 4, -3};
    const auto gradient = [&](const ag::Tensor<double>& one, const ag::Tensor<double>& target)
    {
        ag::GradientTape tape;
        return tape.gradient(ag::square(ag::sum(w * one) - target), w);
    };
    // w x is 0, 5, -4; twice the residuals is -2, 2, -2.
    CHECK(ag::vmap(gradient)(x, y).value() == xt::xarray<double>{{-2, -4}, {6, 2}, {0, -8}});
}

TEST_CASE("vmap(grad(f)) gives the gradient of each sample")
{
    const auto f = [](const ag::Tensor<double>& x) { return ag::sum(ag::sin(x) * x); };
    const ag::Tensor<double> x = random({4, 3}, 1);
    const ag::Tensor<double> ours = ag::vmap(ag::grad(f))(x);
    for (std::size_t i = 0; i < 4; ++i)
    {
        CHECK(close(sample(ours, i), ag::grad(f)(sample(x, i))));
    }
}

TEST_CASE("per-sample gradients of a network's parameters are those of a loop")
{
    ag::Generator generator(2);
    const std::vector<ag::Variable<double>> parameters{
        ag::Variable<double>(generator.normal<double>({5, 3})), ag::Variable<double>(generator.normal<double>({5})),
        ag::Variable<double>(generator.normal<double>({4, 5})), ag::Variable<double>(generator.normal<double>({4}))};
    const auto gradients = [&](const ag::Tensor<double>& x, const ag::Tensor<double>& target)
    {
        ag::GradientTape tape;
        const auto hidden = ag::tanh(ag::linear(x, parameters[0], parameters[1]));
        const auto scores = ag::linear(hidden, parameters[2], parameters[3]);
        return tape.gradient(-ag::sum(target * ag::log_softmax(scores)), parameters);
    };
    const ag::Tensor<double> x = generator.normal<double>({6, 3});
    const ag::Tensor<double> targets = ag::softmax(generator.normal<double>({6, 4}));
    const Tensors ours = ag::vmap(gradients)(x, targets);
    for (std::size_t i = 0; i < 6; ++i)
    {
        const Tensors theirs = gradients(sample(x, i), sample(targets, i));
        for (std::size_t k = 0; k < parameters.size(); ++k)
        {
            CHECK(close(sample(ours[k], i), theirs[k]));
        }
    }
}

TEST_CASE("per-sample gradients of a convolution's weight are those of a loop")
{
    ag::Generator generator(3);
    const ag::Variable<double> weight(generator.normal<double>({4, 1, 3, 3}));
    const auto gradient = [&](const ag::Tensor<double>& x)
    {
        ag::GradientTape tape;
        return tape.gradient(ag::sum(ag::tanh(ag::conv2d(x, weight, {.padding = 1, .groups = 2}))), weight);
    };
    const ag::Tensor<double> x = generator.normal<double>({5, 2, 6, 5});
    const ag::Tensor<double> ours = ag::vmap(gradient)(x);
    for (std::size_t i = 0; i < 5; ++i)
    {
        CHECK(close(sample(ours, i), gradient(sample(x, i))));
    }
}

TEST_CASE("axes of samples may be any, and arguments shared")
{
    const ag::Tensor<double> a = random({2, 5, 3}, 4);
    const ag::Tensor<double> b = random({3, 4}, 5);
    const auto f = [](const ag::Tensor<double>& x, const ag::Tensor<double>& m) { return ag::matmul(x, m); };
    const ag::Tensor<double> ours = ag::vmap(f, {.in_axes = {1, std::nullopt}})(a, b);
    CHECK(ours.shape() == ag::Shape{5, 2, 4});
    for (std::size_t i = 0; i < 5; ++i)
    {
        CHECK(close(sample(ours, i), ag::matmul(ag::view(a, xt::all(), i), b)));
    }
    const ag::Tensor<double> last = ag::vmap([](const auto& x) { return ag::sum(x); }, {.in_axes = {-1}})(a);
    CHECK(close(last, ag::sum(a, {0, 1})));
}

TEST_CASE("what a function captures, and integers that it is given, all samples share")
{
    const ag::Tensor<double> offset = random({3}, 6);
    const ag::Indices order{2, 0};
    const auto f = [&](const ag::Tensor<double>& x, const ag::Indices& places, double factor)
    { return ag::index_select(x + offset, 0, places) * factor; };
    const ag::Tensor<double> x = random({4, 3}, 7);
    const ag::Tensor<double> ours = ag::vmap(f)(x, order, 3.0);
    for (std::size_t i = 0; i < 4; ++i)
    {
        CHECK(close(sample(ours, i), f(sample(x, i), order, 3)));
    }
}

namespace
{

struct Affine
{
    ag::Tensor<double> weight, bias;
    int number = 1;
};

struct Model
{
    ag::Variable<double> weight, bias;
};

}

TEST_CASE("vmap maps over structs: samples of parameters, gradients of each sample")
{
    const auto loss = [](const Affine& layer, const ag::Tensor<double>& x)
    { return ag::sum(ag::square(ag::sum(layer.weight * x) + layer.bias)); };
    const Affine batch{ag::Tensor<double>(xt::xarray<double>{{1, 2}, {3, 4}, {-1, 1}}),
                       ag::Tensor<double>(xt::xarray<double>{1, 0, 2}), 5};
    const ag::Tensor<double> x(xt::xarray<double>{{1, 1}, {2, -1}, {0, 3}});
    const auto [gradient, by_x] = ag::vmap(ag::grad(loss))(batch, x);
    static_assert(std::is_same_v<decltype(gradient), const Affine>);
    CHECK(gradient.number == 5);
    // The residuals are 4, 2, 5; the gradients are twice them times x, 1 and the weight.
    CHECK(gradient.weight.value() == xt::xarray<double>{{8, 8}, {8, -4}, {0, 30}});
    CHECK(gradient.bias.value() == xt::xarray<double>{8, 4, 10});
    CHECK(by_x.value() == xt::xarray<double>{{8, 16}, {12, 16}, {-10, 10}});
    const Affine shared{ag::Tensor<double>(xt::xarray<double>{1, 2}), ag::Tensor<double>(1.0)};
    const auto [shared_gradient, rest] = ag::vmap(ag::grad(loss), {.in_axes = {std::nullopt, 0}})(shared, x);
    CHECK(shared_gradient.weight.value() == xt::xarray<double>{{8, 8}, {4, -2}, {0, 42}});
    CHECK(rest.shape() == ag::Shape{3, 2});
    const Model model{ag::Variable<double>(xt::xarray<double>{1, 2}), ag::Variable<double>(1.0)};
    const auto with_model = [](const Model& m, const ag::Tensor<double>& one)
    { return ag::sum(m.weight * one) + m.bias; };
    CHECK(ag::vmap(with_model)(model, x).value() == xt::xarray<double>{4, 1, 7});
    const auto nested = [](const std::vector<ag::Tensor<double>>& each) {
        return std::pair(std::vector{each[0] * each[1], each[0]}, Affine{each[1], each[0]});
    };
    const auto [list, layer] = ag::vmap(nested)(
        std::vector{ag::Tensor<double>(xt::xarray<double>{1, 2}), ag::Tensor<double>(xt::xarray<double>{3, 4})});
    CHECK(list[0].value() == xt::xarray<double>{3, 8});
    CHECK(layer.weight.value() == xt::xarray<double>{3, 4});
}

TEST_CASE("several results, also such as do not depend on the sample")
{
    const auto f = [](const ag::Tensor<double>& x) {
        return std::pair(ag::sum(x), ag::Tensor<double>(xt::xarray<double>{1, 2}));
    };
    const auto [sums, constants] = ag::vmap(f)(xt::xarray<double>{{1, 2}, {3, 4}, {5, 6}});
    CHECK(sums.value() == xt::xarray<double>{3, 7, 11});
    CHECK(constants.value() == xt::xarray<double>{{1, 2}, {1, 2}, {1, 2}});
}

TEST_CASE("vmap of vmap maps over two axes")
{
    const ag::Tensor<double> a = random({3, 4}, 8);
    const ag::Tensor<double> b = random({5, 4}, 9);
    const auto pair = [](const ag::Tensor<double>& x, const ag::Tensor<double>& y) { return ag::exp(ag::sum(x * y)); };
    const auto rows = [&](const ag::Tensor<double>& x)
    { return ag::vmap([&](const ag::Tensor<double>& y) { return pair(x, y); })(b); };
    const ag::Tensor<double> ours = ag::vmap(rows)(a);
    CHECK(close(ours, ag::exp(ag::matmul(a, ag::transpose(b)))));
}

TEST_CASE("Hessians of samples, and Jacobians and gradients of what vmap gives")
{
    const auto f = [](const ag::Tensor<double>& x) { return ag::sum(x * x * x) * ag::sum(ag::sin(x)); };
    const ag::Tensor<double> x = random({4, 3}, 10);
    const ag::Tensor<double> hessians = ag::vmap([&](const ag::Tensor<double>& one) { return ag::hessian(f, one); })(x);
    for (std::size_t i = 0; i < 4; ++i)
    {
        CHECK(close(sample(hessians, i), ag::hessian(f, sample(x, i))));
    }
    const auto all = [&](const ag::Tensor<double>& batch) { return ag::vmap(f)(batch); };
    const ag::Tensor<double> jacobian = ag::jacobian(all, x);
    for (std::size_t i = 0; i < 4; ++i)
    {
        for (std::size_t j = 0; j < 4; ++j)
        {
            const ag::Tensor<double> expected =
                i == j ? ag::grad(f)(sample(x, i)) : ag::Tensor<double>(xt::xarray<double>(xt::zeros<double>({3})));
            CHECK(close(ag::view(jacobian, i, j), expected));
        }
    }
    // The gradient of a penalty on the gradients.
    const auto penalty = [&](const ag::Tensor<double>& batch)
    { return ag::sum(ag::square(ag::vmap(ag::grad(f))(batch))); };
    const auto looped_penalty = [&](const ag::Tensor<double>& batch)
    {
        ag::Tensor<double> total(0.0);
        for (std::size_t i = 0; i < 4; ++i)
        {
            total += ag::sum(ag::square(ag::grad(f)(sample(batch, i))));
        }
        return total;
    };
    CHECK(close(ag::grad(penalty)(x), ag::grad(looped_penalty)(x)));
}

TEST_CASE("tangents of samples are those of a loop")
{
    const auto f = [](const ag::Tensor<double>& x) { return ag::softmax(x * ag::tanh(x)); };
    const ag::Tensor<double> x = random({4, 3}, 11);
    const ag::Tensor<double> v = random({4, 3}, 12);
    const auto push = [&](const ag::Tensor<double>& one, const ag::Tensor<double>& tangent)
    { return ag::jvp(f, one, tangent).second; };
    const ag::Tensor<double> ours = ag::vmap(push)(x, v);
    for (std::size_t i = 0; i < 4; ++i)
    {
        CHECK(close(sample(ours, i), push(sample(x, i), sample(v, i))));
    }
}

TEST_CASE("a variable that a function reads has its gradient from outside")
{
    const ag::Variable<double> w(xt::xarray<double>{1, -2, 3});
    const ag::Tensor<double> x = random({4, 3}, 13);
    ag::GradientTape tape({.persistent = true});
    const auto y = ag::vmap([&](const ag::Tensor<double>& one) { return ag::sum(ag::sin(w * one)); })(x);
    CHECK(close(tape.gradient(ag::sum(y), w), ag::sum(ag::cos(w * x) * x, 0)));
    const auto stopped =
        ag::vmap([&](const ag::Tensor<double>& one) { return ag::sum(w * one * ag::stop_gradient(w * one)); })(x);
    CHECK(close(tape.gradient(ag::sum(stopped), w), ag::sum(w * x * x, 0)));
    const auto half =
        ag::vmap([&](const ag::Tensor<double>& one) { return ag::sum(w * one * ag::stop_gradient(w)); })(x);
    CHECK(close(tape.gradient(ag::sum(half), w), ag::sum(w * x, 0)));
}

TEST_CASE("stop_gradient of a sample stops the gradient from outside")
{
    const ag::Tensor<double> x = random({4, 3}, 14);
    const auto f = [](const ag::Tensor<double>& batch)
    { return ag::sum(ag::vmap([](const ag::Tensor<double>& one) { return ag::stop_gradient(one) * one; })(batch)); };
    CHECK(close(ag::grad(f)(x), x));
}

TEST_CASE("functions with a gradient of their own keep it")
{
    const ag::Tensor<double> x = random({4, 3}, 15);
    const auto f = [](const ag::Tensor<double>& one) { return ag::sum(ag::scale_gradient(one, 7) * one); };
    const auto all = [&](const ag::Tensor<double>& batch) { return ag::sum(ag::vmap(f)(batch)); };
    CHECK(close(ag::grad(all)(x), 8 * x));
    CHECK(close(ag::vmap(ag::grad(f))(x), 8 * x));
    const auto again = [](const ag::Tensor<double>& one)
    { return ag::recompute_grad([](const ag::Tensor<double>& y) { return ag::sum(ag::exp(y)); })(one); };
    CHECK(close(ag::vmap(ag::grad(again))(x), ag::exp(x)));
}

TEST_CASE("samples whose ways differ are each their own")
{
    // Max pooling and sorting choose by value; the norm of one sample is 0.
    const xt::xarray<double> x{{3, 1, 2, 4}, {0, 0, 0, 0}, {5, 6, -1, -2}};
    const auto top =
        ag::vmap(ag::grad([](const ag::Tensor<double>& one) { return ag::sum(ag::topk(one, 2).values); }))(x);
    CHECK(sample(top, 0).value() == xt::xarray<double>{1, 0, 0, 1});
    CHECK(sample(top, 2).value() == xt::xarray<double>{1, 1, 0, 0});
    const auto norms = ag::vmap(ag::grad([](const ag::Tensor<double>& one) { return ag::norm(one); }))(x);
    CHECK(close(sample(norms, 0), ag::Tensor<double>(xt::xarray<double>{3, 1, 2, 4}) / std::sqrt(30.0)));
    CHECK(sample(norms, 1).value() == xt::xarray<double>{0, 0, 0, 0});
    const auto nuclear = [](const ag::Tensor<double>& one) {
        return ag::linalg::matrix_norm(ag::reshape(one, {2, 2}), "nuc");
    };
    const auto nuclear_norms = ag::vmap(nuclear)(x);
    CHECK(close(sample(nuclear_norms, 2), nuclear(sample(ag::Tensor<double>(x), 2))));
    // An array that the function makes of its values.
    const xt::xarray<double> y{{1, 2}, {1, std::nan("")}, {3, 4}};
    const auto finite = ag::vmap([](const ag::Tensor<double>& one) { return ag::nan_to_num(one); })(y);
    CHECK(finite.value() == xt::xarray<double>{{1, 2}, {1, 0}, {3, 4}});
    const auto guarded = ag::vmap([](const ag::Tensor<double>& one)
                                  { return ag::isnan(ag::sum(one))() ? ag::Tensor<double>(0.0) : ag::sum(one); })(y);
    CHECK(guarded.value() == xt::xarray<double>{3, 0, 7});
    const xt::xarray<double> z{{1, 2}, {3, 4}, {1, 2}};
    CHECK(ag::vmap([](const ag::Tensor<double>& one) { return one * ag::constant(one); })(z).value() == z * z);
    const auto counted =
        ag::vmap([](const ag::Tensor<double>& one) { return one * static_cast<double>(ag::argmax(one)()); })(x);
    CHECK(sample(counted, 0).value() == xt::xarray<double>{9, 3, 6, 12});
    CHECK(sample(counted, 2).value() == xt::xarray<double>{5, 6, -1, -2});
}

TEST_CASE("no samples give no results, of the right shape")
{
    const auto f = [](const ag::Tensor<double>& x) { return ag::matmul(ag::expand_dims(x, 0), ag::expand_dims(x, 1)); };
    CHECK(ag::vmap(f)(ag::Tensor<double>(xt::xarray<double>(xt::zeros<double>({0, 3})))).shape() == ag::Shape{0, 1, 1});
    const auto sorted = [](const ag::Tensor<double>& x) { return ag::sort(x); };
    CHECK(ag::vmap(sorted)(ag::Tensor<double>(xt::xarray<double>(xt::zeros<double>({0, 3})))).shape() ==
          ag::Shape{0, 3});
}

TEST_CASE("random numbers are refused, drawn once, or drawn for each sample")
{
    ag::Generator generator(16);
    const auto f = [&](const ag::Tensor<double>& x) { return x + generator.normal<double>({2}); };
    const xt::xarray<double> x = xt::zeros<double>({3, 2});
    CHECK_THROWS_AS(ag::vmap(f)(x), ag::CompileError);
    generator = ag::Generator(16);
    const auto same = ag::vmap(f, {.randomness = ag::Randomness::same})(x);
    const ag::Tensor<double> once = ag::Generator(16).normal<double>({2});
    CHECK(close(sample(same, 0), once));
    CHECK(close(sample(same, 2), once));
    generator = ag::Generator(16);
    const auto different = ag::vmap(f, {.randomness = ag::Randomness::different})(x);
    ag::Generator theirs(16);
    for (std::size_t i = 0; i < 3; ++i)
    {
        CHECK(close(sample(different, i), theirs.normal<double>({2})));
    }
}

TEST_CASE("errors of vmap name what was received, the line and a way out")
{
    const auto text = [](const auto& call) -> std::string
    {
        try
        {
            call();
        }
        catch (const ag::Error& error)
        {
            return error.what();
        }
        return "nothing thrown";
    };
    const auto at = [](int line) { return " (vmap_test.cpp:" + std::to_string(line) + "). "; };
    const auto two = [](const ag::Tensor<double>& a, const ag::Tensor<double>& b) { return a + b; };
    const ag::Tensor<double> x = random({3, 2}, 17);
    const ag::Tensor<double> y = random({4, 2}, 18);
    const ag::VmapOptions none{.in_axes = {std::nullopt, std::nullopt}};
    const ag::VmapOptions one{.in_axes = {0}};
    const int first = __LINE__ + 1;
    const std::string counts = text([&] { ag::vmap(two)(x, y); });
    const std::string axes = text([&] { ag::vmap(two, one)(x, y); });
    const std::string shared = text([&] { ag::vmap(two, none)(x, x); });
    const std::string scalar = text([&] { ag::vmap(two)(x, ag::Tensor<double>(1.0)); });
    CHECK(counts + " " == "vmap: arguments must have as many samples: got 3, 4" + at(first));
    CHECK(axes == "vmap: in_axes must have an axis for each argument: got 1 for 2 arguments" + at(first + 1) +
                      "Write std::nullopt for one that all samples share.");
    CHECK(shared == "vmap: no argument has an axis for samples" + at(first + 2) + "Call the function as it is.");
    CHECK(scalar == "vmap: a 0-d argument has no axis for samples" + at(first + 3) +
                        "Write std::nullopt in in_axes for what all samples share.");
    int where = 0;
    const auto decides = [&](const ag::Tensor<double>& a)
    {
        where = __LINE__ + 1;
        return ag::sum(a).item() > 0 ? a : -a;
    };
    const std::string decision = text([&] { ag::vmap(decides)(x); });
    CHECK(decision == "vmap: item() reads one sample's numbers, and is to be the same for all" + at(where) +
                          "Return the tensor and read it outside.");
    const auto compares = [&](const ag::Tensor<double>& a)
    {
        where = __LINE__ + 1;
        return ag::where(a > 0.0, a, -a);
    };
    const std::string comparison = text([&] { ag::vmap(compares)(x); });
    CHECK(comparison ==
          "vmap: a comparison reads one sample's numbers, and is to be the same for all" + at(where) +
              "Choose without it, by maximum, minimum or clip, or by a product with heaviside(x, 0), which "
              "is 1 where x > 0, else 0.");
    const auto chooses = [&](const ag::Tensor<double>& a)
    {
        const ag::Tensor<double> positive = ag::heaviside(a, 0);
        return positive * a - (1 - positive) * a;
    };
    CHECK(close(ag::vmap(chooses)(x), ag::abs(x)));
    ag::Generator generator(1);
    const auto draws = [&](const ag::Tensor<double>& a)
    {
        where = __LINE__ + 1;
        return a + generator.normal<double>({2});
    };
    const std::string draw = text([&] { ag::vmap(draws)(x); });
    CHECK(draw ==
          "vmap: the function draws random numbers, and nobody has said whether they are the same for all samples" +
              at(where) +
              "Ask for {.randomness = Randomness::same} or Randomness::different, or draw outside and make them an "
              "argument.");
    ag::Variable<double> w(1.0);
    const auto assigns = [&](const ag::Tensor<double>& a)
    {
        where = __LINE__ + 1;
        w.assign(2.0);
        return a * w;
    };
    const std::string assignment = text([&] { ag::vmap(assigns)(x); });
    CHECK(assignment == "vmap: assign in the function would be done once, and not for each sample" + at(where) +
                            "Give the values that it takes as results, and do it outside.");
    const auto steps = [&](const ag::Tensor<double>& a)
    {
        ag::GradientTape tape;
        ag::sum(a * w).backward();
        return a;
    };
    const int last = __LINE__ + 1;
    const std::string step = text([&] { ag::vmap(steps)(x); });
    CHECK(step == "vmap: backward() in the function would be done once, and not for each sample" + at(last) +
                      "Give the values that it takes as results, and do it outside.");
}

TEST_CASE("operations that have a form for batches are executed once for all samples")
{
    constexpr std::size_t samples = 8;
    const auto calls = [&](const char* name, const auto& f, const auto&... arguments)
    {
        ag::GradientTape tape;
        (tape.watch(arguments), ...);
        const ag::Profiler profiler;
        const ag::Tensor<double> ours = ag::vmap(f)(arguments...);
        std::uint64_t count = 0;
        for (const ag::ProfileRow& row : profiler.by_operation())
        {
            count += row.name == name ? row.calls : 0;
        }
        for (std::size_t i = 0; i < samples; ++i)
        {
            CHECK(close(sample(ours, i), f(sample(arguments, i)...)));
        }
        return count;
    };
    const ag::Tensor<double> matrices = random({samples, 3, 3}, 22);
    const ag::Tensor<double> sides = random({samples, 3, 2}, 23);
    const ag::Tensor<double> rows = random({samples, 4, 3}, 24);
    const ag::Tensor<double> weights = random({samples, 3}, 25);
    const auto solve = [](const auto& a, const auto& b) { return ag::linalg::solve_triangular(a, b); };
    CHECK(calls("solve_triangular", solve, matrices, sides) <= 3);
    const auto normalise = [](const auto& a, const auto& w, const auto& b) { return ag::layer_norm(a, {3}, w, b); };
    CHECK(calls("layer_norm", normalise, rows, weights, weights * 2.0) <= 3);
    const ag::Indices places{2, 0, 2, 1};
    for (const ag::ScatterMode mode : {ag::ScatterMode::amax, ag::ScatterMode::amin})
    {
        const auto reduce = [&](const auto& a, const auto& source)
        { return ag::scatter_reduce(a, 0, places, source, {.mode = mode}); };
        CHECK(calls("scatter_reduce", reduce, weights, random({samples, 4}, 26)) <= 3);
    }
}

TEST_CASE("a function may change the type of its elements")
{
    const ag::Tensor<double> x = random({4, 3}, 20);
    const auto f = [](const ag::Tensor<double>& one) { return ag::cast<double>(ag::exp(ag::cast<float>(one))) * one; };
    const auto all = [&](const ag::Tensor<double>& batch) { return ag::sum(ag::vmap(f)(batch)); };
    const auto looped_all = [&](const ag::Tensor<double>& batch) { return ag::sum(f(batch)); };
    CHECK(close(ag::vmap(f)(x), f(x)));
    CHECK(close(ag::grad(all)(x), ag::grad(looped_all)(x)));
}

TEST_CASE("nothing stays behind, also after an error")
{
    const ag::Tensor<double> x = random({4, 3}, 21);
    const ag::Variable<double> w(xt::xarray<double>{1, 2, 3});
    const auto calls = [&]
    {
        const auto fits = [&](const ag::Tensor<double>& one) { return ag::sum(ag::sort(one * w)); };
        const auto plain = [&](const ag::Tensor<double>& one) { return ag::sum(ag::sin(one * w)); };
        const auto reads = [&](const ag::Tensor<double>& one) { return ag::sum(one * w).item() > 0 ? one : -one; };
        const auto steps = [&](const ag::Tensor<double>& one)
        {
            ag::GradientTape tape;
            tape.watch(one);
            return tape.gradient(ag::sum(one), one) * (w.item() + 0.0);
        };
        ag::vmap(ag::grad(fits))(x);
        ag::vmap(ag::grad(plain))(x);
        CHECK_THROWS_AS(ag::vmap(reads)(x), ag::CompileError);
        CHECK_THROWS_AS(ag::vmap(steps)(x), ag::ShapeError);
    };
    calls();
    const std::size_t before = ag::memory_statistics().live;
    calls();
    CHECK(ag::memory_statistics().live == before);
}

TEST_CASE("Jacobians are the same in one pass as row by row, reverse and forward, recorded and of batches")
{
    ag::Generator generator(19);
    const ag::Variable<double> w1(generator.normal<double>({6, 4}));
    const ag::Variable<double> w2(generator.normal<double>({5, 6}));
    const auto f = [&](const ag::Tensor<double>& x) { return ag::linear(ag::tanh(ag::linear(x, w1)), w2); };
    const ag::Tensor<double> x = generator.normal<double>({4});
    const ag::Tensor<double> slope = 1 - ag::square(ag::tanh(ag::linear(x, w1)));
    const ag::Tensor<double> expected = ag::matmul(w2 * slope, w1);
    CHECK(close(ag::jacobian(f, x, ag::Mode::reverse), expected));
    CHECK(close(ag::jacobian(f, x, ag::Mode::forward), expected));
    const ag::Tensor<double> batch = generator.normal<double>({3, 4});
    ag::GradientTape tape({.persistent = true});
    tape.watch(batch);
    const auto y = f(batch);
    for (const ag::Mode mode : {ag::Mode::reverse, ag::Mode::forward})
    {
        const auto jacobians = tape.batch_jacobian(y, batch, {.mode = mode});
        for (std::size_t i = 0; i < 3; ++i)
        {
            CHECK(close(sample(jacobians, i), ag::jacobian(f, sample(batch, i))));
        }
    }
    // The second derivative, through the tape outside.
    const auto total = [&](const ag::Tensor<double>& at) { return ag::sum(ag::square(ag::jacobian(f, at))); };
    const auto closed = [&](const ag::Tensor<double>& at)
    { return ag::sum(ag::square(ag::matmul(w2 * (1 - ag::square(ag::tanh(ag::linear(at, w1)))), w1))); };
    CHECK(close(ag::grad(total)(x), ag::grad(closed)(x)));
}
