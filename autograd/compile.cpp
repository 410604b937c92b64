#include <autograd/compile.hpp>
#include <autograd/drawing.hpp>
#include <autograd/plan/plan.hpp>
#include <autograd/plan/recording.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace autograd
{

namespace detail
{

namespace
{

const Shape& shape_of(const CompiledArgument& argument)
{
    return argument.node != nullptr ? argument.node->shape : argument.indices->shape();
}

}

/// The function for one combination of shapes.
struct Compilation::Entry
{
    std::vector<Shape> shapes;
    std::vector<std::size_t> lengths;  ///< of vectors
    std::vector<Indices> integers;     ///< what the recorded operations read in the place of the arguments
    std::optional<Recording> first;
    std::unique_ptr<Plan> plan;
    std::size_t last_call = 0;

    bool fits(const ArgumentList& arguments) const
    {
        bool same = arguments.lengths == lengths;
        for (std::size_t k = 0; k < arguments.all.size() && same; ++k)
        {
            same = shape_of(arguments.all[k]) == shapes[k];
        }
        return same;
    }
};

namespace
{

/// Copies the integers that were given to where the recorded operations read them.
void take_over(std::vector<Indices>& own, std::span<const CompiledArgument> arguments)
{
    std::size_t k = 0;
    for (const CompiledArgument& argument : arguments)
    {
        if (argument.indices != nullptr)
        {
            std::copy(argument.indices->begin(), argument.indices->end(), own[k++].data());
        }
    }
}

/// New nodes with the values of the arguments, which nobody knows yet.
class Views
{
public:
    explicit Views(std::span<const CompiledArgument> arguments)
    {
        for (const CompiledArgument& argument : arguments)
        {
            if (argument.node != nullptr)
            {
                nodes.push_back(new_view(argument.node, argument.node->shape));
            }
        }
    }
    Views(const Views&) = delete;
    Views& operator=(const Views&) = delete;
    ~Views()
    {
        for (Node* const node : nodes)
        {
            release(node);
        }
    }

    std::vector<Node*> nodes;
};

}

Compilation::Compilation(CompileOptions options, Location location) : options_(options), location_(location)
{
    if (options.most_plans == 0)
    {
        throw ValueError("compile", "most_plans must be at least 1", location);
    }
}
Compilation::Compilation(Compilation&&) noexcept = default;
Compilation::~Compilation() = default;

Compilation::Entry* Compilation::entry_of(const ArgumentList& arguments)
{
    for (const std::unique_ptr<Entry>& entry : entries_)
    {
        if (entry->fits(arguments))
        {
            return entry.get();
        }
    }
    return nullptr;
}

Plan* Compilation::find(const ArgumentList& arguments)
{
    if (Arena::current().attentive())
    {
        return nullptr;
    }
    Entry* const entry = entry_of(arguments);
    if (entry == nullptr || entry->plan == nullptr)
    {
        return nullptr;
    }
    if (!entry->plan->holds()) [[unlikely]]
    {
        std::erase_if(entries_, [entry](const auto& other) { return other.get() == entry; });
        return nullptr;
    }
    entry->last_call = ++calls_;
    if (!entry->integers.empty())
    {
        take_over(entry->integers, arguments.all);
    }
    return entry->plan.get();
}

std::size_t Compilation::result_count(const Plan& plan)
{
    return plan.result_count();
}

const void* Compilation::structure(const Plan& plan)
{
    return plan.structure.get();
}

void Compilation::replay(Plan& plan, const ArgumentList& arguments, std::span<Node*> results)
{
    std::size_t count = 0;
    for (const CompiledArgument& argument : arguments.all)
    {
        if (argument.node != nullptr)
        {
            plan.take(count++, argument.node);
        }
    }
    plan.run(results);
}

CompiledResults Compilation::record(
    const ArgumentList& arguments,
    const std::function<CompiledResults(std::span<Node* const>, std::span<const Indices>)>& function)
{
    if (Arena::current().attentive())
    {
        std::vector<Node*> nodes;
        std::vector<Indices> integers;
        for (const CompiledArgument& argument : arguments.all)
        {
            argument.node != nullptr ? nodes.push_back(argument.node) : integers.push_back(*argument.indices);
        }
        return function(nodes, integers);
    }
    Entry* entry = entry_of(arguments);
    if (entry == nullptr)
    {
        if (entries_.size() >= options_.most_plans)
        {
            entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                            [](const auto& a, const auto& b) { return a->last_call < b->last_call; }));
        }
        entry = entries_.emplace_back(std::make_unique<Entry>()).get();
        entry->lengths = arguments.lengths;
        for (const CompiledArgument& argument : arguments.all)
        {
            entry->shapes.push_back(shape_of(argument));
            if (argument.indices != nullptr)
            {
                entry->integers.emplace_back(argument.indices->shape()).make_live();
            }
        }
    }
    entry->last_call = ++calls_;
    take_over(entry->integers, arguments.all);
    const Views views(arguments.all);
    CompiledResults results;
    try
    {
        Recording recording = [&]
        {
            Recorder recorder(views.nodes, options_.freeze, location_);
            if (entry->first)
            {
                recorder.expect(*entry->first);
            }
            results = function(views.nodes, entry->integers);
            return recorder.finish(results.nodes);
        }();
        if (!entry->first)
        {
            entry->first = std::move(recording);
            return results;
        }
        if (const std::optional<Difference> found = difference(recording, *entry->first))
        {
            throw CompileError("compile",
                               "the function did something else when it was called again with the same shapes: " +
                                   found->text + ", so that it would be frozen",
                               found->location.line != 0 ? found->location : location_,
                               "Give it as an argument, or do it in autograd::live.");
        }
        entry->first.reset();
        entry->plan = std::make_unique<Plan>(std::move(recording));
        entry->plan->structure = results.structure;
        return results;
    }
    catch (...)
    {
        for (Node* const result : results.nodes)
        {
            release(result);
        }
        std::erase_if(entries_, [entry](const auto& other) { return other.get() == entry; });
        throw;
    }
}

std::vector<std::vector<PlanStep>> Compilation::plans() const
{
    std::vector<std::vector<PlanStep>> result;
    for (const std::unique_ptr<Entry>& entry : entries_)
    {
        if (entry->plan != nullptr)
        {
            result.push_back(entry->plan->steps());
        }
    }
    return result;
}

void Compilation::time(bool on)
{
    for (const std::unique_ptr<Entry>& entry : entries_)
    {
        if (entry->plan != nullptr)
        {
            entry->plan->timed = on;
        }
    }
}

}

namespace
{

/// Microseconds, or nothing if it was not measured.
std::string time_of(const PlanStep& step)
{
    if (step.seconds == 0)
    {
        return "";
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.2f us", step.seconds * 1e6);
    return text;
}

}

std::string to_string(const std::vector<PlanStep>& plan)
{
    std::vector<std::vector<std::string>> rows{{"", "operations", "reads", "result", "time", "line"}};
    for (const PlanStep& step : plan)
    {
        std::string reads;
        for (const std::size_t other : step.reads)
        {
            reads += (reads.empty() ? "" : ", ") + std::to_string(other);
        }
        rows.push_back({std::to_string(rows.size() - 1), step.what, reads, step.result, time_of(step),
                        step.location.line != 0 ? to_string(step.location) : ""});
    }
    return detail::table(rows);
}

std::string to_dot(const std::vector<PlanStep>& plan)
{
    std::ostringstream out;
    out << "digraph plan {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=10, shape=box, style=filled, "
           "fillcolor=white];\n";
    for (std::size_t k = 0; k < plan.size(); ++k)
    {
        out << "  n" << k << " [label=\"" << plan[k].what << "\\n" << plan[k].result;
        for (const std::string& more :
             {time_of(plan[k]), plan[k].location.line != 0 ? to_string(plan[k].location) : ""})
        {
            out << (more.empty() ? "" : "\\n") << more;
        }
        out << "\"];\n";
        for (const std::size_t other : plan[k].reads)
        {
            out << "  n" << other << " -> n" << k << ";\n";
        }
    }
    out << "}\n";
    return out.str();
}

void draw(const std::vector<PlanStep>& plan, const std::string& path, Location location)
{
    detail::draw_graph(to_dot(plan), path, location);
}

template <Real T>
Tensor<T> constant(const Tensor<T>& array)
{
    Tensor<T> result = Tensor<T>::adopt(detail::new_view(array.node(), array.shape()));
    detail::note_constant(result.node());
    return result;
}
template Tensor<float> constant(const Tensor<float>&);
template Tensor<double> constant(const Tensor<double>&);

void live(std::function<void()> action, Location location)
{
    detail::act("live", location, std::move(action));
}

}
