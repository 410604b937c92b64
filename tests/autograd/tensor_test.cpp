#include "closeness.hpp"

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <limits>
#include <numeric>
#include <sstream>

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xview.hpp>
#endif

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

template <class X>
concept Assignable = requires(X& x)
{
    x.assign(1.0);
};
template <class X>
concept Addable = requires(X& x)
{
    x.assign_add(1.0);
};
template <class X>
concept Subtractable = requires(X& x)
{
    x.assign_sub(1.0);
};
template <class X>
concept HasGradient = requires(X& x)
{
    x.grad();
};
template <class X>
concept CanForgetGradient = requires(X& x)
{
    x.zero_grad();
};
template <class X>
concept Writable = requires(X& x)
{
    x.mutable_data();
};
template <class X>
concept Rebindable = requires(X& x)
{
    x += 1.0;
};

template <class X>
concept Deducible = requires(X x)
{
    ag::Tensor(x);
};
template <class A, class B>
concept Joinable = requires(const A& a, const B& b)
{
    ag::concatenate({a, b});
};
template <class A, class B>
concept HasMaximum = requires(const A& a, const B& b)
{
    ag::maximum(a, b);
};
template <class A, class B>
concept HasProduct = requires(const A& a, const B& b)
{
    ag::matmul(a, b);
};
template <class A, class B>
concept HasChoice = requires(const xt::xarray<bool>& mask, const A& a, const B& b)
{
    ag::where(mask, a, b);
};
template <class X>
concept HasExponential = requires(const X& x)
{
    ag::exp(x);
};
template <class X, class Labels>
concept HasLabelledLoss = requires(const X& x, const Labels& labels)
{
    ag::nll_loss(x, labels);
};
template <class X, class Options>
concept HasGradientWith = requires(ag::GradientTape& tape, const X& x, const Options& options)
{
    tape.gradient(x, x, options);
};

template <class T>
std::string printed(const T& value)
{
    std::ostringstream out;
    out << value;
    return out.str();
}

}

TEST_CASE("a tensor comes from a scalar, an array, a view or an expression, and copies it")
{
    xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
    const Tensor whole(a);
    const Tensor part(xt::view(a, xt::all(), xt::range(1, 3)));
    const Tensor lazy(a * 2 + 1);
    const Tensor turned(xt::transpose(a));
    const Tensor integers(xt::xarray<int>{1, 2});
    const Tensor scalar(3);
    a.fill(0);
    CHECK(close(whole, {{1, 2, 3}, {4, 5, 6}}));
    CHECK(close(part, {{2, 3}, {5, 6}}));
    CHECK(close(lazy, {{3, 5, 7}, {9, 11, 13}}));
    CHECK(close(turned, {{1, 4}, {2, 5}, {3, 6}}));
    CHECK(close(integers, {1, 2}));
    CHECK(close(scalar, 3.0));
}

TEST_CASE("the element type is deduced")
{
    static_assert(std::is_same_v<decltype(ag::Tensor(1.0)), ag::Tensor<double>>);
    static_assert(std::is_same_v<decltype(ag::Tensor(1.0F)), ag::Tensor<float>>);
    static_assert(std::is_same_v<decltype(ag::Tensor(xt::xarray<float>{1.0F})), ag::Tensor<float>>);
    static_assert(std::is_same_v<decltype(ag::Tensor(2.0 * xt::xarray<double>{1})), ag::Tensor<double>>);
    static_assert(std::is_same_v<decltype(ag::Variable(1.0)), ag::Variable<double>>);
    static_assert(std::is_same_v<decltype(ag::Variable(xt::xarray<float>{1.0F})), ag::Variable<float>>);
    static_assert(std::is_same_v<decltype(2 * ag::Tensor(1.0F)), ag::Tensor<float>>);
}

TEST_CASE("a tensor knows its shape")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(x.shape() == ag::Shape{2, 3});
    CHECK(x.shape(1) == 3);
    CHECK(x.dimension() == 2);
    CHECK(x.size() == 6);
    CHECK(x.data()[5] == 6.0);
    CHECK(Tensor(1.0).dimension() == 0);
    CHECK(Tensor(1.0).size() == 1);
    const Tensor none(xt::xarray<double>(xt::zeros<double>({3, 0})));
    CHECK(none.size() == 0);
    CHECK(none.shape() == ag::Shape{3, 0});
}

TEST_CASE("item gives the only element, whatever the shape")
{
    CHECK(Tensor(3.5).item() == 3.5);
    CHECK(Tensor(column({2.5})).item() == 2.5);
    CHECK(Variable(1.5).item() == 1.5);
}

TEST_CASE("value() is an array that every xt:: function takes")
{
    const Tensor x(xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    const auto v = x.value();
    CHECK(v.dimension() == 2);
    CHECK(v.shape()[1] == 3);
    CHECK(v(1, 2) == 6.0);
    CHECK(xt::sum(v)() == 21.0);
    CHECK(xt::amax(v)() == 6.0);
    CHECK(xt::mean(v, {1})(0) == 2.0);
    CHECK(xt::view(v, 1, xt::all())(0) == 4.0);
    CHECK(xt::transpose(v)(2, 0) == 3.0);
    CHECK(xt::xarray<double>(xt::exp(v) - 1)(0, 0) == std::exp(1.0) - 1);
    CHECK(xt::xarray<double>(v + v) == xt::xarray<double>{{2, 4, 6}, {8, 10, 12}});
    CHECK(xt::xarray<double>(x.value() * xt::xarray<double>{1, 10, 100})(1, 2) == 600.0);
    CHECK(v == xt::xarray<double>{{1, 2, 3}, {4, 5, 6}});
    CHECK(std::accumulate(v.begin(), v.end(), 0.0) == 21.0);
    CHECK(xt::all(xt::isfinite(v)));
    CHECK(Tensor(3.0).value()() == 3.0);
    CHECK(xt::xarray<double>(xt::zeros<double>({2, 0})) ==
          Tensor(xt::xarray<double>(xt::zeros<double>({2, 0}))).value());
}

TEST_CASE("value() copies nothing, stays valid without its tensor, and never changes")
{
    Variable x(xt::xarray<double>{1, 2, 3});
    const auto before = x.value();
    CHECK(before.data() == x.data());
    const auto temporary = (x * 2.0).value();
    x.assign_add(10.0);
    const auto between = x.value();
    x.assign(xt::xarray<double>{7, 8, 9});
    x.mutable_data()[0] = -1;
    CHECK(before == xt::xarray<double>{1, 2, 3});
    CHECK(temporary == xt::xarray<double>{2, 4, 6});
    CHECK(between == xt::xarray<double>{11, 12, 13});
    CHECK(x.value() == xt::xarray<double>{-1, 8, 9});
    const auto scalar = [] { return Tensor(4.0).value(); }();
    CHECK(scalar() == 4.0);
}

TEST_CASE("a lazy expression over value() keeps the memory alive")
{
    const auto lazy = [] { return 2.0 * Tensor(xt::xarray<double>{1, 2}).value() + 1.0; }();
    CHECK(xt::xarray<double>(lazy) == xt::xarray<double>{3, 5});
}

TEST_CASE("elements of a value are constant")
{
    using View = decltype(std::declval<const Tensor&>().value());
    static_assert(std::is_same_v<View, ag::View<double>>);
    static_assert(std::is_same_v<decltype(std::declval<Tensor&>().data()), const double*>);
    static_assert(std::is_same_v<decltype(std::declval<Variable&>().data()), const double*>);
    static_assert(!std::is_assignable_v<decltype(std::declval<View&>()(0)), double>);
    static_assert(!std::is_assignable_v<decltype(std::declval<const View&>()(0)), double>);
    static_assert(!std::is_assignable_v<decltype(*std::declval<View&>().begin()), double>);
}

TEST_CASE("handles are cheap: copies share the value and can be moved and reassigned")
{
    Tensor a(xt::xarray<double>{1, 2});
    const Tensor b = a;
    CHECK(a.data() == b.data());
    const Tensor c = std::move(a);
    CHECK(c.data() == b.data());
    CHECK_FALSE(a.defined());
    a = c;
    CHECK(a.defined());
    a = a + 1.0;
    CHECK(close(a, {2, 3}));
    CHECK(close(b, {1, 2}));
    Tensor& self = a;
    a = self;
    CHECK(close(a, {2, 3}));
    static_assert(sizeof(Tensor) == sizeof(void*));
}

TEST_CASE("an empty handle is not defined")
{
    Tensor none;
    CHECK_FALSE(none.defined());
    Tensor copy = none;
    CHECK_FALSE(copy.defined());
    none = Tensor(1.0);
    CHECK(none.defined());
    none = copy;
    CHECK_FALSE(none.defined());
}

TEST_CASE("moving out of a variable leaves the variable")
{
    Variable x(xt::xarray<double>{1, 2});
    const Tensor moved = std::move(static_cast<Tensor&>(x));
    CHECK(close(moved, {1, 2}));
    CHECK(close(x, {1, 2}));
    x.assign_add(1.0);
    CHECK(close(moved, {1, 2}));
}

TEST_CASE("what must not compile does not: assigning to and optimising a tensor")
{
    static_assert(Assignable<Variable> && !Assignable<Tensor>);
    static_assert(Addable<Variable> && !Addable<Tensor>);
    static_assert(Subtractable<Variable> && !Subtractable<Tensor>);
    static_assert(HasGradient<Variable> && !HasGradient<Tensor>);
    static_assert(CanForgetGradient<Variable> && !CanForgetGradient<Tensor>);
    static_assert(Writable<Variable> && !Writable<Tensor>);
    static_assert(Rebindable<Tensor> && !Rebindable<Variable>);
    static_assert(Assignable<const Variable> && Writable<const Variable> && CanForgetGradient<const Variable>);
    static_assert(std::is_constructible_v<optim::Parameter, Variable>);
    static_assert(!std::is_constructible_v<optim::Parameter, Tensor>);
    static_assert(!std::is_assignable_v<Variable&, Tensor>);
    static_assert(!std::is_assignable_v<Variable&, double>);
    static_assert(!std::is_convertible_v<Tensor, Variable>);
    static_assert(!std::is_convertible_v<double, Variable>);
    static_assert(!std::is_convertible_v<xt::xarray<double>, Variable>);
}

TEST_CASE("what must not compile does not: mixing float and double")
{
    using Single = ag::Tensor<float>;
    static_assert(!std::is_constructible_v<Tensor, Single>);
    static_assert(!std::is_constructible_v<Single, Tensor>);
    static_assert(!std::is_assignable_v<Tensor&, Single>);
    static_assert(!std::is_assignable_v<Single&, Tensor>);
    static_assert(!std::is_constructible_v<Variable, Single>);
    static_assert(!std::is_constructible_v<ag::Variable<float>, Tensor>);
    static_assert(!std::is_convertible_v<Single, Tensor>);
    static_assert(Joinable<Tensor, Tensor> && !Joinable<Tensor, Single>);
    static_assert(HasGradientWith<Tensor, ag::GradientOptions<double>>);
    static_assert(!HasGradientWith<Tensor, ag::GradientOptions<float>>);
}

TEST_CASE("what must not compile does not: other element types, labels that are not integers, operations on none")
{
    static_assert(!ag::Real<int>);
    static_assert(!ag::Real<long double>);
    static_assert(Deducible<double> && Deducible<xt::xarray<float>>);
    static_assert(!Deducible<int> && !Deducible<xt::xarray<int>> && !Deducible<const char*>);
    static_assert(HasExponential<Tensor> && !HasExponential<const char*>);
    static_assert(HasLabelledLoss<Tensor, xt::xarray<int>> && !HasLabelledLoss<Tensor, xt::xarray<double>>);
    static_assert(HasMaximum<Tensor, xt::xarray<int>> && !HasMaximum<xt::xarray<double>, xt::xarray<double>>);
    static_assert(HasProduct<xt::xarray<double>, Tensor> && !HasProduct<xt::xarray<double>, xt::xarray<double>>);
    static_assert(HasChoice<Tensor, double> && !HasChoice<double, double>);
    static_assert(!std::is_copy_constructible_v<ag::GradientTape>);
    static_assert(!std::is_copy_assignable_v<ag::GradientTape>);
    static_assert(std::is_nothrow_move_constructible_v<ag::GradientTape>);
}

TEST_CASE("tensors are printed as NumPy prints them")
{
    CHECK(printed(Tensor(1.5)) == "1.5");
    CHECK(printed(Tensor(xt::xarray<double>{1, 2.5, -3})) == "[1, 2.5, -3]");
    CHECK(printed(Tensor(xt::xarray<double>{{1, 2}, {3, 4}})) == "[[1, 2],\n [3, 4]]");
    CHECK(printed(Tensor(xt::xarray<double>{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})) ==
          "[[[1, 2],\n  [3, 4]],\n [[5, 6],\n  [7, 8]]]");
    CHECK(printed(Tensor(xt::xarray<double>(xt::zeros<double>({0})))) == "[]");
    CHECK(printed(Tensor(xt::xarray<double>(xt::zeros<double>({2, 0})))) == "[[],\n []]");
    CHECK(printed(Variable(2.0)) == "2");
    CHECK(printed(ag::Tensor<float>(xt::xarray<float>{0.1F, 1e10F})) == "[0.1, 1e+10]");
    CHECK(printed(Tensor(xt::xarray<double>{std::numeric_limits<double>::infinity(),
                                            -std::numeric_limits<double>::infinity()})) == "[inf, -inf]");
    CHECK(printed(Tensor(std::numeric_limits<double>::quiet_NaN())) == "nan");
}

TEST_CASE("long tensors are printed by their ends")
{
    CHECK(printed(Tensor(xt::arange<double>(1001))) == "[0, 1, 2, ..., 998, 999, 1000]");
    xt::xarray<double> table = xt::arange<double>(2000);
    table.reshape({2, 1000});
    CHECK(printed(Tensor(table)) == "[[0, 1, 2, ..., 997, 998, 999],\n [1000, 1001, 1002, ..., 1997, 1998, 1999]]");
    xt::xarray<double> tall = xt::arange<double>(2000);
    tall.reshape({1000, 2});
    CHECK(printed(Tensor(tall)) ==
          "[[0, 1],\n [2, 3],\n [4, 5],\n ...,\n [1994, 1995],\n [1996, 1997],\n [1998, 1999]]");
    std::ostringstream out;
    out.precision(3);
    out << Tensor(xt::xarray<double>{3.14159, 2.71828});
    CHECK(out.str() == "[3.14, 2.72]");
}
