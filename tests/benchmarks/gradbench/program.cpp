#include "program.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace gradbench
{

namespace
{

using Duration = std::chrono::nanoseconds;

/// Of the processor, so that a busy machine disturbs less: there is one thread.
Duration now()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

/// Appends the numbers of nested lists, and tells their shape.
void flatten(const nlohmann::json& json, std::size_t depth, std::vector<std::size_t>& shape,
             std::vector<double>& numbers)
{
    if (!json.is_array())
    {
        if (depth != shape.size())
        {
            throw std::runtime_error("an array is deeper in some places than in others");
        }
        numbers.push_back(json.get<double>());
        return;
    }
    if (depth == shape.size() && numbers.empty())
    {
        shape.push_back(json.size());
    }
    if (depth >= shape.size() || json.size() != shape[depth])
    {
        throw std::runtime_error("the lists of an array differ in length");
    }
    for (const nlohmann::json& element : json)
    {
        flatten(element, depth + 1, shape, numbers);
    }
}

nlohmann::json nested(const double*& numbers, const ag::Shape& shape, std::size_t axis)
{
    if (axis == shape.rank())
    {
        return *numbers++;
    }
    auto list = nlohmann::json::array();
    for (std::size_t i = 0; i < shape[axis]; ++i)
    {
        list.push_back(nested(numbers, shape, axis + 1));
    }
    return list;
}

void print_time(const char* name, Duration duration)
{
    std::cout << nlohmann::json{{"name", name}, {"nanoseconds", duration.count()}} << "\n";
}

void measure(const nlohmann::json& json, const Prepare& prepare)
{
    const std::size_t min_runs = json.is_object() ? json.at("min_runs").get<std::size_t>() : 1;
    const std::chrono::duration<double> min_time(json.is_object() ? json.at("min_seconds").get<double>() : 0);

    const auto start = now();
    const Evaluate evaluate = prepare(Input(json));
    const auto preparation = now() - start;

    std::vector<Duration> times;
    Duration total{};
    do
    {
        const auto begin = now();
        const Output output = evaluate();
        times.push_back(now() - begin);
        total += times.back();
        if (times.size() == 1)
        {
            std::cout << output.json() << "\n";
        }
    } while (times.size() < min_runs || total < min_time);

    print_time("prepare", preparation);
    for (Duration time : times)
    {
        print_time("evaluate", time);
    }
}

}

Input Input::operator[](const char* name) const
{
    return Input(json_->at(name));
}

double Input::number() const
{
    return json_->get<double>();
}

std::size_t Input::count() const
{
    if (!json_->is_number_unsigned())
    {
        throw std::runtime_error("not a natural number: " + json_->dump());
    }
    return json_->get<std::size_t>();
}

bool Input::truth() const
{
    return json_->get<bool>();
}

Tensor Input::array() const
{
    std::vector<std::size_t> shape;
    std::vector<double> numbers;
    flatten(*json_, 0, shape, numbers);
    xt::xarray<double> array = xt::xarray<double>::from_shape(shape);
    std::copy(numbers.begin(), numbers.end(), array.begin());
    return Tensor(array);
}

xt::xarray<std::int64_t> Input::integers() const
{
    xt::xarray<std::int64_t> list = xt::zeros<std::int64_t>({json_->size()});
    std::transform(json_->begin(), json_->end(), list.begin(),
                   [](const nlohmann::json& integer) { return integer.get<std::int64_t>(); });
    return list;
}

Output::Output(Tensor numbers) : value_(std::move(numbers)) {}
Output::Output(const std::vector<double>& numbers) : value_(&numbers) {}
Output::Output(std::int64_t integer) : value_(integer) {}
Output::Output(std::vector<std::int64_t> integers) : value_(std::move(integers)) {}
Output::Output(std::vector<Member> members) : value_(std::move(members)) {}

nlohmann::json Output::json() const
{
    if (const auto* numbers = std::get_if<Tensor>(&value_))
    {
        const double* elements = numbers->data();
        return nested(elements, numbers->shape(), 0);
    }
    if (const auto* numbers = std::get_if<const std::vector<double>*>(&value_))
    {
        return **numbers;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value_))
    {
        return *integer;
    }
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value_))
    {
        return *integers;
    }
    nlohmann::json object;
    for (const Member& member : std::get<std::vector<Member>>(value_))
    {
        object[member.name] = member.value.json();
    }
    return object;
}

int run(int argc, char** argv, const std::map<std::string, Prepare>& functions)
{
    try
    {
        if (argc != 3)
        {
            throw std::runtime_error("expects an input file and the name of a function");
        }
        const auto function = functions.find(argv[2]);
        if (function == functions.end())
        {
            throw std::runtime_error("no function '" + std::string(argv[2]) + "'");
        }
        std::ifstream file(argv[1]);
        if (!file)
        {
            throw std::runtime_error("cannot read " + std::string(argv[1]));
        }
        ag::set_num_threads(1);
        measure(nlohmann::json::parse(file), function->second);
        return 0;
    }
    catch (const std::exception& error)
    {
        std::cerr << argv[0] << ": " << error.what() << "\n";
        return 1;
    }
}

}
