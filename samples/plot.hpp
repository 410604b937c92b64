#pragma once

#include <optim/loop/picture.hpp>

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// Pictures of a descent, drawn by gnuplot. Each is a PNG with its numbers in a CSV beside it. Where gnuplot is not
/// installed, a note says so and the CSV is all there is.
namespace samples
{

using optim::Curve;
using optim::Panel;

/// A loss over the plane of two parameters, and the ways that descents took on it; or any function, and points of it.
struct Surface
{
    std::string title;
    std::function<double(double, double)> loss;
    std::array<double, 2> a_range;
    std::array<double, 2> b_range;
    std::string a_label = "a";
    std::string b_label = "b";
    std::string value_label = "loss";
    int rotation = 38;            ///< about the axis of the loss, in degrees
    std::vector<Curve> descents;  ///< (a, b) after each step
};

/// Writes `folder/name.png` and `folder/name.csv`: the panels side by side.
void draw_curves(const std::filesystem::path& folder, const std::string& name, const std::vector<Panel>& panels);

/// Writes `folder/name.png`: the surface with the descents on it, in space and from above; and `folder/name.csv` with
/// the descents.
void draw_surface(const std::filesystem::path& folder, const std::string& name, const Surface& surface);

}
