// In a plan, parameters of 64 KB or more are updated one by one, each as soon as its gradient is there.

#include "../optim/every_optimizer.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace ag = autograd;

namespace
{

using Tensor = ag::Tensor<float>;
using Variable = ag::Variable<float>;

constexpr std::size_t width = 128;
constexpr std::size_t large_bytes = width * width * sizeof(float);

bool same_bits(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Layers with large weights and small biases, and a last one that is small.
struct Network
{
    explicit Network(bool biased = true, std::size_t depth = 2)
    {
        ag::Generator generator(1);
        for (std::size_t k = 0; k <= depth; ++k)
        {
            const std::size_t outputs = k < depth ? width : 4;
            weights.emplace_back(generator.normal<float>({outputs, width}, 0, 0.1));
            if (biased)
            {
                biases.emplace_back(generator.normal<float>({outputs}, 0, 0.1));
            }
        }
    }

    Tensor operator()(Tensor x) const
    {
        for (std::size_t k = 0; k < weights.size(); ++k)
        {
            x = k == 0 ? x : ag::tanh(x);
            x = biases.empty() ? ag::linear(x, weights[k]) : ag::linear(x, weights[k], biases[k]);
        }
        return x;
    }

    std::vector<optim::Parameter> parameters() const
    {
        std::vector<optim::Parameter> all(weights.begin(), weights.end());
        all.insert(all.end(), biases.begin(), biases.end());
        return all;
    }

    std::vector<Variable> weights;
    std::vector<Variable> biases;
};

Tensor loss_of(const Network& network, const Tensor& x)
{
    return ag::mean(ag::square(network(x)));
}

bool same_bits(const Network& a, const Network& b)
{
    const std::vector<optim::Parameter> ours = a.parameters(), theirs = b.parameters();
    return std::equal(ours.begin(), ours.end(), theirs.begin(),
                      [](const optim::Parameter& our, const optim::Parameter& their)
                      {
                          const Variable &x = our.get<float>(), &y = their.get<float>();
                          return same_bits(x, y) && x.has_grad() == y.has_grad() &&
                                 (!x.has_grad() || same_bits(x.grad(), y.grad()));
                      });
}

Tensor inputs(std::uint64_t seed)
{
    return ag::Generator(seed).normal<float>({5, width});
}

/// Two networks, one of which is trained by a compiled step. `Optimizers` is made of the parameters of each; `step` is called
/// with a network, that, and inputs.
template <class Optimizers>
struct Pair
{
    template <class Step>
    void compare(const Step& step, int calls, const std::function<void(int, Optimizers&, Network&)>& before = {})
    {
        const auto step_of = [&step](const Network& network, Optimizers& optimizers)
        { return [&](const Tensor& x) { return step(network, optimizers, x); }; };
        auto compiled = ag::compile(step_of(network, optimizers));
        const auto eager = step_of(other_network, other_optimizers);
        for (int k = 0; k < calls; ++k)
        {
            CAPTURE(k);
            if (before)
            {
                before(k, optimizers, network);
                before(k, other_optimizers, other_network);
            }
            const Tensor x = inputs(static_cast<std::uint64_t>(k));
            CHECK(same_bits(compiled(x), eager(x)));
            CHECK(same_bits(network, other_network));
        }
        plans = compiled.plans();
    }

    Network network{}, other_network{};
    Optimizers optimizers{network}, other_optimizers{other_network};
    std::vector<std::vector<ag::PlanStep>> plans = {};
};

struct OneSGD
{
    explicit OneSGD(const Network& network) : sgd(network.parameters(), {.lr = 0.1, .momentum = 0.9}) {}
    optim::SGD sgd;
};

/// A step that forgets its gradients at the end, or those of the one before.
Tensor train(const Network& network, optim::Optimizer& optimizer, const Tensor& x, bool forgets_last = true)
{
    ag::GradientTape tape;
    auto loss = loss_of(network, x);
    if (!forgets_last)
    {
        optimizer.zero_grad();
    }
    loss.backward();
    optimizer.step();
    if (forgets_last)
    {
        optimizer.zero_grad();
    }
    return loss;
}

Tensor train_by_sgd(const Network& network, OneSGD& optimizers, const Tensor& x)
{
    return train(network, optimizers.sgd, x);
}

/// The numbers of the steps that do this.
std::vector<std::size_t> steps_that(const std::vector<ag::PlanStep>& plan, const std::string& what)
{
    std::vector<std::size_t> found;
    for (std::size_t k = 0; k < plan.size(); ++k)
    {
        if (plan[k].what == what)
        {
            found.push_back(k);
        }
    }
    return found;
}

}

TEST_CASE("every optimizer does to large parameters in a plan what it does without")
{
    for (const MakeOptimizer& make : every_optimizer())
    {
        for (const bool forgets_last : {false, true})
        {
            // Muon is for matrices only.
            Network ours(false), theirs(false);
            const auto our_optimizer = make(ours.parameters()), their_optimizer = make(theirs.parameters());
            if (our_optimizer->name() == std::string("LBFGS"))
            {
                continue;
            }
            const auto step_of = [forgets_last](const Network& network, optim::Optimizer& optimizer)
            { return [&, forgets_last](const Tensor& x) { return train(network, optimizer, x, forgets_last); }; };
            auto compiled = ag::compile(step_of(ours, *our_optimizer));
            const auto eager = step_of(theirs, *their_optimizer);
            for (std::uint64_t k = 0; k < 6; ++k)
            {
                CAPTURE(our_optimizer->name());
                CAPTURE(forgets_last);
                CHECK(same_bits(compiled(inputs(k)), eager(inputs(k))));
                CHECK(same_bits(ours, theirs));
                CHECK(our_optimizer->steps() == their_optimizer->steps());
            }
            REQUIRE(compiled.plans().size() == 1);
            const std::string update = std::string(our_optimizer->name()) + " of a variable";
            CHECK(steps_that(compiled.plans()[0], update).size() == 2);
        }
    }
}

TEST_CASE("a large parameter is updated and its gradient forgotten before the next gradient is computed")
{
    Pair<OneSGD> pair;
    pair.compare(train_by_sgd, 5);
    REQUIRE(pair.plans.size() == 1);
    const std::vector<ag::PlanStep>& plan = pair.plans[0];
    const auto updates = steps_that(plan, "SGD of a variable");
    const auto forgotten = steps_that(plan, "zero_grad");
    REQUIRE(updates.size() == 2);
    REQUIRE(forgotten.size() == 3);
    CHECK(plan[updates[0]].result == "float (128, 128)");
    CHECK(plan[forgotten[0]].result == "float (128, 128)");
    CHECK(forgotten[0] == updates[0] + 1);
    CHECK(forgotten[1] == updates[1] + 1);
    const auto products = steps_that(plan, "gradient of linear");
    CHECK(updates[0] < products.back());
    // The last gradient of the first layer, of its bias, and what belongs to small parameters come after.
    CHECK(steps_that(plan, "SGD") == std::vector<std::size_t>{plan.size() - 2});
    CHECK(forgotten[2] == plan.size() - 1);
}

TEST_CASE("a plan holds about one large gradient at a time" * doctest::skip(!ag::detail::pools_memory))
{
    const Network network(true, 8);
    optim::SGD sgd(network.parameters(), {.lr = 0.1});
    const auto peak_of = [&](bool forgets_last)
    {
        auto step = ag::compile([&](const Tensor& x) { static_cast<void>(train(network, sgd, x, forgets_last)); });
        const Tensor x = inputs(1);
        for (int k = 0; k < 4; ++k)
        {
            step(x);
        }
        sgd.zero_grad();
        const std::int64_t live = ag::memory_statistics().live;
        ag::reset_peak_memory();
        step(x);
        return static_cast<std::size_t>(ag::memory_statistics().peak - live);
    };
    CHECK(peak_of(false) > 8 * large_bytes);
    CHECK(peak_of(true) < 3 * large_bytes);
}

TEST_CASE("what looks at all gradients, and actions of the function's own, keep their place")
{
    struct Optimizers
    {
        explicit Optimizers(const Network& network)
            : parameters(network.parameters()), sgd(parameters, {.lr = 0.5}), rates(sgd, {.step_size = 2})
        {
        }
        std::vector<optim::Parameter> parameters;
        optim::SGD sgd;
        optim::StepLR rates;
        double sum = 0;
    };
    Pair<Optimizers> pair;
    pair.compare(
        [](const Network& network, Optimizers& optimizers, const Tensor& x)
        {
            ag::GradientTape tape;
            auto loss = loss_of(network, x);
            loss.backward();
            optim::clip_grad_norm(optimizers.parameters, 0.01);
            ag::live([&] { optimizers.sum += std::abs(network.weights[0].grad().data()[3]); });
            optimizers.sgd.step();
            ag::live([&] { optimizers.sum += std::abs(network.weights[1].data()[5]); });
            optimizers.rates.step();
            optimizers.sgd.zero_grad();
            ag::live([&] { optimizers.sum += network.weights[0].has_grad() ? 100 : 1; });
            return loss;
        },
        7);
    CHECK(pair.optimizers.sum == pair.other_optimizers.sum);
    CHECK(pair.optimizers.sgd.group(0).lr == pair.other_optimizers.sgd.group(0).lr);
}

TEST_CASE("parameters may be frozen, have no gradient, belong to groups, and be added to a compiled step")
{
    struct Optimizers
    {
        explicit Optimizers(const Network& network) : adam({network.weights[0], unused}, {.lr = 0.01})
        {
            adam.add_group({network.weights[2], network.biases[0]}).lr = 0.1;
        }
        Variable unused{Tensor(inputs(77))};
        Variable large_unused{ag::Generator(5).normal<float>({width, width})};
        optim::Adam adam;
    };
    Pair<Optimizers> pair;
    const auto before = [](int k, Optimizers& optimizers, Network& network)
    {
        if (k == 4)
        {
            optimizers.adam.freeze({network.weights[0]});
        }
        if (k == 6)
        {
            optimizers.adam.unfreeze({network.weights[0]});
            optimizers.adam.add_group({network.weights[1], optimizers.large_unused});
        }
        if (k == 8)
        {
            optimizers.adam.group(2).lr = 0.2;
        }
        network.weights[1].zero_grad();
        network.biases[1].zero_grad();
        network.biases[2].zero_grad();
    };
    pair.compare([](const Network& network, Optimizers& optimizers, const Tensor& x)
                 { return train(network, optimizers.adam, x); },
                 12, before);
    CHECK(steps_that(pair.plans.at(0), "Adam of a variable").size() == 3);
}

TEST_CASE("gradients of several losses, and of one after another step, are those of the function")
{
    Pair<OneSGD> pair;
    pair.compare(
        [](const Network& network, OneSGD& optimizers, const Tensor& x)
        {
            ag::GradientTape first;
            auto loss = loss_of(network, x);
            auto other = ag::sum(network.weights[1] * network.weights[1]) * 1e-3F;
            loss.backward();
            {
                ag::GradientTape second;
                ag::sum(ag::abs(network.weights[0])).backward();
            }
            optimizers.sgd.step();
            optimizers.sgd.zero_grad();
            ag::GradientTape third;
            auto after = loss_of(network, x * 0.5F);
            after.backward();
            optimizers.sgd.step();
            network.weights[0].zero_grad();
            return loss + other + after;
        },
        6);
    CHECK(steps_that(pair.plans.at(0), "SGD of a variable").size() == 4);
}

TEST_CASE("a variable of two optimizers is updated by both, in their order")
{
    struct Optimizers
    {
        explicit Optimizers(const Network& network)
            : sgd(network.parameters(), {.lr = 0.1}),
              lion({network.weights[1], network.biases[1], network.weights[0]}, {.lr = 0.01, .weight_decay = 0.1})
        {
        }
        optim::SGD sgd;
        optim::Lion lion;
    };
    Pair<Optimizers> pair;
    pair.compare(
        [](const Network& network, Optimizers& optimizers, const Tensor& x)
        {
            ag::GradientTape tape;
            auto loss = loss_of(network, x);
            loss.backward();
            optimizers.lion.step();
            optimizers.sgd.step();
            optimizers.lion.zero_grad();
            optimizers.sgd.zero_grad();
            return loss;
        },
        6);
    const std::vector<ag::PlanStep>& plan = pair.plans.at(0);
    const auto lion = steps_that(plan, "Lion of a variable"), sgd = steps_that(plan, "SGD of a variable");
    REQUIRE(lion.size() == 2);
    CHECK(sgd == std::vector<std::size_t>{lion[0] + 1, lion[1] + 1});
    CHECK(lion[1] < steps_that(plan, "Lion").at(0));
}

TEST_CASE("values of a variable from before and after its update are what they were")
{
    Pair<OneSGD> pair;
    pair.compare(
        [](const Network& network, OneSGD& optimizers, const Tensor& x)
        {
            const Variable& w = network.weights[0];
            const Tensor before = w;
            const Tensor reshaped = ag::reshape(w, {2, width * width / 2});
            ag::GradientTape tape;
            auto loss = loss_of(network, x);
            loss.backward();
            optimizers.sgd.step();
            const Tensor between = ag::sum(reshaped * 2.F) + ag::sum(w);
            w.assign_add(0.01F * before);
            optimizers.sgd.step();
            optimizers.sgd.zero_grad();
            return ag::sum(before) + between + ag::sum(w) + ag::amax(reshaped);
        },
        6);
}

TEST_CASE("where a step looks at all gradients first, nothing is updated before, also if that was decided later")
{
    for (const bool from_start : {true, false})
    {
        CAPTURE(from_start);
        Network network, other_network;
        OneSGD optimizers(network), other_optimizers(other_network);
        auto compiled = ag::compile([&](const Tensor& x) { return train_by_sgd(network, optimizers, x); });
        const auto eager = [&](const Tensor& x) { return train_by_sgd(other_network, other_optimizers, x); };
        for (int k = 0; k < 9; ++k)
        {
            if (k == (from_start ? 0 : 4))
            {
                optimizers.sgd.on_non_finite(optim::NonFinite::skip);
                other_optimizers.sgd.on_non_finite(optim::NonFinite::skip);
            }
            Tensor x = inputs(static_cast<std::uint64_t>(k));
            if (k >= 4 && k % 2 == 0)
            {
                x = x * std::numeric_limits<float>::infinity();
            }
            compiled(x);
            eager(x);
            CHECK(same_bits(network, other_network));
            CHECK(optimizers.sgd.steps() == other_optimizers.sgd.steps());
        }
        CHECK(steps_that(compiled.plans().at(0), "SGD of a variable").empty());
        optimizers.sgd.on_non_finite(optim::NonFinite::raise);
        CHECK_THROWS_WITH_AS(compiled(inputs(1) * std::numeric_limits<float>::infinity()),
                             doctest::Contains("is not finite"), ag::ValueError);
        optimizers.sgd.zero_grad();
        CHECK(same_bits(network, other_network));
        optimizers.sgd.on_non_finite(optim::NonFinite::pass);
        for (std::uint64_t k = 0; k < 4; ++k)
        {
            CHECK(same_bits(compiled(inputs(k)), eager(inputs(k))));
        }
        CHECK(steps_that(compiled.plans().at(0), "SGD of a variable").size() == 2);
    }
}

TEST_CASE("looking at all gradients cannot begin in the course of a compiled step")
{
    const Network network;
    OneSGD optimizers(network);
    bool skips = false;
    auto step = ag::compile(
        [&](const Tensor& x)
        {
            ag::live(
                [&]
                {
                    if (skips)
                    {
                        optimizers.sgd.on_non_finite(optim::NonFinite::skip);
                    }
                });
            return train_by_sgd(network, optimizers, x);
        });
    for (std::uint64_t k = 0; k < 3; ++k)
    {
        step(inputs(k));
    }
    skips = true;
    CHECK_THROWS_WITH_AS(step(inputs(4)), doctest::Contains("on_non_finite was changed in the course"), ag::Error);
}

TEST_CASE("options that are not allowed are refused before any parameter changes")
{
    const Network network, other;
    OneSGD optimizers(network), other_optimizers(other);
    auto step = ag::compile([&](const Tensor& x) { return train_by_sgd(network, optimizers, x); });
    for (std::uint64_t k = 0; k < 3; ++k)
    {
        step(inputs(k));
        train_by_sgd(other, other_optimizers, inputs(k));
    }
    optimizers.sgd.group(0).lr = -1;
    CHECK_THROWS_AS(step(inputs(4)), ag::ValueError);
    optimizers.sgd.zero_grad();
    CHECK(same_bits(network, other));
    CHECK(optimizers.sgd.steps() == 3);
    optimizers.sgd.group(0).lr = 0.1;
    step(inputs(5));
    train_by_sgd(other, other_optimizers, inputs(5));
    CHECK(same_bits(network, other));
}

TEST_CASE("labels that are refused leave parameters and gradients as they were")
{
    const Network network, other;
    OneSGD optimizers(network), other_optimizers(other);
    const auto step_of = [](const Network& of, optim::SGD& sgd)
    {
        return [&](const Tensor& x, const ag::Indices& labels)
        {
            ag::GradientTape tape;
            auto loss = ag::sum(of.weights[0] * of.weights[0]);
            loss.backward();
            ag::GradientTape next;
            auto second = ag::cross_entropy(of(x), labels);
            sgd.zero_grad();
            second.backward();
            sgd.step();
            return loss + second;
        };
    };
    auto step = ag::compile(step_of(network, optimizers.sgd));
    const auto eager = step_of(other, other_optimizers.sgd);
    for (const std::int64_t label : {1, 2, 3, 0, 4, 2, 1})
    {
        const ag::Indices labels{std::int64_t{0}, std::int64_t{1}, label, std::int64_t{3}, std::int64_t{2}};
        const Tensor x = inputs(static_cast<std::uint64_t>(label));
        if (label == 4)
        {
            CHECK_THROWS_AS(step(x, labels), ag::ValueError);
            CHECK_THROWS_AS(eager(x, labels), ag::ValueError);
        }
        else
        {
            CHECK(same_bits(step(x, labels), eager(x, labels)));
        }
        CHECK(same_bits(network, other));
    }
}
