#pragma once

#include <autograd/arena.hpp>

#include <span>
#include <utility>
#include <vector>

namespace autograd::detail
{

/// A reference to a node, or to none.
class Held
{
public:
    Held() noexcept = default;
    /// Takes over a reference.
    explicit Held(Node* node) noexcept : node_(node) {}
    Held(const Held& other) noexcept : node_(other.node_)
    {
        if (node_ != nullptr)
        {
            retain(node_);
        }
    }
    Held(Held&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Held& operator=(Held other) noexcept
    {
        std::swap(node_, other.node_);
        return *this;
    }
    ~Held()
    {
        if (node_ != nullptr)
        {
            release(node_);
        }
    }

    Node* get() const noexcept { return node_; }
    Node* operator->() const noexcept { return node_; }
    Node& operator*() const noexcept { return *node_; }

    void reset() noexcept { *this = Held(); }
    /// Gives up the reference.
    Node* disown() noexcept { return std::exchange(node_, nullptr); }
    friend bool operator==(const Held&, const Held&) noexcept = default;
    friend bool operator==(const Held& held, std::nullptr_t) noexcept { return held.node_ == nullptr; }

private:
    Node* node_ = nullptr;
};

inline Held adopt(Node* node)
{
    return Held(node);
}

inline Held hold(Node* node)
{
    retain(node);
    return adopt(node);
}

/// While it lives, no tape of this thread that recorded before does.
class PauseAll
{
public:
    PauseAll();
    PauseAll(const PauseAll&) = delete;
    PauseAll& operator=(const PauseAll&) = delete;
    ~PauseAll();

private:
    std::vector<TapeState*> paused_;
};

/// What a call of a function read beside its arguments that a gradient may be asked for, each once: variables, with the
/// values that they had then, and tensors on a tape.
class Reading
{
public:
    const std::vector<Held>& sources() const noexcept { return sources_; }

    /// Another call computes the same only while every variable has the value that it was read with.
    /// @throws TapeError, in the name of the operation, if one was assigned; with the line that did, and `when`.
    void require_unchanged(const char* operation, const char* when, Location location) const;

private:
    friend class Rehearsal;

    struct Snapshot
    {
        Held variable;
        Held value;
    };
    std::vector<Held> sources_;
    std::vector<Snapshot> snapshots_;
};

/// A call of a function that keeps nothing in memory for a gradient, but finds out what the function reads that a
/// gradient may be asked for: variables, and tensors that are on a tape. While it lives, no other tape records.
class Rehearsal
{
public:
    Rehearsal();
    Rehearsal(const Rehearsal&) = delete;
    Rehearsal& operator=(const Rehearsal&) = delete;
    ~Rehearsal();

    /// What has been read so far beside the arguments.
    /// @throws TapeError, in the name of the operation, if a variable was assigned after it was read.
    Reading read(std::span<Node* const> arguments, const char* operation, Location location) const;

private:
    PauseAll pause_;
    Arena& arena_;
    TapeState* tape_;
};

/// While it lives, operations belong to their own lines again, though a pullback runs.
class OwnLines
{
public:
    OwnLines() : location_(std::exchange(Arena::current().pullback_location, Location{})) {}
    OwnLines(const OwnLines&) = delete;
    OwnLines& operator=(const OwnLines&) = delete;
    ~OwnLines() { Arena::current().pullback_location = location_; }

private:
    Location location_;
};

}
