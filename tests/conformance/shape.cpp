#include "mapping.hpp"

using namespace autograd;

namespace
{

/// The extents that `expand` asks for, where -1 keeps an axis.
template <class T>
Shape expanded(const Tensor<T>& x, const std::vector<std::ptrdiff_t>& sizes)
{
    Shape shape(sizes);
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    {
        if (sizes[axis] == -1)
        {
            shape[axis] = x.shape(axis + x.dimension() - shape.rank());
        }
    }
    return shape;
}

/// Without an axis, if its extent is 1.
template <class T>
Tensor<T> squeezed(const Tensor<T>& x, std::ptrdiff_t axis)
{
    const auto rank = static_cast<std::ptrdiff_t>(x.dimension());
    return rank != 0 && x.shape(static_cast<std::size_t>(axis < 0 ? axis + rank : axis)) != 1 ? x : squeeze(x, axis);
}

template <class T>
std::vector<Tensor<T>> split_by(const Tensor<T>& x, std::ptrdiff_t size, std::ptrdiff_t axis)
{
    const auto rank = static_cast<std::ptrdiff_t>(x.dimension());
    const auto extent = static_cast<std::ptrdiff_t>(x.shape(static_cast<std::size_t>(axis < 0 ? axis + rank : axis)));
    std::vector<std::ptrdiff_t> starts;
    for (std::ptrdiff_t start = size; start < extent; start += size)
    {
        starts.push_back(start);
    }
    return tensor_split(x, starts, axis);
}

/// A number of sections, or their starts.
template <class T>
Sections sections_of(Call<T>& call, const std::string& name)
{
    if (call.is_list(name))
    {
        return call.integers(name);
    }
    if (call.is_tensor(name) && call.indices(name).dimension() == 1)
    {
        const Indices starts = call.indices(name);
        return std::vector<std::int64_t>(starts.begin(), starts.end());
    }
    return call.integer(name);
}

/// The operation on each of the tensors, of which there is mostly one.
template <class T, class F>
std::vector<Tensor<T>> each(const std::vector<Tensor<T>>& tensors, F operation)
{
    std::vector<Tensor<T>> results;
    std::transform(tensors.begin(), tensors.end(), std::back_inserter(results), operation);
    return results;
}

template <class T>
Tensor<T> roll(Call<T>& call)
{
    const std::vector<std::ptrdiff_t> shifts = call.integers("shifts");
    return call.has("dims") ? roll(call.tensor("input"), shifts, call.axes("dims"))
                            : roll(call.tensor("input"), shifts.at(0));
}

template <class T>
Tensor<T> repeat_interleave(Call<T>& call)
{
    const Tensor<T> input = call.has("dim") ? call.tensor("input") : ravel(call.tensor("input"));
    const std::ptrdiff_t axis = call.has("dim") ? call.integer("dim") : 0;
    return call.is_integer("repeats") ? repeat(input, call.integer("repeats"), axis)
                                      : repeat(input, call.indices("repeats"), axis);
}

/// PyTorch lists the widths from the last axis to the first.
template <class T>
Tensor<T> pad(Call<T>& call, const std::string& mode)
{
    const std::map<std::string, PadMode> modes{{"constant", PadMode::constant},
                                               {"reflect", PadMode::reflect},
                                               {"replicate", PadMode::edge},
                                               {"circular", PadMode::wrap}};
    const Tensor<T> input = call.tensor("input");
    const std::vector<std::ptrdiff_t> given = call.integers("pad");
    std::vector<PadWidth> widths(input.dimension(), PadWidth{0, 0});
    for (std::size_t k = 0; k + 1 < given.size(); k += 2)
    {
        widths.at(input.dimension() - 1 - k / 2) = {given[k], given[k + 1]};
    }
    return pad(input, widths, modes.at(mode), call.has("value") ? call.number("value") : 0);
}

template <class T>
Tensor<T> combinations(Call<T>& call)
{
    const Tensor<T> rows = combinations(call.tensor("input"), call.integer("r"), call.flag("with_replacement"));
    return call.integer("r") == 0 ? ravel(rows) : rows;
}

template <class T>
Tensor<T> vander(Call<T>& call)
{
    const Tensor<T> x = atleast_1d(call.tensor("x"));
    return vander(x, call.has("N") ? call.integer("N") : static_cast<std::ptrdiff_t>(x.shape(x.dimension() - 1)));
}

template <class T>
Shape shape_of(Call<T>& call, const std::string& name)
{
    return Shape(call.integers(name));
}

template <class T>
Slice slice_of(Call<T>& call)
{
    Slice part(all());
    if (call.has("start"))
    {
        part.start = call.integer("start");
    }
    if (call.has("end"))
    {
        part.stop = call.integer("end");
    }
    part.step = call.integer("step");
    return part;
}

// Arrays of constants are xtensor's.
template <class T>
xt::xarray<T> filled(const Shape& shape, double value)
{
    return xt::xarray<T>(typename xt::xarray<T>::shape_type(shape.begin(), shape.end()), static_cast<T>(value));
}

template <class T>
Output<T> arange(Call<T>& call)
{
    const double start = call.has("end") ? call.number("start") : 0;
    const double end = call.number(call.has("end") ? "end" : "start");
    const bool whole =
        call.is_integer("start") && call.is_integer("step") && (!call.has("end") || call.is_integer("end"));
    if (whole)
    {
        return xt::xarray<std::int64_t>(xt::arange<std::int64_t>(static_cast<std::int64_t>(start),
                                                                 static_cast<std::int64_t>(end), call.integer("step")));
    }
    return xt::xarray<T>(
        xt::arange<T>(static_cast<T>(start), static_cast<T>(end), static_cast<T>(call.number("step"))));
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("reshape", "input *shape", reshape(call.tensor("input"), call.integers("shape"))),
    OPERATION("view", "input *size", reshape(call.tensor("input"), call.integers("size"))),
    OPERATION("reshape_as", "input other", reshape(call.tensor("input"), call.tensor("other").shape())),
    OPERATION("view_as", "input other", reshape(call.tensor("input"), call.tensor("other").shape())),
    OPERATION("ravel", "input", ravel(call.tensor("input"))),
    OPERATION("flatten", "input start_dim=0 end_dim=-1",
              flatten(call.tensor("input"), call.integer("start_dim"), call.integer("end_dim"))),
    OPERATION("unflatten", "input dim sizes",
              unflatten(call.tensor("input"), call.integer("dim"), call.integers("sizes"))),
    OPERATION("unsqueeze", "input dim", expand_dims(call.tensor("input"), call.integer("dim"))),
    OPERATION("squeeze", "input dim=null",
              call.has("dim") ? squeezed(call.tensor("input"), call.integer("dim")) : squeeze(call.tensor("input"))),
    OPERATION("atleast_1d", "*tensors",
              each(call.tensors("tensors"), [](const auto& x) { return atleast_1d(x); })),
    OPERATION("atleast_2d", "*tensors",
              each(call.tensors("tensors"), [](const auto& x) { return atleast_2d(x); })),
    OPERATION("atleast_3d", "*tensors",
              each(call.tensors("tensors"), [](const auto& x) { return atleast_3d(x); })),
    OPERATION("broadcast_to", "input size", broadcast_to(call.tensor("input"), shape_of(call, "size"))),
    OPERATION("expand", "input *size",
              broadcast_to(call.tensor("input"), expanded(call.tensor("input"), call.integers("size")))),
    OPERATION("expand_as", "input other", broadcast_to(call.tensor("input"), call.tensor("other").shape())),
    OPERATION("broadcast_tensors", "*tensors", broadcast_tensors(call.tensors("tensors"))),
    OPERATION("sum_to_size", "input *size", sum_to_size(call.tensor("input"), shape_of(call, "size"))),
    OPERATION("clone", "input", call.tensor("input")),
    OPERATION("permute", "input *dims",
              call.integers("dims").empty() ? call.tensor("input") : transpose(call.tensor("input"), call.axes("dims"))),
    OPERATION("transpose", "input dim0 dim1",
              swapaxes(call.tensor("input"), call.integer("dim0"), call.integer("dim1"))),
    OPERATION("swapaxes", "input axis0 axis1",
              swapaxes(call.tensor("input"), call.integer("axis0"), call.integer("axis1"))),
    OPERATION("movedim", "input source destination",
              moveaxis(call.tensor("input"), call.axes("source"), call.axes("destination"))),
    OPERATION("T", "input", transpose(call.tensor("input"))),
    OPERATION("H", "input", transpose(call.tensor("input"))),
    OPERATION("t", "input", transpose(call.tensor("input"))),
    OPERATION("mT", "input",
              call.tensor("input").dimension() == 0 ? call.tensor("input") : swapaxes(call.tensor("input"), -2, -1)),
    OPERATION("mH", "input",
              call.tensor("input").dimension() == 0 ? call.tensor("input") : swapaxes(call.tensor("input"), -2, -1)),
    OPERATION("narrow", "input dim start length",
              narrow(call.tensor("input"), call.integer("dim"), call.integer("start"), call.integer("length"))),
    OPERATION("narrow_copy", "input dim start length",
              narrow(call.tensor("input"), call.integer("dim"), call.integer("start"), call.integer("length"))),
    OPERATION("select", "input dim index",
              slice(call.tensor("input"), call.integer("dim"), call.integer("index"))),
    OPERATION("select_scatter", "input src dim index",
              slice_scatter(call.tensor("input"), call.tensor("src"), call.integer("dim"), call.integer("index"))),
    OPERATION("slice", "input dim=0 start=null end=null step=1",
              slice(call.tensor("input"), call.integer("dim"), slice_of(call))),
    OPERATION("slice_scatter", "input src dim=0 start=null end=null step=1",
              slice_scatter(call.tensor("input"), call.tensor("src"), call.integer("dim"), slice_of(call))),
    OPERATION("unbind", "input dim=0", unbind(call.tensor("input"), call.integer("dim"))),
    OPERATION("chunk", "input chunks dim=0",
              chunk(call.tensor("input"), call.integer("chunks"), call.integer("dim"))),
    OPERATION("split", "tensor split_size_or_sections dim=0",
              call.is_list("split_size_or_sections")
                  ? split_with_sizes(call.tensor("tensor"), call.integers("split_size_or_sections"), call.integer("dim"))
                  : split_by(call.tensor("tensor"), call.integer("split_size_or_sections"), call.integer("dim"))),
    OPERATION("split_with_sizes", "input split_sizes dim=0",
              split_with_sizes(call.tensor("input"), call.integers("split_sizes"), call.integer("dim"))),
    OPERATION("tensor_split", "input indices_or_sections dim=0",
              tensor_split(call.tensor("input"), sections_of(call, "indices_or_sections"), call.integer("dim"))),
    OPERATION("hsplit", "input indices_or_sections",
              hsplit(call.tensor("input"), sections_of(call, "indices_or_sections"))),
    OPERATION("vsplit", "input indices_or_sections",
              vsplit(call.tensor("input"), sections_of(call, "indices_or_sections"))),
    OPERATION("dsplit", "input indices_or_sections",
              dsplit(call.tensor("input"), sections_of(call, "indices_or_sections"))),
    OPERATION("cat", "tensors dim=0", concatenate(call.tensors("tensors"), call.integer("dim"))),
    OPERATION("stack", "tensors dim=0", stack(call.tensors("tensors"), call.integer("dim"))),
    OPERATION("hstack", "tensors", hstack(call.tensors("tensors"))),
    OPERATION("vstack", "tensors", vstack(call.tensors("tensors"))),
    OPERATION("dstack", "tensors", dstack(call.tensors("tensors"))),
    OPERATION("column_stack", "tensors", column_stack(call.tensors("tensors"))),
    OPERATION("block_diag", "*tensors", block_diag(call.tensors("tensors"))),
    OPERATION("flip", "input *dims",
              call.integers("dims").empty() ? call.tensor("input") : flip(call.tensor("input"), call.axes("dims"))),
    OPERATION("fliplr", "input", fliplr(call.tensor("input"))),
    OPERATION("flipud", "input", flipud(call.tensor("input"))),
    OPERATION("rot90", "input k=1 dims=[0,1]",
              rot90(call.tensor("input"), call.integer("k"), {call.axes("dims")[0], call.axes("dims")[1]})),
    OPERATION("roll", "input shifts dims=null", roll(call)),
    OPERATION("tile", "input *dims", tile(call.tensor("input"), call.integers("dims"))),
    OPERATION("repeat", "input *repeats", tile(call.tensor("input"), call.integers("repeats"))),
    OPERATION("repeat_interleave", "input repeats dim=null output_size=null", repeat_interleave(call)),
    OPERATION("nn.functional.pad", "input pad mode=constant value=null", pad(call, call.text("mode"))),
    OPERATION("constant_pad_nd", "input pad value=0", pad(call, "constant")),
    OPERATION("unfold", "input dimension size step",
              sliding_window_view(call.tensor("input"), call.integer("dimension"), call.integer("size"),
                                  call.integer("step"))),
    OPERATION("diagonal", "input offset=0 dim1=0 dim2=1",
              diagonal(call.tensor("input"), call.integer("offset"), call.integer("dim1"), call.integer("dim2"))),
    OPERATION("diagonal_scatter", "input src offset=0 dim1=0 dim2=1",
              diagonal_scatter(call.tensor("input"), call.tensor("src"), call.integer("offset"), call.integer("dim1"),
                               call.integer("dim2"))),
    OPERATION("diag", "input diagonal=0", diag(call.tensor("input"), call.integer("diagonal"))),
    OPERATION("diagflat", "input offset=0", diagflat(call.tensor("input"), call.integer("offset"))),
    OPERATION("diag_embed", "input offset=0 dim1=-2 dim2=-1",
              diag_embed(call.tensor("input"), call.integer("offset"), call.integer("dim1"), call.integer("dim2"))),
    OPERATION("trace", "input", trace(call.tensor("input"))),
    OPERATION("tril", "input diagonal=0", tril(call.tensor("input"), call.integer("diagonal"))),
    OPERATION("triu", "input diagonal=0", triu(call.tensor("input"), call.integer("diagonal"))),
    OPERATION("meshgrid", "*tensors indexing=ij",
              meshgrid(call.tensors("tensors"), call.text("indexing") == "xy" ? MeshIndexing::xy : MeshIndexing::ij)),
    OPERATION("cartesian_prod", "*tensors", cartesian_prod(call.tensors("tensors"))),
    OPERATION("combinations", "input r=2 with_replacement=false", combinations(call)),
    OPERATION("linalg.vander", "x N=null", vander(call)),
    OPERATION("zeros_like", "input device=cpu", filled<ELEMENT>(call.tensor("input").shape(), 0)),
    OPERATION("ones_like", "input device=cpu", filled<ELEMENT>(call.tensor("input").shape(), 1)),
    OPERATION("full_like", "input fill_value device=cpu",
              filled<ELEMENT>(call.tensor("input").shape(), call.number("fill_value"))),
    OPERATION("new_zeros", "input size device=cpu", (call.value("input"), filled<ELEMENT>(shape_of(call, "size"), 0))),
    OPERATION("new_ones", "input size device=cpu", (call.value("input"), filled<ELEMENT>(shape_of(call, "size"), 1))),
    OPERATION("new_full", "input size fill_value device=cpu",
              (call.value("input"), filled<ELEMENT>(shape_of(call, "size"), call.number("fill_value")))),
    OPERATION("arange", "start end=null step=1", arange(call)),
    OPERATION("linspace", "start end steps",
              xt::xarray<ELEMENT>(xt::linspace<ELEMENT>(static_cast<ELEMENT>(call.number("start")),
                                                        static_cast<ELEMENT>(call.number("end")), call.count("steps")))),
    OPERATION("logspace", "start end steps base=10",
              xt::xarray<ELEMENT>(xt::logspace<ELEMENT>(
                  static_cast<ELEMENT>(call.number("start")), static_cast<ELEMENT>(call.number("end")),
                  call.count("steps"), static_cast<ELEMENT>(call.number("base"))))),
};
// clang-format on

}

Family shape_mappings()
{
    return {mappings, {}};
}
