#include "../../thrown.hpp"
#include "../closeness.hpp"
#include "../counting_cotangent.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;

namespace
{

constexpr double inf = std::numeric_limits<double>::infinity();

}

TEST_CASE("cdist takes every norm between the rows of two matrices")
{
    const Tensor a(xt::xarray<double>{{0, 0}, {1, 1}});
    const Tensor b(xt::xarray<double>{{3, 4}, {1, 1}, {0, 5}});
    CHECK(close(ag::cdist(a, b), {{5, std::sqrt(2.0), 5}, {std::sqrt(13.0), 0, std::sqrt(17.0)}}));
    CHECK(close(ag::cdist(a, b, 1), {{7, 2, 5}, {5, 0, 5}}));
    CHECK(close(ag::cdist(a, b, inf), {{4, 1, 5}, {3, 0, 4}}));
    CHECK(close(ag::cdist(a, b, 0), {{2, 2, 1}, {2, 0, 2}}));
    CHECK(close(ag::cdist(a, b, 3), {{std::cbrt(91.0), std::cbrt(2.0), 5}, {std::cbrt(35.0), 0, std::cbrt(65.0)}}));
}

TEST_CASE("a distance of 0 has the gradient 0, by every norm")
{
    const Tensor x(xt::xarray<double>{{1, 2}, {1, 2}});
    for (const double p : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, inf})
    {
        CAPTURE(p);
        CHECK(close(gradient([&](const Tensor& t) { return ag::pdist(t, p); }, x), {{0, 0}, {0, 0}}));
    }
}

TEST_CASE("distances of huge and of tiny vectors neither overflow nor vanish")
{
    const Tensor a(xt::xarray<double>{{3e200, 0}, {3e-200, 0}});
    const Tensor b(xt::xarray<double>{{0, 4e200}, {0, 4e-200}});
    CHECK(close(ag::pairwise_distance(a, b, {.eps = 0}), {5e200, 5e-200}));
    CHECK(close(ag::pairwise_distance(a, b, {.p = 3, .eps = 0}), {std::cbrt(91.0) * 1e200, std::cbrt(91.0) * 1e-200}));
}

TEST_CASE("pdist gives each pair once, in the order of the rows")
{
    const Tensor x(xt::xarray<double>{0, 1, 3, 7});
    CHECK(close(ag::pdist(ag::reshape(x, {4, 1})), {1, 3, 7, 2, 6, 4}));
    CHECK(ag::pdist(ag::reshape(x, {1, 4})).shape() == ag::Shape{0});
    CHECK(ag::pdist(ag::reshape(Tensor(xt::zeros<double>({0})), {0, 4})).shape() == ag::Shape{0});
}

TEST_CASE("cosine_similarity knows angles, and takes short vectors for longer ones")
{
    const Tensor a(xt::xarray<double>{{1, 0}, {1, 1}, {0, 0}});
    const Tensor b(xt::xarray<double>{{1, 1}, {-1, -1}, {1, 0}});
    CHECK(close(ag::cosine_similarity(a, b), {1 / std::sqrt(2.0), -1, 0}));
    CHECK(close(ag::view(gradient([&](const Tensor& t) { return ag::cosine_similarity(t, b, {.eps = 0.5}); }, a), 2),
                {6, 0}));
}

TEST_CASE("distances say what does not fit")
{
    const Tensor a(xt::ones<double>({3, 2}));
    const Tensor b(xt::ones<double>({4, 3}));
    CHECK(thrown<ag::ShapeError>([&] { ag::cdist(a, b); }) ==
          "cdist: needs (..., n, extent) and (..., m, extent): got (3, 2) and (4, 3) (HERE).");
    CHECK(thrown<ag::ValueError>([&] { ag::cdist(a, a, -1); }) ==
          "cdist: p must not be negative: got -1.000000 (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::pdist(Tensor(1.0)); }) == "pdist: needs (n, extent): got () (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::pairwise_distance(a, b); }) ==
          "pairwise_distance: needs two of (..., extent): got (3, 2) and (4, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::cosine_similarity(a, b); }) ==
          "cosine_similarity: the shapes must broadcast: got (3, 2) and (4, 3) (HERE).");
    CHECK(thrown<ag::ShapeError>([&] { ag::cosine_similarity(a, a, {.axis = 2}); }) ==
          "cosine_similarity: axis 2 is out of range for an array of 2 axes (HERE).");
}
