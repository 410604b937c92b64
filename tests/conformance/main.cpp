#include "evaluation.hpp"

#include <CLI/CLI.hpp>

#include <iomanip>
#include <iostream>

// Runs reference cases of PyTorch's operators; README.md beside this file says what they are and how this reads them.

namespace
{

/// Where an operation's own conditioning asks for less than the usual.
struct Exception
{
    const char* operation;
    Tolerance tolerance;
    const char* reason;
};

constexpr Tolerance usual{1e-6, 1e-8};
constexpr Tolerance usual_in_float{1e-4, 1e-5, true};

constexpr Exception exceptions[] = {
    {"cov", {1e-6, 5e-6}, "weights are rounded to float, and so are their gradients, which cancel"},
};

constexpr Exception exceptions_in_float[] = {
    {"", usual_in_float, ""},
};

Tolerance tolerance_of(const std::string& operation, bool in_float)
{
    const std::span<const Exception> table = in_float ? std::span(exceptions_in_float) : std::span(exceptions);
    for (const Exception& exception : table)
    {
        if (exception.operation == operation)
        {
            return exception.tolerance;
        }
    }
    return in_float ? usual_in_float : usual;
}

struct Catalogue
{
    std::map<std::string, Mapping> mappings;
    std::map<std::string, std::string> declined;

    Catalogue()
    {
        for (const Family& family :
             {elementwise_mappings(), activation_mappings(), reduction_mappings(), shape_mappings(), index_mappings(),
              linalg_mappings(), convolution_mappings(), nn_mappings(), loss_mappings()})
        {
            for (const Mapping& mapping : family.mappings)
            {
                if (!mappings.emplace(mapping.name, mapping).second)
                {
                    throw std::logic_error(std::string(mapping.name) + " is mapped twice");
                }
            }
            for (const Declined& operation : family.declined)
            {
                declined.emplace(operation.name, operation.reason);
            }
        }
    }
};

/// What became of the cases of an operation.
struct Tally
{
    int passed = 0;
    int failed = 0;
    int unsupported = 0;
    std::vector<std::string> failures;
    std::set<std::string> reasons;

    const char* verdict() const
    {
        return failed != 0 ? "FAIL" : unsupported == 0 ? "pass" : passed != 0 ? "partly" : "unsupported";
    }
};

void run(const Mapping& mapping, const Case& example, bool in_float, Tally& tally)
{
    try
    {
        const Results wanted = in_float ? evaluate<double>(mapping, example, true) : expected(example);
        const Results found =
            in_float ? evaluate<float>(mapping, example, true) : evaluate<double>(mapping, example, false);
        const std::string text = difference(found, wanted, tolerance_of(example.operation, in_float));
        if (text.empty())
        {
            ++tally.passed;
            return;
        }
        tally.failures.push_back(text);
    }
    catch (const Unsupported& reason)
    {
        ++tally.unsupported;
        tally.reasons.insert(reason.what());
        return;
    }
    catch (const std::exception& error)
    {
        tally.failures.push_back(error.what());
    }
    ++tally.failed;
    tally.failures.back() = "case " + std::to_string(example.number) +
                            (example.variant.empty() ? "" : " of " + example.variant) + ": " + tally.failures.back();
}

void print(const std::string& operation, const Tally& tally, bool all)
{
    std::cout << std::left << std::setw(48) << operation << std::setw(12) << tally.verdict() << tally.passed
              << " passed";
    if (tally.failed != 0)
    {
        std::cout << ", " << tally.failed << " failed";
    }
    if (tally.unsupported != 0)
    {
        std::cout << ", " << tally.unsupported << " unsupported";
    }
    const char* separator = ": ";
    for (std::size_t k = 0; k < tally.failures.size() && (all || k == 0); ++k)
    {
        std::cout << std::exchange(separator, "; ") << tally.failures[k];
    }
    for (const std::string& reason : tally.reasons)
    {
        std::cout << std::exchange(separator, "; ") << reason;
    }
    std::cout << "\n";
}

/// Runs the cases and prints what became of them; whether none failed.
bool run_all(const std::vector<std::string>& files, const std::string& only, bool in_float)
{
    const Catalogue catalogue;
    std::vector<std::string> order;
    std::map<std::string, Tally> tallies;
    for (const std::string& file : files)
    {
        for (const Case& example : read_cases(file))
        {
            if (!only.empty() && example.operation != only)
            {
                continue;
            }
            if (!tallies.contains(example.operation))
            {
                order.push_back(example.operation);
            }
            Tally& tally = tallies[example.operation];
            const auto mapping = catalogue.mappings.find(example.operation);
            if (mapping != catalogue.mappings.end())
            {
                run(mapping->second, example, in_float, tally);
                continue;
            }
            ++tally.unsupported;
            const auto reason = catalogue.declined.find(example.operation);
            tally.reasons.insert(reason != catalogue.declined.end() ? reason->second : "no such operation here");
        }
    }
    std::map<std::string, int> verdicts;
    Tally total;
    for (const std::string& operation : order)
    {
        const Tally& tally = tallies[operation];
        print(operation, tally, !only.empty());
        ++verdicts[tally.verdict()];
        total.passed += tally.passed;
        total.failed += tally.failed;
        total.unsupported += tally.unsupported;
    }
    std::cout << "operations: " << verdicts["pass"] << " pass, " << verdicts["partly"] << " partly, "
              << verdicts["FAIL"] << " fail, " << verdicts["unsupported"] << " unsupported; cases: " << total.passed
              << " pass, " << total.failed << " fail, " << total.unsupported << " unsupported\n";
    return total.failed == 0;
}

void list()
{
    const Catalogue catalogue;
    for (const auto& [name, mapping] : catalogue.mappings)
    {
        std::cout << std::left << std::setw(48) << name << mapping.signature << "\n";
    }
    for (const auto& [name, reason] : catalogue.declined)
    {
        std::cout << std::left << std::setw(48) << name << "not offered: " << reason << "\n";
    }
}

}

int main(int argc, char** argv)
{
    CLI::App app("Runs reference cases of PyTorch's operators, and compares values, first and second derivatives.");
    std::vector<std::string> files;
    std::string operation;
    bool listing = false;
    bool in_float = false;
    app.add_option("cases", files, "files of cases: JSON lines, compressed by gzip or not")->check(CLI::ExistingFile);
    app.add_option("--op", operation, "only the cases of this operation, with every failure");
    app.add_flag("--list", listing, "list the operations that are offered, with PyTorch's parameters");
    app.add_flag("--float", in_float,
                 "in float, with inputs rounded to float, against the results in double for the same inputs");
    CLI11_PARSE(app, argc, argv);
    try
    {
        if (listing)
        {
            list();
            return 0;
        }
        if (files.empty())
        {
            std::cerr << "conformance: give at least one file of cases, or --list\n";
            return 2;
        }
        return run_all(files, operation, in_float) ? 0 : 1;
    }
    catch (const std::exception& error)
    {
        std::cerr << "conformance: " << error.what() << "\n";
        return 2;
    }
}
