#include <samples/checkpoint.hpp>

#include <autograd/error.hpp>

#include "../temporary_folder.hpp"
#include "../thrown.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

samples::Checkpoint checkpoint(int epoch)
{
    const auto value = static_cast<float>(epoch);
    return {{{"w", ag::Tensor<float>(xt::xarray<float>{{value, 2}, {3, 4}})}, {"b", ag::Tensor<float>(0.1f)}},
            {{"epoch", epoch}}};
}

void overwrite(const fs::path& path, std::streamoff position, const std::string& text)
{
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(position);
    stream << text;
}

}

TEST_CASE("a checkpoint comes back as it was saved")
{
    const TemporaryFolder folder;
    samples::save_checkpoint(folder / "weights", checkpoint(3));
    const samples::Checkpoint loaded = samples::load_checkpoint(folder / "weights");
    CHECK_EQ(loaded.state, nlohmann::json{{"epoch", 3}});
    CHECK_EQ(loaded.arrays.size(), 2);
    CHECK_EQ(loaded.arrays.at("w").value()(0, 0), 3);
    CHECK_EQ(loaded.arrays.at("b").item(), 0.1f);
}

TEST_CASE("a new checkpoint keeps the one before, and replaces it as a whole")
{
    const TemporaryFolder folder;
    const fs::path weights = folder / "weights";
    for (int epoch = 1; epoch <= 3; ++epoch)
    {
        samples::save_checkpoint(weights, checkpoint(epoch));
    }
    CHECK_EQ(samples::load_checkpoint(weights).state.at("epoch"), 3);
    CHECK_EQ(samples::load_checkpoint(samples::previous_checkpoint(weights)).state.at("epoch"), 2);
    CHECK_FALSE(fs::exists(folder / "weights.partial"));
}

TEST_CASE("a run that was stopped while it saved goes on from the checkpoint before")
{
    const TemporaryFolder folder;
    const fs::path weights = folder / "weights";
    samples::save_checkpoint(weights, checkpoint(1));
    fs::rename(weights, samples::previous_checkpoint(weights));
    fs::create_directories(folder / "weights.partial/w.npy");
    CHECK_EQ(samples::load_checkpoint(weights).state.at("epoch"), 1);
    samples::save_checkpoint(weights, checkpoint(2));
    CHECK_EQ(samples::load_checkpoint(weights).state.at("epoch"), 2);
}

TEST_CASE("a damaged checkpoint is refused by the name of its file, and left as it is")
{
    const TemporaryFolder folder;
    const fs::path weights = folder / "weights";
    const std::string w = (weights / "w.npy").string();
    const std::string state = (weights / "state.json").string();
    const auto load = [&] { samples::load_checkpoint(weights); };
    CHECK_EQ(thrown<ag::FileError>(load), "load_checkpoint: '" + weights.string() +
                                              "' does not exist. Only what an earlier run has saved can be resumed.");

    samples::save_checkpoint(weights, checkpoint(1));
    overwrite(w, 128, "\x01");
    CHECK_EQ(thrown<ag::FileError>(load),
             "load_checkpoint: '" + w + "' is damaged: its checksum is not the one in '" + state + "'.");
    fs::resize_file(w, 130);
    CHECK(thrown<ag::FileError>(load).starts_with("load_npy: '" + w + "' is truncated: "));
    CHECK_EQ(fs::file_size(w), 130);
    fs::remove(w);
    CHECK(thrown<ag::FileError>(load).starts_with("load_npy: '" + w + "' does not exist"));

    for (const char* text : {"", "{", "[1, 2]", "epoch 3"})
    {
        std::ofstream(state) << text;
        CHECK_EQ(thrown<ag::FileError>(load), "load_checkpoint: '" + state + "' is damaged: it is not JSON.");
    }
    for (const char* text : {"{}", "{\"arrays\": 3}"})
    {
        std::ofstream(state) << text;
        CHECK_EQ(thrown<ag::FileError>(load), "load_checkpoint: '" + state + "' is damaged: it lists no arrays.");
    }
    fs::remove(state);
    CHECK_EQ(thrown<ag::FileError>(load),
             "load_checkpoint: '" + state +
                 "' cannot be opened. A checkpoint is a folder that an earlier run has written.");
}

TEST_CASE("a checkpoint that cannot be written is named, and the one there stays")
{
    const TemporaryFolder folder;
    std::ofstream(folder / "file") << "not a folder";
    const fs::path beneath = folder / "file/weights";
    CHECK_EQ(thrown<ag::FileError>([&] { samples::save_checkpoint(beneath, checkpoint(1)); }),
             "save_checkpoint: '" + beneath.string() + "' cannot be written: Not a directory.");
}
