#include <autograd/ops/linalg.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <string>

// Sums of products over axes that have names, by products of matrices: an axis that both operands have is a batch where
// the result keeps it, and an inner one where not.
namespace autograd
{

namespace
{

/// The names of axes: letters, and above them the axes of an ellipsis.
using Label = unsigned;
constexpr Label first_of_ellipsis = 52;
constexpr Label label_count = first_of_ellipsis + max_rank;
static_assert(label_count <= 64);

/// Bit k for label k.
using LabelSet = std::uint64_t;

constexpr bool contains(LabelSet set, Label label)
{
    return (set >> label & 1) != 0;
}

/// The names of an array's axes, in order.
using Labels = std::vector<Label>;

LabelSet set_of(const Labels& labels)
{
    LabelSet set = 0;
    for (Label label : labels)
    {
        set |= LabelSet{1} << label;
    }
    return set;
}

Labels only(const Labels& labels, LabelSet set)
{
    Labels result;
    std::copy_if(labels.begin(), labels.end(), std::back_inserter(result),
                 [set](Label label) { return contains(set, label); });
    return result;
}

Labels joined(std::initializer_list<Labels> parts)
{
    Labels result;
    for (const Labels& part : parts)
    {
        result.insert(result.end(), part.begin(), part.end());
    }
    return result;
}

struct Caller
{
    const char* operation;
    Location location;
};

/// An array whose axes have names.
template <class T>
struct Term
{
    Tensor<T> tensor;
    Labels labels;

    std::size_t extent(Label label) const
    {
        return tensor.shape(static_cast<std::size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin()));
    }
    std::size_t extent(const Labels& several) const
    {
        std::size_t product = 1;
        for (Label label : several)
        {
            product *= extent(label);
        }
        return product;
    }
};

template <class T>
Tensor<T> in_order(const Term<T>& term, const Labels& order, Location location)
{
    if (order == term.labels)
    {
        return term.tensor;
    }
    Axes axes;
    for (Label label : order)
    {
        axes.push_back(std::find(term.labels.begin(), term.labels.end(), label) - term.labels.begin());
    }
    return transpose(term.tensor, axes, location);
}

/// Sums over the axes that nobody needs.
template <class T>
Term<T> keep_only(const Term<T>& term, LabelSet needed, Location location)
{
    Axes rest;
    for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
    {
        if (!contains(needed, term.labels[axis]))
        {
            rest.push_back(static_cast<std::ptrdiff_t>(axis));
        }
    }
    return rest.empty() ? term : Term<T>{sum(term.tensor, rest, {}, location), only(term.labels, needed)};
}

/// Takes the diagonal of axes of one name, which have one extent n: every n + 1st element of the two as one axis.
template <class T>
Term<T> without_repetition(Term<T> term, Location location)
{
    for (std::size_t second = 1; second < term.labels.size();)
    {
        const auto place = term.labels.begin() + static_cast<std::ptrdiff_t>(second);
        const auto first =
            static_cast<std::size_t>(std::find(term.labels.begin(), place, *place) - term.labels.begin());
        if (first == second)
        {
            ++second;
            continue;
        }
        Term<T> next;
        Axes order;
        Shape shape;
        for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
        {
            if (axis != first && axis != second)
            {
                order.push_back(static_cast<std::ptrdiff_t>(axis));
                shape.push_back(term.tensor.shape(axis));
                next.labels.push_back(term.labels[axis]);
            }
        }
        order.push_back(static_cast<std::ptrdiff_t>(first));
        order.push_back(static_cast<std::ptrdiff_t>(second));
        const std::size_t n = term.tensor.shape(first);
        shape.push_back(n * n);
        next.labels.push_back(*place);
        const Tensor<T> square = reshape(transpose(term.tensor, order, location), shape, location);
        next.tensor = view(square, ellipsis(), range(0, n * n, n + 1));
        term = next;
        second = 1;
    }
    return term;
}

/// An operand as a stack of matrices: the axes of the batch, then its own and the inner ones, or the other way round.
struct Arrangement
{
    Labels own;
    Labels order;
    bool inner_first;
    bool copies;
};

Arrangement arrangement(const Labels& labels, const Labels& batch, const Labels& inner)
{
    const Labels own = only(labels, ~(set_of(batch) | set_of(inner)));
    const Labels inner_last = joined({batch, own, inner});
    const Labels inner_first = joined({batch, inner, own});
    return labels == inner_first ? Arrangement{own, inner_first, true, false}
                                 : Arrangement{own, inner_last, false, labels != inner_last};
}

template <class T>
Tensor<T> as_matrices(const Term<T>& term, const Arrangement& arrangement, const Labels& batch, const Labels& inner,
                      Location location)
{
    const std::size_t rows = term.extent(arrangement.own);
    const std::size_t depth = term.extent(inner);
    Shape shape;
    if (!batch.empty())
    {
        shape.push_back(term.extent(batch));
    }
    shape.push_back(arrangement.inner_first ? depth : rows);
    shape.push_back(arrangement.inner_first ? rows : depth);
    return reshape(in_order(term, arrangement.order, location), shape, location);
}

/// The array, with axes of extent 1 for the labels that it lacks.
template <class T>
Tensor<T> stretched(const Term<T>& term, const Labels& order, Location location)
{
    const LabelSet own = set_of(term.labels);
    Shape shape;
    for (Label label : order)
    {
        shape.push_back(contains(own, label) ? term.extent(label) : 1);
    }
    return reshape(in_order(term, only(order, own), location), shape, location);
}

/// The sum of products of two, over what both have and nobody needs. What only one has is needed.
template <class T>
Term<T> contract(const Term<T>& a, const Term<T>& b, LabelSet needed, Caller caller)
{
    const LabelSet common = set_of(a.labels) & set_of(b.labels);
    const Labels a_own = only(a.labels, ~common);
    const Labels b_own = only(b.labels, ~common);
    const LabelSet summed = common & ~needed;
    const Labels result = joined({only(a.labels, common & needed), a_own, b_own});
    if (result.size() + static_cast<std::size_t>(std::popcount(summed)) > max_rank)
    {
        throw ShapeError(caller.operation,
                         "a product would have more than " + std::to_string(max_rank) + " axes: got " +
                             to_string(a.tensor.shape()) + " and " + to_string(b.tensor.shape()),
                         caller.location);
    }
    if (summed == 0 || (a_own.empty() && b_own.empty()))
    {
        const Labels all = joined({only(a.labels, common), a_own, b_own});
        const Tensor<T> right = stretched(b, all, caller.location);
        const Tensor<T> product = stretched(a, all, caller.location) * Operand<T>(right, caller.location);
        return keep_only(Term<T>{product, all}, needed, caller.location);
    }
    Labels batch = only(a.labels, common & needed);
    Labels inner = only(a.labels, summed);
    Arrangement left = arrangement(a.labels, batch, inner);
    Arrangement right = arrangement(b.labels, batch, inner);
    if (right.copies)
    {
        const Labels other_batch = only(b.labels, common & needed);
        const Labels other_inner = only(b.labels, summed);
        const Arrangement other_left = arrangement(a.labels, other_batch, other_inner);
        const Arrangement other_right = arrangement(b.labels, other_batch, other_inner);
        if (left.copies + right.copies > other_left.copies + other_right.copies)
        {
            batch = other_batch;
            inner = other_inner;
            left = other_left;
            right = other_right;
        }
    }
    const Tensor<T> product = detail::matmul<T>(
        as_matrices(a, left, batch, inner, caller.location), as_matrices(b, right, batch, inner, caller.location),
        {.transpose_a = left.inner_first, .transpose_b = !right.inner_first}, caller.location);
    Shape shape;
    for (Label label : batch)
    {
        shape.push_back(a.extent(label));
    }
    for (Label label : a_own)
    {
        shape.push_back(a.extent(label));
    }
    for (Label label : b_own)
    {
        shape.push_back(b.extent(label));
    }
    return {reshape(product, shape, caller.location), joined({batch, a_own, b_own})};
}

/// The subscripts of a call, read.
struct Sum
{
    std::vector<Labels> operands;
    Labels result;
};

[[noreturn]] void throw_unreadable(const Subscripts& subscripts, const std::string& problem)
{
    throw ValueError("einsum", problem + ": got \"" + std::string(subscripts.text) + "\"", subscripts.location);
}

constexpr Label no_label = label_count;

Label label_of(char letter)
{
    return letter >= 'A' && letter <= 'Z'   ? static_cast<Label>(letter - 'A')
           : letter >= 'a' && letter <= 'z' ? static_cast<Label>(letter - 'a' + 26)
                                            : no_label;
}

char letter_of(Label label)
{
    return static_cast<char>(label < 26 ? 'A' + label : 'a' + (label - 26));
}

/// The labels of "ab...c", where the ellipsis stands for that many axes. An ellipsis of fewer axes has the last labels.
Labels labels_of(const Subscripts& subscripts, std::string_view text, std::size_t ellipsis_axes)
{
    Labels labels;
    bool ellipsis_seen = false;
    for (std::size_t place = 0; place < text.size(); ++place)
    {
        if (text.substr(place).starts_with("...") && !ellipsis_seen)
        {
            ellipsis_seen = true;
            place += 2;
            for (std::size_t axis = 0; axis < ellipsis_axes; ++axis)
            {
                labels.push_back(static_cast<Label>(label_count - ellipsis_axes + axis));
            }
            continue;
        }
        const Label label = label_of(text[place]);
        if (label == no_label)
        {
            throw_unreadable(subscripts, "needs letters, commas, one -> and one ... an operand");
        }
        labels.push_back(label);
    }
    return labels;
}

bool has_ellipsis(std::string_view text)
{
    return text.find('.') != std::string_view::npos;
}

/// In alphabetical order, the ellipsis in front: what occurs once.
Labels implicit_result(const std::vector<Labels>& operands, std::size_t ellipsis_axes)
{
    std::array<int, label_count> count{};
    for (const Labels& labels : operands)
    {
        for (Label label : labels)
        {
            ++count[label];
        }
    }
    Labels result;
    for (std::size_t axis = 0; axis < ellipsis_axes; ++axis)
    {
        result.push_back(static_cast<Label>(label_count - ellipsis_axes + axis));
    }
    for (Label label = 0; label < first_of_ellipsis; ++label)
    {
        if (count[label] == 1)
        {
            result.push_back(label);
        }
    }
    return result;
}

template <class T>
Sum read(const Subscripts& subscripts, std::span<const Tensor<T>> operands)
{
    std::string text(subscripts.text);
    std::erase(text, ' ');
    const std::size_t arrow = text.find("->");
    std::vector<std::string> parts(1);
    for (const char one : text.substr(0, arrow))
    {
        if (one == ',')
        {
            parts.emplace_back();
        }
        else
        {
            parts.back() += one;
        }
    }
    if (parts.size() != operands.size())
    {
        throw_unreadable(subscripts, "subscripts of " + std::to_string(parts.size()) + " for " +
                                         std::to_string(operands.size()) +
                                         (operands.size() == 1 ? " operand" : " operands"));
    }
    Sum sum;
    std::size_t ellipsis_axes = 0;
    for (std::size_t k = 0; k < parts.size(); ++k)
    {
        const std::size_t letters = labels_of(subscripts, parts[k], 0).size();
        const std::size_t rank = operands[k].dimension();
        if (rank < letters || (rank > letters && !has_ellipsis(parts[k])))
        {
            throw ShapeError("einsum",
                             "operand " + std::to_string(k) + " of shape " + to_string(operands[k].shape()) +
                                 " has not the axes \"" + parts[k] + "\"",
                             subscripts.location);
        }
        sum.operands.push_back(labels_of(subscripts, parts[k], rank - letters));
        ellipsis_axes = std::max(ellipsis_axes, rank - letters);
    }
    sum.result = arrow == std::string::npos ? implicit_result(sum.operands, ellipsis_axes)
                                            : labels_of(subscripts, text.substr(arrow + 2), ellipsis_axes);
    LabelSet known = 0;
    for (const Labels& labels : sum.operands)
    {
        known |= set_of(labels);
    }
    for (std::size_t axis = 0; axis < sum.result.size(); ++axis)
    {
        const Label label = sum.result[axis];
        if (!contains(known, label) ||
            std::find(sum.result.begin(), sum.result.begin() + static_cast<std::ptrdiff_t>(axis), label) !=
                sum.result.begin() + static_cast<std::ptrdiff_t>(axis))
        {
            throw_unreadable(subscripts, std::string("the result needs letters of operands, each once, not '") +
                                             letter_of(label) + "'");
        }
    }
    if (sum.result.size() > max_rank)
    {
        throw_unreadable(subscripts, "the result has more than " + std::to_string(max_rank) + " axes");
    }
    return sum;
}

/// The extent of each label. Axes of extent 1 stretch between operands, but not within one.
template <class T>
std::array<std::size_t, label_count> extents_of(const std::vector<Labels>& operands, std::span<const Tensor<T>> tensors,
                                                const Subscripts& subscripts)
{
    std::array<std::size_t, label_count> extents;
    extents.fill(1);
    for (std::size_t k = 0; k < tensors.size(); ++k)
    {
        for (std::size_t axis = 0; axis < operands[k].size(); ++axis)
        {
            const Label label = operands[k][axis];
            const std::size_t extent = tensors[k].shape(axis);
            const auto first = std::find(operands[k].begin(), operands[k].end(), label) - operands[k].begin();
            if (extent != tensors[k].shape(static_cast<std::size_t>(first)) ||
                (extent != 1 && extents[label] != 1 && extent != extents[label]))
            {
                throw ShapeError("einsum",
                                 (label < first_of_ellipsis ? std::string("axes '") + letter_of(label) + "'"
                                                            : std::string("axes of the ellipsis")) +
                                     " of different extents, in operand " + std::to_string(k) + " of shape " +
                                     to_string(tensors[k].shape()) + " for \"" + std::string(subscripts.text) + "\"",
                                 subscripts.location);
            }
            extents[label] = extent == 1 ? extents[label] : extent;
        }
    }
    return extents;
}

/// Without axes of extent 1 that stretch: they are the same as none.
template <class T>
Term<T> without_stretching(const Term<T>& term, const std::array<std::size_t, label_count>& extents, Location location)
{
    Labels labels;
    Shape shape;
    for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
    {
        if (term.tensor.shape(axis) == extents[term.labels[axis]])
        {
            labels.push_back(term.labels[axis]);
            shape.push_back(term.tensor.shape(axis));
        }
    }
    return {shape == term.tensor.shape() ? term.tensor : reshape(term.tensor, shape, location), labels};
}

/// The sum of products over these axes, which have equal extents in pairs.
template <class T>
Tensor<T> sum_over(const Tensor<T>& a, const Axes& a_axes, const Tensor<T>& b, const Axes& b_axes, Caller caller)
{
    Term<T> left{a, {}};
    Term<T> right{b, {}};
    LabelSet needed = 0;
    for (Label axis = 0; axis < a.dimension(); ++axis)
    {
        left.labels.push_back(axis);
    }
    for (Label axis = 0; axis < b.dimension(); ++axis)
    {
        right.labels.push_back(static_cast<Label>(max_rank) + axis);
    }
    for (std::size_t k = 0; k < a_axes.size(); ++k)
    {
        right.labels[static_cast<std::size_t>(b_axes[k])] = static_cast<Label>(a_axes[k]);
    }
    needed = set_of(left.labels) ^ set_of(right.labels);
    return contract(left, right, needed, caller).tensor;
}

template <class T>
Tensor<T> checked_tensordot(const Tensor<T>& a, const Tensor<T>& b, Axes a_axes, Axes b_axes, Caller caller)
{
    bool fits = a_axes.size() == b_axes.size();
    unsigned seen_in_a = 0;
    unsigned seen_in_b = 0;
    for (std::size_t k = 0; fits && k < a_axes.size(); ++k)
    {
        const std::size_t in_a = detail::normalize_axis(a_axes[k], a.dimension(), caller.operation, caller.location);
        const std::size_t in_b = detail::normalize_axis(b_axes[k], b.dimension(), caller.operation, caller.location);
        fits = a.shape(in_a) == b.shape(in_b) && (seen_in_a >> in_a & 1) == 0 && (seen_in_b >> in_b & 1) == 0;
        seen_in_a |= 1U << in_a;
        seen_in_b |= 1U << in_b;
        a_axes[k] = static_cast<std::ptrdiff_t>(in_a);
        b_axes[k] = static_cast<std::ptrdiff_t>(in_b);
    }
    if (!fits)
    {
        throw ShapeError(caller.operation,
                         "needs pairs of axes of equal extents: got " + to_string(a.shape()) + " and " +
                             to_string(b.shape()),
                         caller.location);
    }
    return sum_over(a, a_axes, b, b_axes, caller);
}

}

template <Real T>
Tensor<T> einsum(Subscripts subscripts, std::span<const Tensor<T>> operands)
{
    const Location location = subscripts.location;
    const Sum sum = read(subscripts, operands);
    const auto extents = extents_of(sum.operands, operands, subscripts);
    std::vector<Term<T>> terms;
    for (std::size_t k = 0; k < operands.size(); ++k)
    {
        terms.push_back(
            without_stretching(without_repetition(Term<T>{operands[k], sum.operands[k]}, location), extents, location));
    }
    Term<T> product = terms.front();
    for (std::size_t k = 0; k < terms.size(); ++k)
    {
        LabelSet needed = set_of(sum.result);
        for (std::size_t later = k + 1; later < terms.size(); ++later)
        {
            needed |= set_of(terms[later].labels);
        }
        product = k == 0 ? product
                         : contract(keep_only(product, needed | set_of(terms[k].labels), location),
                                    keep_only(terms[k], needed | set_of(product.labels), location), needed,
                                    {"einsum", location});
        product = keep_only(product, needed, location);
    }
    return in_order(product, sum.result, location);
}

template <Real T>
Tensor<T> detail::tensordot(const Tensor<T>& a, const Tensor<T>& b, std::size_t count, Location location)
{
    if (count > std::min(a.dimension(), b.dimension()))
    {
        throw ShapeError("tensordot",
                         "needs " + std::to_string(count) + " axes of both operands: got " + to_string(a.shape()) +
                             " and " + to_string(b.shape()),
                         location);
    }
    Axes last;
    Axes first;
    for (std::size_t k = 0; k < count; ++k)
    {
        last.push_back(static_cast<std::ptrdiff_t>(a.dimension() - count + k));
        first.push_back(static_cast<std::ptrdiff_t>(k));
    }
    return checked_tensordot(a, b, last, first, {"tensordot", location});
}

template <Real T>
Tensor<T> detail::tensordot(const Tensor<T>& a, const Tensor<T>& b, const Axes& a_axes, const Axes& b_axes,
                            Location location)
{
    return checked_tensordot(a, b, a_axes, b_axes, {"tensordot", location});
}

template <Real T>
Tensor<T> detail::inner(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    if (a.dimension() == 0 || b.dimension() == 0)
    {
        return a * Operand<T>(b, location);
    }
    return checked_tensordot(a, b, -1, -1, {"inner", location});
}

template <Real T>
Tensor<T> detail::numpy_dot(const Tensor<T>& a, const Tensor<T>& b, Location location)
{
    if (a.dimension() == 0 || b.dimension() == 0)
    {
        return a * Operand<T>(b, location);
    }
    return checked_tensordot(a, b, -1, b.dimension() == 1 ? -1 : -2, {"dot", location});
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> einsum(Subscripts, std::span<const Tensor<T>>);                                                 \
    template Tensor<T> detail::tensordot<T>(const Tensor<T>&, const Tensor<T>&, std::size_t, Location);                \
    template Tensor<T> detail::tensordot<T>(const Tensor<T>&, const Tensor<T>&, const Axes&, const Axes&, Location);   \
    template Tensor<T> detail::inner<T>(const Tensor<T>&, const Tensor<T>&, Location);                                 \
    template Tensor<T> detail::numpy_dot<T>(const Tensor<T>&, const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
