#include "../autograd/closeness.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace ag = autograd;
using ag::ValueError;
using optim::AnySchedule;
using optim::Optimizer;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor tensor(const std::vector<double>& numbers)
{
    xt::xarray<double> array(xt::xarray<double>::shape_type{numbers.size()});
    std::copy(numbers.begin(), numbers.end(), array.storage().begin());
    return array;
}

/// The learning rates of the first epochs by the schedule that `make(optimizer)` gives, from 1.
template <class Make>
Tensor rates(int epochs, const Make& make)
{
    optim::SGD sgd({Variable(1.0)}, {.lr = 1});
    AnySchedule schedule = make(sgd);
    std::vector<double> result = schedule->last_lr();
    for (int epoch = 1; epoch < epochs; ++epoch)
    {
        sgd.step();
        schedule->step();
        CHECK(schedule->last_epoch() == epoch);
        result.push_back(sgd.group(0).lr);
    }
    return tensor(result);
}

/// The learning rates after each of the figures, from 1.
Tensor rates_after(const std::vector<double>& figures, const optim::ReduceLROnPlateauOptions& options)
{
    optim::SGD sgd({Variable(1.0)}, {.lr = 1});
    optim::ReduceLROnPlateau schedule(sgd, options);
    std::vector<double> result;
    for (const double figure : figures)
    {
        sgd.step();
        schedule.step(figure);
        result.push_back(sgd.group(0).lr);
    }
    return tensor(result);
}

}

TEST_CASE("schedules multiply the learning rate in steps and along lines")
{
    CHECK(close(rates(5, [](Optimizer& o) { return optim::StepLR(o, {.step_size = 2, .gamma = 0.5}); }),
                {1, 1, 0.5, 0.5, 0.25}));
    // A milestone that is given twice counts twice.
    CHECK(close(rates(5,
                      [](Optimizer& o) {
                          return optim::MultiStepLR(o, {.milestones = {3, 1, 1}, .gamma = 0.5});
                      }),
                {1, 0.25, 0.25, 0.125, 0.125}));
    CHECK(close(rates(4, [](Optimizer& o) { return optim::ConstantLR(o, {.factor = 0.25, .total_iters = 2}); }),
                {0.25, 0.25, 1, 1}));
    CHECK(close(rates(4, [](Optimizer& o) { return optim::LinearLR(o, {.start_factor = 0.5, .total_iters = 2}); }),
                {0.5, 0.75, 1, 1}));
    CHECK(close(rates(3, [](Optimizer& o) { return optim::ExponentialLR(o, {.gamma = 0.5}); }), {1, 0.5, 0.25}));
    CHECK(close(rates(4, [](Optimizer& o) { return optim::PolynomialLR(o, {.total_iters = 2, .power = 3}); }),
                {1, 0.125, 0, 0}));
}

TEST_CASE("LambdaLR takes factors of the first learning rate, MultiplicativeLR of the one before")
{
    const auto factor = [](int epoch) { return epoch == 0 ? 1 : 0.5 * epoch; };
    CHECK(close(rates(5, [&](Optimizer& o) { return optim::LambdaLR(o, factor); }), {1, 0.5, 1, 1.5, 2}));
    const auto factor_from_1 = [](int epoch) { return epoch == 0 ? not_a_number : 0.5 * epoch; };
    CHECK(close(rates(5, [&](Optimizer& o) { return optim::MultiplicativeLR(o, factor_from_1); }),
                {1, 0.5, 0.5, 0.75, 1.5}));
}

TEST_CASE("groups may have functions and numbers of their own, and later ones are left alone")
{
    optim::SGD sgd({Variable(1.0)}, {.lr = 2});
    sgd.add_group({Variable(1.0)}).lr = 8;
    const auto half = [](int) { return 0.5; };
    const auto epoch_itself = [](int epoch) { return static_cast<double>(epoch); };
    const auto check = [&](optim::Schedule& schedule, const xt::xarray<double>& first, const xt::xarray<double>& second)
    {
        CHECK(close(tensor(schedule.last_lr()), first));
        sgd.step();
        schedule.step();
        sgd.step();
        schedule.step();
        CHECK(close(tensor(schedule.last_lr()), second));
    };
    optim::LambdaLR lambda(sgd, {half, epoch_itself});
    check(lambda, {1, 0}, {1, 16});
    optim::MultiplicativeLR multiplicative(sgd, {half, epoch_itself});
    check(multiplicative, {1, 16}, {0.25, 32});
    optim::CyclicLR cyclic(
        sgd,
        {.base_lr = {1, 2}, .max_lr = {3, 10}, .step_size_up = 4, .base_momentum = 0.5, .max_momentum = {0.7, 0.9}});
    check(cyclic, {1, 2}, {2, 6});
    CHECK(sgd.group(0).momentum == doctest::Approx(0.6));
    CHECK(sgd.group(1).momentum == doctest::Approx(0.7));

    optim::ReduceLROnPlateau plateau(sgd, {.factor = 0.5, .patience = 0, .min_lr = {0, 4}});
    sgd.add_group({Variable(1.0)}).lr = 3;
    check(lambda, {2, 6}, {1, 32});
    plateau.step(1);
    plateau.step(1);
    CHECK(close(tensor(plateau.last_lr()), {0.5, 16}));
    for (int epoch = 0; epoch < 3; ++epoch)
    {
        plateau.step(1);
    }
    CHECK(close(tensor(plateau.last_lr()), {0.0625, 4}));
    CHECK(sgd.group(2).lr == 3);
}

TEST_CASE("a cosine goes down to eta_min and up again")
{
    for (const double eta_min : {0.0, 0.5})
    {
        const double middle = (1 + eta_min) / 2;
        const auto cosine = [eta_min](Optimizer& o)
        { return optim::CosineAnnealingLR(o, {.T_max = 2, .eta_min = eta_min}); };
        CHECK(close(rates(8, cosine), {1, middle, eta_min, middle, 1, middle, eta_min, middle}, 1e-14, 1e-15));
    }
    CHECK(close(rates(4, [](Optimizer& o) { return optim::CosineAnnealingLR(o, {.T_max = 1}); }), {1, 0, 1, 0}));
}

TEST_CASE("warm restarts come later and later, and any epoch or part of one may be gone to")
{
    const double root = std::numbers::sqrt2 / 2;
    CHECK(close(rates(7, [](Optimizer& o) { return optim::CosineAnnealingWarmRestarts(o, {.T_0 = 2, .T_mult = 2}); }),
                {1, 0.5, 1, (1 + root) / 2, 0.5, (1 - root) / 2, 1}, 1e-14));

    optim::SGD sgd({Variable(1.0)}, {.lr = 1});
    optim::CosineAnnealingWarmRestarts schedule(sgd, {.T_0 = 4, .T_mult = 2});
    const auto rate_at = [&](double epoch)
    {
        schedule.step_to(epoch);
        return sgd.group(0).lr;
    };
    CHECK(rate_at(4.0 / 3) == doctest::Approx(0.75));
    CHECK(schedule.last_epoch() == 1);
    CHECK(rate_at(6) == doctest::Approx((1 + root) / 2));  // a quarter of the period from 4 to 12
    CHECK(schedule.last_epoch() == 6);
    CHECK(rate_at(12) == 1);
    CHECK(rate_at(2) == doctest::Approx(0.5));
    schedule.step();
    CHECK(sgd.group(0).lr == doctest::Approx((1 - root) / 2));
    schedule.step();
    CHECK(sgd.group(0).lr == 1);

    optim::CosineAnnealingWarmRestarts even(sgd, {.T_0 = 4});
    even.step_to(4e8 + 2);
    CHECK(sgd.group(0).lr == doctest::Approx(0.5));
    CHECK(thrown<ValueError>([&] { schedule.step_to(-1); }) ==
          "CosineAnnealingWarmRestarts: epoch is -1, but must be at least 0 and at most 1000000000 (HERE).");
    CHECK(thrown<ValueError>([&] { schedule.step_to(not_a_number); }) ==
          "CosineAnnealingWarmRestarts: epoch is nan, but must be at least 0 and at most 1000000000 (HERE).");
    CHECK(schedule.last_epoch() == 4);
}

TEST_CASE("cycles are as high as their mode or a function of the cycle or the epoch says")
{
    const auto cycles = [](optim::CyclicLROptions options)
    {
        options.base_lr = 1;
        options.max_lr = 9;
        options.step_size_up = 1;
        return rates(6, [&](Optimizer& o) { return optim::CyclicLR(o, options); });
    };
    CHECK(close(cycles({}), {1, 9, 1, 9, 1, 9}));
    CHECK(close(cycles({.step_size_down = 2}), {1, 9, 5, 1, 9, 5}));
    CHECK(close(cycles({.mode = optim::CyclicMode::triangular2}), {1, 9, 1, 5, 1, 3}));
    CHECK(close(cycles({.mode = optim::CyclicMode::exp_range, .gamma = 0.5}), {1, 5, 1, 2, 1, 1.25}));
    const auto inverse = [](double x) { return 1 / (1 + x); };
    CHECK(close(cycles({.scale_fn = inverse}), {1, 5, 1, 1 + 8 / 3.0, 1, 3}));
    CHECK(close(cycles({.scale_fn = inverse, .scale_by_iterations = true}), {1, 5, 1, 3, 1, 1 + 8 / 6.0}));
}

TEST_CASE("cycles move the first of the betas where there is no momentum")
{
    optim::Adam adam({Variable(1.0)});
    optim::CyclicLR schedule(adam, {.base_lr = 0.1, .max_lr = 1, .step_size_up = 1, .base_momentum = 0.5});
    CHECK(adam.group(0).betas == std::array{0.9, 0.999});
    adam.step();
    schedule.step();
    CHECK(adam.group(0).betas[0] == doctest::Approx(0.5));
    CHECK(adam.group(0).betas[1] == 0.999);
}

TEST_CASE("one cycle goes up, down and to the end")
{
    const auto cycle = [](const optim::OneCycleLROptions& options)
    { return [options](Optimizer& o) { return optim::OneCycleLR(o, options); }; };
    optim::OneCycleLROptions options{.max_lr = 1,
                                     .total_steps = 5,
                                     .pct_start = 0.4,
                                     .anneal_strategy = optim::Anneal::linear,
                                     .div_factor = 4,
                                     .final_div_factor = 2};
    CHECK(close(rates(5, cycle(options)), {0.25, 1, 1 - 7 / 24.0, 1 - 14 / 24.0, 0.125}));
    options.three_phase = true;
    options.total_steps = {};
    options.epochs = 2;
    options.steps_per_epoch = 5;
    options.pct_start = 0.3;
    CHECK(close(rates(10, cycle(options)), {0.25, 0.625, 1, 0.625, 0.25, 0.225, 0.2, 0.175, 0.15, 0.125}));
    // No way up: the first learning rate is the largest.
    CHECK(close(rates(3, cycle({.max_lr = 1,
                                .total_steps = 10,
                                .pct_start = 0.1,
                                .anneal_strategy = optim::Anneal::linear,

                                .div_factor = 4,
                                .final_div_factor = 2.5})),
                {1, 0.9, 0.8}));

    optim::SGD sgd({Variable(1.0)}, {.lr = 1});
    optim::OneCycleLR schedule(sgd, {.max_lr = 1, .total_steps = 2});
    for (int step = 0; step < 2; ++step)
    {
        sgd.step();
        schedule.step();
    }
    CHECK(thrown<ValueError>([&] { schedule.step(); }) ==
          "OneCycleLR: was stepped more often than total_steps, 2 (HERE).");
    CHECK(schedule.last_epoch() == 2);
}

TEST_CASE("a plateau reduces the learning rate when patience ends")
{
    using optim::Better;
    using optim::Threshold;
    // From 10, a tenth of it is progress.
    CHECK(close(rates_after({10, 9.5, 9.2, 8.9, 8.9, 8.9}, {.factor = 0.5, .patience = 1, .threshold = 0.1}),
                {1, 1, 0.5, 0.5, 0.5, 0.25}));
    CHECK(close(
        rates_after(
            {1, 2, 3.5, not_a_number},
            {.mode = Better::higher, .factor = 0.5, .patience = 0, .threshold = 1, .threshold_mode = Threshold::abs}),
        {1, 0.5, 0.5, 0.25}));
    CHECK(close(rates_after({1, 1, 1, 1, 1}, {.factor = 0.5, .patience = 0, .cooldown = 2}), {1, 0.5, 0.5, 0.5, 0.25}));
    // A reduction by less than eps is none.
    CHECK(close(rates_after({1, 1, 1}, {.factor = 0.5, .patience = 0, .eps = 0.3}), {1, 0.5, 0.5}));
    CHECK(close(rates_after({1, 1, 1}, {.factor = 0.5, .patience = 0, .min_lr = 0.4}), {1, 0.5, 0.4}));
}

TEST_CASE("schedules follow each other, act at once, and warm up")
{
    const auto sequence = [](Optimizer& o)
    {
        return optim::SequentialLR(
            o, {optim::ConstantLR(o, {.factor = 0.5, .total_iters = 2}), optim::ExponentialLR(o, {.gamma = 0.5})}, {3});
    };
    const auto chain = [](Optimizer& o)
    {
        return optim::ChainedScheduler(
            {optim::ConstantLR(o, {.factor = 0.5, .total_iters = 2}), optim::ExponentialLR(o, {.gamma = 0.5})});
    };
    const auto constant = [](Optimizer& o) { return optim::ConstantLR(o, {.factor = 0.1, .total_iters = 99}); };
    CHECK(close(rates(6, sequence), {0.5, 0.5, 1, 1, 0.5, 0.25}));
    CHECK(close(rates(4, chain), {0.5, 0.25, 0.25, 0.125}));
    CHECK(close(rates(6, [](Optimizer& o) { return optim::warm_up(optim::StepLR(o, {.step_size = 2}), 2, 0.5); }),
                {0.5, 0.75, 1, 1, 0.1, 0.1}));

    CHECK(close(rates(6,
                      [&](Optimizer& o) {
                          return optim::SequentialLR(o, {sequence(o), constant(o)}, {5});
                      }),
                {0.5, 0.5, 1, 1, 0.5, 0.1}));
    CHECK(close(rates(6,
                      [&](Optimizer& o) {
                          return optim::SequentialLR(o, {constant(o), sequence(o)}, {1});
                      }),
                {0.1, 0.5, 0.5, 1, 1, 0.5}));
    CHECK(close(rates(4,
                      [&](Optimizer& o) {
                          return optim::SequentialLR(o, {chain(o), constant(o)}, {3});
                      }),
                {0.5, 0.25, 0.25, 0.1}));
    CHECK(close(rates(4,
                      [&](Optimizer& o) {
                          return optim::SequentialLR(o, {constant(o), chain(o)}, {1});
                      }),
                {0.1, 0.5, 0.25, 0.25}));
    // What has only factors of the learning rate before goes on from there.
    CHECK(close(rates(4,
                      [&](Optimizer& o)
                      {
                          const auto half = [](int) { return 0.5; };
                          return optim::SequentialLR(o, {constant(o), optim::MultiplicativeLR(o, half)}, {2});
                      }),
                {0.1, 0.1, 0.1, 0.05}));
}

TEST_CASE("a schedule stepped before its optimizer says so")
{
    optim::SGD sgd({Variable(1.0)}, {.lr = 1});
    optim::StepLR schedule(sgd, {.step_size = 1});
    CHECK(
        thrown<ag::Error>([&] { schedule.step(); }) ==
        "StepLR: stepped before its optimizer, which would leave out the first learning rate (HERE). Call step of the "
        "optimizer first, then that of the schedule.");
    optim::ReduceLROnPlateau plateau(sgd);
    CHECK(thrown<ag::Error>([&] { plateau.step(1); }) ==
          "ReduceLROnPlateau: stepped before its optimizer (HERE). Call step of the optimizer first, then that of the "
          "schedule.");
    sgd.step();
    schedule.step();
    CHECK(sgd.group(0).lr == doctest::Approx(0.1));
}

TEST_CASE("options of factors out of range are named, with what is allowed")
{
    optim::SGD sgd({Variable(1.0)});
    CHECK(thrown<ValueError>([&] { optim::StepLR(sgd, {}); }) ==
          "StepLR: step_size is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::StepLR(sgd, {.step_size = 1, .gamma = not_a_number}); }) ==
          "StepLR: gamma is nan, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::MultiStepLR(sgd, {.milestones = {3, -1}});
              }) == "MultiStepLR: a milestone is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ConstantLR(sgd, {.factor = 0}); }) ==
          "ConstantLR: factor is 0, but must be more than 0 and at most 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ConstantLR(sgd, {.total_iters = -1}); }) ==
          "ConstantLR: total_iters is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LinearLR(sgd, {.start_factor = 0}); }) ==
          "LinearLR: start_factor is 0, but must be more than 0 and at most 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LinearLR(sgd, {.end_factor = 2}); }) ==
          "LinearLR: end_factor is 2, but must be at least 0 and at most 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::LinearLR(sgd, {.total_iters = 0}); }) ==
          "LinearLR: total_iters is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ExponentialLR(sgd, {}); }) ==
          "ExponentialLR: gamma is 0, but must be more than 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::PolynomialLR(sgd, {.total_iters = 0}); }) ==
          "PolynomialLR: total_iters is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::PolynomialLR(sgd, {.power = -1}); }) ==
          "PolynomialLR: power is -1, but must be at least 0 (HERE).");

    const auto one = [](int) { return 1.0; };
    CHECK(thrown<ValueError>(
              [&] {
                  optim::LambdaLR(sgd, {one, one});
              }) == "LambdaLR: got 2 functions for 1 groups (HERE). Give one, or one for each group.");
    CHECK(thrown<ValueError>([&] { optim::LambdaLR(sgd, optim::LRFunction()); }) ==
          "LambdaLR: got an empty function (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::MultiplicativeLR(sgd, {one, one});
              }) == "MultiplicativeLR: got 2 functions for 1 groups (HERE). Give one, or one for each group.");
    CHECK(thrown<ValueError>([&] { optim::MultiplicativeLR(sgd, optim::LRFunction()); }) ==
          "MultiplicativeLR: got an empty function (HERE).");
}

TEST_CASE("options of cosines and plateaus out of range are named, with what is allowed")
{
    optim::SGD sgd({Variable(1.0)});
    CHECK(thrown<ValueError>([&] { optim::CosineAnnealingLR(sgd, {}); }) ==
          "CosineAnnealingLR: T_max is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CosineAnnealingLR(sgd, {.T_max = 1, .eta_min = -1}); }) ==
          "CosineAnnealingLR: eta_min is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CosineAnnealingWarmRestarts(sgd, {}); }) ==
          "CosineAnnealingWarmRestarts: T_0 is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CosineAnnealingWarmRestarts(sgd, {.T_0 = 1, .T_mult = 0}); }) ==
          "CosineAnnealingWarmRestarts: T_mult is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ReduceLROnPlateau(sgd, {.factor = 1}); }) ==
          "ReduceLROnPlateau: factor is 1, but must be at least 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ReduceLROnPlateau(sgd, {.patience = -1}); }) ==
          "ReduceLROnPlateau: patience is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::ReduceLROnPlateau(sgd, {.cooldown = -1}); }) ==
          "ReduceLROnPlateau: cooldown is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::ReduceLROnPlateau(sgd, {.min_lr = {0.1, 0.2}});
              }) ==
          "ReduceLROnPlateau: min_lr has 2 numbers, but must have one, or one for each of the 1 groups (HERE).");
}

TEST_CASE("options of cycles out of range are named, with what is allowed")
{
    optim::SGD sgd({Variable(1.0)});
    optim::Adagrad adagrad({Variable(1.0)});
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.base_lr = -1, .max_lr = 1}); }) ==
          "CyclicLR: base_lr is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.base_lr = 0.1}); }) ==
          "CyclicLR: max_lr is 0, but must be more than 0 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::CyclicLR(sgd, {.max_lr = {1, 2, 3}});
              }) == "CyclicLR: max_lr has 3 numbers, but must have one, or one for each of the 1 groups (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.max_lr = 1, .step_size_up = 0}); }) ==
          "CyclicLR: step_size_up is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.max_lr = 1, .step_size_down = 0}); }) ==
          "CyclicLR: step_size_down is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.max_lr = 1, .gamma = -1}); }) ==
          "CyclicLR: gamma is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(sgd, {.max_lr = 1, .base_momentum = -1}); }) ==
          "CyclicLR: base_momentum is -1, but must be at least 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::CyclicLR(adagrad, {.max_lr = 1}); }) ==
          "CyclicLR: Adagrad has neither momentum nor betas (HERE). Set cycle_momentum to false.");

    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.max_lr = 1}); }) ==
          "OneCycleLR: needs total_steps, or epochs and steps_per_epoch (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.max_lr = 1, .total_steps = 0}); }) ==
          "OneCycleLR: total_steps is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.max_lr = 1, .epochs = 0, .steps_per_epoch = 1}); }) ==
          "OneCycleLR: epochs is 0, but must be at least 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.total_steps = 9}); }) ==
          "OneCycleLR: max_lr is 0, but must be more than 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.max_lr = 1, .total_steps = 9, .pct_start = 30}); }) ==
          "OneCycleLR: pct_start is 30, but must be at least 0 and at most 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(sgd, {.max_lr = 1, .total_steps = 9, .div_factor = 0}); }) ==
          "OneCycleLR: div_factor is 0, but must be more than 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::OneCycleLR(adagrad, {.max_lr = 1, .total_steps = 9}); }) ==
          "OneCycleLR: Adagrad has neither momentum nor betas (HERE). Set cycle_momentum to false.");
}

TEST_CASE("schedules that do not make a sequence or a chain are refused")
{
    optim::SGD sgd({Variable(1.0)});
    optim::SGD another({Variable(1.0)});
    const AnySchedule linear = optim::LinearLR(sgd);
    const AnySchedule stranger = optim::LinearLR(another);
    CHECK(thrown<ValueError>([&] { optim::SequentialLR(sgd, {linear}, {5}); }) ==
          "SequentialLR: got 1 schedules and 1 milestones, but there must be one milestone less (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::SequentialLR(sgd, {linear, linear, linear}, {5, 5});
              }) == "SequentialLR: milestone 2 is 5, but they must increase from at least 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::SequentialLR(sgd, {linear, linear}, {0});
              }) == "SequentialLR: milestone 1 is 0, but they must increase from at least 1 (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::SequentialLR(sgd, {linear, stranger}, {5});
              }) == "SequentialLR: schedule 2 belongs to another optimizer (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  optim::ChainedScheduler({linear, stranger});
              }) == "ChainedScheduler: schedule 2 belongs to another optimizer (HERE).");
    CHECK(thrown<ValueError>([] { optim::ChainedScheduler(std::vector<AnySchedule>()); }) ==
          "ChainedScheduler: needs at least one schedule (HERE).");
}
