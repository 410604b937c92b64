#pragma once

#include "workload.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace benchmarks
{

/// A column of the table: one of the libraries, used in one way.
struct Contender
{
    const char* name;
    const Library* library;
    Variant Workload::*variant;
};

#if BENCHMARKS_HAVE_LIBTORCH
inline constexpr const Library* libraries[] = {&ours, &libtorch};
inline constexpr Contender contenders[] = {{"eager", &ours, &Workload::eager},
                                           {"compiled", &ours, &Workload::compiled},
                                           {"LibTorch", &libtorch, &Workload::eager}};
#else
inline constexpr const Library* libraries[] = {&ours};
inline constexpr Contender contenders[] = {{"eager", &ours, &Workload::eager},
                                           {"compiled", &ours, &Workload::compiled}};
#endif
inline constexpr std::size_t contender_count = std::size(contenders);

/// What is measured: a workload by one contender with so many threads.
struct Case
{
    std::size_t workload;
    std::size_t contender;
    int threads = 1;
    /// Whether one thread and two take turns, so that a busy machine disturbs both alike; otherwise the process has never
    /// had more than one, and counts references without locking.
    bool in_turns = false;

    auto operator<=>(const Case&) const = default;
    std::string name() const;
};

/// Microseconds a step, one of each repetition.
struct Times
{
    std::vector<double> processor;
    std::vector<double> clock;
};

/// What was measured, to be printed and drawn.
class Table
{
public:
    void add(const std::string& name, double processor, double clock);
    void add_memory(const Case& which, std::int64_t bytes) { memory_[which] = bytes; }

    /// One thread: time beside memory, with the ratios to LibTorch's. Two threads: what the second one gains.
    void print() const;

    /// Writes `folder/steps.csv`, and where gnuplot is installed `folder/steps.png`: the ratios as bars.
    void draw(const std::filesystem::path& folder) const;

private:
    std::optional<double> processor(std::size_t workload, std::size_t contender) const;
    std::optional<double> ratio(std::size_t workload, std::size_t contender) const;
    std::optional<double> gain(std::size_t workload, std::size_t contender) const;
    bool has(std::size_t workload) const;
    void print_one_thread() const;
    void print_gains() const;

    std::map<std::string, Times> times_;
    std::map<Case, std::int64_t> memory_;
};

}
