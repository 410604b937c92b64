#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

std::string text(const ag::Explanation& explanation)
{
    std::ostringstream out;
    out << explanation;
    return out.str();
}

}

TEST_CASE("a gradient that flows is explained by its shortest way, line by line")
{
    const Variable x(xt::xarray<double>{1.0, 2.0, 3.0});
    ag::GradientTape tape;
    const Tensor squared = x * x;
    const std::string first = line_above();
    const Tensor y = ag::sum(ag::exp(ag::tanh(squared)) + squared);
    const std::string second = line_above();
    const ag::Explanation found = explain(tape, y, x);
    CHECK(found.connected);
    CHECK(text(found) == "the gradient flows from the target to the source, variable (3,), against 3 operations.\n"
                         "  multiply (3,) (" +
                             first +
                             ")\n"
                             "  add (3,) (" +
                             second +
                             ")\n"
                             "  sum () (" +
                             second + ")");
    CHECK(tape.gradient(y, x).shape() == ag::Shape{3});
}

TEST_CASE("a variable is connected with itself")
{
    const Variable x(1.0);
    ag::GradientTape tape;
    const Tensor y = x * 2;
    CHECK(explain(tape, x, x).connected);
    CHECK(explain(tape, y, y).connected);
}

TEST_CASE("what is computed through stop_gradient is cut there")
{
    const Variable x(2.0), other(1.0);
    ag::GradientTape tape;
    const Tensor h = x * x;
    const Tensor fixed = ag::stop_gradient(h);
    const std::string guilty = line_above();
    const Tensor y = fixed * other;
    const ag::Explanation found = explain(tape, y, x);
    CHECK_FALSE(found.connected);
    CHECK(found.text == "stop_gradient at " + guilty + " cut it");
    CHECK(found.way.size() == 1);
    CHECK(found.cuts.size() == 1);
    CHECK(thrown<ag::UnconnectedError>([&] { tape.gradient(y, x); }).find("stop_gradient at " + guilty) !=
          std::string::npos);
}

TEST_CASE("of several cuts the one that gave the target is named")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = ag::stop_gradient(x * 2);
    const std::string guilty = line_above();
    const Tensor z = ag::stop_gradient(x * 3);
    CHECK(z.item() == 6);
    CHECK(explain(tape, y, x).text == "stop_gradient at " + guilty + " cut it");
}

TEST_CASE("what goes through value() and xt:: is a constant from there on")
{
    const Variable x(xt::xarray<double>{1.0, 2.0}), other(1.0);
    ag::GradientTape tape;
    const Tensor h = ag::exp(x);
    const auto plain = h.value();
    const std::string guilty = line_above();
    const Tensor y = ag::sum(Tensor(xt::xarray<double>(plain * 2)) * other);
    CHECK(explain(tape, y, x).text == "value() at " + guilty + " took it off the tape as a plain array");
    CHECK(
        thrown<ag::UnconnectedError>([&] { tape.gradient(y, x); }) ==
        "gradient: the target does not depend on source 1, of shape (2,): value() at " + guilty +
            " took it off the tape as a plain array (HERE). Compute with this library's functions, which have the same "
            "names. Ask for {.unconnected = Unconnected::zero} if zeros are meant.");
}

TEST_CASE("item() takes a number off the tape")
{
    const Variable x(2.0), other(1.0);
    ag::GradientTape tape;
    const double number = ag::exp(x).item();
    const std::string guilty = line_above();
    const Tensor y = number * other;
    CHECK(explain(tape, y, x).text == "item() at " + guilty + " took it off the tape as a plain array");
}

TEST_CASE("a comparison has no derivative")
{
    const Variable x(xt::xarray<double>{-1.0, 2.0}), other(xt::xarray<double>{3.0, 4.0});
    ag::GradientTape tape;
    const xt::xarray<bool> positive = x > 0.0;
    const std::string guilty = line_above();
    const Tensor y = ag::sum(ag::where(positive, other, 0.0));
    CHECK(explain(tape, y, x).text == "greater at " + guilty + " used it, which has no derivative");
}

TEST_CASE("a variable that was assigned is a leaf")
{
    const Variable x(2.0), copy(0.0);
    ag::GradientTape tape;
    copy.assign(x * x);
    const std::string guilty = line_above();
    const Tensor y = copy * 3;
    CHECK(explain(tape, y, x).text == "assign at " + guilty + " copied it to a variable, which is a leaf");
    copy.assign_sub(x);
    const std::string second = line_above();
    CHECK(explain(tape, copy * 2, x).text == "assign_sub at " + second + " copied it to a variable, which is a leaf");
}

TEST_CASE("a constant that was never watched")
{
    const Tensor x(2.0);
    const Variable other(1.0);
    ag::GradientTape tape;
    const std::string opened = line_above();
    const Tensor y = x * other;
    CHECK(explain(tape, y, x).text ==
          "it is a constant that was never watched, or was computed before the tape was opened at " + opened);
}

TEST_CASE("a target that was computed before the tape was opened")
{
    const Variable x(2.0);
    const Tensor y = x * x;
    ag::GradientTape tape;
    const std::string opened = line_above();
    CHECK(explain(tape, y, x).text == "it was never read while the tape opened at " + opened + " recorded");
    const Tensor z = x * 2;
    CHECK(explain(tape, y, x).text ==
          "no tape recorded the target: it was computed without one, or only from constants");
    CHECK(explain(tape, z, x).connected);
}

TEST_CASE("a target that an outer tape recorded before the inner one was opened")
{
    const Variable x(2.0);
    ag::GradientTape outer;
    const Tensor y = x * x;
    const std::string guilty = line_above();
    ag::GradientTape inner;
    const std::string opened = line_above();
    const Tensor z = x * 2;
    CHECK(explain(inner, y, x).text == "the target was recorded outside of this tape: multiply at " + guilty +
                                           " ran before the tape was opened at " + opened);
    CHECK(explain(outer, y, x).connected);
    CHECK(explain(inner, z, x).connected);
}

TEST_CASE("what was computed while the tape was told to stop")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor z = x * 2;
    std::string guilty;
    Tensor y;
    {
        const auto scope = tape.stop_recording();
        guilty = line_above();
        y = x * x;
    }
    CHECK(explain(tape, y, x).text ==
          "no tape recorded the target: it was computed without one, or only from constants; "
          "it was told to stop recording at " +
              guilty);
}

TEST_CASE("a variable that a tape does not watch")
{
    const Variable x(2.0), w(3.0);
    ag::GradientTape tape({.watch_accessed_variables = false});
    const std::string opened = line_above();
    tape.watch(w);
    const Tensor y = x * w;
    CHECK(explain(tape, y, x).text ==
          "the tape opened at " + opened + " does not watch variables by itself, and was not told to watch this one");
    CHECK(explain(tape, y, w).connected);
    CHECK(tape.gradient(y, w).item() == 2);
}

TEST_CASE("a target that has nothing to do with the source")
{
    const Variable x(2.0), w(3.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    const Tensor z = w * w;
    CHECK(explain(tape, z, x).text == "nothing that this tape recorded leads from it to the target");
    CHECK(thrown<ag::UnconnectedError>([&] { tape.gradient(z, x); }) ==
          "gradient: the target does not depend on source 1, of shape (): nothing that this tape recorded leads from "
          "it to "
          "the target (HERE). Compute the target from it while the tape records. Ask for {.unconnected = "
          "Unconnected::zero} if zeros are meant.");
}

TEST_CASE("a tape that was moved from explains nothing")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    const ag::GradientTape other = std::move(tape);
    CHECK(explain(tape, y, x).text == "this tape was moved from");
    CHECK(explain(other, y, x).connected);
}

TEST_CASE("cuts of a tape that has ended are forgotten with it")
{
    const Variable x(2.0);
    {
        ag::GradientTape tape;
        const Tensor y = ag::stop_gradient(x * x);
        CHECK(explain(tape, y, x).cuts.size() == 1);
    }
    ag::GradientTape tape;
    const Tensor y = x * x;
    CHECK(explain(tape, y, x).cuts.empty());
}
