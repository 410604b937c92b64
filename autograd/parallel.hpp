#pragma once

#include <cstddef>
#include <functional>

namespace autograd
{

/// How many threads a large operation may use, the caller's included; at first, as many as the machine has cores.
/// Results do not depend on it. Throws ValueError for 0.
void set_num_threads(std::size_t count);
std::size_t num_threads() noexcept;

namespace detail
{

/// A reference to a callable that outlives the call that takes it.
class Task
{
public:
    template <class F>
    Task(const F& task)
        : task_(&task),
          call_([](const void* f, std::size_t begin, std::size_t end) { (*static_cast<const F*>(f))(begin, end); })
    {
    }
    void operator()(std::size_t begin, std::size_t end) const { call_(task_, begin, end); }

private:
    const void* task_;
    void (*call_)(const void*, std::size_t, std::size_t);
};

/// How a loop may be split.
struct Grain
{
    /// A shorter piece is not worth waking a thread. That takes 10 to 40 us, so that the other may well be done meanwhile:
    /// halves of 60 us just break even, halves of 120 us gain 1.5.
    std::size_t least;
    /// All pieces but the last are a multiple of it.
    std::size_t unit = 1;

    /// A shorter piece is not worth a thread that is awake and looks for work: giving it one takes about a microsecond.
    constexpr std::size_t least_awake() const noexcept { return least < 8 ? 1 : least / 8; }
};

/// Elements of a short formula, at 0.3 to 1 ns each, that are worth waking a thread.
inline constexpr std::size_t elements_worth_a_thread = std::size_t{1} << 17;

void run_in_pieces(std::size_t count, Grain grain, Task task);

/// Calls task(begin, end) for pieces that cover [0, count), equal but for units, on as many threads as are worth it. Which
/// piece runs where decides no result. Tasks do not throw.
/// @{
template <class F>
void parallel_for(std::size_t count, Grain grain, const F& task)
{
    if (count / 2 < grain.least_awake())
    {
        task(std::size_t{0}, count);
    }
    else
    {
        run_in_pieces(count, grain, task);
    }
}

template <class F>
void parallel_for(std::size_t count, std::size_t least, const F& task)
{
    parallel_for(count, Grain{least}, task);
}
/// @}

}

}
