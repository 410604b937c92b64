#pragma once

#include <autograd/testing.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

/// Derivatives by finite differences, and how sure they are.
namespace autograd::testing::detail
{

using Arrays = std::vector<Array>;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Nothing can be compared, and why; caught where the report is made.
struct Incomparable
{
    std::string why;
};

/// What is checked, in one form: functions and hand-written gradients, first and second derivatives. Each output is a
/// group of arrays: one, or, of the second order, the gradients of one.
struct Subject
{
    Arrays inputs;
    double input_epsilon;
    double value_epsilon;
    std::function<std::vector<Arrays>(const Arrays&)> values;
    /// For each output the gradients of its weighted sum with respect to all inputs.
    std::function<std::vector<Arrays>(const Arrays&)> gradients;
    /// Whether no record leads from the input to the output.
    std::function<bool(std::size_t output, std::size_t input)> unconnected;
};

/// The weights of the elements of an array in the sum that is differentiated: between 0.5 and 1.5, no two alike, except
/// that a single number has weight 1. `number` is that of the array in its group.
Array weights(const Shape& shape, std::size_t number);

/// The largest size of those that are finite.
double largest(const std::vector<double>& values);

bool identical(double a, double b);

/// What differences at one distance tell about one output.
struct Rung
{
    double central = nan;
    double right = nan;
    double left = nan;
    double noise = infinity;  ///< of the central one, if every value is rounded once or twice
    double step = 0;
};

using Ladder = std::vector<Rung>;  ///< from the longest step to the shortest

struct Estimate
{
    double value = nan;
    double uncertainty = infinity;
};

/// The derivative by Richardson's extrapolation of neighbouring rungs, (4 D(h/2) - D(h)) / 3, where it depends least on
/// the step. Rounding is taken from the scatter at the shortest steps, if that is more than a rounding of the values.
Estimate estimate(const Ladder& ladder);

/// Where no derivative is to be expected.
struct Roughness
{
    enum class Kind
    {
        none,
        kink,
        jump
    };
    Kind kind = Kind::none;
    double left = 0;  ///< the slopes beside a kink
    double right = 0;
    double height = 0;  ///< of a jump
};

/// Kinks count whose slopes differ by more than the tolerance.
Roughness roughness(const Ladder& ladder, double tolerance);

/// The function near its point.
/// @throws Incomparable if it is not the same when called again, or has other shapes nearby.
class Neighbourhood
{
public:
    explicit Neighbourhood(const Subject& subject);

    std::size_t outputs() const { return centre_.size(); }

    /// The largest element of an output.
    double magnitude(std::size_t output) const { return magnitudes_[output]; }

    /// The differences of all outputs where one element is moved by `step` to both sides.
    std::vector<Rung> along_element(std::size_t input, std::size_t element, double step);

    /// The differences of all outputs where all elements are moved. They are corrected for the rounding of the elements,
    /// by the gradients: where these are right the correction is exact, and where they are wrong it is as wrong as they.
    std::vector<Rung> along_direction(const Arrays& direction, const std::vector<Arrays>& gradients, double step) const;

private:
    struct Change
    {
        double central = 0;
        double right = 0;
        double left = 0;
        double noise = 0;
    };

    double rounded(double x) const;
    /// The values where one element is another.
    std::vector<Arrays> with(std::size_t input, std::size_t element, double x);
    Arrays shifted(const Arrays& direction, double step) const;
    void require_shapes(const std::vector<Arrays>& values, const char* when) const;
    void require_reproducible_values() const;
    /// Outputs that stay as they are say nothing, and so add no rounding either; nor does an infinity that stays.
    Change compare(std::size_t output, const Arrays& left, const Arrays& right) const;

    const Subject& subject_;
    Arrays moved_;
    std::vector<Arrays> centre_;
    std::vector<Arrays> weights_;
    std::vector<double> magnitudes_;
};

}
