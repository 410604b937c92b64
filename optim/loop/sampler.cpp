#include <optim/loop/sampler.hpp>

#include <autograd/generator.hpp>
#include <optim/state_visitor.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace optim
{

using autograd::Generator;
using autograd::Shape;
using autograd::ValueError;

namespace
{

Indices count_up(std::size_t size)
{
    Indices numbers(Shape{size});
    std::iota(numbers.data(), numbers.data() + size, std::int64_t{0});
    return numbers;
}

Indices copy_of(std::span<const std::int64_t> numbers)
{
    Indices result(Shape{numbers.size()});
    std::copy(numbers.begin(), numbers.end(), result.data());
    return result;
}

void check_share(const char* operation, double share, Location location)
{
    if (!(share >= 0 && share <= 1))
    {
        std::ostringstream problem;
        problem << "validation is " << share << ", but must be at least 0 and at most 1";
        throw ValueError(operation, problem.str(), location);
    }
}

Split sorted(std::vector<std::int64_t> training, std::vector<std::int64_t> validation)
{
    std::sort(training.begin(), training.end());
    std::sort(validation.begin(), validation.end());
    return {copy_of(training), copy_of(validation)};
}

struct Class
{
    std::vector<std::int64_t> samples;
    std::size_t taken = 0;  ///< for validation
    double remainder = 0;   ///< what rounding down has left out
};

}

Sampler::Sampler(std::size_t size, const SamplerOptions& options, Location location)
    : Sampler(count_up(size), options, location)
{
}

Sampler::Sampler(const Indices& samples, const SamplerOptions& options, Location location)
    : samples_(samples), options_(options), order_(samples)
{
    if (samples.dimension() != 1)
    {
        throw autograd::ShapeError(
            "Sampler", "the samples' numbers have one axis: got shape " + to_string(samples.shape()), location);
    }
    if (options.batch_size == 0 || batches() == 0)
    {
        throw ValueError("Sampler",
                         "there is nothing to draw: got " + std::to_string(size()) + " samples and a batch_size of " +
                             std::to_string(options.batch_size) + (options.drop_last ? " with drop_last" : ""),
                         location);
    }
    arrange();
}

std::size_t Sampler::batches() const noexcept
{
    return (size() + (options_.drop_last ? 0 : options_.batch_size - 1)) / options_.batch_size;
}

void Sampler::arrange()
{
    Generator generator(options_.seed, epoch_);
    if (options_.replacement)
    {
        order_ = Indices(samples_.shape());
        std::generate_n(order_.data(), size(),
                        [&] { return samples_[static_cast<std::size_t>(generator.below(size()))]; });
    }
    else if (options_.shuffle)
    {
        order_ = copy_of({samples_.begin(), size()});
        generator.shuffle(std::span(order_.data(), size()));
    }
}

Sampler::Iterator Sampler::begin()
{
    return Iterator(*this);
}

Sampler::Iterator::Iterator(Sampler& sampler) : sampler_(&sampler), batch_(sampler.next()) {}

Sampler::Iterator& Sampler::Iterator::operator++()
{
    batch_ = sampler_->next();
    return *this;
}

std::optional<Indices> Sampler::next()
{
    const std::size_t left = size() - position_;
    const std::size_t count = std::min(left, options_.batch_size);
    if (count == 0 || (options_.drop_last && count < options_.batch_size))
    {
        ++epoch_;
        position_ = 0;
        arrange();
        return std::nullopt;
    }
    position_ += count;
    return copy_of({order_.begin() + position_ - count, count});
}

void Sampler::visit_state(StateVisitor& visitor)
{
    const auto before = std::pair(options_.seed, epoch_);
    visitor.kind("sampler of " + std::to_string(size()) + " samples");
    visitor.integer("seed", options_.seed);
    visitor.integer("epoch", epoch_);
    visitor.integer("position", position_);
    if (position_ > size())
    {
        throw ValueError(
            "Sampler", "sample " + std::to_string(position_) + " of " + std::to_string(size()) + " would be next", {});
    }
    if (before != std::pair(options_.seed, epoch_))
    {
        arrange();
    }
}

Split train_validation_split(std::size_t size, const SplitOptions& options, Location location)
{
    check_share("train_validation_split", options.validation, location);
    const Indices order = Generator(options.seed).permutation(size);
    const auto kept = static_cast<std::ptrdiff_t>(std::lround(options.validation * static_cast<double>(size)));
    return sorted({order.begin() + kept, order.end()}, {order.begin(), order.begin() + kept});
}

Split stratified_split(const Indices& labels, const SplitOptions& options, Location location)
{
    check_share("stratified_split", options.validation, location);
    if (labels.dimension() != 1)
    {
        throw autograd::ShapeError("stratified_split",
                                   "the labels have one axis: got shape " + to_string(labels.shape()), location);
    }
    std::map<std::int64_t, Class> classes;
    for (std::size_t sample = 0; sample < labels.size(); ++sample)
    {
        classes[labels[sample]].samples.push_back(static_cast<std::int64_t>(sample));
    }
    auto missing = std::lround(options.validation * static_cast<double>(labels.size()));
    std::vector<Class*> by_remainder;
    for (auto& [label, members] : classes)
    {
        const double wanted = options.validation * static_cast<double>(members.samples.size());
        members.taken = static_cast<std::size_t>(wanted);
        members.remainder = wanted - std::floor(wanted);
        missing -= static_cast<long>(members.taken);
        by_remainder.push_back(&members);
    }
    std::stable_sort(by_remainder.begin(), by_remainder.end(),
                     [](const Class* a, const Class* b) { return a->remainder > b->remainder; });
    for (std::size_t k = 0; missing > 0; ++k, --missing)
    {
        ++by_remainder[k]->taken;
    }
    Generator generator(options.seed);
    std::vector<std::int64_t> training, validation;
    for (auto& [label, members] : classes)
    {
        generator.shuffle(members.samples);
        const auto middle = members.samples.begin() + static_cast<std::ptrdiff_t>(members.taken);
        validation.insert(validation.end(), members.samples.begin(), middle);
        training.insert(training.end(), middle, members.samples.end());
    }
    return sorted(std::move(training), std::move(validation));
}

}
