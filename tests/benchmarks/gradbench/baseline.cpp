// What a programmer would write who differentiates by hand, in plain loops: what the times of the other programs are divided
// by. `baseline EVAL INPUT.json FUNCTION`.

#include "program.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <limits>

namespace
{

using gradbench::Input;
using gradbench::Member;
using gradbench::Output;
using gradbench::Tensor;
using Vector = std::vector<double>;

Vector numbers(const Input& input)
{
    const Tensor array = input.array();
    return {array.data(), array.data() + array.size()};
}

Tensor list(const Vector& elements)
{
    xt::xarray<double> result = xt::zeros<double>({elements.size()});
    std::copy(elements.begin(), elements.end(), result.begin());
    return Tensor(result);
}

Tensor matrix(const Vector& elements, std::size_t rows)
{
    return autograd::reshape(list(elements), autograd::Shape{rows, elements.size() / rows});
}

gradbench::Evaluate lse(const Input& input)
{
    return [x = numbers(input["x"]), gradient = Vector()]() mutable
    {
        gradient.resize(x.size());
        const double largest = *std::max_element(x.begin(), x.end());
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i)
        {
            gradient[i] = std::exp(x[i] - largest);
            sum += gradient[i];
        }
        for (double& element : gradient)
        {
            element /= sum;
        }
        return Output(gradient);
    };
}

gradbench::Evaluate llsq(const Input& input)
{
    return [x = numbers(input["x"]), n = input["n"].count(), gradient = Vector()]() mutable
    {
        const auto t = [&](std::size_t i) { return -1 + static_cast<double>(i) * 2 / (static_cast<double>(n) - 1); };
        Vector residuals(n);
        for (std::size_t i = 0; i < n; ++i)
        {
            double residual = (t(i) > 0) - (t(i) < 0);
            for (std::size_t j = 0; j < x.size(); ++j)
            {
                residual -= x[j] * std::pow(t(i), static_cast<double>(j));
            }
            residuals[i] = residual;
        }
        gradient.resize(x.size());
        for (std::size_t j = 0; j < x.size(); ++j)
        {
            double sum = 0;
            for (std::size_t i = 0; i < n; ++i)
            {
                sum += residuals[i] * std::pow(t(i), static_cast<double>(j));
            }
            gradient[j] = -sum;
        }
        return Output(gradient);
    };
}

/// exp(x - log(sum(exp(x)))) in the place of x.
void softmax(Vector& x)
{
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (double& element : x)
    {
        element = std::exp(element - largest);
        sum += element;
    }
    for (double& element : x)
    {
        element /= sum;
    }
}

struct Mixture
{
    explicit Mixture(const Input& input)
        : d(input["d"].count()), k(input["k"].count()), n(input["n"].count()), m(input["m"].number()),
          gamma(input["gamma"].number()), alpha(numbers(input["alpha"])), mu(numbers(input["mu"])),
          q(numbers(input["q"])), l(numbers(input["l"])), x(numbers(input["x"]))
    {
    }

    std::size_t d, k, n;
    double m, gamma;
    Vector alpha, mu, q, l, x;
};

Output gmm_gradient(const Mixture& mixture)
{
    const auto& [d, k, n, m, gamma, alpha, mu, q, l, x] = mixture;
    const std::size_t below = d * (d - 1) / 2;
    Vector diagonal(k * d), log_determinant(k, 0.0);
    for (std::size_t i = 0; i < k * d; ++i)
    {
        diagonal[i] = std::exp(q[i]);
        log_determinant[i / d] += q[i];
    }
    Vector by_alpha(k), by_mu(k * d), by_q(k * d), by_l(k * below);
    Vector centred(k * d), product(k * d), transposed(d), share(k);
    for (std::size_t point = 0; point < n; ++point)
    {
        for (std::size_t i = 0; i < k; ++i)
        {
            double* const c = &centred[i * d];
            double* const p = &product[i * d];
            for (std::size_t a = 0; a < d; ++a)
            {
                c[a] = x[point * d + a] - mu[i * d + a];
                p[a] = diagonal[i * d + a] * c[a];
            }
            const double* entry = l.data() + i * below;
            for (std::size_t a = 0; a < d; ++a)
            {
                for (std::size_t b = a + 1; b < d; ++b)
                {
                    p[b] += *entry++ * c[a];
                }
            }
            double square = 0;
            for (std::size_t a = 0; a < d; ++a)
            {
                square += p[a] * p[a];
            }
            share[i] = alpha[i] + log_determinant[i] - square / 2;
        }
        softmax(share);
        for (std::size_t i = 0; i < k; ++i)
        {
            const double* const c = &centred[i * d];
            const double* const p = &product[i * d];
            by_alpha[i] += share[i];
            const double* entry = l.data() + i * below;
            double* by_entry = by_l.data() + i * below;
            for (std::size_t a = 0; a < d; ++a)
            {
                transposed[a] = diagonal[i * d + a] * p[a];
                by_q[i * d + a] += share[i] * (1 - diagonal[i * d + a] * c[a] * p[a]);
                for (std::size_t b = a + 1; b < d; ++b)
                {
                    transposed[a] += *entry++ * p[b];
                    *by_entry++ -= share[i] * c[a] * p[b];
                }
                by_mu[i * d + a] += share[i] * transposed[a];
            }
        }
    }
    share = alpha;
    softmax(share);
    for (std::size_t i = 0; i < k; ++i)
    {
        by_alpha[i] -= static_cast<double>(n) * share[i];
    }
    for (std::size_t i = 0; i < k * d; ++i)
    {
        by_q[i] += m - gamma * gamma * diagonal[i] * diagonal[i];
    }
    for (std::size_t i = 0; i < k * below; ++i)
    {
        by_l[i] -= gamma * gamma * l[i];
    }
    return std::vector<Member>{
        {"alpha", list(by_alpha)}, {"mu", matrix(by_mu, k)}, {"q", matrix(by_q, k)}, {"l", matrix(by_l, k)}};
}

gradbench::Evaluate gmm(const Input& input)
{
    return [mixture = Mixture(input)] { return gmm_gradient(mixture); };
}

gradbench::Evaluate kmeans(const Input& input)
{
    const std::size_t d = input["points"].array().shape(1);
    return [points = numbers(input["points"]), centroids = numbers(input["centroids"]), d]
    {
        const std::size_t k = centroids.size() / d;
        std::vector<int> sizes(k);
        Vector sums(k * d);
        for (std::size_t i = 0; i < points.size() / d; ++i)
        {
            double least = std::numeric_limits<double>::infinity();
            std::size_t nearest = 0;
            for (std::size_t j = 0; j < k; ++j)
            {
                double square = 0;
                for (std::size_t a = 0; a < d; ++a)
                {
                    const double difference = points[i * d + a] - centroids[j * d + a];
                    square += difference * difference;
                }
                if (square < least)
                {
                    least = square;
                    nearest = j;
                }
            }
            ++sizes[nearest];
            for (std::size_t a = 0; a < d; ++a)
            {
                sums[nearest * d + a] += points[i * d + a];
            }
        }
        Vector direction(k * d);
        for (std::size_t i = 0; i < k * d; ++i)
        {
            direction[i] = centroids[i] - sums[i] / sizes[i / d];
        }
        return Output(matrix(direction, k));
    };
}

gradbench::Evaluate ode(const Input& input)
{
    return [x = numbers(input["x"]), s = input["s"].count(), y = Vector()]() mutable
    {
        const std::size_t n = x.size();
        const double h = 2.0 / static_cast<double>(s);
        Vector k1(n), k2(n), k3(n), k4(n), at(n);
        y.assign(n, 0);
        const auto slope = [&](const Vector& from, Vector& k)
        {
            k[0] = x[0];
            for (std::size_t i = 1; i < n; ++i)
            {
                k[i] = x[i] * from[i - 1];
            }
        };
        const auto advance = [&](const Vector& k, double step)
        {
            for (std::size_t i = 0; i < n; ++i)
            {
                at[i] = y[i] + step * k[i];
            }
        };
        for (std::size_t step = 0; step < s; ++step)
        {
            slope(y, k1);
            advance(k1, h / 2);
            slope(at, k2);
            advance(k2, h / 2);
            slope(at, k3);
            advance(k3, h);
            slope(at, k4);
            for (std::size_t i = 0; i < n; ++i)
            {
                y[i] += h * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6;
            }
        }
        return Output(y);
    };
}

/// A number and its derivative.
struct Curve
{
    double value;
    double slope;
};

Curve sigmoid(double x)
{
    const double y = 1 / (1 + std::exp(-x));
    return {y, y * (1 - y)};
}

Curve tanh(double x)
{
    const double y = std::tanh(x);
    return {y, 1 - y * y};
}

struct Network
{
    explicit Network(const Input& input)
        : main(numbers(input["main_params"])), extra(numbers(input["extra_params"])), state(numbers(input["state"])),
          sequence(numbers(input["sequence"])), b(extra.size() / 3), l(main.size() / (8 * b)),
          steps(sequence.size() / b - 1)
    {
    }

    Vector main, extra, state, sequence;
    std::size_t b, l, steps;
};

/// The derivatives go forward with the state, as GradBench's tool has them: a bit of the state depends on nothing but the
/// parameters of its own column.
class Column
{
public:
    Column(const Network& network, std::size_t bit)
        : network_(network), bit_(bit), states_(2 * network.l), parameters_(8 * network.l + 1), state_(states_),
          by_parameters_(states_ * parameters_), direct_(states_ * parameters_), by_state_(states_ * states_),
          next_(states_ * parameters_)
    {
        for (std::size_t i = 0; i < states_; ++i)
        {
            state_[i] = network.state[i * network.b + bit];
        }
    }

    /// State 2 i is the hidden one of layer i, 2 i + 1 its cell. Parameters are eight a layer, and the input's weight.
    void advance(double input)
    {
        std::fill(direct_.begin(), direct_.end(), 0.0);
        std::fill(by_state_.begin(), by_state_.end(), 0.0);
        double below = input * network_.extra[bit_];
        for (std::size_t i = 0; i < network_.l; ++i)
        {
            const auto parameter = [&](std::size_t j)
            { return network_.main[(2 * i + j / 4) * 4 * network_.b + j % 4 * network_.b + bit_]; };
            const double hidden = state_[2 * i];
            const double cell = state_[2 * i + 1];
            const Curve forget = sigmoid(below * parameter(0) + parameter(4));
            const Curve ingate = sigmoid(hidden * parameter(1) + parameter(5));
            const Curve outgate = sigmoid(below * parameter(2) + parameter(6));
            const Curve change = tanh(hidden * parameter(3) + parameter(7));
            state_[2 * i + 1] = cell * forget.value + ingate.value * change.value;
            const Curve shown = tanh(state_[2 * i + 1]);
            state_[2 * i] = outgate.value * shown.value;

            // Of the new cell, and of the new hidden state by the cell.
            const double to_hidden = outgate.value * shown.slope;
            const double by_forget = cell * forget.slope;
            const double by_ingate = change.value * ingate.slope;
            const double by_change = ingate.value * change.slope;
            const double by_outgate = shown.value * outgate.slope;
            const std::array<double, 8> cell_by = {by_forget * below, by_ingate * hidden, 0, by_change * hidden,
                                                   by_forget,         by_ingate,          0, by_change};
            const double cell_by_below = by_forget * parameter(0);
            const double cell_by_hidden = by_ingate * parameter(1) + by_change * parameter(3);
            const double hidden_by_below = to_hidden * cell_by_below + by_outgate * parameter(2);

            double* const hidden_row = &by_state_[2 * i * states_];
            double* const cell_row = hidden_row + states_;
            double* const hidden_direct = &direct_[2 * i * parameters_];
            double* const cell_direct = hidden_direct + parameters_;
            if (i == 0)
            {
                hidden_direct[parameters_ - 1] = hidden_by_below * input;
                cell_direct[parameters_ - 1] = cell_by_below * input;
            }
            else
            {
                const double* const below_row = hidden_row - 2 * states_;
                for (std::size_t j = 0; j < states_; ++j)
                {
                    hidden_row[j] = hidden_by_below * below_row[j];
                    cell_row[j] = cell_by_below * below_row[j];
                }
                const double* const below_direct = hidden_direct - 2 * parameters_;
                for (std::size_t j = 0; j < parameters_; ++j)
                {
                    hidden_direct[j] = hidden_by_below * below_direct[j];
                    cell_direct[j] = cell_by_below * below_direct[j];
                }
            }
            cell_row[2 * i] += cell_by_hidden;
            cell_row[2 * i + 1] += forget.value;
            hidden_row[2 * i] += to_hidden * cell_by_hidden;
            hidden_row[2 * i + 1] += to_hidden * forget.value;
            for (std::size_t j = 0; j < 8; ++j)
            {
                cell_direct[8 * i + j] += cell_by[j];
                hidden_direct[8 * i + j] += to_hidden * cell_by[j];
            }
            hidden_direct[8 * i + 2] += by_outgate * below;
            hidden_direct[8 * i + 6] += by_outgate;
            below = state_[2 * i];
        }

        next_ = direct_;
        for (std::size_t i = 0; i < states_; ++i)
        {
            for (std::size_t j = 0; j < states_; ++j)
            {
                const double factor = by_state_[i * states_ + j];
                for (std::size_t p = 0; p < parameters_; ++p)
                {
                    next_[i * parameters_ + p] += factor * by_parameters_[j * parameters_ + p];
                }
            }
        }
        std::swap(next_, by_parameters_);
    }

    double hidden() const { return state_[states_ - 2]; }
    const double* hidden_by_parameters() const { return &by_parameters_[(states_ - 2) * parameters_]; }
    std::size_t parameters() const { return parameters_; }

private:
    const Network& network_;
    std::size_t bit_;
    std::size_t states_;
    std::size_t parameters_;
    Vector state_;
    Vector by_parameters_;
    Vector direct_;
    Vector by_state_;
    Vector next_;
};

gradbench::Evaluate lstm(const Input& input)
{
    return [network = Network(input), gradient = Vector()]() mutable
    {
        const auto& [main, extra, state, sequence, b, l, steps] = network;
        gradient.assign(main.size() + extra.size(), 0);
        double* const of_extra = &gradient[main.size()];
        std::vector<Column> columns;
        for (std::size_t bit = 0; bit < b; ++bit)
        {
            columns.emplace_back(network, bit);
        }
        Vector predicted(b);
        for (std::size_t step = 0; step < steps; ++step)
        {
            const double* const character = &sequence[step * b];
            const double* const gold = character + b;
            double sum = 2;
            double weight = 0;
            for (std::size_t bit = 0; bit < b; ++bit)
            {
                columns[bit].advance(character[bit]);
                predicted[bit] = std::exp(columns[bit].hidden() * extra[b + bit] + extra[2 * b + bit]);
                sum += predicted[bit];
                weight += gold[bit];
            }
            for (std::size_t bit = 0; bit < b; ++bit)
            {
                const double slope = (weight * predicted[bit] / sum - gold[bit]) / static_cast<double>(steps * b);
                const double* const by = columns[bit].hidden_by_parameters();
                for (std::size_t j = 0; j < 8 * l; ++j)
                {
                    gradient[(j / 4) * 4 * b + j % 4 * b + bit] += slope * extra[b + bit] * by[j];
                }
                of_extra[bit] += slope * extra[b + bit] * by[8 * l];
                of_extra[b + bit] += slope * columns[bit].hidden();
                of_extra[2 * b + bit] += slope;
            }
        }
        return Output(gradient);
    };
}

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;

double dot(const Vector3& a, const Vector3& b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// a x b = cross(a) b.
Matrix3 cross(const Vector3& a)
{
    return {{{0, -a[2], a[1]}, {a[2], 0, -a[0]}, {-a[1], a[0], 0}}};
}

struct Rotated
{
    Vector3 value{};
    Matrix3 by_rotation{};
    Matrix3 by_point{};
};

/// By Rodrigues' formula, around the axis r by its length.
Rotated rotate(const Vector3& r, const Vector3& x)
{
    Rotated result;
    const double square = dot(r, r);
    const Matrix3 cross_x = cross(x);
    if (square == 0)
    {
        result.value = x;
        for (std::size_t i = 0; i < 3; ++i)
        {
            result.by_point[i][i] = 1;
            for (std::size_t j = 0; j < 3; ++j)
            {
                result.by_rotation[i][j] = -cross_x[i][j];
            }
        }
        return result;
    }
    const double angle = std::sqrt(square);
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    const Vector3 w = {r[0] / angle, r[1] / angle, r[2] / angle};
    const Matrix3 cross_w = cross(w);
    const double along = dot(w, x);
    Matrix3 by_axis;
    Vector3 by_angle;
    for (std::size_t i = 0; i < 3; ++i)
    {
        for (std::size_t j = 0; j < 3; ++j)
        {
            const double same = i == j;
            result.by_point[i][j] = c * same + s * cross_w[i][j] + (1 - c) * w[i] * w[j];
            by_axis[i][j] = -s * cross_x[i][j] + (1 - c) * (along * same + w[i] * x[j]);
        }
        result.value[i] = dot(result.by_point[i], x);
        by_angle[i] = -s * x[i] + c * dot(cross_w[i], x) + s * along * w[i];
    }
    for (std::size_t i = 0; i < 3; ++i)
    {
        const double lengthwise = dot(by_axis[i], w);
        for (std::size_t j = 0; j < 3; ++j)
        {
            result.by_rotation[i][j] = by_angle[i] * w[j] + (by_axis[i][j] - lengthwise * w[j]) / angle;
        }
    }
    return result;
}

constexpr std::size_t camera_parameters = 11;
constexpr std::size_t row_entries = camera_parameters + 4;

/// Both rows of an observation.
std::array<std::array<double, row_entries>, 2> rows(const double* camera, const double* point, double weight,
                                                    const double* feature)
{
    const Rotated seen =
        rotate({camera[0], camera[1], camera[2]}, {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]});
    const double depth = seen.value[2];
    const std::array<double, 2> flat = {seen.value[0] / depth, seen.value[1] / depth};
    const double square = flat[0] * flat[0] + flat[1] * flat[1];
    const double stretch = 1 + square * (camera[9] + square * camera[10]);
    const double bend = 2 * camera[9] + 4 * camera[10] * square;
    const double focus = camera[6];
    std::array<std::array<double, row_entries>, 2> result;
    for (std::size_t i = 0; i < 2; ++i)
    {
        std::array<double, row_entries>& row = result[i];
        const double to_x = focus * (bend * flat[i] * flat[0] + (i == 0 ? stretch : 0)) / depth;
        const double to_y = focus * (bend * flat[i] * flat[1] + (i == 1 ? stretch : 0)) / depth;
        const double to_z = -to_x * flat[0] - to_y * flat[1];
        for (std::size_t j = 0; j < 3; ++j)
        {
            const auto chain = [&](const Matrix3& by)
            { return weight * (to_x * by[0][j] + to_y * by[1][j] + to_z * by[2][j]); };
            row[j] = chain(seen.by_rotation);
            row[11 + j] = chain(seen.by_point);
            row[3 + j] = -row[11 + j];
        }
        row[6] = weight * flat[i] * stretch;
        row[7] = i == 0 ? weight : 0;
        row[8] = i == 1 ? weight : 0;
        row[9] = weight * focus * flat[i] * square;
        row[10] = row[9] * square;
        row[14] = focus * flat[i] * stretch + camera[7 + i] - feature[i];
    }
    return result;
}

gradbench::Evaluate ba(const Input& input)
{
    const auto repeated = [](const Vector& some, std::size_t times)
    {
        Vector all;
        for (std::size_t i = 0; i < times; ++i)
        {
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    };
    const std::size_t n = input["n"].count(), m = input["m"].count(), p = input["p"].count();
    std::vector<std::int64_t> camera_of(p), point_of(p);
    for (std::size_t i = 0; i < p; ++i)
    {
        camera_of[i] = static_cast<std::int64_t>(i % n);
        point_of[i] = static_cast<std::int64_t>(i % m);
    }
    return [=, cameras = repeated(numbers(input["cam"]), n), points = repeated(numbers(input["x"]), m),
            weights = Vector(p, input["w"].number()), features = repeated(numbers(input["feat"]), p)]
    {
        std::vector<std::int64_t> starts = {0}, columns;
        Vector values;
        starts.reserve(3 * p + 1);
        columns.reserve((2 * row_entries + 1) * p);
        values.reserve((2 * row_entries + 1) * p);
        const auto first_point = static_cast<std::int64_t>(camera_parameters * n);
        const auto first_weight = first_point + static_cast<std::int64_t>(3 * m);
        for (std::size_t i = 0; i < p; ++i)
        {
            const auto camera = static_cast<std::size_t>(camera_of[i]) * camera_parameters;
            const auto point = static_cast<std::size_t>(point_of[i]) * 3;
            for (const auto& row : rows(&cameras[camera], &points[point], weights[i], &features[2 * i]))
            {
                starts.push_back(starts.back() + static_cast<std::int64_t>(row_entries));
                for (std::size_t j = 0; j < camera_parameters; ++j)
                {
                    columns.push_back(static_cast<std::int64_t>(camera + j));
                    values.push_back(row[j]);
                }
                for (std::size_t j = 0; j < 3; ++j)
                {
                    columns.push_back(first_point + static_cast<std::int64_t>(point + j));
                    values.push_back(row[camera_parameters + j]);
                }
                columns.push_back(first_weight + static_cast<std::int64_t>(i));
                values.push_back(row.back());
            }
        }
        for (std::size_t i = 0; i < p; ++i)
        {
            starts.push_back(starts.back() + 1);
            columns.push_back(first_weight + static_cast<std::int64_t>(i));
            values.push_back(-2 * weights[i]);
        }
        const auto ends = [](const auto& list)
        {
            auto result = std::vector(list.begin(), list.begin() + 30);
            result.push_back(list.back());
            return result;
        };
        return Output(
            std::vector<Member>{{"rows", ends(starts)}, {"cols", ends(columns)}, {"vals", list(ends(values))}});
    };
}

}

int main(int argc, char** argv)
{
    const std::map<std::string, std::map<std::string, gradbench::Prepare>> evals = {
        {"lse", {{"gradient", lse}}},  {"llsq", {{"gradient", llsq}}}, {"gmm", {{"jacobian", gmm}}},
        {"kmeans", {{"dir", kmeans}}}, {"ode", {{"primal", ode}}},     {"lstm", {{"jacobian", lstm}}},
        {"ba", {{"jacobian", ba}}},
    };
    const auto found = argc > 1 ? evals.find(argv[1]) : evals.end();
    if (found == evals.end())
    {
        std::cerr << argv[0] << ": the first argument is the name of an eval\n";
        return 1;
    }
    return gradbench::run(argc - 1, argv + 1, found->second);
}
