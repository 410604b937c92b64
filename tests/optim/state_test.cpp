#include <optim/state.hpp>

#include <autograd/io.hpp>
#include <optim/loop/best_weights.hpp>
#include <optim/loop/sampler.hpp>
#include <optim/loop/stopping.hpp>
#include <optim/sgd.hpp>

#include "../content.hpp"
#include "../python.hpp"
#include "../temporary_folder.hpp"
#include "../thrown.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

/// A small training with everything that a state can hold.
struct Training
{
    ag::Variable<float> w{xt::xarray<float>{{1, 2}, {3, 4}}};
    ag::Variable<double> b{0.5};
    optim::SGD sgd{{w, b}, {.lr = 0.1, .momentum = 0.9}};
    optim::Sampler batches{10, {.batch_size = 3, .seed = 7}};
    optim::EarlyStopping stopping{{.patience = 3}};
    optim::BestWeights best{{w, b}};
    ag::Generator generator{11};
    std::size_t epoch = 0;
    int temperature = -3;
    bool done = false;
    double loss = std::numeric_limits<double>::infinity();
    std::string note = "begun";
    std::vector<double> losses = {};
    optim::State state{{"w", w},
                       {"b", b},
                       {"sgd", sgd},
                       {"batches", batches},
                       {"stopping", stopping},
                       {"best", best},
                       {"generator", generator},
                       {"epoch", epoch},
                       {"temperature", temperature},
                       {"done", done},
                       {"loss", loss},
                       {"note", note},
                       {"losses", losses}};

    void step()
    {
        const std::optional<ag::Indices> batch = batches.next();
        w.set_grad(generator.normal<float>({2, 2}));
        b.set_grad(generator.normal<double>({}, batch ? static_cast<double>((*batch)[0]) : -1));
        sgd.step();
        loss = b.item();
        losses.push_back(loss);
        if (stopping.update(loss))
        {
            best.keep();
        }
        ++epoch;
        --temperature;
        done = !done;
        note += " \u00e4";
    }

    /// Everything that is saved, as the file that it is saved as.
    std::string bytes(const TemporaryFolder& folder) const
    {
        state.save(folder / "bytes");
        return content(folder / "bytes");
    }
};

std::string refusal(Training& training, const fs::path& path)
{
    const std::string start = "load: '" + path.string() + "' ";
    const std::string problem = thrown<ag::FileError>([&] { training.state.load(path, {"user.cpp", 7}); });
    return problem.starts_with(start) ? problem.substr(start.size()) : problem;
}

}

TEST_CASE("a training that is loaded goes on as if it had never ended, bit by bit")
{
    const TemporaryFolder folder;
    Training whole;
    for (int k = 0; k < 9; ++k)
    {
        whole.step();
    }
    for (int saved = 0; saved < 9; ++saved)
    {
        Training first;
        for (int k = 0; k < saved; ++k)
        {
            first.step();
        }
        first.state.save(folder / "run.safetensors");
        Training second;
        for (int k = 0; k < 9 - saved % 4; ++k)
        {
            second.step();  // what it has come to is all replaced
        }
        second.state.load(folder / "run.safetensors");
        CHECK(second.bytes(folder) == first.bytes(folder));
        for (int k = saved; k < 9; ++k)
        {
            second.step();
        }
        CHECK(second.bytes(folder) == whole.bytes(folder));
    }
}

TEST_CASE("resume loads the file if there is one")
{
    const TemporaryFolder folder;
    double x = 1;
    optim::State state{{"x", x}};
    CHECK_FALSE(state.resume(folder / "run"));
    state.save(folder / "run");
    x = 2;
    CHECK(state.resume(folder / "run"));
    CHECK_EQ(x, 1);
    write(folder / "run", "");
    CHECK_THROWS_AS(state.resume(folder / "run"), ag::FileError);
}

TEST_CASE("loading changes no tensor that was taken from a variable before")
{
    const TemporaryFolder folder;
    const ag::Variable<float> w(xt::xarray<float>{1, 2});
    optim::State state{{"w", w}};
    state.save(folder / "run");
    w.assign(xt::xarray<float>{3, 4});
    const ag::Tensor<float> before = w;
    state.load(folder / "run");
    CHECK_EQ(before.value(), xt::xarray<float>{3, 4});
    CHECK_EQ(w.value(), xt::xarray<float>{1, 2});
}

TEST_CASE("integers of every type come back at their limits")
{
    const TemporaryFolder folder;
    auto u = std::numeric_limits<std::uint64_t>::max();
    auto ull = std::numeric_limits<unsigned long long>::max();
    auto i = std::numeric_limits<std::int64_t>::min();
    auto c = std::numeric_limits<signed char>::min();
    unsigned short s = 65535;
    float f = 0.1f;
    optim::State state{{"u", u}, {"ull", ull}, {"i", i}, {"c", c}, {"s", s}, {"f", f}};
    state.save(folder / "run");
    u = 0, ull = 0, i = 0, c = 0, s = 0, f = 0;
    state.load(folder / "run");
    CHECK_EQ(u, std::numeric_limits<std::uint64_t>::max());
    CHECK_EQ(ull, std::numeric_limits<unsigned long long>::max());
    CHECK_EQ(i, std::numeric_limits<std::int64_t>::min());
    CHECK_EQ(c, -128);
    CHECK_EQ(s, 65535);
    CHECK_EQ(f, 0.1f);
}

TEST_CASE("Python reads a state, and its weights load here")
{
    const TemporaryFolder folder;
    ag::Variable<float> w(xt::xarray<float>{{0, 0}, {0, 0}});
    optim::SGD sgd({w}, {.lr = 0.1});
    std::size_t epoch = 3;
    std::string note = "hello";
    optim::State({{"net", std::vector<std::pair<std::string, ag::Variable<float>>>{{"w", w}}},
                  {"sgd", sgd},
                  {"epoch", epoch},
                  {"note", note}})
        .save(folder / "run");
    const std::string shown = python("autograd/io/safetensors_python.py", "read '" + (folder / "run").string() + "'");
    INFO(shown);
    CHECK_NE(shown.find("epoch I64 [] [3]\n"), std::string::npos);
    CHECK_NE(shown.find("net.w F32 [2, 2] [0.0, 0.0, 0.0, 0.0]\n"), std::string::npos);
    CHECK_NE(shown.find("sgd.param_groups.0.lr F64 [] [0.1]\n"), std::string::npos);
    CHECK_NE(shown.find("'note': 'hello'"), std::string::npos);
    CHECK_NE(shown.find("'sgd': 'SGD'"), std::string::npos);

    python("autograd/io/safetensors_python.py", "weights '" + (folder / "weights").string() + "'");
    optim::State{{"w", w}}.load(folder / "weights");
    CHECK_EQ(w.value(), xt::xarray<float>{{1, 2}, {3, 0.5f}});
}

TEST_CASE("the state of something else is refused by name, and the running one stays as it was")
{
    const TemporaryFolder folder;
    const fs::path path = folder / "run";
    Training training;
    training.step();
    const std::string before = training.bytes(folder);
    const auto refused = [&](const optim::State& other)
    {
        other.save(path);
        const std::string problem = refusal(training, path);
        CHECK(training.bytes(folder) == before);
        return problem;
    };
    // The same state, but for one part.
    const auto with = [&](Training& other, const std::string& name, std::optional<optim::State::Item> part)
    {
        optim::State state{};
        for (const auto& [own, item] : std::initializer_list<optim::State::Entry>{{"w", other.w},
                                                                                  {"b", other.b},
                                                                                  {"sgd", other.sgd},
                                                                                  {"batches", other.batches},
                                                                                  {"stopping", other.stopping},
                                                                                  {"best", other.best},
                                                                                  {"generator", other.generator},
                                                                                  {"epoch", other.epoch},
                                                                                  {"temperature", other.temperature},
                                                                                  {"done", other.done},
                                                                                  {"loss", other.loss},
                                                                                  {"note", other.note},
                                                                                  {"losses", other.losses}})
        {
            if (own != name || part)
            {
                state.add(own, own == name ? *part : item);
            }
        }
        return refused(state);
    };

    Training other;
    other.step();
    other.step();
    const ag::Variable<float> wide(xt::xarray<float>{{1, 2, 3}});
    CHECK_EQ(with(other, "w", wide), "holds 'w' of shape (1, 3): here it is (2, 2) (user.cpp:7).");
    const ag::Variable<double> precise(xt::xarray<double>{{1, 2}, {3, 4}});
    CHECK_EQ(with(other, "w", precise), "holds 'w' as float64: here it is float32 (user.cpp:7).");
    CHECK_EQ(with(other, "w", std::nullopt), "holds no 'w' (user.cpp:7).");
    CHECK_EQ(with(other, "epoch", std::nullopt), "holds no 'epoch' (user.cpp:7).");
    CHECK_EQ(with(other, "note", std::nullopt), "holds no text 'note' (user.cpp:7).");
    CHECK_EQ(with(other, "epoch", other.loss), "holds 'epoch' as float64: here it is int64 (user.cpp:7).");
    CHECK_EQ(with(other, "epoch", other.losses), "holds 'epoch' as float64: here it is int64 (user.cpp:7).");
    CHECK_EQ(with(other, "loss", other.losses), "holds 'loss' of shape (2,): here it is () (user.cpp:7).");
    CHECK_EQ(with(other, "losses", other.loss), "holds 'losses' of shape (): here it is (1,) (user.cpp:7).");
    optim::Sampler more(11);
    CHECK_EQ(with(other, "batches", more),
             "holds 'batches' of 'sampler of 11 samples': here it is of 'sampler of 10 samples' (user.cpp:7).");
    CHECK_EQ(with(other, "sgd", other.batches),
             "holds 'sgd' of 'sampler of 10 samples': here it is of 'SGD' (user.cpp:7).");
    optim::SGD one({other.w}, {.momentum = 0.9});
    CHECK_EQ(with(other, "sgd", one), "holds no 'sgd.state.1.frozen' (user.cpp:7).");
    optim::SGD swapped({other.b, other.w}, {.momentum = 0.9});
    CHECK_EQ(with(other, "sgd", swapped),
             "holds 'sgd.state.0.momentum_buffer' for 'b': here it is for 'w' (user.cpp:7).");
    int unknown = 3;
    {
        optim::State larger = other.state;
        larger.add("unknown", unknown);
        CHECK_EQ(refused(larger), "holds an array 'unknown', of which this state knows nothing (user.cpp:7).");
    }
    {
        optim::State larger = other.state;
        larger.add("unknown", other.note);
        CHECK_EQ(refused(larger), "holds a text 'unknown', of which this state knows nothing (user.cpp:7).");
    }
    long too_large = 1L << 40;
    CHECK_EQ(with(other, "temperature", too_large),
             "holds what is not allowed: state: an integer is 1099511627776, but must be from -2147483648 to "
             "2147483647 (user.cpp:7).");
    CHECK_EQ(with(other, "done", too_large),
             "holds what is not allowed: state: an integer is 1099511627776, but must be from 0 to 1 (user.cpp:7).");

    // What only the parts themselves can tell.
    other.state.save(path);
    const auto changed = [&](const std::string& name, const ag::Array& array)
    {
        const ag::Archive good = ag::load_safetensors(path);
        std::vector<ag::NamedArray> arrays(good.begin(), good.end());
        for (ag::NamedArray& one : arrays)
        {
            if (one.name == name)
            {
                one.array = array;
            }
        }
        ag::save_safetensors(folder / "changed", arrays, good.texts());
        const std::string problem = refusal(training, folder / "changed");
        CHECK(training.bytes(folder) == before);
        return problem;
    };
    CHECK_EQ(changed("sgd.param_groups.0.lr", -1.0),
             "holds what is not allowed: SGD: lr is -1, but must be at least 0 (user.cpp:7).");
    CHECK_EQ(
        changed("sgd.param_groups.0.nesterov", 0.5),
        "holds what is not allowed: visit_state: param_groups.0.nesterov is 0.5, but must be an integer from 0 to 1 "
        "(user.cpp:7).");
    CHECK_EQ(changed("batches.position", 11),
             "holds what is not allowed: Sampler: sample 11 of 10 would be next (user.cpp:7).");
}

TEST_CASE("a file that is damaged anywhere is refused, or is the state that it says")
{
    const TemporaryFolder folder;
    const fs::path path = folder / "run";
    Training training;
    training.step();
    const std::string before = training.bytes(folder);
    Training later;
    later.step();
    later.step();
    later.state.save(path);
    const std::string good = content(path);
    for (std::size_t length = 0; length < good.size(); ++length)
    {
        write(path, good.substr(0, length));
        CHECK_THROWS_AS(training.state.load(path), ag::FileError);
        REQUIRE(training.bytes(folder) == before);
    }
    const std::size_t header = 8 + static_cast<unsigned char>(good[0]) + 256 * static_cast<unsigned char>(good[1]);
    for (std::size_t place = 0; place < header; ++place)
    {
        std::string bad = good;
        bad[place] = static_cast<char>(bad[place] ^ 1);
        write(path, bad);
        try
        {
            training.state.load(path);
            // A text may be any. Back to where it was:
            write(path, before);
            training.state.load(path);
        }
        catch (const ag::FileError&)
        {
        }
        REQUIRE(training.bytes(folder) == before);
    }
}

TEST_CASE("parts without a name, or with one that is there twice, are refused")
{
    double x = 0, y = 0;
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     optim::State({{"x", x}, {"x", y}}, {"user.cpp", 7});
                 }),
             "State: 'x' is there twice (user.cpp:7). Give each part a name of its own.");
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     optim::State({{"", x}}, {"user.cpp", 7});
                 }),
             "State: a part without a name (user.cpp:7). Give each part a name of its own.");
    optim::EarlyStopping stopping;
    const TemporaryFolder folder;
    CHECK_EQ(thrown<ag::ValueError>(
                 [&] {
                     optim::State{{"s", stopping}, {"s.best", x}}.save(folder / "a", {"user.cpp", 7});
                 }),
             "save_safetensors: 's.best' is there twice (user.cpp:7). Give each array a name of its own.");
}
