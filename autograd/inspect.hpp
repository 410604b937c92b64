#pragma once

#include <autograd/tape.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

/// What a tape holds: as data, as a table, as a drawing.
namespace autograd
{

/// One operation that a tape has recorded. Records are numbered from 0 in the order of execution.
struct RecordedOperation
{
    std::string name;  ///< "variable" for one that was read, or a constant that is watched
    bool is_leaf;
    std::vector<std::optional<std::size_t>> operands;  ///< their records; none for a constant of this tape
    Shape shape;                                       ///< of the result
    DType dtype;
    Location location;       ///< of the user; line 0 for leaves
    std::size_t kept_bytes;  ///< of the values that it keeps for its pullback, each counted at the first that does
};

/// A value that a tape keeps in memory, because pullbacks will read it.
struct KeptValue
{
    std::optional<std::size_t> record;  ///< whose result it is; none for a constant
    Shape shape;
    std::size_t bytes;
    std::vector<std::size_t> readers;  ///< records whose pullbacks read it
};

std::vector<RecordedOperation> records(const GradientTape& tape);
std::vector<KeptValue> kept_values(const GradientTape& tape);

/// A table: number, operation, operands, shape, bytes kept, line.
std::ostream& operator<<(std::ostream& out, const GradientTape& tape);

/// What the tape keeps in memory and for whom, the largest first: a table. `memory_statistics` tells what the whole thread
/// uses, and used at most.
std::string memory_report(const GradientTape& tape);

/// The tape as a graph in Graphviz's language.
std::string to_dot(const GradientTape& tape);

/// Writes the graph to a file: .dot as it is; .svg, .png or .pdf through Graphviz's program `dot`.
/// @throws FileError if the file cannot be written, `dot` is not installed, or the name ends otherwise.
void draw(const GradientTape& tape, const std::string& path, Location location = Location::current());

}
