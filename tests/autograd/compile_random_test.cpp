#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <memory>

namespace ag = autograd;

namespace
{

/// What one line of a program does with values that came before it.
struct Line
{
    std::size_t what;
    std::size_t a;
    std::size_t b;
    std::ptrdiff_t axis;
};

/// A training step of arbitrary operations on arbitrary shapes: a list of lines, so that it can be run again.
template <class T>
class Program
{
public:
    explicit Program(std::uint64_t seed) : random_(seed)
    {
        static const ag::Shape shapes[] = {{},        {1},      {3},       {5, 1}, {1, 3},   {5, 3},
                                           {2, 5, 3}, {70, 40}, {2, 1, 1}, {40},   {37, 77}, {3, 1}};
        argument_shape = shapes[random_.below(std::size(shapes))];
        for (std::size_t k = 1 + random_.below(4); k > 0; --k)
        {
            variable_shapes.push_back(shapes[random_.below(std::size(shapes))]);
        }
        const std::size_t count = 2 + random_.below(25);
        for (std::size_t k = 0; k < count; ++k)
        {
            const std::size_t before = 1 + variable_shapes.size() + k;
            // Mostly the last values, so that chains are long.
            const auto pick = [&]
            {
                return random_.below(3) == 0 ? random_.below(before)
                                             : before - 1 - random_.below(std::min<std::size_t>(3, before));
            };
            lines.push_back({random_.below(24), pick(), pick(), static_cast<std::ptrdiff_t>(random_.below(3))});
        }
    }

    std::vector<ag::Variable<T>> new_variables() const
    {
        ag::Generator generator(1);
        std::vector<ag::Variable<T>> variables;
        for (const ag::Shape& shape : variable_shapes)
        {
            variables.emplace_back(generator.uniform<T>(shape, -1, 1));
        }
        return variables;
    }

    ag::Tensor<T> loss(const ag::Tensor<T>& argument, const std::vector<ag::Variable<T>>& variables) const
    {
        std::vector<ag::Tensor<T>> values{argument};
        values.insert(values.end(), variables.begin(), variables.end());
        for (const Line& line : lines)
        {
            values.push_back(compute(line, values[line.a], values[line.b]));
        }
        ag::Tensor<T> total = ag::mean(values.back());
        for (const ag::Variable<T>& variable : variables)
        {
            total += ag::sum(ag::square(variable)) * T(0.01);
        }
        return total;
    }

    ag::Shape argument_shape;
    std::vector<ag::Shape> variable_shapes;
    std::vector<Line> lines;

private:
    using Tensor = ag::Tensor<T>;

    static bool broadcast(const Tensor& a, const Tensor& b)
    {
        ag::Shape common;
        return ag::broadcast_shapes(a.shape(), b.shape(), common) && common.elements() < 10000;
    }

    static Tensor compute(const Line& line, const Tensor& a, const Tensor& b)
    {
        const bool matrices = a.dimension() == 2 && b.dimension() == 2;
        const auto axis = a.dimension() == 0 ? 0 : line.axis % static_cast<std::ptrdiff_t>(a.dimension());
        switch (line.what)
        {
        case 0:
            return ag::sin(a);
        case 1:
            return ag::tanh(a);
        case 2:
            return ag::sigmoid(a);
        case 3:
            return ag::exp(ag::tanh(a));
        case 4:
            return ag::square(ag::tanh(a));
        case 5:
            return ag::relu(a);
        case 6:
            return a.dimension() == 0 ? a : ag::softmax(a, axis);
        case 7:
            return a.dimension() == 0 ? ag::cos(a) : ag::sum(ag::sin(a), axis);
        case 8:
            return a.dimension() == 0 ? ag::cos(a) : ag::mean(a, axis, ag::keep_dims);
        case 9:
            return ag::sum(ag::tanh(a));
        case 10:
            return ag::transpose(a);
        case 11:
            return ag::flatten(a);
        case 12:
            return a.dimension() == 0 ? a : ag::amax(a, axis);
        case 13:
            return matrices && a.shape(1) == b.shape(1) ? ag::matmul(a, ag::transpose(b)) * T(0.1) : a * T(0.5);
        case 14:
            return ag::stop_gradient(a) * T(2) - a;
        case 15:
            return a.dimension() == 0 ? -a : ag::concatenate({a, a}, axis);
        case 16:
            return a.dimension() == 0 ? a / T(3) : ag::view(a, ag::range(0, 1));
        case 17:
            return a.dimension() == 0 ? a + T(3) : ag::cumsum(a, axis);
        case 18:
            return broadcast(a, b) ? ag::maximum(a, b) : ag::abs(a);
        case 19:
            return broadcast(a, b) ? ag::tanh(a) * b : a;
        case 20:
            return broadcast(a, b) ? a / (ag::square(b) + T(1)) : a;
        case 21:
            return broadcast(a, b) ? a - ag::sin(b) : a;
        case 22:
            return a.dimension() == 0 ? a : ag::log_softmax(a, axis);
        default:
            return broadcast(a, b) ? a + b : a;
        }
    }

    ag::Generator random_;
};

template <class T>
void require_same(const ag::Tensor<T>& a, const ag::Tensor<T>& b)
{
    REQUIRE(a.shape() == b.shape());
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        const bool same = a.data()[i] == b.data()[i] || (std::isnan(a.data()[i]) && std::isnan(b.data()[i]));
        REQUIRE(same);
    }
}

template <class T>
void try_programs(std::uint64_t from, std::uint64_t to)
{
    for (std::uint64_t seed = from; seed < to; ++seed)
    {
        CAPTURE(seed);
        const Program<T> program(seed);
        const auto make = [&](const std::vector<ag::Variable<T>>& variables, optim::Adam& adam)
        {
            return [&](const ag::Tensor<T>& argument)
            {
                ag::GradientTape tape;
                auto loss = program.loss(argument, variables);
                adam.zero_grad();
                loss.backward();
                adam.step();
                return loss;
            };
        };
        const auto ours = program.new_variables(), theirs = program.new_variables();
        optim::Adam our_adam({ours.begin(), ours.end()}, {.lr = 0.05}),
            their_adam({theirs.begin(), theirs.end()}, {.lr = 0.05});
        auto compiled = ag::compile(make(ours, our_adam));
        auto eager = make(theirs, their_adam);
        ag::Generator generator(seed);
        for (int step = 0; step < 5; ++step)
        {
            const auto argument = generator.uniform<T>(program.argument_shape, -2, 2);
            require_same(compiled(argument), eager(argument));
            for (std::size_t k = 0; k < ours.size(); ++k)
            {
                require_same<T>(ours[k].grad(), theirs[k].grad());
                require_same<T>(ours[k], theirs[k]);
            }
        }
        REQUIRE(compiled.plans().size() == 1);
    }
}

}

TEST_CASE("thousands of random programs, compiled, give the bits that they give as they are")
{
    try_programs<double>(0, 1500);
    try_programs<float>(1500, 3000);
}

TEST_CASE("and on more than one thread")
{
    const std::size_t before = ag::num_threads();
    ag::set_num_threads(3);
    try_programs<float>(3000, 3050);
    ag::set_num_threads(before);
}
