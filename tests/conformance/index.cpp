#include "mapping.hpp"

using namespace autograd;
using nlohmann::json;

namespace
{

/// An index along one axis: a 0-d one counts as one position.
template <class T>
Indices positions(Call<T>& call)
{
    const Indices given = call.indices("index");
    Indices flat(Shape{given.size()});
    std::copy(given.begin(), given.end(), flat.data());
    return flat;
}

template <class T>
Tensor<T> index_select(Call<T>& call)
{
    const Tensor<T> input = call.tensor("input");
    const Tensor<T> chosen = index_select(input, call.integer("dim"), positions(call));
    return input.dimension() == 0 ? reshape(chosen, Shape{}) : chosen;
}

template <class T>
Tensor<T> take_along_dim(Call<T>& call)
{
    if (call.has("dim"))
    {
        return take_along_axis(call.tensor("input"), call.indices("indices"), call.integer("dim"));
    }
    const Indices indices = call.indices("indices");
    return flatten(take(call.tensor("input"), indices));
}

template <class T>
Index entry_of(Call<T>& call, const json& entry)
{
    if (entry.is_null())
    {
        return newaxis();
    }
    if (entry.is_object() && entry.contains("ellipsis"))
    {
        return ellipsis();
    }
    if (entry.is_object() && entry.contains("slice"))
    {
        const json& bounds = entry.at("slice");
        Slice slice(all());
        slice.start = bounds[0].is_null() ? slice.start : call.integer_of(bounds[0]);
        slice.stop = bounds[1].is_null() ? slice.stop : call.integer_of(bounds[1]);
        slice.step = bounds[2].is_null() ? 1 : call.integer_of(bounds[2]);
        return slice;
    }
    if (is_tensor(entry) && entry.at("dtype") == "bool")
    {
        return call.mask_of(entry);
    }
    if (entry.is_boolean())
    {
        return xt::xarray<bool>(entry.get<bool>());
    }
    if (is_tensor(entry) || entry.is_array())
    {
        return call.indices_of(entry);
    }
    return call.integer_of(entry);
}

/// A list of nothing but numbers is an array of positions, as Python's lists are; any other list is a tuple.
template <class T>
std::vector<Index> index_of(Call<T>& call, const std::string& name)
{
    const json& value = call.value(name);
    const auto is_number = [](const json& entry) { return entry.is_number_integer(); };
    if (!value.is_array() || (!value.empty() && std::all_of(value.begin(), value.end(), is_number)))
    {
        return {entry_of(call, value)};
    }
    std::vector<Index> entries;
    for (const json& entry : value)
    {
        entries.push_back(entry_of(call, entry));
    }
    return entries;
}

ScatterMode mode_of(const std::string& name)
{
    const std::map<std::string, ScatterMode> modes{{"sum", ScatterMode::sum},      {"prod", ScatterMode::prod},
                                                   {"mean", ScatterMode::mean},    {"amax", ScatterMode::amax},
                                                   {"amin", ScatterMode::amin},    {"add", ScatterMode::sum},
                                                   {"multiply", ScatterMode::prod}};
    return modes.at(name);
}

template <class T>
ScatterOptions options_of(Call<T>& call)
{
    return {mode_of(call.text("reduce")), call.flag("include_self")};
}

template <class T>
Tensor<T> scatter(Call<T>& call)
{
    const Tensor<T> source = call.tensor(call.has("src") ? "src" : "value");
    if (call.has("reduce"))
    {
        return scatter_reduce(call.tensor("input"), call.integer("dim"), call.indices("index"), source,
                              {.mode = mode_of(call.text("reduce"))});
    }
    return scatter(call.tensor("input"), call.integer("dim"), call.indices("index"), source);
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("__getitem__", "input index", index(call.tensor("input"), index_of(call, "index"))),
    OPERATION("index_put", "input indices values accumulate=false",
              index_put(call.tensor("input"), index_of(call, "indices"), call.tensor("values"), call.flag("accumulate"))),
    OPERATION("index_select", "input dim index", index_select(call)),
    OPERATION("index_copy", "input dim index source",
              index_copy(call.tensor("input"), call.integer("dim"), positions(call), call.tensor("source"))),
    OPERATION("index_fill", "input dim index value",
              index_copy(call.tensor("input"), call.integer("dim"), positions(call), call.tensor("value"))),
    OPERATION("index_add", "input dim index source alpha=1",
              index_add(call.tensor("input"), call.integer("dim"), positions(call), call.tensor("source"),
                        call.number("alpha"))),
    OPERATION("index_reduce", "input dim index source reduce include_self=true",
              index_reduce(call.tensor("input"), call.integer("dim"), positions(call), call.tensor("source"),
                           options_of(call))),
    OPERATION("take", "input index", take(call.tensor("input"), call.indices("index"))),
    OPERATION("put", "input index source accumulate=false",
              put(call.tensor("input"), call.indices("index"), call.tensor("source"), call.flag("accumulate"))),
    OPERATION("gather", "input dim index sparse_grad=false",
              gather(call.tensor("input"), call.integer("dim"), call.indices("index"))),
    OPERATION("take_along_dim", "input indices dim=null", take_along_dim(call)),
    OPERATION("scatter", "input dim index src=null value=null reduce=null", scatter(call)),
    OPERATION("scatter_add", "input dim index src",
              scatter_add(call.tensor("input"), call.integer("dim"), call.indices("index"), call.tensor("src"))),
    OPERATION("scatter_reduce", "input dim index src reduce include_self=true",
              scatter_reduce(call.tensor("input"), call.integer("dim"), call.indices("index"), call.tensor("src"),
                             options_of(call))),
    OPERATION("masked_select", "input mask", filter(call.tensor("input"), call.mask("mask"))),
    OPERATION("masked_fill", "input mask value",
              masked_fill(call.tensor("input"), call.mask("mask"), call.tensor("value"))),
    OPERATION("masked_scatter", "input mask source",
              masked_scatter(call.tensor("input"), call.mask("mask"), call.tensor("source"))),
};
// clang-format on

}

Family index_mappings()
{
    return {mappings, {}};
}
