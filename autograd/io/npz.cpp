#include <autograd/io.hpp>
#include <autograd/io/npy.hpp>

#include <limits>
#include <set>

#include <zlib.h>

namespace autograd
{

namespace
{

using detail::File;
using detail::little_endian;
using detail::to_little_endian;

// A .npz file is a ZIP archive of .npy files: PKWARE's APPNOTE.TXT, 4.3.
constexpr std::string_view local_signature("PK\x03\x04", 4);
constexpr std::string_view central_signature("PK\x01\x02", 4);
constexpr std::string_view end_signature("PK\x05\x06", 4);
constexpr std::size_t local_size = 30;
constexpr std::size_t central_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t longest_comment = 0xffff;
constexpr std::size_t stored = 0;
constexpr std::size_t deflated = 8;
constexpr std::string_view suffix = ".npy";

std::size_t checksum(std::size_t start, std::string_view bytes)
{
    // zlib takes null, which is where nothing may lie, for a question after the first value.
    return bytes.empty() ? start : crc32_z(start, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

/// A file in the archive, as the directory at its end tells of it.
struct Member
{
    std::string_view name;
    std::size_t method = stored;
    std::size_t checksum = 0;
    std::size_t packed = 0;  ///< size in bytes
    std::size_t size = 0;
    std::size_t place = 0;

    std::string named() const { return "'" + std::string(name) + "'"; }
};

std::size_t find_end(std::string_view content, const File& file)
{
    if (!content.starts_with(local_signature) && !content.starts_with(end_signature))
    {
        file.fail("is not a .npz file");
    }
    const std::size_t place = content.rfind(end_signature);
    if (place == std::string_view::npos || content.size() - place < end_size ||
        content.size() - place > end_size + longest_comment)
    {
        file.fail("is truncated: the directory at its end is missing");
    }
    return place;
}

std::vector<Member> read_directory(std::string_view content, const File& file)
{
    const std::size_t end = find_end(content, file);
    const auto number = [&](std::size_t place, std::size_t bytes)
    { return little_endian(content.substr(place, bytes)); };
    const std::size_t count = number(end + 10, 2);
    std::size_t place = number(end + 16, 4);
    std::vector<Member> members;
    for (std::size_t k = 0; k < count; ++k)
    {
        const auto refuse = [&] { file.fail("is damaged: its directory is wrong at byte " + std::to_string(place)); };
        if (place > end || end - place < central_size || content.substr(place, 4) != central_signature)
        {
            refuse();
        }
        const std::size_t name_size = number(place + 28, 2);
        const std::size_t size = central_size + name_size + number(place + 30, 2) + number(place + 32, 2);
        if (size > end - place)
        {
            refuse();
        }
        const Member member{content.substr(place + central_size, name_size),
                            number(place + 10, 2),
                            number(place + 16, 4),
                            number(place + 20, 4),
                            number(place + 24, 4),
                            number(place + 42, 4)};
        if ((number(place + 8, 2) & 1) != 0)
        {
            file.fail("holds " + member.named() + ", which is encrypted");
        }
        if (std::max({member.packed, member.size, member.place}) == 0xffffffff)
        {
            file.fail("holds " + member.named() + " beyond 4 GiB, which is not read",
                      "Save it as .npy or safetensors.");
        }
        members.push_back(member);
        place += size;
    }
    return members;
}

std::string_view packed_bytes(std::string_view content, const Member& member, const File& file)
{
    const auto refuse = [&]
    { file.fail("is damaged: " + member.named() + " is not at byte " + std::to_string(member.place)); };
    if (content.size() - std::min(member.place, content.size()) < local_size ||
        content.substr(member.place, 4) != local_signature)
    {
        refuse();
    }
    const std::size_t start = member.place + local_size + little_endian(content.substr(member.place + 26, 2)) +
                              little_endian(content.substr(member.place + 28, 2));
    if (content.size() - std::min(start, content.size()) < member.packed)
    {
        refuse();
    }
    return content.substr(start, member.packed);
}

std::string inflated(std::string_view packed, const Member& member, const File& file)
{
    const auto refuse = [&] { file.fail("is damaged: " + member.named() + " cannot be decompressed"); };
    // Deflate does not pack better, so whoever claims more would only have memory allocated.
    constexpr std::size_t best_ratio = 1032;
    if (member.size / best_ratio > packed.size())
    {
        refuse();
    }
    std::string bytes(member.size, '\0');
    z_stream stream{};
    // Negative: without zlib's own header.
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    {
        refuse();
    }
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    const int status = inflate(&stream, Z_FINISH);
    const std::size_t written = stream.total_out;
    inflateEnd(&stream);
    if (status != Z_STREAM_END || written != bytes.size())
    {
        refuse();
    }
    return bytes;
}

Array read_array(std::string_view content, const Member& member, const File& file)
{
    const std::string_view packed = packed_bytes(content, member, file);
    if (member.method != stored && member.method != deflated)
    {
        file.fail("holds " + member.named() + ", packed by method " + std::to_string(member.method) +
                  ": 0 (stored) and 8 (deflate) are understood");
    }
    std::string unpacked;
    std::string_view bytes = packed;
    if (member.method == deflated)
    {
        unpacked = inflated(packed, member, file);
        bytes = unpacked;
    }
    if (bytes.size() != member.size || checksum(0, bytes) != member.checksum)
    {
        file.fail("is damaged: the checksum of " + member.named() + " is wrong");
    }
    const File part{file.path / member.name, file.operation, file.location};
    const detail::NpyContent npy = detail::parse_npy(bytes, part);
    const detail::FileType* type = detail::find_npy_type(npy.type);
    if (type == nullptr)
    {
        part.fail("holds elements of type '" + npy.type + "', which is not read",
                  npy.type.starts_with('>') ? "Save it little-endian." : "Numbers and truth values are.");
    }
    detail::check_elements(npy, type->size, part);
    return detail::read_elements(*type, npy.shape, npy.elements, "its array", part);
}

/// What the directory and a member's own header have in common: version, flags, method, a date, checksum, sizes.
std::string description(std::size_t checksum, std::size_t size, std::size_t name_size)
{
    constexpr std::size_t version = 20;
    constexpr std::size_t utf8 = 0x800;
    constexpr std::size_t first_of_1980 = 0x21;
    return to_little_endian(version, 2) + to_little_endian(utf8, 2) + to_little_endian(stored, 2) +
           to_little_endian(0, 2) + to_little_endian(first_of_1980, 2) + to_little_endian(checksum, 4) +
           to_little_endian(size, 4) + to_little_endian(size, 4) + to_little_endian(name_size, 2) +
           to_little_endian(0, 2);
}

void check_names(const std::vector<NamedArray>& arrays, const File& file)
{
    std::set<std::string_view> names;
    std::size_t size = end_size;
    for (const auto& [name, array] : arrays)
    {
        if (name.empty() || name.size() > 1000 || !names.insert(name).second)
        {
            throw ValueError(file.operation, "'" + name + "' is " + (names.contains(name) ? "there twice" : "no name"),
                             file.location, "Give each array a name of its own.");
        }
        size += local_size + central_size + 2 * (name.size() + suffix.size()) + array.bytes().size() +
                detail::npy_header(array).size();
    }
    if (size >= std::numeric_limits<std::uint32_t>::max() || arrays.size() >= 0xffff)
    {
        throw ValueError(file.operation, "a .npz of more than 4 GiB or 65534 arrays is not written", file.location,
                         "Use save_safetensors.");
    }
}

}

void save_npz(const std::string& path, const std::vector<NamedArray>& arrays, Location location)
{
    const File file{path, "save_npz", location};
    check_names(arrays, file);
    detail::Replacement replacement(file);
    std::string directory;
    std::size_t place = 0;
    for (const auto& [name, array] : arrays)
    {
        const std::string header = detail::npy_header(array);
        const std::string_view elements(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
        const std::string member = name + std::string(suffix);
        const std::string described =
            description(checksum(checksum(0, header), elements), header.size() + elements.size(), member.size());
        replacement.write(std::string(local_signature) + described + member + header);
        replacement.write(elements);
        directory += std::string(central_signature) + to_little_endian(20, 2) + described + to_little_endian(0, 10) +
                     to_little_endian(place, 4) + member;
        place += local_size + member.size() + header.size() + elements.size();
    }
    replacement.write(directory + std::string(end_signature) + to_little_endian(0, 4) +
                      to_little_endian(arrays.size(), 2) + to_little_endian(arrays.size(), 2) +
                      to_little_endian(directory.size(), 4) + to_little_endian(place, 4) + to_little_endian(0, 2));
    replacement.commit();
}

Archive load_npz(const std::string& path, Location location)
{
    const File file{path, "load_npz", location};
    const std::string content = detail::content_of(file);
    std::vector<NamedArray> arrays;
    std::set<std::string> names;
    for (const Member& member : read_directory(content, file))
    {
        if (!member.name.ends_with(suffix))
        {
            file.fail("holds " + member.named() + ", which is no array");
        }
        const std::string name(member.name.substr(0, member.name.size() - suffix.size()));
        if (!names.insert(name).second)
        {
            file.fail("is damaged: it names " + member.named() + " twice");
        }
        arrays.push_back({name, read_array(content, member, file)});
    }
    return Archive(path, std::move(arrays));
}

}
