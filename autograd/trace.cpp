#include <autograd/observer.hpp>
#include <autograd/primitive.hpp>
#include <autograd/trace.hpp>

#include <cmath>
#include <optional>
#include <sstream>

namespace autograd
{

namespace
{

using detail::Node;

/// The first element that is NaN, or infinite if that counts.
template <class T>
std::optional<std::size_t> first_nonfinite(const T* elements, std::size_t count, bool infinities)
{
    const T* const found = std::find_if(elements, elements + count,
                                        [infinities](T x) { return std::isnan(x) || (infinities && std::isinf(x)); });
    return found == elements + count ? std::nullopt : std::optional<std::size_t>(found - elements);
}

std::optional<std::size_t> first_nonfinite(const Node& node, bool infinities)
{
    return node.dtype == DType::float32 ? first_nonfinite(node.as<float>(), node.elements, infinities)
                                        : first_nonfinite(node.as<double>(), node.elements, infinities);
}

std::string number(const Node& node, std::size_t element)
{
    std::ostringstream text;
    text << (node.dtype == DType::float32 ? node.as<float>()[element] : node.as<double>()[element]);
    return text.str();
}

std::string index_text(const Shape& shape, std::size_t element)
{
    std::string text;
    for (std::size_t axis = shape.rank(); axis-- > 0;)
    {
        text = std::to_string(element % shape[axis]) + (text.empty() ? "" : ", ") + text;
        element /= shape[axis];
    }
    return "(" + text + ")";
}

/// "NaN at (1, 2) of (3, 4)", or "NaN" where there is but one element.
std::string describe(const Node& node, std::size_t element)
{
    const std::string value = number(node, element);
    return (value.find("nan") != std::string::npos ? "NaN" : value) +
           (node.elements > 1 ? " at " + index_text(node.shape, element) + " of " + to_string(node.shape) : "");
}

/// What an operand holds, as far as it is known and can be told in short.
std::string describe_operand(const Node* operand, const Shape& output, std::size_t element, bool infinities)
{
    if (operand == nullptr || operand->data == nullptr || operand->elements == 0)
    {
        return "";
    }
    if (const auto bad = first_nonfinite(*operand, infinities))
    {
        return "holds " + describe(*operand, *bad) + " already";
    }
    if (operand->elements == 1)
    {
        return "is " + number(*operand, 0);
    }
    return operand->shape == output ? "is " + number(*operand, element) + " there"
                                    : "of shape " + to_string(operand->shape);
}

}

class NonfiniteTrace::Check : public detail::Observer
{
public:
    explicit Check(TraceOptions options) : infinities_(options.infinities) {}

    void executed(const detail::Operation& operation, const Node* output,
                  std::span<const detail::ResolvedOperand> operands, Location location) override
    {
        const auto bad = first_nonfinite(*output, infinities_);
        if (!bad)
        {
            return;
        }
        std::string problem = "the result is " + describe(*output, *bad);
        for (std::size_t k = 0; k < operands.size(); ++k)
        {
            add_operand(problem, k, operands.size(),
                        describe_operand(operands[k].node, output->shape, *bad, infinities_));
        }
        throw NonfiniteError(operation.name, problem, location);
    }

    void pulled(detail::Pull& pull) override
    {
        detail::Record& record = pull.record();
        for (std::size_t k = 0; k < record.arity; ++k)
        {
            const Node* const gradient = pull.sum_so_far(k);
            const auto bad = gradient == nullptr ? std::nullopt : first_nonfinite(*gradient, infinities_);
            if (!bad)
            {
                continue;
            }
            std::string problem =
                "the gradient of operand " + std::to_string(k + 1) + " is " + describe(*gradient, *bad);
            const std::string dy = describe_operand(pull.output_gradient(), gradient->shape, *bad, infinities_);
            problem += dy.empty() ? "" : "; the gradient of the result " + dy;
            for (std::size_t j = 0; j < record.arity; ++j)
            {
                const detail::RecordedOperand& operand = record.operands()[j];
                add_operand(problem, j, record.arity,
                            operand.kept ? describe_operand(operand.node, gradient->shape, *bad, infinities_) : "");
            }
            throw NonfiniteError(record.operation->name, problem, record.location);
        }
    }

    void pushed(detail::Push& push, const Node* tangent) override
    {
        const auto bad = tangent == nullptr ? std::nullopt : first_nonfinite(*tangent, infinities_);
        if (bad)
        {
            throw NonfiniteError(push.record().operation->name,
                                 "the tangent of the result is " + describe(*tangent, *bad), push.record().location);
        }
    }

private:
    static void add_operand(std::string& problem, std::size_t k, std::size_t count, const std::string& description)
    {
        if (!description.empty())
        {
            problem += "; operand" + (count == 1 ? "" : " " + std::to_string(k + 1)) + " " + description;
        }
    }

    bool infinities_;
};

NonfiniteTrace::NonfiniteTrace(TraceOptions options) : check_(std::make_unique<Check>(options)) {}
NonfiniteTrace::~NonfiniteTrace() = default;

}
