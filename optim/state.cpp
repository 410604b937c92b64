#include <optim/state.hpp>

#include <autograd/io.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <variant>

namespace optim
{

using autograd::Archive;
using autograd::Array;
using autograd::ElementType;
using autograd::FileError;
using autograd::Shape;
using autograd::Tensor;
using autograd::ValueError;
using autograd::Variable;

namespace
{

struct Kind
{
    std::string text;
};
struct Number
{
    double value;
};
struct Integer
{
    std::uint64_t value;
};
struct Text
{
    std::string value;
};
struct Numbers
{
    std::vector<double> values;
};
struct Optional
{
    std::optional<Parameter> value;
    Parameter like;
};
struct Assigned
{
    Parameter variable;
};

/// The variable of the state that an array belongs to.
struct Owner
{
    std::string name;
};

using Value = std::variant<Kind, Number, Integer, Text, Numbers, Optional, Assigned, Owner>;

struct Field
{
    std::string name;
    Value value;
};

/// What a state consists of, in the order in which its parts show it.
using Snapshot = std::vector<Field>;

/// A visitor of one entry after the other.
class EntryVisitor : public StateVisitor
{
public:
    void visit(const State::Entry& entry)
    {
        entry_ = entry.name;
        entry.item.visit(*this);
    }

protected:
    std::string full(const std::string& name) const { return name.empty() ? entry_ : entry_ + "." + name; }

private:
    std::string entry_;
};

class Taker final : public EntryVisitor
{
public:
    Snapshot snapshot;

    void kind(const std::string& what) override { add("", Kind{what}); }
    void number(const std::string& name, double& value) override { add(name, Number{value}); }
    void integer(const std::string& name, std::uint64_t& value) override { add(name, Integer{value}); }
    void text(const std::string& name, std::string& value) override { add(name, Text{value}); }
    void numbers(const std::string& name, std::vector<double>& values) override { add(name, Numbers{values}); }
    void array(const std::string& name, std::optional<Parameter>& value, const Parameter& like) override
    {
        add(name, Optional{value, like});
    }
    void variable(const std::string& name, const Parameter& variable) override { add(name, Assigned{variable}); }

private:
    void add(const std::string& name, Value value) { snapshot.push_back({full(name), std::move(value)}); }
};

/// Puts the values of a snapshot back, but for variables.
class Giver final : public EntryVisitor
{
public:
    explicit Giver(const Snapshot& snapshot) : next_(snapshot.begin()) {}

    void kind(const std::string&) override { ++next_; }
    void number(const std::string&, double& value) override { value = take<Number>().value; }
    void integer(const std::string&, std::uint64_t& value) override { value = take<Integer>().value; }
    void text(const std::string&, std::string& value) override { value = take<Text>().value; }
    void numbers(const std::string&, std::vector<double>& values) override { values = take<Numbers>().values; }
    void array(const std::string&, std::optional<Parameter>& value, const Parameter&) override
    {
        value = take<Optional>().value;
    }
    void variable(const std::string&, const Parameter&) override { ++next_; }

private:
    template <class V>
    const V& take()
    {
        return std::get<V>((next_++)->value);
    }

    Snapshot::const_iterator next_;
};

Snapshot take(const std::vector<State::Entry>& entries)
{
    Taker taker;
    for (const State::Entry& entry : entries)
    {
        taker.visit(entry);
    }
    // Arrays that belong to a variable of the state, as an optimizer's do, say to which.
    Snapshot& snapshot = taker.snapshot;
    std::map<const void*, std::string> names;
    for (const Field& field : snapshot)
    {
        if (const auto* assigned = std::get_if<Assigned>(&field.value))
        {
            names.emplace(assigned->variable.identity(), field.name);
        }
    }
    for (std::size_t k = 0, visited = snapshot.size(); k < visited; ++k)
    {
        if (const auto* optional = std::get_if<Optional>(&snapshot[k].value))
        {
            const auto found = names.find(optional->like.identity());
            if (found != names.end())
            {
                snapshot.push_back({snapshot[k].name, Owner{found->second}});
            }
        }
    }
    return std::move(snapshot);
}

void give(const std::vector<State::Entry>& entries, const Snapshot& snapshot)
{
    Giver giver(snapshot);
    for (const State::Entry& entry : entries)
    {
        giver.visit(entry);
    }
}

Array array_of(const Parameter& parameter)
{
    return parameter.visit([](const auto& variable) { return Array(variable); });
}

/// The arrays and texts of a file.
struct Content
{
    std::vector<autograd::NamedArray> arrays;
    Archive::Texts texts;

    void add(const std::string& name, const Kind& kind) { texts.emplace(name, kind.text); }
    void add(const std::string& name, const Owner& owner) { texts.emplace(name, owner.name); }
    void add(const std::string& name, const Number& number) { arrays.push_back({name, number.value}); }
    void add(const std::string& name, const Integer& integer) { arrays.push_back({name, integer.value}); }
    void add(const std::string& name, const Text& text) { texts.emplace(name, text.value); }
    void add(const std::string& name, const Numbers& numbers)
    {
        auto tensor = Tensor<double>::adopt(autograd::detail::new_node<double>(Shape{numbers.values.size()}));
        std::copy(numbers.values.begin(), numbers.values.end(), tensor.node()->as<double>());
        arrays.push_back({name, tensor});
    }
    void add(const std::string& name, const Optional& optional)
    {
        if (optional.value)
        {
            arrays.push_back({name, array_of(*optional.value)});
        }
    }
    void add(const std::string& name, const Assigned& assigned)
    {
        arrays.push_back({name, array_of(assigned.variable)});
    }
};

/// Makes a snapshot of what a file holds, after one of the present.
class Reader
{
public:
    Reader(const Archive& archive, Location location) : archive_(archive), location_(location) {}

    Snapshot read(const Snapshot& present)
    {
        Snapshot result;
        // Kinds first: what else differs follows from them.
        for (const Field& field : present)
        {
            const Kind* kind = std::get_if<Kind>(&field.value);
            if (kind != nullptr && find_text(field.name) != kind->text)
            {
                fail("holds '" + field.name + "' of '" + find_text(field.name) + "': here it is of '" + kind->text +
                     "'");
            }
        }
        for (const Field& field : present)
        {
            known_.insert(field.name);
            result.push_back(
                {field.name, std::visit([&](const auto& value) { return read(field.name, value); }, field.value)});
        }
        for (const auto& [name, array] : archive_)
        {
            check_known(name, "an array");
        }
        for (const auto& [name, text] : archive_.texts())
        {
            check_known(name, "a text");
        }
        return result;
    }

private:
    [[noreturn]] void fail(const std::string& problem) const
    {
        throw FileError("load", "'" + archive_.path() + "' " + problem, location_);
    }

    const std::string& find_text(const std::string& name) const
    {
        const auto found = archive_.texts().find(name);
        if (found == archive_.texts().end())
        {
            fail("holds no text '" + name + "'");
        }
        return found->second;
    }

    // PyTorch's safetensors has no metadata unless one gives some, or {"format": "pt"}.
    void check_known(const std::string& name, const char* what) const
    {
        if (!known_.contains(name) && !(name == "format" && archive_.texts().contains(name)))
        {
            fail("holds " + std::string(what) + " '" + name + "', of which this state knows nothing");
        }
    }

    const Array* find(const std::string& name, ElementType type) const
    {
        const Array* array = archive_.find(name);
        if (array != nullptr && array->type() != type)
        {
            fail("holds '" + name + "' as " + to_string(array->type()) + ": here it is " + to_string(type));
        }
        return array;
    }

    const Array& expect(const std::string& name, ElementType type) const
    {
        const Array* array = find(name, type);
        if (array == nullptr)
        {
            fail("holds no '" + name + "'");
        }
        return *array;
    }

    void check_shape(const std::string& name, const Array& array, const Shape& shape) const
    {
        if (array.shape() != shape)
        {
            fail("holds '" + name + "' of shape " + to_string(array.shape()) + ": here it is " + to_string(shape));
        }
    }

    Value read(const std::string&, const Kind& kind) const { return kind; }
    Value read(const std::string& name, const Owner& owner) const
    {
        const std::string& found = find_text(name);
        if (found != owner.name)
        {
            fail("holds '" + name + "' for '" + found + "': here it is for '" + owner.name + "'");
        }
        return owner;
    }
    Value read(const std::string& name, const Number&) const
    {
        const Array& array = expect(name, ElementType::float64);
        check_shape(name, array, Shape());
        return Number{array.tensor<double>().item()};
    }
    Value read(const std::string& name, const Integer&) const
    {
        const Array& array = expect(name, ElementType::int64);
        check_shape(name, array, Shape());
        return Integer{static_cast<std::uint64_t>(array.indices()[0])};
    }
    Value read(const std::string& name, const Text&) const { return Text{find_text(name)}; }
    Value read(const std::string& name, const Numbers&) const
    {
        const Array& array = expect(name, ElementType::float64);
        check_shape(name, array, Shape{array.size()});
        const Tensor<double>& tensor = array.tensor<double>();
        return Numbers{{tensor.data(), tensor.data() + tensor.size()}};
    }
    Value read(const std::string& name, const Optional& optional) const
    {
        const ElementType type = array_of(optional.like).type();
        return archive_.find(name) == nullptr ? Optional{std::nullopt, optional.like}
                                              : Optional{parameter(name, type, optional.like), optional.like};
    }
    Value read(const std::string& name, const Assigned& assigned) const
    {
        return Assigned{parameter(name, array_of(assigned.variable).type(), assigned.variable)};
    }

    /// A new variable with what the file holds.
    Parameter parameter(const std::string& name, ElementType type, const Parameter& like) const
    {
        const Array& array = expect(name, type);
        return like.visit(
            [&]<class T>(const Variable<T>& variable)
            {
                check_shape(name, array, variable.shape());
                return Parameter(Variable<T>(array.tensor<T>()));
            });
    }

    const Archive& archive_;
    Location location_;
    std::set<std::string_view> known_;
};

/// Calls f(variable, value) for each variable of a state and what it is to be.
template <class F>
void for_each_variable(const Snapshot& present, const Snapshot& loaded, const F& f)
{
    for (std::size_t k = 0; k < present.size(); ++k)
    {
        if (const auto* assigned = std::get_if<Assigned>(&present[k].value))
        {
            Parameter value = std::get<Assigned>(loaded[k].value).variable;
            assigned->variable.visit([&]<class T>(const Variable<T>& variable) { f(variable, value.get<T>()); });
        }
    }
}

}

std::int64_t detail::integer_between(std::uint64_t value, std::int64_t low, std::int64_t high)
{
    const auto number = std::bit_cast<std::int64_t>(value);
    if (number < low || number > high)
    {
        throw ValueError("state",
                         "an integer is " + std::to_string(number) + ", but must be from " + std::to_string(low) +
                             " to " + std::to_string(high),
                         {});
    }
    return number;
}

State::Item::Item(const Parameter& parameter)
    : visit_([parameter](StateVisitor& visitor) { visitor.variable("", parameter); })
{
}

State::Item::Item(std::string& text) : visit_([&text](StateVisitor& visitor) { visitor.text("", text); }) {}

State::Item::Item(std::vector<double>& numbers)
    : visit_([&numbers](StateVisitor& visitor) { visitor.numbers("", numbers); })
{
}

State::Item::Item(autograd::Generator& generator)
{
    visit_ = [&generator](StateVisitor& visitor)
    {
        std::uint64_t seed = generator.seed();
        std::uint64_t stream = generator.stream();
        std::uint64_t position = generator.position();
        visitor.integer("seed", seed);
        visitor.integer("stream", stream);
        visitor.integer("position", position);
        generator = autograd::Generator(seed, stream);
        generator.seek(position);
    };
}

State::State(std::initializer_list<Entry> entries, Location location)
{
    for (const Entry& entry : entries)
    {
        add(entry.name, entry.item, location);
    }
}

void State::add(std::string name, Item item, Location location)
{
    const auto same = [&](const Entry& entry) { return entry.name == name; };
    if (name.empty() || std::any_of(entries_.begin(), entries_.end(), same))
    {
        throw ValueError("State", name.empty() ? "a part without a name" : "'" + name + "' is there twice", location,
                         "Give each part a name of its own.");
    }
    entries_.push_back({std::move(name), std::move(item)});
}

void State::save(const std::string& path, Location location) const
{
    Content content;
    for (const Field& field : take(entries_))
    {
        std::visit([&](const auto& value) { content.add(field.name, value); }, field.value);
    }
    autograd::save_safetensors(path, content.arrays, content.texts, location);
}

void State::load(const std::string& path, Location location)
{
    const Archive archive = autograd::load_safetensors(path, location);
    const Snapshot present = take(entries_);
    const Snapshot loaded = Reader(archive, location).read(present);
    // What can fail comes before anything is changed: memory for a variable whose value somebody else holds.
    for_each_variable(present, loaded, [&](const auto& variable, const auto&) { variable.mutable_data(location); });
    try
    {
        give(entries_, loaded);
    }
    catch (const autograd::Error& error)
    {
        give(entries_, present);
        std::string problem = error.what();
        problem.erase(problem.find_last_not_of('.') + 1);
        throw FileError("load", "'" + path + "' holds what is not allowed: " + problem, location);
    }
    catch (...)
    {
        give(entries_, present);
        throw;
    }
    for_each_variable(present, loaded,
                      [&](const auto& variable, const auto& value)
                      {
                          if (value.size() > 0)
                          {
                              std::memcpy(variable.mutable_data(location), value.data(),
                                          value.size() * sizeof *value.data());
                          }
                      });
}

bool State::resume(const std::string& path, Location location)
{
    std::error_code error;
    const bool there = std::filesystem::status(path, error).type() != std::filesystem::file_type::not_found;
    if (there)
    {
        load(path, location);
    }
    return there;
}

}
