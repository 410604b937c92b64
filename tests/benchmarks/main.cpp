// Measures whole training steps, ours and LibTorch's in turn, prints a table and draws it beside this program. Takes
// Google Benchmark's options.

#include "heap.hpp"
#include "table.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <regex>
#include <thread>

namespace
{

using namespace benchmarks;

class Reporter : public benchmark::BenchmarkReporter
{
public:
    explicit Reporter(Table& table) : table_(table) {}

    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override
    {
        for (const Run& run : runs)
        {
            if (run.run_type == Run::RT_Iteration)
            {
                table_.add(run.run_name.function_name, run.GetAdjustedCPUTime() / 1e3, run.GetAdjustedRealTime() / 1e3);
            }
        }
    }

private:
    Table& table_;
};

Variant make(const Case& which)
{
    const Contender& contender = contenders[which.contender];
    return contender.library->make(which.workload).*contender.variant;
}

/// All must compute the same, or the comparison says nothing.
bool agree(const std::vector<Case>& cases)
{
    std::vector<Variant> variants;
    for (const Case& which : cases)
    {
        variants.push_back(make(which));
    }
    for (int step = 0; step < 3; ++step)
    {
        const double first = variants[0].check();
        for (std::size_t k = 1; k < variants.size(); ++k)
        {
            const double other = variants[k].check();
            if (!(std::abs(first - other) <= 1e-4 * std::abs(other)))
            {
                std::fprintf(stderr, "step %d: %s gives %.9g, but %s %.9g\n", step, cases[0].name().c_str(), first,
                             cases[k].name().c_str(), other);
                return false;
            }
        }
    }
    return true;
}

std::int64_t memory_of_step(const Case& which)
{
    const Library& library = *contenders[which.contender].library;
    library.release_memory();
    Variant made;
    const std::int64_t peak = peak_memory(
        [&]
        {
            made = make(which);
            made.step();
            made.step();
            library.release_memory();
        },
        [&] { made.step(); });
    return peak;
}

std::size_t added = 0;

void add(const Case& which)
{
    ++added;
    benchmark::RegisterBenchmark(which.name().c_str(),
                                 [made = Variant(), which](benchmark::State& state) mutable
                                 {
                                     if (!made.step)
                                     {
                                         made = make(which);
                                     }
                                     contenders[which.contender].library->set_num_threads(which.threads);
                                     // The first two calls of a compiled step record it.
                                     made.step();
                                     made.step();
                                     for (auto _ : state)
                                     {
                                         made.step();
                                     }
                                 })
        ->MeasureProcessCPUTime()
        ->UseRealTime();
}

/// Those that were added, in random order; nothing if there is none, of which Google Benchmark would complain.
void run_added(Table& table)
{
    if (added > 0)
    {
        Reporter reporter(table);
        benchmark::RunSpecifiedBenchmarks(&reporter);
        benchmark::ClearRegisteredBenchmarks();
        added = 0;
    }
}

bool is_wanted(const Case& which)
{
    const std::string filter = benchmark::GetBenchmarkFilter();
    return filter.empty() || filter == "all" || std::regex_search(which.name(), std::regex(filter));
}

/// The contenders that a workload is written for, and that are asked for.
std::vector<Case> cases(std::size_t workload, int threads, bool in_turns)
{
    std::vector<Case> found;
    for (std::size_t contender = 0; contender < contender_count; ++contender)
    {
        const Case which{workload, contender, threads, in_turns};
        if (is_wanted(which) && make(which).step)
        {
            found.push_back(which);
        }
    }
    return found;
}

}

int main(int argc, char** argv)
{
    // Machines are noisy: short repetitions, those of all benchmarks in random order.
    std::vector<std::string> defaults = {"--benchmark_repetitions=9", "--benchmark_min_time=0.1",
                                         "--benchmark_enable_random_interleaving=true"};
    std::vector<char*> arguments = {argv[0]};
    for (std::string& option : defaults)
    {
        arguments.push_back(option.data());
    }
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data()))
    {
        return 2;
    }

    for (const Library* library : libraries)
    {
        std::printf("%s: %s\n", library->name, library->describe().c_str());
    }
    double load = 0;
    const auto processors = std::thread::hardware_concurrency();
    if (getloadavg(&load, 1) == 1 && load > 0.5 * processors)
    {
        std::printf("The machine is busy: a load of %.1f on %u processors. What two threads take means little now.\n",
                    load, processors);
    }
    Table table;
    for (const Library* library : libraries)
    {
        library->set_num_threads(1);
    }
    for (std::size_t workload = 0; workload < workload_count; ++workload)
    {
        const std::vector<Case> which = cases(workload, 1, false);
        if (!which.empty() && !agree(which))
        {
            return 1;
        }
        for (const Case& one : which)
        {
            table.add_memory(one, memory_of_step(one));
            add(one);
        }
    }
    run_added(table);

    for (int threads : {1, 2})
    {
        for (const Library* library : libraries)
        {
            library->set_num_threads(threads);
        }
        for (std::size_t workload = 0; workload < workload_count; ++workload)
        {
            const std::vector<Case> which = cases(workload, threads, true);
            if (!which.empty() && !agree(which))
            {
                return 1;
            }
            for (const Case& one : which)
            {
                add(one);
            }
        }
    }
    run_added(table);
    table.print();
    table.draw(std::filesystem::path(argv[0]).parent_path());
}
