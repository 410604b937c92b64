#include "mapping.hpp"

#include <algorithm>
#include <optional>

using namespace autograd;

namespace
{

AddProductOptions scales(auto& call)
{
    return {.beta = call.number("beta"), .alpha = call.number("alpha")};
}

/// The first axis of extent 3, which torch.cross takes if none is given.
std::ptrdiff_t axis_of_three(const Shape& shape)
{
    return std::find(shape.begin(), shape.end(), 3U) - shape.begin();
}

linalg::Triangle triangle(auto& call, const std::string& name)
{
    return call.flag(name) ? linalg::Triangle::upper : linalg::Triangle::lower;
}

linalg::Triangle uplo(auto& call)
{
    return call.text("UPLO") == "U" || call.text("UPLO") == "u" ? linalg::Triangle::upper : linalg::Triangle::lower;
}

linalg::RankOptions rank_options(auto& call)
{
    linalg::RankOptions options{.hermitian = call.flag("hermitian")};
    const auto tolerance = [&](const std::string& name) -> std::optional<Tensor<double>>
    {
        if (!call.has(name))
        {
            return {};
        }
        if (!call.is_tensor(name))
        {
            return Tensor<double>(call.number(name));
        }
        return Tensor<double>(call.tensor(name).value());
    };
    options.atol = tolerance("atol");
    options.rtol = tolerance("rtol");
    return options;
}

linalg::NormOrder order(auto& call, const std::string& name)
{
    if (call.is_text(name) && (call.text(name) == "fro" || call.text(name) == "nuc"))
    {
        return call.text(name) == "fro" ? "fro" : "nuc";
    }
    return call.number(name);
}

linalg::QRMode qr_mode(const std::string& mode)
{
    return mode == "complete" ? linalg::QRMode::complete : mode == "r" ? linalg::QRMode::r : linalg::QRMode::reduced;
}

template <class T>
Outputs<T> qr_outputs(const Tensor<T>& a, linalg::QRMode mode)
{
    const auto [q, r] = linalg::qr(a, mode);
    return {mode == linalg::QRMode::r ? Tensor<T>(xt::xarray<T>::from_shape({0})) : q, r};
}

template <class T>
std::vector<Tensor<T>> parts(const linalg::SVD<T>& svd)
{
    return {svd.u, svd.s, svd.vh};
}

void require_pivoting(auto& call, const std::string& name)
{
    if (!call.flag(name))
    {
        throw Unsupported("an LU decomposition without pivoting is unstable");
    }
}

/// PyTorch leaves empty what the driver does not compute. In its variant `grad_oriented` the database asks for the solution
/// alone.
template <class T>
Outputs<T> lstsq(Call<T>& call)
{
    const Tensor<T> a = call.tensor("a");
    const auto rcond = call.has("rcond") ? std::optional<double>(call.number("rcond")) : std::nullopt;
    const std::string driver = call.has("driver") ? call.text("driver") : "gelsy";
    const linalg::LeastSquares<T> result = linalg::lstsq(a, call.tensor("b"), rcond);
    const std::size_t rows = a.shape(a.dimension() - 2);
    const std::size_t columns = a.shape(a.dimension() - 1);
    const bool full_rank = std::all_of(result.rank.begin(), result.rank.end(),
                                       [&](std::int64_t rank) { return rank == static_cast<std::int64_t>(columns); });
    const bool values = driver == "gelsd" || driver == "gelss";
    const xt::xarray<T> none = xt::xarray<T>::from_shape({0});
    Outputs<T> outputs{result.solution};
    if (call.variant() == "grad_oriented")
    {
        return outputs;
    }
    outputs.push_back(rows > columns && full_rank ? Output<T>(result.residuals) : Output<T>(none));
    outputs.push_back(driver == "gels" ? xt::xarray<std::int64_t>::from_shape({0}) : result.rank);
    outputs.push_back(values ? Output<T>(result.singular_values) : Output<T>(none));
    return outputs;
}

// clang-format off
constexpr Mapping mappings[] = {
    OPERATION("matmul", "input other", matmul(call.tensor("input"), call.tensor("other"))),
    OPERATION("mm", "input mat2", matmul(call.tensor("input"), call.tensor("mat2"))),
    OPERATION("bmm", "input mat2", matmul(call.tensor("input"), call.tensor("mat2"))),
    OPERATION("mv", "input vec", matmul(call.tensor("input"), call.tensor("vec"))),
    OPERATION("dot", "input other", dot(call.tensor("input"), call.tensor("other"))),
    OPERATION("vdot", "input other", linalg::vdot(call.tensor("input"), call.tensor("other"))),
    OPERATION("linalg.vecdot", "x y dim=-1", linalg::vecdot(call.tensor("x"), call.tensor("y"), call.integer("dim"))),
    OPERATION("inner", "input other", inner(call.tensor("input"), call.tensor("other"))),
    OPERATION("outer", "input vec2", outer(call.tensor("input"), call.tensor("vec2"))),
    OPERATION("ger", "input vec2", outer(call.tensor("input"), call.tensor("vec2"))),
    OPERATION("kron", "input other", kron(call.tensor("input"), call.tensor("other"))),
    OPERATION("addmm", "input mat1 mat2 beta=1 alpha=1",
              addmm(call.tensor("input"), call.tensor("mat1"), call.tensor("mat2"), scales(call))),
    OPERATION("addmv", "input mat vec beta=1 alpha=1",
              addmv(call.tensor("input"), call.tensor("mat"), call.tensor("vec"), scales(call))),
    OPERATION("addbmm", "input batch1 batch2 beta=1 alpha=1",
              addbmm(call.tensor("input"), call.tensor("batch1"), call.tensor("batch2"), scales(call))),
    OPERATION("baddbmm", "input batch1 batch2 beta=1 alpha=1",
              baddbmm(call.tensor("input"), call.tensor("batch1"), call.tensor("batch2"), scales(call))),
    OPERATION("addr", "input vec1 vec2 beta=1 alpha=1",
              addr(call.tensor("input"), call.tensor("vec1"), call.tensor("vec2"), scales(call))),
    // The database gives the operands first, torch.einsum takes them last.
    OPERATION("einsum", "first second",
              call.is_text("first") ? einsum(call.text("first"), call.tensors("second"))
                                    : einsum(call.text("second"), call.tensors("first"))),
    mapping("tensordot", "a b dims=2", [](auto& call)
    {
        if (!call.is_list("dims"))
        {
            return tensordot(call.tensor("a"), call.tensor("b"), call.count("dims"));
        }
        const auto axes = [&](std::size_t of)
        {
            Axes result;
            for (const auto& axis : call.value("dims").at(of))
            {
                result.push_back(call.integer_of(axis));
            }
            return result;
        };
        return tensordot(call.tensor("a"), call.tensor("b"), axes(0), axes(1));
    }),
    OPERATION("cross", "input other dim=null",
              cross(call.tensor("input"), call.tensor("other"),
                    call.has("dim") ? call.integer("dim") : axis_of_three(call.tensor("input").shape()))),
    OPERATION("linalg.cross", "input other dim=-1",
              cross(call.tensor("input"), call.tensor("other"), call.integer("dim"))),
    OPERATION("linalg.multi_dot", "tensors", linalg::multi_dot(call.tensors("tensors"))),
    OPERATION("chain_matmul", "*matrices", linalg::multi_dot(call.tensors("matrices"))),
    OPERATION("cholesky", "input upper=false", linalg::cholesky(call.tensor("input"), triangle(call, "upper"))),
    OPERATION("linalg.cholesky", "A upper=false", linalg::cholesky(call.tensor("A"), triangle(call, "upper"))),
    OPERATION("cholesky_inverse", "input upper=false",
              linalg::cholesky_inverse(call.tensor("input"), triangle(call, "upper"))),
    OPERATION("cholesky_solve", "input input2 upper=false",
              linalg::cholesky_solve(call.tensor("input"), call.tensor("input2"), triangle(call, "upper"))),
    OPERATION("qr", "input some=true",
              qr_outputs<ELEMENT>(call.tensor("input"),
                                  call.flag("some") ? linalg::QRMode::reduced : linalg::QRMode::complete)),
    OPERATION("linalg.qr", "A mode=reduced", qr_outputs<ELEMENT>(call.tensor("A"), qr_mode(call.text("mode")))),
    mapping("svd", "input some=true compute_uv=true", [](auto& call)
    {
        if (!call.flag("compute_uv"))
        {
            throw Unsupported("svdvals gives the singular values alone");
        }
        auto result = parts<ELEMENT>(linalg::svd(call.tensor("input"), !call.flag("some")));
        result[2] = swapaxes(result[2], -1, -2);
        return result;
    }),
    OPERATION("linalg.svd", "A full_matrices=true",
              parts<ELEMENT>(linalg::svd(call.tensor("A"), call.flag("full_matrices")))),
    OPERATION("linalg.svdvals", "A", linalg::svdvals(call.tensor("A"))),
    mapping("linalg.eigh", "A UPLO=L", [](auto& call)
    {
        const auto [values, vectors] = linalg::eigh(call.tensor("A"), uplo(call));
        return std::vector<Tensor<ELEMENT>>{values, vectors};
    }),
    OPERATION("linalg.eigvalsh", "A UPLO=L", linalg::eigvalsh(call.tensor("A"), uplo(call))),
    OPERATION("linalg.det", "A", linalg::det(call.tensor("A"))),
    OPERATION("det", "A", linalg::det(call.tensor("A"))),
    mapping("linalg.slogdet", "A", [](auto& call)
    {
        const auto [sign, logabsdet] = linalg::slogdet(call.tensor("A"));
        return std::vector<Tensor<ELEMENT>>{sign, logabsdet};
    }),
    OPERATION("logdet", "A", linalg::logdet(call.tensor("A"))),
    OPERATION("linalg.inv", "A", linalg::inv(call.tensor("A"))),
    OPERATION("inverse", "A", linalg::inv(call.tensor("A"))),
    OPERATION("linalg.solve", "A B left=true",
              linalg::solve(call.tensor("A"), call.tensor("B"), {.left = call.flag("left")})),
    OPERATION("linalg.solve_triangular", "A B upper left=true unitriangular=false",
              linalg::solve_triangular(call.tensor("A"), call.tensor("B"),
                                       {.triangle = triangle(call, "upper"), .left = call.flag("left"),
                                        .unit = call.flag("unitriangular")})),
    mapping("triangular_solve", "b A upper=true transpose=false unitriangular=false", [](auto& call)
    {
        const auto a = call.tensor("A");
        const bool flipped = call.flag("transpose");
        const bool upper = call.flag("upper") != flipped;
        return std::vector<Tensor<ELEMENT>>{
            linalg::solve_triangular(flipped ? swapaxes(a, -1, -2) : a, call.tensor("b"),
                                     {.triangle = upper ? linalg::Triangle::upper : linalg::Triangle::lower,
                                      .unit = call.flag("unitriangular")}), a};
    }),
    OPERATION("linalg.lstsq", "a b rcond=null driver=null", lstsq(call)),
    // Of the variant `singular` the database gives two factors of the matrix.
    OPERATION("linalg.pinv", "A other=null atol=null rtol=null hermitian=false",
              linalg::pinv(call.has("other") ? matmul(call.tensor("A"), swapaxes(call.tensor("other"), -1, -2))
                                             : call.tensor("A"), rank_options(call))),
    OPERATION("pinverse", "input rcond=1e-15",
              linalg::pinv(call.tensor("input"), {.rtol = Tensor<double>(call.number("rcond"))})),
    OPERATION("linalg.matrix_rank", "A atol=null rtol=null hermitian=false",
              linalg::matrix_rank(call.tensor("A"), rank_options(call))),
    mapping("linalg.lu_factor", "A pivot=true", [](auto& call)
    {
        require_pivoting(call, "pivot");
        const auto [lu, pivots] = linalg::lu_factor(call.tensor("A"));
        return Outputs<ELEMENT>{lu, pivots.value()};
    }),
    mapping("lu", "A pivot=true get_infos=false", [](auto& call)
    {
        require_pivoting(call, "pivot");
        const auto [lu, pivots] = linalg::lu_factor(call.tensor("A"));
        Outputs<ELEMENT> outputs{lu, pivots.value()};
        if (call.flag("get_infos"))
        {
            const Shape batch(lu.shape().begin(), lu.shape().end() - 2);
            outputs.push_back(xt::xarray<std::int64_t>(
                xt::zeros<std::int64_t>(xt::xarray<std::int64_t>::shape_type(batch.begin(), batch.end()))));
        }
        return outputs;
    }),
    mapping("linalg.lu", "A pivot=true", [](auto& call)
    {
        require_pivoting(call, "pivot");
        const auto [p, l, u] = linalg::lu(call.tensor("A"));
        return std::vector<Tensor<ELEMENT>>{p, l, u};
    }),
    OPERATION("linalg.matrix_power", "A n", linalg::matrix_power(call.tensor("A"), call.integer("n"))),
    OPERATION("matrix_exp", "A", linalg::matrix_exp(call.tensor("A"))),
    OPERATION("linalg.matrix_exp", "A", linalg::matrix_exp(call.tensor("A"))),
    OPERATION("linalg.matrix_norm", "A ord=fro dim=[-2,-1] keepdim=false",
              linalg::matrix_norm(call.tensor("A"), order(call, "ord"), call.axes("dim"), call.keep("keepdim"))),
    OPERATION("linalg.norm", "A ord=null dim=null keepdim=false",
              linalg::norm(call.tensor("A"), call.has("ord") ? std::optional(order(call, "ord")) : std::nullopt,
                           call.axes("dim"), call.keep("keepdim"))),
    OPERATION("linalg.cond", "A p=null",
              linalg::cond(call.tensor("A"), call.has("p") ? order(call, "p") : linalg::NormOrder(2))),
    OPERATION("linalg.tensorinv", "A ind=2", linalg::tensorinv(call.tensor("A"), call.count("ind"))),
    OPERATION("linalg.tensorsolve", "A B dims=null",
              linalg::tensorsolve(call.tensor("A"), call.tensor("B"), call.axes("dims"))),
};
// clang-format on

constexpr Declined declined[] = {
    {"linalg.eig", "gives complex numbers"},
    {"linalg.eigvals", "gives complex numbers"},
};

}

Family linalg_mappings()
{
    return {mappings, declined};
}
