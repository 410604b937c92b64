#include <autograd/drawing.hpp>
#include <autograd/explain.hpp>
#include <autograd/inspect.hpp>
#include <autograd/pass.hpp>

#include <iomanip>
#include <map>
#include <set>
#include <sstream>

namespace autograd
{

namespace
{

using detail::Arena;
using detail::Node;
using detail::Record;
using detail::Slot;

const void* memory_of(const Node& node)
{
    return node.buffer != nullptr ? static_cast<const void*>(node.buffer) : &node;
}

std::size_t bytes_of(const Node& node)
{
    return node.elements * size_of(node.dtype);
}

/// Calls f(record, number) for everything that a tape has recorded itself.
template <class F>
void for_each_record(const GradientTape& tape, const F& f)
{
    const detail::TapeState* state = detail::TapeAccess::state(tape);
    Arena& arena = Arena::current();
    if (state == nullptr || state->arena != arena.id())
    {
        return;
    }
    for (Slot slot = state->begin; slot < std::min(state->end, arena.size()); ++slot)
    {
        if (!state->skips(slot))
        {
            f(arena[slot], std::size_t{slot - state->begin});
        }
    }
}

/// The number of an operand's record; none if this tape did not record it.
std::optional<std::size_t> number_of(const GradientTape& tape, Slot slot)
{
    const detail::TapeState* state = detail::TapeAccess::state(tape);
    return slot == detail::no_slot || slot < state->begin || state->skips(slot)
               ? std::nullopt
               : std::optional<std::size_t>(slot - state->begin);
}

/// Calls f(value, slot) for every value that the record keeps.
template <class F>
void for_each_kept(Record& record, Slot slot, const F& f)
{
    if (record.output_kept)
    {
        f(*record.output, slot);
    }
    for (const detail::RecordedOperand& operand : record.operands())
    {
        if (operand.kept && record.operation->pull != nullptr)
        {
            f(*operand.node, operand.slot);
        }
    }
}

std::string readable(std::size_t bytes)
{
    std::ostringstream text;
    const char* const units[] = {"B", "KiB", "MiB", "GiB"};
    double size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1024 && unit < 3)
    {
        size /= 1024;
        ++unit;
    }
    text << std::setprecision(unit == 0 ? 6 : 3) << size << ' ' << units[unit];
    return text.str();
}

std::string line_of(Location location)
{
    return location.line != 0 ? to_string(location) : "";
}

}

std::vector<RecordedOperation> records(const GradientTape& tape)
{
    std::vector<RecordedOperation> result;
    std::set<const void*> counted;
    for_each_record(tape,
                    [&](Record& record, std::size_t)
                    {
                        RecordedOperation entry{.name = record.operation->name,
                                                .is_leaf = record.operation->pull == nullptr,
                                                .operands = {},
                                                .shape = record.output->shape,
                                                .dtype = record.output->dtype,
                                                .location = record.location,
                                                .kept_bytes = 0};
                        for (const detail::RecordedOperand& operand : record.operands())
                        {
                            if (!entry.is_leaf)
                            {
                                entry.operands.push_back(number_of(tape, operand.slot));
                            }
                        }
                        for_each_kept(record, 0,
                                      [&](const Node& value, Slot)
                                      {
                                          if (counted.insert(memory_of(value)).second)
                                          {
                                              entry.kept_bytes += bytes_of(value);
                                          }
                                      });
                        result.push_back(std::move(entry));
                    });
    return result;
}

std::vector<KeptValue> kept_values(const GradientTape& tape)
{
    std::vector<KeptValue> result;
    std::map<const void*, std::size_t> places;
    const detail::TapeState* state = detail::TapeAccess::state(tape);
    for_each_record(tape,
                    [&](Record& record, std::size_t number)
                    {
                        for_each_kept(record, static_cast<Slot>(state->begin + number),
                                      [&](const Node& value, Slot slot)
                                      {
                                          const auto [place, fresh] = places.emplace(memory_of(value), result.size());
                                          if (fresh)
                                          {
                                              result.push_back({.record = number_of(tape, slot),
                                                                .shape = value.shape,
                                                                .bytes = bytes_of(value),
                                                                .readers = {}});
                                          }
                                          std::vector<std::size_t>& readers = result[place->second].readers;
                                          if (record.operation->pull != nullptr &&
                                              (readers.empty() || readers.back() != number))
                                          {
                                              readers.push_back(number);
                                          }
                                      });
                    });
    return result;
}

std::ostream& operator<<(std::ostream& out, const GradientTape& tape)
{
    std::vector<std::vector<std::string>> rows{{"", "operation", "operands", "result", "keeps", "line"}};
    std::size_t bytes = 0;
    std::size_t number = 0;
    for (const RecordedOperation& entry : records(tape))
    {
        std::string operands;
        for (const std::optional<std::size_t>& operand : entry.operands)
        {
            operands += (operands.empty() ? "" : ", ") + (operand ? std::to_string(*operand) : "constant");
        }
        bytes += entry.kept_bytes;
        rows.push_back({std::to_string(number++), entry.name, operands,
                        detail::type_and_shape(entry.dtype, entry.shape),
                        entry.kept_bytes != 0 ? readable(entry.kept_bytes) : "", line_of(entry.location)});
    }
    return out << number << (number == 1 ? " record" : " records") << ", which keep " << readable(bytes) << "\n"
               << detail::table(rows);
}

std::string memory_report(const GradientTape& tape)
{
    const std::vector<RecordedOperation> entries = records(tape);
    std::vector<KeptValue> values = kept_values(tape);
    std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    const auto describe = [&](std::size_t number)
    {
        const std::string line = line_of(entries[number].location);
        return entries[number].name + (line.empty() ? "" : " (" + line + ")");
    };
    std::vector<std::vector<std::string>> rows{{"bytes", "shape", "result of", "read by the pullback of"}};
    std::size_t bytes = 0;
    for (const KeptValue& value : values)
    {
        std::string readers;
        for (const std::size_t reader : value.readers)
        {
            readers += (readers.empty() ? "" : ", ") + describe(reader);
        }
        bytes += value.bytes;
        rows.push_back({readable(value.bytes), to_string(value.shape),
                        value.record ? describe(*value.record) : "a constant", readers});
    }
    return "kept: " + readable(bytes) + "\n" + detail::table(rows);
}

std::string to_dot(const GradientTape& tape)
{
    std::ostringstream out;
    out << "digraph tape {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=10, shape=box, style=filled, "
           "fillcolor=white];\n";
    std::size_t number = 0;
    for (const RecordedOperation& entry : records(tape))
    {
        out << "  n" << number << " [label=\"" << entry.name << "\\n"
            << detail::type_and_shape(entry.dtype, entry.shape);
        if (entry.kept_bytes != 0)
        {
            out << "\\nkeeps " << readable(entry.kept_bytes);
        }
        if (entry.location.line != 0)
        {
            out << "\\n" << to_string(entry.location);
        }
        out << "\"" << (entry.is_leaf ? ", shape=ellipse, fillcolor=\"#cfe8cf\"" : "") << "];\n";
        for (const std::optional<std::size_t>& operand : entry.operands)
        {
            if (operand)
            {
                out << "  n" << *operand << " -> n" << number << ";\n";
            }
        }
        ++number;
    }
    out << "}\n";
    return out.str();
}

void draw(const GradientTape& tape, const std::string& path, Location location)
{
    detail::draw_graph(to_dot(tape), path, location);
}

}
