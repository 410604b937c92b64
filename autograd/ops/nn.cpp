#include <autograd/composition.hpp>
#include <autograd/derive.hpp>
#include <autograd/ops/examples.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/nn.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/table.hpp>
#include <autograd/tracer.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace autograd
{

using namespace formula;

namespace
{

using detail::Composition;

/// x, whose gradient is multiplied by the factor.
struct ScaledGradient
{
    FORMULA(scaled_gradient, 2)
    static constexpr auto value(const auto& x, const auto&) { return x; }
    PULLBACK(0, (dy * factor), const auto&, const auto& factor)
    PULLBACK(1, zero(dy), const auto&, const auto&)
};

template <class T>
void require_rows(const Tensor<T>& weight, const char* operation, Location location)
{
    if (weight.dimension() != 2)
    {
        throw ShapeError(operation, "needs a weight of (rows, extent): got " + to_string(weight.shape()), location);
    }
}

void require_below(const Indices& indices, std::size_t bound, const char* operation, Location location)
{
    for (std::size_t i = 0; i < indices.size(); ++i)
    {
        if (indices[i] < 0 || indices[i] >= static_cast<std::int64_t>(bound))
        {
            throw ValueError(operation,
                             "index " + std::to_string(indices[i]) + ", element " + std::to_string(i) + " of shape " +
                                 to_string(indices.shape()) + ", is not in [0, " + std::to_string(bound) + ")",
                             location);
        }
    }
}

/// The row that is padding, counted from the first; -1 if there is none.
std::int64_t padding_row(std::optional<std::ptrdiff_t> padding, std::size_t rows, const char* operation,
                         Location location)
{
    const auto count = static_cast<std::ptrdiff_t>(rows);
    if (padding && (*padding < -count || *padding >= count))
    {
        throw ValueError(operation,
                         "padding_idx " + std::to_string(*padding) + " is out of range: the weight has " +
                             std::to_string(rows) + " rows",
                         location);
    }
    return !padding ? -1 : *padding < 0 ? *padding + count : *padding;
}

/// The chosen rows, whose gradients are divided by how often each is chosen.
template <class T>
Tensor<T> rows_by_frequency(const Tensor<T>& rows, const Indices& indices, std::size_t count, Location location)
{
    std::vector<std::size_t> frequency(count);
    for (const std::int64_t index : indices)
    {
        ++frequency[static_cast<std::size_t>(index)];
    }
    Shape column = indices.shape();
    column.push_back(1);
    Tensor<T> factor = Tensor<T>::adopt(detail::new_node<T>(column));
    std::transform(indices.begin(), indices.end(), factor.node()->template as<T>(),
                   [&](std::int64_t index) { return 1 / static_cast<T>(frequency[static_cast<std::size_t>(index)]); });
    return Tensor<T>::adopt(detail::Elementwise<ScaledGradient, T>::apply(location, rows.node(), factor.node()));
}

void require_probability(double p, const char* operation, Location location)
{
    if (!(p >= 0 && p <= 1))
    {
        throw ValueError(operation, "p must be in [0, 1]: got " + std::to_string(p), location);
    }
}

/// 1 with probability 1 - p, else 0.
template <class T>
Tensor<T> kept(const Shape& shape, double p, Generator& generator, Location location)
{
    const auto draw = [=, &generator]
    {
        Tensor<T> result = generator.uniform<T>(shape, 0, 1, location);
        T* elements = result.node()->template as<T>();
        std::transform(elements, elements + result.size(), elements,
                       [least = static_cast<T>(p)](T u) { return T(u >= least); });
        return result;
    };
    return detail::draw_array(&generator, location, draw);
}

}

template <Real T>
Tensor<T> embedding(const Indices& indices, const Tensor<T>& weight, const EmbeddingOptions& options, Location location)
{
    require_rows(weight, "embedding", location);
    const std::size_t count = weight.shape(0);
    detail::derive("embedding", {}, location,
                   [=](std::span<detail::Node* const>) { require_below(indices, count, "embedding", location); });
    const std::int64_t padding = padding_row(options.padding_idx, weight.shape(0), "embedding", location);
    const Composition composition(location);
    Tensor<T> rows = index_select(weight, 0, indices, location);
    if (options.scale_grad_by_freq)
    {
        rows = rows_by_frequency(rows, indices, weight.shape(0), location);
    }
    if (padding < 0)
    {
        return rows;
    }
    Shape column = indices.shape();
    column.push_back(1);
    Tensor<T> padded = Tensor<T>::adopt(detail::new_node<T>(column));
    detail::note_constant(padded.node(), indices.is_live());
    detail::derive("embedding", {}, location,
                   [=](std::span<detail::Node* const>)
                   {
                       std::transform(indices.begin(), indices.end(), padded.node()->template as<T>(),
                                      [=](std::int64_t index) { return T(index == padding); });
                   });
    return select(Mask<T>{padded}, stop_gradient(rows, location), rows);
}

namespace
{

/// The indices that count, and the bag of each.
struct Bags
{
    std::vector<std::int64_t> indices;
    std::vector<std::int64_t> bag;
    std::vector<std::int64_t> place;  ///< among all indices
    std::vector<std::size_t> size;    ///< one a bag

    template <class T>
    Bags(const Indices& all, std::int64_t padding, const EmbeddingBagOptions<T>& options, Location location)
    {
        const std::vector<std::int64_t> begins = begins_of(all, options, location);
        size.resize(begins.size() - 1);
        for (std::size_t k = 0; k < size.size(); ++k)
        {
            for (std::int64_t i = begins[k]; i < begins[k + 1]; ++i)
            {
                const std::int64_t index = all[static_cast<std::size_t>(i)];
                if (index != padding)
                {
                    indices.push_back(index);
                    bag.push_back(static_cast<std::int64_t>(k));
                    place.push_back(i);
                    ++size[k];
                }
            }
        }
    }

    static Indices as_indices(const std::vector<std::int64_t>& numbers)
    {
        Indices result(Shape{numbers.size()});
        std::copy(numbers.begin(), numbers.end(), result.data());
        return result;
    }

private:
    /// Where each bag begins, and the last one ends.
    template <class T>
    static std::vector<std::int64_t> begins_of(const Indices& all, const EmbeddingBagOptions<T>& options,
                                               Location location)
    {
        const bool has_offsets = options.offsets.has_value();
        if (all.dimension() != (has_offsets ? 1U : 2U) || (has_offsets && options.offsets->dimension() != 1))
        {
            throw ShapeError(
                "embedding_bag",
                "needs indices of (bags, extent), or of one axis with offsets of one: got indices of shape " +
                    to_string(all.shape()) +
                    (has_offsets ? " and offsets of shape " + to_string(options.offsets->shape())
                                 : std::string(" and no offsets")),
                location);
        }
        const auto count = static_cast<std::int64_t>(all.size());
        std::vector<std::int64_t> begins;
        if (!has_offsets)
        {
            for (std::size_t k = 0; k <= all.shape(0); ++k)
            {
                begins.push_back(static_cast<std::int64_t>(k * all.shape(1)));
            }
            return begins;
        }
        begins.assign(options.offsets->begin(), options.offsets->end());
        if (!options.include_last_offset)
        {
            begins.push_back(count);
        }
        if (begins.empty() || begins.front() != 0 || begins.back() > count ||
            !std::is_sorted(begins.begin(), begins.end()))
        {
            throw ValueError("embedding_bag",
                             "offsets must begin with 0, not decrease, and not exceed the number of indices, " +
                                 std::to_string(count),
                             location);
        }
        return begins;
    }
};

/// The largest element of each column of each bag, or 0 of none; where several are, the first gets the gradient.
template <class T>
Tensor<T> largest_of(const Tensor<T>& rows, const Bags& bags, Location location)
{
    detail::note_decision(rows.node(), "embedding_bag", location);
    const std::size_t width = rows.shape(1);
    const Shape shape{bags.size.size(), width};
    Indices first(shape);
    std::fill_n(first.data(), first.size(), std::int64_t{-1});
    const T* elements = rows.data();
    for (std::size_t row = 0; row < bags.bag.size(); ++row)
    {
        std::int64_t* best = first.data() + static_cast<std::size_t>(bags.bag[row]) * width;
        for (std::size_t column = 0; column < width; ++column)
        {
            const T candidate = elements[row * width + column];
            const T before =
                best[column] < 0 ? T(0) : elements[static_cast<std::size_t>(best[column]) * width + column];
            if (best[column] < 0 || candidate > before || (std::isnan(candidate) && !std::isnan(before)))
            {
                best[column] = static_cast<std::int64_t>(row);
            }
        }
    }
    Tensor<T> empty = Tensor<T>::adopt(detail::new_node<T>(shape));
    std::transform(first.begin(), first.end(), empty.node()->template as<T>(),
                   [](std::int64_t row) { return T(row < 0); });
    std::replace(first.data(), first.data() + first.size(), std::int64_t{-1}, std::int64_t{0});
    return select(Mask<T>{empty}, T(0), gather(rows, 0, first, location));
}

}

template <Real T>
Tensor<T> embedding_bag(const Indices& indices, const Tensor<T>& weight, const EmbeddingBagOptions<T>& options,
                        Location location)
{
    const char* const name = "embedding_bag";
    const bool max = options.mode == BagMode::max;
    require_rows(weight, name, location);
    const std::size_t extent = weight.shape(1);
    const Bags bags(indices, padding_row(options.padding_idx, weight.shape(0), name, location), options, location);
    require_below(indices, weight.shape(0), name, location);
    const Tensor<T>& given = options.per_sample_weights;
    if (given.defined() && (options.mode != BagMode::sum || given.shape() != indices.shape()))
    {
        throw ShapeError(name,
                         "per_sample_weights are for sums, and one an index: got " + to_string(given.shape()) +
                             " for indices of shape " + to_string(indices.shape()),
                         location);
    }
    if (max && options.scale_grad_by_freq)
    {
        throw ValueError(name, "scale_grad_by_freq is for sums and means only", location);
    }
    const Composition composition(location);
    const Indices counting = Bags::as_indices(bags.indices);
    Tensor<T> rows = index_select(weight, 0, counting, location);
    if (max && counting.size() != 0)
    {
        return largest_of(rows, bags, location);
    }
    if (options.scale_grad_by_freq)
    {
        rows = rows_by_frequency(rows, counting, weight.shape(0), location);
    }
    if (given.defined())
    {
        rows = rows * expand_dims(take(given, Bags::as_indices(bags.place), location), 1, location);
    }
    const Tensor<T> sums = index_add(detail::zeros<T>({bags.size.size(), extent}), 0, Bags::as_indices(bags.bag),
                                     Operand<T>(rows, location), 1, location);
    if (options.mode != BagMode::mean)
    {
        return sums;
    }
    Tensor<T> sizes = Tensor<T>::adopt(detail::new_node<T>({bags.size.size(), 1}));
    std::transform(bags.size.begin(), bags.size.end(), sizes.node()->template as<T>(),
                   [](std::size_t size) { return static_cast<T>(std::max<std::size_t>(1, size)); });
    return sums / sizes;
}

xt::xarray<std::int64_t> one_hot(const Indices& indices, std::optional<std::size_t> classes, Location location)
{
    const auto largest = std::max_element(indices.begin(), indices.end());
    const std::size_t width = classes ? *classes
                              : largest == indices.end()
                                  ? 0
                                  : static_cast<std::size_t>(std::max<std::int64_t>(0, *largest) + 1);
    require_below(indices, width, "one_hot", location);
    xt::xarray<std::int64_t>::shape_type shape(indices.shape().begin(), indices.shape().end());
    shape.push_back(width);
    xt::xarray<std::int64_t> result(shape, 0);
    for (std::size_t i = 0; i < indices.size(); ++i)
    {
        result.storage()[i * width + static_cast<std::size_t>(indices[i])] = 1;
    }
    return result;
}

template <Real T>
Tensor<T> bilinear(const Tensor<T>& a, const std::type_identity_t<Tensor<T>>& b,
                   const std::type_identity_t<Tensor<T>>& weight, const std::type_identity_t<Tensor<T>>& bias,
                   Location location)
{
    const std::size_t rank = a.dimension();
    const bool pair =
        rank != 0 && b.dimension() == rank && std::equal(a.shape().begin(), a.shape().end() - 1, b.shape().begin());
    if (!pair || weight.dimension() != 3 || weight.shape(1) != a.shape(rank - 1) ||
        weight.shape(2) != b.shape(rank - 1) || (bias.defined() && bias.shape() != Shape{weight.shape(0)}))
    {
        throw ShapeError("bilinear",
                         "needs (..., n), (..., m), a weight of (out, n, m) and a bias of (out): got " +
                             to_string(a.shape()) + ", " + to_string(b.shape()) + ", " + to_string(weight.shape()) +
                             (bias.defined() ? " and " + to_string(bias.shape()) : " and no bias"),
                         location);
    }
    const Composition composition(location);
    Shape result(a.shape().begin(), a.shape().end() - 1);
    const std::size_t rows = result.elements();
    result.push_back(weight.shape(0));
    const Tensor<T> left = reshape(a, Shape{rows, a.shape(rank - 1)}, location);
    const Tensor<T> right = reshape(b, Shape{rows, b.shape(rank - 1)}, location);
    const Tensor<T> products = transpose(sum(matmul(left, weight, location) * right, -1, {}, location), {}, location);
    return reshape(bias.defined() ? products + bias : products, result, location);
}

template <Real T>
Tensor<T> dropout(const Tensor<T>& x, double p, Generator& generator, Location location)
{
    require_probability(p, "dropout", location);
    const Composition composition(location);
    const T scale = p == 1 ? T(0) : static_cast<T>(1 / (1 - p));
    return x * (kept<T>(x.shape(), p, generator, location) * scale);
}

template <Real T>
Tensor<T> alpha_dropout(const Tensor<T>& x, double p, Generator& generator, Location location)
{
    require_probability(p, "alpha_dropout", location);
    const Composition composition(location);
    constexpr double bound = -1.7580993408473766;
    const double a = p == 1 ? 0 : 1 / std::sqrt((bound * bound * p + 1) * (1 - p));
    const Tensor<T> keep = kept<T>(x.shape(), p, generator, location);
    const Tensor<T> shift = (T(1) - keep) * static_cast<T>(a * bound) - static_cast<T>(a * bound * p);
    return x * (keep * static_cast<T>(a)) + shift;
}

template <Real T>
Tensor<T> scaled_dot_product_attention(const Tensor<T>& q, const std::type_identity_t<Tensor<T>>& k,
                                       const std::type_identity_t<Tensor<T>>& v, const AttentionOptions<T>& options,
                                       Location location)
{
    const char* const name = "scaled_dot_product_attention";
    const auto batch = [](const Tensor<T>& x) { return Shape(x.shape().begin(), x.shape().end() - 2); };
    const auto last = [](const Tensor<T>& x, std::size_t back) { return x.shape(x.dimension() - back); };
    Shape scored;
    Shape whole;
    if (q.dimension() < 2 || k.dimension() < 2 || v.dimension() < 2 || last(q, 1) != last(k, 1) ||
        last(k, 2) != last(v, 2) || last(k, 2) == 0 || !broadcast_shapes(batch(q), batch(k), scored) ||
        !broadcast_shapes(scored, batch(v), whole))
    {
        throw ShapeError(name,
                         "needs (..., queries, extent), (..., keys, extent) and (..., keys, out): got " +
                             to_string(q.shape()) + ", " + to_string(k.shape()) + " and " + to_string(v.shape()),
                         location);
    }
    const std::size_t queries = last(q, 2);
    const std::size_t keys = last(k, 2);
    scored.push_back(queries);
    scored.push_back(keys);
    const Tensor<T>& added = options.mask.added;
    if (added.defined() && !broadcasts_to(added.shape(), scored))
    {
        throw ShapeError(name,
                         "a mask of shape " + to_string(added.shape()) + " does not broadcast to the scores, " +
                             to_string(scored),
                         location);
    }
    const Composition composition(location);
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(last(q, 1))));
    Tensor<T> scores = matmul(q * static_cast<T>(scale), k, {.transpose_b = true}, location);
    if (added.defined())
    {
        scores = scores + added;
    }
    if (options.causal)
    {
        Tensor<T> future = detail::zeros<T>({queries, keys});
        T* elements = future.node()->template as<T>();
        for (std::size_t query = 0; query + 1 < std::min(queries, keys); ++query)
        {
            std::fill(elements + query * keys + query + 1, elements + (query + 1) * keys,
                      -std::numeric_limits<T>::infinity());
        }
        scores = scores + future;
    }
    return matmul(softmax(scores, -1, location), v, location);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> embedding(const Indices&, const Tensor<T>&, const EmbeddingOptions&, Location);                 \
    template Tensor<T> embedding_bag(const Indices&, const Tensor<T>&, const EmbeddingBagOptions<T>&, Location);       \
    template Tensor<T> bilinear(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, const Tensor<T>&, Location);     \
    template Tensor<T> dropout(const Tensor<T>&, double, Generator&, Location);                                        \
    template Tensor<T> alpha_dropout(const Tensor<T>&, double, Generator&, Location);                                  \
    template Tensor<T> scaled_dot_product_attention(const Tensor<T>&, const Tensor<T>&, const Tensor<T>&,              \
                                                    const AttentionOptions<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

namespace
{

Indices any_rows(Arbitrary& any)
{
    return any.flag() ? any.indices() : Indices{2, 0, 2, 1};
}

std::optional<std::ptrdiff_t> any_padding(Arbitrary& any)
{
    return any.flag() ? std::optional(any.integer()) : std::nullopt;
}

const xt::xarray<int> table{{2, 0, 2}, {1, 1, 0}};

/// A generator for one call.
struct Seeded
{
    explicit Seeded(std::uint64_t seed) : generator(seed) {}
    operator Generator&() { return generator; }
    Generator generator;
};

}

EXAMPLE(embedding, table, real, ({3, 2}), embedding(table, x[0]))
EXAMPLE(embedding_bag, mean, real, ({3, 2}), embedding_bag(table, x[0]))
EXAMPLE(embedding_bag, max, real, ({3, 2}), embedding_bag(table, x[0], {.mode = BagMode::max}))
EXAMPLE(
    embedding_bag, weighted, real, ({3, 2}, {5}),
    embedding_bag({2, 0, 2, 1, 0}, x[0],
                  {.offsets = Indices{0, 2, 2}, .mode = BagMode::sum, .per_sample_weights = x[1], .padding_idx = 1}))
EXAMPLE(bilinear, biased, real, ({2, 3}, {2, 2}, {4, 3, 2}, {4}), bilinear(x[0], x[1], x[2], x[3]))
EXAMPLE(bilinear, unbiased, real, ({3}, {2}, {4, 3, 2}), bilinear(x[0], x[1], x[2]))
EXAMPLE(dropout, half, real, ({4, 5}), dropout(x[0], 0.5, Seeded(7)))
EXAMPLE(alpha_dropout, half, real, ({4, 5}), alpha_dropout(x[0], 0.5, Seeded(7)))
EXAMPLE(scaled_dot_product_attention, plain, real, ({2, 3, 2}, {2, 4, 2}, {2, 4, 3}),
        scaled_dot_product_attention(x[0], x[1], x[2]))
EXAMPLE(scaled_dot_product_attention, causal, real, ({3, 2}, {3, 2}, {3, 2}, {3, 3}),
        scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3], .causal = true, .scale = 0.5}))
TRIAL(embedding, any, ({3, 2}),
      embedding(any_rows(any), x[0], {.padding_idx = any_padding(any), .scale_grad_by_freq = any.flag()}))
TRIAL(embedding_bag, any, ({3, 2}),
      embedding_bag(any_rows(any), x[0],
                    {.offsets = any.flag() ? std::optional(Indices{0, 1, 3}) : std::nullopt,
                     .mode = any.one_of({BagMode::sum, BagMode::mean, BagMode::max}),
                     .include_last_offset = any.flag(),
                     .padding_idx = any_padding(any),
                     .scale_grad_by_freq = any.flag()}))
TRIAL(dropout, any, ({2, 3}), dropout(x[0], any.number(), Seeded(any.below(9))))
TRIAL(alpha_dropout, any, ({2, 3}), alpha_dropout(x[0], any.number(), Seeded(any.below(9))))
TRIAL(scaled_dot_product_attention, any, ({2, 3, 2}, {2, 4, 2}, {2, 4, 3}, {4}),
      scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3], .causal = any.flag(), .scale = any.number()}))

static constexpr Names names[] = {
    {"embedding", nullptr, nullptr, "nn.functional.embedding"},
    {"embedding_bag", nullptr, nullptr, "nn.functional.embedding_bag"},
    {"one_hot", nullptr, nullptr, "nn.functional.one_hot"},
    {"bilinear", nullptr, nullptr, "nn.functional.bilinear"},
    {"dropout", nullptr, nullptr, "nn.functional.dropout"},
    {"alpha_dropout", nullptr, nullptr, "nn.functional.alpha_dropout"},
    {"scaled_dot_product_attention", nullptr, nullptr, "nn.functional.scaled_dot_product_attention"},
};
static const NameTable name_table("nn", names);

void detail::nn_family() noexcept {}

}
