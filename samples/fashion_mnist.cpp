// Trains a small network on Fashion-MNIST, or on MNIST, which has the same format.

#include <samples/checkpoint.hpp>
#include <samples/confusion.hpp>
#include <samples/idx.hpp>
#include <samples/plot.hpp>
#include <samples/progress.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include <unistd.h>

namespace ag = autograd;
namespace fs = std::filesystem;

namespace
{

constexpr std::size_t class_count = 10;
constexpr std::size_t full_epochs = 10;

const std::vector<std::string> garments{"T-shirt", "trouser", "pullover", "dress", "coat",
                                        "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
const std::vector<std::string> digits{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};

/// What the course of a training depends on, besides the data.
struct Settings
{
    unsigned seed = 1;
    std::size_t batch_size = 64;
    double lr = 0.03;
    double momentum = 0.9;
    double decay = 0.75;
    std::size_t limit = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Settings, seed, batch_size, lr, momentum, decay, limit)

/// What came of it.
struct Score
{
    double loss = 0;
    double accuracy = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Score, loss, accuracy)

struct Epoch
{
    Score training;  ///< the mean while the network learned
    Score test;      ///< at the end
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Epoch, training, test)

using History = std::vector<Epoch>;

struct Options
{
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string output = "samples/output/fashion_mnist";
    std::size_t epochs = full_epochs;
    bool resume = false;
    bool mnist = false;
    std::optional<double> target;

    fs::path weights() const { return fs::path(output) / "weights"; }
};

xt::xarray<float> uniform(std::vector<std::size_t> shape, double bound, std::mt19937& generator)
{
    std::uniform_real_distribution<float> distribution(static_cast<float>(-bound), static_cast<float>(bound));
    auto values = xt::xarray<float>::from_shape(shape);
    std::generate(values.begin(), values.end(), [&] { return distribution(generator); });
    return values;
}

struct Network
{
    ag::Variable<float> hidden_weight;
    ag::Variable<float> hidden_bias;
    ag::Variable<float> output_weight;
    ag::Variable<float> output_bias;

    Network(std::size_t inputs, std::size_t hidden, std::size_t outputs, std::mt19937 generator)
        : hidden_weight(uniform({hidden, inputs}, 1 / std::sqrt(inputs), generator)),
          hidden_bias(uniform({hidden}, 1 / std::sqrt(inputs), generator)),
          output_weight(uniform({outputs, hidden}, 1 / std::sqrt(hidden), generator)),
          output_bias(uniform({outputs}, 1 / std::sqrt(hidden), generator))
    {
    }

    ag::Tensor<float> operator()(const xt::xarray<float>& images) const
    {
        return ag::linear(ag::relu(ag::linear(images, hidden_weight, hidden_bias)), output_weight, output_bias);
    }

    std::vector<std::pair<std::string, ag::Variable<float>>> parameters() const
    {
        return {{"hidden_weight", hidden_weight},
                {"hidden_bias", hidden_bias},
                {"output_weight", output_weight},
                {"output_bias", output_bias}};
    }
};

struct Batch
{
    xt::xarray<float> images;  ///< (count, pixels), standardised
    xt::xarray<int> labels;
};

Batch take(const samples::LabelledImages& data, std::span<const std::size_t> indices)
{
    // The mean of all pixels, and their standard deviation, where white is 1.
    constexpr float mean = 0.286f;
    constexpr float deviation = 0.353f;
    const std::size_t pixels = data.images.size() / data.size();
    Batch batch{xt::xarray<float>::from_shape({indices.size(), pixels}), xt::xarray<int>::from_shape({indices.size()})};
    float* pixel = batch.images.data();
    for (std::size_t k = 0; k < indices.size(); ++k)
    {
        batch.labels(k) = data.labels(indices[k]);
        const std::uint8_t* byte = data.images.data() + indices[k] * pixels;
        pixel = std::transform(byte, byte + pixels, pixel,
                               [](std::uint8_t value) { return (float(value) / 255.f - mean) / deviation; });
    }
    return batch;
}

/// Calls f(prediction, label) for each row of the logits.
template <class F>
void for_each_prediction(const ag::Tensor<float>& logits, const xt::xarray<int>& labels, F f)
{
    const float* row = logits.data();
    for (const int label : labels)
    {
        f(static_cast<std::size_t>(std::max_element(row, row + class_count) - row), static_cast<std::size_t>(label));
        row += class_count;
    }
}

Score evaluate(const Network& network, const samples::LabelledImages& data, samples::ConfusionMatrix& matrix)
{
    constexpr std::size_t batch_size = 1000;
    std::vector<std::size_t> order(data.size());
    std::iota(order.begin(), order.end(), 0);
    double loss = 0;
    for (std::size_t start = 0; start < order.size(); start += batch_size)
    {
        const std::size_t count = std::min(batch_size, order.size() - start);
        const Batch batch = take(data, std::span(order).subspan(start, count));
        const auto logits = network(batch.images);
        loss += ag::cross_entropy(logits, batch.labels).item() * static_cast<double>(count);
        for_each_prediction(logits, batch.labels,
                            [&](std::size_t prediction, std::size_t label) { matrix.add(label, prediction); });
    }
    return {loss / static_cast<double>(order.size()), matrix.accuracy()};
}

/// A generator of its own for each epoch: a training that is resumed meets the minibatches that it would have met.
std::mt19937 generator_of(const Settings& settings, std::size_t epoch)
{
    std::seed_seq seed{settings.seed, static_cast<unsigned>(epoch)};
    return std::mt19937(seed);
}

Score train_epoch(const Network& network, optim::SGD& sgd, const samples::LabelledImages& data,
                  const Settings& settings, std::size_t epoch, samples::Progress& progress)
{
    std::vector<std::size_t> order(data.size());
    std::iota(order.begin(), order.end(), 0);
    std::mt19937 generator = generator_of(settings, epoch);
    std::shuffle(order.begin(), order.end(), generator);

    progress.start_epoch(epoch);
    double loss_sum = 0;
    std::size_t correct = 0;
    for (std::size_t start = 0; start < order.size(); start += settings.batch_size)
    {
        const std::size_t count = std::min(settings.batch_size, order.size() - start);
        const Batch batch = take(data, std::span(order).subspan(start, count));

        ag::GradientTape tape;
        const auto logits = network(batch.images);
        const auto loss = ag::cross_entropy(logits, batch.labels);
        sgd.zero_grad();
        loss.backward();
        sgd.step();

        if (!std::isfinite(loss.item()))
        {
            throw std::runtime_error("the loss is no longer finite in epoch " + std::to_string(epoch) +
                                     ": try a smaller --lr");
        }
        loss_sum += loss.item() * static_cast<double>(count);
        for_each_prediction(logits, batch.labels,
                            [&](std::size_t prediction, std::size_t label) { correct += prediction == label ? 1 : 0; });
        const auto done = static_cast<double>(start + count);
        progress.update(start + count, loss_sum / done, static_cast<double>(correct) / done);
    }
    const auto all = static_cast<double>(order.size());
    return {loss_sum / all, static_cast<double>(correct) / all};
}

void save(const fs::path& folder, const Network& network, optim::SGD& sgd, const Settings& settings,
          const History& history)
{
    samples::Checkpoint checkpoint;
    checkpoint.state = {{"settings", settings}, {"history", history}};
    const auto parameters = network.parameters();
    for (std::size_t k = 0; k < parameters.size(); ++k)
    {
        const auto& [name, variable] = parameters[k];
        checkpoint.arrays.emplace(name, variable);
        if (const auto& buffer = sgd.state(k, "momentum_buffer"))
        {
            checkpoint.arrays.emplace("momentum_" + name,
                                      buffer->visit([](const auto& values) { return ag::cast<float>(values); }));
        }
    }
    samples::save_checkpoint(folder, checkpoint);
}

void restore(const samples::Checkpoint& checkpoint, const fs::path& folder, const Network& network, optim::SGD& sgd)
{
    const auto parameters = network.parameters();
    for (std::size_t k = 0; k < parameters.size(); ++k)
    {
        auto [name, variable] = parameters[k];
        const auto weight = checkpoint.arrays.find(name);
        if (weight == checkpoint.arrays.end() || weight->second.shape() != variable.shape())
        {
            throw ag::FileError(
                "--resume",
                "'" + folder.string() + "' holds no " + name + " of shape " + ag::to_string(variable.shape()), {});
        }
        variable.assign(weight->second);
        const auto momentum = checkpoint.arrays.find("momentum_" + name);
        if (momentum != checkpoint.arrays.end())
        {
            sgd.set_state(k, "momentum_buffer", ag::Variable<float>(momentum->second));
        }
    }
}

void draw(const fs::path& output, const History& history)
{
    samples::Curve training_loss{"training", {}}, test_loss{"test", {}};
    samples::Curve training_accuracy{"training", {}}, test_accuracy{"test", {}};
    for (std::size_t k = 0; k < history.size(); ++k)
    {
        const auto epoch = static_cast<double>(k + 1);
        training_loss.points.push_back({epoch, history[k].training.loss});
        test_loss.points.push_back({epoch, history[k].test.loss});
        training_accuracy.points.push_back({epoch, 100 * history[k].training.accuracy});
        test_accuracy.points.push_back({epoch, 100 * history[k].test.accuracy});
    }
    samples::draw_curves(output, "training",
                         {{"loss", "epoch", "cross entropy", false, {training_loss, test_loss}},
                          {"accuracy", "epoch", "%", false, {training_accuracy, test_accuracy}}});
}

struct Resumed
{
    samples::Checkpoint checkpoint;
    Settings settings;
    History history;
};

Resumed load(const fs::path& folder)
{
    try
    {
        Resumed resumed{samples::load_checkpoint(folder), {}, {}};
        resumed.checkpoint.state.at("settings").get_to(resumed.settings);
        resumed.checkpoint.state.at("history").get_to(resumed.history);
        return resumed;
    }
    catch (const nlohmann::json::exception& error)
    {
        throw ag::FileError("--resume", "'" + (folder / "state.json").string() + "' is damaged: " + error.what(), {});
    }
}

/// The settings of the run that is resumed, but for those that the user gives again.
Settings merge(const Settings& given, Settings saved, const CLI::App& app)
{
    saved.seed = app.count("--seed") > 0 ? given.seed : saved.seed;
    saved.batch_size = app.count("--batch-size") > 0 ? given.batch_size : saved.batch_size;
    saved.lr = app.count("--lr") > 0 ? given.lr : saved.lr;
    saved.momentum = app.count("--momentum") > 0 ? given.momentum : saved.momentum;
    saved.decay = app.count("--decay") > 0 ? given.decay : saved.decay;
    saved.limit = app.count("--limit") > 0 ? given.limit : saved.limit;
    return saved;
}

/// A run that starts anew must not cost the weights of the one before.
void set_aside(const fs::path& weights)
{
    if (fs::exists(weights))
    {
        fs::path earlier = weights;
        earlier += ".earlier";
        fs::remove_all(earlier);
        fs::rename(weights, earlier);
        std::printf("the weights of the run before are now in %s; --resume would have gone on with them\n",
                    earlier.c_str());
    }
}

int run(const Options& options, Settings settings, const CLI::App& app)
{
    fs::create_directories(options.output);
    if (::access(options.output.c_str(), W_OK) != 0)
    {
        throw ag::FileError("--output", "nothing can be written into '" + options.output + "'", {});
    }
    std::optional<Resumed> resumed;
    if (options.resume)
    {
        resumed = load(options.weights());
        settings = merge(settings, resumed->settings, app);
    }
    const auto training = samples::read_labelled_images(options.data, "train", class_count, settings.limit);
    const auto test = samples::read_labelled_images(options.data, "t10k", class_count);

    const std::size_t pixels = training.images.size() / training.size();
    constexpr std::size_t hidden = 128;
    const Network network(pixels, hidden, class_count, generator_of(settings, 0));
    optim::SGD sgd({network.hidden_weight, network.hidden_bias, network.output_weight, network.output_bias},
                   {.lr = settings.lr, .momentum = settings.momentum});
    History history;
    if (resumed)
    {
        restore(resumed->checkpoint, options.weights(), network, sgd);
        history = resumed->history;
        std::printf("resumed after epoch %zu from %s\n", history.size(), options.weights().c_str());
    }
    else
    {
        set_aside(options.weights());
    }
    std::printf("%zu training images, %zu test images, a network of %zu-%zu-%zu with ReLU\n"
                "SGD with lr %g, times %g after each epoch, momentum %g, minibatches of %zu, seed %u\n",
                training.size(), test.size(), pixels, hidden, class_count, settings.lr, settings.decay,
                settings.momentum, settings.batch_size, settings.seed);

    const auto& names = options.mnist ? digits : garments;
    samples::Progress progress(options.epochs, training.size());
    for (std::size_t epoch = history.size() + 1; epoch <= options.epochs; ++epoch)
    {
        sgd.group(0).lr = settings.lr * std::pow(settings.decay, static_cast<double>(epoch - 1));
        const Score trained = train_epoch(network, sgd, training, settings, epoch, progress);
        samples::ConfusionMatrix matrix(names);
        const Score tested = evaluate(network, test, matrix);
        history.push_back({trained, tested});
        save(options.weights(), network, sgd, settings, history);
        progress.finish_epoch(tested.loss, tested.accuracy);
    }

    samples::ConfusionMatrix matrix(names);
    const Score score = evaluate(network, test, matrix);
    std::cout << "\n" << matrix << "\n";
    draw(options.output, history);
    std::printf("weights in %s (hidden_weight.npy, ...)\n", options.weights().c_str());

    const bool whole = history.size() >= full_epochs && settings.limit == 0;
    const double target = options.target.value_or(whole ? 0.88 : 0.6);
    const bool converged = score.accuracy >= target;
    std::printf("%s: test accuracy %.2f %% after %zu epochs; %.0f %% are needed\n",
                converged ? "converged" : "NOT CONVERGED", 100 * score.accuracy, history.size(), 100 * target);
    return converged ? 0 : 1;
}

}

int main(int argc, char** argv)
{
    CLI::App app{"Trains a 784-128-10 ReLU network on Fashion-MNIST by SGD with momentum."};
    Options options;
    Settings settings;
    app.add_option("--data", options.data, "folder with the IDX files, gzipped or not")->capture_default_str();
    app.add_option("--output", options.output, "folder for the weights and pictures")->capture_default_str();
    app.add_option("--epochs", options.epochs, "in all, those of a resumed run included")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_flag("--resume", options.resume, "go on from the weights in the output folder, with their settings");
    app.add_option("--seed", settings.seed, "of the initial weights and the minibatches")->capture_default_str();
    app.add_option("--batch-size", settings.batch_size, "samples in a minibatch")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--lr", settings.lr, "learning rate")->capture_default_str();
    app.add_option("--momentum", settings.momentum, "momentum of SGD")->capture_default_str();
    app.add_option("--decay", settings.decay, "by which the learning rate is multiplied after each epoch")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--limit", settings.limit, "train on the first images only; 0: on all")->capture_default_str();
    app.add_option("--target", options.target,
                   "test accuracy without which the run counts as failed; by default 0.88, 0.6 for a shortened run")
        ->check(CLI::Range(0.0, 1.0));
    app.add_flag("--mnist", options.mnist, "the data are MNIST's digits: name the classes so");
    CLI11_PARSE(app, argc, argv);
    try
    {
        return run(options, settings, app);
    }
    catch (const std::exception& error)
    {
        std::cout.flush();
        std::fprintf(stderr, "\nfashion_mnist: %s\n", error.what());
        const fs::path previous = samples::previous_checkpoint(options.weights());
        if (options.resume && fs::exists(previous))
        {
            std::fprintf(stderr, "The checkpoint of the epoch before it is in '%s'.\n", previous.c_str());
        }
        return 1;
    }
}
