#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/table.hpp>

namespace autograd
{

using namespace formula;

// clang-format off
COMPARISON(less,          select(lt(a, b), constant(a, 1), constant(a, 0)))
COMPARISON(less_equal,    select(le(a, b), constant(a, 1), constant(a, 0)))
COMPARISON(greater,       select(gt(a, b), constant(a, 1), constant(a, 0)))
COMPARISON(greater_equal, select(ge(a, b), constant(a, 1), constant(a, 0)))
COMPARISON(equal,         select(eq(a, b), constant(a, 1), constant(a, 0)))
COMPARISON(not_equal,     select(eq(a, b), constant(a, 0), constant(a, 1)))

UNARY(exp,      Domain::real,     exp(x),                  dy * y)
UNARY(expm1,    Domain::real,     expm1(x),                dy * (y + 1.0))
UNARY(log,      Domain::positive, log(x),                  dy / x)
UNARY(log1p,    Domain::positive, log1p(x),                dy / (x + 1.0))
UNARY(sqrt,     Domain::positive, sqrt(x),                 dy / (y + y))
UNARY(square,   Domain::real,     x * x,                   dy * (x + x))
UNARY(abs,      Domain::real,     abs(x),                  dy * sign_of(x))
UNARY(sign,     Domain::real,     sign_of(x),              zero(dy))
UNARY(sin,      Domain::real,     sin(x),                  dy * cos(x))
UNARY(cos,      Domain::real,     cos(x),                  -dy * sin(x))
UNARY(tan,      Domain::unit,     tan(x),                  dy * (y * y + 1.0))
UNARY(sinh,     Domain::real,     sinh(x),                 dy * cosh(x))
UNARY(cosh,     Domain::real,     cosh(x),                 dy * sinh(x))
UNARY(tanh,     Domain::real,     tanh(x),                 dy * (1.0 - y * y))

BINARY(add,      x[0] + x[1],             Domain::real,     a + b, dy,     dy)
BINARY(subtract, x[0] - x[1],             Domain::real,     a - b, dy,     -dy)
BINARY(multiply, x[0] * x[1],             Domain::real,     a * b, dy * b, dy * a)
BINARY(divide,   x[0] / x[1],             Domain::positive, a / b, dy / b, -dy * y / b)
BINARY(maximum,  maximum(x[0], x[1]),     Domain::distinct,
       select(gt(b, a), b, select(ge(a, b), a, a + b)),
       select(lt(a, b), zero(dy), select(eq(a, b), dy * 0.5, dy)),
       select(lt(b, a), zero(dy), select(eq(a, b), dy * 0.5, dy)))
BINARY(minimum,  minimum(x[0], x[1]),     Domain::distinct,
       select(lt(b, a), b, select(le(a, b), a, a + b)),
       select(gt(a, b), zero(dy), select(eq(a, b), dy * 0.5, dy)),
       select(gt(b, a), zero(dy), select(eq(a, b), dy * 0.5, dy)))
BINARY_AS(pow, power(a, b),
       select(eq(b, 0.0), zero(dy), dy * b * power(a, b - 1.0)),
       select(eq(a, 0.0), select(ge(b, 0.0), zero(dy), dy * y * log(a)), dy * y * log(a)))
// clang-format on

struct negative_formula
{
    FORMULA(negative, 1)
    static constexpr auto value(const auto& x) { return -x; }
    PULLBACK(0, -dy, const auto&)
};
static const Example negative_example{"negative", Domain::real, {{2, 3}}, [](const auto& x) { return -x[0]; }};

/// The condition is 0 or not: it has no gradient.
struct where_formula
{
    FORMULA(where, 3)
    static constexpr auto value(const auto& c, const auto& a, const auto& b) { return select(eq(c, 0.0), b, a); }
    PULLBACK(0, zero(dy), const auto&, const auto&, const auto&)
    PULLBACK(1, select(eq(c, 0.0), zero(dy), dy), const auto& c, const auto&, const auto&)
    PULLBACK(2, select(eq(c, 0.0), dy, zero(dy)), const auto& c, const auto&, const auto&)
};

/// x wins at the limits; the upper limit wins where they cross.
struct clip_formula
{
    FORMULA(clip, 3)
    static constexpr auto value(const auto& x, const auto& low, const auto& high)
    {
        const auto raised = select(lt(x, low), low, x);
        return select(gt(raised, high), high, raised);
    }
    PULLBACK(0, select(lt(x, low), zero(dy), select(gt(x, high), zero(dy), dy)), const auto& x, const auto& low,
             const auto& high)
    PULLBACK(1, select(lt(x, low), select(gt(low, high), zero(dy), dy), zero(dy)), const auto& x, const auto& low,
             const auto& high)
    PULLBACK(2, select(gt(select(lt(x, low), low, x), high), dy, zero(dy)), const auto& x, const auto& low,
             const auto& high)
};

template <Real T>
detail::Node* detail::negative(Node* a, Location location)
{
    return Elementwise<negative_formula, T>::apply(location, a);
}

template <Real T>
detail::Node* detail::where(Node* condition, Node* a, Node* b, Location location)
{
    return Elementwise<where_formula, T>::apply(location, condition, a, b);
}

template <Real T>
detail::Node* detail::clip(Node* x, Node* low, Node* high, Location location)
{
    return Elementwise<clip_formula, T>::apply(location, x, low, high);
}

// A square costs a twentieth of a general power.
template <Real T>
detail::Node* detail::power(Node* base, Node* exponent, Location location)
{
    Arena& arena = Arena::current();
    const bool constant = exponent->shape.rank() == 0 && !exponent->is_variable && arena.slot_of(*exponent) == no_slot;
    const T value = constant ? *exponent->as<T>() : T(0);
    if (value == T(1))
    {
        return Elementwise<multiply_formula, T>::apply(location, base, exponent);
    }
    if (value == T(2))
    {
        return Elementwise<square_formula, T>::apply(location, base);
    }
    return pow<T>(base, exponent, location);
}

static const Example pow_both{
    "pow", Domain::positive, {{2, 3}, {3}}, [](const auto& x) { return autograd::pow(x[0], x[1]); }};
static const Example pow_square{"pow", Domain::real, {{2, 3}}, [](const auto& x) { return autograd::pow(x[0], 2); }};
static const Example pow_cube{"pow", Domain::real, {{2, 3}}, [](const auto& x) { return autograd::pow(x[0], 3); }};
static const Example pow_base{"pow", Domain::real, {{2, 3}}, [](const auto& x) { return autograd::pow(2.5, x[0]); }};
static const Example where_example{
    "where", Domain::real, {{2, 3}, {3}}, [](const auto& x) { return where(x[1] > 0, x[0], x[1]); }};
static const Example clip_example{
    "clip", Domain::distinct, {{2, 4}}, [](const auto& x) { return clip(x[0], -0.62, 0.71); }};
static const Example clip_tensors{
    "clip", Domain::distinct, {{2, 4}, {4}, {2, 1}}, [](const auto& x) { return clip(x[0], x[1], x[2]); }};

namespace
{

template <Real To>
struct Cast
{
    static constexpr const char* name = "cast";

    template <Real From>
    Tensor<To> value(const Tensor<From>& x) const
    {
        Tensor<To> y = Tensor<To>::adopt(detail::new_node<To>(x.shape()));
        std::transform(x.data(), x.data() + x.size(), y.node()->template as<To>(),
                       [](From element) { return static_cast<To>(element); });
        return y;
    }

    template <Real From>
    Tensor<From> pullback(Wrt<0>, const Tensor<To>& dy, const Tensor<To>&, const Tensor<From>&) const
    {
        return cast<From>(dy);
    }
};

}

template <Real To, Real From>
Tensor<To> cast(const Tensor<From>& x, Location location)
{
    return apply_as<To>(Cast<To>{}, location, x);
}

template <Real T>
Tensor<T> stop_gradient(const Tensor<T>& x, Location location)
{
    detail::Node* const result = detail::new_view(x.node(), x.shape());
    detail::Arena::current().note_cut(detail::Cut::Kind::stop_gradient, "stop_gradient", x.node(), result, location);
    return Tensor<T>::adopt(result);
}

#define INSTANTIATE(T)                                                                                                 \
    template detail::Node* detail::negative<T>(Node*, Location);                                                       \
    template detail::Node* detail::where<T>(Node*, Node*, Node*, Location);                                            \
    template detail::Node* detail::clip<T>(Node*, Node*, Node*, Location);                                             \
    template detail::Node* detail::power<T>(Node*, Node*, Location);                                                   \
    template Tensor<float> cast<float>(const Tensor<T>&, Location);                                                    \
    template Tensor<double> cast<double>(const Tensor<T>&, Location);                                                  \
    template Tensor<T> stop_gradient(const Tensor<T>&, Location);
INSTANTIATE(float)
INSTANTIATE(double)

void detail::elementwise_family() noexcept {}

}
