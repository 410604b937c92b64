#pragma once

#include <autograd/location.hpp>
#include <autograd/ops/indices.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

/// Which samples a step looks at, and which are kept back to judge the training by. The same everywhere for one seed.
namespace optim
{

using autograd::Indices;
using autograd::Location;

class StateVisitor;

struct SamplerOptions
{
    std::size_t batch_size = 1;
    bool shuffle = true;       ///< each epoch in another order; otherwise always in the one given
    bool replacement = false;  ///< any sample each time, so that an epoch may have one twice and another never
    bool drop_last = false;    ///< leaves out the last minibatch of an epoch if it is smaller than the others
    std::uint64_t seed = 0;
};

/// Minibatches, epoch by epoch:
///
///     optim::Sampler batches(images.size(), {.batch_size = 64});
///     for (; epoch < 10; ++epoch)
///         for (const ag::Indices& batch : batches)
///             step(take(images, batch));
///
/// The order of an epoch follows from the seed and the epoch's number alone. A state that is saved in the inner loop goes on
/// with the minibatch after the one in hand; one that is saved between epochs, with the next epoch.
class Sampler
{
public:
    /// Of samples 0 ... size - 1.
    /// @throws autograd::ValueError if there are none, the minibatches hold none, or drop_last leaves none.
    explicit Sampler(std::size_t size, const SamplerOptions& options = {}, Location location = Location::current());
    /// Of these samples, such as one part of a split.
    explicit Sampler(const Indices& samples, const SamplerOptions& options = {},
                     Location location = Location::current());

    /// The numbers of the samples in the next minibatch; nothing at the end of an epoch, after which the next one begins.
    std::optional<Indices> next();

    /// What is left of the epoch, for a range-based loop.
    /// @{
    class Iterator;
    Iterator begin();
    std::default_sentinel_t end() const noexcept { return {}; }
    /// @}

    /// How many samples there are.
    std::size_t size() const noexcept { return samples_.size(); }
    /// How many minibatches an epoch has.
    std::size_t batches() const noexcept;
    /// How many epochs have come to their end.
    std::uint64_t epoch() const noexcept { return epoch_; }
    /// How many samples the current epoch has given.
    std::size_t position() const noexcept { return position_; }

    void visit_state(StateVisitor& visitor);

private:
    /// Brings the samples into the order of the epoch.
    void arrange();

    Indices samples_;
    SamplerOptions options_;
    Indices order_;
    std::uint64_t epoch_ = 0;
    std::uint64_t position_ = 0;
};

class Sampler::Iterator
{
public:
    using value_type = Indices;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Sampler& sampler);

    const Indices& operator*() const noexcept { return *batch_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return !batch_; }

private:
    Sampler* sampler_;
    std::optional<Indices> batch_;
};

struct SplitOptions
{
    double validation = 0.2;  ///< share of the samples, from 0 to 1
    std::uint64_t seed = 0;
};

/// The numbers of the samples in each part, ascending.
struct Split
{
    Indices training;
    Indices validation;
};

/// Divides samples 0 ... size - 1 at random. Throws autograd::ValueError for a share that is none.
Split train_validation_split(std::size_t size, const SplitOptions& options = {},
                             Location location = Location::current());

/// The same, each class divided in the same proportion, as nearly as whole samples allow: the parts of the samples that
/// rounding takes go to the classes that lack the most. `labels` is the class of each sample, any integers, 1-d.
Split stratified_split(const Indices& labels, const SplitOptions& options = {},
                       Location location = Location::current());

}
