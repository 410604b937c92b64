#include <optim/loop/log.hpp>

#include <autograd/error.hpp>
#include <optim/state.hpp>

#include "../../content.hpp"
#include "../../temporary_folder.hpp"
#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace ag = autograd;

TEST_CASE("a CSV log has a column for each figure, and numbers that are read back exactly")
{
    const TemporaryFolder folder;
    write(folder / "log.csv", "what was there before, and longer than what comes now");
    optim::CsvLog log(folder / "log.csv");
    log.write({{"epoch", 1}, {"a, \"b\"", 0.1}});
    log.write({{"epoch", 2}, {"a, \"b\"", NAN}});
    CHECK_EQ(content(folder / "log.csv"), "epoch,\"a, \"\"b\"\"\"\n1,0.1\n2,nan\n");
    CHECK_EQ(
        thrown<ag::ValueError>(
            [&] {
                log.write({{"epoch", 3}, {"c", 0}}, {"user.cpp", 7});
            }),
        "CsvLog: '" + (folder / "log.csv").string() +
            "' has the columns epoch,\"a, \"\"b\"\"\": got epoch,c (user.cpp:7). Write what changes to a JsonLog.");
}

TEST_CASE("a JSON log has an object a line, with any figures")
{
    const TemporaryFolder folder;
    optim::JsonLog log(folder / "log.jsonl");
    log.write({{"epoch", 1}, {"a \"b\"", 1e-30}});
    log.write({{"loss", INFINITY}});
    log.write({});
    CHECK_EQ(content(folder / "log.jsonl"), "{\"epoch\":1,\"a \\\"b\\\"\":1e-30}\n{\"loss\":null}\n{}\n");
}

TEST_CASE("a log that cannot be written is named")
{
    const TemporaryFolder folder;
    const auto path = folder / "absent/log";
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     optim::JsonLog(path).write({}, {"user.cpp", 7});
                 }),
             "JsonLog: '" + path.string() + "' cannot be written: No such file or directory (user.cpp:7).");
}

TEST_CASE("a run that goes on cuts off what was written after the state was saved")
{
    const TemporaryFolder folder;
    {
        optim::CsvLog csv(folder / "log.csv");
        optim::JsonLog json(folder / "log.jsonl");
        optim::State state{{"csv", csv}, {"json", json}};
        for (int epoch = 1; epoch <= 3; ++epoch)
        {
            csv.write({{"epoch", epoch}});
            json.write({{"epoch", epoch}});
            if (epoch == 2)
            {
                state.save(folder / "state");
            }
        }
    }
    optim::CsvLog csv(folder / "log.csv");
    optim::JsonLog json(folder / "log.jsonl");
    optim::State state{{"csv", csv}, {"json", json}};
    state.load(folder / "state");
    CHECK_EQ(content(folder / "log.csv"), "epoch\n1\n2\n3\n");
    csv.write({{"epoch", 7}});
    json.write({{"epoch", 7}});
    CHECK_EQ(content(folder / "log.csv"), "epoch\n1\n2\n7\n");
    CHECK_EQ(content(folder / "log.jsonl"), "{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":7}\n");

    std::filesystem::remove(folder / "log.csv");
    optim::CsvLog anew(folder / "log.csv");
    optim::State{{"csv", anew}, {"json", json}}.load(folder / "state");
    anew.write({{"epoch", 7}});
    CHECK_EQ(content(folder / "log.csv"), "epoch\n7\n");
}
