#include <optim/loop/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace optim
{

namespace
{

bool is_terminal(const std::ostream& out)
{
    return (&out == &std::cout && ::isatty(STDOUT_FILENO) == 1) || (&out == &std::cerr && ::isatty(STDERR_FILENO) == 1);
}

std::size_t terminal_width(const std::ostream& out)
{
    winsize size{};
    const int descriptor = &out == &std::cerr ? STDERR_FILENO : STDOUT_FILENO;
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

template <class... A>
std::string format(const char* pattern, A... arguments)
{
    char text[64];
    std::snprintf(text, sizeof text, pattern, arguments...);
    return text;
}

std::string clock_time(double seconds)
{
    if (!(seconds < 1e7))
    {
        return "?";
    }
    const long whole = std::lround(seconds);
    return whole < 3600 ? format("%ld:%02ld", whole / 60, whole % 60)
                        : format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string speed(double rate, const std::string& unit)
{
    return (rate < 10       ? format("%.2g ", rate)
            : rate < 10'000 ? format("%.0f ", rate)
                            : format("%.0fk ", rate / 1000)) +
           unit + "/s";
}

std::string shown(const Figure& figure)
{
    return std::string(figure.name).append(" ") +
           (figure.unit == Unit::percent ? format("%.1f %%", 100 * figure.value) : format("%.4g", figure.value)) + "  ";
}

std::string shown(const std::vector<Figure>& figures)
{
    std::string text;
    for (const Figure& figure : figures)
    {
        text += shown(figure);
    }
    return text;
}

std::string bar(double fraction, std::size_t width)
{
    const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0., 1.) * static_cast<double>(width));
    return std::string("[").append(filled, '#').append(width - filled, '.').append("] ");
}

}

Progress::Progress(ProgressOptions options) : Progress(std::move(options), std::cout) {}

Progress::Progress(ProgressOptions options, std::ostream& out)
    : options_(std::move(options)), out_(&out), terminal_(options_.terminal.value_or(is_terminal(out))),
      interval_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(options_.seconds.value_or(terminal_ ? 0.1 : 5)))),
      shown_(Clock::now())
{
}

void Progress::start_epoch(std::size_t epoch, std::size_t done)
{
    epoch_ = epoch;
    done_ = done_before_ = done;
    start_ = now_ = Clock::now();
}

double Progress::steps_a_second() const
{
    const std::chrono::duration<double> elapsed = now_ - start_;
    return static_cast<double>(done_ - std::min(done_, done_before_)) / std::max(elapsed.count(), 1e-9);
}

std::string Progress::start_of_line() const
{
    const std::string epochs = std::to_string(options_.epochs);
    const std::string epoch = std::to_string(epoch_);
    return "epoch " + std::string(epochs.size() - std::min(epochs.size(), epoch.size()), ' ') + epoch + "/" + epochs +
           "  ";
}

void Progress::show(const std::string& line, const char* end)
{
    *out_ << (terminal_ ? "\r" : "") << line << (terminal_ ? "\x1b[K" : "") << end << std::flush;
    shown_ = Clock::now();
}

void Progress::update(std::size_t done, const std::vector<Figure>& figures)
{
    done_ = done;
    now_ = Clock::now();
    if (now_ - shown_ < interval_)
    {
        return;
    }
    const double rate = steps_a_second();
    const double all = static_cast<double>(options_.steps);
    const double fraction = static_cast<double>(done) / all;
    const double left =
        (static_cast<double>(options_.epochs) - static_cast<double>(epoch_) + 1 - fraction) * all / rate;
    const std::string start = start_of_line();
    const std::string end = format("%3.0f %%  ", 100 * fraction) + shown(figures) + speed(rate, options_.unit) + "  " +
                            clock_time(left) + " left";
    if (!terminal_)
    {
        show(start + end, "\n");
        return;
    }
    const std::size_t width = terminal_width(*out_) - 1;
    const std::size_t taken = start.size() + end.size() + 3;
    const std::size_t room = width > taken ? std::min<std::size_t>(width - taken, 30) : 0;
    show((start + (room < 5 ? "" : bar(fraction, room)) + end).substr(0, width), "");
}

void Progress::finish_epoch(const std::vector<Figure>& figures)
{
    now_ = Clock::now();
    show(start_of_line() + shown(figures) + speed(steps_a_second(), options_.unit), "\n");
}

}
