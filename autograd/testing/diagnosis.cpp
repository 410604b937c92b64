#include <autograd/testing/diagnosis.hpp>
#include <autograd/testing/report.hpp>

#include <algorithm>
#include <cmath>

namespace autograd::testing::detail
{

namespace
{

/// Whether b has the values of a, as far as differences can tell.
bool alike(const std::vector<double>& a, const std::vector<double>& b)
{
    const double scale = std::max(largest(a), largest(b));
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        if (!(std::abs(a[i] - b[i]) <= 1e-3 * scale))
        {
            return false;
        }
    }
    return scale > 0;
}

/// Of the matrices in the last two axes, which are square.
std::vector<double> transposed(const std::vector<double>& values, const Shape& shape)
{
    const std::size_t n = shape[shape.rank() - 1];
    std::vector<double> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
    {
        const std::size_t matrix = i / (n * n) * n * n;
        result[matrix + i % n * n + i / n % n] = values[i];
    }
    return result;
}

class Diagnosis
{
public:
    Diagnosis(const std::vector<Block>& blocks, const Subject& subject, std::size_t outputs, std::size_t order)
        : blocks_(blocks), subject_(subject), outputs_(outputs), order_(order)
    {
    }

    std::vector<std::string> hints() const
    {
        constexpr std::size_t most = 5;
        std::vector<std::string> result;
        for (const Block& block : blocks_)
        {
            if (!block.faults.empty() && result.size() < most)
            {
                add_hints(result, block);
            }
        }
        return result;
    }

private:
    std::string block_text(const Block& block) const
    {
        return (outputs_ > 1 ? "output " + std::to_string(block.output) + ", " : std::string()) + "input " +
               std::to_string(block.input);
    }

    std::string place_of(const Block& block, const Fault& fault) const
    {
        return place_text("input ", block.input, fault.element, block.analytic->shape);
    }

    void add_hints(std::vector<std::string>& result, const Block& block) const
    {
        if (add_undefined_hints(result, block) || add_rough_hints(result, block))
        {
            return;
        }
        const std::vector<double>& analytic = block.analytic->elements;
        const Fault& first = block.faults.front();
        if (largest(analytic) == 0)
        {
            const std::string numeric = ", but the numeric derivative is " + number(first.numeric);
            result.push_back(
                subject_.unconnected && subject_.unconnected(block.output, block.input)
                    ? "input " + std::to_string(block.input) + " does not influence " +
                          (order_ == 2 ? "the gradient of " : "") +
                          (outputs_ > 1 ? "output " + std::to_string(block.output) : std::string("the output")) +
                          " along the tape" + numeric + ": was value() used, or stop_gradient?"
                    : block_text(block) + ": all of the gradient is 0" + numeric);
            return;
        }
        if (add_factor_hint(result, block))
        {
            return;
        }
        const Shape& shape = block.analytic->shape;
        const std::size_t rank = shape.rank();
        if (rank >= 2 && shape[rank - 1] == shape[rank - 2] && alike(analytic, transposed(block.numeric, shape)))
        {
            result.push_back(block_text(block) + ": the gradient seems to be transposed");
            return;
        }
        for (const Block& other : blocks_)
        {
            if (other.output == block.output && other.input != block.input && other.analytic->shape == shape &&
                alike(analytic, other.numeric) && alike(other.analytic->elements, block.numeric))
            {
                if (other.input > block.input)
                {
                    result.push_back("the gradients of inputs " + std::to_string(block.input) + " and " +
                                     std::to_string(other.input) + " seem to be swapped");
                }
                return;
            }
        }
    }

    /// What is NaN or infinite explains itself.
    bool add_undefined_hints(std::vector<std::string>& result, const Block& block) const
    {
        const auto undefined = [](const Fault& fault) { return !std::isfinite(fault.analytic); };
        const auto unmeasurable = [](const Fault& fault) { return !std::isfinite(fault.numeric); };
        const auto wrong = std::count_if(block.faults.begin(), block.faults.end(), undefined);
        if (wrong > 0)
        {
            const Fault& fault = *std::find_if(block.faults.begin(), block.faults.end(), undefined);
            result.push_back(block_text(block) + ": " + std::to_string(wrong) + " of " +
                             std::to_string(block.numeric.size()) + " elements of the gradient " +
                             (wrong == 1 ? "is" : "are") + " NaN or infinite" +
                             (std::isfinite(fault.numeric)
                                  ? ", where f is smooth: is there a 0/0, or a where() over a branch that is undefined?"
                                  : std::string()));
            return true;
        }
        const auto edge = std::find_if(block.faults.begin(), block.faults.end(), unmeasurable);
        if (edge != block.faults.end())
        {
            result.push_back("f is not finite, or throws, beside " + place_of(block, *edge) +
                             ": the point is at the edge of its domain. Move it, or give a smaller step");
            return true;
        }
        return false;
    }

    bool add_rough_hints(std::vector<std::string>& result, const Block& block) const
    {
        const Fault* kink = nullptr;
        std::size_t kinks = 0;
        for (const Fault& fault : block.faults)
        {
            if (fault.roughness.kind == Roughness::Kind::jump)
            {
                result.push_back("the function seems to jump at " + place_of(block, fault) + ", by " +
                                 number(fault.roughness.height, 4) + ": move the point, or check it elsewhere");
                return true;
            }
            if (fault.roughness.kind == Roughness::Kind::kink)
            {
                kink = kink == nullptr ? &fault : kink;
                ++kinks;
            }
        }
        if (kink != nullptr)
        {
            result.push_back("the function seems to have a kink at " + place_of(block, *kink) + " (slopes " +
                             number(kink->roughness.left, 4) + " and " + number(kink->roughness.right, 4) +
                             " on the two sides)" +
                             (kinks > 1 ? ", and at " + std::to_string(kinks - 1) + " more" : std::string()) +
                             ": move the point, or check it elsewhere");
        }
        return kink != nullptr && kinks == block.faults.size();
    }

    bool add_factor_hint(std::vector<std::string>& result, const Block& block) const
    {
        const std::vector<double>& analytic = block.analytic->elements;
        double products = 0;
        double squares = 0;
        const double scale = largest(block.numeric);
        std::size_t significant = 0;
        for (std::size_t i = 0; i < analytic.size(); ++i)
        {
            products += analytic[i] * block.numeric[i];
            squares += block.numeric[i] * block.numeric[i];
            significant += std::abs(block.numeric[i]) > 1e-2 * scale ? 1 : 0;
        }
        const double factor = products / squares;
        if (!(std::abs(factor) > 1e-2 && std::abs(factor) < 1e2))
        {
            return false;
        }
        const double residual = 0.02 * std::abs(factor - 1) * scale;
        for (std::size_t i = 0; i < analytic.size(); ++i)
        {
            if (!(std::abs(analytic[i] - factor * block.numeric[i]) <= residual))
            {
                return false;
            }
        }
        if (std::abs(factor + 1) < 1e-3)
        {
            result.push_back(block_text(block) + ": the sign is wrong: analytic = -numeric everywhere");
            return true;
        }
        const auto simple = [](double x) { return std::abs(x - std::round(x)) < 1e-3 && std::abs(x) < 4.5; };
        if (significant < 2 && !simple(factor) && !simple(1 / factor))
        {
            return false;
        }
        result.push_back(block_text(block) + ": off by a constant factor of " + number(factor, 5) +
                         ": analytic = " + number(factor, 5) + " x numeric everywhere");
        return true;
    }

    const std::vector<Block>& blocks_;
    const Subject& subject_;
    std::size_t outputs_;
    std::size_t order_;
};

}

std::vector<std::string> diagnose(const std::vector<Block>& blocks, const Subject& subject, std::size_t outputs,
                                  std::size_t order)
{
    return Diagnosis(blocks, subject, outputs, order).hints();
}

}
