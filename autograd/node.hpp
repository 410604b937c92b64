#pragma once

#include <autograd/location.hpp>
#include <autograd/memory.hpp>
#include <autograd/shape.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace autograd
{

enum class DType : std::uint8_t
{
    float32,
    float64
};

template <class T>
concept Real = std::is_same_v<T, float> || std::is_same_v<T, double>;

template <Real T>
inline constexpr DType dtype_of = std::is_same_v<T, float> ? DType::float32 : DType::float64;

constexpr std::size_t size_of(DType dtype) noexcept
{
    return dtype == DType::float32 ? sizeof(float) : sizeof(double);
}

namespace detail
{

/// The value behind a tensor handle: a shape, a buffer (a 0-d value is held inline), and a place on a tape.
///
/// Two counts keep it: `values` by those who need the value (handles, and records whose pullback reads it), `holders`
/// by the record that produced it, which needs only the shape. All values together hold one of the holders. When the
/// last value goes, the buffer goes; when the last holder goes, the node goes.
struct Node
{
    ReferenceCount values;
    ReferenceCount holders;
    std::atomic<std::uint64_t> place{0};  ///< thread's arena and slot; see Arena
    std::size_t elements = 1;
    void* data = nullptr;
    Buffer* buffer = nullptr;
    Shape shape;
    alignas(8) std::byte scalar[8];
    DType dtype;
    bool is_variable = false;
    std::uint32_t number = 0;  ///< where a recorder that was told of it keeps its value; see NodeIds

    template <class T>
    T* as() noexcept
    {
        return static_cast<T*>(data);
    }
    template <class T>
    const T* as() const noexcept
    {
        return static_cast<const T*>(data);
    }

    static void* operator new(std::size_t) { return allocate_small_block(); }
    static void operator delete(void* block) noexcept { recycle_small_block(block); }
};

static_assert(sizeof(Node) <= small_block_size);

struct GradientHooks;

/// A leaf that can be assigned, with its accumulated gradient.
struct VariableNode : Node
{
    Node* gradient = nullptr;
    std::shared_ptr<GradientHooks> hooks;  ///< null if there never was one
    Location assigned = {};                ///< by which line last

    ~VariableNode();
    static void* operator new(std::size_t size) { return ::operator new(size); }
    static void operator delete(void* block) noexcept { ::operator delete(block); }
};

/// Frees the buffer of a node without values, and the node if no record holds it either.
void expire(Node* node) noexcept;
void destroy(Node* node) noexcept;

inline void retain(Node* node) noexcept
{
    node->values.retain();
}

inline void release(Node* node) noexcept
{
    if (node->values.release())
    {
        expire(node);
    }
}

inline void release_holder(Node* node) noexcept
{
    if (node->holders.release())
    {
        destroy(node);
    }
}

/// An uninitialised array of this shape.
template <class T>
Node* new_node(const Shape& shape);

/// A 0-d array.
template <class T>
Node* new_scalar(T value)
{
    auto* node = new Node;
    node->dtype = dtype_of<T>;
    node->data = node->scalar;
    *node->as<T>() = value;
    return node;
}

/// Another array with the elements of `node`, which it shares unless it is 0-d.
Node* new_view(Node* node, const Shape& shape);
/// Another array with elements of its own.
Node* new_copy(const Node* node);

}

}
