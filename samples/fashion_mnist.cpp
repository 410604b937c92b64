// Trains a small network on Fashion-MNIST, or on MNIST, which has the same format.

#include <samples/confusion.hpp>
#include <samples/idx.hpp>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
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

/// What came of it.
struct Score
{
    double loss = 0;
    double accuracy = 0;
};

struct Options
{
    std::string data = "/usr/share/datasets/fashion-mnist";
    std::string output = "samples/output/fashion_mnist";
    std::size_t epochs = full_epochs;
    bool resume = false;
    bool mnist = false;
    bool compile = false;
    std::optional<double> target;

    std::string file(const char* name) const { return (fs::path(output) / name).string(); }
    std::string weights() const { return file("weights.safetensors"); }
};

struct Network
{
    ag::Variable<float> hidden_weight;
    ag::Variable<float> hidden_bias;
    ag::Variable<float> output_weight;
    ag::Variable<float> output_bias;

    Network(std::size_t inputs, std::size_t hidden, std::size_t outputs, ag::Generator generator)
        : hidden_weight(uniform({hidden, inputs}, inputs, generator)),
          hidden_bias(uniform({hidden}, inputs, generator)),
          output_weight(uniform({outputs, hidden}, hidden, generator)),
          output_bias(uniform({outputs}, hidden, generator))
    {
    }

    ag::Tensor<float> operator()(const ag::Tensor<float>& images) const
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

private:
    static ag::Tensor<float> uniform(const ag::Shape& shape, std::size_t inputs, ag::Generator& generator)
    {
        const double bound = 1 / std::sqrt(static_cast<double>(inputs));
        return generator.uniform<float>(shape, -bound, bound);
    }
};

struct Batch
{
    xt::xarray<float> images;  ///< (count, pixels), standardised
    xt::xarray<int> labels;
};

Batch take(const samples::LabelledImages& data, const ag::Indices& indices)
{
    // The mean of all pixels, and their standard deviation, where white is 1.
    constexpr float mean = 0.286f;
    constexpr float deviation = 0.353f;
    const std::size_t pixels = data.images.size() / data.size();
    Batch batch{xt::xarray<float>::from_shape({indices.size(), pixels}), xt::xarray<int>::from_shape({indices.size()})};
    float* pixel = batch.images.data();
    for (std::size_t k = 0; k < indices.size(); ++k)
    {
        const auto sample = static_cast<std::size_t>(indices[k]);
        batch.labels(k) = data.labels(sample);
        const std::uint8_t* byte = data.images.data() + sample * pixels;
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
    double loss = 0;
    for (const ag::Indices& indices : optim::Sampler(data.size(), {.batch_size = 1000, .shuffle = false}))
    {
        const Batch batch = take(data, indices);
        const auto logits = network(batch.images);
        loss += ag::cross_entropy(logits, batch.labels).item() * static_cast<double>(indices.size());
        for_each_prediction(logits, batch.labels,
                            [&](std::size_t prediction, std::size_t label) { matrix.add(label, prediction); });
    }
    return {loss / static_cast<double>(data.size()), matrix.accuracy()};
}

/// `step` learns from a batch, and gives its logits and its loss.
template <class Step>
Score train_epoch(const Step& step, const samples::LabelledImages& data, optim::Sampler& batches,
                  optim::Progress& progress)
{
    double loss_sum = 0;
    std::size_t correct = 0;
    for (const ag::Indices& indices : batches)
    {
        const Batch batch = take(data, indices);
        const auto [logits, loss] = step(batch.images, batch.labels);
        if (!std::isfinite(loss.item()))
        {
            throw std::runtime_error("the loss is no longer finite: try a smaller --lr");
        }
        loss_sum += loss.item() * static_cast<double>(indices.size());
        for_each_prediction(logits, batch.labels,
                            [&](std::size_t prediction, std::size_t label) { correct += prediction == label ? 1 : 0; });
        const auto done = static_cast<double>(batches.position());
        progress.update(batches.position(), {{"loss", loss_sum / done},
                                             {"accuracy", static_cast<double>(correct) / done, optim::Unit::percent}});
    }
    const auto all = static_cast<double>(data.size());
    return {loss_sum / all, static_cast<double>(correct) / all};
}

Settings saved_settings(const std::string& path)
{
    const ag::Archive archive = ag::load_safetensors(path);
    const auto integer = [&](const char* name) { return static_cast<std::size_t>(archive.indices(name)[0]); };
    const auto number = [&](const char* name) { return archive.tensor<double>(name).item(); };
    return {.seed = static_cast<unsigned>(integer("seed")),
            .batch_size = integer("batch_size"),
            .lr = number("lr"),
            .momentum = number("momentum"),
            .decay = number("decay"),
            .limit = integer("limit")};
}

/// The settings of the run that is resumed, but for those that the user gives again; its images stay, and their order.
Settings merge(const Settings& given, Settings saved, const CLI::App& app)
{
    saved.batch_size = app.count("--batch-size") > 0 ? given.batch_size : saved.batch_size;
    saved.lr = app.count("--lr") > 0 ? given.lr : saved.lr;
    saved.momentum = app.count("--momentum") > 0 ? given.momentum : saved.momentum;
    saved.decay = app.count("--decay") > 0 ? given.decay : saved.decay;
    return saved;
}

/// A run that starts anew must not cost the weights of the one before.
void set_aside(const Options& options)
{
    if (fs::exists(options.weights()))
    {
        const std::string earlier = options.file("weights.earlier.safetensors");
        fs::rename(options.weights(), earlier);
        std::printf("the weights of the run before are now in %s; --resume would have gone on with them\n",
                    earlier.c_str());
    }
}

int run(const Options& options, const Settings& given, const CLI::App& app)
{
    fs::create_directories(options.output);
    if (::access(options.output.c_str(), W_OK) != 0)
    {
        throw ag::FileError("--output", "nothing can be written into '" + options.output + "'", {});
    }
    const Settings settings = options.resume ? merge(given, saved_settings(options.weights()), app) : given;
    const auto training = samples::read_labelled_images(options.data, "train", class_count, settings.limit);
    const auto test = samples::read_labelled_images(options.data, "t10k", class_count);

    const std::size_t pixels = training.images.size() / training.size();
    constexpr std::size_t hidden = 128;
    const Network network(pixels, hidden, class_count, ag::Generator(settings.seed));
    optim::SGD sgd({network.hidden_weight, network.hidden_bias, network.output_weight, network.output_bias},
                   {.lr = settings.lr, .momentum = settings.momentum});
    optim::Sampler batches(training.size(), {.batch_size = settings.batch_size, .seed = settings.seed});
    optim::CsvLog log(options.file("training.csv"));
    optim::LossPicture losses(options.file("loss.png"),
                              {.title = "loss", .x_label = "epoch", .y_label = "cross entropy"});
    optim::LossPicture accuracies(options.file("accuracy.png"),
                                  {.title = "accuracy", .x_label = "epoch", .y_label = "%"});
    std::size_t epoch = 0;
    Settings saved = settings;
    optim::State state{{"network", network.parameters()},
                       {"sgd", sgd},
                       {"batches", batches},
                       {"log", log},
                       {"losses", losses},
                       {"accuracies", accuracies},
                       {"epoch", epoch},
                       {"seed", saved.seed},
                       {"batch_size", saved.batch_size},
                       {"lr", saved.lr},
                       {"momentum", saved.momentum},
                       {"decay", saved.decay},
                       {"limit", saved.limit}};
    if (options.resume)
    {
        state.load(options.weights());
        saved = settings;
        sgd.group(0).momentum = settings.momentum;
        std::printf("resumed after epoch %zu from %s\n", epoch, options.weights().c_str());
    }
    else
    {
        set_aside(options);
    }
    std::printf("%zu training images, %zu test images, a network of %zu-%zu-%zu with ReLU\n"
                "SGD with lr %g, times %g after each epoch, momentum %g, minibatches of %zu, seed %u\n",
                training.size(), test.size(), pixels, hidden, class_count, settings.lr, settings.decay,
                settings.momentum, settings.batch_size, settings.seed);

    const auto learn = [&](const ag::Tensor<float>& images, const ag::Indices& labels)
    {
        ag::GradientTape tape;
        const auto logits = network(images);
        const auto loss = ag::cross_entropy(logits, labels);
        sgd.zero_grad();
        loss.backward();
        sgd.step();
        return std::pair(logits, loss);
    };
    auto compiled = ag::compile(learn);
    const auto step = [&](const ag::Tensor<float>& images, const ag::Indices& labels)
    { return options.compile ? compiled(images, labels) : learn(images, labels); };

    const auto& names = options.mnist ? digits : garments;
    optim::Progress progress({.epochs = options.epochs, .steps = training.size(), .unit = "images"});
    while (epoch < options.epochs)
    {
        progress.start_epoch(epoch + 1);
        sgd.group(0).lr = settings.lr * std::pow(settings.decay, static_cast<double>(epoch));
        const Score trained = train_epoch(step, training, batches, progress);
        samples::ConfusionMatrix matrix(names);
        const Score tested = evaluate(network, test, matrix);
        ++epoch;
        log.write({{"epoch", epoch},
                   {"loss", trained.loss},
                   {"accuracy", trained.accuracy},
                   {"test loss", tested.loss},
                   {"test accuracy", tested.accuracy}});
        const auto number = static_cast<double>(epoch);
        losses.add("training", number, trained.loss);
        losses.add("test", number, tested.loss);
        accuracies.add("training", number, 100 * trained.accuracy);
        accuracies.add("test", number, 100 * tested.accuracy);
        state.save(options.weights());
        progress.finish_epoch({{"loss", trained.loss},
                               {"accuracy", trained.accuracy, optim::Unit::percent},
                               {"test loss", tested.loss},
                               {"test accuracy", tested.accuracy, optim::Unit::percent}});
    }

    samples::ConfusionMatrix matrix(names);
    const Score score = evaluate(network, test, matrix);
    std::cout << "\n" << matrix << "\n";
    losses.draw();
    std::printf("weights in %s, figures in %s\n", options.weights().c_str(), options.file("training.csv").c_str());
    if (accuracies.draw() == optim::Drawing::not_installed)
    {
        std::printf("note: gnuplot is not installed, so there are no pictures (Debian: apt-get install gnuplot-nox)\n");
    }

    const bool whole = epoch >= full_epochs && settings.limit == 0;
    const double target = options.target.value_or(whole ? 0.88 : 0.6);
    const bool converged = score.accuracy >= target;
    std::printf("%s: test accuracy %.2f %% after %zu epochs; %.0f %% are needed\n",
                converged ? "converged" : "NOT CONVERGED", 100 * score.accuracy, epoch, 100 * target);
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
    app.add_flag("--compile", options.compile, "record the training step, and replay it from then on");
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
        return 1;
    }
}
