#include <samples/checkpoint.hpp>

#include <autograd/io.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <zlib.h>

namespace samples
{

namespace fs = std::filesystem;
using autograd::FileError;
using autograd::Tensor;
using nlohmann::json;

namespace
{

fs::path beside(const fs::path& folder, const char* suffix)
{
    fs::path path = folder;
    return path += suffix;
}

std::uint32_t checksum(const Tensor<float>& array)
{
    const auto* bytes = reinterpret_cast<const Bytef*>(array.data());
    return static_cast<std::uint32_t>(crc32_z(0, bytes, array.size() * sizeof(float)));
}

json read_json(const fs::path& path)
{
    std::ifstream stream(path);
    if (!stream)
    {
        throw FileError("load_checkpoint", "'" + path.string() + "' cannot be opened", {},
                        "A checkpoint is a folder that an earlier run has written.");
    }
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    json content = json::parse(text, nullptr, false);
    if (!content.is_object())
    {
        throw FileError("load_checkpoint", "'" + path.string() + "' is damaged: it is not JSON", {});
    }
    return content;
}

}

fs::path previous_checkpoint(const fs::path& folder)
{
    return beside(folder, ".previous");
}

void save_checkpoint(const fs::path& folder, const Checkpoint& checkpoint)
{
    const fs::path partial = beside(folder, ".partial");
    try
    {
        fs::remove_all(partial);
        fs::create_directories(partial);
        json content = checkpoint.state;
        for (const auto& [name, array] : checkpoint.arrays)
        {
            autograd::save_npy(partial / (name + ".npy"), array);
            content["arrays"][name] = checksum(array);
        }
        autograd::replace_file(partial / "state.json", content.dump(2) + "\n");
        if (fs::exists(folder))
        {
            fs::remove_all(previous_checkpoint(folder));
            fs::rename(folder, previous_checkpoint(folder));
        }
        fs::rename(partial, folder);
    }
    catch (const fs::filesystem_error& error)
    {
        throw FileError("save_checkpoint", "'" + folder.string() + "' cannot be written: " + error.code().message(),
                        {});
    }
}

Checkpoint load_checkpoint(const fs::path& folder)
{
    // A run that ended between the two renames of `save_checkpoint` left only the one before.
    const fs::path source = fs::exists(folder) ? folder : previous_checkpoint(folder);
    if (!fs::exists(source))
    {
        throw FileError("load_checkpoint", "'" + folder.string() + "' does not exist", {},
                        "Only what an earlier run has saved can be resumed.");
    }
    const fs::path state = source / "state.json";
    Checkpoint checkpoint;
    checkpoint.state = read_json(state);
    const json arrays = checkpoint.state.value("arrays", json());
    checkpoint.state.erase("arrays");
    if (!arrays.is_object())
    {
        throw FileError("load_checkpoint", "'" + state.string() + "' is damaged: it lists no arrays", {});
    }
    for (const auto& [name, expected] : arrays.items())
    {
        const fs::path path = source / (name + ".npy");
        Tensor<float> array = autograd::load_npy<float>(path);
        if (expected != checksum(array))
        {
            throw FileError(
                "load_checkpoint",
                "'" + path.string() + "' is damaged: its checksum is not the one in '" + state.string() + "'", {});
        }
        checkpoint.arrays.emplace(name, std::move(array));
    }
    return checkpoint;
}

}
