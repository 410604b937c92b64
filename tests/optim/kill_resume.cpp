#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// kill_resume KILLS: kills a training that many times at random instants, and resumes it each time. It must end with the
// same bytes in its state and logs as one that was left alone.

extern char** environ;

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

constexpr const char* files[] = {"run.safetensors", "epochs.csv", "steps.jsonl"};

/// Goes on with the training in the folder, to its end.
int train(const fs::path& folder)
{
    constexpr std::size_t count = 60;
    ag::Generator data(1), generator(2);
    const auto x = data.normal<float>({count, 8});
    const auto y = ag::sin(ag::sum(x, {1}, ag::keep_dims));
    const ag::Variable<float> hidden(generator.uniform<float>({16, 8}, -0.3, 0.3));
    const ag::Variable<float> bias(generator.uniform<float>({16}, -0.3, 0.3));
    const ag::Variable<float> output(generator.uniform<float>({1, 16}, -0.3, 0.3));
    optim::SGD sgd({hidden, bias, output}, {.lr = 0.05, .momentum = 0.9, .nesterov = true});
    optim::Sampler batches(count, {.batch_size = 7, .seed = 3});
    optim::EarlyStopping stopping({.patience = 1000});
    optim::BestWeights best({hidden, bias, output});
    optim::CsvLog epochs((folder / files[1]).string());
    optim::JsonLog steps((folder / files[2]).string());
    std::size_t epoch = 0;
    double loss_sum = 0;
    optim::State state{{"hidden", hidden},   {"bias", bias},         {"output", output},     {"sgd", sgd},
                       {"batches", batches}, {"stopping", stopping}, {"best", best},         {"epochs", epochs},
                       {"steps", steps},     {"epoch", epoch},       {"loss_sum", loss_sum}, {"generator", generator}};
    const std::string path = (folder / files[0]).string();
    state.resume(path);
    while (epoch < 8)
    {
        for (const ag::Indices& batch : batches)
        {
            const auto noise = generator.normal<float>({batch.size(), 8}, 0, 0.1);
            ag::GradientTape tape;
            const auto inputs = ag::index_select(x, 0, batch) + noise;
            const auto error =
                ag::linear(ag::tanh(ag::linear(inputs, hidden, bias)), output) - ag::index_select(y, 0, batch);
            const auto loss = ag::mean(ag::square(error));
            sgd.zero_grad();
            loss.backward();
            sgd.step();
            loss_sum += loss.item();
            steps.write({{"position", batches.position()}, {"loss", loss.item()}});
            state.save(path);
        }
        if (stopping.update(loss_sum))
        {
            best.keep();
        }
        epochs.write({{"epoch", epoch}, {"loss", loss_sum}});
        loss_sum = 0;
        ++epoch;
        state.save(path);
    }
    return 0;
}

/// Starts this program as a training of its own.
pid_t start(const fs::path& folder)
{
    std::string program = "/proc/self/exe", mode = "train", argument = folder.string();
    char* const arguments[] = {program.data(), mode.data(), argument.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0)
    {
        std::perror("posix_spawn");
        std::exit(1);
    }
    return child;
}

/// Waits for the training; whether it came to its end.
bool ended(pid_t child)
{
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    {
        return false;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    {
        std::printf("a training failed\n");
        std::exit(1);
    }
    return true;
}

std::string content(const fs::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

fs::path fresh(const fs::path& folder)
{
    fs::remove_all(folder);
    fs::create_directories(folder);
    return folder;
}

void compare(const fs::path& undisturbed, const fs::path& disturbed)
{
    for (const char* name : files)
    {
        if (content(undisturbed / name) != content(disturbed / name))
        {
            std::printf("%s differs: compare %s and %s\n", name, undisturbed.c_str(), disturbed.c_str());
            std::exit(1);
        }
    }
}

void kill_and_resume(int kills, const fs::path& folder)
{
    const fs::path undisturbed = fresh(folder / "undisturbed");
    const fs::path disturbed = folder / "disturbed";
    const auto began = std::chrono::steady_clock::now();
    ended(start(undisturbed));
    const auto length = std::chrono::steady_clock::now() - began;

    ag::Generator generator(static_cast<std::uint64_t>(began.time_since_epoch().count()));
    std::printf("%d kills, an undisturbed run takes %.3f s, seed %llu\n", kills,
                std::chrono::duration<double>(length).count(), static_cast<unsigned long long>(generator.seed()));
    int runs = 0, saved = 0;
    for (int killed = 0; killed < kills || fs::exists(disturbed);)
    {
        fs::create_directories(disturbed);
        const pid_t child = start(disturbed);
        if (killed < kills)
        {
            // A third of a run at most, so that most runs are killed several times.
            std::this_thread::sleep_for(length * generator.uniform() / 3);
            ::kill(child, SIGKILL);
        }
        if (ended(child))
        {
            compare(undisturbed, disturbed);
            fs::remove_all(disturbed);
            ++runs;
            continue;
        }
        ++killed;
        if (fs::exists(disturbed / files[0]))
        {
            ag::load_safetensors((disturbed / files[0]).string());
            ++saved;
        }
    }
    std::printf("%d runs ended with the same bytes; of %d files that kills had left, all were whole\n", runs, saved);
}

}

int main(int argc, char** argv)
{
    if (argc == 3)
    {
        return train(argv[2]);
    }
    const fs::path folder = fs::temp_directory_path() / ("kill_resume-" + std::to_string(::getpid()));
    try
    {
        kill_and_resume(argc > 1 ? std::atoi(argv[1]) : 30, folder);
    }
    catch (const std::exception& error)
    {
        std::printf("%s\n", error.what());
        return 1;
    }
    fs::remove_all(folder);
    return 0;
}
