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

void run_in_pieces(std::size_t count, std::size_t grain, Task task);

/// Calls task(begin, end) for pieces that cover [0, count), each but the last a multiple of `grain` long, on as many
/// threads as there are such pieces. Which piece runs where decides no result. Tasks do not throw.
template <class F>
void parallel_for(std::size_t count, std::size_t grain, const F& task)
{
    if (count <= grain)
    {
        task(std::size_t{0}, count);
    }
    else
    {
        run_in_pieces(count, grain, task);
    }
}

}

}
