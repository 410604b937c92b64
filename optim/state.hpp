#pragma once

#include <optim/state_visitor.hpp>

#include <autograd/generator.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace optim
{

namespace detail
{

/// A number that a state holds where there must be one from `low` to `high`.
std::int64_t integer_between(std::uint64_t value, std::int64_t low, std::int64_t high);

}

/// Everything that a training needs to go on, in one file:
///
///     std::size_t epoch = 0;
///     optim::State state{{"w", w}, {"b", b}, {"adam", adam}, {"batches", batches}, {"epoch", epoch}};
///     state.resume("run.safetensors");
///     while (epoch < 10)
///     {
///         ...
///         ++epoch;
///         state.save("run.safetensors");
///     }
///
/// A state refers to what it is made of, which must outlive it. The file is a safetensors file; in Python
/// `safetensors.numpy.load_file` gives `{"w": ..., "adam.state.0.exp_avg": ..., "epoch": ...}`, and a file of weights that was
/// written there loads here. Numbers are 0-d arrays of F64, integers of I64 (those beyond 2^63 as their bits), texts stand in the
/// metadata.
class State
{
public:
    /// One of the parts.
    class Item
    {
    public:
        /// A variable; loading assigns it.
        /// @{
        template <autograd::Real T>
        Item(const autograd::Variable<T>& variable) : Item(Parameter(variable))
        {
        }
        Item(const Parameter& parameter);
        /// @}
        /// Variables, each with a name of its own: `network.w`.
        template <class P>
            requires std::convertible_to<const P&, Parameter> Item(
                const std::vector<std::pair<std::string, P>>& variables)
            {
                visit_ = [variables](StateVisitor& visitor)
                {
                    for (const auto& [name, variable] : variables)
                    {
                        visitor.variable(name, variable);
                    }
                };
            }

        /// A number, a text or numbers of the user's own.
        /// @{
        template <std::integral I>
        Item(I& number)
        {
            visit_ = [&number](StateVisitor& visitor)
            {
                auto value = static_cast<std::uint64_t>(number);
                visitor.integer("", value);
                if constexpr (std::unsigned_integral<I> && sizeof(I) == sizeof value)
                {
                    number = value;
                }
                else
                {
                    using Limits = std::numeric_limits<I>;
                    number = static_cast<I>(detail::integer_between(value, Limits::min(), Limits::max()));
                }
            };
        }
        template <std::floating_point F>
        Item(F& number)
        {
            visit_ = [&number](StateVisitor& visitor)
            {
                auto value = static_cast<double>(number);
                visitor.number("", value);
                number = static_cast<F>(value);
            };
        }
        Item(std::string& text);
        Item(std::vector<double>& numbers);
        /// @}
        Item(autograd::Generator& generator);

        /// An optimizer, a schedule, a sampler, a log, or whatever shows its state to a visitor.
        template <class S>
            requires requires(S& object, StateVisitor& visitor)
            {
                object.visit_state(visitor);
            }
        Item(S& object) : visit_([&object](StateVisitor& visitor) { object.visit_state(visitor); }) {}

        void visit(StateVisitor& visitor) const { visit_(visitor); }

    private:
        std::function<void(StateVisitor&)> visit_;
    };

    struct Entry
    {
        std::string name;
        Item item;
    };

    /// @throws autograd::ValueError for a name that is there twice, or is empty.
    State(std::initializer_list<Entry> entries, Location location = Location::current());

    void add(std::string name, Item item, Location location = Location::current());

    /// Replaces the file, all or nothing: after a kill or a power failure at any instant it is the old or the new one.
    /// @throws autograd::FileError if it cannot be written.
    void save(const std::string& path, Location location = Location::current()) const;

    /// Puts everything back, all or nothing.
    /// @throws autograd::FileError, before anything is changed, if the file cannot be read, is damaged, or is the state of
    ///         something else: other names, shapes, types, another optimizer.
    void load(const std::string& path, Location location = Location::current());

    /// Loads the file if there is one, and returns whether there is.
    bool resume(const std::string& path, Location location = Location::current());

private:
    std::vector<Entry> entries_;
};

}
