#include <autograd/explain.hpp>
#include <autograd/pass.hpp>

#include <ostream>

namespace autograd
{

namespace detail
{

namespace
{

/// What was computed from a source on a tape, and by which operand it came there.
class Reach
{
public:
    Reach(Arena& arena, const TapeState& tape, Node* source) : arena_(arena), end_(std::min(tape.end, arena.size()))
    {
        const Slot slot = source->is_variable ? no_slot : arena.slot_of(*source);
        begin_ = std::min(tape.begin, slot);
        from_.assign(end_ > begin_ ? end_ - begin_ : 0, no_slot);
        steps_.assign(from_.size(), 0);
        for (Slot place = begin_; place < end_; ++place)
        {
            Record& record = arena[place];
            Node* const variable = variable_of(tape, record, place);
            if (place == slot || (variable != nullptr && variable == source))
            {
                from_[place - begin_] = place;
                started_ = true;
                continue;
            }
            if (place < tape.begin || tape.skips(place))
            {
                continue;
            }
            for (const RecordedOperand& operand : record.operands())
            {
                if (contains(operand.slot) &&
                    (from_[place - begin_] == no_slot || steps_[operand.slot - begin_] + 1 < steps_[place - begin_]))
                {
                    from_[place - begin_] = operand.slot;
                    steps_[place - begin_] = steps_[operand.slot - begin_] + 1;
                }
            }
        }
    }

    /// Whether the source itself is on the tape.
    bool started() const noexcept { return started_; }

    bool contains(Slot slot) const noexcept
    {
        return slot != no_slot && slot >= begin_ && slot < end_ && from_[slot - begin_] != no_slot;
    }

    /// The shortest way there, without the source.
    std::vector<Explanation::Step> way_to(Slot slot) const
    {
        std::vector<Explanation::Step> way;
        for (; from_[slot - begin_] != slot; slot = from_[slot - begin_])
        {
            const Record& record = arena_[slot];
            way.push_back({record.operation->name, record.output->shape, record.location});
        }
        std::reverse(way.begin(), way.end());
        return way;
    }

    /// Where what was computed from the source left the tape.
    std::vector<const Cut*> cuts() const
    {
        std::vector<const Cut*> found;
        for (const Cut& cut : arena_.cuts())
        {
            if (contains(cut.operand))
            {
                found.push_back(&cut);
            }
        }
        return found;
    }

private:
    Arena& arena_;
    Slot begin_;
    Slot end_;
    std::vector<Slot> from_;
    std::vector<Slot> steps_;
    bool started_ = false;
};

std::string describe(const Cut& cut)
{
    const std::string place = std::string(cut.name) + " at " + to_string(cut.location);
    switch (cut.kind)
    {
    case Cut::Kind::stop_gradient:
        return place + " cut it";
    case Cut::Kind::value:
        return place + " used it, which has no derivative";
    case Cut::Kind::plain_array:
        return place + " took it off the tape as a plain array";
    case Cut::Kind::assignment:
        return place + " copied it to a variable, which is a leaf";
    }
    return place;
}

const char* advice_for(const Cut& cut)
{
    switch (cut.kind)
    {
    case Cut::Kind::stop_gradient:
        return "Use the tensor itself where the gradient shall flow.";
    case Cut::Kind::value:
        return "Use a smooth function in its place, or straight_through.";
    case Cut::Kind::plain_array:
        return "Compute with this library's functions, which have the same names.";
    case Cut::Kind::assignment:
        return "Compute with the tensor that was assigned.";
    }
    return "";
}

std::string describe(const Node& node)
{
    return (node.is_variable ? "variable " : "tensor ") + to_string(node.shape);
}

std::string stops_of(const TapeState& tape)
{
    std::string text;
    for (const Location& stop : tape.stops)
    {
        text += (text.empty() ? "; it was told to stop recording at " : " and ") + to_string(stop);
    }
    return text;
}

/// The cut whose result this is; null if there is none.
const Cut* cut_with_result(Arena& arena, const Node& node)
{
    for (const Cut& cut : arena.cuts())
    {
        if (cut.result == &node)
        {
            return &cut;
        }
    }
    return nullptr;
}

std::string why_no_source(Arena& arena, const TapeState& tape, Node& source)
{
    if (source.is_variable)
    {
        if (!tape.watches(&source))
        {
            return "the tape opened at " + to_string(tape.location) +
                   " does not watch variables by itself, and was not told to watch this one";
        }
        return "it was never read while the tape opened at " + to_string(tape.location) + " recorded" + stops_of(tape);
    }
    if (const Cut* cut = cut_with_result(arena, source))
    {
        return "it is a constant: it came from " + std::string(cut->name) + " at " + to_string(cut->location);
    }
    return "it is a constant that was never watched, or was computed before the tape was opened at " +
           to_string(tape.location);
}

}

std::string why_not_recorded(const TapeState* tape, const Node& target)
{
    Arena& arena = Arena::current();
    if (const Cut* cut = cut_with_result(arena, target))
    {
        return "the target is a constant: it came from " + std::string(cut->name) + " at " + to_string(cut->location);
    }
    if (target.place.load(std::memory_order_relaxed) == 0)
    {
        return "no tape recorded the target: it was computed without one, or only from constants" +
               (tape != nullptr ? stops_of(*tape) : "");
    }
    const Slot slot = arena.slot_of(target);
    if (slot == no_slot || tape == nullptr)
    {
        return "the tape that recorded the target is gone, used up, or another thread's";
    }
    const Record& record = arena[slot];
    return "the target was recorded outside of this tape: " + std::string(record.operation->name) +
           (record.location.line != 0 ? " at " + to_string(record.location) : "") + " ran " +
           (slot < tape->begin  ? "before the tape was opened at " + to_string(tape->location)
            : slot >= tape->end ? "after it was used up"
                                : "while it did not record");
}

void throw_unconnected(TapeState& tape, Node* target, Node* source, std::size_t k, const Question& question)
{
    const Explanation found = explain(&tape, target, source);
    throw UnconnectedError(question.operation,
                           "the target does not depend on " + question.names(k) + ", of shape " +
                               to_string(source->shape) + ": " + found.text,
                           question.location, found.advice + " " + question.names.advice);
}

Explanation explain(TapeState* state, Node* target, Node* source)
{
    Explanation result;
    Arena& arena = Arena::current();
    if (state == nullptr || state->arena != arena.id())
    {
        result.text = state == nullptr ? "this tape was moved from" : "this tape belongs to another thread";
        return result;
    }
    const TapeState& tape = *state;
    const Reach reach(arena, tape, source);
    const std::vector<const Cut*> cuts = reach.cuts();
    for (const Cut* cut : cuts)
    {
        result.cuts.push_back({cut->name, arena[cut->operand].output->shape, cut->location});
    }
    Slot slot = arena.slot_of(*target);
    if (target->is_variable)
    {
        slot = no_slot;
        for (Slot place = tape.begin; place < std::min(tape.end, arena.size()); ++place)
        {
            slot = variable_of(tape, arena[place], place) == target ? place : slot;
        }
    }
    if (reach.contains(slot))
    {
        result.connected = true;
        result.way = reach.way_to(slot);
        result.text = "the gradient flows from the target to the source, " + describe(*source) + ", against " +
                      std::to_string(result.way.size()) + (result.way.size() == 1 ? " operation" : " operations");
        return result;
    }
    if (!reach.started())
    {
        result.text = why_no_source(arena, tape, *source);
        result.advice = source->is_variable ? "Read it while the tape records."
                                            : "Make it a Variable, or watch it before it is used.";
        return result;
    }
    if (!cuts.empty())
    {
        // Otherwise the last cut before the target came to be is the likeliest to have led there.
        auto likely = std::find_if(cuts.rbegin(), cuts.rend(), [&](const Cut* cut) { return cut->result == target; });
        if (likely == cuts.rend())
        {
            likely = std::find_if(cuts.rbegin(), cuts.rend(), [&](const Cut* cut) { return cut->at <= slot; });
        }
        const Cut& cut = likely != cuts.rend() ? **likely : *cuts.back();
        result.way = reach.way_to(cut.operand);
        result.text = describe(cut);
        result.advice = advice_for(cut);
        return result;
    }
    const bool recorded = slot != no_slot && slot >= tape.begin && slot < tape.end && !tape.skips(slot);
    result.text = recorded ? "nothing that this tape recorded leads from it to the target" + stops_of(tape)
                           : why_not_recorded(&tape, *target);
    result.advice = "Compute the target from it while the tape records.";
    return result;
}

}

std::ostream& operator<<(std::ostream& out, const Explanation& explanation)
{
    out << explanation.text << ".";
    const auto print = [&](const char* head, const std::vector<Explanation::Step>& steps)
    {
        for (const Explanation::Step& step : steps)
        {
            out << "\n  " << head << step.what << " " << to_string(step.shape);
            if (step.location.line != 0)
            {
                out << " (" << to_string(step.location) << ")";
            }
        }
    };
    print("", explanation.way);
    print("cut: ", explanation.cuts);
    if (!explanation.advice.empty())
    {
        out << "\n" << explanation.advice;
    }
    return out;
}

}
