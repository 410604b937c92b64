#include "finite_difference.hpp"

#include <autograd/autograd.hpp>
#include <autograd/registry.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace ag = autograd;

namespace
{

/// Numbers in [0, 1) that keep away from each other: multiples of the golden ratio without their whole part.
class GoldenSequence
{
public:
    explicit GoldenSequence(double start) : next_(start) {}
    double operator()()
    {
        next_ += 0.6180339887498949;
        return next_ -= std::floor(next_);
    }

private:
    double next_;
};

double in_domain(ag::Domain domain, double u)
{
    switch (domain)
    {
    case ag::Domain::positive:
        return 0.3 + 2.2 * u;
    case ag::Domain::unit:
        return 0.1 + 0.8 * u;
    default:
        return u < 0.5 ? -2 + 3.8 * u : 0.1 + 3.8 * (u - 0.5);
    }
}

/// Sample inputs, such as a float can hold.
std::vector<Numbers> inputs_of(const ag::Example& example, double start)
{
    GoldenSequence sequence(start);
    std::vector<Numbers> inputs;
    for (const ag::Shape& shape : example.shapes())
    {
        Numbers& input = inputs.emplace_back(Numbers{shape, std::vector<double>(shape.elements())});
        for (double& element : input.elements)
        {
            element = static_cast<double>(static_cast<float>(in_domain(example.domain, sequence())));
        }
    }
    return inputs;
}

template <ag::Real T>
std::vector<ag::Tensor<T>> as_tensors(const std::vector<Numbers>& arrays)
{
    std::vector<ag::Tensor<T>> tensors;
    for (const Numbers& array : arrays)
    {
        tensors.push_back(array.template as<T>());
    }
    return tensors;
}

template <ag::Real T>
std::vector<Numbers> as_numbers(const std::vector<ag::Tensor<T>>& tensors)
{
    std::vector<Numbers> arrays;
    for (const ag::Tensor<T>& tensor : tensors)
    {
        arrays.push_back(Numbers::of(tensor));
    }
    return arrays;
}

template <ag::Real T>
ag::Tensor<T> call(const ag::Example& example, const std::vector<ag::Tensor<T>>& x)
{
    if constexpr (std::is_same_v<T, float>)
    {
        return example.call_float(x);
    }
    else
    {
        return example.call_double(x);
    }
}

/// The gradients of the example's weighted sum, by a tape. An outer tape records them.
template <ag::Real T>
std::vector<ag::Tensor<T>> first_by_tape(const ag::Example& example, const std::vector<ag::Tensor<T>>& x)
{
    ag::GradientTape tape;
    for (const ag::Tensor<T>& input : x)
    {
        tape.watch(input);
    }
    const ag::Tensor<T> y = call(example, x);
    return tape.gradient(
        y, x, {.unconnected = ag::Unconnected::zero, .output_gradient = weights(0, y.shape()).template as<T>()});
}

/// The gradients of the weighted sum of those gradients.
template <ag::Real T>
std::vector<ag::Tensor<T>> second_by_tape(const ag::Example& example, const std::vector<ag::Tensor<T>>& x)
{
    ag::GradientTape tape;
    for (const ag::Tensor<T>& input : x)
    {
        tape.watch(input);
    }
    const std::vector<ag::Tensor<T>> first = first_by_tape(example, x);
    ag::Tensor<T> projection(0);
    for (std::size_t k = 0; k < first.size(); ++k)
    {
        projection += ag::sum(first[k] * weights(k, first[k].shape()).template as<T>());
    }
    return tape.gradient(projection, x, {.unconnected = ag::Unconnected::zero});
}

void check_close(const std::vector<Numbers>& found, const std::vector<Numbers>& expected, double tolerance)
{
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k)
    {
        CAPTURE(k);
        REQUIRE(found[k].shape == expected[k].shape);
        for (std::size_t i = 0; i < found[k].elements.size(); ++i)
        {
            CAPTURE(i);
            const double error = std::abs(found[k].elements[i] - expected[k].elements[i]);
            CAPTURE(found[k].elements[i]);
            CAPTURE(expected[k].elements[i]);
            CHECK(error <= tolerance * (1 + std::abs(expected[k].elements[i])));
        }
    }
}

/// Calls visit(example, inputs) for every example of the registry at several places.
template <class Visit>
void for_each_sample(Visit visit)
{
    for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
    {
        const std::string name = example->name;
        CAPTURE(name);
        for (const double start : {0.0, 0.21, 0.77})
        {
            CAPTURE(start);
            visit(*example, inputs_of(*example, start));
        }
    }
}

std::vector<Numbers> value(const ag::Example& example, const std::vector<Numbers>& x)
{
    return {Numbers::of(example.call_double(as_tensors<double>(x)))};
}

/// The name that a line of a header declares as an operation, such as `Tensor<T> sum(const Tensor<T>& x,` or
/// `AUTOGRAD_UNARY(exp)`; else nothing.
std::string operation_declared_by(const std::string& line)
{
    for (const std::string macro : {"AUTOGRAD_UNARY(", "AUTOGRAD_BINARY(", "AUTOGRAD_CONVOLUTION("})
    {
        if (line.starts_with(macro))
        {
            return line.substr(macro.size(), line.find_first_of(",)") - macro.size());
        }
    }
    const std::size_t parenthesis = line.find('(');
    if (!line.starts_with("Tensor<") || parenthesis == std::string::npos)
    {
        return {};
    }
    const std::size_t space = line.rfind(' ', parenthesis);
    return line.substr(space + 1, parenthesis - space - 1);
}

/// The names of the public operations that a header declares.
std::set<std::string> operations_declared_in(const std::filesystem::path& header)
{
    std::set<std::string> names;
    std::ifstream stream(header);
    bool internal = false;
    for (std::string line; std::getline(stream, line);)
    {
        if (line == "namespace autograd::detail")
        {
            return {};
        }
        internal = line == "namespace detail" || (internal && line != "}");
        const std::string name = operation_declared_by(line);
        if (!internal && !name.empty())
        {
            names.insert(name);
        }
    }
    return names;
}

std::map<std::string, int> examples_by_name()
{
    std::map<std::string, int> count;
    for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
    {
        ++count[example->name];
    }
    return count;
}

}

TEST_CASE("every operation that a header declares is in the registry")
{
    const std::map<std::string, int> examples = examples_by_name();
    // A cast has operands of two types, and stop_gradient has no derivative.
    const std::set<std::string> elsewhere{"cast", "stop_gradient"};
    std::set<std::string> declared;
    for (const auto& header : std::filesystem::directory_iterator(TEST_FOLDER "/../autograd/ops"))
    {
        if (header.path().extension() == ".hpp")
        {
            declared.merge(operations_declared_in(header.path()));
        }
    }
    CHECK(declared.size() >= 50);
    for (const std::string& name : declared)
    {
        CAPTURE(name);
        CHECK(examples.contains(name) != elsewhere.contains(name));
    }
}

TEST_CASE("the registry holds the operators and the operations under their public names")
{
    const std::map<std::string, int> examples = examples_by_name();
    for (const std::string name : {"add",
                                   "subtract",
                                   "multiply",
                                   "divide",
                                   "negative",
                                   "exp",
                                   "log",
                                   "log1p",
                                   "expm1",
                                   "sqrt",
                                   "square",
                                   "pow",
                                   "abs",
                                   "sign",
                                   "sin",
                                   "cos",
                                   "tan",
                                   "tanh",
                                   "sinh",
                                   "cosh",
                                   "sigmoid",
                                   "relu",
                                   "softplus",
                                   "maximum",
                                   "minimum",
                                   "clip",
                                   "where",
                                   "sum",
                                   "mean",
                                   "prod",
                                   "amax",
                                   "amin",
                                   "variance",
                                   "stddev",
                                   "norm",
                                   "reshape",
                                   "flatten",
                                   "transpose",
                                   "view",
                                   "stack",
                                   "concatenate",
                                   "expand_dims",
                                   "squeeze",
                                   "broadcast_to",
                                   "matmul",
                                   "dot",
                                   "linear",
                                   "softmax",
                                   "log_softmax",
                                   "logsumexp",
                                   "mse_loss",
                                   "cross_entropy",
                                   "binary_cross_entropy_with_logits"})
    {
        CAPTURE(name);
        CHECK(examples.contains(name));
    }
}

TEST_CASE("arithmetic is tried with broadcasting in both directions and with scalars")
{
    for (const std::string name : {"add", "subtract", "multiply", "divide", "maximum", "minimum"})
    {
        CAPTURE(name);
        bool left = false;
        bool right = false;
        bool both = false;
        bool scalar = false;
        for (const ag::Example* example = ag::registry(); example != nullptr; example = example->next())
        {
            if (example->name == name)
            {
                const std::size_t a = example->shapes()[0].elements();
                const std::size_t b = example->shapes()[1].elements();
                ag::Shape common;
                REQUIRE(ag::broadcast_shapes(example->shapes()[0], example->shapes()[1], common));
                left = left || a < common.elements();
                right = right || b < common.elements();
                both = both || (a < common.elements() && b < common.elements());
                scalar = scalar || example->shapes()[0].rank() == 0;
            }
        }
        CHECK(left);
        CHECK(right);
        CHECK(both);
        CHECK(scalar);
    }
}

TEST_CASE("sample inputs keep what their domain promises")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            std::vector<double> seen;
            for (const Numbers& input : inputs)
            {
                for (const double x : input.elements)
                {
                    CHECK(std::abs(x) >= 0.0999);
                    CHECK(std::abs(x) <= 2.5);
                    CHECK((x > 0 || example.domain == ag::Domain::real || example.domain == ag::Domain::distinct));
                    for (const double other : seen)
                    {
                        CHECK((example.domain != ag::Domain::distinct || std::abs(x - other) >= 0.05));
                    }
                    seen.push_back(x);
                }
            }
        });
}

TEST_CASE("all first derivatives in double agree with finite differences")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            const auto f = [&](const std::vector<Numbers>& x) { return value(example, x); };
            const std::vector<Numbers> found = as_numbers(first_by_tape(example, as_tensors<double>(inputs)));
            check_close(found, finite_differences(f, inputs), 2e-9);
        });
}

TEST_CASE("all second derivatives in double agree with finite differences of the first")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            const auto f = [&](const std::vector<Numbers>& x)
            { return as_numbers(first_by_tape(example, as_tensors<double>(x))); };
            const std::vector<Numbers> found = as_numbers(second_by_tape(example, as_tensors<double>(inputs)));
            check_close(found, finite_differences(f, inputs), 2e-8);
        });
}

TEST_CASE("all values and first and second derivatives in float are those in double, rounded")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            const std::vector<ag::Tensor<float>> x = as_tensors<float>(inputs);
            const std::vector<ag::Tensor<double>> exact = as_tensors<double>(inputs);
            check_close({Numbers::of(example.call_float(x))}, value(example, inputs), 2e-6);
            check_close(as_numbers(first_by_tape(example, x)), as_numbers(first_by_tape(example, exact)), 1e-5);
            check_close(as_numbers(second_by_tape(example, x)), as_numbers(second_by_tape(example, exact)), 1e-4);
        });
}

TEST_CASE("the library's own checker passes all operations, second derivatives included, in both precisions")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            const auto in_double = [&](const std::vector<ag::Tensor<double>>& x) { return example.call_double(x); };
            const auto in_float = [&](const std::vector<ag::Tensor<float>>& x) { return example.call_float(x); };
            CHECK(ag::testing::check_gradients(in_double, as_tensors<double>(inputs), {.second_order = true}));
            CHECK(ag::testing::check_gradients(in_float, as_tensors<float>(inputs), {.second_order = true}));
        });
}

namespace
{

double inner(const Numbers& a, const Numbers& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.elements.size(); ++i)
    {
        sum += a.elements[i] * b.elements[i];
    }
    return sum;
}

/// A direction in which to change input k.
Numbers direction(std::size_t k, const ag::Shape& shape)
{
    return weights(7 + k, shape);
}

std::vector<ag::Tensor<double>> directions(const std::vector<Numbers>& inputs)
{
    std::vector<ag::Tensor<double>> tangents;
    for (std::size_t k = 0; k < inputs.size(); ++k)
    {
        tangents.push_back(direction(k, inputs[k].shape).as<double>());
    }
    return tangents;
}

}

TEST_CASE("tangents in forward mode agree with gradients in reverse mode, for values and for gradients")
{
    for_each_sample(
        [](const ag::Example& example, const std::vector<Numbers>& inputs)
        {
            const std::vector<ag::Tensor<double>> x = as_tensors<double>(inputs);
            const std::vector<ag::Tensor<double>> v = directions(inputs);
            double by_gradients = 0;
            double by_second_gradients = 0;
            const std::vector<Numbers> first = as_numbers(first_by_tape(example, x));
            const std::vector<Numbers> second = as_numbers(second_by_tape(example, x));
            for (std::size_t k = 0; k < x.size(); ++k)
            {
                by_gradients += inner(first[k], direction(k, inputs[k].shape));
                by_second_gradients += inner(second[k], direction(k, inputs[k].shape));
            }
            ag::GradientTape tape({.persistent = true});
            for (const ag::Tensor<double>& input : x)
            {
                tape.watch(input);
            }
            const ag::Tensor<double> y = example.call_double(x);
            const Numbers tangent = Numbers::of(tape.jvp(y, x, v, ag::Unconnected::zero));
            CHECK(inner(weights(0, y.shape()), tangent) == doctest::Approx(by_gradients).epsilon(1e-10));
            double by_tangents = 0;
            const std::vector<ag::Tensor<double>> gradients = first_by_tape(example, x);
            for (std::size_t k = 0; k < x.size(); ++k)
            {
                by_tangents +=
                    inner(weights(k, x[k].shape()), Numbers::of(tape.jvp(gradients[k], x, v, ag::Unconnected::zero)));
            }
            CHECK(by_tangents == doctest::Approx(by_second_gradients).epsilon(1e-9));
        });
}
