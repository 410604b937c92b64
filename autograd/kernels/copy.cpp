#include <autograd/kernels/copy.hpp>
#include <autograd/parallel.hpp>

#include <algorithm>
#include <cstdlib>
#include <type_traits>

namespace autograd::detail
{

Walk::Walk(const Shape& shape) : rank(shape.rank())
{
    std::ptrdiff_t stride = 1;
    for (std::size_t axis = rank; axis-- > 0;)
    {
        extents[axis] = shape[axis];
        strides[axis] = stride;
        stride *= static_cast<std::ptrdiff_t>(shape[axis]);
    }
}

std::size_t Walk::elements() const noexcept
{
    std::size_t count = 1;
    for (std::size_t axis = 0; axis < rank; ++axis)
    {
        count *= extents[axis];
    }
    return count;
}

namespace
{

/// Elements from which on a second thread pays.
constexpr std::size_t parallel_grain = elements_worth_a_thread;

/// The same walk with axes of extent 1 left out and those merged that are walked as one; at least one axis.
Walk merged(const Walk& walk)
{
    Walk result;
    result.offset = walk.offset;
    for (std::size_t axis = 0; axis < walk.rank; ++axis)
    {
        const std::size_t extent = walk.extents[axis];
        const std::ptrdiff_t stride = walk.strides[axis];
        if (extent == 1)
        {
            continue;
        }
        if (result.rank > 0 && result.strides[result.rank - 1] == stride * static_cast<std::ptrdiff_t>(extent))
        {
            result.extents[result.rank - 1] *= extent;
            result.strides[result.rank - 1] = stride;
        }
        else
        {
            result.push_back(extent, stride);
        }
    }
    if (result.rank == 0)
    {
        result.push_back(1, 1);
    }
    return result;
}

/// Without its last axes.
Walk without_last(Walk walk, std::size_t axes)
{
    walk.rank -= axes;
    return walk;
}

/// Goes along a walk, from any position.
class Cursor
{
public:
    explicit Cursor(const Walk& walk, std::size_t position = 0) : walk_(walk), offset_(walk.offset)
    {
        for (std::size_t axis = walk.rank; position > 0 && axis-- > 0;)
        {
            index_[axis] = position % walk.extents[axis];
            position /= walk.extents[axis];
            offset_ += static_cast<std::ptrdiff_t>(index_[axis]) * walk.strides[axis];
        }
    }

    std::ptrdiff_t offset() const noexcept { return offset_; }

    void advance() noexcept
    {
        for (std::size_t axis = walk_.rank; axis-- > 0;)
        {
            offset_ += walk_.strides[axis];
            if (++index_[axis] < walk_.extents[axis])
            {
                return;
            }
            offset_ -= static_cast<std::ptrdiff_t>(walk_.extents[axis]) * walk_.strides[axis];
            index_[axis] = 0;
        }
    }

private:
    const Walk& walk_;
    std::array<std::size_t, max_rank> index_{};
    std::ptrdiff_t offset_;
};

/// Whether the walk visits no element twice.
bool is_injective(const Walk& walk)
{
    std::array<std::pair<std::ptrdiff_t, std::size_t>, max_rank> axes;
    for (std::size_t axis = 0; axis < walk.rank; ++axis)
    {
        axes[axis] = {std::abs(walk.strides[axis]), walk.extents[axis]};
    }
    std::sort(axes.begin(), axes.begin() + walk.rank);
    std::ptrdiff_t reach = 0;
    for (std::size_t axis = 0; axis < walk.rank; ++axis)
    {
        const auto [stride, extent] = axes[axis];
        if (extent > 1 && stride <= reach)
        {
            return false;
        }
        reach += stride * static_cast<std::ptrdiff_t>(extent - 1);
    }
    return true;
}

/// What is done with an element of the array and one of the sequence.
/// @{
struct Read
{
    template <class T>
    static void apply(const T& element, T& other)
    {
        other = element;
    }
};
struct Write
{
    template <class T>
    static void apply(T& element, const T& other)
    {
        element = other;
    }
};
struct Add
{
    template <class T>
    static void apply(T& element, const T& other)
    {
        element += other;
    }
};
/// @}

template <class Action>
inline constexpr bool reads = std::is_same_v<Action, Read>;

template <class Action, class A, class S>
void visit_row(A* __restrict array, std::ptrdiff_t stride, S* __restrict sequence, std::size_t count)
{
    if (stride == 1)
    {
        for (std::size_t j = 0; j < count; ++j)
        {
            Action::apply(array[j], sequence[j]);
        }
        return;
    }
    for (std::size_t j = 0; j < count; ++j)
    {
        Action::apply(array[static_cast<std::ptrdiff_t>(j) * stride], sequence[j]);
    }
}

/// Rows of `length` elements, with their numbers, in pieces that are worth a thread; in one piece if not `splits`.
template <class F>
void for_rows(std::size_t rows, std::size_t length, bool splits, const F& piece)
{
    if (splits)
    {
        parallel_for(rows, std::max<std::size_t>(1, parallel_grain / length), piece);
    }
    else
    {
        piece(std::size_t{0}, rows);
    }
}

template <class Action, class A, class S>
void visit(A* array, const Walk& walk, S* sequence)
{
    const Walk outer = without_last(walk, 1);
    const std::size_t columns = walk.extents[walk.rank - 1];
    const std::ptrdiff_t stride = walk.strides[walk.rank - 1];
    const bool splits = reads<Action> || is_injective(walk);
    if (outer.rank == 0)
    {
        for_rows(columns, 1, splits,
                 [&](std::size_t begin, std::size_t end)
                 {
                     visit_row<Action>(array + walk.offset + static_cast<std::ptrdiff_t>(begin) * stride, stride,
                                       sequence + begin, end - begin);
                 });
        return;
    }
    for_rows(outer.elements(), columns, splits,
             [&](std::size_t begin, std::size_t end)
             {
                 Cursor cursor(outer, begin);
                 for (std::size_t row = begin; row < end; ++row, cursor.advance())
                 {
                     visit_row<Action>(array + cursor.offset(), stride, sequence + row * columns, columns);
                 }
             });
}

/// One of the log2(side) perfect shuffles that transpose a square: the bits of an element's position rotate by one. The
/// compiler makes registers' permutations of it.
template <std::size_t side, class T>
void shuffle(const T* __restrict in, T* __restrict out)
{
    constexpr std::size_t half = side * side / 2;
    for (std::size_t i = 0; i < half; ++i)
    {
        out[2 * i] = in[i];
        out[2 * i + 1] = in[half + i];
    }
}

/// A tile of `rows` by `columns` elements: out(i, j) = in(j, i). Its lines may share a set of the cache, so each is read
/// once.
template <std::size_t tile, class T>
void transpose_tile(const T* in, std::ptrdiff_t in_stride, std::size_t rows, std::size_t columns, T* out,
                    std::size_t out_stride)
{
    if (rows == tile && columns == tile)
    {
        alignas(64) T lines[2][tile * tile];
        for (std::size_t j = 0; j < tile; ++j)
        {
            std::copy_n(in + static_cast<std::ptrdiff_t>(j) * in_stride, tile, lines[0] + j * tile);
        }
        unsigned now = 0;
        for (std::size_t bits = tile; bits > 1; bits /= 2, now ^= 1)
        {
            shuffle<tile>(lines[now], lines[now ^ 1]);
        }
        for (std::size_t i = 0; i < tile; ++i)
        {
            std::copy_n(lines[now] + i * tile, tile, out + i * out_stride);
        }
        return;
    }
    for (std::size_t i = 0; i < rows; ++i)
    {
        for (std::size_t j = 0; j < columns; ++j)
        {
            out[i * out_stride + j] = in[static_cast<std::ptrdiff_t>(i) + static_cast<std::ptrdiff_t>(j) * in_stride];
        }
    }
}

/// Matrices whose columns are contiguous in the array, in bands of rows: several tiles wide, so that a page of memory, once
/// found, serves more than one line.
template <class T>
void transpose_matrices(const T* in, const Walk& walk, T* out)
{
    constexpr std::size_t tile = 64 / sizeof(T);
    constexpr std::size_t band = 8 * tile;
    const Walk outer = without_last(walk, 2);
    const std::size_t rows = walk.extents[walk.rank - 2];
    const std::size_t columns = walk.extents[walk.rank - 1];
    const std::ptrdiff_t stride = walk.strides[walk.rank - 1];
    const std::size_t bands = (rows + band - 1) / band;
    for_rows(outer.elements() * bands, std::min(band, rows) * columns, true,
             [&](std::size_t begin, std::size_t end)
             {
                 for (std::size_t k = begin; k < end; ++k)
                 {
                     const T* from = in + Cursor(outer, k / bands).offset();
                     T* to = out + k / bands * rows * columns;
                     const std::size_t first = k % bands * band;
                     const std::size_t last = std::min(rows, first + band);
                     for (std::size_t j = 0; j < columns; j += tile)
                     {
                         for (std::size_t i = first; i < last; i += tile)
                         {
                             transpose_tile<tile>(from + i + static_cast<std::ptrdiff_t>(j) * stride, stride,
                                                  std::min(tile, last - i), std::min(tile, columns - j),
                                                  to + i * columns + j, columns);
                         }
                     }
                 }
             });
}

template <class Action, class A, class S>
void visit_block(A* array, const Walk& walk, S* sequence)
{
    const Walk outer = without_last(walk, 1);
    const std::size_t columns = walk.extents[walk.rank - 1];
    Cursor cursor(outer);
    for (std::size_t rows = outer.elements(); rows > 0; --rows, cursor.advance(), sequence += columns)
    {
        visit_row<Action>(array + cursor.offset(), walk.strides[walk.rank - 1], sequence, columns);
    }
}

template <class Action, class A, class S>
void visit(A* array, const Blocks& blocks, S* sequence)
{
    const Walk outer = merged(blocks.outer);
    const Walk inner = merged(blocks.inner);
    const std::size_t count = blocks.offsets.size();
    const std::size_t length = inner.elements();
    const std::int64_t* offsets = blocks.offsets.data();
    if (outer.elements() * count * length == 0)
    {
        return;
    }
    if (!reads<Action> && outer.elements() == 1 && inner.rank == 1 && count * length > parallel_grain)
    {
        // Offsets may repeat: every thread writes columns of its own.
        const std::ptrdiff_t stride = inner.strides[0];
        parallel_for(length, std::max<std::size_t>(64, parallel_grain / count),
                     [&](std::size_t begin, std::size_t end)
                     {
                         A* from = array + outer.offset + inner.offset + static_cast<std::ptrdiff_t>(begin) * stride;
                         for (std::size_t i = 0; i < count; ++i)
                         {
                             visit_row<Action>(from + offsets[i], stride, sequence + i * length + begin, end - begin);
                         }
                     });
        return;
    }
    const auto pieces = [&](std::size_t begin, std::size_t end)
    {
        Cursor cursor(outer, begin / count);
        std::size_t i = begin % count;
        for (std::size_t k = begin; k < end; ++k)
        {
            if (length == 1)
            {
                Action::apply(array[cursor.offset() + inner.offset + offsets[i]], sequence[k]);
            }
            else
            {
                visit_block<Action>(array + cursor.offset() + offsets[i], inner, sequence + k * length);
            }
            if (++i == count)
            {
                i = 0;
                cursor.advance();
            }
        }
    };
    if (reads<Action>)
    {
        for_rows(outer.elements() * count, length, true, pieces);
    }
    else
    {
        for_rows(outer.elements(), count * length, true,
                 [&](std::size_t begin, std::size_t end) { pieces(begin * count, end * count); });
    }
}

template <class Action, class A, class S>
void visit(A* array, const Places& places, S* sequence)
{
    if (places.walk.elements() == 0)
    {
        return;
    }
    const Walk walk = merged(places.walk);
    const Walk outer = without_last(walk, 1);
    const std::size_t rows = outer.elements();
    const std::size_t columns = walk.extents[walk.rank - 1];
    const std::ptrdiff_t step = walk.strides[walk.rank - 1];
    const std::ptrdiff_t stride = places.stride;
    const auto part = [&](std::size_t first_row, std::size_t last_row, std::size_t first, std::size_t last)
    {
        Cursor cursor(outer, first_row);
        for (std::size_t row = first_row; row < last_row; ++row, cursor.advance())
        {
            A* from = array + cursor.offset();
            const std::int64_t* index = places.index + row * columns;
            S* row_of_sequence = sequence + row * columns;
            for (std::size_t j = first; j < last; ++j)
            {
                Action::apply(from[static_cast<std::ptrdiff_t>(j) * step + index[j] * stride], row_of_sequence[j]);
            }
        }
    };
    // Indices may repeat: every thread writes rows, or columns, that no other writes.
    if (reads<Action> || step == 0)
    {
        for_rows(rows, columns, reads<Action> || is_injective(outer),
                 [&](std::size_t begin, std::size_t end) { part(begin, end, 0, columns); });
    }
    else
    {
        parallel_for(columns, std::max<std::size_t>(64, parallel_grain / std::max<std::size_t>(1, rows)),
                     [&](std::size_t begin, std::size_t end) { part(0, rows, begin, end); });
    }
}

}

template <class T>
void gather(const T* in, const Walk& whole, T* out)
{
    if (whole.elements() == 0)
    {
        return;
    }
    const Walk walk = merged(whole);
    if (walk.rank >= 2 && walk.strides[walk.rank - 2] == 1 && walk.strides[walk.rank - 1] != 0)
    {
        transpose_matrices(in, walk, out);
    }
    else
    {
        visit<Read>(in, walk, out);
    }
}

template <class T>
void scatter(const T* in, T* out, const Walk& walk)
{
    if (walk.elements() != 0)
    {
        visit<Write>(out, merged(walk), in);
    }
}

template <class T>
void scatter_add(const T* in, T* out, const Walk& walk)
{
    if (walk.elements() != 0)
    {
        visit<Add>(out, merged(walk), in);
    }
}

template <class T>
void gather(const T* in, const Blocks& blocks, T* out)
{
    visit<Read>(in, blocks, out);
}

template <class T>
void scatter(const T* in, T* out, const Blocks& blocks)
{
    visit<Write>(out, blocks, in);
}

template <class T>
void scatter_add(const T* in, T* out, const Blocks& blocks)
{
    visit<Add>(out, blocks, in);
}

template <class T>
void gather(const T* in, const Places& places, T* out)
{
    visit<Read>(in, places, out);
}

template <class T>
void scatter(const T* in, T* out, const Places& places)
{
    visit<Write>(out, places, in);
}

template <class T>
void scatter_add(const T* in, T* out, const Places& places)
{
    visit<Add>(out, places, in);
}

#define INSTANTIATE(T, W)                                                                                              \
    template void gather(const T*, const W&, T*);                                                                      \
    template void scatter(const T*, T*, const W&);                                                                     \
    template void scatter_add(const T*, T*, const W&);
INSTANTIATE(float, Walk)
INSTANTIATE(float, Blocks)
INSTANTIATE(float, Places)
INSTANTIATE(double, Walk)
INSTANTIATE(double, Blocks)
INSTANTIATE(double, Places)
#undef INSTANTIATE
template void gather(const std::int64_t*, const Walk&, std::int64_t*);
template void gather(const std::int64_t*, const Blocks&, std::int64_t*);
template void gather(const std::int64_t*, const Places&, std::int64_t*);

}
