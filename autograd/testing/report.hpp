#pragma once

#include <autograd/testing.hpp>

/// What the texts of reports are made of.
namespace autograd::testing::detail
{

std::string number(double x, int digits = 6);

std::vector<std::size_t> unravel(std::size_t flat, const Shape& shape);

/// `element (1, 2)`; nothing for a number, which has no index.
std::string element_text(const std::vector<std::size_t>& index);

/// `element (1, 2) of input 0`, where `what` is `input `.
std::string place_text(const char* what, std::size_t k, std::size_t flat, const Shape& shape);

}
