#include <samples/plot.hpp>

#include <autograd/io.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace samples
{

namespace fs = std::filesystem;

namespace
{

std::ostringstream number_stream()
{
    std::ostringstream out;
    out.precision(10);
    return out;
}

/// Writes the numbers, and tells what has become of the picture of them.
template <class F>
void write(const fs::path& folder, const std::string& name, const std::string& csv, const F& draw)
{
    fs::create_directories(folder);
    const std::string table = (folder / (name + ".csv")).string();
    const std::string picture = (folder / (name + ".png")).string();
    autograd::replace_file(table, csv);
    switch (draw(picture))
    {
    case optim::Drawing::done:
        std::cout << "wrote " << picture << " and " << table << "\n";
        break;
    case optim::Drawing::not_installed:
        std::cout << "wrote " << table << "\n"
                  << "note: gnuplot is not installed, so there is no " << picture
                  << " (Debian: apt-get install gnuplot-nox)\n";
        break;
    case optim::Drawing::failed:
        std::cout << "wrote " << table << "\nnote: gnuplot could not write " << picture << "\n";
        break;
    }
}

}

void draw_curves(const fs::path& folder, const std::string& name, const std::vector<Panel>& panels)
{
    std::ostringstream csv = number_stream();
    csv << "panel,curve,x,y\n";
    for (const Panel& panel : panels)
    {
        for (const Curve& curve : panel.curves)
        {
            for (const auto& [x, y] : curve.points)
            {
                csv << panel.title << "," << curve.name << "," << x << "," << y << "\n";
            }
        }
    }
    write(folder, name, csv.str(), [&](const std::string& picture) { return optim::draw(picture, panels); });
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

    csv << "descent,point," << surface.a_label << "," << surface.b_label << "," << surface.value_label << "\n";
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
              << optim::gnuplot_text(descent.name);
    }
    script << "set multiplot layout 1,2 title " << optim::gnuplot_text(surface.title) << " font ',15'\n"
           << "set xrange [" << surface.a_range[0] << ":" << surface.a_range[1] << "]\n"
           << "set yrange [" << surface.b_range[0] << ":" << surface.b_range[1] << "]\n"
           << "set xlabel " << optim::gnuplot_text(surface.a_label) << "\nset ylabel "
           << optim::gnuplot_text(surface.b_label) << "\n"
           << "set zlabel " << optim::gnuplot_text(surface.value_label)
           << " rotate parallel\nset border 31 lc rgb '#606060'\nset xyplane 0\nunset colorbox\n"
           << "set view 44," << surface.rotation << "\nset pm3d scansautomatic border lc rgb '#90ffffff' lw 0.3\n"
           << "set key at screen 0.02,0.97 left Left reverse\n"
           << "splot $surface with pm3d notitle" << plots.str() << "\n"
           << "set view map\nunset zlabel\nunset grid\nunset key\nset pm3d noborder interpolate 4,4\n"
           << "set colorbox\nset cblabel " << optim::gnuplot_text(surface.value_label) << "\n"
           << "splot $surface with pm3d notitle" << plots.str() << "\n"
           << "unset multiplot\n";
    write(folder, name, csv.str(),
          [&](const std::string& picture)
          { return optim::run_gnuplot(picture, script.str(), {.width = 1400, .height = 640}); });
}

}
