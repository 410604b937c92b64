#include "mapping.hpp"

#include <algorithm>

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
};
// clang-format on

}

Family linalg_mappings()
{
    return {mappings, {}};
}
