#include <autograd/error.hpp>
#include <autograd/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
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

using Clock = std::chrono::steady_clock;

/// What it takes to wake a thread, at most; so long one stays awake when it has nothing to do.
constexpr std::chrono::microseconds waking(40);

/// Waits, without giving the processor away, until `ready`, but no longer than it takes to be woken. Whoever computes large
/// arrays has the next job at once.
template <class F>
void spin(const F& ready)
{
    const auto begin = Clock::now();
    do
    {
        for (int k = 0; k < 16; ++k)
        {
            if (ready())
            {
                return;
            }
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#endif
        }
    } while (Clock::now() - begin < waking);
}

/// Workers that share one job at a time, and sleep when there is none. To give a job to one who is awake takes no lock, and
/// as few ways of a cache line from one processor to the other as can be: there to see it and to take a piece, and back when
/// it is done.
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

    /// How many work or look for work.
    std::size_t awake() const noexcept { return awake_.load(std::memory_order_relaxed); }

    /// Whether there is a processor for each thread, so that one that looks for work takes none from one that works.
    bool look() const noexcept { return size() <= processors_; }

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
        while (threads_.size() + 1 < size())
        {
            ++awake_;
            threads_.emplace_back([this] { work(); });
        }
        const bool wakes = pieces > 1 + awake();
        job_ = {&task, piece, count, pieces};
        // No fence: should a thread fall asleep just now, this one takes its pieces.
        unfinished_.store(pieces, std::memory_order_relaxed);
        untaken_.store({untaken_.load().job + 1, static_cast<std::uint32_t>(pieces - 1)}, std::memory_order_release);
        if (wakes)
        {
            const std::lock_guard lock(mutex_);
            wake_.notify_all();
        }
        works_on_piece = true;
        if (!run_piece(0))
        {
            take_pieces();
        }
        works_on_piece = false;
        const auto done = [this] { return unfinished_ == 0; };
        if (look())
        {
            spin(done);
        }
        if (!done())
        {
            std::unique_lock lock(mutex_);
            waits_ = true;
            done_.wait(lock, done);
            waits_ = false;
        }
        return true;
    }

private:
    struct Job
    {
        const Task* task;
        std::size_t piece;
        std::size_t count;
        std::size_t pieces;
    };

    /// The pieces of a job that nobody has taken yet. With its number, as one who comes late must not take one of the next
    /// job for one of the last. Aligned, as clang would else call a function of libatomic.
    struct alignas(8) Untaken
    {
        std::uint32_t job;
        std::uint32_t pieces;
    };

    /// Whether it was the last to be finished.
    bool run_piece(std::size_t index)
    {
        const std::size_t begin = index * job_.piece;
        (*job_.task)(begin, std::min(job_.count, begin + job_.piece));
        const bool last = --unfinished_ == 0;
        if (last && waits_)
        {
            const std::lock_guard lock(mutex_);
            done_.notify_one();
        }
        return last;
    }

    void take_pieces()
    {
        Untaken seen = untaken_;
        while (seen.pieces > 0)
        {
            if (untaken_.compare_exchange_weak(seen, {seen.job, seen.pieces - 1}))
            {
                run_piece(job_.pieces - seen.pieces);
                seen = untaken_;
            }
        }
    }

    void work()
    {
        works_on_piece = true;
        const auto ready = [this] { return stopping_ || untaken_.load().pieces > 0; };
        while (!stopping_)
        {
            if (look())
            {
                spin(ready);
            }
            if (!ready())
            {
                std::unique_lock lock(mutex_);
                --awake_;
                wake_.wait(lock, ready);
                ++awake_;
            }
            take_pieces();
        }
    }

    void stop()
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_)
        {
            thread.join();
        }
        threads_.clear();
        awake_ = 0;
        stopping_ = false;
    }

    std::mutex turn_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::thread> threads_;
    const std::size_t processors_ = std::max(1U, std::thread::hardware_concurrency());
    std::atomic<std::size_t> size_ = processors_;
    // What changes from one to the other processor together shares a cache line.
    alignas(64) Job job_ = {};
    std::atomic<Untaken> untaken_ = Untaken{};
    std::atomic<bool> stopping_ = false;
    alignas(64) std::atomic<std::size_t> unfinished_ = 0;
    std::atomic<bool> waits_ = false;
    alignas(64) std::atomic<std::size_t> awake_ = 0;
};

/// What this thread has missed because others slept, while it did one short loop after another: when that is more than waking
/// costs, it is worth it, though no loop alone is.
class Missed
{
public:
    bool enough()
    {
        if (Clock::now() - last_ > waking)
        {
            sum_ = {};
        }
        return sum_ > waking;
    }

    void add(Clock::time_point begin, Clock::time_point end)
    {
        sum_ += (end - begin) / 2;
        last_ = end;
    }

private:
    Clock::time_point last_;
    Clock::duration sum_ = {};
};

constinit thread_local Missed missed;

}

void run_in_pieces(std::size_t count, Grain grain, Task task)
{
    Workers& workers = Workers::instance();
    const std::size_t size = works_on_piece ? 1 : workers.size();
    const std::size_t parts = std::min(size, count / grain.least_awake());
    if (parts <= 1)
    {
        task(0, count);
        return;
    }
    const auto share = [&](std::size_t threads)
    {
        const std::size_t units = (count + grain.unit - 1) / grain.unit;
        const std::size_t piece = (units + threads - 1) / threads * grain.unit;
        return workers.run((count + piece - 1) / piece, piece, count, task);
    };
    const std::size_t threads = std::max(std::min(size, count / grain.least), std::min(parts, 1 + workers.awake()));
    if (threads > 1)
    {
        if (!share(threads))
        {
            task(0, count);
        }
    }
    else if (!workers.look() || !missed.enough() || !share(parts))
    {
        const auto begin = Clock::now();
        task(0, count);
        missed.add(begin, Clock::now());
    }
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
