#include <samples/plot.hpp>

#include <autograd/io.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <limits>
#include <sstream>

#include <sys/wait.h>

namespace samples
{

namespace fs = std::filesystem;

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

std::ostringstream number_stream()
{
    std::ostringstream out;
    out.precision(10);
    return out;
}

std::string quoted(const std::string& text)
{
    std::string result = "'";
    for (const char c : text)
    {
        result += c == '\'' ? std::string("''") : std::string(1, c);
    }
    return result + "'";
}

enum class Drawing
{
    done,
    not_installed,
    failed
};

Drawing run_gnuplot(const std::string& script)
{
    // Should gnuplot end early, writing to it must give an error and not a signal that ends this program.
    auto* const previous = std::signal(SIGPIPE, SIG_IGN);
    int status = -1;
    if (std::FILE* pipe = ::popen("command -v gnuplot >/dev/null 2>&1 || exit 127; exec gnuplot", "w"))
    {
        std::fwrite(script.data(), 1, script.size(), pipe);
        status = ::pclose(pipe);
    }
    std::signal(SIGPIPE, previous);
    if (status == 0)
    {
        return Drawing::done;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? Drawing::not_installed : Drawing::failed;
}

void write(const fs::path& folder, const std::string& name, const std::string& csv, int width, int height,
           const std::string& script)
{
    fs::create_directories(folder);
    const fs::path table = folder / (name + ".csv");
    const fs::path picture = folder / (name + ".png");
    autograd::replace_file(table, csv);
    std::ostringstream start;
    start << "set encoding utf8\nset terminal pngcairo size " << width << "," << height << " font ',12'\nset output "
          << quoted(picture.string()) << "\n"
          << style;
    switch (run_gnuplot(start.str() + script))
    {
    case Drawing::done:
        std::cout << "wrote " << picture.string() << " and " << table.string() << "\n";
        break;
    case Drawing::not_installed:
        std::cout << "wrote " << table.string() << "\n"
                  << "note: gnuplot is not installed, so there is no " << picture.string()
                  << " (Debian: apt-get install gnuplot-nox)\n";
        break;
    case Drawing::failed:
        std::cout << "wrote " << table.string() << "\nnote: gnuplot could not write " << picture.string() << "\n";
        break;
    }
}

}

void draw_curves(const fs::path& folder, const std::string& name, const std::vector<Panel>& panels)
{
    std::ostringstream csv = number_stream();
    std::ostringstream script = number_stream();
    csv << "panel,curve,x,y\n";
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
                csv << panel.title << "," << curve.name << "," << x << "," << y << "\n";
                script << x << " " << y << "\n";
            }
            script << "EOD\n";
            const bool few = curve.points.size() <= 60;
            plots << (plots.tellp() == 0 ? "plot " : ", ") << "$curve" << block << " using 1:2 with "
                  << (few ? "linespoints pt 7 ps 0.6" : "lines") << " lw 2 title " << quoted(curve.name);
            ++block;
        }
        script << "set title " << quoted(panel.title) << "\nset xlabel " << quoted(panel.x_label) << "\nset ylabel "
               << quoted(panel.y_label)
               // gnuplot complains of a range of nothing.
               << "\nset xrange [" << (low < high ? low : low - 1) << ":" << (low < high ? high : high + 1) << "]\n"
               << (panel.logarithmic ? "set logscale y\nset format y '10^{%T}'\n" : "unset logscale y\nset format y\n")
               << plots.str() << "\n";
    }
    script << "unset multiplot\n";
    const int width = panels.size() > 1 ? 640 * static_cast<int>(panels.size()) : 800;
    write(folder, name, csv.str(), width, 520, script.str());
}

void draw_surface(const fs::path& folder, const std::string& name, const Surface& surface)
{
    constexpr int cells = 48;
    std::ostringstream csv = number_stream();
    std::ostringstream script = number_stream();
    script << "$surface << EOD\n";
    for (int i = 0; i <= cells; ++i)
    {
        for (int j = 0; j <= cells; ++j)
        {
            const double a = std::lerp(surface.a_range[0], surface.a_range[1], static_cast<double>(i) / cells);
            const double b = std::lerp(surface.b_range[0], surface.b_range[1], static_cast<double>(j) / cells);
            script << a << " " << b << " " << surface.loss(a, b) << "\n";
        }
        script << "\n";
    }
    script << "EOD\n";

    csv << "descent,point," << surface.a_label << "," << surface.b_label << ",loss\n";
    std::ostringstream plots;
    for (std::size_t k = 0; k < surface.descents.size(); ++k)
    {
        const Curve& descent = surface.descents[k];
        script << "$descent" << k << " << EOD\n";
        for (std::size_t point = 0; point < descent.points.size(); ++point)
        {
            const auto& [a, b] = descent.points[point];
            const double loss = surface.loss(a, b);
            csv << descent.name << "," << point << "," << a << "," << b << "," << loss << "\n";
            script << a << " " << b << " " << loss << "\n";
        }
        script << "EOD\n";
        plots << ", $descent" << k << " using 1:2:3 with linespoints lt " << k + 1 << " lw 2 pt 7 ps 0.7 title "
              << quoted(descent.name);
    }
    script << "set multiplot layout 1,2 title " << quoted(surface.title) << " font ',15'\n"
           << "set xrange [" << surface.a_range[0] << ":" << surface.a_range[1] << "]\n"
           << "set yrange [" << surface.b_range[0] << ":" << surface.b_range[1] << "]\n"
           << "set xlabel " << quoted(surface.a_label) << "\nset ylabel " << quoted(surface.b_label) << "\n"
           << "set zlabel 'loss' rotate parallel\nset border 31 lc rgb '#606060'\nset xyplane 0\nunset colorbox\n"
           << "set view 44," << surface.rotation << "\nset pm3d scansautomatic border lc rgb '#90ffffff' lw 0.3\n"
           << "set key at screen 0.02,0.97 left Left reverse\n"
           << "splot $surface with pm3d notitle" << plots.str() << "\n"
           << "set view map\nunset zlabel\nunset grid\nunset key\nset pm3d noborder interpolate 4,4\n"
           << "set colorbox\nset cblabel 'loss'\n"
           << "splot $surface with pm3d notitle" << plots.str() << "\n"
           << "unset multiplot\n";
    write(folder, name, csv.str(), 1400, 640, script.str());
}

}
