#include "../temporary_folder.hpp"
#include "../thrown.hpp"

#include <autograd/autograd.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>

namespace ag = autograd;
using Tensor = ag::Tensor<double>;
using Variable = ag::Variable<double>;

namespace
{

const ag::ProfileRow& row(const std::vector<ag::ProfileRow>& rows, const std::string& name)
{
    for (const ag::ProfileRow& row : rows)
    {
        if (row.name == name)
        {
            return row;
        }
    }
    FAIL("no row of " << name);
    return rows.front();
}

}

TEST_CASE("operations are counted, with their times forward and backward and the bytes of their results")
{
    const Variable x(xt::xarray<double>(xt::ones<double>({64, 64})));
    ag::Profiler profiler;
    std::string line;
    for (int step = 0; step < 3; ++step)
    {
        ag::GradientTape tape;
        const Tensor y = ag::sum(ag::tanh(ag::matmul(x, x)));
        line = line_above();
        (void)tape.gradient(y, x);
    }
    const auto rows = profiler.by_operation();
    for (const std::string name : {"matmul", "tanh", "sum"})
    {
        CAPTURE(name);
        CHECK(row(rows, name).calls == 3);
        CHECK(row(rows, name).forward > 0);
        CHECK(row(rows, name).backward > 0);
    }
    CHECK(row(rows, "tanh").bytes == 3 * 64 * 64 * 8);
    CHECK(row(profiler.by_line(), line).calls == 9);
    std::ostringstream out;
    out << profiler;
    CHECK(out.str().starts_with("operation     calls   forward (us)  backward (us)          bytes\n"));
}

TEST_CASE("time inside of another operation counts once")
{
    const Variable x(xt::xarray<double>(xt::ones<double>({32, 32})));
    ag::Profiler profiler;
    const auto start = std::chrono::steady_clock::now();
    ag::GradientTape outer;
    ag::GradientTape inner;
    const Tensor g = inner.gradient(ag::sum(ag::matmul(ag::tanh(x), x)), x);
    (void)outer.gradient(ag::sum(g * g), x);
    const double whole = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    double sum = 0;
    for (const ag::ProfileRow& row : profiler.by_operation())
    {
        CHECK(row.forward >= 0);
        CHECK(row.backward >= 0);
        sum += row.forward + row.backward;
    }
    CHECK(sum > 0);
    CHECK(sum <= whole);
}

TEST_CASE("a trace is what Chrome and Perfetto read")
{
    const TemporaryFolder folder;
    const Variable x(2.0);
    ag::Profiler profiler({.most_events = 3});
    ag::GradientTape tape;
    const Tensor y = ag::tanh(x) * x;
    (void)tape.gradient(y, x);
    profiler.write_trace((folder / "trace.json").string());
    std::ifstream file(folder / "trace.json");
    const nlohmann::json trace = nlohmann::json::parse(file);
    REQUIRE(trace["traceEvents"].size() == 3);
    const nlohmann::json& event = trace["traceEvents"][0];
    CHECK(event["name"] == "tanh");
    CHECK(event["ph"] == "X");
    CHECK(event["cat"] == "forward");
    CHECK(event["dur"].get<double>() >= 0);
    CHECK(event["args"]["line"].get<std::string>().starts_with("profile_test.cpp:"));
    CHECK(trace["traceEvents"][2]["cat"] == "backward");
    CHECK(thrown<ag::FileError>([&] { profiler.write_trace("/nowhere/trace.json"); }) ==
          "write_trace: cannot write /nowhere/trace.json (HERE).");
}
