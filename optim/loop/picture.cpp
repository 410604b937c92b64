#include <optim/loop/picture.hpp>

#include <autograd/error.hpp>
#include <optim/state_visitor.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <sstream>

#include <sys/wait.h>

namespace optim
{

namespace
{

constexpr const char* style = R"(
set encoding utf8
set border 3 lc rgb '#606060'
set tics nomirror
set key above
set grid lc rgb '#d8d8d8'
set linetype 1 lc rgb '#d62728'
set linetype 2 lc rgb '#1f77b4'
set linetype 3 lc rgb '#2ca02c'
set linetype 4 lc rgb '#9467bd'
set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')
)";

}

std::string gnuplot_text(const std::string& text)
{
    std::string quoted = "'";
    for (const char c : text)
    {
        // Two quotes in a row, each doubled, are more than gnuplot 5.4 can read.
        quoted += c == '\'' ? std::string("'.\"'\".'") : std::string(1, c);
    }
    return quoted + "'";
}

Drawing run_gnuplot(const std::string& path, const std::string& script, DrawingSize size)
{
    // Whoever looks at the picture meanwhile sees the one before.
    const std::string partial = path + ".partial";
    std::ostringstream whole;
    whole << "set encoding utf8\nset terminal pngcairo size " << size.width << "," << size.height
          << " font ',12'\nset output " << gnuplot_text(partial) << "\n"
          << style << script;
    // Should gnuplot end early, writing to it must give an error and not a signal that ends this program.
    auto* const previous = std::signal(SIGPIPE, SIG_IGN);
    int status = -1;
    if (std::FILE* pipe = ::popen("command -v gnuplot >/dev/null 2>&1 || exit 127; exec gnuplot >/dev/null 2>&1", "w"))
    {
        const std::string text = whole.str();
        std::fwrite(text.data(), 1, text.size(), pipe);
        status = ::pclose(pipe);
    }
    std::signal(SIGPIPE, previous);
    std::error_code error;
    if (status == 0)
    {
        std::filesystem::rename(partial, path, error);
        return error ? Drawing::failed : Drawing::done;
    }
    std::filesystem::remove(partial, error);
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? Drawing::not_installed : Drawing::failed;
}

Drawing draw(const std::string& path, const std::vector<Panel>& panels)
{
    std::ostringstream script;
    script.precision(10);
    script << "set multiplot layout 1," << panels.size() << "\n";
    int block = 0;
    for (const Panel& panel : panels)
    {
        std::ostringstream plots;
        double low = std::numeric_limits<double>::infinity();
        double high = -low;
        for (const Curve& curve : panel.curves)
        {
            script << "$curve" << block << " << EOD\n";
            for (const auto& [x, y] : curve.points)
            {
                low = std::min(low, x);
                high = std::max(high, x);
                script << x << " " << y << "\n";
            }
            script << "EOD\n";
            const bool few = curve.points.size() <= 60;
            plots << (plots.tellp() == 0 ? "plot " : ", ") << "$curve" << block << " using 1:2 with "
                  << (few ? "linespoints pt 7 ps 0.6" : "lines") << " lw 2 title " << gnuplot_text(curve.name);
            ++block;
        }
        script << "set title " << gnuplot_text(panel.title) << "\nset xlabel " << gnuplot_text(panel.x_label)
               << "\nset ylabel "
               << gnuplot_text(panel.y_label)
               // gnuplot complains of a range of nothing.
               << "\nset xrange [" << (low < high ? low : low - 1) << ":" << (low < high ? high : high + 1) << "]\n"
               << (panel.logarithmic ? "set logscale y\nset format y '10^{%T}'\n" : "unset logscale y\nset format y\n")
               << plots.str() << "\n";
    }
    script << "unset multiplot\n";
    return run_gnuplot(path, script.str(), {panels.size() > 1 ? 640 * static_cast<int>(panels.size()) : 800, 520});
}

LossPicture::LossPicture(std::string path, LossPictureOptions options)
    : path_(std::move(path)), panel_{.title = std::move(options.title),
                                     .x_label = std::move(options.x_label),
                                     .y_label = std::move(options.y_label),
                                     .logarithmic = options.logarithmic},
      interval_(options.seconds)
{
}

void LossPicture::add(std::string_view curve, double x, double y)
{
    std::string name(curve);
    std::replace(name.begin(), name.end(), '\n', ' ');
    std::vector<Curve>& curves = panel_.curves;
    auto found = std::find_if(curves.begin(), curves.end(), [&](const Curve& one) { return one.name == name; });
    if (found == curves.end())
    {
        found = curves.insert(found, {std::move(name), {}});
    }
    found->points.push_back({x, y});
    if (std::chrono::steady_clock::now() - drawn_ >= interval_)
    {
        draw();
    }
}

Drawing LossPicture::draw()
{
    const Drawing drawing = optim::draw(path_, {panel_});
    drawn_ = std::chrono::steady_clock::now();
    return drawing;
}

void LossPicture::visit_state(StateVisitor& visitor)
{
    // How many curves there are depends on how far the training is: their names, a line each, and all their points.
    std::string names;
    std::vector<double> points;
    for (const Curve& curve : panel_.curves)
    {
        names += curve.name + "\n";
        points.push_back(static_cast<double>(curve.points.size()));
        for (const auto& [x, y] : curve.points)
        {
            points.insert(points.end(), {x, y});
        }
    }
    visitor.text("curves", names);
    visitor.numbers("points", points);

    std::vector<Curve> curves;
    std::istringstream lines(names);
    std::size_t place = 0;
    for (std::string name; std::getline(lines, name);)
    {
        Curve& curve = curves.emplace_back(Curve{name, {}});
        const double count = place < points.size() ? points[place++] : -1;
        const auto left = static_cast<double>((points.size() - place) / 2);
        if (!(count >= 0 && count <= left))
        {
            throw autograd::ValueError("LossPicture", "curve '" + name + "' has fewer points than it says", {});
        }
        for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k, place += 2)
        {
            curve.points.push_back({points[place], points[place + 1]});
        }
    }
    panel_.curves = std::move(curves);
}

}
