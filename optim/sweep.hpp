#pragma once

#include <autograd/parallel.hpp>
#include <optim/optimizer.hpp>

#include <algorithm>
#include <tuple>

/// The loop of all optimizers that update element by element; for those who write one.
namespace optim
{

namespace detail
{

/// How parameters are split among threads: at a multiple of every SIMD width, so that where pieces meet decides nothing.
inline constexpr autograd::detail::Grain sweep_grain{autograd::detail::elements_worth_a_thread, 64};

/// `formula` and the elements that it changes by value, and arrays without aliases: what it takes to keep everything else in
/// registers.
template <class T, class Formula, class... Arrays>
void sweep_elements(std::size_t count, Formula formula, T sign, T l2, T keep, const T* __restrict gradient,
                    T* __restrict parameter, Arrays* __restrict... arrays)
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

/// The formula that a rule gave last: the next parameter mostly has the same counters.
template <class T, class Rule, class Counters>
struct Memo
{
    Counters before;
    bool fresh;
    Counters after;
    std::invoke_result_t<const Rule&, T, Counters&, bool> formula;
};

/// As PyTorch keeps some of its counters, whatever the precision of the parameters.
inline double to_single(double x)
{
    return static_cast<double>(static_cast<float>(x));
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
/// says that the arrays had to be made; they start with `initial`. A rule is called again only where its arguments differ.
template <std::size_t... slots, class Rule>
void Optimizer::sweep(std::size_t group, const Decay& decay, const Rule& rule,
                      const std::array<double, sizeof...(slots)>& initial)
{
    std::tuple<std::optional<detail::Memo<float, Rule, Counters>>, std::optional<detail::Memo<double, Rule, Counters>>>
        memos;
    for_each_gradient(
        group,
        [&]<class T>(Entry& entry, autograd::Variable<T>& parameter)
        {
            const bool fresh = (!entry.arrays[slots] || ...);
            [[maybe_unused]] auto start = initial.begin();
            (detail::ensure(entry.arrays[slots], parameter, *start++), ...);

            using Memo = detail::Memo<T, Rule, Counters>;
            auto& memo = std::get<std::optional<Memo>>(memos);
            if (!memo || memo->before != entry.counters || memo->fresh != fresh)
            {
                Counters after = entry.counters;
                ++after.step;
                const auto formula = rule(T(), after, fresh);
                memo.emplace(Memo{entry.counters, fresh, after, formula});
            }
            entry.counters = memo->after;

            const autograd::Tensor<T> gradient = parameter.grad();
            const T* const g = gradient.data();
            T* const p = parameter.mutable_data(location_);
            const std::array<T*, sizeof...(slots)> arrays{entry.arrays[slots]->template get<T>().mutable_data()...};
            const T sign = decay.maximize ? T(-1) : T(1);
            const T l2 = static_cast<T>(decay.l2);
            const T keep = static_cast<T>(1 - decay.decoupled);
            std::apply(
                [&](auto*... array)
                {
                    autograd::detail::parallel_for(parameter.size(), detail::sweep_grain,
                                                   [&](std::size_t begin, std::size_t end) {
                                                       detail::sweep_elements(end - begin, memo->formula, sign, l2,
                                                                              keep, g + begin, p + begin,
                                                                              array + begin...);
                                                   });
                },
                arrays);
        });
}

}
