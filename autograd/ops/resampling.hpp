#pragma once

#include <autograd/ops/indices.hpp>
#include <autograd/tensor.hpp>

#include <cstddef>
#include <span>
#include <vector>

/// The linear maps that pooling and resizing of images are made of. The transpose of each is another of them.
namespace autograd
{

namespace detail
{

/// A sparse matrix, row by row.
class SparseMatrix
{
public:
    struct Entry
    {
        std::size_t column;
        double weight;
        bool operator==(const Entry&) const = default;
    };

    explicit SparseMatrix(std::size_t columns) : columns_(columns) {}

    /// To the last row.
    void add(std::size_t column, double weight) { entries_.push_back({column, weight}); }
    void end_row() { ends_.push_back(entries_.size()); }

    std::size_t columns() const noexcept { return columns_; }
    std::size_t rows() const noexcept { return ends_.size(); }
    std::span<const Entry> row(std::size_t i) const
    {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::span(entries_).subspan(begin, ends_[i] - begin);
    }
    SparseMatrix transposed() const;

    bool operator==(const SparseMatrix&) const = default;

private:
    std::size_t columns_;
    std::vector<std::size_t> ends_;
    std::vector<Entry> entries_;
};

/// x with its last axes multiplied by a matrix each.
template <Real T>
Tensor<T> resample(const Tensor<T>& x, const std::vector<SparseMatrix>& maps, Location location);

/// y[b, c, o] = x[b, c, places[b, o]], and 0 where the place is negative.
template <Real T>
Tensor<T> take_places(const Tensor<T>& x, const Indices& places, Location location);

/// The transpose: y[b, c, places[b, o]] += x[b, c, o], where y's last axis has `size` elements.
template <Real T>
Tensor<T> add_at_places(const Tensor<T>& x, const Indices& places, std::size_t size, Location location);

/// The same without adding: of several elements for one place the last stays. The gradient is that of all of them.
template <Real T>
Tensor<T> put_at_places(const Tensor<T>& x, const Indices& places, std::size_t size, Location location);

/// What output o of an adaptive pooling takes: elements first to last - 1.
struct AdaptiveWindow
{
    AdaptiveWindow(std::size_t o, std::size_t input, std::size_t output)
        : first(o * input / output), last(((o + 1) * input + output - 1) / output)
    {
    }

    std::size_t first;
    std::size_t last;
};

/// Averages over adaptive windows.
SparseMatrix adaptive_averages(std::size_t input, std::size_t output);

}

}
