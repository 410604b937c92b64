#pragma once

#include <autograd/io/scanner.hpp>

#include <string>
#include <string_view>

namespace autograd::detail
{

bool is_utf8(std::string_view text) noexcept;

/// A text, which must be UTF-8, as a JSON string.
std::string to_json(std::string_view text);

/// Reads a JSON string.
std::string read_json_string(Scanner& scanner);

}
