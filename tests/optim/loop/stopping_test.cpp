#include <optim/loop/stopping.hpp>

#include <autograd/error.hpp>

#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace ag = autograd;

TEST_CASE("early stopping waits for as many figures as it has patience")
{
    optim::EarlyStopping stopping({.patience = 2});
    CHECK(stopping.update(3));
    CHECK(stopping.update(2));
    CHECK_FALSE(stopping.update(2));
    CHECK_FALSE(bool(stopping));
    CHECK(stopping.update(1));
    CHECK_FALSE(stopping.update(5));
    CHECK_FALSE(bool(stopping));
    CHECK_FALSE(stopping.update(NAN));
    CHECK(bool(stopping));
    CHECK_EQ(stopping.best(), 1);
    CHECK_EQ(stopping.since_best(), 2);
}

TEST_CASE("a figure must be better by min_delta, upwards where higher is better")
{
    optim::EarlyStopping lower({.patience = 1, .min_delta = 0.5});
    CHECK(lower.update(2));
    CHECK_FALSE(lower.update(1.6));
    optim::EarlyStopping higher({.patience = 1, .min_delta = 0.5, .better = optim::Better::higher});
    CHECK_EQ(higher.best(), -INFINITY);
    CHECK(higher.update(2));
    CHECK(higher.update(2.6));
    CHECK_FALSE(higher.update(1));
    CHECK(bool(higher));
}

TEST_CASE("a loss that is NaN from the start is stopped, too")
{
    optim::EarlyStopping stopping({.patience = 1});
    CHECK_FALSE(stopping.update(NAN));
    CHECK(bool(stopping));
}

TEST_CASE("early stopping refuses options out of range")
{
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::EarlyStopping({.patience = 0}, {"user.cpp", 7});
                 }),
             "EarlyStopping: patience is 0, but must be at least 1 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::EarlyStopping({.min_delta = -0.5}, {"user.cpp", 7});
                 }),
             "EarlyStopping: min_delta is -0.5, but must be at least 0 (user.cpp:7).");
}

TEST_CASE("a time limit is reached when its time has passed")
{
    CHECK(bool(optim::TimeLimit(std::chrono::seconds(0))));
    const optim::TimeLimit limit(std::chrono::hours(1));
    CHECK_FALSE(bool(limit));
    CHECK_LT(limit.elapsed(), std::chrono::minutes(1));
}
