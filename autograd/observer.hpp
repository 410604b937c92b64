#pragma once

#include <autograd/arena.hpp>

#include <span>

namespace autograd::detail
{

struct ResolvedOperand;

/// Watches, while it lives, what its thread executes under a tape: each operation, and each record that a pass visits.
/// Several may watch at once.
class Observer
{
public:
    Observer() : arena_(Arena::current()), outer_(std::exchange(arena_.observer, this)) {}
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer()
    {
        Observer** place = &arena_.observer;
        while (*place != this)
        {
            place = &(*place)->outer_;
        }
        *place = outer_;
    }

    /// The observer that came before this one, and still watches; null if none.
    Observer* outer() const noexcept { return outer_; }

    /// An operation begins, perhaps inside of another one.
    virtual void begin() {}
    /// The operation that began last has given its output.
    virtual void executed(const Operation&, const Node* /*output*/, std::span<const ResolvedOperand>, Location) {}
    /// A pass is about to call the pullback, or pushforward, of a record.
    virtual void visit(Record&) {}
    /// It has called the pullback.
    virtual void pulled(Pull&) {}
    /// It has called the pushforward, which gave the output's tangent.
    virtual void pushed(Push&, const Node* /*tangent*/) {}

private:
    Arena& arena_;
    Observer* outer_;
};

}
