#pragma once

#include "mapping.hpp"

/// A computed array, as plain numbers.
struct Array
{
    std::string kind;  ///< "float", "int" or "bool"
    std::vector<std::size_t> shape;
    std::vector<double> elements;
};

/// What is compared of a case.
struct Results
{
    std::vector<Array> outputs;
    std::vector<Array> gradients;  ///< none if the case has none
    std::vector<Array> seconds;    ///< none if the case has none
};

/// What PyTorch computed.
Results expected(const Case& example);

/// What we compute, with elements of type T. `rounded`: of inputs that are rounded to float.
/// Throws Unsupported; whatever else comes out is a failure.
template <class T>
Results evaluate(const Mapping& mapping, const Case& example, bool rounded);

/// How near is near enough: |found - expected| <= atol + rtol max(|expected|, scale of the array).
struct Tolerance
{
    double rtol;
    double atol;
    bool by_array = false;  ///< whether the largest element of the array sets the scale
};

/// The first difference as text, or nothing.
std::string difference(const Results& found, const Results& expected, const Tolerance& tolerance);
