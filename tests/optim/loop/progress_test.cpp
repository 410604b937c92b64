#include <optim/loop/progress.hpp>

#include <doctest/doctest.h>

#include <regex>
#include <sstream>
#include <string>

namespace
{

bool matches(const std::string& text, const char* pattern)
{
    return std::regex_match(text, std::regex(pattern));
}

}

TEST_CASE("where the output is no terminal, progress is plain lines")
{
    std::ostringstream out;
    optim::Progress progress({.epochs = 10, .steps = 200, .unit = "images", .seconds = 0}, out);
    progress.start_epoch(3);
    progress.update(50, {{"loss", 0.123456}, {"accuracy", 0.8523, optim::Unit::percent}});
    INFO(out.str());
    CHECK(matches(out.str(), R"(epoch  3/10   25 %  loss 0\.1235  accuracy 85\.2 %  \d+k? images/s  0:00 left\n)"));
    out.str("");
    progress.finish_epoch({{"test loss", 1234.5}});
    INFO(out.str());
    CHECK(matches(out.str(), R"(epoch  3/10  test loss 1234  \d+k? images/s\n)"));
}

TEST_CASE("on a terminal, a bar is drawn over itself and never wraps")
{
    std::ostringstream out;
    optim::Progress progress({.epochs = 1, .steps = 2, .terminal = true, .seconds = 0}, out);
    progress.start_epoch(1);
    progress.update(1);
    INFO(out.str());
    CHECK(matches(out.str(), "\r"
                             R"(epoch 1/1  \[#+\.+\]  50 %  .* steps/s  0:00 left)"
                             "\x1b\\[K"));
    out.str("");
    progress.update(2, {{std::string(500, 'x'), 1}});
    CHECK_LT(out.str().size(), 500);
    CHECK_EQ(out.str().find('\n'), std::string::npos);
    out.str("");
    progress.finish_epoch();
    CHECK(out.str().starts_with("\repoch 1/1  "));
    CHECK(out.str().ends_with("\x1b[K\n"));
}

TEST_CASE("progress shows nothing again until a while has passed")
{
    std::ostringstream out;
    optim::Progress progress({.steps = 1000, .seconds = 1000}, out);
    progress.start_epoch(1);
    for (std::size_t step = 1; step <= 1000; ++step)
    {
        progress.update(step);
    }
    CHECK_EQ(out.str(), "");
}

TEST_CASE("what a run before has done is no speed of this one, and what cannot be known is not guessed")
{
    std::ostringstream out;
    optim::Progress progress({.epochs = 2, .steps = 100, .seconds = 0}, out);
    progress.start_epoch(1, 50);
    progress.update(50);
    CHECK_EQ(out.str(), "epoch 1/2   50 %  0 steps/s  ? left\n");
}
