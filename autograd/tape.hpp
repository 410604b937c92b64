#pragma once

#include <autograd/tensor.hpp>
#include <autograd/variable.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace autograd
{

/// What `gradient` does about a source that the target does not depend on.
enum class Unconnected
{
    error,  ///< throw UnconnectedError, which says why
    zero    ///< give zeros
};

struct TapeOptions
{
    /// Whether `gradient` and `backward` may be called more than once; the tape then keeps its records while it lives.
    bool persistent = false;
    /// Whether every variable that is read is watched. Otherwise only those are that the tape was told to `watch`.
    bool watch_accessed_variables = true;
};

template <Real T>
struct GradientOptions
{
    Unconnected unconnected = Unconnected::error;
    /// The gradient of the target, of its shape; needed where the target holds more than one element.
    Tensor<T> output_gradient = {};
};

/// Which way a Jacobian is computed.
enum class Mode
{
    automatic,  ///< the way that takes fewer passes
    reverse,    ///< an element of the target a pass
    forward     ///< an element of the source a pass
};

struct JacobianOptions
{
    Mode mode = Mode::automatic;
    Unconnected unconnected = Unconnected::error;
};

namespace detail
{

struct TapeState;
struct TapeAccess;

/// A target of `gradient`, and the line that asks.
template <Real T>
struct Target
{
    Target(const Tensor<T>& tensor, Location location = Location::current()) : tensor(tensor), location(location) {}
    const Tensor<T>& tensor;
    Location location;
};

/// Which sources must reach the targets.
enum class Demand
{
    each,
    any,
    none
};

constexpr Demand demand(Unconnected unconnected) noexcept
{
    return unconnected == Unconnected::error ? Demand::each : Demand::none;
}

/// What errors call the sources: "source 1", "source 2" unless somebody knows better.
struct SourceNames
{
    std::string (*name)(const void* owner, std::size_t k) = nullptr;
    const void* owner = nullptr;
    /// For one that is not reached.
    const char* advice = "Ask for {.unconnected = Unconnected::zero} if zeros are meant.";

    std::string operator()(std::size_t k) const
    {
        return name != nullptr ? name(owner, k) : "source " + std::to_string(k + 1);
    }
};

/// Who asks a tape, and how.
struct Question
{
    const char* operation;
    Demand demand;
    Location location;
    SourceNames names = {};
};

}

/// Records the operations of its thread while it lives, so that derivatives can be computed from them: those that depend
/// on a Variable, or on a tensor that it was told to `watch`. Without a tape nothing is recorded.
///
/// Tapes nest: a tape records what happens while later ones live, gradients included, which gives derivatives of any
/// order. A tape is used up by its first gradient, unless it is persistent. It belongs to its thread.
class GradientTape
{
public:
    /// While it lives, the tape that gave it does not record. It must not outlive the tape.
    class [[nodiscard]] StopRecording
    {
    public:
        StopRecording(StopRecording&& other) noexcept : tape_(std::exchange(other.tape_, nullptr)) {}
        StopRecording& operator=(StopRecording&&) = delete;
        ~StopRecording();

    private:
        friend class GradientTape;
        explicit StopRecording(detail::TapeState* tape);

        detail::TapeState* tape_;
    };

    explicit GradientTape(TapeOptions options = {}, Location location = Location::current());
    GradientTape(GradientTape&& other) noexcept;
    GradientTape& operator=(GradientTape&& other) noexcept;
    ~GradientTape();

    /// Makes a constant, or a variable that this tape does not watch by itself, a source for which gradients can be
    /// computed: operations from now on are recorded.
    /// @throws TapeError if this tape does not record any more.
    template <Real T>
    void watch(const Tensor<T>& tensor, Location location = Location::current())
    {
        watch(tensor.node(), location);
    }
    template <class E>
        requires(XExpression<E> || Arithmetic<E>)
    void watch(const E&, Location = Location::current())
    {
        static_assert(AnyTensor<E>,
                      "only tensors of floating-point numbers can be watched: make it a Tensor or a Variable "
                      "first, and compute with that");
    }

    /// The variables with elements of this type that this tape has watched, in the order in which they were read first.
    template <Real T>
    std::vector<Variable<T>> watched_variables(Location location = Location::current()) const
    {
        std::vector<Variable<T>> variables;
        for (detail::Node* node : watched(dtype_of<T>, location))
        {
            variables.push_back(Variable<T>::share(node));
        }
        return variables;
    }

    /// Forgets what was recorded, and records from now on, as a new tape would with the same options.
    void reset(Location location = Location::current());

    /// Records nothing until the scope ends that holds the result: `const auto scope = tape.stop_recording();`. What is
    /// computed meanwhile is a constant for this tape, also if another one records it.
    StopRecording stop_recording(Location location = Location::current());

    /// The gradient of `target`, which must hold one element unless its own gradient is given, with respect to a source;
    /// it has the shape of the source. The gradient itself is recorded by the other tapes that record, not by this one.
    /// @throws TapeError if this tape did not record the target, or is used up; ShapeError if the target holds more than
    ///         one element; UnconnectedError, as the options say.
    template <Real T, AnyTensor S>
    Tensor<typename S::value_type> gradient(const Tensor<T>& target, const S& source, GradientOptions<T> options = {},
                                            Location location = Location::current())
    {
        detail::Node* const node = source.node();
        detail::Node* result = nullptr;
        gradient_of(target, options, {&node, 1}, {&result, 1}, location);
        return Tensor<typename S::value_type>::adopt(result);
    }

    /// The same for several sources at once: `auto [da, db] = tape.gradient(loss, a, b)`.
    /// @{
    template <AnyTensor... S>
        requires(sizeof...(S) > 1)
    auto gradient(const detail::Target<float>& target, const S&... sources)
    {
        return gradients(target, std::index_sequence_for<S...>{}, sources...);
    }
    template <AnyTensor... S>
        requires(sizeof...(S) > 1)
    auto gradient(const detail::Target<double>& target, const S&... sources)
    {
        return gradients(target, std::index_sequence_for<S...>{}, sources...);
    }
    template <Real T, AnyTensor S>
    std::vector<Tensor<typename S::value_type>> gradient(const Tensor<T>& target, const std::vector<S>& sources,
                                                         GradientOptions<T> options = {},
                                                         Location location = Location::current());
    /// @}

    /// The tangent of `target`: how it changes where `source` changes by `tangent`, which has the source's shape; the
    /// Jacobian times the tangent, in one pass forward over the records. The tape is used up as by `gradient`, and other
    /// tapes record the pass.
    /// @throws TapeError and UnconnectedError as `gradient` does; ShapeError if the tangent has not the source's shape.
    template <Real T, AnyTensor S>
    Tensor<T> jvp(const Tensor<T>& target, const S& source, const Tensor<typename S::value_type>& tangent,
                  Unconnected unconnected = Unconnected::error, Location location = Location::current())
    {
        const Tensor<typename S::value_type> constant(tangent);
        detail::Node* const node = source.node();
        detail::Node* const direction = constant.node();
        return tangent_of(target, {&node, 1}, {&direction, 1}, unconnected, location);
    }
    /// The same where several sources change at once.
    template <Real T, AnyTensor S>
    Tensor<T> jvp(const Tensor<T>& target, const std::vector<S>& sources,
                  const std::vector<Tensor<typename S::value_type>>& tangents,
                  Unconnected unconnected = Unconnected::error, Location location = Location::current())
    {
        return tangent_of(target, nodes_of(sources), nodes_of(tangents), unconnected, location);
    }

    /// The derivative of each element of `target` by each element of `source`: of the target's shape followed by the
    /// source's. The tape is used up as by `gradient`, and other tapes record it.
    /// @throws as `gradient`.
    template <Real T>
    Tensor<T> jacobian(const Tensor<T>& target, const Tensor<T>& source, JacobianOptions options = {},
                       Location location = Location::current());

    /// The same for each sample of a batch by itself: the first axis of both counts samples, and sample i of the target must
    /// depend on sample i of the source alone, which is not checked. Of shape (samples, rest of the target, rest of the
    /// source); a pass for each element of one sample, not of all.
    /// @throws as `gradient`; ShapeError unless the first axes are equal.
    template <Real T>
    Tensor<T> batch_jacobian(const Tensor<T>& target, const Tensor<T>& source, JacobianOptions options = {},
                             Location location = Location::current());

private:
    friend struct detail::TapeAccess;

    template <AnyTensor S>
    static std::vector<detail::Node*> nodes_of(const std::vector<S>& tensors)
    {
        std::vector<detail::Node*> nodes;
        for (const S& tensor : tensors)
        {
            nodes.push_back(tensor.node());
        }
        return nodes;
    }

    void require_state(const char* operation, Location location) const;
    /// Where this tape recorded the target; no_slot if it did not and none is demanded.
    std::uint32_t find(detail::Node* target, detail::Demand demand, const char* operation, Location location);
    /// Where this tape recorded the targets, and the last of them; no_slot if it did not, which is an error if it recorded none
    /// and some are demanded.
    std::uint32_t find(std::span<detail::Node* const> targets, std::span<std::uint32_t> slots,
                       const detail::Question& question);
    void watch(detail::Node* node, Location location);
    std::vector<detail::Node*> watched(DType dtype, Location location) const;
    /// Of the sum over all targets, each of which must hold one element unless the gradients of all are given. One new
    /// reference a source.
    void gradient(std::span<detail::Node* const> targets, std::span<detail::Node* const> output_gradients,
                  std::span<detail::Node* const> sources, std::span<detail::Node*> results,
                  const detail::Question& question);
    /// One new reference a target.
    void jvp(std::span<detail::Node* const> targets, std::span<detail::Node* const> sources,
             std::span<detail::Node* const> tangents, std::span<detail::Node*> results,
             const detail::Question& question);

    template <Real T>
    void gradient_of(const Tensor<T>& target, const GradientOptions<T>& options, std::span<detail::Node* const> sources,
                     std::span<detail::Node*> results, Location location)
    {
        detail::Node* const node = target.node();
        detail::Node* const given = options.output_gradient.defined() ? options.output_gradient.node() : nullptr;
        gradient({&node, 1}, {&given, given != nullptr ? 1U : 0U}, sources, results,
                 {"gradient", detail::demand(options.unconnected), location});
    }
    template <Real T>
    Tensor<T> tangent_of(const Tensor<T>& target, std::span<detail::Node* const> sources,
                         std::span<detail::Node* const> tangents, Unconnected unconnected, Location location)
    {
        detail::Node* const node = target.node();
        detail::Node* result = nullptr;
        jvp({&node, 1}, sources, tangents, {&result, 1}, {"jvp", detail::demand(unconnected), location});
        return Tensor<T>::adopt(result);
    }

    template <Real T, std::size_t... K, class... S>
    std::tuple<Tensor<typename S::value_type>...> gradients(const detail::Target<T>& target, std::index_sequence<K...>,
                                                            const S&... sources)
    {
        detail::Node* const nodes[] = {sources.node()...};
        detail::Node* results[sizeof...(S)];
        gradient_of(target.tensor, {}, nodes, results, target.location);
        return {Tensor<typename S::value_type>::adopt(results[K])...};
    }

    detail::TapeState* state_;
};

namespace detail
{

/// For those who work on a tape without knowing the types of what is on it.
struct TapeAccess
{
    static TapeState* state(const GradientTape& tape) noexcept { return tape.state_; }
    static void watch(GradientTape& tape, Node* node, Location location) { tape.watch(node, location); }
    static void gradient(GradientTape& tape, std::span<Node* const> targets, std::span<Node* const> output_gradients,
                         std::span<Node* const> sources, std::span<Node*> results, const Question& question)
    {
        tape.gradient(targets, output_gradients, sources, results, question);
    }
    static void jvp(GradientTape& tape, std::span<Node* const> targets, std::span<Node* const> sources,
                    std::span<Node* const> tangents, std::span<Node*> results, const Question& question)
    {
        tape.jvp(targets, sources, tangents, results, question);
    }
    /// New references: for each target, one a source, of the target's shape followed by the source's; or, `as_matrices`, of
    /// (elements, elements). 0 where there is no way from the one to the other. All have one type of elements.
    static std::vector<Node*> jacobian(GradientTape& tape, std::span<Node* const> targets,
                                       std::span<Node* const> sources, Mode mode, bool as_matrices,
                                       const char* operation, Location location);
};

}

template <Real T, AnyTensor S>
std::vector<Tensor<typename S::value_type>> GradientTape::gradient(const Tensor<T>& target,
                                                                   const std::vector<S>& sources,
                                                                   GradientOptions<T> options, Location location)
{
    const std::vector<detail::Node*> nodes = nodes_of(sources);
    std::vector<detail::Node*> results(nodes.size());
    gradient_of(target, options, nodes, results, location);
    std::vector<Tensor<typename S::value_type>> tensors;
    for (detail::Node* result : results)
    {
        tensors.push_back(Tensor<typename S::value_type>::adopt(result));
    }
    return tensors;
}

}
