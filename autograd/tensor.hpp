#pragma once

#include <autograd/error.hpp>
#include <autograd/location.hpp>
#include <autograd/node.hpp>
#include <autograd/xtensor.hpp>

#include <iosfwd>
#include <string>
#include <utility>

namespace autograd
{

template <Real T>
class Tensor;
template <Real T>
class Operand;

namespace detail
{

/// The value of a variable as an immutable node; recorded as a leaf if a tape records on this thread.
Node* snapshot(Node* variable);

/// Remembers, if a tape records, that the value of a tensor is used outside of it.
void leave_tape(Node* node, const char* how, Location location);

/// What the operators stand for; see ops/arithmetic.cpp. Each returns a new node. Comparisons give 1 where true, else 0.
/// @{
template <Real T>
Node* add(Node* a, Node* b, Location location);
template <Real T>
Node* subtract(Node* a, Node* b, Location location);
template <Real T>
Node* multiply(Node* a, Node* b, Location location);
template <Real T>
Node* divide(Node* a, Node* b, Location location);
template <Real T>
Node* negative(Node* a, Location location);
template <Real T>
Node* less(Node* a, Node* b, Location location);
template <Real T>
Node* less_equal(Node* a, Node* b, Location location);
template <Real T>
Node* greater(Node* a, Node* b, Location location);
template <Real T>
Node* greater_equal(Node* a, Node* b, Location location);
template <Real T>
Node* equal(Node* a, Node* b, Location location);
template <Real T>
Node* not_equal(Node* a, Node* b, Location location);
/// a where the condition is not 0, else b.
template <Real T>
Node* where(Node* condition, Node* a, Node* b, Location location);
/// @}

void backward(Node* target, Node* output_gradient, Location location);

/// The storage of a `View`: a constant contiguous container that keeps a node alive.
template <class T>
class Elements
{
public:
    using value_type = T;
    using allocator_type = std::allocator<T>;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = const T&;
    using const_reference = const T&;
    using pointer = const T*;
    using const_pointer = const T*;
    using iterator = const T*;
    using const_iterator = const T*;
    using reverse_iterator = std::reverse_iterator<iterator>;
    using const_reverse_iterator = std::reverse_iterator<const_iterator>;

    /// Takes over a reference to `node`.
    explicit Elements(Node* node) noexcept : node_(node) {}
    Elements(const Elements& other) noexcept : node_(other.node_) { retain(node_); }
    Elements& operator=(const Elements& other) noexcept
    {
        retain(other.node_);
        release(std::exchange(node_, other.node_));
        return *this;
    }
    ~Elements() { release(node_); }

    size_type size() const noexcept { return node_->elements; }
    bool empty() const noexcept { return size() == 0; }
    const T* data() const noexcept { return node_->as<const T>(); }
    const T& operator[](size_type index) const noexcept { return data()[index]; }
    const T& front() const noexcept { return *begin(); }
    const T& back() const noexcept { return *(end() - 1); }
    const T* begin() const noexcept { return data(); }
    const T* end() const noexcept { return data() + size(); }
    const T* cbegin() const noexcept { return begin(); }
    const T* cend() const noexcept { return end(); }
    void resize(size_type) const noexcept {}

private:
    Node* node_;
};

/// A new node with the elements of an xtensor array, view or lazy expression.
template <Real T, class E>
Node* evaluate(const E& expression)
{
    Node* node = new_node<T>(Shape(expression.shape()));
    T* out = node->as<T>();
    if constexpr (std::derived_from<E, xt::xcontainer<E>> && std::is_same_v<typename E::value_type, T> &&
                  E::static_layout == xt::layout_type::row_major)
    {
        std::copy_n(expression.data(), node->elements, out);
        return node;
    }
    const auto end = expression.template cend<xt::layout_type::row_major>();
    for (auto element = expression.template cbegin<xt::layout_type::row_major>(); element != end; ++element, ++out)
    {
        *out = static_cast<T>(*element);
    }
    return node;
}

}

/// What `Tensor<T>::value()` gives: an xtensor array over the tensor's own memory, which it keeps alive.
template <Real T>
using View = xt::xarray_adaptor<detail::Elements<T>, xt::layout_type::row_major>;

/// An immutable n-dimensional array with a place on the tape. A cheap handle: copies share the value.
///
/// A default-constructed one is empty: it may only be assigned to, or asked whether it is `defined()`.
template <Real T>
class Tensor : public TensorBase
{
public:
    using value_type = T;

    Tensor() noexcept = default;

    /// A constant from an xtensor array, view or expression, evaluated and copied now.
    template <XExpression E>
    Tensor(const E& expression) : node_(detail::evaluate<T>(expression))
    {
    }
    /// A 0-d constant.
    template <Arithmetic S>
    Tensor(S scalar) : node_(detail::new_scalar<T>(static_cast<T>(scalar)))
    {
    }

    Tensor(const Tensor& other) : node_(other.node_)
    {
        if (node_ != nullptr)
        {
            acquire();
        }
    }
    Tensor(Tensor&& other) noexcept : node_(std::exchange(other.node_, nullptr))
    {
        if (node_ != nullptr && node_->is_variable)
        {
            other.node_ = node_;
            node_ = detail::snapshot(node_);
        }
    }
    /// Rebinds this handle. Throws Error if it is a variable in disguise: that is assigned by `assign`.
    Tensor& operator=(Tensor other)
    {
        if (node_ != nullptr && node_->is_variable) [[unlikely]]
        {
            throw Error("tensor", "a variable cannot be rebound through its base", {}, "Use Variable::assign.");
        }
        std::swap(node_, other.node_);
        return *this;
    }
    ~Tensor()
    {
        if (node_ != nullptr)
        {
            detail::release(node_);
        }
    }

    bool defined() const noexcept { return node_ != nullptr; }
    const Shape& shape() const { return node()->shape; }
    std::size_t shape(std::size_t axis) const { return node()->shape[axis]; }
    /// The number of axes.
    std::size_t dimension() const { return node()->shape.rank(); }
    /// The number of elements.
    std::size_t size() const { return node()->elements; }
    /// The elements, row-major.
    const T* data() const { return node()->template as<const T>(); }

    /// The elements as an xtensor array that every `xt::` function takes. Nothing is copied; the array keeps the
    /// memory alive and never changes, also where this tensor is a Variable that is assigned later.
    View<T> value(Location location = Location::current()) const
    {
        detail::leave_tape(node(), "value()", location);
        Tensor immutable(*this);
        typename View<T>::shape_type extents(immutable.shape().begin(), immutable.shape().end());
        return View<T>(detail::Elements<T>(std::exchange(immutable.node_, nullptr)), extents);
    }

    /// The only element. Throws ShapeError if there is not exactly one.
    T item(Location location = Location::current()) const
    {
        if (size() != 1)
        {
            throw ShapeError("item", "needs exactly one element: got shape " + to_string(shape()), location,
                             "Reduce with sum or mean, or read value()(i, j).");
        }
        detail::leave_tape(node(), "item()", location);
        return *data();
    }

    /// Computes the gradient of this tensor, which must hold one element, with respect to every Variable that it was
    /// computed from, and adds it to their `grad()`. The innermost tape that recorded it is used up, unless it is
    /// persistent.
    /// @throws TapeError if no living tape of this thread recorded this tensor, or its tape is used up;
    ///         ShapeError if it holds more than one element.
    void backward(Location location = Location::current()) const { detail::backward(node(), nullptr, location); }
    /// The same with the gradient of this tensor given, which must have its shape.
    void backward(const Tensor& output_gradient, Location location = Location::current()) const
    {
        detail::backward(node(), output_gradient.node(), location);
    }

    /// Rebinds this handle to the result.
    /// @{
    Tensor& operator+=(const Operand<T>& b) { return *this = *this + b; }
    Tensor& operator-=(const Operand<T>& b) { return *this = *this - b; }
    Tensor& operator*=(const Operand<T>& b) { return *this = *this * b; }
    Tensor& operator/=(const Operand<T>& b) { return *this = *this / b; }
    /// @}

    /// The caller's reference to the node becomes the tensor's.
    static Tensor adopt(detail::Node* node) noexcept
    {
        Tensor tensor;
        tensor.node_ = node;
        return tensor;
    }

    /// Gives up the reference to the node.
    detail::Node* disown() noexcept { return std::exchange(node_, nullptr); }

    /// The node behind the handle, for the engine and for operations.
    detail::Node* node() const
    {
        if (node_ == nullptr) [[unlikely]]
        {
            throw Error("tensor", "used before it was given a value", {}, "Initialise it where it is declared.");
        }
        return node_;
    }

    friend Tensor operator-(const Operand<T>& a) { return adopt(detail::negative<T>(a.node(), a.location())); }

#define AUTOGRAD_OPERATOR(symbol, function)                                                                            \
    friend Tensor operator symbol(const Tensor& a, const Operand<T>& b)                                                \
    {                                                                                                                  \
        return adopt(detail::function<T>(a.node(), b.node(), b.location()));                                           \
    }                                                                                                                  \
    template <class L>                                                                                                 \
        requires(Arithmetic<L> || XExpression<L>)                                                                      \
    friend Tensor operator symbol(const L& a, const Operand<T>& b)                                                     \
    {                                                                                                                  \
        const Operand<T> left(a);                                                                                      \
        return adopt(detail::function<T>(left.node(), b.node(), b.location()));                                        \
    }
    AUTOGRAD_OPERATOR(+, add)
    AUTOGRAD_OPERATOR(-, subtract)
    AUTOGRAD_OPERATOR(*, multiply)
    AUTOGRAD_OPERATOR(/, divide)
#undef AUTOGRAD_OPERATOR

#define AUTOGRAD_COMPARISON(symbol, function)                                                                          \
    friend xt::xarray<bool> operator symbol(const Tensor& a, const Operand<T>& b)                                      \
    {                                                                                                                  \
        return to_mask(detail::function<T>(a.node(), b.node(), b.location()), b.location());                           \
    }                                                                                                                  \
    template <class L>                                                                                                 \
        requires(Arithmetic<L> || XExpression<L>)                                                                      \
    friend xt::xarray<bool> operator symbol(const L& left, const Operand<T>& b)                                        \
    {                                                                                                                  \
        const Operand<T> a(left);                                                                                      \
        return to_mask(detail::function<T>(a.node(), b.node(), b.location()), b.location());                           \
    }
    AUTOGRAD_COMPARISON(<, less)
    AUTOGRAD_COMPARISON(<=, less_equal)
    AUTOGRAD_COMPARISON(>, greater)
    AUTOGRAD_COMPARISON(>=, greater_equal)
#undef AUTOGRAD_COMPARISON

// C++20 tries these with swapped operands, too: only exact parameters are unambiguous, and they leave no place for a line.
#define AUTOGRAD_EQUALITY(symbol, function)                                                                            \
    friend xt::xarray<bool> operator symbol(const Tensor& a, const Tensor& b)                                          \
    {                                                                                                                  \
        return to_mask(detail::function<T>(a.node(), b.node(), {}), {});                                               \
    }                                                                                                                  \
    template <class R>                                                                                                 \
        requires(Arithmetic<R> || XExpression<R>)                                                                      \
    friend xt::xarray<bool> operator symbol(const Tensor& a, const R& right)                                           \
    {                                                                                                                  \
        return to_mask(detail::function<T>(a.node(), Operand<T>(right).node(), {}), {});                               \
    }                                                                                                                  \
    template <class L>                                                                                                 \
        requires(Arithmetic<L> || XExpression<L>)                                                                      \
    friend xt::xarray<bool> operator symbol(const L& left, const Tensor& b)                                            \
    {                                                                                                                  \
        return to_mask(detail::function<T>(Operand<T>(left).node(), b.node(), {}), {});                                \
    }
    AUTOGRAD_EQUALITY(==, equal)
    AUTOGRAD_EQUALITY(!=, not_equal)
#undef AUTOGRAD_EQUALITY

protected:
    detail::Node* node_ = nullptr;

private:
    void acquire()
    {
        if (node_->is_variable)
        {
            node_ = detail::snapshot(node_);
        }
        else
        {
            detail::retain(node_);
        }
    }

    /// Takes over the reference to a node of zeros and ones.
    static xt::xarray<bool> to_mask(detail::Node* node, Location location)
    {
        const Tensor mask = adopt(node);
        detail::leave_tape(node, "a comparison", location);
        xt::xarray<bool> result(xt::xarray<bool>::shape_type(mask.shape().begin(), mask.shape().end()));
        std::transform(mask.data(), mask.data() + mask.size(), result.storage().begin(),
                       [](T one) { return one != 0; });
        return result;
    }
};

template <XExpression E>
Tensor(const E&) -> Tensor<typename E::value_type>;
template <Arithmetic S>
Tensor(S) -> Tensor<S>;

/// An argument of an operation: a tensor, or a constant given as a scalar, an xtensor array or an expression; and the
/// line of the caller. It lives no longer than the call.
template <Real T>
class Operand
{
public:
    Operand(const Tensor<T>& tensor, Location location = Location::current())
        : node_(tensor.node()), location_(location)
    {
    }
    template <Arithmetic S>
    Operand(S scalar, Location location = Location::current())
        : node_(detail::new_scalar<T>(static_cast<T>(scalar))), owned_(true), location_(location)
    {
    }
    template <XExpression E>
    Operand(const E& expression, Location location = Location::current())
        : node_(detail::evaluate<T>(expression)), owned_(true), location_(location)
    {
    }
    template <Real U>
        requires(!std::is_same_v<T, U>)
    Operand(const Tensor<U>&, Location = Location::current())
    {
        static_assert(std::is_same_v<T, U>,
                      "float and double tensors do not mix: convert one with autograd::cast<float>(t) or "
                      "autograd::cast<double>(t)");
    }
    Operand(const Operand&) = delete;
    Operand& operator=(const Operand&) = delete;
    ~Operand()
    {
        if (owned_)
        {
            detail::release(node_);
        }
    }

    detail::Node* node() const noexcept { return node_; }
    Location location() const noexcept { return location_; }
    operator Tensor<T>() const
    {
        if (node_->is_variable)
        {
            return Tensor<T>::adopt(detail::snapshot(node_));
        }
        detail::retain(node_);
        return Tensor<T>::adopt(node_);
    }

private:
    detail::Node* node_;
    bool owned_ = false;
    Location location_;
};

namespace detail
{

template <class... E>
struct ElementOf
{
};
template <class E, class... Rest>
struct ElementOf<E, Rest...> : ElementOf<Rest...>
{
};
template <AnyTensor E, class... Rest>
struct ElementOf<E, Rest...>
{
    using type = typename E::value_type;
};

}

/// What an operand may be.
template <class E>
concept OperandLike = AnyTensor<E> || XExpression<E> || Arithmetic<E>;

/// The element type of the first tensor among the operands; no such type if none is a tensor.
template <class... E>
using element_t = typename detail::ElementOf<std::remove_cvref_t<E>...>::type;

/// The value, as NumPy prints it.
template <Real T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& tensor);

}
