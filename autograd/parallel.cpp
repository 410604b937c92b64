#include <autograd/error.hpp>
#include <autograd/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace autograd
{

namespace detail
{

namespace
{

/// Whether this thread works on a piece: what it splits further, it does alone.
constinit thread_local bool works_on_piece = false;

/// Waits, without giving the processor away, until `ready`, but no longer than it takes to be woken. Whoever computes large
/// arrays has the next job at once.
template <class F>
void spin(const F& ready)
{
    constexpr std::chrono::microseconds longest(40);
    const auto begin = std::chrono::steady_clock::now();
    while (!ready() && std::chrono::steady_clock::now() - begin < longest)
    {
        for (int k = 0; k < 16; ++k)
        {
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#endif
        }
    }
}

/// Workers that share one job at a time, and sleep when there is none.
class Workers
{
public:
    static Workers& instance()
    {
        static Workers workers;
        return workers;
    }

    ~Workers() { stop(); }

    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

    void resize(std::size_t count)
    {
        std::unique_lock turn(turn_);
        stop();
        size_ = count;
    }

    /// False if another thread uses the workers just now.
    bool run(std::size_t pieces, std::size_t piece, std::size_t count, Task task)
    {
        std::unique_lock turn(turn_, std::try_to_lock);
        if (!turn)
        {
            return false;
        }
        {
            std::unique_lock lock(mutex_);
            while (threads_.size() + 1 < size())
            {
                threads_.emplace_back([this] { work(); });
            }
            task_ = &task;
            piece_ = piece;
            count_ = count;
            pieces_ = pieces;
            next_ = 0;
            unfinished_ = pieces;
        }
        wake_.notify_all();
        take_pieces();
        const auto done = [this] { return unfinished_ == 0 && busy_ == 0; };
        spin_if_free(done);
        std::unique_lock lock(mutex_);
        done_.wait(lock, done);
        pieces_ = 0;
        return true;
    }

private:
    void take_pieces()
    {
        works_on_piece = true;
        for (std::size_t index = next_++; index < pieces_; index = next_++)
        {
            const std::size_t begin = index * piece_;
            (*task_)(begin, std::min(count_, begin + piece_));
            --unfinished_;
        }
        works_on_piece = false;
    }

    void work()
    {
        const auto ready = [this] { return stopping_ || next_ < pieces_; };
        while (true)
        {
            spin_if_free(ready);
            std::unique_lock lock(mutex_);
            wake_.wait(lock, ready);
            if (stopping_)
            {
                return;
            }
            ++busy_;
            lock.unlock();
            take_pieces();
            lock.lock();
            --busy_;
            done_.notify_one();
        }
    }

    /// Spins if there is a processor for each thread: otherwise it would take that of a thread that works.
    template <class F>
    void spin_if_free(const F& ready) const
    {
        if (size() <= processors_)
        {
            spin(ready);
        }
    }

    void stop()
    {
        {
            std::unique_lock lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_)
        {
            thread.join();
        }
        threads_.clear();
        stopping_ = false;
    }

    std::mutex turn_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::thread> threads_;
    const std::size_t processors_ = std::max(1U, std::thread::hardware_concurrency());
    std::atomic<std::size_t> size_ = processors_;
    const Task* task_ = nullptr;
    std::size_t piece_ = 0;
    std::size_t count_ = 0;
    std::atomic<std::size_t> pieces_ = 0;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<std::size_t> unfinished_ = 0;
    std::atomic<std::size_t> busy_ = 0;
    std::atomic<bool> stopping_ = false;
};

}

void run_in_pieces(std::size_t count, Grain grain, Task task)
{
    const std::size_t threads = works_on_piece ? 1 : std::min(Workers::instance().size(), count / grain.least);
    if (threads > 1)
    {
        const std::size_t units = (count + grain.unit - 1) / grain.unit;
        const std::size_t piece = (units + threads - 1) / threads * grain.unit;
        if (Workers::instance().run((count + piece - 1) / piece, piece, count, task))
        {
            return;
        }
    }
    task(0, count);
}

}

void set_num_threads(std::size_t count)
{
    if (count == 0)
    {
        throw ValueError("set_num_threads", "needs at least one thread", {});
    }
    detail::Workers::instance().resize(count);
}

std::size_t num_threads() noexcept
{
    return detail::Workers::instance().size();
}

}
