#pragma once

#include <autograd/arena.hpp>

#include <memory>
#include <span>
#include <vector>

namespace autograd::detail
{

/// A node that is held.
using Held = std::shared_ptr<Node>;

/// Takes over a reference.
inline Held adopt(Node* node)
{
    return Held(node, [](Node* held) { release(held); });
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

/// A call of a function that keeps nothing in memory for a gradient, but finds out what the function reads that a
/// gradient may be asked for: variables, and tensors that are on a tape. While it lives, no other tape records.
class Rehearsal
{
public:
    Rehearsal();
    Rehearsal(const Rehearsal&) = delete;
    Rehearsal& operator=(const Rehearsal&) = delete;
    ~Rehearsal();

    /// What has been read so far beside the arguments, each once: variables, and tensors on a tape.
    std::vector<Held> read(std::span<Node* const> arguments) const;

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
