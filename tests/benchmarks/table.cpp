#include "table.hpp"

#include <autograd/io.hpp>
#include <optim/loop/picture.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace benchmarks
{

namespace
{

constexpr std::size_t eager = 0;
constexpr std::size_t compiled = 1;
constexpr std::size_t peer = 2;

std::optional<double> least(const std::vector<double>& times)
{
    return times.empty() ? std::nullopt : std::optional(*std::min_element(times.begin(), times.end()));
}

std::string text(std::optional<double> number, const char* format)
{
    if (!number)
    {
        return "-";
    }
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, format, *number);
    return buffer;
}

/// A time or size, with three digits at least.
std::string measure(std::optional<double> number)
{
    return text(number, !number || *number >= 100 ? "%.0f" : *number >= 10 ? "%.1f" : *number >= 1 ? "%.2f" : "%.3f");
}

std::string part(std::optional<double> ratio)
{
    return ratio && *ratio < 0.1 ? text(1 / *ratio, "1/%.0f") : text(ratio, "%.2f");
}

std::optional<double> quotient(std::optional<double> ours, std::optional<double> theirs)
{
    return ours && theirs ? std::optional(*ours / *theirs) : std::nullopt;
}

std::optional<double> given(double target)
{
    return target > 0 ? std::optional(target) : std::nullopt;
}

}

std::string Case::name() const
{
    return std::string(description(workload).name) + "/" + contenders[contender].name + "/" + std::to_string(threads) +
           (in_turns ? " in turns" : "");
}

void Table::add(const std::string& name, double processor, double clock)
{
    Times& times = times_[name];
    times.processor.push_back(processor);
    times.clock.push_back(clock);
}

std::optional<double> Table::processor(std::size_t workload, std::size_t contender) const
{
    const auto found = times_.find(Case{workload, contender}.name());
    return found == times_.end() ? std::nullopt : least(found->second.processor);
}

std::optional<double> Table::ratio(std::size_t workload, std::size_t contender) const
{
    return quotient(processor(workload, contender), contender_count > peer ? processor(workload, peer) : std::nullopt);
}

std::optional<double> Table::gain(std::size_t workload, std::size_t contender) const
{
    const auto one = times_.find(Case{workload, contender, 1, true}.name());
    const auto two = times_.find(Case{workload, contender, 2, true}.name());
    if (one == times_.end() || two == times_.end())
    {
        return std::nullopt;
    }
    return *least(one->second.clock) / *least(two->second.clock);
}

bool Table::has(std::size_t workload) const
{
    return processor(workload, eager).has_value();
}

void Table::print() const
{
    print_one_thread();
    print_gains();
}

void Table::print_one_thread() const
{
    std::printf("\nOne thread. us: microseconds of the processor a step, the least of all repetitions. MB: the most "
                "that is held "
                "during a step,\nwith all that the workload needs. Ratio: to LibTorch's, with what is aimed at.\n\n"
                "%-75s %9s %9s %6s %6s %9s %6s %6s  %8s %8s %6s %8s %6s\n",
                "workload", "LibTorch", "eager", "ratio", "target", "compiled", "ratio", "target", "LibTorch", "eager",
                "ratio", "compiled", "ratio");
    std::printf("%-75s %9s %9s %6s %6s %9s %6s %6s  %8s %8s %6s %8s\n", "", "us", "us", "", "", "us", "", "", "MB",
                "MB", "", "MB");
    for (std::size_t workload = 0; workload < workload_count; ++workload)
    {
        if (!has(workload))
        {
            continue;
        }
        const Description what = description(workload);
        const auto memory = [&](std::size_t contender) -> std::optional<double>
        {
            const auto found = memory_.find({workload, contender});
            return found == memory_.end() ? std::nullopt : std::optional(static_cast<double>(found->second) / 1e6);
        };
        const auto memory_ratio = [&](std::size_t contender) { return quotient(memory(contender), memory(peer)); };
        std::printf("%-75s %9s %9s %6s %6s %9s %6s %6s  %8s %8s %6s %8s %6s\n", what.text,
                    measure(contender_count > peer ? processor(workload, peer) : std::nullopt).c_str(),
                    measure(processor(workload, eager)).c_str(), part(ratio(workload, eager)).c_str(),
                    part(given(what.target)).c_str(), measure(processor(workload, compiled)).c_str(),
                    part(ratio(workload, compiled)).c_str(), part(given(what.compiled_target)).c_str(),
                    measure(memory(peer)).c_str(), measure(memory(eager)).c_str(), part(memory_ratio(eager)).c_str(),
                    measure(memory(compiled)).c_str(), part(memory_ratio(compiled)).c_str());
    }
}

void Table::print_gains() const
{
    std::printf("\nTwo threads: how many times faster a step is, by the clock.\n\n%-75s", "workload");
    for (const Contender& contender : contenders)
    {
        std::printf(" %9s", contender.name);
    }
    std::printf("\n");
    for (std::size_t workload = 0; workload < workload_count; ++workload)
    {
        if (!gain(workload, eager))
        {
            continue;
        }
        std::printf("%-75s", description(workload).text);
        for (std::size_t contender = 0; contender < contender_count; ++contender)
        {
            std::printf(" %9s", text(gain(workload, contender), "%.2f").c_str());
        }
        std::printf("\n");
    }
}

void Table::draw(const std::filesystem::path& folder) const
{
    std::ostringstream csv, bars;
    csv << "workload,contender,threads,in_turns,processor,clock\n";
    int rows = 0;
    for (std::size_t workload = workload_count; workload-- > 0;)
    {
        for (std::size_t contender = 0; contender < contender_count; ++contender)
        {
            for (const auto& [threads, in_turns] : {std::pair(1, false), std::pair(1, true), std::pair(2, true)})
            {
                const auto found = times_.find(Case{workload, contender, threads, in_turns}.name());
                for (std::size_t k = 0; found != times_.end() && k < found->second.clock.size(); ++k)
                {
                    csv << description(workload).name << "," << contenders[contender].name << "," << threads << ","
                        << in_turns << "," << found->second.processor[k] << "," << found->second.clock[k] << "\n";
                }
            }
        }
        if (const auto bar = ratio(workload, eager))
        {
            const Description what = description(workload);
            bars << '"' << what.text << "\""
                 << " " << rows++ << " " << *bar << " " << ratio(workload, compiled).value_or(0) << " "
                 << (what.target > 0 ? what.target : 0) << "\n";
        }
    }
    autograd::replace_file((folder / "steps.csv").string(), csv.str());
    if (rows == 0)
    {
        return;
    }
    std::ostringstream script;
    script << "$ratios << EOD\n"
           << bars.str() << "EOD\n"
           << "set termoption noenhanced\nset title 'Time of a step, as a part of what LibTorch takes'\nset logscale "
              "x\nset xrange [0.002:6]\n"
           << "set yrange [-0.7:" << rows << " - 0.3]\nset style fill solid\nset format x '%g'\nset grid x\n"
           << "set key below maxcols 1\nset arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#606060'\n"
           << "plot $ratios using (sqrt(0.002 * $3)):2:(0.002):3:($2 - 0.35):($2 + 0.35):ytic(1) with boxxyerror lt 2 "
              "title 'eager', '' using ($4 > 0 ? $4 : 1/0):2 with points lt 3 pt 7 title 'compiled', "
              "'' using ($5 > 0 ? $5 : 1/0):2 with points lt 1 pt 2 lw 2 title 'aimed at, eager'\n";
    const std::string picture = (folder / "steps.png").string();
    if (optim::run_gnuplot(picture, script.str(), {.width = 1200, .height = 150 + 24 * rows}) == optim::Drawing::done)
    {
        std::printf("\nwrote %s\n", picture.c_str());
    }
}

}
