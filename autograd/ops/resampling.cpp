#include <autograd/batching.hpp>
#include <autograd/ops/resampling.hpp>
#include <autograd/parallel.hpp>
#include <autograd/primitive.hpp>

#include <algorithm>
#include <memory>
#include <span>

namespace autograd::detail
{

namespace
{

/// Elements that are worth a thread.
constexpr std::size_t grain_elements = std::size_t{1} << 16;

/// For each of `outer` planes of (columns, inner) elements, the matrix times the plane.
template <class T>
void multiply(const SparseMatrix& map, const T* in, T* out, std::size_t outer, std::size_t inner)
{
    const std::size_t plane = std::max(map.rows(), map.columns()) * inner;
    parallel_for(outer, 1 + grain_elements / (1 + plane),
                 [&](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t o = begin; o < end; ++o)
                     {
                         const T* const from = in + o * map.columns() * inner;
                         T* to = out + o * map.rows() * inner;
                         for (std::size_t row = 0; row < map.rows(); ++row, to += inner)
                         {
                             if (inner == 1)
                             {
                                 T sum = 0;
                                 for (const SparseMatrix::Entry& entry : map.row(row))
                                 {
                                     sum += static_cast<T>(entry.weight) * from[entry.column];
                                 }
                                 *to = sum;
                                 continue;
                             }
                             std::fill_n(to, inner, T(0));
                             for (const SparseMatrix::Entry& entry : map.row(row))
                             {
                                 const T weight = static_cast<T>(entry.weight);
                                 const T* const elements = from + entry.column * inner;
                                 for (std::size_t i = 0; i < inner; ++i)
                                 {
                                     to[i] += weight * elements[i];
                                 }
                             }
                         }
                     }
                 });
}

/// A matrix and its transpose, which gradients need.
struct Maps
{
    explicit Maps(const SparseMatrix& matrix) : matrix(matrix), transpose(matrix.transposed()) {}
    bool operator==(const Maps& other) const { return matrix == other.matrix; }

    SparseMatrix matrix;
    SparseMatrix transpose;
};

/// One axis multiplied by a matrix, or by its transpose.
struct Resample
{
    static constexpr const char* name = "resample";
    bool operator==(const Resample& other) const
    {
        return axis == other.axis && transposed == other.transposed && *maps == *other.maps;
    }
    static constexpr bool multilinear = true;
    std::size_t axis;
    std::shared_ptr<const Maps> maps;
    bool transposed = false;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        Shape shape = x.shape();
        std::size_t outer = 1;
        std::size_t inner = 1;
        for (std::size_t k = 0; k < shape.rank(); ++k)
        {
            (k < axis ? outer : inner) *= k == axis ? 1 : shape[k];
        }
        const SparseMatrix& map = transposed ? maps->transpose : maps->matrix;
        shape[axis] = map.rows();
        const Tensor<T> y = Tensor<T>::adopt(new_node<T>(shape));
        multiply(map, x.data(), y.node()->template as<T>(), outer, inner);
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        return apply(Resample{axis, maps, !transposed}, Location{}, dy);
    }
};

/// Calls visit(row, the row's places) for each row that is taken from or put to its places, which is as much work as so many
/// elements. Different rows are visited by different threads.
template <class Visit>
void for_each_row(const Indices& places, std::size_t channels, std::size_t work, Visit visit)
{
    const std::size_t count = places.shape(1);
    parallel_for(places.shape(0) * channels, 1 + grain_elements / (1 + work),
                 [&](std::size_t begin, std::size_t end)
                 {
                     for (std::size_t row = begin; row < end; ++row)
                     {
                         visit(row, std::span(places.data() + row / channels * count, count));
                     }
                 });
}

template <class T>
Tensor<T> with_last_axis(const Tensor<T>& x, std::size_t size)
{
    return Tensor<T>::adopt(new_node<T>(Shape{x.shape(0), x.shape(1), size}));
}

struct TakePlaces
{
    static constexpr const char* name = "take_places";
    bool operator==(const TakePlaces&) const = default;
    static constexpr bool multilinear = true;
    Indices places;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Tensor<T> y = with_last_axis(x, places.shape(1));
        const T* const elements = x.data();
        T* const taken = y.node()->template as<T>();
        for_each_row(places, x.shape(1), places.shape(1),
                     [=, size = x.shape(2)](std::size_t row, std::span<const std::int64_t> from)
                     {
                         T* to = taken + row * from.size();
                         for (const std::int64_t place : from)
                         {
                             *to++ = place < 0 ? T(0) : elements[row * size + static_cast<std::size_t>(place)];
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>& x) const
    {
        return add_at_places(dy, places, x.shape(2), Location{});
    }
};

template <bool add>
struct PutAtPlaces
{
    static constexpr const char* name = add ? "add_at_places" : "put_at_places";
    bool operator==(const PutAtPlaces&) const = default;
    static constexpr bool multilinear = true;
    Indices places;
    std::size_t size;

    template <class T>
    Tensor<T> value(const Tensor<T>& x) const
    {
        const Tensor<T> y = with_last_axis(x, size);
        const T* const elements = x.data();
        T* const put = y.node()->template as<T>();
        // To fill an element takes a quarter of the time.
        for_each_row(places, x.shape(1), places.shape(1) + size / 4,
                     [=, size = size](std::size_t row, std::span<const std::int64_t> places)
                     {
                         const T* from = elements + row * places.size();
                         T* const to = put + row * size;
                         std::fill_n(to, size, T(0));
                         for (const std::int64_t place : places)
                         {
                             if (place >= 0)
                             {
                                 to[place] = add ? to[place] + *from : *from;
                             }
                             ++from;
                         }
                     });
        return y;
    }
    template <class T>
    Tensor<T> pullback(Wrt<0>, const Tensor<T>& dy, const Tensor<T>&, const Tensor<T>&) const
    {
        return take_places(dy, places, Location{});
    }
};

const Batching<Resample, 1> resample_batching(
    [](const Resample& op, const auto& batch) {
        return batch.behind_axis(Resample{op.axis + 1, op.maps, op.transposed});
    });

// Samples are channels, if all rows of these have their places in common.
constexpr auto places_on_batch = []<class Op, class T>(const Op& op, const Batch<T, 1>& batch)
{
    const Tensor<T>& x = batch[0].tensor;
    if (op.places.shape(0) != 1)
    {
        return Tensor<T>();
    }
    return batch.unstacked(
        apply(op, batch.location, reshape(x, Shape{1, x.shape(0) * x.shape(2), x.shape(3)}, batch.location)));
};
const Batching<TakePlaces, 1> take_places_batching(places_on_batch);
const Batching<PutAtPlaces<false>, 1> put_at_places_batching(places_on_batch);
const Batching<PutAtPlaces<true>, 1> add_at_places_batching(places_on_batch);

}

SparseMatrix SparseMatrix::transposed() const
{
    SparseMatrix result(rows());
    result.ends_.assign(columns_ + 1, 0);
    for (const Entry& entry : entries_)
    {
        ++result.ends_[entry.column + 1];
    }
    for (std::size_t column = 0; column < columns_; ++column)
    {
        result.ends_[column + 1] += result.ends_[column];
    }
    // Each start moves to its row's end as the row is filled.
    result.entries_.resize(entries_.size());
    for (std::size_t i = 0; i < rows(); ++i)
    {
        for (const Entry& entry : row(i))
        {
            result.entries_[result.ends_[entry.column]++] = {i, entry.weight};
        }
    }
    result.ends_.pop_back();
    return result;
}

SparseMatrix adaptive_averages(std::size_t input, std::size_t output)
{
    SparseMatrix map(input);
    for (std::size_t o = 0; o < output; ++o)
    {
        const AdaptiveWindow window(o, input, output);
        for (std::size_t i = window.first; i < window.last; ++i)
        {
            map.add(i, 1.0 / static_cast<double>(window.last - window.first));
        }
        map.end_row();
    }
    return map;
}

// The axes that shrink go first, those with the longest rows before all, and those that grow last.
template <Real T>
Tensor<T> resample(const Tensor<T>& x, const std::vector<SparseMatrix>& maps, Location location)
{
    Tensor<T> y = x;
    const std::size_t lead = x.dimension() - maps.size();
    for (const bool grows : {false, true})
    {
        for (std::size_t k = 0; k < maps.size(); ++k)
        {
            const std::size_t axis = grows ? maps.size() - 1 - k : k;
            if (grows == (maps[axis].rows() > maps[axis].columns()))
            {
                y = apply(Resample{lead + axis, std::make_shared<const Maps>(maps[axis])}, location, y);
            }
        }
    }
    return y;
}

template <Real T>
Tensor<T> take_places(const Tensor<T>& x, const Indices& places, Location location)
{
    return apply(TakePlaces{places}, location, x);
}

template <Real T>
Tensor<T> add_at_places(const Tensor<T>& x, const Indices& places, std::size_t size, Location location)
{
    return apply(PutAtPlaces<true>{places, size}, location, x);
}

template <Real T>
Tensor<T> put_at_places(const Tensor<T>& x, const Indices& places, std::size_t size, Location location)
{
    return apply(PutAtPlaces<false>{places, size}, location, x);
}

#define INSTANTIATE(T)                                                                                                 \
    template Tensor<T> resample(const Tensor<T>&, const std::vector<SparseMatrix>&, Location);                         \
    template Tensor<T> take_places(const Tensor<T>&, const Indices&, Location);                                        \
    template Tensor<T> add_at_places(const Tensor<T>&, const Indices&, std::size_t, Location);                         \
    template Tensor<T> put_at_places(const Tensor<T>&, const Indices&, std::size_t, Location);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
