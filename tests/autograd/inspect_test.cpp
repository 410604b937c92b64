#include "../temporary_folder.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

TEST_CASE("a tape is printed as a table of its records")
{
    const Variable x(xt::xarray<double>{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
    ag::GradientTape tape;
    const Tensor y = ag::sum(ag::exp(x) * 2);
    const std::string line = line_above();
    std::ostringstream out;
    out << tape;
    CHECK(out.str() == "4 records, which keep 104 B\n"
                       "   operation  operands     result         keeps  line\n"
                       "0  variable                double (2, 3)  48 B\n"
                       "1  exp        0            double (2, 3)  48 B   " +
                           line +
                           "\n"
                           "2  multiply   1, constant  double (2, 3)  8 B    " +
                           line +
                           "\n"
                           "3  sum        2            double ()             " +
                           line + "\n");
}

TEST_CASE("records are told as data")
{
    const ag::Variable<float> x(xt::xarray<float>{1.F, 2.F});
    ag::GradientTape tape;
    const ag::Tensor<float> y = x * x;
    const std::vector<ag::RecordedOperation> found = records(tape);
    REQUIRE(found.size() == 2);
    CHECK(found[0].is_leaf);
    CHECK(found[1].name == "multiply");
    CHECK(found[1].operands == std::vector<std::optional<std::size_t>>{0, 0});
    CHECK(found[1].dtype == ag::DType::float32);
    CHECK(found[1].shape == ag::Shape{2});
}

TEST_CASE("what a tape keeps is told with who reads it, the largest first")
{
    const Variable x(xt::xarray<double>(xt::ones<double>({100, 10})));
    const Variable w(xt::xarray<double>(xt::ones<double>({10, 2})));
    ag::GradientTape tape;
    const Tensor h = ag::matmul(x, w);
    const std::string first = line_above();
    const Tensor y = ag::tanh(h);
    const std::string second = line_above();
    const std::vector<ag::KeptValue> kept = kept_values(tape);
    REQUIRE(kept.size() == 3);
    CHECK(kept[0].bytes + kept[1].bytes == 8160);
    CHECK(kept[2].record == 3);
    CHECK(kept[2].readers == std::vector<std::size_t>{3});
    const std::string tanh = "tanh (" + second + ")";
    const std::string gap(tanh.size() - 7, ' ');
    CHECK(memory_report(tape) == "kept: 9.53 KiB\n"
                                 "bytes     shape      result of" +
                                     gap + "read by the pullback of\n7.81 KiB  (100, 10)  variable " + gap +
                                     "matmul (" + first + ")\n1.56 KiB  (100, 2)   " + tanh + "  " + tanh +
                                     "\n160 B     (10, 2)    variable " + gap + "matmul (" + first + ")\n");
}

TEST_CASE("a tape that is moved from, used up or another thread's holds nothing")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = x * x;
    (void)tape.gradient(y, x);
    CHECK(records(tape).empty());
    const ag::GradientTape other = std::move(tape);
    CHECK(records(tape).empty());
    CHECK(kept_values(tape).empty());
}

TEST_CASE("a tape is drawn in Graphviz's language")
{
    const Variable x(2.0);
    ag::GradientTape tape;
    const Tensor y = ag::tanh(x);
    const std::string line = line_above();
    const std::string dot = to_dot(tape);
    CHECK(dot.starts_with("digraph tape {\n"));
    CHECK(dot.find("  n0 [label=\"variable\\ndouble ()\\nkeeps 8 B\", shape=ellipse") != std::string::npos);
    CHECK(dot.find("  n1 [label=\"tanh\\ndouble ()\\nkeeps 8 B\\n" + line + "\"];\n  n0 -> n1;\n") !=
          std::string::npos);
    const TemporaryFolder folder;
    draw(tape, (folder / "tape.dot").string());
    std::ifstream file(folder / "tape.dot");
    std::stringstream text;
    text << file.rdbuf();
    CHECK(text.str() == dot);
}

TEST_CASE("a drawing that cannot be made says why")
{
    ag::GradientTape tape;
    CHECK(thrown<ag::FileError>([&] { draw(tape, "tape.txt"); }) ==
          "draw: draws .dot, .svg, .png or .pdf files: got tape.txt (HERE).");
    CHECK(thrown<ag::FileError>([&] { draw(tape, "/nowhere/tape.dot"); }) ==
          "draw: cannot write /nowhere/tape.dot (HERE).");
}
