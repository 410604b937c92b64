// Measures whole training steps, ours and LibTorch's in turn, and prints a table. Takes Google Benchmark's options.

#include "workload.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace
{

using namespace benchmarks;

#if BENCHMARKS_HAVE_LIBTORCH
constexpr const Library* libraries[] = {&ours, &libtorch};
#else
constexpr const Library* libraries[] = {&ours};
#endif
constexpr std::size_t library_count = std::size(libraries);
constexpr int thread_counts[] = {1, 2};

/// The repetitions of each benchmark, in microseconds a step: of the processor where there is one thread, so that a busy
/// machine disturbs less, else of the clock.
class Table : public benchmark::BenchmarkReporter
{
public:
    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override
    {
        for (const Run& run : runs)
        {
            if (run.run_type == Run::RT_Iteration)
            {
                const bool alone = run.run_name.function_name.ends_with("/1");
                times_[run.run_name.function_name].push_back(
                    (alone ? run.GetAdjustedCPUTime() : run.GetAdjustedRealTime()) / 1e3);
            }
        }
    }

    static std::string key(std::size_t workload, std::size_t library, int threads)
    {
        return std::string(description(workload).name) + "/" + libraries[library]->name + "/" + std::to_string(threads);
    }

    void print() const
    {
        std::printf(
            "\nMicroseconds a step, the least of all repetitions; the median in parentheses. One thread: of the "
            "processor; two: of the clock.\n\n");
        std::printf("%-74s %7s %23s", "workload", "threads", ours.name);
        if (library_count > 1)
        {
            std::printf(" %25s %7s", libraries[library_count - 1]->name, "ratio");
        }
        std::printf("\n");
        for (std::size_t workload = 0; workload < workload_count; ++workload)
        {
            for (int threads : thread_counts)
            {
                print(workload, threads);
            }
        }
    }

private:
    void print(std::size_t workload, int threads) const
    {
        double least[library_count];
        double median[library_count];
        for (std::size_t library = 0; library < library_count; ++library)
        {
            const auto found = times_.find(key(workload, library, threads));
            if (found == times_.end())
            {
                return;
            }
            std::vector<double> times = found->second;
            std::sort(times.begin(), times.end());
            least[library] = times.front();
            median[library] = times[times.size() / 2];
        }
        std::printf("%-74s %7d", description(workload).text, threads);
        for (std::size_t library = 0; library < library_count; ++library)
        {
            std::printf(" %*.*f (%.*f)", library == 0 ? 11 : 13, digits(least[library]), least[library],
                        digits(median[library]), median[library]);
        }
        if (library_count > 1)
        {
            const double ratio = least[0] / least[library_count - 1];
            std::printf(ratio < 0.1 ? "  1/%.0f" : "  %.2f", ratio < 0.1 ? 1 / ratio : ratio);
        }
        std::printf("\n");
    }

    static int digits(double time) { return time < 10 ? 3 : time < 1000 ? 1 : 0; }

    std::map<std::string, std::vector<double>> times_;
};

/// Both libraries must compute the same, or the comparison says nothing.
bool agree(std::size_t workload)
{
    if (library_count == 1)
    {
        return true;
    }
    Workload one = libraries[0]->make(workload);
    Workload other = libraries[library_count - 1]->make(workload);
    for (int step = 0; step < 3; ++step)
    {
        const double a = one.check();
        const double b = other.check();
        const double tolerance = 1e-4 * std::abs(b);
        if (!(std::abs(a - b) <= tolerance))
        {
            std::fprintf(stderr, "%s: step %d gives %.9g with %s, but %.9g with %s\n", description(workload).name, step,
                         a, libraries[0]->name, b, libraries[library_count - 1]->name);
            return false;
        }
    }
    return true;
}

void add(std::size_t workload, std::size_t library, int threads)
{
    auto* const added =
        benchmark::RegisterBenchmark(Table::key(workload, library, threads).c_str(),
                                     [made = Workload(), workload, library](benchmark::State& state) mutable
                                     {
                                         if (!made.step)
                                         {
                                             made = libraries[library]->make(workload);
                                             made.step();
                                         }
                                         for (auto _ : state)
                                         {
                                             made.step();
                                         }
                                     });
    if (threads > 1)
    {
        added->UseRealTime();
    }
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
    // One thread first, while the process has never had more and counts references without locking.
    Table table;
    for (int threads : thread_counts)
    {
        for (const Library* library : libraries)
        {
            library->set_num_threads(threads);
        }
        for (std::size_t workload = 0; workload < workload_count; ++workload)
        {
            if (!agree(workload))
            {
                return 1;
            }
        }
        for (std::size_t workload = 0; workload < workload_count; ++workload)
        {
            for (std::size_t library = 0; library < library_count; ++library)
            {
                add(workload, library, threads);
            }
        }
        benchmark::RunSpecifiedBenchmarks(&table);
        benchmark::ClearRegisteredBenchmarks();
    }
    table.print();
}
