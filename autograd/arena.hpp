#pragma once

#include <autograd/location.hpp>
#include <autograd/node.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// The engine's inside: records, and the arena of a thread that holds them. A tape is a scope over the arena.
namespace autograd::detail
{

using Slot = std::uint32_t;
inline constexpr Slot no_slot = std::numeric_limits<Slot>::max();

class Pull;
class Push;
class Observer;
class Tracer;
struct Attributes;
struct Lines;

/// Which values a pullback reads beside the gradient of the output.
struct Reads
{
    bool output = false;
    std::uint32_t operand_bits = 0;  ///< bit k: operand k

    bool operand(std::size_t k) const noexcept { return k < 32 && (operand_bits >> k & 1) != 0; }
};

/// What an operation is, on lines along one axis, if its operands have the shape of its output and each element depends on
/// those of its line only. `out` may be one of `in`.
struct LineKernels
{
    std::size_t (*axis)(const Attributes*);
    /// From the operands.
    void (*value)(const Attributes*, const Lines&, const void* const* in, void* out);
    /// The gradient of an operand, from dy, y and the operands; null for what is not read.
    void (*pullback)(const Attributes*, std::size_t k, const Lines&, const void* const* in, void* out);
};

/// What the engine knows of an operation on operands of one type.
struct Operation
{
    const char* name;
    /// Gives the gradient of every operand that is wanted.
    void (*pull)(Pull&);
    /// What the pullback of each operand reads; the last entry stands for all further operands.
    std::span<const Reads> reads = {};
    /// Gives the tangent of the output, given those of operands.
    void (*push)(Push&) = nullptr;
    /// Executes it with the same attributes on other operands, as the call that was recorded did.
    Node* (*execute)(const Attributes*, std::span<Node* const>, Location) = nullptr;
    /// The gradient of one operand, from dy in the output's shape, y and the operands.
    Node* (*pull_one)(const Attributes*, std::size_t k, std::span<Node* const>) = nullptr;
    /// Adds the gradient of one operand to `sum`; from the same. Null if no pullback does so.
    void (*add_one)(const Attributes*, std::size_t k, Node* sum, std::span<Node* const>) = nullptr;
    /// Whether this is an `ElementwiseOperation`.
    bool elementwise = false;
    /// Null if it has none.
    const LineKernels* line_kernels = nullptr;
};

/// The attributes of a recorded operation: axes, flags.
struct Attributes
{
    virtual ~Attributes() = default;
    /// A copy; null if these cannot be copied.
    virtual Attributes* clone() const { return nullptr; }
    /// Whether they are the same; false if that cannot be told.
    virtual bool equals(const Attributes&) const { return false; }

    static void* operator new(std::size_t size)
    {
        return size <= largest_small_block ? allocate_small_block(size) : ::operator new(size);
    }
    static void operator delete(void* block, std::size_t size) noexcept
    {
        size <= largest_small_block ? recycle_small_block(block, size) : ::operator delete(block);
    }
};

struct RecordedOperand
{
    Node* node;  ///< null for a constant that no pullback reads
    Slot slot;   ///< `no_slot` for a constant
    bool kept;   ///< whether the record holds one of the node's values
};

/// One operation that was executed, as data. The operand of a leaf is the variable that was read.
struct Record
{
    static constexpr std::size_t few = 3;

    const Operation* operation;
    Location location;
    Node* output;
    Attributes* attributes;
    RecordedOperand* first_operand;  ///< `few_operands`, or an array of its own if there are more
    std::uint32_t arity;
    bool output_kept;
    bool keeps;  ///< whether it holds any value
    RecordedOperand few_operands[few];

    std::span<RecordedOperand> operands() noexcept { return {first_operand, arity}; }
};

/// The operation of a record that stands for a variable read, or for a constant that was watched.
extern const Operation leaf_operation;
/// That of a variable read while no tape watches it: a constant.
extern const Operation unwatched_operation;

/// A place where a value left the tape: what is computed from it there on has no gradient.
struct Cut
{
    enum class Kind
    {
        stop_gradient,
        value,        ///< of an operation that has no derivative, such as a comparison, under its name
        plain_array,  ///< by value() or item()
        assignment    ///< to a variable
    };

    Kind kind;
    const char* name;
    Slot operand;
    Location location;
    const Node* result;  ///< never dereferenced: only told from others
    Slot at;             ///< how many records there were
};

/// What a GradientTape is to the arena: a range of records.
struct TapeState
{
    Slot begin = 0;
    Slot end = no_slot;  ///< `no_slot` while it records
    Slot paused_at = 0;
    unsigned pauses = 0;      ///< how many scopes keep it from recording
    std::uint32_t arena = 0;  ///< whose scope it is, by its number
    bool persistent = false;
    bool watches_variables = true;
    bool rehearses = false;  ///< whether it only tells what depends on what
    bool used = false;
    std::atomic<bool> abandoned = false;  ///< set by the first of two threads to be done with it; the second deletes it
    Location location;
    const Node* last_target = nullptr;             ///< never dereferenced: only told from others, for an error's text
    std::vector<std::pair<Slot, Slot>> gaps = {};  ///< what others recorded while it was paused
    std::vector<Node*> watched = {};               ///< variables, if it does not watch all; not kept alive
    std::vector<Location> stops = {};              ///< where it was told to stop recording

    bool recording() const noexcept { return end == no_slot && pauses == 0; }

    /// Whether it did not record what stands there.
    bool skips(Slot slot) const noexcept
    {
        return !gaps.empty() && std::any_of(gaps.begin(), gaps.end(),
                                            [slot](const auto& gap) { return gap.first <= slot && slot < gap.second; });
    }

    /// Whether gradients of the variable are this tape's business.
    bool watches(const Node* variable) const noexcept
    {
        return watches_variables || std::find(watched.begin(), watched.end(), variable) != watched.end();
    }

    static void* operator new(std::size_t) { return allocate_small_block(); }
    static void operator delete(void* block) noexcept { recycle_small_block(block); }
};
static_assert(sizeof(TapeState) <= small_block_size);

/// The records of one thread, in order of execution.
class Arena
{
public:
    /// The calling thread's.
    static Arena& current()
    {
        Arena* arena = current_;
        return arena != nullptr ? *arena : create();
    }

    Arena();
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Whether some tape of this thread records.
    bool recording() const noexcept { return recording_; }
    /// Whether anybody wants to know what is computed.
    bool attentive() const noexcept { return recording_ || tracer != nullptr; }
    /// A number of its own, not 0.
    std::uint32_t id() const noexcept { return id_; }
    Slot size() const noexcept { return size_; }
    Record& operator[](Slot slot) noexcept { return chunks_[slot / chunk_size][slot % chunk_size]; }

    /// Where an immutable node stands on this arena, or `no_slot`.
    Slot slot_of(const Node& node) noexcept
    {
        const std::uint64_t place = node.place.load(std::memory_order_relaxed);
        const auto slot = static_cast<Slot>(place);
        return place >> 32 == id_ && slot < size_ && (*this)[slot].output == &node ? slot : no_slot;
    }

    /// The slot and the immutable node for an operand that is read while recording; a variable becomes a leaf.
    Node* read(Node* node, Slot& slot)
    {
        if (!node->is_variable)
        {
            slot = slot_of(*node);
            return node;
        }
        return read_variable(node, slot);
    }

    /// Appends a record for `output`, a node that nobody else has seen yet. Operands and flags are the caller's to fill.
    Record& append(const Operation& operation, Node* output, std::size_t arity, Location location)
    {
        if (size_ % chunk_size == 0 && size_ / chunk_size == chunks_.size()) [[unlikely]]
        {
            add_chunk();
        }
        Record& record = (*this)[size_];
        record.operation = &operation;
        record.location = pullback_location.line != 0 ? pullback_location : location;
        record.output = output;
        record.attributes = nullptr;
        record.arity = static_cast<std::uint32_t>(arity);
        record.output_kept = false;
        record.keeps = false;
        record.first_operand = arity > Record::few ? new RecordedOperand[arity] : record.few_operands;
        output->holders.retain();
        output->place.store(std::uint64_t{id_} << 32 | size_, std::memory_order_relaxed);
        ++size_;
        return record;
    }

    /// Makes a node that is not on the arena a leaf of it.
    void watch(Node* node, Location location);

    /// Remembers that a value which is on the tape left it, for those who ask why there is no gradient.
    void note_cut(Cut::Kind kind, const char* name, Node* operand, const Node* result, Location location)
    {
        if (recording_ && location.line != 0 && pullback_location.line == 0)
        {
            append_cut(kind, name, operand, result, location);
        }
    }
    std::span<const Cut> cuts() const noexcept { return cuts_; }

    /// Who watches what this thread executes; null if nobody.
    Observer* observer = nullptr;
    /// Who follows all that it computes; null if nobody.
    Tracer* tracer = nullptr;

    /// The thread's tracer; null if it has none, or the thread ends.
    static Tracer* living_tracer() noexcept { return current_ != nullptr ? current_->tracer : nullptr; }

    /// Whether new records keep the values that their pullbacks read: not if all tapes that record only rehearse.
    bool keeps_values() const noexcept { return keeps_values_; }

    /// Releases the values that the record keeps.
    static void forget_values(Record& record) noexcept
    {
        if (record.keeps)
        {
            release_values(record);
        }
    }

    void add_tape(TapeState* tape);
    /// Makes it a new one, the innermost, with the same options.
    void restart_tape(TapeState* tape);
    /// Ends it and deletes its state; from any thread.
    static void end_tape(TapeState* tape) noexcept;
    /// While a tape is paused as often as it is resumed, it does not record.
    /// @{
    void pause(TapeState* tape) noexcept;
    void resume(TapeState* tape);
    /// @}
    /// To be called when a tape's state has changed: drops the records that no tape can use any more.
    void update_tapes() noexcept;
    std::span<TapeState* const> tapes() const noexcept { return tapes_; }

    /// The line of the operation whose pullback runs now: what its pullback records belongs to that line.
    Location pullback_location;

    /// Scratch of the engine, kept for its capacity.
    std::vector<Node*> gradients;
    std::vector<std::uint8_t> wanted;

private:
    static constexpr Slot chunk_size = 1024;

    static Arena& create();
    static void release_values(Record& record) noexcept;
    void add_chunk();
    Node* read_variable(Node* variable, Slot& slot);
    Node* read_elsewhere(Node* variable, bool watched, Slot& slot);
    bool is_leaf_of(Slot slot, const Node* variable, const Operation& kind) noexcept;
    bool is_told_to_watch(const Node* variable) const noexcept;
    void append_cut(Cut::Kind kind, const char* name, Node* operand, const Node* result, Location location);
    void truncate(Slot size) noexcept;

    static constinit thread_local Arena* current_;

    std::vector<std::unique_ptr<Record[]>> chunks_;
    std::vector<TapeState*> tapes_;
    std::vector<Slot> leaves_;
    std::vector<Cut> cuts_;
    Slot size_ = 0;
    Slot innermost_begin_ = 0;
    std::uint32_t id_;
    bool recording_ = false;
    bool keeps_values_ = true;
    bool watches_variables_ = true;  ///< whether some tape that records does
};

/// Whether a variable still has the value that an immutable node took from it.
bool has_value_of(const Node* variable, const Node* snapshot) noexcept;

/// While it lives, a tape does not record.
class Pause
{
public:
    explicit Pause(TapeState* tape) : tape_(tape) { Arena::current().pause(tape); }
    ~Pause() { Arena::current().resume(tape_); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

private:
    TapeState* tape_;
};

/// The view that a pullback has of its record.
class Pull
{
public:
    /// Takes over a reference to the output's gradient. `gradients` and `wanted` are of the records from `begin` on; all are
    /// wanted if the latter is null.
    Pull(Record& record, Node* output_gradient, Slot begin, Node** gradients, const std::uint8_t* wanted)
        : record_(record), output_gradient_(output_gradient), begin_(begin), gradients_(gradients), wanted_(wanted)
    {
    }
    Pull(const Pull&) = delete;
    Pull& operator=(const Pull&) = delete;
    ~Pull()
    {
        if (output_gradient_ != nullptr)
        {
            release(output_gradient_);
        }
    }

    Record& record() noexcept { return record_; }
    Node* output() noexcept { return record_.output; }
    Node* operand(std::size_t k) noexcept { return record_.first_operand[k].node; }

    /// The gradient of the output. It may be smaller than the output, if it broadcasts to it.
    Node*& output_gradient() noexcept { return output_gradient_; }
    /// The same, stretched to the shape of the output.
    Node* full_output_gradient();

    bool wants(std::size_t k) noexcept { return place(k) != nullptr; }

    /// Where the gradients of operand k are added up; null if they are not wanted.
    Node** place(std::size_t k) noexcept
    {
        const Slot slot = record_.first_operand[k].slot;
        const bool wanted = slot != no_slot && slot >= begin_ && (wanted_ == nullptr || wanted_[slot - begin_] != 0);
        return wanted ? gradients_ + (slot - begin_) : nullptr;
    }

    /// What has been added up for operand k so far; null if nothing.
    Node* sum_so_far(std::size_t k) noexcept
    {
        Node** const sum = place(k);
        return sum != nullptr ? *sum : nullptr;
    }

    /// Adds the gradient of operand k, a reference of which is taken over. It may be smaller than the operand, if it
    /// broadcasts to it.
    void give(std::size_t k, Node* gradient)
    {
        accumulate(gradients_[record_.first_operand[k].slot - begin_], gradient);
    }

    /// What has been added up for operand k so far, and is not null, in its full shape and free to be added to.
    Node* sum(std::size_t k);

    /// sum += gradient, where both are references that are taken over and `sum` may be null.
    static void accumulate(Node*& sum, Node* gradient)
    {
        if (sum == nullptr)
        {
            sum = gradient;
        }
        else
        {
            add(sum, gradient);
        }
    }

private:
    static void add(Node*& sum, Node* gradient);

    Record& record_;
    Node* output_gradient_;
    Slot begin_;
    Node** gradients_;
    const std::uint8_t* wanted_;
};

/// The view that a pushforward has of its record.
class Push
{
public:
    Push(Record& record, Slot begin, std::span<Node* const> tangents)
        : record_(record), begin_(begin), tangents_(tangents)
    {
    }
    Push(const Push&) = delete;
    Push& operator=(const Push&) = delete;
    ~Push()
    {
        if (sum_ != nullptr)
        {
            release(sum_);
        }
    }

    Record& record() noexcept { return record_; }
    Node* output() noexcept { return record_.output; }
    Node* operand(std::size_t k) noexcept { return record_.first_operand[k].node; }

    /// The tangent of operand k, in its shape; null if it has none.
    Node* tangent(std::size_t k) const noexcept
    {
        const Slot slot = record_.first_operand[k].slot;
        return slot != no_slot && slot >= begin_ ? tangents_[slot - begin_] : nullptr;
    }

    /// Adds to the tangent of the output. A reference is taken over. It may be smaller than the output, if it broadcasts
    /// to it.
    void give(Node* tangent) { Pull::accumulate(sum_, tangent); }

    /// The tangent of the output in its full shape; null if nothing was given.
    Node* take();

private:
    Record& record_;
    Slot begin_;
    std::span<Node* const> tangents_;
    Node* sum_ = nullptr;
};

}
