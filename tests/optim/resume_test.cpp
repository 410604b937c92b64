#include "../content.hpp"
#include "../temporary_folder.hpp"
#include "every_optimizer.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

namespace ag = autograd;

namespace
{

/// The sum of (1 - x^2)^2, whose gradient is added to that of x.
template <class T>
double quartic(const ag::Variable<T>& x)
{
    ag::GradientTape tape;
    const ag::Tensor<T> loss = ag::sum(ag::square(T(1) - ag::square(x)));
    loss.backward();
    return static_cast<double>(loss.item());
}

/// Variables of both precisions, and an optimizer for them.
struct Problem
{
    explicit Problem(const MakeOptimizer& make) : optimizer(make({x, y})) {}

    void step()
    {
        optimizer->step(
            [this]
            {
                optimizer->zero_grad();
                return quartic(x) + quartic(y);
            });
    }

    ag::Variable<double> x{xt::xarray<double>{{0.1, -2, 0.7}, {1.5, 0.3, -0.4}}};
    ag::Variable<float> y{xt::xarray<float>{{0.2F, -1.7F}}};
    std::unique_ptr<optim::Optimizer> optimizer;
};

/// A training with a schedule that `make_schedule(optimizer)` gives.
template <class MakeSchedule>
struct Training
{
    Training(const MakeOptimizer& make, const MakeSchedule& make_schedule)
        : problem(make), schedule(make_schedule(*problem.optimizer)), state{{"x", problem.x},
                                                                            {"y", problem.y},
                                                                            {"optimizer", *problem.optimizer},
                                                                            {"schedule", *schedule}}
    {
    }

    void train(int epochs)
    {
        for (int epoch = 0; epoch < epochs; ++epoch)
        {
            problem.step();
            if constexpr (requires { schedule->step(0.0); })
            {
                schedule->step(1.0);
            }
            else
            {
                schedule->step();
            }
        }
    }

    /// Everything that is saved, as the file that it is saved as.
    std::string bytes(const TemporaryFolder& folder) const
    {
        state.save(folder / "bytes");
        return content(folder / "bytes");
    }

    Problem problem;
    std::invoke_result_t<MakeSchedule, optim::Optimizer&> schedule;
    optim::State state;
};

/// Checks that trainings that are saved after any number of epochs and loaded into others end like one that is not.
template <class MakeSchedule>
void check_resuming(const MakeOptimizer& make, const MakeSchedule& make_schedule)
{
    constexpr int epochs = 9;
    const TemporaryFolder folder;
    Training whole(make, make_schedule);
    whole.train(epochs);
    for (int saved = 0; saved <= epochs; ++saved)
    {
        CAPTURE(saved);
        Training first(make, make_schedule);
        first.train(saved);
        first.state.save(folder / "run");
        Training second(make, make_schedule);
        second.train((saved * 5 + 2) % epochs);  // all of which is replaced
        second.state.load(folder / "run");
        CHECK(second.bytes(folder) == first.bytes(folder));
        second.train(epochs - saved);
        CHECK(second.bytes(folder) == whole.bytes(folder));
    }
}

}

TEST_CASE("every optimizer goes on from a saved state bit by bit")
{
    for (const MakeOptimizer& make : every_optimizer())
    {
        const std::string name = make({ag::Variable<double>(xt::xarray<double>{{1, 2}})})->name();
        CAPTURE(name);
        check_resuming(make, [](optim::Optimizer& optimizer)
                       { return optim::AnySchedule(optim::ExponentialLR(optimizer, {.gamma = 0.9})); });
    }
}

TEST_CASE("every schedule goes on from a saved state bit by bit")
{
    using optim::AnySchedule;
    using optim::Optimizer;
    const std::vector<std::pair<const char*, AnySchedule (*)(Optimizer&)>> schedules{
        {"StepLR", [](Optimizer& o) -> AnySchedule { return optim::StepLR(o, {.step_size = 2}); }},
        {"MultiStepLR",
         [](Optimizer& o) -> AnySchedule {
             return optim::MultiStepLR(o, {.milestones = {2, 5}});
         }},
        {"ConstantLR", [](Optimizer& o) -> AnySchedule { return optim::ConstantLR(o); }},
        {"LinearLR", [](Optimizer& o) -> AnySchedule { return optim::LinearLR(o); }},
        {"PolynomialLR", [](Optimizer& o) -> AnySchedule { return optim::PolynomialLR(o); }},
        {"LambdaLR",
         [](Optimizer& o) -> AnySchedule { return optim::LambdaLR(o, [](int e) { return 1.0 / (1 + e); }); }},
        {"MultiplicativeLR",
         [](Optimizer& o) -> AnySchedule
         { return optim::MultiplicativeLR(o, [](int e) { return e % 2 ? 0.5 : 1.5; }); }},
        {"CosineAnnealingLR", [](Optimizer& o) -> AnySchedule { return optim::CosineAnnealingLR(o, {.T_max = 3}); }},
        {"CosineAnnealingWarmRestarts",
         [](Optimizer& o) -> AnySchedule { return optim::CosineAnnealingWarmRestarts(o, {.T_0 = 2, .T_mult = 2}); }},
        {"CyclicLR",
         [](Optimizer& o) -> AnySchedule
         { return optim::CyclicLR(o, {.base_lr = 0.01, .max_lr = 0.1, .step_size_up = 3}); }},
        {"OneCycleLR",
         [](Optimizer& o) -> AnySchedule { return optim::OneCycleLR(o, {.max_lr = 0.1, .total_steps = 9}); }},
        {"warm_up",
         [](Optimizer& o) -> AnySchedule { return optim::warm_up(optim::CosineAnnealingLR(o, {.T_max = 5}), 3); }},
        {"ChainedScheduler",
         [](Optimizer& o) -> AnySchedule {
             return optim::ChainedScheduler({optim::ConstantLR(o), optim::StepLR(o, {.step_size = 2})});
         }},
    };
    const MakeOptimizer adam = with<optim::Adam>(optim::AdamOptions{.lr = 0.1});
    for (const auto& schedule : schedules)
    {
        CAPTURE(schedule.first);
        check_resuming(adam, schedule.second);
    }
    check_resuming(adam,
                   [](Optimizer& optimizer)
                   {
                       return std::make_unique<optim::ReduceLROnPlateau>(
                           optimizer, optim::ReduceLROnPlateauOptions{.patience = 1, .cooldown = 2});
                   });
}
