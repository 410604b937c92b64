#include <optim/loop/stopping.hpp>

#include <autograd/error.hpp>
#include <optim/state_visitor.hpp>

#include <limits>
#include <sstream>

namespace optim
{

EarlyStopping::EarlyStopping(EarlyStoppingOptions options, Location location)
    : options_(options), best_((options.better == Better::lower ? 1 : -1) * std::numeric_limits<double>::infinity())
{
    const auto refuse = [&](const char* name, double value, const char* range)
    {
        std::ostringstream problem;
        problem << name << " is " << value << ", but must be " << range;
        throw autograd::ValueError("EarlyStopping", problem.str(), location);
    };
    if (options.patience == 0)
    {
        refuse("patience", 0, "at least 1");
    }
    if (!(options.min_delta >= 0))
    {
        refuse("min_delta", options.min_delta, "at least 0");
    }
}

bool EarlyStopping::update(double figure)
{
    const bool better =
        options_.better == Better::lower ? figure < best_ - options_.min_delta : figure > best_ + options_.min_delta;
    best_ = better ? figure : best_;
    since_best_ = better ? 0 : since_best_ + 1;
    return better;
}

void EarlyStopping::visit_state(StateVisitor& visitor)
{
    visitor.number("best", best_);
    visitor.integer("since_best", since_best_);
}

TimeLimit::operator bool() const
{
    return elapsed() >= limit_;
}

std::chrono::duration<double> TimeLimit::elapsed() const
{
    return std::chrono::steady_clock::now() - start_;
}

}
