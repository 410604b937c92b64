#include <autograd/io.hpp>
#include <optim/loop/log.hpp>
#include <optim/loop/picture.hpp>
#include <optim/loop/sampler.hpp>
#include <optim/loop/stopping.hpp>
#include <optim/sgd.hpp>
#include <optim/state.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

// Every reader of files gets every input: it reads it, or throws a FileError. For libFuzzer (-Dfuzzers=true with clang), or
// for corpus.cpp.

namespace ag = autograd;

namespace
{

void require(bool condition)
{
    if (!condition)
    {
        std::abort();
    }
}

/// A file in memory that has a path.
class MemoryFile
{
public:
    MemoryFile() : descriptor_(::memfd_create("input", 0)) { require(descriptor_ >= 0); }

    std::string hold(const std::uint8_t* data, std::size_t size) const
    {
        require(::ftruncate(descriptor_, 0) == 0);
        require(::pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size));
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

private:
    int descriptor_;
};

/// A state with a part of every sort; one as it begins, and one as it is after a step.
struct Training
{
    ag::Variable<float> w{xt::xarray<float>{{1, 2}, {3, 4}}};
    ag::Variable<double> b{0.5};
    optim::SGD sgd{{w, b}, {.lr = 0.1, .momentum = 0.9}};
    optim::Sampler batches{10, {.batch_size = 3}};
    optim::EarlyStopping stopping;
    optim::CsvLog log{"log.csv"};
    optim::LossPicture picture{"loss.png", {.seconds = 1e9}};
    ag::Generator generator;
    int epoch = 1;
    double loss = 2;
    std::string note = "begun";
    std::vector<double> losses{1, 2};
    optim::State state{{"w", w},
                       {"b", b},
                       {"sgd", sgd},
                       {"batches", batches},
                       {"stopping", stopping},
                       {"log", log},
                       {"picture", picture},
                       {"generator", generator},
                       {"epoch", epoch},
                       {"loss", loss},
                       {"note", note},
                       {"losses", losses}};

    bool as_it_began() const
    {
        return w.data()[0] == 1 && w.data()[3] == 4 && b.item() == 0.5 && sgd.group(0).lr == 0.1 &&
               sgd.group(0).momentum == 0.9 && !sgd.state(0, "momentum_buffer") && sgd.steps() == 0 &&
               batches.epoch() == 0 && batches.position() == 0 && stopping.since_best() == 0 &&
               picture.curves().empty() && generator == ag::Generator() && epoch == 1 && loss == 2 && note == "begun" &&
               losses == std::vector<double>{1, 2};
    }
};

/// Whether it was read.
template <class F>
bool reads(const F& read)
{
    try
    {
        read();
        return true;
    }
    catch (const ag::FileError&)
    {
        return false;
    }
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const MemoryFile file;
    const std::string path = file.hold(data, size);
    reads([&] { ag::load_npy<float>(path); });
    reads([&] { ag::load_npy<double>(path); });
    reads([&] { ag::load_npz(path); });
    if (reads([&] { ag::load_safetensors(path); }))
    {
        Training training;
        require(reads([&] { training.state.load(path); }) || training.as_it_began());
    }
    return 0;
}
