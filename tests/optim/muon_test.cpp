#include "../autograd/closeness.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>
#include <optim/muon.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace ag = autograd;
using ag::ValueError;
using Variable = ag::Variable<double>;

namespace
{

/// What becomes of a singular value in one iteration.
double iterated(double s)
{
    return 3.4445 * s - 4.7750 * std::pow(s, 3) + 2.0315 * std::pow(s, 5);
}

}

TEST_CASE("Muon brings the singular values of its step near 1")
{
    const Variable x(xt::xarray<double>{{0, 0}, {0, 0}});
    optim::Muon muon({x}, {.lr = 1, .weight_decay = 0});
    x.set_grad(xt::xarray<double>{{3, 0}, {0, -0.5}});
    muon.step();
    double large = 3 / std::hypot(3, 0.5);
    double small = 0.5 / std::hypot(3, 0.5);
    for (int k = 0; k < 5; ++k)
    {
        large = iterated(large);
        small = iterated(small);
    }
    CHECK(close(x, {{-large, 0}, {0, small}}, 1e-12));
    CHECK(std::abs(large - 1) < 0.35);
    CHECK(std::abs(small - 1) < 0.35);
}

TEST_CASE("Muon follows its formula on rows, columns and squares")
{
    const optim::MuonOptions once{.lr = 1, .weight_decay = 0, .ns_steps = 1};
    // A row and a column have one singular value: 1 becomes 3.4445 - 4.7750 + 2.0315 = 0.701.
    const Variable row(xt::xarray<double>{{0, 0}});
    const Variable tall(column({0, 0}));
    // Both singular values of this are 1 / sqrt(2) of its norm: 3.4445 / 2 - 4.7750 / 4 + 2.0315 / 8 = 0.7824375.
    const Variable square(xt::xarray<double>{{0, 0}, {0, 0}});
    optim::Muon muon({row, tall, square}, once);
    row.set_grad(xt::xarray<double>{{3, 4}});
    tall.set_grad(column({3, 4}));
    square.set_grad(xt::xarray<double>{{7, 7}, {-7, 7}});
    muon.step();
    CHECK(close(row, {{-0.6 * 0.701, -0.8 * 0.701}}, 1e-12));
    CHECK(close(tall, column({-0.6 * 0.701 * std::sqrt(2), -0.8 * 0.701 * std::sqrt(2)}), 1e-12));
    CHECK(close(square, {{-0.7824375, -0.7824375}, {0.7824375, -0.7824375}}, 1e-12));
}

TEST_CASE("Muon keeps a momentum, looks ahead along it, and shrinks weights")
{
    // Without iterations the step is the direction, brought to norm 1; both are exact in float, too.
    const auto after_two_steps = [](bool nesterov)
    {
        const ag::Variable<float> x(xt::xarray<float>{{8, 0}});
        optim::Muon muon({x}, {.lr = 1, .weight_decay = 0.5, .momentum = 0.5, .nesterov = nesterov, .ns_steps = 0});
        x.set_grad(xt::xarray<float>{{6, 0}});
        muon.step();
        CHECK(close(x, {{3, 0}}));
        CHECK(close(muon.state(0, "momentum_buffer")->get<float>(), {{3, 0}}));
        x.set_grad(xt::xarray<float>{{0, 4}});
        muon.step();
        CHECK(close(muon.state(0, "momentum_buffer")->get<float>(), {{1.5, 2}}));
        return x;
    };
    // Along b = (1.5, 2).
    CHECK(close(after_two_steps(false), {{1.5 - 0.6, -0.8}}));
    // Along (g + b) / 2 = (0.75, 3).
    CHECK(close(after_two_steps(true), {{1.5 - 0.75 / std::hypot(0.75, 3), -3 / std::hypot(0.75, 3)}}));
}

TEST_CASE("Muon adjusts the learning rate to the shape, and does nothing for no gradient at all")
{
    const Variable x(xt::xarray<double>{{0, 0, 0, 0}});
    optim::Muon muon({x},
                     {.lr = 1, .weight_decay = 0, .ns_steps = 0, .adjust_lr_fn = optim::AdjustLR::match_rms_adamw});
    x.set_grad(xt::xarray<double>{{0, 0, 0, 0}});
    muon.step();
    CHECK(close(x, {{0, 0, 0, 0}}));
    muon.group(0).momentum = 0;
    x.set_grad(xt::xarray<double>{{1, -1, 1, 1}});
    muon.step();
    CHECK(close(x, {{-0.2, 0.2, -0.2, -0.2}}));  // 0.2 sqrt(4) / |(1, -1, 1, 1)|
}

TEST_CASE("Muon takes matrices only, and options in their ranges")
{
    const Variable x(xt::xarray<double>{{1, 2}});
    CHECK(
        thrown<ValueError>([] { optim::Muon({Variable(1.0)}); }) ==
        "Muon: is for matrices: parameter 1 has shape () (HERE). Give the others to another optimizer, such as AdamW.");
    CHECK(thrown<ValueError>([&] { optim::Muon({x}, {.momentum = 1}); }) ==
          "Muon: momentum is 1, but must be at least 0 and less than 1 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::Muon({x}, {.eps = 0}); }) ==
          "Muon: eps is 0, but must be more than 0 (HERE).");
    CHECK(thrown<ValueError>([&] { optim::Muon({x}, {.ns_steps = -1}); }) ==
          "Muon: ns_steps is -1, but must be at least 0 (HERE).");
}
