#include <optim/loop/sampler.hpp>

#include <autograd/error.hpp>

#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace ag = autograd;

namespace
{

using Numbers = std::vector<std::int64_t>;

Numbers numbers(const ag::Indices& indices)
{
    return {indices.begin(), indices.end()};
}

std::vector<Numbers> epoch_of(optim::Sampler& sampler)
{
    std::vector<Numbers> batches;
    for (const ag::Indices& batch : sampler)
    {
        batches.push_back(numbers(batch));
    }
    return batches;
}

Numbers all(const std::vector<Numbers>& batches)
{
    Numbers result;
    for (const Numbers& batch : batches)
    {
        result.insert(result.end(), batch.begin(), batch.end());
    }
    return result;
}

Numbers sorted(Numbers numbers)
{
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}

TEST_CASE("an epoch has every sample once, in an order that is not that of the next")
{
    optim::Sampler sampler(10, {.batch_size = 4});
    const auto first = epoch_of(sampler);
    CHECK_EQ(sampler.epoch(), 1);
    const auto second = epoch_of(sampler);
    REQUIRE_EQ(first.size(), sampler.batches());
    CHECK_EQ(first[0].size(), 4);
    CHECK_EQ(first[2].size(), 2);
    CHECK_EQ(sorted(all(first)), Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK_EQ(sorted(all(second)), sorted(all(first)));
    CHECK_NE(first, second);
}

TEST_CASE("the order is the same everywhere, and another for another seed")
{
    optim::Sampler sampler(6, {.batch_size = 6, .seed = 5});
    CHECK_EQ(epoch_of(sampler)[0], Numbers{2, 4, 5, 0, 3, 1});  // Generator(5).permutation(6)
    optim::Sampler other(6, {.batch_size = 6, .seed = 6});
    CHECK_NE(epoch_of(other)[0], Numbers{2, 4, 5, 0, 3, 1});
}

TEST_CASE("without shuffling, samples keep the order in which they were given")
{
    optim::Sampler sampler(ag::Indices{7, 3, 5}, {.batch_size = 2, .shuffle = false});
    CHECK_EQ(epoch_of(sampler), std::vector<Numbers>{{7, 3}, {5}});
    CHECK_EQ(epoch_of(sampler), std::vector<Numbers>{{7, 3}, {5}});
}

TEST_CASE("drop_last leaves the small minibatch out")
{
    optim::Sampler sampler(10, {.batch_size = 4, .drop_last = true});
    CHECK_EQ(sampler.batches(), 2);
    CHECK_EQ(epoch_of(sampler).size(), 2);
    CHECK_EQ(epoch_of(sampler).size(), 2);
}

TEST_CASE("with replacement, samples come again, and all come in the long run")
{
    optim::Sampler sampler(ag::Indices{10, 20, 30}, {.batch_size = 100, .replacement = true});
    CHECK_EQ(sampler.batches(), 1);
    std::set<Numbers> epochs;
    std::set<std::int64_t> seen;
    for (int k = 0; k < 30; ++k)
    {
        const Numbers drawn = all(epoch_of(sampler));
        REQUIRE_EQ(drawn.size(), 3);
        epochs.insert(sorted(drawn));
        seen.insert(drawn.begin(), drawn.end());
    }
    CHECK_GT(epochs.size(), 4);
    CHECK_EQ(seen, std::set<std::int64_t>{10, 20, 30});
}

TEST_CASE("a loop that is left goes on where it was")
{
    optim::Sampler sampler(10, {.batch_size = 3}), whole(10, {.batch_size = 3});
    Numbers drawn;
    for (const ag::Indices& batch : sampler)
    {
        drawn = numbers(batch);
        break;
    }
    CHECK_EQ(sampler.position(), 3);
    for (const Numbers& batch : epoch_of(sampler))
    {
        drawn.insert(drawn.end(), batch.begin(), batch.end());
    }
    CHECK_EQ(drawn, all(epoch_of(whole)));
}

TEST_CASE("a split has every sample in one of its parts")
{
    const auto [training, validation] = optim::train_validation_split(11, {.validation = 0.25, .seed = 3});
    CHECK_EQ(validation.size(), 3);
    CHECK(std::is_sorted(training.begin(), training.end()));
    CHECK(std::is_sorted(validation.begin(), validation.end()));
    Numbers both = numbers(training);
    both.insert(both.end(), validation.begin(), validation.end());
    CHECK_EQ(sorted(both), Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK_EQ(numbers(optim::train_validation_split(11, {.validation = 0.25, .seed = 3}).validation),
             numbers(validation));
    CHECK_EQ(optim::train_validation_split(5, {.validation = 0}).validation.size(), 0);
    CHECK_EQ(optim::train_validation_split(5, {.validation = 1}).training.size(), 0);
    CHECK_EQ(optim::train_validation_split(0).training.size(), 0);
}

TEST_CASE("a stratified split divides each class in proportion, and all of them as a whole")
{
    // 7 of class -1, 5 of class 2, 3 of class 9: a fifth is 1.4, 1 and 0.6, in all 3.
    const ag::Indices labels{-1, 2, 9, -1, 2, 9, -1, 2, 9, -1, 2, -1, 2, -1, -1};
    for (const std::uint64_t seed : {1, 2, 3})
    {
        const auto [training, validation] = optim::stratified_split(labels, {.validation = 0.2, .seed = seed});
        Numbers classes;
        for (const std::int64_t sample : validation)
        {
            classes.push_back(labels[static_cast<std::size_t>(sample)]);
        }
        CHECK_EQ(sorted(classes), Numbers{-1, 2, 9});
        Numbers both = numbers(training);
        both.insert(both.end(), validation.begin(), validation.end());
        CHECK_EQ(sorted(both), Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
    }
    CHECK_EQ(optim::stratified_split(labels, {.validation = 1}).training.size(), 0);
    CHECK_EQ(optim::stratified_split(ag::Indices(ag::Shape{0})).training.size(), 0);
}

TEST_CASE("samplers and splits refuse what leaves nothing, or is no share")
{
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::Sampler(0, {}, {"user.cpp", 7});
                 }),
             "Sampler: there is nothing to draw: got 0 samples and a batch_size of 1 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::Sampler(3, {.batch_size = 0}, {"user.cpp", 7});
                 }),
             "Sampler: there is nothing to draw: got 3 samples and a batch_size of 0 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::Sampler(3, {.batch_size = 4, .drop_last = true}, {"user.cpp", 7});
                 }),
             "Sampler: there is nothing to draw: got 3 samples and a batch_size of 4 with drop_last (user.cpp:7).");
    CHECK_EQ(thrown<ag::ShapeError>(
                 [] {
                     optim::Sampler(ag::Indices(ag::Shape{2, 2}), {}, {"user.cpp", 7});
                 }),
             "Sampler: the samples' numbers have one axis: got shape (2, 2) (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::train_validation_split(3, {.validation = 1.5}, {"user.cpp", 7});
                 }),
             "train_validation_split: validation is 1.5, but must be at least 0 and at most 1 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ValueError>(
                 [] {
                     optim::stratified_split({1}, {.validation = -1}, {"user.cpp", 7});
                 }),
             "stratified_split: validation is -1, but must be at least 0 and at most 1 (user.cpp:7).");
    CHECK_EQ(thrown<ag::ShapeError>(
                 [] {
                     optim::stratified_split(ag::Indices(ag::Shape{}), {}, {"user.cpp", 7});
                 }),
             "stratified_split: the labels have one axis: got shape () (user.cpp:7).");
}
