#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/tape.hpp>
#include <autograd/testing.hpp>
#include <autograd/testing/diagnosis.hpp>
#include <autograd/testing/differences.hpp>
#include <autograd/testing/report.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace autograd::testing
{

using namespace detail;

namespace
{

/// Steps are halved this often; the first comparison is made with the fourth.
constexpr std::size_t rungs = 8;
constexpr std::size_t usual_rung = 3;
/// The direction of the fast mode moves all elements, which may need much shorter steps.
constexpr std::size_t rungs_along_direction = 16;

double ratio_of(double error, double tolerance)
{
    if (error == 0)
    {
        return 0;
    }
    return std::isnan(error) || tolerance == 0 ? infinity : error / tolerance;
}

class Checker
{
public:
    Checker(const Subject& subject, const CheckOptions& options, std::size_t order)
        : subject_(subject), options_(options), order_(order), neighbourhood_(subject),
          gradients_(subject.gradients(subject.inputs))
    {
        require_reproducible_gradients();
        const double epsilon = std::max(subject.input_epsilon, subject.value_epsilon);
        longest_ = options.step > 0 ? options.step : 8 * std::cbrt(subject.value_epsilon);
        rtol_ = options.rtol > 0 ? options.rtol : (epsilon > 1e-10 ? 2e-4 : 1e-6);
        share_ = epsilon > 1e-10 ? 2e-5 : 1e-9;
        for (const Arrays& gradient : gradients_)
        {
            std::vector<double>& sizes = largest_.emplace_back();
            for (const Array& array : gradient)
            {
                sizes.push_back(largest(array.elements));
            }
        }
    }

    CheckReport all_elements()
    {
        std::vector<Block> blocks;
        for (std::size_t output = 0; output < neighbourhood_.outputs(); ++output)
        {
            for (std::size_t input = 0; input < subject_.inputs.size(); ++input)
            {
                blocks.push_back({.output = output,
                                  .input = input,
                                  .analytic = &gradients_[output][input],
                                  .numeric = std::vector<double>(subject_.inputs[input].elements.size())});
            }
        }
        for (std::size_t input = 0; input < subject_.inputs.size(); ++input)
        {
            for (std::size_t element = 0; element < subject_.inputs[input].elements.size(); ++element)
            {
                check_element(blocks, input, element);
            }
        }
        return report(blocks);
    }

    CheckReport one_direction()
    {
        const Arrays direction = random_direction();
        std::vector<double> analytic;
        std::vector<double> sizes;
        std::vector<double> floors;
        for (const Arrays& gradient : gradients_)
        {
            double sum = 0;
            double squares = 0;
            for (std::size_t k = 0; k < direction.size(); ++k)
            {
                for (std::size_t i = 0; i < direction[k].elements.size(); ++i)
                {
                    const double part = gradient[k].elements[i] * direction[k].elements[i];
                    sum += part;
                    squares += part * part;
                }
            }
            analytic.push_back(sum);
            sizes.push_back(std::sqrt(squares));
            floors.push_back(floor(floors.size(), sizes.back(), 1));
        }
        const auto rung_at = [&](double step) { return neighbourhood_.along_direction(direction, gradients_, step); };
        const std::vector<Judgement> judgements =
            judge(analytic, floors, {longest_, 0.77 * longest_}, rung_at, rungs_along_direction);
        CheckReport result = blank_report();
        result.projected = true;
        double worst_ratio = -1;
        for (std::size_t output = 0; output < judgements.size(); ++output)
        {
            const Judgement& judgement = judgements[output];
            const double error = std::abs(analytic[output] - judgement.numeric);
            ++result.compared;
            // What cannot be told to a hundredth is left to the elements.
            const bool certain = judgement.uncertainty <= floors[output] + 1e-2 * sizes[output];
            result.differing += judgement.right && certain ? 0 : 1;
            if (ratio_of(error, judgement.tolerance) > worst_ratio)
            {
                worst_ratio = ratio_of(error, judgement.tolerance);
                result.worst = {{.output = output,
                                 .analytic = analytic[output],
                                 .numeric = judgement.numeric,
                                 .error = error,
                                 .tolerance = judgement.tolerance}};
            }
        }
        result.passed = result.differing == 0;
        return result;
    }

private:
    struct Judgement
    {
        bool right = false;
        double numeric = nan;
        double tolerance = 0;
        double uncertainty = 0;
        Ladder ladder = {};
    };

    CheckReport blank_report() const { return {.order = order_, .outputs = neighbourhood_.outputs()}; }

    void require_reproducible_gradients() const
    {
        const std::vector<Arrays> again = subject_.gradients(subject_.inputs);
        for (std::size_t output = 0; output < gradients_.size(); ++output)
        {
            for (std::size_t k = 0; k < subject_.inputs.size(); ++k)
            {
                const Array& first = gradients_[output][k];
                if (first.shape != subject_.inputs[k].shape)
                {
                    throw Incomparable{
                        "a gradient has the shape of what it is with respect to: the gradient has shape " +
                        to_string(first.shape) + ", the point " + to_string(subject_.inputs[k].shape)};
                }
                for (std::size_t i = 0; i < first.elements.size(); ++i)
                {
                    if (again.size() != gradients_.size() || again[output][k].shape != first.shape ||
                        !identical(first.elements[i], again[output][k].elements[i]))
                    {
                        throw Incomparable{"the gradient is not deterministic, though f is: that of " +
                                           place_text("input ", k, i, first.shape) + " was " +
                                           number(first.elements[i], 17) + " and then " +
                                           number(again[output][k].elements[i], 17) + " at the same point"};
                    }
                }
            }
        }
    }

    /// Compares with one rung, then, where that will not do, with ladders from each of the longest steps: an element is
    /// wrong if none of them confirms it.
    template <class RungAt>
    std::vector<Judgement> judge(const std::vector<double>& analytic, const std::vector<double>& floors,
                                 const std::vector<double>& longest, const RungAt& rung_at, std::size_t length)
    {
        const std::vector<Rung> first = rung_at(std::ldexp(longest[0], -static_cast<int>(usual_rung)));
        std::vector<Judgement> judgements(analytic.size());
        bool done = true;
        for (std::size_t output = 0; output < analytic.size(); ++output)
        {
            Judgement& judgement = judgements[output];
            judgement.numeric = first[output].central;
            judgement.tolerance = tolerance(judgement.numeric, floors[output]);
            judgement.right = std::abs(analytic[output] - judgement.numeric) <= judgement.tolerance;
            done = done && judgement.right;
        }
        for (std::size_t attempt = 0; attempt < longest.size() && !done; ++attempt)
        {
            const std::vector<Ladder> ladders = climb(longest[attempt], rung_at, length);
            done = true;
            for (std::size_t output = 0; output < analytic.size(); ++output)
            {
                if (!judgements[output].right)
                {
                    refine(judgements[output], analytic[output], floors[output], ladders[output], attempt == 0);
                    done = done && judgements[output].right;
                }
            }
        }
        return judgements;
    }

    void refine(Judgement& judgement, double analytic, double floor, const Ladder& ladder, bool first) const
    {
        const Estimate found = estimate(ladder);
        const double allowed = tolerance(found.value, floor) + (std::isnan(found.value) ? 0 : found.uncertainty);
        const bool right = std::abs(analytic - found.value) <= allowed;
        if (right || first || allowed < judgement.tolerance || std::isnan(judgement.numeric))
        {
            judgement = {right, found.value, allowed, found.uncertainty, ladder};
        }
    }

    template <class RungAt>
    std::vector<Ladder> climb(double longest, const RungAt& rung_at, std::size_t length)
    {
        std::vector<Ladder> ladders(neighbourhood_.outputs());
        for (std::size_t i = 0; i < length; ++i)
        {
            const double step = std::ldexp(longest, -static_cast<int>(i));
            std::vector<Rung> rung(ladders.size(), Rung{.step = step});
            try
            {
                rung = rung_at(step);
            }
            catch (...)
            {
                // A step longer than the first, which f has survived, may leave its domain.
            }
            for (std::size_t output = 0; output < ladders.size(); ++output)
            {
                ladders[output].push_back(rung[output]);
            }
        }
        return ladders;
    }

    double tolerance(double numeric, double floor) const
    {
        return floor + (std::isfinite(numeric) ? rtol_ * std::abs(numeric) : 0.0);
    }

    /// The tolerance for a derivative of 0: a small share of the largest, and a few roundings of the value, which the tape
    /// makes, too.
    double floor(std::size_t output, double largest, double scale) const
    {
        return options_.atol > 0
                   ? options_.atol
                   : share_ * largest + 8 * subject_.value_epsilon * neighbourhood_.magnitude(output) / scale;
    }

    void check_element(std::vector<Block>& blocks, std::size_t input, std::size_t element)
    {
        const double x = std::abs(subject_.inputs[input].elements[element]);
        if (!std::isfinite(x))
        {
            throw Incomparable{place_text("input ", input, element, subject_.inputs[input].shape) +
                               " is not finite: there are no differences to compare with"};
        }
        std::vector<double> longest{longest_ * std::max(1.0, x), 0.77 * longest_ * std::max(1.0, x)};
        if (x > 0 && x < 0.1)
        {
            longest.push_back(longest_ * x);
        }
        std::vector<double> analytic;
        std::vector<double> floors;
        for (const Arrays& gradient : gradients_)
        {
            analytic.push_back(gradient[input].elements[element]);
            floors.push_back(floor(floors.size(), largest_[floors.size()][input], std::max(1.0, x)));
        }
        const auto rung_at = [&](double step) { return neighbourhood_.along_element(input, element, step); };
        const std::vector<Judgement> judgements = judge(analytic, floors, longest, rung_at, rungs);
        for (std::size_t output = 0; output < judgements.size(); ++output)
        {
            const Judgement& judgement = judgements[output];
            Block& block = blocks[output * subject_.inputs.size() + input];
            block.numeric[element] = judgement.numeric;
            const double error = std::abs(analytic[output] - judgement.numeric);
            if (!judgement.right)
            {
                block.faults.push_back({element, analytic[output], judgement.numeric, judgement.tolerance,
                                        roughness(judgement.ladder, judgement.tolerance)});
            }
            else if (ratio_of(error, judgement.tolerance) > block.nearest_ratio)
            {
                block.nearest_ratio = ratio_of(error, judgement.tolerance);
                block.nearest = {.input = input,
                                 .index = unravel(element, subject_.inputs[input].shape),
                                 .output = output,
                                 .analytic = analytic[output],
                                 .numeric = judgement.numeric,
                                 .error = error,
                                 .tolerance = judgement.tolerance};
            }
        }
    }

    Arrays random_direction() const
    {
        std::mt19937_64 generator(options_.seed);
        Arrays direction = subject_.inputs;
        for (Array& array : direction)
        {
            for (double& x : array.elements)
            {
                if (!std::isfinite(x))
                {
                    throw Incomparable{"an input is not finite: there are no differences to compare with"};
                }
                // The bits themselves, because the standard's distributions differ from library to library.
                const std::uint64_t bits = generator();
                const double size = 0.5 + std::ldexp(static_cast<double>(bits >> 11), -53);
                x = (bits & 1U ? size : -size) * std::max(1.0, std::abs(x));
            }
        }
        return direction;
    }

    CheckReport report(const std::vector<Block>& blocks) const
    {
        CheckReport result = blank_report();
        struct Place
        {
            const Block* block;
            const Fault* fault;
            double ratio;
        };
        std::vector<Place> places;
        double nearest = -1;
        for (const Block& block : blocks)
        {
            result.parts.push_back({block.input, block.output, block.numeric.size(), block.faults.size()});
            result.compared += block.numeric.size();
            result.differing += block.faults.size();
            for (const Fault& fault : block.faults)
            {
                places.push_back({&block, &fault, ratio_of(std::abs(fault.analytic - fault.numeric), fault.tolerance)});
            }
            if (block.nearest_ratio > nearest)
            {
                nearest = block.nearest_ratio;
                result.worst = {block.nearest};
            }
        }
        result.passed = places.empty();
        if (result.passed)
        {
            return result;
        }
        std::stable_sort(places.begin(), places.end(),
                         [](const Place& a, const Place& b) { return a.ratio > b.ratio; });
        result.worst.clear();
        for (std::size_t i = 0; i < std::min(places.size(), std::max<std::size_t>(options_.shown, 1)); ++i)
        {
            const Block& block = *places[i].block;
            const Fault& fault = *places[i].fault;
            result.worst.push_back({.input = block.input,
                                    .index = unravel(fault.element, subject_.inputs[block.input].shape),
                                    .output = block.output,
                                    .analytic = fault.analytic,
                                    .numeric = fault.numeric,
                                    .error = std::abs(fault.analytic - fault.numeric),
                                    .tolerance = fault.tolerance});
        }
        result.hints = diagnose(blocks, subject_, neighbourhood_.outputs(), order_);
        if (subject_.value_epsilon > 1e-10 && places[0].ratio < 30)
        {
            result.hints.push_back("the errors are little more than what differences in float can tell: check the same "
                                   "function in double");
        }
        return result;
    }

    const Subject& subject_;
    const CheckOptions& options_;
    std::size_t order_;
    Neighbourhood neighbourhood_;
    std::vector<Arrays> gradients_;
    std::vector<std::vector<double>> largest_;
    double longest_;
    double rtol_;
    double share_;
};

void require_sensible(const Subject& subject, const CheckOptions& options)
{
    // The ladder's shortest step is still some roundings long.
    const double shortest = 1000 * subject.input_epsilon;
    if (options.step != 0 && !(options.step >= shortest && options.step < infinity))
    {
        throw Incomparable{"a step must be at least " + number(shortest, 2) + " and finite, got " +
                           number(options.step)};
    }
    for (const double tolerance : {options.rtol, options.atol})
    {
        if (!(tolerance >= 0 && tolerance < infinity))
        {
            throw Incomparable{"rtol and atol must be finite and not negative, got " + number(tolerance)};
        }
    }
}

CheckReport check_subject(const Subject& subject, const CheckOptions& options, std::size_t order)
{
    try
    {
        require_sensible(subject, options);
        Checker checker(subject, options, order);
        if (!options.fast)
        {
            return checker.all_elements();
        }
        CheckReport quick = checker.one_direction();
        if (quick.passed)
        {
            return quick;
        }
        CheckReport full = checker.all_elements();
        const CheckedElement& along = quick.worst[0];
        if (full.passed && !(along.error <= along.tolerance))
        {
            full.hints.push_back("along the direction of the fast mode analytic was " + number(along.analytic, 8) +
                                 " and numeric " + number(along.numeric, 8) +
                                 ", but every element by itself is right: the direction may cross a kink");
        }
        return full;
    }
    catch (const Incomparable& incomparable)
    {
        return {.passed = false, .order = order, .problem = incomparable.why};
    }
}

template <class T>
using Tensors = std::vector<Tensor<T>>;

/// For each output a group of tensors, as in `Subject`.
template <class T>
using Groups = std::function<std::vector<Tensors<T>>(const Tensors<T>&)>;

template <class T>
Tensor<T> as_tensor(const Array& array)
{
    autograd::detail::Node* node = autograd::detail::new_node<T>(array.shape);
    std::transform(array.elements.begin(), array.elements.end(), node->template as<T>(),
                   [](double x) { return static_cast<T>(x); });
    return Tensor<T>::adopt(node);
}

template <class T>
Tensors<T> as_tensors(const Arrays& arrays)
{
    Tensors<T> tensors;
    for (const Array& array : arrays)
    {
        tensors.push_back(as_tensor<T>(array));
    }
    return tensors;
}

template <class T>
Array as_array(const Tensor<T>& tensor)
{
    return {tensor.shape(), std::vector<double>(tensor.data(), tensor.data() + tensor.size())};
}

template <class T>
std::vector<Arrays> as_arrays(const std::vector<Tensors<T>>& groups)
{
    std::vector<Arrays> result;
    for (const Tensors<T>& group : groups)
    {
        Arrays& arrays = result.emplace_back();
        for (const Tensor<T>& tensor : group)
        {
            arrays.push_back(as_array(tensor));
        }
    }
    return result;
}

/// The weighted sum of all elements of a group.
template <class T>
Tensor<T> weighted_sum(const Tensors<T>& group)
{
    Tensor<T> total(0);
    for (std::size_t j = 0; j < group.size(); ++j)
    {
        total += sum(group[j] * as_tensor<T>(weights(group[j].shape(), j)));
    }
    return total;
}

/// For each output the gradients of its weighted sum, by a tape; recorded by an outer one. They are a group themselves,
/// which is what the second derivatives are checked with.
template <class T>
std::vector<Tensors<T>> gradients_by_tape(const Groups<T>& f, const Tensors<T>& inputs)
{
    GradientTape tape({.persistent = true});
    for (const Tensor<T>& input : inputs)
    {
        tape.watch(input);
    }
    std::vector<Tensors<T>> result;
    for (const Tensors<T>& group : f(inputs))
    {
        GradientOptions<T> options{.unconnected = Unconnected::zero};
        if (group.size() == 1)
        {
            options.output_gradient = as_tensor<T>(weights(group[0].shape(), 0));
        }
        result.push_back(tape.gradient(group.size() == 1 ? group[0] : weighted_sum(group), inputs, options));
    }
    return result;
}

/// Compares, for each output, the tangent of its weighted sum along a direction with what the gradients say.
template <class T>
CheckReport check_forward(const Groups<T>& f, const Tensors<T>& inputs, std::size_t order)
{
    GradientTape tape({.persistent = true});
    Tensors<T> direction;
    for (const Tensor<T>& input : inputs)
    {
        tape.watch(input);
        direction.push_back(as_tensor<T>(weights(input.shape(), 1 + direction.size())));
    }
    std::vector<Tensors<T>> groups = f(inputs);
    CheckReport report{.order = order, .projected = true, .forward = true, .outputs = groups.size()};
    for (const Tensors<T>& group : groups)
    {
        const Tensor<T> target = weighted_sum(group);
        const double tangent = tape.jvp(target, inputs, direction, Unconnected::zero).item();
        const Tensors<T> gradients = tape.gradient(target, inputs, {.unconnected = Unconnected::zero});
        double product = 0;
        double size = 0;
        for (std::size_t k = 0; k < inputs.size(); ++k)
        {
            for (std::size_t i = 0; i < inputs[k].size(); ++i)
            {
                const double part = static_cast<double>(gradients[k].data()[i]) * direction[k].data()[i];
                product += part;
                size += std::abs(part);
            }
        }
        const double tolerance = 1000 * std::numeric_limits<T>::epsilon() * size;
        ++report.compared;
        if (!identical(tangent, product) && !(std::abs(tangent - product) <= tolerance))
        {
            ++report.differing;
            report.worst.push_back({.output = report.compared - 1,
                                    .analytic = tangent,
                                    .numeric = product,
                                    .error = std::abs(tangent - product),
                                    .tolerance = tolerance});
        }
    }
    report.passed = report.differing == 0;
    return report;
}

template <class T>
bool is_unconnected(const Groups<T>& f, const Tensors<T>& inputs, std::size_t output, std::size_t input)
{
    GradientTape tape;
    tape.watch(inputs[input]);
    const Tensor<T> target = weighted_sum(f(inputs)[output]);
    try
    {
        tape.gradient(target, inputs[input]);
        return false;
    }
    catch (const TapeError&)
    {
        return true;
    }
}

template <class T>
CheckReport check_groups(const Groups<T>& f, const Arrays& inputs, const CheckOptions& options, std::size_t order)
{
    const double epsilon = std::numeric_limits<T>::epsilon();
    const Subject subject{
        .inputs = inputs,
        .input_epsilon = epsilon,
        .value_epsilon = epsilon,
        .values = [&f](const Arrays& x) { return as_arrays(f(as_tensors<T>(x))); },
        .gradients = [&f](const Arrays& x) { return as_arrays(gradients_by_tape(f, as_tensors<T>(x))); },
        .unconnected = [&](std::size_t output, std::size_t input)
        { return is_unconnected(f, as_tensors<T>(inputs), output, input); },
    };
    const CheckReport report = check_subject(subject, options, order);
    if (!report.passed || !options.forward)
    {
        return report;
    }
    const CheckReport forward = check_forward(f, as_tensors<T>(inputs), order);
    return forward.passed ? report : forward;
}

}

template <Real T>
CheckReport detail::check(const Function<T>& f, const std::vector<Tensor<T>>& inputs, const CheckOptions& options)
{
    Arrays arrays;
    for (const Tensor<T>& input : inputs)
    {
        arrays.push_back(autograd::testing::as_array(input));
    }
    const Groups<T> outputs = [&f](const Tensors<T>& x)
    {
        std::vector<Tensors<T>> groups;
        for (Tensor<T>& output : f(x))
        {
            if (!output.defined())
            {
                throw Incomparable{"output " + std::to_string(groups.size()) + " of f is an empty tensor"};
            }
            groups.push_back({std::move(output)});
        }
        if (groups.empty())
        {
            throw Incomparable{"f has no outputs"};
        }
        return groups;
    };
    const CheckReport report = check_groups(outputs, arrays, options, 1);
    if (!report.passed || !options.second_order)
    {
        return report;
    }
    const Groups<T> gradients = [&outputs](const Tensors<T>& x) { return gradients_by_tape(outputs, x); };
    return check_groups(gradients, arrays, options, 2);
}

CheckReport detail::check(const PlainFunction& f, const CheckOptions& options, Location location)
{
    if (options.second_order)
    {
        throw ValueError("check_gradient", "second derivatives need a function of tensors, got one of plain arrays",
                         location, "Check the gradient's own gradient by another check_gradient.");
    }
    const Subject subject{
        .inputs = {f.point},
        .input_epsilon = f.point_epsilon,
        .value_epsilon = f.value_epsilon,
        .values = [&f](const Arrays& x) { return std::vector<Arrays>{{f.value(x[0].elements)}}; },
        .gradients =
            [&f](const Arrays& x)
        {
            const Shape shape = f.value(x[0].elements).shape;
            if (!f.takes_output_gradient && shape.elements() != 1)
            {
                throw Incomparable{"gradient(x) is for a value of one number, and the value has shape " +
                                   to_string(shape) + ": let the gradient take (x, dy)"};
            }
            return std::vector<Arrays>{{f.gradient(x[0].elements, weights(shape, 0))}};
        },
        .unconnected = {},
    };
    return check_subject(subject, options, 1);
}

void detail::throw_wrong_count(std::size_t inputs, Location location)
{
    throw ValueError("check_gradients",
                     "f does not take as many tensors as there are inputs: got " + std::to_string(inputs) +
                         (inputs == 1 ? " input" : " inputs"),
                     location, "More than eight are taken as a std::vector of tensors.");
}

template CheckReport detail::check(const Function<float>&, const std::vector<Tensor<float>>&, const CheckOptions&);
template CheckReport detail::check(const Function<double>&, const std::vector<Tensor<double>>&, const CheckOptions&);

}
