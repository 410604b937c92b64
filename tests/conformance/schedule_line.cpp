#include "case.hpp"
#include "optim_line.hpp"

#include <optim/optim.hpp>

#include <map>

using nlohmann::json;

namespace
{

optim::AnySchedule make(const std::string& name, optim::Optimizer& optimizer, GivenOptions given);

void read(GivenOptions& given, const char* name, optim::PerGroup& value)
{
    if (const auto number = given.take(name))
    {
        value = number_of(number->is_array() ? number->at(0) : *number);
    }
}

optim::AnySchedule cyclic(optim::Optimizer& optimizer, GivenOptions& given)
{
    optim::CyclicLROptions options;
    read(given, "base_lr", options.base_lr);
    read(given, "max_lr", options.max_lr);
    given.read("step_size_up", options.step_size_up);
    given.read("step_size_down", options.step_size_down);
    given.read("mode", options.mode,
               {{"triangular", optim::CyclicMode::triangular},
                {"triangular2", optim::CyclicMode::triangular2},
                {"exp_range", optim::CyclicMode::exp_range}});
    given.read("gamma", options.gamma);
    given.take("scale_mode");  // goes with scale_fn, which no file can hold
    given.read("cycle_momentum", options.cycle_momentum);
    read(given, "base_momentum", options.base_momentum);
    read(given, "max_momentum", options.max_momentum);
    given.finish();
    return optim::CyclicLR(optimizer, options);
}

optim::AnySchedule one_cycle(optim::Optimizer& optimizer, GivenOptions& given)
{
    optim::OneCycleLROptions options;
    read(given, "max_lr", options.max_lr);
    given.read("total_steps", options.total_steps);
    given.read("epochs", options.epochs);
    given.read("steps_per_epoch", options.steps_per_epoch);
    given.read("pct_start", options.pct_start);
    given.read("anneal_strategy", options.anneal_strategy,
               {{"cos", optim::Anneal::cos}, {"linear", optim::Anneal::linear}});
    given.read("cycle_momentum", options.cycle_momentum);
    read(given, "base_momentum", options.base_momentum);
    read(given, "max_momentum", options.max_momentum);
    given.read("div_factor", options.div_factor);
    given.read("final_div_factor", options.final_div_factor);
    given.read("three_phase", options.three_phase);
    given.finish();
    return optim::OneCycleLR(optimizer, options);
}

std::vector<optim::AnySchedule> schedules(optim::Optimizer& optimizer, GivenOptions& given)
{
    std::vector<optim::AnySchedule> result;
    const auto list = given.take("schedulers");
    for (const json& item : list.value_or(json::array()))
    {
        result.push_back(make(item.at("schedule").get<std::string>(), optimizer, GivenOptions(item.at("options"))));
    }
    return result;
}

using Make = optim::AnySchedule (*)(optim::Optimizer&, GivenOptions&);

const std::map<std::string, Make> makers{
    {"StepLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::StepLROptions options;
         given.read("step_size", options.step_size);
         given.read("gamma", options.gamma);
         given.finish();
         return optim::StepLR(optimizer, options);
     }},
    {"MultiStepLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::MultiStepLROptions options;
         given.read("milestones", options.milestones);
         given.read("gamma", options.gamma);
         given.finish();
         return optim::MultiStepLR(optimizer, options);
     }},
    {"ConstantLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::ConstantLROptions options;
         given.read("factor", options.factor);
         given.read("total_iters", options.total_iters);
         given.finish();
         return optim::ConstantLR(optimizer, options);
     }},
    {"LinearLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::LinearLROptions options;
         given.read("start_factor", options.start_factor);
         given.read("end_factor", options.end_factor);
         given.read("total_iters", options.total_iters);
         given.finish();
         return optim::LinearLR(optimizer, options);
     }},
    {"ExponentialLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::ExponentialLROptions options;
         given.read("gamma", options.gamma);
         given.finish();
         return optim::ExponentialLR(optimizer, options);
     }},
    {"PolynomialLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::PolynomialLROptions options;
         given.read("total_iters", options.total_iters);
         given.read("power", options.power);
         given.finish();
         return optim::PolynomialLR(optimizer, options);
     }},
    {"CosineAnnealingLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::CosineAnnealingLROptions options;
         given.read("T_max", options.T_max);
         given.read("eta_min", options.eta_min);
         given.finish();
         return optim::CosineAnnealingLR(optimizer, options);
     }},
    {"CosineAnnealingWarmRestarts",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         optim::CosineAnnealingWarmRestartsOptions options;
         given.read("T_0", options.T_0);
         given.read("T_mult", options.T_mult);
         given.read("eta_min", options.eta_min);
         given.finish();
         return optim::CosineAnnealingWarmRestarts(optimizer, options);
     }},
    {"CyclicLR", cyclic},
    {"OneCycleLR", one_cycle},
    {"SequentialLR",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         auto parts = schedules(optimizer, given);
         std::vector<int> milestones;
         given.read("milestones", milestones);
         given.finish();
         return optim::SequentialLR(optimizer, parts, milestones);
     }},
    {"ChainedScheduler",
     [](optim::Optimizer& optimizer, GivenOptions& given) -> optim::AnySchedule
     {
         auto parts = schedules(optimizer, given);
         given.finish();
         return optim::ChainedScheduler(parts);
     }},
};

/// What every schedule of PyTorch takes: printing, and an epoch to go on from.
void take_common(GivenOptions& given)
{
    given.take("verbose");
    int last_epoch = -1;
    given.read("last_epoch", last_epoch);
    if (last_epoch != -1)
    {
        throw Unsupported("last_epoch= is not offered: a schedule goes on from a saved state");
    }
}

optim::AnySchedule make(const std::string& name, optim::Optimizer& optimizer, GivenOptions given)
{
    const auto maker = makers.find(name);
    if (maker == makers.end())
    {
        throw Unsupported("no such schedule here: " + name);
    }
    take_common(given);
    return maker->second(optimizer, given);
}

optim::ReduceLROnPlateau plateau(optim::Optimizer& optimizer, GivenOptions given)
{
    optim::ReduceLROnPlateauOptions options;
    given.read("mode", options.mode, {{"min", optim::Better::lower}, {"max", optim::Better::higher}});
    given.read("factor", options.factor);
    given.read("patience", options.patience);
    given.read("threshold", options.threshold);
    given.read("threshold_mode", options.threshold_mode,
               {{"rel", optim::Threshold::rel}, {"abs", optim::Threshold::abs}});
    given.read("cooldown", options.cooldown);
    read(given, "min_lr", options.min_lr);
    given.read("eps", options.eps);
    given.take("verbose");
    given.finish();
    return optim::ReduceLROnPlateau(optimizer, options);
}

}

std::string run_schedule(const json& line)
{
    const autograd::Variable<double> p(1.0);
    optim::SGD sgd({p},
                   {.lr = number_of(line.at("base_lr")), .momentum = number_of(line.value("base_momentum", json(0)))});
    GivenOptions given(line.at("options"));
    const auto name = line.at("schedule").get<std::string>();
    if (name == "ReduceLROnPlateau")
    {
        optim::ReduceLROnPlateau schedule = plateau(sgd, given);
        std::vector<double> rates;
        for (const json& loss : line.at("losses"))
        {
            sgd.step();
            schedule.step(number_of(loss));
            rates.push_back(sgd.group(0).lr);
        }
        return difference(rates, line.at("lr_after_step"));
    }
    const optim::AnySchedule schedule = make(name, sgd, given);
    const json& expected = line.at("lr_momentum_per_step");
    for (std::size_t step = 0; step < expected.size(); ++step)
    {
        if (step != 0)
        {
            sgd.step();
            schedule->step();
        }
        const std::string text = difference({sgd.group(0).lr, sgd.group(0).momentum}, expected[step]);
        if (!text.empty())
        {
            return "before step " + std::to_string(step + 1) + ", " + text;
        }
    }
    return {};
}
