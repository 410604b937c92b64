#pragma once

#include <optim/optimizer.hpp>

#include <deque>

namespace optim
{

enum class LineSearch
{
    none,         ///< steps of size lr
    strong_wolfe  ///< searches for a step that meets the strong Wolfe conditions
};

struct LBFGSOptions
{
    double lr = 1;                     ///< learning rate, at least 0
    int max_iter = 20;                 ///< iterations a step, at least 1
    std::optional<int> max_eval = {};  ///< evaluations of the loss a step; if not given, 5 / 4 max_iter
    double tolerance_grad = 1e-7;      ///< stops where no element of the gradient is larger
    double tolerance_change = 1e-9;    ///< stops where neither the loss nor any parameter changes by more
    int history_size = 100;            ///< how many changes the Hessian is estimated from, at least 1
    LineSearch line_search_fn = LineSearch::none;

    template <class Self, class Visit>
    static void each(Self& self, const Visit& visit)
    {
        visit("lr", self.lr, at_least_0);
        visit("max_iter", self.max_iter, at_least_1);
        visit("max_eval", self.max_eval, at_least_1);
        visit("tolerance_grad", self.tolerance_grad, at_least_0);
        visit("tolerance_change", self.tolerance_change, at_least_0);
        visit("history_size", self.history_size, at_least_1);
        visit("line_search_fn", self.line_search_fn, zero_or_one);
    }
};

extern template class OptimizerWith<LBFGSOptions>;

/// The limited-memory quasi-Newton method of Nocedal, "Updating Quasi-Newton Matrices with Limited Storage" (1980), with the
/// line search of Nocedal and Wright, "Numerical Optimization" (2006), algorithms 3.5 and 3.6, in PyTorch's form. It
/// evaluates the loss several times a step:
///
///     lbfgs.minimize([&] { return loss_of(w, b); });
///
/// From the changes s of all parameters together and y of their gradient, the two-loop recursion gives d = -H g; then
/// p += t d. All of it is computed in double. There is one group only.
class LBFGS final : public OptimizerWith<LBFGSOptions>
{
public:
    explicit LBFGS(const std::vector<Parameter>& parameters, LBFGSOptions options = {},
                   Location location = Location::current());

    template <class... Arguments>
    void add_group(const Arguments&...) = delete;

    void visit_state(StateVisitor& visitor) override;

private:
    using Flat = std::vector<double>;

    /// A place on the line of a search: how far, the loss, its gradient and its slope along the line.
    struct Point
    {
        double t;
        double loss;
        Flat gradient;
        double slope;
    };

    /// What the Hessian is estimated from: changes of the parameters (PyTorch's old_stps) and of the gradient (old_dirs).
    struct Change
    {
        Flat s;
        Flat y;
        double rho;  ///< 1 / (y s)
    };

    double step_with(const Closure& closure, Location location) override;
    void update(std::size_t) override {}

    void gather_gradient(Flat& gradient);
    void gather_parameters();
    /// origin + t direction.
    void set_parameters(double t);
    void remember(const Flat& gradient);
    void turn(const Flat& gradient);
    Point evaluate(const Closure& closure, double t);
    /// A point that meets the strong Wolfe conditions, or the best that was found; adds to `evaluations`.
    Point search(const Closure& closure, const Point& start, double t, int& evaluations);

    std::size_t size_ = 0;
    double n_iter_ = 0;
    double func_evals_ = 0;
    double t_ = 0;
    double h_diag_ = 1;
    Flat origin_;
    Flat direction_;
    Flat previous_gradient_;
    std::deque<Change> history_;
    Flat coefficients_;
};

}
