#pragma once

#include <autograd/testing/differences.hpp>

/// What may be behind a gradient that is wrong.
namespace autograd::testing::detail
{

/// One element that was found wrong.
struct Fault
{
    std::size_t element;
    double analytic;
    double numeric;
    double tolerance;
    Roughness roughness = {};
};

/// All that was found for one output and one input.
struct Block
{
    std::size_t output;
    std::size_t input;
    const Array* analytic;
    std::vector<double> numeric;
    std::vector<Fault> faults = {};
    CheckedElement nearest = {};  ///< of the right ones that nearest to its tolerance
    double nearest_ratio = -1;
};

/// Hints, at most a handful, for a function with so many outputs.
std::vector<std::string> diagnose(const std::vector<Block>& blocks, const Subject& subject, std::size_t outputs,
                                  std::size_t order);

}
