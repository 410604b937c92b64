#pragma once

#include <autograd/formula.hpp>
#include <autograd/primitive.hpp>

/// Element-wise operations: from the formulas of one operation to its scalar code, its SIMD loops and its record.
///
/// A formula class has `name`, `arity`, `static auto value(x...)` and
/// `static auto pullback(Wrt<k>, dy, y, x...)`, each a template over what it computes on; see formula.hpp.
namespace autograd::detail
{

inline constexpr std::size_t most_operands = 3;

/// Computes `count` elements, and a few of the padding behind them, from arrays of as many.
template <class T>
using Kernel = void (*)(std::size_t count, const T* const* in, T* out);

/// One pullback: from dy, y and the operands, in this order.
template <class T>
struct ElementwisePullback
{
    Kernel<T> kernel;
    T (*scalar)(const T* const* in);
    unsigned reads;  ///< bit 0: dy, bit 1: y, bit 2 + k: operand k
    formula::Form form;

    /// Whether the gradient is dy itself.
    bool passes_on() const noexcept { return form == formula::Form::argument && reads == 1; }
};

template <class T>
struct ElementwiseOperation : Operation
{
    std::size_t arity;
    ElementwisePullback<T> pullbacks[most_operands];
    Kernel<T> value;
    formula::Form form;  ///< of the value
    T (*scalar_value)(const T* const* operands);
    /// Computes the value and its derivative, which times dy is the pullback, together; null unless that is less work.
    void (*value_and_slope)(std::size_t count, const T* in, T* value, T* slope);
};

/// The value for operands of any shapes that broadcast. Throws ShapeError if they don't.
template <class T>
Node* elementwise_value(const char* name, Kernel<T> kernel, std::span<Node* const> operands, Location location);

/// The pullback of an element-wise operation while no tape records.
template <class T>
void elementwise_pull(Pull& p, const ElementwiseOperation<T>& operation);

/// The pushforward likewise: the tangent that an operand contributes is its pullback of its tangent, since element i of the
/// result depends on elements i only.
template <class T>
void elementwise_push(Push& p, const ElementwiseOperation<T>& operation);

/// sum[i] += change[i]
template <class T>
void add_in_place(T* sum, const T* change, std::size_t count);

/// The gradient of an operand of shape `to` that was stretched to `from`, the shape that `gradient` broadcasts to.
/// Records if a tape records.
template <class T>
Tensor<T> sum_to(const Tensor<T>& gradient, const Shape& from, const Shape& to);

inline Attributes* no_attributes(const void*)
{
    return nullptr;
}

template <class F, class T, std::size_t... K>
void value_kernel(std::size_t count, const T* const* in, T* out, std::index_sequence<K...>)
{
    using B = xsimd::batch<T>;
    const std::array from{in[K]...};  // else read again after each store, which might have changed it
    for (std::size_t i = 0; i < count; i += B::size)
    {
        const B y = F::value(B::load_unaligned(from[K] + i)...);
        y.store_unaligned(out + i);
    }
}

// Flat, because what both have in common is only computed once where it is inline.
template <class F, class T>
[[gnu::flatten]] void value_and_slope_kernel(std::size_t count, const T* in, T* value, T* slope)
{
    using B = xsimd::batch<T>;
    for (std::size_t i = 0; i < count; i += B::size)
    {
        const B x = B::load_unaligned(in + i);
        const B y = F::value(x);
        const B derivative = F::slope(x);
        y.store_unaligned(value + i);
        derivative.store_unaligned(slope + i);
    }
}

template <class F, std::size_t k, std::size_t... K>
constexpr formula::Probe probe_pullback(std::index_sequence<K...>)
{
    using formula::Probe;
    return F::pullback(Wrt<k>{}, Probe::argument(0), Probe::argument(1), Probe::argument(2 + K)...);
}

template <class F, std::size_t k>
inline constexpr formula::Probe probe_of = probe_pullback<F, k>(std::make_index_sequence<F::arity>{});

template <class F, std::size_t... K>
constexpr formula::Form form_of_value(std::index_sequence<K...>)
{
    return F::value(formula::Probe::argument(K)...).form;
}

template <bool used, class B, class T>
B load_if(const T* in, std::size_t i)
{
    if constexpr (used)
    {
        return B::load_unaligned(in + i);
    }
    else
    {
        return B(T(0));
    }
}

template <class F, std::size_t k, class T, std::size_t... K>
void pullback_kernel(std::size_t count, const T* const* in, T* out, std::index_sequence<K...>)
{
    using B = xsimd::batch<T>;
    constexpr unsigned reads = probe_of<F, k>.read;
    const std::array from{in[0], in[1], in[2 + K]...};
    for (std::size_t i = 0; i < count; i += B::size)
    {
        const B dx =
            F::pullback(Wrt<k>{}, load_if<(reads & 1) != 0, B>(from[0], i), load_if<(reads & 2) != 0, B>(from[1], i),
                        load_if<(reads >> (2 + K) & 1) != 0, B>(from[2 + K], i)...);
        dx.store_unaligned(out + i);
    }
}

template <class F, std::size_t k, class T, std::size_t... K>
T scalar_pullback(const T* const* in, std::index_sequence<K...>)
{
    constexpr unsigned reads = probe_of<F, k>.read;
    const auto load = [in](std::size_t which) { return (reads >> which & 1) != 0 ? *in[which] : T(0); };
    return static_cast<T>(F::pullback(Wrt<k>{}, load(0), load(1), load(2 + K)...));
}

template <class F, std::size_t k, class T>
constexpr ElementwisePullback<T> pullback_of()
{
    if constexpr (k < F::arity)
    {
        using Indices = std::make_index_sequence<F::arity>;
        constexpr formula::Probe probe = probe_of<F, k>;
        return {[](std::size_t count, const T* const* in, T* out) { pullback_kernel<F, k>(count, in, out, Indices{}); },
                [](const T* const* in) { return scalar_pullback<F, k>(in, Indices{}); }, probe.read, probe.form};
    }
    else
    {
        return {};
    }
}

template <class F, std::size_t... K>
constexpr std::array<Reads, F::arity> elementwise_reads(std::index_sequence<K...>)
{
    return {Reads{.output = (probe_of<F, K>.read & 2) != 0, .operand_bits = probe_of<F, K>.read >> 2}...};
}

template <class F>
inline constexpr auto elementwise_reads_of = elementwise_reads<F>(std::make_index_sequence<F::arity>{});

template <class F, class T>
struct Elementwise
{
    using Indices = std::make_index_sequence<F::arity>;

    template <std::size_t... K>
    static void record_pullbacks(Pull& p, std::index_sequence<K...>)
    {
        const Borrowed<T> dy(p.output_gradient());
        const Borrowed<T> y(p.output());
        const std::array<Borrowed<T>, F::arity> operands{Borrowed<T>(p.operand(K))...};
        const auto one = [&]<std::size_t k>(Wrt<k> wrt)
        {
            if (p.wants(k))
            {
                const Tensor<T> gradient =
                    F::pullback(wrt, static_cast<const Tensor<T>&>(dy), static_cast<const Tensor<T>&>(y),
                                static_cast<const Tensor<T>&>(operands[K])...);
                p.give(k, sum_to(gradient, p.output()->shape, p.operand(k)->shape).disown());
            }
        };
        (one(Wrt<K>{}), ...);
    }

    template <std::size_t... K>
    static void record_pushforwards(Push& p, std::index_sequence<K...>)
    {
        const Borrowed<T> y(p.output());
        const std::array<Borrowed<T>, F::arity> operands{Borrowed<T>(p.operand(K))...};
        const auto one = [&]<std::size_t k>(Wrt<k> wrt)
        {
            if (p.tangent(k) != nullptr)
            {
                const Borrowed<T> tangent(p.tangent(k));
                p.give(
                    Tensor<T>(F::pullback(wrt, static_cast<const Tensor<T>&>(tangent), static_cast<const Tensor<T>&>(y),
                                          static_cast<const Tensor<T>&>(operands[K])...))
                        .disown());
            }
        };
        (one(Wrt<K>{}), ...);
    }

    static void push(Push& p)
    {
        if (Arena::current().recording())
        {
            record_pushforwards(p, Indices{});
        }
        else
        {
            elementwise_push<T>(p, operation);
        }
    }

    static void pull(Pull& p)
    {
        if (Arena::current().recording())
        {
            record_pullbacks(p, Indices{});
        }
        else
        {
            elementwise_pull<T>(p, operation);
        }
    }

    static void kernel(std::size_t count, const T* const* in, T* out) { value_kernel<F>(count, in, out, Indices{}); }

    template <std::size_t... K>
    static Node* execute(std::span<Node* const> operands, Location location, std::index_sequence<K...>)
    {
        return apply(location, operands[K]...);
    }
    template <std::size_t... K>
    static Node* execute_question(std::span<Node* const> operands, Location location, std::index_sequence<K...>)
    {
        return constant(location, operands[K]...);
    }

    template <std::size_t... K>
    static T scalar_value(const T* const* operands, std::index_sequence<K...>)
    {
        return static_cast<T>(F::value(*operands[K]...));
    }

    static Node* execute(const Attributes*, std::span<Node* const> operands, Location location)
    {
        return execute(operands, location, Indices{});
    }
    static Node* execute_question(const Attributes*, std::span<Node* const> operands, Location location)
    {
        return execute_question(operands, location, Indices{});
    }
    static T scalar(const T* const* operands) { return scalar_value(operands, Indices{}); }

    static constexpr auto value_and_slope()
    {
        if constexpr (requires { F::slope(formula::Probe{}); })
        {
            return &value_and_slope_kernel<F, T>;
        }
        else
        {
            return nullptr;
        }
    }

    static constexpr ElementwiseOperation<T> operation{
        {.name = F::name,
         .pull = &pull,
         .reads = elementwise_reads_of<F>,
         .push = &push,
         .execute = &execute,
         .elementwise = true},
        F::arity,
        {pullback_of<F, 0, T>(), pullback_of<F, 1, T>(), pullback_of<F, 2, T>()},
        &kernel,
        form_of_value<F>(Indices{}),
        &scalar,
        value_and_slope()};

    /// The same for one that has no derivative.
    static constexpr ElementwiseOperation<T> question{
        {.name = F::name, .pull = nullptr, .execute = &execute_question, .elementwise = true},
        F::arity,
        {},
        &kernel,
        formula::Form::other,
        &scalar,
        nullptr};

    /// Executes and records. Takes the operands' nodes, gives a new one.
    template <std::same_as<Node*>... Nodes>
    static Node* apply(Location location, Nodes... nodes)
    {
        static_assert(sizeof...(nodes) == F::arity);
        Arena& arena = Arena::current();
        if (!arena.attentive())
        {
            return value(location, nodes...);
        }
        notify_begin(arena.observer);
        std::array<ResolvedOperand, F::arity> operands{ResolvedOperand{nodes}...};
        resolve(arena, operands);
        Node* const node = value(location, nodes...);
        Tensor<T> output = Tensor<T>::adopt(node);
        record(arena, operation, node, operands, &no_attributes, nullptr, location);
        return output.disown();
    }

    /// The value as a constant, since it has no derivative.
    template <std::same_as<Node*>... Nodes>
    static Node* constant(Location location, Nodes... nodes)
    {
        // A tracer may throw.
        Tensor<T> result = Tensor<T>::adopt(value(location, nodes...));
        Arena& arena = Arena::current();
        (arena.note_cut(Cut::Kind::value, F::name, nodes, result.node(), location), ...);
        if (arena.tracer != nullptr) [[unlikely]]
        {
            const std::array<Node*, F::arity> operands{nodes...};
            arena.tracer->executed(
                {Step::Kind::value, question, 0, operands, result.node(), nullptr, &no_attributes, location});
        }
        return result.disown();
    }

    template <class... Nodes>
    static Node* value(Location location, Nodes... nodes)
    {
        if ((nodes->shape.rank() + ... + 0) == 0)
        {
            return new_scalar<T>(static_cast<T>(F::value(*nodes->template as<const T>()...)));
        }
        const std::array<Node*, F::arity> operands{nodes...};
        return elementwise_value<T>(F::name, &kernel, operands, location);
    }
};

}
