#include <autograd/io.hpp>
#include <autograd/io/elements.hpp>
#include <autograd/io/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <set>

namespace autograd
{

namespace
{

using detail::Comma;
using detail::File;
using detail::FileType;
using detail::Scanner;

constexpr std::size_t length_size = 8;
/// As in the format's own library.
constexpr std::size_t largest_header = 100'000'000;
constexpr const char* metadata_key = "__metadata__";

/// A tensor as the header tells of it.
struct Entry
{
    std::string name;
    std::string type;
    Shape shape;
    std::size_t begin = 0;  ///< of its bytes, from the end of the header
    std::size_t end = 0;
};

struct Header
{
    std::vector<Entry> entries;
    Archive::Texts texts;
    std::size_t size = 0;  ///< in bytes, with its length
};

std::string named(const Entry& entry)
{
    return "'" + entry.name + "'";
}

/// Calls f(key) for each member of a JSON object, whose keys differ.
template <class F>
void members(Scanner& scanner, const F& f)
{
    std::set<std::string> keys;
    scanner.list('{', '}', Comma::parts,
                 [&]
                 {
                     const std::size_t place = scanner.place();
                     std::string key = detail::read_json_string(scanner);
                     scanner.expect(':');
                     if (!keys.insert(key).second)
                     {
                         scanner.fail_at(place, "'" + key + "' is there twice");
                     }
                     f(std::move(key), place);
                 });
}

Entry read_entry(Scanner& scanner, std::string name, std::size_t place)
{
    Entry entry{std::move(name), {}, {}, 0, 0};
    std::optional<std::array<std::size_t, 2>> offsets;
    std::optional<Shape> shape;
    members(scanner,
            [&](const std::string& key, std::size_t key_place)
            {
                if (key == "dtype")
                {
                    entry.type = detail::read_json_string(scanner);
                }
                else if (key == "shape")
                {
                    shape = scanner.shape('[', ']', Comma::parts);
                }
                else if (key == "data_offsets")
                {
                    scanner.expect('[');
                    const std::size_t begin = scanner.integer();
                    scanner.expect(',');
                    offsets = {begin, scanner.integer()};
                    scanner.expect(']');
                }
                else
                {
                    scanner.fail_at(key_place, "'" + key + "' is not known");
                }
            });
    if (entry.type.empty() || !shape || !offsets)
    {
        scanner.fail_at(place, named(entry) + " has not all of dtype, shape and data_offsets");
    }
    entry.shape = *shape;
    entry.begin = (*offsets)[0];
    entry.end = (*offsets)[1];
    return entry;
}

Header read_header(std::string_view content, const File& file)
{
    constexpr const char* kind = "safetensors file";
    const auto bytes = [](std::size_t count) { return std::to_string(count) + " bytes"; };
    if (content.size() < length_size)
    {
        file.fail("is not a safetensors file: it holds " + bytes(content.size()) + ", and 8 are its header's length");
    }
    const std::size_t length = detail::little_endian(content.substr(0, length_size));
    if (length > largest_header)
    {
        const bool swapped = __builtin_bswap64(length) <= largest_header;
        file.fail("is not a safetensors file: its first 8 bytes announce a header of " + bytes(length) + ": " +
                      std::to_string(largest_header) + " are the most",
                  swapped ? "They are big-endian: write the file little-endian." : "");
    }
    if (length > content.size() - length_size)
    {
        file.fail("is truncated: its header of " + bytes(length) + " ends at byte " +
                  std::to_string(length_size + length) + ", the file at byte " + std::to_string(content.size()));
    }
    const std::string_view text = content.substr(length_size, length);
    Scanner scanner(text, length_size, kind, file);
    if (!text.starts_with('{'))
    {
        scanner.fail("'{' was expected");
    }
    if (!detail::is_utf8(text))
    {
        scanner.fail("it is not UTF-8");
    }
    Header header;
    header.size = length_size + length;
    members(scanner,
            [&](std::string name, std::size_t place)
            {
                if (name == metadata_key)
                {
                    members(scanner, [&](std::string key, std::size_t)
                            { header.texts.emplace(std::move(key), detail::read_json_string(scanner)); });
                }
                else
                {
                    header.entries.push_back(read_entry(scanner, std::move(name), place));
                }
            });
    scanner.expect_end();
    return header;
}

/// The bytes of the tensors must fill the file from the header to the end, each one's as many as its type and shape need.
void check_offsets(const Header& header, std::size_t file_size, const File& file)
{
    std::vector<const Entry*> order;
    for (const Entry& entry : header.entries)
    {
        order.push_back(&entry);
    }
    std::sort(order.begin(), order.end(),
              [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
    std::size_t end = 0;
    const auto at = [&](std::size_t offset) { return "byte " + std::to_string(header.size + offset); };
    for (const Entry* entry : order)
    {
        const FileType* type = detail::find_safetensors_type(entry->type);
        if (type == nullptr)
        {
            file.fail("holds " + named(*entry) + " of type '" + entry->type + "', which is not read",
                      "F32, F64, integers and BOOL are.");
        }
        if (entry->begin > entry->end || entry->end > file_size - header.size)
        {
            file.fail("is truncated or damaged: " + named(*entry) + " is at " + std::to_string(entry->begin) + " to " +
                      std::to_string(entry->end) + " of the " + std::to_string(file_size - header.size) +
                      " bytes that follow the header");
        }
        const std::optional<std::size_t> wanted = detail::bytes_of(entry->shape, type->size);
        if (wanted != entry->end - entry->begin)
        {
            file.fail("is damaged: " + named(*entry) + " of type " + entry->type + " and shape " +
                      to_string(entry->shape) + " does not take the " + std::to_string(entry->end - entry->begin) +
                      " bytes at " + at(entry->begin));
        }
        if (entry->begin != end)
        {
            file.fail("is damaged: " + named(*entry) + " begins at " + at(entry->begin) +
                      ", what is before it ends at " + at(end));
        }
        end = entry->end;
    }
    if (header.size + end != file_size)
    {
        file.fail("is damaged: its tensors end at " + at(end) + ", the file at byte " + std::to_string(file_size));
    }
}

void check_names(const std::vector<NamedArray>& arrays, const Archive::Texts& texts, const File& file)
{
    const auto check = [&](const std::string& text, const char* what)
    {
        if (!detail::is_utf8(text))
        {
            throw ValueError(file.operation, std::string(what) + " is not UTF-8", file.location);
        }
    };
    std::set<std::string_view> names{metadata_key};
    for (const auto& [name, array] : arrays)
    {
        check(name, "a name");
        if (!names.insert(name).second)
        {
            throw ValueError(file.operation,
                             "'" + name + "' " + (name == metadata_key ? "is the format's own name" : "is there twice"),
                             file.location, "Give each array a name of its own.");
        }
    }
    for (const auto& [key, text] : texts)
    {
        check(key, "the name of a text");
        check(text, "a text");
    }
}

std::string join(const std::vector<std::string>& parts)
{
    std::string text;
    for (const std::string& part : parts)
    {
        text += (text.empty() ? "" : ",") + part;
    }
    return text;
}

std::string extents(const Shape& shape)
{
    std::vector<std::string> parts;
    std::transform(shape.begin(), shape.end(), std::back_inserter(parts),
                   [](std::size_t n) { return std::to_string(n); });
    return "[" + join(parts) + "]";
}

std::string header_of(const std::vector<const NamedArray*>& arrays, const Archive::Texts& texts)
{
    std::vector<std::string> parts;
    if (!texts.empty())
    {
        std::vector<std::string> pairs;
        for (const auto& [key, text] : texts)
        {
            pairs.push_back(detail::to_json(key) + ":" + detail::to_json(text));
        }
        parts.push_back(detail::to_json(metadata_key) + ":{" + join(pairs) + "}");
    }
    std::size_t place = 0;
    for (const NamedArray* entry : arrays)
    {
        const Array& array = entry->array;
        const std::size_t end = place + array.bytes().size();
        parts.push_back(detail::to_json(entry->name) + ":{\"dtype\":\"" +
                        std::string(detail::file_type(array.type()).safetensors) +
                        "\",\"shape\":" + extents(array.shape()) + ",\"data_offsets\":[" + std::to_string(place) + "," +
                        std::to_string(end) + "]}");
        place = end;
    }
    std::string header = "{" + join(parts) + "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    return detail::to_little_endian(header.size(), length_size) + header;
}

}

void save_safetensors(const std::string& path, const std::vector<NamedArray>& arrays, const Archive::Texts& texts,
                      Location location)
{
    const File file{path, "save_safetensors", location};
    check_names(arrays, texts, file);
    std::vector<const NamedArray*> order(arrays.size());
    std::transform(arrays.begin(), arrays.end(), order.begin(), [](const NamedArray& array) { return &array; });
    // The widest elements first, so that all are aligned.
    std::stable_sort(order.begin(), order.end(),
                     [](const NamedArray* a, const NamedArray* b)
                     { return size_of(a->array.type()) > size_of(b->array.type()); });

    detail::Replacement replacement(file);
    replacement.write(header_of(order, texts));
    for (const NamedArray* entry : order)
    {
        replacement.write(entry->array.bytes());
    }
    replacement.commit();
}

Archive load_safetensors(const std::string& path, Location location)
{
    const File file{path, "load_safetensors", location};
    const std::string content = detail::content_of(file);
    Header header = read_header(content, file);
    check_offsets(header, content.size(), file);
    std::vector<NamedArray> arrays;
    for (Entry& entry : header.entries)
    {
        const std::string_view elements =
            std::string_view(content).substr(header.size + entry.begin, entry.end - entry.begin);
        arrays.push_back({entry.name, detail::read_elements(*detail::find_safetensors_type(entry.type), entry.shape,
                                                            elements, named(entry), file)});
    }
    return Archive(path, std::move(arrays), std::move(header.texts));
}

}
