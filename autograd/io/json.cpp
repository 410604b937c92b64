#include <autograd/io/json.hpp>

#include <cstdint>
#include <cstdio>

namespace autograd::detail
{

namespace
{

void append_utf8(std::string& text, std::uint32_t code)
{
    const auto continuation = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80)
    {
        text += static_cast<char>(code);
    }
    else if (code < 0x800)
    {
        text += static_cast<char>(0xc0 | code >> 6);
        continuation(0);
    }
    else if (code < 0x10000)
    {
        text += static_cast<char>(0xe0 | code >> 12);
        continuation(6);
        continuation(0);
    }
    else
    {
        text += static_cast<char>(0xf0 | code >> 18);
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

std::uint32_t read_hexadecimal(Scanner& scanner)
{
    constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF";
    std::uint32_t value = 0;
    for (int k = 0; k < 4; ++k)
    {
        const std::size_t place = scanner.place();
        const std::size_t digit = digits.find(scanner.next());
        if (digit == std::string_view::npos)
        {
            scanner.fail_at(place, "a hexadecimal digit was expected");
        }
        value = value << 4 | (digit & 15);
    }
    return value;
}

std::uint32_t read_code(Scanner& scanner)
{
    const std::size_t place = scanner.place();
    const std::uint32_t first = read_hexadecimal(scanner);
    if (first < 0xd800 || first > 0xdfff)
    {
        return first;
    }
    if (first < 0xdc00 && scanner.next() == '\\' && scanner.next() == 'u')
    {
        const std::uint32_t second = read_hexadecimal(scanner);
        if (second >= 0xdc00 && second <= 0xdfff)
        {
            return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
    }
    scanner.fail_at(place, "half a surrogate pair");
}

char unescaped(char escape, const Scanner& scanner)
{
    constexpr std::string_view escapes = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t k = escapes.find(escape);
    if (k == std::string_view::npos)
    {
        scanner.fail_at(scanner.place() - 1, "JSON has no such escape");
    }
    return meanings[k];
}

}

bool is_utf8(std::string_view text) noexcept
{
    for (std::size_t k = 0; k < text.size();)
    {
        const auto byte = [&](std::size_t place) -> std::uint32_t
        { return place < text.size() ? static_cast<unsigned char>(text[place]) : 0; };
        const std::uint32_t first = byte(k);
        const std::size_t length = first < 0x80       ? 1
                                   : first >> 5 == 6  ? 2
                                   : first >> 4 == 14 ? 3
                                   : first >> 3 == 30 ? 4
                                                      : 0;
        std::uint32_t code = length == 1 ? first : first & (0x7fu >> length);
        for (std::size_t next = k + 1; next < k + length; ++next)
        {
            if (byte(next) >> 6 != 2)
            {
                return false;
            }
            code = code << 6 | (byte(next) & 0x3f);
        }
        constexpr std::uint32_t least[] = {1, 0, 0x80, 0x800, 0x10000};
        if (length == 0 || code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        {
            return false;
        }
        k += length;
    }
    return true;
}

std::string to_json(std::string_view text)
{
    std::string json = "\"";
    for (const char c : text)
    {
        if (static_cast<unsigned char>(c) < 0x20)
        {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            json += escape;
        }
        else
        {
            json += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
        }
    }
    return json + '"';
}

std::string read_json_string(Scanner& scanner)
{
    scanner.expect('"');
    std::string text;
    while (true)
    {
        const std::size_t place = scanner.place();
        char c = scanner.next();
        if (c == '"')
        {
            return text;
        }
        if (static_cast<unsigned char>(c) < 0x20)
        {
            scanner.fail_at(place, "a control character in a string");
        }
        if (c != '\\')
        {
            text += c;
            continue;
        }
        c = scanner.next();
        if (c == 'u')
        {
            append_utf8(text, read_code(scanner));
        }
        else
        {
            text += unescaped(c, scanner);
        }
    }
}

}
