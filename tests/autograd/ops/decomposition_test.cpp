#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
namespace linalg = autograd::linalg;
using Tensor = ag::Tensor<double>;
using linalg::Triangle;

namespace
{

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

Tensor zeros(std::vector<std::size_t> shape)
{
    return Tensor(xt::xarray<double>(xt::zeros<double>(shape)));
}

Tensor waves(std::vector<std::size_t> shape, double phase)
{
    const double count = static_cast<double>(ag::Shape(shape).elements());
    const xt::xarray<double> numbers = xt::arange<double>(1, count + 1);
    xt::xarray<double> result = xt::sin(0.7 * numbers * numbers + phase);
    result.reshape(shape);
    return Tensor(result);
}

}

TEST_CASE("solutions, inverses and determinants are those computed by hand")
{
    const Tensor a(xt::xarray<double>{{2, 1}, {1, 3}});
    CHECK(close(linalg::solve(a, xt::xarray<double>{5, 10}), {1, 3}, 1e-14));
    CHECK(close(linalg::solve(a, xt::xarray<double>{{5, 2}, {10, 1}}), {{1, 1}, {3, 0}}, 1e-14, 1e-15));
    CHECK(close(linalg::solve(a, xt::xarray<double>{{5, 10}}, {.left = false}), {{1, 3}}, 1e-14));
    CHECK(close(linalg::inv(a), {{0.6, -0.2}, {-0.2, 0.4}}, 1e-14));
    CHECK(close(linalg::det(a), 5.0, 1e-14));
    CHECK(close(linalg::logdet(a), std::log(5.0), 1e-14));
    CHECK(close(linalg::det(Tensor(xt::xarray<double>{{0, 1}, {1, 0}})), -1.0));
    // d det = det a^-T, the matrix of cofactors.
    CHECK(close(gradient([](const Tensor& x) { return linalg::det(x); }, a), {{3, -1}, {-1, 2}}, 1e-14));
    CHECK(close(gradient([](const Tensor& x) { return linalg::logdet(x); }, a), {{0.6, -0.2}, {-0.2, 0.4}}, 1e-14));
}

TEST_CASE("batches broadcast in solve, and vectors are told from matrices as NumPy 1 and PyTorch do")
{
    const Tensor a = waves({3, 1, 2, 2}, 0) + 3 * xt::eye<double>(2);
    const Tensor b = waves({4, 2, 5}, 1);
    const Tensor x = linalg::solve(a, b);
    REQUIRE(x.shape() == ag::Shape{3, 4, 2, 5});
    CHECK(close(ag::matmul(a, x), ag::broadcast_to(b, {3, 4, 2, 5}).value(), 1e-12, 1e-13));
    CHECK(linalg::solve(waves({3, 2, 2}, 0), waves({3, 2}, 1)).shape() == ag::Shape{3, 2});
}

TEST_CASE("the determinant of a singular matrix has derivatives of every order")
{
    const auto det = [](const Tensor& x) { return linalg::det(x); };
    CHECK(close(gradient(det, Tensor(xt::xarray<double>{{1, 2}, {2, 4}})), {{4, -2}, {-2, 1}}, 1e-13));
    CHECK(close(gradient(det, zeros({3, 3})), zeros({3, 3}).value()));
    // det has the second derivative 1 by x00 and x11, also at 0.
    const Tensor second = gradient([&](const Tensor& x) { return gradient(det, x); }, zeros({2, 2}));
    CHECK(close(second, {{4, -3}, {-2, 1}}, 1e-14));
}

TEST_CASE("slogdet neither overflows nor vanishes")
{
    const auto [sign, logabsdet] = linalg::slogdet(Tensor(xt::xarray<double>(-1e300 * xt::eye<double>(3))));
    CHECK(close(sign, -1.0));
    CHECK(close(logabsdet, 900 * std::log(10.0), 1e-14));
    const auto singular = linalg::slogdet(zeros({2, 2}));
    CHECK(close(singular.sign, 0.0));
    CHECK(singular.logabsdet.item() == -inf);
    CHECK(std::isnan(linalg::logdet(Tensor(xt::xarray<double>{{0, 1}, {1, 0}})).item()));
}

TEST_CASE("decompositions multiply to what was decomposed")
{
    const Tensor a = waves({2, 4, 3}, 0);
    for (const Tensor& x : {a, ag::transpose(a, {0, 2, 1})})
    {
        const auto [q, r] = linalg::qr(x);
        CHECK(close(ag::matmul(q, r), x.value(), 1e-13, 1e-14));
        CHECK(close(linalg::qr(x, linalg::QRMode::r).r, r.value()));
        const auto [u, s, vh] = linalg::svd(x, false);
        CHECK(close(ag::matmul(u * ag::expand_dims(s, 1), vh), x.value(), 1e-13, 1e-14));
        CHECK(close(linalg::svdvals(x), s.value(), 1e-14));
        const auto [p, l, upper] = linalg::lu(x);
        CHECK(close(ag::matmul(p, ag::matmul(l, upper)), x.value(), 1e-13, 1e-14));
        CHECK(close(ag::matmul(x, ag::matmul(linalg::pinv(x), x)), x.value(), 1e-13, 1e-14));
    }
    const auto [q, r] = linalg::qr(a, linalg::QRMode::complete);
    CHECK(close(ag::matmul(q, r), a.value(), 1e-13, 1e-14));
    const auto [u, s, vh] = linalg::svd(a);
    CHECK(u.shape() == ag::Shape{2, 4, 4});
    const Tensor gram = ag::matmul(a, a, {.transpose_a = true});
    const auto [values, vectors] = linalg::eigh(gram);
    CHECK(close(ag::matmul(vectors * ag::expand_dims(values, 1), vectors, {.transpose_b = true}), gram.value(), 1e-13,
                1e-14));
    CHECK(close(ag::sqrt(ag::view(values, ag::all(), ag::range(2, -4, -1))), s.value(), 1e-10));
    const Tensor lower = linalg::cholesky(gram);
    CHECK(close(ag::matmul(lower, lower, {.transpose_b = true}), gram.value(), 1e-13, 1e-14));
    const Tensor upper = linalg::cholesky(gram, Triangle::upper);
    CHECK(close(ag::matmul(upper, upper, {.transpose_a = true}), gram.value(), 1e-13, 1e-14));
    const Tensor b = waves({3, 2}, 2);
    CHECK(close(ag::matmul(gram, linalg::cholesky_solve(b, lower)), ag::broadcast_to(b, {2, 3, 2}).value(), 1e-11,
                1e-12));
    CHECK(close(linalg::cholesky_inverse(upper, Triangle::upper), linalg::inv(gram).value(), 1e-9, 1e-10));
}

TEST_CASE("values alone have a gradient also where they coincide")
{
    const Tensor one(xt::xarray<double>(xt::eye<double>(2)));
    CHECK(close(gradient([](const Tensor& x) { return ag::sum(linalg::svdvals(x)); }, one), one.value(), 1e-14));
    CHECK(close(gradient([](const Tensor& x) { return ag::sum(linalg::eigvalsh(x)); }, one), one.value(), 1e-14));
    CHECK(close(gradient([](const Tensor& x) { return linalg::matrix_norm(x, "nuc"); }, one), one.value(), 1e-14));
}

TEST_CASE("the pseudo-inverse and least squares leave out what counts as 0")
{
    const Tensor a(xt::xarray<double>{{1, 0}, {0, 1e-20}, {0, 0}});
    CHECK(close(linalg::pinv(a), {{1, 0, 0}, {0, 0, 0}}));
    CHECK(close(linalg::pinv(a, {.rtol = 0.0}), {{1, 0, 0}, {0, 1e20, 0}}, 1e-14));
    CHECK(linalg::matrix_rank(a)() == 1);
    CHECK(linalg::matrix_rank(a, {.rtol = 0.0})() == 2);
    CHECK(linalg::matrix_rank(Tensor(xt::xarray<double>{{1, 9}, {0, -1}}), {.atol = 0.5, .hermitian = true})() == 2);
    // Through (0, 1), (1, 3), (2, 4): 7/6 + 3/2 t, with the residuals -1/6, 1/3, -1/6.
    const Tensor line(xt::xarray<double>{{1, 0}, {1, 1}, {1, 2}});
    const auto fit = linalg::lstsq(line, xt::xarray<double>{1, 3, 4});
    CHECK(close(fit.solution, {7.0 / 6, 1.5}, 1e-14));
    CHECK(close(fit.residuals, 1.0 / 6, 1e-13));
    CHECK(fit.rank() == 2);
}

TEST_CASE("norms of matrices are those computed by hand")
{
    const Tensor a(xt::xarray<double>{{3, 0}, {0, -4}, {0, 0}});
    CHECK(close(linalg::matrix_norm(a), 5.0));
    CHECK(close(linalg::matrix_norm(a, "nuc"), 7.0, 1e-14));
    CHECK(close(linalg::matrix_norm(a, 2), 4.0, 1e-14));
    CHECK(close(linalg::matrix_norm(a, -2), 3.0, 1e-14));
    CHECK(close(linalg::matrix_norm(a, 1), 4.0));
    CHECK(close(linalg::matrix_norm(a, -1), 3.0));
    CHECK(close(linalg::matrix_norm(a, inf), 4.0));
    CHECK(close(linalg::matrix_norm(a, -inf), 0.0));
    CHECK(close(linalg::norm(a), 5.0));
    CHECK(close(linalg::norm(a, 1), 4.0));
    CHECK(close(linalg::norm(a, 1, 1), {3, 4, 0}));
    CHECK(close(linalg::norm(a, "nuc", {1, 0}), 7.0, 1e-14));
    CHECK(close(linalg::norm(zeros({2, 3, 2})), 0.0));
    CHECK(linalg::matrix_norm(a, 1, {1, 0}, ag::keep_dims).shape() == ag::Shape{1, 1});
    CHECK(close(linalg::cond(a), 4.0 / 3, 1e-14));
    CHECK(close(linalg::cond(Tensor(xt::xarray<double>{{1, 2}, {0, 1}}), "fro"), 6.0, 1e-14));
}

TEST_CASE("powers and exponentials of matrices are those computed by hand")
{
    const Tensor shear(xt::xarray<double>{{1, 1}, {0, 1}});
    CHECK(close(linalg::matrix_power(shear, 13), {{1, 13}, {0, 1}}));
    CHECK(close(linalg::matrix_power(shear, -3), {{1, -3}, {0, 1}}, 1e-14));
    CHECK(close(linalg::matrix_power(shear, 0), {{1, 0}, {0, 1}}));
    const Tensor turn(xt::xarray<double>{{0, -2}, {2, 0}});
    CHECK(close(linalg::matrix_exp(turn), {{std::cos(2.0), -std::sin(2.0)}, {std::sin(2.0), std::cos(2.0)}}, 1e-13));
    CHECK(
        close(linalg::matrix_exp(Tensor(xt::xarray<double>{{-800, 0}, {0, 3}})), {{0, 0}, {0, std::exp(3.0)}}, 1e-11));
    CHECK(close(linalg::matrix_exp(zeros({0, 0})), zeros({0, 0}).value()));
}

TEST_CASE("matrices of nothing decompose to nothing")
{
    CHECK(close(linalg::det(zeros({0, 0})), 1.0));
    CHECK(linalg::inv(zeros({0, 3, 3})).shape() == ag::Shape{0, 3, 3});
    CHECK(linalg::solve(zeros({2, 0, 0}), zeros({0, 3})).shape() == ag::Shape{2, 0, 3});
    CHECK(linalg::cholesky(zeros({2, 0, 0})).shape() == ag::Shape{2, 0, 0});
    CHECK(linalg::qr(zeros({2, 0}), linalg::QRMode::complete).q.shape() == ag::Shape{2, 2});
    CHECK(linalg::qr(zeros({0, 2})).r.shape() == ag::Shape{0, 2});
    CHECK(close(linalg::svd(zeros({0, 2})).vh, {{1, 0}, {0, 1}}));
    CHECK(linalg::eigh(zeros({0, 0})).values.shape() == ag::Shape{0});
    CHECK(close(linalg::pinv(zeros({3, 0})), zeros({0, 3}).value()));
    CHECK(linalg::lu(zeros({0, 2})).u.shape() == ag::Shape{0, 2});
}

TEST_CASE("a matrix without a result is refused, with its place in the stack")
{
    const Tensor a(xt::xarray<double>{{{1, 0}, {0, 1}}, {{0, 0}, {0, 0}}});
    CHECK(thrown<ag::ValueError>([&] { linalg::inv(a); }) ==
          "inv: matrix (1,) of the stack is singular: got shape (2, 2, 2) (HERE). "
          "Add a little to the diagonal, or use pinv or lstsq.");
    CHECK(
        thrown<ag::ValueError>(
            [&] {
                linalg::solve(ag::view(a, 1), xt::xarray<double>{1, 2});
            }) ==
        "solve: the matrix is singular: got shape (2, 2) (HERE). Add a little to the diagonal, or use pinv or lstsq.");
    CHECK(
        thrown<ag::ValueError>(
            [&] {
                linalg::cholesky(Tensor(xt::xarray<double>{{1, 2}, {2, 1}}));
            }) ==
        "cholesky: the matrix is not positive definite: its leading minor of order 2 is not: got shape (2, 2) (HERE). "
        "Add a little to the diagonal.");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  linalg::solve_triangular(a, zeros({2, 1}));
              }) ==
          "solve_triangular: matrix (1,) of the stack has a 0 in the diagonal, in row 0: got shape (2, 2, 2) (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  linalg::svd(Tensor(xt::xarray<double>{{1, not_a_number}}));
              }) == "svd: needs finite numbers: got nan at (0, 1) of shape (1, 2) (HERE).");
}

TEST_CASE("operands that are no matrices, or do not fit, are refused by name")
{
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  linalg::det(zeros({2, 3}));
              }) == "det: needs a square matrix or a stack of them: got shape (2, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { linalg::qr(zeros({3})); }) ==
          "qr: needs a matrix or a stack of them: got shape (3,) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  linalg::solve(zeros({2, 2}), zeros({3, 1}));
              }) ==
          "solve: the matrix has not as many columns as the right-hand side has rows: got (2, 2) and (3, 1) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  linalg::solve(zeros({3, 2, 2}), zeros({4, 2, 1}));
              }) == "solve: the axes before the last two do not broadcast: got (3, 2, 2) and (4, 2, 1) (HERE).");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  linalg::matrix_norm(zeros({2, 2}), 3.5);
              }) == "matrix_norm: no norm of matrices: got order 3.5 (HERE). "
                    "There are 1, 2, infinity, their negatives, \"fro\" and \"nuc\".");
    CHECK(thrown<ag::ValueError>(
              [&] {
                  linalg::matrix_norm(zeros({0, 2}), 2);
              }) == "matrix_norm: nothing has no extreme: got order 2 for shape (0, 2) (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  linalg::norm(zeros({2, 3, 2}), 1);
              }) == "norm: an order needs one axis or two: got 3 of shape (2, 3, 2) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { linalg::norm(zeros({3}), "nuc"); }) ==
          "norm: no norm of vectors: got order \"nuc\" (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { linalg::norm(zeros({3}), 1, 1); }) ==
          "norm: axis 1 is out of range for an array of 1 axis (HERE).");
    CHECK(thrown<ag::ShapeError>(
              [&] {
                  linalg::tensorinv(zeros({2, 3}), 1);
              }) == "tensorinv: the first axes have not as many elements as the others: got (2,) and (3,) (HERE).");
}

TEST_CASE("columns that complete a basis have no derivative, and say so")
{
    const Tensor a = waves({3, 2}, 0);
    ag::GradientTape tape;
    tape.watch(a);
    CHECK(thrown<ag::ValueError>([&] { linalg::qr(a, linalg::QRMode::complete); }) ==
          "qr: the complete mode has no derivative for more rows than columns: got shape (3, 2) (HERE). "
          "Use the reduced mode, or stop_gradient.");
    CHECK(linalg::qr(ag::stop_gradient(a), linalg::QRMode::complete).q.shape() == ag::Shape{3, 3});
}
