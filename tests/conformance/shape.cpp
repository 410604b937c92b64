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
    OPERATION("atleast_1d", "*tensors", atleast_1d(call.tensors("tensors").at(0))),
    OPERATION("atleast_2d", "*tensors", atleast_2d(call.tensors("tensors").at(0))),
    OPERATION("atleast_3d", "*tensors", atleast_3d(call.tensors("tensors").at(0))),
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
