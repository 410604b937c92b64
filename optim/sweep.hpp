#pragma once

#include <autograd/parallel.hpp>
#include <optim/optimizer.hpp>

#include <algorithm>
#include <concepts>
#include <memory>
#include <tuple>
#include <type_traits>

/// The loop of all optimizers that update element by element; for those who write one.
namespace optim
{

namespace detail
{

/// How parameters are split among threads: at a multiple of every SIMD width, so that where pieces meet decides nothing.
inline constexpr autograd::detail::Grain sweep_grain{autograd::detail::elements_worth_a_thread, 64};

/// `formula` and the elements that it changes by value, and arrays without aliases: what it takes to keep everything else in
/// registers. Not inline, as there are two calls of it.
template <class T, class Formula, class... Arrays>
[[gnu::noinline]] void sweep_elements(std::size_t count, Formula formula, T sign, T l2, T keep,
                                      const T* __restrict gradient, T* __restrict parameter,
                                      Arrays* __restrict... arrays)
{
    for (std::size_t i = 0; i < count; ++i)
    {
        const T before = parameter[i];
        T after = keep * before;
        [&](auto... values)
        {
            formula(sign * gradient[i] + l2 * before, after, values...);
            ((arrays[i] = values), ...);
        }(arrays[i]...);
        parameter[i] = after;
    }
}

/// The formula that a rule gave last: the next parameter mostly has the same counters. Not a std::optional, whose bytes would
/// all be set to zero in each step.
template <class T, class Rule, class Counters>
class Memo
{
public:
    using Formula = std::invoke_result_t<const Rule&, T, Counters&, bool>;

    Memo() noexcept {}

    /// The formula for a parameter with these counters, which are advanced.
    const Formula& next(const Rule& rule, Counters& counters, bool fresh)
    {
        if (!known_ || last_.before != counters || last_.fresh != fresh)
        {
            Counters after = counters;
            ++after.step;
            const Formula formula = rule(T(), after, fresh);
            std::construct_at(&last_, Last{counters, fresh, after, formula});
            known_ = true;
        }
        counters = last_.after;
        return last_.formula;
    }

private:
    struct Last
    {
        Counters before;
        bool fresh;
        Counters after;
        Formula formula;
    };
    static_assert(std::is_trivially_destructible_v<Formula>);

    union
    {
        Last last_;
    };
    bool known_ = false;
};

/// A rule that looks at no counters needs none.
template <class T, class Rule, class Counters>
    requires std::invocable<const Rule&, T>
class Memo<T, Rule, Counters>
{
public:
    auto next(const Rule& rule, Counters& counters, bool)
    {
        ++counters.step;
        return rule(T());
    }
};

/// As PyTorch keeps some of its counters, whatever the precision of the parameters.
inline double to_single(double x)
{
    return static_cast<double>(static_cast<float>(x));
}

template <class T>
const T* gradient_elements(const autograd::Variable<T>& variable) noexcept
{
    return static_cast<const autograd::detail::VariableNode*>(variable.node())->gradient->template as<T>();
}

template <class T>
void ensure(std::optional<Parameter>& array, const autograd::Variable<T>& like, double initial)
{
    if (!array)
    {
        const auto filled = autograd::Tensor<T>::adopt(autograd::detail::new_node<T>(like.shape()));
        std::fill_n(filled.node()->template as<T>(), like.size(), static_cast<T>(initial));
        array.emplace(autograd::Variable<T>(filled));
    }
}

}

/// `rule(T(), counters, fresh)` gives the formula `(gradient, parameter&, arrays[slots]&...)` for elements of type T of a
/// parameter with these counters, of which `step` is counted already and the others are the rule's to advance. `fresh`
/// says that the arrays had to be made; they start with `initial`. A rule is called again only where its arguments differ. One
/// that depends on neither is `rule(T())`.
template <std::size_t... slots, class Rule>
void Optimizer::sweep(std::size_t group, const Decay& decay, const Rule& rule,
                      const std::array<double, sizeof...(slots)>& initial)
{
    std::tuple<detail::Memo<float, Rule, Counters>, detail::Memo<double, Rule, Counters>> memos;
    for_each_gradient(
        group,
        [&]<class T>(Entry& entry, autograd::Variable<T>& parameter)
        {
            const bool fresh = (!entry.arrays[slots] || ...);
            [[maybe_unused]] auto start = initial.begin();
            (detail::ensure(entry.arrays[slots], parameter, *start++), ...);

            const auto& formula = std::get<detail::Memo<T, Rule, Counters>>(memos).next(rule, entry.counters, fresh);
            const T* const g = detail::gradient_elements(parameter);
            T* const p = parameter.mutable_data(location_);
            const std::array<T*, sizeof...(slots)> arrays{entry.arrays[slots]->template get<T>().mutable_data()...};
            const T sign = decay.maximize ? T(-1) : T(1);
            const T l2 = static_cast<T>(decay.l2);
            const T keep = static_cast<T>(1 - decay.decoupled);
            const auto update = [=, &formula](std::size_t begin, std::size_t end)
            {
                std::apply(
                    [&](auto*... array) {
                        detail::sweep_elements(end - begin, formula, sign, l2, keep, g + begin, p + begin,
                                               array + begin...);
                    },
                    arrays);
            };
            const std::size_t size = parameter.size();
            if (size < detail::sweep_grain.least_awake())
            {
                update(0, size);
            }
            else
            {
                // A copy: what threads are given has an address, and all that it captures is stored there.
                const auto shared = update;
                autograd::detail::parallel_for(size, detail::sweep_grain, shared);
            }
        });
}

}
