#include <optim/lbfgs.hpp>

#include <algorithm>
#include <cmath>

namespace optim
{

namespace
{

using Flat = std::vector<double>;

/// In eight sums, which compilers vectorise.
double dot(const Flat& a, const Flat& b)
{
    std::array<double, 8> sums{};
    std::size_t i = 0;
    for (; i + 8 <= a.size(); i += 8)
    {
        for (std::size_t k = 0; k < 8; ++k)
        {
            sums[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < a.size(); ++i)
    {
        sums[i % 8] += a[i] * b[i];
    }
    double sum = 0;
    for (const double part : sums)
    {
        sum += part;
    }
    return sum;
}

void scale(Flat& a, double factor)
{
    for (double& element : a)
    {
        element *= factor;
    }
}

void add_scaled(Flat& a, double factor, const Flat& b)
{
    for (std::size_t i = 0; i < a.size(); ++i)
    {
        a[i] += factor * b[i];
    }
}

double largest(const Flat& a)
{
    double result = 0;
    for (const double element : a)
    {
        result = std::max(result, std::abs(element));
    }
    return result;
}

double sum_of_sizes(const Flat& a)
{
    double result = 0;
    for (const double element : a)
    {
        result += std::abs(element);
    }
    return result;
}

/// Where the cubic through two points with these slopes is least, kept within bounds (Nocedal and Wright, equation 3.59).
template <class Point>
double cubic_minimum(const Point& a, const Point& b, double low, double high)
{
    const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
    const double square = d1 * d1 - a.slope * b.slope;
    if (!(square >= 0))
    {
        return (low + high) / 2;
    }
    const Point& left = a.t <= b.t ? a : b;
    const Point& right = a.t <= b.t ? b : a;
    const double d2 = std::sqrt(square);
    const double least = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
    return std::min(std::max(least, low), high);
}

/// Shows numbers as an array; none stand for an absent one.
void visit_flat(StateVisitor& visitor, const std::string& name, Flat& flat, const Parameter& like)
{
    std::optional<Parameter> array;
    if (!flat.empty())
    {
        const autograd::Variable<double> copy{autograd::Tensor<double>(like.get<double>())};
        std::copy(flat.begin(), flat.end(), copy.mutable_data());
        array = copy;
    }
    visitor.array(name, array, like);
    flat.clear();
    if (array)
    {
        const double* const elements = array->get<double>().data();
        flat.assign(elements, elements + array->size());
    }
}

}

template class OptimizerWith<LBFGSOptions>;

LBFGS::LBFGS(const std::vector<Parameter>& parameters, LBFGSOptions options, Location location)
    : OptimizerWith("LBFGS", {.needs_closure = true}, parameters, options, location)
{
    for (const Parameter& parameter : parameters)
    {
        size_ += parameter.size();
    }
}

void LBFGS::gather_gradient(Flat& gradient)
{
    gradient.assign(size_, 0);
    auto out = gradient.begin();
    for (Entry& entry : entries())
    {
        entry.parameter.visit(
            [&](const auto& variable)
            {
                if (variable.has_grad() && !entry.frozen)
                {
                    const auto found = variable.grad();
                    std::copy_n(found.data(), found.size(), out);
                }
                out += static_cast<std::ptrdiff_t>(variable.size());
            });
    }
}

void LBFGS::gather_parameters()
{
    origin_.clear();
    for (const Entry& entry : entries())
    {
        entry.parameter.visit([this](const auto& variable)
                              { origin_.insert(origin_.end(), variable.data(), variable.data() + variable.size()); });
    }
}

void LBFGS::set_parameters(double t)
{
    std::size_t place = 0;
    for (Entry& entry : entries())
    {
        entry.parameter.visit(
            [&]<class T>(autograd::Variable<T>& variable)
            {
                if (!entry.frozen)
                {
                    T* const p = variable.mutable_data(location());
                    for (std::size_t i = 0; i < variable.size(); ++i)
                    {
                        p[i] = static_cast<T>(origin_[place + i] + t * direction_[place + i]);
                    }
                }
                place += variable.size();
            });
    }
}

void LBFGS::remember(const Flat& gradient)
{
    Change change{direction_, gradient, 0};
    scale(change.s, t_);
    add_scaled(change.y, -1, previous_gradient_);
    const double curvature = dot(change.y, change.s);
    if (curvature > 1e-10)
    {
        h_diag_ = curvature / dot(change.y, change.y);
        change.rho = 1 / curvature;
        while (history_.size() >= static_cast<std::size_t>(group(0).history_size))
        {
            history_.pop_front();
        }
        history_.push_back(std::move(change));
    }
}

/// Nocedal and Wright, algorithm 7.4.
void LBFGS::turn(const Flat& gradient)
{
    direction_ = gradient;
    scale(direction_, -1);
    coefficients_.resize(history_.size());
    for (std::size_t k = history_.size(); k-- > 0;)
    {
        coefficients_[k] = dot(history_[k].s, direction_) * history_[k].rho;
        add_scaled(direction_, -coefficients_[k], history_[k].y);
    }
    scale(direction_, h_diag_);
    for (std::size_t k = 0; k < history_.size(); ++k)
    {
        add_scaled(direction_, coefficients_[k] - dot(history_[k].y, direction_) * history_[k].rho, history_[k].s);
    }
}

LBFGS::Point LBFGS::evaluate(const Closure& closure, double t)
{
    set_parameters(t);
    Point point{t, closure(), {}, 0};
    gather_gradient(point.gradient);
    point.slope = dot(point.gradient, direction_);
    return point;
}

LBFGS::Point LBFGS::search(const Closure& closure, const Point& start, double t, int& evaluations)
{
    constexpr double sufficient_decrease = 1e-4;
    constexpr double sufficient_flatness = 0.9;
    constexpr double least_change = 1e-9;
    constexpr int most_rounds = 25;
    const auto too_high = [&](const Point& point)
    { return point.loss > start.loss + sufficient_decrease * point.t * start.slope; };
    const auto flat_enough = [&](const Point& point)
    { return std::abs(point.slope) <= -sufficient_flatness * start.slope; };

    // Further and further, until there is a bracket.
    Point previous = start;
    Point point = evaluate(closure, t);
    ++evaluations;
    int round = 0;
    for (; round < most_rounds; ++round)
    {
        if (too_high(point) || (round > 1 && point.loss >= previous.loss))
        {
            break;
        }
        if (flat_enough(point))
        {
            return point;
        }
        if (point.slope >= 0)
        {
            break;
        }
        t = cubic_minimum(previous, point, point.t + 0.01 * (point.t - previous.t), point.t * 10);
        previous = std::move(point);
        point = evaluate(closure, t);
        ++evaluations;
    }

    // Nearer and nearer.
    std::array<Point, 2> bracket{round == most_rounds ? start : previous, point};
    const auto better_end = [&] { return bracket[0].loss <= bracket[1].loss ? 0U : 1U; };
    std::size_t low = better_end();
    bool slow = false;
    while (round < most_rounds)
    {
        const double least = std::min(bracket[0].t, bracket[1].t);
        const double most = std::max(bracket[0].t, bracket[1].t);
        if ((most - least) * largest(direction_) < least_change)
        {
            break;
        }
        t = cubic_minimum(bracket[0], bracket[1], least, most);
        const double margin = 0.1 * (most - least);
        const bool at_end = std::min(most - t, t - least) < margin;
        if (at_end && (slow || t >= most || t <= least))
        {
            t = std::abs(t - most) < std::abs(t - least) ? most - margin : least + margin;
            slow = false;
        }
        else
        {
            slow = at_end;
        }
        point = evaluate(closure, t);
        ++evaluations;
        ++round;
        Point& best = bracket[low];
        Point& other = bracket[1 - low];
        if (too_high(point) || point.loss >= best.loss)
        {
            other = std::move(point);
            low = better_end();
            continue;
        }
        if (flat_enough(point))
        {
            return point;
        }
        if (point.slope * (other.t - best.t) >= 0)
        {
            other = std::move(best);
        }
        best = std::move(point);
    }
    return bracket[low];
}

double LBFGS::step_with(const Closure& closure, Location location)
{
    check_options(location);
    const double first_loss = closure();
    ++func_evals_;
    if (!begin_step(location))
    {
        return first_loss;
    }
    const LBFGSOptions& options = group(0);
    const int most_evaluations = options.max_eval.value_or(options.max_iter * 5 / 4);
    int evaluations = 1;
    double loss = first_loss;
    Flat gradient;
    gather_gradient(gradient);
    bool flat = largest(gradient) <= options.tolerance_grad;
    for (int iteration = 1; !flat; ++iteration)
    {
        if (++n_iter_ == 1)
        {
            history_.clear();
            h_diag_ = 1;
        }
        else
        {
            remember(gradient);
        }
        turn(gradient);
        previous_gradient_ = gradient;
        const double previous_loss = loss;
        t_ = n_iter_ == 1 ? std::min(1.0, 1 / sum_of_sizes(gradient)) * options.lr : options.lr;
        const double slope = dot(gradient, direction_);
        if (slope > -options.tolerance_change)
        {
            break;
        }
        gather_parameters();
        int more = 0;
        if (options.line_search_fn == LineSearch::strong_wolfe)
        {
            Point found = search(closure, {0, loss, gradient, slope}, t_, more);
            t_ = found.t;
            loss = found.loss;
            gradient = std::move(found.gradient);
            set_parameters(t_);
        }
        else if (iteration != options.max_iter)
        {
            Point found = evaluate(closure, t_);
            loss = found.loss;
            gradient = std::move(found.gradient);
            more = 1;
        }
        else
        {
            set_parameters(t_);
        }
        evaluations += more;
        func_evals_ += more;
        flat = more != 0 && largest(gradient) <= options.tolerance_grad;
        if (iteration == options.max_iter || evaluations >= most_evaluations ||
            std::abs(t_) * largest(direction_) <= options.tolerance_change ||
            std::abs(loss - previous_loss) < options.tolerance_change)
        {
            break;
        }
    }
    return first_loss;
}

void LBFGS::visit_state(StateVisitor& visitor)
{
    OptimizerWith::visit_state(visitor);
    visitor.number("state.0.n_iter", n_iter_);
    visitor.number("state.0.func_evals", func_evals_);
    visitor.number("state.0.t", t_);
    visitor.number("state.0.H_diag", h_diag_);
    const Parameter like(autograd::Variable<double>(xt::xarray<double>(xt::xarray<double>::shape_type{size_}, 0.0)));
    visit_flat(visitor, "state.0.d", direction_, like);
    visit_flat(visitor, "state.0.prev_flat_grad", previous_gradient_, like);
    std::deque<Change> history;
    for (std::size_t k = 0; k < static_cast<std::size_t>(group(0).history_size); ++k)
    {
        Change change = k < history_.size() ? history_[k] : Change{};
        visit_flat(visitor, "state.0.old_stps." + std::to_string(k), change.s, like);
        visit_flat(visitor, "state.0.old_dirs." + std::to_string(k), change.y, like);
        if (!change.s.empty() && !change.y.empty())
        {
            change.rho = 1 / dot(change.y, change.s);
            history.push_back(std::move(change));
        }
    }
    history_ = std::move(history);
}

}
