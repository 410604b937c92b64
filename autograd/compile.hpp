#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>
#include <autograd/tree.hpp>
#include <autograd/variable.hpp>

#include <array>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// Functions that are recorded once and replayed: a training step without its bookkeeping.
namespace autograd
{

struct CompileOptions
{
    /// Plans that are kept, one for each combination of shapes; the one that was not used for longest goes.
    std::size_t most_plans = 8;
    /// Whether decisions and numbers taken from values are recorded as they are, instead of being refused.
    bool freeze = false;
};

/// What a compiled function does for one combination of shapes, in its order.
struct PlanStep
{
    /// The operations, "gradient of" those whose pullback it is; "and slope" where a value's derivative is computed with it.
    std::string what;
    std::string result;              ///< type and shape of the last, or of the variable that it changes
    std::vector<std::size_t> reads;  ///< the steps whose results it reads
    Location location;               ///< the user's line of the first
    double seconds;                  ///< a run, on average; 0 unless it was timed
};

namespace detail
{

class Plan;

/// An argument of a compiled function. Not kept alive.
struct CompiledArgument
{
    Node* node = nullptr;
    const Indices* indices = nullptr;
};

/// The arguments of a call, one after another, and how long the vectors in them are. Kept for its memory.
struct ArgumentList
{
    std::vector<CompiledArgument> all;
    std::vector<std::size_t> lengths;

    template <Real T>
    void operator()(const Tensor<T>& tensor)
    {
        all.push_back({tensor.node(), nullptr});
    }
    void operator()(const Indices& indices) { all.push_back({nullptr, &indices}); }
    void vector(std::size_t length) { lengths.push_back(length); }
};

/// New references, and the result itself without its tensors.
struct CompiledResults
{
    std::vector<Node*> nodes;
    std::shared_ptr<const void> structure;
};

/// What a compiled function is, whatever its types.
class Compilation
{
public:
    Compilation(CompileOptions options, Location location);
    Compilation(Compilation&&) noexcept;
    ~Compilation();

    /// The plan for arguments of these shapes, ready to be replayed; null if it must be recorded, or somebody records.
    Plan* find(const ArgumentList& arguments);
    static std::size_t result_count(const Plan& plan);
    static const void* structure(const Plan& plan);
    static void replay(Plan& plan, const ArgumentList& arguments, std::span<Node*> results);

    /// Calls the function, which gives its results, and records it. It is given arguments of its own: the nodes, and the
    /// integers, in order.
    CompiledResults record(
        const ArgumentList& arguments,
        const std::function<CompiledResults(std::span<Node* const>, std::span<const Indices>)>& function);

    std::vector<std::vector<PlanStep>> plans() const;
    void time(bool on);

private:
    struct Entry;
    Entry* entry_of(const ArgumentList& arguments);

    CompileOptions options_;
    Location location_;
    std::vector<std::unique_ptr<Entry>> entries_;
    std::size_t calls_ = 0;
};

template <class X>
struct IsNoArgument : std::bool_constant<IsNoTensor<X>::value && !std::is_same_v<X, Indices>>
{
};

/// Puts the next of the nodes, or of the integers, in the place of each argument.
struct ReplaceArguments
{
    Node* const* node;
    const Indices* integers;

    template <Real T>
    void operator()(Tensor<T>& tensor)
    {
        retain(*node);
        tensor = Tensor<T>::adopt(*node++);
    }
    void operator()(Indices& indices) { indices = *integers++; }
};

/// Gives the tensors of a result these nodes.
template <class R>
void adopt_results(R& result, Node* const* node)
{
    const auto adopt = [&node](auto& tensor) { tensor = std::remove_reference_t<decltype(tensor)>::adopt(*node++); };
    visit_parts(adopt, result);
}

/// New references.
template <class R>
std::vector<Node*> result_nodes(const R& result)
{
    std::vector<Node*> nodes;
    const auto add = [&nodes](const auto& tensor)
    {
        retain(tensor.node());
        nodes.push_back(tensor.node());
    };
    visit_parts(add, result);
    return nodes;
}

/// The same without its tensors.
template <class R>
R emptied(R result)
{
    const auto empty = [](auto& tensor) { tensor = {}; };
    visit_parts(empty, result);
    return result;
}

/// The types of a function object's parameters and result.
template <class F>
struct Signature : Signature<decltype(&F::operator())>
{
};
template <class F, class R, class... A>
struct Signature<R (F::*)(A...) const>
{
    using result = R;
    using arguments = std::tuple<std::remove_cvref_t<A>...>;
};
template <class F, class R, class... A>
struct Signature<R (F::*)(A...)> : Signature<R (F::*)(A...) const>
{
};
template <class R, class... A>
struct Signature<R (*)(A...)>
{
    using result = R;
    using arguments = std::tuple<std::remove_cvref_t<A>...>;
};

}

/// A function that `compile` has made. Move-only; used by one thread at a time.
template <class F, class R, class Arguments>
class Compiled;

template <class F, class R, class... A>
class Compiled<F, R, std::tuple<A...>>
{
    static_assert(
        ((detail::part_count<detail::IsNoArgument, A>() == 0) && ...),
        "the parameters of a compiled function are tensors and Indices, or structures of them (tree.hpp): what "
        "else it needs, it captures");

public:
    Compiled(F function, CompileOptions options, Location location)
        : function_(std::move(function)), compilation_(options, location)
    {
    }

    /// Calls the function: the first two times for shapes that are new as it is, from then on by its plan.
    /// @throws CompileError if the function cannot be recorded; whatever it throws itself.
    R operator()(const A&... arguments)
    {
        arguments_.all.clear();
        arguments_.lengths.clear();
        (detail::visit_parts(arguments_, arguments), ...);
        detail::Plan* const plan = compilation_.find(arguments_);
        if (plan == nullptr)
        {
            return record(arguments...);
        }
        if constexpr (std::is_void_v<R>)
        {
            compilation_.replay(*plan, arguments_, {});
        }
        else
        {
            static_assert(detail::part_count<detail::IsNoTensor, R>() == 0,
                          "a compiled function gives tensors: one, a structure of them (tree.hpp), or nothing");
            constexpr std::size_t count = detail::leaf_count<R>;
            if constexpr (count == detail::any_number)
            {
                std::vector<detail::Node*> nodes(compilation_.result_count(*plan));
                compilation_.replay(*plan, arguments_, nodes);
                R results(*static_cast<const R*>(compilation_.structure(*plan)));
                detail::adopt_results(results, nodes.data());
                return results;
            }
            else
            {
                std::array<detail::Node*, count> nodes;
                compilation_.replay(*plan, arguments_, nodes);
                R results{};
                detail::adopt_results(results, nodes.data());
                return results;
            }
        }
    }

    /// What it does, for each combination of shapes that it has a plan for, in the order of their first use.
    std::vector<std::vector<PlanStep>> plans() const { return compilation_.plans(); }
    /// From now on, measures the time of each step of its plans, or stops to do so.
    void time(bool on = true) { compilation_.time(on); }

private:
    R record(const A&... arguments)
    {
        std::tuple<A...> own{arguments...};
        const auto call = [&](std::span<detail::Node* const> nodes, std::span<const Indices> integers)
        {
            detail::ReplaceArguments replace{nodes.data(), integers.data()};
            std::apply([&](auto&... argument) { (detail::visit_parts(replace, argument), ...); }, own);
            if constexpr (std::is_void_v<R>)
            {
                std::apply(function_, std::as_const(own));
                return detail::CompiledResults{};
            }
            else
            {
                const R results = std::apply(function_, std::as_const(own));
                return detail::CompiledResults{detail::result_nodes(results),
                                               std::make_shared<const R>(detail::emptied(results))};
            }
        };
        const detail::CompiledResults results = compilation_.record(arguments_, call);
        if constexpr (!std::is_void_v<R>)
        {
            R tensors(*static_cast<const R*>(results.structure.get()));
            detail::adopt_results(tensors, results.nodes.data());
            return tensors;
        }
    }

    F function_;
    detail::Compilation compilation_;
    detail::ArgumentList arguments_;
};

/// Makes of a function of tensors one that is recorded and then replayed: forward, backward, and the optimizer's step
/// alike.
///
///     auto step = ag::compile([&](const ag::Tensor<float>& x, const ag::Indices& labels) {
///         ag::GradientTape tape;
///         auto loss = ag::cross_entropy(model(x), labels);
///         sgd.zero_grad();
///         loss.backward();
///         sgd.step();
///         return loss;
///     });
///     for (const auto& [x, labels] : batches) { total += step(x, labels).item(); }
///
/// Parameters and results are tensors, or structures of them (tree.hpp), parameters also Indices.
///
/// For each combination of shapes the first two calls run the function as it is, and record what it computes. If both did
/// the same, a plan is made; the function itself is not called any more for these shapes. Results are those of the
/// function, bit for bit.
///
/// What changes from call to call is: the arguments, variables, arrays drawn from a `Generator`, and what optimizers and
/// schedules do. Anything else is recorded as it was: numbers, loops and conditions of C++, captured objects. What would
/// be frozen is refused with the user's line where that can be seen: an array that is no argument, a value that is read
/// or compared, a number that differed in the second call. `constant(array)` says that an array never changes, and
/// `live(action)` that something else is to be done at every call.
///
/// Where an optimizer's `step()` is followed by its `zero_grad()`, gradients of 64 KB or more are used and forgotten one by
/// one, so that there is memory for one at a time; where `zero_grad()` comes first, they stay to be read. If something is
/// thrown in the course of that, some parameters may have been updated, and others not.
///
/// While a tape outside records, or another function is being recorded, the function is called as it is.
template <class F>
auto compile(F function, CompileOptions options = {}, Location location = Location::current())
{
    using Signature = detail::Signature<F>;
    return Compiled<F, typename Signature::result, typename Signature::arguments>(std::move(function), options,
                                                                                  location);
}

/// The steps of a plan as a table; with the time of each, if it was measured.
std::string to_string(const std::vector<PlanStep>& plan);
/// The same as a graph in Graphviz's language, and drawn to a file as a tape is; see inspect.hpp.
/// @{
std::string to_dot(const std::vector<PlanStep>& plan);
void draw(const std::vector<PlanStep>& plan, const std::string& path, Location location = Location::current());
/// @}

/// The same array, which a compiled function may read though it is no argument, since it never changes.
template <Real T>
Tensor<T> constant(const Tensor<T>& array);
template <XExpression E>
auto constant(const E& array)
{
    return constant(Tensor<typename E::value_type>(array));
}

/// Does something now and, if a function is being recorded, at every later call of it, at the same place among its other
/// effects: changes a learning rate, counts, prints. What it computes itself is not recorded.
void live(std::function<void()> action, Location location = Location::current());

}
