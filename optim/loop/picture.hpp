#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// Pictures of a training, drawn by gnuplot where it is installed.
namespace optim
{

class StateVisitor;

struct Curve
{
    std::string name;
    std::vector<std::array<double, 2>> points;
};

/// One diagram of a picture.
struct Panel
{
    std::string title = {};
    std::string x_label = {};
    std::string y_label = {};
    bool logarithmic = false;
    std::vector<Curve> curves = {};
};

enum class Drawing
{
    done,
    not_installed,  ///< gnuplot is not
    failed
};

struct DrawingSize
{
    int width = 800;
    int height = 520;
};

/// Draws a PNG by a script for gnuplot, after a common style.
Drawing run_gnuplot(const std::string& path, const std::string& script, DrawingSize size = {});

/// The panels side by side, as a PNG.
Drawing draw(const std::string& path, const std::vector<Panel>& panels);

/// A text as gnuplot quotes it.
std::string gnuplot_text(const std::string& text);

struct LossPictureOptions
{
    std::string title = {};
    std::string x_label = "step";
    std::string y_label = "loss";
    bool logarithmic = false;
    double seconds = 5;  ///< at least, between two drawings
};

/// A picture that is drawn anew while a training goes on, to be watched in a viewer that follows the file.
///
///     optim::LossPicture picture("loss.png");
///     ...
///     picture.add("training", epoch, loss);
///     picture.add("validation", epoch, validation_loss);
///     ...
///     picture.draw();
class LossPicture
{
public:
    explicit LossPicture(std::string path, LossPictureOptions options = {});

    /// Appends a point to a curve, which begins with its first point; draws unless it did so a moment ago. Where gnuplot is
    /// missing, nothing happens: a CsvLog keeps the numbers.
    void add(std::string_view curve, double x, double y);

    /// Draws now.
    Drawing draw();

    const std::vector<Curve>& curves() const noexcept { return panel_.curves; }
    void visit_state(StateVisitor& visitor);

private:
    std::string path_;
    Panel panel_;
    std::chrono::duration<double> interval_;
    std::chrono::steady_clock::time_point drawn_ = std::chrono::steady_clock::now();
};

}
