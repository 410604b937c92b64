#include "case.hpp"
#include "optim_line.hpp"

#include <CLI/CLI.hpp>

#include <iomanip>
#include <iostream>
#include <map>

// Runs reference trajectories of PyTorch's optimizers and schedules; README.md beside this file describes them.

namespace
{

using nlohmann::json;

/// What became of the lines of an optimizer, a schedule, or a way to clip.
struct Tally
{
    int passed = 0;
    int failed = 0;
    int unsupported = 0;
    std::vector<std::string> notes;

    const char* verdict() const
    {
        return failed != 0 ? "FAIL" : unsupported == 0 ? "pass" : passed != 0 ? "partly" : "unsupported";
    }
};

void run(const json& line, std::map<std::string, Tally>& tallies)
{
    const char* const kind = line.contains("optimizer") ? "optimizer" : line.contains("schedule") ? "schedule" : "clip";
    const auto name = line.at(kind).get<std::string>();
    Tally& tally = tallies[kind == std::string("clip") ? "clip_grad_" + name : name];
    const std::string options = line.value("options", json::object()).dump() + ": ";
    try
    {
        const std::string text = kind == std::string("optimizer")  ? run_optimizer(line)
                                 : kind == std::string("schedule") ? run_schedule(line)
                                                                   : run_clip(line);
        ++(text.empty() ? tally.passed : tally.failed);
        if (!text.empty())
        {
            tally.notes.push_back(options + text);
        }
    }
    catch (const Unsupported& reason)
    {
        ++tally.unsupported;
        tally.notes.push_back(options + reason.what());
    }
    catch (const std::exception& error)
    {
        ++tally.failed;
        tally.notes.push_back(options + error.what());
    }
}

/// Prints what became of the lines; whether none failed.
bool print(const std::map<std::string, Tally>& tallies)
{
    std::map<std::string, int> verdicts;
    Tally total;
    for (const auto& [name, tally] : tallies)
    {
        std::cout << std::left << std::setw(30) << name << std::setw(12) << tally.verdict() << tally.passed
                  << " passed";
        for (const std::string& note : tally.notes)
        {
            std::cout << "; " << note;
        }
        std::cout << "\n";
        ++verdicts[tally.verdict()];
        total.passed += tally.passed;
        total.failed += tally.failed;
        total.unsupported += tally.unsupported;
    }
    std::cout << "optimizers and schedules: " << verdicts["pass"] << " pass, " << verdicts["partly"] << " partly, "
              << verdicts["FAIL"] << " fail, " << verdicts["unsupported"] << " unsupported; lines: " << total.passed
              << " pass, " << total.failed << " fail, " << total.unsupported << " unsupported\n";
    return total.failed == 0;
}

}

int main(int argc, char** argv)
{
    CLI::App app("Runs reference trajectories of PyTorch's optimizers, schedules and gradient clipping.");
    std::vector<std::string> files;
    app.add_option("lines", files, "files of JSON lines, compressed by gzip or not")
        ->required()
        ->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);
    try
    {
        std::map<std::string, Tally> tallies;
        for (const std::string& file : files)
        {
            for_each_line(file, [&](const json& line) { run(line, tallies); });
        }
        return print(tallies) ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::cerr << "optim_conformance: " << error.what() << "\n";
        return 2;
    }
}
