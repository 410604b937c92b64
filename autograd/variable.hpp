#pragma once

#include <autograd/tensor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace autograd
{

namespace detail
{

/// A variable with the elements of `value`.
Node* new_variable(Node* value);
/// Gives the variable the elements of `value`, which must have its shape. Records and tensors that hold the old value
/// keep it.
void assign(Node* variable, Node* value, Location location);
/// The same with the sum of the old value and `sign` times `change`, which broadcasts to its shape.
void assign_add(Node* variable, Node* change, int sign, Location location);
/// Takes over a reference, or null.
void replace_gradient(Node* variable, Node* gradient);

/// The elements for writing in place: copied first if a record or a tensor still holds them.
void* writable(Node* variable, Location location);

}

/// A hook that was registered. It stays after the handle has gone, until it is removed.
class HookHandle
{
public:
    HookHandle() noexcept = default;
    HookHandle(const std::shared_ptr<detail::GradientHooks>& hooks, std::uint64_t number)
        : hooks_(hooks), number_(number)
    {
    }

    /// Takes the hook away; does nothing if it has been, or the variable has gone.
    void remove() const;

private:
    std::weak_ptr<detail::GradientHooks> hooks_;
    std::uint64_t number_ = 0;
};

namespace detail
{

/// `hook` takes over a reference to a gradient and gives one.
HookHandle register_hook(VariableNode* variable, std::function<Node*(Node*)> hook);

}

/// A tensor that is a leaf: it can be assigned and holds the gradient that `backward()` accumulates. A cheap handle, as a
/// pointer is: copies are the same variable, and a const handle changes it as well. Read while a tape records, it is
/// watched.
template <Real T>
class Variable : public Tensor<T>
{
public:
    /// A variable with this initial value.
    template <Arithmetic S>
    explicit Variable(S scalar) : Variable(Tensor<T>(scalar))
    {
    }
    template <XExpression E>
    explicit Variable(const E& expression) : Variable(Tensor<T>(expression))
    {
    }
    explicit Variable(const Tensor<T>& value) { this->node_ = detail::new_variable(value.node()); }

    /// Another handle to the variable that has this node.
    static Variable share(detail::Node* node)
    {
        Variable variable{Shared{}};
        detail::retain(node);
        variable.node_ = node;
        return variable;
    }

    Variable(const Variable& other) noexcept : Tensor<T>(Tensor<T>::adopt(nullptr))
    {
        this->node_ = other.node_;
        detail::retain(this->node_);
    }
    Variable& operator=(const Variable& other) noexcept
    {
        detail::retain(other.node_);
        detail::release(std::exchange(this->node_, other.node_));
        return *this;
    }

    /// Replaces the value. Operations recorded before keep the value that they read.
    /// @throws ShapeError if the new value has another shape, or the change does not broadcast to it.
    /// @{
    void assign(const Operand<T>& value) const { detail::assign(this->node_, value.node(), value.location()); }
    void assign_add(const Operand<T>& value) const
    {
        detail::assign_add(this->node_, value.node(), 1, value.location());
    }
    void assign_sub(const Operand<T>& value) const
    {
        detail::assign_add(this->node_, value.node(), -1, value.location());
    }
    /// @}

    /// Whether a gradient has been accumulated since the last `zero_grad()`.
    bool has_grad() const noexcept { return variable()->gradient != nullptr; }

    /// The accumulated gradient; it has the shape of the variable.
    /// @throws TapeError if there is none.
    Tensor<T> grad(Location location = Location::current()) const
    {
        if (!has_grad())
        {
            throw TapeError("grad", "this variable has no gradient", location,
                            "Call backward() on a result that was computed from it while a tape recorded.");
        }
        detail::retain(variable()->gradient);
        return Tensor<T>::adopt(variable()->gradient);
    }

    /// Replaces the gradient, as `backward()` would have put it there.
    /// @throws ShapeError if its shape is not the variable's.
    void set_grad(const Operand<T>& gradient) const
    {
        if (gradient.node()->shape != this->shape())
        {
            throw ShapeError("set_grad",
                             "a gradient has the shape of its variable: the variable is " + to_string(this->shape()) +
                                 ", the gradient " + to_string(gradient.node()->shape),
                             gradient.location());
        }
        Tensor<T> taken = gradient;
        detail::replace_gradient(this->node_, taken.disown());
    }

    /// Forgets the gradient, so that the next one starts from nothing.
    void zero_grad() const noexcept { detail::replace_gradient(this->node_, nullptr); }

    /// Lets every gradient of this variable go through `hook` before it is added to `grad()` or given by
    /// `GradientTape::gradient`, after all operations have contributed to it; several hooks in the order of their
    /// registration. A hook takes the gradient, and gives another one of its shape, or nothing if it only looks.
    template <class Hook>
    HookHandle register_hook(Hook hook) const
    {
        return detail::register_hook(
            variable(),
            [hook = std::move(hook)](detail::Node* node)
            {
                Tensor<T> gradient = Tensor<T>::adopt(node);
                if constexpr (std::is_void_v<std::invoke_result_t<const Hook&, const Tensor<T>&>>)
                {
                    hook(static_cast<const Tensor<T>&>(gradient));
                }
                else
                {
                    gradient = Tensor<T>(hook(static_cast<const Tensor<T>&>(gradient)));
                }
                return gradient.disown();
            });
    }

    /// The elements, for an update in place. Invalidated by any assignment; a tensor or record that holds the value
    /// keeps the old one.
    T* mutable_data(Location location = Location::current()) const
    {
        return static_cast<T*>(detail::writable(this->node_, location));
    }

    Variable& operator+=(const Operand<T>&) = delete;
    Variable& operator-=(const Operand<T>&) = delete;
    Variable& operator*=(const Operand<T>&) = delete;
    Variable& operator/=(const Operand<T>&) = delete;

private:
    struct Shared
    {
    };
    explicit Variable(Shared) noexcept : Tensor<T>(Tensor<T>::adopt(nullptr)) {}

    detail::VariableNode* variable() const noexcept { return static_cast<detail::VariableNode*>(this->node_); }
};

template <XExpression E>
Variable(const E&) -> Variable<typename E::value_type>;
template <Arithmetic S>
Variable(S) -> Variable<S>;

}
