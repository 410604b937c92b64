#include "../thrown.hpp"
#include "closeness.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;
using Array = xt::xarray<double>;

namespace
{

struct Layer
{
    Tensor weight, bias;
    int repeats = 1;
};

/// Its parameters are variables, which are differentiated where they are.
struct Model
{
    Variable weight, bias;
};

/// Not an aggregate.
class Shift
{
public:
    explicit Shift(double by) : by_(by) {}
    Tensor operator()(const Tensor& x) const { return x * scale_ + by_; }
    auto members() { return std::tie(scale_, by_); }
    auto members() const { return std::tie(scale_, by_); }

private:
    Tensor scale_ = Tensor(3.0);
    Tensor by_;
};

struct Everything
{
    std::vector<Layer> layers;
    std::array<Tensor, 2> ends;
    std::pair<Tensor, double> rate;
    std::tuple<Tensor> sole;
    Shift shift{1};
    ag::Indices labels{0, 1};
    std::string name = "everything";
};

struct Sixteen
{
    Tensor a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};

struct Seventeen
{
    Tensor a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q;
};

const Array inputs{0.5, -1.0};

/// A small network on fixed inputs, twice where it says so.
Tensor network(const std::vector<Layer>& layers)
{
    Tensor x(inputs);
    for (const Layer& layer : layers)
    {
        for (int k = 0; k < layer.repeats; ++k)
        {
            x = ag::tanh(ag::linear(x, layer.weight, layer.bias));
        }
    }
    return ag::sum(ag::square(x));
}

const std::vector<Layer> layers{{Tensor(Array{{0.5, -0.25}, {1.0, 0.75}}), Tensor(Array{0.1, -0.2}), 2},
                                {Tensor(Array{{-0.5, 0.3}}), Tensor(Array{0.4}), 1}};

/// The layers with `change` added to one element.
std::vector<Layer> moved(std::size_t layer, bool bias, std::size_t element, double change)
{
    std::vector<Layer> result = layers;
    Tensor& tensor = bias ? result[layer].bias : result[layer].weight;
    Array elements = tensor.value();
    elements.storage()[element] += change;
    tensor = Tensor(elements);
    return result;
}

/// Calls with layer, whether it is the bias, the element, its place among all elements.
template <class Call>
void for_each_element(const Call& call)
{
    std::size_t place = 0;
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
    {
        for (const bool bias : {false, true})
        {
            const std::size_t size = bias ? layers[layer].bias.size() : layers[layer].weight.size();
            for (std::size_t element = 0; element < size; ++element)
            {
                call(layer, bias, element, place++);
            }
        }
    }
}

double element_of(const std::vector<Layer>& tree, std::size_t layer, bool bias, std::size_t element)
{
    return (bias ? tree[layer].bias : tree[layer].weight).data()[element];
}

/// a^2 b + sin(b)
const auto two_arguments = [](const Tensor& a, const Tensor& b) { return ag::sum(a * a * b) + ag::sum(ag::sin(b)); };

const Array a{1.0, -2.0, 3.0};
const double b = 0.5;

}

TEST_CASE("a tree is a tensor, or a structure of trees and of what is carried along")
{
    static_assert(ag::Tree<Tensor> && ag::Tree<Variable> && ag::Tree<Layer> && ag::Tree<Everything>);
    static_assert(ag::Tree<std::vector<Model>> && ag::Tree<std::pair<int, Tensor>> && ag::Tree<Sixteen>);
    static_assert(!ag::Tree<int> && !ag::Tree<std::vector<double>> && !ag::Tree<std::string> && !ag::Tree<ag::Indices>);
    static_assert(!ag::Tree<std::pair<Tensor, Array>>, "an array by itself has a derivative that would be lost");
    static_assert(!ag::Tree<std::pair<Tensor, std::map<int, Tensor>>> && !ag::Tree<Seventeen>);
    static_assert(ag::detail::leaf_count<Sixteen> == 16 && ag::detail::leaf_count<Layer> == 2);
    static_assert(ag::detail::leaf_count<Everything> == ag::detail::any_number);
}

TEST_CASE("tree_map keeps a struct whose members keep their types, and makes a tuple of another")
{
    const Layer layer{Tensor(2.0), Tensor(3.0), 7};
    const Layer doubled = ag::tree_map([](const Tensor& x) { return x * 2.0; }, layer);
    CHECK(doubled.weight.item() == 4.0);
    CHECK(doubled.bias.item() == 6.0);
    CHECK(doubled.repeats == 7);
    const auto [weight, bias, repeats] = ag::tree_map([](const Tensor& x) { return x.item(); }, layer);
    static_assert(std::is_same_v<decltype(weight), const double>);
    CHECK(weight + bias + repeats == 12);
    const Everything all{{layer, layer}, {Tensor(1.0), Tensor(2.0)}, {Tensor(3.0), 0.5}, {Tensor(4.0)}};
    const Everything more = ag::tree_map([](const Tensor& x) { return x + 1.0; }, all);
    std::vector<double> leaves;
    for (const Tensor& leaf : ag::tree_leaves<Tensor>(more))
    {
        leaves.push_back(leaf.item());
    }
    CHECK(leaves == std::vector<double>{3, 4, 3, 4, 2, 3, 4, 5, 4, 2});
    CHECK(more.rate.second == 0.5);
    CHECK(more.name == "everything");
}

TEST_CASE("what stands at the same place of several trees goes together")
{
    Model model{Variable(Array{1, 2}), Variable(3.0)};
    const std::tuple change{Array{10, 20}, 5.0};
    ag::tree_for_each([](const Variable& w, const auto& by) { w.assign_sub(by); }, model, change);
    CHECK(close(model.weight, {-9, -18}));
    CHECK(model.bias.item() == -2.0);
    const Layer x{Tensor(2.0), Tensor(3.0)}, y{Tensor(4.0), Tensor(5.0)}, z{Tensor(6.0), Tensor(7.0)};
    const Layer sum = ag::tree_map([](const auto& p, const auto& q, const auto& r) { return p * q + r; }, x, y, z);
    CHECK(sum.weight.item() == 14.0);
    CHECK(sum.bias.item() == 22.0);
    const std::vector<Tensor> three(3, Tensor(1.0)), two(2, Tensor(1.0));
    CHECK(
        thrown<ag::ShapeError>([&] { ag::tree_map([](const auto& p, const auto& q) { return p + q; }, three, two); }) ==
        "tree_map: trees that go together must have the same structure: one has a list of 3, the other one of 2 "
        "(HERE).");
}

TEST_CASE("the gradient of a function of several arguments has a part for each")
{
    const auto [value, gradient] = ag::value_and_grad(two_arguments)(a, b);
    CHECK(close(value, 14 * b + std::sin(b)));
    const auto [da, db] = gradient;
    CHECK(close(da, {1, -2, 3}));
    CHECK(close(db, 14 + std::cos(b)));
    const auto [again, too] = ag::grad(two_arguments)(std::tuple(Tensor(a), Variable(b)));
    CHECK(close(again, {1, -2, 3}));
    CHECK(close(too, 14 + std::cos(b)));
}

TEST_CASE("one tensor in the place of two arguments has a derivative for each")
{
    const Tensor x(3.0);
    const auto [first, second] = ag::grad(two_arguments)(x, x);
    CHECK(first.item() == 18.0);
    CHECK(close(second, 9 + std::cos(3.0)));
    const Variable w(3.0);
    const auto [by_first, by_second] = ag::grad(two_arguments)(w, w);
    CHECK(by_first.item() == 18.0);
    CHECK(close(by_second, 9 + std::cos(3.0)));
    const auto [y, dy] = ag::jvp(two_arguments, std::tuple(x, x), std::tuple(1.0, 10.0));
    CHECK(close(dy, 18.0 + 10 * (9 + std::cos(3.0))));
}

TEST_CASE("an argument is not the tensor of the same value that the function captures")
{
    const Tensor three(3.0);
    CHECK(ag::grad([&](const Tensor& x) { return x * three; })(three).item() == 3.0);
    // d/dx (x d/dy (x + y)) where y = x
    const auto confusing = [](const Tensor& x) { return x * ag::grad([&](const Tensor& y) { return x + y; })(x); };
    CHECK(ag::grad(confusing)(three).item() == 1.0);
    const auto forward = [](const Tensor& x)
    { return x * ag::jvp([&](const Tensor& y) { return x + y; }, x, 1.0).second; };
    CHECK(ag::jvp(forward, three, 1.0).second.item() == 1.0);
}

TEST_CASE("the gradient of a vector of layers is a vector of layers, as finite differences have it")
{
    const auto [value, gradient] = ag::value_and_grad(network)(layers);
    static_assert(std::is_same_v<decltype(gradient), const std::vector<Layer>>);
    CHECK(value.item() == network(layers).item());
    CHECK(gradient[0].repeats == 2);
    for_each_element(
        [&, &found = gradient](std::size_t layer, bool bias, std::size_t element, std::size_t)
        {
            const double step = 1e-5;
            const double difference =
                network(moved(layer, bias, element, step)).item() - network(moved(layer, bias, element, -step)).item();
            CHECK(element_of(found, layer, bias, element) == doctest::Approx(difference / (2 * step)).epsilon(1e-8));
        });
}

TEST_CASE("gradient descent in a structure of parameters")
{
    struct Line
    {
        ag::Tensor<float> slope, offset;
    };
    const xt::xarray<float> x{-1, 0, 1, 2};
    const xt::xarray<float> y{-1, 1, 3, 5};
    const auto loss = [&](const std::vector<Line>& lines)
    { return ag::mean(ag::square(lines[0].slope * x + lines[0].offset - y)); };
    std::vector<Line> lines{{ag::Tensor<float>(0.F), ag::Tensor<float>(0.F)}};
    for (int step = 0; step < 200; ++step)
    {
        auto [value, gradient] = ag::value_and_grad(loss)(lines);
        lines = ag::tree_map([](const auto& w, const auto& g) { return w - 0.1f * g; }, lines, gradient);
    }
    CHECK(close(lines[0].slope, 2.0));
    CHECK(close(lines[0].offset, 1.0));
}

TEST_CASE("jvp, vjp and hvp of a vector of layers are the gradient and the Hessian times vectors")
{
    const std::vector<Layer> direction{{Tensor(Array{{0.3, -1.0}, {0.2, 0.5}}), Tensor(Array{-0.7, 0.9})},
                                       {Tensor(Array{{1.5, -0.1}}), Tensor(Array{0.6})}};
    const std::vector<Layer> gradient = ag::grad(network)(layers);
    double along = 0;
    for_each_element(
        [&](std::size_t layer, bool bias, std::size_t element, std::size_t)
        { along += element_of(gradient, layer, bias, element) * element_of(direction, layer, bias, element); });
    const auto [value, change] = ag::jvp(network, layers, direction);
    CHECK(close(change, along, 1e-13));
    const auto [same, pullback] = ag::vjp(network, layers);
    const std::vector<Layer> twice = pullback(2.0);
    CHECK(close(twice[1].bias, Array{2 * gradient[1].bias.item()}));

    const auto hessian = ag::hessian(network, layers);
    const std::vector<Layer> product = ag::hvp(network, layers, direction);
    for_each_element(
        [&](std::size_t layer, bool bias, std::size_t row, std::size_t)
        {
            const std::vector<Layer>& blocks = bias ? std::get<1>(hessian[layer]) : std::get<0>(hessian[layer]);
            double expected = 0;
            for_each_element(
                [&](std::size_t other, bool other_bias, std::size_t column, std::size_t)
                {
                    const Tensor& block = other_bias ? blocks[other].bias : blocks[other].weight;
                    expected += block.value()(row, column) * element_of(direction, other, other_bias, column);
                });
            CHECK(element_of(product, layer, bias, row) == doctest::Approx(expected).epsilon(1e-12));
        });
}

TEST_CASE("a Hessian has a block for each pair of tensors")
{
    const auto hessian = ag::hessian(two_arguments, std::tuple(a, b));
    const auto& [by_a, by_b] = hessian;
    CHECK(close(std::get<0>(by_a), {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}));
    CHECK(close(std::get<1>(by_a), column({2, -4, 6})));
    CHECK(close(std::get<0>(by_b), Array{{2, -4, 6}}));
    CHECK(close(std::get<1>(by_b), column({-std::sin(b)})));
    CHECK(close(ag::laplacian(two_arguments, std::tuple(a, b)), 3 - std::sin(b)));
    const auto [product_a, product_b] = ag::hvp(two_arguments, std::tuple(a, b), std::tuple(Array{1, 1, 1}, 10.0));
    CHECK(close(product_a, {21, -39, 61}));
    CHECK(close(product_b, 4 - 10 * std::sin(b)));
}

TEST_CASE("gradients of gradients in two arguments")
{
    const auto slope = [](const Tensor& x, const Tensor& y)
    { return ag::sum(std::get<0>(ag::grad(two_arguments)(x, y))); };
    const auto [by_a, by_b] = ag::grad(slope)(a, b);
    CHECK(close(by_a, {1, 1, 1}));
    CHECK(close(by_b, 4.0));
    Variable w(b);
    ag::GradientTape tape;
    const auto [da, db] = ag::grad(two_arguments)(a, w);
    CHECK(close(tape.gradient(ag::sum(da) + db, w), 4 - std::sin(b)));
}

TEST_CASE("a Jacobian has the structure of the result, and in it that of the arguments")
{
    const auto f = [](const Tensor& x, const Tensor& y) { return Layer{x * y, ag::stack({ag::sum(x), y * y})}; };
    for (const ag::Mode mode : {ag::Mode::automatic, ag::Mode::reverse, ag::Mode::forward})
    {
        const auto [weight, bias, repeats] = ag::jacobian(f, std::tuple(a, b), mode);
        CHECK(close(std::get<0>(weight), {{0.5, 0, 0}, {0, 0.5, 0}, {0, 0, 0.5}}));
        CHECK(close(std::get<1>(weight), a));
        CHECK(close(std::get<0>(bias), {{1, 1, 1}, {0, 0, 0}}));
        CHECK(close(std::get<1>(bias), {0, 1}));
        CHECK(repeats == 1);
    }
    const auto [y, dy] = ag::jvp(f, std::tuple(a, b), std::tuple(Array{1, 0, 0}, 2.0));
    CHECK(close(dy.weight, {2.5, -4, 6}));
    CHECK(close(dy.bias, {1, 2}));
    const auto [same, pullback] = ag::vjp(f, std::tuple(a, b));
    const auto [da, db] = pullback(std::tuple(Array{1, 1, 2}, Array{10, 100}, 0));
    CHECK(close(da, {10.5, 10.5, 11}));
    CHECK(close(db, 5 + 100.0));
}

TEST_CASE("a Jacobian by many tensors takes as many passes as by one")
{
    const auto f = [](const Tensor& x, const std::vector<Tensor>& w)
    { return ag::tanh(ag::linear(ag::tanh(ag::linear(x, w[0])), w[1])); };
    ag::Generator generator(1);
    const Tensor x = generator.normal<double>({3});
    const std::vector<Tensor> w{generator.normal<double>({5, 3}), generator.normal<double>({20, 5})};
    const auto [by_x, by_w] = ag::jacobian(f, std::tuple(x, w), ag::Mode::reverse);
    const auto [forward_x, forward_w] = ag::jacobian(f, std::tuple(x, w), ag::Mode::forward);
    CHECK(close(by_x, forward_x.value(), 1e-12, 1e-14));
    CHECK(close(by_w[0], forward_w[0].value(), 1e-12, 1e-14));
    CHECK(close(by_w[1], forward_w[1].value(), 1e-12, 1e-14));
    CHECK(by_w[1].shape() == ag::Shape{20, 20, 5});
}

TEST_CASE("a result that does not depend on the arguments has zeros beside one that does")
{
    const auto f = [](const Tensor& x) { return std::pair(x * 2.0, Tensor(Array{1, 2})); };
    const auto [y, dy] = ag::jvp(f, 3.0, 1.0);
    CHECK(dy.first.item() == 2.0);
    CHECK(close(dy.second, {0, 0}));
    const auto [scaled, constant] = ag::jacobian(f, 3.0);
    CHECK(scaled.item() == 2.0);
    CHECK(close(constant, {0, 0}));
}

TEST_CASE("numbers and arrays in vectors, arrays, pairs and tuples are tensors for the function")
{
    const auto f = [](const auto& x) { return x[0] * x[1] * x[1]; };
    const std::vector<Tensor> gradient = ag::grad(f)(std::vector<double>{2, 3});
    CHECK(gradient[0].item() == 9.0);
    CHECK(gradient[1].item() == 12.0);
    const auto g = [](const std::pair<Tensor, std::array<Tensor, 1>>& x) { return ag::sum(x.first * x.second[0]); };
    const auto [first, second] = ag::grad(g)(std::pair(a, std::array{b}));
    CHECK(close(first, {b, b, b}));
    CHECK(close(second[0], 2.0));
    const auto h = [](const std::vector<Tensor>& w) { return w[0] * w[0]; };
    CHECK(ag::grad(h)(std::vector<Variable>{Variable(4.0)})[0].item() == 8.0);
}

TEST_CASE("arguments without tensors are passed on and have no derivative")
{
    const auto loss = [](const Layer& layer, const ag::Indices& labels, int factor)
    { return ag::cross_entropy(layer.weight, labels) * factor + ag::sum(layer.bias); };
    const Layer layer{Tensor(Array{{0, 0}, {0, 0}}), Tensor(1.0)};
    const Layer gradient = ag::grad(loss)(layer, ag::Indices{0, 1}, 4);
    CHECK(close(gradient.weight, {{-1, 1}, {1, -1}}));
    CHECK(gradient.bias.item() == 1.0);
    const Layer product = ag::hvp(loss, std::tuple(layer, ag::Indices{0, 1}, 4), layer);
    CHECK(close(product.weight, {{0, 0}, {0, 0}}));
}

TEST_CASE("what a function gives beside its value comes with it")
{
    const auto f = [](const Tensor& x) { return std::pair(ag::sum(x * x), std::string("scores")); };
    const auto [result, gradient] = ag::value_and_grad(f)(a);
    CHECK(result.first.item() == 14.0);
    CHECK(result.second == "scores");
    CHECK(close(gradient, {2, -4, 6}));
    CHECK(close(ag::grad(f)(a), {2, -4, 6}));
}

TEST_CASE("variables in a struct are differentiated where they are read, and its derivatives are tuples")
{
    const Model model{Variable(Array{1, 2}), Variable(3.0)};
    const auto loss = [](const Model& m) { return ag::sum(m.weight * m.weight * m.weight) * m.bias; };
    const auto [weight, bias] = ag::grad(loss)(model);
    CHECK(close(weight, {9, 36}));
    CHECK(bias.item() == 9.0);
    CHECK_FALSE(model.weight.has_grad());
    const auto [by_weight, by_bias] = ag::hvp(loss, model, std::tuple(Array{1, 0}, 1.0));
    CHECK(close(by_weight, {18 + 3, 12}));
    CHECK(by_bias.item() == 3.0);
    ag::GradientTape tape;
    const auto [slope, rest] = ag::grad(loss)(model);
    CHECK(close(tape.gradient(ag::sum(slope), model.weight), {18, 36}));
    const auto hessian = ag::hessian(loss, model);
    CHECK(close(std::get<0>(std::get<0>(hessian)), {{18, 0}, {0, 36}}));
    CHECK(close(std::get<0>(std::get<1>(hessian)), Array{{3, 12}}));
}

TEST_CASE("a class names its members")
{
    const auto f = [](const Shift& shift, const Tensor& x) { return ag::sum(shift(x)); };
    const auto [shift, x] = ag::grad(f)(Shift(1), a);
    const auto leaves = ag::tree_leaves<Tensor>(shift);
    CHECK(leaves[0].item() == 2.0);
    CHECK(leaves[1].item() == 3.0);
    CHECK(close(x, {3, 3, 3}));
}

TEST_CASE("a derivative that is not there is named by its argument, member and element")
{
    const auto second_unused = [](const Tensor& x, const Tensor&) { return x * 2.0; };
    CHECK(thrown<ag::UnconnectedError>([&] { ag::grad(second_unused)(1.0, a); }) ==
          "gradient: the target does not depend on argument 2, of shape (3,): nothing that this tape recorded leads "
          "from it to "
          "the target (HERE). Compute the target from it while the tape records. Ask for Unconnected::zero, after the "
          "function, if zeros are meant.");
    const auto [first, second] = ag::grad(second_unused, ag::Unconnected::zero)(1.0, a);
    CHECK(first.item() == 2.0);
    CHECK(close(second, {0, 0, 0}));
    const auto no_bias = [](const std::vector<Layer>& x)
    { return ag::sum(x[0].weight) + ag::sum(x[1].weight) * ag::sum(x[0].bias); };
    CHECK(
        thrown<ag::UnconnectedError>([&] { ag::grad(no_bias)(layers); }) ==
        "gradient: the target does not depend on member 2 of [1] of argument 1, of shape (1,): nothing that this tape "
        "recorded leads from it to the target (HERE). Compute the target from it while the tape records. Ask for "
        "Unconnected::zero, after the function, if zeros are meant.");
    CHECK(close(ag::hvp(no_bias, layers, layers)[1].bias, Array{0}));
    const auto [y, pullback] = ag::vjp(second_unused, std::tuple(1.0, a));
    const std::string stopped = line_above();
    CHECK(
        thrown<ag::UnconnectedError>([&, &pull = pullback] { pull(1.0); }) ==
        "gradient: the target does not depend on argument 2, of shape (3,): nothing that this tape recorded leads from "
        "it to the target; it was told to stop recording at " +
            stopped +
            " (HERE). Compute the target from it while the tape records. Ask for Unconnected::zero, after the "
            "arguments of vjp, if zeros are meant.");
    const auto constant = [](const Tensor&, const Tensor&) { return Tensor(1.0); };
    CHECK(thrown<ag::UnconnectedError>([&] { ag::jvp(constant, std::tuple(1.0, a), std::tuple(1.0, a)); }) ==
          "jvp: no tape recorded the target: it was computed without one, or only from constants (HERE). Compute it "
          "from Variables or watched tensors while this tape lives.");
}

TEST_CASE("a tangent must have the structure and the shapes of the arguments")
{
    CHECK(thrown<ag::ShapeError>([] { ag::jvp(two_arguments, std::tuple(a, b), std::tuple(a, a)); }) ==
          "jvp: the tangent must have the shape of its source: argument 2 is (), the tangent (3,) (HERE).");
    std::vector<Layer> other = layers;
    other[1].bias = Tensor(1.0);
    CHECK(thrown<ag::ShapeError>([&] { ag::hvp(network, layers, other); }) ==
          "hvp: the tangent must have the shape of its source: member 2 of [1] of argument 1 is (1,), the tangent () "
          "(HERE).");
    other.pop_back();
    CHECK(thrown<ag::ShapeError>([&] { ag::jvp(network, layers, other); }) ==
          "jvp: trees that go together must have the same structure: one has a list of 2, the other one of 1 (HERE).");
}

TEST_CASE("derivatives of structures leave nothing behind, also after an error")
{
    std::vector<Layer> other = layers;
    other[1].bias = Tensor(1.0);
    const std::vector<Layer> fewer(layers.begin(), layers.begin() + 1);
    const auto unused = [](const std::vector<Layer>& x) { return ag::sum(x[0].weight); };
    const auto calls = [&]
    {
        ag::value_and_grad(network)(layers);
        ag::jvp(network, layers, layers);
        ag::hvp(network, layers, layers);
        ag::hessian(network, layers);
        ag::laplacian(network, layers);
        ag::jacobian(network, layers);
        const auto [value, pullback] = ag::vjp(network, layers);
        pullback(1.0);
        CHECK_THROWS_AS(pullback(a), ag::ShapeError);
        CHECK_THROWS_AS(ag::grad(unused)(layers), ag::UnconnectedError);
        CHECK_THROWS_AS(ag::jvp(network, layers, other), ag::ShapeError);
        CHECK_THROWS_AS(ag::hvp(network, layers, fewer), ag::ShapeError);
    };
    calls();
    const std::size_t before = ag::memory_statistics().live;
    calls();
    CHECK(ag::memory_statistics().live == before);
}

TEST_CASE("a variable that is twice in a struct is refused")
{
    const Variable w(2.0);
    const Model tied{w, w};
    const auto f = [](const Model& m) { return m.weight * m.bias; };
    CHECK(thrown<ag::ValueError>([&] { ag::grad(f)(tied); }) ==
          "grad: member 1 of argument 1 and member 2 of argument 1 are one variable, whose derivative would be counted "
          "twice (HERE). Let one of them refer to the other, or be a Tensor.");
}

TEST_CASE("float and double in one Jacobian are refused")
{
    const auto f = [](const Tensor& x, const ag::Tensor<float>& y) { return x * ag::cast<double>(y); };
    const auto [dx, dy] = ag::grad(f)(2.0, 3.0F);
    static_assert(std::is_same_v<decltype(dy), const ag::Tensor<float>>);
    CHECK(dy.item() == 2.0F);
    CHECK(thrown<ag::ValueError>([&] { ag::jacobian(f, std::tuple(2.0, 3.0F)); }) ==
          "jacobian: the arguments and results must all be of float, or all of double (HERE). Convert with "
          "autograd::cast.");
    CHECK(thrown<ag::ValueError>([&] { ag::laplacian(f, std::tuple(2.0, 3.0F)); }) ==
          "laplacian: the arguments must all be of float, or all of double (HERE). Convert with autograd::cast.");
}
