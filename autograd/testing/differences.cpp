#include <autograd/testing/differences.hpp>
#include <autograd/testing/report.hpp>

#include <algorithm>
#include <cmath>

namespace autograd::testing::detail
{

Array weights(const Shape& shape, std::size_t number)
{
    Array result{shape, std::vector<double>(shape.elements())};
    double phase = 0.37 * static_cast<double>(number);
    for (double& weight : result.elements)
    {
        phase += 0.6180339887498949;
        phase -= std::floor(phase);
        weight = shape.elements() == 1 && number == 0 ? 1.0 : 0.5 + phase;
    }
    return result;
}

double largest(const std::vector<double>& values)
{
    double result = 0;
    for (const double x : values)
    {
        result = std::isfinite(x) ? std::max(result, std::abs(x)) : result;
    }
    return result;
}

bool identical(double a, double b)
{
    return a == b || (std::isnan(a) && std::isnan(b));
}

namespace
{

constexpr std::size_t longer_rung = 1;
constexpr std::size_t shorter_rung = 5;

/// A function that jumps has differences that double whenever the step is halved, without end.
bool jumps(const Ladder& ladder)
{
    for (std::size_t i = 1; i < ladder.size(); ++i)
    {
        const double ratio = ladder[i].central / ladder[i - 1].central;
        if (!(ratio > 1.8 && ratio < 2.2))
        {
            return false;
        }
    }
    return true;
}

/// A smooth function's slopes on the two sides approach each other as the step is halved; at a kink they stay apart.
bool has_kink(const Ladder& ladder, double tolerance)
{
    const auto gap = [](const Rung& rung) { return rung.right - rung.left; };
    const Rung& longer = ladder[longer_rung];
    const Rung& shorter = ladder[shorter_rung];
    const double ratio = gap(shorter) / gap(longer);
    return ratio > 0.7 && ratio < 1.4 && std::abs(gap(shorter)) > std::max(tolerance, 10 * shorter.noise);
}

}

Estimate estimate(const Ladder& ladder)
{
    if (jumps(ladder))
    {
        return {ladder.back().central, 0};
    }
    const std::size_t count = ladder.size() - 1;
    std::vector<double> extrapolated(count);
    for (std::size_t i = 0; i < count; ++i)
    {
        extrapolated[i] = (4 * ladder[i + 1].central - ladder[i].central) / 3;
    }
    const auto spread = [&](std::size_t i) { return std::abs(extrapolated[i] - extrapolated[i + 1]); };
    double scatter = 0;
    for (std::size_t i = count - 5; i + 1 < count; ++i)
    {
        const double amount = spread(i) * ladder[i + 2].step;
        scatter += std::isfinite(amount) ? amount * amount / 4 : 0;
    }
    scatter = std::sqrt(scatter);
    Estimate best;
    for (std::size_t i = 1; i + 1 < count; ++i)
    {
        const double rounding = std::max(2 * ladder[i + 1].noise, 2 * scatter / ladder[i + 1].step);
        const double uncertainty = std::max(spread(i - 1), spread(i)) + rounding;
        if (uncertainty < best.uncertainty)
        {
            best = {extrapolated[i], uncertainty};
        }
    }
    return best;
}

Roughness roughness(const Ladder& ladder, double tolerance)
{
    if (jumps(ladder))
    {
        return {.kind = Roughness::Kind::jump, .height = 2 * ladder.back().central * ladder.back().step};
    }
    if (has_kink(ladder, tolerance))
    {
        const Rung& rung = ladder[shorter_rung];
        return {.kind = Roughness::Kind::kink, .left = rung.left, .right = rung.right};
    }
    return {};
}

Neighbourhood::Neighbourhood(const Subject& subject)
    : subject_(subject), moved_(subject.inputs), centre_(subject.values(subject.inputs))
{
    require_reproducible_values();
    for (const Arrays& group : centre_)
    {
        Arrays& group_weights = weights_.emplace_back();
        double& magnitude = magnitudes_.emplace_back(0);
        for (const Array& array : group)
        {
            group_weights.push_back(weights(array.shape, group_weights.size()));
            magnitude = std::max(magnitude, largest(array.elements));
        }
    }
}

std::vector<Rung> Neighbourhood::along_element(std::size_t input, std::size_t element, double step)
{
    const double before = subject_.inputs[input].elements[element];
    const double above = rounded(before + step);
    const double below = rounded(before - step);
    const std::vector<Arrays> right = with(input, element, above);
    const std::vector<Arrays> left = with(input, element, below);
    std::vector<Rung> result;
    for (std::size_t output = 0; output < outputs(); ++output)
    {
        const Change change = compare(output, left[output], right[output]);
        result.push_back({.central = change.central / (above - below),
                          .right = change.right / (above - before),
                          .left = change.left / (before - below),
                          .noise = change.noise / (above - below),
                          .step = step});
    }
    return result;
}

std::vector<Rung> Neighbourhood::along_direction(const Arrays& direction, const std::vector<Arrays>& gradients,
                                                 double step) const
{
    const Arrays above = shifted(direction, step);
    const Arrays below = shifted(direction, -step);
    const std::vector<Arrays> right = subject_.values(above);
    const std::vector<Arrays> left = subject_.values(below);
    require_shapes(right, "moved by a small step");
    require_shapes(left, "moved by a small step");
    std::vector<Rung> result;
    for (std::size_t output = 0; output < outputs(); ++output)
    {
        double correction = 0;
        for (std::size_t k = 0; k < direction.size(); ++k)
        {
            for (std::size_t i = 0; i < direction[k].elements.size(); ++i)
            {
                correction += gradients[output][k].elements[i] *
                              (2 * step * direction[k].elements[i] - above[k].elements[i] + below[k].elements[i]);
            }
        }
        const Change change = compare(output, left[output], right[output]);
        result.push_back({.central = (change.central + correction) / (2 * step),
                          .right = change.right / step,
                          .left = change.left / step,
                          .noise = change.noise / (2 * step),
                          .step = step});
    }
    return result;
}

double Neighbourhood::rounded(double x) const
{
    return subject_.input_epsilon > 1e-10 ? static_cast<double>(static_cast<float>(x)) : x;
}

std::vector<Arrays> Neighbourhood::with(std::size_t input, std::size_t element, double x)
{
    // Put back also where f throws.
    struct Restored
    {
        double& element;
        const double before = element;
        ~Restored() { element = before; }
    };
    const Restored restored{moved_[input].elements[element]};
    restored.element = x;
    std::vector<Arrays> values = subject_.values(moved_);
    require_shapes(values, "moved by a small step");
    return values;
}

Arrays Neighbourhood::shifted(const Arrays& direction, double step) const
{
    Arrays result = subject_.inputs;
    for (std::size_t k = 0; k < result.size(); ++k)
    {
        for (std::size_t i = 0; i < result[k].elements.size(); ++i)
        {
            double& x = result[k].elements[i];
            x = rounded(x + step * direction[k].elements[i]);
        }
    }
    return result;
}

void Neighbourhood::require_shapes(const std::vector<Arrays>& values, const char* when) const
{
    if (values.size() != centre_.size())
    {
        throw Incomparable{"f gives " + std::to_string(centre_.size()) + " outputs, and " +
                           std::to_string(values.size()) + " when " + when};
    }
    for (std::size_t output = 0; output < values.size(); ++output)
    {
        for (std::size_t j = 0; j < values[output].size(); ++j)
        {
            if (values[output][j].shape != centre_[output][j].shape)
            {
                throw Incomparable{"output " + std::to_string(output) + " has shape " +
                                   to_string(centre_[output][j].shape) + ", and " + to_string(values[output][j].shape) +
                                   " when " + when};
            }
        }
    }
}

void Neighbourhood::require_reproducible_values() const
{
    const std::vector<Arrays> again = subject_.values(subject_.inputs);
    require_shapes(again, "called again at the same point");
    for (std::size_t output = 0; output < centre_.size(); ++output)
    {
        for (std::size_t j = 0; j < centre_[output].size(); ++j)
        {
            const Array& first = centre_[output][j];
            for (std::size_t i = 0; i < first.elements.size(); ++i)
            {
                const double a = first.elements[i];
                const double b = again[output][j].elements[i];
                if (!identical(a, b))
                {
                    throw Incomparable{"f is not deterministic: " + place_text("output ", output, i, first.shape) +
                                       " was " + number(a, 17) + " and then " + number(b, 17) +
                                       " at the same point. Let f draw the same random numbers at every call, and "
                                       "change nothing that it reads"};
                }
                if (std::isnan(a))
                {
                    throw Incomparable{place_text("output ", output, i, first.shape) +
                                       " is NaN at the very point: move it into the domain of f"};
                }
            }
        }
    }
}

Neighbourhood::Change Neighbourhood::compare(std::size_t output, const Arrays& left, const Arrays& right) const
{
    Change change;
    double squares = 0;
    const auto difference = [](double a, double b) { return a == b ? 0.0 : a - b; };
    for (std::size_t j = 0; j < left.size(); ++j)
    {
        for (std::size_t i = 0; i < left[j].elements.size(); ++i)
        {
            const double weight = weights_[output][j].elements[i];
            const double a = left[j].elements[i];
            const double b = right[j].elements[i];
            const double centre = centre_[output][j].elements[i];
            change.central += weight * difference(b, a);
            change.right += weight * difference(b, centre);
            change.left += weight * difference(centre, a);
            if (a != b)
            {
                const double size = weight * std::max(std::abs(a), std::abs(b));
                squares += size * size;
            }
        }
    }
    change.noise = 2 * subject_.value_epsilon * std::sqrt(squares);
    return change;
}

}
