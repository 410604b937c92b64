#include <autograd/error.hpp>
#include <autograd/observer.hpp>
#include <autograd/primitive.hpp>
#include <autograd/profile.hpp>

#include <chrono>
#include <fstream>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>

namespace autograd
{

namespace
{

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration duration)
{
    return std::chrono::duration<double, std::micro>(duration).count();
}

/// One execution of an operation, of its pullback, or of its pushforward.
struct Event
{
    const char* name;
    Location location;
    Shape shape;
    Clock::time_point begin;
    Clock::time_point end;
    bool forward;
};

std::string line_of(Location location)
{
    return location.line != 0 ? to_string(location) : "no line";
}

std::string quoted(const std::string& text)
{
    std::string result = "\"";
    for (const char c : text)
    {
        if (c == '"' || c == '\\')
        {
            result += '\\';
        }
        result += c;
    }
    return result + "\"";
}

}

class Profiler::Recorder : public detail::Observer
{
public:
    explicit Recorder(ProfileOptions options) : start(Clock::now()), options_(options) {}

    void begin() override { running_.push_back({Clock::now(), {}}); }

    void executed(const detail::Operation& operation, const detail::Node* output,
                  std::span<const detail::ResolvedOperand>, Location location) override
    {
        finish(operation.name, location, output, true);
    }

    void visit(detail::Record&) override { begin(); }

    void pulled(detail::Pull& pull) override
    {
        finish(pull.record().operation->name, pull.record().location, pull.output(), false);
    }

    void pushed(detail::Push& push, const detail::Node*) override
    {
        finish(push.record().operation->name, push.record().location, push.output(), false);
    }

    /// The sums over all that `key` maps to one name.
    template <class Key>
    std::vector<ProfileRow> sums(const Key& key) const
    {
        std::map<std::string, ProfileRow> rows;
        for (const auto& [place, sum] : sums_)
        {
            ProfileRow& row = rows[key(place.first, sum.location)];
            row.calls += sum.row.calls;
            row.forward += sum.row.forward;
            row.backward += sum.row.backward;
            row.bytes += sum.row.bytes;
        }
        std::vector<ProfileRow> result;
        for (auto& [name, row] : rows)
        {
            row.name = name;
            result.push_back(row);
        }
        std::stable_sort(result.begin(), result.end(),
                         [](const ProfileRow& a, const ProfileRow& b)
                         { return a.forward + a.backward > b.forward + b.backward; });
        return result;
    }

    const Clock::time_point start;
    std::vector<Event> events;

private:
    struct Running
    {
        Clock::time_point begin;
        Clock::duration inside;  ///< spent in operations inside of it
    };
    struct Sum
    {
        Location location;
        ProfileRow row;
    };

    void finish(const char* name, Location location, const detail::Node* output, bool forward)
    {
        if (running_.empty())
        {
            return;
        }
        const Clock::time_point end = Clock::now();
        const Running running = running_.back();
        running_.pop_back();
        const Clock::duration whole = end - running.begin;
        if (!running_.empty())
        {
            running_.back().inside += whole;
        }
        Sum& sum = sums_[{name, {location.file, location.line}}];
        sum.location = location;
        (forward ? sum.row.forward : sum.row.backward) += microseconds(whole - running.inside);
        if (forward)
        {
            ++sum.row.calls;
            sum.row.bytes += output->elements * size_of(output->dtype);
        }
        if (events.size() < options_.most_events)
        {
            events.push_back({name, location, output->shape, running.begin, end, forward});
        }
    }

    ProfileOptions options_;
    std::vector<Running> running_;
    std::map<std::pair<const char*, std::pair<const char*, unsigned>>, Sum> sums_;
};

Profiler::Profiler(ProfileOptions options) : recorder_(std::make_unique<Recorder>(options)) {}
Profiler::~Profiler() = default;

std::vector<ProfileRow> Profiler::by_operation() const
{
    return recorder_->sums([](const char* name, Location) { return std::string(name); });
}

std::vector<ProfileRow> Profiler::by_line() const
{
    return recorder_->sums([](const char*, Location location) { return line_of(location); });
}

void Profiler::write_trace(const std::string& path, Location location) const
{
    std::ofstream file(path);
    file << std::fixed << std::setprecision(3) << "{\"traceEvents\":[";
    const char* separator = "\n";
    for (const Event& event : recorder_->events)
    {
        file << separator << "{\"name\":" << quoted(event.name) << ",\"cat\":\""
             << (event.forward ? "forward" : "backward")
             << "\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":" << microseconds(event.begin - recorder_->start)
             << ",\"dur\":" << microseconds(event.end - event.begin)
             << ",\"args\":{\"line\":" << quoted(line_of(event.location))
             << ",\"result\":" << quoted(to_string(event.shape)) << "}}";
        separator = ",\n";
    }
    file << "\n],\"displayTimeUnit\":\"ns\"}\n";
    if (!file.flush())
    {
        throw FileError("write_trace", "cannot write " + path, location);
    }
}

std::ostream& operator<<(std::ostream& out, const Profiler& profiler)
{
    const auto print = [&](const char* what, const std::vector<ProfileRow>& rows)
    {
        std::size_t width = std::string(what).size();
        for (const ProfileRow& row : rows)
        {
            width = std::max(width, row.name.size());
        }
        std::ostringstream text;
        text << std::left << std::setw(static_cast<int>(width)) << what << std::right << std::setw(10) << "calls"
             << std::setw(15) << "forward (us)" << std::setw(15) << "backward (us)" << std::setw(15) << "bytes"
             << "\n"
             << std::fixed << std::setprecision(1);
        for (const ProfileRow& row : rows)
        {
            text << std::left << std::setw(static_cast<int>(width)) << row.name << std::right << std::setw(10)
                 << row.calls << std::setw(15) << row.forward << std::setw(15) << row.backward << std::setw(15)
                 << row.bytes << "\n";
        }
        out << text.str();
    };
    print("operation", profiler.by_operation());
    out << "\n";
    print("line", profiler.by_line());
    return out;
}

}
