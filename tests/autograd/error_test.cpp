#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <thread>

namespace ag = autograd;
using ag::ShapeError;
using ag::TapeError;
using ag::UnconnectedError;
using ag::ValueError;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

Tensor zeros(std::vector<std::size_t> shape)
{
    return Tensor(xt::xarray<double>(xt::zeros<double>(shape)));
}

Variable variable(std::vector<std::size_t> shape)
{
    return Variable(zeros(std::move(shape)));
}

const std::string broadcasting_rule =
    " (HERE). Axes are compared from the last; each pair must be equal, or one of them 1.";

}

TEST_CASE("all errors are of one family")
{
    static_assert(std::is_base_of_v<std::runtime_error, ag::Error>);
    static_assert(std::is_base_of_v<ag::Error, ShapeError>);
    static_assert(std::is_base_of_v<ag::Error, ValueError>);
    static_assert(std::is_base_of_v<ag::Error, TapeError>);
    static_assert(std::is_base_of_v<TapeError, UnconnectedError>);
    static_assert(std::is_base_of_v<ag::Error, ag::FileError>);
}

TEST_CASE("an error carries the user's line as data, too")
{
    const Tensor a = zeros({2});
    const Tensor b = zeros({3});
    unsigned line = 0;
    try
    {
        line = __LINE__ + 1;
        static_cast<void>(a + b);
    }
    catch (const ag::Error& error)
    {
        CHECK(error.location().line == line);
        CHECK(std::string(error.location().file) == __FILE__);
        CHECK(std::string(error.what()).find("(error_test.cpp:" + std::to_string(line) + ")") != std::string::npos);
    }
    CHECK(line != 0);
}

TEST_CASE("operators say which shapes do not broadcast")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({2});
    const std::string shapes = ": shapes do not broadcast: got (2, 3) and (2,)" + broadcasting_rule;
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a + b); }) == "add" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a - b); }) == "subtract" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a * b); }) == "multiply" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a / b); }) == "divide" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a < b); }) == "less" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a <= b); }) == "less_equal" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(ag::maximum(a, b)); }) == "maximum" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(ag::minimum(a, b)); }) == "minimum" + shapes);
}

TEST_CASE("operators name the operation that was written and keep the order of its operands")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({2});
    const std::string shapes = ": shapes do not broadcast: got (2, 3) and (2,)" + broadcasting_rule;
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a > b); }) == "greater" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a >= b); }) == "greater_equal" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(ag::pow(a, b)); }) == "pow" + shapes);
}

TEST_CASE("== and != say which shapes do not broadcast, though not where")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({2});
    const xt::xarray<double> c = xt::zeros<double>({2});
    const std::string shapes = ": shapes do not broadcast: got (2, 3) and (2,). "
                               "Axes are compared from the last; each pair must be equal, or one of them 1.";
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a == b); }) == "equal" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a != b); }) == "not_equal" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a == c); }) == "equal" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a != c); }) == "not_equal" + shapes);
}

TEST_CASE("compound assignment and xtensor operands say which shapes do not broadcast")
{
    Tensor a = zeros({2, 3});
    const Tensor b = zeros({2});
    const xt::xarray<double> c = xt::zeros<double>({2});
    const std::string shapes = ": shapes do not broadcast: got (2, 3) and (2,)" + broadcasting_rule;
    CHECK(thrown<ShapeError>([&] { a += b; }) == "add" + shapes);
    CHECK(thrown<ShapeError>([&] { a *= c; }) == "multiply" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(a - 2 * c); }) == "subtract" + shapes);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(c / a); }) ==
          "divide: shapes do not broadcast: got (2,) and (2, 3)" + broadcasting_rule);
    CHECK(a.shape() == ag::Shape{2, 3});
}

TEST_CASE("operations of three operands show all shapes")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({4});
    CHECK(thrown<ShapeError>([&] { static_cast<void>(ag::clip(a, 0.0, b)); }) ==
          "clip: shapes do not broadcast: got (2, 3) and () and (4,)" + broadcasting_rule);
    CHECK(thrown<ShapeError>([&] { static_cast<void>(ag::where(a > 0, a, b)); }) ==
          "where: shapes do not broadcast: got (2, 3) and (2, 3) and (4,)" + broadcasting_rule);
}

TEST_CASE("an axis out of range, or given twice, is named")
{
    const Tensor x = zeros({2, 3});
    const std::string problem = ": axis 2 is out of range for an array of 2 axes (HERE).";
    CHECK(thrown<ShapeError>([&] { ag::sum(x, 2); }) == "sum" + problem);
    CHECK(thrown<ShapeError>([&] { ag::mean(x, 2); }) == "mean" + problem);
    CHECK(thrown<ShapeError>([&] { ag::prod(x, 2); }) == "prod" + problem);
    CHECK(thrown<ShapeError>([&] { ag::amax(x, 2); }) == "amax" + problem);
    CHECK(thrown<ShapeError>([&] { ag::amin(x, 2); }) == "amin" + problem);
    CHECK(thrown<ShapeError>([&] { ag::variance(x, 2); }) == "variance" + problem);
    CHECK(thrown<ShapeError>([&] { ag::norm(x, 2); }) == "norm" + problem);
    CHECK(thrown<ShapeError>([&] { ag::softmax(x, 2); }) == "softmax" + problem);
    CHECK(thrown<ShapeError>([&] { ag::log_softmax(x, 2); }) == "log_softmax" + problem);
    CHECK(thrown<ShapeError>([&] { ag::logsumexp(x, 2); }) == "logsumexp" + problem);
    CHECK(thrown<ShapeError>([&] { ag::squeeze(x, 2); }) == "squeeze" + problem);
    CHECK(thrown<ShapeError>([&] { ag::concatenate({x, x}, 2); }) == "concatenate" + problem);
    CHECK(thrown<ShapeError>([&] { ag::transpose(x, {0, 2}); }) == "transpose" + problem);
    CHECK(thrown<ShapeError>([&] { ag::sum(x, -3); }) == "sum: axis -3 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::sum(zeros({4}), 1); }) ==
          "sum: axis 1 is out of range for an array of 1 axis (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::sum(x, {1, -1}); }) == "sum: axis -1 is given twice (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::transpose(x, {0, 0}); }) == "transpose: axis 0 is given twice (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::expand_dims(x, 3); }) ==
          "expand_dims: axis 3 is out of range for an array of 3 axes (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::stack({x, x}, -4);
              }) == "stack: axis -4 is out of range for an array of 3 axes (HERE).");
    CHECK(ag::softmax(Tensor(3.0)).value()() == 1);
    CHECK(thrown<ShapeError>([&] { ag::softmax(Tensor(3.0), 1); }) ==
          "softmax: axis 1 is out of range for an array of 1 axis (HERE).");
}

TEST_CASE("a standard deviation along an axis out of range is an error of stddev")
{
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::stddev(zeros({2, 3}), 2);
              }) == "stddev: axis 2 is out of range for an array of 2 axes (HERE).");
    CHECK(thrown<ValueError>([&] { ag::stddev(zeros({1}), {}, 1); }) ==
          "stddev: needs more than 1 element to reduce: got 1 in shape (1,) (HERE).");
}

TEST_CASE("more axes than there can be are refused")
{
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::sum(zeros({2}), {0, 1, 2, 3, 4, 5, 6, 7, 8});
              }) == "axes: more than 8 axes given.");
    CHECK(thrown<ShapeError>(
              [&] {
                  zeros({1, 1, 1, 1, 1, 1, 1, 1, 1});
              }) == "shape: more than 8 axes. Flatten axes that are always used together.");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::expand_dims(zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0);
              }) == "expand_dims: the result would have 9 axes: at most 8 are possible (HERE).");
}

TEST_CASE("a reduction of nothing says so")
{
    const Tensor none = zeros({2, 0});
    const std::string problem = ": needs more than 0 elements to reduce: got 0 in shape (2, 0) (HERE).";
    CHECK(thrown<ValueError>([&] { ag::mean(none); }) == "mean" + problem);
    CHECK(thrown<ValueError>([&] { ag::mean(none, 1); }) == "mean" + problem);
    CHECK(thrown<ValueError>([&] { ag::amax(none, -1); }) == "amax" + problem);
    CHECK(thrown<ValueError>([&] { ag::amin(none); }) == "amin" + problem);
    CHECK(thrown<ValueError>([&] { ag::variance(none); }) == "variance" + problem);
    CHECK(thrown<ValueError>(
              [&] {
                  ag::variance(zeros({3, 1}), 1, 1);
              }) == "variance: needs more than 1 element to reduce: got 1 in shape (3, 1) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::logsumexp(none); }) == "logsumexp" + problem);
}

TEST_CASE("a product of matrices that do not fit shows both")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({4, 5});
    CHECK(thrown<ShapeError>([&] { ag::matmul(a, b); }) ==
          "matmul: the last axis of the first operand, 3, is not the last but one of the second, 4: "
          "got (2, 3) and (4, 5) (HERE).");
    CHECK(
        thrown<ShapeError>([&] { ag::matmul(a, zeros({2})); }) ==
        "matmul: the last axis of the first operand, 3, is not the axis of the second, 2: got (2, 3) and (2,) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::matmul(a, Tensor(1.0)); }) ==
          "matmul: a 0-d operand: got (2, 3) and () (HERE). Multiply by a scalar with *.");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
              }) == "matmul: the axes before the last two do not broadcast: got (2, 2, 3) and (3, 3, 2) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::dot(zeros({2}), zeros({3})); }) ==
          "dot: needs two vectors of equal length: got (2,) and (3,) (HERE). For matrices there is matmul.");
    CHECK(thrown<ShapeError>([&] { ag::dot(a, a); }) ==
          "dot: needs two vectors of equal length: got (2, 3) and (2, 3) (HERE). For matrices there is matmul.");
}

TEST_CASE("linear says which of its operands do not fit")
{
    const Tensor x = zeros({2, 3});
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::linear(x, zeros({3, 4}));
              }) == "linear: needs x as (..., in) and weight as (out, in): got (2, 3) and (3, 4) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::linear(x, zeros({3})); }) ==
          "linear: needs x as (..., in) and weight as (out, in): got (2, 3) and (3,) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::linear(Tensor(1.0), zeros({3, 1}));
              }) == "linear: needs x as (..., in) and weight as (out, in): got () and (3, 1) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::linear(x, zeros({4, 3}), zeros({3}));
              }) == "linear: needs weight as (out, in) and bias as (out): got (4, 3) and (3,) (HERE).");
}

TEST_CASE("a loss does not broadcast its target")
{
    const Tensor a = zeros({3, 1});
    const Tensor b = zeros({3});
    const std::string problem = ": prediction and target must have one shape: got (3, 1) and (3,) (HERE). "
                                "Reshape one of them; a column and a row would otherwise broadcast to a matrix.";
    CHECK(thrown<ShapeError>([&] { ag::mse_loss(a, b); }) == "mse_loss" + problem);
    CHECK(thrown<ShapeError>([&] { ag::binary_cross_entropy_with_logits(a, b); }) ==
          "binary_cross_entropy_with_logits" + problem);
}

TEST_CASE("a loss of nothing is an error of the loss")
{
    const Tensor none = zeros({0});
    CHECK(thrown<ValueError>([&] { ag::mse_loss(none, none); }) ==
          "mse_loss: nothing has no mean: got shape (0,) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::binary_cross_entropy_with_logits(none, none); }) ==
          "binary_cross_entropy_with_logits: nothing has no mean: got shape (0,) (HERE).");
}

TEST_CASE("cross_entropy names the label that is out of range")
{
    const Tensor logits = zeros({3, 4});
    CHECK(thrown<ValueError>(
              [&] {
                  ag::cross_entropy(logits, xt::xarray<int>{0, 4, 1});
              }) == "cross_entropy: label 4 in row 1 is out of range: there are 4 classes (HERE).");
    CHECK(thrown<ValueError>(
              [&] {
                  ag::cross_entropy(logits, xt::xarray<int>{0, 1, -1});
              }) == "cross_entropy: label -1 in row 2 is out of range: there are 4 classes (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::cross_entropy(logits, xt::xarray<int>{0, 1});
              }) ==
          "cross_entropy: needs (batch, classes, ...) and labels as (batch, ...): got (3, 4) and (2,) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::cross_entropy(logits, xt::xarray<int>{{0, 1, 2}, {0, 1, 2}});
              }) ==
          "cross_entropy: needs (batch, classes, ...) and labels as (batch, ...): got (3, 4) and (2, 3) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::cross_entropy(zeros({4}), xt::xarray<int>{0, 1, 2, 3});
              }) == "cross_entropy: needs (batch, classes, ...) and labels as (batch, ...): got (4,) and (4,) (HERE).");
    const xt::xarray<int> no_labels = xt::zeros<int>({0});
    CHECK(thrown<ValueError>(
              [&] {
                  ag::cross_entropy(zeros({0, 4}), no_labels);
              }) == "cross_entropy: nothing has no mean: got shape (0,) (HERE).");
}

TEST_CASE("a shape that does not fit is shown with the old one")
{
    const Tensor x = zeros({2, 3});
    const std::string rest = " for shape (2, 3) (HERE). The number of elements must stay the same.";
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::reshape(x, {4, 2});
              }) == "reshape: the shape does not hold as many elements: got (4, 2)" + rest);
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::reshape(x, {4, -1});
              }) == "reshape: the extent given as -1 cannot be found: got (4, -1)" + rest);
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::reshape(x, {-1, -1});
              }) == "reshape: an extent is negative, or more than one is -1: got (-1, -1)" + rest);
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::reshape(x, {-2, -3});
              }) == "reshape: an extent is negative, or more than one is -1: got (-2, -3)" + rest);
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::reshape(zeros({0}), {0, -1});
              }) == "reshape: the extent given as -1 cannot be found: got (0, -1) for shape (0,) (HERE). "
                    "The number of elements must stay the same.");
    CHECK(thrown<ShapeError>([&] { ag::transpose(x, 0); }) ==
          "transpose: needs every axis once: got 1 for shape (2, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::squeeze(x, 1); }) ==
          "squeeze: axis 1 of shape (2, 3) has not the extent 1 (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::broadcast_to(x, {3, 3});
              }) == "broadcast_to: (2, 3) does not broadcast to (3, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::broadcast_to(x, {3}); }) ==
          "broadcast_to: (2, 3) does not broadcast to (3,) (HERE).");
}

TEST_CASE("tensors that cannot be joined are shown")
{
    const Tensor a = zeros({2, 3});
    const Tensor b = zeros({2, 4});
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::concatenate({a, b});
              }) == "concatenate: shapes may differ only along axis 0: got (2, 3) and (2, 4) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::concatenate({a, zeros({2})}, 1);
              }) == "concatenate: shapes may differ only along axis 1: got (2, 3) and (2,) (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::stack({a, b});
              }) == "stack: shapes must be equal: got (2, 3) and (2, 4) (HERE).");
    CHECK(thrown<ValueError>([&] { ag::concatenate(std::vector<Tensor>{}); }) ==
          "concatenate: needs at least one tensor (HERE).");
    CHECK(thrown<ValueError>([&] { ag::stack(std::vector<Tensor>{}); }) == "stack: needs at least one tensor (HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  ag::concatenate({Tensor(1.0), Tensor(2.0)});
              }) == "concatenate: axis 0 is out of range for an array of 0 axes (HERE).");
}

TEST_CASE("slices that do not fit are named")
{
    const Tensor x = zeros({2, 3});
    CHECK(thrown<ShapeError>([&] { ag::view(x, 2); }) ==
          "view: index 2 is out of range for axis 0 of shape (2, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::view(x, ag::all(), -4); }) ==
          "view: index -4 is out of range for axis 1 of shape (2, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::view(x, 0, 0, 0); }) ==
          "view: 3 slices for shape (2, 3), which has 2 axes (HERE).");
    CHECK(thrown<ShapeError>([&] { ag::view(x, ag::ellipsis(), ag::ellipsis()); }) ==
          "view: more than one ellipsis (HERE).");
    CHECK(thrown<ValueError>([&] { ag::view(x, ag::range(0, 2, 0)); }) == "view: the step of a range is 0 (HERE).");
}

TEST_CASE("a variable keeps its shape")
{
    Variable x = variable({2, 3});
    CHECK(thrown<ShapeError>([&] { x.assign(zeros({3})); }) ==
          "assign: a variable keeps its shape: it is (2, 3), the new value (3,) (HERE).");
    CHECK(thrown<ShapeError>([&] { x.assign(1.0); }) ==
          "assign: a variable keeps its shape: it is (2, 3), the new value () (HERE).");
    CHECK(thrown<ShapeError>([&] { x.assign_add(zeros({2})); }) ==
          "assign_add: the change must broadcast to the shape of the variable: the variable is (2, 3), the change (2,) "
          "(HERE).");
    CHECK(thrown<ShapeError>(
              [&] {
                  x.assign_sub(zeros({4, 2, 3}));
              }) ==
          "assign_sub: the change must broadcast to the shape of the variable: the variable is (2, 3), the change "
          "(4, 2, 3) (HERE).");
    CHECK(thrown<ShapeError>([&] { x.set_grad(zeros({3})); }) ==
          "set_grad: a gradient has the shape of its variable: the variable is (2, 3), the gradient (3,) (HERE).");
    CHECK(x.shape() == ag::Shape{2, 3});
    CHECK_FALSE(x.has_grad());
}

TEST_CASE("a gradient that is not there is not zero")
{
    const Variable x = variable({2});
    CHECK(thrown<TapeError>([&] { x.grad(); }) ==
          "grad: this variable has no gradient (HERE). "
          "Call backward() on a result that was computed from it while a tape recorded.");
}

TEST_CASE("only one element is an item")
{
    CHECK(thrown<ShapeError>(
              [&] {
                  zeros({2, 3}).item();
              }) ==
          "item: needs exactly one element: got shape (2, 3) (HERE). Reduce with sum or mean, or read value()(i, j).");
    CHECK(thrown<ShapeError>([&] { zeros({0}).item(); }) ==
          "item: needs exactly one element: got shape (0,) (HERE). Reduce with sum or mean, or read value()(i, j).");
}

TEST_CASE("an empty handle is not a tensor")
{
    const Tensor none;
    const std::string text = "tensor: used before it was given a value. Initialise it where it is declared.";
    CHECK(thrown<ag::Error>([&] { none.shape(); }) == text);
    CHECK(thrown<ag::Error>([&] { none.value(); }) == text);
    CHECK(thrown<ag::Error>([&] { none.item(); }) == text);
    CHECK(thrown<ag::Error>([&] { none.backward(); }) == text);
    CHECK(thrown<ag::Error>([&] { static_cast<void>(none + 1.0); }) == text);
    CHECK(thrown<ag::Error>([&] { static_cast<void>(1.0 - none); }) == text);
    CHECK(thrown<ag::Error>([&] { ag::exp(none); }) == text);
    CHECK(thrown<ag::Error>([&] { ag::sum(none); }) == text);
    CHECK(thrown<ag::Error>([&] { ag::concatenate({none, none}); }) == text);
    CHECK(thrown<ag::Error>([&] { const Variable x(none); }) == text);
    ag::GradientTape tape;
    CHECK(thrown<ag::Error>([&] { tape.watch(none); }) == text);
    CHECK(thrown<ag::Error>([&] { tape.gradient(none, none); }) == text);
}

TEST_CASE("a gradient of many elements asks for its own gradient")
{
    Variable x = variable({2, 3});
    ag::GradientTape tape;
    const Tensor y = x * 2.0;
    const std::string problem = ": the target must hold one element: it has shape (2, 3) (HERE). "
                                "Reduce it with sum or mean, or give the output gradient.";
    CHECK(thrown<ShapeError>([&] { y.backward(); }) == "backward" + problem);
    CHECK(thrown<ShapeError>([&] { tape.gradient(y, x); }) == "gradient" + problem);
    CHECK(thrown<ShapeError>([&] { tape.gradient(y, x, y); }) == "gradient" + problem);
    const std::string shapes =
        ": the output gradient must have the shape of the target: the target is (2, 3), the gradient (3,) (HERE).";
    CHECK(thrown<ShapeError>([&] { y.backward(zeros({3})); }) == "backward" + shapes);
    CHECK(thrown<ShapeError>([&] { tape.gradient(y, x, {.output_gradient = zeros({3})}); }) == "gradient" + shapes);
    CHECK(thrown<ShapeError>([&] { tape.gradient(y, std::vector<Variable>{x}); }) == "gradient" + problem);
}

TEST_CASE("a gradient of nothing is refused")
{
    Variable x = variable({0});
    ag::GradientTape tape;
    const Tensor y = x * 2.0;
    CHECK(thrown<ShapeError>([&] { y.backward(); }) ==
          "backward: the target must hold one element: it has shape (0,) (HERE). "
          "Reduce it with sum or mean, or give the output gradient.");
}

TEST_CASE("a one-shot tape that is used twice names the line where it was opened")
{
    Variable x(1.0);
    const std::string opened = "error_test.cpp:" + std::to_string(__LINE__ + 1);
    ag::GradientTape tape;
    const Tensor y = x * 2.0;
    y.backward();
    const std::string problem = ": the tape opened at " + opened +
                                " is used up by an earlier gradient (HERE). "
                                "Open it with {.persistent = true} to use it more than once.";
    CHECK(thrown<TapeError>([&] { tape.gradient(y, x); }) == "gradient" + problem);
    CHECK(thrown<TapeError>([&] { tape.gradient(y, x, y); }) == "gradient" + problem);
    CHECK(thrown<TapeError>([&] { y.backward(); }) == "backward" + problem);
    CHECK(thrown<TapeError>([&] { tape.watch(Tensor(1.0)); }) ==
          "watch: this tape does not record any more (HERE). Watch before the first gradient.");
}

TEST_CASE("a tape that was moved from is refused")
{
    Variable x(1.0);
    ag::GradientTape tape;
    const Tensor y = x * 2.0;
    ag::GradientTape moved(std::move(tape));
    const std::string problem = ": this tape was moved from (HERE). Use the tape that it was moved to.";
    CHECK(thrown<TapeError>([&] { tape.gradient(y, x); }) == "gradient" + problem);
    CHECK(thrown<TapeError>([&] { tape.watch(y); }) == "watch" + problem);
    CHECK(moved.gradient(y, x).item() == 2.0);
}

TEST_CASE("a target that no tape recorded is refused")
{
    Variable x(1.0);
    const Tensor before = x * 2.0;
    ag::GradientTape tape;
    const Tensor constant = Tensor(1.0) * 2.0;
    const std::string problem =
        ": no tape recorded the target: it was computed without one, or only from constants (HERE). ";
    const std::string fix = "Compute it from Variables or watched tensors while this tape lives.";
    CHECK(thrown<TapeError>([&] { tape.gradient(before, x); }) == "gradient" + problem + fix);
    CHECK(thrown<TapeError>([&] { tape.gradient(constant, x); }) == "gradient" + problem + fix);
    CHECK(thrown<TapeError>([&] { constant.backward(); }) ==
          "backward" + problem + "Compute it from Variables while a GradientTape lives.");
    CHECK(thrown<TapeError>([&] { x.backward(); }) ==
          "backward: a variable is a leaf: it was not computed from anything (HERE). Call backward() on a result.");
}

TEST_CASE("a target of a dead tape is refused")
{
    Variable x(1.0);
    Tensor y;
    {
        ag::GradientTape dead;
        y = x * 2.0;
    }
    const std::string problem = ": the tape that recorded the target is gone, used up, or another thread's (HERE). ";
    CHECK(thrown<TapeError>([&] { y.backward(); }) ==
          "backward" + problem + "Compute it from Variables while a GradientTape lives.");
    ag::GradientTape tape;
    CHECK(thrown<TapeError>([&] { tape.gradient(y, x); }) ==
          "gradient" + problem + "Compute it from Variables or watched tensors while this tape lives.");
}

TEST_CASE("a target of a dead tape is not blamed on a used-up one")
{
    Variable x(1.0);
    Tensor y;
    {
        ag::GradientTape dead;
        y = x * 2.0;
    }
    ag::GradientTape used;
    (x * 3.0).backward();
    CHECK(thrown<TapeError>([&] { y.backward(); }) ==
          "backward: the tape that recorded the target is gone, used up, or another thread's (HERE). "
          "Compute it from Variables while a GradientTape lives.");
}

TEST_CASE("a target of another tape is refused")
{
    Variable x(1.0);
    ag::GradientTape outer;
    const Tensor y = x * 2.0;
    const std::string computed = line_above();
    ag::GradientTape inner;
    const std::string opened = line_above();
    CHECK(thrown<TapeError>([&] { inner.gradient(y, x); }) ==
          "gradient: the target was recorded outside of this tape: multiply at " + computed +
              " ran before the tape was opened at " + opened +
              " (HERE). "
              "Compute it from Variables or watched tensors while this tape lives.");
}

TEST_CASE("a target of another thread's tape is refused")
{
    Variable x(1.0);
    ag::GradientTape tape;
    const Tensor y = x * 2.0;
    std::string text;
    std::thread([&] { text = thrown<TapeError>([&] { y.backward(); }); }).join();
    CHECK(text == "backward: the tape that recorded the target is gone, used up, or another thread's (HERE). "
                  "Compute it from Variables while a GradientTape lives.");
}

TEST_CASE("an unconnected variable is named by its number and shape")
{
    Variable x(1.0);
    Variable other = variable({2, 3});
    ag::GradientTape tape({.persistent = true});
    const std::string opened = line_above();
    const Tensor y = x * 2.0;
    CHECK(thrown<UnconnectedError>([&] { tape.gradient(y, x, other); }) ==
          "gradient: the target does not depend on source 2, of shape (2, 3): it was never read while the tape opened "
          "at " +
              opened +
              " recorded (HERE). Read it while the tape records. Ask for {.unconnected = Unconnected::zero} if "
              "zeros are meant.");
    const Tensor constant = zeros({3});
    CHECK(
        thrown<UnconnectedError>([&] { tape.gradient(y, constant); }) ==
        "gradient: the target does not depend on source 1, of shape (3,): it is a constant that was never watched, or "
        "was computed before the tape was opened at " +
            opened +
            " (HERE). Make it a Variable, or watch it before it is used. Ask for {.unconnected = "
            "Unconnected::zero} if zeros are meant.");
}

TEST_CASE("no thread at all is refused")
{
    CHECK(thrown<ValueError>([&] { ag::set_num_threads(0); }) == "set_num_threads: needs at least one thread.");
}

TEST_CASE("an error inside an operation leaves the tape as it was")
{
    Variable x = variable({2});
    ag::GradientTape tape;
    const Tensor y = ag::sum(x * 3.0);
    CHECK_THROWS_AS(x + zeros({3}), ShapeError);
    CHECK_THROWS_AS(ag::matmul(x, zeros({3, 3})), ShapeError);
    CHECK_THROWS_AS(ag::cross_entropy(ag::reshape(x, {1, 2}), xt::xarray<int>{7}), ValueError);
    y.backward();
    CHECK(x.grad().data()[1] == 3.0);
}

TEST_CASE("a gradient that throws midway loses no earlier result")
{
    Variable x(2.0);
    ag::GradientTape tape({.persistent = true});
    const Tensor y = x * x;
    y.backward();
    CHECK_THROWS_AS(tape.gradient(y, x, Variable(1.0)), UnconnectedError);
    CHECK(x.grad().item() == 4.0);
    CHECK(tape.gradient(y, x).item() == 4.0);
}

TEST_CASE("an error inside a composed operation names the user's line")
{
    const Tensor x = zeros({2, 0});
    CHECK(thrown<ValueError>([&] { ag::variance(x, 1); }).find("(HERE)") != std::string::npos);
    CHECK(thrown<ShapeError>([&] { ag::stddev(x, 5); }).find("(HERE)") != std::string::npos);
    CHECK(
        thrown<ShapeError>([&] { ag::hessian([](const Tensor& t) { return t * 2.0; }, zeros({2})); }).find("(HERE)") !=
        std::string::npos);
    CHECK(thrown<ShapeError>([&] { ag::grad([](const Tensor& t) { return t * 2.0; })(zeros({2})); }) ==
          "gradient: the target must hold one element: it has shape (2,) (HERE). "
          "Reduce it with sum or mean, or give the output gradient.");
}
