#pragma once

#include <autograd/arena.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/tape.hpp>
#include <autograd/tensor.hpp>
#include <autograd/tracer.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// How an operation is written. It is a class whose members are its attributes, with a value and a pullback per operand:
///
///     struct Transpose
///     {
///         static constexpr const char* name = "transpose";
///         Axes axes;
///         template <class T> Tensor<T> value(const Tensor<T>& x) const;
///         template <class T> Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const;
///         static constexpr detail::Reads reads(std::size_t k);  // what that of operand k reads beside dy; none if absent
///     };
///
/// and executed by `apply(Transpose{axes}, location, x)`. A pullback uses operations on tensors only, so that an outer
/// tape can record it. It sees the shapes of everything, and the values only of what it says it reads. Its result may be
/// smaller than the operand, if it broadcasts to it. An operation of any number of operands takes a
/// `std::span<const Tensor<T>>` and the operand's number instead of `Wrt`.
///
/// If it has attributes, it is comparable (`bool operator==(const Transpose&) const = default`), so that `compile` can tell
/// whether they are always the same.
///
/// An operation that moves elements, or is a product, may also say how to add its gradient to what there is already:
///
///         template <class T> void add_to(Wrt<0>, T* sum, const Tensor<T>& dy, const Tensor<T>& y, const Tensor<T>& x) const;
///
/// where `sum` is row-major and has the shape of the operand. It is called instead of the pullback where there is a sum and
/// no tape records, so that k such operations on one tensor make one gradient of its size, and not k.
///
/// An operation whose operands have the shape of its output, and each element of which depends on those of its line along an
/// axis only, its member `axis`, may compute lines by themselves:
///
///         template <class T> void value_of(const detail::Lines& lines, const T* const* in, T* out) const;
///         template <class T> void pullback_of(Wrt<0>, const detail::Lines& lines, const T* const* in, T* out) const;
///
/// from the operands, and from dy, y and the operands; `out` may be one of `in`. Plans of `compile` then make it part of their
/// loops. `value` and `pullback` call the same kernels, so that results are the same.
///
/// Tangents in forward mode follow from the pullbacks: the tangent that operand k contributes is the transpose of its
/// pullback, applied. Where the value is linear in each operand, that is the value with the operand's tangent in its place,
/// which is cheaper; the class says so by `static constexpr bool multilinear = true`.
namespace autograd
{

/// Which operand a pullback is for.
template <std::size_t K>
using Wrt = std::integral_constant<std::size_t, K>;

template <class Out, class Op, class In, std::same_as<Tensor<In>>... Rest>
Tensor<Out> apply_as(const Op& op, Location location, const Tensor<In>& first, const Rest&... rest);

namespace detail
{

/// A handle to a node that somebody else keeps.
template <class T>
class Borrowed
{
public:
    explicit Borrowed(Node* node) noexcept : tensor_(Tensor<T>::adopt(node)) {}
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    ~Borrowed() { tensor_.disown(); }
    operator const Tensor<T>&() const noexcept { return tensor_; }

private:
    Tensor<T> tensor_;
};

/// Several of them, for operations of any number of operands.
template <class T>
class BorrowedList
{
public:
    explicit BorrowedList(std::span<const RecordedOperand> operands)
    {
        tensors_.reserve(operands.size());
        for (const RecordedOperand& operand : operands)
        {
            tensors_.push_back(Tensor<T>::adopt(operand.node));
        }
    }
    explicit BorrowedList(std::span<Node* const> nodes)
    {
        tensors_.reserve(nodes.size());
        for (Node* const node : nodes)
        {
            tensors_.push_back(Tensor<T>::adopt(node));
        }
    }
    BorrowedList(const BorrowedList&) = delete;
    BorrowedList& operator=(const BorrowedList&) = delete;
    ~BorrowedList()
    {
        for (Tensor<T>& tensor : tensors_)
        {
            tensor.disown();
        }
    }
    operator std::span<const Tensor<T>>() const noexcept { return tensors_; }

private:
    std::vector<Tensor<T>> tensors_;
};

template <class Op>
struct OperationAttributes : Attributes
{
    explicit OperationAttributes(const Op& op) : operation(op) {}
    Attributes* clone() const override { return new OperationAttributes(*this); }
    bool equals(const Attributes& other) const override
    {
        if constexpr (std::equality_comparable<Op>)
        {
            const auto* const same = dynamic_cast<const OperationAttributes*>(&other);
            return same != nullptr && operation == same->operation;
        }
        return false;
    }
    Op operation;
};

/// An array of zeros.
template <class T>
Tensor<T> zeros(const Shape& shape)
{
    Tensor<T> result = Tensor<T>::adopt(new_node<T>(shape));
    std::fill_n(result.node()->template as<T>(), result.size(), T(0));
    note_constant(result.node());
    return result;
}

/// What the pullbacks of the first N operands read.
template <class Op, std::size_t N>
inline constexpr std::array<Reads, N> reads_of = []
{
    std::array<Reads, N> reads{};
    if constexpr (requires { Op::reads(0); })
    {
        for (std::size_t k = 0; k < N; ++k)
        {
            reads[k] = Op::reads(k);
        }
    }
    return reads;
}();

template <class Op>
const Op& attributes_of(const Attributes* attributes)
{
    if constexpr (std::is_empty_v<Op>)
    {
        static constexpr Op none{};
        return none;
    }
    else
    {
        return static_cast<const OperationAttributes<Op>*>(attributes)->operation;
    }
}

/// The operands of one call, resolved against the arena.
struct ResolvedOperand
{
    Node* node;
    Slot slot = no_slot;
};

/// Finds the operands on the arena, if a tape records.
inline void resolve(Arena& arena, std::span<ResolvedOperand> operands)
{
    if (arena.recording())
    {
        for (ResolvedOperand& operand : operands)
        {
            operand.node = arena.read(operand.node, operand.slot);
        }
    }
}

/// Tells the observers that an operation begins.
void notify_observers_of_begin(Observer* observer);
inline void notify_begin(Observer* observer)
{
    if (observer != nullptr) [[unlikely]]
    {
        notify_observers_of_begin(observer);
    }
}

/// Tells the observers and the tracer what an operation gave, and appends a record if an operand is on the tape.
void record(Arena& arena, const Operation& operation, Node* output, std::span<const ResolvedOperand> operands,
            Attributes* (*copy_attributes)(const void*), const void* op, Location location);

template <class Op>
Attributes* copy_attributes(const void* op)
{
    if constexpr (std::is_empty_v<Op>)
    {
        return nullptr;
    }
    else
    {
        return new OperationAttributes<Op>(*static_cast<const Op*>(op));
    }
}

/// Runs the pullback of operand k, which gives the gradient, as one step in the eyes of a tracer, unless a tape records
/// what it is made of.
void pull_as_step(Pull& p, std::size_t k, const std::function<Node*()>& pullback);
/// The same for one that adds to what there is.
void add_as_step(Pull& p, std::size_t k, const std::function<void()>& add);

template <class Op, class Out, class In, std::size_t... K>
void pull(Pull& p, std::index_sequence<K...>)
{
    const Op& op = attributes_of<Op>(p.record().attributes);
    const Borrowed<Out> dy(p.full_output_gradient());
    const Borrowed<Out> y(p.output());
    const std::array<Borrowed<In>, sizeof...(K)> operands{Borrowed<In>(p.operand(K))...};
    const auto one = [&]<std::size_t k>(Wrt<k> wrt)
    {
        if (!p.wants(k))
        {
            return;
        }
        const Tensor<Out>& output_gradient = dy;
        const Tensor<Out>& output = y;
        if constexpr (requires(In * sum) {
                          op.add_to(wrt, sum, output_gradient, output, static_cast<const Tensor<In>&>(operands[K])...);
                      })
        {
            if (p.sum_so_far(k) != nullptr && !Arena::current().recording())
            {
                const auto add = [&]
                {
                    op.add_to(wrt, p.sum(k)->template as<In>(), output_gradient, output,
                              static_cast<const Tensor<In>&>(operands[K])...);
                };
                Arena::current().tracer == nullptr ? add() : add_as_step(p, k, add);
                return;
            }
        }
        const auto pullback = [&]
        { return op.pullback(wrt, output_gradient, output, static_cast<const Tensor<In>&>(operands[K])...).disown(); };
        Arena::current().tracer == nullptr ? p.give(k, pullback()) : pull_as_step(p, k, pullback);
    };
    (one(Wrt<K>{}), ...);
}

template <class Op, class T>
void pull_list(Pull& p)
{
    const Op& op = attributes_of<Op>(p.record().attributes);
    const Borrowed<T> dy(p.full_output_gradient());
    const Borrowed<T> y(p.output());
    const BorrowedList<T> operands(p.record().operands());
    for (std::size_t k = 0; k < p.record().arity; ++k)
    {
        if (!p.wants(k))
        {
            continue;
        }
        const auto pullback = [&]
        {
            return op
                .pullback(k, static_cast<const Tensor<T>&>(dy), static_cast<const Tensor<T>&>(y),
                          static_cast<std::span<const Tensor<T>>>(operands))
                .disown();
        };
        Arena::current().tracer == nullptr ? p.give(k, pullback()) : pull_as_step(p, k, pullback);
    }
}

/// The transpose of a pullback, applied: the tangent of the output, of this shape, from that of an operand. `pullback` is
/// linear in what it is given.
template <class Out, class In, class Pullback>
Tensor<Out> transposed(const Pullback& pullback, const Shape& shape, const Tensor<In>& tangent)
{
    GradientTape tape;
    const Tensor<Out> cotangent = zeros<Out>(shape);
    tape.watch(cotangent);
    Tensor<In> gradient = pullback(cotangent);
    if (gradient.shape() != tangent.shape())
    {
        gradient = broadcast_to(gradient, tangent.shape(), Location{});
    }
    return tape.gradient(gradient, cotangent, {.unconnected = Unconnected::zero, .output_gradient = tangent});
}

template <class Op>
concept Multilinear = Op::multilinear;

template <class Op, class Out, class In, std::size_t... K>
void push(Push& p, std::index_sequence<K...>)
{
    const Op& op = attributes_of<Op>(p.record().attributes);
    const Borrowed<Out> y(p.output());
    const std::array<Borrowed<In>, sizeof...(K)> operands{Borrowed<In>(p.operand(K))...};
    const auto one = [&]<std::size_t k>(Wrt<k> wrt)
    {
        if (p.tangent(k) == nullptr)
        {
            return;
        }
        const Borrowed<In> borrowed(p.tangent(k));
        const Tensor<In>& tangent = borrowed;
        if constexpr (Multilinear<Op>)
        {
            p.give(apply_as<Out>(op, Location{}, (K == k ? tangent : static_cast<const Tensor<In>&>(operands[K]))...)
                       .disown());
        }
        else
        {
            const auto pullback = [&](const Tensor<Out>& dy) {
                return op.pullback(wrt, dy, static_cast<const Tensor<Out>&>(y),
                                   static_cast<const Tensor<In>&>(operands[K])...);
            };
            p.give(transposed<Out>(pullback, p.output()->shape, tangent).disown());
        }
    };
    (one(Wrt<K>{}), ...);
}

template <class Op, class T>
void push_list(Push& p)
{
    const Op& op = attributes_of<Op>(p.record().attributes);
    const Borrowed<T> y(p.output());
    const BorrowedList<T> operands(p.record().operands());
    for (std::size_t k = 0; k < p.record().arity; ++k)
    {
        if (p.tangent(k) != nullptr)
        {
            const Borrowed<T> tangent(p.tangent(k));
            const auto pullback = [&](const Tensor<T>& dy) {
                return op.pullback(k, dy, static_cast<const Tensor<T>&>(y),
                                   static_cast<std::span<const Tensor<T>>>(operands));
            };
            p.give(transposed<T>(pullback, p.output()->shape, static_cast<const Tensor<T>&>(tangent)).disown());
        }
    }
}

template <class Op, class Out, class In, std::size_t... K>
Node* execute(const Attributes* attributes, std::span<Node* const> operands, Location location,
              std::index_sequence<K...>)
{
    return apply_as<Out>(attributes_of<Op>(attributes), location,
                         static_cast<const Tensor<In>&>(Borrowed<In>(operands[K]))...)
        .disown();
}

template <class Op, class Out, class In, std::size_t... K>
Node* pull_one(const Attributes* attributes, std::size_t k, std::span<Node* const> inputs, std::index_sequence<K...>)
{
    const Op& op = attributes_of<Op>(attributes);
    const Borrowed<Out> dy(inputs[0]);
    const Borrowed<Out> y(inputs[1]);
    const std::array<Borrowed<In>, sizeof...(K)> operands{Borrowed<In>(inputs[2 + K])...};
    Node* gradient = nullptr;
    const auto one = [&]<std::size_t which>(Wrt<which> wrt)
    {
        if (which == k)
        {
            gradient = op.pullback(wrt, static_cast<const Tensor<Out>&>(dy), static_cast<const Tensor<Out>&>(y),
                                   static_cast<const Tensor<In>&>(operands[K])...)
                           .disown();
        }
    };
    (one(Wrt<K>{}), ...);
    return gradient;
}

template <class Op, class Out, class In, std::size_t... K>
void add_one(const Attributes* attributes, std::size_t k, Node* sum, std::span<Node* const> inputs,
             std::index_sequence<K...>)
{
    const Op& op = attributes_of<Op>(attributes);
    const Borrowed<Out> dy(inputs[0]);
    const Borrowed<Out> y(inputs[1]);
    const std::array<Borrowed<In>, sizeof...(K)> operands{Borrowed<In>(inputs[2 + K])...};
    const auto one = [&]<std::size_t which>(Wrt<which> wrt)
    {
        const Tensor<Out>& output_gradient = dy;
        const Tensor<Out>& output = y;
        if constexpr (requires(In * elements) {
                          op.add_to(wrt, elements, output_gradient, output,
                                    static_cast<const Tensor<In>&>(operands[K])...);
                      })
        {
            if (which == k)
            {
                op.add_to(wrt, sum->as<In>(), output_gradient, output, static_cast<const Tensor<In>&>(operands[K])...);
            }
        }
    };
    (one(Wrt<K>{}), ...);
}

/// Whether it computes lines by themselves.
template <class Op, class T>
concept OnLines = requires(const Op& op, const Lines& lines, const T* const* in, T* out)
{
    op.axis;
    op.value_of(lines, in, out);
};

template <class Op, class T, std::size_t... K>
void pull_lines(const Attributes* attributes, std::size_t k, const Lines& lines, const T* const* in, T* out,
                std::index_sequence<K...>)
{
    const Op& op = attributes_of<Op>(attributes);
    const auto one = [&]<std::size_t which>(Wrt<which> wrt)
    {
        if (which == k)
        {
            op.pullback_of(wrt, lines, in, out);
        }
    };
    (one(Wrt<K>{}), ...);
}

template <class Op, class T, std::size_t N>
inline constexpr LineKernels line_kernels{
    [](const Attributes* attributes) { return attributes_of<Op>(attributes).axis; },
    [](const Attributes* attributes, const Lines& lines, const void* const* in, void* out)
    { attributes_of<Op>(attributes).value_of(lines, reinterpret_cast<const T* const*>(in), static_cast<T*>(out)); },
    [](const Attributes* attributes, std::size_t k, const Lines& lines, const void* const* in, void* out)
    {
        pull_lines<Op>(attributes, k, lines, reinterpret_cast<const T* const*>(in), static_cast<T*>(out),
                       std::make_index_sequence<N>{});
    }};

template <class Op, class T, std::size_t N>
constexpr const LineKernels* line_kernels_of()
{
    if constexpr (OnLines<Op, T>)
    {
        return &line_kernels<Op, T, N>;
    }
    else
    {
        return nullptr;
    }
}

template <class Op, class Out, class In, std::size_t N>
inline constexpr Operation operation_of{
    Op::name,
    [](Pull& p) { pull<Op, Out, In>(p, std::make_index_sequence<N>{}); },
    reads_of<Op, N>,
    [](Push& p) { push<Op, Out, In>(p, std::make_index_sequence<N>{}); },
    [](const Attributes* attributes, std::span<Node* const> operands, Location location)
    { return execute<Op, Out, In>(attributes, operands, location, std::make_index_sequence<N>{}); },
    [](const Attributes* attributes, std::size_t k, std::span<Node* const> inputs)
    { return pull_one<Op, Out, In>(attributes, k, inputs, std::make_index_sequence<N>{}); },
    [](const Attributes* attributes, std::size_t k, Node* sum, std::span<Node* const> inputs)
    { add_one<Op, Out, In>(attributes, k, sum, inputs, std::make_index_sequence<N>{}); },
    false,
    line_kernels_of<Op, In, N>()};

template <class Op, class T>
inline constexpr Operation list_operation_of{
    Op::name,
    &pull_list<Op, T>,
    reads_of<Op, 1>,
    &push_list<Op, T>,
    [](const Attributes* attributes, std::span<Node* const> operands, Location location)
    {
        const BorrowedList<T> tensors(operands);
        return apply(attributes_of<Op>(attributes), location, static_cast<std::span<const Tensor<T>>>(tensors))
            .disown();
    },
    [](const Attributes* attributes, std::size_t k, std::span<Node* const> inputs)
    {
        const Borrowed<T> dy(inputs[0]);
        const Borrowed<T> y(inputs[1]);
        const BorrowedList<T> operands(inputs.subspan(2));
        return attributes_of<Op>(attributes)
            .pullback(k, static_cast<const Tensor<T>&>(dy), static_cast<const Tensor<T>&>(y),
                      static_cast<std::span<const Tensor<T>>>(operands))
            .disown();
    }};

/// What an operation computes by itself is no step of its own.
template <class Op, class... In>
auto value_as_step(const Op& op, const In&... operands)
{
    const Unseen unseen;
    return op.value(operands...);
}

}

/// Executes an operation on tensors of one type, and records it if a tape records and an operand is on it.
template <class Out, class Op, class In, std::same_as<Tensor<In>>... Rest>
Tensor<Out> apply_as(const Op& op, Location location, const Tensor<In>& first, const Rest&... rest)
{
    using namespace detail;
    constexpr std::size_t count = 1 + sizeof...(rest);
    Arena& arena = Arena::current();
    if (!arena.attentive())
    {
        return op.value(first, rest...);
    }
    notify_begin(arena.observer);
    std::array<ResolvedOperand, count> operands{ResolvedOperand{first.node()}, ResolvedOperand{rest.node()}...};
    resolve(arena, operands);
    Tensor<Out> output = value_as_step(op, first, rest...);
    record(arena, operation_of<Op, Out, In, count>, output.node(), operands, &copy_attributes<Op>, &op, location);
    return output;
}

template <class Op, class T, std::same_as<Tensor<T>>... Rest>
Tensor<T> apply(const Op& op, Location location, const Tensor<T>& first, const Rest&... rest)
{
    return apply_as<T>(op, location, first, rest...);
}

/// The same for an operation of any number of operands.
template <class Op, class T>
Tensor<T> apply(const Op& op, Location location, std::span<const Tensor<T>> tensors)
{
    using namespace detail;
    Arena& arena = Arena::current();
    if (!arena.attentive())
    {
        return op.value(tensors);
    }
    notify_begin(arena.observer);
    std::vector<ResolvedOperand> operands;
    operands.reserve(tensors.size());
    for (const Tensor<T>& tensor : tensors)
    {
        operands.push_back({tensor.node()});
    }
    resolve(arena, operands);
    Tensor<T> output = value_as_step(op, tensors);
    record(arena, list_operation_of<Op, T>, output.node(), operands, &copy_attributes<Op>, &op, location);
    return output;
}

}
