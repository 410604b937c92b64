#include <optim/loop/best_weights.hpp>

#include "../../thrown.hpp"

#include <doctest/doctest.h>

namespace ag = autograd;

TEST_CASE("the weights that were kept come back, in both precisions, as often as asked")
{
    const ag::Variable<float> w(xt::xarray<float>{1, 2});
    const ag::Variable<double> b(3.0);
    optim::BestWeights best({w, b});
    CHECK_FALSE(best.kept());
    best.keep();
    CHECK(best.kept());
    for (int k = 0; k < 2; ++k)
    {
        w.mutable_data()[0] = 7;
        b.assign(8.0);
        best.restore();
        CHECK_EQ(w.value(), xt::xarray<float>{1, 2});
        CHECK_EQ(b.item(), 3);
    }
    b.assign(9.0);
    best.keep();
    b.assign(10.0);
    best.restore();
    CHECK_EQ(b.item(), 9);
}

TEST_CASE("what was never kept cannot be restored")
{
    const ag::Variable<float> w(1.f);
    const optim::BestWeights best({w});
    CHECK_EQ(thrown<ag::Error>(
                 [&] {
                     best.restore({"user.cpp", 7});
                 }),
             "restore: no weights have been kept (user.cpp:7). Call keep() when they are best.");
}
