#include "case.hpp"

#include <zlib.h>

#include <limits>
#include <memory>
#include <stdexcept>

using nlohmann::json;

namespace
{

/// The file's text, decompressed.
std::string text_of(const std::filesystem::path& file)
{
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> stream(gzopen(file.c_str(), "rb"), &gzclose);
    if (stream == nullptr)
    {
        throw std::runtime_error("cannot open " + file.string());
    }
    std::string text;
    char block[1 << 16];
    int count;
    while ((count = gzread(stream.get(), block, sizeof block)) > 0)
    {
        text.append(block, static_cast<std::size_t>(count));
    }
    int status;
    const char* message = gzerror(stream.get(), &status);
    if (count < 0 || (status != Z_OK && status != Z_STREAM_END))
    {
        throw std::runtime_error("cannot read " + file.string() + ": " + message);
    }
    return text;
}

json member(const json& object, const char* key)
{
    const auto found = object.find(key);
    return found == object.end() ? json() : *found;
}

Case parse(const json& object)
{
    Case result;
    result.operation = object.at("op").get<std::string>();
    result.variant = object.at("variant").get<std::string>();
    result.number = object.at("case").get<int>();
    result.arguments = object.at("args");
    result.keywords = object.at("kwargs");
    result.outputs = object.at("outputs");
    result.cotangents = member(object, "cotangents");
    result.gradients = member(object, "grads");
    result.seconds = member(object, "seconds");
    return result;
}

void append_numbers(const json& data, std::vector<double>& numbers)
{
    if (!data.is_array())
    {
        numbers.push_back(number_of(data));
        return;
    }
    for (const json& element : data)
    {
        append_numbers(element, numbers);
    }
}

}

void for_each_line(const std::filesystem::path& file, const std::function<void(const json&)>& use)
{
    const std::string text = text_of(file);
    std::size_t begin = 0;
    for (std::size_t number = 1; begin < text.size(); ++number)
    {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        if (line.find_first_not_of(" \t\r") == std::string::npos)
        {
            continue;
        }
        try
        {
            use(json::parse(line));
        }
        catch (const json::exception& error)
        {
            throw std::runtime_error(file.string() + ", line " + std::to_string(number) + ": " + error.what());
        }
    }
}

std::vector<Case> read_cases(const std::filesystem::path& file)
{
    std::vector<Case> cases;
    for_each_line(file, [&](const json& object) { cases.push_back(parse(object)); });
    return cases;
}

bool is_tensor(const json& value)
{
    return value.is_object() && value.contains("shape");
}

double number_of(const json& value)
{
    if (value.is_boolean())
    {
        return value.get<bool>() ? 1 : 0;
    }
    if (!value.is_string())
    {
        return value.get<double>();
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text == "nan")
    {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (text == "inf" || text == "-inf")
    {
        return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    }
    throw std::invalid_argument("not a number: \"" + text + "\"");
}

std::vector<double> numbers_of(const json& tensor)
{
    std::vector<double> numbers;
    append_numbers(tensor.at("data"), numbers);
    return numbers;
}

std::vector<std::size_t> shape_of(const json& tensor)
{
    return tensor.at("shape").get<std::vector<std::size_t>>();
}
