#pragma once

#include <autograd/generator.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <optional>
#include <type_traits>

/// Layers of neural networks that have no file of their own, under PyTorch's names.
namespace autograd
{

struct EmbeddingOptions
{
    std::optional<std::ptrdiff_t> padding_idx =
        {};                           ///< a row that gets no gradient; a negative one counts from the last
    bool scale_grad_by_freq = false;  ///< whether a row's gradient is divided by how often it is taken
};

/// The rows of the weight, (rows, extent), at these indices, whose axes take the place of the first.
/// @throws ShapeError for a weight of other axes; ValueError for an index out of range, which it names.
template <Real T>
Tensor<T> embedding(const Indices& indices, const Tensor<T>& weight, const EmbeddingOptions& options = {},
                    Location location = Location::current());

/// What becomes of the rows of a bag.
enum class BagMode
{
    sum,
    mean,
    max  ///< of each column; the gradient goes to the first of equal ones
};

template <Real T>
struct EmbeddingBagOptions
{
    std::optional<Indices> offsets =
        {};  ///< where each bag begins, if the indices have one axis; else each row is a bag
    BagMode mode = BagMode::mean;
    Tensor<T> per_sample_weights = {};               ///< one an index, for sums only
    bool include_last_offset = false;                ///< whether the last offset is the end of the last bag
    std::optional<std::ptrdiff_t> padding_idx = {};  ///< a row that counts nowhere; a negative one counts from the last
    bool scale_grad_by_freq = false;                 ///< see `embedding`; not for the mode max
};

/// Rows of the weight, (rows, extent), taken together bag by bag: the result is (bags, extent). An empty bag gives 0.
/// @throws ShapeError if indices, offsets or weights do not fit; ValueError for an index or an offset out of range.
template <Real T>
Tensor<T> embedding_bag(const Indices& indices, const Tensor<T>& weight, const EmbeddingBagOptions<T>& options = {},
                        Location location = Location::current());

/// 1 at the index, 0 elsewhere, along a new last axis of `classes` elements; as many as the largest index asks for if none
/// are given.
/// @throws ValueError for an index out of range, which it names.
xt::xarray<std::int64_t> one_hot(const Indices& indices, std::optional<std::size_t> classes = {},
                                 Location location = Location::current());

/// a weight[k] b + bias[k] for each k: a is (..., n), b (..., m), the weight (out, n, m), the bias (out) or left out.
/// @throws ShapeError if they do not fit.
template <Real T>
Tensor<T> bilinear(const Tensor<T>& a, const std::type_identity_t<Tensor<T>>& b,
                   const std::type_identity_t<Tensor<T>>& weight, const std::type_identity_t<Tensor<T>>& bias = {},
                   Location location = Location::current());

/// Each element is 0 with probability p, and divided by 1 - p otherwise. For training: inference leaves it out.
/// @throws ValueError unless p is in [0, 1].
template <Real T>
Tensor<T> dropout(const Tensor<T>& x, double p, Generator& generator, Location location = Location::current());

/// The same for what `selu` gives: elements are set to its lower bound, and mean 0 and variance 1 stay what they are
/// (Klambauer et al., "Self-normalizing neural networks", 2017).
template <Real T>
Tensor<T> alpha_dropout(const Tensor<T>& x, double p, Generator& generator, Location location = Location::current());

/// Which keys a query attends to: where an array of bool holds, or as an array of numbers that is added to the scores.
template <Real T>
class AttentionMask
{
public:
    AttentionMask() = default;
    AttentionMask(const Tensor<T>& added) : added(added) {}
    template <XExpression E>
    AttentionMask(const E& mask)
    {
        if constexpr (std::is_same_v<typename E::value_type, bool>)
        {
            added = where(mask, Tensor<T>(0), -std::numeric_limits<T>::infinity());
        }
        else
        {
            added = Tensor<T>(mask);
        }
    }

    Tensor<T> added;  ///< undefined if every query attends to every key
};

template <Real T>
struct AttentionOptions
{
    AttentionMask<T> mask = {};        ///< broadcasts to (..., queries, keys)
    bool causal = false;               ///< whether query i attends to keys 0 ... i only
    std::optional<double> scale = {};  ///< of the scores; 1 / sqrt(extent) if not given
};

/// softmax(scale q k^T + mask) v, along the keys: q is (..., queries, extent), k (..., keys, extent), v (..., keys, out). A
/// query that attends to no key gives NaN.
/// @throws ShapeError if they do not fit.
template <Real T>
Tensor<T> scaled_dot_product_attention(const Tensor<T>& q, const std::type_identity_t<Tensor<T>>& k,
                                       const std::type_identity_t<Tensor<T>>& v,
                                       const AttentionOptions<T>& options = {},
                                       Location location = Location::current());

}
