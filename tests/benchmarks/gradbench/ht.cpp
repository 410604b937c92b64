// Hand tracking: how far measured points are from where the pose `theta` of a hand puts them on its surface, at the
// barycentric coordinates `us` of a triangle, or without these at a vertex; and the Jacobian of that by us and theta.

#include "program.hpp"

namespace ag = autograd;
using gradbench::Tensor;

namespace
{

constexpr std::ptrdiff_t finger_count = 5;

struct Problem
{
    explicit Problem(const gradbench::Input& input)
        : theta(input["theta"].array()), us(input["us"].array()), points(input["data"]["points"].array())
    {
        const gradbench::Input model = input["data"]["model"];
        parents = model["parents"].integers();
        base_relatives = model["base_relatives"].array();
        inverse_base_absolutes = model["inverse_base_absolutes"].array();
        is_mirrored = model["is_mirrored"].truth();

        const ag::Indices correspondences = input["data"]["correspondences"].integers();
        // One row a point: its vertex, or the three of its triangle.
        const Tensor vertices = on_triangles() ? ag::index_select(model["triangles"].array(), 0, correspondences)
                                               : ag::expand_dims(Tensor(xt::cast<double>(correspondences.value())), 1);
        const ag::Indices used = xt::cast<std::int64_t>(vertices.value());
        base_positions = ag::index_select(model["base_positions"].array(), 0, used);
        skin_weights = ag::index_select(model["weights"].array(), 0, used);
    }

    bool on_triangles() const { return us.size() > 0; }

    Tensor theta;
    Tensor us;                         ///< (c, 2), or none
    Tensor points;                     ///< (c, 3)
    xt::xarray<std::int64_t> parents;  ///< of bones; each is before its children
    Tensor base_relatives;             ///< (bones, 4, 4)
    Tensor inverse_base_absolutes;     ///< (bones, 4, 4)
    bool is_mirrored;
    Tensor base_positions;  ///< (c, 1 or 3, 4), of the vertices that are used
    Tensor skin_weights;    ///< (c, 1 or 3, bones)
};

/// The matrix of 3 rows with these elements, with extents of their own before the last two.
Tensor matrix(const std::vector<Tensor>& elements)
{
    const Tensor last = ag::stack(elements, -1);
    return ag::unflatten(last, -1, {std::ptrdiff_t{3}, static_cast<std::ptrdiff_t>(elements.size() / 3)});
}

/// Rotations around the axes x and z: Rz Rx.
Tensor rotations(const Tensor& x, const Tensor& z)
{
    const Tensor cx = ag::cos(x), sx = ag::sin(x), cz = ag::cos(z), sz = ag::sin(z);
    const Tensor zero = 0 * x;
    return matrix({cz, -sz * cx, sz * sx, sz, cz * cx, -cz * sx, zero, sx, cx});
}

/// The rotation around an axis by its length.
Tensor rotation(const Tensor& axis)
{
    const Tensor angle = ag::norm(axis);
    const Tensor identity = xt::eye<double>(3);
    if (angle.item() < 1e-4)
    {
        return identity;
    }
    const std::vector<Tensor> n = ag::unbind(axis / angle);
    const Tensor zero(0);
    const Tensor cross = matrix({zero, -n[2], n[1], n[2], zero, -n[0], -n[1], n[0], zero});
    const Tensor along = ag::outer(axis / angle, axis / angle);
    const Tensor cosine = ag::cos(angle);
    return along + cosine * (identity - along) + ag::sin(angle) * cross;
}

/// Where each bone's own coordinates go in a pose, (bones, 4, 4).
Tensor bone_transforms(const Tensor& theta, const Problem& problem)
{
    const std::size_t bones = problem.parents.size();
    // A finger has four bones, after the wrist; of these the second bends two ways, the third and fourth one way.
    const Tensor fingers = ag::reshape(ag::narrow(theta, 0, 6, 4 * finger_count), {finger_count, std::ptrdiff_t{4}});
    ag::Indices second(ag::Shape{finger_count});
    ag::Indices bending(ag::Shape{finger_count, 3});
    for (std::int64_t finger = 0; finger < finger_count; ++finger)
    {
        second.data()[finger] = 4 * finger + 2;
        for (std::int64_t bone = 0; bone < 3; ++bone)
        {
            bending.data()[3 * finger + bone] = 4 * finger + 2 + bone;
        }
    }
    const Tensor straight = xt::zeros<double>({bones});
    const Tensor x = ag::put(straight, bending, ag::index_select(fingers, 1, {0, 2, 3}));
    const Tensor z = ag::put(straight, second, ag::view(fingers, xt::all(), 1));

    const Tensor turned =
        ag::matmul(ag::view(problem.base_relatives, xt::all(), xt::all(), xt::range(0, 3)), rotations(x, z));
    const Tensor moved = ag::view(problem.base_relatives, xt::all(), xt::all(), xt::range(3, 4));
    const std::vector<Tensor> relatives = ag::unbind(ag::concatenate({turned, moved}, 2));
    std::vector<Tensor> absolutes;
    for (std::size_t bone = 0; bone < bones; ++bone)
    {
        const std::int64_t parent = problem.parents(bone);
        absolutes.push_back(parent < 0 ? relatives[bone]
                                       : ag::matmul(absolutes[static_cast<std::size_t>(parent)], relatives[bone]));
    }
    return ag::matmul(ag::stack(absolutes), problem.inverse_base_absolutes);
}

/// How far off each point is, (c, 3).
Tensor objective(const Tensor& theta, const Tensor& us, const Problem& problem)
{
    const Tensor transforms = ag::view(bone_transforms(theta, problem), xt::all(), xt::range(0, 3));
    Tensor positions = ag::einsum("cvb,bij,cvj->cvi", problem.skin_weights, transforms, problem.base_positions);
    if (problem.is_mirrored)
    {
        positions = positions * xt::xarray<double>{-1, 1, 1};
    }
    const std::vector<Tensor> global = ag::split(ag::narrow(theta, 0, 0, 6), 2);
    positions = ag::matmul(positions, rotation(global[0]), {.transpose_b = true}) + global[1];
    if (!problem.on_triangles())
    {
        return problem.points - ag::squeeze(positions, 1);
    }
    const Tensor barycentric = ag::concatenate({us, 1 - ag::sum(us, 1, ag::keep_dims)}, 1);
    return problem.points - ag::sum(ag::expand_dims(barycentric, -1) * positions, 1);
}

Tensor jacobian(const Problem& problem)
{
    const Tensor theta = problem.theta;
    const Tensor us = problem.us;
    ag::GradientTape tape({.persistent = true});
    tape.watch(theta);
    tape.watch(us);
    const Tensor errors = objective(theta, us, problem);
    const Tensor by_theta = tape.jacobian(errors, theta, {.mode = ag::Mode::forward});
    const Tensor columns =
        problem.on_triangles()
            ? ag::concatenate({tape.batch_jacobian(errors, us, {.mode = ag::Mode::forward}), by_theta}, 2)
            : by_theta;
    return ag::flatten(columns, 0, 1);
}

}

int main(int argc, char** argv)
{
    return gradbench::run(argc, argv,
                          {{"objective",
                            [](const gradbench::Input& input) {
                                return [problem = Problem(input)]
                                { return ag::flatten(objective(problem.theta, problem.us, problem)); };
                            }},
                           {"jacobian", [](const gradbench::Input& input)
                            { return [problem = Problem(input)] { return jacobian(problem); }; }}});
}
