#include <autograd/error.hpp>
#include <autograd/parallel.hpp>

#include <algorithm>
#include <atomic>
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

/// Sleeping workers that share one job at a time.
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
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return unfinished_ == 0 && busy_ == 0; });
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
        std::unique_lock lock(mutex_);
        while (true)
        {
            wake_.wait(lock, [this] { return stopping_ || next_ < pieces_; });
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
    std::atomic<std::size_t> size_ = std::max(1U, std::thread::hardware_concurrency());
    const Task* task_ = nullptr;
    std::size_t piece_ = 0;
    std::size_t count_ = 0;
    std::atomic<std::size_t> pieces_ = 0;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<std::size_t> unfinished_ = 0;
    std::size_t busy_ = 0;
    bool stopping_ = false;
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
