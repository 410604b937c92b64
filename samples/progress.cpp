#include <samples/progress.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace samples
{

namespace
{

std::size_t terminal_width()
{
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

template <class... A>
std::string format(const char* pattern, A... arguments)
{
    char text[160];
    std::snprintf(text, sizeof text, pattern, arguments...);
    return text;
}

std::string minutes(double seconds)
{
    const auto whole = static_cast<long>(seconds + 0.5);
    return format("%ld:%02ld", whole / 60, whole % 60);
}

std::string speed(double rate)
{
    return rate < 10'000 ? format("%.0f samples/s", rate) : format("%.0fk samples/s", rate / 1000);
}

std::string bar(double fraction, std::size_t width)
{
    const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(width));
    return std::string("[").append(filled, '#').append(width - filled, '.').append("]");
}

}

Progress::Progress(std::size_t epochs, std::size_t samples_per_epoch)
    : epochs_(epochs), samples_per_epoch_(samples_per_epoch), terminal_(::isatty(STDOUT_FILENO) == 1)
{
}

void Progress::start_epoch(std::size_t epoch)
{
    epoch_ = epoch;
    start_ = Clock::now();
}

double Progress::samples_a_second() const
{
    const std::chrono::duration<double> elapsed = now_ - start_;
    return static_cast<double>(samples_) / std::max(elapsed.count(), 1e-9);
}

void Progress::update(std::size_t samples, double loss, double accuracy)
{
    using namespace std::chrono_literals;
    samples_ = samples;
    loss_ = loss;
    accuracy_ = accuracy;
    now_ = Clock::now();
    if (now_ - shown_ < (terminal_ ? 100ms : 5000ms))
    {
        return;
    }
    shown_ = now_;
    const double fraction = static_cast<double>(samples) / static_cast<double>(samples_per_epoch_);
    const double rate = samples_a_second();
    const auto left = static_cast<double>((epochs_ - epoch_ + 1) * samples_per_epoch_ - samples);
    const std::string start = format("epoch %*zu/%zu  ", epochs_ > 9 ? 2 : 1, epoch_, epochs_);
    const std::string figures =
        format("%3.0f %%  loss %.4f  accuracy %.1f %%  ", 100 * fraction, loss, 100 * accuracy) + speed(rate) + "  " +
        minutes(left / rate) + " left";
    if (!terminal_)
    {
        std::printf("%s%s\n", start.c_str(), figures.c_str());
    }
    else
    {
        const std::size_t taken = start.size() + figures.size() + 4;
        const std::size_t room = terminal_width() > taken ? std::min<std::size_t>(terminal_width() - taken, 30) : 0;
        const std::string line = start + (room < 5 ? "" : bar(fraction, room) + " ") + figures;
        std::printf("\r%s\x1b[K", line.substr(0, terminal_width() - 1).c_str());
    }
    std::fflush(stdout);
}

void Progress::finish_epoch(double test_loss, double test_accuracy)
{
    std::printf("%sepoch %*zu/%zu  loss %.4f  accuracy %.2f %%  test loss %.4f  test accuracy %.2f %%  %s%s\n",
                terminal_ ? "\r" : "", epochs_ > 9 ? 2 : 1, epoch_, epochs_, loss_, 100 * accuracy_, test_loss,
                100 * test_accuracy, speed(samples_a_second()).c_str(), terminal_ ? "\x1b[K" : "");
    std::fflush(stdout);
    shown_ = Clock::now();
}

}
