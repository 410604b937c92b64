#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>
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
    std::string what;                ///< the operations, "gradient of" those whose pullback it is
    std::string result;              ///< type and shape of the last
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

/// What a compiled function is, whatever its types.
class Compilation
{
public:
    Compilation(CompileOptions options, Location location);
    Compilation(Compilation&&) noexcept;
    ~Compilation();

    /// The plan for arguments of these shapes, ready to be replayed; null if it must be recorded, or somebody records.
    Plan* find(std::span<const CompiledArgument> arguments);
    static std::size_t result_count(const Plan& plan);
    static void replay(Plan& plan, std::span<const CompiledArgument> arguments, std::span<Node*> results);

    /// Calls the function, which gives its results, and records it. It is given arguments of its own: the nodes, and the
    /// integers, in order.
    std::vector<Node*> record(
        std::span<const CompiledArgument> arguments,
        const std::function<std::vector<Node*>(std::span<Node* const>, std::span<const Indices>)>& function);

    std::vector<std::vector<PlanStep>> plans() const;
    void time(bool on);

private:
    struct Entry;
    Entry* entry_of(std::span<const CompiledArgument> arguments);

    CompileOptions options_;
    Location location_;
    std::vector<std::unique_ptr<Entry>> entries_;
    std::size_t calls_ = 0;
};

template <class A>
inline constexpr bool is_compiled_argument = AnyTensor<A> || std::is_same_v<A, Indices>;

/// Handles on the results of a function, as nodes and back.
template <class R>
struct Results
{
    static_assert(AnyTensor<R>,
                  "a compiled function gives tensors: one, a std::tuple, pair, array or vector of them, or "
                  "nothing");
    static std::vector<Node*> nodes(const R& tensor)
    {
        retain(tensor.node());
        return {tensor.node()};
    }
    static R from(std::span<Node* const> nodes) { return R::adopt(nodes[0]); }
    static constexpr std::size_t count = 1;
};
template <class... R>
struct Results<std::tuple<R...>>
{
    static std::vector<Node*> nodes(const std::tuple<R...>& tensors)
    {
        return std::apply(
            [](const auto&... tensor)
            {
                (retain(tensor.node()), ...);
                return std::vector<Node*>{tensor.node()...};
            },
            tensors);
    }
    static std::tuple<R...> from(std::span<Node* const> nodes)
    {
        return [&]<std::size_t... K>(std::index_sequence<K...>)
        {
            return std::tuple<R...>{R::adopt(nodes[K])...};
        }
        (std::index_sequence_for<R...>{});
    }
    static constexpr std::size_t count = sizeof...(R);
};
template <class A, class B>
struct Results<std::pair<A, B>>
{
    static std::vector<Node*> nodes(const std::pair<A, B>& tensors)
    {
        return Results<std::tuple<A, B>>::nodes({tensors.first, tensors.second});
    }
    static std::pair<A, B> from(std::span<Node* const> nodes) { return {A::adopt(nodes[0]), B::adopt(nodes[1])}; }
    static constexpr std::size_t count = 2;
};
template <class R, std::size_t N>
struct Results<std::array<R, N>>
{
    static std::vector<Node*> nodes(const std::array<R, N>& tensors)
    {
        std::vector<Node*> nodes;
        for (const R& tensor : tensors)
        {
            retain(tensor.node());
            nodes.push_back(tensor.node());
        }
        return nodes;
    }
    static std::array<R, N> from(std::span<Node* const> nodes)
    {
        std::array<R, N> tensors;
        std::transform(nodes.begin(), nodes.end(), tensors.begin(), [](Node* node) { return R::adopt(node); });
        return tensors;
    }
    static constexpr std::size_t count = N;
};

template <class R>
struct Results<std::vector<R>>
{
    static std::vector<Node*> nodes(const std::vector<R>& tensors)
    {
        std::vector<Node*> nodes;
        for (const R& tensor : tensors)
        {
            retain(tensor.node());
            nodes.push_back(tensor.node());
        }
        return nodes;
    }
    static std::vector<R> from(std::span<Node* const> nodes)
    {
        std::vector<R> tensors;
        for (Node* const node : nodes)
        {
            tensors.push_back(R::adopt(node));
        }
        return tensors;
    }
};

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
    static_assert((detail::is_compiled_argument<A> && ...),
                  "the parameters of a compiled function are tensors and Indices: what else it needs, it captures");

public:
    Compiled(F function, CompileOptions options, Location location)
        : function_(std::move(function)), compilation_(options, location)
    {
    }

    /// Calls the function: the first two times for shapes that are new as it is, from then on by its plan.
    /// @throws CompileError if the function cannot be recorded; whatever it throws itself.
    R operator()(const A&... arguments)
    {
        const std::array<detail::CompiledArgument, sizeof...(A)> all{argument(arguments)...};
        detail::Plan* const plan = compilation_.find(all);
        if (plan == nullptr)
        {
            return record(all, std::index_sequence_for<A...>{});
        }
        if constexpr (std::is_void_v<R>)
        {
            compilation_.replay(*plan, all, {});
        }
        else if constexpr (requires { detail::Results<R>::count; })
        {
            std::array<detail::Node*, detail::Results<R>::count> results;
            compilation_.replay(*plan, all, results);
            return detail::Results<R>::from(results);
        }
        else
        {
            std::vector<detail::Node*> results(compilation_.result_count(*plan));
            compilation_.replay(*plan, all, results);
            return detail::Results<R>::from(results);
        }
    }

    /// What it does, for each combination of shapes that it has a plan for, in the order of their first use.
    std::vector<std::vector<PlanStep>> plans() const { return compilation_.plans(); }
    /// From now on, measures the time of each step of its plans, or stops to do so.
    void time(bool on = true) { compilation_.time(on); }

private:
    template <Real T>
    static detail::CompiledArgument argument(const Tensor<T>& tensor)
    {
        return {tensor.node(), nullptr};
    }
    static detail::CompiledArgument argument(const Indices& indices) { return {nullptr, &indices}; }

    /// The next of the nodes or of the integers, whatever the type asks for.
    template <class Argument>
    static Argument take(std::span<detail::Node* const>& nodes, std::span<const Indices>& integers)
    {
        if constexpr (AnyTensor<Argument>)
        {
            detail::Node* const node = nodes.front();
            nodes = nodes.subspan(1);
            detail::retain(node);
            return Tensor<typename Argument::value_type>::adopt(node);
        }
        else
        {
            const Indices& first = integers.front();
            integers = integers.subspan(1);
            return first;
        }
    }

    template <std::size_t... K>
    R record(std::span<const detail::CompiledArgument> all, std::index_sequence<K...>)
    {
        const auto call = [&]([[maybe_unused]] std::span<detail::Node* const> nodes,
                              [[maybe_unused]] std::span<const Indices> integers)
        {
            // In braces, so that they are taken in order.
            const std::tuple<A...> own{take<A>(nodes, integers)...};
            if constexpr (std::is_void_v<R>)
            {
                function_(std::get<K>(own)...);
                return std::vector<detail::Node*>{};
            }
            else
            {
                return detail::Results<R>::nodes(function_(std::get<K>(own)...));
            }
        };
        const std::vector<detail::Node*> results = compilation_.record(all, call);
        if constexpr (!std::is_void_v<R>)
        {
            return detail::Results<R>::from(results);
        }
    }

    F function_;
    detail::Compilation compilation_;
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
