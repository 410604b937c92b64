#include <autograd/kernels/convolution.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/tile.hpp>
#include <autograd/parallel.hpp>

#include <array>
#include <vector>

// Neither an image nor a batch is unfolded into a matrix. A part of an image, with its zeros around it, is copied such that
// what one tap of the kernel reads for neighbouring outputs is contiguous; rows of the right side of a product are then
// places in that copy. The part is small enough for the second-level cache.
namespace autograd::detail
{

namespace
{

/// About how much of an image is copied at a time, and how deep a product is at a time.
constexpr std::size_t part_bytes = std::size_t{384} << 10;
constexpr std::size_t part_columns = 1024;
constexpr std::size_t part_depth = 512;
/// How many rows of a weight's gradient are summed up at a time, and over how many places.
constexpr std::size_t gradient_rows = 768;
constexpr std::size_t gradient_places = 256;
/// With fewer taps than this, copying a part of an image weighs so much that more of the outputs share it.
constexpr std::size_t few_taps = 4;

/// Multiplications that are worth a thread: with few channels they take twice as long as in products of matrices.
constexpr std::size_t worth_splitting = worth_a_thread / 2;

/// Up to so many rows a tile is wide instead of high.
constexpr std::size_t narrow_rows = 3;
constexpr std::size_t narrow_registers = std::max<std::size_t>(tile_registers, tile_rows * 2 / 3);

std::size_t ceiling(std::size_t a, std::size_t b)
{
    return (a + b - 1) / b;
}

/// An element k of the kernel. For output j it reads element j + shift of one phase of the source.
struct Tap
{
    std::size_t kernel;
    std::size_t phase;
    std::size_t shift;
};

/// One axis of a map from a source to a target. Element i of phase f is source[i * phases + f - lead]. The target's
/// elements j * steps + r, for one r, read the same taps.
struct AxisPlan
{
    std::size_t source;
    std::size_t target;
    std::size_t phases;
    std::size_t lead;
    std::size_t steps;
    PoolVector<PoolVector<Tap>> taps;  ///< for each r

    static AxisPlan forward(const ConvolutionAxis& axis)
    {
        AxisPlan plan{axis.input, axis.output, axis.stride, axis.before, 1, {{}}};
        for (std::size_t k = 0; k < axis.kernel; ++k)
        {
            plan.taps[0].push_back({k, k * axis.dilation % axis.stride, k * axis.dilation / axis.stride});
        }
        return plan;
    }

    static AxisPlan transposed(const ConvolutionAxis& axis)
    {
        AxisPlan plan{axis.output, axis.input, 1, 0, axis.stride, {}};
        plan.lead = (axis.kernel - 1) * axis.dilation / axis.stride;
        for (std::size_t r = 0; r < std::min(axis.stride, axis.input); ++r)
        {
            PoolVector<Tap>& taps = plan.taps.emplace_back();
            for (std::size_t k = 0; k < axis.kernel; ++k)
            {
                // Non-negative also where the tap reads from before the first element.
                const std::size_t place = plan.lead * axis.stride + r + axis.before - k * axis.dilation;
                if (r + axis.before + plan.lead * axis.stride >= k * axis.dilation && place % axis.stride == 0)
                {
                    taps.push_back({k, 0, place / axis.stride});
                }
            }
        }
        return plan;
    }

    std::size_t count(std::size_t r) const { return ceiling(target - r, steps); }
    /// How many more elements of a phase than outputs are read.
    std::size_t reach(std::size_t r) const
    {
        std::size_t reach = 0;
        for (const Tap& tap : taps[r])
        {
            reach = std::max(reach, tap.shift);
        }
        return reach;
    }
};

/// A range of outputs of an axis that are computed together, of those with remainder r.
struct Range
{
    std::size_t r;
    std::size_t begin;
    std::size_t count;
};

PoolVector<Range> ranges(const AxisPlan& plan, std::size_t most)
{
    PoolVector<Range> result;
    for (std::size_t r = 0; r < plan.taps.size(); ++r)
    {
        const std::size_t count = plan.count(r);
        const std::size_t length = ceiling(count, ceiling(count, most));
        for (std::size_t begin = 0; begin < count; begin += length)
        {
            result.push_back({r, begin, std::min(length, count - begin)});
        }
    }
    return result;
}

using AxisPlans = std::array<AxisPlan, 3>;

/// A rectangle of one plane of outputs, and where in the copied part its taps read. Row-major places in the part stand for
/// outputs; those between two rows stand for none.
struct Window
{
    Window(const AxisPlans& plan, const Range& depth, const Range& rows, const Range& columns)
        : plan(plan), depth(depth), rows(rows), columns(columns), part_rows(rows.count + plan[1].reach(rows.r)),
          row_length(columns.count + plan[2].reach(columns.r)),
          plane(plan[1].phases * plan[2].phases * part_rows * row_length)
    {
        for (const Tap& y : plan[1].taps[rows.r])
        {
            for (const Tap& x : plan[2].taps[columns.r])
            {
                offsets.push_back(((y.phase * plan[2].phases + x.phase) * part_rows + y.shift) * row_length + x.shift);
            }
        }
    }

    std::size_t taps() const { return offsets.size(); }
    std::size_t depth_taps() const { return plan[0].taps[depth.r].size(); }
    std::size_t places() const { return (rows.count - 1) * row_length + columns.count; }

    /// Copies what is read of plane number `index` of a group, which counts taps along the first axis within channels.
    template <class T>
    void copy_plane(const T* group, std::size_t index, T* part) const
    {
        const AxisPlan& d = plan[0];
        const Tap& tap = d.taps[depth.r][index % depth_taps()];
        const std::size_t slice = (depth.begin + tap.shift) * d.phases + tap.phase;
        if (slice < d.lead || slice - d.lead >= d.source)
        {
            std::fill_n(part, plane, T(0));
            return;
        }
        const AxisPlan& h = plan[1];
        const AxisPlan& w = plan[2];
        const T* image = group + ((index / depth_taps()) * d.source + (slice - d.lead)) * h.source * w.source;
        for (std::size_t f = 0; f < h.phases * w.phases; ++f)
        {
            for (std::size_t i = rows.begin; i < rows.begin + part_rows; ++i, part += row_length)
            {
                const std::size_t row = i * h.phases + f / w.phases;
                if (row < h.lead || row - h.lead >= h.source)
                {
                    std::fill_n(part, row_length, T(0));
                }
                else
                {
                    copy_row(image + (row - h.lead) * w.source, f % w.phases, part);
                }
            }
        }
    }

    const AxisPlans& plan;
    Range depth;  ///< of one output
    Range rows;
    Range columns;
    std::size_t part_rows;
    std::size_t row_length;
    std::size_t plane;  ///< elements of a copied plane
    PoolVector<std::size_t> offsets;

private:
    template <class T>
    void copy_row(const T* row, std::size_t phase, T* part) const
    {
        const AxisPlan& w = plan[2];
        const std::size_t start = columns.begin * w.phases + phase;
        const std::size_t zeros = start >= w.lead ? 0 : std::min(row_length, ceiling(w.lead - start, w.phases));
        const std::size_t first = start + zeros * w.phases;
        const std::size_t there = first - w.lead >= w.source ? 0 : ceiling(w.source - (first - w.lead), w.phases);
        const std::size_t end = std::min(row_length, zeros + there);
        std::fill_n(part, zeros, T(0));
        if (w.phases == 1 && zeros < end)
        {
            std::copy_n(row + (first - w.lead), end - zeros, part + zeros);
        }
        else
        {
            for (std::size_t i = zeros; i < end; ++i)
            {
                part[i] = row[start + i * w.phases - w.lead];
            }
        }
        std::fill(part + end, part + row_length, T(0));
    }
};

/// How many rows of outputs make a part of about `part_bytes`, with so many planes.
template <class T>
std::size_t rows_of_part(const AxisPlans& plan, std::size_t planes)
{
    const std::size_t columns = std::min(part_columns, plan[2].count(0));
    const std::size_t row = planes * plan[1].phases * plan[2].phases * (columns + plan[2].reach(0)) * sizeof(T);
    const std::size_t reach = plan[1].reach(0);
    return std::max<std::size_t>(1, part_bytes / row > reach ? part_bytes / row - reach : 1);
}

/// Consecutive outputs of a tile that are consecutive in a row of the target.
struct Run
{
    std::size_t tile;
    std::size_t target;
    std::size_t count;
};

template <class T>
[[gnu::always_inline]] inline void store_run(const T* from, T* to, std::size_t count, std::size_t step, T bias,
                                             bool accumulate)
{
    using B = xsimd::batch<T>;
    if (step == 1 && count >= B::size && count <= 2 * B::size)
    {
        // Two registers that overlap.
        const std::size_t last = count - B::size;
        const B first = (accumulate ? B::load_unaligned(to) : B(bias)) + B::load_unaligned(from);
        const B second = (accumulate ? B::load_unaligned(to + last) : B(bias)) + B::load_unaligned(from + last);
        first.store_unaligned(to);
        second.store_unaligned(to + last);
        return;
    }
    for (std::size_t j = 0; j < count; ++j)
    {
        to[j * step] = (accumulate ? to[j * step] : bias) + from[j];
    }
}

/// What a tile of a map is made of, and where it goes.
template <class T>
struct TileTask
{
    std::size_t depth;
    const T* weights;            ///< packed, a column of the tile after the other
    const T* part;               ///< at the tile's first place
    const std::size_t* offsets;  ///< one a column of the weights
    const PoolVector<Run>& runs;
    T* target;
    std::size_t target_row;
    std::size_t step;
    const T* bias;
    bool accumulate;
};

template <class T, std::size_t rows, std::size_t registers>
void compute_tile(const TileTask<T>& task)
{
    constexpr std::size_t width = registers * xsimd::batch<T>::size;
    const T* const weights = task.weights;
    const T* const part = task.part;
    const std::size_t* const offsets = task.offsets;
    const Tile<T, rows, registers> sums = multiply_tile<T, rows, registers>(
        task.depth, [=](std::size_t i, std::size_t p) { return weights[p * rows + i]; },
        [=](std::size_t p) { return part + offsets[p]; });
    alignas(buffer_alignment) T tile[rows * width];
    store_tile<T>(sums, tile, width, width, false);
    for (std::size_t i = 0; i < rows; ++i)
    {
        const T bias = task.bias == nullptr ? T(0) : task.bias[i];
        for (const Run& run : task.runs)
        {
            store_run(tile + i * width + run.tile, task.target + i * task.target_row + run.target, run.count, task.step,
                      bias, task.accumulate);
        }
    }
}

template <class T>
using TileKernel = void (*)(const TileTask<T>&);

/// By the number of rows less one.
template <class T, std::size_t registers, std::size_t... I>
constexpr std::array<TileKernel<T>, sizeof...(I)> tile_kernels(std::index_sequence<I...>)
{
    return {&compute_tile<T, I + 1, registers>...};
}

/// The weights of a map, as the left side of products. Element (i, c, k) of a group's is at
/// data[i * row_stride + c * column_stride + k].
template <class T>
struct Weights
{
    const T* data;
    std::size_t group_stride;
    std::size_t row_stride;
    std::size_t column_stride;
};

/// A convolution or its transpose.
template <class T>
class Map
{
public:
    Map(const ConvolutionShape& shape, AxisPlans plan, std::size_t columns, std::size_t rows, const Weights<T>& weights)
        : shape_(shape), plan_(std::move(plan)), columns_(columns), rows_(rows), high_(rows > narrow_rows),
          tile_rows_(high_ ? tile_rows : narrow_rows),
          packed_(shape.groups * rows * columns * shape.axes[0].kernel * shape.axes[1].kernel * shape.axes[2].kernel)
    {
        T* packed = packed_.data();
        for_each_remainder([&](std::size_t, std::size_t, std::size_t) { starts_.push_back(0); });
        std::size_t index = 0;
        for_each_remainder(
            [&](std::size_t d, std::size_t h, std::size_t w)
            {
                starts_[index++] = static_cast<std::size_t>(packed - packed_.data());
                for (std::size_t group = 0; group < shape.groups; ++group)
                {
                    packed = pack(weights, group, d, h, w, packed);
                }
            });
    }

    void operator()(const T* source, const T* bias, T* target) const
    {
        const std::size_t taps = plan_[1].taps[0].size() * plan_[2].taps[0].size();
        const std::size_t planes = columns_ * plan_[0].taps[0].size();
        const std::size_t at_once =
            std::clamp<std::size_t>(part_depth / std::max<std::size_t>(1, taps), 1, std::max<std::size_t>(1, planes));
        const PoolVector<Range> depths = ranges(plan_[0], 1);
        const PoolVector<Range> heights = ranges(plan_[1], rows_of_part<T>(plan_, at_once));
        const PoolVector<Range> widths = ranges(plan_[2], part_columns);
        const std::size_t windows = depths.size() * heights.size() * widths.size();
        const std::size_t images = shape_.batch * shape_.groups;
        const std::size_t source_image = columns_ * plan_[0].source * plan_[1].source * plan_[2].source;
        const std::size_t target_image = rows_ * plan_[0].target * plan_[1].target * plan_[2].target;
        const std::size_t work = 1 + rows_ * planes * taps * heights[0].count * widths[0].count;
        parallel_for(windows * images, ceiling(worth_splitting, work),
                     [&](std::size_t begin, std::size_t end)
                     {
                         for (std::size_t task = begin; task < end; ++task)
                         {
                             const std::size_t image = task / windows;
                             const std::size_t group = image % shape_.groups;
                             const std::size_t window = task % windows;
                             const Range& depth = depths[window / (heights.size() * widths.size())];
                             const Range& height = heights[window / widths.size() % heights.size()];
                             const Range& width = widths[window % widths.size()];
                             compute(Window(plan_, depth, height, width), at_once, group, source + image * source_image,
                                     bias == nullptr ? nullptr : bias + group * rows_, target + image * target_image);
                         }
                     });
    }

private:
    template <class Visit>
    void for_each_remainder(Visit visit) const
    {
        for (std::size_t d = 0; d < plan_[0].taps.size(); ++d)
        {
            for (std::size_t h = 0; h < plan_[1].taps.size(); ++h)
            {
                for (std::size_t w = 0; w < plan_[2].taps.size(); ++w)
                {
                    visit(d, h, w);
                }
            }
        }
    }

    /// The weights that targets with these remainders read, a row of tiles after the other. Gives the end of what it wrote.
    T* pack(const Weights<T>& weights, std::size_t group, std::size_t d, std::size_t h, std::size_t w, T* packed) const
    {
        const T* const data = weights.data + group * weights.group_stride;
        for (std::size_t i0 = 0; i0 < rows_; i0 += tile_rows_)
        {
            const std::size_t height = std::min(tile_rows_, rows_ - i0);
            for (std::size_t c = 0; c < columns_; ++c)
            {
                for (const Tap& z : plan_[0].taps[d])
                {
                    for (const Tap& y : plan_[1].taps[h])
                    {
                        for (const Tap& x : plan_[2].taps[w])
                        {
                            const std::size_t k =
                                (z.kernel * shape_.axes[1].kernel + y.kernel) * shape_.axes[2].kernel + x.kernel;
                            const T* from = data + i0 * weights.row_stride + c * weights.column_stride + k;
                            for (std::size_t i = 0; i < height; ++i)
                            {
                                *packed++ = from[i * weights.row_stride];
                            }
                        }
                    }
                }
            }
        }
        return packed;
    }

    void compute(const Window& window, std::size_t at_once, std::size_t group, const T* source, const T* bias,
                 T* target) const
    {
        static constexpr auto high = tile_kernels<T, tile_registers>(std::make_index_sequence<tile_rows>{});
        static constexpr auto wide = tile_kernels<T, narrow_registers>(std::make_index_sequence<narrow_rows>{});
        const std::size_t tile_width = (high_ ? tile_registers : narrow_registers) * xsimd::batch<T>::size;
        const std::size_t planes = columns_ * window.depth_taps();
        const std::size_t depth = planes * window.taps();
        const std::size_t remainder =
            (window.depth.r * plan_[1].taps.size() + window.rows.r) * plan_[2].taps.size() + window.columns.r;
        const T* const weights = packed_.data() + starts_[remainder] + group * rows_ * depth;
        const std::size_t target_row = plan_[0].target * plan_[1].target * plan_[2].target;
        target += (((window.depth.begin * plan_[0].steps + window.depth.r) * plan_[1].target +
                    window.rows.begin * plan_[1].steps + window.rows.r) *
                       plan_[2].target +
                   window.columns.begin * plan_[2].steps + window.columns.r);
        const std::size_t most = std::min(at_once, planes);
        Panel<T> part(most * window.plane + tile_width);
        PoolVector<std::size_t> offsets;
        for (std::size_t plane = 0; plane < most; ++plane)
        {
            for (const std::size_t offset : window.offsets)
            {
                offsets.push_back(plane * window.plane + offset);
            }
        }
        PoolVector<Run> runs;
        std::size_t p0 = 0;
        do
        {
            const std::size_t count = std::min(most, planes - p0);
            for (std::size_t plane = 0; plane < count; ++plane)
            {
                window.copy_plane(source, p0 + plane, part.data() + plane * window.plane);
            }
            std::fill_n(part.data() + count * window.plane, tile_width, T(0));
            for (std::size_t place = 0; place < window.places(); place += tile_width)
            {
                find_runs(window, place, std::min(tile_width, window.places() - place), runs);
                for (std::size_t i0 = 0; i0 < rows_ && !runs.empty(); i0 += tile_rows_)
                {
                    const std::size_t height = std::min(tile_rows_, rows_ - i0);
                    const TileTask<T> task{count * window.taps(),
                                           weights + i0 * depth + p0 * window.taps() * height,
                                           part.data() + place,
                                           offsets.data(),
                                           runs,
                                           target + i0 * target_row,
                                           target_row,
                                           plan_[2].steps,
                                           bias == nullptr ? nullptr : bias + i0,
                                           p0 > 0};
                    (high_ ? high[height - 1] : wide[height - 1])(task);
                }
            }
            p0 += count;
        } while (p0 < planes);
    }

    /// Where the outputs at `count` places from `place` on go.
    void find_runs(const Window& window, std::size_t place, std::size_t count, PoolVector<Run>& runs) const
    {
        runs.clear();
        for (std::size_t tile = 0; tile < count;)
        {
            const std::size_t row = (place + tile) / window.row_length;
            const std::size_t column = (place + tile) % window.row_length;
            if (column < window.columns.count)
            {
                runs.push_back({tile, row * plan_[1].steps * plan_[2].target + column * plan_[2].steps,
                                std::min(window.columns.count - column, count - tile)});
            }
            tile += window.row_length - column;
        }
    }

    const ConvolutionShape& shape_;
    AxisPlans plan_;
    std::size_t columns_;  ///< channels of the source in a group
    std::size_t rows_;     ///< channels of the target in a group
    bool high_;
    std::size_t tile_rows_;
    Panel<T> packed_;
    PoolVector<std::size_t> starts_;
};

AxisPlans forward_plan(const ConvolutionShape& shape)
{
    return {AxisPlan::forward(shape.axes[0]), AxisPlan::forward(shape.axes[1]), AxisPlan::forward(shape.axes[2])};
}

AxisPlans transposed_plan(const ConvolutionShape& shape)
{
    return {AxisPlan::transposed(shape.axes[0]), AxisPlan::transposed(shape.axes[1]),
            AxisPlan::transposed(shape.axes[2])};
}

std::size_t kernel_elements(const ConvolutionShape& shape)
{
    return shape.axes[0].kernel * shape.axes[1].kernel * shape.axes[2].kernel;
}

}

template <class T>
void convolve(const ConvolutionShape& shape, const T* x, const T* weight, const T* bias, T* y)
{
    const std::size_t kernel = kernel_elements(shape);
    const std::size_t row = shape.inputs * kernel;
    Map<T>(shape, forward_plan(shape), shape.inputs, shape.outputs, {weight, shape.outputs * row, row, kernel})(x, bias,
                                                                                                                y);
}

template <class T>
void convolve_transposed(const ConvolutionShape& shape, const T* y, const T* weight, const T* bias, T* x)
{
    const std::size_t kernel = kernel_elements(shape);
    const std::size_t row = shape.inputs * kernel;
    Map<T>(shape, transposed_plan(shape), shape.outputs, shape.inputs,
           {weight, shape.outputs * row, kernel, row})(y, bias, x);
}

namespace
{

/// What the kernels of a weight's gradient read: copied planes of x, and where in them each row of the weight's
/// transpose begins.
template <class T>
struct Part
{
    const T* data;
    const PoolVector<std::size_t>& rows;
};

/// sums[i][o] += x[rows[i] + places[p]] * y[p][o], over all p < count, for one row of tiles.
template <class T, std::size_t... I>
void add_products(const T* x, const std::size_t* rows, std::size_t height, const std::size_t* places, std::size_t count,
                  const T* y, T* sums, std::index_sequence<I...>)
{
    std::array<const T*, sizeof...(I)> from{(x + rows[std::min(I, height - 1)])...};
    const auto tile = multiply_tile<T, sizeof...(I), tile_registers>(
        count, [=](std::size_t i, std::size_t p) { return from[i][places[p]]; },
        [=](std::size_t p) { return y + p * tile_columns<T>; });
    store_tile<T>(tile, sums, tile_columns<T>, tile_columns<T>, true);
}

/// The gradient of the weights, some planes of x and some outputs at a time.
template <class T>
class DenseGradient
{
public:
    DenseGradient(const ConvolutionShape& shape, const AxisPlans& plan, const T* x, const T* y, T* weight)
        : shape_(shape), plan_(plan), x_(x), y_(y), weight_(weight),
          taps_(plan[1].taps[0].size() * plan[2].taps[0].size()), planes_(shape.inputs * plan[0].taps[0].size()),
          block_(ceiling(planes_, std::min(planes_, ceiling(planes_ * taps_, gradient_rows)))),
          width_((taps_ < few_taps ? 4 : 1) * tile_columns<T>)
    {
    }

    void operator()() const
    {
        const std::size_t columns = ceiling(shape_.outputs, width_);
        const std::size_t places = shape_.batch * plan_[0].target * plan_[1].target * plan_[2].target;
        const std::size_t work = 1 + places * std::min(width_, shape_.outputs);
        const std::size_t rows = planes_ * taps_;
        const std::size_t block = block_ * taps_;
        parallel_for(shape_.groups * columns * rows, Grain{ceiling(worth_splitting, work), tile_rows},
                     [&](std::size_t begin, std::size_t end)
                     {
                         while (begin < end)
                         {
                             const std::size_t first = begin % rows;
                             const std::size_t count = std::min({block - first % block, rows - first, end - begin});
                             const std::size_t column = begin / rows;
                             compute(column / columns, column % columns * width_, first, count);
                             begin += count;
                         }
                     });
    }

private:
    /// Some rows of the weight's transpose, each of which is a tap of a plane.
    void compute(std::size_t group, std::size_t o0, std::size_t first, std::size_t rows) const
    {
        const std::size_t p0 = first / taps_;
        const std::size_t planes = (first + rows - 1) / taps_ - p0 + 1;
        const std::size_t width = std::min(width_, shape_.outputs - o0);
        // For each column of tiles; the last row of tiles may be a part of one.
        const std::size_t column = (rows + tile_rows) * tile_columns<T>;
        Panel<T> sums(ceiling(width, tile_columns<T>) * column);
        std::fill_n(sums.data(), ceiling(width, tile_columns<T>) * column, T(0));
        Panel<T> columns(gradient_places * tile_columns<T>);
        std::fill_n(columns.data(), gradient_places * tile_columns<T>, T(0));
        const std::size_t target = plan_[0].target * plan_[1].target * plan_[2].target;
        const std::size_t source = plan_[0].source * plan_[1].source * plan_[2].source;
        PoolVector<std::size_t> starts;
        PoolVector<std::size_t> places;
        for (const Range& depth : ranges(plan_[0], 1))
        {
            // The parts of a whole block, whoever computes how many of its rows: they decide the order of the sums.
            for (const Range& height : ranges(plan_[1], rows_of_part<T>(plan_, block_)))
            {
                for (const Range& breadth : ranges(plan_[2], part_columns))
                {
                    const Window window(plan_, depth, height, breadth);
                    Panel<T> part(planes * window.plane);
                    starts.clear();
                    for (std::size_t row = first; row < first + rows; ++row)
                    {
                        starts.push_back((row / taps_ - p0) * window.plane + window.offsets[row % taps_]);
                    }
                    for (std::size_t image = 0; image < shape_.batch; ++image)
                    {
                        const std::size_t number = image * shape_.groups + group;
                        for (std::size_t plane = 0; plane < planes; ++plane)
                        {
                            window.copy_plane(x_ + number * shape_.inputs * source, p0 + plane,
                                              part.data() + plane * window.plane);
                        }
                        for (std::size_t o = 0; o < width; o += tile_columns<T>)
                        {
                            add(window, {part.data(), starts}, y_ + (number * shape_.outputs + o0 + o) * target,
                                std::min(tile_columns<T>, width - o), columns.data(), places,
                                sums.data() + o / tile_columns<T> * column);
                        }
                    }
                }
            }
        }
        for (std::size_t o = 0; o < width; ++o)
        {
            T* const to = weight_ + (group * shape_.outputs + o0 + o) * planes_ * taps_ + first;
            const T* const from = sums.data() + o / tile_columns<T> * column + o % tile_columns<T>;
            for (std::size_t row = 0; row < rows; ++row)
            {
                to[row] = from[row * tile_columns<T>];
            }
        }
    }

    /// What the outputs of one window contribute.
    void add(const Window& window, const Part<T>& part, const T* y, std::size_t width, T* columns,
             PoolVector<std::size_t>& places, T* sums) const
    {
        const std::size_t target = plan_[0].target * plan_[1].target * plan_[2].target;
        const std::size_t outputs = window.rows.count * window.columns.count;
        for (std::size_t q0 = 0; q0 < outputs; q0 += gradient_places)
        {
            const std::size_t count = std::min(gradient_places, outputs - q0);
            places.clear();
            for (std::size_t q = q0; q < q0 + count;)
            {
                const std::size_t row = q / window.columns.count;
                const std::size_t column = q % window.columns.count;
                const std::size_t run = std::min(window.columns.count - column, q0 + count - q);
                const T* from = y + (window.depth.begin * plan_[1].target + window.rows.begin + row) * plan_[2].target +
                                window.columns.begin + column;
                T* const to = columns + (q - q0) * tile_columns<T>;
                for (std::size_t o = 0; o < width; ++o, from += target)
                {
                    for (std::size_t j = 0; j < run; ++j)
                    {
                        to[j * tile_columns<T> + o] = from[j];
                    }
                }
                for (std::size_t j = 0; j < run; ++j)
                {
                    places.push_back(row * window.row_length + column + j);
                }
                q += run;
            }
            for (std::size_t row = 0; row < part.rows.size(); row += tile_rows)
            {
                add_products(part.data, part.rows.data() + row, std::min(tile_rows, part.rows.size() - row),
                             places.data(), count, columns, sums + row * tile_columns<T>,
                             std::make_index_sequence<tile_rows>{});
            }
        }
    }

    const ConvolutionShape& shape_;
    const AxisPlans& plan_;
    const T* x_;
    const T* y_;
    T* weight_;
    std::size_t taps_;
    std::size_t planes_;
    std::size_t block_;  ///< planes that are taken together
    std::size_t width_;  ///< and outputs
};

/// sums[i] += x[offsets[i] + row * row_length + j] * y[row * y_row + j], over all rows and j.
template <class T, std::size_t count>
void add_dots(const Window& window, const T* x, const std::size_t* offsets, const T* y, std::size_t y_row, T* sums)
{
    using B = xsimd::batch<T>;
    const std::size_t width = window.columns.count;
    const std::size_t whole = width / B::size * B::size;
    alignas(buffer_alignment) T lanes[B::size];
    std::array<B, count> totals;
    totals.fill(B(T(0)));
    for (std::size_t row = 0; row < window.rows.count; ++row)
    {
        const T* const from = x + row * window.row_length;
        const T* const with = y + row * y_row;
        for (std::size_t j = 0; j < whole; j += B::size)
        {
            const B factor = B::load_unaligned(with + j);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < count; ++i)
            {
                totals[i] = xsimd::fma(factor, B::load_unaligned(from + offsets[i] + j), totals[i]);
            }
        }
        if (whole < width)
        {
            // What stands behind the row may be infinite.
            std::fill(std::copy(with + whole, with + width, lanes), lanes + B::size, T(0));
            const B factor = B::load_aligned(lanes);
            for (std::size_t i = 0; i < count; ++i)
            {
                const T* const last = from + offsets[i];
                std::fill(std::copy(last + whole, last + width, lanes), lanes + B::size, T(0));
                totals[i] = xsimd::fma(factor, B::load_aligned(lanes), totals[i]);
            }
        }
    }
    for (std::size_t i = 0; i < count; ++i)
    {
        sums[i] += sum_of_lanes(totals[i]);
    }
}

template <class T>
using Dots = void (*)(const Window&, const T*, const std::size_t*, const T*, std::size_t, T*);

template <class T, std::size_t... I>
constexpr std::array<Dots<T>, sizeof...(I)> dots(std::index_sequence<I...>)
{
    return {&add_dots<T, I + 1>...};
}

/// The gradient of the weights of groups with few outputs: a scalar product for each element.
template <class T>
void narrow_gradient(const ConvolutionShape& shape, const AxisPlans& plan, const T* x, const T* y, T* weight)
{
    static constexpr auto kernels = dots<T>(std::make_index_sequence<tile_rows>{});
    const std::size_t planes = shape.inputs * plan[0].taps[0].size();
    const std::size_t taps = plan[1].taps[0].size() * plan[2].taps[0].size();
    const std::size_t source = shape.inputs * plan[0].source * plan[1].source * plan[2].source;
    const std::size_t target = plan[0].target * plan[1].target * plan[2].target;
    const std::size_t work = 1 + taps * shape.batch * target;
    const auto compute = [&](std::size_t group, std::size_t plane, std::size_t o0, std::size_t o1)
    {
        for (std::size_t o = o0; o < o1; ++o)
        {
            std::fill_n(weight + ((group * shape.outputs + o) * planes + plane) * taps, taps, T(0));
        }
        for (const Range& depth : ranges(plan[0], 1))
        {
            for (const Range& height : ranges(plan[1], rows_of_part<T>(plan, 1)))
            {
                for (const Range& breadth : ranges(plan[2], part_columns))
                {
                    const Window window(plan, depth, height, breadth);
                    Panel<T> part(window.plane);
                    for (std::size_t image = 0; image < shape.batch; ++image)
                    {
                        const std::size_t number = image * shape.groups + group;
                        window.copy_plane(x + number * source, plane, part.data());
                        for (std::size_t o = o0; o < o1; ++o)
                        {
                            const T* from = y + (number * shape.outputs + o) * target +
                                            (depth.begin * plan[1].target + height.begin) * plan[2].target +
                                            breadth.begin;
                            T* to = weight + ((group * shape.outputs + o) * planes + plane) * taps;
                            for (std::size_t tap = 0; tap < taps; tap += tile_rows)
                            {
                                kernels[std::min(tile_rows, taps - tap) - 1](
                                    window, part.data(), window.offsets.data() + tap, from, plan[2].target, to + tap);
                            }
                        }
                    }
                }
            }
        }
    };
    parallel_for(shape.groups * planes * shape.outputs, ceiling(worth_splitting, work),
                 [&](std::size_t begin, std::size_t end)
                 {
                     while (begin < end)
                     {
                         const std::size_t plane = begin / shape.outputs;
                         const std::size_t o0 = begin % shape.outputs;
                         const std::size_t o1 = std::min(shape.outputs, o0 + (end - begin));
                         compute(plane / planes, plane % planes, o0, o1);
                         begin += o1 - o0;
                     }
                 });
}

}

template <class T>
void correlate(const ConvolutionShape& shape, const T* x, const T* y, T* weight)
{
    const AxisPlans plan = forward_plan(shape);
    if (shape.outputs <= narrow_rows)
    {
        narrow_gradient(shape, plan, x, y, weight);
    }
    else
    {
        DenseGradient<T>(shape, plan, x, y, weight)();
    }
}

#define AUTOGRAD_INSTANTIATE(T)                                                                                        \
    template void convolve(const ConvolutionShape&, const T*, const T*, const T*, T*);                                 \
    template void convolve_transposed(const ConvolutionShape&, const T*, const T*, const T*, T*);                      \
    template void correlate(const ConvolutionShape&, const T*, const T*, T*);
AUTOGRAD_INSTANTIATE(float)
AUTOGRAD_INSTANTIATE(double)
#undef AUTOGRAD_INSTANTIATE

}
