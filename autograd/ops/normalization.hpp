#pragma once

#include <autograd/shape.hpp>
#include <autograd/variable.hpp>

#include <initializer_list>
#include <type_traits>

/// Layers that bring their input to mean 0 and variance 1, under PyTorch's names. A weight and a bias may be left out. `eps`
/// is added to a variance before its root is taken.
namespace autograd
{

/// The last axes of an array: `2` of them, or those of the shape `{16, 32}`.
class TrailingAxes
{
public:
    template <std::integral I>
    TrailingAxes(I count) : count_(static_cast<std::ptrdiff_t>(count)), given_(false)
    {
    }
    TrailingAxes(std::initializer_list<std::size_t> shape) : TrailingAxes(Shape(shape)) {}
    TrailingAxes(const Shape& shape) : count_(static_cast<std::ptrdiff_t>(shape.rank())), shape_(shape) {}

    /// Their shape. Throws ShapeError, in the name of `operation`, unless `whole` ends so.
    Shape of(const Shape& whole, const char* operation, Location location) const;

private:
    std::ptrdiff_t count_;
    bool given_ = true;
    Shape shape_;
};

struct NormOptions
{
    double eps = 1e-5;
};

/// The mean and the variance of each channel over the batches seen, which a model keeps for inference.
template <Real T>
struct RunningStatistics
{
    explicit RunningStatistics(std::size_t channels)
        : mean(xt::xarray<T>(typename xt::xarray<T>::shape_type{channels}, T(0))),
          variance(xt::xarray<T>(typename xt::xarray<T>::shape_type{channels}, T(1)))
    {
    }
    RunningStatistics(const Variable<T>& mean, const Variable<T>& variance) : mean(mean), variance(variance) {}

    Variable<T> mean;
    Variable<T> variance;
};

struct BatchNormOptions
{
    bool training = false;  ///< whether to take the statistics of this batch, and to add them to the running ones
    double momentum = 0.1;  ///< the share of a new batch in the running statistics
    double eps = 1e-5;
};

struct InstanceNormOptions
{
    bool use_input_stats =
        true;               ///< whether to take the statistics of each sample, and to add them to the running ones
    double momentum = 0.1;  ///< the share of a new batch in the running statistics
    double eps = 1e-5;
};

struct LocalResponseOptions
{
    double alpha = 1e-4;
    double beta = 0.75;
    double k = 1;
};

struct NormalizeOptions
{
    double p = 2;  ///< of the norm
    std::ptrdiff_t axis = 1;
    double eps = 1e-12;  ///< the least to divide by
};

/// (x - mean) / sqrt(variance + eps) weight + bias, as one operation, over the last axes; weight and bias have their shape:
/// `layer_norm(x, 1, w, b)` and `layer_norm(x, {768}, w, b)`.
/// @throws ShapeError if they do not fit.
template <Real T>
Tensor<T> layer_norm(const Tensor<T>& x, const TrailingAxes& axes, const std::type_identity_t<Tensor<T>>& weight = {},
                     const std::type_identity_t<Tensor<T>>& bias = {}, const NormOptions& options = {},
                     Location location = Location::current());

/// The same over each of `groups` groups of neighbouring channels of each sample: x is (batch, channels, ...), weight and
/// bias are (channels).
/// @throws ShapeError if they do not fit; ValueError unless `groups` divides the channels.
template <Real T>
Tensor<T> group_norm(const Tensor<T>& x, std::ptrdiff_t groups, const std::type_identity_t<Tensor<T>>& weight = {},
                     const std::type_identity_t<Tensor<T>>& bias = {}, const NormOptions& options = {},
                     Location location = Location::current());

/// The same over each channel of each sample: x is (batch, channels, d1, ...), weight and bias are (channels).
/// @throws ShapeError if they do not fit; ValueError for a single element a channel, whose variance is 0.
/// @{
template <Real T>
Tensor<T> instance_norm(const Tensor<T>& x, const std::type_identity_t<Tensor<T>>& weight = {},
                        const std::type_identity_t<Tensor<T>>& bias = {}, const NormOptions& options = {},
                        Location location = Location::current());
template <Real T>
Tensor<T> instance_norm(const Tensor<T>& x, const RunningStatistics<T>& running,
                        const std::type_identity_t<Tensor<T>>& weight = {},
                        const std::type_identity_t<Tensor<T>>& bias = {}, const InstanceNormOptions& options = {},
                        Location location = Location::current());
/// @}

/// The same over each channel of a batch: x is (batch, channels, ...), weight and bias are (channels). In training, running
/// statistics become (1 - momentum) times themselves plus momentum times those of the batch, of which the variance is the
/// unbiased one; in inference they take the place of the batch's, and are constants.
/// @throws ShapeError if they do not fit; ValueError for a single element a channel in training, whose variance is 0.
/// @{
template <Real T>
Tensor<T> batch_norm(const Tensor<T>& x, const std::type_identity_t<Tensor<T>>& weight = {},
                     const std::type_identity_t<Tensor<T>>& bias = {}, const NormOptions& options = {},
                     Location location = Location::current());
template <Real T>
Tensor<T> batch_norm(const Tensor<T>& x, const RunningStatistics<T>& running,
                     const std::type_identity_t<Tensor<T>>& weight = {},
                     const std::type_identity_t<Tensor<T>>& bias = {}, const BatchNormOptions& options = {},
                     Location location = Location::current());
/// @}

/// x / (k + alpha s)^beta, where s is the mean square over `size` neighbouring channels, of which those beyond the first and
/// the last are 0: x is (batch, channels, ...).
/// @throws ShapeError for fewer axes; ValueError for no neighbours.
template <Real T>
Tensor<T> local_response_norm(const Tensor<T>& x, std::ptrdiff_t size, const LocalResponseOptions& options = {},
                              Location location = Location::current());

/// x divided by its p-norm along an axis.
/// @throws ShapeError for an axis out of range.
template <Real T>
Tensor<T> normalize(const Tensor<T>& x, const NormalizeOptions& options = {}, Location location = Location::current());

}
