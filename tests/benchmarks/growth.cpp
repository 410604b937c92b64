// How time and memory grow with the number of operations, of elements and of rows, and what a second thread gains:
// and after how many steps it pays to compile one: prints tables, and draws them beside this program. Takes what to
// measure: operations, elements, planning, elements_threads, rows_threads; all if nothing is given.

#include "heap.hpp"
#include "table.hpp"

#include <autograd/io.hpp>
#include <optim/loop/picture.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>
#include <sstream>

#include <time.h>
#include <unistd.h>

namespace
{

using namespace benchmarks;

struct Point
{
    std::size_t size;
    double seconds;  ///< of a step
    double bytes;    ///< that a step holds at most
};

double now(clockid_t clock)
{
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& step, std::size_t steps, clockid_t clock)
{
    const double begin = now(clock);
    for (std::size_t k = 0; k < steps; ++k)
    {
        step();
    }
    return (now(clock) - begin) / static_cast<double>(steps);
}

/// As many steps as are worth a measurement.
std::size_t steps_of(double seconds)
{
    constexpr double worth = 0.01;
    return static_cast<std::size_t>(std::max(1.0, worth / seconds));
}

/// The least time of a step of one thread, of the processor so that a busy machine disturbs less.
double least_seconds(const std::function<void()>& step, double first)
{
    double least = first;
    double whole = first;
    for (int k = 0; k < 15 && whole < 1; ++k)
    {
        const std::size_t steps = steps_of(least);
        const double seconds = seconds_of(step, steps, CLOCK_PROCESS_CPUTIME_ID);
        least = std::min(least, seconds);
        whole += seconds * static_cast<double>(steps);
    }
    return least;
}

double free_memory()
{
    return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// The sizes that half of the free memory suffices for.
std::vector<Point> measure(const Library& library, Growth growth, const std::vector<std::size_t>& sizes)
{
    std::vector<Point> points;
    for (std::size_t size : sizes)
    {
        if (!points.empty())
        {
            const Point& last = points.back();
            const double expected = last.bytes * static_cast<double>(size) / static_cast<double>(last.size);
            if (expected > free_memory() / 2)
            {
                std::printf("%s: left out %zu, which would take %.1f GB.\n", library.name, size, expected / 1e9);
                break;
            }
        }
        library.release_memory();
        std::function<void()> step;
        double first = 0;
        const auto bytes = peak_memory(
            [&]
            {
                step = library.grow(growth, size).eager.step;
                step();
            },
            [&] { first = seconds_of(step, 1, CLOCK_PROCESS_CPUTIME_ID); });
        points.push_back({size, least_seconds(step, first), static_cast<double>(bytes)});
    }
    library.release_memory();
    return points;
}

/// How many times faster two threads are; alternately with one, so that both meet the same disturbances.
double gain_of_two_threads(const Library& library, Growth growth, std::size_t size)
{
    const auto step = library.grow(growth, size).eager.step;
    step();
    const std::size_t steps = steps_of(seconds_of(step, 1, CLOCK_MONOTONIC));
    double least[2] = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    for (int repetition = 0; repetition < 15; ++repetition)
    {
        for (int threads = 1; threads <= 2; ++threads)
        {
            library.set_num_threads(threads);
            least[threads - 1] = std::min(least[threads - 1], seconds_of(step, steps, CLOCK_MONOTONIC));
        }
    }
    library.set_num_threads(1);
    return least[0] / least[1];
}

/// What the first two calls of a compiled step take, which record and plan it, in the time of eager steps.
double steps_of_planning(const Library& library, Growth growth, std::size_t size)
{
    double eager = std::numeric_limits<double>::infinity();
    double planning = eager;
    for (int repetition = 0; repetition < 15; ++repetition)
    {
        const Workload workload = library.grow(growth, size);
        workload.eager.step();
        const std::size_t steps = steps_of(seconds_of(workload.eager.step, 1, CLOCK_PROCESS_CPUTIME_ID));
        eager = std::min(eager, seconds_of(workload.eager.step, steps, CLOCK_PROCESS_CPUTIME_ID));
        planning = std::min(planning, 2 * seconds_of(workload.compiled.step, 2, CLOCK_PROCESS_CPUTIME_ID));
    }
    return planning / eager;
}

struct Series
{
    std::string name;
    std::vector<std::array<double, 2>> points;
};

struct Diagram
{
    std::string file;
    std::string title;
    std::string x_label;
    std::string y_label;
    bool logarithmic;
    std::vector<Series> series;
};

void print(const Diagram& diagram)
{
    std::printf("\n%s\n\n%14s", diagram.title.c_str(), diagram.x_label.c_str());
    std::size_t rows = 0;
    for (const Series& series : diagram.series)
    {
        std::printf(" %24s", series.name.c_str());
        rows = std::max(rows, series.points.size());
    }
    for (std::size_t row = 0; row < rows; ++row)
    {
        std::printf("\n%14.0f", diagram.series[0].points[row][0]);
        for (const Series& series : diagram.series)
        {
            if (row < series.points.size())
            {
                std::printf(" %24.4g", series.points[row][1]);
            }
            else
            {
                std::printf(" %24s", "-");
            }
        }
    }
    std::printf("\n");
    std::fflush(stdout);
}

void draw(const std::filesystem::path& folder, const Diagram& diagram)
{
    std::ostringstream csv, script, plots;
    csv << "series," << diagram.x_label << "," << diagram.y_label << "\n";
    for (std::size_t k = 0; k < diagram.series.size(); ++k)
    {
        const Series& series = diagram.series[k];
        script << "$series" << k << " << EOD\n";
        for (const auto& [x, y] : series.points)
        {
            csv << series.name << "," << x << "," << y << "\n";
            script << x << " " << y << "\n";
        }
        script << "EOD\n";
        plots << (k == 0 ? "plot " : ", ") << "$series" << k << " using 1:2 with linespoints pt 7 ps 0.6 lw 2 title "
              << optim::gnuplot_text(series.name);
    }
    script << "set title " << optim::gnuplot_text(diagram.title) << "\nset xlabel "
           << optim::gnuplot_text(diagram.x_label) << "\nset ylabel " << optim::gnuplot_text(diagram.y_label)
           << "\nset logscale x\nset format x '10^{%T}'\n"
           << (diagram.logarithmic ? "set logscale y\n" : "set yrange [0:]\n") << plots.str() << "\n";
    autograd::replace_file((folder / (diagram.file + ".csv")).string(), csv.str());
    const std::string picture = (folder / (diagram.file + ".png")).string();
    if (optim::run_gnuplot(picture, script.str()) == optim::Drawing::done)
    {
        std::printf("wrote %s\n", picture.c_str());
    }
}

/// 1, 3, 10, 30, ... of both bounds' decades.
std::vector<std::size_t> decades(double from, double to)
{
    std::vector<std::size_t> sizes;
    for (double size = from; size <= to; size *= 10)
    {
        sizes.push_back(static_cast<std::size_t>(size));
        if (3 * size <= to)
        {
            sizes.push_back(static_cast<std::size_t>(3 * size));
        }
    }
    return sizes;
}

}

int main(int argc, char** argv)
{
    const std::set<std::string> wanted(argv + 1, argv + argc);
    const auto asked_for = [&](const std::string& picture) { return wanted.empty() || wanted.contains(picture); };
    const auto folder = std::filesystem::path(argv[0]).parent_path();
    const auto show = [&](const Diagram& diagram)
    {
        print(diagram);
        draw(folder, diagram);
    };
    for (const Library* library : libraries)
    {
        std::printf("%s: %s\n", library->name, library->describe().c_str());
        library->set_num_threads(1);
    }

    // One thread first, while the process has never had more and counts references without locking.
    struct Axis
    {
        Growth growth;
        const char* name;
        const char* what;
        std::vector<std::size_t> sizes;
    };
    const Axis axes[] = {{Growth::operations, "operations", "operation on a scalar", decades(1e2, 1e7)},
                         {Growth::elements, "elements", "element of sum(sin(x) x), float", decades(1, 1e8)}};
    for (const Axis& axis : axes)
    {
        if (!asked_for(axis.name))
        {
            continue;
        }
        const std::string of = std::string(", forward and backward, an ") + axis.what;
        Diagram time{std::string(axis.name) + "_time", "Time" + of, axis.name, "nanoseconds", true, {}};
        Diagram memory{std::string(axis.name) + "_memory", "Memory" + of, axis.name, "bytes", true, {}};
        for (const Library* library : libraries)
        {
            Series times{library->name, {}}, sizes{library->name, {}};
            for (const Point& point : measure(*library, axis.growth, axis.sizes))
            {
                const auto size = static_cast<double>(point.size);
                times.points.push_back({size, point.seconds / size * 1e9});
                sizes.points.push_back({size, point.bytes / size});
            }
            time.series.push_back(times);
            memory.series.push_back(sizes);
        }
        show(time);
        show(memory);
    }

    if (asked_for("planning"))
    {
        Diagram planning{"planning", "Recording and planning a step of scalars", "operations", "eager steps", false,
                         {}};
        for (const Library* library : libraries)
        {
            Series series{library->name, {}};
            for (std::size_t size : decades(1e2, 1e4))
            {
                if (library->grow(Growth::operations, size).compiled.step)
                {
                    series.points.push_back(
                        {static_cast<double>(size), steps_of_planning(*library, Growth::operations, size)});
                }
            }
            if (!series.points.empty())
            {
                planning.series.push_back(series);
            }
        }
        show(planning);
    }

    const Axis shared[] = {{Growth::elements, "elements", "sum(sin(x) x), float", decades(1e2, 1e7)},
                           {Growth::rows,
                            "rows",
                            "square products of so many rows, float",
                            {8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}}};
    for (const Axis& axis : shared)
    {
        if (!asked_for(std::string(axis.name) + "_threads"))
        {
            continue;
        }
        Diagram gains{std::string(axis.name) + "_threads",
                      std::string("How many times faster two threads are: ") + axis.what,
                      axis.name,
                      "times",
                      false,
                      {}};
        for (const Library* library : libraries)
        {
            Series series{library->name, {}};
            for (std::size_t size : axis.sizes)
            {
                series.points.push_back({static_cast<double>(size), gain_of_two_threads(*library, axis.growth, size)});
            }
            gains.series.push_back(series);
        }
        show(gains);
    }
}
