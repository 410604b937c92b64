#include <autograd/arena.hpp>
#include <autograd/tensor.hpp>
#include <autograd/tracer.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace autograd::detail
{

const Operation leaf_operation{"variable", nullptr};
const Operation unwatched_operation{"unwatched variable", nullptr};

constinit thread_local Arena* Arena::current_ = nullptr;

Arena& Arena::create()
{
    thread_local Arena arena;
    return arena;
}

Arena::Arena()
{
    static std::atomic<std::uint32_t> last_id = 0;
    id_ = ++last_id;
    current_ = this;
}

Arena::~Arena()
{
    truncate(0);
    for (TapeState* tape : tapes_)
    {
        if (tape->abandoned.exchange(true))
        {
            delete tape;
        }
    }
    current_ = nullptr;
}

void Arena::add_chunk()
{
    chunks_.push_back(std::make_unique_for_overwrite<Record[]>(chunk_size));
}

void Arena::watch(Node* node, Location location)
{
    if (slot_of(*node) == no_slot)
    {
        append(leaf_operation, node, 0, location);
    }
}

bool Arena::is_told_to_watch(const Node* variable) const noexcept
{
    return std::any_of(tapes_.begin(), tapes_.end(),
                       [variable](const TapeState* tape) { return tape->recording() && tape->watches(variable); });
}

void Arena::append_cut(Cut::Kind kind, const char* name, Node* operand, const Node* result, Location location)
{
    Slot slot = no_slot;
    read(operand, slot);
    if (slot != no_slot)
    {
        cuts_.push_back({kind, name, slot, location, result, size_});
    }
}

// A variable's place remembers its leaf on this arena.
Node* Arena::read_variable(Node* variable, Slot& slot)
{
    const bool watched = watches_variables_ || is_told_to_watch(variable);
    const std::uint64_t place = variable->place.load(std::memory_order_relaxed);
    const auto leaf = static_cast<Slot>(place);
    if (place >> 32 == id_ && leaf < size_ && leaf >= innermost_begin_ &&
        is_leaf_of(leaf, variable, watched ? leaf_operation : unwatched_operation))
    {
        slot = watched ? leaf : no_slot;
        return (*this)[leaf].output;
    }
    return read_elsewhere(variable, watched, slot);
}

// Another thread that reads the same variable overwrites the place; the leaf is then searched for, which costs time and
// never a wrong answer.
Node* Arena::read_elsewhere(Node* variable, bool watched, Slot& slot)
{
    const Operation& kind = watched ? leaf_operation : unwatched_operation;
    const std::uint64_t place = variable->place.load(std::memory_order_relaxed);
    if (place >> 32 != id_ && place != 0)
    {
        const auto found =
            std::find_if(leaves_.rbegin(), leaves_.rend(),
                         [&](Slot other) { return other < innermost_begin_ || is_leaf_of(other, variable, kind); });
        if (found != leaves_.rend() && *found >= innermost_begin_)
        {
            variable->place.store(std::uint64_t{id_} << 32 | *found, std::memory_order_relaxed);
            slot = watched ? *found : no_slot;
            return (*this)[*found].output;
        }
    }
    const Slot leaf = size_;
    leaves_.push_back(leaf);
    Node* const value = new_view(variable, variable->shape);
    Record& record = append(kind, value, 1, {});
    record.output_kept = true;
    record.keeps = true;
    retain(variable);
    record.few_operands[0] = {variable, no_slot, true};
    variable->place.store(std::uint64_t{id_} << 32 | leaf, std::memory_order_relaxed);
    if (!watched)
    {
        value->place.store(0, std::memory_order_relaxed);
    }
    if (tracer != nullptr) [[unlikely]]
    {
        tracer->viewed(variable, value);
    }
    slot = watched ? leaf : no_slot;
    return value;
}

// A leaf stands for the variable as long as it has the variable's value.
bool Arena::is_leaf_of(Slot slot, const Node* variable, const Operation& kind) noexcept
{
    Record& record = (*this)[slot];
    if (record.operation != &kind || record.arity != 1 || record.few_operands[0].node != variable)
    {
        return false;
    }
    return has_value_of(variable, record.output);
}

bool has_value_of(const Node* variable, const Node* snapshot) noexcept
{
    if (variable->buffer != nullptr)
    {
        return snapshot->buffer == variable->buffer;
    }
    // Of constant sizes, no call of memcmp is made.
    return variable->dtype == DType::float32 ? std::memcmp(variable->scalar, snapshot->scalar, sizeof(float)) == 0
                                             : std::memcmp(variable->scalar, snapshot->scalar, sizeof(double)) == 0;
}

void Arena::release_values(Record& record) noexcept
{
    record.keeps = false;
    for (RecordedOperand& operand : record.operands())
    {
        if (operand.kept)
        {
            operand.kept = false;
            release(operand.node);
        }
    }
    if (record.output_kept)
    {
        record.output_kept = false;
        release(record.output);
    }
}

void Arena::truncate(Slot size) noexcept
{
    while (size_ > size)
    {
        Record& record = (*this)[--size_];
        forget_values(record);
        delete record.attributes;
        if (record.first_operand != record.few_operands)
        {
            delete[] record.first_operand;
        }
        release_holder(record.output);
    }
    while (!leaves_.empty() && leaves_.back() >= size_)
    {
        leaves_.pop_back();
    }
    while (!cuts_.empty() && (cuts_.back().operand >= size_ || cuts_.back().at > size_))
    {
        cuts_.pop_back();
    }
}

void Arena::add_tape(TapeState* tape)
{
    tape->arena = id_;
    tape->begin = size_;
    tapes_.push_back(tape);
    update_tapes();
}

void Arena::restart_tape(TapeState* tape)
{
    tape->begin = size_;
    tape->paused_at = size_;
    tape->end = no_slot;
    tape->used = false;
    tape->last_target = nullptr;
    tape->gaps.clear();
    tape->watched.clear();
    tape->stops.clear();
    std::rotate(std::find(tapes_.begin(), tapes_.end(), tape), tapes_.end() - 1, tapes_.end());
    update_tapes();
}

void Arena::end_tape(TapeState* tape) noexcept
{
    if (Arena& arena = current(); arena.id_ == tape->arena)
    {
        std::erase(arena.tapes_, tape);
        arena.update_tapes();
        delete tape;
    }
    else if (tape->abandoned.exchange(true))
    {
        delete tape;
    }
}

void Arena::pause(TapeState* tape) noexcept
{
    if (tape->pauses++ == 0)
    {
        tape->paused_at = size_;
        update_tapes();
    }
}

void Arena::resume(TapeState* tape)
{
    if (--tape->pauses == 0)
    {
        if (tape->end == no_slot && tape->paused_at < size_)
        {
            tape->gaps.emplace_back(tape->paused_at, size_);
        }
        update_tapes();
    }
}

void Arena::update_tapes() noexcept
{
    recording_ = false;
    keeps_values_ = false;
    watches_variables_ = false;
    innermost_begin_ = 0;
    Slot needed = 0;
    auto living = tapes_.begin();
    for (TapeState* const tape : tapes_)
    {
        if (tape->abandoned.load())
        {
            delete tape;
            continue;
        }
        *living++ = tape;
        if (tape->recording())
        {
            recording_ = true;
            keeps_values_ |= !tape->rehearses;
            watches_variables_ |= tape->watches_variables;
            innermost_begin_ = tape->begin;
        }
        if (!tape->used)
        {
            const Slot last = tape->pauses == 0 ? size_ : tape->paused_at;
            needed = std::max(needed, tape->end == no_slot ? last : tape->end);
        }
    }
    tapes_.erase(living, tapes_.end());
    if (needed < size_)
    {
        truncate(needed);
    }
}

Node* snapshot(Node* variable)
{
    Arena& arena = Arena::current();
    if (!arena.recording())
    {
        Node* const view = new_view(variable, variable->shape);
        note_view(variable, view);
        return view;
    }
    Slot slot = no_slot;
    Node* value = arena.read(variable, slot);
    retain(value);
    return value;
}

void leave_tape(Node* node, const char* how, Location location)
{
    Arena& arena = Arena::current();
    arena.note_cut(Cut::Kind::plain_array, how, node, nullptr, location);
    if (arena.tracer != nullptr) [[unlikely]]
    {
        arena.tracer->left(node, how, location);
    }
}

}
