#include "mapping.hpp"

using namespace autograd;

namespace
{

template <class T>
Outputs<T> outputs(Indexed<T> indexed)
{
    return {std::move(indexed.values), std::move(indexed.indices)};
}

/// PyTorch's two ways to say the same, of which one comes as a second positional argument: var(x, unbiased) and
/// var(x, dim, unbiased).
/// @{
template <class T>
bool dim_is_flag(Call<T>& call)
{
    return call.value("dim").is_boolean();
}
template <class T>
Axes variance_axes(Call<T>& call)
{
    return dim_is_flag(call) ? Axes() : call.axes("dim");
}
template <class T>
std::size_t ddof(Call<T>& call)
{
    const char* flag = dim_is_flag(call) ? "dim" : "unbiased";
    const std::ptrdiff_t correction = call.has("correction") ? call.integer("correction")
                                      : call.has(flag)       ? call.flag(flag)
                                                             : 1;
    const Tensor<T> x = call.tensor("input");
    const Shape one = sum(x, variance_axes(call)).shape();
    if (correction < 0 || x.size() <= static_cast<std::size_t>(correction) * one.elements())
    {
        throw Unsupported("a variance of no more elements than its correction throws ValueError");
    }
    return static_cast<std::size_t>(correction);
}
/// @}

template <class T>
Tensor<T> input_with_mean(Call<T>& call)
{
    const Tensor<T> x = call.tensor("input");
    if (x.size() == 0)
    {
        throw Unsupported("the mean of nothing throws ValueError");
    }
    return x;
}

template <class T>
Order order(Call<T>& call, const char* descending)
{
    return call.flag(descending) ? Order::descending : Order::ascending;
}

/// The extent of the axis that is sorted.
template <class T>
std::size_t elements_along(Call<T>& call)
{
    const Tensor<T> x = call.tensor("input");
    const std::ptrdiff_t axis = call.integer("dim");
    return x.dimension() == 0 ? 1 : x.shape(static_cast<std::size_t>(axis < 0 ? axis + std::ssize(x.shape()) : axis));
}

template <class T>
std::size_t sorted_count(Call<T>& call)
{
    const std::size_t k = call.count("k");
    if (!call.flag("sorted") && k > 1)
    {
        throw Unsupported("the largest ones come in order");
    }
    return k;
}

/// Of max and min: over everything, along an axis, or of two tensors.
template <class T, class Whole, class Along, class Binary>
Outputs<T> extreme(Call<T>& call, Whole whole, Along along, Binary binary)
{
    if (call.has("other") || call.is_tensor("dim"))
    {
        return {binary(call.tensor("input"), call.tensor(call.has("other") ? "other" : "dim"))};
    }
    if (!call.has("dim"))
    {
        return {whole(call.tensor("input"))};
    }
    return outputs(along(call.tensor("input"), call.integer("dim"), call.keep("keepdim")));
}

template <class T, class Along>
Outputs<T> low_median(Call<T>& call, Along along)
{
    if (!call.has("dim"))
    {
        return {along(flatten(call.tensor("input")), 0, KeepDims{}).values};
    }
    return outputs(along(call.tensor("input"), call.integer("dim"), call.keep("keepdim")));
}

/// argmax and argmin.
template <class T, class Whole, class Along>
xt::xarray<std::int64_t> position(Call<T>& call, Whole whole, Along along)
{
    if (call.has("dim"))
    {
        return along(call.tensor("input"), call.integer("dim"), call.keep("keepdim"));
    }
    xt::xarray<std::int64_t> result = whole(call.tensor("input"));
    if (call.flag("keepdim"))
    {
        result.reshape(std::vector<std::size_t>(call.tensor("input").dimension(), 1));
    }
    return result;
}

template <class T>
Outputs<T> smallest_and_largest(Call<T>& call)
{
    const Tensor<T> x = call.tensor("input");
    const Axes axes = call.axes("dim");
    const KeepDims keep = call.keep("keepdim");
    Tensor<T> smallest = amin(x, axes, keep);
    Tensor<T> largest = amax(x, axes, keep);
    if (x.dimension() == 0 && call.has("dim") && keep.keep)
    {
        smallest = reshape(smallest, {1});
        largest = reshape(largest, {1});
    }
    return {smallest, largest};
}

template <class T>
Tensor<T> norm_of(Call<T>& call)
{
    const Tensor<T> x = call.tensor("input");
    if (!call.has("p") || call.value("p") == "fro")
    {
        return norm(x, call.axes("dim"), call.keep("keepdim"));
    }
    if (call.value("p") == "nuc")
    {
        const Axes axes = call.has("dim") ? call.axes("dim") : Axes{-2, -1};
        return linalg::matrix_norm(x, "nuc", axes, call.keep("keepdim"));
    }
    return norm_lp(x, call.number("p"), call.axes("dim"), call.keep("keepdim"));
}

template <class T>
QuantileMethod interpolation(Call<T>& call)
{
    const std::string text = call.text("interpolation");
    return text == "lower"      ? QuantileMethod::lower
           : text == "higher"   ? QuantileMethod::higher
           : text == "nearest"  ? QuantileMethod::nearest
           : text == "midpoint" ? QuantileMethod::midpoint
                                : QuantileMethod::linear;
}

template <class T>
Tensor<T> difference_of(Call<T>& call)
{
    std::vector<Tensor<T>> parts;
    for (const char* name : {"prepend", "input", "append"})
    {
        if (call.has(name))
        {
            parts.push_back(call.tensor(name));
        }
    }
    const std::size_t n = call.count("n");
    const std::ptrdiff_t axis = call.integer("dim");
    return n == 0 ? call.tensor("input") : diff(concatenate(parts, axis), n, axis);
}

template <class T>
std::vector<Tensor<T>> gradients_of_samples(Call<T>& call)
{
    const Tensor<T> x = call.tensor("input");
    std::vector<std::ptrdiff_t> dims;
    if (call.has("dim"))
    {
        dims = call.integers("dim");
    }
    for (std::size_t axis = 0; !call.has("dim") && axis < x.dimension(); ++axis)
    {
        dims.push_back(static_cast<std::ptrdiff_t>(axis));
    }
    std::vector<Tensor<T>> result;
    for (std::size_t k = 0; k < dims.size(); ++k)
    {
        Sampling sampling{.edge_order = call.count("edge_order")};
        if (call.is_list("spacing") && is_tensor(call.value("spacing").at(k)))
        {
            sampling.coordinates = numbers_of(call.value("spacing").at(k));
        }
        else if (call.has("spacing"))
        {
            sampling.spacing = call.is_list("spacing") ? call.numbers("spacing").at(k) : call.number("spacing");
        }
        result.push_back(central_differences(x, dims[k], sampling));
    }
    return result;
}

template <class T>
Tensor<T> covariance(Call<T>& call)
{
    if (call.integer("correction") < 0)
    {
        throw Unsupported("a negative correction");
    }
    CovOptions<T> estimate{.ddof = call.count("correction")};
    if (call.has("fweights"))
    {
        estimate.frequencies = call.indices("fweights");
    }
    if (call.has("aweights"))
    {
        estimate.weights = call.tensor("aweights");
    }
    return cov(call.tensor("input"), estimate);
}

template <class T>
xt::xarray<std::int64_t> sorted_places(Call<T>& call)
{
    if (call.has("sorter"))
    {
        throw Unsupported("an argsort in place of a sorted row");
    }
    const bool right = call.flag("right") || (call.has("side") && call.text("side") == "right");
    return searchsorted(call.tensor("sorted_sequence"), call.tensor("input"), right ? Side::right : Side::left);
}

template <class T>
xt::xarray<bool> membership(Call<T>& call)
{
    const xt::xarray<bool> found = isin(call.tensor("elements"), call.tensor("test_elements"));
    return call.flag("invert") ? xt::xarray<bool>(!found) : found;
}

template <class T>
Tensor<T> reduced_segments(Call<T>& call)
{
    if (call.has("indices"))
    {
        throw Unsupported("indices: PyTorch does not offer them either");
    }
    const std::string name = call.text("reduce");
    const SegmentReduction reduction = name == "sum"    ? SegmentReduction::sum
                                       : name == "mean" ? SegmentReduction::mean
                                       : name == "max"  ? SegmentReduction::max
                                       : name == "min"  ? SegmentReduction::min
                                                        : SegmentReduction::prod;
    std::optional<double> initial;
    if (call.has("initial"))
    {
        initial = call.number("initial");
    }
    if (call.has("lengths"))
    {
        return segment_reduce(call.tensor("data"), reduction, call.indices("lengths"), call.integer("axis"), initial);
    }
    const xt::xarray<std::int64_t> lengths = xt::diff(call.indices("offsets").value());
    return segment_reduce(call.tensor("data"), reduction, lengths, call.integer("axis"), initial);
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("sum", "input dim=null keepdim=false", sum(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("nansum", "input dim=null keepdim=false",
              nansum(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("mean", "input dim=null keepdim=false",
              mean(input_with_mean(call), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("nanmean", "input dim=null keepdim=false",
              nanmean(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("prod", "input dim=null keepdim=false",
              prod(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("amax", "input dim=null keepdim=false",
              amax(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("amin", "input dim=null keepdim=false",
              amin(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("aminmax", "input dim=null keepdim=false", smallest_and_largest(call)),
    OPERATION("max", "input dim=null keepdim=false other=null",
              extreme(call, [](const auto& x) { return amax(x); },
                      [](const auto& x, std::ptrdiff_t axis, KeepDims keep) { return max(x, axis, keep); },
                      [](const auto& a, const auto& b) { return maximum(a, b); })),
    OPERATION("min", "input dim=null keepdim=false other=null",
              extreme(call, [](const auto& x) { return amin(x); },
                      [](const auto& x, std::ptrdiff_t axis, KeepDims keep) { return min(x, axis, keep); },
                      [](const auto& a, const auto& b) { return minimum(a, b); })),
    OPERATION("argmax", "input dim=null keepdim=false",
              position(call, [](const auto& x) { return argmax(x); },
                       [](const auto& x, std::ptrdiff_t axis, KeepDims keep) { return argmax(x, axis, keep); })),
    OPERATION("argmin", "input dim=null keepdim=false",
              position(call, [](const auto& x) { return argmin(x); },
                       [](const auto& x, std::ptrdiff_t axis, KeepDims keep) { return argmin(x, axis, keep); })),
    OPERATION("all", "input dim=null keepdim=false",
              all_nonzero(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("any", "input dim=null keepdim=false",
              any_nonzero(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("count_nonzero", "input dim=null", count_nonzero(call.tensor("input"), call.axes("dim"))),
    OPERATION("var", "input dim=null unbiased=null keepdim=false correction=null",
              variance(call.tensor("input"), variance_axes(call), ddof(call), call.keep("keepdim"))),
    OPERATION("std", "input dim=null unbiased=null keepdim=false correction=null",
              stddev(call.tensor("input"), variance_axes(call), ddof(call), call.keep("keepdim"))),
    OPERATION("var_mean", "input dim=null unbiased=null keepdim=false correction=null",
              std::vector{variance(call.tensor("input"), variance_axes(call), ddof(call), call.keep("keepdim")),
                          mean(call.tensor("input"), variance_axes(call), call.keep("keepdim"))}),
    OPERATION("std_mean", "input dim=null unbiased=null keepdim=false correction=null",
              std::vector{stddev(call.tensor("input"), variance_axes(call), ddof(call), call.keep("keepdim")),
                          mean(call.tensor("input"), variance_axes(call), call.keep("keepdim"))}),
    OPERATION("norm", "input p=fro dim=null keepdim=false", norm_of(call)),
    OPERATION("linalg.vector_norm", "input ord=2 dim=null keepdim=false",
              norm_lp(call.tensor("input"), call.number("ord"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("dist", "input other p=2", norm_lp(call.tensor("input") - call.tensor("other"), call.number("p"))),
    OPERATION("renorm", "input p dim maxnorm",
              renorm(call.tensor("input"), call.number("p"), call.integer("dim"), call.number("maxnorm"))),
    OPERATION("cov", "input correction=1 fweights=null aweights=null", covariance(call)),
    OPERATION("corrcoef", "input", corrcoef(call.tensor("input"))),
    OPERATION("segment_reduce", "data reduce lengths=null indices=null offsets=null axis=0 unsafe=false initial=null",
              (call.value("unsafe"), reduced_segments(call))),
    OPERATION("softmax", "input dim dtype=null", softmax(call.tensor("input"), call.integer("dim"))),
    OPERATION("nn.functional.softmin", "input dim dtype=null", softmax(-call.tensor("input"), call.integer("dim"))),
    OPERATION("log_softmax", "input dim dtype=null", log_softmax(call.tensor("input"), call.integer("dim"))),
    OPERATION("logsumexp", "input dim keepdim=false",
              logsumexp(call.tensor("input"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("cumsum", "input dim", cumsum(call.tensor("input"), call.integer("dim"))),
    OPERATION("cumprod", "input dim", cumprod(call.tensor("input"), call.integer("dim"))),
    OPERATION("logcumsumexp", "input dim", logcumsumexp(call.tensor("input"), call.integer("dim"))),
    OPERATION("cummax", "input dim", outputs(cummax(call.tensor("input"), call.integer("dim")))),
    OPERATION("cummin", "input dim", outputs(cummin(call.tensor("input"), call.integer("dim")))),
    OPERATION("diff", "input n=1 dim=-1 prepend=null append=null", difference_of(call)),
    OPERATION("trapz", "y x=null dx=1 dim=-1",
              call.has("x") ? trapz(call.tensor("y"), call.tensor("x"), call.integer("dim"))
                            : trapz(call.tensor("y"), call.number("dx"), call.integer("dim"))),
    OPERATION("trapezoid", "y x=null dx=1 dim=-1",
              call.has("x") ? trapz(call.tensor("y"), call.tensor("x"), call.integer("dim"))
                            : trapz(call.tensor("y"), call.number("dx"), call.integer("dim"))),
    OPERATION("cumulative_trapezoid", "y x=null dx=1 dim=-1",
              call.has("x") ? cumulative_trapezoid(call.tensor("y"), call.tensor("x"), call.integer("dim"))
                            : cumulative_trapezoid(call.tensor("y"), call.number("dx"), call.integer("dim"))),
    OPERATION("gradient", "input spacing=null dim=null edge_order=1", gradients_of_samples(call)),
    OPERATION("sort", "input dim=-1 descending=false stable=false",
              (call.value("stable"), outputs(topk(call.tensor("input"), elements_along(call), call.integer("dim"),
                                                  order(call, "descending"))))),
    OPERATION("msort", "input", sort(call.tensor("input"), 0)),
    OPERATION("argsort", "input dim=-1 descending=false stable=false",
              (call.value("stable"), argsort(call.tensor("input"), call.integer("dim"), order(call, "descending")))),
    OPERATION("topk", "input k dim=-1 largest=true sorted=true",
              outputs(topk(call.tensor("input"), sorted_count(call), call.integer("dim"), order(call, "largest")))),
    OPERATION("kthvalue", "input k dim=-1 keepdim=false",
              outputs(kthvalue(call.tensor("input"), call.count("k"), call.integer("dim"), call.keep("keepdim")))),
    OPERATION("mode", "input dim=-1 keepdim=false",
              outputs(mode(call.tensor("input"), call.integer("dim"), call.keep("keepdim")))),
    OPERATION("median", "input dim=null keepdim=false",
              low_median(call, [](const auto& x, std::ptrdiff_t axis, KeepDims keep)
                         { return median_low(x, axis, keep); })),
    OPERATION("nanmedian", "input dim=null keepdim=false",
              low_median(call, [](const auto& x, std::ptrdiff_t axis, KeepDims keep)
                         { return nanmedian_low(x, axis, keep); })),
    OPERATION("quantile", "input q dim=null keepdim=false interpolation=linear",
              quantile(call.tensor("input"), call.tensor("q"), call.axes("dim"), interpolation(call),
                       call.keep("keepdim"))),
    OPERATION("nanquantile", "input q dim=null keepdim=false interpolation=linear",
              nanquantile(call.tensor("input"), call.tensor("q"), call.axes("dim"), interpolation(call),
                          call.keep("keepdim"))),
    OPERATION("searchsorted", "sorted_sequence input out_int32=false right=false side=null sorter=null",
              (call.value("out_int32"), sorted_places(call))),
    OPERATION("bucketize", "input boundaries out_int32=false right=false",
              (call.value("out_int32"), searchsorted(call.tensor("boundaries"), call.tensor("input"),
                                                     call.flag("right") ? Side::right : Side::left))),
    OPERATION("isin", "elements test_elements assume_unique=false invert=false", (call.value("assume_unique"),
              membership(call))),
};
// clang-format on

}

Family reduction_mappings()
{
    return {mappings, {}};
}
